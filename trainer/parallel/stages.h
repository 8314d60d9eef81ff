#ifndef LUCIE_TRAINER_PARALLEL_STAGES_H
#define LUCIE_TRAINER_PARALLEL_STAGES_H
/*
 * Layers per stage of a pipeline. The layers are cut into pp * v chunks of consecutive layers, v
 * for each of pp stages; chunk c is on stage c % pp, so that with v > 1 a micro-batch passes each
 * stage v times (the interleaved schedule of actions.h).
 */
#include <stddef.h>

#include "libcommon/base/err.h"

/*
 * What the head costs, in layers: the ratio of the parameters in their products,
 *	vocab hidden / (2 hidden (heads + kv_heads) dim + 3 hidden ffn)
 * since a product takes time by its parameters. Attention scores and the embedding lookup are left
 * out.
 */
double lt_head_layers(size_t vocab, size_t heads, size_t kv_heads, size_t dim, size_t ffn);

/*
 * Set layers[0 .. pp v - 1], the number of layers of each chunk, which add up to n.
 *
 * `list` (parallel.stages) has a number for each chunk, blanks between: "8 8 8 7". NULL or empty:
 * the last chunk gets so many layers that the slowest stage, where the head counts as `head`
 * layers, is as fast as possible; the others share the rest evenly. Chunks towards the end get what
 * is left over, since their stages hold fewer micro-batches at a time.
 *
 * Errors: fewer layers than chunks; a list of another length or sum, or with a chunk of no layers.
 */
int lt_stages_split(size_t *layers, size_t pp, size_t v, size_t n, const char *list, double head,
		struct lu_err *err) LU_CHECKED;

#endif
