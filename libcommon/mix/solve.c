#include "libcommon/mix/solve.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/rng.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* --- quotas ------------------------------------------------------------------------------- */

/* What the groups of each kind ask for together. */
struct sums {
	uint64_t have, rest_have;
	uint64_t epochs; /* quotas of the groups with epochs */
	uint64_t shares; /* of LU_SHARE_ONE */
	size_t kind[3];	 /* how many groups of each */
};

/* Gives quota[i] = floor(part[i] / den) and what is then left of `total` one by one to the largest
 * remainders, ties to the earlier. The parts add up to total * den, or nearly. */
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

static int add_up(struct lu_demand *d, size_t n, struct sums *s, struct lu_err *err)
{
	*s = (struct sums){ 0 };
	for (size_t i = 0; i < n; i++) {
		u128 q;

		s->have += d[i].have;
		s->kind[d[i].kind]++;
		switch (d[i].kind) {
		case LU_REST: s->rest_have += d[i].have; break;
		case LU_SHARE: s->shares += d[i].amount; break;
		case LU_EPOCHS:
			q = ((u128)d[i].have * d[i].amount + LU_EPOCH_ONE / 2) / LU_EPOCH_ONE;
			if (q > UINT64_MAX >> 3 || s->epochs + (uint64_t)q > UINT64_MAX >> 3)
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

static int find_total(const struct sums *s, uint64_t total, uint64_t *whole, struct lu_err *err)
{
	*whole = total ? total : s->have;
	if (s->kind[LU_REST] > 0) {
		return 0;
	} else if (s->kind[LU_EPOCHS] == 0) {
		if (s->shares == LU_SHARE_ONE)
			return 0;
		return lu_err_set(err, "the shares add up to %.7g %%, and no group shares the rest",
				(double)s->shares * 100 / LU_SHARE_ONE);
	} else if (total) {
		return lu_err_set(err, "a total, but the epochs already tell how large the mix is");
	} else if (s->shares == LU_SHARE_ONE) {
		return lu_err_set(err, "shares of 100 %% leave nothing for the groups with epochs");
	} else {
		uint64_t left = LU_SHARE_ONE - s->shares;
		u128 t = ((u128)s->epochs * LU_SHARE_ONE + left / 2) / left;

		if (t > UINT64_MAX >> 3)
			return lu_err_set(err, "the mix would be too large");
		*whole = (uint64_t)t;
		return 0;
	}
}

/* Shares first, with the groups that share the rest as one; then these among themselves. */
static int divide(struct lu_demand *d, size_t n, const struct sums *s, uint64_t whole,
		struct lu_err *err)
{
	u128 *part = calloc(n + 1, sizeof(*part));
	uint64_t *quota = calloc(n + 1, sizeof(*quota));
	u128 rest = (u128)whole * (LU_SHARE_ONE - s->shares);
	u128 fixed = (u128)s->epochs * LU_SHARE_ONE;
	size_t k = 0;
	int rc = -1;

	if (!part || !quota) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == LU_SHARE)
			part[k++] = (u128)whole * d[i].amount;
	}
	if (s->kind[LU_REST] > 0) {
		if (rest <= fixed) {
			lu_err_set(err,
					"the shares and epochs leave nothing of the total of "
					"%" PRIu64 " for the other groups",
					whole);
			goto out;
		}
		part[k++] = rest - fixed;
	}
	if (largest_remainder(part, LU_SHARE_ONE, whole - s->epochs, quota, k, err) < 0)
		goto out;
	k = 0;
	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == LU_SHARE)
			d[i].quota = quota[k++];
	}
	if (s->kind[LU_REST] > 0) {
		uint64_t pool = quota[k];

		k = 0;
		for (size_t i = 0; i < n; i++) {
			if (d[i].kind == LU_REST)
				part[k++] = (u128)pool * d[i].have;
		}
		if (largest_remainder(part, s->rest_have, pool, quota, k, err) < 0)
			goto out;
		k = 0;
		for (size_t i = 0; i < n; i++) {
			if (d[i].kind == LU_REST)
				d[i].quota = quota[k++];
		}
	}
	rc = 0;
out:
	free(part);
	free(quota);
	return rc;
}

/* The largest total with which no group needs more than its bound; 0 when the total has no
 * influence on it. */
static uint64_t largest_total(const struct lu_demand *d, size_t n, const struct sums *s)
{
	u128 least = UINT64_MAX >> 3;

	for (size_t i = 0; i < n; i++) {
		u128 bound = (u128)d[i].have * d[i].max_epochs / LU_EPOCH_ONE, t;

		if (d[i].max_epochs == UINT64_MAX || d[i].kind == LU_EPOCHS)
			continue;
		if (d[i].kind == LU_SHARE)
			t = bound * LU_SHARE_ONE / d[i].amount;
		else
			t = ((u128)s->rest_have * d[i].max_epochs / LU_EPOCH_ONE + s->epochs) *
					LU_SHARE_ONE / (LU_SHARE_ONE - s->shares);
		if (t < least)
			least = t;
	}
	return (uint64_t)least;
}

int lu_solve_quotas(
		struct lu_demand *d, size_t n, uint64_t total, uint64_t *whole, struct lu_err *err)
{
	struct sums s;

	if (add_up(d, n, &s, err) < 0 || find_total(&s, total, whole, err) < 0)
		return -1;
	if (*whole < s.epochs)
		return lu_err_set(err,
				"the epochs need %" PRIu64 ", more than the total of %" PRIu64,
				s.epochs, *whole);
	if (s.kind[LU_SHARE] + s.kind[LU_REST] > 0 && divide(d, n, &s, *whole, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (d[i].quota == 0)
			return lu_err_set(err, "group %s: its part of %" PRIu64 " is nothing",
					d[i].name, *whole);
		if ((u128)d[i].quota * LU_EPOCH_ONE <= (u128)d[i].max_epochs * d[i].have)
			continue;
		lu_err_set(err, "group %s needs %.3f epochs, more than max_epochs %.6g", d[i].name,
				(double)d[i].quota / (double)d[i].have,
				(double)d[i].max_epochs / LU_EPOCH_ONE);
		if (d[i].kind != LU_EPOCHS)
			lu_err_wrap(err, "total %" PRIu64 " is too much, %" PRIu64 " would do",
					*whole, largest_total(d, n, &s));
		return -1;
	}
	return 0;
}

/* --- cutting ------------------------------------------------------------------------------ */

/* Reads one more pass up to the boundary nearest to `rest`, below what a pass measures; adds what
 * that measures to *measured. */
static void cut_pass(const struct lu_plan *plan, struct lu_plan_group *g, uint64_t rest,
		lu_plan_size_fn *size_of, void *ctx, uint64_t *measured)
{
	uint64_t stream = lu_rand_stream(g->name, g->passes), sum = 0, tokens = 0;

	g->last = 0;
	while (sum < rest && g->last < g->documents) {
		struct lu_plan_place at = lu_plan_document(
				g, lu_rand_permute(plan->seed, stream, g->last, g->documents));
		uint64_t size = size_of(ctx, at.shard, at.document);
		uint64_t step = plan->by_documents ? 1 : size;

		/* As near before it as after it: before. */
		if (sum + step > rest && sum + step - rest >= rest - sum)
			break;
		sum += step;
		tokens += size;
		g->last++;
	}
	g->planned = g->passes * g->tokens + tokens;
	*measured += sum;
	if (g->last == g->documents) {
		g->passes++;
		g->last = 0;
	}
}

int lu_solve_cut(struct lu_plan *plan, const struct lu_demand *d, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err)
{
	i128 over = 0; /* given so far beyond the quotas, to be taken from those that share the rest */

	plan->documents = plan->tokens = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < plan->groups; i++) {
			struct lu_plan_group *g = &plan->group[i];
			i128 wanted = d[i].quota;
			uint64_t measured;

			if ((d[i].kind == LU_REST) != (pass == 1))
				continue;
			if (pass == 1)
				wanted = wanted > over ? wanted - over : 0;
			g->quota = d[i].quota;
			g->passes = (uint64_t)wanted / d[i].have;
			measured = g->passes * d[i].have;
			cut_pass(plan, g, (uint64_t)wanted - measured, size_of, ctx, &measured);
			over += (i128)measured - (i128)d[i].quota;
			if (g->passes == 0 && g->last == 0)
				return lu_err_set(err,
						"group %s: a quota of %" PRIu64
						" is less than half a document",
						g->name, g->quota);
			plan->documents += g->passes * g->documents + g->last;
			plan->tokens += g->planned;
		}
	}
	return 0;
}
