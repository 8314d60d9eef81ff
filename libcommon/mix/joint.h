#ifndef LUCIE_MIX_JOINT_H
#define LUCIE_MIX_JOINT_H
/*
 * Quotas for a recipe with targets or a temperature: the groups that share the rest get quotas that
 * meet all targets at once and are otherwise as close as possible to their sizes (ipf.h), within
 * max_epochs. A group at its limit leaves the rest to the others.
 *
 * Where the targets cannot be met, the error names one that binds: with the targets that conflict with
 * it, and no others, it cannot be met, and without it they can. It says what share is possible beside
 * them, and which group's limit of epochs stands in the way, if one does.
 */
#include "libcommon/mix/solve.h"

#define LU_BINDING_NONE SIZE_MAX

/* Why there is no solution. */
struct lu_binding {
	size_t target;	 /* the one named; NONE: the total alone exceeds the limits */
	double possible; /* the share of the mix that it can have beside those it conflicts with */
	size_t group;	 /* one whose limit of epochs binds; NONE: limits are not the reason */
};

/* As lu_mix_quotas() (quotas.h). */
int lu_solve_joint(const struct lu_recipe *r, struct lu_demand *d, uint64_t *mix_size,
		struct lu_err *err) LU_CHECKED;
/* The same; *why is set on failure, target LU_BINDING_NONE and possible 0 where it is another one. */
int lu_solve_joint_why(const struct lu_recipe *r, struct lu_demand *d, uint64_t *mix_size,
		struct lu_binding *why, struct lu_err *err) LU_CHECKED;

#endif
