/* The evaluator: statements, names, and what expressions are made of. */
#include <stdlib.h>

#include "libcommon/chat/chat_ast.h"

/* --- variables ---------------------------------------------------------------------------- */

static const struct lu_cv *find(const struct lu_ce *e, unsigned id)
{
	for (const struct lu_ce_scope *s = e->scope; s; s = s->up) {
		for (size_t i = 0; i < s->n; i++) {
			if (s->variable[i].id == id)
				return &s->variable[i].value;
		}
	}
	return NULL;
}

/* Set a variable of the innermost scope. */
static int assign(struct lu_ce *e, unsigned id, struct lu_cv value)
{
	struct lu_ce_scope *s = e->scope;

	for (size_t i = 0; i < s->n; i++) {
		if (s->variable[i].id == id) {
			s->variable[i].value = value;
			return 0;
		}
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 8;
		struct lu_ce_variable *p = lu_cv_alloc(&e->x, cap * sizeof(*p));

		if (!p)
			return -1;
		if (s->n)
			memcpy(p, s->variable, s->n * sizeof(*p));
		s->variable = p;
		s->cap = cap;
	}
	s->variable[s->n++] = (struct lu_ce_variable){ id, value };
	return 0;
}

int lu_ce_set(struct lu_ce *e, struct lu_str name, struct lu_cv value)
{
	for (size_t i = 0; i < e->chat->name.n; i++) {
		if (lu_str_eq(e->chat->name.p[i], name))
			return assign(e, (unsigned)i, value);
	}
	return 0;
}

static int eval_name(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	const struct lu_cv *v = find(e, n->id);
	int function = v ? -1 : lu_cn_function(n->name);

	*out = v ? *v : lu_cv_undefined(n->name);
	/* Without a date there is no function that tells it. */
	if (function >= 0 && (function != LU_CN_STRFTIME || e->date.n))
		*out = (struct lu_cv){ .type = LU_CV_FUNCTION, .i = function };
	return 0;
}

/* Assign a value to a name or, element by element, to several. */
static int assign_to(struct lu_ce *e, const struct lu_cn *target, const struct lu_cv *v)
{
	struct lu_cv_list l;
	const struct lu_cv *ns;

	if (target->kind == LU_CN_NAME)
		return assign(e, target->id, *v);
	if (target->kind == LU_CN_ATTRIBUTE) {
		ns = find(e, target->id);
		if (!ns || ns->type != LU_CV_NAMESPACE)
			return lu_cv_fail(&e->x,
					"'" LU_STR_FMT "' is set in something that is no namespace",
					LU_STR_ARG(target->name));
		return lu_cv_dict_set(&e->x, ns->dict, lu_cv_str(target->name, 0), *v);
	}
	if (lu_cv_elements(&e->x, v, &l) < 0)
		return -1;
	if (l.n != target->kids)
		return lu_cv_fail(&e->x, "%zu values for %zu names", l.n, target->kids);
	for (size_t i = 0; i < l.n; i++) {
		if (assign_to(e, target->kid[i], &l.p[i]) < 0)
			return -1;
	}
	return 0;
}

/* --- calls -------------------------------------------------------------------------------- */

int lu_ce_args(struct lu_ce *e, const struct lu_cn *n, struct lu_ce_args *a)
{
	*a = (struct lu_ce_args){ 0 };
	if (n->kids == 0)
		return 0;
	a->p = lu_cv_alloc(&e->x, n->kids * sizeof(*a->p));
	a->value = lu_cv_alloc(&e->x, n->kids * sizeof(*a->value));
	a->keyword = lu_cv_alloc(&e->x, n->kids * sizeof(*a->keyword));
	if (!a->p || !a->value || !a->keyword)
		return -1;
	for (size_t i = 0; i < n->kids; i++) {
		const struct lu_cn *k = n->kid[i];
		bool named = k->kind == LU_CN_KEYWORD;

		if (lu_ce_eval(e, named ? k->a : k, named ? &a->value[a->keywords] : &a->p[a->n]) <
				0)
			return -1;
		if (named)
			a->keyword[a->keywords++] = k->name;
		else
			a->n++;
	}
	return 0;
}

static int run_all(struct lu_ce *e, const struct lu_cn *n)
{
	for (size_t i = 0; i < n->kids && e->flow == LU_CE_GO; i++) {
		if (lu_ce_run(e, n->kid[i]) < 0)
			return -1;
	}
	return 0;
}

/* Run the statements of n with a list of its own for the output, and join it. */
static int capture(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv_list mine = { 0 }, *before = e->out;
	int rc;

	e->out = &mine;
	rc = run_all(e, n);
	e->out = before;
	return rc < 0 ? -1 : lu_cv_join(&e->x, mine.p, mine.n, out);
}

/* Give a macro its arguments, as variables of its scope. */
static int bind(struct lu_ce *e, const struct lu_cn *macro, const struct lu_ce_args *a)
{
	const struct lu_cn *list = macro->a;
	size_t used = 0;

	if (a->n > list->kids)
		return lu_cv_fail(&e->x, "'" LU_STR_FMT "' takes %zu arguments, it has %zu",
				LU_STR_ARG(macro->name), list->kids, a->n);
	for (size_t i = 0; i < list->kids; i++) {
		const struct lu_cn *k = list->kid[i];
		struct lu_cv v = lu_cv_undefined(k->name);
		bool named = false;

		for (size_t j = 0; j < a->keywords && !named; j++) {
			named = lu_str_eq(a->keyword[j], k->name);
			v = named ? a->value[j] : v;
		}
		used += named;
		if (named && i < a->n)
			return lu_cv_fail(&e->x, "the argument '" LU_STR_FMT "' is given twice",
					LU_STR_ARG(k->name));
		if (i < a->n)
			v = a->p[i];
		else if (!named && k->a && lu_ce_eval(e, k->a, &v) < 0)
			return -1;
		if (assign(e, k->id, v) < 0)
			return -1;
	}
	if (used == a->keywords)
		return 0;
	return lu_cv_fail(&e->x, "'" LU_STR_FMT "' has an argument that it does not know",
			LU_STR_ARG(macro->name));
}

int lu_ce_call_macro(struct lu_ce *e, const struct lu_cn *macro, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	struct lu_ce_scope scope = { .up = e->root }, *before = e->scope;
	unsigned line = e->x.line;
	int rc;

	e->scope = &scope;
	rc = bind(e, macro, a);
	if (rc == 0)
		rc = capture(e, macro, out);
	e->scope = before;
	if (rc == 0)
		e->x.line = line;
	return rc;
}

static int eval_call(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_ce_args a;
	struct lu_cv f;

	if (eval_name(e, n->a, &f) < 0 || lu_ce_args(e, n, &a) < 0)
		return -1;
	if (f.type == LU_CV_FUNCTION)
		return lu_ce_function(e, (unsigned)f.i, &a, out);
	if (f.type == LU_CV_MACRO)
		return lu_ce_call_macro(e, f.macro, &a, out);
	if (f.type == LU_CV_UNDEFINED && lu_str_is(n->name, "strftime_now"))
		return lu_cv_fail(&e->x, "strftime_now() needs a date, and none is given");
	return lu_cv_fail(&e->x, "'" LU_STR_FMT "' is called, it is %s", LU_STR_ARG(n->name),
			lu_cv_type_name(&f));
}

/* --- expressions -------------------------------------------------------------------------- */

static int eval_list(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv v;

	*out = (struct lu_cv){ .type = n->kind == LU_CN_LIST ? LU_CV_LIST : LU_CV_TUPLE };
	out->list = lu_cv_list_new(&e->x);
	if (!out->list)
		return -1;
	for (size_t i = 0; i < n->kids; i++) {
		if (lu_ce_eval(e, n->kid[i], &v) < 0 || lu_cv_list_add(&e->x, out->list, v) < 0)
			return -1;
	}
	return 0;
}

static int eval_dict(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv key, v;

	*out = (struct lu_cv){ .type = LU_CV_DICT };
	out->dict = lu_cv_dict_new(&e->x);
	if (!out->dict)
		return -1;
	for (size_t i = 0; i < n->kids; i += 2) {
		if (lu_ce_eval(e, n->kid[i], &key) < 0 || lu_ce_eval(e, n->kid[i + 1], &v) < 0)
			return -1;
		if (key.type != LU_CV_STRING)
			return lu_cv_fail(&e->x, "%s as a key is not supported",
					lu_cv_type_name(&key));
		if (lu_cv_dict_set(&e->x, out->dict, key, v) < 0)
			return -1;
	}
	return 0;
}

static int eval_compare(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv left, right;
	bool is = true;

	if (lu_ce_eval(e, n->a, &left) < 0)
		return -1;
	for (size_t i = 0; is && i < n->kids; i++) {
		if (lu_ce_eval(e, n->kid[i]->a, &right) < 0 ||
				lu_ce_compare(e, n->kid[i]->op, &left, &right, &is) < 0)
			return -1;
		left = right;
	}
	*out = lu_cv_bool(is);
	return 0;
}

static int eval_concat(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv *piece = lu_cv_alloc(&e->x, n->kids * sizeof(*piece)), v;

	if (!piece)
		return -1;
	for (size_t i = 0; i < n->kids; i++) {
		if (lu_ce_eval(e, n->kid[i], &v) < 0 || lu_cv_to_str(&e->x, &v, &piece[i]) < 0)
			return -1;
	}
	return lu_cv_join(&e->x, piece, n->kids, out);
}

static int eval_slice(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	const struct lu_cn *const part[3] = { n->b, n->c, n->d };
	struct lu_cv v, bound[3];
	const struct lu_cv *given[3] = { NULL, NULL, NULL };

	if (lu_ce_eval(e, n->a, &v) < 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		if (part[i] && lu_ce_eval(e, part[i], &bound[i]) < 0)
			return -1;
		if (part[i] && bound[i].type != LU_CV_NONE)
			given[i] = &bound[i];
	}
	return lu_ce_slice(e, &v, given, out);
}

/* Operations on one or two values. */
static int eval_operation(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv a, b;

	if (lu_ce_eval(e, n->a, &a) < 0 || (n->b && lu_ce_eval(e, n->b, &b) < 0))
		return -1;
	if (n->kind == LU_CN_ATTRIBUTE)
		return lu_ce_attribute(e, &a, n->name, out);
	if (n->kind == LU_CN_ITEM)
		return lu_ce_item(e, &a, &b, out);
	return lu_ce_operation(e, n->op, &a, n->b ? &b : NULL, out);
}

/* Filters, tests and methods: a value and arguments. */
static int eval_applied(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_ce_args a;
	struct lu_cv v;
	bool is;

	if (lu_ce_eval(e, n->a, &v) < 0 || lu_ce_args(e, n, &a) < 0)
		return -1;
	if (n->kind == LU_CN_FILTER)
		return lu_ce_filter(e, n->op, &v, &a, out);
	if (n->kind == LU_CN_METHOD)
		return lu_ce_method(e, n->op, &v, &a, out);
	if (lu_ce_test(e, n->op, &v, &a, &is) < 0)
		return -1;
	*out = lu_cv_bool(is);
	return 0;
}

static int eval_logic(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	struct lu_cv v;

	switch (n->kind) {
	case LU_CN_COND:
		if (lu_ce_eval(e, n->b, &v) < 0)
			return -1;
		if (lu_cv_true(&v))
			return lu_ce_eval(e, n->a, out);
		*out = lu_cv_undefined(LU_STR("the value of an 'if' without 'else'"));
		return n->c ? lu_ce_eval(e, n->c, out) : 0;
	case LU_CN_NOT:
		if (lu_ce_eval(e, n->a, &v) < 0)
			return -1;
		*out = lu_cv_bool(!lu_cv_true(&v));
		return 0;
	default:
		if (lu_ce_eval(e, n->a, out) < 0)
			return -1;
		return lu_cv_true(out) == (n->kind == LU_CN_OR) ? 0 : lu_ce_eval(e, n->b, out);
	}
}

static int eval(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	switch (n->kind) {
	case LU_CN_CONST: *out = n->value; return 0;
	case LU_CN_NAME: return eval_name(e, n, out);
	case LU_CN_LIST:
	case LU_CN_TUPLE: return eval_list(e, n, out);
	case LU_CN_DICT: return eval_dict(e, n, out);
	case LU_CN_COMPARE: return eval_compare(e, n, out);
	case LU_CN_CONCAT: return eval_concat(e, n, out);
	case LU_CN_SLICE: return eval_slice(e, n, out);
	case LU_CN_CALL: return eval_call(e, n, out);
	case LU_CN_FILTER:
	case LU_CN_TEST:
	case LU_CN_METHOD: return eval_applied(e, n, out);
	case LU_CN_OPERATION:
	case LU_CN_ATTRIBUTE:
	case LU_CN_ITEM: return eval_operation(e, n, out);
	default: return eval_logic(e, n, out);
	}
}

int lu_ce_eval(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out)
{
	int rc;

	if (lu_cv_step(&e->x, 1) < 0)
		return -1;
	if (++e->x.depth > LU_CHAT_DEPTH)
		return lu_cv_fail(&e->x, "the template nests more than %d deep", LU_CHAT_DEPTH);
	rc = eval(e, n, out);
	e->x.depth--;
	return rc;
}

/* --- statements --------------------------------------------------------------------------- */

static int write_out(struct lu_ce *e, const struct lu_cv *v)
{
	struct lu_cv s;

	if (lu_cv_to_str(&e->x, v, &s) < 0)
		return -1;
	if (s.s.n == 0)
		return 0;
	if (e->out == &e->main)
		e->written += s.s.n;
	return lu_cv_charge(&e->x, s.s.n) < 0 ? -1 : lu_cv_list_add(&e->x, e->out, s);
}

/* The elements that a loop with a condition keeps. */
static int select_items(struct lu_ce *e, const struct lu_cn *n, struct lu_cv_list *l)
{
	struct lu_ce_scope scope = { .up = e->scope };
	struct lu_cv_list kept = { 0 };
	struct lu_cv v;
	int rc = 0;

	e->scope = &scope;
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		rc = assign_to(e, n->a, &l->p[i]);
		if (rc == 0)
			rc = lu_ce_eval(e, n->c, &v);
		if (rc == 0 && lu_cv_true(&v))
			rc = lu_cv_list_add(&e->x, &kept, l->p[i]);
	}
	e->scope = scope.up;
	*l = kept;
	return rc;
}

static int run_for(struct lu_ce *e, const struct lu_cn *n)
{
	struct lu_cv_loop loop = { .depth = 1 };
	struct lu_ce_scope *outer = e->scope, scope = { .up = outer };
	struct lu_cv_list l;
	struct lu_cv v;
	int rc;

	if (lu_ce_eval(e, n->b, &v) < 0 || lu_cv_elements(&e->x, &v, &l) < 0 ||
			(n->c && select_items(e, n, &l) < 0))
		return -1;
	loop.items = &l;
	rc = l.n == 0 && n->d ? run_all(e, n->d) : 0;
	for (loop.at = 0; rc == 0 && loop.at < l.n && e->flow != LU_CE_BREAK; loop.at++) {
		scope.n = 0;
		e->scope = &scope;
		e->flow = LU_CE_GO;
		rc = lu_cv_step(&e->x, 1);
		if (rc == 0)
			rc = lu_ce_set(e, LU_STR("loop"),
					(struct lu_cv){ .type = LU_CV_LOOP, .loop = &loop });
		if (rc == 0)
			rc = assign_to(e, n->a, &l.p[loop.at]);
		if (rc == 0)
			rc = run_all(e, n);
		e->scope = outer;
	}
	/* A jump in the body of "else" is one of the loop around. */
	if (l.n)
		e->flow = LU_CE_GO;
	return rc;
}

static int run_set(struct lu_ce *e, const struct lu_cn *n)
{
	struct lu_cv v;

	if (n->kind == LU_CN_SET)
		return lu_ce_eval(e, n->b, &v) < 0 ? -1 : assign_to(e, n->a, &v);
	/* The variables that are set inside stay inside. */
	{
		struct lu_ce_scope scope = { .up = e->scope };
		int rc;

		e->scope = &scope;
		rc = capture(e, n, &v);
		e->scope = scope.up;
		if (rc < 0)
			return -1;
	}
	return assign_to(e, n->a, &v);
}

static int run_generation(struct lu_ce *e, const struct lu_cn *n)
{
	struct lu_ce_scope scope = { .up = e->scope };
	struct lu_chat_span span = { .from = e->written };
	int rc;

	e->scope = &scope;
	rc = run_all(e, n);
	e->scope = scope.up;
	span.to = e->written;
	if (rc < 0 || !e->text || span.from == span.to)
		return rc;
	return lu_vec_push(&e->text->generation, span) ? 0 : lu_err_nomem(e->x.err);
}

static int run(struct lu_ce *e, const struct lu_cn *n)
{
	struct lu_cv v;

	switch (n->kind) {
	case LU_CN_TEXT: return write_out(e, &n->value);
	case LU_CN_OUTPUT: return lu_ce_eval(e, n->a, &v) < 0 ? -1 : write_out(e, &v);
	case LU_CN_BODY: return run_all(e, n);
	case LU_CN_IF:
		if (lu_ce_eval(e, n->a, &v) < 0)
			return -1;
		if (lu_cv_true(&v))
			return run_all(e, n);
		return n->b ? lu_ce_run(e, n->b) : 0;
	case LU_CN_FOR: return run_for(e, n);
	case LU_CN_SET:
	case LU_CN_SET_BLOCK: return run_set(e, n);
	case LU_CN_MACRO:
		return assign(e, n->id, (struct lu_cv){ .type = LU_CV_MACRO, .macro = n });
	case LU_CN_GENERATION: return run_generation(e, n);
	default: e->flow = n->kind == LU_CN_BREAK ? LU_CE_BREAK : LU_CE_CONTINUE; return 0;
	}
}

int lu_ce_run(struct lu_ce *e, const struct lu_cn *n)
{
	int rc;

	e->x.line = n->line;
	if (lu_cv_step(&e->x, 1) < 0)
		return -1;
	if (++e->x.depth > LU_CHAT_DEPTH)
		return lu_cv_fail(&e->x, "the template nests more than %d deep", LU_CHAT_DEPTH);
	rc = run(e, n);
	e->x.depth--;
	return rc;
}
