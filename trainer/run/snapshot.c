#include "trainer/run/snapshot.h"

#include <stdlib.h>

/* Begin of part i of n elements that are cut into `parts`. */
static size_t cut(size_t n, size_t i, size_t parts)
{
	size_t longer = n % parts;

	return n / parts * i + (i < longer ? i : longer);
}

/* The part of a parameter's slice that this rank writes, elements *begin .. *end - 1. */
static void share(const struct lt_weights *w, size_t param, size_t *begin, size_t *end)
{
	const struct lt_table *t = &w->table;
	const struct lt_param *p = &t->param[param];
	const struct lt_holding *h = &w->holding;
	size_t last = p->offset + p->local_count, from, to;

	*begin = *end = 0;
	if (p->offset == LT_ELSEWHERE || (p->split == LT_SPLIT_NONE && t->tp_rank != 0))
		return;
	if (h->zero || h->dp_size == 1) {
		lt_tensors_owned(w, param, begin, end);
		return;
	}
	/* All have the same values: any cut will do. */
	from = cut(t->total, h->dp_rank, h->dp_size);
	to = cut(t->total, h->dp_rank + 1, h->dp_size);
	if (from < last && to > p->offset) {
		*begin = from > p->offset ? from - p->offset : 0;
		*end = (to < last ? to : last) - p->offset;
	}
}

int lt_snapshot_open(struct lt_snapshot *s, struct lt_weights *w, struct lu_err *err)
{
	*s = (struct lt_snapshot){ .w = w, .piece = calloc(w->table.n + 1, sizeof(*s->piece)) };
	if (!s->piece)
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->table.n; i++) {
		size_t begin, end;

		share(w, i, &begin, &end);
		if (begin == end)
			continue;
		s->piece[s->pieces++] = (struct lt_piece){ i, begin, end - begin, s->count };
		s->count += end - begin;
	}
	for (int v = 0; v < LT_VECTORS; v++) {
		/* One more, so that there is something to allocate. Pinned memory is copied to several
		 * times as fast, but a host may not grant so much of it. */
		size_t bytes = (s->count + 1) * sizeof(*s->host[v]);

		s->host[v] = w->ops->host_alloc(w->q, bytes);
		s->pinned[v] = s->host[v] != NULL;
		if (!s->host[v])
			s->host[v] = malloc(bytes);
		if (!s->host[v]) {
			lt_snapshot_close(s);
			return lu_err_nomem(err);
		}
	}
	if (lt_tensors_layout_open(&s->file, &w->table, err) < 0) {
		lt_snapshot_close(s);
		return -1;
	}
	return 0;
}

void lt_snapshot_close(struct lt_snapshot *s)
{
	for (int v = 0; v < LT_VECTORS; v++) {
		if (s->pinned[v])
			s->w->ops->host_free(s->w->q, s->host[v]);
		else
			free(s->host[v]);
	}
	free(s->piece);
	lt_tensors_layout_close(&s->file);
	*s = (struct lt_snapshot){ 0 };
}

int lt_snapshot_take(struct lt_snapshot *s, struct lu_err *err)
{
	const struct lk_ops *ops = s->w->ops;

	for (size_t i = 0; i < s->pieces; i++) {
		const struct lt_piece *p = &s->piece[i];
		size_t offset = s->w->table.param[p->param].offset + p->at;

		for (int v = 0; v < LT_VECTORS; v++) {
			if (lt_weights_queue_get(s->w, (enum lt_vector)v, offset, p->n,
					    s->host[v] + p->host, err) < 0)
				return -1;
		}
	}
	return ops->sync(s->w->q) < 0 ? lt_queue_err(ops, s->w->q, err) : 0;
}

bool lt_snapshot_next(const struct lt_snapshot *s, struct lt_cursor *c, struct lt_stretch *x)
{
	const struct lt_table *t = &s->w->table;
	const struct lt_piece *p;
	size_t first, run;

	if (c->piece == s->pieces) {
		c->piece = 0;
		c->vector++;
	}
	if (c->vector >= LT_VECTORS || s->pieces == 0)
		return false;
	p = &s->piece[c->piece];
	run = lt_param_run(t, &t->param[p->param], p->at + c->done, &first);
	if (run > p->n - c->done)
		run = p->n - c->done;
	if (run > LT_STRETCH_MAX / sizeof(lk_real))
		run = LT_STRETCH_MAX / sizeof(lk_real);
	*x = (struct lt_stretch){ .vector = (enum lt_vector)c->vector,
		.p = (const char *)(s->host[c->vector] + p->host + c->done),
		.n = run * sizeof(lk_real),
		.at = s->file.at[p->param] + (uint64_t)first * sizeof(lk_real) };
	c->done += run;
	if (c->done == p->n) {
		c->done = 0;
		c->piece++;
	}
	return true;
}
