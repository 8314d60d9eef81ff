#ifndef LUCIE_TRAINER_RUN_HEALTH_H
#define LUCIE_TRAINER_RUN_HEALTH_H
/*
 * Is a rank as fast as the others? All of them wait for the slowest, so one host with a throttled
 * processor or a bad memory module slows down the whole run, and nothing else tells which it is.
 *
 * At the start, a probe of a fifth of a second on each rank:
 *	lt_health_probe(ops, device, &health, &err)
 *	... rank 0 collects the figures of all; seconds[rank] = 1 / health.gflops ...
 *	if (lt_health_slowest(seconds, n, &slow))
 *		... slow.rank, on the host of that rank ...
 *
 * While training, rank 0 collects from each rank how long it worked at a step:
 *	lt_pace_init(&pace, ranks, &err)
 *	if (lt_pace_add(&pace, seconds, &slow))
 *		lu_warn("%s", lt_slow_text(&slow, host of slow.rank, text, sizeof(text)))
 *	lt_pace_release(&pace)
 * `seconds` must not count the waiting for others, without which all ranks take equally long.
 *
 * Slow means more than LT_SLOW times the median of the ranks; of an even number the lower of the two
 * in the middle, so that of two ranks the slow one is found as well.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

#define LT_SLOW 1.2
#define LT_PACE_STEPS 20 /* steps of the window over which a rank must be slow */

struct lt_health {
	double gflops; /* 1e9 operations a second, of a product of activations that fits the caches */
	double gbytes; /* 1e9 bytes a second, read and written, adding one array to another */
};

/*
 * Measure: the best of a few runs, with the threads of the team. Takes 129 MiB of device memory
 * meanwhile. The product is of whole numbers that every type holds exactly, and compared with what it
 * must be: an error is a failed allocation, or a product that came out wrong, after which this host
 * must not train.
 */
int lt_health_probe(const struct lk_ops *ops, int device, struct lt_health *h,
		struct lu_err *err) LU_CHECKED;

/* A slow rank: its seconds, and the median of all ranks. */
struct lt_slow {
	size_t rank;
	double seconds, median;
};

/* The rank that takes longest, the first of equal ones. True if it is slow. Values that are not
 * positive are those of ranks that did nothing, and not counted. seconds[n] is not changed. */
bool lt_health_slowest(const double *seconds, size_t n, struct lt_slow *slow);

/* "rank 5 on n3 takes 31 % longer than the median of the ranks: 2.61 s, not 1.99 s". Returns text. */
const char *lt_slow_text(const struct lt_slow *slow, const char *host, char *text, size_t size);

struct lt_pace {
	size_t ranks;
	double *seconds; /* [LT_PACE_STEPS][ranks], a ring of the last steps */
	double *middle;	 /* [ranks] */
	size_t steps;	 /* so far */
	size_t named;	 /* the rank that was named and is slow since; SIZE_MAX: none */
};

int lt_pace_init(struct lt_pace *p, size_t ranks, struct lu_err *err) LU_CHECKED;
/* Add a step. True, with *slow, when a rank has become slow: the median of its last LT_PACE_STEPS
 * steps is, so that a hiccup is none. It is named once, and again only after it has recovered or
 * another one was slower. */
bool lt_pace_add(struct lt_pace *p, const double *seconds, struct lt_slow *slow);
void lt_pace_release(struct lt_pace *p); /* a zeroed one is fine */

#endif
