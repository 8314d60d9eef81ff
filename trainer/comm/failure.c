#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "trainer/comm/control_private.h"
#include "trainer/comm/wire.h"

#define QUIET_BEATS 3	   /* heartbeats that are missing: the rank is stopped, not stuck */
#define TRUTH_PATIENCE 0.3 /* seconds: an abort may be on its way behind a closed connection */

/* The sentence of this rank: what it was doing, and why it ends. */
static void compose_locked(struct lt_control *k)
{
	const struct lt_verdict *v = &k->verdict;
	size_t rank = (size_t)v->rank;
	const char *host = k->members[rank].process.host;
	struct lu_buf b = { 0 };

	if (k->at[0])
		lu_buf_printf(&b, "%s: ", k->at);
	switch ((enum lt_blame)v->kind) {
	case LT_BLAME_GONE:
		lu_buf_printf(&b,
				"rank %zu on %s is gone: its process has ended, or its host is "
				"down",
				rank, host);
		break;
	case LT_BLAME_SILENT:
		lu_buf_printf(&b,
				"waited %.0f s for a sign of life of rank %zu on %s: it is "
				"stopped, or "
				"its host or network is down",
				v->seconds, rank, host);
		break;
	case LT_BLAME_STUCK:
		if (rank == k->rank)
			lu_buf_printf(&b, "others waited %.0f s for this rank, %zu on %s",
					v->seconds, rank, host);
		else
			lu_buf_printf(&b, "waited %.0f s for rank %zu on %s%s%s", v->seconds, rank,
					host, v->text[0] ? ", which is at " : "", v->text);
		break;
	case LT_BLAME_LEFT:
		lu_buf_printf(&b,
				"rank %zu on %s has ended its part of the run and is still needed",
				rank, host);
		break;
	case LT_BLAME_ABORT:
	case LT_BLAME_LOST:
		/* What it says includes what it was doing. */
		lu_buf_clear(&b);
		if (rank != k->rank)
			lu_buf_printf(&b, "rank %zu on %s: ", rank, host);
		lu_buf_puts(&b, v->text);
		break;
	}
	if (lu_buf_ok(&b) && b.p)
		snprintf(k->sentence, sizeof(k->sentence), "%s", b.p);
	else
		snprintf(k->sentence, sizeof(k->sentence), "rank %zu on %s failed", rank, host);
	lu_buf_release(&b);
}

void lt_control_fail_locked(struct lt_control *k, const struct lt_verdict *v)
{
	if (k->failed)
		return;
	k->verdict = *v;
	k->verdict.text[sizeof(k->verdict.text) - 1] = '\0';
	if (v->rank >= k->size)
		k->verdict.rank = 0;
	lu_mask_controls(k->verdict.text);
	k->failed = true;
	k->failed_at = lt_now();
	compose_locked(k);
	if (k->rank == 0) {
		for (size_t r = 1; r < k->size; r++)
			lt_spoke_put_locked(k, &k->spoke[r], LT_FRAME_FAIL, LT_CHANNEL_MAIN, 0,
					&k->verdict, sizeof(k->verdict));
	}
	(void)eventfd_write(k->down, 1);
	lt_control_wake(k);
	pthread_cond_broadcast(&k->changed);
}

bool lt_control_is_quiet_locked(const struct lt_control *k, size_t rank)
{
	const struct lt_spoke *s = &k->spoke[rank];

	return rank != k->rank && s->fd >= 0 && lt_now() - s->heard > QUIET_BEATS * k->beat;
}

bool lt_control_has_left_locked(const struct lt_control *k, size_t rank)
{
	return rank == k->rank ? k->closing : k->spoke[rank].left > 0;
}

/* The lowest rank without a sign of life, or k->size. */
static size_t quiet_rank(const struct lt_control *k)
{
	size_t r = 0;

	while (r < k->size && !lt_control_is_quiet_locked(k, r))
		r++;
	return r;
}

/* Whom the rank waits for, as far as rank 0 knows. */
static size_t waits_for(const struct lt_control *k, size_t rank)
{
	return rank == k->rank ? k->waits_for : k->spoke[rank].waits_for;
}

/* A waits for B, B for C: C it is, unless they wait in a circle. One that is quiet or has left waits for
 * nobody, whatever it said last. */
static size_t end_of_chain(const struct lt_control *k, size_t first)
{
	size_t rank = first;

	for (size_t i = 0; i < k->size; i++) {
		size_t next = waits_for(k, rank);

		if (next >= k->size || next == rank || lt_control_is_quiet_locked(k, rank) ||
				lt_control_has_left_locked(k, rank))
			return rank;
		rank = next;
	}
	return first;
}

void lt_control_judge_locked(struct lt_control *k, const struct lt_verdict *v)
{
	struct lt_verdict final = *v;
	size_t rank = (size_t)v->rank;

	if (k->failed || v->rank >= k->size)
		return;
	if (v->kind == LT_BLAME_GONE) {
		if (lt_control_has_left_locked(k, rank)) {
			final.kind = LT_BLAME_LEFT;
		} else {
			if (k->suspicion_due == 0) {
				k->suspicion = final;
				k->suspicion_due = lt_now() + TRUTH_PATIENCE;
			}
			return;
		}
	}
	if (v->kind == LT_BLAME_LOST) {
		final.kind = LT_BLAME_ABORT;
		for (rank = 0; rank < k->size; rank++) {
			if (!lt_control_has_left_locked(k, rank))
				continue;
			final.rank = rank;
			final.kind = LT_BLAME_LEFT;
			break;
		}
	}
	if (v->kind == LT_BLAME_STUCK) {
		/* One may seem to be in a circle, since a rank tells of one of its threads: a rank that
		 * is silent comes first. */
		rank = end_of_chain(k, rank);
		if (quiet_rank(k) < k->size && !lt_control_has_left_locked(k, rank))
			rank = quiet_rank(k);
		final.rank = rank;
		if (lt_control_has_left_locked(k, rank))
			final.kind = LT_BLAME_LEFT;
		else if (lt_control_is_quiet_locked(k, rank))
			final.kind = LT_BLAME_SILENT;
		else
			memcpy(final.text, rank == k->rank ? k->at : k->spoke[rank].at,
					sizeof(k->at));
	}
	lt_control_fail_locked(k, &final);
}

bool lt_control_is_over_locked(const struct lt_control *k)
{
	return k->failed || k->cancelled;
}

int lt_control_error_locked(const struct lt_control *k, struct lu_err *err)
{
	if (!k->failed)
		return lu_err_set(err, "the ranks have agreed to end");
	return lu_err_set(err, "%s", k->sentence);
}

static bool is_culprit(const struct lt_control *k, size_t rank)
{
	return rank == k->verdict.rank &&
			(k->verdict.kind == LT_BLAME_STUCK || k->verdict.kind == LT_BLAME_SILENT);
}

/* True if this rank is the lowest on its host that can end the others; the one for which they waited
 * is the last resort. */
static bool is_leader(const struct lt_control *k)
{
	const struct lt_process *self = &k->members[k->rank].process;
	size_t before = is_culprit(k, k->rank) ? k->size : k->rank;

	for (size_t r = 0; r < before; r++) {
		const struct lt_process *p = &k->members[r].process;
		char state;

		if (r == k->rank || is_culprit(k, r) || !lt_process_in_reach(self, p))
			continue;
		state = lt_process_state(p);
		if (state && state != 'T')
			return false;
	}
	return true;
}

bool lt_control_end_neighbours(const struct lt_control *k)
{
	const struct lt_process *self = &k->members[k->rank].process;
	bool late = lt_now() > k->failed_at + LT_CONTROL_KILL, left = false;

	if (!is_leader(k))
		return false;
	for (size_t r = 0; r < k->size; r++) {
		const struct lt_process *p = &k->members[r].process;
		bool stopped;
		char state = 0;

		if (p->pid != self->pid && lt_process_in_reach(self, p))
			state = lt_process_state(p);
		stopped = state == 'T';
		/* All others end by themselves; some take their time to free their memory. */
		if (!state || (!stopped && !is_culprit(k, r)))
			continue;
		left = true;
		if (stopped || late)
			lt_process_kill(p);
	}
	return left && !late;
}
