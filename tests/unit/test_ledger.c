/* The ledger of a shard: reading, seeking, and lines that disagree with the index. */
#include "tests/unit/make_shard.h"

#include <stdlib.h>

#include "libcommon/io/instream.h"

#define LEDGER "ledger.docs.jsonl.zst"

static void check_seeks(const struct lu_shard *s, struct lu_ledger *l)
{
	uint64_t n = lu_shard_documents(s), seed = 7;
	struct lu_ledger_doc d;
	struct lu_err err = { 0 };

	for (int round = 0; round < 60; round++) {
		uint64_t to = unit_random(&seed) % (n + 1);
		int rc;

		ok(lu_ledger_seek(l, to, &err), &err);
		rc = lu_ledger_next(l, &d, &err);
		assert_int_equal(rc, to < n);
		if (rc)
			assert_int_equal(d.document, to);
	}
}

static void test_read_and_seek(void **state)
{
	/* Of a part: not split, some documents each, at most one document. */
	static const uint64_t max_tokens[] = { 0, 20, 1 };
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(max_tokens) / sizeof(max_tokens[0]); i++) {
		struct lu_ledger_doc d;
		struct lu_ledger *l;
		struct lu_shard *s;
		uint64_t n = 0;
		int rc;

		make_shard("seek", shard_format(100, max_tokens[i]), 41);
		ok(lu_shard_open(&s, "seek", &err), &err);
		ok(lu_ledger_open(&l, s, &err), &err);
		for (; (rc = lu_ledger_next(l, &d, &err)) > 0; n++) {
			assert_int_equal(d.document, n);
			assert_int_equal(d.tokens, document_length(n));
			assert_int_equal(d.bytes, 10 * n);
		}
		ok(rc, &err);
		assert_int_equal(n, 41);
		check_seeks(s, l);
		lu_ledger_close(l);
		lu_shard_close(s);
	}
}

/* The text of the ledger. Readers recognise compression by its magic, so the tests put plain text
 * into its place. */
static void read_text(struct lu_buf *text)
{
	struct lu_in *in;
	struct lu_err err = { 0 };
	char p[4096];
	ssize_t n;

	ok(lu_in_open(&in, LEDGER, &err), &err);
	n = lu_in_read(in, p, sizeof(p), &err);
	assert_in_range(n, 100, sizeof(p) - 1);
	lu_buf_append(text, p, (size_t)n);
	lu_in_close(in);
	assert_true(lu_buf_ok(text));
}

/* Read the ledger to its end, which must fail with these words. */
static void check_fails(const struct lu_shard *s, const char *words)
{
	struct lu_ledger_doc d;
	struct lu_ledger *l;
	struct lu_err err = { 0 };
	int rc;

	ok(lu_ledger_open(&l, s, &err), &err);
	while ((rc = lu_ledger_next(l, &d, &err)) > 0)
		;
	lu_ledger_close(l);
	if (rc == 0)
		fail_msg("the ledger is read, expected: %s", words);
	if (!strstr(err.msg, words))
		fail_msg("expected '%s', got: %s", words, err.msg);
}

static void test_damaged(void **state)
{
	static const struct {
		const char *from, *to, *words;
	} edit[] = {
		{ "\"first\":0", "\"first\":1", LEDGER ":1: says 0 tokens from 1 on" },
		{ "\"tokens\":3", "\"tokens\":4",
				LEDGER ":2: says 4 tokens from 0 on, the index 3" },
		{ "\"lang\"", "\"tongue\"", LEDGER ":1: not a line of a ledger" },
		{ "\"bytes\":0", "\"bytes\":-1", LEDGER ":1: not a line of a ledger" },
		{ "{\"id\"", "[\"id\"", LEDGER ":1: " },
	};
	struct lu_buf text = { 0 }, edited = { 0 };
	struct lu_shard *s;
	struct lu_err err = { 0 };
	const char *line;

	(void)state;
	make_shard("ledger", shard_format(100, 0), 9);
	ok(lu_shard_open(&s, "ledger", &err), &err);
	read_text(&text);
	for (size_t i = 0; i < sizeof(edit) / sizeof(edit[0]); i++) {
		const char *at = strstr(text.p, edit[i].from);

		assert_non_null(at);
		lu_buf_clear(&edited);
		lu_buf_append(&edited, text.p, (size_t)(at - text.p));
		lu_buf_puts(&edited, edit[i].to);
		lu_buf_puts(&edited, at + strlen(edit[i].from));
		put_file(LEDGER, edited.p, edited.n);
		check_fails(s, edit[i].words);
	}
	line = strchr(text.p, '\n') + 1;
	put_file(LEDGER, text.p, (size_t)(line - text.p));
	check_fails(s, LEDGER ": has 1 lines, the index has 9 documents");
	lu_buf_clear(&edited);
	lu_buf_append(&edited, text.p, text.n);
	lu_buf_append(&edited, text.p, (size_t)(line - text.p));
	put_file(LEDGER, edited.p, edited.n);
	check_fails(s, LEDGER ":10: the index has no document for it");
	lu_shard_close(s);
	lu_buf_release(&text);
	lu_buf_release(&edited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_and_seek),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
