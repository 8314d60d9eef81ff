#include "libcommon/mix/joint_problem.h"

#include <stdlib.h>

#define EXACT 1e-9 /* what the rows may be missed by, in parts of the mix */

/* The rows of the targets in `use` and that of the total, over `columns` of which the first j->n are
 * the free groups. */
struct program {
	struct lu_simplex s;
	struct lu_simplex_row *row;
	double *of, *cost, *upper, *x;
};

static void program_release(struct program *p)
{
	free(p->row);
	free(p->of);
	free(p->cost);
	free(p->upper);
	free(p->x);
}

static int program_new(struct program *p, const struct lu_joint *j, const bool *use, bool limits,
		size_t columns, struct lu_err *err)
{
	size_t rows = j->targets + 1;

	*p = (struct program){ .row = calloc(rows, sizeof(*p->row)),
		.of = calloc(rows * columns, sizeof(*p->of)),
		.cost = calloc(columns, sizeof(*p->cost)),
		.upper = calloc(columns, sizeof(*p->upper)),
		.x = calloc(columns, sizeof(*p->x)) };
	if (!p->row || !p->of || !p->cost || !p->upper || !p->x) {
		program_release(p);
		return lu_err_nomem(err);
	}
	p->s = (struct lu_simplex){
		.columns = columns, .upper = p->upper, .cost = p->cost, .row = p->row, .x = p->x
	};
	for (size_t t = 0; t <= j->targets; t++) {
		double *of = &p->of[p->s.rows * columns];
		struct lu_simplex_row row = { of, LU_SIMPLEX_IS, j->left };

		if (t < j->targets && !use[t])
			continue;
		for (size_t i = 0; i < j->n; i++)
			of[i] = t == j->targets || j->member[t][i];
		if (t < j->targets) {
			/* The signs of the three enums have one order. */
			row.sign = (enum lu_simplex_sign)j->recipe->target.p[t].op;
			row.bound = j->wanted[t];
		}
		p->row[p->s.rows++] = row;
	}
	for (size_t i = 0; i < j->n; i++)
		p->upper[i] = limits ? j->limit[i] : 1;
	return 0;
}

/* How far the targets in `use` are from being met together. */
static int violated(const struct lu_joint *j, const bool *use, bool limits, double *by,
		struct lu_err *err)
{
	struct program p;
	int rc;

	if (program_new(&p, j, use, limits, j->n, err) < 0)
		return -1;
	rc = lu_simplex_solve(&p.s, err);
	*by = p.s.violated;
	program_release(&p);
	return rc;
}

int lu_joint_repair(const struct lu_joint *j, double *x, struct lu_err *err)
{
	bool *use = malloc(j->targets + 1);
	struct program p;
	int rc;

	if (!use)
		return lu_err_nomem(err);
	memset(use, true, j->targets);
	rc = program_new(&p, j, use, true, 2 * j->n, err);
	free(use);
	if (rc < 0)
		return -1;
	/* x + more - less: two columns for each group, counted from where it is. */
	for (size_t k = 0; k < p.s.rows; k++) {
		double *of = &p.of[k * p.s.columns];

		for (size_t i = 0; i < j->n; i++) {
			p.row[k].bound -= of[i] * x[i];
			of[j->n + i] = -of[i];
		}
	}
	for (size_t i = 0; i < j->n; i++) {
		p.upper[i] = j->limit[i] - x[i];
		p.upper[j->n + i] = x[i];
		p.cost[i] = p.cost[j->n + i] = 1;
	}
	rc = lu_simplex_solve(&p.s, err);
	for (size_t i = 0; rc == 0 && i < j->n; i++)
		x[i] += p.x[i] - p.x[j->n + i];
	program_release(&p);
	return rc;
}

/* --- which target binds ------------------------------------------------------------------- */

/* Take targets out of `use` as long as the rest conflicts, with or without the limits: what is left
 * conflicts, and without any one of it does not. */
static int reduce(const struct lu_joint *j, bool *use, bool limits, struct lu_err *err)
{
	for (size_t t = 0; t < j->targets; t++) {
		double by;

		use[t] = false;
		if (violated(j, use, limits, &by, err) < 0)
			return -1;
		if (by <= EXACT)
			use[t] = true;
	}
	return 0;
}

/* The share that target t can have at most (or at least) beside those in `use`, and a group whose
 * limit keeps it from more: a member at its limit, or for the least one that is none. */
static int reach(const struct lu_joint *j, const bool *use, bool limits, size_t t, bool most,
		struct lu_binding *why, struct lu_err *err)
{
	struct program p;
	double largest = 0;
	int rc;

	if (program_new(&p, j, use, limits, j->n, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n; i++)
		p.cost[i] = j->member[t][i] ? (most ? -1 : 1) : 0;
	rc = lu_simplex_solve(&p.s, err);
	why->possible = j->of_others[t] + (most ? -p.s.value : p.s.value);
	for (size_t i = 0; i < j->n; i++) {
		const struct lu_demand *d = &j->demand[j->group[i]];

		if (limits && j->member[t][i] == most && lu_solve_limit(d) != UINT64_MAX &&
				p.x[i] >= j->limit[i] - EXACT && p.x[i] > largest) {
			largest = p.x[i];
			why->group = j->group[i];
		}
	}
	program_release(&p);
	return rc;
}

static void list_targets(const struct lu_joint *j, const bool *use, struct lu_buf *out)
{
	for (size_t t = 0; t < j->targets; t++) {
		const struct lu_target *g = &j->recipe->target.p[t];

		if (use[t])
			lu_buf_printf(out, "%s%s %s %.7g %%", out->n ? ", " : " beside ", g->name,
					lu_target_sign(g->op),
					(double)g->share * 100 / LU_SHARE_ONE);
	}
}

/* Name the last of the targets that conflict, and what it can have beside the others. */
static int explain(const struct lu_joint *j, bool *use, bool limits, struct lu_binding *why,
		struct lu_err *err)
{
	const struct lu_target *g;
	struct lu_buf beside = { 0 };
	size_t t = j->targets;
	double share, missing;
	int rc;

	while (t-- > 0 && !use[t])
		;
	g = &j->recipe->target.p[t];
	share = (double)g->share / LU_SHARE_ONE;
	use[t] = false;
	*why = (struct lu_binding){ .target = t, .group = LU_BINDING_NONE };
	rc = reach(j, use, limits, t, true, why, err);
	if (rc == 0 && (g->op == LU_TARGET_AT_MOST || why->possible >= share)) {
		why->group = LU_BINDING_NONE;
		rc = reach(j, use, limits, t, false, why, err);
	}
	if (rc < 0)
		return -1;
	missing = why->possible - share;
	list_targets(j, use, &beside);
	if (lu_buf_check(&beside, err) < 0) {
		lu_buf_release(&beside);
		return -1;
	}
	lu_err_set(err, "target %s %s %.7g %%: at %s %.4f %% is possible%s, %.4f %% too %s",
			g->name, lu_target_sign(g->op), 100 * share, missing < 0 ? "most" : "least",
			100 * why->possible, beside.n ? beside.p : "",
			100 * (missing < 0 ? -missing : missing), missing < 0 ? "little" : "much");
	lu_buf_release(&beside);
	if (why->group != LU_BINDING_NONE) {
		const struct lu_demand *d = &j->demand[why->group];
		struct lu_err plain = *err;

		lu_err_set(err, "%s (group %s is at its max_epochs of %.6g)", plain.msg, d->name,
				(double)d->max_epochs / LU_EPOCH_ONE);
	}
	return 0;
}

static int check_total(const struct lu_joint *j, struct lu_binding *why, struct lu_err *err)
{
	double most = 0;

	for (size_t i = 0; i < j->n; i++)
		most += j->limit[i];
	if (most >= j->left - EXACT)
		return 1;
	*why = (struct lu_binding){ LU_BINDING_NONE, most + 1 - j->left, j->group[0] };
	lu_err_set(err,
			"a total of %.0f is too large, max_epochs allows at most %.0f, which is "
			"%.0f "
			"less",
			j->total, j->total * why->possible, j->total * (1 - why->possible));
	return 0;
}

int lu_joint_feasible(const struct lu_joint *j, struct lu_binding *why, struct lu_err *err)
{
	bool *use = malloc(j->targets + 1);
	double by, free_by = 0;
	int rc;

	if (!use)
		return lu_err_nomem(err);
	memset(use, true, j->targets + 1);
	rc = check_total(j, why, err);
	if (rc == 1)
		rc = violated(j, use, true, &by, err) < 0 ? -1 : by <= EXACT;
	if (rc != 0 || why->possible != 0)
		goto out;
	/* Where even without limits there is no solution, they are not to blame. */
	if (violated(j, use, false, &free_by, err) < 0 ||
			reduce(j, use, free_by <= EXACT, err) < 0 ||
			explain(j, use, free_by <= EXACT, why, err) < 0)
		rc = -1;
out:
	free(use);
	return rc;
}
