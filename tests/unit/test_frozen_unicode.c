/* The normal forms of the frozen tables: equal to those of ICU restricted to Unicode 9, for every
 * character alone and between a letter and marks, and for random sequences of characters that
 * compose, decompose and reorder; linear time for any run of marks. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicode/unorm2.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/frozen_unicode.h"
#include "tests/unit/unit.h"

static struct lu_frozen_unicode *frozen;
static UNormalizer2 *icu[4];
static USet *unicode9;

static int set_up(void **state)
{
	struct lu_err err;
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *(*const get[])(UErrorCode *) = { unorm2_getNFCInstance,
		unorm2_getNFDInstance, unorm2_getNFKCInstance, unorm2_getNFKDInstance };

	(void)state;
	assert_int_equal(lu_frozen_new(&frozen, &err), 0);
	unicode9 = uset_openPattern(u"[:age=9.0:]", -1, &status);
	for (int f = 0; f < 4; f++) {
		assert_int_equal(lu_frozen_load_form(frozen, (enum lu_normal_form)f, &err), 0);
		icu[f] = unorm2_openFiltered(get[f](&status), unicode9, &status);
	}
	assert_true(U_SUCCESS(status));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lu_frozen_free(frozen);
	for (int f = 0; f < 4; f++)
		unorm2_close(icu[f]);
	uset_close(unicode9);
	return 0;
}

static void compare(int form, const uint32_t *c, size_t n)
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
	assert_int_equal(lu_frozen_normalize(frozen, (enum lu_normal_form)form,
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
			const uint32_t s[] = { 'e', c, 0x0301, 0x0327, c };

			if (c >= 0xD800 && c < 0xE000)
				continue;
			/* Skip the unassigned planes. */
			if (c == 0x30000)
				c = 0xE0000;
			if (c == 0xE0200)
				c = 0x10FFF0;
			compare(form, s + 1, 1);
			compare(form, s, sizeof(s) / sizeof(s[0]));
		}
	}
}

static uint64_t below(uint64_t limit)
{
	static uint64_t n;

	return lu_rand_below(3, 4, n++, limit);
}

static uint32_t random_char(void)
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

static void random_sequences(void **state)
{
	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint32_t s[100];
		size_t n = 1 + below(round % 50 ? 6 : 100);

		for (size_t i = 0; i < n; i++)
			s[i] = random_char();
		compare(round & 3, s, n);
	}
}

/* Processor time in seconds for a letter with n marks of mixed classes. */
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
	assert_int_equal(lu_frozen_normalize(frozen, LU_FORM_NFC, lu_buf_slice(&text), out, &err),
			0);
	lu_buf_release(&text);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void linear_time(void **state)
{
	struct lu_buf out = { 0 };
	double large;

	(void)state;
	time_marks(40000, &out);
	/* é or ȩ, and the other marks. */
	assert_true(out.n > 79000 && out.n <= 80002);
	large = time_marks(4000000, &out);
	assert_true(out.n > 7900000);
	/* Insertion sort would take half an hour. */
	assert_true(large < 30);
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character),
		cmocka_unit_test(random_sequences),
		cmocka_unit_test(linear_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
