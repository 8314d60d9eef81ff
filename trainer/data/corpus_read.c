#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/order/goldfish.h"
#include "libcommon/shard/masked.h"
#include "libcommon/shard/reader.h"
#include "libcommon/shard/teacher.h"
#include "trainer/data/corpus_parts.h"

/* How far ahead of a cursor, in tokens, a read may begin to be a continuation of it. */
#define NEAR (UINT64_C(1) << 22)

/* Tokens before the first label that a goldfish looks at, but for the one that is its id. */
#define BEFORE (LU_GOLDFISH_CONTEXT - 1)

/* --- cursors ------------------------------------------------------------------------------ */

/* Take a cursor for a read at `offset`: the nearest before it, or a new one while there is room for
 * more, or the least recently used. */
static int take_cursor(struct lt_corpus_source *s, uint64_t offset, struct lt_spare_cursor *out,
		struct lu_err *err)
{
	struct lt_cursor_cache *cache = &s->cache;
	uint64_t nearest = NEAR;
	size_t best = LT_CORPUS_SPARE;

	*out = (struct lt_spare_cursor){ NULL, 0 };
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < cache->n; i++) {
		uint64_t at = cache->spare[i].at;

		if (at <= offset && offset - at < nearest) {
			nearest = offset - at;
			best = i;
		}
	}
	if (best == LT_CORPUS_SPARE && cache->n == LT_CORPUS_SPARE)
		best = 0;
	if (best < LT_CORPUS_SPARE) {
		*out = cache->spare[best];
		cache->n--;
		memmove(&cache->spare[best], &cache->spare[best + 1],
				(cache->n - best) * sizeof(*out));
	}
	pthread_mutex_unlock(&cache->lock);
	return out->cursor ? 0 : lu_stream_cursor_new(&out->cursor, s->section->stream, err);
}

static void give_cursor(struct lt_corpus_source *source, struct lt_spare_cursor s)
{
	struct lt_cursor_cache *cache = &source->cache;

	pthread_mutex_lock(&cache->lock);
	if (cache->n < LT_CORPUS_SPARE) {
		cache->spare[cache->n++] = s;
		s.cursor = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	lu_stream_cursor_free(s.cursor);
}

/* --- reading ------------------------------------------------------------------------------ */

/* Tokens first .. first + n - 1 of a source. */
struct range {
	uint64_t first;
	size_t n;
	uint32_t *tokens;
	uint8_t *starts; /* 1: the first token of a document, 0 before the call; or NULL */
	uint8_t *mask;	 /* 1: a target; or NULL */
	uint32_t *top;	 /* of the teacher, [n][top_n]; or NULL */
	float *top_logp;
};

/* Mark the first token of a document, unless it is out of the range. */
static void mark_start(const struct range *r, uint64_t at)
{
	if (at >= r->first && at - r->first < r->n)
		r->starts[at - r->first] = 1;
}

/* Mark the documents that begin among tokens from .. to - 1, which lie in a piece of many. */
static int mark_documents(const struct range *r, const struct lu_piece *p, uint64_t from,
		uint64_t to, struct lu_err *err)
{
	uint64_t document, first, n;

	if (lu_shard_document_at(p->shard, p->first + (from - p->begin), &document, err) < 0)
		return -1;
	for (;; document++) {
		uint64_t begin;

		if (lu_shard_document(p->shard, document, &first, &n, err) < 0)
			return -1;
		begin = p->begin + (first - p->first);
		mark_start(r, begin);
		if (begin + n >= to)
			return 0;
	}
}

/* The teacher's rows of n tokens of a shard, for the tokens from r->tokens[to] on. */
static int read_teacher(const struct lt_corpus *c, const struct range *r,
		const struct lu_shard *shard, uint64_t pos, size_t n, size_t to, struct lu_err *err)
{
	for (size_t i = 0; i < c->teachers; i++) {
		if (lu_teacher_shard(c->teacher[i]) == shard)
			return lu_teacher_read(c->teacher[i], pos, n, r->top + to * c->top,
					r->top_logp + to * c->top, err);
	}
	return lu_err_set(err, "%s: no teacher is open for it", lu_shard_prefix(shard));
}

/* Read n tokens of a piece from token `at` of the source on. */
static int read_piece(const struct lt_corpus *c, const struct range *r, const struct lu_piece *p,
		uint64_t at, size_t n, struct lu_err *err)
{
	uint64_t pos = p->first + (at - p->begin);
	size_t to = (size_t)(at - r->first);

	if (lu_shard_read(p->shard, pos, n, r->tokens + to, err) < 0 ||
			(r->mask && lu_shard_mask(p->shard, pos, n, r->mask + to, err) < 0) ||
			(r->top && read_teacher(c, r, p->shard, pos, n, to, err) < 0))
		return -1;
	if (r->starts && p->document)
		mark_start(r, p->begin);
	else if (r->starts)
		return mark_documents(r, p, at, at + n, err);
	return 0;
}

static int read_pieces(const struct lt_corpus *c, struct lu_stream_cursor *cursor,
		const struct range *r, struct lu_err *err)
{
	uint64_t at = r->first, end = r->first + r->n;
	struct lu_piece p;

	if (lu_stream_seek(cursor, at, &p, err) < 0)
		return -1;
	for (;;) {
		uint64_t skip = at - p.begin;
		size_t n = p.n - skip < end - at ? (size_t)(p.n - skip) : (size_t)(end - at);

		if (read_piece(c, r, &p, at, n, err) < 0)
			return -1;
		at += n;
		if (at == end)
			return 0;
		if (lu_stream_next(cursor, &p, err) < 0)
			return -1;
	}
}

static int read_range(const struct lt_corpus *c, struct lt_corpus_source *s, const struct range *r,
		struct lu_err *err)
{
	struct lt_spare_cursor spare;

	LU_ASSERT(r->n <= s->tokens && r->first <= s->tokens - r->n);
	if (r->n == 0)
		return 0;
	if (c->memory) {
		memcpy(r->tokens, c->memory + r->first, r->n * sizeof(*r->tokens));
		if (r->starts)
			mark_start(r, 0);
		if (r->mask)
			memset(r->mask, 1, r->n);
		return 0;
	}
	if (take_cursor(s, r->first, &spare, err) < 0)
		return -1;
	if (read_pieces(c, spare.cursor, r, err) < 0) {
		lu_stream_cursor_free(spare.cursor);
		return -1;
	}
	spare.at = r->first + r->n - 1;
	give_cursor(s, spare);
	return 0;
}

int lt_corpus_read(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		struct lu_err *err)
{
	struct range r = { .first = offset, .n = n, .tokens = out };

	return read_range(c, &c->source[0], &r, err);
}

/* --- samples ------------------------------------------------------------------------------ */

/* Room for the tokens of a sample, and for what precedes them. */
struct scratch {
	uint32_t *tokens;
	uint8_t *starts, *mask;
	uint32_t *top;
	float *top_logp;
};

static int scratch_open(struct scratch *s, const struct lt_corpus *c, struct lu_err *err)
{
	size_t n = c->context + 1 + BEFORE, top = n * c->top;

	*s = (struct scratch){
		.tokens = malloc(n * sizeof(*s->tokens)), .starts = malloc(n), .mask = malloc(n)
	};
	if (top) {
		s->top = malloc(top * sizeof(*s->top));
		s->top_logp = malloc(top * sizeof(*s->top_logp));
	}
	return s->tokens && s->starts && s->mask && (!top || (s->top && s->top_logp))
			? 0
			: lu_err_nomem(err);
}

static void scratch_release(struct scratch *s)
{
	free(s->tokens);
	free(s->starts);
	free(s->mask);
	free(s->top);
	free(s->top_logp);
}

static int check_ids(const struct range *r, struct lu_err *err)
{
	for (size_t k = 0; k < r->n; k++) {
		if (r->tokens[k] > INT32_MAX)
			return lu_err_set(err,
					"token %" PRIu64 " of the stream has the id %" PRIu32,
					r->first + k, r->tokens[k]);
	}
	return 0;
}

/* Read a span of a source to row `at` of a sequence and on; *scratch is overwritten. */
static int read_span(const struct lt_corpus *c, struct lt_corpus_source *s,
		const struct lu_row_span *span, struct scratch *scratch, struct lt_micro *row,
		size_t at, struct lu_err *err)
{
	bool goldfish = c->goldfish && row->weight, starts = goldfish || row->places;
	size_t skip = goldfish ? (span->begin < BEFORE ? (size_t)span->begin : BEFORE) : 0;
	size_t n = (size_t)span->n - 1;
	const struct range r = { .first = span->begin - skip,
		.n = skip + n + 1,
		.tokens = scratch->tokens,
		.starts = starts ? scratch->starts : NULL,
		.mask = row->weight ? scratch->mask : NULL,
		.top = row->top ? scratch->top : NULL,
		.top_logp = scratch->top_logp };
	uint32_t place = 0;

	memset(scratch->starts, 0, r.n);
	if (read_range(c, s, &r, err) < 0 || check_ids(&r, err) < 0)
		return -1;
	if (goldfish)
		lu_goldfish(r.tokens, r.starts, r.n, c->goldfish, r.mask);
	memcpy(row->ids + at, r.tokens + skip, n * sizeof(*row->ids));
	memcpy(row->labels + at, r.tokens + skip + 1, n * sizeof(*row->labels));
	for (size_t k = 0; row->places && k < n; k++) {
		place = r.starts[skip + k] ? 0 : place;
		row->places[at + k] = place++;
	}
	for (size_t k = 0; row->weight && k < n; k++)
		row->weight[at + k] = r.mask[skip + k + 1];
	for (size_t k = 0; row->top && k < n * c->top; k++) {
		row->top[at * c->top + k] = r.top[skip * c->top + k];
		row->top_logp[at * c->top + k] = r.top_logp[skip * c->top + k];
	}
	return 0;
}

/* Fill in the rows from `at` on: weight 0, places of a document of their own, and some teacher. */
static void pad(const struct lt_corpus *c, struct lt_micro *row, size_t at)
{
	size_t n = c->context - at;

	memset(row->ids + at, 0, n * sizeof(*row->ids));
	memset(row->labels + at, 0, n * sizeof(*row->labels));
	for (size_t k = 0; k < n; k++) {
		if (row->places)
			row->places[at + k] = (uint32_t)k;
		if (row->weight)
			row->weight[at + k] = 0;
		for (size_t i = 0; row->top && i < c->top; i++) {
			/* All different, as kl_stats() wants them. */
			row->top[(at + k) * c->top + i] = (uint32_t)i;
			row->top_logp[(at + k) * c->top + i] = -1;
		}
	}
}

/* The document of a row of documents, counted over all lists. */
static uint64_t document_of(const struct lt_corpus *c, const struct lt_window *w)
{
	uint64_t n = w->row.next;

	for (size_t i = 0; i < w->source; i++)
		n += c->source[i].section->documents.n;
	return n;
}

/* Read the spans that are left of a row. */
static int read_row(const struct lt_corpus *c, struct lt_window w, struct lt_micro *row,
		struct lu_err *err)
{
	struct scratch scratch;
	struct lu_row_span span;
	size_t at = 0;
	int rc = scratch_open(&scratch, c, err);

	while (rc == 0 && lt_corpus_next(c, &w, &span)) {
		rc = read_span(c, &c->source[w.source], &span, &scratch, row, at, err);
		at += (size_t)span.n - 1;
	}
	if (rc == 0)
		pad(c, row, at);
	scratch_release(&scratch);
	return rc;
}

int lt_corpus_sample(
		const struct lt_corpus *c, uint64_t i, struct lt_micro *row, struct lu_err *err)
{
	struct lt_window w = { .source = 0 };

	if (c->rows) {
		lu_rows_at(c->rows, i, &w.row);
		w.source = (size_t)(w.row.section - c->source[0].section);
	} else {
		w.single = (struct lu_row_span){ i % lt_corpus_samples(c) * c->context,
			c->context + 1 };
	}
	if (row->reference)
		row->reference[0] = c->reference ? c->reference[document_of(c, &w)] : 0;
	return read_row(c, w, row, err);
}

uint64_t lt_corpus_documents(const struct lt_corpus *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->sources; i++)
		n += c->source[i].section->documents.n;
	return n;
}

int lt_corpus_read_document(const struct lt_corpus *c, uint64_t document, struct lt_micro *row,
		struct lu_err *err)
{
	struct lt_window w = { .source = 0 };

	for (; document >= c->source[w.source].section->documents.n; w.source++)
		document -= c->source[w.source].section->documents.n;
	lu_rows_row(c->rows, c->source[w.source].section, document, &w.row);
	return read_row(c, w, row, err);
}

/* --- windows ------------------------------------------------------------------------------ */

uint64_t lt_corpus_windows(const struct lt_corpus *c)
{
	uint64_t tokens = c->source[0].tokens;

	if (!lt_corpus_is_cut(c))
		return c->source[0].section->samples;
	return tokens < 2 ? 0 : (tokens - 2) / c->context + 1;
}

void lt_corpus_window(const struct lt_corpus *c, uint64_t w, struct lt_window *out)
{
	uint64_t first = w * c->context;

	*out = (struct lt_window){ .source = 0 };
	if (lt_corpus_is_cut(c)) {
		uint64_t left = c->source[0].tokens - first;

		out->single = (struct lu_row_span){ first,
			left < c->context + 1 ? left : c->context + 1 };
	} else {
		lu_rows_row(c->rows, c->source[0].section, w, &out->row);
	}
}

bool lt_corpus_next(const struct lt_corpus *c, struct lt_window *w, struct lu_row_span *span)
{
	if (w->row.section)
		return lu_rows_next(c->rows, &w->row, span);
	*span = w->single;
	w->single.n = 0;
	return span->n > 0;
}

int lt_corpus_read_window(
		const struct lt_corpus *c, uint64_t w, struct lt_micro *row, struct lu_err *err)
{
	struct lt_window window;

	lt_corpus_window(c, w, &window);
	return read_row(c, window, row, err);
}
