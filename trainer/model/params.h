#ifndef LUCIE_TRAINER_MODEL_PARAMS_H
#define LUCIE_TRAINER_MODEL_PARAMS_H
/*
 * The table of parameters: names, shapes and offsets. Initialisation, optimizer, checkpoints,
 * counts and export all iterate over it; nothing else knows the names or the shapes.
 *
 * The model is a Llama (Touvron et al. 2023; Grattafiori et al. 2024): token embedding; layers of
 * RMSNorm, grouped-query attention with rotary positions, RMSNorm and SwiGLU; a final norm and the
 * head. There are no biases. Names, shapes and the order of the rows are those of Hugging Face's
 * LlamaForCausalLM, so that export only copies.
 *
 * All parameters form one vector of lk_real, in the order of the table, without gaps. The rows of
 * q, k and v of a layer are adjacent and form one matrix [(heads + 2 kv_heads) dim][hidden] for a
 * single product; so do gate and up, [2 ffn][hidden], gate first.
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
	size_t dim; /* per head */
	size_t ffn;
	bool tied; /* the head is the embedding */
	double rope_theta, norm_eps, init_std;
};

/* The axis that tensor parallelism splits: rows are outputs of the product, columns inputs. */
enum lt_split { LT_SPLIT_NONE, LT_SPLIT_ROWS, LT_SPLIT_COLS };

struct lt_param {
	char name[96];
	size_t dims, dim[2]; /* dims 1: a vector of dim[0] */
	size_t count;	     /* elements */
	size_t offset;	     /* of the first element in the vector of all parameters */
	enum lt_split split;
	double std; /* of the initial normal distribution; 0: all ones */
	bool decay; /* weight decay: matrices, embeddings included */
};

/* Offsets of the parts of a layer in the vector of all parameters. */
struct lt_layer_offsets {
	size_t norm1, qkv, o, norm2, gate_up, down;
};

struct lt_table {
	struct lt_shape shape;
	struct lt_param *param;
	size_t n;
	size_t total; /* elements of all parameters */
	struct lt_layer_offsets *layer;
	size_t embed, norm, head; /* offsets; head == embed if tied */
};

int lt_table_build(struct lt_table *t, const struct lt_shape *shape, struct lu_err *err) LU_CHECKED;
void lt_table_release(struct lt_table *t);
/* The parameter with this name, or NULL. */
const struct lt_param *lt_table_find(const struct lt_table *t, const char *name);

/*
 * Initial values of elements first..first+n-1 of a parameter: normally distributed with the
 * parameter's standard deviation, a pure function of (seed, name, element), so that they do not
 * depend on how the tensor is split. Output projections (attention output, FFN down) have init_std /
 * sqrt(2 layers); norms are ones.
 */
void lt_param_init(const struct lt_param *p, uint64_t seed, size_t first, size_t n, lk_real *out);

/* Number of parameters in matrix products: all but the embedding lookup and the norms. */
uint64_t lt_matrix_params(const struct lt_table *t);

/* FLOPs of the matrix products per training token, forward and backward, in a context of T tokens:
 * 6 per matrix parameter, plus attention scores and sums, 12 layers heads dim T with every position
 * counted (the convention of the PaLM paper, Chowdhery et al. 2022), or half of it if `causal`. */
double lt_flops_per_token(const struct lt_table *t, size_t context, bool causal);

#endif
