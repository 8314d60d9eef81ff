#include "libcommon/mix/joint.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libcommon/mix/ipf.h"
#include "libcommon/mix/joint_problem.h"
#include "libcommon/mix/power.h"

#define TOLERANCE 1e-12 /* of the fit, in parts of the mix */
#define ROUNDS 20000

static void joint_release(struct lu_joint *j)
{
	for (size_t t = 0; t < j->targets && j->member; t++)
		free(j->member[t]);
	free(j->member);
	free(j->group);
	free(j->weight);
	free(j->limit);
	free(j->wanted);
	free(j->of_others);
}

/* The quotas of the groups that are not free, and the size of the mix. */
static int set_fixed(const struct lu_recipe *r, struct lu_demand *d, uint64_t *mix_size,
		size_t *rest, struct lu_err *err)
{
	uint64_t size = 0, fixed = 0;

	*rest = 0;
	for (size_t i = 0; i < r->group.n; i++) {
		if (d[i].size == 0 &&
				(d[i].kind == LU_AMOUNT_EPOCHS || !r->total ||
						lu_solve_weight(&d[i]) == 0))
			return lu_err_set(err, "group %s: states no tokens", d[i].name);
		size += d[i].size;
		*rest += d[i].kind == LU_AMOUNT_REST;
	}
	if (*rest == 0)
		return lu_err_set(err, "every group has share or epochs: %s has nothing to divide",
				r->target.n ? "[targets]" : "temperature");
	*mix_size = r->total ? r->total : size;
	for (size_t i = 0; i < r->group.n; i++) {
		double q = d[i].kind == LU_AMOUNT_SHARE
				? (double)*mix_size * ((double)d[i].amount / LU_SHARE_ONE)
				: (double)d[i].size * ((double)d[i].amount / LU_EPOCH_ONE);

		if (d[i].kind == LU_AMOUNT_REST)
			continue;
		d[i].quota = (uint64_t)(q + 0.5);
		fixed += d[i].quota;
		if (fixed >= *mix_size || q > 0x1p60)
			return lu_err_set(err,
					"the shares and epochs leave nothing of the total of "
					"%" PRIu64 " for the other groups",
					*mix_size);
	}
	return 0;
}

static int set_target(struct lu_joint *j, size_t t, struct lu_err *err)
{
	const struct lu_recipe *r = j->recipe;
	const struct lu_target *g = &r->target.p[t];
	size_t k = 0, members = 0;

	j->wanted[t] = (double)g->share / LU_SHARE_ONE;
	j->member[t] = calloc(j->n, sizeof(bool));
	if (!j->member[t])
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->group.n; i++) {
		struct lu_str class;
		bool in;

		if (!lu_recipe_class(&r->group.p[i], g->dimension, &class))
			return lu_err_set(err,
					"target %s: group %s has no one %s; say what it counts "
					"as: as = %s CLASS",
					g->name, r->group.p[i].name, g->dimension, g->dimension);
		in = lu_target_match(g, class);
		members += in;
		if (j->demand[i].kind == LU_AMOUNT_REST)
			j->member[t][k++] = in;
		else if (in)
			j->of_others[t] += (double)j->demand[i].quota / j->total;
	}
	if (members == 0)
		return lu_err_set(err, "target %s: no group is of that %s", g->name, g->dimension);
	j->wanted[t] -= j->of_others[t];
	return 0;
}

static int joint_new(struct lu_joint *j, const struct lu_recipe *r, const struct lu_demand *d,
		uint64_t mix_size, size_t rest, struct lu_err *err)
{
	size_t targets = r->target.n, k = 0;
	uint64_t fixed = 0;

	*j = (struct lu_joint){
		.recipe = r, .demand = d, .total = (double)mix_size, .n = rest, .targets = targets
	};
	j->group = calloc(rest, sizeof(*j->group));
	j->weight = calloc(rest, sizeof(*j->weight));
	j->limit = calloc(rest, sizeof(*j->limit));
	j->member = calloc(targets + 1, sizeof(*j->member));
	j->wanted = calloc(targets + 1, sizeof(*j->wanted));
	j->of_others = calloc(targets + 1, sizeof(*j->of_others));
	if (!j->group || !j->weight || !j->limit || !j->member || !j->wanted || !j->of_others)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->group.n; i++) {
		uint64_t limit = lu_solve_limit(&d[i]), weight = lu_solve_weight(&d[i]);

		if (d[i].kind != LU_AMOUNT_REST) {
			fixed += d[i].quota;
			continue;
		}
		j->group[k] = i;
		j->weight[k] = r->temperature == LU_EPOCH_ONE ? (double)weight
							      : lu_power(weight, r->temperature);
		j->limit[k++] = limit == UINT64_MAX ? 1 : fmin((double)limit / j->total, 1);
	}
	j->left = (double)(mix_size - fixed) / j->total;
	for (size_t t = 0; t < targets; t++) {
		if (set_target(j, t, err) < 0)
			return -1;
	}
	return 0;
}

/* The weights as parts of what is left, so that numbers are about 1. */
static void scale_weights(struct lu_joint *j)
{
	double sum = 0;

	for (size_t i = 0; i < j->n; i++)
		sum += j->weight[i];
	for (size_t i = 0; i < j->n; i++)
		j->weight[i] = j->weight[i] / sum * j->left;
}

/* The fit, and where it is too slow, since the solution is all but determined, what is nearest. */
static int fit(struct lu_joint *j, double *x, struct lu_err *err)
{
	struct lu_ipf_set *set = calloc(j->targets + 1, sizeof(*set));
	bool *all = malloc(j->n * sizeof(*all));
	struct lu_ipf p = { .columns = j->n,
		.sets = j->targets + 1,
		.weight = j->weight,
		.limit = j->limit,
		.set = set,
		.x = x };
	int rc = set && all ? 0 : lu_err_nomem(err);

	for (size_t t = 0; rc == 0 && t < j->targets; t++) {
		/* A target that the other groups have met already is held to be nothing. */
		set[t] = (struct lu_ipf_set){ j->member[t],
			(enum lu_ipf_sign)j->recipe->target.p[t].op, fmax(j->wanted[t], 1e-15) };
	}
	if (rc == 0) {
		memset(all, true, j->n * sizeof(*all));
		set[j->targets] = (struct lu_ipf_set){ all, LU_IPF_IS, j->left };
		rc = lu_ipf_solve(&p, TOLERANCE, ROUNDS, err);
	}
	free(set);
	free(all);
	return rc == 0 && p.violated > TOLERANCE ? lu_joint_repair(j, x, err) : rc;
}

/* Whole numbers: the integer parts, then one more for the largest fractions, ties to the earlier, until
 * the sum is met; none above its limit. */
static int round_quotas(const struct lu_joint *j, const double *x, struct lu_demand *d,
		uint64_t left, struct lu_err *err)
{
	double *fraction = malloc(j->n * sizeof(*fraction));
	uint64_t sum = 0;

	if (!fraction)
		return lu_err_nomem(err);
	for (size_t i = 0; i < j->n; i++) {
		double q = fmax(x[i] * j->total, 0), whole = floor(q);

		d[j->group[i]].quota = (uint64_t)whole;
		fraction[i] = q - whole;
		sum += d[j->group[i]].quota;
	}
	while (sum != left) {
		bool more = sum < left;
		size_t best = j->n;

		for (size_t i = 0; i < j->n; i++) {
			const struct lu_demand *g = &d[j->group[i]];
			bool can = more ? g->quota < lu_solve_limit(g) : g->quota > 1;

			if (can &&
					(best == j->n ||
							(more ? fraction[i] > fraction[best]
							      : fraction[i] < fraction[best])))
				best = i;
		}
		if (best == j->n)
			break;
		/* A rounding error of the fit can be more than a unit for each group. */
		fraction[best] += more ? -1 : 1;
		d[j->group[best]].quota += more ? 1 : (uint64_t)-1;
		sum += more ? 1 : (uint64_t)-1;
	}
	free(fraction);
	return sum == left ? 0
			   : lu_err_set(err, "max_epochs leaves %" PRIu64 " of the total to nobody",
					     left - sum);
}

static int solve(struct lu_joint *j, struct lu_demand *d, uint64_t mix_size, struct lu_binding *why,
		struct lu_err *err)
{
	double *x = calloc(j->n, sizeof(*x));
	uint64_t fixed = 0;
	int rc = x ? lu_joint_feasible(j, why, err) : lu_err_nomem(err);

	/* 0: the error is set. */
	rc = rc == 1 ? 0 : -1;
	if (rc == 0) {
		scale_weights(j);
		rc = fit(j, x, err);
	}
	for (size_t i = 0; i < j->recipe->group.n; i++)
		fixed += d[i].kind == LU_AMOUNT_REST ? 0 : d[i].quota;
	if (rc == 0)
		rc = round_quotas(j, x, d, mix_size - fixed, err);
	free(x);
	return rc;
}

int lu_solve_joint_why(const struct lu_recipe *r, struct lu_demand *d, uint64_t *mix_size,
		struct lu_binding *why, struct lu_err *err)
{
	struct lu_joint j;
	size_t rest;
	int rc;

	*why = (struct lu_binding){ LU_BINDING_NONE, 0, LU_BINDING_NONE };
	if (set_fixed(r, d, mix_size, &rest, err) < 0)
		return -1;
	rc = joint_new(&j, r, d, *mix_size, rest, err);
	if (rc == 0)
		rc = solve(&j, d, *mix_size, why, err);
	joint_release(&j);
	return rc < 0 ? -1 : lu_solve_check(d, r->group.n, *mix_size, 0, err);
}

int lu_solve_joint(const struct lu_recipe *r, struct lu_demand *d, uint64_t *mix_size,
		struct lu_err *err)
{
	struct lu_binding why;

	return lu_solve_joint_why(r, d, mix_size, &why, err);
}
