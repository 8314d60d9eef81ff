#ifndef LUCIE_FILTER_EXPR_H
#define LUCIE_FILTER_EXPR_H
/*
 * Expressions over the measures of a text and the members of its record: which documents stay.
 *
 *	struct lu_expr *e;
 *	if (lu_expr_parse(&e, "words >= 50 and lang in [\"fr\", \"en\"]", scores, &err) < 0) ...
 *	struct lu_expr_scope scope = { &measures, &doc->obj, doc->arena, ... };
 *	if (lu_expr_judge(e, &scope, &failed, &err) < 0) ...
 *	lu_expr_free(e);
 *
 * lucie-filter(1) has the grammar. In short, from loose to tight:
 *
 *	or, and, not
 *	== != < <= > >=, in, not in, like, not like	not chained
 *	+ -, * / %, unary -
 *	number, "string", 'string', true, false, [list], (expression), has(field),
 *	measure, field, field.member, .field, ."any name"
 *
 * A bare name is a measure if there is one of that name, else a member of the record; a leading dot
 * always makes it a member. A name that is a measure but for a slip is an error.
 *
 * Values are numbers, strings, booleans, arrays (on the right of `in` only), and missing: a member
 * that is absent, null or an object, and arithmetic with something that is no number, or by zero.
 * Comparing with a missing value is false, also by != and `not in`; a condition holds only if it is
 * true. Numbers and strings are not equal (!= is true) and not ordered (the rest is false).
 *
 * The expression is parsed once into a program for a small stack machine; a parsed expression is
 * constant and shared by threads. Measures are computed when the program first reads them, so a
 * condition that comes first saves the work of those behind it.
 */
#include "libcommon/filter/measures.h"
#include "libcommon/io/json.h"

/* Scores from outside, known to expressions by name. */
struct lu_expr_scores {
	const char *const *name;
	size_t n;
};

struct lu_expr;
/* The sentence of an error begins with "column N: " and says what was expected. */
int lu_expr_parse(struct lu_expr **e, const char *text, struct lu_expr_scores scores,
		struct lu_err *err) LU_CHECKED;
void lu_expr_free(struct lu_expr *e);

/* How often a member was read (by other than `has`), and was missing. */
struct lu_expr_count {
	uint64_t reads, missing;
};

/* What an expression is evaluated on. */
struct lu_expr_scope {
	struct lu_measures *measures; /* started with the text */
	const struct lu_json_obj *obj;
	struct lu_arena *arena;
	/* Value of the score with this index; NULL where there are none. */
	int (*score)(void *ctx, size_t i, double *value, struct lu_err *err);
	void *ctx;
	struct lu_expr_count *counts; /* one for each of lu_expr_fields(), or NULL */
};

/* *failed is NULL if the expression is true. Otherwise it is the first clause that is not, as it was
 * written, where clauses are what `and` joins outside of parentheses; value is the left side of its
 * comparison as JSON (in the arena), or null. */
int lu_expr_judge(const struct lu_expr *e, const struct lu_expr_scope *scope, const char **failed,
		struct lu_str *value, struct lu_err *err) LU_CHECKED;

/* The members that the expression reads: their number, and the name of each as it was written. */
size_t lu_expr_fields(const struct lu_expr *e);
const char *lu_expr_field(const struct lu_expr *e, size_t i);

#endif
