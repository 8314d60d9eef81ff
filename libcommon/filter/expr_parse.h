#ifndef LUCIE_FILTER_EXPR_PARSE_H
#define LUCIE_FILTER_EXPR_PARSE_H
/*
 * The program of an expression: expr_parse.c writes it, expr.c runs it.
 *
 * Each instruction pops its operands and pushes its result. `and` and `or` leave the left side on
 * the stack and jump over the right one when it decides.
 */
#include "libcommon/base/arena.h"
#include "libcommon/filter/expr.h"

enum lu_expr_op {
	/* arg is an index: of number[], string[], a measure, a score, of field[] */
	LU_EX_NUMBER,
	LU_EX_STRING,
	LU_EX_MEASURE,
	LU_EX_SCORE,
	LU_EX_FIELD,
	LU_EX_HAS, /* true unless field[arg] is missing */
	LU_EX_TRUE,
	LU_EX_FALSE,
	LU_EX_MISSING,
	LU_EX_ADD,
	LU_EX_SUBTRACT,
	LU_EX_MULTIPLY,
	LU_EX_DIVIDE,
	LU_EX_REMAINDER,
	LU_EX_NEGATE,
	LU_EX_EQUAL,
	LU_EX_UNEQUAL,
	LU_EX_LESS,
	LU_EX_LESS_EQUAL,
	LU_EX_MORE,
	LU_EX_MORE_EQUAL,
	LU_EX_IN, /* of the arg values that are on the stack above the left side */
	LU_EX_NOT_IN,
	LU_EX_IN_ARRAY, /* of a member */
	LU_EX_NOT_IN_ARRAY,
	LU_EX_LIKE,
	LU_EX_NOT_LIKE,
	LU_EX_NOT,
	LU_EX_AND,    /* jump to arg with false, or pop */
	LU_EX_OR,     /* jump to arg with true, or pop */
	LU_EX_CLAUSE, /* fail with clause[arg] unless true; pops it */
};

struct lu_expr_step {
	enum lu_expr_op op;
	uint32_t arg;
};

/* A member: its path, and as it was written. */
struct lu_expr_member {
	const char *text;
	struct lu_str *part;
	size_t parts;
};

#define LU_EXPR_STACK 64 /* most values at once */

struct lu_expr {
	struct LU_VEC(struct lu_expr_step) code;
	struct LU_VEC(double) numbers;
	struct LU_VEC(struct lu_str) strings;
	struct LU_VEC(struct lu_expr_member) fields;
	struct LU_VEC(const char *) clauses; /* as written */
	struct lu_arena arena;		     /* the strings of all of these */
};

/* Write the program of `text` into *e, which is zeroed. */
int lu_expr_compile(struct lu_expr *e, const char *text, struct lu_expr_scores scores,
		struct lu_err *err) LU_CHECKED;

#endif
