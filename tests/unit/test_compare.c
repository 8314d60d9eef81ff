/* Comparison of two tokenizers, and texts as reports show them. */
#include "libcommon/tokaudit/compare.h"
#include "libcommon/tokaudit/show.h"
#include "tests/unit/tokenizer_cases.h"
#include "tests/unit/unit.h"

static void finds_the_first_difference(void **state)
{
	const struct lu_str text = LU_STR("ab b ababa b");
	struct tok_cases cases;
	struct lu_tok *tok[2];
	struct lu_ids ids[2] = { 0 };
	struct lu_difference d;
	struct lu_compare c;
	struct lu_err err;
	size_t first;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	tok[0] = tok_make(tok_case(&cases, "ab, aba"));
	tok[1] = tok_make(tok_case(&cases, "ab, ba"));
	for (int i = 0; i < 2; i++) {
		struct lu_tok_state *st = lu_tok_state_new(tok[i]);

		assert_non_null(st);
		assert_int_equal(
				lu_tok_encode(tok[i], st, text, LU_TOK_SPECIAL_TEXT, &ids[i], &err),
				0);
		lu_tok_state_free(st);
	}
	assert_int_equal(lu_compare_init(&c, tok[0], tok[1], &err), 0);
	assert_true(lu_compare_ids(&c, &ids[0], &ids[1], &first));
	/* "ab" " " "b" " " "ab", then "aba" against "ab" "a" */
	assert_int_equal(first, 5);
	assert_int_equal(lu_compare_describe(&c, text, &ids[0], &ids[1], first, &d, &err), 0);
	assert_int_equal(d.ids[0], 1);
	assert_int_equal(d.ids[1], 2);
	/* Without a decoder tokens are joined by spaces. */
	assert_false(d.exact);
	ids[0].n = ids[1].n = 5;
	assert_false(lu_compare_ids(&c, &ids[0], &ids[1], &first));
	ids[1].n = 4;
	assert_true(lu_compare_ids(&c, &ids[0], &ids[1], &first));
	assert_int_equal(first, 4);
	assert_int_equal(lu_compare_describe(&c, text, &ids[0], &ids[1], first, &d, &err), 0);
	assert_int_equal(d.ids[0], 1);
	assert_int_equal(d.ids[1], 0);
	lu_compare_release(&c);
	for (int i = 0; i < 2; i++) {
		lu_ids_release(&ids[i]);
		lu_tok_free(tok[i]);
	}
	tok_cases_release(&cases);
}

static void shows_texts(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_show(&b, LU_STR("a \"\\\n\t\r\x01\u00A0é\u0301\u200D日"));
	assert_true(lu_str_is(lu_buf_slice(&b),
			"\"a \\\"\\\\\\n\\t\\r\\u{0001}\\u{00A0}é\\u{0301}\\u{200D}日\""));
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_first_difference),
		cmocka_unit_test(shows_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
