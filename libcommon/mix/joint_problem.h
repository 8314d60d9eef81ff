#ifndef LUCIE_MIX_JOINT_PROBLEM_H
#define LUCIE_MIX_JOINT_PROBLEM_H
/*
 * The targets of a recipe as linear conditions, for joint.c, and the search for those that cannot be
 * met. Shares are parts of 1, the whole mix; only groups that share the rest are free, the others
 * have taken their part already.
 */
#include "libcommon/mix/joint.h"
#include "libcommon/mix/simplex.h"

struct lu_joint {
	const struct lu_recipe *recipe;
	const struct lu_demand *demand;
	double total;
	size_t n;		/* free groups */
	size_t *group;		/* by free group: its number in the recipe */
	double *weight, *limit; /* in parts of the mix; the limit is at most 1 */
	double left;		/* what the groups that are not free leave */
	size_t targets;
	/* By target: */
	bool **member;	   /* by free group */
	double *wanted;	   /* of the free groups */
	double *of_others; /* what the others give it */
};

/* The nearest solution to x, in the sense of the sum of differences, in place. The problem is known to
 * have one. */
int lu_joint_repair(const struct lu_joint *j, double *x, struct lu_err *err) LU_CHECKED;
/* 1: the targets can be met; 0: they cannot, and the error and *why say so; -1. */
int lu_joint_feasible(
		const struct lu_joint *j, struct lu_binding *why, struct lu_err *err) LU_CHECKED;

#endif
