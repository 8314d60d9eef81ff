#include "trainer/data/scoring.h"

#include <stdlib.h>

struct batch {
	uint32_t *tokens; /* context + 1 per window */
	uint32_t *ids;
	int32_t *labels;
	lk_real *losses;
	uint64_t *offset; /* of the first label of each window */
	size_t *count;	  /* labels of each window */
};

static void release(struct batch *b)
{
	free(b->tokens);
	free(b->ids);
	free(b->labels);
	free(b->losses);
	free(b->offset);
	free(b->count);
}

static int allocate(struct batch *b, size_t batch, size_t context, struct lu_err *err)
{
	size_t rows = batch * context;

	*b = (struct batch){
		.tokens = malloc((rows + batch) * sizeof(*b->tokens)),
		.ids = malloc(rows * sizeof(*b->ids)),
		.labels = malloc(rows * sizeof(*b->labels)),
		.losses = malloc(rows * sizeof(*b->losses)),
		.offset = malloc(batch * sizeof(*b->offset)),
		.count = malloc(batch * sizeof(*b->count)),
	};
	if (b->tokens && b->ids && b->labels && b->losses && b->offset && b->count)
		return 0;
	release(b);
	return lu_err_nomem(err);
}

/* Load window w of the stream as sequence i of the batch. */
static int load_window(struct batch *b, size_t i, uint64_t w, size_t context,
		const struct lt_corpus *c, struct lu_err *err)
{
	uint64_t first = w * context, left = lt_corpus_tokens(c) - 1 - first;
	size_t n = left < context ? (size_t)left : context;
	uint32_t *t = b->tokens + i * (context + 1);

	if (lt_corpus_read(c, first, n + 1, t, err) < 0)
		return -1;
	for (size_t k = 0; k < context; k++) {
		b->ids[i * context + k] = k < n ? t[k] : 0;
		b->labels[i * context + k] = k < n ? (int32_t)t[k + 1] : -1;
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

int lt_score(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, lt_score_fn *fn, void *ctx, struct lu_err *err)
{
	uint64_t tokens = lt_corpus_tokens(c);
	uint64_t all = tokens < 2 ? 0 : (tokens - 2) / context + 1;
	uint64_t want = windows && windows < all ? windows : all;
	struct batch b;
	int rc = 0;

	if (allocate(&b, batch, context, err) < 0)
		return -1;
	for (uint64_t w = 0; w < want && rc == 0; w += batch) {
		size_t n = want - w < batch ? (size_t)(want - w) : batch;

		for (size_t i = 0; i < n && rc == 0; i++)
			rc = load_window(&b, i, spaced(w + i, all, want), context, c, err);
		if (rc == 0)
			rc = lt_model_losses(m, b.ids, b.labels, n, b.losses, err);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = fn(ctx, b.offset[i], b.count[i], b.tokens + i * (context + 1) + 1,
					b.losses + i * context, err);
	}
	release(&b);
	return rc;
}

struct total_ctx {
	struct lt_total *out;
	bool (*stop)(void);
};

static int add(void *ctx, uint64_t offset, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err)
{
	struct total_ctx *t = ctx;

	(void)offset;
	(void)label;
	(void)err;
	for (size_t i = 0; i < n; i++)
		t->out->loss += (double)loss[i];
	t->out->tokens += n;
	return t->stop && t->stop() ? 1 : 0;
}

int lt_score_total(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, bool (*stop)(void), struct lt_total *out, struct lu_err *err)
{
	struct total_ctx t = { out, stop };

	*out = (struct lt_total){ 0 };
	return lt_score(m, batch, context, c, windows, add, &t, err);
}
