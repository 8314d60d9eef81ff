#include "libcommon/curves/eval_curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The curve of this name and measure, added behind those of the name; NULL when memory is out. */
static struct lu_eval *find_or_add(
		struct lu_evals *e, struct lu_str name, struct lu_str what, bool language)
{
	size_t at = e->eval.n;
	struct lu_eval new = { .language = language };

	for (size_t i = 0; i < e->eval.n; i++) {
		if (!lu_str_is(name, e->eval.p[i].name))
			continue;
		if (lu_str_is(what, e->eval.p[i].what) && e->eval.p[i].language == language)
			return &e->eval.p[i];
		at = i + 1;
	}
	new.name = strndup(name.p, name.n);
	new.what = strndup(what.p, what.n);
	if (!new.name || !new.what || !lu_vec_push(&e->eval, new)) {
		free(new.name);
		free(new.what);
		return NULL;
	}
	memmove(e->eval.p + at + 1, e->eval.p + at, (e->eval.n - 1 - at) * sizeof(new));
	e->eval.p[at] = new;
	return &e->eval.p[at];
}

static int add_point(struct lu_evals *e, struct lu_str name, struct lu_str what, bool language,
		double step, double y, struct lu_err *err)
{
	struct lu_eval *curve = find_or_add(e, name, what, language);

	return curve ? lu_curve_add(&curve->curve, step, y, err) : lu_err_nomem(err);
}

static bool ends_with(struct lu_str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* A line of a language: bits per byte, or the loss where the bytes are unknown. */
static int add_language(struct lu_evals *e, const struct lu_json_obj *obj, struct lu_str name,
		struct lu_str lang, double step, struct lu_err *err)
{
	const struct lu_json_member *bits = lu_json_get(obj, "bits_per_byte");
	const struct lu_json_member *loss = lu_json_get(obj, "loss");
	double v;

	if ((bits && lu_json_double(bits, &v) && isfinite(v)) ||
			(loss && lu_json_double(loss, &v) && isfinite(v)))
		return add_point(e, name, lang, true, step, v, err);
	return 0;
}

int lu_evals_add(struct lu_evals *e, const struct lu_json_obj *obj, double step,
		struct lu_arena *arena, struct lu_err *err)
{
	const struct lu_json_member *eval = lu_json_get(obj, "eval");
	const struct lu_json_member *lang = lu_json_get(obj, "lang");
	struct lu_str name, language;
	int rc = 0;

	if (lu_json_decode_known(eval->value, eval->escaped, arena, &name) < 0)
		return lu_err_nomem(err);
	if (lang && lang->type == LU_JSON_STRING) {
		if (lu_json_decode_known(lang->value, lang->escaped, arena, &language) < 0)
			return lu_err_nomem(err);
		return add_language(e, obj, name, language, step, err);
	}
	for (size_t i = 0; i < obj->members && rc == 0; i++) {
		const struct lu_json_member *m = &obj->member[i];
		double v;

		if (lu_str_is(m->key, "step") || lu_str_is(m->key, "items") ||
				ends_with(m->key, "_stderr") || !lu_json_double(m, &v) ||
				!isfinite(v))
			continue;
		/* That of whole answers has no bound: 1e33 for a model that knows nothing. */
		if (lu_str_is(m->key, "perplexity"))
			rc = add_point(e, name, LU_STR("log perplexity"), false, step, log(v), err);
		else
			rc = add_point(e, name, m->key, false, step, v, err);
	}
	return rc;
}

void lu_evals_cut(struct lu_evals *e, double step)
{
	for (size_t i = 0; i < e->eval.n; i++)
		lu_curve_cut(&e->eval.p[i].curve, step);
}

double lu_eval_best(const struct lu_eval *e)
{
	bool low = e->language || strcmp(e->what, "log perplexity") == 0;

	return (low ? lu_curve_lowest(&e->curve) : lu_curve_highest(&e->curve)).y;
}

size_t lu_evals_end(const struct lu_evals *e, size_t i)
{
	size_t end = i;

	while (end < e->eval.n && strcmp(e->eval.p[end].name, e->eval.p[i].name) == 0)
		end++;
	return end;
}

void lu_evals_release(struct lu_evals *e)
{
	for (size_t i = 0; i < e->eval.n; i++) {
		free(e->eval.p[i].name);
		free(e->eval.p[i].what);
		lu_curve_release(&e->eval.p[i].curve);
	}
	lu_vec_release(&e->eval);
}

/* --- phases ------------------------------------------------------------------------------- */

int lu_phases_add(struct lu_phases *p, struct lu_str name, double step, struct lu_err *err)
{
	char *copy;

	/* Steps that are made again. */
	while (p->phase.n && p->phase.p[p->phase.n - 1].x >= step)
		free(p->phase.p[--p->phase.n].name);
	if (p->phase.n && lu_str_is(name, p->phase.p[p->phase.n - 1].name))
		return 0;
	copy = strndup(name.p, name.n);
	if (!copy || !lu_vec_push(&p->phase, (struct lu_phase){ copy, step - 1 })) {
		free(copy);
		return lu_err_nomem(err);
	}
	return 0;
}

void lu_phases_release(struct lu_phases *p)
{
	for (size_t i = 0; i < p->phase.n; i++)
		free(p->phase.p[i].name);
	lu_vec_release(&p->phase);
}
