#include "libcommon/mix/ipf.h"

#include <math.h>
#include <stdlib.h>

/* Factors that change by less than this are at rest. */
#define REST 1e-13
/* Keeps products of many factors apart from infinity and from 0. */
#define LARGEST_FACTOR 1e60

/* x without the limits, from scratch, so that rounding does not add up over the rounds. */
static void multiply(const struct lu_ipf *p, const double *factor, double *free_x)
{
	for (size_t j = 0; j < p->columns; j++)
		free_x[j] = p->weight[j];
	for (size_t i = 0; i < p->sets; i++) {
		for (size_t j = 0; j < p->columns; j++) {
			if (p->set[i].member[j])
				free_x[j] *= factor[i];
		}
	}
}

static double sum_of(const struct lu_ipf *p, size_t set, const double *free_x, double by)
{
	double sum = 0;

	for (size_t j = 0; j < p->columns; j++) {
		if (p->set[set].member[j])
			sum += fmin(p->limit[j], free_x[j] * by);
	}
	return sum;
}

/* The factor by which the members of a set must grow for it to be met: where members are cut off, the
 * others have to make up for them. Each turn finds more that are cut off, or ends. */
static double growth(const struct lu_ipf *p, size_t set, const double *free_x)
{
	const bool *member = p->set[set].member;
	double f = 0, next;
	bool again = true;

	while (again) {
		double cut = 0, open = 0, most = 0;

		again = false;
		for (size_t j = 0; j < p->columns; j++) {
			if (!member[j])
				continue;
			if (f > 0 && free_x[j] * f >= p->limit[j]) {
				cut += p->limit[j];
				most = fmax(most, p->limit[j] / free_x[j]);
			} else {
				open += free_x[j];
			}
		}
		/* All are cut off: the set cannot have more. */
		if (open == 0)
			return most > 0 ? most : 1;
		next = (p->set[set].wanted - cut) / open;
		if (next <= f)
			return f;
		for (size_t j = 0; j < p->columns && !again; j++) {
			again = member[j] && free_x[j] * next >= p->limit[j] &&
					!(f > 0 && free_x[j] * f >= p->limit[j]);
		}
		f = next;
	}
	return f;
}

/* Set the factor of one set; returns by how much it changed, relatively. */
static double step(const struct lu_ipf *p, size_t set, double *factor, double *free_x)
{
	double before = factor[set], after = before * growth(p, set, free_x), by;

	if (p->set[set].sign == LU_IPF_AT_MOST)
		after = fmin(after, 1);
	else if (p->set[set].sign == LU_IPF_AT_LEAST)
		after = fmax(after, 1);
	after = fmin(fmax(after, 1 / LARGEST_FACTOR), LARGEST_FACTOR);
	by = after / before;
	factor[set] = after;
	for (size_t j = 0; j < p->columns; j++) {
		if (p->set[set].member[j])
			free_x[j] *= by;
	}
	return fabs(by - 1);
}

static double violation(const struct lu_ipf *p, const double *free_x)
{
	double most = 0;

	for (size_t i = 0; i < p->sets; i++) {
		double over = sum_of(p, i, free_x, 1) - p->set[i].wanted;

		if (p->set[i].sign != LU_IPF_AT_LEAST)
			most = fmax(most, over);
		if (p->set[i].sign != LU_IPF_AT_MOST)
			most = fmax(most, -over);
	}
	return most;
}

int lu_ipf_solve(struct lu_ipf *p, double tolerance, uint64_t rounds, struct lu_err *err)
{
	double *factor = malloc((p->sets + 1) * sizeof(*factor));
	double *free_x = malloc((p->columns + 1) * sizeof(*free_x));
	int rc = factor && free_x ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < p->sets; i++)
		factor[i] = 1;
	for (p->rounds = 0; rc == 0 && p->rounds < rounds; p->rounds++) {
		double change = 0;

		multiply(p, factor, free_x);
		for (size_t i = 0; i < p->sets; i++)
			change = fmax(change, step(p, i, factor, free_x));
		p->violated = violation(p, free_x);
		if (p->violated <= tolerance && change <= REST)
			break;
	}
	for (size_t j = 0; rc == 0 && j < p->columns; j++)
		p->x[j] = fmin(p->limit[j], free_x[j]);
	free(factor);
	free(free_x);
	return rc;
}
