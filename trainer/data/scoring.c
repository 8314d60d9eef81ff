#include "trainer/data/scoring.h"

#include <stdlib.h>

#include "libcommon/base/num.h"

struct batch {
	struct lt_micro m;
	lk_real *log_p;
	uint64_t *window; /* of each sequence */
};

static void release(struct batch *b)
{
	lt_micro_release(&b->m);
	free(b->log_p);
	free(b->window);
}

static int allocate(struct batch *b, const struct lt_scorer *s, const struct lt_corpus *c,
		struct lu_err *err)
{
	const struct lt_micro_want want = { .places = s->reset_documents,
		.weight = lt_corpus_masked(c) };
	size_t rows = s->batch * s->context;

	*b = (struct batch){ .log_p = malloc(rows * sizeof(*b->log_p)),
		.window = malloc(s->batch * sizeof(*b->window)) };
	if (!b->log_p || !b->window)
		lu_err_nomem(err);
	else if (lt_micro_open(&b->m, &want, rows, s->batch, err) == 0)
		return 0;
	release(b);
	return -1;
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

static struct windows count_windows(const struct lt_corpus *c, uint64_t windows)
{
	uint64_t all = lt_corpus_windows(c);

	return (struct windows){ all, windows && windows < all ? windows : all };
}

/* Score the batch that begins with window w; *n windows are in it. */
static int score_batch(const struct lt_scorer *s, const struct lt_corpus *c,
		const struct windows *all, uint64_t w, struct batch *b, size_t *n, bool *here,
		struct lu_err *err)
{
	const struct lt_batch batch = {
		.ids = b->m.ids, .labels = b->m.labels, .places = b->m.places
	};

	*n = all->want - w < s->batch ? (size_t)(all->want - w) : s->batch;
	for (size_t i = 0; i < *n; i++) {
		struct lt_micro row = lt_micro_sequence(&b->m, i, s->context);

		b->window[i] = spaced(w + i, all->all, all->want);
		if (lt_corpus_read_window(c, b->window[i], &row, err) < 0)
			return -1;
	}
	return s->score(s->ctx, &batch, *n, b->log_p, here, err);
}

/* --- window by window --------------------------------------------------------------------- */

/* Call fn for the targets among rows at .. at + n - 1, the first of which is `offset` in the stream:
 * a stretch at a time. */
static int give_span(const struct batch *b, size_t at, size_t n, uint64_t offset, lt_score_fn *fn,
		void *ctx, struct lu_err *err)
{
	const lk_real *weight = b->m.weight ? b->m.weight + at : NULL;
	int rc = 0;

	for (size_t i = 0, end; i < n && rc == 0; i = end) {
		end = n;
		if (weight && weight[i] == 0) {
			end = i + 1;
			continue;
		}
		for (size_t k = i; weight && k < end; k++)
			end = weight[k] == 0 ? k : end;
		rc = fn(ctx, offset + i, end - i, b->m.labels + at + i, b->log_p + at + i, err);
	}
	return rc;
}

static int give_window(const struct lt_scorer *s, const struct lt_corpus *c, const struct batch *b,
		size_t i, lt_score_fn *fn, void *ctx, struct lu_err *err)
{
	size_t at = i * s->context;
	struct lt_window w;
	struct lu_row_span span;
	int rc = 0;

	lt_corpus_window(c, b->window[i], &w);
	while (rc == 0 && lt_corpus_next(c, &w, &span)) {
		rc = give_span(b, at, (size_t)span.n - 1, span.begin + 1, fn, ctx, err);
		at += (size_t)span.n - 1;
	}
	return rc;
}

int lt_score(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		lt_score_fn *fn, void *ctx, struct lu_err *err)
{
	struct windows all = count_windows(c, windows);
	size_t context = s->context;
	struct batch b;
	int rc = 0;

	if (allocate(&b, s, c, err) < 0)
		return -1;
	for (uint64_t w = 0; w < all.want && rc == 0; w += s->batch) {
		bool here;
		size_t n;

		rc = score_batch(s, c, &all, w, &b, &n, &here, err);
		for (size_t i = 0; i < n * context && rc == 0; i++)
			b.log_p[i] = -b.log_p[i];
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = give_window(s, c, &b, i, fn, ctx, err);
	}
	release(&b);
	return rc;
}

/* --- the total ---------------------------------------------------------------------------- */

/* Labels of a window, masked or not. */
static size_t labels_of(const struct lt_corpus *c, uint64_t window)
{
	struct lt_window w;
	struct lu_row_span span;
	size_t n = 0;

	lt_corpus_window(c, window, &w);
	while (lt_corpus_next(c, &w, &span))
		n += (size_t)span.n - 1;
	return n;
}

/* Add the losses of the targets of n windows, in stream order, and count the targets. */
static void sum_batch(const struct batch *b, size_t n, size_t context, const struct lt_corpus *c,
		double *loss, double *targets)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = i * context, end = at + labels_of(c, b->window[i]);

		for (size_t k = at; k < end; k++) {
			if (b->m.weight && b->m.weight[k] == 0)
				continue;
			*loss -= (double)b->log_p[k];
			*targets += 1;
		}
	}
}

/* Labels that are scored, none of which is masked. */
static uint64_t count_labels(const struct windows *all, const struct lt_corpus *c)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < all->want; i++)
		n += labels_of(c, spaced(i, all->all, all->want));
	return n;
}

/* What is done with a batch that was scored here: number k, of n windows. */
typedef int batch_fn(void *ctx, const struct lt_scorer *s, const struct lt_corpus *c,
		const struct batch *b, size_t k, size_t n, struct lu_err *err);

/* Score this rank's batches. */
static int score_share(const struct lt_scorer *s, const struct lt_corpus *c,
		const struct windows *all, int (*stop)(void *ctx, struct lu_err *err),
		batch_fn *add, void *ctx, struct lu_err *err)
{
	size_t batches = (size_t)((all->want + s->batch - 1) / s->batch);
	size_t shares = s->shares ? s->shares : 1;
	struct batch b;
	int rc = 0;

	if (allocate(&b, s, c, err) < 0)
		return -1;
	for (size_t first = 0; first < batches && rc == 0; first += shares) {
		size_t k = first + s->share, n;
		bool here = false;

		if (k < batches)
			rc = score_batch(s, c, all, k * s->batch, &b, &n, &here, err);
		if (rc == 0 && here)
			rc = add(ctx, s, c, &b, k, n, err);
		if (rc == 0 && stop)
			rc = stop(s->ctx, err);
	}
	release(&b);
	return rc;
}

/* Of each batch: losses, then targets. */
struct totals {
	double *loss, *targets;
};

static int add_total(void *ctx, const struct lt_scorer *s, const struct lt_corpus *c,
		const struct batch *b, size_t k, size_t n, struct lu_err *err)
{
	const struct totals *t = ctx;

	(void)err;
	sum_batch(b, n, s->context, c, &t->loss[k], &t->targets[k]);
	return 0;
}

int lt_score_total(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		int (*stop)(void *ctx, struct lu_err *err), struct lt_total *out,
		struct lu_err *err)
{
	struct windows all = count_windows(c, windows);
	size_t batches = (size_t)((all.want + s->batch - 1) / s->batch);
	bool masked = lt_corpus_masked(c);
	double *sum = calloc(2 * batches + 1, sizeof(*sum)), targets = 0;
	struct totals t = { sum, sum + batches };
	int rc;

	*out = (struct lt_total){ 0 };
	if (!sum)
		return lu_err_nomem(err);
	rc = score_share(s, c, &all, stop, add_total, &t, err);
	if (rc == 0 && s->combine)
		rc = s->combine(s->ctx, sum, (masked ? 2 : 1) * batches, err);
	for (size_t k = 0; k < batches && rc == 0; k++) {
		out->loss += t.loss[k];
		targets += t.targets[k];
	}
	out->tokens = masked ? (uint64_t)targets : count_labels(&all, c);
	free(sum);
	return rc;
}

/* --- groups ------------------------------------------------------------------------------- */

/* Of each batch and group: losses and targets. */
struct group_sums {
	const struct lt_label_groups *g;
	double *sum; /* [batches][groups][2] */
	double *at;  /* of the batch that is added */
};

static int add_targets(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *log_p, struct lu_err *err)
{
	const struct group_sums *t = ctx;

	(void)label;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		double *sum = t->at + 2 * t->g->of(t->g->ctx, offset + i);

		sum[0] -= (double)log_p[i];
		sum[1] += 1;
	}
	return 0;
}

static int add_groups(void *ctx, const struct lt_scorer *s, const struct lt_corpus *c,
		const struct batch *b, size_t k, size_t n, struct lu_err *err)
{
	struct group_sums *t = ctx;
	int rc = 0;

	t->at = t->sum + 2 * t->g->n * k;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = give_window(s, c, b, i, add_targets, t, err);
	return rc;
}

int lt_score_groups(const struct lt_scorer *s, const struct lt_corpus *c,
		const struct lt_label_groups *g, int (*stop)(void *ctx, struct lu_err *err),
		struct lt_total *out, struct lu_err *err)
{
	struct windows all = count_windows(c, 0);
	size_t batches = (size_t)((all.want + s->batch - 1) / s->batch), n = 0;
	struct group_sums t = { .g = g };
	int rc;

	if (lu_mul_size(2 * g->n, batches, &n))
		t.sum = calloc(n + 1, sizeof(*t.sum));
	if (!t.sum)
		return lu_err_nomem(err);
	rc = score_share(s, c, &all, stop, add_groups, &t, err);
	if (rc == 0 && s->combine)
		rc = s->combine(s->ctx, t.sum, n, err);
	for (size_t i = 0; i < g->n && rc == 0; i++) {
		double targets = 0;

		out[i] = (struct lt_total){ 0 };
		for (size_t k = 0; k < batches; k++) {
			out[i].loss += t.sum[2 * (g->n * k + i)];
			targets += t.sum[2 * (g->n * k + i) + 1];
		}
		out[i].tokens = (uint64_t)targets;
	}
	free(t.sum);
	return rc;
}

static int score_whole(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	*here = true;
	return lt_model_score(ctx, b, sequences, log_p, err);
}

static int score_again(
		void *ctx, const struct lt_batch *b, lk_real *log_p, bool *here, struct lu_err *err)
{
	*here = true;
	return lt_model_log_p(ctx, 0, 0, b, log_p, err);
}

struct lt_scorer lt_scorer_of(struct lt_model *m, size_t batch, size_t context)
{
	return (struct lt_scorer){ .batch = batch,
		.context = context,
		.ctx = m,
		.score = score_whole,
		.again = score_again };
}
