#include "trainer/export/teach.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/teacher_writer.h"
#include "trainer/model/decoding.h"
#include "trainer/model/filedigest.h"
#include "trainer/model/weights_hash.h"

/* Bytes of logits at once, or one token of each window if that is more. */
#define LOGITS ((size_t)64 << 20)

/* A window of a document. */
struct window {
	uint64_t first; /* token of the shard */
	size_t n, keep; /* tokens; rows from `keep` on are wanted */
};

struct teaching {
	const struct lt_teaching *what;
	const char *name;
	struct lt_model *m;
	size_t vocab, top, rows; /* tokens of a call */
	/* The shard that is being read. */
	const struct lu_shard *shard;
	struct lu_teacher_writer *w;
	uint64_t document, at; /* the next window begins at token `at` of this document */
	struct lu_progress progress;
	uint64_t done; /* tokens of all shards */
	/* A batch of windows. */
	struct window *window;
	size_t windows;
	uint32_t *ids, *best;	       /* [batch][context], and [top] of each */
	float *log_p;		       /* likewise */
	lk_real *logits;	       /* [rows][vocab] */
	struct lt_decode_piece *piece; /* of a call, with the window of each */
	size_t *whose;
};

/* --- windows ---------------------------------------------------------------------------------- */

/* The next window of the shard: 1, 0 at the end, or -1. */
static int next_window(struct teaching *t, struct window *w, struct lu_err *err)
{
	size_t context = t->what->context, stride = context - context / 2;
	uint64_t first, n, left;

	for (; t->document < lu_shard_documents(t->shard); t->document++, t->at = 0) {
		if (lu_shard_document(t->shard, t->document, &first, &n, err) < 0)
			return -1;
		/* Behind the first window only for rows that no window has given yet. */
		if (t->at < n && (t->at == 0 || t->at + context - stride < n))
			break;
	}
	if (t->document == lu_shard_documents(t->shard))
		return 0;
	left = n - t->at;
	*w = (struct window){ .first = first + t->at,
		.n = left < context ? (size_t)left : context,
		.keep = t->at ? context - stride : 0 };
	t->at += stride;
	return 1;
}

/* --- the most probable tokens ----------------------------------------------------------------- */

/* The `top` largest of n logits and their log p; of equal ones those with the lower number. */
static void most_probable(const lk_real *x, size_t n, size_t top, uint32_t *best, float *log_p)
{
	double max = (double)x[0], sum = 0;
	size_t found = 0;

	for (size_t j = 0; j < n; j++) {
		size_t k = found < top ? found : top;

		max = (double)x[j] > max ? (double)x[j] : max;
		if (found == top && !(x[j] > x[best[top - 1]]))
			continue;
		k = found < top ? found++ : top - 1;
		for (; k > 0 && x[j] > x[best[k - 1]]; k--)
			best[k] = best[k - 1];
		best[k] = (uint32_t)j;
	}
	for (size_t j = 0; j < n; j++)
		sum += exp((double)x[j] - max);
	for (size_t k = 0; k < top; k++) {
		float p = (float)(((double)x[best[k]] - max) - log(sum));

		log_p[k] = p > 0 ? 0 : p;
	}
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* Rows of tokens from .. from + n - 1 of the windows that have them. */
static int decode(struct teaching *t, size_t from, size_t n, struct lu_err *err)
{
	size_t context = t->what->context, pieces = 0;
	const lk_real *x = t->logits;

	for (size_t i = 0; i < t->windows; i++) {
		const struct window *w = &t->window[i];

		if (from >= w->n)
			continue;
		t->whose[pieces] = i;
		t->piece[pieces++] = (struct lt_decode_piece){ .sequence = i,
			.pos = from,
			.n = w->n - from < n ? w->n - from : n,
			.ids = t->ids + i * context + from,
			.all = from + n > w->keep };
	}
	if (lt_decode(t->m, t->piece, pieces, t->logits, err) < 0)
		return -1;
	for (size_t p = 0; p < pieces; p++) {
		size_t row = t->whose[p] * context + from;

		for (size_t k = 0; k < (t->piece[p].all ? t->piece[p].n : 1); k++, x += t->vocab) {
			if (!t->piece[p].all)
				continue;
			if (!isfinite(x[0]))
				return lu_err_set(err, "the model's logits are not finite");
			most_probable(x, t->vocab, t->top, t->best + (row + k) * t->top,
					t->log_p + (row + k) * t->top);
		}
	}
	return 0;
}

/* Compute the windows that have been gathered, and write their rows. */
static int flush(struct teaching *t, struct lu_err *err)
{
	size_t context = t->what->context, longest = 0, n = t->rows / t->what->batch;

	for (size_t i = 0; i < t->windows; i++) {
		const struct window *w = &t->window[i];

		longest = w->n > longest ? w->n : longest;
		if (lu_shard_read(t->shard, w->first, w->n, t->ids + i * context, err) < 0)
			return -1;
		for (size_t k = 0; k < w->n; k++) {
			if (t->ids[i * context + k] >= t->vocab)
				return lu_err_set(err,
						"%s: token %" PRIu64 " has the id %" PRIu32
						", the model %zu ids",
						lu_shard_prefix(t->shard), w->first + k,
						t->ids[i * context + k], t->vocab);
		}
	}
	for (size_t from = 0; from < longest; from += n) {
		if (decode(t, from, n, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < t->windows; i++) {
		const struct window *w = &t->window[i];
		size_t row = (i * context + w->keep) * t->top;

		if (lu_teacher_writer_add(
				    t->w, t->best + row, t->log_p + row, w->n - w->keep, err) < 0)
			return -1;
		t->done += w->n - w->keep;
	}
	t->windows = 0;
	lu_progress_update(&t->progress, t->done, 0);
	return 0;
}

/* --- a shard ---------------------------------------------------------------------------------- */

static int teach_shard(struct teaching *t, const struct lu_teacher_header *h, struct lu_err *err)
{
	int rc = 1;

	t->document = t->at = 0;
	t->windows = 0;
	if (lu_teacher_writer_open(&t->w, t->shard, t->name, h, err) < 0)
		return -1;
	while (rc == 1) {
		rc = next_window(t, &t->window[t->windows], err);
		t->windows += rc == 1;
		if (rc >= 0 && t->windows && (rc == 0 || t->windows == t->what->batch) &&
				flush(t, err) < 0)
			rc = -1;
	}
	if (rc == 0)
		rc = lu_teacher_writer_commit(t->w, err);
	lu_teacher_writer_free(t->w);
	t->w = NULL;
	return rc;
}

/* What the header says of the teacher. */
static int describe(const struct teaching *t, struct lu_teacher_header *h, struct lu_err *err)
{
	struct lt_digest digest = { 0 };

	*h = (struct lu_teacher_header){
		.top = (uint32_t)t->top, .vocab = t->vocab, .context = (uint32_t)t->what->context
	};
	if (t->what->tokenizer && lt_file_digest(t->what->tokenizer, &digest, err) < 0)
		return -1;
	snprintf(h->tokenizer, sizeof(h->tokenizer), "%s", digest.hash);
	return lt_weights_hash(t->what->w, h->weights, err);
}

static int open_all(struct teaching *t, struct lu_err *err)
{
	const struct lt_teaching *what = t->what;
	size_t batch = what->batch, context = what->context, n, rows;
	struct lt_model_plan plan = { .batch = batch, .context = context, .mode = LT_MODEL_DECODE };

	t->vocab = what->w->table.shape.vocab;
	if (what->top == 0 || what->top > LU_TEACHER_MAX || what->top > t->vocab)
		return lu_err_set(err, "--teacher %" PRIu64 " is not one of 1 to %zu", what->top,
				t->vocab < LU_TEACHER_MAX ? t->vocab : LU_TEACHER_MAX);
	t->top = (size_t)what->top;
	rows = LOGITS / (t->vocab * sizeof(*t->logits));
	rows = rows > 256 ? 256 : rows;
	plan.rows = t->rows = rows < batch ? batch : rows;
	if (!lu_mul_size(batch, context, &n) || !lu_mul_size(n, t->top, &n))
		return lu_err_nomem(err);
	t->window = calloc(batch, sizeof(*t->window));
	t->piece = calloc(batch, sizeof(*t->piece));
	t->whose = calloc(batch, sizeof(*t->whose));
	t->ids = calloc(batch * context, sizeof(*t->ids));
	t->best = calloc(n, sizeof(*t->best));
	t->log_p = calloc(n, sizeof(*t->log_p));
	t->logits = calloc(t->rows * t->vocab, sizeof(*t->logits));
	if (!t->window || !t->piece || !t->whose || !t->ids || !t->best || !t->log_p || !t->logits)
		return lu_err_nomem(err);
	return lt_model_open(&t->m, what->w, &plan, err);
}

static void release(struct teaching *t)
{
	lt_model_close(t->m);
	free(t->window);
	free(t->piece);
	free(t->whose);
	free(t->ids);
	free(t->best);
	free(t->log_p);
	free(t->logits);
}

static void report(const struct teaching *t, size_t shards)
{
	size_t context = t->what->context, stride = context - context / 2;

	printf("%zu shard%s, %" PRIu64 " tokens: the %zu most probable tokens after each, in "
	       "*.%s%s\n",
			shards, shards == 1 ? "" : "s", t->done, t->top, t->name,
			LU_TEACHER_EXTENSION);
	printf("each document by itself, in windows of %zu tokens that begin every %zu: %zu or "
	       "more "
	       "tokens before each, or all there are\n",
			context, stride, context - stride);
}

int lt_teach(const struct lt_teaching *what, char *const *prefix, size_t shards, struct lu_err *err)
{
	struct teaching t = { .what = what, .name = what->name ? what->name : "teacher" };
	struct lu_teacher_header h;
	struct lu_shard **open = calloc(shards + 1, sizeof(*open));
	uint64_t tokens = 0;
	int rc = open ? 0 : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_shards_distinct(prefix, shards, err);
	for (size_t i = 0; i < shards && rc == 0; i++) {
		rc = lu_shard_open(&open[i], prefix[i], err);
		if (rc == 0)
			rc = what->check(what->ctx, open[i], err);
		tokens += rc == 0 ? lu_shard_tokens(open[i]) : 0;
	}
	if (rc == 0)
		rc = open_all(&t, err);
	if (rc == 0)
		rc = describe(&t, &h, err);
	if (rc == 0)
		lu_progress_start_units(&t.progress, what->tool, what->progress, tokens, "tokens");
	for (size_t i = 0; i < shards && rc == 0; i++) {
		t.shard = open[i];
		rc = teach_shard(&t, &h, err);
	}
	if (t.m)
		lu_progress_end(&t.progress);
	if (rc == 0)
		report(&t, shards);
	for (size_t i = 0; open && i < shards; i++)
		lu_shard_close(open[i]);
	free(open);
	release(&t);
	return rc;
}
