/* Values from JSON, and as text: Python's str(), repr() and json.dumps(). */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/chat/chat_value.h"
#include "libcommon/text/unicode.h"

/* --- from JSON ---------------------------------------------------------------------------- */

static int from_number(struct lu_cv_ctx *x, struct lu_str raw, struct lu_cv *out)
{
	bool whole = true, minus = raw.n && raw.p[0] == '-';
	struct lu_json_member m = { .value = raw, .type = LU_JSON_NUMBER };
	uint64_t u;

	for (size_t i = 0; i < raw.n; i++)
		whole = whole && raw.p[i] != '.' && (raw.p[i] | 32) != 'e';
	if (!whole) {
		*out = (struct lu_cv){ .type = LU_CV_FLOAT };
		lu_json_double(&m, &out->d);
		return 0;
	}
	m.value.p += minus;
	m.value.n -= minus;
	if (!lu_json_u64(&m, &u) || u > (uint64_t)INT64_MAX)
		return lu_cv_fail(x, "the number '" LU_STR_FMT "' does not fit 64 bits",
				LU_STR_ARG(raw));
	*out = lu_cv_int(minus ? -(int64_t)u : (int64_t)u);
	return 0;
}

static int from_string(struct lu_cv_ctx *x, struct lu_str raw, uint16_t origin, struct lu_cv *out)
{
	struct lu_str s;

	if (lu_cv_charge(x, raw.n) < 0)
		return -1;
	if (lu_json_decode(raw, &x->arena, &s) < 0)
		return lu_err_nomem(x->err);
	*out = lu_cv_str(s, origin);
	return 0;
}

static int from_container(struct lu_cv_ctx *x, struct lu_str raw, bool object, uint16_t origin,
		struct lu_cv *out)
{
	struct lu_json_iter it = lu_json_iter(raw);
	struct lu_cv key, value;

	out->type = object ? LU_CV_DICT : LU_CV_LIST;
	if (object)
		out->dict = lu_cv_dict_new(x);
	else
		out->list = lu_cv_list_new(x);
	if (!out->dict)
		return -1;
	while (lu_json_next(&it)) {
		int rc = lu_cv_json(x, it.value, it.type, origin, &value);

		if (rc == 0 && object)
			rc = from_string(x, it.key, origin, &key);
		if (rc == 0)
			rc = object ? lu_cv_dict_set(x, out->dict, key, value)
				    : lu_cv_list_add(x, out->list, value);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int lu_cv_json(struct lu_cv_ctx *x, struct lu_str raw, enum lu_json_type type, uint16_t origin,
		struct lu_cv *out)
{
	int rc;

	switch (type) {
	case LU_JSON_NULL: *out = lu_cv_none(); return 0;
	case LU_JSON_FALSE:
	case LU_JSON_TRUE: *out = lu_cv_bool(type == LU_JSON_TRUE); return 0;
	case LU_JSON_NUMBER: return from_number(x, raw, out);
	case LU_JSON_STRING: return from_string(x, raw, origin, out);
	default:
		if (++x->depth > LU_CHAT_DEPTH)
			return lu_cv_fail(x, "values are nested too deep");
		rc = from_container(x, raw, type == LU_JSON_OBJECT, origin, out);
		x->depth--;
		return rc;
	}
}

/* --- to text ------------------------------------------------------------------------------ */

struct text {
	struct lu_cv_ctx *x;
	struct lu_cv_list piece;
	const struct lu_cv_dump *dump; /* NULL: Python's repr() */
};

static int put(struct text *t, struct lu_str s)
{
	return lu_cv_list_add(t->x, &t->piece, lu_cv_str(s, 0));
}

/* A short text that is copied. */
static int put_copy(struct text *t, const char *s, uint16_t origin)
{
	size_t n = strlen(s);
	char *p = lu_cv_alloc(t->x, n);

	if (!p)
		return -1;
	memcpy(p, s, n);
	return lu_cv_list_add(t->x, &t->piece, lu_cv_str((struct lu_str){ p, n }, origin));
}

/* Python's repr() of a float: the shortest digits that read back, with an exponent below 1e-4 and
 * from 1e16 on. */
static void format_float(double d, bool json, struct lu_buf *b)
{
	char digits[32], *e;
	int exponent, n;

	if (signbit(d) && !isnan(d))
		lu_buf_putc(b, '-');
	if (!isfinite(d)) {
		lu_buf_puts(b, isnan(d) ? (json ? "NaN" : "nan") : (json ? "Infinity" : "inf"));
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*e", precision, fabs(d));
		if (!(strtod(digits, NULL) < fabs(d) || strtod(digits, NULL) > fabs(d)))
			break;
	}
	e = strchr(digits, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	*e = '\0';
	if (digits[1])
		memmove(digits + 1, digits + 2, strlen(digits + 2) + 1);
	n = (int)strlen(digits);
	if (exponent < -4 || exponent >= 16)
		lu_buf_printf(b, "%c%s%se%s%02d", digits[0], n > 1 ? "." : "", digits + 1,
				exponent < 0 ? "-" : "+", abs(exponent));
	else if (exponent < 0)
		lu_buf_printf(b, "0.%.*s%s", -exponent - 1, "000", digits);
	else if (n <= exponent + 1)
		lu_buf_printf(b, "%s%.*s.0", digits, exponent + 1 - n, "0000000000000000");
	else
		lu_buf_printf(b, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

/* The escape of a character in a JSON string; false: it stands for itself. */
static bool escape_json(uint32_t c, bool ascii, char out[16])
{
	static const char plain[] = "\"\\\n\r\t\b\f", letter[] = "\"\\nrtbf";
	const char *at = c && c < 128 ? strchr(plain, (int)c) : NULL;

	if (at)
		snprintf(out, 16, "\\%c", letter[at - plain]);
	else if (c >= 0x10000)
		snprintf(out, 16, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xD800 + ((c - 0x10000) >> 10),
				0xDC00 + ((c - 0x10000) & 0x3FF));
	else
		snprintf(out, 16, "\\u%04" PRIx32, c);
	return at != NULL || c < 32 || (ascii && c > 126);
}

/* Python's str.isprintable() for one character. */
static bool printable(uint32_t c)
{
	enum lu_category k;

	if (c < 127)
		return c >= 32;
	k = lu_unicode_category(c);
	return k != LU_CAT_OTHER && k != LU_CAT_SEPARATOR;
}

/* The escape in a string of Python's repr(); false: it stands for itself. */
static bool escape_repr(uint32_t c, char quote, char out[16])
{
	static const char plain[] = "\\\n\r\t", letter[] = "\\nrt";
	const char *at = c && c < 128 ? strchr(plain, (int)c) : NULL;

	if (at)
		snprintf(out, 16, "\\%c", letter[at - plain]);
	else if (c == (unsigned char)quote)
		snprintf(out, 16, "\\%c", quote);
	else if (printable(c))
		return false;
	else
		snprintf(out, 16,
				c < 256			    ? "\\x%02" PRIx32
						: c < 65536 ? "\\u%04" PRIx32
							    : "\\U%08" PRIx32,
				c);
	return true;
}

static int put_string(struct text *t, const struct lu_cv *s)
{
	const char *begin = s->s.p, *p = begin, *end = begin + s->s.n, *done = begin;
	char quote = '"', escape[16];

	if (!t->dump && (s->s.n == 0 || !memchr(begin, '\'', s->s.n) || memchr(begin, '"', s->s.n)))
		quote = '\'';
	if (lu_cv_step(t->x, s->s.n / 64) < 0 ||
			put(t, quote == '"' ? LU_STR("\"") : LU_STR("'")) < 0)
		return -1;
	while (p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		struct lu_cv plain;

		if (!(t->dump ? escape_json(c, t->dump->ascii, escape)
			      : escape_repr(c, quote, escape)))
			continue;
		plain = lu_cv_slice(s, (size_t)(done - begin), (size_t)(at - begin));
		if (lu_cv_list_add(t->x, &t->piece, plain) < 0 ||
				put_copy(t, escape,
						s->s.from ? s->s.from[at - begin] : s->s.origin) <
						0)
			return -1;
		done = p;
	}
	if (lu_cv_list_add(t->x, &t->piece,
			    lu_cv_slice(s, (size_t)(done - begin), (size_t)(end - begin))) < 0)
		return -1;
	return put(t, quote == '"' ? LU_STR("\"") : LU_STR("'"));
}

static int put_float(struct text *t, double d)
{
	struct lu_buf b = { 0 };
	struct lu_cv s;
	int rc;

	format_float(d, t->dump != NULL, &b);
	rc = lu_cv_copy(t->x, &b, 0, &s);
	lu_buf_release(&b);
	return rc < 0 ? -1 : lu_cv_list_add(t->x, &t->piece, s);
}

/* The line and blanks before an element of json.dumps() with an indent. */
static int put_line(struct text *t, unsigned level)
{
	size_t n = (size_t)t->dump->indent * level;
	char *p = lu_cv_alloc(t->x, n + 1);

	if (!p)
		return -1;
	memset(p, ' ', n + 1);
	p[0] = '\n';
	return put(t, (struct lu_str){ p, n + 1 });
}

static int put_value(struct text *t, const struct lu_cv *v, unsigned level);

/* Before element i: the comma, and where it stands. */
static int put_comma(struct text *t, size_t i, unsigned level)
{
	bool lines = t->dump && t->dump->indent >= 0;

	if (i && put(t, lines ? LU_STR(",") : LU_STR(", ")) < 0)
		return -1;
	return lines ? put_line(t, level + 1) : 0;
}

static int put_list(struct text *t, const struct lu_cv *v, unsigned level)
{
	bool round = v->type == LU_CV_TUPLE && !t->dump;

	if (put(t, round ? LU_STR("(") : LU_STR("[")) < 0)
		return -1;
	for (size_t i = 0; i < v->list->n; i++) {
		if (put_comma(t, i, level) < 0 || put_value(t, &v->list->p[i], level + 1) < 0)
			return -1;
	}
	if (round && v->list->n == 1 && put(t, LU_STR(",")) < 0)
		return -1;
	if (t->dump && t->dump->indent >= 0 && v->list->n && put_line(t, level) < 0)
		return -1;
	return put(t, round ? LU_STR(")") : LU_STR("]"));
}

static int compare_keys(const void *a, const void *b)
{
	const struct lu_cv_pair *p = a, *q = b;

	return lu_str_cmp(lu_cv_text(&p->key), lu_cv_text(&q->key));
}

static int put_dict(struct text *t, const struct lu_cv *v, unsigned level)
{
	struct lu_cv_pair *pair = v->dict->p;
	size_t n = v->dict->n;

	if (t->dump && t->dump->sort && n) {
		pair = lu_cv_alloc(t->x, n * sizeof(*pair));
		if (!pair)
			return -1;
		memcpy(pair, v->dict->p, n * sizeof(*pair));
		qsort(pair, n, sizeof(*pair), compare_keys);
	}
	if (put(t, LU_STR("{")) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (put_comma(t, i, level) < 0 || put_string(t, &pair[i].key) < 0 ||
				put(t, LU_STR(": ")) < 0 ||
				put_value(t, &pair[i].value, level + 1) < 0)
			return -1;
	}
	if (t->dump && t->dump->indent >= 0 && n && put_line(t, level) < 0)
		return -1;
	return put(t, LU_STR("}"));
}

static int put_value(struct text *t, const struct lu_cv *v, unsigned level)
{
	char number[48];
	int rc;

	if (lu_cv_step(t->x, 1) < 0)
		return -1;
	switch (v->type) {
	case LU_CV_NONE: return put(t, t->dump ? LU_STR("null") : LU_STR("None"));
	case LU_CV_BOOL:
		return put(t,
				t->dump ? (v->b ? LU_STR("true") : LU_STR("false"))
					: (v->b ? LU_STR("True") : LU_STR("False")));
	case LU_CV_INT:
		snprintf(number, sizeof(number), "%" PRId64, v->i);
		return put_copy(t, number, 0);
	case LU_CV_FLOAT: return put_float(t, v->d);
	case LU_CV_STRING: return put_string(t, v);
	case LU_CV_LIST:
	case LU_CV_TUPLE:
	case LU_CV_DICT:
		if (++t->x->depth > LU_CHAT_DEPTH)
			return lu_cv_fail(t->x, "values are nested too deep");
		rc = v->type == LU_CV_DICT ? put_dict(t, v, level) : put_list(t, v, level);
		t->x->depth--;
		return rc;
	case LU_CV_UNDEFINED:
		return lu_cv_fail(t->x, "'" LU_STR_FMT "' is undefined", LU_STR_ARG(lu_cv_text(v)));
	default: return lu_cv_fail(t->x, "%s cannot be written as text", lu_cv_type_name(v));
	}
}

int lu_cv_to_str(struct lu_cv_ctx *x, const struct lu_cv *v, struct lu_cv *out)
{
	struct text t = { .x = x };

	if (v->type == LU_CV_STRING) {
		*out = *v;
		return 0;
	}
	if (v->type == LU_CV_UNDEFINED) {
		*out = lu_cv_str(LU_STR(""), 0);
		return 0;
	}
	return put_value(&t, v, 0) < 0 ? -1 : lu_cv_join(x, t.piece.p, t.piece.n, out);
}

int lu_cv_to_json(struct lu_cv_ctx *x, const struct lu_cv *v, const struct lu_cv_dump *how,
		struct lu_cv *out)
{
	struct text t = { .x = x, .dump = how };

	return put_value(&t, v, 0) < 0 ? -1 : lu_cv_join(x, t.piece.p, t.piece.n, out);
}
