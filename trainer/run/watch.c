#include "trainer/run/watch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"

/* Seconds that a rank must be late to be worth a word: less is what the system does between two steps. */
#define LATE 0.05

static int collect(struct lt_watch *w, double seconds, struct lu_err *err)
{
	return lt_comm_collect(
			w->comm, LT_CHANNEL_MAIN, &seconds, sizeof(seconds), w->seconds, err);
}

/* Compare a rate that each rank has measured, 0: none; rank 0 names the slowest. */
static int compare_rate(struct lt_watch *w, double rate, const char *what, const char *unit,
		struct lu_err *err)
{
	struct lt_slow slow;

	if (collect(w, rate > 0 ? 1 / rate : 0, err) < 0)
		return -1;
	if (lt_comm_rank(w->comm) == 0 &&
			lt_health_slowest(w->seconds, lt_comm_size(w->comm), &slow))
		lu_note("rank %zu on %s %s %.1f %s, the median of the ranks %.1f: all will wait "
			"for it",
				slow.rank, lt_comm_host(w->comm, slow.rank), what, 1 / slow.seconds,
				unit, 1 / slow.median);
	return 0;
}

static int probe(struct lt_watch *w, const struct lk_ops *ops, int device, struct lu_err *err)
{
	bool room = lt_comm_local_size(w->comm) <= (size_t)lu_threads_online();
	struct lt_health h = { 0 };
	int rc = room ? lt_health_probe(ops, device, &h, err) : 0;

	if (lt_comm_agree(w->comm, LT_CHANNEL_MAIN, rc, err) < 0 ||
			compare_rate(w, h.gflops, "computes", "GFLOP/s", err) < 0)
		return -1;
	return compare_rate(w, h.gbytes, "moves", "GB/s", err);
}

int lt_watch_open(struct lt_watch *w, struct lt_comm *comm, const struct lk_ops *ops, int device,
		struct lu_err *err)
{
	size_t ranks = lt_comm_size(comm);
	int rc;

	*w = (struct lt_watch){ 0 };
	if (ranks == 1)
		return 0;
	w->comm = comm;
	w->seconds = calloc(ranks, sizeof(*w->seconds));
	rc = w->seconds ? lt_pace_init(&w->pace, ranks, err) : lu_err_nomem(err);
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	return probe(w, ops, device, err);
}

int lt_watch_step(struct lt_watch *w, uint64_t step, double seconds, struct lu_err *err)
{
	double waited = w->comm ? lt_comm_waited(w->comm) : 0;
	struct lt_slow slow;
	char text[160];

	if (!w->comm)
		return 0;
	if (collect(w, seconds - (waited - w->waited), err) < 0)
		return -1;
	w->waited = waited;
	if (lt_comm_rank(w->comm) == 0 && lt_pace_add(&w->pace, w->seconds, &slow) &&
			slow.seconds - slow.median > LATE)
		lu_note("step %" PRIu64 ": %s", step,
				lt_slow_text(&slow, lt_comm_host(w->comm, slow.rank), text,
						sizeof(text)));
	return 0;
}

void lt_watch_close(struct lt_watch *w)
{
	lt_pace_release(&w->pace);
	free(w->seconds);
	*w = (struct lt_watch){ 0 };
}
