#include "libcommon/filter/expr_parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/suggest.h"
#include "libcommon/base/utf8.h"

#define DEPTH 48 /* of parentheses, `not` and signs */

enum type { ANY, NUMBER, STRING, BOOLEAN }; /* ANY: a member, known when it is read */

struct parser {
	struct lu_expr *e;
	struct lu_expr_scores scores;
	const char *text, *p;
	size_t depth, stack; /* nesting; values on the machine's stack */
	struct lu_err *err;
};

/* --- words -------------------------------------------------------------------------------- */

static void skip_blanks(struct parser *s)
{
	while (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')
		s->p++;
}

static int fail_at(struct parser *s, const char *at, const char *what)
{
	return lu_err_set(s->err, "column %zu: %s",
			lu_utf8_count(s->text, (size_t)(at - s->text)) + 1, what);
}

/* "column 7: a value was expected, not ')'" */
static int expected(struct parser *s, const char *what)
{
	char text[160];
	size_t n = 1;

	if (!*s->p) {
		snprintf(text, sizeof(text), "%s was expected, not the end", what);
		return fail_at(s, s->p, text);
	}
	while (isalnum((unsigned char)s->p[0]) && isalnum((unsigned char)s->p[n]) && n < 30)
		n++;
	while (((unsigned char)s->p[n] & 0xC0) == 0x80)
		n++;
	snprintf(text, sizeof(text), "%s was expected, not '%.*s'", what, (int)n, s->p);
	return fail_at(s, s->p, text);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Take a punctuation mark. */
static bool take(struct parser *s, const char *mark)
{
	skip_blanks(s);
	if (strncmp(s->p, mark, strlen(mark)) != 0)
		return false;
	s->p += strlen(mark);
	return true;
}

static bool is_word(const char *p, const char *word)
{
	size_t n = strlen(word);

	return strncmp(p, word, n) == 0 && !is_name(p[n]) && p[n] != '.';
}

static bool take_word(struct parser *s, const char *word)
{
	skip_blanks(s);
	if (!is_word(s->p, word))
		return false;
	s->p += strlen(word);
	return true;
}

/* Take two words; nothing if the second is not there. */
static bool take_words(struct parser *s, const char *first, const char *second)
{
	const char *start = s->p;

	if (take_word(s, first) && take_word(s, second))
		return true;
	s->p = start;
	return false;
}

/* --- the program -------------------------------------------------------------------------- */

/* Append a step that pops `pops` values and pushes one. */
static int emit(struct parser *s, enum lu_expr_op op, size_t arg, size_t pops)
{
	s->stack = s->stack - pops + 1;
	if (s->stack > LU_EXPR_STACK || arg > UINT32_MAX)
		return fail_at(s, s->p, "the expression is too long; split it into several --expr");
	if (!lu_vec_push(&s->e->code, (struct lu_expr_step){ op, (uint32_t)arg }))
		return lu_err_nomem(s->err);
	return 0;
}

static int keep(struct parser *s, struct lu_str bytes, struct lu_str *kept)
{
	*kept = lu_arena_str(&s->e->arena, bytes);
	return kept->p ? 0 : lu_err_nomem(s->err);
}

static int keep_text(struct parser *s, const char *from, const char *to, const char **text)
{
	char *copy = lu_arena_alloc(&s->e->arena, (size_t)(to - from) + 1);

	if (!copy)
		return lu_err_nomem(s->err);
	memcpy(copy, from, (size_t)(to - from));
	copy[to - from] = '\0';
	*text = copy;
	return 0;
}

/* --- values ------------------------------------------------------------------------------- */

/* A string in either kind of quotes. */
static int string(struct parser *s, struct lu_str *out)
{
	const char *start = s->p;
	struct lu_buf b = { 0 };
	char quote = *s->p++;
	int rc = -1;

	for (; *s->p && *s->p != quote; s->p++) {
		if (*s->p != '\\') {
			lu_buf_putc(&b, *s->p);
			continue;
		}
		s->p++;
		if (*s->p == 'n' || *s->p == 't') {
			lu_buf_putc(&b, *s->p == 'n' ? '\n' : '\t');
		} else if (*s->p && strchr("\\\"'", *s->p)) {
			lu_buf_putc(&b, *s->p);
		} else {
			fail_at(s, s->p - 1, "one of \\\\ \\\" \\' \\n \\t was expected");
			goto out;
		}
	}
	if (!*s->p) {
		fail_at(s, start, "the string that begins here has no end");
		goto out;
	}
	s->p++;
	if (lu_buf_check(&b, s->err) == 0)
		rc = keep(s, lu_buf_slice(&b), out);
out:
	lu_buf_release(&b);
	return rc;
}

static int push_string(struct parser *s)
{
	struct lu_str v;

	if (string(s, &v) < 0)
		return -1;
	if (!lu_vec_push(&s->e->strings, v))
		return lu_err_nomem(s->err);
	return emit(s, LU_EX_STRING, s->e->strings.n - 1, 0);
}

static int push_number(struct parser *s)
{
	char digits[64];
	const char *p = s->p;
	size_t n;
	double v;

	while (isalnum((unsigned char)*p) || *p == '.' ||
			((*p == '-' || *p == '+') && (p[-1] == 'e' || p[-1] == 'E')))
		p++;
	n = (size_t)(p - s->p);
	if (n >= sizeof(digits))
		return fail_at(s, s->p, "the number is too long");
	memcpy(digits, s->p, n);
	digits[n] = '\0';
	if (lu_num_double(digits, &v, s->err) < 0)
		return expected(s, "a number");
	s->p = p;
	if (!lu_vec_push(&s->e->numbers, v))
		return lu_err_nomem(s->err);
	return emit(s, LU_EX_NUMBER, s->e->numbers.n - 1, 0);
}

/* One part of a path: a name, or a string after a dot. */
static int path_part(struct parser *s, struct lu_expr_member *m)
{
	struct lu_str part, *grown;
	const char *p = s->p;

	if (*p == '"') {
		if (string(s, &part) < 0)
			return -1;
	} else {
		while (is_name(*p))
			p++;
		if (p == s->p)
			return expected(s, "the name of a member");
		if (keep(s, (struct lu_str){ s->p, (size_t)(p - s->p) }, &part) < 0)
			return -1;
		s->p = p;
	}
	grown = lu_arena_alloc(&s->e->arena, (m->parts + 1) * sizeof(*grown));
	if (!grown)
		return lu_err_nomem(s->err);
	if (m->parts)
		memcpy(grown, m->part, m->parts * sizeof(*grown));
	grown[m->parts++] = part;
	m->part = grown;
	return 0;
}

/* The member at s->p: its number among the fields. */
static int field(struct parser *s, size_t *index)
{
	struct lu_expr_member m = { NULL, NULL, 0 };
	const char *start = s->p;

	if (*s->p != '.' && path_part(s, &m) < 0)
		return -1;
	while (*s->p == '.') {
		s->p++;
		if (path_part(s, &m) < 0)
			return -1;
	}
	if (m.parts == 0)
		return expected(s, "the name of a member");
	if (keep_text(s, start, s->p, &m.text) < 0)
		return -1;
	for (*index = 0; *index < s->e->fields.n; ++*index) {
		if (strcmp(s->e->fields.p[*index].text, m.text) == 0)
			return 0;
	}
	return lu_vec_push(&s->e->fields, m) ? 0 : lu_err_nomem(s->err);
}

/* A name that is one or two letters away from a measure is a slip. */
static int check_slip(struct parser *s, const char *at, struct lu_str name)
{
	unsigned limit = name.n > 7 ? 2 : name.n > 3 ? 1 : 0;
	char text[256];

	for (enum lu_measure m = 0; name.n <= LU_SUGGEST_MAX && m < LU_MEASURES; m++) {
		const char *measure = lu_measure_name(m);

		if (lu_edit_distance(name, lu_str_of(measure), limit) > limit)
			continue;
		snprintf(text, sizeof(text),
				"unknown measure '" LU_STR_FMT
				"', did you mean '%s'; a member of that name is ." LU_STR_FMT,
				LU_STR_ARG(name), measure, LU_STR_ARG(name));
		return fail_at(s, at, text);
	}
	return 0;
}

static int push_name(struct parser *s, enum type *type)
{
	const char *start = s->p, *end = s->p;
	struct lu_str name;
	size_t index;

	*type = ANY;
	while (is_name(*end))
		end++;
	name = (struct lu_str){ start, (size_t)(end - start) };
	if (*start != '.' && *end != '.') {
		enum lu_measure m = lu_measure_find(name);

		for (size_t i = 0; i < s->scores.n; i++) {
			if (lu_str_is(name, s->scores.name[i])) {
				*type = NUMBER;
				s->p = end;
				return emit(s, LU_EX_SCORE, i, 0);
			}
		}
		if (m < LU_MEASURES) {
			*type = NUMBER;
			s->p = end;
			return emit(s, LU_EX_MEASURE, m, 0);
		}
		if (check_slip(s, start, name) < 0)
			return -1;
	}
	if (field(s, &index) < 0)
		return -1;
	return emit(s, LU_EX_FIELD, index, 0);
}

static int has(struct parser *s)
{
	size_t index;

	if (!take(s, "("))
		return expected(s, "'(' after has");
	skip_blanks(s);
	if (field(s, &index) < 0)
		return -1;
	if (!take(s, ")"))
		return expected(s, "')'");
	return emit(s, LU_EX_HAS, index, 0);
}

/* --- expressions, from tight to loose ----------------------------------------------------- */

static int any(struct parser *s, enum type *type);

static int nest(struct parser *s)
{
	return ++s->depth > DEPTH ? fail_at(s, s->p, "parentheses and signs are nested too deep")
				  : 0;
}

static int primary(struct parser *s, enum type *type)
{
	static const char *const reserved[] = { "and", "or", "in", "like", "not" };

	skip_blanks(s);
	*type = NUMBER;
	if (isdigit((unsigned char)*s->p) || (*s->p == '.' && isdigit((unsigned char)s->p[1])))
		return push_number(s);
	if (*s->p == '"' || *s->p == '\'') {
		*type = STRING;
		return push_string(s);
	}
	if (take(s, "(")) {
		if (nest(s) < 0 || any(s, type) < 0)
			return -1;
		s->depth--;
		return take(s, ")") ? 0 : expected(s, "')'");
	}
	*type = BOOLEAN;
	if (take_word(s, "true"))
		return emit(s, LU_EX_TRUE, 0, 0);
	if (take_word(s, "false"))
		return emit(s, LU_EX_FALSE, 0, 0);
	if (is_word(s->p, "has") && take_word(s, "has"))
		return has(s);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (is_word(s->p, reserved[i]))
			return expected(s, "a value");
	}
	if (*s->p == '.' || is_name(*s->p))
		return push_name(s, type);
	return expected(s, "a value");
}

/* Operands of arithmetic are numbers, or members. */
static int check_number(struct parser *s, const char *at, enum type type)
{
	return type == NUMBER || type == ANY ? 0 : fail_at(s, at, "a number was expected");
}

static int unary(struct parser *s, enum type *type)
{
	const char *at;

	if (!take(s, "-"))
		return primary(s, type);
	skip_blanks(s);
	at = s->p;
	if (nest(s) < 0 || unary(s, type) < 0 || check_number(s, at, *type) < 0)
		return -1;
	s->depth--;
	*type = NUMBER;
	return emit(s, LU_EX_NEGATE, 0, 1);
}

struct binary {
	const char *mark;
	enum lu_expr_op op;
};

/* A chain of operators of one strength, from left to right. */
static int chain(struct parser *s, enum type *type, const struct binary *operators, size_t n,
		int (*tighter)(struct parser *s, enum type *type))
{
	const char *left;

	skip_blanks(s);
	left = s->p;
	if (tighter(s, type) < 0)
		return -1;
	for (;;) {
		const char *right;
		size_t i = 0;

		while (i < n && !take(s, operators[i].mark))
			i++;
		if (i == n)
			return 0;
		skip_blanks(s);
		right = s->p;
		if (check_number(s, left, *type) < 0 || tighter(s, type) < 0 ||
				check_number(s, right, *type) < 0)
			return -1;
		*type = NUMBER;
		if (emit(s, operators[i].op, 0, 2) < 0)
			return -1;
	}
}

static int product(struct parser *s, enum type *type)
{
	static const struct binary operators[] = {
		{ "*", LU_EX_MULTIPLY },
		{ "/", LU_EX_DIVIDE },
		{ "%", LU_EX_REMAINDER },
	};

	return chain(s, type, operators, 3, unary);
}

static int sum(struct parser *s, enum type *type)
{
	static const struct binary operators[] = {
		{ "+", LU_EX_ADD },
		{ "-", LU_EX_SUBTRACT },
	};

	return chain(s, type, operators, 2, product);
}

/* The right side of `in`: a list, or a member that is an array. */
static int in(struct parser *s, bool negated)
{
	enum type type;
	size_t n = 0;

	if (!take(s, "[")) {
		size_t index;

		skip_blanks(s);
		if (*s->p != '.' && !is_name(*s->p))
			return expected(s, "a list in brackets or the name of a member");
		if (field(s, &index) < 0 || emit(s, LU_EX_FIELD, index, 0) < 0)
			return -1;
		return emit(s, negated ? LU_EX_NOT_IN_ARRAY : LU_EX_IN_ARRAY, 0, 2);
	}
	do {
		if (sum(s, &type) < 0)
			return -1;
		n++;
	} while (take(s, ","));
	if (!take(s, "]"))
		return expected(s, "',' or ']'");
	return emit(s, negated ? LU_EX_NOT_IN : LU_EX_IN, n, n + 1);
}

static int like(struct parser *s, bool negated)
{
	skip_blanks(s);
	if (*s->p != '"' && *s->p != '\'')
		return expected(s, "a pattern in quotation marks");
	if (push_string(s) < 0)
		return -1;
	return emit(s, negated ? LU_EX_NOT_LIKE : LU_EX_LIKE, 0, 2);
}

static const struct binary comparisons[] = {
	{ "==", LU_EX_EQUAL },
	{ "!=", LU_EX_UNEQUAL },
	{ "<=", LU_EX_LESS_EQUAL },
	{ "<", LU_EX_LESS },
	{ ">=", LU_EX_MORE_EQUAL },
	{ ">", LU_EX_MORE },
};
#define COMPARISONS (sizeof(comparisons) / sizeof(comparisons[0]))

static const struct binary *take_comparison(struct parser *s)
{
	for (size_t i = 0; i < COMPARISONS; i++) {
		if (take(s, comparisons[i].mark))
			return &comparisons[i];
	}
	return NULL;
}

/* The right side of a comparison. */
static int compare(struct parser *s, const struct binary *by, enum type left)
{
	const char *at;
	enum type right;

	skip_blanks(s);
	at = s->p;
	if (sum(s, &right) < 0)
		return -1;
	if (left != ANY && right != ANY && left != right) {
		static const char *const names[] = { NULL, "a number", "a string", "a condition" };
		char text[80];

		snprintf(text, sizeof(text), "%s cannot be compared with %s", names[right],
				names[left]);
		return fail_at(s, at, text);
	}
	if (emit(s, by->op, 0, 2) < 0)
		return -1;
	if (take_comparison(s))
		return fail_at(s, s->p - 1, "comparisons cannot be chained; join two by 'and'");
	return 0;
}

static int comparison(struct parser *s, enum type *type)
{
	const struct binary *by;
	enum type left;

	if (sum(s, &left) < 0)
		return -1;
	*type = BOOLEAN;
	if (take_words(s, "not", "in"))
		return in(s, true);
	if (take_words(s, "not", "like"))
		return like(s, true);
	if (take_word(s, "in"))
		return in(s, false);
	if (take_word(s, "like"))
		return like(s, false);
	by = take_comparison(s);
	if (by)
		return compare(s, by, left);
	skip_blanks(s);
	if (*s->p == '=')
		return fail_at(s, s->p, "equality is written ==");
	*type = left;
	return 0;
}

/* A condition is true or false, or a member that may be. */
static int check_condition(struct parser *s, enum type type)
{
	skip_blanks(s);
	return type == BOOLEAN || type == ANY ? 0 : expected(s, "a comparison");
}

static int negation(struct parser *s, enum type *type)
{
	if (!take_word(s, "not"))
		return comparison(s, type);
	if (nest(s) < 0 || negation(s, type) < 0 || check_condition(s, *type) < 0)
		return -1;
	s->depth--;
	*type = BOOLEAN;
	return emit(s, LU_EX_NOT, 0, 1);
}

/* Conditions joined by a word; each but the last jumps to the end if it decides. */
static int joined(struct parser *s, enum type *type, const char *word, enum lu_expr_op op,
		int (*tighter)(struct parser *s, enum type *type))
{
	struct LU_VEC(size_t) jumps = { NULL, 0, 0 };
	int rc = tighter(s, type);

	while (rc == 0 && take_word(s, word)) {
		rc = check_condition(s, *type);
		if (rc == 0 && !lu_vec_push(&jumps, s->e->code.n))
			rc = lu_err_nomem(s->err);
		if (rc == 0)
			rc = emit(s, op, 0, 1);
		s->stack--; /* the left side is popped where the right one follows */
		if (rc == 0)
			rc = tighter(s, type);
		if (rc == 0)
			rc = check_condition(s, *type);
		*type = BOOLEAN;
	}
	for (size_t i = 0; i < jumps.n && rc == 0; i++)
		s->e->code.p[jumps.p[i]].arg = (uint32_t)s->e->code.n;
	lu_vec_release(&jumps);
	return rc;
}

static int all(struct parser *s, enum type *type)
{
	return joined(s, type, "and", LU_EX_AND, negation);
}

static int any(struct parser *s, enum type *type)
{
	return joined(s, type, "or", LU_EX_OR, all);
}

/* True if `or` stands outside of parentheses, so that `and` at the top joins no clauses. */
static bool has_or(const char *p)
{
	size_t depth = 0;
	char quote = '\0';

	for (const char *before = " "; *p; before = p++) {
		if (quote) {
			if (*p == '\\' && p[1])
				p++;
			else if (*p == quote)
				quote = '\0';
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '(' || *p == '[') {
			depth++;
		} else if ((*p == ')' || *p == ']') && depth > 0) {
			depth--;
		} else if (depth == 0 && is_word(p, "or") && !is_name(*before) && *before != '.') {
			return true;
		}
	}
	return false;
}

static int clause(struct parser *s, int (*condition)(struct parser *s, enum type *type))
{
	const char *start, *end, *text = NULL;
	enum type type;

	skip_blanks(s);
	start = s->p;
	if (condition(s, &type) < 0)
		return -1;
	end = s->p;
	if (check_condition(s, type) < 0)
		return -1;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	if (keep_text(s, start, end, &text) < 0)
		return -1;
	if (!lu_vec_push(&s->e->clauses, text))
		return lu_err_nomem(s->err);
	if (emit(s, LU_EX_CLAUSE, s->e->clauses.n - 1, 1) < 0)
		return -1;
	s->stack = 0;
	return 0;
}

static int whole(struct parser *s)
{
	int rc = 0;

	if (has_or(s->p)) {
		rc = clause(s, any);
	} else {
		do
			rc = clause(s, negation);
		while (rc == 0 && take_word(s, "and"));
	}
	skip_blanks(s);
	if (rc == 0 && *s->p)
		rc = expected(s, "'and', 'or' or the end");
	return rc;
}

int lu_expr_compile(struct lu_expr *e, const char *text, struct lu_expr_scores scores,
		struct lu_err *err)
{
	struct parser s = { e, scores, text, text, 0, 0, err };

	if (lu_utf8_valid(text, strlen(text)) != strlen(text))
		return lu_err_set(err, "the expression is not UTF-8");
	return whole(&s);
}
