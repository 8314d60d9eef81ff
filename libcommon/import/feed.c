#include "libcommon/import/feed.h"

#include <stdlib.h>

static struct lu_feed *new_feed(struct lu_err *err)
{
	struct lu_feed *f = calloc(1, sizeof(*f));

	if (f)
		f->ahead = malloc(LU_FEED_AHEAD);
	if (!f || !f->ahead) {
		lu_err_nomem(err);
		free(f);
		return NULL;
	}
	return f;
}

int lu_feed_open(struct lu_feed **out, const char *path, struct lu_err *err)
{
	struct lu_feed *f = new_feed(err);

	if (!f)
		return -1;
	if (lu_in_open(&f->in, path, err) < 0) {
		lu_feed_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

int lu_feed_open_fn(
		struct lu_feed **out, const char *name, lu_in_fn *fn, void *ctx, struct lu_err *err)
{
	struct lu_feed *f = new_feed(err);

	if (!f)
		return -1;
	if (lu_in_open_fn(&f->in, name, fn, ctx, err) < 0) {
		lu_feed_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* An lu_in_fn over the bytes that *ctx, a struct lu_str, still has. */
static ssize_t read_memory(void *ctx, void *p, size_t n, struct lu_err *err)
{
	struct lu_str *left = ctx;
	size_t k = left->n < n ? left->n : n;

	(void)err;
	if (k)
		memcpy(p, left->p, k);
	left->p += k;
	left->n -= k;
	return (ssize_t)k;
}

int lu_feed_open_str(
		struct lu_feed **out, const char *name, struct lu_str *left, struct lu_err *err)
{
	return lu_feed_open_fn(out, name, read_memory, left, err);
}

int lu_feed_peek(struct lu_feed *f, size_t n, struct lu_str *out, struct lu_err *err)
{
	LU_ASSERT(n <= LU_FEED_AHEAD);
	if (f->n - f->at < n) {
		ssize_t got;

		memmove(f->ahead, f->ahead + f->at, f->n - f->at);
		f->n -= f->at;
		f->at = 0;
		got = lu_in_read(f->in, f->ahead + f->n, n - f->n, err);
		if (got < 0)
			return -1;
		f->n += (size_t)got;
	}
	*out = (struct lu_str){ f->ahead + f->at, f->n - f->at < n ? f->n - f->at : n };
	return 0;
}

ssize_t lu_feed_read(struct lu_feed *f, void *p, size_t n, struct lu_err *err)
{
	size_t have = f->n - f->at < n ? f->n - f->at : n;
	ssize_t more = 0;

	memcpy(p, f->ahead + f->at, have);
	f->at += have;
	if (have < n)
		more = lu_in_read(f->in, (char *)p + have, n - have, err);
	if (more < 0)
		return -1;
	f->given += have + (size_t)more;
	return (ssize_t)(have + (size_t)more);
}

int lu_feed_all(struct lu_feed *f, uint64_t limit, struct lu_buf *out, struct lu_err *err)
{
	const size_t step = (size_t)64 << 10;
	uint64_t got = 0;

	for (;;) {
		ssize_t n;

		if (!lu_buf_reserve(out, step))
			return lu_err_nomem(err);
		n = lu_feed_read(f, out->p + out->n, step, err);
		if (n < 0)
			return -1;
		got += (uint64_t)n;
		if (got > limit)
			return 0;
		out->n += (size_t)n;
		out->p[out->n] = '\0';
		if ((size_t)n < step)
			return 1;
	}
}

int lu_feed_line(struct lu_feed *f, struct lu_str *line, struct lu_err *err)
{
	const char *nl = f->n > f->at ? memchr(f->ahead + f->at, '\n', f->n - f->at) : NULL;

	if (!nl) {
		struct lu_str all;

		if (lu_feed_peek(f, LU_FEED_AHEAD, &all, err) < 0)
			return -1;
		if (all.n == 0)
			return 0;
		nl = memchr(all.p, '\n', all.n);
		if (!nl && all.n == LU_FEED_AHEAD)
			return lu_err_set(err, "%s: line of more than %zu bytes where a header is",
					lu_feed_name(f), LU_FEED_AHEAD);
	}
	line->p = f->ahead + f->at;
	line->n = nl ? (size_t)(nl + 1 - line->p) : f->n - f->at;
	f->at += line->n;
	f->given += line->n;
	return 1;
}

int lu_feed_skip(struct lu_feed *f, uint64_t n, struct lu_err *err)
{
	char block[4096];

	while (n > 0) {
		size_t want = n < sizeof(block) ? (size_t)n : sizeof(block);
		ssize_t got = lu_feed_read(f, block, want, err);

		if (got < 0)
			return -1;
		if ((size_t)got < want)
			return lu_err_set(err, "%s: ends too early", lu_feed_name(f));
		n -= (uint64_t)got;
	}
	return 0;
}

const char *lu_feed_name(const struct lu_feed *f)
{
	return lu_in_name(f->in);
}

void lu_feed_close(struct lu_feed *f)
{
	if (!f)
		return;
	lu_in_close(f->in);
	free(f->ahead);
	free(f);
}
