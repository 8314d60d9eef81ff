#ifndef LUCIE_TRAINER_RUN_MEMORY_H
#define LUCIE_TRAINER_RUN_MEMORY_H
/*
 * The memory that a rank needs in a phase, by part, without allocating it. The same functions serve
 * the check of a start and --dry-run (budget.h), and lucie-plan, whose backend need not be here.
 *
 *	struct lt_memory_rules gpu = lt_memory_rules_gpu(LK_BF16);
 *
 *	lt_layout_init(&layout, &settings, rank, processes, &err)
 *	lt_memory_count(&settings, &schedule, &layout, &gpu, &memory, &err)
 */
#include <stdbool.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/run/backend.h"
#include "trainer/run/layout.h"
#include "trainer/run/schedule.h"
#include "trainer/run/settings.h"

/* What the memory of a rank depends on besides the configuration. */
struct lt_memory_rules {
	/* A table of operations, which measure the work space that they need; or one that has name, act
	 * and act_size and nothing else, for a backend that is not here. Then the work space is what
	 * follows below. */
	const struct lk_ops *ops;
	bool device;		   /* memory of its own: what is saved is not in it */
	int number;		   /* of the device, where the work space is measured */
	enum lt_equality equality; /* with `device`: what sums need room for */
	/* For a backend that is not here. */
	uint64_t fixed;	  /* bytes of work space of the products */
	size_t head_rows; /* rows of logits at once; 0: chosen by the vocabulary */
};

/* A backend that is here; its GPU has this number. */
struct lt_memory_rules lt_memory_rules_here(
		const struct lt_backend *b, int number, const struct lt_settings *s);
/*
 * A GPU that need not be here, with activations in LK_BF16 or LK_REAL. The work space
 * is the largest need of one operation: 32 MiB of products, which is what cuBLASLt is given on Hopper,
 * or the backward pass of attention, with the sum of the queries' gradients in fp32 and a number for
 * each query and head.
 */
struct lt_memory_rules lt_memory_rules_gpu(enum lk_type act);

/* In bytes; double, since a wrong size may be beyond 64 bits. */
struct lt_memory {
	double weights, gradients, optimizer;
	double activations; /* without the work space; those of texts that [eval] generates too */
	double workspace;
	double exchange;   /* what the groups keep for sums */
	double checkpoint; /* the copy that is written in the background */
	double all;	   /* of the memory that the backend computes in */
};

/* The memory of the rank of a layout, in the phase of these settings. */
int lt_memory_count(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lt_memory_rules *on, struct lt_memory *m,
		struct lu_err *err) LU_CHECKED;

#endif
