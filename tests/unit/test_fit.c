/* How tokenizers fit texts: measures of a text, byte tokens, groups and their limit. */
#include <stdio.h>
#include <string.h>

#include "libcommon/tokaudit/fit.h"
#include "tests/unit/tokenizer_cases.h"
#include "tests/unit/unit.h"

static void measures_texts(void **state)
{
	static const struct {
		const char *text;
		uint64_t characters, words;
	} texts[] = {
		{ "", 0, 0 },
		{ " ", 1, 0 },
		{ "a", 1, 1 },
		{ " l'eau  b\n", 10, 2 },
		{ "«\u00A0oui\u00A0»", 7, 3 },
		{ "a\037b\034", 4, 2 },
		{ "1\u202F000\u3000x\u200By", 9, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lu_fit_text m;

		lu_fit_measure(lu_str_of(texts[i].text), &m);
		assert_int_equal(m.docs, 1);
		assert_int_equal(m.bytes, strlen(texts[i].text));
		assert_int_equal(m.characters, texts[i].characters);
		assert_int_equal(m.words, texts[i].words);
	}
}

static void counts_byte_tokens(void **state)
{
	static const char *const file[2] = { "one", "other" };
	const uint32_t ids[] = { 0, 1, 2, 0, 1, 1, 2 };
	struct lu_fit_tokens n;
	struct tok_cases cases;
	struct lu_tok *tok[2];
	struct lu_fit f;
	struct lu_err err;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	tok[0] = tok_make(tok_case(&cases, "byte tokens"));
	tok[1] = tok_make(tok_case(&cases, "parts of characters"));
	assert_int_equal(lu_fit_init(&f, tok, file, 2, &err), 0);
	lu_fit_count(&f, 0, ids, 7, &n);
	assert_int_equal(n.tokens, 7);
	assert_int_equal(n.byte_tokens, 2);
	assert_int_equal(n.unknown, 2);
	lu_fit_count(&f, 1, ids, 7, &n);
	assert_int_equal(n.byte_tokens, 5);
	assert_int_equal(n.unknown, 0);
	lu_fit_release(&f);
	lu_tok_free(tok[0]);
	lu_tok_free(tok[1]);
	tok_cases_release(&cases);
}

/* Groups beyond the limit are one, which comes first, since it has most characters. */
static void many_groups(void **state)
{
	static const char *const file[1] = { "x" };
	const struct lu_fit_text text = { 1, 2, 2, 1 };
	const struct lu_fit_tokens tokens = { 2, 0, 0 };
	struct tok_cases cases;
	struct lu_buf out = { 0 };
	struct lu_tok *tok;
	struct lu_fit f;
	struct lu_err err;
	size_t lines = 0;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	tok = tok_make(tok_case(&cases, "one letter"));
	assert_int_equal(lu_fit_init(&f, &tok, file, 1, &err), 0);
	for (int i = 0; i < 2 * LU_FIT_GROUPS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "g%d", i);
		assert_int_equal(lu_fit_add(&f, lu_str_of(name), &text, &tokens, &err), 0);
	}
	assert_int_equal(f.row.n, LU_FIT_GROUPS + 1);
	assert_int_equal(lu_fit_total(&f, 0), 2 * 2 * LU_FIT_GROUPS);
	assert_int_equal(lu_fit_table(&f, "group", &out, &err), 0);
	assert_non_null(strstr(out.p, "\nother  x               1000        2000 "));
	for (const char *p = out.p; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1 + LU_FIT_GROUPS + 1 + 1);
	assert_ptr_equal(strchr(out.p, '\n') + 1, strstr(out.p, "other"));
	lu_buf_release(&out);
	lu_fit_release(&f);
	lu_tok_free(tok);
	tok_cases_release(&cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measures_texts),
		cmocka_unit_test(counts_byte_tokens),
		cmocka_unit_test(many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
