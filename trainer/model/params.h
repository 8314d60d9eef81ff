#ifndef LUCIE_TRAINER_MODEL_PARAMS_H
#define LUCIE_TRAINER_MODEL_PARAMS_H
/*
 * The one table of parameters. Initialising, optimising, checkpointing, counting and exporting
 * all walk it; nothing else knows the names or the shapes.
 *
 * The model is a Llama (Touvron et al. 2023; Grattafiori et al. 2024): token embedding, `layers`
 * blocks of RMSNorm, grouped-query attention with rotary positions, RMSNorm, SwiGLU, then a last
 * norm and the head. No biases. Names, shapes and the order of rows are those of Hugging Face's
 * LlamaForCausalLM, so exporting copies.
 *
 * All parameters live in one vector of lk_real, in the order of the table, without gaps. The rows
 * of q, k and v of a layer follow each other and so are one matrix [(heads + 2 kv_heads) dim]
 * [hidden] for a single product; gate and up likewise are [2 ffn][hidden], gate first.
 *
 *	struct lt_table t;
 *	lt_table_build(&t, &shape, &err)	...	lt_table_release(&t);
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_shape {
	size_t vocab, hidden, layers, heads, kv_heads;
	size_t dim; /* of a head */
	size_t ffn;
	bool tied; /* the head is the embedding */
	double rope_theta, norm_eps, init_std;
};

/* The axis that tensor parallelism cuts: rows are outputs of the product, columns inputs. */
enum lt_split { LT_SPLIT_NONE, LT_SPLIT_ROWS, LT_SPLIT_COLS };

/* Which ranks of a tensor-parallel group add the tensor's squares to the gradient norm: all of
 * them, each its own part, or the first alone where every rank holds the whole. */
enum lt_owner { LT_OWNER_EACH, LT_OWNER_FIRST };

struct lt_param {
	char name[96];
	size_t dims, dim[2]; /* dims 1: a vector of dim[0] */
	size_t count;	     /* elements */
	size_t at;	     /* first element in the vector of all parameters */
	enum lt_split split;
	enum lt_owner owner;
	double std; /* of the initial normal distribution; 0: all ones */
	bool decay; /* weight decay: tensors of two dimensions, embeddings included */
};

/* Offsets of a layer's parts in the vector of all parameters. */
struct lt_layer_at {
	size_t norm1, qkv, o, norm2, gate_up, down;
};

struct lt_table {
	struct lt_shape shape;
	struct lt_param *param;
	size_t n;
	size_t total; /* elements of all parameters */
	struct lt_layer_at *layer;
	size_t embed, norm, head; /* offsets; head = embed when tied */
};

int lt_table_build(struct lt_table *t, const struct lt_shape *shape, struct lu_err *err) LU_CHECKED;
void lt_table_release(struct lt_table *t);
const struct lt_param *lt_table_find(const struct lt_table *t, const char *name);

/*
 * Initial values of elements first..first+n-1 of a parameter: normal with the parameter's
 * standard deviation, a pure function of (seed, name, element), so they do not depend on how
 * the tensor is split. Output projections (attention out, FFN down) have init_std /
 * sqrt(2 layers), norms are ones.
 */
void lt_param_init(const struct lt_param *p, uint64_t seed, size_t first, size_t n, lk_real *out);

/* Elements of the matrices that multiply activations: all but embedding lookup and norms. */
uint64_t lt_matrix_params(const struct lt_table *t);

/* FLOPs of the products of one training token (forward and backward) in a context of T tokens:
 * 6 per matrix element, and attention scores and sums, 12 layers heads dim T with every position
 * counted (the convention of the PaLM paper, Chowdhery et al. 2022) or half of it when `causal`. */
double lt_flops_token(const struct lt_table *t, size_t context, bool causal);

#endif
