#ifndef LUCIE_BPETRAIN_MEMORY_BUDGET_H
#define LUCIE_BPETRAIN_MEMORY_BUDGET_H
/*
 * The memory of learning: what its parts hold together, against one limit.
 */
#include <inttypes.h>
#include <stdint.h>

#include "libcommon/base/err.h"

struct lu_budget {
	uint64_t held, limit; /* bytes; limit 0: none */
};

/* Fail if `more` bytes would exceed the limit. */
static inline int lu_budget_check(const struct lu_budget *b, uint64_t more, struct lu_err *err)
{
	if (!b->limit || b->held + more <= b->limit)
		return 0;
	return lu_err_set(err,
			"-m: learning the merges needs more than the %" PRIu64
			"M left by the memory limit",
			b->limit >> 20);
}

#endif
