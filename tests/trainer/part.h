#ifndef LUCIE_TESTS_PART_H
#define LUCIE_TESTS_PART_H
/*
 * The part of a model that a rank of some layout holds, with values that tell every element of every
 * vector from all others: a function of vector, parameter, element of the whole, and a number. To be
 * used in a rank (ranks.h), since it ends the process where something is wrong.
 */
#include "tests/trainer/ranks.h"
#include "trainer/model/weights.h"

#define PART_LAYERS 6

struct part_layout {
	size_t tp, dp, pp;
	size_t chunks; /* of layers, on each stage */
	bool zero;
	uint64_t seed; /* where the layers are cut */
};

static inline size_t part_ranks(const struct part_layout *l)
{
	return l->tp * l->dp * l->pp;
}

/* Name of the layout, for messages. */
const char *part_name(const struct part_layout *l, char buf[64]);

struct part {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;
};

struct lt_shape part_shape(void);
/* Open the part of a rank: tensor parallelism runs fastest, then data, then pipeline. */
void part_open(struct part *p, size_t rank, const struct part_layout *l);
void part_close(struct part *p);

/* Set all that is held, of m and v all that is owned. */
void part_fill(struct part *p, uint64_t number);
/* True if every element is as part_fill() set it. A mixture of several numbers is none of them. */
bool part_is(struct part *p, uint64_t number);

#endif
