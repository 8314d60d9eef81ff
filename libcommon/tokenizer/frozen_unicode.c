#include "libcommon/tokenizer/frozen_unicode.h"

#include <stdlib.h>
#include <unicode/unorm2.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/uax15.h"

#define CODE_POINTS 0x110000

/*
 * A form: ICU's normaliser seen through a filter that hides what is newer than Unicode 9, and a
 * bit a code point: set when the character is neither changed by the form nor able to join or
 * move past what stands before it. A text of such characters is normal, and a text can be cut
 * before any of them.
 */
struct lu_uni_norm {
	USet *filter;
	UNormalizer2 *n2;
	uint64_t plain[CODE_POINTS / 64];
};

struct range {
	uint32_t from, to;
};

/* Unicode 16 word characters that Unicode 15 does not have. */
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
/* Unicode 17 over 16. */
static const struct range newer_numbers[] = { { 0x11de0, 0x11de9 }, { 0x16ff4, 0x16ff6 },
	{ 0, 0 } };
static const struct range latin1_no[] = { { 0xb2, 0xb3 }, { 0xb9, 0xb9 }, { 0xbc, 0xbe },
	{ 0, 0 } };
/* ASCII symbols count as punctuation; two characters were P in Unicode 8 and are So now. */
static const struct range more_punct[] = { { 0x24, 0x24 }, { 0x2b, 0x2b }, { 0x3c, 0x3e },
	{ 0x5e, 0x5e }, { 0x60, 0x60 }, { 0x7c, 0x7c }, { 0x7e, 0x7e }, { 0x166d, 0x166d },
	{ 0x111c9, 0x111c9 }, { 0, 0 } };

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

static void add_ranges(uint8_t *cls, unsigned bit, const struct range *r)
{
	for (; r->to; r++) {
		for (uint32_t c = r->from; c <= r->to; c++)
			cls[c] |= (uint8_t)bit;
	}
}

static int add_set(uint8_t *cls, unsigned bit, const char *pattern, struct lu_err *err)
{
	USet *set = open_set(pattern, err);
	int32_t items;

	if (!set)
		return -1;
	items = uset_getItemCount(set);
	for (int32_t i = 0; i < items; i++) {
		UErrorCode status = U_ZERO_ERROR;
		UChar32 from, to;

		/* 0: a range; the only other kind is a string, which property sets do not hold. */
		if (uset_getItem(set, i, &from, &to, NULL, 0, &status) == 0)
			add_ranges(cls, bit,
					(const struct range[]){ { (uint32_t)from, (uint32_t)to },
							{ 0, 0 } });
	}
	uset_close(set);
	return 0;
}

int lu_uni_new(struct lu_uni **out, struct lu_err *err)
{
	struct lu_uni *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (u)
		u->cls = calloc(CODE_POINTS, 1);
	if (!u || !u->cls) {
		lu_uni_free(u);
		return lu_err_nomem(err);
	}
	if (add_set(u->cls, LU_UC_WORD | LU_UC_WORD_BRACKET,
			    "[[[:Alphabetic:][:M:][:Nd:][:Pc:]]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cls, LU_UC_SPACE, "[[:White_Space:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cls, LU_UC_LETTER, "[[:L:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cls, LU_UC_NUMBER | LU_UC_DIGIT, "[[:N:]&[:age=15.0:]]", err) <
					0 ||
			add_set(u->cls, LU_UC_PUNCT, "[[:P:]&[:age=8.0:]]", err) < 0) {
		lu_uni_free(u);
		return -1;
	}
	add_ranges(u->cls, LU_UC_WORD | LU_UC_WORD_BRACKET, new_words);
	add_ranges(u->cls, LU_UC_WORD, latin1_no);
	add_ranges(u->cls, LU_UC_LETTER, new_letters);
	add_ranges(u->cls, LU_UC_NUMBER | LU_UC_DIGIT, new_numbers);
	add_ranges(u->cls, LU_UC_DIGIT, newer_numbers);
	add_ranges(u->cls, LU_UC_PUNCT, more_punct);
	*out = u;
	return 0;
}

int lu_uni_need_case(struct lu_uni *u, struct lu_err *err)
{
	const unsigned upper = LU_UCASE_UPPER, lower = LU_UCASE_LOWER;

	if (u->cased)
		return 0;
	u->cased = calloc(CODE_POINTS, 1);
	if (!u->cased)
		return lu_err_nomem(err);
	if (add_set(u->cased, upper, "[[[:Lu:][:Lt:]]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cased, lower, "[[:Ll:]&[:age=15.0:]]", err) < 0 ||
			add_set(u->cased, upper | lower, "[[[:Lm:][:Lo:][:M:]]&[:age=15.0:]]",
					err) < 0)
		return -1;
	add_ranges(u->cased, upper, new_upper);
	add_ranges(u->cased, lower, new_lower);
	add_ranges(u->cased, upper | lower, new_caseless);
	return 0;
}

static void norm_free(struct lu_uni_norm *n)
{
	if (!n)
		return;
	if (n->n2)
		unorm2_close(n->n2);
	if (n->filter)
		uset_close(n->filter);
	free(n);
}

void lu_uni_free(struct lu_uni *u)
{
	if (!u)
		return;
	for (int i = 0; i < 4; i++)
		norm_free(u->norm[i]);
	free(u->cls);
	free(u->cased);
	free(u);
}

static const UNormalizer2 *instance(enum lu_uni_form form, UErrorCode *status)
{
	switch (form) {
	case LU_NFC: return unorm2_getNFCInstance(status);
	case LU_NFD: return unorm2_getNFDInstance(status);
	case LU_NFKC: return unorm2_getNFKCInstance(status);
	case LU_NFKD: break;
	}
	return unorm2_getNFKDInstance(status);
}

static void mark_plain(struct lu_uni_norm *n, const USet *odd)
{
	int32_t items = uset_getItemCount(odd);

	memset(n->plain, 0xff, sizeof(n->plain));
	for (int32_t i = 0; i < items; i++) {
		UErrorCode status = U_ZERO_ERROR;
		UChar32 from, to;

		if (uset_getItem(odd, i, &from, &to, NULL, 0, &status) != 0)
			continue;
		for (UChar32 c = from; c <= to; c++)
			n->plain[c / 64] &= ~(UINT64_C(1) << c % 64);
	}
}

int lu_uni_need(struct lu_uni *u, enum lu_uni_form form, struct lu_err *err)
{
	static const char *const odd_set[] = {
		[LU_NFC] = "[[[:NFC_QC=No:][:NFC_QC=Maybe:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_NFD] = "[[[:NFD_QC=No:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_NFKC] = "[[[:NFKC_QC=No:][:NFKC_QC=Maybe:][:^ccc=0:]]&[:age=9.0:]]",
		[LU_NFKD] = "[[[:NFKD_QC=No:][:^ccc=0:]]&[:age=9.0:]]",
	};
	UErrorCode status = U_ZERO_ERROR;
	struct lu_uni_norm *n;
	USet *odd = NULL;
	int rc = -1;

	if (u->norm[form])
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return lu_err_nomem(err);
	n->filter = open_set("[:age=9.0:]", err);
	odd = open_set(odd_set[form], err);
	if (!n->filter || !odd)
		goto out;
	uset_freeze(n->filter);
	n->n2 = unorm2_openFiltered(instance(form, &status), n->filter, &status);
	if (U_FAILURE(status)) {
		n->n2 = NULL;
		lu_err_set(err, "ICU: normal form: %s", u_errorName(status));
		goto out;
	}
	mark_plain(n, odd);
	u->norm[form] = n;
	rc = 0;
out:
	if (odd)
		uset_close(odd);
	if (rc < 0)
		norm_free(n);
	return rc;
}

static inline bool plain(const struct lu_uni_norm *n, uint32_t c)
{
	return n->plain[c / 64] >> (c % 64) & 1;
}

bool lu_uni_starts(const struct lu_uni *u, enum lu_uni_form form, uint32_t c)
{
	return plain(u->norm[form], c);
}

/* From p on, the first character that is not plain; *before is where the plain one before it
 * begins (p when there is none). */
static const char *find_odd(
		const struct lu_uni_norm *n, const char *p, const char *end, const char **before)
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
		if (!plain(n, lu_utf8_next(&p)))
			return at;
		*before = at;
	}
	return end;
}

size_t lu_uni_normal_prefix(const struct lu_uni *u, enum lu_uni_form form, struct lu_str s)
{
	const char *before;
	const char *odd = find_odd(u->norm[form], s.p, s.p + s.n, &before);

	return (size_t)((odd == s.p + s.n ? odd : before) - s.p);
}

int lu_uni_normalize(const struct lu_uni *u, enum lu_uni_form form, struct lu_str s,
		struct lu_buf *out, struct lu_err *err)
{
	const struct lu_uni_norm *n = u->norm[form];
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *from, *odd, *q;

		odd = find_odd(n, p, end, &from);
		if (odd == end) {
			lu_buf_append(out, p, (size_t)(end - p));
			break;
		}
		lu_buf_append(out, p, (size_t)(from - p));
		/* To the next place where the text can be cut. */
		for (p = q = odd; p < end; q = p) {
			if (plain(n, lu_utf8_next(&q)))
				break;
			p = q;
		}
		if (lu_uax15(n->n2, form == LU_NFC || form == LU_NFKC,
				    (struct lu_str){ from, (size_t)(p - from) }, out, err) < 0)
			return -1;
	}
	return lu_buf_check(out, err);
}
