#include "libcommon/io/feed.h"

#include <stdlib.h>

/* A peek, and the read that completed it. */
#define CAPACITY (2 * LU_FEED_AHEAD)

static struct lu_feed *new_feed(struct lu_err *err)
{
	struct lu_feed *f = calloc(1, sizeof(*f));

	if (f)
		f->ahead = malloc(CAPACITY);
	if (!f || !f->ahead) {
		lu_err_nomem(err);
		free(f);
		return NULL;
	}
	f->stop = f->begin = f->back_stop = SIZE_MAX;
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
	lu_in_stop_at_members(f->in);
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
	lu_in_stop_at_members(f->in);
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

/* The bytes in memory that may be given. */
static size_t have(const struct lu_feed *f)
{
	return (f->stop < f->n ? f->stop : f->n) - f->at;
}

static bool is_marked(const struct lu_feed *f, size_t at)
{
	return f->mark && f->mark(f->ahead + at, f->n - at);
}

/* Note that a member begins at `at`. */
static void begin_member(struct lu_feed *f, size_t at)
{
	if (f->begin == SIZE_MAX && at > 0)
		f->begin = at;
	if (is_marked(f, at)) {
		f->stop = at;
		f->marks++;
	}
}

/* Read what was taken back, up to where a member begins. */
static size_t read_back(struct lu_feed *f, char *p, size_t n)
{
	size_t k = f->back.n - f->back_at;

	if (f->back_stop != SIZE_MAX && f->back_stop - f->back_at < k)
		k = f->back_stop - f->back_at;
	k = k < n ? k : n;
	memcpy(p, f->back.p + f->back_at, k);
	f->back_at += k;
	if (f->back_at == f->back.n && f->back_stop != f->back_at)
		lu_buf_release(&f->back);
	return k;
}

/* Read behind what is in memory. Returns as lu_in_read(); *begins: a member begins there. */
static ssize_t read_on(struct lu_feed *f, char *p, size_t n, struct lu_err *err)
{
	ssize_t got;

	if (f->back.n) {
		if (f->back_stop != f->back_at)
			return (ssize_t)read_back(f, p, n);
		/* It was counted before. */
		f->stop = f->n;
		f->back_stop = SIZE_MAX;
		return (ssize_t)read_back(f, p, n);
	}
	got = lu_in_read(f->in, p, n, err);
	if (got < 0 && f->mark && lu_in_is_damaged(f->in)) {
		f->broken = true;
		f->why = *err;
		/* What is before a member that is damaged from its beginning on is whole. */
		if (lu_in_begins_member(f->in))
			f->stop = f->n;
		return 0;
	}
	return got;
}

/* Have n bytes in memory, fewer only at the end, before a stop and before damage. */
static int fill(struct lu_feed *f, size_t n, struct lu_err *err)
{
	if (have(f) >= n || f->stop != SIZE_MAX || f->broken)
		return 0;
	memmove(f->ahead, f->ahead + f->at, f->n - f->at);
	f->begin = f->begin == SIZE_MAX || f->begin < f->at ? SIZE_MAX : f->begin - f->at;
	f->n -= f->at;
	f->at = 0;
	while (f->n < n && f->stop == SIZE_MAX) {
		size_t from = f->n;
		bool back = f->back.n > 0;
		ssize_t got = read_on(f, f->ahead + from, f->mark ? LU_FEED_AHEAD : n - from, err);

		if (got < 0)
			return -1;
		f->n += (size_t)got;
		if (got == 0 && !back)
			break;
		if (!back && lu_in_begins_member(f->in))
			begin_member(f, from);
	}
	return 0;
}

int lu_feed_peek(struct lu_feed *f, size_t n, struct lu_str *out, struct lu_err *err)
{
	LU_ASSERT(n <= LU_FEED_AHEAD);
	if (fill(f, n, err) < 0)
		return -1;
	*out = (struct lu_str){ f->ahead + f->at, have(f) < n ? have(f) : n };
	return 0;
}

/* Read on behind what is in memory, where no stop is looked for. */
static ssize_t read_through(struct lu_feed *f, char *p, size_t n, struct lu_err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = lu_in_read(f->in, p + done, n - done, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t lu_feed_read(struct lu_feed *f, void *p, size_t n, struct lu_err *err)
{
	size_t done = 0;

	while (done < n) {
		size_t k = have(f) < n - done ? have(f) : n - done;

		memcpy((char *)p + done, f->ahead + f->at, k);
		f->at += k;
		done += k;
		if (done < n && !f->mark) {
			ssize_t got = read_through(f, (char *)p + done, n - done, err);

			if (got < 0)
				return -1;
			done += (size_t)got;
			break;
		}
		if (done < n && fill(f, 1, err) < 0)
			return -1;
		if (have(f) == 0)
			break;
	}
	f->given += done;
	return (ssize_t)done;
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
	const char *nl = have(f) ? memchr(f->ahead + f->at, '\n', have(f)) : NULL;

	if (!nl) {
		struct lu_str all;

		if (lu_feed_peek(f, LU_FEED_AHEAD, &all, err) < 0)
			return -1;
		if (all.n == 0)
			return 0;
		nl = memchr(all.p, '\n', all.n);
		if (!nl && all.n == LU_FEED_AHEAD)
			return 2;
	}
	line->p = f->ahead + f->at;
	line->n = nl ? (size_t)(nl + 1 - line->p) : have(f);
	f->at += line->n;
	f->given += line->n;
	return 1;
}

void lu_feed_stop_at(struct lu_feed *f, lu_feed_mark_fn *mark)
{
	f->mark = mark;
	/* A member that was read ahead. */
	if (f->begin != SIZE_MAX && f->begin > f->at && is_marked(f, f->begin)) {
		f->stop = f->begin;
		f->marks++;
	}
}

bool lu_feed_stopped(const struct lu_feed *f)
{
	return f->stop == f->at;
}

void lu_feed_resume(struct lu_feed *f)
{
	if (lu_feed_stopped(f))
		f->stop = SIZE_MAX;
}

bool lu_feed_broken(const struct lu_feed *f)
{
	return f->broken && f->at == f->n && f->stop == SIZE_MAX;
}

int lu_feed_mend(struct lu_feed *f, struct lu_err *err)
{
	LU_ASSERT(lu_feed_broken(f));
	f->broken = false;
	return lu_in_pass_damage(f->in, err);
}

int lu_feed_take_back(struct lu_feed *f, struct lu_buf *read, size_t from, struct lu_err *err)
{
	struct lu_buf front = { 0 }, back = *read;
	size_t stop = f->stop == SIZE_MAX ? SIZE_MAX : back.n + (f->stop - f->at);

	lu_buf_append(&front, back.p, from);
	lu_buf_append(&back, f->ahead + f->at, f->n - f->at);
	if (f->back.n && stop == SIZE_MAX && f->back_stop != SIZE_MAX)
		stop = back.n + (f->back_stop - f->back_at);
	if (f->back.n)
		lu_buf_append(&back, f->back.p + f->back_at, f->back.n - f->back_at);
	f->given -= read->n - from;
	*read = front;
	lu_buf_release(&f->back);
	f->back = back;
	f->back_at = from;
	f->back_stop = stop;
	f->stop = SIZE_MAX;
	f->at = f->n = 0;
	return lu_buf_check(&f->back, err) < 0 ? -1 : lu_buf_check(read, err);
}

void lu_feed_skip(struct lu_feed *f, size_t n)
{
	LU_ASSERT(n <= have(f));
	f->at += n;
	f->given += n;
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
	lu_buf_release(&f->back);
	free(f->ahead);
	free(f);
}
