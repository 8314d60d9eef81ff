#ifndef LUCIE_ORDER_SKIPS_H
#define LUCIE_ORDER_SKIPS_H
/*
 * Samples that a run leaves out (lucie-train --skip-samples). The samples of a phase are numbered as its
 * data have them (rows.h); those that are left out do not count as consumed, so that the schedule goes
 * on as if they had not been there. The c-th sample that is consumed is number lu_skips_sample(c).
 *
 *	struct lu_skips s = { 0 };
 *	lu_skips_add(&s, phase, from, to, &err)
 *	n = lu_skips_sample(&s, phase, consumed)
 *
 * A plain value: part of the position of a run.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LU_SKIPS 64 /* ranges of a run */

/* Samples from .. to - 1 of a phase. */
struct lu_skip {
	uint64_t phase, from, to;
};

struct lu_skips {
	size_t n;
	struct lu_skip range[LU_SKIPS]; /* in ascending order, none touches the next */
};

/* Add samples from .. to - 1; from is below to. Ranges that touch become one. Fails if there are too
 * many. */
int lu_skips_add(struct lu_skips *s, uint64_t phase, uint64_t from, uint64_t to,
		struct lu_err *err) LU_CHECKED;
/* Whether all of them are left out already. */
bool lu_skips_has(const struct lu_skips *s, uint64_t phase, uint64_t from, uint64_t to);

/* The number of the sample that is consumed after `consumed` others. */
uint64_t lu_skips_sample(const struct lu_skips *s, uint64_t phase, uint64_t consumed);

#endif
