#include "tests/unit/make_shard.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/shard/format.h"
#include "libcommon/shard/verify.h"

struct lu_shard_format shard_format(uint64_t vocab, uint64_t max_tokens)
{
	return (struct lu_shard_format){
		.vocab = vocab, .max_tokens = max_tokens, .options = LU_STR("{}"), .tmpdir = "."
	};
}

uint64_t document_length(uint64_t i)
{
	return 3 * i % 7;
}

uint32_t document_token(uint64_t i, uint64_t k, uint64_t vocab)
{
	return (uint32_t)((245489 * i + k) % vocab);
}

void add_document(struct lu_shard_writer *w, uint64_t i, uint64_t vocab, struct lu_err *err)
{
	static const char *const license[] = { "\"MIT\"", "\"CC0-1.0\"", "null" };
	struct lu_ledger_doc d = { .tokens = document_length(i),
		.bytes = 10 * i,
		.source = LU_STR("\"tests\""),
		.license = lu_str_of(license[i % 3]),
		.lang = i % 2 ? LU_STR("\"fr\"") : LU_STR("\"en\"") };
	uint32_t ids[8];
	char id[32], packed[32];

	snprintf(id, sizeof(id), "\"d%" PRIu64 "\"", i);
	d.id = lu_str_of(id);
	for (uint64_t k = 0; k < d.tokens; k++)
		ids[k] = document_token(i, k, vocab);
	lu_shard_pack(lu_idx_width_for(vocab), ids, d.tokens, packed);
	ok(lu_shard_writer_add(w, &d, packed, err), err);
}

void make_shard(const char *prefix, struct lu_shard_format f, uint64_t documents)
{
	struct lu_shard_writer *w;
	struct lu_err err = { 0 };

	ok(lu_shard_writer_open(&w, prefix, &f, &err), &err);
	for (uint64_t i = 0; i < documents; i++)
		add_document(w, i, f.vocab, &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
}

void check_shard(const struct lu_shard *s, uint64_t documents, uint64_t vocab)
{
	struct lu_err err;
	uint64_t at = 0;

	assert_int_equal(lu_shard_documents(s), documents);
	for (uint64_t i = 0; i < documents; i++) {
		uint64_t first, n;

		ok(lu_shard_document(s, i, &first, &n, &err), &err);
		assert_int_equal(first, at);
		assert_int_equal(n, document_length(i));
		ok(lu_shard_document_size(s, i, &n, &err), &err);
		assert_int_equal(n, document_length(i));
		for (uint64_t k = 0; k < n; k++) {
			uint32_t id;

			read_tokens(s, at + k, 1, &id);
			assert_int_equal(id, document_token(i, k, vocab));
			assert_int_equal(document_at(s, at + k), i);
		}
		at += n;
	}
	assert_int_equal(lu_shard_tokens(s), at);
}

void read_tokens(const struct lu_shard *s, uint64_t pos, size_t n, uint32_t *out)
{
	struct lu_err err;

	ok(lu_shard_read(s, pos, n, out, &err), &err);
}

uint64_t document_at(const struct lu_shard *s, uint64_t pos)
{
	struct lu_err err;
	uint64_t i;

	ok(lu_shard_document_at(s, pos, &i, &err), &err);
	return i;
}

static void on_fault(void *ctx, const char *sentence)
{
	struct lu_buf *b = ctx;

	lu_buf_puts(b, sentence);
	lu_buf_putc(b, '\n');
}

int verify_shard(const char *prefix, struct lu_buf *faults)
{
	struct lu_verify v = { .fault = on_fault, .ctx = faults };
	struct lu_err err = { 0 };
	int rc;

	lu_buf_clear(faults);
	rc = lu_shard_verify(&v, prefix, &err);
	ok(rc, &err);
	return rc;
}
