#ifndef LUCIE_TRAINER_MODEL_STAGING_H
#define LUCIE_TRAINER_MODEL_STAGING_H
/*
 * Host memory that the device reads while the host goes on: a ring of pinned buffers. The host fills one
 * and queues copies from it; it waits only when it comes round to a buffer that the device, LT_STAGES
 * rounds behind, has not read yet.
 *
 *	lt_staging_open(&s, ops, q, bytes)
 *	void *p = lt_staging_next(&s)		NULL on failure; room for `bytes`
 *	... fill p, ops->copy(q, to, p, n, LK_H2D) ...
 *	lt_staging_queued(&s)			after the copies
 *	lt_staging_close(&s)			a zeroed one is fine
 *
 * Functions return 0, or -1 with the reason in the queue.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/lk.h"

#define LT_STAGES 4

struct lt_staging {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct {
		void *p;
		struct lk_event *read;
		bool in_use;
	} stage[LT_STAGES];
	size_t turn;
};

int lt_staging_open(
		struct lt_staging *s, const struct lk_ops *ops, struct lk_queue *q, size_t bytes);
void lt_staging_close(struct lt_staging *s);
void *lt_staging_next(struct lt_staging *s);
int lt_staging_queued(struct lt_staging *s);

#endif
