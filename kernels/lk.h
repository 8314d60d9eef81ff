#ifndef LUCIE_KERNELS_LK_H
#define LUCIE_KERNELS_LK_H
/*
 * The operations of the model, each once, for every backend.
 *
 * A backend is a table of function pointers, struct lk_ops. lk_cpu_ops() returns the CPU's; code
 * written against the table runs on any other backend unchanged. kernels/ref/ defines each
 * operation by plain loops, kernels/cpu/ has the fast versions.
 *
 * CALLING ORDER
 *	const struct lk_ops *ops = lk_cpu_ops();
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
 * QUEUE
 * Operations run in the order in which they were queued. A backend may return before the work is
 * done: only sync() waits, and only copy() moves data to the host. All buffers of an operation,
 * including the host buffers of copy(), must live until sync(). A queue serves one host thread at a
 * time. The CPU's operations use the threads of lk_cpu_team(). Operations may keep scratch memory in the queue: it grows at the first use of a shape and lives until close().
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
 * reads; its type is ops->act, ops->act_size bytes wide, and equals lk_real on the CPU. lk_act is
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
 * number of threads, any alignment of the buffers, and on every call. Work is cut into tiles that
 * depend on the shapes only, each tile is computed by one thread, and sums across tiles have a
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

struct lk_err {
	char msg[256];
};

struct lk_queue;	 /* order of work, scratch memory, last error; private to the backend */
struct lk_packed_weight; /* operand B of gemm() in the backend's own layout */

/*
 * Values of one training step, in device memory: fill a host copy and copy it with LK_H2D.
 * Written by:
 *	host	lr, bias1, bias2, scale: once a step, before backward
 *	sum()	sqnorm: pass its address as `out`
 *	clip()	norm, clip, finite
 */
struct lk_step {
	double lr;	 /* learning rate */
	double bias1;	 /* 1 - beta1^t, t from 1 */
	double bias2;	 /* 1 - beta2^t */
	double scale;	 /* factor of every logit gradient: 1 / labels of the step */
	double sqnorm;	 /* sum of squares of all gradients */
	double norm;	 /* sqrt(sqnorm) */
	double clip;	 /* factor of every gradient in adamw(): min(1, max_norm / norm) */
	uint64_t finite; /* 0 if norm is infinite or NaN: adamw() then does nothing */
};

/*
 * D[m][n] = alpha * op(A) op(B) + beta * C[m][n].
 * op(A) is [m][k]: A itself, or with `ta` the transpose of A[k][m].
 * op(B) is [k][n]: B itself, or with `tb` the transpose of B[n][k] (a Hugging Face weight).
 * C may be NULL if beta is 0, and is then not read, so a NaN in it does no harm. C may be D. D must
 * not overlap A or B. If row1 > 0, only rows row0 <= i < row1 of D are computed, and only these
 * rows of A and C are read; pointers still point to row 0.
 * `packed`, if not NULL, replaces B: B and ldb are then ignored.
 * Types: 0 (LK_ACT), or LK_REAL for an A, a B, or C and D of lk_real.
 * A leading dimension of 0 stands for the number of columns as stored.
 */
struct lk_gemm {
	size_t m, n, k;
	int ta, tb;
	size_t lda, ldb, ldc, ldd;
	double alpha, beta;
	size_t row0, row1;
	const struct lk_packed_weight *packed;
	enum lk_type a_type, b_type, cd_type;
};

/*
 * Causal attention with grouped queries: query head h reads key/value head h / (heads / kv_heads).
 * Query i of a sequence has position q_pos + i and key j has k_pos + j; a key is visible to the
 * queries at its own position and later ones. Training: q_pos = k_pos = 0, tq = tk. Decoding with
 * p cached keys: tq = 1, tk = p + 1, q_pos = p, k_pos = 0. Context parallelism: any offsets. A
 * query without visible keys yields o = 0 and lse = -infinity.
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
	double scale;
	int add; /* backward: accumulate into dQ, dK, dV */
};

struct lk_adamw {
	double beta1, beta2;
	double eps;   /* outside the square root */
	double decay; /* 0 for tensors without weight decay */
};

struct lk_ops {
	const char *name; /* such as "cpu avx2" */
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
	void *(*alloc)(struct lk_queue *q, size_t bytes);
	void (*free)(struct lk_queue *q, void *p);
	int (*zero)(struct lk_queue *q, void *p, size_t bytes);
	int (*copy)(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);

	/* y[i] = x[i], i < n, rounded to nearest even; y may be x if the types are equal. */
	int (*to_act)(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n);

	/*
	 * Embedding: y[rows][n], y[r] = w[ids[r] - v0], w[v][n]. An id outside v0 <= id < v0 + v
	 * yields a row of zeros and no gradient, so that with a vocabulary split over ranks the sum
	 * over ranks is the embedding; otherwise v0 = 0.
	 * Backward: dw[ids[r] - v0] += dy[r], in the order of r.
	 */
	int (*embed)(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids,
			size_t rows, size_t n, size_t v0, size_t v);
	int (*embed_back)(struct lk_queue *q, lk_real *dw, const lk_act *dy, const uint32_t *ids,
			size_t rows, size_t n, size_t v0, size_t v);

	/*
	 * RMSNorm (Zhang and Sennrich 2019): s = x + res, rstd = 1 / sqrt(mean(s^2) + eps),
	 * y = s * rstd * w. The product is in lk_real and rounded to lk_act once (Hugging Face's
	 * Llama rounds before the multiplication by w; the two differ in bf16 only).
	 * With res NULL, s = x and `sum` is not written; otherwise sum[rows][n] receives s and may
	 * be x or res. y may be x if res is NULL. rstd[rows] is kept for backward, or NULL.
	 * Backward, where x is the s above, xh = x * rstd and g = dy * w:
	 *	dx = rstd * (g - xh * mean(g * xh)) + dres	dw += sum over rows of dy * xh
	 * dres is the gradient that reaches s past the norm, or NULL; dx may be dres or dy. w is
	 * lk_real: norm weights are never rounded.
	 */
	int (*rmsnorm)(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
			const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps);
	int (*rmsnorm_back)(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
			const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd,
			size_t rows, size_t n);

	/*
	 * Rotary position embedding (Su et al. 2021), rotating pairs (i, i + dim/2) as Hugging
	 * Face's Llama does.
	 * rope_table: table[npos][dim], row p = cos(a_0..a_{dim/2-1}), sin(a_0..a_{dim/2-1}) with
	 * a_i = (pos0 + p) * theta^(-2i/dim); angles are double, the table is lk_real.
	 * rope: in place on `heads` heads of each row; head h of row r is at x[r * ld + h * dim],
	 * ld 0 stands for heads * dim. The row of the table is pos[r], or r % seq if pos is NULL
	 * (rows in sequences of seq; 0: a single sequence). `inverse` rotates back, which is the
	 * backward operation. If q and k are adjacent, one call rotates both.
	 */
	int (*rope_table)(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
			double theta);
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
	 * Cross-entropy over rows of logits x[rows][v] (ld 0: v); labels[rows], -1 = ignored:
	 *	loss[r] = lse(x[r]) - x[r][label]	0 if ignored
	 *	x[r][j] becomes (softmax(x[r])[j] - (j == label)) * step->scale, 0 if ignored
	 * cross_entropy computes both; loss NULL or step NULL omits that half (step NULL leaves the
	 * logits unchanged). The bits do not depend on how the rows are split over calls.
	 *
	 * With a split vocabulary a rank holds columns v0 <= j < v0 + v:
	 *	ce_stats	stats[rows][3] = maximum, sum of exp(x - maximum), x[label] or 0
	 *	(the caller gathers the stats of all ranks into all[ranks][rows][3])
	 *	ce_merge	stats = those of the whole row; `all` may be stats if ranks is 1
	 *	ce_grad		loss and x as above, from the merged stats
	 * On one rank this sequence has the bits of cross_entropy.
	 */
	int (*cross_entropy)(struct lk_queue *q, lk_real *loss, lk_real *x, const int32_t *labels,
			size_t rows, size_t v, size_t ld, const struct lk_step *step);
	int (*ce_stats)(struct lk_queue *q, lk_real *stats, const lk_real *x, const int32_t *labels,
			size_t rows, size_t v, size_t ld, size_t v0);
	int (*ce_merge)(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
			size_t rows);
	int (*ce_grad)(struct lk_queue *q, lk_real *loss, lk_real *x, const int32_t *labels,
			const lk_real *stats, size_t rows, size_t v, size_t ld, size_t v0,
			const struct lk_step *step);

	/*
	 * Matrix product, see struct lk_gemm. pack() converts W[n][k] (leading dimension ld, 0: k)
	 * for use as operand B, with tb 1 (A W^T) or 0 (A W). Call it after every update of W; W
	 * must stay in place and unchanged while *p is used. *p NULL: allocate it; otherwise it is
	 * refilled and the shape must be the same. gemm() has the same bits with and without it.
	 * Packing pays off for few rows (generation: 5 times faster for one row; training: 1 %)
	 * and takes the memory of the weight once more.
	 */
	int (*gemm)(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A,
			const void *B, const void *C);
	int (*pack)(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
			size_t k, size_t ld);
	void (*pack_free)(struct lk_queue *q, struct lk_packed_weight *p);

	/*
	 * Sums. sum: *out = x[0] + ... + x[n-1], doubles, in that order; sum_real: the same over
	 * lk_real, each element widened to double first (per-row losses).
	 * sqnorm: sums[c] = sum of x[i]^2 in double over LK_NORM_CHUNK * c <= i < LK_NORM_CHUNK *
	 * (c+1), for c < ceil(n / LK_NORM_CHUNK). If shards are cut at multiples of LK_NORM_CHUNK
	 * of the tensor, their sums, laid end to end, are those of the whole, and so is sum() of
	 * them.
	 * clip: norm = sqrt(sqnorm), finite, clip = min(1, max_norm / (norm + 1e-6)), or 1 if
	 * max_norm is 0, from step->sqnorm.
	 * finite: *ok = 1 if all x[i] are finite, otherwise 0.
	 */
	int (*sum)(struct lk_queue *q, double *out, const double *x, size_t n);
	int (*sum_real)(struct lk_queue *q, double *out, const lk_real *x, size_t n);
	int (*sqnorm)(struct lk_queue *q, double *sums, const lk_real *x, size_t n);
	int (*clip)(struct lk_queue *q, struct lk_step *step, double max_norm);
	int (*finite)(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n);

	/*
	 * AdamW (Loshchilov and Hutter 2019); the caller counts t from 1:
	 *	g' = g * clip;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2
	 *	p -= lr * (m / bias1 / (sqrt(v / bias2) + eps) + decay * p)
	 * Element-wise, so a slice has the bits of the whole. Nothing is written if step->finite is
	 * 0. copy[n], if not NULL, receives p rounded to lk_act; may be p if the types are equal.
	 */
	int (*adamw)(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
			lk_act *copy, size_t n, const struct lk_adamw *h,
			const struct lk_step *step);

	/*
	 * Gradient lanes. accumulate: y[i] += x[i]. lane_sum: reduce `lanes` lanes (a power of two)
	 * of n elements, lane j at x + j * stride, into lane 0 by a binary tree:
	 *	for (s = lanes / 2; s > 0; s /= 2) for (j = 0; j < s; j++) lane j += lane j + s
	 * The other lanes are left with partial sums. If rank r of d holds lanes r, r + d, ..., then
	 * the same tree over the ranks' sums gives the bits of all lanes on one rank.
	 */
	int (*accumulate)(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n);
	int (*lane_sum)(struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n);
};

/* The CPU's table for the best instruction set of this machine. Never NULL. */
const struct lk_ops *lk_cpu_ops(void);

/*
 * Call fn(ctx) on the caller's thread, with `threads` threads at hand, this one among them, for the
 * operations of the CPU's tables, and return what it returns. An operation called outside of it uses the caller's
 * thread alone. Does not nest. An operation waits for no thread that has not begun a part of it, so
 * on a machine that others use too, threads that do not get the processor do not stop the rest.
 */
int lk_cpu_team(int threads, int (*fn)(void *ctx), void *ctx);

/*
 * The CPU's table for one instruction set: "base", "avx2" or "avx512" (only "base" outside x86-64);
 * NULL if the machine or the build lacks it. For tests, and to reproduce the results of a lesser
 * machine.
 */
const struct lk_ops *lk_cpu_ops_isa(const char *isa);

/*
 * A linear layer y[rows][out] = x[rows][in] W[out][in]^T as three products:
 *	gemm(q, &lk_linear(rows, out, in),      y,  x,  W, NULL)
 *	gemm(q, &lk_linear_dx(rows, out, in),   dx, dy, W, NULL)
 *	gemm(q, &lk_linear_dw(rows, out, in),   dW, dy, x, dW)		accumulates into dW
 * (assign to a variable first). Set .packed for a packed weight, .beta = 1 and C = D = dx to
 * accumulate into dx.
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

/*
 * ONE LAYER. h hidden, a heads, k kv heads, d = dim, w = (a + 2k) d, f FFN, T context, b sequences,
 * R = b T rows. x[R][h] is the residual stream; kept for backward: x, n1, rstd1, qkv, o, lse, x2,
 * n2, rstd2, gu, y. Weights Wqkv[w][h], Wo[h][a d], Wgu[2f][h] (gate first), Wdown[h][f].
 *	at = { .batch = b, .heads = a, .kv_heads = k, .dim = d, .tq = T, .tk = T,
 *	    .q_ld = w, .k_ld = w }
 * forward
 *	rmsnorm(n1, rstd1, NULL, x, NULL, w1, R, h, eps)
 *	gemm lk_linear(R, w, h)		qkv = n1 Wqkv^T
 *	rope(qkv, table, NULL, T, R, a + k, d, w, 0)
 *	attention(&at, o, lse, qkv, qkv + a d, qkv + (a + k) d)
 *	gemm lk_linear(R, h, a d)	t = o Wo^T
 *	rmsnorm(n2, rstd2, x2, x, t, w2, R, h, eps)		x2 = x + t
 *	gemm lk_linear(R, 2f, h)	gu = n2 Wgu^T
 *	swiglu(y, gu, R, f)
 *	gemm lk_linear(R, h, f) with beta = 1, C = x2		xnext = y Wdown^T + x2
 * backward; dx[R][h] enters as the gradient of xnext and leaves as that of x
 *	gemm lk_linear_dw(R, h, f)	dWdown += dx^T y
 *	gemm lk_linear_dx(R, h, f)	dy = dx Wdown
 *	swiglu_back(dgu, NULL, dy, gu, R, f)
 *	gemm lk_linear_dw(R, 2f, h)	dWgu += dgu^T n2
 *	gemm lk_linear_dx(R, 2f, h)	t = dgu Wgu
 *	rmsnorm_back(dx, dw2, t, dx, x2, w2, rstd2, R, h)	gradient of x2
 *	gemm lk_linear_dw(R, h, a d)	dWo += dx^T o
 *	gemm lk_linear_dx(R, h, a d)	do = dx Wo
 *	attention_back(&at, dqkv, dqkv + a d, dqkv + (a + k) d, do, o, lse, qkv, ...)
 *	rope(dqkv, table, NULL, T, R, a + k, d, w, 1)
 *	gemm lk_linear_dw(R, w, h)	dWqkv += dqkv^T n1
 *	gemm lk_linear_dx(R, w, h)	t = dqkv Wqkv
 *	rmsnorm_back(dx, dw1, t, dx, x, w1, rstd1, R, h)
 */
#endif
