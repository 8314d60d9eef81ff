/* Shards: what is written is read again, whatever is broken is refused, and what is written does
 * not change from version to version. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/io/instream.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/lookup.h"
#include "libcommon/shard/verify.h"
#include "libcommon/shard/writer.h"

#define ok(rc, err)                                 \
	do {                                        \
		if ((rc) < 0)                       \
			fail_msg("%s", (err)->msg); \
	} while (0)

static struct lu_shard_format format(uint64_t vocab, uint64_t max_tokens)
{
	return (struct lu_shard_format){
		.vocab = vocab, .max_tokens = max_tokens, .options = LU_STR("{}"), .tmpdir = "."
	};
}

/* Document i of the tests: 3 i % 7 tokens, the k-th is (245489 i + k) % vocab. */
static uint64_t length_of(uint64_t i)
{
	return 3 * i % 7;
}

static uint32_t token_of(uint64_t i, uint64_t k, uint64_t vocab)
{
	return (uint32_t)((245489 * i + k) % vocab);
}

static void add(struct lu_shard_writer *w, uint64_t i, uint64_t vocab, struct lu_err *err)
{
	static const char *const license[] = { "\"MIT\"", "\"CC0-1.0\"", "null" };
	struct lu_ledger_doc d = { .tokens = length_of(i),
		.bytes = 10 * i,
		.source = LU_STR("\"tests\""),
		.license = lu_str_of(license[i % 3]),
		.lang = i % 2 ? LU_STR("\"fr\"") : LU_STR("\"en\"") };
	uint32_t ids[8];
	char id[32], packed[32];

	snprintf(id, sizeof(id), "\"d%llu\"", (unsigned long long)i);
	d.id = lu_str_of(id);
	for (uint64_t k = 0; k < d.tokens; k++)
		ids[k] = token_of(i, k, vocab);
	lu_shard_pack(lu_idx_width_for(vocab), ids, d.tokens, packed);
	ok(lu_shard_writer_add(w, &d, packed, err), err);
}

static void make(const char *prefix, struct lu_shard_format f, uint64_t documents)
{
	struct lu_shard_writer *w;
	struct lu_err err = { 0 };

	ok(lu_shard_writer_open(&w, prefix, &f, &err), &err);
	for (uint64_t i = 0; i < documents; i++)
		add(w, i, f.vocab, &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
}

/* --- reading what was written ------------------------------------------------------------- */

static void check_documents(const struct lu_shard *s, uint64_t documents, uint64_t vocab)
{
	uint64_t at = 0;

	assert_int_equal(lu_shard_documents(s), documents);
	for (uint64_t i = 0; i < documents; i++) {
		uint64_t first, n;

		lu_shard_document(s, i, &first, &n);
		assert_int_equal(first, at);
		assert_int_equal(n, length_of(i));
		for (uint64_t k = 0; k < n; k++) {
			uint32_t id;

			lu_shard_read(s, at + k, 1, &id);
			assert_int_equal(id, token_of(i, k, vocab));
			assert_int_equal(lu_shard_document_at(s, at + k), i);
		}
		at += n;
	}
	assert_int_equal(lu_shard_tokens(s), at);
}

/* Stretches of every length from every place are the same as token after token. */
static void check_stretches(const struct lu_shard *s)
{
	uint64_t tokens = lu_shard_tokens(s);
	uint32_t *one = malloc((tokens + 1) * sizeof(*one)), *many = malloc(tokens * sizeof(*many));

	assert_non_null(one);
	assert_non_null(many);
	for (uint64_t i = 0; i < tokens; i++)
		lu_shard_read(s, i, 1, &one[i]);
	for (uint64_t from = 0; from <= tokens; from++) {
		for (uint64_t n = 0; n <= tokens - from; n++) {
			lu_shard_read(s, from, n, many);
			assert_memory_equal(many, one + from, n * sizeof(*many));
		}
	}
	free(one);
	free(many);
}

static void check_ledger(const struct lu_shard *s)
{
	struct lu_ledger *l;
	struct lu_ledger_doc d;
	struct lu_err err = { 0 };
	uint64_t n = lu_shard_documents(s), seed = 7;
	int rc;

	ok(lu_ledger_open(&l, s, &err), &err);
	for (uint64_t i = 0; (rc = lu_ledger_next(l, &d, &err)) > 0; i++) {
		assert_int_equal(d.document, i);
		assert_int_equal(d.bytes, 10 * i);
	}
	ok(rc, &err);
	assert_int_equal(d.document, n - 1);
	for (int round = 0; round < 60; round++) {
		uint64_t to = unit_random(&seed) % (n + 1);

		ok(lu_ledger_seek(l, to, &err), &err);
		rc = lu_ledger_next(l, &d, &err);
		assert_int_equal(rc, to < n);
		if (rc)
			assert_int_equal(d.document, to);
	}
	lu_ledger_close(l);
}

static void test_round_trip(void **state)
{
	static const struct {
		uint64_t vocab, max_tokens, documents, parts;
		unsigned width;
	} kind[] = {
		{ 100, 0, 41, 1, 2 },
		{ 65499, 0, 41, 1, 2 },
		{ 65500, 0, 41, 1, 4 },
		{ 70000, 0, 41, 1, 4 },
		{ 100, 20, 41, 7, 2 },
		/* shorter than most documents: those have a part each, nothing goes round for ever */
		{ 70000, 1, 41, 41, 4 },
		{ 100, 1000, 41, 1, 2 },
	};
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		struct lu_shard *s;

		make("trip", format(kind[i].vocab, kind[i].max_tokens), kind[i].documents);
		ok(lu_shard_open(&s, "trip", &err), &err);
		assert_int_equal(lu_shard_width(s), kind[i].width);
		assert_int_equal(lu_shard_parts(s), kind[i].parts);
		assert_int_equal(lu_shard_part_document(s, lu_shard_parts(s)),
				lu_shard_documents(s));
		assert_non_null(lu_shard_manifest(s));
		check_documents(s, kind[i].documents, kind[i].vocab);
		check_stretches(s);
		check_ledger(s);
		lu_shard_close(s);
	}
	/* Only the files of the last one are left: the parts of those before went with them. */
	assert_int_equal(access("trip-00000.bin", F_OK), 0);
	assert_int_equal(access("trip-00001.bin", F_OK), -1);
	assert_int_equal(access("trip-00001.docs.jsonl.zst", F_OK), -1);
	assert_int_equal(access("trip.bin", F_OK), -1);
}

static void test_nothing(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	make("nothing", format(100, 0), 0);
	ok(lu_shard_open(&s, "nothing", &err), &err);
	assert_int_equal(lu_shard_tokens(s), 0);
	assert_int_equal(lu_shard_documents(s), 0);
	lu_shard_read(s, 0, 0, NULL);
	lu_shard_close(s);
	/* documents without tokens alone */
	make("nothing", format(100, 0), 1);
	ok(lu_shard_open(&s, "nothing", &err), &err);
	assert_int_equal(lu_shard_tokens(s), 0);
	assert_int_equal(lu_shard_documents(s), 1);
	lu_shard_close(s);
}

/* The format's longest document is 2^31 - 1 tokens; one more must be told, not wrap around. */
static void test_too_long(void **state)
{
	struct lu_shard_format f = format(100, 0);
	struct lu_shard_writer *w;
	struct lu_ledger_doc d = { .tokens = (uint64_t)INT32_MAX + 1,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };
	struct lu_err err = { 0 };

	(void)state;
	ok(lu_shard_writer_open(&w, "long", &f, &err), &err);
	assert_int_equal(lu_shard_writer_add(w, &d, NULL, &err), -1);
	assert_non_null(strstr(err.msg, "2147483648 tokens"));
	lu_shard_writer_free(w);
	assert_int_equal(access("long.bin", F_OK), -1);
	assert_int_equal(access(".long.bin.lu-tmp", F_OK), -1);
	assert_int_equal(access(".long.json.lu-tmp", F_OK), -1);
}

static void test_not_committed(void **state)
{
	struct lu_shard_format f = format(100, 5);
	struct lu_shard_writer *w, *second;
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	make("old", format(100, 0), 9);
	ok(lu_shard_writer_open(&w, "old", &f, &err), &err);
	assert_int_equal(lu_shard_writer_open(&second, "old", &f, &err), -1);
	assert_non_null(strstr(err.msg, "old.json: another run is writing it"));
	for (uint64_t i = 0; i < 20; i++)
		add(w, i, 100, &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	lu_shard_writer_free(w);
	ok(lu_shard_open(&s, "old", &err), &err);
	assert_int_equal(lu_shard_documents(s), 9);
	lu_shard_close(s);
	assert_int_equal(access("old-00000.bin", F_OK), -1);
	assert_int_equal(access(".old-00000.bin.lu-tmp", F_OK), -1);
	assert_int_equal(access(".old.json.lu-tmp", F_OK), -1);
}

/* --- large files -------------------------------------------------------------------------- */

static void put_at(const char *name, uint64_t size, uint64_t at, const void *p, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	assert_int_equal(close(fd), 0);
}

static void put_index(const char *name, unsigned type, const uint32_t *length, size_t n)
{
	unsigned width = lu_idx_width(type);
	struct lu_buf b = { 0 };
	char word[8];
	uint64_t at = 0;

	lu_buf_append(&b, LU_IDX_MAGIC, LU_IDX_MAGIC_SIZE);
	lu_store64(word, 1);
	lu_buf_append(&b, word, 8);
	lu_buf_putc(&b, (char)type);
	lu_store64(word, n);
	lu_buf_append(&b, word, 8);
	lu_store64(word, n + 1);
	lu_buf_append(&b, word, 8);
	for (size_t i = 0; i < n; i++) {
		lu_store32(word, length[i]);
		lu_buf_append(&b, word, 4);
	}
	for (size_t i = 0; i < n; i++) {
		lu_store64(word, at);
		lu_buf_append(&b, word, 8);
		at += (uint64_t)length[i] * width;
	}
	for (size_t i = 0; i <= n; i++) {
		lu_store64(word, i);
		lu_buf_append(&b, word, 8);
	}
	assert_true(lu_buf_ok(&b));
	put_file(name, b.p, b.n);
	lu_buf_release(&b);
}

/* Past 2^31 tokens and 2^32 bytes, in a file that is nearly all hole. */
static void test_large(void **state)
{
	static const uint32_t length[] = { INT32_MAX, INT32_MAX, 5, INT32_MAX };
	const uint64_t third = 2 * (uint64_t)INT32_MAX, tokens = 3 * (uint64_t)INT32_MAX + 5;
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n;
	uint32_t got[9];
	char ids[28];

	(void)state;
	/* the last of document 1, the five of document 2, the first of document 3 */
	for (uint32_t i = 0; i < 7; i++)
		lu_store32(ids + 4 * i, 70001 + i);
	put_at("large.bin", tokens * 4, (third - 1) * 4, ids, sizeof(ids));
	put_index("large.idx", LU_IDX_TYPE_I32, length, 4);
	ok(lu_shard_open(&s, "large", &err), &err);
	assert_int_equal(lu_shard_tokens(s), tokens);
	lu_shard_document(s, 2, &first, &n);
	assert_int_equal(first, third);
	assert_int_equal(n, 5);
	lu_shard_read(s, third - 2, 9, got);
	assert_int_equal(got[0], 0);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(got[1 + i], 70001 + i);
	assert_int_equal(got[8], 0);
	assert_int_equal(lu_shard_document_at(s, third - 1), 1);
	assert_int_equal(lu_shard_document_at(s, third), 2);
	assert_int_equal(lu_shard_document_at(s, third + 5), 3);
	assert_int_equal(lu_shard_document_at(s, tokens - 1), 3);
	lu_shard_close(s);
	/* a .bin that is 2^32 bytes longer or shorter is not the same in 32 bits only */
	assert_int_equal(truncate("large.bin", (off_t)(tokens * 4 - ((uint64_t)1 << 32))), 0);
	assert_int_equal(lu_shard_open(&s, "large", &err), -1);
	assert_int_equal(truncate("large.bin", (off_t)(tokens * 4 + ((uint64_t)1 << 32))), 0);
	assert_int_equal(lu_shard_open(&s, "large", &err), -1);
	unlink("large.bin");
}

/* --- what is refused ---------------------------------------------------------------------- */

static void refused(const char *prefix, const char *words)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };

	if (lu_shard_open(&s, prefix, &err) == 0)
		fail_msg("%s opens, though: %s", prefix, words);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in: %s", words, err.msg);
}

static void test_bad_index(void **state)
{
	static const struct {
		size_t at;
		unsigned char to;
		const char *words;
	} edit[] = {
		{ 0, 'm', "not a Megatron index" },
		{ 8, 1, "not a Megatron index" },
		{ 9, 2, "version 2 is not supported" },
		{ 16, 1, "version 72057594037927937 is not supported" },
		{ 17, 1, "(uint8) are not supported" },
		{ 17, 6, "(float64) are not supported" },
		{ 17, 7, "(float32) are not supported" },
		{ 17, 99, "(unknown) are not supported" },
		{ 17, 4, "ends after the end of the .bin file" },
		{ 18, 4, "does not fit its counts" },
		{ 25, 0x80, "does not fit its counts" },
		{ 25, 0x20, "does not fit its counts" },
		{ 26, 3, "does not fit its counts" },
		{ 26, 0, "does not fit its counts" },
		{ 33, 0x20, "does not fit its counts" },
		{ 34, 4, "starts at byte 6, not at 8" },
		{ 37, 0x80, "negative length" },
		{ 42, 1, "accounts for 8 bytes, the .bin file has 10" },
		{ 46, 2, "starts at byte 2, not at 0" },
		{ 54, 8, "starts at byte 8, not at 6" },
		{ 61, 0x80, "not at 6" },
		{ 70, 1, "boundary 0 of the documents" },
		{ 78, 9, "boundary 1 of the documents" },
		{ 86, 0, "boundary 2 of the documents" },
		{ 94, 2, "the last document ends at sequence 2 of 3" },
	};
	static const uint32_t length[] = { 3, 0, 2 };
	static const char bin[10];
	size_t n;
	char *good;
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	put_file("bad.bin", bin, sizeof(bin));
	put_index("bad.idx", LU_IDX_TYPE_U16, length, 3);
	good = get_file("bad.idx", &n);
	assert_int_equal(n, 34 + 3 * 12 + 4 * 8);
	for (size_t i = 0; i < sizeof(edit) / sizeof(edit[0]); i++) {
		char was = good[edit[i].at];

		good[edit[i].at] = (char)edit[i].to;
		put_file("bad.idx", good, n);
		refused("bad", edit[i].words);
		good[edit[i].at] = was;
	}
	for (size_t k = 0; k < n; k++) {
		put_file("bad.idx", good, k);
		refused("bad", "bad.idx: ");
	}
	put_file("bad.idx", good, n);
	ok(lu_shard_open(&s, "bad", &err), &err);
	lu_shard_close(s);
	for (size_t k = 0; k < sizeof(bin); k++) {
		put_file("bad.bin", bin, k);
		refused("bad", "bad.idx: ");
	}
	free(good);
	unlink("bad.bin");
	refused("bad", "bad.bin: No such file");
	refused("none", "none.idx: No such file");
	/* modes, a byte a sequence, are left aside */
	put_file("bad.bin", bin, sizeof(bin));
	put_at("bad.idx", n + 3, n, "\0\0\0", 3);
	ok(lu_shard_open(&s, "bad", &err), &err);
	assert_int_equal(lu_shard_documents(s), 3);
	lu_shard_close(s);
	put_at("bad.idx", n + 2, n, "\0\0", 2);
	refused("bad", "does not fit its counts");
}

/* Several sequences a document, as other writers have it. */
static void test_sequences(void **state)
{
	static const uint32_t length[] = { 3, 4, 2 };
	static const char bin[18];
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n;
	size_t size;
	char *idx;

	(void)state;
	put_file("seq.bin", bin, sizeof(bin));
	put_index("seq.idx", LU_IDX_TYPE_U16, length, 3);
	/* two documents, of sequences 0-1 and 2 */
	idx = get_file("seq.idx", &size);
	idx[26] = 3;
	idx[34 + 36 + 8] = 2;
	idx[34 + 36 + 16] = 3;
	put_file("seq.idx", idx, size - 8);
	free(idx);
	ok(lu_shard_open(&s, "seq", &err), &err);
	assert_int_equal(lu_shard_documents(s), 2);
	lu_shard_document(s, 0, &first, &n);
	assert_int_equal(first, 0);
	assert_int_equal(n, 7);
	lu_shard_document(s, 1, &first, &n);
	assert_int_equal(first, 7);
	assert_int_equal(n, 2);
	assert_int_equal(lu_shard_document_at(s, 6), 0);
	assert_int_equal(lu_shard_document_at(s, 7), 1);
	lu_shard_close(s);
}

static void test_unfinished(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	size_t n;
	char *text;

	(void)state;
	make("part", format(100, 0), 9);
	text = get_file("part.json", &n);
	unlink("part.json");
	refused("part", "part: has a ledger but no manifest");
	/* the tokens alone are what any other writer leaves */
	unlink("part.docs.jsonl.zst");
	ok(lu_shard_open(&s, "part", &err), &err);
	assert_null(lu_shard_manifest(s));
	lu_shard_close(s);
	/* the manifest of another one */
	put_file("part.json", text, n);
	free(text);
	make("other", format(100, 0), 10);
	text = get_file("other.json", &n);
	put_file("part.json", text, n);
	free(text);
	refused("part", "bytes, the manifest says");
	/* split */
	make("cut", format(100, 5), 20);
	unlink("cut-00002.idx");
	refused("cut", "cut-00002.idx: No such file");
	unlink("cut.json");
	refused("cut", "cut: has a ledger but no manifest");
}

/* --- verification ------------------------------------------------------------------------- */

static void on_fault(void *ctx, const char *sentence)
{
	struct lu_buf *b = ctx;

	lu_buf_puts(b, sentence);
	lu_buf_putc(b, '\n');
}

/* The faults as text, in `said`. */
static int verify(const char *prefix, struct lu_buf *said)
{
	struct lu_verify v = { .fault = on_fault, .ctx = said };
	struct lu_err err = { 0 };
	int rc;

	lu_buf_clear(said);
	rc = lu_shard_verify(&v, prefix, &err);
	ok(rc, &err);
	return rc;
}

/* A flipped bit in any byte of any file, and each file cut or longer. */
static void test_every_byte(void **state)
{
	static const char *const name[] = { "v-00000.bin", "v-00000.idx", "v-00000.docs.jsonl.zst",
		"v-00001.bin", "v-00001.idx", "v-00001.docs.jsonl.zst", "v.json" };
	struct lu_shard_format f = format(100, 20);
	struct lu_buf said = { 0 };

	(void)state;
	make("v", f, 9);
	assert_int_equal(verify("v", &said), 0);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		size_t n;
		char *p = get_file(name[i], &n);

		for (size_t k = 0; k < n; k++) {
			p[k] ^= (char)(1 << k % 8);
			put_file(name[i], p, n);
			if (verify("v", &said) != 1 || said.n == 0)
				fail_msg("%s: byte %zu changed and nothing was found", name[i], k);
			p[k] ^= (char)(1 << k % 8);
		}
		for (size_t k = 0; k < 8; k++) {
			put_file(name[i], p, n * k / 8);
			assert_int_equal(verify("v", &said), 1);
		}
		p[n] = '\n';
		put_file(name[i], p, n + 1);
		assert_int_equal(verify("v", &said), 1);
		put_file(name[i], p, n);
		free(p);
	}
	assert_int_equal(verify("v", &said), 0);
	lu_buf_release(&said);
}

/* Faults that the hashes cannot show, since they were there when the shard was made. */
static void test_wrong_from_the_start(void **state)
{
	struct lu_shard_format f = format(100, 0);
	struct lu_shard_writer *w;
	struct lu_buf said = { 0 };
	struct lu_err err = { 0 };
	struct lu_ledger_doc d = { .tokens = 3,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };
	static const uint32_t good[] = { 1, 5, 2 }, ends[] = { 7, 5, 9 }, large[] = { 1, 100, 2 };
	char packed[6];

	(void)state;
	f.has_bos = f.has_eos = true;
	f.bos = 1;
	f.eos = 2;
	ok(lu_shard_writer_open(&w, "w", &f, &err), &err);
	lu_shard_pack(2, good, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	lu_shard_pack(2, ends, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	lu_shard_pack(2, large, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	d.tokens = 0;
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
	assert_int_equal(verify("w", &said), 1);
	assert_string_equal(said.p,
			"w.bin: 1 ids outside the vocabulary, the first is token 7: 100\n"
			"w.bin: 1 documents do not begin with id 1, the first is 1\n"
			"w.bin: 1 documents do not end with id 2, the first is 1\n"
			"w.bin: 1 documents without the ids that begin and end one, the first is "
			"3\n");
	lu_buf_release(&said);
}

/* Documents longer than what is read at once, with a wrong end far from its begin. */
static void test_long_documents(void **state)
{
	enum { LONG = 700001 };
	struct lu_shard_format f = format(100, 0);
	uint32_t *ids = calloc(LONG, sizeof(*ids));
	char *packed = malloc(LONG * 2);
	struct lu_shard_writer *w;
	struct lu_buf said = { 0 };
	struct lu_err err = { 0 };
	struct lu_ledger_doc d = { .tokens = LONG,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };

	(void)state;
	assert_non_null(ids);
	assert_non_null(packed);
	f.has_bos = f.has_eos = true;
	f.bos = 1;
	f.eos = 2;
	ok(lu_shard_writer_open(&w, "long", &f, &err), &err);
	for (int i = 0; i < 3; i++) {
		ids[0] = i == 1 ? 3 : 1;
		ids[LONG - 1] = i == 2 ? 3 : 2;
		lu_shard_pack(2, ids, LONG, packed);
		ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	}
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
	assert_int_equal(verify("long", &said), 1);
	assert_string_equal(said.p,
			"long.bin: 1 documents do not begin with id 1, the first is 1\n"
			"long.bin: 1 documents do not end with id 2, the first is 2\n");
	lu_buf_release(&said);
	free(ids);
	free(packed);
}

/* --- looking tokens up -------------------------------------------------------------------- */

static void test_lookup(void **state)
{
	struct lu_lookup l = { 0 };
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t seed = 3;

	(void)state;
	make("look", format(100, 20), 41);
	ok(lu_shard_open(&s, "look", &err), &err);
	/* tags downwards: the answers come back in their order */
	for (uint64_t i = 0; i < 50; i++) {
		uint64_t pos = unit_random(&seed) % (lu_shard_tokens(s) - 12);

		ok(lu_lookup_add(&l, s, pos, 12, 50 - i, &err), &err);
	}
	ok(lu_lookup_resolve(&l, &err), &err);
	for (size_t i = 0; i < l.n; i++) {
		const struct lu_lookup_item *it = &l.item[i];
		char id[32];

		snprintf(id, sizeof(id), "\"d%llu\"", (unsigned long long)it->doc.document);
		assert_true(lu_str_is(it->doc.id, id));
		assert_int_equal(lu_shard_document_at(s, it->from), it->doc.document);
		assert_int_equal(lu_shard_document_at(s, it->to - 1), it->doc.document);
		if (i && it[-1].tag == it->tag)
			assert_int_equal(it[-1].to, it->from);
		else if (i)
			assert_int_equal(it[-1].tag + 1, it->tag);
	}
	assert_int_equal(l.item[0].tag, 1);
	assert_int_equal(l.item[l.n - 1].tag, 50);
	lu_lookup_release(&l);
	lu_shard_close(s);
}

/* --- the golden shard --------------------------------------------------------------------- */

static char *golden(const char *suffix)
{
	const char *src = getenv("LUCIE_SRC");
	char *path;

	assert_true(asprintf(&path, "%s/tests/data/shard-1%s", src ? src : ".", suffix) > 0);
	return path;
}

static void same_bytes(const char *suffix)
{
	char *path = golden(suffix), *name, *want, *got;
	size_t n, m;

	assert_true(asprintf(&name, "gold%s", suffix) > 0);
	want = get_file(path, &n);
	got = get_file(name, &m);
	assert_int_equal(m, n);
	assert_memory_equal(got, want, n);
	free(path);
	free(name);
	free(want);
	free(got);
}

/* Another zstd may compress to other bytes: the text is what is fixed. */
static void same_text(const char *suffix)
{
	char *path = golden(suffix), *name, a[4096], b[4096];
	struct lu_in *in;
	struct lu_err err = { 0 };
	ssize_t n, m;

	assert_true(asprintf(&name, "gold%s", suffix) > 0);
	ok(lu_in_open(&in, path, &err), &err);
	n = lu_in_read(in, a, sizeof(a), &err);
	lu_in_close(in);
	ok(lu_in_open(&in, name, &err), &err);
	m = lu_in_read(in, b, sizeof(b), &err);
	lu_in_close(in);
	assert_in_range(n, 100, sizeof(a) - 1);
	assert_int_equal(m, n);
	assert_memory_equal(a, b, (size_t)n);
	free(path);
	free(name);
}

/* tests/data/shard-1.*: nine documents in two parts; written again, and read. */
static void test_golden(void **state)
{
	struct lu_shard_format f = format(70000, 20);
	char *prefix;
	struct lu_shard *s;
	struct lu_buf said = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	prefix = golden("");
	ok(lu_shard_open(&s, prefix, &err), &err);
	check_documents(s, 9, 70000);
	assert_int_equal(lu_shard_parts(s), 2);
	lu_shard_close(s);
	assert_int_equal(verify(prefix, &said), 0);
	make("gold", f, 9);
	same_bytes("-00000.bin");
	same_bytes("-00000.idx");
	same_bytes("-00001.bin");
	same_bytes("-00001.idx");
	same_text("-00000.docs.jsonl.zst");
	same_text("-00001.docs.jsonl.zst");
	lu_buf_release(&said);
	free(prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_not_committed),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_bad_index),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_wrong_from_the_start),
		cmocka_unit_test(test_long_documents),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
