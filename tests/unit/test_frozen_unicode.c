/* Normal forms with frozen tables: the same as ICU's for every character alone, between letters
 * and marks, and for random rows of what composes, decomposes and moves; linear on any row of
 * marks. What Unicode 9 does not know stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicode/unorm2.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

#include <cmocka.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/frozen_unicode.h"

static struct lu_frozen_unicode *uni;
static UNormalizer2 *icu[4];
static USet *nine;

static int make(void **state)
{
	struct lu_err err;
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *(*const get[])(UErrorCode *) = { unorm2_getNFCInstance,
		unorm2_getNFDInstance, unorm2_getNFKCInstance, unorm2_getNFKDInstance };

	(void)state;
	assert_int_equal(lu_frozen_new(&uni, &err), 0);
	nine = uset_openPattern(u"[:age=9.0:]", -1, &status);
	for (int f = 0; f < 4; f++) {
		assert_int_equal(lu_frozen_load_form(uni, (enum lu_normal_form)f, &err), 0);
		icu[f] = unorm2_openFiltered(get[f](&status), nine, &status);
	}
	assert_true(U_SUCCESS(status));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	lu_frozen_free(uni);
	for (int f = 0; f < 4; f++)
		unorm2_close(icu[f]);
	uset_close(nine);
	return 0;
}

static void one(int form, const uint32_t *c, size_t n)
{
	static struct lu_buf got;
	UErrorCode status = U_ZERO_ERROR;
	UChar wide[512], to[4096];
	char text[1024], want[16384];
	int32_t wide_n, to_n, want_n;
	struct lu_err err;
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += lu_utf8_put(c[i], text + bytes);
	lu_buf_clear(&got);
	assert_int_equal(lu_frozen_normalize(uni, (enum lu_normal_form)form,
					 (struct lu_str){ text, bytes }, &got, &err),
			0);
	u_strFromUTF8(wide, 512, &wide_n, text, (int32_t)bytes, &status);
	to_n = unorm2_normalize(icu[form], wide, wide_n, to, 4096, &status);
	u_strToUTF8(want, sizeof(want), &want_n, to, to_n, &status);
	assert_true(U_SUCCESS(status));
	if (got.n != (size_t)want_n || memcmp(got.p, want, got.n) != 0) {
		for (size_t i = 0; i < n; i++)
			print_message("U+%04X ", c[i]);
		fail_msg("form %d", form);
	}
}

static void every_character(void **state)
{
	(void)state;
	for (int form = 0; form < 4; form++) {
		for (uint32_t c = 1; c < 0x110000; c++) {
			const uint32_t row[] = { 'e', c, 0x0301, 0x0327, c };

			if (c >= 0xD800 && c < 0xE000)
				continue;
			/* The planes that hold nothing. */
			if (c == 0x30000)
				c = 0xE0000;
			if (c == 0xE0200)
				c = 0x10FFF0;
			one(form, row + 1, 1);
			one(form, row, sizeof(row) / sizeof(row[0]));
		}
	}
}

static uint64_t below(uint64_t bound)
{
	static uint64_t n;

	return lu_rand_below(3, 4, n++, bound);
}

static uint32_t any(void)
{
	static const uint32_t some[] = { 'a', 'e', 'A', ' ', 0x00C5, 0x00E9, 0x0131, 0x1100, 0x1112,
		0x1161, 0x1175, 0x11A7, 0x11A8, 0x11C2, 0xAC00, 0xAC01, 0xD7A3, 0x0958, 0x09C7,
		0x09BE, 0x0B47, 0x0B3E, 0x0CC6, 0x0CC2, 0x0CD5, 0x0DD9, 0x0DCF, 0x0DCA, 0x0F71,
		0x0F72, 0x0F73, 0x0F80, 0x0F81, 0x1025, 0x102E, 0x1E69, 0x1E9B, 0x0344, 0x0340,
		0x0343, 0x2126, 0x212B, 0xFB2C, 0x1D15E, 0x1D15F, 0x110A5, 0x110BA, 0x11131,
		0x11127, 0x114B9, 0x114BA, 0xFDFA, 0x3300, 0xFF76, 0xFF9E, 0x16121, 0x1611E,
		0x16129, 0x08D3, 0x1DF7 };

	switch (below(4)) {
	case 0: return (uint32_t)(0x0300 + below(0x70));
	case 1: return (uint32_t)(0x0591 + below(0x30));
	case 2: return (uint32_t)(0x1DC0 + below(0x340));
	default: return some[below(sizeof(some) / sizeof(some[0]))];
	}
}

static void random_rows(void **state)
{
	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint32_t row[100];
		size_t n = 1 + below(round % 50 ? 6 : 100);

		for (size_t i = 0; i < n; i++)
			row[i] = any();
		one(round & 3, row, n);
	}
}

/* Seconds of processor time for n marks of mixed classes behind a letter. */
static double time_marks(size_t n, struct lu_buf *out)
{
	static const uint32_t mark[] = { 0x0301, 0x0327, 0x0345, 0x05B0, 0x0334, 0x035C, 0x0300 };
	struct lu_buf text = { 0 };
	struct lu_err err;
	clock_t start;

	lu_buf_putc(&text, 'e');
	for (size_t i = 0; i < n; i++) {
		char c[4];

		lu_buf_append(&text, c, lu_utf8_put(mark[below(7)], c));
	}
	lu_buf_clear(out);
	start = clock();
	assert_int_equal(lu_frozen_normalize(uni, LU_FORM_NFC, lu_buf_slice(&text), out, &err), 0);
	lu_buf_release(&text);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void linear(void **state)
{
	struct lu_buf out = { 0 };
	double large;

	(void)state;
	time_marks(40000, &out);
	/* é or ȩ with what is left, in order of class. */
	assert_true(out.n > 79000 && out.n <= 80002);
	large = time_marks(4000000, &out);
	assert_true(out.n > 7900000);
	/* By insertion this would be half an hour. */
	assert_true(large < 30);
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character),
		cmocka_unit_test(random_rows),
		cmocka_unit_test(linear),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
