#include "trainer/data/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/mix/planned.h"
#include "libcommon/shard/order.h"
#include "libcommon/shard/reader.h"
#include "trainer/run/settings.h"

/* A run of tokens of one shard that the stream holds in one piece. */
struct piece {
	const struct lu_shard *shard;
	uint64_t from;	/* in the shard */
	uint64_t begin; /* in the stream */
};

struct part {
	char *name;
	uint64_t tokens;
};

struct lt_corpus {
	struct lu_order order;
	struct lu_shard **shard;
	size_t shards;
	struct piece *piece; /* one more at the end, where the stream ends */
	size_t pieces, room;
	struct part *part;
	size_t parts, plans;
	const uint32_t *memory; /* the whole stream, in place of shards; not owned */
};

static int add_piece(struct lt_corpus *c, const struct lu_shard *shard, uint64_t from, uint64_t n,
		struct lu_err *err)
{
	struct piece *last = c->pieces ? &c->piece[c->pieces - 1] : NULL;

	if (n == 0)
		return 0;
	if (last && last->shard == shard && last->from + (c->order.tokens - last->begin) == from) {
		c->order.tokens += n;
		return 0;
	}
	if (c->pieces + 1 >= c->room) {
		size_t room = c->room ? 2 * c->room : 16;
		struct piece *grown = realloc(c->piece, room * sizeof(*grown));

		if (!grown)
			return lu_err_nomem(err);
		c->piece = grown;
		c->room = room;
	}
	c->piece[c->pieces++] = (struct piece){ shard, from, c->order.tokens };
	c->order.tokens += n;
	return 0;
}

static int keep_shard(struct lt_corpus *c, struct lu_shard *shard, struct lu_err *err)
{
	struct lu_shard **grown = realloc(c->shard, (c->shards + 1) * sizeof(*grown));

	if (!grown)
		return lu_err_nomem(err);
	c->shard = grown;
	c->shard[c->shards++] = shard;
	return 0;
}

static int add_shard(struct lt_corpus *c, const char *prefix, struct lu_err *err)
{
	struct lu_shard *shard;

	if (lu_shard_open(&shard, prefix, err) < 0)
		return -1;
	if (keep_shard(c, shard, err) < 0) {
		lu_shard_close(shard);
		return -1;
	}
	return add_piece(c, shard, 0, lu_shard_tokens(shard), err);
}

static int add_document(void *ctx, const struct lu_shard *shard, uint64_t first, uint64_t n,
		struct lu_err *err)
{
	return add_piece(ctx, shard, first, n, err);
}

/* The shards become the corpus's own: its pieces point to them. */
static int add_plan(struct lt_corpus *c, const char *path, struct lu_err *err)
{
	struct lu_planned p;
	int rc = lu_planned_open(&p, path, err);

	if (rc < 0)
		return -1;
	rc = lu_planned_walk(&p, add_document, c, err);
	for (size_t i = 0; rc == 0 && i < p.plan.shards; i++) {
		rc = keep_shard(c, p.shard[i], err);
		if (rc == 0)
			p.shard[i] = NULL;
	}
	lu_planned_close(&p);
	return rc;
}

static int add_name(struct lt_corpus *c, const char *name, struct lu_err *err)
{
	uint64_t before = c->order.tokens;

	if (lu_plan_is(name)) {
		c->plans++;
		if (add_plan(c, name, err) < 0)
			return -1;
	} else if (add_shard(c, name, err) < 0) {
		return -1;
	}
	c->part[c->parts - 1].tokens = c->order.tokens - before;
	return 0;
}

int lt_corpus_open(struct lt_corpus **out, const char *list, size_t context, uint64_t seed,
		bool shuffle, struct lu_err *err)
{
	struct lt_corpus *c = calloc(1, sizeof(*c));
	const char *rest = list, *word;
	size_t n;

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->order = (struct lu_order){ .seed = seed, .context = context, .shuffle = shuffle };
	while ((word = lt_word(&rest, &n))) {
		struct part *grown = realloc(c->part, (c->parts + 1) * sizeof(*grown));
		char *name = strndup(word, n);

		if (grown)
			c->part = grown;
		if (!grown || !name) {
			free(name);
			lu_err_nomem(err);
			goto fail;
		}
		c->part[c->parts++] = (struct part){ .name = name };
		if (add_name(c, name, err) < 0)
			goto fail;
	}
	*out = c;
	return 0;
fail:
	lt_corpus_close(c);
	return -1;
}

void lt_corpus_close(struct lt_corpus *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->shards; i++)
		lu_shard_close(c->shard[i]);
	for (size_t i = 0; i < c->parts; i++)
		free(c->part[i].name);
	free(c->shard);
	free(c->piece);
	free(c->part);
	free(c);
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

int lt_corpus_check(const struct lt_corpus *c, uint64_t vocab, const char *tokenizer,
		struct lu_err *err)
{
	for (size_t i = 0; i < c->shards; i++) {
		const struct lu_manifest *m = lu_shard_manifest(c->shard[i]);

		if (m && m->vocab > vocab)
			return lu_err_set(err, "%s: its vocabulary is %llu, the model's %llu",
					lu_shard_prefix(c->shard[i]), (unsigned long long)m->vocab,
					(unsigned long long)vocab);
		if (m && m->tokenizer && *tokenizer && strcmp(m->tokenizer, tokenizer) != 0)
			return lu_err_set(err, "%s: was made with another tokenizer than the run's",
					lu_shard_prefix(c->shard[i]));
	}
	return 0;
}

uint64_t lt_corpus_tokens(const struct lt_corpus *c)
{
	return c->order.tokens;
}

uint64_t lt_corpus_bytes(const struct lt_corpus *c)
{
	uint64_t bytes = 0;

	/* A plan takes parts of its shards, or takes them several times. */
	for (size_t i = 0; i < c->shards; i++) {
		const struct lu_manifest *m = lu_shard_manifest(c->shard[i]);

		if (!m || c->plans)
			return 0;
		bytes += m->bytes;
	}
	return bytes;
}

uint64_t lt_corpus_samples(const struct lt_corpus *c)
{
	return lu_order_samples(&c->order);
}

size_t lt_corpus_parts(const struct lt_corpus *c)
{
	return c->parts;
}

const char *lt_corpus_part(const struct lt_corpus *c, size_t i, uint64_t *tokens)
{
	*tokens = c->part[i].tokens;
	return c->part[i].name;
}

/* The piece that holds the token at `at`. */
static size_t find_piece(const struct lt_corpus *c, uint64_t at)
{
	size_t lo = 0, hi = c->pieces;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->piece[mid].begin <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

void lt_corpus_read(const struct lt_corpus *c, uint64_t at, size_t n, uint32_t *out)
{
	LU_ASSERT(n <= c->order.tokens && at <= c->order.tokens - n);
	if (c->memory) {
		memcpy(out, c->memory + at, n * sizeof(*out));
		return;
	}
	for (size_t p = n ? find_piece(c, at) : 0; n > 0; p++) {
		uint64_t end = p + 1 < c->pieces ? c->piece[p + 1].begin : c->order.tokens;
		size_t take = end - at < n ? (size_t)(end - at) : n;

		lu_shard_read(c->piece[p].shard, c->piece[p].from + (at - c->piece[p].begin), take,
				out);
		out += take;
		at += take;
		n -= take;
	}
}

int lt_corpus_sample(const struct lt_corpus *c, uint64_t i, uint32_t *out, struct lu_err *err)
{
	struct lu_order_position place = lu_order_at(&c->order, i);
	size_t n = (size_t)c->order.context + 1;

	lt_corpus_read(c, place.first, n, out);
	for (size_t k = 0; k < n; k++) {
		if (out[k] > INT32_MAX)
			return lu_err_set(err, "token %llu of the training data is negative",
					(unsigned long long)(place.first + k));
	}
	return 0;
}
