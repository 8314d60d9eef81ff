#include "trainer/data/corpus_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/order/order.h"
#include "libcommon/shard/masked.h"
#include "libcommon/shard/reader.h"
#include "libcommon/shard/teacher.h"
#include "libcommon/sys/file.h"

static void free_cache(struct lt_cursor_cache *cache)
{
	for (size_t i = 0; i < cache->n; i++)
		lu_stream_cursor_free(cache->spare[i].cursor);
	pthread_mutex_destroy(&cache->lock);
}

/* --- opening ------------------------------------------------------------------------------ */

int lt_corpus_distinct(char *const *name, size_t n, struct lu_err *err)
{
	/* A plan is a file itself. */
	return lu_shards_distinct(name, n, err) < 0 || lu_files_distinct(name, n, "", err) < 0 ? -1
											       : 0;
}

/* A name may come again in another list. */
static int check_distinct(const struct lu_stream *s, struct lu_err *err)
{
	size_t n = lu_stream_parts(s);
	char **name = calloc(n + 1, sizeof(*name));
	int rc;

	if (!name)
		return lu_err_nomem(err);
	/* The list is of the type of argv; nobody writes to the names. */
	for (size_t i = 0; i < n; i++)
		name[i] = (char *)(uintptr_t)lu_stream_part(s, i).name;
	rc = lt_corpus_distinct(name, n, err);
	free(name);
	return rc;
}

static bool is_masked(const struct lu_stream *s)
{
	for (size_t i = 0; i < lu_stream_parts(s); i++) {
		struct lu_stream_part part = lu_stream_part(s, i);

		for (size_t k = 0; k < part.shards; k++) {
			if (lu_shard_masked(part.shard[k]))
				return true;
		}
	}
	return false;
}

/* Allocate n sources. With default attributes a mutex cannot fail. */
static int add_sources(struct lt_corpus *c, size_t n, struct lu_err *err)
{
	c->source = calloc(n, sizeof(*c->source));
	if (!c->source)
		return lu_err_nomem(err);
	for (; c->sources < n; c->sources++)
		pthread_mutex_init(&c->source[c->sources].cache.lock, NULL);
	return 0;
}

static int open_shards(struct lt_corpus *c, const char *names, const struct lu_rows_options *o,
		struct lu_err *err)
{
	if (lu_rows_open(&c->rows, names, o, err) < 0 ||
			add_sources(c, lu_rows_sections(c->rows), err) < 0)
		return -1;
	for (size_t i = 0; i < c->sources; i++) {
		struct lt_corpus_source *s = &c->source[i];

		s->section = lu_rows_section(c->rows, i);
		s->tokens = lu_stream_tokens(s->section->stream);
		c->masked = c->masked || is_masked(s->section->stream);
		if (check_distinct(s->section->stream, err) < 0)
			return -1;
	}
	return 0;
}

int lt_corpus_open(struct lt_corpus **out, const char *names, size_t context, uint64_t seed,
		unsigned flags, struct lu_err *err)
{
	const struct lu_rows_options o = { .mode = flags & LT_CORPUS_PACKED ? LU_ROWS_PACKED
				: flags & LT_CORPUS_DOCUMENT		    ? LU_ROWS_DOCUMENT
									    : LU_ROWS_STREAM,
		.context = context,
		.seed = seed,
		.shuffle = flags & LT_CORPUS_SHUFFLE,
		.trust = flags & LT_CORPUS_TRUST };
	struct lt_corpus *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->context = context;
	if (open_shards(c, names, &o, err) < 0) {
		lt_corpus_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

int lt_corpus_memory(struct lt_corpus **out, const uint32_t *ids, uint64_t n, size_t context,
		struct lu_err *err)
{
	struct lt_corpus *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	*c = (struct lt_corpus){ .memory = ids, .context = context };
	if (add_sources(c, 1, err) < 0) {
		lt_corpus_close(c);
		return -1;
	}
	c->source[0].tokens = n;
	*out = c;
	return 0;
}

void lt_corpus_close(struct lt_corpus *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->sources; i++)
		free_cache(&c->source[i].cache);
	free(c->source);
	/* Before their shards. */
	for (size_t i = 0; i < c->teachers; i++)
		lu_teacher_close(c->teacher[i]);
	free(c->teacher);
	lu_rows_close(c->rows);
	free(c);
}

void lt_corpus_goldfish(struct lt_corpus *c, uint64_t k)
{
	c->goldfish = k;
}

void lt_corpus_reference(struct lt_corpus *c, const double *by_document)
{
	c->reference = by_document;
}

/* --- a teacher ---------------------------------------------------------------------------- */

static int add_teacher(struct lt_corpus *c, const struct lu_shard *shard, const char *name,
		const char *tokenizer, uint64_t vocab, struct lu_err *err)
{
	struct lu_teacher **more = realloc(c->teacher, (c->teachers + 1) * sizeof(*more)), *t;
	const struct lu_teacher_header *h;

	if (!more)
		return lu_err_nomem(err);
	c->teacher = more;
	if (lu_teacher_open(&t, shard, name, tokenizer, err) < 0)
		return -1;
	c->teacher[c->teachers++] = t;
	h = lu_teacher_header(t);
	if (h->vocab > vocab)
		return lu_err_set(err, "%s: the teacher %s has %" PRIu64 " ids, the model %" PRIu64,
				lu_shard_prefix(shard), name, h->vocab, vocab);
	if (c->top && c->top != h->top)
		return lu_err_set(err,
				"%s: the teacher %s gave %" PRIu32 " tokens, to the shards before "
				"%zu; write one of them again with lucie-eval --teacher",
				lu_shard_prefix(shard), name, h->top, c->top);
	c->top = h->top;
	return 0;
}

int lt_corpus_teacher(struct lt_corpus *c, const char *name, const char *tokenizer, uint64_t vocab,
		struct lu_err *err)
{
	for (size_t i = 0; i < lt_corpus_parts(c); i++) {
		struct lu_stream_part part = lt_corpus_part(c, i);

		for (size_t k = 0; k < part.shards; k++) {
			if (add_teacher(c, part.shard[k], name, tokenizer, vocab, err) < 0)
				return -1;
		}
	}
	return 0;
}

size_t lt_corpus_top(const struct lt_corpus *c)
{
	return c->top;
}

/* --- what it consists of ------------------------------------------------------------------ */

size_t lt_corpus_parts(const struct lt_corpus *c)
{
	size_t n = 0;

	for (size_t i = 0; c->rows && i < c->sources; i++)
		n += lu_stream_parts(c->source[i].section->stream);
	return n;
}

struct lu_stream_part lt_corpus_part(const struct lt_corpus *c, size_t i)
{
	const struct lt_corpus_source *s = c->source;

	for (size_t n; i >= (n = lu_stream_parts(s->section->stream)); s++)
		i -= n;
	return lu_stream_part(s->section->stream, i);
}

const struct lu_rows *lt_corpus_rows(const struct lt_corpus *c)
{
	return c->rows;
}

bool lt_corpus_masked(const struct lt_corpus *c)
{
	return c->masked || c->goldfish;
}

bool lt_corpus_weighted(const struct lt_corpus *c)
{
	return lt_corpus_masked(c) || !lt_corpus_is_cut(c);
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
	return c->source[0].tokens;
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
	return c->rows ? c->source[0].section->samples
		       : lu_order_samples(c->source[0].tokens, c->context);
}

size_t lt_corpus_context(const struct lt_corpus *c)
{
	return c->context;
}
