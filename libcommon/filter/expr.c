#include "libcommon/filter/expr.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/filter/expr_parse.h"

enum kind { MISSING, NUMBER, STRING, TRUTH, ARRAY };

struct value {
	enum kind kind;
	bool truth;
	double number;
	struct lu_str bytes; /* STRING: decoded; ARRAY: raw JSON */
};

struct machine {
	const struct lu_expr *e;
	const struct lu_expr_scope *scope;
	struct value stack[LU_EXPR_STACK];
	size_t n;
	struct value left; /* of the last comparison */
	struct lu_err *err;
};

int lu_expr_parse(struct lu_expr **e, const char *text, struct lu_expr_scores scores,
		struct lu_err *err)
{
	*e = calloc(1, sizeof(**e));
	if (!*e)
		return lu_err_nomem(err);
	if (lu_expr_compile(*e, text, scores, err) == 0)
		return 0;
	lu_expr_free(*e);
	*e = NULL;
	return -1;
}

void lu_expr_free(struct lu_expr *e)
{
	if (!e)
		return;
	lu_vec_release(&e->code);
	lu_vec_release(&e->numbers);
	lu_vec_release(&e->strings);
	lu_vec_release(&e->fields);
	lu_vec_release(&e->clauses);
	lu_arena_release(&e->arena);
	free(e);
}

size_t lu_expr_fields(const struct lu_expr *e)
{
	return e->fields.n;
}

const char *lu_expr_field(const struct lu_expr *e, size_t i)
{
	return e->fields.p[i].text;
}

/* --- values ------------------------------------------------------------------------------- */

static struct value number(double v)
{
	return (struct value){ .kind = isfinite(v) ? NUMBER : MISSING, .number = v };
}

static struct value truth(bool v)
{
	return (struct value){ .kind = TRUTH, .truth = v };
}

static bool holds(const struct value *v)
{
	return v->kind == TRUTH && v->truth;
}

/* The value of raw JSON. */
static int from_json(struct machine *m, struct lu_str raw, enum lu_json_type type, struct value *v)
{
	struct lu_json_member member = { .value = raw, .type = type };

	*v = (struct value){ .kind = MISSING };
	switch (type) {
	case LU_JSON_NUMBER:
		/* Beyond the doubles it is still a number, and larger than the others. */
		if (lu_json_double(&member, &v->number))
			*v = number(fmax(-DBL_MAX, fmin(v->number, DBL_MAX)));
		break;
	case LU_JSON_STRING:
		v->kind = STRING;
		if (lu_json_decode(raw, m->scope->arena, &v->bytes) < 0)
			return lu_err_nomem(m->err);
		break;
	case LU_JSON_TRUE:
	case LU_JSON_FALSE: *v = truth(type == LU_JSON_TRUE); break;
	case LU_JSON_ARRAY: *v = (struct value){ .kind = ARRAY, .bytes = raw }; break;
	case LU_JSON_NULL:
	case LU_JSON_OBJECT: break;
	}
	return 0;
}

/* The member `part` of an object; of several the first. 1, 0 if there is none, -1. */
static int find_inside(
		struct machine *m, struct lu_str *raw, enum lu_json_type *type, struct lu_str part)
{
	struct lu_json_iter it = lu_json_iter(*raw);

	if (*type != LU_JSON_OBJECT)
		return 0;
	while (lu_json_next(&it)) {
		struct lu_str key;

		if (lu_json_decode(it.key, m->scope->arena, &key) < 0)
			return lu_err_nomem(m->err);
		if (lu_str_eq(key, part)) {
			*raw = it.value;
			*type = it.type;
			return 1;
		}
	}
	return 0;
}

/* The raw value of a member, or of a member of one. 1, 0 if there is none, -1. */
static int find_field(struct machine *m, size_t index, struct lu_str *raw, enum lu_json_type *type)
{
	const struct lu_expr_member *field = &m->e->fields.p[index];
	const struct lu_json_member *member = lu_json_find(m->scope->obj, field->part[0]);
	int there = member != NULL;

	if (member) {
		*raw = member->value;
		*type = member->type;
	}
	for (size_t i = 1; i < field->parts && there > 0; i++)
		there = find_inside(m, raw, type, field->part[i]);
	return there;
}

static int read_field(struct machine *m, size_t index, struct value *v)
{
	struct lu_str raw;
	enum lu_json_type type;
	int there = find_field(m, index, &raw, &type);

	*v = (struct value){ .kind = MISSING };
	if (there < 0 || (there && from_json(m, raw, type, v) < 0))
		return -1;
	return 0;
}

/* --- operators ---------------------------------------------------------------------------- */

static bool equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == NUMBER)
		return a->number == b->number;
	return a->kind == TRUTH ? a->truth == b->truth : lu_str_eq(a->bytes, b->bytes);
}

static bool compare(enum lu_expr_op op, const struct value *a, const struct value *b)
{
	int order;

	if (a->kind == MISSING || b->kind == MISSING || a->kind == ARRAY || b->kind == ARRAY)
		return false;
	if (op == LU_EX_EQUAL || op == LU_EX_UNEQUAL)
		return equal(a, b) == (op == LU_EX_EQUAL);
	if (a->kind != b->kind || a->kind == TRUTH)
		return false;
	if (a->kind == NUMBER)
		order = (a->number > b->number) - (a->number < b->number);
	else
		order = lu_str_cmp(a->bytes, b->bytes);
	switch (op) {
	case LU_EX_LESS: return order < 0;
	case LU_EX_LESS_EQUAL: return order <= 0;
	case LU_EX_MORE: return order > 0;
	default: return order >= 0;
	}
}

static struct value arithmetic(enum lu_expr_op op, const struct value *a, const struct value *b)
{
	if (a->kind != NUMBER || b->kind != NUMBER)
		return (struct value){ .kind = MISSING };
	switch (op) {
	case LU_EX_ADD: return number(a->number + b->number);
	case LU_EX_SUBTRACT: return number(a->number - b->number);
	case LU_EX_MULTIPLY: return number(a->number * b->number);
	case LU_EX_DIVIDE: return number(a->number / b->number);
	default: return number(fmod(a->number, b->number));
	}
}

/* '*' is any bytes, '?' any character. Only the last '*' is tried again, longer. */
static bool like(struct lu_str s, struct lu_str pattern)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0;

	while (i < s.n) {
		if (k < pattern.n && pattern.p[k] == '*') {
			star = k++;
			from = i;
		} else if (k < pattern.n && pattern.p[k] == '?') {
			k++;
			for (i++; i < s.n && ((unsigned char)s.p[i] & 0xC0) == 0x80;)
				i++;
		} else if (k < pattern.n && pattern.p[k] == s.p[i]) {
			k++;
			i++;
		} else if (star != SIZE_MAX) {
			k = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (k < pattern.n && pattern.p[k] == '*')
		k++;
	return k == pattern.n;
}

/* True if an element of the array equals v. */
static int in_array(
		struct machine *m, const struct value *v, const struct value *array, bool *found)
{
	struct lu_json_iter it = lu_json_iter(array->bytes);

	*found = false;
	while (!*found && lu_json_next(&it)) {
		struct value x;

		if (from_json(m, it.value, it.type, &x) < 0)
			return -1;
		*found = x.kind != MISSING && x.kind != ARRAY && equal(v, &x);
	}
	return 0;
}

/* --- the machine -------------------------------------------------------------------------- */

static struct value *push(struct machine *m, struct value v)
{
	m->stack[m->n] = v;
	return &m->stack[m->n++];
}

/* An object, which has no value to compare, is there, too. */
static int push_has(struct machine *m, size_t index)
{
	struct lu_str raw;
	enum lu_json_type type;
	int there = find_field(m, index, &raw, &type);

	if (there >= 0)
		push(m, truth(there && type != LU_JSON_NULL));
	return there < 0 ? -1 : 0;
}

static int push_read(struct machine *m, struct lu_expr_step step)
{
	struct value v;
	double x = 0;

	switch (step.op) {
	case LU_EX_NUMBER: push(m, number(m->e->numbers.p[step.arg])); return 0;
	case LU_EX_STRING:
		push(m, (struct value){ .kind = STRING, .bytes = m->e->strings.p[step.arg] });
		return 0;
	case LU_EX_MEASURE:
		if (lu_measures_get(m->scope->measures, (enum lu_measure)step.arg, &x, m->err) < 0)
			return -1;
		push(m, number(x));
		return 0;
	case LU_EX_SCORE:
		if (m->scope->score(m->scope->ctx, step.arg, &x, m->err) < 0)
			return -1;
		push(m, number(x));
		return 0;
	case LU_EX_HAS: return push_has(m, step.arg);
	case LU_EX_FIELD:
		if (read_field(m, step.arg, &v) < 0)
			return -1;
		if (m->scope->counts) {
			m->scope->counts[step.arg].reads++;
			m->scope->counts[step.arg].missing += v.kind == MISSING;
		}
		push(m, v);
		return 0;
	default:
		push(m,
				step.op == LU_EX_MISSING ? (struct value){ .kind = MISSING }
							 : truth(step.op == LU_EX_TRUE));
		return 0;
	}
}

/* `in` and `like`: the left side at the bottom, then what belongs to the right one. */
static int member_of(struct machine *m, struct lu_expr_step step)
{
	size_t right = step.op == LU_EX_IN || step.op == LU_EX_NOT_IN ? step.arg : 1;
	struct value *left = &m->stack[m->n - right - 1];
	bool found = false, known = left->kind != MISSING && left->kind != ARRAY;
	bool negated = step.op == LU_EX_NOT_IN || step.op == LU_EX_NOT_IN_ARRAY ||
			step.op == LU_EX_NOT_LIKE;

	m->left = *left;
	switch (step.op) {
	case LU_EX_IN:
	case LU_EX_NOT_IN:
		for (size_t i = 1; i <= right && known && !found; i++)
			found = left[i].kind != MISSING && equal(left, &left[i]);
		break;
	case LU_EX_IN_ARRAY:
	case LU_EX_NOT_IN_ARRAY:
		known &= left[1].kind == ARRAY;
		if (known && in_array(m, left, &left[1], &found) < 0)
			return -1;
		break;
	default:
		known &= left->kind == STRING;
		found = known && like(left->bytes, left[1].bytes);
		break;
	}
	m->n -= right;
	*left = truth(known && found != negated);
	return 0;
}

static void binary(struct machine *m, struct lu_expr_step step)
{
	struct value *a = &m->stack[m->n - 2], *b = &m->stack[m->n - 1];

	m->n--;
	if (step.op >= LU_EX_EQUAL && step.op <= LU_EX_MORE_EQUAL) {
		m->left = *a;
		*a = truth(compare(step.op, a, b));
	} else {
		*a = arithmetic(step.op, a, b);
	}
}

/* One step; *at is the next one. 1 if the clause of this step fails. */
static int run_step(struct machine *m, size_t *at)
{
	struct lu_expr_step step = m->e->code.p[(*at)++];
	struct value *top = m->n ? &m->stack[m->n - 1] : NULL;
	bool decides;

	if (step.op <= LU_EX_MISSING)
		return push_read(m, step);
	switch (step.op) {
	case LU_EX_NEGATE:
		*top = top->kind == NUMBER ? number(-top->number)
					   : (struct value){ .kind = MISSING };
		return 0;
	case LU_EX_NOT: *top = truth(!holds(top)); return 0;
	case LU_EX_AND:
	case LU_EX_OR:
		decides = holds(top) == (step.op == LU_EX_OR);
		if (decides) {
			*top = truth(step.op == LU_EX_OR);
			*at = step.arg;
		} else {
			m->n--;
		}
		return 0;
	case LU_EX_CLAUSE: m->n--; return holds(top) ? 0 : 1;
	case LU_EX_IN:
	case LU_EX_NOT_IN:
	case LU_EX_IN_ARRAY:
	case LU_EX_NOT_IN_ARRAY:
	case LU_EX_LIKE:
	case LU_EX_NOT_LIKE: return member_of(m, step);
	default: binary(m, step); return 0;
	}
}

/* The value as JSON. */
static int to_json(struct machine *m, const struct value *v, struct lu_str *out)
{
	struct lu_buf json = { 0 };
	int rc = -1;

	if (v->kind == NUMBER)
		lu_json_number(&json, v->number);
	else if (v->kind == STRING)
		lu_json_quote(&json, v->bytes);
	else if (v->kind == TRUTH)
		lu_buf_puts(&json, v->truth ? "true" : "false");
	else
		lu_buf_puts(&json, "null");
	if (lu_buf_check(&json, m->err) == 0) {
		*out = lu_arena_str(m->scope->arena, lu_buf_slice(&json));
		rc = out->p ? 0 : lu_err_nomem(m->err);
	}
	lu_buf_release(&json);
	return rc;
}

int lu_expr_judge(const struct lu_expr *e, const struct lu_expr_scope *scope, const char **failed,
		struct lu_str *value, struct lu_err *err)
{
	struct machine m;

	m.e = e;
	m.scope = scope;
	m.n = 0;
	m.err = err;
	m.left = (struct value){ .kind = MISSING };
	*failed = NULL;
	for (size_t at = 0; at < e->code.n;) {
		int rc = run_step(&m, &at);

		if (rc < 0)
			return -1;
		if (rc > 0) {
			*failed = e->clauses.p[e->code.p[at - 1].arg];
			return to_json(&m, &m.left, value);
		}
		if (e->code.p[at - 1].op == LU_EX_CLAUSE)
			m.left = (struct value){ .kind = MISSING };
	}
	return 0;
}
