#include "libcommon/mix/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"

struct row {
	const char *name;
	uint64_t docs, size, docs_after, size_after;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void put_row(struct lu_buf *b, const struct row *r, const struct row *all)
{
	lu_buf_printf(b,
			"%-20s %11" PRIu64 " %15" PRIu64 " %8.3f %% %11" PRIu64 " %15" PRIu64
			" %8.3f %% %7.3f\n",
			r->name, r->docs, r->size, percent(r->size, all->size), r->docs_after,
			r->size_after, percent(r->size_after, all->size_after),
			r->size ? (double)r->size_after / (double)r->size : 0);
}

static void put_rows(struct lu_buf *b, const char *what, const char *measure, const struct row *r,
		size_t n)
{
	struct row all = { .name = "total" };

	lu_buf_printf(b, "%-20s %11s %15s %10s %11s %15s %10s %7s\n", what, "documents", measure,
			"before", "documents", measure, "after", "epochs");
	for (size_t i = 0; i < n; i++) {
		all.docs += r[i].docs;
		all.size += r[i].size;
		all.docs_after += r[i].docs_after;
		all.size_after += r[i].size_after;
	}
	for (size_t i = 0; i < n; i++)
		put_row(b, &r[i], &all);
	put_row(b, &all, &all);
}

static struct row group_row(const struct lu_plan_group *g)
{
	return (struct row){ g->name, g->documents, g->tokens, g->passes * g->documents + g->last,
		g->planned };
}

static struct row lang_row(const struct lu_pool_lang *l)
{
	return (struct row){ l->name, l->docs, l->size, l->docs_after, l->size_after };
}

/* The largest after mixing first, ties by name: the order does not depend on the input's. */
static int by_size(const void *a, const void *b)
{
	const struct row *p = a, *q = b;

	if (p->size_after != q->size_after)
		return p->size_after > q->size_after ? -1 : 1;
	return strcmp(p->name, q->name);
}

static struct row *lang_rows(const struct lu_pool *p)
{
	struct row *r = malloc((p->langs ? p->langs : 1) * sizeof(*r));

	if (!r)
		return NULL;
	for (size_t i = 0; i < p->langs; i++)
		r[i] = lang_row(&p->lang_of[i]);
	qsort(r, p->langs, sizeof(*r), by_size);
	return r;
}

void lu_mix_text(const struct lu_mix_view *v, struct lu_buf *out)
{
	struct row *lang = lang_rows(v->pool);
	struct row *group = malloc(v->plan->groups * sizeof(*group));

	if (lang && group) {
		for (size_t i = 0; i < v->plan->groups; i++)
			group[i] = group_row(&v->plan->group[i]);
		put_rows(out, "group", v->measure, group, v->plan->groups);
		lu_buf_putc(out, '\n');
		put_rows(out, "language", v->measure, lang, v->pool->langs);
	} else {
		out->failed = true;
	}
	free(lang);
	free(group);
}

static void json_row(struct lu_buf *b, const struct row *r, const char *more)
{
	lu_buf_puts(b, "{\"name\":");
	lu_json_quote(b, lu_str_of(r->name));
	lu_buf_printf(b,
			",\"docs\":%" PRIu64 ",\"size\":%" PRIu64 ",\"docs_after\":%" PRIu64
			",\"size_after\":%" PRIu64 "%s}",
			r->docs, r->size, r->docs_after, r->size_after, more);
}

void lu_mix_json(const struct lu_mix_view *v, struct lu_buf *out)
{
	struct row *lang = lang_rows(v->pool);
	char more[64];

	if (!lang) {
		out->failed = true;
		return;
	}
	lu_buf_printf(out, ",\"mix\":{\"measure\":\"%s\",\"groups\":[", v->measure);
	for (size_t i = 0; i < v->plan->groups; i++) {
		struct row r = group_row(&v->plan->group[i]);

		snprintf(more, sizeof(more), ",\"quota\":%" PRIu64, v->plan->group[i].quota);
		lu_buf_puts(out, i ? "," : "");
		json_row(out, &r, more);
	}
	lu_buf_puts(out, "],\"languages\":[");
	for (size_t i = 0; i < v->pool->langs; i++) {
		lu_buf_puts(out, i ? "," : "");
		json_row(out, &lang[i], "");
	}
	lu_buf_puts(out, "]}");
	free(lang);
}
