#include "libcommon/mix/solve.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/rng.h"

__extension__ typedef unsigned __int128 u128;

#define LARGEST (UINT64_MAX >> 3)

/* --- quotas ------------------------------------------------------------------------------- */

/* Sums over the groups of each kind. */
struct sums {
	uint64_t size, rest_weight; /* of all groups; of those that share the rest */
	uint64_t epochs;	    /* quotas of the groups with epochs */
	uint64_t shares;	    /* in parts of LU_SHARE_ONE */
	size_t kind[3];		    /* groups of each kind */
	const char *unknown;	    /* a group whose size is not stated, or NULL */
};

struct lu_demand lu_solve_demand(const struct lu_recipe_group *g, uint64_t size)
{
	return (struct lu_demand){ g->name, g->kind, g->amount, g->max_epochs, size, 0, g->weight };
}

uint64_t lu_solve_weight(const struct lu_demand *d)
{
	return d->weight ? d->weight : d->size;
}

/* Set quota[i] = floor(part[i] / den), then add 1 to those with the largest remainders, ties to the
 * earlier, until the quotas add up to `total`. The parts add up to total * den, less at most n *
 * den. */
static int largest_remainder(const u128 *part, u128 den, uint64_t total, uint64_t *quota, size_t n,
		struct lu_err *err)
{
	uint64_t left = total;
	bool *given = calloc(n ? n : 1, sizeof(*given));

	if (!given)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		quota[i] = (uint64_t)(part[i] / den);
		left -= quota[i];
	}
	LU_ASSERT(left <= n);
	for (; left > 0; left--) {
		size_t best = n;

		for (size_t i = 0; i < n; i++) {
			if (!given[i] && (best == n || part[i] % den > part[best] % den))
				best = i;
		}
		given[best] = true;
		quota[best]++;
	}
	free(given);
	return 0;
}

/* Sum up the groups; those with epochs get their quotas. */
static int sum_up(struct lu_demand *d, size_t n, struct sums *s, struct lu_err *err)
{
	*s = (struct sums){ 0 };
	for (size_t i = 0; i < n; i++) {
		u128 q;

		s->size += d[i].size;
		s->kind[d[i].kind]++;
		if (d[i].size == 0)
			s->unknown = d[i].name;
		if (d[i].size == 0 &&
				(d[i].kind == LU_AMOUNT_EPOCHS || lu_solve_weight(&d[i]) == 0))
			return lu_err_set(err, "group %s: states no tokens to %s", d[i].name,
					d[i].kind == LU_AMOUNT_EPOCHS ? "multiply"
								      : "divide the rest by");
		switch (d[i].kind) {
		case LU_AMOUNT_REST:
			if (__builtin_add_overflow(s->rest_weight, lu_solve_weight(&d[i]),
					    &s->rest_weight))
				return lu_err_set(err, "the weights are too large");
			break;
		case LU_AMOUNT_SHARE: s->shares += d[i].amount; break;
		case LU_AMOUNT_EPOCHS:
			q = ((u128)d[i].size * d[i].amount + LU_EPOCH_ONE / 2) / LU_EPOCH_ONE;
			if (q > LARGEST || s->epochs + (uint64_t)q > LARGEST)
				return lu_err_set(err, "group %s: too many epochs", d[i].name);
			d[i].quota = (uint64_t)q;
			s->epochs += d[i].quota;
		}
	}
	if (s->shares > LU_SHARE_ONE)
		return lu_err_set(err, "the shares add up to %.7g %%, more than 100 %%",
				(double)s->shares * 100 / LU_SHARE_ONE);
	return 0;
}

/* The size of the mix: given, or that of the groups, or what follows from the epochs. */
static int find_mix_size(
		const struct sums *s, uint64_t total, uint64_t *mix_size, struct lu_err *err)
{
	uint64_t left = LU_SHARE_ONE - s->shares;
	u128 size;

	*mix_size = total ? total : s->size;
	if (s->kind[LU_AMOUNT_REST] > 0 || (s->kind[LU_AMOUNT_EPOCHS] == 0 && left == 0)) {
		if (total || !s->unknown)
			return 0;
		return lu_err_set(
				err, "group %s states no tokens: give the mix a total", s->unknown);
	}
	if (s->kind[LU_AMOUNT_EPOCHS] == 0) {
		return lu_err_set(err, "the shares add up to %.7g %%, and no group takes the rest",
				(double)s->shares * 100 / LU_SHARE_ONE);
	}
	if (total)
		return lu_err_set(err, "the epochs determine the size of the mix: remove total");
	if (left == 0)
		return lu_err_set(err, "shares of 100 %% leave nothing for the groups with epochs");
	size = ((u128)s->epochs * LU_SHARE_ONE + left / 2) / left;
	if (size > LARGEST)
		return lu_err_set(err, "the mix would be too large");
	*mix_size = (uint64_t)size;
	return 0;
}

/* Set the quotas of the groups of one kind, in their order. */
static void set_quotas(struct lu_demand *d, size_t n, enum lu_amount kind, const uint64_t *quota)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == kind)
			d[i].quota = *quota++;
	}
}

/* Divide among the groups with shares and those that share the rest, as one; then among these. */
static int divide(struct lu_demand *d, size_t n, const struct sums *s, uint64_t mix_size,
		struct lu_err *err)
{
	u128 *part = calloc(n + 1, sizeof(*part));
	uint64_t *quota = calloc(n + 1, sizeof(*quota)), rest_quota;
	u128 rest = (u128)mix_size * (LU_SHARE_ONE - s->shares);
	u128 epochs = (u128)s->epochs * LU_SHARE_ONE;
	size_t k = 0;
	int rc = -1;

	if (!part || !quota) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == LU_AMOUNT_SHARE)
			part[k++] = (u128)mix_size * d[i].amount;
	}
	if (s->kind[LU_AMOUNT_REST] > 0) {
		if (rest <= epochs) {
			lu_err_set(err,
					"the shares and epochs leave nothing of the total of "
					"%" PRIu64 " for the other groups",
					mix_size);
			goto out;
		}
		part[k++] = rest - epochs;
	}
	if (largest_remainder(part, LU_SHARE_ONE, mix_size - s->epochs, quota, k, err) < 0)
		goto out;
	set_quotas(d, n, LU_AMOUNT_SHARE, quota);
	if (s->kind[LU_AMOUNT_REST] > 0) {
		rest_quota = quota[k - 1];
		k = 0;
		for (size_t i = 0; i < n; i++) {
			if (d[i].kind == LU_AMOUNT_REST)
				part[k++] = (u128)rest_quota * lu_solve_weight(&d[i]);
		}
		if (largest_remainder(part, s->rest_weight, rest_quota, quota, k, err) < 0)
			goto out;
		set_quotas(d, n, LU_AMOUNT_REST, quota);
	}
	rc = 0;
out:
	free(part);
	free(quota);
	return rc;
}

/* The largest mix in which no group exceeds its limit of epochs. Groups with epochs are left out:
 * the total has no influence on them. */
static uint64_t largest_mix(const struct lu_demand *d, size_t n, const struct sums *s)
{
	u128 least = LARGEST;

	for (size_t i = 0; i < n; i++) {
		u128 limit = (u128)d[i].size * d[i].max_epochs / LU_EPOCH_ONE, mix;

		if (d[i].max_epochs == UINT64_MAX || d[i].kind == LU_AMOUNT_EPOCHS ||
				d[i].size == 0)
			continue;
		if (d[i].kind == LU_AMOUNT_SHARE)
			mix = limit * LU_SHARE_ONE / d[i].amount;
		else if (d[i].weight == 0)
			mix = ((u128)s->rest_weight * d[i].max_epochs / LU_EPOCH_ONE + s->epochs) *
					LU_SHARE_ONE / (LU_SHARE_ONE - s->shares);
		else /* of weights: in doubles, which is near enough for a message */
			mix = (u128)(((double)limit * (double)s->rest_weight / (double)d[i].weight +
						     (double)s->epochs) *
					LU_SHARE_ONE / (double)(LU_SHARE_ONE - s->shares));
		if (mix < least)
			least = mix;
	}
	return (uint64_t)least;
}

uint64_t lu_solve_limit(const struct lu_demand *d)
{
	u128 limit = (u128)d->size * d->max_epochs / LU_EPOCH_ONE;

	return d->max_epochs == UINT64_MAX || d->size == 0 || limit > LARGEST ? UINT64_MAX
									      : (uint64_t)limit;
}

int lu_solve_check(const struct lu_demand *d, size_t n, uint64_t mix_size, uint64_t possible,
		struct lu_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i].quota == 0)
			return lu_err_set(err, "group %s: its part of %" PRIu64 " is nothing",
					d[i].name, mix_size);
		if (d[i].size == 0 ||
				(u128)d[i].quota * LU_EPOCH_ONE <=
						(u128)d[i].max_epochs * d[i].size)
			continue;
		if (d[i].max_epochs == UINT64_MAX)
			return lu_err_set(err,
					"group %s: a quota of %" PRIu64 " is too many epochs",
					d[i].name, d[i].quota);
		lu_err_set(err, "group %s needs %.3f epochs, more than max_epochs %.6g", d[i].name,
				(double)d[i].quota / (double)d[i].size,
				(double)d[i].max_epochs / LU_EPOCH_ONE);
		if (d[i].kind != LU_AMOUNT_EPOCHS && possible)
			lu_err_wrap(err,
					"a total of %" PRIu64 " is too large, at most %" PRIu64
					" is possible",
					mix_size, possible);
		return -1;
	}
	return 0;
}

int lu_solve_quotas(struct lu_demand *d, size_t n, uint64_t total, uint64_t *mix_size,
		struct lu_err *err)
{
	struct sums s;

	if (sum_up(d, n, &s, err) < 0 || find_mix_size(&s, total, mix_size, err) < 0)
		return -1;
	if (*mix_size < s.epochs)
		return lu_err_set(err,
				"the epochs need %" PRIu64 ", more than the total of %" PRIu64,
				s.epochs, *mix_size);
	if (s.kind[LU_AMOUNT_SHARE] + s.kind[LU_AMOUNT_REST] > 0 &&
			divide(d, n, &s, *mix_size, err) < 0)
		return -1;
	return lu_solve_check(d, n, *mix_size, largest_mix(d, n, &s), err);
}

int lu_solve_round_epochs(struct lu_demand *d, size_t n, uint64_t *mix_size, struct lu_err *err)
{
	u128 *part = calloc(n, sizeof(*part)), sum = 0;
	uint64_t *quota = calloc(n, sizeof(*quota));
	int rc = part && quota ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		sum += part[i] = (u128)d[i].size * d[i].amount;
	sum = (sum + LU_EPOCH_ONE / 2) / LU_EPOCH_ONE;
	/* The remainders add up to half a unit more or less than a whole number. */
	if (rc == 0)
		rc = largest_remainder(part, LU_EPOCH_ONE, (uint64_t)sum, quota, n, err);
	if (rc == 0) {
		set_quotas(d, n, LU_AMOUNT_EPOCHS, quota);
		*mix_size = (uint64_t)sum;
	}
	free(part);
	free(quota);
	return rc;
}

/* --- cutting ------------------------------------------------------------------------------ */

void lu_cut_begin(struct lu_cut *c, const struct lu_demand *d, lu_excess excess)
{
	lu_excess wanted = d->quota;

	if (d->kind == LU_AMOUNT_REST)
		wanted = wanted > excess ? wanted - excess : 0;
	/* To make up for others is no reason to exceed the limit. */
	if (wanted > (lu_excess)lu_solve_limit(d))
		wanted = lu_solve_limit(d);
	*c = (struct lu_cut){ .passes = (uint64_t)wanted / d->size,
		.rest = (uint64_t)wanted % d->size };
}

bool lu_cut_more(const struct lu_cut *c)
{
	return c->sum < c->rest;
}

bool lu_cut_take(struct lu_cut *c, uint64_t step, uint64_t tokens)
{
	/* Ties go to the boundary before. */
	if (c->sum + step > c->rest && c->sum + step - c->rest >= c->rest - c->sum)
		return false;
	c->sum += step;
	c->tokens += tokens;
	c->last++;
	return true;
}

int lu_cut_end(const struct lu_cut *c, struct lu_plan *plan, size_t i, const struct lu_demand *d,
		lu_excess *excess, struct lu_err *err)
{
	struct lu_plan_group *g = &plan->group[i];

	g->quota = d->quota;
	g->passes = c->passes;
	g->last = c->last;
	g->planned = g->passes * g->tokens + c->tokens;
	if (g->last == g->documents) {
		g->passes++;
		g->last = 0;
	}
	*excess += (lu_excess)c->passes * d->size + c->sum - d->quota;
	if (g->passes == 0 && g->last == 0)
		return lu_err_set(err,
				"group %s: a quota of %" PRIu64 " is less than half a document",
				g->name, g->quota);
	plan->documents += g->passes * g->documents + g->last;
	plan->tokens += g->planned;
	return 0;
}

/* Take documents of one more pass, up to the boundary nearest to the quota. */
static int cut_pass(const struct lu_plan *plan, const struct lu_plan_group *g, struct lu_cut *c,
		lu_plan_size_fn *size_of, void *ctx, struct lu_err *err)
{
	uint64_t stream = lu_rand_stream(g->name, c->passes);

	while (lu_cut_more(c) && c->last < g->documents) {
		struct lu_plan_entry e = lu_plan_document(
				g, lu_rand_permute(plan->seed, stream, c->last, g->documents));
		uint64_t size;

		if (size_of(ctx, e.shard, e.document, &size, err) < 0)
			return -1;
		if (!lu_cut_take(c, plan->by_documents ? 1 : size, size))
			break;
	}
	return 0;
}

int lu_solve_cut(struct lu_plan *plan, const struct lu_demand *d, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err)
{
	lu_excess excess = 0;

	plan->documents = plan->tokens = 0;
	for (int rest = 0; rest < 2; rest++) {
		for (size_t i = 0; i < plan->groups; i++) {
			struct lu_cut c;

			if ((d[i].kind == LU_AMOUNT_REST) != (rest == 1))
				continue;
			lu_cut_begin(&c, &d[i], excess);
			if (cut_pass(plan, &plan->group[i], &c, size_of, ctx, err) < 0 ||
					lu_cut_end(&c, plan, i, &d[i], &excess, err) < 0)
				return -1;
		}
	}
	return 0;
}

int lu_solve_verify(const struct lu_plan *plan, const struct lu_demand *d, struct lu_err *err)
{
	for (size_t i = 0; i < plan->groups; i++) {
		const struct lu_plan_group *g = &plan->group[i];
		u128 passes = (u128)g->passes + (g->last > 0);
		u128 most = d[i].max_epochs == UINT64_MAX
				? passes
				: ((u128)d[i].max_epochs + LU_EPOCH_ONE - 1) / LU_EPOCH_ONE;

		if (passes > most || g->planned > passes * g->tokens || g->last > g->documents)
			return lu_err_set(err,
					"group %s: %" PRIu64 " of its %" PRIu64
					" tokens in the mix exceed its epochs",
					g->name, g->planned, g->tokens);
	}
	return 0;
}
