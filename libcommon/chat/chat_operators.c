/* Operators, attributes, items, slices and functions, as Python and Jinja have them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libcommon/base/utf8.h"
#include "libcommon/chat/chat_ast.h"

#define RANGE_MAX 100000 /* Jinja's sandbox has the same */

/* --- arithmetic --------------------------------------------------------------------------- */

static int integers(struct lu_ce *e, unsigned op, int64_t a, int64_t b, struct lu_cv *out)
{
	int64_t r = 0;
	bool over = false;

	switch (op) {
	case LU_CN_ADD: over = __builtin_add_overflow(a, b, &r); break;
	case LU_CN_SUBTRACT: over = __builtin_sub_overflow(a, b, &r); break;
	case LU_CN_MULTIPLY: over = __builtin_mul_overflow(a, b, &r); break;
	default:
		if (b == 0)
			return lu_cv_fail(&e->x, "division by zero");
		over = a == INT64_MIN && b == -1;
		if (over)
			break;
		/* Rounded down, as Python's. */
		r = op == LU_CN_MODULO ? a % b : a / b;
		if (a % b != 0 && (a < 0) != (b < 0))
			r += op == LU_CN_MODULO ? b : -1;
		break;
	}
	*out = lu_cv_int(r);
	return over ? lu_cv_fail(&e->x, "a number does not fit 64 bits") : 0;
}

static int floats(struct lu_ce *e, unsigned op, double a, double b, struct lu_cv *out)
{
	*out = (struct lu_cv){ .type = LU_CV_FLOAT };
	if (op >= LU_CN_DIVIDE && op <= LU_CN_MODULO && !(b < 0 || b > 0))
		return lu_cv_fail(&e->x, "division by zero");
	switch (op) {
	case LU_CN_ADD: out->d = a + b; break;
	case LU_CN_SUBTRACT: out->d = a - b; break;
	case LU_CN_MULTIPLY: out->d = a * b; break;
	case LU_CN_DIVIDE: out->d = a / b; break;
	case LU_CN_FLOOR_DIVIDE: out->d = floor(a / b); break;
	default:
		out->d = fmod(a, b);
		if (out->d != 0 && (out->d < 0) != (b < 0))
			out->d += b;
		break;
	}
	return 0;
}

/* What markupsafe's escape() makes of a string. */
static int escape(struct lu_ce *e, const struct lu_cv *s, struct lu_cv *out)
{
	static const char plain[] = "&<>'\"";
	static const char *const safe[] = { "&amp;", "&lt;", "&gt;", "&#39;", "&#34;" };
	struct lu_cv_list l = { 0 };
	size_t done = 0;

	for (size_t i = 0; i < s->s.n; i++) {
		const char *at = s->s.p[i] ? strchr(plain, s->s.p[i]) : NULL;

		if (!at)
			continue;
		if (lu_cv_list_add(&e->x, &l, lu_cv_slice(s, done, i)) < 0 ||
				lu_cv_list_add(&e->x, &l,
						lu_cv_str(lu_str_of(safe[at - plain]),
								s->s.from ? s->s.from[i]
									  : s->s.origin)) < 0)
			return -1;
		done = i + 1;
	}
	if (lu_cv_list_add(&e->x, &l, lu_cv_slice(s, done, s->s.n)) < 0)
		return -1;
	return lu_cv_join(&e->x, l.p, l.n, out);
}

/* "a" + "b"; what is added to a safe string is escaped. */
static int add_strings(
		struct lu_ce *e, const struct lu_cv *a, const struct lu_cv *b, struct lu_cv *out)
{
	struct lu_cv pair[2] = { *a, *b };
	bool markup = a->s.markup || b->s.markup;

	for (int i = 0; markup && i < 2; i++) {
		if (!pair[i].s.markup && escape(e, &pair[i], &pair[i]) < 0)
			return -1;
	}
	if (lu_cv_join(&e->x, pair, 2, out) < 0)
		return -1;
	out->s.markup = markup;
	return 0;
}

static int add_lists(
		struct lu_ce *e, const struct lu_cv *a, const struct lu_cv *b, struct lu_cv *out)
{
	const struct lu_cv_list *const part[2] = { a->list, b->list };

	*out = (struct lu_cv){ .type = a->type };
	out->list = lu_cv_list_new(&e->x);
	if (!out->list)
		return -1;
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < part[k]->n; i++) {
			if (lu_cv_list_add(&e->x, out->list, part[k]->p[i]) < 0)
				return -1;
		}
	}
	return lu_cv_step(&e->x, out->list->n);
}

static int repeat(struct lu_ce *e, const struct lu_cv *s, int64_t n, struct lu_cv *out)
{
	struct lu_cv_list l = { 0 };

	for (int64_t i = 0; s->s.n && i < n; i++) {
		if (lu_cv_step(&e->x, 1) < 0 || lu_cv_charge(&e->x, s->s.n) < 0 ||
				lu_cv_list_add(&e->x, &l, *s) < 0)
			return -1;
	}
	return lu_cv_join(&e->x, l.p, l.n, out);
}

static int sign(struct lu_ce *e, unsigned op, const struct lu_cv *a, struct lu_cv *out)
{
	int64_t i;

	*out = *a;
	if (a->type == LU_CV_FLOAT)
		out->d = op == LU_CN_MINUS ? -a->d : a->d;
	else if (lu_cv_integer(a, &i) && i != INT64_MIN)
		*out = lu_cv_int(op == LU_CN_MINUS ? -i : i);
	else
		return lu_cv_fail(&e->x, "%s has no sign", lu_cv_type_name(a));
	return 0;
}

int lu_ce_operation(struct lu_ce *e, unsigned op, const struct lu_cv *a, const struct lu_cv *b,
		struct lu_cv *out)
{
	static const char *const name[] = { "+", "-", "*", "/", "//", "%" };
	int64_t i, k;
	double c, d;

	if (!b)
		return sign(e, op, a, out);
	if (op != LU_CN_DIVIDE && lu_cv_integer(a, &i) && lu_cv_integer(b, &k))
		return integers(e, op, i, k, out);
	if (lu_cv_number(a, &c) && lu_cv_number(b, &d))
		return floats(e, op, c, d, out);
	if (op == LU_CN_ADD && a->type == LU_CV_STRING && b->type == LU_CV_STRING)
		return add_strings(e, a, b, out);
	if (op == LU_CN_ADD && a->type == b->type &&
			(a->type == LU_CV_LIST || a->type == LU_CV_TUPLE))
		return add_lists(e, a, b, out);
	if (op == LU_CN_MULTIPLY && a->type == LU_CV_STRING && lu_cv_integer(b, &i))
		return repeat(e, a, i, out);
	if (op == LU_CN_MULTIPLY && b->type == LU_CV_STRING && lu_cv_integer(a, &i))
		return repeat(e, b, i, out);
	for (int side = 0; side < 2; side++) {
		const struct lu_cv *v = side ? b : a;

		if (v->type == LU_CV_UNDEFINED)
			return lu_cv_fail(&e->x, "'" LU_STR_FMT "' is undefined",
					LU_STR_ARG(lu_cv_text(v)));
	}
	return lu_cv_fail(&e->x, "'%s' does not go with %s and %s", name[op], lu_cv_type_name(a),
			lu_cv_type_name(b));
}

/* --- comparisons -------------------------------------------------------------------------- */

static int contains(struct lu_ce *e, const struct lu_cv *in, const struct lu_cv *v, bool *out)
{
	*out = false;
	switch (in->type) {
	case LU_CV_UNDEFINED: return 0;
	case LU_CV_STRING:
		if (v->type != LU_CV_STRING)
			return lu_cv_fail(
					&e->x, "%s is looked for in a string", lu_cv_type_name(v));
		*out = v->s.n == 0 || memmem(in->s.p, in->s.n, v->s.p, v->s.n);
		return lu_cv_step(&e->x, in->s.n / 64);
	case LU_CV_LIST:
	case LU_CV_TUPLE:
		for (size_t i = 0; !*out && i < in->list->n; i++) {
			if (lu_cv_equal(&e->x, &in->list->p[i], v, out) < 0)
				return -1;
		}
		return 0;
	case LU_CV_DICT:
		*out = v->type == LU_CV_STRING && lu_cv_dict_get(in->dict, lu_cv_text(v));
		return 0;
	default: return lu_cv_fail(&e->x, "'in' does not go with %s", lu_cv_type_name(in));
	}
}

int lu_ce_compare(struct lu_ce *e, unsigned op, const struct lu_cv *a, const struct lu_cv *b,
		bool *out)
{
	int order, rc;

	if (op == LU_CN_IN || op == LU_CN_NOT_IN) {
		rc = contains(e, b, a, out);
		*out = *out == (op == LU_CN_IN);
		return rc;
	}
	if (op == LU_CN_EQ || op == LU_CN_NE) {
		rc = lu_cv_equal(&e->x, a, b, out);
		*out = *out == (op == LU_CN_EQ);
		return rc;
	}
	if (lu_cv_order(&e->x, a, b, &order) < 0)
		return -1;
	*out = op == LU_CN_LT		 ? order < 0
			: op == LU_CN_LE ? order <= 0
			: op == LU_CN_GT ? order > 0
					 : order >= 0;
	return 0;
}

/* --- attributes and items ----------------------------------------------------------------- */

static int loop_attribute(
		struct lu_ce *e, const struct lu_cv_loop *l, struct lu_str name, struct lu_cv *out)
{
	int64_t n = (int64_t)l->items->n, at = (int64_t)l->at;

	if (lu_str_is(name, "index0"))
		*out = lu_cv_int(at);
	else if (lu_str_is(name, "index"))
		*out = lu_cv_int(at + 1);
	else if (lu_str_is(name, "first"))
		*out = lu_cv_bool(at == 0);
	else if (lu_str_is(name, "last"))
		*out = lu_cv_bool(at + 1 == n);
	else if (lu_str_is(name, "length"))
		*out = lu_cv_int(n);
	else if (lu_str_is(name, "revindex"))
		*out = lu_cv_int(n - at);
	else if (lu_str_is(name, "revindex0"))
		*out = lu_cv_int(n - at - 1);
	else if (lu_str_is(name, "previtem"))
		*out = at ? l->items->p[at - 1] : lu_cv_undefined(name);
	else if (lu_str_is(name, "nextitem"))
		*out = at + 1 < n ? l->items->p[at + 1] : lu_cv_undefined(name);
	else
		return lu_cv_fail(
				&e->x, "'loop." LU_STR_FMT "' is not supported", LU_STR_ARG(name));
	return 0;
}

/* Python finds methods before members, in a.b; and behind them, in a['b']. */
int lu_ce_attribute(struct lu_ce *e, const struct lu_cv *v, struct lu_str name, struct lu_cv *out)
{
	const struct lu_cv *member = NULL;

	if (v->type == LU_CV_UNDEFINED)
		return lu_cv_fail(
				&e->x, "'" LU_STR_FMT "' is undefined", LU_STR_ARG(lu_cv_text(v)));
	if (v->type == LU_CV_LOOP)
		return loop_attribute(e, v->loop, name, out);
	if (v->type != LU_CV_NAMESPACE && lu_ce_has_attribute(v, name)) {
		*out = (struct lu_cv){ .type = LU_CV_METHOD };
		return 0;
	}
	if (v->type == LU_CV_DICT || v->type == LU_CV_NAMESPACE)
		member = lu_cv_dict_get(v->dict, name);
	*out = member ? *member : lu_cv_undefined(name);
	return 0;
}

static int element(struct lu_ce *e, const struct lu_cv *v, int64_t i, struct lu_cv *out)
{
	int64_t n;

	if (lu_cv_length(&e->x, v, &n) < 0)
		return -1;
	i += i < 0 ? n : 0;
	*out = lu_cv_undefined(LU_STR("an element that a list does not have"));
	if (i < 0 || i >= n)
		return 0;
	if (v->type != LU_CV_STRING) {
		*out = v->list->p[i];
		return 0;
	}
	{
		const struct lu_cv at = lu_cv_int(i), end = lu_cv_int(i + 1);
		const struct lu_cv *const bound[3] = { &at, &end, NULL };

		return lu_ce_slice(e, v, bound, out);
	}
}

int lu_ce_item(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *key, struct lu_cv *out)
{
	const struct lu_cv *member;
	int64_t i;

	if (v->type == LU_CV_UNDEFINED)
		return lu_cv_fail(
				&e->x, "'" LU_STR_FMT "' is undefined", LU_STR_ARG(lu_cv_text(v)));
	if ((v->type == LU_CV_LIST || v->type == LU_CV_TUPLE || v->type == LU_CV_STRING) &&
			lu_cv_integer(key, &i))
		return element(e, v, i, out);
	if (key->type != LU_CV_STRING) {
		*out = lu_cv_undefined(LU_STR("a member that an object does not have"));
		return 0;
	}
	if (v->type == LU_CV_DICT) {
		member = lu_cv_dict_get(v->dict, lu_cv_text(key));
		if (member) {
			*out = *member;
			return 0;
		}
	}
	return lu_ce_attribute(e, v, lu_cv_text(key), out);
}

/* Python's start and stop for a length: where walking by `step` begins and ends. */
static int64_t clamp(int64_t i, int64_t n, int64_t step)
{
	if (i < 0)
		i += n;
	if (i < 0)
		return step < 0 ? -1 : 0;
	if (i >= n)
		return step < 0 ? n - 1 : n;
	return i;
}

/* Byte offset of character i. */
static size_t offset_of(const struct lu_cv *s, int64_t i)
{
	const char *p = s->s.p, *end = p + s->s.n;

	while (i-- > 0 && p < end)
		lu_utf8_next(&p);
	return (size_t)(p - s->s.p);
}

int lu_ce_slice(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *const bound[3],
		struct lu_cv *out)
{
	int64_t at[3] = { 0, 0, 1 }, n;
	struct lu_cv_list all;

	if (v->type != LU_CV_STRING && v->type != LU_CV_LIST && v->type != LU_CV_TUPLE)
		return lu_cv_fail(&e->x, "%s cannot be sliced", lu_cv_type_name(v));
	for (int i = 0; i < 3; i++) {
		if (bound[i] && !lu_cv_integer(bound[i], &at[i]))
			return lu_cv_fail(&e->x, "%s as a bound of a slice",
					lu_cv_type_name(bound[i]));
	}
	if (at[2] == 0 || at[2] == INT64_MIN)
		return lu_cv_fail(&e->x, "the step of a slice is 0");
	if (lu_cv_length(&e->x, v, &n) < 0)
		return -1;
	at[0] = bound[0] ? clamp(at[0], n, at[2]) : at[2] < 0 ? n - 1 : 0;
	at[1] = bound[1] ? clamp(at[1], n, at[2]) : at[2] < 0 ? -1 : n;
	if (v->type == LU_CV_STRING && at[2] == 1) {
		size_t from = offset_of(v, at[0]), to = at[1] > at[0] ? offset_of(v, at[1]) : from;

		*out = lu_cv_slice(v, from, to);
		return lu_cv_step(&e->x, v->s.n / 64);
	}
	*out = (struct lu_cv){ .type = v->type == LU_CV_STRING ? LU_CV_LIST : v->type };
	out->list = lu_cv_list_new(&e->x);
	if (!out->list || lu_cv_elements(&e->x, v, &all) < 0)
		return -1;
	for (int64_t i = at[0]; at[2] > 0 ? i < at[1] : i > at[1];) {
		if (lu_cv_list_add(&e->x, out->list, all.p[i]) < 0 || lu_cv_step(&e->x, 1) < 0)
			return -1;
		if (__builtin_add_overflow(i, at[2], &i))
			break;
	}
	return v->type == LU_CV_STRING ? lu_cv_join(&e->x, out->list->p, out->list->n, out) : 0;
}

/* --- functions ---------------------------------------------------------------------------- */

int lu_cn_function(struct lu_str name)
{
	static const char *const known[LU_CN_FUNCTIONS] = { "namespace", "range", "raise_exception",
		"strftime_now", "dict" };

	for (int i = 0; i < LU_CN_FUNCTIONS; i++) {
		if (lu_str_is(name, known[i]))
			return i;
	}
	return -1;
}

static int make_dict(struct lu_ce *e, unsigned which, const struct lu_ce_args *a, struct lu_cv *out)
{
	*out = (struct lu_cv){ .type = which == LU_CN_NAMESPACE ? LU_CV_NAMESPACE : LU_CV_DICT };
	out->dict = lu_cv_dict_new(&e->x);
	if (!out->dict)
		return -1;
	if (a->n > 1 || (a->n && a->p[0].type != LU_CV_DICT))
		return lu_cv_fail(&e->x, "%s() takes names with values, or one object",
				which == LU_CN_NAMESPACE ? "namespace" : "dict");
	for (size_t i = 0; a->n && i < a->p[0].dict->n; i++) {
		const struct lu_cv_pair *p = &a->p[0].dict->p[i];

		if (lu_cv_dict_set(&e->x, out->dict, p->key, p->value) < 0)
			return -1;
	}
	for (size_t i = 0; i < a->keywords; i++) {
		if (lu_cv_dict_set(&e->x, out->dict, lu_cv_str(a->keyword[i], 0), a->value[i]) < 0)
			return -1;
	}
	return 0;
}

static int make_range(struct lu_ce *e, const struct lu_ce_args *a, struct lu_cv *out)
{
	int64_t at[3] = { 0, 0, 1 };

	if (lu_ce_check_args(e, a, 3, "range()", NULL) < 0)
		return -1;
	for (size_t i = 0; i < a->n; i++) {
		if (!lu_cv_integer(&a->p[i], &at[a->n == 1 ? 1 : i]))
			return lu_cv_fail(&e->x, "range() of %s", lu_cv_type_name(&a->p[i]));
	}
	if (a->n == 0 || at[2] == 0)
		return lu_cv_fail(&e->x, "range() needs a number, and a step that is not 0");
	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(&e->x);
	while (out->list && (at[2] > 0 ? at[0] < at[1] : at[0] > at[1])) {
		if (out->list->n == RANGE_MAX)
			return lu_cv_fail(&e->x, "range() of more than %d numbers", RANGE_MAX);
		if (lu_cv_list_add(&e->x, out->list, lu_cv_int(at[0])) < 0)
			return -1;
		if (__builtin_add_overflow(at[0], at[2], &at[0]))
			break;
	}
	return out->list ? 0 : -1;
}

/* One directive of strftime() for midnight of a date, in English; false: not supported. */
static bool put_directive(char c, const struct tm *tm, struct lu_buf *b)
{
	static const char *const day[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday" };
	static const char *const month[] = { "January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December" };

	switch (c) {
	case 'a':
	case 'A': lu_buf_printf(b, "%.*s", c == 'a' ? 3 : 9, day[tm->tm_wday]); return true;
	case 'b':
	case 'B': lu_buf_printf(b, "%.*s", c == 'b' ? 3 : 9, month[tm->tm_mon]); return true;
	case 'd': lu_buf_printf(b, "%02d", tm->tm_mday); return true;
	case 'm': lu_buf_printf(b, "%02d", tm->tm_mon + 1); return true;
	case 'Y': lu_buf_printf(b, "%d", tm->tm_year + 1900); return true;
	case 'y': lu_buf_printf(b, "%02d", tm->tm_year % 100); return true;
	case 'j': lu_buf_printf(b, "%03d", tm->tm_yday + 1); return true;
	case 'H':
	case 'M':
	case 'S': lu_buf_puts(b, "00"); return true;
	case 'I': lu_buf_puts(b, "12"); return true;
	case 'p': lu_buf_puts(b, "AM"); return true;
	case '%': lu_buf_putc(b, '%'); return true;
	default: return false;
	}
}

static bool read_date(struct lu_str date, struct tm *tm)
{
	char text[16] = "";
	int end = 0, day;

	*tm = (struct tm){ .tm_isdst = 0 };
	if (date.n < sizeof(text))
		memcpy(text, date.p, date.n);
	if (sscanf(text, "%4d-%2d-%2d%n", &tm->tm_year, &tm->tm_mon, &tm->tm_mday, &end) != 3 ||
			end != 10 || text[end])
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	day = tm->tm_mday;
	return timegm(tm) != (time_t)-1 && tm->tm_mday == day;
}

bool lu_chat_date_is(struct lu_str date)
{
	struct tm tm;

	return read_date(date, &tm);
}

static int format_date(struct lu_ce *e, const struct lu_ce_args *a, struct lu_cv *out)
{
	struct lu_buf b = { 0 };
	struct tm tm;
	int rc = 0;

	if (!read_date(e->date, &tm))
		rc = lu_cv_fail(&e->x, "the date is not of the form 2026-11-30");
	if (rc == 0 && (a->n != 1 || a->keywords || a->p[0].type != LU_CV_STRING))
		rc = lu_cv_fail(&e->x, "strftime_now() takes a format");
	for (size_t i = 0; rc == 0 && i < a->p[0].s.n; i++) {
		const char *p = a->p[0].s.p + i;

		if (*p != '%')
			lu_buf_putc(&b, *p);
		else if (++i == a->p[0].s.n || !put_directive(p[1], &tm, &b))
			rc = lu_cv_fail(&e->x,
					"strftime_now(): the format '" LU_STR_FMT
					"' is not supported",
					LU_STR_ARG(lu_cv_text(&a->p[0])));
	}
	if (rc == 0)
		rc = lu_cv_copy(&e->x, &b, 0, out);
	lu_buf_release(&b);
	return rc;
}

int lu_ce_function(struct lu_ce *e, unsigned which, const struct lu_ce_args *a, struct lu_cv *out)
{
	struct lu_cv s;

	switch (which) {
	case LU_CN_RANGE: return make_range(e, a, out);
	case LU_CN_STRFTIME: return format_date(e, a, out);
	case LU_CN_RAISE:
		if (a->n != 1 || lu_cv_to_str(&e->x, &a->p[0], &s) < 0)
			return lu_cv_fail(&e->x, "raise_exception() takes a message");
		return lu_cv_fail(&e->x, "the template refuses it: " LU_STR_FMT,
				LU_STR_ARG(lu_cv_text(&s)));
	default: return make_dict(e, which, a, out);
	}
}
