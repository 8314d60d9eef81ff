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

/* A piece without a boundary that is longer than this, as no word of any language is, goes to
 * uax15.h, since ICU sorts combining marks by insertion. */
#define LONG_PIECE ((size_t)1024)
/* ICU counts bytes in int32. */
#define ICU_MOST ((size_t)1 << 30)

static const UNormalizer2 *form_of(enum lu_form form)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *n = form == LU_FORM_NFC ? unorm2_getNFCInstance(&code)
			: form == LU_FORM_NFKC	    ? unorm2_getNFKCInstance(&code)
						    : unorm2_getNFDInstance(&code);

	/* The data is compiled into ICU: only a broken installation has none. */
	LU_ASSERT(U_SUCCESS(code));
	return n;
}

bool lu_unicode_is_plain(enum lu_form form, uint32_t c)
{
	UProperty check = form == LU_FORM_NFC  ? UCHAR_NFC_QUICK_CHECK
			: form == LU_FORM_NFKC ? UCHAR_NFKC_QUICK_CHECK
					       : UCHAR_NFD_QUICK_CHECK;

	return u_getIntPropertyValue((UChar32)c, check) == UNORM_YES &&
			u_getCombiningClass((UChar32)c) == 0 &&
			unorm2_hasBoundaryBefore(form_of(form), (UChar32)c);
}

/* Calls mark(ctx, c) for every character of a set in ICU's notation. */
static int each_of(const UChar *pattern, void (*mark)(void *ctx, uint32_t c), void *ctx,
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

int lu_unicode_not_plain(enum lu_form form, uint64_t *bitmap, struct lu_err *err)
{
	/* The three sets together leave exactly the plain characters; that a boundary stands before
	 * each of these is a fact of the data, checked in tests/unit/test_unicode.c. */
	static const UChar nfc[] = u"[[:NFC_QC=No:][:NFC_QC=Maybe:][:^ccc=0:]]";
	static const UChar nfkc[] = u"[[:NFKC_QC=No:][:NFKC_QC=Maybe:][:^ccc=0:]]";

	return each_of(form == LU_FORM_NFC ? nfc : nfkc, mark_bit, bitmap, err);
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

		if (each_of(class[i].pattern, mark_class, &m, err) < 0)
			return -1;
	}
	return 0;
}

static void append(void *out, const char *bytes, size_t n)
{
	lu_buf_append(out, bytes, n);
}

static int icu_normalize(
		enum lu_form form, const char *p, size_t n, struct lu_buf *out, struct lu_err *err)
{
	const char *why;

	if (!lu_icu_normalize(form == LU_FORM_NFKC ? "nfkc" : "nfc", form != LU_FORM_NFD, p, n,
			    append, out, &why))
		return lu_err_set(err, "ICU cannot normalise: %s", why);
	return lu_buf_check(out, err);
}

/* The end of the piece at `from`: the next character with a boundary before it. */
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

int lu_unicode_normalize(enum lu_form form, struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	const UNormalizer2 *norm = form_of(form);
	size_t done = 0, at = 0;

	if (s.n <= LONG_PIECE)
		return icu_normalize(form, s.p, s.n, out, err);
	while (at < s.n) {
		size_t end = piece_end(norm, s, at);

		if (end - at > LONG_PIECE) {
			if (icu_normalize(form, s.p + done, at - done, out, err) < 0 ||
					lu_uax15(norm, form != LU_FORM_NFD,
							(struct lu_str){ s.p + at, end - at }, out,
							err) < 0)
				return -1;
			done = end;
		} else if (end - done > ICU_MOST) {
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

/* Appends map(s) for a piece that ICU can count. */
static void map_piece(case_map map, const UCaseMap *how, struct lu_str s, struct lu_buf *out,
		UErrorCode *code)
{
	size_t room = s.n + 16;
	int32_t n;

	/* U+0390 grows most, from 2 bytes to 6: rarely a second round. */
	do {
		*code = U_ZERO_ERROR;
		if (!lu_buf_reserve(out, room))
			return;
		n = map(how, out->p + out->n, (int32_t)room, s.p, (int32_t)s.n, code);
		room = (size_t)n;
	} while (*code == U_BUFFER_OVERFLOW_ERROR);
	if (U_SUCCESS(*code)) {
		out->n += (size_t)n;
		out->p[out->n] = '\0';
	}
}

static int change_case(case_map map, struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	UErrorCode code = U_ZERO_ERROR;
	UCaseMap *how = ucasemap_open("", U_FOLD_CASE_DEFAULT, &code);
	size_t most = ICU_MOST / 4;

	while (U_SUCCESS(code) && lu_buf_ok(out) && s.n) {
		size_t take = s.n;

		/* Only a final sigma sees beyond one character: at worst one in 2^28 bytes. */
		if (take > most) {
			take = most;
			while (((unsigned char)s.p[take] & 0xC0) == 0x80)
				take--;
		}
		map_piece(map, how, (struct lu_str){ s.p, take }, out, &code);
		s = (struct lu_str){ s.p + take, s.n - take };
	}
	ucasemap_close(how);
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

bool lu_unicode_language(const char *tag, char *out, size_t room)
{
	/* Codes that ISO 639 has withdrawn; of the others no alias is wanted ("tl" is not
	 * "fil"). */
	static const char withdrawn[] = "in iw ji jw mo sh";

	if (strlen(tag) == 2 && room > 2 && !strstr(withdrawn, tag)) {
		memcpy(out, tag, 3);
		return true;
	}
	return lu_icu_language(tag, out, room);
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
