#include "libcommon/text/unicode.h"

#include <stdlib.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/icu_utf8.h"
#include "libcommon/text/uax15.h"

/* A longer piece without a normalisation boundary, which no language has, goes to uax15.h, since
 * ICU sorts combining marks by insertion. */
#define LONG_PIECE ((size_t)1024)
/* ICU counts bytes in int32. */
#define ICU_MAX ((size_t)1 << 30)

static const struct {
	const UNormalizer2 *(*instance)(UErrorCode *code);
	UProperty quick_check;
	const char *data; /* of the C++ interface */
	bool compose;
} forms[LU_FORMS] = {
	[LU_FORM_NFC] = { unorm2_getNFCInstance, UCHAR_NFC_QUICK_CHECK, "nfc", true },
	[LU_FORM_NFD] = { unorm2_getNFDInstance, UCHAR_NFD_QUICK_CHECK, "nfc", false },
	[LU_FORM_NFKC] = { unorm2_getNFKCInstance, UCHAR_NFKC_QUICK_CHECK, "nfkc", true },
	[LU_FORM_NFKD] = { unorm2_getNFKDInstance, UCHAR_NFKD_QUICK_CHECK, "nfkc", false },
};

static const UNormalizer2 *instance(enum lu_normal_form form)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *n = forms[form].instance(&code);

	/* The data is compiled into ICU: only a broken installation has none. */
	LU_ASSERT(U_SUCCESS(code));
	return n;
}

bool lu_unicode_is_plain(enum lu_normal_form form, uint32_t c)
{
	return u_getIntPropertyValue((UChar32)c, forms[form].quick_check) == UNORM_YES &&
			u_getCombiningClass((UChar32)c) == 0 &&
			unorm2_hasBoundaryBefore(instance(form), (UChar32)c);
}

/* Call mark(ctx, c) for every character of a set in ICU's pattern syntax. */
static int for_each_char(const UChar *pattern, void (*mark)(void *ctx, uint32_t c), void *ctx,
		struct lu_err *err)
{
	UErrorCode code = U_ZERO_ERROR;
	USet *set = uset_openPattern(pattern, -1, &code);
	int32_t ranges = U_SUCCESS(code) ? uset_getItemCount(set) : 0;

	for (int32_t i = 0; i < ranges && U_SUCCESS(code); i++) {
		UChar32 from, to;

		if (uset_getItem(set, i, &from, &to, NULL, 0, &code) == 0) {
			for (UChar32 c = from; c <= to; c++)
				mark(ctx, (uint32_t)c);
		}
	}
	uset_close(set);
	if (U_FAILURE(code))
		return lu_err_set(err, "ICU cannot list characters: %s", u_errorName(code));
	return 0;
}

static void mark_bit(void *ctx, uint32_t c)
{
	uint64_t *bitmap = ctx;

	bitmap[c >> 6] |= UINT64_C(1) << (c & 63);
}

int lu_unicode_mark_not_plain(enum lu_normal_form form, uint64_t *bitmap, struct lu_err *err)
{
	/* The complements of these sets are exactly the plain characters; that there is a boundary
	 * before each of them is a fact of the data, checked in tests/unit/test_unicode.c. */
	static const UChar *const pattern[LU_FORMS] = {
		[LU_FORM_NFC] = u"[[:NFC_QC=No:][:NFC_QC=Maybe:][:^ccc=0:]]",
		[LU_FORM_NFD] = u"[[:NFD_QC=No:][:^ccc=0:]]",
		[LU_FORM_NFKC] = u"[[:NFKC_QC=No:][:NFKC_QC=Maybe:][:^ccc=0:]]",
		[LU_FORM_NFKD] = u"[[:NFKD_QC=No:][:^ccc=0:]]",
	};

	return for_each_char(pattern[form], mark_bit, bitmap, err);
}

struct class_mark {
	uint8_t *table, bit;
};

static void mark_class(void *ctx, uint32_t c)
{
	struct class_mark *m = ctx;

	m->table[c] |= m->bit;
}

int lu_unicode_classes(uint8_t *table, struct lu_err *err)
{
	static const struct {
		uint8_t bit;
		const UChar *pattern;
	} class[] = {
		{ LU_CLASS_SPACE, u"[:White_Space:]" },
		{ LU_CLASS_WORD, u"[[:Alphabetic:][:M:][:N:][:Pc:][:Cf:]]" },
		{ LU_CLASS_LETTER, u"[:L:]" },
		{ LU_CLASS_NUMBER, u"[:N:]" },
		{ LU_CLASS_PUNCTUATION, u"[[:P:][:Cc:]\\$+<=>\\^`|~]" },
		{ LU_CLASS_UNSPACED,
				u"[[:Alphabetic:]&[[:sc=Hani:][:sc=Hira:][:sc=Kana:][:sc=Thai:][:"
				u"sc=Laoo:]"
				u"[:sc=Khmr:][:sc=Mymr:][:sc=Tibt:]]]" },
		{ LU_CLASS_SENTENCE_END, u"[[:STerm:]\\u2026\"'\\u201D\\u2019\\u00BB]" },
	};

	for (size_t i = 0; i < sizeof(class) / sizeof(class[0]); i++) {
		struct class_mark m = { table, class[i].bit };

		if (for_each_char(class[i].pattern, mark_class, &m, err) < 0)
			return -1;
	}
	return 0;
}

static void append(void *out, const char *bytes, size_t n)
{
	lu_buf_append(out, bytes, n);
}

static int icu_normalize(enum lu_normal_form form, const char *p, size_t n, struct lu_buf *out,
		struct lu_err *err)
{
	const char *error;

	if (!lu_icu_normalize(forms[form].data, forms[form].compose, p, n, append, out, &error))
		return lu_err_set(err, "ICU cannot normalise: %s", error);
	return lu_buf_check(out, err);
}

/* Offset of the first normalisation boundary after `from`. */
static size_t piece_end(const UNormalizer2 *norm, struct lu_str s, size_t from)
{
	const char *p = s.p + from, *end = s.p + s.n;

	lu_utf8_next(&p);
	while (p < end) {
		const char *next = p;
		uint32_t c = lu_utf8_next(&next);

		if (unorm2_hasBoundaryBefore(norm, (UChar32)c))
			break;
		p = next;
	}
	return (size_t)(p - s.p);
}

int lu_unicode_normalize(
		enum lu_normal_form form, struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	const UNormalizer2 *norm = instance(form);
	size_t done = 0, at = 0;

	if (s.n <= LONG_PIECE)
		return icu_normalize(form, s.p, s.n, out, err);
	while (at < s.n) {
		size_t end = piece_end(norm, s, at);

		if (end - at > LONG_PIECE) {
			if (icu_normalize(form, s.p + done, at - done, out, err) < 0 ||
					lu_uax15(norm, forms[form].compose,
							(struct lu_str){ s.p + at, end - at }, out,
							err) < 0)
				return -1;
			done = end;
		} else if (end - done > ICU_MAX) {
			if (icu_normalize(form, s.p + done, end - done, out, err) < 0)
				return -1;
			done = end;
		}
		at = end;
	}
	return icu_normalize(form, s.p + done, s.n - done, out, err);
}

/* --- case and properties ------------------------------------------------------------------ */

typedef int32_t (*case_map)(const UCaseMap *, char *, int32_t, const char *, int32_t, UErrorCode *);

/* Append map(s) for at most ICU_MAX / 4 bytes. */
static void map_piece(case_map map, const UCaseMap *options, struct lu_str s, struct lu_buf *out,
		UErrorCode *code)
{
	size_t size = s.n + 16;
	int32_t n;

	/* At worst threefold (U+0390, 2 bytes to 6); the second round is rarely needed. */
	do {
		*code = U_ZERO_ERROR;
		if (!lu_buf_reserve(out, size))
			return;
		n = map(options, out->p + out->n, (int32_t)size, s.p, (int32_t)s.n, code);
		size = (size_t)n;
	} while (*code == U_BUFFER_OVERFLOW_ERROR);
	if (U_SUCCESS(*code)) {
		out->n += (size_t)n;
		out->p[out->n] = '\0';
	}
}

static int change_case(case_map map, struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	UErrorCode code = U_ZERO_ERROR;
	UCaseMap *options = ucasemap_open("", U_FOLD_CASE_DEFAULT, &code);
	const size_t max = ICU_MAX / 4;

	while (U_SUCCESS(code) && lu_buf_ok(out) && s.n) {
		size_t take = s.n;

		/* Only final sigma depends on its neighbours: at worst one error in 2^28 bytes. */
		if (take > max) {
			take = max;
			while (((unsigned char)s.p[take] & 0xC0) == 0x80)
				take--;
		}
		map_piece(map, options, (struct lu_str){ s.p, take }, out, &code);
		s = (struct lu_str){ s.p + take, s.n - take };
	}
	ucasemap_close(options);
	if (U_FAILURE(code))
		return lu_err_set(err, "ICU cannot change case: %s", u_errorName(code));
	return lu_buf_check(out, err);
}

int lu_unicode_fold(struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	return change_case(ucasemap_utf8FoldCase, s, out, err);
}

int lu_unicode_lower(struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	return change_case(ucasemap_utf8ToLower, s, out, err);
}

int lu_unicode_upper(struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	return change_case(ucasemap_utf8ToUpper, s, out, err);
}

bool lu_unicode_language(const char *tag, char *out, size_t size)
{
	/* Codes withdrawn from ISO 639, the only two-letter ones whose aliases are wanted: "tl" is
	 * not "fil". */
	static const char withdrawn[] = "in iw ji jw mo sh";

	if (strlen(tag) == 2 && size > 2 && !strstr(withdrawn, tag)) {
		memcpy(out, tag, 3);
		return true;
	}
	return lu_icu_language(tag, out, size);
}

enum lu_category lu_unicode_category(uint32_t c)
{
	uint32_t mask = U_GET_GC_MASK((UChar32)c);

	return mask & U_GC_L_MASK	     ? LU_CAT_LETTER
			: mask & U_GC_M_MASK ? LU_CAT_MARK
			: mask & U_GC_N_MASK ? LU_CAT_NUMBER
			: mask & U_GC_P_MASK ? LU_CAT_PUNCTUATION
			: mask & U_GC_S_MASK ? LU_CAT_SYMBOL
			: mask & U_GC_Z_MASK ? LU_CAT_SEPARATOR
					     : LU_CAT_OTHER;
}

bool lu_unicode_is_space(uint32_t c)
{
	return u_isUWhiteSpace((UChar32)c);
}

bool lu_unicode_is_digit(uint32_t c)
{
	return u_charType((UChar32)c) == U_DECIMAL_DIGIT_NUMBER;
}

bool lu_unicode_is_lower(uint32_t c)
{
	return u_charType((UChar32)c) == U_LOWERCASE_LETTER;
}

bool lu_unicode_is_unspaced(uint32_t c)
{
	UErrorCode code = U_ZERO_ERROR;

	switch ((int)uscript_getScript((UChar32)c, &code)) {
	case USCRIPT_HAN:
	case USCRIPT_HIRAGANA:
	case USCRIPT_KATAKANA:
	case USCRIPT_THAI:
	case USCRIPT_LAO:
	case USCRIPT_KHMER:
	case USCRIPT_MYANMAR:
	case USCRIPT_TIBETAN: return u_isUAlphabetic((UChar32)c);
	default: return false;
	}
}
