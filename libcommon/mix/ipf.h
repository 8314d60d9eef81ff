#ifndef LUCIE_MIX_IPF_H
#define LUCIE_MIX_IPF_H
/*
 * Iterative proportional fitting with limits: the x closest to the given weights, in the sense of the
 * Kullback-Leibler divergence, for which
 *
 *	0 <= x[j] <= limit[j],	sum of x over the members of set i  =, <= or >=  wanted[i]
 *
 * Each set has a factor; x[j] is weight[j] times the factors of the sets it is in, cut off at its
 * limit. A step sets one factor so that its set is met, which is a search over the limits that cut off;
 * a factor of <= stays at most 1, that of >= at least 1. The steps go round the sets until all hold
 * (Deming and Stephan 1940; Csiszar, "I-divergence geometry of probability distributions and
 * minimization problems", 1975; for inequalities Censor and Zenios, "Parallel Optimization", 1997,
 * chapter 6). Whether there is any solution is not asked here: simplex.h tells.
 *
 * Only +, -, * and / in a fixed order: the same bits on every machine.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

enum lu_ipf_sign { LU_IPF_IS, LU_IPF_AT_MOST, LU_IPF_AT_LEAST };

struct lu_ipf_set {
	const bool *member; /* by column */
	enum lu_ipf_sign sign;
	double wanted; /* above 0 */
};

struct lu_ipf {
	size_t columns, sets;
	const double *weight; /* above 0 */
	const double *limit;  /* above 0; INFINITY: none */
	const struct lu_ipf_set *set;
	double *x;	 /* out */
	double violated; /* out: the most that a set is missed by */
	uint64_t rounds; /* out */
};

/* Go round until no set is missed by more than `tolerance` and the factors are at rest, at most
 * `rounds` times. -1 only when memory is out. */
int lu_ipf_solve(
		struct lu_ipf *p, double tolerance, uint64_t rounds, struct lu_err *err) LU_CHECKED;

#endif
