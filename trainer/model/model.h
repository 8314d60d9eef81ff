#ifndef LUCIE_TRAINER_MODEL_MODEL_H
#define LUCIE_TRAINER_MODEL_MODEL_H
/*
 * The model: forward and backward pass over `batch` sequences of up to `context` tokens, as a plain
 * sequence of calls to kernels/lk.h. A model owns activations only, so several models can share the
 * weights (weights.h).
 *
 * A rank computes the chunks of layers that its weights hold, each in calls of its own:
 *
 *	struct lt_model_plan plan = { .batch = b, .context = t, .mode = LT_MODEL_TRAIN };
 *	lt_model_open(&m, w, &plan, &err)
 *	lt_model_forward(m, chunk, slot, &batch, &err)
 *	lt_model_backward(m, chunk, slot, &batch, dx, &pass, &err)
 *	lt_model_close(m)
 *
 * A slot keeps the activations of a micro-batch from its forward to its backward pass; a pipeline
 * needs several of a chunk. forward() of a chunk reads lt_model_input(), which the chunk with the
 * embedding fills in itself, and leaves lt_model_output(). backward() turns the gradient of the output
 * into that of the input, in dx; the chunk with the head computes final norm, logits, loss and its
 * gradient there, and does not read dx. The whole model on one rank is chunk 0, slot 0.
 *
 * Inputs, outputs and gradients of chunks are lt_model_rows() rows of `hidden` activations: all rows
 * of the micro-batch, or with sequence parallelism this rank's share of them.
 *
 * Nothing here waits for the device, except where noted, and nothing is read from it. What is read of
 * a batch is copied before a call returns (staging.h).
 *
 * TENSOR PARALLELISM (Shoeybi et al. 2019). A rank holds some of the heads, of the FFN and of the
 * vocabulary. Products that are split over their inputs (attention output, FFN down, embedding) and
 * gradients of those that are split over their outputs give parts of a sum, which is made over the
 * group `tp`. With `sequence` (Korthikanti et al. 2022) norms and residuals are split by rows: the
 * sums become reduce-scatters, and rows are gathered before each product.
 */
#include <string.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/model/weights.h"

/* TRAIN keeps what the backward pass needs; SCORE keeps nothing; DECODE caches keys and values of
 * sequences that grow (decoding.h; one rank only). */
enum lt_model_mode { LT_MODEL_TRAIN, LT_MODEL_SCORE, LT_MODEL_DECODE };

/* What backward() computes again, with the same bits: nothing; the outputs of the norms; all of a
 * layer from its input, a third more work. */
enum lt_recompute { LT_RECOMPUTE_NONE, LT_RECOMPUTE_NORMS, LT_RECOMPUTE_LAYER };

/*
 * What a backward pass minimises: cross-entropy of the labels by their weights; with `dpo` the loss of
 * lk_ops.dpo() over the pairs of sequences 2k and 2k + 1; with `top` that of lk_ops.kl_grad(), for
 * batches that have at most so many tokens of a teacher at each label.
 */
struct lt_objective {
	bool dpo, normalized;
	double beta;
	size_t top;
	double teacher; /* its share, 1: alone */
};

struct lt_model_plan {
	struct lt_objective objective;
	size_t batch, context;
	enum lt_model_mode mode;
	enum lt_recompute recompute;
	const size_t *slots; /* by chunk; NULL: one each */
	size_t head_rows;    /* rows of logits at once, 0: chosen by the vocabulary */
	size_t rows;	     /* DECODE: tokens at once, 0: at most 256 */
	struct lt_group *tp; /* NULL without tensor parallelism */
	bool sequence;
	/* On GPUs, lk_cuda_choose(): whose attention, and whether sums may have any order. */
	enum lk_attention attention;
	bool fast;
};

/* A micro-batch in host memory: batch * context rows. ids and labels are below the vocabulary. */
struct lt_batch {
	const uint32_t *ids, *labels;
	const lk_real *weight;	 /* of each label; NULL: ones */
	const uint32_t *places;	 /* of each token in its document, NULL: one document a sequence */
	const double *reference; /* dpo: of each sequence, see lk_ops.dpo() */
	const uint32_t *top;	 /* of a teacher: [rows][top_n], see lk_ops.kl_stats() */
	const lk_real *top_logp;
	size_t top_n;
};

struct lt_model;

/* Whether a table is that of GPUs. */
static inline bool lt_model_on_gpu(const struct lk_ops *ops)
{
	return ops->open && strncmp(ops->name, "cuda", 4) == 0;
}

int lt_model_open(struct lt_model **m, struct lt_weights *w, const struct lt_model_plan *plan,
		struct lu_err *err) LU_CHECKED;
void lt_model_close(struct lt_model *m);

/* Bytes that a model over weights of this table would allocate of the device of this number, and the
 * work space of the queue. For a table of operations that has types only, without open(), the work
 * space is 0. */
int lt_model_count(const struct lt_table *t, const struct lk_ops *ops, int device,
		const struct lt_model_plan *plan, uint64_t *bytes, uint64_t *workspace,
		struct lu_err *err) LU_CHECKED;

size_t lt_model_rows(const struct lt_model *m);
lk_act *lt_model_input(const struct lt_model *m, size_t chunk, size_t slot);
lk_act *lt_model_output(const struct lt_model *m, size_t chunk, size_t slot);
/* A buffer for gradients, of the size of an input. There are LT_MODEL_GRADIENTS of them. */
#define LT_MODEL_GRADIENTS 3
lk_act *lt_model_gradient(const struct lt_model *m, size_t i);

int lt_model_forward(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		struct lu_err *err) LU_CHECKED;

/* How backward() treats the gradients of the parameters. */
struct lt_pass {
	size_t lane;	/* of the weights */
	uint64_t micro; /* number of the micro-batch in the step, over all ranks */
	bool first;	/* overwrite the lane instead of adding to it */
	bool last;	/* call hooks.ready for each bucket that is complete */
	/* Device memory, written by the chunk with the head: sum k of the micro-batch (LK_SUM_LOSS and so
	 * on, LK_SUMS of them) goes to sums[k * stride]; those that the objective has not are left. */
	double *sums;
	size_t stride;
};
int lt_model_backward(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		lk_act *dx, const struct lt_pass *pass, struct lu_err *err) LU_CHECKED;

/* Called before the forward pass reads the parameters of a bucket (need), and when the gradients of
 * one are complete (ready). */
struct lt_model_hooks {
	void *ctx;
	int (*need)(void *ctx, size_t bucket, struct lu_err *err);
	int (*ready)(void *ctx, size_t bucket, struct lu_err *err);
};
void lt_model_hook(struct lt_model *m, const struct lt_model_hooks *hooks);

/* After forward() of the last chunk: log p of each label, rows of them in host memory, without
 * gradients. Synchronous. */
int lt_model_log_p(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		lk_real *log_p, struct lu_err *err) LU_CHECKED;

/* The whole model on one rank: log p of the labels of the first `sequences` sequences. Synchronous. */
int lt_model_score(struct lt_model *m, const struct lt_batch *batch, size_t sequences,
		lk_real *log_p, struct lu_err *err) LU_CHECKED;

#endif
