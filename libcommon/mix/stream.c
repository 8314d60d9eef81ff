#include "libcommon/mix/stream.h"

#include <stdlib.h>

#include "libcommon/base/vec.h"

/* One name of the list: a shard, or a plan with the shards it names. */
struct part {
	char *name;
	bool is_plan;
	uint64_t tokens;
	struct lu_shard *shard;
	struct lu_planned planned;
};

struct lu_stream {
	struct LU_VEC(struct part) part;
	uint64_t tokens;
};

/* --- opening ------------------------------------------------------------------------------ */

static int open_part(struct part *p, struct lu_err *err)
{
	p->is_plan = lu_plan_is(p->name);
	if (p->is_plan) {
		if (lu_planned_open(&p->planned, p->name, err) < 0)
			return -1;
		p->tokens = p->planned.plan.tokens;
		return 0;
	}
	if (lu_shard_open(&p->shard, p->name, err) < 0)
		return -1;
	p->tokens = lu_shard_tokens(p->shard);
	return 0;
}

static int add_part(struct lu_stream *s, const char *name, size_t n, struct lu_err *err)
{
	struct part p = { .name = strndup(name, n) };

	if (!p.name || !lu_vec_push(&s->part, p)) {
		free(p.name);
		return lu_err_nomem(err);
	}
	if (open_part(&s->part.p[s->part.n - 1], err) < 0)
		return -1;
	s->tokens += s->part.p[s->part.n - 1].tokens;
	return 0;
}

int lu_stream_open(struct lu_stream **out, const char *names, struct lu_err *err)
{
	struct lu_stream *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	for (const char *p = names + strspn(names, " \t"); *p; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t");

		if (add_part(s, p, n, err) < 0) {
			lu_stream_close(s);
			return -1;
		}
		p += n;
	}
	*out = s;
	return 0;
}

void lu_stream_close(struct lu_stream *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->part.n; i++) {
		lu_shard_close(s->part.p[i].shard);
		lu_planned_close(&s->part.p[i].planned);
		free(s->part.p[i].name);
	}
	lu_vec_release(&s->part);
	free(s);
}

uint64_t lu_stream_tokens(const struct lu_stream *s)
{
	return s->tokens;
}

size_t lu_stream_parts(const struct lu_stream *s)
{
	return s->part.n;
}

struct lu_stream_part lu_stream_part(const struct lu_stream *s, size_t i)
{
	const struct part *p = &s->part.p[i];

	LU_ASSERT(i < s->part.n);
	return (struct lu_stream_part){ .name = p->name,
		.is_plan = p->is_plan,
		.tokens = p->tokens,
		.shard = p->is_plan ? p->planned.shard : &p->shard,
		.shards = p->is_plan ? p->planned.plan.shards : 1 };
}

/* --- walking ------------------------------------------------------------------------------ */

static int walk_part(const struct part *p, lu_piece_fn *piece, void *ctx, struct lu_err *err)
{
	if (p->is_plan)
		return lu_planned_walk(&p->planned, piece, ctx, err);
	return piece(ctx, p->shard, 0, p->tokens, err);
}

int lu_stream_walk(const struct lu_stream *s, lu_piece_fn *piece, void *ctx, struct lu_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->part.n; i++)
		rc = walk_part(&s->part.p[i], piece, ctx, err);
	return rc;
}

/* --- locating ranges ---------------------------------------------------------------------- */

struct search {
	const struct lu_stream_range *range;
	size_t n, next; /* ranges; the first that is not complete */
	uint64_t at;	/* offset in the stream */
	lu_stream_fn *found;
	void *ctx;
};

static int match_piece(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		struct lu_err *err)
{
	struct search *s = ctx;
	uint64_t end = s->at + n;

	for (size_t i = s->next; i < s->n && s->range[i].first < end; i++) {
		const struct lu_stream_range *r = &s->range[i];
		uint64_t from = r->first > s->at ? r->first : s->at;
		uint64_t to = r->first + r->n < end ? r->first + r->n : end;

		if (from < to &&
				s->found(s->ctx, shard, pos + (from - s->at), to - from, r->tag,
						err) < 0)
			return -1;
	}
	while (s->next < s->n && s->range[s->next].first + s->range[s->next].n <= end)
		s->next++;
	s->at = end;
	return s->next == s->n;
}

int lu_stream_places(const struct lu_stream *s, const struct lu_stream_range *range, size_t n,
		lu_stream_fn *found, void *ctx, struct lu_err *err)
{
	struct search search = { .range = range, .n = n, .found = found, .ctx = ctx };
	uint64_t begin = 0;

	for (size_t i = 0; i < s->part.n && search.next < n; i++) {
		const struct part *p = &s->part.p[i];

		search.at = begin;
		begin += p->tokens;
		/* Do not walk a plan that no range touches. */
		if (range[search.next].first >= begin)
			continue;
		if (walk_part(p, match_piece, &search, err) < 0)
			return -1;
	}
	return 0;
}
