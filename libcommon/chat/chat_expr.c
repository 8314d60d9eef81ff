/* Expressions, by Jinja's grammar and its precedence: filters and tests bind to the operand before
 * them, "~" stronger than "+". */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "libcommon/chat/chat_ast.h"

/* --- helpers ------------------------------------------------------------------------------ */

static bool is_operator(const struct lu_cp *p, const char *text)
{
	return lu_cp_is(p, LU_CT_OPERATOR, text);
}

static bool is_word(const struct lu_cp *p, const char *text)
{
	return lu_cp_is(p, LU_CT_NAME, text);
}

static const struct lu_cn *constant(struct lu_cp *p, struct lu_cv v)
{
	struct lu_cn *n = lu_cp_node(p, LU_CN_CONST);

	if (n)
		n->value = v;
	return n;
}

/* n, whose operand on the left is `left`; NULL where the chain is too long: the evaluation would go that
 * deep. */
static struct lu_cn *chain(struct lu_cp *p, struct lu_cn *n, const struct lu_cn *left)
{
	if (!n || left->height < LU_CP_CHAIN) {
		if (n)
			n->height = left->height + 1;
		return n;
	}
	(void)lu_cp_fail(p, "an expression has more than %d operators in a row", LU_CP_CHAIN);
	return NULL;
}

/* Enter a level of nesting; 0, or -1 at the limit. */
static int enter(struct lu_cp *p)
{
	if (++p->depth <= LU_CP_DEPTH)
		return 0;
	return lu_cp_fail(p, "expressions and blocks are nested more than %d deep", LU_CP_DEPTH);
}

/* --- operands ----------------------------------------------------------------------------- */

/* Elements up to the closing bracket: expressions with commas between them. */
static const struct lu_cn *elements(struct lu_cp *p, struct lu_cn *n, const char *close)
{
	bool pair = n && n->kind == LU_CN_DICT;

	while (n && !is_operator(p, close)) {
		const struct lu_cn *e;

		if (n->kids && lu_cp_expect(p, LU_CT_OPERATOR, ",") < 0)
			return NULL;
		if (is_operator(p, close))
			break;
		e = lu_cp_expression(p, true);
		if (!e || lu_cp_add_kid(p, n, e) < 0)
			return NULL;
		if (!pair)
			continue;
		if (lu_cp_expect(p, LU_CT_OPERATOR, ":") < 0)
			return NULL;
		e = lu_cp_expression(p, true);
		if (!e || lu_cp_add_kid(p, n, e) < 0)
			return NULL;
	}
	return n && lu_cp_expect(p, LU_CT_OPERATOR, close) == 0 ? n : NULL;
}

/* "(a)" is a; "(a,)" and "()" are tuples. */
static const struct lu_cn *parenthesis(struct lu_cp *p)
{
	const struct lu_cn *n;

	if (lu_cp_take(p, LU_CT_OPERATOR, ")"))
		return lu_cp_node(p, LU_CN_TUPLE);
	n = lu_cp_tuple(p, true);
	return n && lu_cp_expect(p, LU_CT_OPERATOR, ")") == 0 ? n : NULL;
}

static const struct lu_cn *number(struct lu_cp *p)
{
	struct lu_str s = lu_cp_token(p)->text;
	struct lu_cv v = { .type = LU_CV_INT };
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 1 < sizeof(text); i++) {
		if (s.p[i] != '_')
			text[n++] = s.p[i];
	}
	text[n] = '\0';
	if (lu_cp_token(p)->type == LU_CT_FLOAT) {
		v.type = LU_CV_FLOAT;
		v.d = strtod(text, NULL);
	} else {
		errno = 0;
		v.i = strtoll(text, NULL, 10);
		if (errno == ERANGE) {
			(void)lu_cp_fail(p, "the number '" LU_STR_FMT "' does not fit 64 bits",
					LU_STR_ARG(s));
			return NULL;
		}
	}
	p->at++;
	return constant(p, v);
}

/* String literals side by side are one. */
static const struct lu_cn *string(struct lu_cp *p)
{
	struct lu_buf b = { 0 };
	struct lu_str s = lu_cp_token(p)->text;

	p->at++;
	if (lu_cp_is(p, LU_CT_STRING, NULL)) {
		lu_buf_str(&b, s);
		for (; lu_cp_is(p, LU_CT_STRING, NULL); p->at++)
			lu_buf_str(&b, lu_cp_token(p)->text);
		s = lu_arena_str(&p->chat->arena, lu_buf_slice(&b));
		if (!lu_buf_ok(&b) || !s.p)
			s.p = NULL;
		lu_buf_release(&b);
		if (!s.p) {
			(void)lu_err_nomem(p->err);
			return NULL;
		}
	}
	return constant(p, lu_cv_str(s, 0));
}

static const struct lu_cn *name(struct lu_cp *p)
{
	static const char *const word[] = { "true", "True", "false", "False", "none", "None" };
	static const char *const refused[] = { "caller", "varargs", "kwargs", "self", "super",
		"cycler", "joiner", "lipsum" };
	struct lu_str s = lu_cp_token(p)->text;
	struct lu_cn *n;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (lu_str_is(s, refused[i])) {
			(void)lu_cp_fail(p, "'%s' is not supported in chat templates", refused[i]);
			return NULL;
		}
	}
	n = lu_cp_node(p, LU_CN_NAME);
	if (!n)
		return NULL;
	n->name = s;
	p->at++;
	for (unsigned i = 0; i < 6; i++) {
		if (lu_str_is(s, word[i]))
			return constant(p, i < 4 ? lu_cv_bool(i < 2) : lu_cv_none());
	}
	n->id = lu_cp_name(p, s);
	return n->id == UINT_MAX ? NULL : n;
}

static const struct lu_cn *primary(struct lu_cp *p)
{
	const struct lu_ct *t = lu_cp_token(p);

	switch (t->type) {
	case LU_CT_NAME: return name(p);
	case LU_CT_STRING: return string(p);
	case LU_CT_INTEGER:
	case LU_CT_FLOAT: return number(p);
	default: break;
	}
	if (lu_cp_take(p, LU_CT_OPERATOR, "("))
		return parenthesis(p);
	if (lu_cp_take(p, LU_CT_OPERATOR, "["))
		return elements(p, lu_cp_node(p, LU_CN_LIST), "]");
	if (lu_cp_take(p, LU_CT_OPERATOR, "{"))
		return elements(p, lu_cp_node(p, LU_CN_DICT), "}");
	(void)lu_cp_fail(p, "a value is expected before '" LU_STR_FMT "'", LU_STR_ARG(t->text));
	return NULL;
}

/* --- what follows an operand -------------------------------------------------------------- */

/* Arguments behind "(" as kids of n. */
static const struct lu_cn *arguments(struct lu_cp *p, struct lu_cn *n)
{
	bool keywords = false;

	for (size_t i = 0; n && !is_operator(p, ")"); i++) {
		const struct lu_cn *e;
		struct lu_cn *k = NULL;

		if (i && lu_cp_expect(p, LU_CT_OPERATOR, ",") < 0)
			return NULL;
		if (is_operator(p, ")"))
			break;
		if (is_operator(p, "*") || is_operator(p, "**")) {
			(void)lu_cp_fail(p, "'*' before an argument is not supported");
			return NULL;
		}
		if (lu_cp_is(p, LU_CT_NAME, NULL) && p->token.p[p->at + 1].type == LU_CT_OPERATOR &&
				lu_str_is(p->token.p[p->at + 1].text, "=")) {
			k = lu_cp_node(p, LU_CN_KEYWORD);
			if (!k)
				return NULL;
			k->name = lu_cp_token(p)->text;
			p->at += 2;
			keywords = true;
		} else if (keywords) {
			(void)lu_cp_fail(p, "an argument without a name follows one with");
			return NULL;
		}
		e = lu_cp_expression(p, true);
		if (k)
			k->a = e;
		if (!e || lu_cp_add_kid(p, n, k ? k : e) < 0)
			return NULL;
	}
	return n && lu_cp_expect(p, LU_CT_OPERATOR, ")") == 0 ? n : NULL;
}

static const struct lu_cn *attribute(struct lu_cp *p, const struct lu_cn *of)
{
	struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_ATTRIBUTE), of);
	const struct lu_ct *t = lu_cp_token(p);

	if (!n)
		return NULL;
	n->a = of;
	if (t->type == LU_CT_INTEGER) {
		n->kind = LU_CN_ITEM;
		n->b = number(p);
		return n->b ? n : NULL;
	}
	if (t->type != LU_CT_NAME)
		return lu_cp_expect(p, LU_CT_NAME, NULL) < 0 ? NULL : n;
	if (t->text.n > 1 && t->text.p[0] == '_' && t->text.p[1] == '_') {
		(void)lu_cp_fail(p, "the attribute '" LU_STR_FMT "' is not supported",
				LU_STR_ARG(t->text));
		return NULL;
	}
	n->name = t->text;
	p->at++;
	return n;
}

/* "[b]" or "[b:c:d]". */
static const struct lu_cn *subscript(struct lu_cp *p, const struct lu_cn *of)
{
	struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_ITEM), of);
	const struct lu_cn *bound[3] = { NULL, NULL, NULL };
	int k = 0;

	if (!n)
		return NULL;
	while (!is_operator(p, "]")) {
		if (k < 2 && lu_cp_take(p, LU_CT_OPERATOR, ":")) {
			k++;
			n->kind = LU_CN_SLICE;
			continue;
		}
		if (bound[k])
			return lu_cp_expect(p, LU_CT_OPERATOR, "]") < 0 ? NULL : n;
		bound[k] = lu_cp_expression(p, true);
		if (!bound[k])
			return NULL;
	}
	p->at++;
	n->a = of;
	n->b = bound[0];
	n->c = bound[1];
	n->d = bound[2];
	if (n->kind == LU_CN_SLICE || n->b)
		return n;
	(void)lu_cp_fail(p, "nothing stands between '[' and ']'");
	return NULL;
}

static const struct lu_cn *call(struct lu_cp *p, const struct lu_cn *of)
{
	struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_CALL), of);
	int method;

	if (!n)
		return NULL;
	if (of->kind == LU_CN_ATTRIBUTE) {
		method = lu_cn_method(of->name);
		if (method < 0) {
			(void)lu_cp_fail(p, "the method '" LU_STR_FMT "' is not supported",
					LU_STR_ARG(of->name));
			return NULL;
		}
		n->kind = LU_CN_METHOD;
		n->op = (unsigned)method;
		n->name = of->name;
		n->a = of->a;
	} else if (of->kind == LU_CN_NAME) {
		n->a = of;
		n->name = of->name;
	} else {
		(void)lu_cp_fail(p, "a call of something without a name is not supported");
		return NULL;
	}
	return arguments(p, n);
}

static const struct lu_cn *postfix(struct lu_cp *p, const struct lu_cn *n)
{
	while (n) {
		if (lu_cp_take(p, LU_CT_OPERATOR, "."))
			n = attribute(p, n);
		else if (lu_cp_take(p, LU_CT_OPERATOR, "["))
			n = subscript(p, n);
		else if (lu_cp_take(p, LU_CT_OPERATOR, "("))
			n = call(p, n);
		else
			break;
	}
	return n;
}

/* --- filters and tests -------------------------------------------------------------------- */

/* A node for the filter or test whose name is the current token; `which` is its number, or below 0. */
static struct lu_cn *named(struct lu_cp *p, enum lu_cn_kind kind, const struct lu_cn *of, int which)
{
	struct lu_cn *n = chain(p, lu_cp_node(p, kind), of);
	struct lu_str s = lu_cp_token(p)->text;

	if (!n)
		return NULL;
	if (which < 0 || !lu_cp_is(p, LU_CT_NAME, NULL)) {
		(void)lu_cp_fail(p, "the %s '" LU_STR_FMT "' is not supported",
				kind == LU_CN_TEST ? "test" : "filter", LU_STR_ARG(s));
		return NULL;
	}
	p->at++;
	n->a = of;
	n->op = (unsigned)which;
	n->name = s;
	return n;
}

static const struct lu_cn *filter(struct lu_cp *p, const struct lu_cn *of)
{
	struct lu_cn *n = named(p, LU_CN_FILTER, of, lu_cn_filter(lu_cp_token(p)->text));

	return n && lu_cp_take(p, LU_CT_OPERATOR, "(") ? arguments(p, n) : n;
}

/* True if an operand follows a test without parentheses: "is divisibleby 3". */
static bool operand_follows(const struct lu_cp *p)
{
	switch (lu_cp_token(p)->type) {
	case LU_CT_STRING:
	case LU_CT_INTEGER:
	case LU_CT_FLOAT: return true;
	case LU_CT_NAME:
		return !is_word(p, "else") && !is_word(p, "or") && !is_word(p, "and") &&
				!is_word(p, "if") && !is_word(p, "is") && !is_word(p, "in") &&
				!is_word(p, "not");
	default: return is_operator(p, "[") || is_operator(p, "{");
	}
}

static const struct lu_cn *test(struct lu_cp *p, const struct lu_cn *of)
{
	bool negated = lu_cp_take(p, LU_CT_NAME, "not");
	struct lu_cn *n = named(p, LU_CN_TEST, of, lu_cn_test(lu_cp_token(p)->text)), *no;
	const struct lu_cn *operand;

	if (!n)
		return NULL;
	if (lu_cp_take(p, LU_CT_OPERATOR, "(")) {
		if (!arguments(p, n))
			return NULL;
	} else if (operand_follows(p)) {
		operand = postfix(p, primary(p));
		if (!operand || lu_cp_add_kid(p, n, operand) < 0)
			return NULL;
	}
	if (!negated)
		return n;
	no = chain(p, lu_cp_node(p, LU_CN_NOT), n);
	if (no)
		no->a = n;
	return no;
}

/* --- operators ---------------------------------------------------------------------------- */

/* `filtered`: filters and tests follow the operand. */
static const struct lu_cn *unary(struct lu_cp *p, bool filtered)
{
	bool minus = is_operator(p, "-");
	const struct lu_cn *n;
	struct lu_cn *sign;

	if (minus || is_operator(p, "+")) {
		sign = lu_cp_node(p, LU_CN_OPERATION);
		p->at++;
		if (!sign || enter(p) < 0)
			return NULL;
		sign->op = minus ? LU_CN_MINUS : LU_CN_PLUS;
		sign->a = unary(p, false);
		p->depth--;
		n = sign->a ? sign : NULL;
	} else {
		n = postfix(p, primary(p));
	}
	while (n && filtered) {
		if (lu_cp_take(p, LU_CT_OPERATOR, "|"))
			n = filter(p, n);
		else if (lu_cp_take(p, LU_CT_NAME, "is"))
			n = test(p, n);
		else
			break;
	}
	if (n && is_operator(p, "**")) {
		(void)lu_cp_fail(p, "'**' is not supported");
		return NULL;
	}
	return n;
}

struct level {
	const char *sign[5];
	unsigned op[4];
};

/* The operator of the level that is the current token; -1: none. */
static int operator_of(const struct lu_cp *p, const struct level *l)
{
	for (int i = 0; l->sign[i]; i++) {
		if (is_operator(p, l->sign[i]))
			return (int)l->op[i];
	}
	return -1;
}

static const struct lu_cn *product(struct lu_cp *p)
{
	static const struct level level = { { "*", "/", "//", "%", NULL },
		{ LU_CN_MULTIPLY, LU_CN_DIVIDE, LU_CN_FLOOR_DIVIDE, LU_CN_MODULO } };
	const struct lu_cn *left = unary(p, true);
	int op;

	while (left && (op = operator_of(p, &level)) >= 0) {
		struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_OPERATION), left);

		p->at++;
		if (!n)
			return NULL;
		n->op = (unsigned)op;
		n->a = left;
		n->b = unary(p, true);
		left = n->b ? n : NULL;
	}
	return left;
}

static const struct lu_cn *concatenation(struct lu_cp *p)
{
	const struct lu_cn *left = product(p);
	struct lu_cn *n;

	if (!left || !is_operator(p, "~"))
		return left;
	n = lu_cp_node(p, LU_CN_CONCAT);
	while (n && left) {
		if (lu_cp_add_kid(p, n, left) < 0)
			return NULL;
		if (!lu_cp_take(p, LU_CT_OPERATOR, "~"))
			return n;
		left = product(p);
	}
	return NULL;
}

static const struct lu_cn *sum(struct lu_cp *p)
{
	static const struct level level = { { "+", "-", NULL }, { LU_CN_ADD, LU_CN_SUBTRACT } };
	const struct lu_cn *left = concatenation(p);
	int op;

	while (left && (op = operator_of(p, &level)) >= 0) {
		struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_OPERATION), left);

		p->at++;
		if (!n)
			return NULL;
		n->op = (unsigned)op;
		n->a = left;
		n->b = concatenation(p);
		left = n->b ? n : NULL;
	}
	return left;
}

/* The comparison that is the current token, which is skipped; -1: none. */
static int comparison_of(struct lu_cp *p)
{
	static const char *const sign[] = { "==", "!=", "<", "<=", ">", ">=" };

	for (int i = 0; i < 6; i++) {
		if (lu_cp_take(p, LU_CT_OPERATOR, sign[i]))
			return LU_CN_EQ + i;
	}
	if (lu_cp_take(p, LU_CT_NAME, "in"))
		return LU_CN_IN;
	if (is_word(p, "not") && p->token.p[p->at + 1].type == LU_CT_NAME &&
			lu_str_is(p->token.p[p->at + 1].text, "in")) {
		p->at += 2;
		return LU_CN_NOT_IN;
	}
	return -1;
}

static const struct lu_cn *comparison(struct lu_cp *p)
{
	const struct lu_cn *left = sum(p);
	struct lu_cn *n = NULL;
	int op;

	while (left && (op = comparison_of(p)) >= 0) {
		struct lu_cn *operand = lu_cp_node(p, LU_CN_KEYWORD);

		if (!n) {
			n = lu_cp_node(p, LU_CN_COMPARE);
			if (n)
				n->a = left;
		}
		if (!n || !operand)
			return NULL;
		operand->op = (unsigned)op;
		operand->a = sum(p);
		if (!operand->a || lu_cp_add_kid(p, n, operand) < 0)
			return NULL;
	}
	return n && left ? n : left;
}

static const struct lu_cn *negation(struct lu_cp *p)
{
	struct lu_cn *n;

	if (!is_word(p, "not"))
		return comparison(p);
	n = lu_cp_node(p, LU_CN_NOT);
	p->at++;
	if (!n || enter(p) < 0)
		return NULL;
	n->a = negation(p);
	p->depth--;
	return n->a ? n : NULL;
}

/* "a or b or c", of operands that are "a and b", of negations. */
static const struct lu_cn *logic(struct lu_cp *p, bool is_or)
{
	const struct lu_cn *left = is_or ? logic(p, false) : negation(p);

	while (left && lu_cp_take(p, LU_CT_NAME, is_or ? "or" : "and")) {
		struct lu_cn *n = chain(p, lu_cp_node(p, is_or ? LU_CN_OR : LU_CN_AND), left);

		if (!n)
			return NULL;
		n->a = left;
		n->b = is_or ? logic(p, false) : negation(p);
		left = n->b ? n : NULL;
	}
	return left;
}

const struct lu_cn *lu_cp_expression(struct lu_cp *p, bool condition)
{
	const struct lu_cn *left;

	if (enter(p) < 0)
		return NULL;
	left = logic(p, true);
	while (left && condition && is_word(p, "if")) {
		struct lu_cn *n = chain(p, lu_cp_node(p, LU_CN_COND), left);

		p->at++;
		if (!n)
			return NULL;
		n->a = left;
		n->b = logic(p, true);
		if (n->b && lu_cp_take(p, LU_CT_NAME, "else")) {
			n->c = lu_cp_expression(p, true);
			left = n->c ? n : NULL;
		} else {
			left = n->b ? n : NULL;
		}
	}
	p->depth--;
	return left;
}

const struct lu_cn *lu_cp_tuple(struct lu_cp *p, bool condition)
{
	const struct lu_cn *first = lu_cp_expression(p, condition);
	struct lu_cn *n;

	if (!first || !is_operator(p, ","))
		return first;
	n = lu_cp_node(p, LU_CN_TUPLE);
	if (!n || lu_cp_add_kid(p, n, first) < 0)
		return NULL;
	while (lu_cp_take(p, LU_CT_OPERATOR, ",")) {
		const struct lu_cn *e;

		if (lu_cp_token(p)->type == LU_CT_VARIABLE_END ||
				lu_cp_token(p)->type == LU_CT_BLOCK_END || is_operator(p, ")"))
			break;
		e = lu_cp_expression(p, condition);
		if (!e || lu_cp_add_kid(p, n, e) < 0)
			return NULL;
	}
	return n;
}
