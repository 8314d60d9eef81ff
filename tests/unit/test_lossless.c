/* The lossless check: ranges of code points, and what a tokenizer loses that is made to lose. */
#include <string.h>

#include "libcommon/tokaudit/lossless.h"
#include "tests/unit/tokenizer_cases.h"
#include "tests/unit/unit.h"

static void ranges(void **state)
{
	static const char *const bad[] = { "", "-", "1", "1-", "-1", "2-1", "0-110000", "0-0",
		"1-2-3", " 1-2", "+1-2", "0x1-2", "1-2 ", "-1-2", "ffffffffffffffffff-2" };
	struct lu_losses l = { 0 };

	(void)state;
	assert_true(lu_losses_parse_range(&l, "U+00A0-10ffff"));
	assert_int_equal(l.first, 0xA0);
	assert_int_equal(l.last, 0x10FFFF);
	assert_true(lu_losses_parse_range(&l, "41-41"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (lu_losses_parse_range(&l, bad[i]))
			fail_msg("'%s' is parsed as %x-%x", bad[i], l.first, l.last);
	}
}

/* "lossy" makes B, C, D and the noncharacter U+FDD0 an x, and normalises the rest. */
static void finds_losses(void **state)
{
	const uint32_t everywhere = (UINT32_C(1) << LU_LOSS_CONTEXTS) - 1;
	struct tok_cases cases;
	struct lu_tok *tok;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	tok = tok_make(tok_case(&cases, "lossy"));
	for (int threads = 1; threads <= 3; threads++) {
		struct lu_losses l = { .first = 0x40, .last = 0x350 }, n = { 0 };
		struct lu_err err;

		assert_int_equal(lu_losses_find(&l, tok, threads, &err), 0);
		assert_int_equal(l.scalars_tried, 0x311);
		assert_int_equal(l.scalars[LU_LOSS_LOST], 3);
		assert_int_equal(l.range.p[0].from, 'B');
		assert_int_equal(l.range.p[0].to, 'D');
		assert_int_equal(l.range.p[0].contexts, everywhere);
		assert_true(lu_str_is(l.range.p[0].text, "B"));
		assert_true(lu_str_is(l.range.p[0].got, "x"));
		/* A mark composes with the letter before it. */
		assert_int_equal(l.range.p[1].from, 0x300);
		assert_int_equal(l.range.p[1].to, 0x304);
		assert_int_equal(l.range.p[1].kind, LU_LOSS_NORMALISED);
		assert_int_equal(l.range.p[1].contexts, UINT32_C(1) << 20);
		/* One of the strings contains a C. */
		assert_int_equal(l.strings[LU_LOSS_LOST], 1);
		assert_int_equal(l.strings[LU_LOSS_NORMALISED], 2);
		assert_false(lu_losses_none(&l));
		lu_losses_release(&l);

		assert_true(lu_losses_parse_range(&n, "FDC0-FDEF"));
		assert_int_equal(lu_losses_find(&n, tok, threads, &err), 0);
		assert_int_equal(n.range.n, 1);
		assert_int_equal(n.range.p[0].kind, LU_LOSS_NONCHARACTER);
		assert_int_equal(n.range.p[0].from, 0xFDD0);
		assert_int_equal(n.scalars[LU_LOSS_LOST], 0);
		lu_losses_release(&n);
	}
	lu_tok_free(tok);
	tok_cases_release(&cases);
}

static void needs_a_decoder(void **state)
{
	struct tok_cases cases;
	struct lu_losses l = { 0 };
	struct lu_err err = { 0 };
	struct lu_tok *tok;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	tok = tok_make(tok_case(&cases, "one letter"));
	assert_int_equal(lu_losses_find(&l, tok, 1, &err), -1);
	assert_non_null(strstr(err.msg, "no decoder"));
	lu_losses_release(&l);
	lu_tok_free(tok);
	tok_cases_release(&cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(finds_losses),
		cmocka_unit_test(needs_a_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
