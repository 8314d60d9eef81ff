#ifndef LUCIE_KERNELS_LK_H
#define LUCIE_KERNELS_LK_H
/*
 * The operations of the model, each once, for every backend.
 *
 * A backend is a table of function pointers, struct lk_ops. lk_cpu_ops() returns the CPU's,
 * lk_cuda_ops() that of NVIDIA's GPUs; code written against the table runs on either unchanged.
 * kernels/ref/ defines each operation by plain loops, kernels/cpu/ and kernels/cuda/ have the fast
 * versions, in files of the same names.
 *
 * CALLING ORDER
 *	const struct lk_ops *ops = lk_cpu_ops(LK_BF16);
 *	struct lk_queue *q;
 *	struct lk_err err;
 *
 *	if (ops->open(&q, 0, &err) < 0)
 *		... err.msg ...
 *	lk_real *x = ops->alloc(q, n * sizeof(*x));	NULL: ops->message(q) gives the reason
 *	if (ops->accumulate(q, x, y, n) < 0)
 *		... ops->message(q) ...
 *	ops->copy(q, host, x, n * sizeof(*x), LK_D2H);
 *	if (ops->sync(q) < 0)				host[] is valid after this
 *		...
 *	ops->free(q, x);
 *	ops->close(q);
 * The end of this file lists the calls of one layer, forward and backward.
 *
 * QUEUES AND EVENTS
 * Operations run in the order in which they were queued. A backend may return before the work is
 * done: only sync() and event_sync() wait, and only copy() moves data to the host. All buffers of an
 * operation, including the host buffers of copy(), must live until then. A queue serves one host
 * thread at a time; a device may have several, which are ordered by events alone:
 *	ops->event_open(q, &e)
 *	ops->event_record(q, e)		e stands for the work queued in q so far
 *	ops->event_wait(q2, e)		later work of q2 begins after it; the host does not wait
 *	ops->event_sync(q, e)		the host waits for it
 *	ops->event_done(q, e)		1 if it is done, 0 if not yet: nobody waits
 *	ops->event_seconds(q, a, b, &s)	seconds from a to b, which are done; below 0 if b came first
 *	ops->event_close(q, e)
 * A host thread that only asks about events of other queues does so on a queue of its own.
 * The CPU's operations are done when they return, and use the threads of lk_cpu_team().
 *
 * WORK SPACE
 * Operations keep work space in the queue. It grows at the first use of a shape and lives until
 * close(), unless it is sized beforehand:
 *	ops->measure(q, 1)	from here on operations check their arguments and note the work space
 *				that they need; they touch no memory, so pointers may be NULL
 *	... one step ...
 *	ops->measure(q, 0)	allocates the largest need
 *	ops->workspace(q)	bytes of it, also before it is allocated
 * After that an operation that needs more fails: nothing is allocated in the middle of a step. The
 * need of the CPU depends on the number of threads: measure in the team that will do the step.
 *	ops->measure(q, -1)	between steps, for other work: it grows again, until measure(q, 0)
 *
 * ERRORS
 * Functions return 0, or -1 with one sentence in ops->message(q), valid until the next call on q.
 * Functions that return a pointer return NULL instead. open() has no queue yet and fills struct
 * lk_err. Only bad shapes and failed allocations are errors: the contents of device memory are
 * not checked, so the caller checks ids and labels against the vocabulary.
 *
 * TYPES
 * lk_real stores parameters, gradients, optimizer state and statistics: float, or double in the
 * test build (-DLK_DOUBLE). lk_act is an activation, or the copy of a weight that a matrix product
 * reads; its type is ops->act, ops->act_size bytes wide: lk_real or bf16 (the upper half of a float).
 * Arithmetic is in lk_real whatever the type: each element is rounded once, to the nearest, ties to
 * even, where it is stored. Products of bf16 are exact in float, and added up in float; processors
 * that multiply pairs of them ("avx512bf16", "amx" and GPUs) have an order of additions of their own
 * and take denormal inputs and sums for zeros, the others have not: see lk_cpu_ops_isa(). lk_act is
 * void so that a pointer to either type converts.
 * Matrices are row-major: row r of x[rows][n] starts at x + r * ld, ld >= n. Operations without an
 * ld argument use ld = n. Pointers must be aligned to their element; alloc() aligns to 64 bytes.
 * Counts of zero are valid and do nothing.
 *
 * ALIASING
 * An output may alias an input only where the operation says "may be".
 *
 * ACCUMULATION
 * Gradients of parameters (dw) are accumulated; gradients of activations (dx) are overwritten,
 * unless stated otherwise.
 *
 * REPRODUCIBILITY
 * For one build, instruction set and library version, an operation returns the same bits for any
 * number of threads, any alignment of the buffers, and on every call (on GPUs gemm, and attention
 * where it is cuDNN's, for the same alignment up to 16 bytes). Work is cut into tiles that depend on
 * the shapes only, each tile is computed by one thread, and sums across tiles have a
 * fixed order. Sums over rows (dw) depend on all rows and are cut at multiples of a fixed number of
 * rows.
 * The CPU guarantees in addition:
 *	- row r of the result depends neither on r nor on the number of rows, in embed, rmsnorm,
 *	  rope, swiglu, the cross-entropy operations and gemm, transposed or not: a row range of
 *	  gemm has the bits of the whole;
 *	- element (i, j) of gemm does not depend on n: a slice of columns has the same bits;
 *	- the output of an attention query depends on its visible keys only, not on tq, the batch or
 *	  the other heads: decoding row by row against a cache has the bits of the whole, as long as
 *	  key 0 of the call is the same key.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef LK_DOUBLE
typedef double lk_real;
#else
typedef float lk_real;
#endif
typedef void lk_act;

enum lk_type { LK_ACT, LK_REAL, LK_F32, LK_F64, LK_BF16 };
enum lk_copy { LK_H2D, LK_D2H, LK_D2D };

#define LK_NORM_CHUNK 4096 /* elements of one partial sum of sqnorm() */
#define LK_SUM_BLOCK 1024  /* elements of one block of sum() */

struct lk_err {
	char msg[256];
};

struct lk_queue;	 /* order of work, work space, last error; private to the backend */
struct lk_event;	 /* a point in a queue's work */
struct lk_graph;	 /* recorded work */
struct lk_packed_weight; /* operand B of gemm() in the backend's own layout */

/*
 * Values of one training step, in device memory: fill a host copy and copy it with LK_H2D.
 * Written by:
 *	host	finite = 1 at the start; lr, bias1, bias2, number, limit: once a step, before clip()
 *		(number before the first low_accumulate() of the step)
 *	sum()	sqnorm, and loss to right: pass their address as `out`
 *	clip()	scale, norm, clip, finite, skip
 * `finite` is sticky, so that the host may look at it a step late: no later update happens either.
 */
struct lk_step {
	double lr;	 /* learning rate */
	double bias1;	 /* 1 - beta1^t, t from 1 */
	double bias2;	 /* 1 - beta2^t */
	uint64_t number; /* t: what low_accumulate() and low_adamw() draw their random bits by */
	double limit;	 /* of the norm, past which the step is skipped; 0: none */
	double sqnorm;	 /* sum of squares of all gradients, before `scale` */
	/* Sums over the step, LK_SUMS of them in this order. */
	double loss;
	double weights;		 /* of the labels; for dpo() the number of pairs */
	double chosen, rejected; /* rewards, see dpo() */
	double right;		 /* pairs whose chosen reward is the larger one */
	double scale;		 /* of the gradients: 1 / weights, 0 without any */
	double norm;		 /* sqrt(sqnorm) * scale */
	double clip;	 /* factor of every gradient in adamw(): scale * min(1, max_norm / norm) */
	uint64_t finite; /* 0 once loss or norm was infinite or NaN: adamw() then does nothing */
	uint64_t skip;	 /* 1 if norm > limit or weights is 0: adamw() does nothing in this step */
};

enum { LK_SUM_LOSS, LK_SUM_WEIGHTS, LK_SUM_CHOSEN, LK_SUM_REJECTED, LK_SUM_RIGHT, LK_SUMS };

/*
 * Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290): the sequences 2k and 2k + 1
 * of a micro-batch are the chosen and the rejected answer of pair k, of `t` rows each.
 */
struct lk_dpo {
	size_t pairs, t;
	double beta;
	int normalized; /* divide log p of an answer by the sum of its weights */
};

/*
 * D[m][n] = alpha * op(A) op(B) + beta * C[m][n].
 * op(A) is [m][k]: A itself, or with `ta` the transpose of A[k][m].
 * op(B) is [k][n]: B itself, or with `tb` the transpose of B[n][k] (a Hugging Face weight).
 * C may be NULL if beta is 0, and is then not read, so a NaN in it does no harm. C may be D. D must
 * not overlap A or B. If row1 > 0, only rows row0 <= i < row1 of D are computed, and only these
 * rows of A and C are read; pointers still point to row 0.
 * `packed`, if not NULL, replaces B: B and ldb are then ignored.
 * Types: ab_type of A and B, cd_type of C and D: 0 (LK_ACT) or LK_REAL.
 * a_scale, b_scale: values of lk_real in device memory that A and B are to be multiplied by, NULL
 * for 1. d_amax, unless NULL, receives the largest absolute value of D (of the row range).
 * A leading dimension of 0 stands for the number of columns as stored.
 */
struct lk_gemm {
	size_t m, n, k;
	int ta, tb;
	size_t lda, ldb, ldc, ldd;
	double alpha, beta;
	size_t row0, row1;
	const struct lk_packed_weight *packed;
	enum lk_type ab_type, cd_type;
	const lk_real *a_scale, *b_scale;
	lk_real *d_amax;
};

/*
 * Causal attention with grouped queries: query head h reads key/value head h / (heads / kv_heads).
 * Query i of a sequence has position q_pos + i and key j has k_pos + j; a key is visible to the
 * queries at its own position and later ones. Training: q_pos = k_pos = 0, tq = tk. Decoding with
 * p cached keys: tq = 1, tk = p + 1, q_pos = p, k_pos = 0. Context parallelism: any offsets. A
 * query without visible keys yields o = 0 and lse = -infinity.
 * Documents: with pos[batch][tq] in device memory, pos[b][i] being the place of query i in its
 * document, the query sees its own document only: the keys at positions q_pos + i - pos[b][i] to
 * q_pos + i. NULL: one document.
 * Element (sequence b, row t, head h, c) of Q is Q[b * q_seq + t * q_ld + h * dim + c]. K and V
 * share k_seq and k_ld, so Q, K and V may point into one [rows][(heads + 2 kv_heads) * dim] matrix.
 * Zeros stand for the dense layout: *_ld = heads * dim (kv_heads * dim), *_seq = tq * q_ld
 * (tk * k_ld), scale = 1 / sqrt(dim). dim is at most LK_ATTN_MAX_DIM.
 */
#define LK_ATTN_MAX_DIM 256

struct lk_attn {
	size_t batch, heads, kv_heads, dim;
	size_t tq, tk;
	size_t q_pos, k_pos;
	size_t q_ld, k_ld, o_ld;    /* elements between rows */
	size_t q_seq, k_seq, o_seq; /* elements between sequences */
	const uint32_t *pos;
	double scale;
	int add; /* backward: accumulate into dQ, dK, dV */
};

/*
 * The ids of a micro-batch in ascending order, for embed_back(): segment i has the rows
 * row[begin[i]] .. row[begin[i + 1] - 1], ascending, all of which have the id id[i]. The arrays are
 * device memory; lk_sort_ids() fills them on the host.
 */
struct lk_ids {
	const uint32_t *id;    /* [segments], ascending */
	const uint32_t *begin; /* [segments + 1] */
	const uint32_t *row;   /* [rows] */
	size_t segments, rows;
};

struct lk_adamw {
	double beta1, beta2;
	double eps;   /* outside the square root */
	double decay; /* 0 for tensors without weight decay */
};

/*
 * Where the random bits of stochastic rounding come from: a function of the seed, the step's number,
 * the tensor, the draw and the index of the element in the logical tensor, whatever the layout and
 * however the tensor is cut into calls. Element i of the call is element at + i of the tensor as it
 * is here, which has rows of `width` elements out of rows of `pitch`: j = at + i has the logical index
 * first + j / width * pitch + j % width, or first + j where width is 0.
 */
struct lk_dither {
	uint64_t seed;
	uint32_t tensor,
			draw; /* draw: the micro-batch, for gradients; low_adamw() needs one more */
	uint64_t first, at, width, pitch;
};

/* What kl_grad() compares with: arrays [rows] and [rows][n]. weight NULL stands for ones. */
#define LK_TOP_MAX 64

struct lk_kl {
	size_t n;
	const uint32_t *label, *top;
	const lk_real *top_logp, *weight;
	double teacher; /* share of the teacher in the loss, the rest is that of the labels */
};

struct lk_ops {
	const char *name; /* such as "cpu avx2", "cpu avx2 bf16" */
	enum lk_type act; /* LK_F32, LK_F64 or LK_BF16 */
	size_t act_size;

	/*
	 * Queue and memory. `device` counts from 0 and is ignored by the CPU. close(NULL) and
	 * free(q, NULL) do nothing. alloc(q, 0) returns a pointer that can be freed; memory is not
	 * zeroed.
	 */
	int (*open)(struct lk_queue **q, int device, struct lk_err *err);
	void (*close)(struct lk_queue *q);
	const char *(*message)(const struct lk_queue *q);
	int (*sync)(struct lk_queue *q);
	int (*event_open)(struct lk_queue *q, struct lk_event **e);
	void (*event_close)(struct lk_queue *q, struct lk_event *e);
	int (*event_record)(struct lk_queue *q, struct lk_event *e);
	int (*event_wait)(struct lk_queue *q, struct lk_event *e);
	int (*event_sync)(struct lk_queue *q, struct lk_event *e);
	int (*measure)(struct lk_queue *q, int on);
	uint64_t (*workspace)(const struct lk_queue *q);
	void *(*alloc)(struct lk_queue *q, size_t bytes);
	void (*free)(struct lk_queue *q, void *p);
	int (*zero)(struct lk_queue *q, void *p, size_t bytes);
	int (*copy)(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);
	/*
	 * reserve: take `bytes` of the device at once; from then on alloc() on any queue of the device
	 * hands out parts of them, and fails when they are used up. Once a process, before the first
	 * alloc(). Host memory that copy() reads and writes without a copy in between (pinned):
	 * host_alloc(), host_free(). On the CPU reserve() does nothing, and host memory is memory.
	 */
	int (*reserve)(struct lk_queue *q, uint64_t bytes);
	void *(*host_alloc)(struct lk_queue *q, size_t bytes);
	void (*host_free)(struct lk_queue *q, void *p);
	/*
	 * What a profiler shows (NVTX): a name for the work queued between begin and end, which may be
	 * nested. The text is copied.
	 */
	void (*range_begin)(struct lk_queue *q, const char *name);
	void (*range_end)(struct lk_queue *q);
	/*
	 * A step recorded once and queued again as a whole (CUDA graphs): between record_begin() and
	 * record_end() the work queued in q, and in queues that wait for its events and that it waits
	 * for in the end, is noted and not done. replay() queues it. NULL where the backend has none.
	 */
	int (*record_begin)(struct lk_queue *q);
	int (*record_end)(struct lk_queue *q, struct lk_graph **g);
	int (*replay)(struct lk_queue *q, struct lk_graph *g);
	void (*graph_free)(struct lk_queue *q, struct lk_graph *g);
	/* The backend's own object for the queue, a cudaStream_t, for libraries that work in it; NULL on
	 * the CPU. */
	void *(*native)(const struct lk_queue *q);

	/* y[i] = x[i], i < n, rounded to nearest even; y may be x if the types are equal. */
	int (*to_act)(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n);

	/*
	 * Embedding: y[rows][n], y[r] = w[ids[r] - v0], w[v][n]. An id outside v0 <= id < v0 + v
	 * yields a row of zeros and no gradient, so that with a vocabulary split over ranks the sum
	 * over ranks is the embedding; otherwise v0 = 0.
	 * Backward: dw[ids[r] - v0] += dy[r], in the order of r; with `add` 0 dw, all of it, is
	 * overwritten with that sum. A segment has one owner, so there are no atomic additions.
	 */
	int (*embed)(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids,
			size_t rows, size_t n, size_t v0, size_t v);
	int (*embed_back)(struct lk_queue *q, lk_real *dw, const lk_act *dy,
			const struct lk_ids *ids, size_t n, size_t v0, size_t v, int add);

	/*
	 * RMSNorm (Zhang and Sennrich 2019): s = x + res rounded to lk_act,
	 * rstd = 1 / sqrt(mean(s^2) + eps), y = s * rstd * w. The product is in lk_real and rounded
	 * to lk_act once (Hugging Face's Llama rounds before the multiplication by w; the two
	 * differ in bf16 only).
	 * With res NULL, s = x and `sum` is not written; otherwise sum[rows][n] receives s and may
	 * be x or res. y may be x if res is NULL. rstd[rows] is kept for backward, or NULL.
	 * Backward, where x is the s above, xh = x * rstd and g = dy * w:
	 *	dx = rstd * (g - xh * mean(g * xh)) + dres	dw += sum over rows of dy * xh
	 * With `add` 0 dw is overwritten. rmsnorm_again: y from the s, w and rstd of an earlier call.
	 * dres is the gradient that reaches s past the norm, or NULL; dx may be dres or dy. w is
	 * lk_real: norm weights are never rounded.
	 */
	int (*rmsnorm)(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
			const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps);
	int (*rmsnorm_again)(struct lk_queue *q, lk_act *y, const lk_act *x, const lk_real *w,
			const lk_real *rstd, size_t rows, size_t n);
	int (*rmsnorm_back)(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
			const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd,
			size_t rows, size_t n, int add);
	/* y[i] = a[i] + b[i], rounded once, i < n; y may be a or b. */
	int (*add)(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n);

	/*
	 * Rotary position embedding (Su et al. 2021), rotating pairs (i, i + dim/2) as Hugging
	 * Face's Llama does.
	 * rope_table: table[npos][dim], row p = cos(a_0..a_{dim/2-1}), sin(a_0..a_{dim/2-1}) with
	 * a_i = (pos0 + p) * freq[i]; angles are double, the table is lk_real. freq[dim / 2] is host
	 * memory and read at once: theta^(-2i/dim), scaled where a model extends its context.
	 * rope: in place on `heads` heads of each row; head h of row r is at x[r * ld + h * dim],
	 * ld 0 stands for heads * dim. The row of the table is pos[r], or r % seq if pos is NULL
	 * (rows in sequences of seq; 0: a single sequence). `inverse` rotates back, which is the
	 * backward operation. If q and k are adjacent, one call rotates both.
	 */
	int (*rope_table)(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
			const double *freq);
	int (*rope)(struct lk_queue *q, lk_act *x, const lk_real *table, const uint32_t *pos,
			size_t seq, size_t rows, size_t heads, size_t dim, size_t ld, int inverse);

	/*
	 * Attention, see struct lk_attn, in tiles with a running maximum and sum (Dao et al. 2022,
	 * 2023): there is no tq x tk matrix. lse[batch][heads][tq] receives the natural logarithm
	 * of the sum of the exponentials, for backward and for attn_merge.
	 * Backward: O and lse are those over all keys of the query; dO has the strides of O, dQ
	 * those of Q, dK and dV those of K.
	 * attn_merge: combine (O, lse) over one set of keys with (O2, lse2) over another into the
	 * result over both, in O and lse.
	 */
	int (*attention)(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
			const lk_act *Q, const lk_act *K, const lk_act *V);
	int (*attention_back)(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
			lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse,
			const lk_act *Q, const lk_act *K, const lk_act *V);
	int (*attn_merge)(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
			const lk_act *O2, const lk_real *lse2);

	/*
	 * SwiGLU (Shazeer 2020): gu[rows][2f] holds gate, then up; y[rows][f] = silu(gate) * up.
	 * Backward: dgu[rows][2f] from dy[rows][f]; dgu may be gu. y, if not NULL, receives the
	 * forward result again, for a caller that did not keep it; y may be dy.
	 */
	int (*swiglu)(struct lk_queue *q, lk_act *y, const lk_act *gu, size_t rows, size_t f);
	int (*swiglu_back)(struct lk_queue *q, lk_act *dgu, lk_act *y, const lk_act *dy,
			const lk_act *gu, size_t rows, size_t f);

	/*
	 * Cross-entropy over rows of logits x[rows][v] (ld 0: v; the rows of dx have the same ld):
	 *	logp[r] = x[r][label[r]] - log(sum over j of exp(x[r][j]))
	 *	dx[r][j] = weight[r] * (softmax(x[r])[j] - (j == label[r]))
	 * which is the gradient of the loss, - sum of weight[r] * logp[r]. Every label is below the
	 * vocabulary, also where the weight is 0: then dx[r] is 0, whatever the logits are. weight
	 * NULL stands for ones. logp or dx may be NULL; dx may be x if the types are equal. The bits
	 * do not depend on how the rows are split over calls.
	 *
	 * With a split vocabulary a rank holds columns v0 <= j < v0 + v:
	 *	ce_stats	stats[rows][3] = maximum, sum of exp(x - maximum), x[label] or 0
	 *	(the caller gathers the stats of all ranks into all[ranks][rows][3])
	 *	ce_merge	stats = those of the whole row; `all` may be stats if ranks is 1
	 *	ce_grad		logp and dx as above, from the merged stats
	 * On one rank this sequence has the bits of cross_entropy.
	 */
	int (*cross_entropy)(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
			const uint32_t *label, const lk_real *weight, size_t rows, size_t v,
			size_t ld);
	int (*ce_stats)(struct lk_queue *q, lk_real *stats, const lk_real *x, const uint32_t *label,
			size_t rows, size_t v, size_t ld, size_t v0);
	int (*ce_merge)(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
			size_t rows);
	int (*ce_grad)(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
			const uint32_t *label, const lk_real *weight, const lk_real *stats,
			size_t rows, size_t v, size_t ld, size_t v0);

	/*
	 * dpo: from log p of the labels of 2 pairs sequences of t rows, the weights of the labels (the
	 * rows of the answer; 0 elsewhere) and reference[2 pairs], doubles, the sums of weight * logp by
	 * the frozen model:
	 *	S = sum over the rows of a sequence of weight * logp, n = sum of weight
	 *	r = beta (S - reference), with `normalized` beta (S - reference) / n	its reward
	 *	h = r_chosen - r_rejected	loss = - log sigmoid(h) = log(1 + exp(-h))
	 * The loss has the gradient of a cross-entropy with the weights
	 *	weight[i] *= +- beta sigmoid(-h), with `normalized` / n		+ chosen, - rejected
	 * which replace the old ones. A sequence without any weight has the reward 0. out[k * stride]
	 * for k < LK_SUMS receives the sums over the pairs: loss, number of pairs, rewards of the chosen
	 * and of the rejected, pairs with h > 0. All in double, in the order of rows and pairs.
	 */
	int (*dpo)(struct lk_queue *q, double *out, size_t stride, lk_real *weight,
			const lk_real *logp, const double *reference, const struct lk_dpo *d);

	/*
	 * Distillation: the Kullback-Leibler divergence of a row of logits x from a teacher of whom the
	 * n most probable tokens top[r][n], all different, and their log p top_logp[r][n] are known.
	 * What it gives to all others together is one more event, the tail:
	 *	p_i = exp(top_logp_i), p_t = max(0, 1 - sum p_i)	q = softmax(x), q_t = sum outside top
	 *	KL = sum over top of p_i log(p_i / q_i) + p_t log(p_t / q_t)
	 *	loss = teacher KL - (1 - teacher) log q_label		0 <= teacher <= 1
	 * and its gradient by x_j, times the weight of the row (0: dx is 0, whatever the rest),
	 *	in top		q_j - teacher p_j		  - (1 - teacher) (j == label)
	 *	outside		q_j - teacher p_t q_j / q_t - (1 - teacher) (j == label)
	 * q_t is summed over the tail itself, since 1 minus the sum over top has no digits left where the
	 * student is sure. Always in three calls, with v0 <= j < v0 + v the columns of a rank:
	 *	kl_stats	stats[rows][3 + n] = maximum of the tail, sum of exp(x - maximum) over it,
	 *			x[label] or 0, x[top_i] or 0 each. x is left with -infinity in place of
	 *			the logits of top
	 *	kl_merge	as ce_merge
	 *	kl_grad		loss_row[r] = - loss, so that loss() adds up; dx from x as kl_stats left it
	 * dx may be x if the types are equal. n is at most LK_TOP_MAX.
	 */
	int (*kl_stats)(struct lk_queue *q, lk_real *stats, lk_real *x, const uint32_t *label,
			const uint32_t *top, size_t n, size_t rows, size_t v, size_t ld, size_t v0);
	int (*kl_merge)(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
			size_t rows, size_t n);
	int (*kl_grad)(struct lk_queue *q, lk_real *loss_row, lk_act *dx, const lk_real *x,
			const lk_real *stats, const struct lk_kl *k, size_t rows, size_t v,
			size_t ld, size_t v0);

	/*
	 * Matrix product, see struct lk_gemm. pack() converts W[n][k] (leading dimension ld, 0: k)
	 * for use as operand B, with tb 1 (A W^T) or 0 (A W). Call it after every update of W; W
	 * must stay in place and unchanged while *p is used. *p NULL: allocate it; otherwise it is
	 * refilled and the shape must be the same. gemm() has the same bits with and without it.
	 * Packing is for generation (3 times faster for one row); when training it is not worth the
	 * memory, pack_bytes() of it: that of the weight once more, or twice that of a weight in bf16
	 * where the processor cannot multiply pairs of bf16.
	 */
	int (*gemm)(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A,
			const void *B, const void *C);
	int (*pack)(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
			size_t k, size_t ld);
	void (*pack_free)(struct lk_queue *q, struct lk_packed_weight *p);
	uint64_t (*pack_bytes)(size_t n, size_t k);

	/*
	 * Sums, as doubles, by a fixed tree: x is cut into blocks of LK_SUM_BLOCK elements, the last
	 * one filled up with zeros; within a block b
	 *	for (s = LK_SUM_BLOCK / 2; s > 0; s /= 2) for (j = 0; j < s; j++) b[j] += b[j + s]
	 * leaves its sum in b[0]; the sums of the blocks are summed likewise until one is left.
	 * sum: of x[n]; 0 if n is 0. Zeros in x[] change nothing, so ranks may each fill in a part.
	 * loss: of - weight[i] * logp[i] (each product a double); weight NULL stands for ones.
	 * sqnorm: sums[c] = sum of x[i]^2 in double over LK_NORM_CHUNK * c <= i < LK_NORM_CHUNK *
	 * (c+1), for c < ceil(n / LK_NORM_CHUNK). If shards are cut at multiples of LK_NORM_CHUNK
	 * of the tensor, their sums, laid end to end, are those of the whole, and so is sum() of
	 * them.
	 * clip: from step->sqnorm, loss, weights and limit: scale, norm, finite (only ever
	 * cleared), skip and clip; the last is scale * min(1, max_norm / (norm + 1e-6)), or scale if
	 * max_norm is 0.
	 * finite: *ok = 1 if all x[i] are finite, otherwise 0.
	 */
	int (*sum)(struct lk_queue *q, double *out, const double *x, size_t n);
	int (*loss)(struct lk_queue *q, double *out, const lk_real *logp, const lk_real *weight,
			size_t n);
	int (*sqnorm)(struct lk_queue *q, double *sums, const lk_real *x, size_t n);
	int (*clip)(struct lk_queue *q, struct lk_step *step, double max_norm);
	int (*finite)(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n);

	/*
	 * AdamW (Loshchilov and Hutter 2019); the caller counts t from 1:
	 *	g' = g * clip;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2
	 *	p -= lr * (m / bias1 / (sqrt(v / bias2) + eps) + decay * p)
	 * Element-wise, so a slice has the bits of the whole. Nothing is written if step->finite is
	 * 0 or step->skip is 1. copy[n], if not NULL, receives p rounded to lk_act; may be p if the types are equal.
	 */
	int (*adamw)(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
			lk_act *copy, size_t n, const struct lk_adamw *h,
			const struct lk_step *step);

	/*
	 * Gradient lanes. accumulate: y[i] += x[i]. lane_sum: reduce `lanes` lanes (any number) of n
	 * elements, lane j at x + j * stride, into lane 0 by a binary tree:
	 *	for (k = lanes; k > 1; k = s)
	 *		for (s = (k + 1) / 2, j = 0; j + s < k; j++) lane j += lane j + s
	 * The other lanes are left with partial sums. If rank r of d holds the lanes r, r + d, ...,
	 * and there are d times a power of two of them, then the same tree over the ranks' sums
	 * gives the bits of all lanes on one rank. sums, unless NULL, receives sqnorm() of lane 0.
	 */
	int (*accumulate)(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n);
	int (*lane_sum)(struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n,
			double *sums);

	/* More of events, see above. */
	int (*event_done)(struct lk_queue *q, struct lk_event *e);
	int (*event_seconds)(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s);

	/*
	 * Training in 10 bytes a parameter, in place of 16 and the copy's 2: the master weight is two
	 * halves, gradient and moments are bf16 (bits of 16, in every table). Arithmetic is in float
	 * and defined to the bit, so that all backends agree; dither.h has the definitions.
	 *
	 * hi is the weight rounded to bf16, to the nearest and ties away from zero, and is what products
	 * read; lo is what it lacks, so that the weight is (float)((hi << 16) + (int16_t)lo), exactly.
	 * Rounding ties to even would leave one value too many for 16 bits. low_split: hi and lo from
	 * p[n], lo NULL: hi alone; low_join: p from them, lo NULL: from hi alone.
	 *
	 * low_accumulate: g = round(g + x), or round(x) with `add` 0, where round() is stochastic: a
	 * number between two of bf16 becomes either, with the probability that makes it right on
	 * average (Gupta et al. 2015). low_sqnorm: sqnorm() of g. low_adamw: adamw() with m, v and g of
	 * bf16; p is updated by the moments before they are rounded. Calls of one step on the same
	 * elements need different draws.
	 */
	int (*low_split)(
			struct lk_queue *q, uint16_t *hi, uint16_t *lo, const lk_real *p, size_t n);
	int (*low_join)(struct lk_queue *q, lk_real *p, const uint16_t *hi, const uint16_t *lo,
			size_t n);
	int (*low_accumulate)(struct lk_queue *q, uint16_t *g, const lk_real *x, size_t n, int add,
			const struct lk_dither *d, const struct lk_step *step);
	int (*low_sqnorm)(struct lk_queue *q, double *sums, const uint16_t *g, size_t n);
	int (*low_adamw)(struct lk_queue *q, uint16_t *hi, uint16_t *lo, uint16_t *m, uint16_t *v,
			const uint16_t *g, size_t n, const struct lk_adamw *h,
			const struct lk_dither *d, const struct lk_step *step);
};

/* Fill id[], begin[rows + 1] and row[] of struct lk_ids from ids[rows] by a stable sort; each of the
 * others has room for `rows`. Returns the number of segments. Host memory; no queue is involved. */
size_t lk_sort_ids(uint32_t *id, uint32_t *begin, uint32_t *row, const uint32_t *ids, size_t rows);

/* The CPU's table for the best instruction set of this machine, with activations of type LK_REAL or
 * LK_BF16. Never NULL. */
const struct lk_ops *lk_cpu_ops(enum lk_type act);

/*
 * Call fn(ctx) on the caller's thread, with `threads` threads at hand, this one among them, for the
 * operations of the CPU's tables, and return what it returns. An operation called outside of it uses the caller's
 * thread alone. Does not nest. An operation waits for no thread that has not begun a part of it, so
 * on a machine that others use too, threads that do not get the processor do not stop the rest.
 */
int lk_cpu_team(int threads, int (*fn)(void *ctx), void *ctx);

/*
 * The CPU's table for one instruction set; NULL if the machine or the build lacks it. For tests, and
 * to reproduce the results of a lesser machine: the bits depend on it. Both types of activations:
 * "base", "avx2" and "avx512" (only "base" outside x86-64), where a product is a chain of fused
 * multiply-adds in float in ascending k. bf16 alone, with products that have the additions of one
 * instruction (kernels/cpu/pairs.h describes them) and the rest as in "avx512":
 *	"avx512bf16"	vdpbf16ps: Cooper Lake, Sapphire Rapids, Zen 4 and later
 *	"amx"		tdpbf16ps: Sapphire Rapids and later, Linux 5.16 and later
 */
const struct lk_ops *lk_cpu_ops_isa(const char *isa, enum lk_type act);

/* A GPU of this machine. */
struct lk_device {
	char name[128];	       /* such as "NVIDIA H100 80GB HBM3" */
	int major, minor;      /* compute capability */
	int processors;	       /* multiprocessors */
	uint64_t memory, free; /* bytes */
	uint64_t bus;	       /* where it is in the host: PCI domain, bus, device, 16 bits each */
	double flops16, bandwidth; /* dense bf16 operations and bytes a second by the data sheet;
				      0: not known */
};

/*
 * The table of NVIDIA's GPUs for activations of type LK_REAL (float) or LK_BF16. NULL, with the
 * reason in *err, if this build has no CUDA, the driver is missing or too old, or there is no GPU
 * that it was built for. lk_cuda_devices(): how many there are, 0 where the table would be NULL.
 */
const struct lk_ops *lk_cuda_ops(enum lk_type act, struct lk_err *err);
int lk_cuda_devices(void);
int lk_cuda_describe(int device, struct lk_device *d, struct lk_err *err);
/* Versions of what the build has, such as "CUDA 13.0, cuBLASLt 13.0, cuDNN 9.13"; "" without. */
const char *lk_cuda_version(void);
/*
 * Which attention a queue of the CUDA tables uses; call it before the first operation. AUTO, the
 * default, is cuDNN's where the library is there and has the shape, else our own; CUDNN fails where
 * the library is missing; shapes that cuDNN does not have (float, documents, dQ added up) are ours
 * all the same. `repeatable`, the default: the same bits from run to run, which costs cuDNN's backward
 * pass time and memory.
 */
enum lk_attention { LK_ATTENTION_AUTO, LK_ATTENTION_OWN, LK_ATTENTION_CUDNN };
int lk_cuda_choose(struct lk_queue *q, enum lk_attention attention, int repeatable);
/*
 * What a queue of the CUDA tables has chosen so far, a line each: the algorithm of every product, and
 * which attention. Two runs with the same lines have the same bits. Fills text[size] as snprintf()
 * does and returns the length of the whole.
 */
size_t lk_cuda_choices(const struct lk_queue *q, char *text, size_t size);

#ifndef __cplusplus
/*
 * A linear layer y[rows][out] = x[rows][in] W[out][in]^T as three products:
 *	gemm(q, &lk_linear(rows, out, in),      y,  x,  W, NULL)
 *	gemm(q, &lk_linear_dx(rows, out, in),   dx, dy, W, NULL)
 *	gemm(q, &lk_linear_dw(rows, out, in),   dW, dy, x, dW)		accumulates into dW
 * (assign to a variable first). Set .packed for a packed weight; .beta = 1 and C = D = dx to
 * accumulate into dx; .beta = 0 to overwrite dW.
 */
static inline struct lk_gemm lk_linear(size_t rows, size_t out, size_t in)
{
	return (struct lk_gemm){ .m = rows, .n = out, .k = in, .tb = 1, .alpha = 1 };
}

static inline struct lk_gemm lk_linear_dx(size_t rows, size_t out, size_t in)
{
	return (struct lk_gemm){ .m = rows, .n = in, .k = out, .alpha = 1 };
}

static inline struct lk_gemm lk_linear_dw(size_t rows, size_t out, size_t in)
{
	return (struct lk_gemm){
		.m = out, .n = in, .k = rows, .ta = 1, .alpha = 1, .beta = 1, .cd_type = LK_REAL
	};
}
#endif

/*
 * ONE LAYER. h hidden, a heads, k kv heads, d = dim, w = (a + 2k) d, f FFN, T context, b sequences,
 * R = b T rows. The residual stream travels in two parts, u[R][h] + down[R][h]: x2 and the output of
 * the down projection of the layer before, which the norm adds up. The first layer of a model has
 * the embedding for x and no `down`. Kept for backward: x, n1, rstd1, qkv, o, lse, x2, n2, rstd2, gu,
 * y. Weights Wqkv[w][h], Wo[h][a d], Wgu[2f][h] (gate first), Wdown[h][f].
 *	at = { .batch = b, .heads = a, .kv_heads = k, .dim = d, .tq = T, .tk = T,
 *	    .q_ld = w, .k_ld = w }
 * forward
 *	rmsnorm(n1, rstd1, x, u, down, w1, R, h, eps)		x = u + down
 *	gemm lk_linear(R, w, h)		qkv = n1 Wqkv^T
 *	rope(qkv, table, NULL, T, R, a + k, d, w, 0)
 *	attention(&at, o, lse, qkv, qkv + a d, qkv + (a + k) d)
 *	gemm lk_linear(R, h, a d)	t = o Wo^T
 *	rmsnorm(n2, rstd2, x2, x, t, w2, R, h, eps)		x2 = x + t
 *	gemm lk_linear(R, 2f, h)	gu = n2 Wgu^T
 *	swiglu(y, gu, R, f)
 *	gemm lk_linear(R, h, f)		down = y Wdown^T
 * The next layer's u is x2. At the end of a pipeline stage add(u, x2, down, R h) joins the two, so
 * that one matrix travels and the next stage begins as the first does. Under tensor parallelism t
 * and `down` are summed over the ranks before the norm.
 * backward; dx[R][h] enters as the gradient of x2 + down and leaves as that of x
 *	gemm lk_linear_dw(R, h, f)	dWdown += dx^T y
 *	gemm lk_linear_dx(R, h, f)	dy = dx Wdown
 *	swiglu_back(dgu, NULL, dy, gu, R, f)
 *	gemm lk_linear_dw(R, 2f, h)	dWgu += dgu^T n2
 *	gemm lk_linear_dx(R, 2f, h)	t = dgu Wgu
 *	rmsnorm_back(dx, dw2, t, dx, x2, w2, rstd2, R, h, 1)	gradient of x2
 *	gemm lk_linear_dw(R, h, a d)	dWo += dx^T o
 *	gemm lk_linear_dx(R, h, a d)	do = dx Wo
 *	attention_back(&at, dqkv, dqkv + a d, dqkv + (a + k) d, do, o, lse, qkv, ...)
 *	rope(dqkv, table, NULL, T, R, a + k, d, w, 1)
 *	gemm lk_linear_dw(R, w, h)	dWqkv += dqkv^T n1
 *	gemm lk_linear_dx(R, w, h)	t = dqkv Wqkv
 *	rmsnorm_back(dx, dw1, t, dx, x, w1, rstd1, R, h, 1)
 * The first micro-batch of a lane writes the gradients of the weights, the others add: lk_linear_dw
 * with beta 0, rmsnorm_back and embed_back with add 0. No lane has to be zeroed.
 */
#endif
