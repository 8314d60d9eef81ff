#include "trainer/data/corpus.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/shard/order.h"
#include "libcommon/shard/reader.h"
#include "libcommon/sys/file.h"

/* Cursors that are kept between calls, and how far ahead of one, in tokens, a read may begin to be
 * a continuation of it. */
#define SPARE 4
#define NEAR (UINT64_C(1) << 22)

struct spare {
	struct lu_stream_cursor *cursor;
	uint64_t at; /* last token read; nothing is known of a new cursor: 0 */
};

/* The cursors that no call is using, the least recently used first. */
struct cache {
	pthread_mutex_t lock;
	struct spare spare[SPARE];
	size_t n;
};

struct lt_corpus {
	struct lu_order order;
	struct lu_stream *stream;
	struct cache *cache;
	const uint32_t *memory; /* the whole stream, instead of shards */
};

/* --- cursors ------------------------------------------------------------------------------ */

/* Take a cursor for a read at `offset`: the nearest before it, or a new one while there is room for
 * more, or the least recently used. */
static int take_cursor(
		const struct lt_corpus *c, uint64_t offset, struct spare *out, struct lu_err *err)
{
	struct cache *cache = c->cache;
	uint64_t nearest = NEAR;
	size_t best = SPARE;

	*out = (struct spare){ NULL, 0 };
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < cache->n; i++) {
		uint64_t at = cache->spare[i].at;

		if (at <= offset && offset - at < nearest) {
			nearest = offset - at;
			best = i;
		}
	}
	if (best == SPARE && cache->n == SPARE)
		best = 0;
	if (best < SPARE) {
		*out = cache->spare[best];
		cache->n--;
		memmove(&cache->spare[best], &cache->spare[best + 1],
				(cache->n - best) * sizeof(*out));
	}
	pthread_mutex_unlock(&cache->lock);
	return out->cursor ? 0 : lu_stream_cursor_new(&out->cursor, c->stream, err);
}

static void give_cursor(const struct lt_corpus *c, struct spare s)
{
	struct cache *cache = c->cache;

	pthread_mutex_lock(&cache->lock);
	if (cache->n < SPARE) {
		cache->spare[cache->n++] = s;
		s.cursor = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	lu_stream_cursor_free(s.cursor);
}

static void free_cache(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n; i++)
		lu_stream_cursor_free(cache->spare[i].cursor);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* --- opening ------------------------------------------------------------------------------ */

int lt_corpus_distinct(char *const *name, size_t n, struct lu_err *err)
{
	/* A plan is a file itself. */
	return lu_shards_distinct(name, n, err) < 0 || lu_files_distinct(name, n, "", err) < 0 ? -1
											       : 0;
}

static int check_distinct(const struct lt_corpus *c, struct lu_err *err)
{
	size_t n = lt_corpus_parts(c);
	char **name = calloc(n + 1, sizeof(*name));
	int rc;

	if (!name)
		return lu_err_nomem(err);
	/* The list is of the type of argv; nobody writes to the names. */
	for (size_t i = 0; i < n; i++)
		name[i] = (char *)(uintptr_t)lt_corpus_part(c, i).name;
	rc = lt_corpus_distinct(name, n, err);
	free(name);
	return rc;
}

int lt_corpus_open(struct lt_corpus **out, const char *names, size_t context, uint64_t seed,
		unsigned flags, struct lu_err *err)
{
	struct lt_corpus *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->cache = calloc(1, sizeof(*c->cache));
	if (!c->cache) {
		lt_corpus_close(c);
		return lu_err_nomem(err);
	}
	/* With default attributes it cannot fail. */
	pthread_mutex_init(&c->cache->lock, NULL);
	if (lu_stream_open(&c->stream, names, flags & LT_CORPUS_TRUST, err) < 0 ||
			check_distinct(c, err) < 0) {
		lt_corpus_close(c);
		return -1;
	}
	c->order = (struct lu_order){ .seed = seed,
		.tokens = lu_stream_tokens(c->stream),
		.context = context,
		.shuffle = flags & LT_CORPUS_SHUFFLE };
	*out = c;
	return 0;
}

int lt_corpus_memory(struct lt_corpus **out, const uint32_t *ids, uint64_t n, size_t context,
		struct lu_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return lu_err_nomem(err);
	**out = (struct lt_corpus){ .order = { .tokens = n, .context = context }, .memory = ids };
	return 0;
}

void lt_corpus_close(struct lt_corpus *c)
{
	if (!c)
		return;
	free_cache(c->cache);
	lu_stream_close(c->stream);
	free(c);
}

size_t lt_corpus_parts(const struct lt_corpus *c)
{
	return c->stream ? lu_stream_parts(c->stream) : 0;
}

struct lu_stream_part lt_corpus_part(const struct lt_corpus *c, size_t i)
{
	return lu_stream_part(c->stream, i);
}

static int check_shard(const struct lu_shard *shard, uint64_t vocab, const char *tokenizer,
		struct lu_err *err)
{
	const struct lu_manifest *m = lu_shard_manifest(shard);

	if (m && m->vocab > vocab)
		return lu_err_set(err,
				"%s: the shard's vocabulary is %" PRIu64 ", the model's %" PRIu64,
				lu_shard_prefix(shard), m->vocab, vocab);
	if (m && m->tokenizer && *tokenizer && strcmp(m->tokenizer, tokenizer) != 0)
		return lu_err_set(err,
				"%s: the shard was made with another tokenizer than the run's "
				"(hash "
				"%.8s..., not %.8s...); make it again with lucie-shard -t",
				lu_shard_prefix(shard), m->tokenizer, tokenizer);
	return 0;
}

int lt_corpus_check(const struct lt_corpus *c, uint64_t vocab, const char *tokenizer,
		struct lu_err *err)
{
	for (size_t i = 0; i < lt_corpus_parts(c); i++) {
		struct lu_stream_part part = lt_corpus_part(c, i);

		for (size_t k = 0; k < part.shards; k++) {
			if (check_shard(part.shard[k], vocab, tokenizer, err) < 0)
				return -1;
		}
	}
	return 0;
}

const char *lt_corpus_tokenizer(const struct lt_corpus *c)
{
	for (size_t i = 0; i < lt_corpus_parts(c); i++) {
		struct lu_stream_part part = lt_corpus_part(c, i);

		for (size_t k = 0; k < part.shards; k++) {
			const struct lu_manifest *m = lu_shard_manifest(part.shard[k]);

			if (m && m->tokenizer)
				return m->tokenizer;
		}
	}
	return "";
}

uint64_t lt_corpus_tokens(const struct lt_corpus *c)
{
	return c->order.tokens;
}

uint64_t lt_corpus_bytes(const struct lt_corpus *c)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < lt_corpus_parts(c); i++) {
		struct lu_stream_part part = lt_corpus_part(c, i);
		const struct lu_manifest *m;

		/* A plan omits and repeats documents of its shards. */
		m = part.is_plan ? NULL : lu_shard_manifest(part.shard[0]);
		if (!m)
			return 0;
		bytes += m->bytes;
	}
	return bytes;
}

uint64_t lt_corpus_samples(const struct lt_corpus *c)
{
	return lu_order_samples(&c->order);
}

size_t lt_corpus_context(const struct lt_corpus *c)
{
	return (size_t)c->order.context;
}

/* --- reading ------------------------------------------------------------------------------ */

/* Tokens first .. first + n - 1 of the stream. */
struct range {
	uint64_t first;
	size_t n;
	uint32_t *tokens;
	uint32_t *pos; /* NULL, or places of the first `places` tokens */
	size_t places;
};

/* Set the places of tokens begin .. end - 1 of the stream, which are of one document that begins
 * there or, if that is before the range, at its start. */
static void set_places(const struct range *r, uint64_t begin, uint64_t end)
{
	uint64_t from = begin > r->first ? begin : r->first, limit = r->first + r->places;

	for (uint64_t i = from; i < end && i < limit; i++)
		r->pos[i - r->first] = (uint32_t)(i - from);
}

/* Set the places of tokens from .. to - 1 of the stream, which lie in a piece of many documents. */
static int set_document_places(const struct range *r, const struct lu_piece *p, uint64_t from,
		uint64_t to, struct lu_err *err)
{
	uint64_t document, first, n;

	if (lu_shard_document_at(p->shard, p->first + (from - p->begin), &document, err) < 0)
		return -1;
	for (;; document++) {
		uint64_t begin, end;

		if (lu_shard_document(p->shard, document, &first, &n, err) < 0)
			return -1;
		begin = p->begin + (first - p->first);
		end = begin + n;
		set_places(r, begin, end < to ? end : to);
		if (end >= to)
			return 0;
	}
}

static int read_pieces(struct lu_stream_cursor *cursor, const struct range *r, struct lu_err *err)
{
	uint64_t at = r->first, end = r->first + r->n;
	struct lu_piece p;

	if (lu_stream_seek(cursor, at, &p, err) < 0)
		return -1;
	for (;;) {
		uint64_t skip = at - p.begin;
		size_t n = p.n - skip < end - at ? (size_t)(p.n - skip) : (size_t)(end - at);

		if (lu_shard_read(p.shard, p.first + skip, n, r->tokens + (at - r->first), err) < 0)
			return -1;
		if (r->pos && p.document)
			set_places(r, p.begin, at + n);
		else if (r->pos && set_document_places(r, &p, at, at + n, err) < 0)
			return -1;
		at += n;
		if (at == end)
			return 0;
		if (lu_stream_next(cursor, &p, err) < 0)
			return -1;
	}
}

static int read_range(const struct lt_corpus *c, const struct range *r, struct lu_err *err)
{
	struct spare s;

	LU_ASSERT(r->n <= c->order.tokens && r->first <= c->order.tokens - r->n);
	if (r->n == 0)
		return 0;
	if (c->memory) {
		memcpy(r->tokens, c->memory + r->first, r->n * sizeof(*r->tokens));
		if (r->pos)
			set_places(r, 0, r->first + r->n);
		return 0;
	}
	if (take_cursor(c, r->first, &s, err) < 0)
		return -1;
	if (read_pieces(s.cursor, r, err) < 0) {
		lu_stream_cursor_free(s.cursor);
		return -1;
	}
	s.at = r->first + r->n - 1;
	give_cursor(c, s);
	return 0;
}

int lt_corpus_read(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		struct lu_err *err)
{
	struct range r = { .first = offset, .n = n, .tokens = out };

	return read_range(c, &r, err);
}

int lt_corpus_read_places(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		uint32_t *pos, struct lu_err *err)
{
	struct range r = {
		.first = offset, .n = n, .tokens = out, .pos = pos, .places = n ? n - 1 : 0
	};

	return read_range(c, &r, err);
}

/* Read sample i of the stream: the ids, and behind the last of them its label. */
static int read_tokens(const struct lt_corpus *c, const struct range *r, struct lu_err *err)
{
	if (read_range(c, r, err) < 0)
		return -1;
	for (size_t k = 0; k < r->n; k++) {
		if (r->tokens[k] > INT32_MAX)
			return lu_err_set(err,
					"token %" PRIu64 " of the stream has the id %" PRIu32,
					r->first + k, r->tokens[k]);
	}
	return 0;
}

int lt_corpus_sample(
		const struct lt_corpus *c, uint64_t i, struct lt_micro *row, struct lu_err *err)
{
	size_t context = (size_t)c->order.context;
	uint32_t *tokens = malloc((context + 1) * sizeof(*tokens));
	struct range r = { .first = lu_order_at(&c->order, i).first,
		.n = context + 1,
		.tokens = tokens,
		.pos = row->places,
		.places = context };
	int rc;

	if (!tokens)
		return lu_err_nomem(err);
	rc = read_tokens(c, &r, err);
	if (rc == 0) {
		memcpy(row->ids, tokens, context * sizeof(*tokens));
		memcpy(row->labels, tokens + 1, context * sizeof(*tokens));
	}
	free(tokens);
	return rc;
}
