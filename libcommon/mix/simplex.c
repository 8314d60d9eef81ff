#include "libcommon/mix/simplex.h"

#include <math.h>
#include <stdlib.h>

#define TINY 1e-11    /* below it an entry is no pivot */
#define STEPS 1000000 /* more than any problem of a recipe takes */

/* A tableau: row i expresses its basic variable by the others, value[i] is what it has now. */
struct tableau {
	size_t rows, all; /* all: columns, slacks and artificial variables */
	double *a;	  /* rows x all */
	double *value, *reduced, *upper;
	size_t *basis;
	bool *at_upper, *basic;
};

static double *entry(const struct tableau *t, size_t row, size_t column)
{
	return &t->a[row * t->all + column];
}

/* Price out: reduced[j] = cost[j] - sum over rows of cost[basis] a. */
static void price(struct tableau *t, const double *cost)
{
	for (size_t j = 0; j < t->all; j++) {
		t->reduced[j] = cost[j];
		for (size_t i = 0; i < t->rows; i++)
			t->reduced[j] -= cost[t->basis[i]] * *entry(t, i, j);
	}
}

/* The first variable that would make the cost smaller, by Bland's rule; t->all: none. */
static size_t entering(const struct tableau *t, double tolerance)
{
	for (size_t j = 0; j < t->all; j++) {
		if (!t->basic[j] && t->upper[j] > 0 &&
				(t->at_upper[j] ? t->reduced[j] > tolerance
						: t->reduced[j] < -tolerance))
			return j;
	}
	return t->all;
}

/* How far variable j can go before a basic one meets a bound, and which: t->rows: its own bound. */
static double ratio(const struct tableau *t, size_t j, size_t *leaving, bool *to_upper)
{
	double best = t->upper[j];

	*leaving = t->rows;
	for (size_t i = 0; i < t->rows; i++) {
		/* The basic variable falls by this for each unit that j moves. */
		double fall = t->at_upper[j] ? -*entry(t, i, j) : *entry(t, i, j), step;
		size_t b = t->basis[i];

		if (fall > TINY)
			step = t->value[i] / fall;
		else if (fall < -TINY && isfinite(t->upper[b]))
			step = (t->upper[b] - t->value[i]) / -fall;
		else
			continue;
		step = step > 0 ? step : 0;
		if (step < best || (step == best && *leaving < t->rows && b < t->basis[*leaving])) {
			best = step;
			*leaving = i;
			*to_upper = fall < 0;
		}
	}
	return best;
}

static void pivot(struct tableau *t, size_t row, size_t column)
{
	double by = *entry(t, row, column);

	for (size_t j = 0; j < t->all; j++)
		*entry(t, row, j) /= by;
	for (size_t i = 0; i < t->rows; i++) {
		double f = *entry(t, i, column);

		if (i == row || f == 0)
			continue;
		for (size_t j = 0; j < t->all; j++)
			*entry(t, i, j) -= f * *entry(t, row, j);
		*entry(t, i, column) = 0;
	}
	for (size_t j = 0, n = t->all; j < n; j++) {
		if (j != column)
			t->reduced[j] -= t->reduced[column] * *entry(t, row, j);
	}
	t->reduced[column] = 0;
}

/* Move variable j by `step` from its bound; a basic one may take its place. */
static void move(struct tableau *t, size_t j, double step, size_t leaving, bool to_upper)
{
	double direction = t->at_upper[j] ? -1 : 1;

	for (size_t i = 0; i < t->rows; i++)
		t->value[i] -= direction * step * *entry(t, i, j);
	if (leaving == t->rows) {
		t->at_upper[j] = !t->at_upper[j];
		return;
	}
	t->basic[t->basis[leaving]] = false;
	t->at_upper[t->basis[leaving]] = to_upper;
	t->value[leaving] = (t->at_upper[j] ? t->upper[j] : 0) + direction * step;
	t->at_upper[j] = false;
	t->basic[j] = true;
	t->basis[leaving] = j;
	pivot(t, leaving, j);
}

static int minimise(struct tableau *t, struct lu_err *err)
{
	for (size_t steps = 0; steps < STEPS; steps++) {
		size_t j = entering(t, 1e-9), leaving;
		bool to_upper = false;
		double step;

		if (j == t->all)
			return 0;
		step = ratio(t, j, &leaving, &to_upper);
		if (!isfinite(step))
			return lu_err_set(err, "the targets have no bound");
		move(t, j, step, leaving, to_upper);
	}
	return lu_err_set(err, "the targets are too many to solve");
}

/* Rows with a slack and an artificial variable each; the bound is made positive. */
static void fill(struct tableau *t, const struct lu_simplex *p)
{
	for (size_t i = 0; i < t->rows; i++) {
		const struct lu_simplex_row *r = &p->row[i];
		double sign = r->bound < 0 ? -1 : 1;
		size_t slack = p->columns + i, artificial = p->columns + t->rows + i;

		for (size_t j = 0; j < p->columns; j++)
			*entry(t, i, j) = sign * r->of[j];
		*entry(t, i, slack) = r->sign == LU_SIMPLEX_AT_LEAST ? -sign : sign;
		*entry(t, i, artificial) = 1;
		t->upper[slack] = r->sign == LU_SIMPLEX_IS ? 0 : (double)INFINITY;
		t->upper[artificial] = (double)INFINITY;
		t->value[i] = sign * r->bound;
		t->basis[i] = artificial;
		t->basic[artificial] = true;
	}
	for (size_t j = 0; j < p->columns; j++)
		t->upper[j] = p->upper[j];
}

/* The sum of the artificial variables, then the cost. */
static int two_phases(struct tableau *t, struct lu_simplex *p, double *cost, struct lu_err *err)
{
	size_t first = p->columns + t->rows;

	for (size_t j = first; j < t->all; j++)
		cost[j] = 1;
	price(t, cost);
	if (minimise(t, err) < 0)
		return -1;
	p->violated = 0;
	for (size_t i = 0; i < t->rows; i++) {
		if (t->basis[i] >= first)
			p->violated += t->value[i];
	}
	for (size_t j = first; j < t->all; j++) {
		cost[j] = 0;
		t->upper[j] = 0;
	}
	for (size_t j = 0; j < p->columns; j++)
		cost[j] = p->cost[j];
	price(t, cost);
	return p->violated < 1e-8 ? minimise(t, err) : 0;
}

int lu_simplex_solve(struct lu_simplex *p, struct lu_err *err)
{
	size_t m = p->rows, all = p->columns + 2 * m;
	struct tableau t = { .rows = m, .all = all };
	double *cost = calloc(all + 1, sizeof(*cost));
	int rc = -1;

	t.a = calloc(m * all + 1, sizeof(*t.a));
	t.value = calloc(m + 1, sizeof(*t.value));
	t.reduced = calloc(all + 1, sizeof(*t.reduced));
	t.upper = calloc(all + 1, sizeof(*t.upper));
	t.basis = calloc(m + 1, sizeof(*t.basis));
	t.at_upper = calloc(all + 1, sizeof(*t.at_upper));
	t.basic = calloc(all + 1, sizeof(*t.basic));
	if (!cost || !t.a || !t.value || !t.reduced || !t.upper || !t.basis || !t.at_upper ||
			!t.basic) {
		lu_err_nomem(err);
		goto out;
	}
	fill(&t, p);
	rc = two_phases(&t, p, cost, err);
	for (size_t j = 0; j < p->columns; j++)
		p->x[j] = t.at_upper[j] ? t.upper[j] : 0;
	for (size_t i = 0; i < m; i++) {
		if (t.basis[i] < p->columns)
			p->x[t.basis[i]] = t.value[i];
	}
	p->value = 0;
	for (size_t j = 0; j < p->columns; j++)
		p->value += p->cost[j] * p->x[j];
out:
	free(cost);
	free(t.a);
	free(t.value);
	free(t.reduced);
	free(t.upper);
	free(t.basis);
	free(t.at_upper);
	free(t.basic);
	return rc;
}
