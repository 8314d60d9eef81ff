#include "libcommon/dedup/within.h"

#include "libcommon/hash/hash.h"

static int split(struct lu_within *w, struct lu_str text, struct lu_err *err)
{
	w->line.n = 0;
	for (size_t at = 0; at < text.n;) {
		const char *newline = memchr(text.p + at, '\n', text.n - at);
		size_t to = newline ? (size_t)(newline - text.p) : text.n;

		if (!lu_vec_push(&w->line, ((struct lu_within_line){ at, to, 0, 0 })))
			return lu_err_nomem(err);
		at = to + 1;
	}
	return 0;
}

/* Find the shortest block from each line on. A newline counts also where the text has none at its end,
 * so that its last lines can be a copy of earlier ones. */
static void find_blocks(struct lu_within *w, uint64_t min_bytes)
{
	size_t end = 0;

	for (size_t i = 0; i < w->line.n; i++) {
		struct lu_within_line *l = &w->line.p[i];

		while (end < w->line.n &&
				(end <= i || w->line.p[end - 1].to + 1 - l->from < min_bytes))
			end++;
		if (w->line.p[end - 1].to + 1 - l->from < min_bytes)
			return;
		l->end = end;
		l->hash = lu_hash64(w->text.p + l->from, w->line.p[end - 1].to - l->from, 0);
	}
}

static uint64_t block_hash(const void *items, uint32_t i)
{
	const struct lu_within *w = items;

	return w->line.p[w->first.p[i]].hash;
}

static struct lu_str block_text(const struct lu_within *w, size_t first)
{
	const struct lu_within_line *l = &w->line.p[first];

	return (struct lu_str){ w->text.p + l->from, w->line.p[l->end - 1].to - l->from };
}

static bool block_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_within *w = items;

	return lu_str_eq(block_text(w, w->first.p[i]), block_text(w, *(const size_t *)key));
}

static bool lines_equal(const struct lu_within *w, size_t a, size_t b)
{
	const struct lu_within_line *x = &w->line.p[a], *y = &w->line.p[b];

	return x->to - x->from == y->to - y->from &&
			memcmp(w->text.p + x->from, w->text.p + y->from, x->to - x->from) == 0;
}

static int enter(struct lu_within *w, size_t first, struct lu_err *err)
{
	uint64_t hash = w->line.p[first].hash;

	if (lu_map_find(&w->index, hash, w, block_is, &first) != LU_MAP_NONE)
		return 0;
	if (!lu_map_reserve(&w->index, w, block_hash) || !lu_vec_push(&w->first, first))
		return lu_err_nomem(err);
	lu_map_add(&w->index, hash);
	return 0;
}

/* Lines of the block that begins at `i` and is a copy of an earlier one; 0 if there is none. */
static size_t copied(const struct lu_within *w, size_t i)
{
	size_t n = 0, first;
	uint32_t found;

	if (!w->line.p[i].end)
		return 0;
	found = lu_map_find(&w->index, w->line.p[i].hash, w, block_is, &i);
	if (found == LU_MAP_NONE)
		return 0;
	first = w->first.p[found];
	while (first + n < i && i + n < w->line.n && lines_equal(w, first + n, i + n))
		n++;
	return n;
}

int64_t lu_within_cut(struct lu_within *w, struct lu_str text, uint64_t min_bytes,
		struct lu_buf *out, struct lu_err *err)
{
	size_t entered = 0, kept = 0; /* lines in the index; bytes of the text dealt with */
	int64_t blocks = 0;

	w->text = text;
	w->first.n = 0;
	lu_map_release(&w->index);
	if (split(w, text, err) < 0)
		return -1;
	find_blocks(w, min_bytes);
	for (size_t i = 0, n; i < w->line.n; i += n ? n : 1) {
		/* Only blocks that end before this line. */
		for (; w->line.p[entered].end && w->line.p[entered].end <= i; entered++) {
			if (enter(w, entered, err) < 0)
				return -1;
		}
		n = copied(w, i);
		if (n == 0)
			continue;
		lu_buf_append(out, text.p + kept, w->line.p[i].from - kept);
		kept = w->line.p[i + n - 1].to + 1;
		blocks++;
	}
	if (blocks == 0)
		return 0;
	if (kept < text.n)
		lu_buf_append(out, text.p + kept, text.n - kept);
	else if (kept > text.n && out->n && out->p[out->n - 1] == '\n')
		out->n--; /* the text has no newline at its end */
	return lu_buf_check(out, err) < 0 ? -1 : blocks;
}

void lu_within_release(struct lu_within *w)
{
	lu_vec_release(&w->line);
	lu_vec_release(&w->first);
	lu_map_release(&w->index);
}
