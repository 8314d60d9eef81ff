/*
 * lk.h: every operation that the model needs, once, for every backend.
 *
 * A backend is a table of function pointers, struct lk_ops.  lk_cpu_ops() gives the one for the
 * processor; a program written against the table runs on any other without a change.
 *
 * CALLING ORDER
 *	const struct lk_ops *ops = lk_cpu_ops();
 *	struct lk_err err;
 *	struct lk_queue *q;
 *	if (ops->open(&q, 0, &err) == -1)
 *		...err.msg...
 *	lk_real *x = ops->alloc(q, n * sizeof *x);	NULL: ops->message(q) says why
 *	if (ops->add(q, x, x, y, n) == -1)
 *		...ops->message(q)...
 *	ops->copy(q, host, x, n * sizeof *x, LK_D2H);
 *	if (ops->sync(q) == -1)				now host[] may be read
 *		...
 *	ops->free(q, x);
 *	ops->close(q);
 * One layer, forward and backward, is written out at the end of this file.
 *
 * QUEUE
 * Operations run in the order in which they were given to one queue.  A backend may return before
 * the work is done; only sync() waits, and only copy() brings numbers to the host.  Everything an
 * operation reads or writes must live until sync(), host buffers of copy() included.  A queue
 * serves one thread of the caller at a time, and no operation may be called from inside an OpenMP
 * parallel region.  Operations may keep work space in the queue: it grows at the first use of a
 * shape and is kept until close().
 *
 * ERRORS
 * int: 0, or -1 and one sentence in ops->message(q), valid until the next call on q.  Pointers:
 * NULL likewise.  open() has no queue yet and fills struct lk_err.  Only wrong shapes and failed
 * allocations are errors; contents of device memory are never checked (ids and labels are
 * the caller's to check against the vocabulary), save where an operation says so.
 *
 * TYPES
 * lk_real is what parameters, gradients, optimizer states and statistics are stored in: float, or
 * double in the build for tests (-DLK_DOUBLE).  lk_act is an activation (or the weight copy that a
 * matrix product reads): its type is the table's, ops->act, and ops->act_size bytes wide.  The
 * processor's table has lk_act = lk_real.  lk_act is void so that a pointer to either passes.
 * All matrices are row-major: x[rows][n] has row r at x + r * ld elements, ld >= n.  Where there
 * is no ld argument, ld = n.  Pointers need the alignment of their element only; alloc() gives 64.
 * Counts of zero are valid and do nothing.
 *
 * ALIASING
 * An output may be one of the inputs only where the operation says "may be".
 *
 * ADDING
 * Every gradient of a parameter (dw) is added to what is there; every gradient of an activation
 * (dx) is written, unless said otherwise.
 *
 * SAME BITS
 * For one build on one instruction set and library version, every operation gives the same bits
 * (1) when called again, (2) for any number of threads, (3) wherever the buffers lie in memory.
 * Work is cut in tiles that depend on shapes alone, one thread does one tile, and sums across
 * tiles are made in a fixed order.  Sums over rows (dw) depend on all rows and are cut at multiples
 * of a fixed number of rows.
 * On the processor moreover:
 *	- row r of the result does not depend on the number of rows, nor on r, in embed, rmsnorm,
 *	  rope, swiglu, add, the cross-entropy operations and gemm, transposed or not; so a row range
 *	  of gemm gives the bits of the whole;
 *	- element (i, j) of gemm does not depend on n either: a slice of columns has the same bits;
 *	- the output of a query of attention depends on its own keys alone, not on tq, the batch or
 *	  the other heads: decoding one row at a time against a cache gives the bits of the whole, as
 *	  long as key 0 of the call is the same key.
 */
#ifndef LK_H
#define LK_H

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

#define LK_NORM_CHUNK 4096 /* elements in one partial sum of sqnorm() */
#define LK_ATTN_TILE 64	   /* queries in one tile of attention */

struct lk_err {
	char msg[256];
};

struct lk_queue; /* the backend's: order of work, work space, last error */
struct lk_prep;	 /* the backend's: a weight made ready for gemm() */

/*
 * Step values, in device memory (alloc it, fill a host copy, copy LK_H2D).  Who writes:
 *	host	lr, bias1, bias2, scale, tokens (once a step, before backward)
 *	sum()	sqnorm (point its out here)
 *	clip()	norm, clip, finite
 */
struct lk_step {
	double lr;	 /* learning rate of this step */
	double bias1;	 /* 1 - beta1^t, t from 1 */
	double bias2;	 /* 1 - beta2^t */
	double tokens;	 /* labels >= 0 in the whole step, over all micro-batches and ranks */
	double scale;	 /* every dlogits is multiplied by this: 1 / tokens */
	double sqnorm;	 /* sum of the squares of all gradients */
	double norm;	 /* its root */
	double clip;	 /* every gradient is multiplied by this in adamw(): min(1, c/norm) */
	uint64_t finite; /* 0: norm is infinite or not a number; adamw() then does nothing */
};

/*
 * D[m][n] = alpha * op(A) op(B) + beta * C[m][n].
 * op(A) is [m][k]: A itself, or with ta the transpose of A[k][m].
 * op(B) is [k][n]: B itself, or with tb the transpose of B[n][k] (a Hugging Face weight).
 * C may be NULL when beta is 0 (then it is not read: NaN there does no harm), and may be D.
 * D may not overlap A or B.  With row1 > 0 only rows row0 <= i < row1 of D are computed (and only
 * those of A and C are read); pointers still point at row 0.
 * b: when not NULL, a prepared weight in place of B (B and ldb are not read).
 * Types: 0 (LK_ACT), or LK_REAL for an A, B or C and D in lk_real.
 * A leading dimension of 0 means the natural one: the columns as stored.
 */
struct lk_gemm {
	size_t m, n, k;
	int ta, tb;
	size_t lda, ldb, ldc, ldd;
	double alpha, beta;
	size_t row0, row1;
	const struct lk_prep *b;
	enum lk_type a_type, b_type, cd_type;
};

/*
 * Causal attention with grouped queries: query head h reads key/value head h / (heads / kv_heads).
 * Query i of a sequence stands at position q_pos + i and key j at k_pos + j; i sees j when the key's
 * position is not after the query's.  Training: both 0, tq = tk.  Decoding against a cache of p
 * keys: tq = 1, tk = p + 1, q_pos = p, k_pos = 0.  Context parallelism: any offsets; a query that
 * sees no key gives o = 0 and lse = -infinity.
 * Element (sequence b, row t, head h, c) of Q is at Q[b * q_seq + t * q_ld + h * dim + c]; K and V
 * share k_seq and k_ld, so all three may point into one [rows][(heads + 2 kv_heads) * dim] matrix.
 * 0 for *_ld means heads * dim (kv_heads * dim), 0 for *_seq means tq * q_ld (tk * k_ld).
 * scale 0 means 1 / sqrt(dim).  dim is at most LK_ATTN_MAX_DIM.
 */
#define LK_ATTN_MAX_DIM 256

struct lk_attn {
	size_t batch, heads, kv_heads, dim;
	size_t tq, tk;
	size_t q_pos, k_pos;
	size_t q_ld, k_ld, o_ld;    /* elements from one row to the next */
	size_t q_seq, k_seq, o_seq; /* elements from one sequence to the next */
	double scale;
	int add; /* backward: add to dQ, dK, dV in place of writing them */
};

struct lk_adamw {
	double beta1, beta2;
	double eps;   /* outside the root */
	double decay; /* 0 for tensors without weight decay */
};

struct lk_ops {
	const char *name; /* "cpu avx2 oneDNN", say */
	enum lk_type act; /* LK_F32, LK_F64 or LK_BF16 */
	size_t act_size;

	/*
	 * Queue and memory.  device counts from 0 (ignored on the processor).  close(NULL) and
	 * free(q, NULL) do nothing.  alloc(q, 0) gives a pointer that can be freed; memory is not
	 * zeroed.  host_alloc gives host memory from which copies are fast.
	 */
	int (*open)(struct lk_queue **q, int device, struct lk_err *err);
	void (*close)(struct lk_queue *q);
	const char *(*message)(const struct lk_queue *q);
	int (*sync)(struct lk_queue *q);
	void *(*alloc)(struct lk_queue *q, size_t bytes);
	void (*free)(struct lk_queue *q, void *p);
	void *(*host_alloc)(struct lk_queue *q, size_t bytes);
	void (*host_free)(struct lk_queue *q, void *p);
	int (*zero)(struct lk_queue *q, void *p, size_t bytes);
	int (*copy)(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);

	/* y[i] = x[i] in the other type, i < n, rounded to nearest even; y may be x if same type */
	int (*to_act)(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n);
	int (*to_real)(struct lk_queue *q, lk_real *y, const lk_act *x, size_t n);

	/*
	 * Embedding: y[rows][n], y[r] = w[ids[r] - v0], w[v][n].  An id outside v0 <= id < v0 + v
	 * gives a row of zeros (and no gradient), so that with the vocabulary split over ranks the
	 * sum over ranks is the embedding; v0 = 0 otherwise.
	 * Backward: dw[ids[r] - v0] += dy[r], in the order of r.
	 */
	int (*embed)(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids,
			size_t rows, size_t n, size_t v0, size_t v);
	int (*embed_back)(struct lk_queue *q, lk_real *dw, const lk_act *dy, const uint32_t *ids,
			size_t rows, size_t n, size_t v0, size_t v);

	/*
	 * RMSNorm (Zhang and Sennrich 2019): s = x + res, rstd = 1 / sqrt(mean(s^2) + eps),
	 * y = s * rstd * w; product in lk_real, one rounding to lk_act at the end (Hugging Face's
	 * Llama rounds before multiplying by w: the two differ in bf16 only).
	 * res NULL: s = x and sum is not written; else sum[rows][n] receives s, and may be x or
	 * res.  y may be x when res is NULL.  rstd[rows] is kept for backward, or NULL.
	 * Backward, x being the s above, xh = x * rstd and g = dy * w:
	 *	dx = rstd * (g - xh * mean(g * xh)) + dres	dw += sum over rows of dy * xh
	 * dres is the gradient that reaches s past the norm, or NULL for none; dx may be dres or
	 * dy.  w is lk_real: norm weights are never rounded.
	 */
	int (*rmsnorm)(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
			const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps);
	int (*rmsnorm_back)(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
			const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd,
			size_t rows, size_t n);

	/*
	 * Rotary positions (Su et al. 2021), pairing (i, i + dim/2) as Hugging Face's Llama.
	 * rope_table: table[npos][dim], row p = cos(a_0..a_{dim/2-1}), sin(a_0..a_{dim/2-1}) with
	 * a_i = (pos0 + p) * theta^(-2i/dim); angles in double, stored as lk_real.
	 * rope: in place on heads heads of each row, head h of row r at x[r * ld + h * dim]
	 * (0 for ld: heads * dim).  The row's table entry is pos[r], or with pos NULL
	 * r % seq (rows in sequences of seq; 0: all one sequence).  inverse 1 rotates back,
	 * which is the backward operation.  With q and k side by side one call does both.
	 */
	int (*rope_table)(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
			double theta);
	int (*rope)(struct lk_queue *q, lk_act *x, const lk_real *table, const uint32_t *pos,
			size_t seq, size_t rows, size_t heads, size_t dim, size_t ld, int inverse);

	/*
	 * Attention, see struct lk_attn; in tiles with a running maximum and sum (Dao et al. 2022,
	 * 2023): no tq x tk matrix exists.  lse[batch][heads][tq] receives the natural logarithm
	 * of the sum of the exponentials, for backward and for attn_merge.
	 * Backward: O and lse are those of ALL keys of the query; dO has O's strides, dQ has Q's,
	 * dK and dV have K's.
	 * attn_merge: (O, lse) over one set of keys and (O2, lse2) over another become, in O and
	 * lse, those over both.
	 */
	int (*attention)(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
			const lk_act *Q, const lk_act *K, const lk_act *V);
	int (*attention_back)(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
			lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse,
			const lk_act *Q, const lk_act *K, const lk_act *V);
	int (*attn_merge)(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
			const lk_act *O2, const lk_real *lse2);

	/*
	 * SwiGLU (Shazeer 2020): gu[rows][2f] holds gate then up; y[rows][f] = silu(gate) * up.
	 * Backward: dgu[rows][2f] from dy[rows][f]; dgu may be gu.  y, when not NULL, receives the
	 * forward result again (for a caller that did not keep it); y may be dy.
	 */
	int (*swiglu)(struct lk_queue *q, lk_act *y, const lk_act *gu, size_t rows, size_t f);
	int (*swiglu_back)(struct lk_queue *q, lk_act *dgu, lk_act *y, const lk_act *dy,
			const lk_act *gu, size_t rows, size_t f);

	/* y[i] = a[i] + b[i], i < n; y may be a or b */
	int (*add)(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n);

	/*
	 * Cross-entropy over rows of logits x[rows][v] (ld 0: v), labels[rows], -1 = ignored:
	 *	loss[r] = lse(x[r]) - x[r][label]	0 where ignored
	 *	x[r][j] becomes (softmax(x[r])[j] - (j == label)) * step->scale, 0 where ignored
	 * cross_entropy does both; loss NULL or step NULL leaves that half out (step NULL: logits
	 * are not changed).  Call it on chunks of rows of any size: the bits are the same.
	 *
	 * With the vocabulary split, a rank holds columns v0 <= j < v0 + v:
	 *	ce_stats	stats[rows][3] = maximum, sum of exp(x - maximum), x[label] or 0
	 *	(the caller gathers stats of all ranks: all[ranks][rows][3], by rank)
	 *	ce_merge	stats = those of the whole row; all may be stats when ranks is 1
	 *	ce_grad		loss and x as above from the merged stats
	 * On one rank that sequence gives the bits of cross_entropy.
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
	 * Matrix product, see struct lk_gemm.  prepare makes W[n][k] (leading dimension ld, 0: k)
	 * ready to be operand B, with tb 1 (A W^T) or 0 (A W); once after every update of W, and
	 * W must stay in place and unchanged as long as *p is used.  *p NULL: it is created; else
	 * it is refilled, the shape being the same.  gemm gives the bits of the product without b.
	 * It pays where rows are few (generation: 5 times for one row; training: 1 %), and takes
	 * the weight's memory again.
	 */
	int (*gemm)(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A,
			const void *B, const void *C);
	int (*prepare)(struct lk_queue *q, struct lk_prep **p, const lk_act *w, size_t n, size_t k,
			size_t ld);
	void (*unprepare)(struct lk_queue *q, struct lk_prep *p);

	/*
	 * Sums.  sum: *out = (add ? *out : 0) + x[0] + ... + x[n-1], doubles, in that order;
	 * sum_real the same over lk_real, each element widened to double first (per-row losses).
	 * sqnorm: sums[c] = sum of x[i]^2 in double, LK_NORM_CHUNK * c <= i < LK_NORM_CHUNK * (c+1),
	 * for c < ceil(n / LK_NORM_CHUNK).  Cut shards at multiples of LK_NORM_CHUNK of the tensor:
	 * then the sums, laid side by side, are those of the whole, and so is sum() over them.
	 * clip: norm = sqrt(sqnorm), finite, clip = min(1, max_norm / (norm + 1e-6)), or 1 when
	 * max_norm is 0, from step->sqnorm.
	 * finite: *ok = 1 when all x[i] are finite, else 0.
	 */
	int (*sum)(struct lk_queue *q, double *out, const double *x, size_t n, int add);
	int (*sum_real)(struct lk_queue *q, double *out, const lk_real *x, size_t n, int add);
	int (*sqnorm)(struct lk_queue *q, double *sums, const lk_real *x, size_t n);
	int (*clip)(struct lk_queue *q, struct lk_step *step, double max_norm);
	int (*finite)(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n);

	/*
	 * AdamW (Loshchilov and Hutter 2019), t counted from 1 by the caller:
	 *	g' = g * clip;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2
	 *	p -= lr * (m / bias1 / (sqrt(v / bias2) + eps) + decay * p)
	 * Element by element, so a slice gives the bits of the whole.  Nothing is written when
	 * step->finite is 0.  copy[n], when not NULL, receives p rounded to lk_act; may be p when
	 * they are one type.
	 */
	int (*adamw)(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
			lk_act *copy, size_t n, const struct lk_adamw *h,
			const struct lk_step *step);

	/*
	 * Gradient lanes.  accumulate: y[i] += x[i].  lane_sum: lanes lanes (a power of two) of n
	 * elements, lane j at x + j * stride, are added by halves into lane 0:
	 *	for (s = lanes / 2; s > 0; s /= 2) for (j = 0; j < s; j++) lane j += lane j + s
	 * (the other lanes are left with partial sums).  When rank r of d owns lanes r, r + d, ...,
	 * the ranks' sums, added by halves over ranks, are the same tree as all lanes on one rank.
	 */
	int (*accumulate)(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n);
	int (*lane_sum)(struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n);
};

/* The processor's table: the best instruction set that this machine has.  Never NULL. */
const struct lk_ops *lk_cpu_ops(void);

/*
 * The processor's table for one instruction set: "base", "avx2" or "avx512" ("base" alone outside
 * x86-64); NULL when the machine or the build lacks it.  For tests, and to repeat elsewhere
 * what a lesser machine computed.
 */
const struct lk_ops *lk_cpu_ops_isa(const char *isa);

/*
 * A linear layer y[rows][out] = x[rows][in] W[out][in]^T as three products:
 *	gemm(q, &lk_linear(rows, out, in),      y,  x,  W, NULL)
 *	gemm(q, &lk_linear_dx(rows, out, in),   dx, dy, W, NULL)
 *	gemm(q, &lk_linear_dw(rows, out, in),   dW, dy, x, dW)		adds to dW
 * (take the address of a variable holding it).  Set .b for a prepared weight, .beta = 1 with
 * C = D = dx to add into dx.
 */
static inline struct lk_gemm lk_linear(size_t rows, size_t out, size_t in)
{
	struct lk_gemm g = { .m = rows, .n = out, .k = in, .tb = 1, .alpha = 1 };

	return g;
}

static inline struct lk_gemm lk_linear_dx(size_t rows, size_t out, size_t in)
{
	struct lk_gemm g = { .m = rows, .n = in, .k = out, .alpha = 1 };

	return g;
}

static inline struct lk_gemm lk_linear_dw(size_t rows, size_t out, size_t in)
{
	struct lk_gemm g = {
		.m = out, .n = in, .k = rows, .ta = 1, .alpha = 1, .beta = 1, .cd_type = LK_REAL
	};

	return g;
}

/*
 * ONE LAYER.  h hidden, a heads, k kv heads, d = dim, w = (a + 2k) d, f FFN, T context, b sequences,
 * R = b T rows.  x[R][h] is the residual stream; kept for backward: x, n1, rstd1, qkv, o, lse, x2,
 * n2, rstd2, gu, y.  Weights Wqkv[w][h], Wo[h][a d], Wgu[2f][h] (gate first), Wdown[h][f].
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
 * backward, dx[R][h] holding the gradient of xnext and ending as that of x
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
