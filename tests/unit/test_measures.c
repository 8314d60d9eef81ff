/* The measures against their plain definition (plain_measures.h), on random texts of words, marks,
 * scripts and blanks, and at every length around the width of a register. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"
#include "tests/unit/plain_measures.h"

static struct lu_measurer *measurer;
static uint8_t *class;

static int start(void **state)
{
	struct lu_err err;

	(void)state;
	measurer = lu_measurer_new(&err);
	class = calloc(0x110000, 1);
	return measurer && class && lu_unicode_classes(class, &err) == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	lu_measurer_free(measurer);
	free(class);
	return 0;
}

/* The text lies at the end of its memory, so that reading behind it shows under the sanitizers. */
static void compare(const struct lu_buf *text, enum lu_stop_list stop)
{
	struct lu_measures w = { 0 };
	double plain[LU_MEASURES];
	char *copy = malloc(text->n + 1);
	struct lu_str s = { copy + 1, text->n };
	struct lu_err err;

	assert_non_null(copy);
	memcpy(copy + 1, text->p, text->n);
	plain_measures(class, s, stop, plain);
	lu_measures_start(measurer, &w, s, stop);
	for (int m = 0; m < LU_MEASURES; m++) {
		double v;

		assert_int_equal(lu_measures_get(&w, m, &v, &err), 0);
		if (v < plain[m] || v > plain[m])
			fail_msg("%s of '%s': %.17g, by definition %.17g", lu_measure_name(m),
					text->p, v, plain[m]);
	}
	lu_measures_release(&w);
	free(copy);
}

static const char *const pieces[] = { "de", "la", "l'", "l\u2019", "d'", "qu'", "jusqu\u2019",
	"eau", "\u00E9t\u00E9", "na\u00EFve", "\u0153uvre", "\u0141\u00F3d\u017A", "\u017F",
	"\u00D7", "\u00F7", "a\u00D7b", "2\u00F73", "caf\u00E9\u00D7", "the", "and", "don't",
	"rock'n'roll", "aujourd'hui", "anticonstitutionnellement", "pneumonoultramicroscopic", "x",
	"A", "Z9", "_a_", "1999", "3,5", ".", "...", "....", "\u2026", "!", "?", "?!", "#", "##",
	"-", "\u2022", "\u00AB", "\u00BB", "\"", "\u201D", "'", "\u2019", "{", "}", "$", "\u20AC",
	"\u2192", "\u65E5\u672C", "\u3042", "\u0E44\u0E17\u0E22", "\u0E01\u0E34",
	"\u0645\u06CC\u200C\u062E", "e\u0301", "\u0301", "\u00AD", "\u00AA", "\U0001F600\u200D",
	"\U00010400", "\u0432\u043E\u0434\u0430", "lorem ipsum", "Lorem Ipsum", "auto-generated",
	"Automatically Generated", "\x01", "\x7F", "\xC2\x85" };
static const char *const blanks[] = { " ", " ", " ", " ", " ", "", "", "\n", "\n", "\n\n", "\n\n\n",
	"  ", "\t", "\u00A0", "\u3000", " \n", "\n- ", "\n\u2022 " };

static void random_texts(void **state)
{
	struct lu_buf text = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		size_t count = lu_rand_below(seed, 1, 0, seed % 10 ? 40 : 150);
		/* Few different pieces, so that lines and n-grams are repeated. */
		size_t kinds = 1 + lu_rand_below(seed, 2, 0, seed % 3 ? 6 : 60);

		lu_buf_clear(&text);
		lu_buf_puts(&text, "");
		for (size_t i = 0; i < count; i++) {
			size_t k = lu_rand_below(seed, 3, i, kinds);
			size_t n = sizeof(pieces) / sizeof(pieces[0]);

			lu_buf_puts(&text, pieces[lu_rand_below(seed, 4, k, n)]);
			n = sizeof(blanks) / sizeof(blanks[0]);
			lu_buf_puts(&text, blanks[lu_rand_below(seed, 5, i, n)]);
		}
		compare(&text, (enum lu_stop_list)(seed % 3));
	}
	lu_buf_release(&text);
}

/* Words of every length in every place, with what may follow them. */
static void widths(void **state)
{
	static const char *const ends[] = { "", " ", "'", "'a", "\u2019\u00E9", "\u00E9", "\u00D7",
		".", "\u0301", "\u65E5", "\xC3\xA9'x" };
	struct lu_buf text = { 0 };

	(void)state;
	for (size_t n = 0; n < 70; n++) {
		for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
			for (size_t accent = 0; accent < 3; accent++) {
				lu_buf_clear(&text);
				lu_buf_puts(&text, e % 2 ? "d'" : "");
				for (size_t i = 0; i < n; i++)
					lu_buf_puts(&text,
							accent && i % (accent * 3) == 2 ? "\u00E9"
											: "b");
				lu_buf_puts(&text, ends[e]);
				compare(&text, LU_STOP_FR);
			}
		}
	}
	lu_buf_release(&text);
}

/* Every character by itself, between letters and behind one. */
static void characters(void **state)
{
	struct lu_buf text = { 0 };

	(void)state;
	for (uint32_t c = 1; c < 0x30000; c += c < 0x2100 ? 1 : 97) {
		char utf8[4];
		size_t n;

		if (c >= 0xD800 && c < 0xE000)
			continue;
		n = lu_utf8_put(c, utf8);
		lu_buf_clear(&text);
		lu_buf_append(&text, utf8, n);
		lu_buf_puts(&text, " a");
		lu_buf_append(&text, utf8, n);
		lu_buf_puts(&text, "b l");
		lu_buf_append(&text, utf8, n);
		compare(&text, LU_STOP_EN);
	}
	lu_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_texts),
		cmocka_unit_test(widths),
		cmocka_unit_test(characters),
	};

	return cmocka_run_group_tests_name("measures", tests, start, end);
}
