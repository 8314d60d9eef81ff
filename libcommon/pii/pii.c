#include "libcommon/pii/pii.h"

#include "libcommon/base/suggest.h"
#include "libcommon/pii/pii_address.h"
#include "libcommon/pii/pii_iban.h"
#include "libcommon/pii/pii_phone.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

const struct lu_enum lu_pii_kinds[] = {
	{ "email", LU_PII_EMAIL },
	{ "ip", LU_PII_IP },
	{ "phone", LU_PII_PHONE },
	{ "iban", LU_PII_IBAN },
	LU_ENUM_END,
};

const char *lu_pii_placeholder(enum lu_pii_kind kind)
{
	static const char *const mask[LU_PII_KINDS] = { "<email>", "<ip>", "<phone>", "<iban>" };

	return mask[kind];
}

int lu_pii_read_kinds(const char *list, unsigned *kinds, struct lu_err *err)
{
	*kinds = 0;
	for (const char *p = list;; p++) {
		struct lu_str name = { p, strcspn(p, ",") };
		const struct lu_enum *e = lu_enum_find(lu_pii_kinds, name);
		struct lu_suggest s = lu_suggest_for(name);

		for (int i = 0; i < LU_PII_KINDS; i++)
			lu_suggest_try(&s, lu_pii_kinds[i].name);
		if (!e)
			return lu_err_set(err, "unknown kind '" LU_STR_FMT "'%s", LU_STR_ARG(name),
					lu_suggest_hint(&s));
		*kinds |= 1u << e->value;
		p += name.n;
		if (!*p)
			return 0;
	}
}

/* --- the scan ------------------------------------------------------------------------------ */

/* First '@' or byte in '0' .. '9' and ':' (which follows '9'), or end. Text has one every hundred
 * bytes or so. */
static const char *next_place(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i at = _mm_set1_epi8('@'), zero = _mm_set1_epi8('0');
	const __m128i span = _mm_set1_epi8(':' - '0');

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i d = _mm_sub_epi8(v, zero);
		__m128i m = _mm_or_si128(
				_mm_cmpeq_epi8(v, at), _mm_cmpeq_epi8(_mm_min_epu8(d, span), d));
		unsigned bits = (unsigned)_mm_movemask_epi8(m);

		if (bits)
			return p + __builtin_ctz(bits);
	}
#endif
	while (p < end && *p != '@' && (unsigned char)(*p - '0') > ':' - '0')
		p++;
	return p;
}

static int add(struct lu_pii_spans *s, struct lu_str text, enum lu_pii_kind kind,
		const struct lu_pii_find *f, struct lu_err *err)
{
	struct lu_pii_span span = { (uint64_t)(f->start - text.p), (uint64_t)(f->end - text.p),
		kind };

	return lu_vec_push(s, span) ? 0 : lu_err_nomem(err);
}

static const char *behind_digits(const char *p, const char *end)
{
	while (p < end && lu_pii_digit(*p))
		p++;
	return p;
}

/* What is at the place p, which next_place() found. */
static bool recognise(const struct lu_pii_stretch *t, const char *p, enum lu_pii_kind *kind,
		struct lu_pii_find *f)
{
	if (*p == '@') {
		*kind = LU_PII_EMAIL;
		return lu_pii_email(t, p, f);
	}
	if (*p != ':' && lu_pii_iban(t, p, f)) {
		*kind = LU_PII_IBAN;
		return true;
	}
	*kind = LU_PII_IP;
	return *p == ':' ? lu_pii_ipv6(t, p, f) : lu_pii_ipv4(t, p, f);
}

/* All but telephone numbers. *digits is the number of digits passed. */
static int find_marked(struct lu_str text, struct lu_pii_stretch t, struct lu_pii_spans *s,
		size_t *digits, struct lu_err *err)
{
	const char *p = t.begin;

	*digits = 0;
	while ((p = next_place(p, t.end)) < t.end) {
		enum lu_pii_kind kind;
		struct lu_pii_find f;
		const char *next = lu_pii_digit(*p) ? behind_digits(p, t.end) : p + 1;

		if (lu_pii_digit(*p))
			*digits += (size_t)(next - p);
		if (recognise(&t, p, &kind, &f)) {
			if (add(s, text, kind, &f, err) < 0)
				return -1;
			t.begin = next = f.end;
		}
		p = next;
	}
	return 0;
}

/* The telephone numbers of a stretch without other finds. */
static int find_phones(struct lu_str text, struct lu_pii_stretch t, struct lu_pii_spans *s,
		struct lu_err *err)
{
	const char *p = t.begin;

	while ((p = next_place(p, t.end)) < t.end) {
		struct lu_pii_find f;

		if (!lu_pii_digit(*p)) {
			p++;
			continue;
		}
		if (lu_pii_phone(&t, p, &f)) {
			if (add(s, text, LU_PII_PHONE, &f, err) < 0)
				return -1;
			t.begin = f.end;
		}
		p = f.end;
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct lu_pii_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Look through the text between the spans found so far, and add what is found. */
static int sweep(struct lu_str text, struct lu_pii_spans *s, bool phones, size_t *digits,
		struct lu_err *err)
{
	size_t known = s->n, in_gap, sum = 0;
	const char *from = text.p;

	for (size_t i = 0; i <= known; i++) {
		struct lu_pii_stretch gap = { from, text.p + (i < known ? s->p[i].start : text.n) };

		if ((phones ? find_phones(text, gap, s, err)
			    : find_marked(text, gap, s, &in_gap, err)) < 0)
			return -1;
		sum += phones ? 0 : in_gap;
		if (i < known)
			from = text.p + s->p[i].end;
	}
	*digits = sum;
	if (known && s->n > known)
		qsort(s->p, s->n, sizeof(*s->p), by_start);
	return 0;
}

/*
 * A find that is masked may leave something beside it that was no address while they touched. So the
 * search is repeated over what is left until nothing is found: twice, but for texts made to need
 * more.
 */
int lu_pii_find(struct lu_str text, struct lu_pii_spans *s, struct lu_err *err)
{
	size_t before, digits, none;

	s->n = 0;
	do {
		before = s->n;
		if (sweep(text, s, false, &digits, err) < 0)
			return -1;
		/* The shortest telephone number has 7 digits. */
		if (digits >= 7 && sweep(text, s, true, &none, err) < 0)
			return -1;
	} while (s->n > before);
	return 0;
}

void lu_pii_select(struct lu_pii_spans *s, unsigned kinds)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (kinds & 1u << s->p[i].kind)
			s->p[n++] = s->p[i];
	}
	s->n = n;
}

void lu_pii_mask(struct lu_str text, const struct lu_pii_spans *s, struct lu_buf *out)
{
	uint64_t from = 0;

	for (size_t i = 0; i < s->n; i++) {
		lu_buf_append(out, text.p + from, s->p[i].start - from);
		lu_buf_puts(out, lu_pii_placeholder(s->p[i].kind));
		from = s->p[i].end;
	}
	lu_buf_append(out, text.p + from, text.n - from);
}

void lu_pii_spans_release(struct lu_pii_spans *s)
{
	lu_vec_release(s);
}
