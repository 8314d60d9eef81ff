#include "libcommon/chat/chat_value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"

/* Dicts with more members have an index. */
#define FEW 16

/* --- the context -------------------------------------------------------------------------- */

void lu_cv_release(struct lu_cv_ctx *x)
{
	lu_arena_release(&x->arena);
}

int lu_cv_fail(struct lu_cv_ctx *x, const char *fmt, ...)
{
	char text[sizeof(x->err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (x->line == 0)
		return lu_err_set(x->err, "%s: %s", x->name, text);
	return lu_err_set(x->err, "%s:%u: %s", x->name, x->line, text);
}

int lu_cv_charge(struct lu_cv_ctx *x, size_t n)
{
	if (n > x->limit - x->bytes)
		return lu_cv_fail(x, "the template needs more memory than is allowed");
	x->bytes += n;
	return 0;
}

int lu_cv_step(struct lu_cv_ctx *x, size_t n)
{
	x->steps += n;
	if (x->steps <= LU_CHAT_STEPS)
		return 0;
	return lu_cv_fail(x, "the template takes more than %d steps", LU_CHAT_STEPS);
}

void *lu_cv_alloc(struct lu_cv_ctx *x, size_t n)
{
	void *p;

	if (lu_cv_charge(x, n + 16) < 0)
		return NULL;
	p = lu_arena_alloc(&x->arena, n);
	if (!p)
		(void)lu_err_nomem(x->err);
	return p;
}

/* --- lists and dicts ---------------------------------------------------------------------- */

struct lu_cv_list *lu_cv_list_new(struct lu_cv_ctx *x)
{
	struct lu_cv_list *l = lu_cv_alloc(x, sizeof(*l));

	if (l)
		*l = (struct lu_cv_list){ 0 };
	return l;
}

int lu_cv_list_add(struct lu_cv_ctx *x, struct lu_cv_list *l, struct lu_cv v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 8;
		struct lu_cv *p = lu_cv_alloc(x, cap * sizeof(*p));

		if (!p)
			return -1;
		if (l->n)
			memcpy(p, l->p, l->n * sizeof(*p));
		l->p = p;
		l->cap = cap;
	}
	l->p[l->n++] = v;
	return 0;
}

struct lu_cv_dict *lu_cv_dict_new(struct lu_cv_ctx *x)
{
	struct lu_cv_dict *d = lu_cv_alloc(x, sizeof(*d));

	if (d)
		*d = (struct lu_cv_dict){ 0 };
	return d;
}

static size_t slot_of(const struct lu_cv_dict *d, struct lu_str key)
{
	return (size_t)lu_hash64(key.p, key.n, 0) & (d->slots - 1);
}

static size_t find(const struct lu_cv_dict *d, struct lu_str key)
{
	if (d->slot) {
		for (size_t at = slot_of(d, key); d->slot[at]; at = (at + 1) & (d->slots - 1)) {
			if (lu_str_eq(lu_cv_text(&d->p[d->slot[at] - 1].key), key))
				return d->slot[at] - 1;
		}
		return SIZE_MAX;
	}
	for (size_t i = 0; i < d->n; i++) {
		if (lu_str_eq(lu_cv_text(&d->p[i].key), key))
			return i;
	}
	return SIZE_MAX;
}

static void put_slot(struct lu_cv_dict *d, size_t i)
{
	size_t at = slot_of(d, lu_cv_text(&d->p[i].key));

	while (d->slot[at])
		at = (at + 1) & (d->slots - 1);
	d->slot[at] = (uint32_t)i + 1;
}

/* Make room for one more member. */
static int grow(struct lu_cv_ctx *x, struct lu_cv_dict *d)
{
	size_t cap = d->cap ? 2 * d->cap : 8;
	struct lu_cv_pair *p;

	if (d->n < d->cap)
		return 0;
	if (cap > UINT32_MAX / 4)
		return lu_cv_fail(x, "an object has too many members");
	p = lu_cv_alloc(x, cap * sizeof(*p));
	if (!p)
		return -1;
	if (d->n)
		memcpy(p, d->p, d->n * sizeof(*p));
	d->p = p;
	d->cap = cap;
	if (cap <= FEW)
		return 0;
	d->slots = 2 * cap;
	d->slot = lu_cv_alloc(x, d->slots * sizeof(*d->slot));
	if (!d->slot)
		return -1;
	memset(d->slot, 0, d->slots * sizeof(*d->slot));
	for (size_t i = 0; i < d->n; i++)
		put_slot(d, i);
	return 0;
}

int lu_cv_dict_set(struct lu_cv_ctx *x, struct lu_cv_dict *d, struct lu_cv key, struct lu_cv value)
{
	size_t i = find(d, lu_cv_text(&key));

	if (i != SIZE_MAX) {
		d->p[i].value = value;
		return 0;
	}
	if (grow(x, d) < 0)
		return -1;
	d->p[d->n] = (struct lu_cv_pair){ key, value };
	if (d->slot)
		put_slot(d, d->n);
	d->n++;
	return 0;
}

const struct lu_cv *lu_cv_dict_get(const struct lu_cv_dict *d, struct lu_str key)
{
	size_t i = find(d, key);

	return i == SIZE_MAX ? NULL : &d->p[i].value;
}

/* --- strings ------------------------------------------------------------------------------ */

struct lu_cv lu_cv_slice(const struct lu_cv *s, size_t from, size_t to)
{
	struct lu_cv v = *s;

	v.s.p += from;
	v.s.n = to - from;
	if (v.s.from)
		v.s.from += from;
	return v;
}

uint16_t lu_cv_origin(const struct lu_cv *s)
{
	for (size_t i = 0; s->s.from && i < s->s.n; i++) {
		if (s->s.from[i])
			return s->s.from[i];
	}
	return s->s.from ? 0 : s->s.origin;
}

int lu_cv_join(struct lu_cv_ctx *x, const struct lu_cv *piece, size_t n, struct lu_cv *out)
{
	size_t total = 0, last = 0, full = 0;
	bool mixed = false;
	uint16_t *from = NULL;
	char *p;

	for (size_t i = 0; i < n; i++) {
		if (piece[i].s.n == 0)
			continue;
		if (full++ &&
				(piece[i].s.from || piece[last].s.from ||
						piece[i].s.origin != piece[last].s.origin))
			mixed = true;
		last = i;
		total += piece[i].s.n;
		if (total > x->limit)
			return lu_cv_charge(x, total);
	}
	if (full <= 1) {
		*out = full ? piece[last] : lu_cv_str(LU_STR(""), 0);
		out->s.markup = false;
		return 0;
	}
	p = lu_cv_alloc(x, total);
	if (p && mixed)
		from = lu_cv_alloc(x, total * sizeof(*from));
	if (!p || (mixed && !from))
		return -1;
	*out = lu_cv_str((struct lu_str){ p, total }, piece[last].s.origin);
	out->s.from = from;
	for (size_t i = 0, at = 0; i < n; at += piece[i++].s.n) {
		if (piece[i].s.n)
			memcpy(p + at, piece[i].s.p, piece[i].s.n);
		for (size_t k = 0; mixed && k < piece[i].s.n; k++)
			from[at + k] = piece[i].s.from ? piece[i].s.from[k] : piece[i].s.origin;
	}
	return 0;
}

int lu_cv_copy(struct lu_cv_ctx *x, const struct lu_buf *b, uint16_t origin, struct lu_cv *out)
{
	char *p;

	if (!lu_buf_ok(b))
		return lu_err_nomem(x->err);
	p = lu_cv_alloc(x, b->n);
	if (!p)
		return -1;
	if (b->n)
		memcpy(p, b->p, b->n);
	*out = lu_cv_str((struct lu_str){ p, b->n }, origin);
	return 0;
}

/* --- meaning ------------------------------------------------------------------------------ */

const char *lu_cv_type_name(const struct lu_cv *v)
{
	static const char *const name[] = { "an undefined value", "None", "a boolean", "an integer",
		"a float", "a string", "a list", "a tuple", "an object", "a namespace", "a macro",
		"a function", "a method", "a loop" };

	return name[v->type];
}

bool lu_cv_true(const struct lu_cv *v)
{
	switch (v->type) {
	case LU_CV_UNDEFINED:
	case LU_CV_NONE: return false;
	case LU_CV_BOOL: return v->b;
	case LU_CV_INT: return v->i != 0;
	case LU_CV_FLOAT: return v->d < 0 || v->d > 0;
	case LU_CV_STRING: return v->s.n > 0;
	case LU_CV_LIST:
	case LU_CV_TUPLE: return v->list->n > 0;
	case LU_CV_DICT: return v->dict->n > 0;
	default: return true;
	}
}

bool lu_cv_integer(const struct lu_cv *v, int64_t *out)
{
	*out = v->type == LU_CV_BOOL ? v->b : v->type == LU_CV_INT ? v->i : 0;
	return v->type == LU_CV_BOOL || v->type == LU_CV_INT;
}

bool lu_cv_number(const struct lu_cv *v, double *out)
{
	int64_t i;

	*out = v->type == LU_CV_FLOAT ? v->d : lu_cv_integer(v, &i) ? (double)i : 0;
	return v->type == LU_CV_BOOL || v->type == LU_CV_INT || v->type == LU_CV_FLOAT;
}

static int compare_numbers(const struct lu_cv *a, const struct lu_cv *b)
{
	int64_t i, k;
	double d, e;

	if (lu_cv_integer(a, &i) && lu_cv_integer(b, &k))
		return (i > k) - (i < k);
	lu_cv_number(a, &d);
	lu_cv_number(b, &e);
	return (d > e) - (d < e);
}

static int equal_dicts(struct lu_cv_ctx *x, const struct lu_cv_dict *a, const struct lu_cv_dict *b,
		bool *out)
{
	*out = a->n == b->n;
	for (size_t i = 0; *out && i < a->n; i++) {
		const struct lu_cv *v = lu_cv_dict_get(b, lu_cv_text(&a->p[i].key));

		*out = v != NULL;
		if (v && lu_cv_equal(x, &a->p[i].value, v, out) < 0)
			return -1;
	}
	return 0;
}

static int equal_lists(struct lu_cv_ctx *x, const struct lu_cv_list *a, const struct lu_cv_list *b,
		bool *out)
{
	*out = a->n == b->n;
	for (size_t i = 0; *out && i < a->n; i++) {
		if (lu_cv_equal(x, &a->p[i], &b->p[i], out) < 0)
			return -1;
	}
	return 0;
}

int lu_cv_equal(struct lu_cv_ctx *x, const struct lu_cv *a, const struct lu_cv *b, bool *out)
{
	double d;
	int rc = lu_cv_step(x, 1);

	*out = false;
	if (rc < 0 || (lu_cv_number(a, &d) && lu_cv_number(b, &d))) {
		*out = rc == 0 && compare_numbers(a, b) == 0;
		return rc;
	}
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case LU_CV_STRING: *out = lu_str_eq(lu_cv_text(a), lu_cv_text(b)); break;
	case LU_CV_LIST:
	case LU_CV_TUPLE:
	case LU_CV_DICT:
		if (++x->depth > LU_CHAT_DEPTH)
			return lu_cv_fail(x, "values are nested too deep");
		rc = a->type == LU_CV_DICT ? equal_dicts(x, a->dict, b->dict, out)
					   : equal_lists(x, a->list, b->list, out);
		x->depth--;
		break;
	case LU_CV_NAMESPACE: *out = a->dict == b->dict; break;
	case LU_CV_MACRO: *out = a->macro == b->macro; break;
	default: *out = a->type == LU_CV_NONE || a->type == LU_CV_UNDEFINED; break;
	}
	return rc;
}

int lu_cv_order(struct lu_cv_ctx *x, const struct lu_cv *a, const struct lu_cv *b, int *out)
{
	double d;

	if (lu_cv_number(a, &d) && lu_cv_number(b, &d))
		*out = compare_numbers(a, b);
	else if (a->type == LU_CV_STRING && b->type == LU_CV_STRING)
		*out = lu_str_cmp(lu_cv_text(a), lu_cv_text(b));
	else
		return lu_cv_fail(x, "%s and %s have no order", lu_cv_type_name(a),
				lu_cv_type_name(b));
	return lu_cv_step(x, 1);
}

static int characters(struct lu_cv_ctx *x, const struct lu_cv *v, struct lu_cv_list *out)
{
	const char *p = v->s.p, *end = p + v->s.n;

	while (p < end) {
		size_t at = (size_t)(p - v->s.p);

		lu_utf8_next(&p);
		if (lu_cv_list_add(x, out, lu_cv_slice(v, at, (size_t)(p - v->s.p))) < 0)
			return -1;
	}
	return 0;
}

int lu_cv_elements(struct lu_cv_ctx *x, const struct lu_cv *v, struct lu_cv_list *out)
{
	*out = (struct lu_cv_list){ 0 };
	switch (v->type) {
	case LU_CV_UNDEFINED: return 0;
	case LU_CV_STRING: return characters(x, v, out);
	case LU_CV_LIST:
	case LU_CV_TUPLE:
		*out = *v->list;
		/* Full: whoever adds to it gets a copy. */
		out->cap = out->n;
		return 0;
	case LU_CV_DICT:
		for (size_t i = 0; i < v->dict->n; i++) {
			if (lu_cv_list_add(x, out, v->dict->p[i].key) < 0)
				return -1;
		}
		return 0;
	default: return lu_cv_fail(x, "%s has no elements", lu_cv_type_name(v));
	}
}

int lu_cv_length(struct lu_cv_ctx *x, const struct lu_cv *v, int64_t *out)
{
	switch (v->type) {
	case LU_CV_UNDEFINED: *out = 0; return 0;
	case LU_CV_STRING:
		*out = (int64_t)lu_utf8_count(v->s.p, v->s.n);
		return lu_cv_step(x, v->s.n / 64);
	case LU_CV_LIST:
	case LU_CV_TUPLE: *out = (int64_t)v->list->n; return 0;
	case LU_CV_DICT: *out = (int64_t)v->dict->n; return 0;
	default: return lu_cv_fail(x, "%s has no length", lu_cv_type_name(v));
	}
}
