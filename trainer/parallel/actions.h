#ifndef LUCIE_TRAINER_PARALLEL_ACTIONS_H
#define LUCIE_TRAINER_PARALLEL_ACTIONS_H
/*
 * Pipeline schedules as data: for each stage the list of what it does in a step, from the first to
 * the last. The executor walks over the list of its stage and decides nothing; the checker
 * (actions_check.h) walks over all of them.
 *
 * The model is cut into chunks, numbered from the embedding to the head (stages.h); chunk c is on
 * stage c % stages. A chunk and a micro-batch meet in two passes:
 *
 *	RECV_FORWARD	receive the output of chunk - 1 from stage `peer` into the slot
 *	FORWARD		run the layers of the chunk; the first chunk embeds
 *	SEND_FORWARD	send the output to stage `peer`
 *
 *	RECV_BACKWARD	receive the gradient of the output from stage `peer`
 *	BACKWARD	run the layers backwards, with head and loss before them on the last chunk
 *	SEND_BACKWARD	send the gradient of the input to stage `peer`
 *
 * The passes of a chunk stand together in this order, without what has no other side: the first
 * chunk receives nothing forward and sends nothing backward, the last one the other way round. So
 * one buffer for a gradient that comes in is enough, and one for each gradient or output that is
 * being sent.
 *
 * What the lists promise:
 * - A send does not wait for its receive. Messages from one stage to another, forward and backward
 *   alike, are received in the order they were sent in.
 * - For each chunk the passes are in the order of the micro-batches, both ways, so that gradients
 *   are summed in the same order by every layout.
 * - An activation slot belongs to one micro-batch from RECV_FORWARD (FORWARD on the first chunk) to
 *   BACKWARD. Slots are numbered from 0 for each chunk and the lowest free one is taken, so
 *   slots[c] sets of activations of chunk c are needed, no more.
 *
 * SCHEDULE
 * v = 1 is 1F1B, v > 1 interleaved 1F1B with v chunks a stage (Narayanan et al., "Efficient
 * large-scale language model training on GPU clusters using Megatron-LM", SC 2021, 2.2),
 * for any number of micro-batches. The lists come from a simulation in which a forward pass takes 1
 * unit of time, a backward pass 2 and a message none. All stages share two orders: micro-batches go
 * forward in groups, each group through the chunks of the stage in turn; backward likewise, chunks
 * in reverse. A group has as many micro-batches as there are stages, where their number is a
 * multiple of that; otherwise what is left over is spread over the groups, since a small last group
 * would leave gaps. At any time an idle stage runs its next forward pass if the input is there and
 * it then holds no more micro-batches, counted once a chunk, than
 *	v = 1	stages - stage
 *	v > 1	2 (stages - stage - 1) + (v - 1) largest group + 1
 * which are the warm-up lengths of the paper plus one; else its next backward pass if it can; else
 * it waits. From as many micro-batches as stages on, a step takes 3 (v micros + stages - 1) units,
 * which is the bubble of the paper. With one stage the list is F0 B0 F1 B1 ... and there is one
 * slot.
 *
 *	struct lt_pipeline p;
 *
 *	lt_pipeline_make(&p, 4, 1, 6, &err)		4 stages, 6 micro-batches
 *	lt_pipeline_check(&p, NULL, &err)		before anything is run
 *	for (size_t i = 0; i < p.stage[s].n; i++)
 *		run(&p.stage[s].p[i]);
 *	lt_pipeline_release(&p);
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"

enum lt_action_kind {
	LT_RECV_FORWARD,
	LT_FORWARD,
	LT_SEND_FORWARD,
	LT_RECV_BACKWARD,
	LT_BACKWARD,
	LT_SEND_BACKWARD
};

struct lt_action {
	enum lt_action_kind kind;
	uint32_t chunk;
	uint32_t slot;	/* of the activations of this micro-batch in this chunk */
	uint32_t peer;	/* the other stage of a message; in a pass, this one */
	uint64_t micro; /* micro-batch, 0 .. micros - 1 */
};

struct lt_actions LU_VEC(struct lt_action);

struct lt_pipeline {
	size_t stages;
	size_t v;		  /* chunks a stage */
	uint64_t micros;	  /* micro-batches of a step */
	struct lt_actions *stage; /* [stages] */
	size_t *slots;		  /* [stages * v], of each chunk */
};

/*
 * Make the lists of all stages for a number of micro-batches, which may be 0 or no multiple of
 * anything. stages and v are at least 1; with one stage v must be 1, since there is nothing to
 * interleave. On failure there is nothing to release.
 */
int lt_pipeline_make(struct lt_pipeline *p, size_t stages, size_t v, uint64_t micros,
		struct lu_err *err) LU_CHECKED;
void lt_pipeline_release(struct lt_pipeline *p);

/* Write what an action is, such as "receive forward of micro-batch 3 in chunk 1 from stage 0", for
 * messages. */
void lt_action_text(const struct lt_action *a, char *text, size_t size);

#endif
