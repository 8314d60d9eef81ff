/* lu_normalize(): each step by example, and properties of any text and options. */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/mojibake.h"
#include "libcommon/text/normalize.h"

static unsigned run(const struct lu_normalize_opts *o, struct lu_str in, struct lu_buf *out)
{
	struct lu_normalize_work w = { 0 };
	struct lu_err err;
	struct lu_normalizer *n = lu_normalizer_new(o, &err);
	struct lu_str s;
	unsigned changed;

	assert_non_null(n);
	assert_int_equal(lu_normalize(n, &w, in, &s, &changed, &err), 0);
	if (!changed)
		assert_ptr_equal(s.p, in.p);
	lu_buf_clear(out);
	lu_buf_str(out, s);
	lu_buf_append(out, "", 0);
	assert_true(lu_buf_ok(out));
	lu_normalize_work_release(&w);
	lu_normalizer_free(n);
	return changed;
}

struct example {
	const char *in, *out;
	unsigned changed;
};

static void check(const struct lu_normalize_opts *o, const struct example *e, size_t n)
{
	struct lu_buf out = { 0 };

	for (size_t i = 0; i < n; i++) {
		unsigned changed = run(o, lu_str_of(e[i].in), &out);

		if (!lu_str_is(lu_buf_slice(&out), e[i].out))
			fail_msg("%s: got %s", e[i].in, out.p);
		assert_int_equal(changed, e[i].changed);
	}
	lu_buf_release(&out);
}
#define CHECK(o, e) check(o, e, sizeof(e) / sizeof(e[0]))
#define K(kind) (1u << LU_CHANGED_##kind)

static void defaults(void **state)
{
	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
	static const struct example e[] = {
		{ "", "", 0 },
		{ "plain text\n\twith a tab", "plain text\n\twith a tab", 0 },
		/* Kept: NBSP, narrow NBSP, typographic apostrophe and quotes, ZWJ, ZWNJ, VS16,
		 * direction marks, zero-width space, soft hyphen. */
		{ "«\u00A0l’été\u202F»", "«\u00A0l’été\u202F»", 0 },
		{ "👩\u200D💻 ❤\uFE0F می\u200Cخواهم \u200Fa\u200Bb\u00ADc",
				"👩\u200D💻 ❤\uFE0F می\u200Cخواهم \u200Fa\u200Bb\u00ADc", 0 },
		{ "e\u0301te\u0301", "été", K(FORM) },
		{ "\u212B \u2126 \uF900", "Å Ω 豈", K(FORM) },
		{ "\u0301a", "\u0301a", 0 },
		{ "a\r\nb\rc\r\r\nd\r", "a\nb\nc\n\nd\n", K(LINE_ENDS) },
		{ "a\vb\fc\302\205d\u2028e\u2029f", "a\nb\nc\nd\ne\nf", K(LINE_ENDS) },
		{ "a\001b\177c\302\200d\033[1m", "abcd[1m", K(CONTROLS) },
		/* Removed first, then composed. */
		{ "e\001\u0301", "é", K(CONTROLS) | K(FORM) },
		{ "0123456789abcdef0123456789abcde\u0301", "0123456789abcdef0123456789abcdé",
				K(FORM) },
	};
	struct lu_buf out = { 0 };

	(void)state;
	CHECK(&o, e);
	assert_int_equal(run(&o, (struct lu_str){ "a\0b", 3 }, &out), K(CONTROLS));
	assert_string_equal(out.p, "ab");
	lu_buf_release(&out);
}

static void switched_off(void **state)
{
	struct lu_normalize_opts none = { .blank_lines = -1 };
	struct lu_normalize_opts controls = { .blank_lines = -1, .controls = true };
	static const struct example same[] = { { "e\u0301\r\n\001\v\302\205\u00AD",
			"e\u0301\r\n\001\v\302\205\u00AD", 0 } };
	static const struct example e[] = { { "\r\n\001\v\302\205", "\r\n\v\302\205",
			K(CONTROLS) } };

	(void)state;
	CHECK(&none, same);
	CHECK(&controls, e);
}

static void compatibility(void **state)
{
	struct lu_normalize_opts o = { .form = true, .nfkc = true, .blank_lines = -1 };
	static const struct example e[] = {
		{ "été", "été", 0 },
		{ "ﬁn ² Ⅳ ｶ", "fin 2 IV カ", K(FORM) },
		{ "a\u00A0b", "a b", K(FORM) },
	};

	(void)state;
	CHECK(&o, e);
}

static void removals(void **state)
{
	struct lu_err err;
	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
	static const struct example invisible[] = { { "a\u00ADb\u200Bc\uFEFFd\u2060e\u200Df\uFE0Fg",
			"abcde\u200Df\uFE0Fg", K(INVISIBLE) } };
	static const struct example joiners[] = { { "a\u200Db\u200Cc\u00AD", "abc\u00AD",
			K(INVISIBLE) } };
	static const struct example directions[] = { { "\u061Ca\u200Eb\u202Ac\u202Ed\u2066e\u2069",
			"abcde", K(INVISIBLE) } };
	static const struct example variations[] = { { "❤\uFE0F葛\U000E0100", "❤葛",
			K(INVISIBLE) } };

	(void)state;
	o.remove = lu_normalize_remove(LU_STR("invisible"), &err);
	CHECK(&o, invisible);
	o.remove = lu_normalize_remove(LU_STR("joiners"), &err);
	CHECK(&o, joiners);
	o.remove = lu_normalize_remove(LU_STR("directions"), &err);
	CHECK(&o, directions);
	o.remove = lu_normalize_remove(LU_STR("variations"), &err);
	CHECK(&o, variations);
	assert_int_equal(lu_normalize_remove(LU_STR("zero"), &err), 0);
}

static void mojibake(void **state)
{
	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
	static const struct example e[] = {
		{ "CafÃ© crÃ¨me", "Café crème", K(MOJIBAKE) },
		{ "lâ€™eau â€œvive", "l’eau “vive",
				K(MOJIBAKE) }, /* the closing quotation mark has no cp1252 byte */
		{ "cÅ“ur", "cœur", K(MOJIBAKE) },
		{ "Ã‰tÃ©", "Été", K(MOJIBAKE) },
		{ "Ã\302\211t\u00C3\u00A9", "Été", K(MOJIBAKE) }, /* through Latin-1 */
		{ "Â« Oui Â»", "« Oui »", K(MOJIBAKE) },
		{ "ðŸ˜€", "😀", K(MOJIBAKE) },
		{ "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет", K(MOJIBAKE) },
		{ "ÃƒÂ©", "é", K(MOJIBAKE) }, /* misread twice */
		{ "bon\nmauvaisÃ©\nété", "bon\nmauvaisé\nété", K(MOJIBAKE) },
		{ "aujourd\302\222hui\302\205", "aujourd’hui…", K(MOJIBAKE) },
		{ "Prix : 10 â‚¬, â†’ suite, NOÃ‹L", "Prix : 10 €, → suite, NOËL", K(MOJIBAKE) },
		{ "déjà dÃ©jÃ  vu, Ã©tÃ©, nÃ©e", "déjà déjà vu, été, née", K(MOJIBAKE) },
		{ "HÃ”TEL, HÃ´tel, aoÃ»t", "HÔTEL, Hôtel, août", K(MOJIBAKE) },
		/* Other code pages. */
		{ "g√¢teaux wei√ü aujourd‚Äôhui", "gâteaux weiß aujourd’hui", K(MOJIBAKE) },
		{ "wei√ü, g√¢teaux, DrÃ¥ber", "weiß, gâteaux, DrÃ¥ber", K(MOJIBAKE) },
		{ "tik≈°anƒÅs, Rƒ´ga", "tikšanās, Rīga", K(MOJIBAKE) },
		{ "#╨┐╤Ç╨░╨▓╨╕╨╗╨░", "#правила", K(MOJIBAKE) },
		{ "Tiß║┐ng Viß╗çt", "Tiếng Việt", K(MOJIBAKE) },
		{ "LiĂ¨ge, Avenue de l'HĂ´pital", "Liège, Avenue de l'Hôpital", K(MOJIBAKE) },
		{ "NapĂ­Ĺˇte nĂˇm", "Napíšte nám", K(MOJIBAKE) },
		{ "la rГ©gion Г lвЂ™ouest", "la région à l’ouest", K(MOJIBAKE) },
		{ "РґРѕСЂРѕРіРµ", "дороге", K(MOJIBAKE) },
		/* What was lost on the way. */
		{ "voilÃ le travail, Ã perturber", "voilà le travail, à perturber", K(MOJIBAKE) },
		{ "atenÃ§Ã£o Ã s crianÃ§as", "atenção às crianças", K(MOJIBAKE) },
		{ "SlovenÄ�ina", "Sloven�ina", K(MOJIBAKE) },
		{ "í ½í¸", "😁", K(MOJIBAKE) },
		/* Correct text. */
		{ "Кочев’є, тієї, всієї, МІСТІ СІТІ", "Кочев’є, тієї, всієї, МІСТІ СІТІ", 0 },
		{ "AHÅ™, RETWEET SE VOCÊ…, NESTLÉ®", "AHÅ™, RETWEET SE VOCÊ…, NESTLÉ®", 0 },
		{ "Charlotte Brontë…” É¿ 4288×… 5×£35", "Charlotte Brontë…” É¿ 4288×… 5×£35", 0 },
		{ "(-1/2)! = √π, ∆°, 2012—∞, ( o¬ô )", "(-1/2)! = √π, ∆°, 2012—∞, ( o¬ô )", 0 },
		{ "├┤a┼┐a┼┐a", "├┤a┼┐a┼┐a", 0 },
		{ "NICIODATĂ™, C O N C L U S Ã O", "NICIODATĂ™, C O N C L U S Ã O", 0 },
		{ "There are a lot of Ã’s in text", "There are a lot of Ã’s in text", 0 },
		{ "« Â », la lettre «Â»", "« Â », la lettre «Â»", 0 },
		{ "été Ã© sur la même ligne", "été Ã© sur la même ligne", 0 },
		{ "MAÇÃ” NÃO", "MAÇÃ” NÃO", 0 },
		{ "IRMÃ” «PÂ»", "IRMÃ” «PÂ»", 0 },
		{ "IRMÃ”", "IRMÃ”", 0 },
		{ "„PÅ“ auf dänisch", "„PÅ“ auf dänisch", 0 },
		{ "PÅ“ ", "PÅ“ ", 0 },
		{ "ÉTÉ… CAFÉ’ À« ß»", "ÉTÉ… CAFÉ’ À« ß»", 0 },
		{ "Ø–Å…", "Ø–Å…", 0 },
		{ "Привет, 東京", "Привет, 東京", 0 },
	};

	(void)state;
	o.mojibake = true;
	CHECK(&o, e);
}

static void blanks(void **state)
{
	struct lu_normalize_opts trim = { .trim = true, .blank_lines = -1 };
	struct lu_normalize_opts lines = { .blank_lines = 1 };
	struct lu_normalize_opts both = { .trim = true, .blank_lines = 0 };
	static const struct example t[] = {
		{ "  a b", "  a b", 0 },
		{ "a \t\nb\u00A0\u3000\nc", "a\nb\nc", K(BLANKS) },
		{ "\n \n  a\n\n\nb\n \n\n", "  a\n\n\nb", K(BLANKS) },
		{ " \n\t", "", K(BLANKS) },
	};
	static const struct example l[] = {
		{ "a\n\nb \n", "a\n\nb \n", 0 },
		{ "a\n\n \n\t\nb", "a\n\nb", K(BLANK_LINES) },
		{ "\n\n\na\n\n\n", "\na\n\n", K(BLANK_LINES) },
	};
	static const struct example b[] = {
		{ "a \n \n\nb\n\n", "a\nb", K(BLANKS) | K(BLANK_LINES) },
	};

	(void)state;
	CHECK(&trim, t);
	CHECK(&lines, l);
	CHECK(&both, b);
}

static void random_text(struct lu_buf *s, uint64_t seed)
{
	static const char *const part[] = { "e", "\u0301", "\u0323", "\r", "\n", "\r\n", " ",
		"\u00A0", "\v", "\302\205", "\001", "Ã", "©", "â", "€", "™", "ƒ", "Â", "\302\201",
		"\302\222", "\u00AD", "\uFEFF", "ﬁ", "가", "\u11A8", "\t", "abcdefghijklmnopqrst",
		"é", "“", "ð", "Ÿ", "\u200D" };
	size_t n = lu_rand_below(seed, 1, 0, 40);

	lu_buf_clear(s);
	for (size_t i = 0; i < n; i++)
		lu_buf_puts(s, part[lu_rand_below(seed, 2, i, sizeof(part) / sizeof(part[0]))]);
	lu_buf_append(s, "", 0);
}

/* The wide scan must find each of these at every offset. */
static void every_offset(void **state)
{
	static const struct example e[] = { { "\001", "", K(CONTROLS) },
		{ "\037", "", K(CONTROLS) }, { "\177", "", K(CONTROLS) },
		{ "\302\200", "", K(CONTROLS) }, { "\302\237", "", K(CONTROLS) },
		{ "\r", "\n", K(LINE_ENDS) }, { "\302\205", "\n", K(LINE_ENDS) },
		{ "\u2028", "\n", K(LINE_ENDS) }, { "\u00AD", "", K(INVISIBLE) },
		{ "\uFEFF", "", K(INVISIBLE) }, { "\u0340", "\u0300", K(FORM) },
		{ "\U0002F800", "\u4E3D", K(FORM) }, { "\u00A0", "\u00A0", 0 },
		{ "\u2019", "\u2019", 0 }, { "\u00BF", "\u00BF", 0 } };
	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
	struct lu_buf in = { 0 }, want = { 0 }, out = { 0 };

	(void)state;
	o.remove = LU_REMOVE_INVISIBLE;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		for (size_t at = 0; at < 40; at++) {
			lu_buf_clear(&in);
			lu_buf_append(&in, "\t-----é-------\n------é---------à----------", at);
			lu_buf_clear(&want);
			lu_buf_str(&want, lu_buf_slice(&in));
			if (lu_utf8_valid(in.p, in.n) != in.n)
				continue;
			lu_buf_puts(&in, e[i].in);
			lu_buf_puts(&in, "fin, 16 bytes more");
			lu_buf_puts(&want, e[i].out);
			lu_buf_puts(&want, "fin, 16 bytes more");
			assert_int_equal(run(&o, lu_buf_slice(&in), &out), e[i].changed);
			assert_string_equal(out.p, want.p);
		}
	}
	lu_buf_release(&in);
	lu_buf_release(&want);
	lu_buf_release(&out);
}

/* With random options: the result is valid UTF-8, and a second pass changes nothing. */
static void idempotent(void **state)
{
	struct lu_buf in = { 0 }, one = { 0 }, two = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 4000; i++) {
		uint64_t bits = lu_rand_u64(7, 3, i);
		struct lu_normalize_opts o = { .form = bits & 1,
			.nfkc = bits & 2,
			.line_ends = bits & 4,
			.controls = bits & 8,
			.mojibake = bits & 16,
			.trim = bits & 32,
			.blank_lines = (int)(bits >> 6 & 3) - 1,
			.remove = (unsigned)(bits >> 8 & 0xFF) };

		random_text(&in, i);
		run(&o, lu_buf_slice(&in), &one);
		assert_int_equal(lu_utf8_valid(one.p, one.n), one.n);
		if (run(&o, lu_buf_slice(&one), &two) != 0)
			fail_msg("seed %" PRIu64 ": '%s' then '%s'", i, one.p, two.p);
	}
	lu_buf_release(&in);
	lu_buf_release(&one);
	lu_buf_release(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(compatibility),
		cmocka_unit_test(removals),
		cmocka_unit_test(mojibake),
		cmocka_unit_test(blanks),
		cmocka_unit_test(every_offset),
		cmocka_unit_test(idempotent),
	};

	return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
