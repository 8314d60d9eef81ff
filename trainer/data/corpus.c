#include "trainer/data/corpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"
#include "libcommon/shard/order.h"
#include "libcommon/sys/file.h"

/* A contiguous range of a shard. It ends in the stream where the next one begins. */
struct piece {
	const struct lu_shard *shard;
	uint64_t first; /* in the shard */
	uint64_t begin; /* in the stream */
};

struct lt_corpus {
	struct lu_order order;
	struct lu_stream *stream;
	struct LU_VEC(struct piece) pieces;
	const uint32_t *memory; /* the whole stream, instead of shards */
};

/* Append a piece, or extend the last one if they are adjacent in the shard. */
static int add_piece(void *ctx, const struct lu_shard *shard, uint64_t first, uint64_t n,
		struct lu_err *err)
{
	struct lt_corpus *c = ctx;
	const struct piece *last = c->pieces.n ? &c->pieces.p[c->pieces.n - 1] : NULL;
	uint64_t begin = c->order.tokens;

	if (n == 0)
		return 0;
	c->order.tokens += n;
	if (last && last->shard == shard && last->first + (begin - last->begin) == first)
		return 0;
	return lu_vec_push(&c->pieces, (struct piece){ shard, first, begin }) ? 0
									      : lu_err_nomem(err);
}

int lt_corpus_distinct(char *const *name, size_t n, struct lu_err *err)
{
	/* Every shard has a .bin, though others' have no manifest; a plan is a file itself. */
	return lu_files_distinct(name, n, ".bin", err) < 0 ||
					lu_files_distinct(name, n, "", err) < 0
			? -1
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
		bool shuffle, struct lu_err *err)
{
	struct lt_corpus *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->order = (struct lu_order){ .seed = seed, .context = context, .shuffle = shuffle };
	if (lu_stream_open(&c->stream, names, err) < 0 || check_distinct(c, err) < 0 ||
			lu_stream_walk(c->stream, add_piece, c, err) < 0) {
		lt_corpus_close(c);
		return -1;
	}
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
	lu_vec_release(&c->pieces);
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

void lt_corpus_read(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out)
{
	const struct piece *p = c->pieces.p, *end = p + c->pieces.n;

	LU_ASSERT(n <= c->order.tokens && offset <= c->order.tokens - n);
	if (c->memory) {
		memcpy(out, c->memory + offset, n * sizeof(*out));
		return;
	}
	if (n > 0)
		p += lu_search_range(&p->begin, c->pieces.n, sizeof(*p), offset);
	for (; n > 0; p++) {
		uint64_t left = (p + 1 < end ? p[1].begin : c->order.tokens) - offset;
		size_t take = left < n ? (size_t)left : n;

		lu_shard_read(p->shard, p->first + (offset - p->begin), take, out);
		out += take;
		offset += take;
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
			return lu_err_set(err,
					"token %" PRIu64 " of the stream has the id %" PRIu32,
					place.first + k, out[k]);
	}
	return 0;
}
