#include "trainer/data/scoring.h"

#include <stdlib.h>

struct batch {
	uint32_t *tokens;		 /* context + 1 per window */
	uint32_t *ids, *labels, *places; /* places NULL: not asked for */
	lk_real *log_p;
	uint64_t *offset; /* of the first label of each window */
	size_t *count;	  /* labels of each window */
};

static void release(struct batch *b)
{
	free(b->tokens);
	free(b->ids);
	free(b->labels);
	free(b->places);
	free(b->log_p);
	free(b->offset);
	free(b->count);
}

static int allocate(struct batch *b, const struct lt_scorer *s, struct lu_err *err)
{
	size_t batch = s->batch, context = s->context, rows = batch * context;

	*b = (struct batch){
		.tokens = malloc((rows + batch) * sizeof(*b->tokens)),
		.ids = calloc(rows, sizeof(*b->ids)),
		.labels = calloc(rows, sizeof(*b->labels)),
		.places = s->reset_documents ? calloc(rows, sizeof(*b->places)) : NULL,
		.log_p = malloc(rows * sizeof(*b->log_p)),
		.offset = malloc(batch * sizeof(*b->offset)),
		.count = malloc(batch * sizeof(*b->count)),
	};
	if (b->tokens && b->ids && b->labels && b->log_p && b->offset && b->count &&
			(b->places || !s->reset_documents))
		return 0;
	release(b);
	return lu_err_nomem(err);
}

/* Load window w of the stream as sequence i of the batch; what a short one lacks is 0. */
static int load_window(struct batch *b, size_t i, uint64_t w, size_t context,
		const struct lt_corpus *c, struct lu_err *err)
{
	uint64_t first = w * context, left = lt_corpus_tokens(c) - 1 - first;
	size_t n = left < context ? (size_t)left : context;
	uint32_t *t = b->tokens + i * (context + 1);

	if (b->places ? lt_corpus_read_places(c, first, n + 1, t, b->places + i * context, err)
		      : lt_corpus_read(c, first, n + 1, t, err))
		return -1;
	for (size_t k = 0; k < context; k++) {
		b->ids[i * context + k] = k < n ? t[k] : 0;
		b->labels[i * context + k] = k < n ? t[k + 1] : 0;
	}
	b->offset[i] = first + 1;
	b->count[i] = n;
	return 0;
}

/* Window number i of `want` windows that are evenly spaced among `all`. */
static uint64_t spaced(uint64_t i, uint64_t all, uint64_t want)
{
	return (uint64_t)((long double)i * (long double)all / (long double)want);
}

/* The windows that are scored. */
struct windows {
	uint64_t all, want;
};

static struct windows count_windows(
		const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows)
{
	uint64_t tokens = lt_corpus_tokens(c);
	uint64_t all = tokens < 2 ? 0 : (tokens - 2) / s->context + 1;

	return (struct windows){ all, windows && windows < all ? windows : all };
}

/* Score the batch that begins with window w; *n windows are in it. */
static int score_batch(const struct lt_scorer *s, const struct lt_corpus *c,
		const struct windows *all, uint64_t w, struct batch *b, size_t *n, bool *here,
		struct lu_err *err)
{
	const struct lt_batch batch = { .ids = b->ids, .labels = b->labels, .places = b->places };

	*n = all->want - w < s->batch ? (size_t)(all->want - w) : s->batch;
	for (size_t i = 0; i < *n; i++) {
		uint64_t window = spaced(w + i, all->all, all->want);

		if (load_window(b, i, window, s->context, c, err) < 0)
			return -1;
	}
	return s->score(s->ctx, &batch, *n, b->log_p, here, err);
}

int lt_score(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		lt_score_fn *fn, void *ctx, struct lu_err *err)
{
	struct windows all = count_windows(s, c, windows);
	size_t context = s->context;
	struct batch b;
	int rc = 0;

	if (allocate(&b, s, err) < 0)
		return -1;
	for (uint64_t w = 0; w < all.want && rc == 0; w += s->batch) {
		bool here;
		size_t n;

		rc = score_batch(s, c, &all, w, &b, &n, &here, err);
		for (size_t i = 0; i < n * context && rc == 0; i++)
			b.log_p[i] = -b.log_p[i];
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = fn(ctx, b.offset[i], b.count[i], b.tokens + i * (context + 1) + 1,
					b.log_p + i * context, err);
	}
	release(&b);
	return rc;
}

/* Sum of the losses of n windows, in stream order. */
static double sum_batch(const struct batch *b, size_t n, size_t context)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < b->count[i]; k++)
			sum -= (double)b->log_p[i * context + k];
	}
	return sum;
}

/* Tokens that are scored. */
static uint64_t count_tokens(const struct windows *all, const struct lt_corpus *c, size_t context)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < all->want; i++) {
		uint64_t left = lt_corpus_tokens(c) - 1 - spaced(i, all->all, all->want) * context;

		n += left < context ? left : context;
	}
	return n;
}

int lt_score_total(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		int (*stop)(void *ctx, struct lu_err *err), struct lt_total *out,
		struct lu_err *err)
{
	struct windows all = count_windows(s, c, windows);
	size_t batches = (size_t)((all.want + s->batch - 1) / s->batch);
	size_t shares = s->shares ? s->shares : 1;
	double *sum = calloc(batches + 1, sizeof(*sum));
	struct batch b;
	int rc = 0;

	*out = (struct lt_total){ 0 };
	if (!sum)
		return lu_err_nomem(err);
	if (allocate(&b, s, err) < 0) {
		free(sum);
		return -1;
	}
	for (size_t first = 0; first < batches && rc == 0; first += shares) {
		size_t k = first + s->share, n;
		bool here = false;

		if (k < batches)
			rc = score_batch(s, c, &all, k * s->batch, &b, &n, &here, err);
		if (rc == 0 && here)
			sum[k] = sum_batch(&b, n, s->context);
		if (rc == 0 && stop)
			rc = stop(s->ctx, err);
	}
	if (rc == 0 && s->combine)
		rc = s->combine(s->ctx, sum, batches, err);
	for (size_t k = 0; k < batches && rc == 0; k++)
		out->loss += sum[k];
	out->tokens = count_tokens(&all, c, s->context);
	release(&b);
	free(sum);
	return rc;
}

static int score_whole(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	*here = true;
	return lt_model_score(ctx, b, sequences, log_p, err);
}

struct lt_scorer lt_scorer_of(struct lt_model *m, size_t batch, size_t context)
{
	return (struct lt_scorer){
		.batch = batch, .context = context, .ctx = m, .score = score_whole
	};
}
