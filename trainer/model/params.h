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
 * A rank may hold a part of the model, struct lt_place: some layers, and of matrices a slice of rows
 * or columns. Its parameters form one vector of lk_real, in the order of the table, without gaps: the
 * local vector. The rows of q, k and v of a layer are adjacent and form one matrix [(heads + 2
 * kv_heads) dim][hidden] for a single product; so do gate and up, [2 ffn][hidden], gate first; with
 * tensor parallelism each by the rank's share of heads and columns.
 *
 *	struct lt_table t;
 *	lt_table_build(&t, &shape, NULL, &err)	...	lt_table_release(&t);
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

/* How the frequencies of rotary positions are scaled (rotary.h). */
enum lt_rope_scaling { LT_ROPE_NONE, LT_ROPE_LINEAR, LT_ROPE_LLAMA3 };

struct lt_shape {
	size_t vocab, hidden, layers, heads, kv_heads;
	size_t dim; /* per head */
	size_t ffn;
	bool tied; /* the head is the embedding */
	double rope_theta, norm_eps, init_std;
	enum lt_rope_scaling rope_scaling; /* the rest is 0 where it has no meaning */
	double rope_factor;		   /* linear, llama3 */
	double rope_low, rope_high;	   /* llama3: low_freq_factor and high_freq_factor */
	size_t rope_original;		   /* llama3: the context before the extension */
};

/* The axis that tensor parallelism splits: rows are outputs of the product, columns inputs. */
enum lt_split { LT_SPLIT_NONE, LT_SPLIT_ROWS, LT_SPLIT_COLS };

/* Consecutive layers first .. first + n - 1, computed without leaving the rank: a stage of a pipeline,
 * or one of several that are interleaved. The first layer brings the embedding with it, the last one
 * the final norm and the head. */
struct lt_chunk {
	size_t first, n;
};

/* What a rank holds. */
struct lt_place {
	size_t tp_rank, tp_size;
	const struct lt_chunk *chunk; /* ascending; copied by lt_table_build() */
	size_t chunks;
};

#define LT_ELSEWHERE SIZE_MAX /* offset of what this rank does not hold */

struct lt_param {
	char name[96];
	size_t dims, dim[2];	      /* of the whole; dims 1: a vector of dim[0] */
	size_t count;		      /* elements of the whole */
	size_t local[2], local_count; /* of this rank's slice */
	size_t offset; /* of its first element in the local vector, or LT_ELSEWHERE */
	size_t norm;   /* of its first partial sum of squares among those of all parameters */
	enum lt_split split;
	double std; /* of the initial normal distribution; 0: all ones */
	bool decay; /* weight decay: matrices, embeddings included */
};

/* Offsets of the parts of a layer in the local vector. */
struct lt_layer_offsets {
	size_t norm1, qkv, o, norm2, gate_up, down;
};

/* Parameters that are reduced, updated and gathered together: the embedding, a layer, or the final
 * norm with the head. They are adjacent in the local vector. */
struct lt_bucket {
	size_t param, params; /* first, number of */
	size_t offset, count; /* in the local vector */
};

struct lt_table {
	struct lt_shape shape;
	size_t tp_rank, tp_size;
	struct lt_chunk *chunk; /* as held by this rank */
	size_t chunks;
	struct lt_param *param;
	size_t n;
	size_t total; /* elements of the local vector */
	size_t all;   /* elements of the whole model */
	size_t norms; /* partial sums of squares of all parameters, LK_NORM_CHUNK elements each */
	struct lt_layer_offsets *layer; /* by number in the model */
	size_t embed, norm, head;	/* offsets; head == embed if tied */
	struct lt_bucket *bucket;	/* held here, in the order of the table */
	size_t buckets;
};

/* place NULL: the whole model. Fails if a size cannot be split over place->tp_size ranks. */
int lt_table_build(struct lt_table *t, const struct lt_shape *shape, const struct lt_place *place,
		struct lu_err *err) LU_CHECKED;
void lt_table_release(struct lt_table *t);
/* The parameter with this name, or NULL. */
const struct lt_param *lt_table_find(const struct lt_table *t, const char *name);

/* True if this rank holds the embedding; the final norm and the head. */
static inline bool lt_table_has_embed(const struct lt_table *t)
{
	return t->chunks && t->chunk[0].first == 0;
}

static inline bool lt_table_has_head(const struct lt_table *t)
{
	return t->chunks &&
			t->chunk[t->chunks - 1].first + t->chunk[t->chunks - 1].n ==
			t->shape.layers;
}

/* The bucket of a layer, of the embedding and of the head; these must be held. */
size_t lt_bucket_of_layer(const struct lt_table *t, size_t layer);
size_t lt_bucket_of_embed(const struct lt_table *t);
size_t lt_bucket_of_head(const struct lt_table *t);

/* Shapes of the local slice: heads, kv_heads, ffn and vocab divided by tp_size. */
struct lt_shape lt_table_local(const struct lt_table *t);

/* The elements of a parameter's slice from `at` on that are adjacent in the whole too: *first is the
 * place of the first of them in the whole. Returns how many they are. */
size_t lt_param_run(const struct lt_table *t, const struct lt_param *p, size_t at, size_t *first);

/*
 * Initial values of elements first..first+n-1 of the whole of a parameter: normally distributed with the
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
