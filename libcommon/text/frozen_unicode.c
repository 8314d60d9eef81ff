#include "libcommon/text/frozen_unicode.h"

#include <stdlib.h>
#include <unicode/unorm2.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/uax15.h"

#define CODE_POINTS 0x110000

/* ICU's normaliser behind a filter that hides everything newer than Unicode 9, and the bitmap of
 * plain characters. */
struct lu_frozen_form {
	USet *filter;
	UNormalizer2 *norm;
	uint64_t plain[CODE_POINTS / 64];
};

struct range {
	uint32_t from, to;
};

/* Word characters that Unicode 16 added to 15; letters and numbers below. */
static const struct range new_words[] = { { 0x897, 0x897 }, { 0x1c89, 0x1c8a }, { 0xa7cb, 0xa7cd },
	{ 0xa7da, 0xa7dc }, { 0x105c0, 0x105f3 }, { 0x10d40, 0x10d65 }, { 0x10d69, 0x10d6d },
	{ 0x10d6f, 0x10d85 }, { 0x10ec2, 0x10ec4 }, { 0x10efc, 0x10efc }, { 0x11380, 0x11389 },
	{ 0x1138b, 0x1138b }, { 0x1138e, 0x1138e }, { 0x11390, 0x113b5 }, { 0x113b7, 0x113c0 },
	{ 0x113c2, 0x113c2 }, { 0x113c5, 0x113c5 }, { 0x113c7, 0x113ca }, { 0x113cc, 0x113d3 },
	{ 0x113e1, 0x113e2 }, { 0x116d0, 0x116e3 }, { 0x11bc0, 0x11be0 }, { 0x11bf0, 0x11bf9 },
	{ 0x11f5a, 0x11f5a }, { 0x13460, 0x143fa }, { 0x16100, 0x16139 }, { 0x16d40, 0x16d6c },
	{ 0x16d70, 0x16d79 }, { 0x18cff, 0x18cff }, { 0x1ccf0, 0x1ccf9 }, { 0x1e5d0, 0x1e5fa },
	{ 0x2ebf0, 0x2ee5d }, { 0, 0 } };
static const struct range new_letters[] = { { 0x1c89, 0x1c8a }, { 0xa7cb, 0xa7cd },
	{ 0xa7da, 0xa7dc }, { 0x105c0, 0x105f3 }, { 0x10d4a, 0x10d65 }, { 0x10d6f, 0x10d85 },
	{ 0x10ec2, 0x10ec4 }, { 0x11380, 0x11389 }, { 0x1138b, 0x1138b }, { 0x1138e, 0x1138e },
	{ 0x11390, 0x113b5 }, { 0x113b7, 0x113b7 }, { 0x113d1, 0x113d1 }, { 0x113d3, 0x113d3 },
	{ 0x11bc0, 0x11be0 }, { 0x13460, 0x143fa }, { 0x16100, 0x1611d }, { 0x16d40, 0x16d6c },
	{ 0x18cff, 0x18cff }, { 0x1e5d0, 0x1e5ed }, { 0x1e5f0, 0x1e5f0 }, { 0x2ebf0, 0x2ee5d },
	{ 0, 0 } };
static const struct range new_numbers[] = { { 0x10d40, 0x10d49 }, { 0x116d0, 0x116e3 },
	{ 0x11bf0, 0x11bf9 }, { 0x16130, 0x16139 }, { 0x16d70, 0x16d79 }, { 0x1ccf0, 0x1ccf9 },
	{ 0x1e5f1, 0x1e5fa }, { 0, 0 } };
/* Added by Unicode 17. */
static const struct range newer_numbers[] = { { 0x11de0, 0x11de9 }, { 0x16ff4, 0x16ff6 },
	{ 0, 0 } };
static const struct range latin1_no[] = { { 0xb2, 0xb3 }, { 0xb9, 0xb9 }, { 0xbc, 0xbe },
	{ 0, 0 } };
/* ASCII symbols count as punctuation; the last two were P in Unicode 8 and have become So. */
static const struct range more_punct[] = { { 0x24, 0x24 }, { 0x2b, 0x2b }, { 0x3c, 0x3e },
	{ 0x5e, 0x5e }, { 0x60, 0x60 }, { 0x7c, 0x7c }, { 0x7e, 0x7e }, { 0x166d, 0x166d },
	{ 0x111c9, 0x111c9 }, { 0, 0 } };

/* Letters by case that Unicode 16 added. */
static const struct range new_caseless[] = { { 0x897, 0x897 }, { 0x105c0, 0x105f3 },
	{ 0x10d4a, 0x10d4f }, { 0x10d69, 0x10d6d }, { 0x10d6f, 0x10d6f }, { 0x10ec2, 0x10ec4 },
	{ 0x10efc, 0x10efc }, { 0x11380, 0x11389 }, { 0x1138b, 0x1138b }, { 0x1138e, 0x1138e },
	{ 0x11390, 0x113b5 }, { 0x113b7, 0x113c0 }, { 0x113c2, 0x113c2 }, { 0x113c5, 0x113c5 },
	{ 0x113c7, 0x113ca }, { 0x113cc, 0x113d3 }, { 0x113e1, 0x113e2 }, { 0x11bc0, 0x11be0 },
	{ 0x11f5a, 0x11f5a }, { 0x13460, 0x143fa }, { 0x16100, 0x1612f }, { 0x16d40, 0x16d6c },
	{ 0x18cff, 0x18cff }, { 0x1e5d0, 0x1e5f0 }, { 0x2ebf0, 0x2ee5d }, { 0, 0 } };
static const struct range new_upper[] = { { 0x1c89, 0x1c89 }, { 0xa7cb, 0xa7cc },
	{ 0xa7da, 0xa7da }, { 0xa7dc, 0xa7dc }, { 0x10d50, 0x10d65 }, { 0, 0 } };
static const struct range new_lower[] = { { 0x1c8a, 0x1c8a }, { 0xa7cd, 0xa7cd },
	{ 0xa7db, 0xa7db }, { 0x10d70, 0x10d85 }, { 0, 0 } };

static USet *open_set(const char *pattern, struct lu_err *err)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar wide[256];
	USet *set;

	u_uastrncpy(wide, pattern, 255);
	wide[255] = 0;
	set = uset_openPattern(wide, -1, &status);
	if (U_FAILURE(status)) {
		lu_err_set(err, "ICU: %s: %s", pattern, u_errorName(status));
		return NULL;
	}
	return set;
}

static void add_ranges(uint8_t *table, unsigned bits, const struct range *r)
{
	for (; r->to; r++) {
		for (uint32_t c = r->from; c <= r->to; c++)
			table[c] |= (uint8_t)bits;
	}
}

static int add_set(uint8_t *table, unsigned bits, const char *pattern, struct lu_err *err)
{
	USet *set = open_set(pattern, err);
	int32_t items;

	if (!set)
		return -1;
	items = uset_getItemCount(set);
	for (int32_t i = 0; i < items; i++) {
		UErrorCode status = U_ZERO_ERROR;
		UChar32 from, to;

		/* 0 is a range; the other kind is a string, which property sets do not hold. */
		if (uset_getItem(set, i, &from, &to, NULL, 0, &status) == 0)
			add_ranges(table, bits,
					(const struct range[]){ { (uint32_t)from, (uint32_t)to },
							{ 0, 0 } });
	}
	uset_close(set);
	return 0;
}

int lu_frozen_new(struct lu_frozen_unicode **out, struct lu_err *err)
{
	struct lu_frozen_unicode *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (u)
		u->classes = calloc(CODE_POINTS, 1);
	if (!u || !u->classes) {
		lu_frozen_free(u);
		return lu_err_nomem(err);
	}
	if (add_set(u->classes, LU_FROZEN_WORD | LU_FROZEN_WORD_BRACKET,
			    "[[[:Alphabetic:][:M:][:Nd:][:Pc:]]&[:age=15.0:]]", err) < 0 ||
			add_set(u->classes, LU_FROZEN_SPACE, "[[:White_Space:]&[:age=15.0:]]",
					err) < 0 ||
			add_set(u->classes, LU_FROZEN_LETTER, "[[:L:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->classes, LU_FROZEN_NUMBER | LU_FROZEN_DIGIT,
					"[[:N:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->classes, LU_FROZEN_PUNCT, "[[:P:]&[:age=8.0:]]", err) < 0) {
		lu_frozen_free(u);
		return -1;
	}
	add_ranges(u->classes, LU_FROZEN_WORD | LU_FROZEN_WORD_BRACKET, new_words);
	add_ranges(u->classes, LU_FROZEN_WORD, latin1_no);
	add_ranges(u->classes, LU_FROZEN_LETTER, new_letters);
	add_ranges(u->classes, LU_FROZEN_NUMBER | LU_FROZEN_DIGIT, new_numbers);
	add_ranges(u->classes, LU_FROZEN_DIGIT, newer_numbers);
	add_ranges(u->classes, LU_FROZEN_PUNCT, more_punct);
	*out = u;
	return 0;
}

int lu_frozen_load_case(struct lu_frozen_unicode *u, struct lu_err *err)
{
	const unsigned upper = LU_FROZEN_UPPER, lower = LU_FROZEN_LOWER;

	if (u->cases)
		return 0;
	u->cases = calloc(CODE_POINTS, 1);
	if (!u->cases)
		return lu_err_nomem(err);
	if (add_set(u->cases, upper, "[[[:Lu:][:Lt:]]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cases, lower, "[[:Ll:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cases, upper | lower, "[[[:Lm:][:Lo:][:M:]]&[:age=15.0:]]",
					err) < 0)
		return -1;
	add_ranges(u->cases, upper, new_upper);
	add_ranges(u->cases, lower, new_lower);
	add_ranges(u->cases, upper | lower, new_caseless);
	return 0;
}

static void free_form(struct lu_frozen_form *f)
{
	if (!f)
		return;
	if (f->norm)
		unorm2_close(f->norm);
	if (f->filter)
		uset_close(f->filter);
	free(f);
}

void lu_frozen_free(struct lu_frozen_unicode *u)
{
	if (!u)
		return;
	for (int i = 0; i < LU_FORMS; i++)
		free_form(u->form[i]);
	free(u->classes);
	free(u->cases);
	free(u);
}

static const UNormalizer2 *instance(enum lu_normal_form form, UErrorCode *status)
{
	switch (form) {
	case LU_FORM_NFC: return unorm2_getNFCInstance(status);
	case LU_FORM_NFD: return unorm2_getNFDInstance(status);
	case LU_FORM_NFKC: return unorm2_getNFKCInstance(status);
	case LU_FORM_NFKD: break;
	}
	return unorm2_getNFKDInstance(status);
}

static void fill_plain(struct lu_frozen_form *f, const USet *not_plain)
{
	int32_t items = uset_getItemCount(not_plain);

	memset(f->plain, 0xff, sizeof(f->plain));
	for (int32_t i = 0; i < items; i++) {
		UErrorCode status = U_ZERO_ERROR;
		UChar32 from, to;

		if (uset_getItem(not_plain, i, &from, &to, NULL, 0, &status) != 0)
			continue;
		for (UChar32 c = from; c <= to; c++)
			f->plain[c / 64] &= ~(UINT64_C(1) << c % 64);
	}
}

int lu_frozen_load_form(struct lu_frozen_unicode *u, enum lu_normal_form form, struct lu_err *err)
{
	static const char *const pattern[LU_FORMS] = {
		[LU_FORM_NFC] = "[[[:NFC_QC=No:][:NFC_QC=Maybe:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_FORM_NFD] = "[[[:NFD_QC=No:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_FORM_NFKC] = "[[[:NFKC_QC=No:][:NFKC_QC=Maybe:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_FORM_NFKD] = "[[[:NFKD_QC=No:][:^ccc=0:]]&[:age=9.0:]]",
	};
	UErrorCode status = U_ZERO_ERROR;
	struct lu_frozen_form *f;
	USet *not_plain = NULL;
	int rc = -1;

	if (u->form[form])
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return lu_err_nomem(err);
	f->filter = open_set("[:age=9.0:]", err);
	not_plain = open_set(pattern[form], err);
	if (!f->filter || !not_plain)
		goto out;
	uset_freeze(f->filter);
	f->norm = unorm2_openFiltered(instance(form, &status), f->filter, &status);
	if (U_FAILURE(status)) {
		f->norm = NULL;
		lu_err_set(err, "ICU: normal form: %s", u_errorName(status));
		goto out;
	}
	fill_plain(f, not_plain);
	u->form[form] = f;
	rc = 0;
out:
	if (not_plain)
		uset_close(not_plain);
	if (rc < 0)
		free_form(f);
	return rc;
}

static inline bool is_plain(const struct lu_frozen_form *f, uint32_t c)
{
	return f->plain[c / 64] >> (c % 64) & 1;
}

bool lu_frozen_is_plain(const struct lu_frozen_unicode *u, enum lu_normal_form form, uint32_t c)
{
	return is_plain(u->form[form], c);
}

/* The first character of p[0..end) that is not plain, or end. *before is the plain character before
 * it, p when there is none. */
static const char *find_not_plain(
		const struct lu_frozen_form *f, const char *p, const char *end, const char **before)
{
	*before = p;
	while (p < end) {
		const char *at = p;

		while (end - p >= 8 && !(lu_load64(p) & UINT64_C(0x8080808080808080)))
			p += 8;
		if (p != at) {
			*before = p - 1;
			continue;
		}
		if (!is_plain(f, lu_utf8_next(&p)))
			return at;
		*before = at;
	}
	return end;
}

size_t lu_frozen_normal_prefix(
		const struct lu_frozen_unicode *u, enum lu_normal_form form, struct lu_str s)
{
	const char *before;
	const char *found = find_not_plain(u->form[form], s.p, s.p + s.n, &before);

	return (size_t)((found == s.p + s.n ? found : before) - s.p);
}

int lu_frozen_normalize(const struct lu_frozen_unicode *u, enum lu_normal_form form,
		struct lu_str s, struct lu_buf *out, struct lu_err *err)
{
	const struct lu_frozen_form *f = u->form[form];
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *from, *found, *q;

		found = find_not_plain(f, p, end, &from);
		if (found == end) {
			lu_buf_append(out, p, (size_t)(end - p));
			break;
		}
		lu_buf_append(out, p, (size_t)(from - p));
		/* Up to the next plain character, before which there is a boundary. */
		for (p = q = found; p < end; q = p) {
			if (is_plain(f, lu_utf8_next(&q)))
				break;
			p = q;
		}
		if (lu_uax15(f->norm, form == LU_FORM_NFC || form == LU_FORM_NFKC,
				    (struct lu_str){ from, (size_t)(p - from) }, out, err) < 0)
			return -1;
	}
	return lu_buf_check(out, err);
}
