#include "libcommon/mix/stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"
#include "libcommon/mix/plan.h"
#include "libcommon/sys/atomicfile.h"

#define MANIFEST_LIMIT ((size_t)1 << 28)

/* One name: a shard, or a plan with the shards it names. */
struct source {
	char *name;
	struct lu_plan plan;
	bool planned;
	struct lu_shard **shard;
	size_t shards;
	uint64_t tokens;
};

struct lu_stream {
	struct source *source;
	size_t sources;
	uint64_t tokens;
};

/* The ranges that a pass has not finished with. */
struct pass {
	const struct lu_stream_range *range;
	size_t n, next;
	uint64_t at; /* in the stream */
	lu_stream_fn *found;
	void *ctx;
};

/* --- opening ------------------------------------------------------------------------------ */

static int check_planned(const struct source *s, size_t i, struct lu_err *err)
{
	const struct lu_plan_shard *p = &s->plan.shard[i];
	size_t n = strlen(p->prefix) + sizeof(".json");
	char *path, *text, hash[33];
	int rc;

	if (lu_shard_documents(s->shard[i]) != p->documents ||
		lu_shard_tokens(s->shard[i]) != p->tokens)
		return lu_err_set(err, "%s: was made for another shard %s", s->name, p->prefix);
	if (!lu_shard_manifest(s->shard[i]) || !p->manifest || !*p->manifest)
		return 0;
	path = malloc(n);
	if (!path)
		return lu_err_nomem(err);
	snprintf(path, n, "%s.json", p->prefix);
	rc = lu_read_file(path, MANIFEST_LIMIT, &text, &n, err);
	free(path);
	if (rc < 0)
		return -1;
	lu_hash128_text(lu_hash128(text, n), hash);
	free(text);
	if (strcmp(hash, p->manifest) != 0)
		return lu_err_set(err, "%s: was made for another shard %s", s->name, p->prefix);
	return 0;
}

static int open_source(struct source *s, struct lu_err *err)
{
	s->planned = lu_plan_is(s->name);
	if (s->planned && lu_plan_read(&s->plan, s->name, err) < 0) {
		s->planned = false;
		return -1;
	}
	s->shards = s->planned ? s->plan.shards : 1;
	s->shard = calloc(s->shards + 1, sizeof(struct lu_shard *));
	if (!s->shard)
		return lu_err_nomem(err);
	for (size_t i = 0; i < s->shards; i++) {
		const char *prefix = s->planned ? s->plan.shard[i].prefix : s->name;

		if (lu_shard_open(&s->shard[i], prefix, err) < 0 ||
			(s->planned && check_planned(s, i, err) < 0))
			return -1;
	}
	s->tokens = s->planned ? s->plan.tokens : lu_shard_tokens(s->shard[0]);
	return 0;
}

int lu_stream_open(struct lu_stream **out, const char *names, struct lu_err *err)
{
	struct lu_stream *s = calloc(1, sizeof(*s));
	const char *p = names;

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	for (p += strspn(p, " \t"); *p; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t");
		struct source *bigger = realloc(s->source, (s->sources + 1) * sizeof(*bigger)),
			      *add;

		if (!bigger) {
			lu_err_nomem(err);
			goto fail;
		}
		s->source = bigger;
		add = &s->source[s->sources++];
		*add = (struct source){ .name = strndup(p, n) };
		if (!add->name) {
			lu_err_nomem(err);
			goto fail;
		}
		if (open_source(add, err) < 0)
			goto fail;
		s->tokens += add->tokens;
		p += n;
	}
	*out = s;
	return 0;
fail:
	lu_stream_close(s);
	return -1;
}

void lu_stream_close(struct lu_stream *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->sources; i++) {
		struct source *o = &s->source[i];

		for (size_t k = 0; o->shard && k < o->shards; k++)
			lu_shard_close(o->shard[k]);
		free(o->shard);
		if (o->planned)
			lu_plan_release(&o->plan);
		free(o->name);
	}
	free(s->source);
	free(s);
}

uint64_t lu_stream_tokens(const struct lu_stream *s)
{
	return s->tokens;
}

/* --- finding ------------------------------------------------------------------------------ */

/* The next n tokens of the stream are the shard's from pos on. */
static int pass_over(
	struct pass *p, const struct lu_shard *shard, uint64_t pos, uint64_t n, struct lu_err *err)
{
	uint64_t end = p->at + n;

	for (size_t i = p->next; i < p->n && p->range[i].first < end; i++) {
		const struct lu_stream_range *r = &p->range[i];
		uint64_t from = r->first > p->at ? r->first : p->at;
		uint64_t to = r->first + r->n < end ? r->first + r->n : end;

		if (from < to &&
			p->found(p->ctx, shard, pos + (from - p->at), to - from, r->tag, err) < 0)
			return -1;
	}
	while (p->next < p->n && p->range[p->next].first + p->range[p->next].n <= end)
		p->next++;
	p->at = end;
	return 0;
}

static uint64_t document_tokens(void *ctx, uint64_t shard, uint64_t document)
{
	struct lu_shard *const *opened = ctx;
	uint64_t n;

	lu_shard_document(opened[shard], document, NULL, &n);
	return n;
}

static int walk(struct pass *p, const struct source *s, struct lu_err *err)
{
	struct lu_plan_walk *w = NULL;
	struct lu_plan_place place;
	int rc = lu_plan_walk_new(&w, &s->plan, document_tokens, s->shard, err);

	while (rc == 0 && p->next < p->n && (rc = lu_plan_next(w, &place, err)) > 0) {
		uint64_t first, n;

		lu_shard_document(s->shard[place.shard], place.document, &first, &n);
		rc = pass_over(p, s->shard[place.shard], first, n, err);
	}
	lu_plan_walk_free(w);
	return rc < 0 ? lu_err_wrap(err, "%s", s->name) : 0;
}

int lu_stream_places(const struct lu_stream *s, const struct lu_stream_range *range, size_t n,
	lu_stream_fn *found, void *ctx, struct lu_err *err)
{
	struct pass p = { .range = range, .n = n, .found = found, .ctx = ctx };
	uint64_t begin = 0;

	for (size_t i = 0; i < s->sources && p.next < p.n; i++) {
		const struct source *o = &s->source[i];

		p.at = begin;
		begin += o->tokens;
		/* A plan that no range touches need not be walked. */
		if (range[p.next].first >= begin)
			continue;
		if (o->planned ? walk(&p, o, err) < 0
			       : pass_over(&p, o->shard[0], 0, o->tokens, err) < 0)
			return -1;
	}
	return 0;
}
