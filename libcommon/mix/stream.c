#include "libcommon/mix/stream.h"

#include <stdlib.h>

#include "libcommon/mix/planned.h"

/* One name: a shard, or else a plan with the shards it names. */
struct source {
	char *name;
	struct lu_shard *shard;
	struct lu_planned planned;
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

static int open_source(struct source *s, struct lu_err *err)
{
	if (lu_plan_is(s->name)) {
		if (lu_planned_open(&s->planned, s->name, err) < 0)
			return -1;
		s->tokens = s->planned.plan.tokens;
		return 0;
	}
	if (lu_shard_open(&s->shard, s->name, err) < 0)
		return -1;
	s->tokens = lu_shard_tokens(s->shard);
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
		lu_shard_close(s->source[i].shard);
		lu_planned_close(&s->source[i].planned);
		free(s->source[i].name);
	}
	free(s->source);
	free(s);
}

uint64_t lu_stream_tokens(const struct lu_stream *s)
{
	return s->tokens;
}

/* --- finding ------------------------------------------------------------------------------ */

/* The next n tokens of the stream are the shard's from pos on. 1 when no range is left. */
static int pass_over(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		struct lu_err *err)
{
	struct pass *p = ctx;
	uint64_t end = p->at + n;

	for (size_t i = p->next; i < p->n && p->range[i].first < end; i++) {
		const struct lu_stream_range *r = &p->range[i];
		uint64_t from = r->first > p->at ? r->first : p->at;
		uint64_t to = r->first + r->n < end ? r->first + r->n : end;

		if (from < to &&
				p->found(p->ctx, shard, pos + (from - p->at), to - from, r->tag,
						err) < 0)
			return -1;
	}
	while (p->next < p->n && p->range[p->next].first + p->range[p->next].n <= end)
		p->next++;
	p->at = end;
	return p->next == p->n;
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
		if (o->shard ? pass_over(&p, o->shard, 0, o->tokens, err) < 0
			     : lu_planned_walk(&o->planned, pass_over, &p, err) < 0)
			return -1;
	}
	return 0;
}
