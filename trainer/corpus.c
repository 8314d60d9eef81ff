#include "trainer/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/hash/hash.h"
#include "libcommon/mix/plan.h"
#include "libcommon/shard/order.h"
#include "libcommon/shard/reader.h"
#include "trainer/settings.h"
#include "trainer/tensorfile.h"

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

static int add_shard(
	struct lt_corpus *c, const char *prefix, struct lu_shard **out, struct lu_err *err)
{
	struct lu_shard **grown = realloc(c->shard, (c->shards + 1) * sizeof(*grown));

	if (!grown)
		return lu_err_nomem(err);
	c->shard = grown;
	if (lu_shard_open(out, prefix, err) < 0)
		return -1;
	c->shard[c->shards++] = *out;
	return 0;
}

static uint64_t document_tokens(void *ctx, uint64_t shard, uint64_t document)
{
	struct lu_shard *const *opened = ctx;
	uint64_t n;

	lu_shard_document(opened[shard], document, NULL, &n);
	return n;
}

/* The measure of a plan by documents: each is one. */
static uint64_t document_one(void *ctx, uint64_t shard, uint64_t document)
{
	(void)ctx;
	(void)shard;
	(void)document;
	return 1;
}

/* A shard of a plan must be the one that the plan was made for. */
static int check_planned(const char *plan, const struct lu_plan_shard *p, const struct lu_shard *s,
	struct lu_err *err)
{
	struct lt_written is;
	char *path;
	int rc = 0;

	if (lu_shard_documents(s) != p->documents || lu_shard_tokens(s) != p->tokens)
		return lu_err_set(err,
			"%s: shard %s has %llu documents and %llu tokens, the plan was made for "
			"%llu and %llu",
			plan, p->prefix, (unsigned long long)lu_shard_documents(s),
			(unsigned long long)lu_shard_tokens(s), (unsigned long long)p->documents,
			(unsigned long long)p->tokens);
	if (!lu_hash_have() || !lu_shard_manifest(s) || !p->manifest || !*p->manifest)
		return 0;
	if (asprintf(&path, "%s.json", p->prefix) < 0)
		return lu_err_nomem(err);
	rc = lt_file_hash(path, &is, err);
	if (rc == 0 && strcmp(is.hash, p->manifest) != 0)
		rc = lu_err_set(err, "%s: shard %s was written again since the plan was made", plan,
			p->prefix);
	free(path);
	return rc;
}

static int walk_plan(struct lt_corpus *c, const char *path, const struct lu_plan *plan,
	struct lu_shard **opened, struct lu_err *err)
{
	struct lu_plan_walk *walk = NULL;
	struct lu_plan_place place;
	int rc = lu_plan_walk_new(
		&walk, plan, plan->by_documents ? document_one : document_tokens, opened, err);

	while (rc == 0 && (rc = lu_plan_next(walk, &place, err)) > 0) {
		uint64_t first, n;

		lu_shard_document(opened[place.shard], place.document, &first, &n);
		rc = add_piece(c, opened[place.shard], first, n, err);
	}
	lu_plan_walk_free(walk);
	return rc < 0 ? lu_err_wrap(err, "%s", path) : 0;
}

static int add_plan(struct lt_corpus *c, const char *path, struct lu_err *err)
{
	struct lu_plan plan = { 0 };
	struct lu_shard **opened = NULL;
	int rc = lu_plan_read(&plan, path, err);

	if (rc == 0) {
		opened = calloc(plan.shards + 1, sizeof(struct lu_shard *));
		rc = opened ? 0 : lu_err_nomem(err);
	}
	for (size_t i = 0; rc == 0 && i < plan.shards; i++) {
		rc = add_shard(c, plan.shard[i].prefix, &opened[i], err);
		if (rc == 0)
			rc = check_planned(path, &plan.shard[i], opened[i], err);
	}
	if (rc == 0)
		rc = walk_plan(c, path, &plan, opened, err);
	free(opened);
	lu_plan_release(&plan);
	return rc;
}

static int add_name(struct lt_corpus *c, const char *name, struct lu_err *err)
{
	uint64_t before = c->order.tokens;
	struct lu_shard *shard;

	if (lu_plan_is(name)) {
		c->plans++;
		if (add_plan(c, name, err) < 0)
			return -1;
	} else if (add_shard(c, name, &shard, err) < 0 ||
		add_piece(c, shard, 0, lu_shard_tokens(shard), err) < 0) {
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

int lt_corpus_memory(
	struct lt_corpus **out, const uint32_t *ids, uint64_t n, size_t context, struct lu_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return lu_err_nomem(err);
	**out = (struct lt_corpus){ .order = { .tokens = n, .context = context }, .memory = ids };
	return 0;
}

int lt_corpus_check(
	const struct lt_corpus *c, uint64_t vocab, const char *tokenizer, struct lu_err *err)
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

		lu_shard_read(
			c->piece[p].shard, c->piece[p].from + (at - c->piece[p].begin), take, out);
		out += take;
		at += take;
		n -= take;
	}
}

int lt_corpus_sample(const struct lt_corpus *c, uint64_t i, uint32_t *out, struct lu_err *err)
{
	struct lu_order_place place = lu_order_at(&c->order, i);
	size_t n = (size_t)c->order.context + 1;

	lt_corpus_read(c, place.first, n, out);
	for (size_t k = 0; k < n; k++) {
		if (out[k] > INT32_MAX)
			return lu_err_set(err, "token %llu of the training data is negative",
				(unsigned long long)(place.first + k));
	}
	return 0;
}
