#include "libcommon/mix/stream.h"

#include <stdlib.h>

#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"

/* One name of the list: a shard, or a plan with the shards it names. */
struct part {
	char *name;
	bool is_plan;
	uint64_t begin, tokens; /* in the stream */
	struct lu_shard *shard;
	struct lu_planned planned;
};

struct lu_stream {
	struct LU_VEC(struct part) part;
	uint64_t tokens;
};

/* --- opening ------------------------------------------------------------------------------ */

static int open_part(struct part *p, bool trust, struct lu_err *err)
{
	p->is_plan = lu_plan_is(p->name);
	if (p->is_plan) {
		if (lu_planned_open(&p->planned, p->name, trust, err) < 0)
			return -1;
		p->tokens = p->planned.plan.tokens;
		return 0;
	}
	if ((trust ? lu_shard_open_trusted : lu_shard_open)(&p->shard, p->name, err) < 0)
		return -1;
	p->tokens = lu_shard_tokens(p->shard);
	return 0;
}

static int add_part(struct lu_stream *s, const char *name, size_t n, bool trust, struct lu_err *err)
{
	struct part p = { .name = strndup(name, n), .begin = s->tokens }, *added;

	if (!p.name)
		return lu_err_nomem(err);
	s->part.p[s->part.n++] = p;
	added = &s->part.p[s->part.n - 1];
	if (open_part(added, trust, err) < 0)
		return -1;
	if (__builtin_add_overflow(s->tokens, added->tokens, &s->tokens))
		return lu_err_set(err, "%s: too many tokens", added->name);
	return 0;
}

int lu_stream_open(struct lu_stream **out, const char *names, bool trust, struct lu_err *err)
{
	struct lu_stream *s = calloc(1, sizeof(*s));

	*out = NULL;
	/* Room for all names at once: an open plan must not move. */
	if (!s || !lu_vec_reserve(&s->part, strlen(names) / 2 + 1)) {
		free(s);
		return lu_err_nomem(err);
	}
	for (const char *p = names + strspn(names, " \t"); *p; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t");

		if (add_part(s, p, n, trust, err) < 0) {
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
		.shards = p->is_plan ? p->planned.plan.shards : 1,
		.note = p->planned.note };
}

/* --- cursors ------------------------------------------------------------------------------ */

struct lu_stream_cursor {
	const struct lu_stream *stream;
	struct lu_planned_cursor **planned; /* by part, made when it is needed */
	size_t part;
	uint64_t end; /* of the last piece */
};

int lu_stream_cursor_new(
		struct lu_stream_cursor **out, const struct lu_stream *s, struct lu_err *err)
{
	struct lu_stream_cursor *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->stream = s;
	c->planned = calloc(s->part.n + 1, sizeof(struct lu_planned_cursor *));
	if (!c->planned) {
		free(c);
		return lu_err_nomem(err);
	}
	*out = c;
	return 0;
}

void lu_stream_cursor_free(struct lu_stream_cursor *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->stream->part.n; i++)
		lu_planned_cursor_free(c->planned[i]);
	free(c->planned);
	free(c);
}

/* The part with a token: the last that begins at or before it, since empty ones share their begin
 * with the next. */
static size_t part_of(const struct lu_stream *s, uint64_t at)
{
	return lu_search_range(&s->part.p[0].begin, s->part.n, sizeof(s->part.p[0]), at);
}

int lu_stream_seek(
		struct lu_stream_cursor *c, uint64_t at, struct lu_piece *piece, struct lu_err *err)
{
	const struct lu_stream *s = c->stream;
	size_t i;
	const struct part *p;

	LU_ASSERT(at < s->tokens);
	i = part_of(s, at);
	p = &s->part.p[i];
	if (p->is_plan) {
		if (!c->planned[i] && lu_planned_cursor_new(&c->planned[i], &p->planned, err) < 0)
			return -1;
		if (lu_planned_seek(c->planned[i], at - p->begin, piece, err) < 0)
			return -1;
		piece->begin += p->begin;
	} else {
		*piece = (struct lu_piece){ p->shard, 0, p->begin, p->tokens, false };
	}
	c->part = i;
	c->end = piece->begin + piece->n;
	return 0;
}

int lu_stream_next(struct lu_stream_cursor *c, struct lu_piece *piece, struct lu_err *err)
{
	const struct lu_stream *s = c->stream;
	const struct part *p = s->part.n ? &s->part.p[c->part] : NULL;

	if (c->end == s->tokens)
		return 0;
	if (!p->is_plan || c->end == p->begin + p->tokens || !c->planned[c->part])
		return lu_stream_seek(c, c->end, piece, err) < 0 ? -1 : 1;
	if (lu_planned_next(c->planned[c->part], piece, err) < 0)
		return -1;
	piece->begin += p->begin;
	c->end = piece->begin + piece->n;
	return 1;
}

/* --- locating ranges ---------------------------------------------------------------------- */

static int locate(struct lu_stream_cursor *c, const struct lu_stream_range *r, lu_stream_fn *found,
		void *ctx, struct lu_err *err)
{
	uint64_t at = r->first, end = r->first + r->n;
	struct lu_piece p;

	if (at == end)
		return 0;
	if (lu_stream_seek(c, at, &p, err) < 0)
		return -1;
	for (;;) {
		uint64_t skip = at - p.begin, n = p.n - skip < end - at ? p.n - skip : end - at;

		if (found(ctx, p.shard, p.first + skip, n, r->tag, err) < 0)
			return -1;
		at += n;
		if (at == end)
			return 0;
		if (lu_stream_next(c, &p, err) < 0)
			return -1;
	}
}

int lu_stream_locate(const struct lu_stream *s, const struct lu_stream_range *range, size_t n,
		lu_stream_fn *found, void *ctx, struct lu_err *err)
{
	struct lu_stream_cursor *c;
	int rc = lu_stream_cursor_new(&c, s, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		LU_ASSERT(range[i].n <= s->tokens && range[i].first <= s->tokens - range[i].n);
		rc = locate(c, &range[i], found, ctx, err);
	}
	lu_stream_cursor_free(c);
	return rc;
}
