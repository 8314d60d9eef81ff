#ifndef LUCIE_MIX_SIMPLEX_H
#define LUCIE_MIX_SIMPLEX_H
/*
 * Linear programs with few rows: the smallest value of cost . x over
 *
 *	0 <= x[j] <= upper[j],	sum over j of row[i][j] x[j]  <=, = or >=  bound[i]
 *
 * by the simplex method with bounded variables in two phases (Dantzig, "Upper bounds, secondary
 * constraints, and block triangularity in linear programming", Econometrica 23, 1955) and Bland's
 * rule, which cannot cycle ("New finite pivoting rules for the simplex method", 1977). It is for the
 * question whether the targets of a recipe can be met, and which of them cannot: some hundred columns,
 * some dozen rows. Sums have a fixed order, so the result is the same on every machine.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/err.h"

enum lu_simplex_sign { LU_SIMPLEX_IS, LU_SIMPLEX_AT_MOST, LU_SIMPLEX_AT_LEAST };

struct lu_simplex_row {
	const double *of; /* by column */
	enum lu_simplex_sign sign;
	double bound;
};

struct lu_simplex {
	size_t columns, rows;
	const double *upper; /* INFINITY: none */
	const double *cost;
	const struct lu_simplex_row *row;
	double *x;	 /* out */
	double value;	 /* out: cost . x */
	double violated; /* out: what the rows are missed by, in all, at best; about 0 if feasible */
};

/* The problem should be scaled so that bounds and entries are about 1: values below 1e-9 count as 0.
 * Returns 0 also where there is no solution (`violated` says so), -1 when memory is out or it does not
 * end. */
int lu_simplex_solve(struct lu_simplex *p, struct lu_err *err) LU_CHECKED;

#endif
