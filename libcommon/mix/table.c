#include "libcommon/mix/table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"

struct row {
	struct lu_str name;
	uint64_t docs, size, docs_after, size_after;
};

static struct row group_row(const struct lu_plan_group *g)
{
	return (struct row){ lu_str_of(g->name), g->documents, g->tokens,
		g->passes * g->documents + g->last, g->planned };
}

static struct row lang_row(const struct lu_pool *p, size_t i)
{
	const struct lu_pool_lang *l = &p->by_lang.p[i];

	return (struct row){ p->langs.name.p[i], l->docs, l->size, l->docs_after, l->size_after };
}

/* The largest in the mix first, ties by name, so that the order does not depend on the input's. */
static int by_size(const void *a, const void *b)
{
	const struct row *p = a, *q = b;

	if (p->size_after != q->size_after)
		return p->size_after > q->size_after ? -1 : 1;
	return lu_str_cmp(p->name, q->name);
}

/* malloc'd; NULL when memory is out. */
static struct row *lang_rows(const struct lu_pool *p)
{
	size_t n = p->by_lang.n;
	struct row *r = malloc((n ? n : 1) * sizeof(*r));

	if (!r)
		return NULL;
	for (size_t i = 0; i < n; i++)
		r[i] = lang_row(p, i);
	qsort(r, n, sizeof(*r), by_size);
	return r;
}

/* --- text --------------------------------------------------------------------------------- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

/* Names come from documents: control characters would break the line, or move the cursor. */
static void put_name(struct lu_buf *b, struct lu_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		lu_buf_putc(b, (char)(c < 0x20 || c == 0x7f ? '?' : c));
	}
	for (size_t i = name.n; i < 20; i++)
		lu_buf_putc(b, ' ');
}

static void put_row(struct lu_buf *b, const struct row *r, const struct row *total)
{
	put_name(b, r->name);
	lu_buf_printf(b,
			" %11" PRIu64 " %15" PRIu64 " %8.3f %% %11" PRIu64 " %15" PRIu64
			" %8.3f %% %7.3f\n",
			r->docs, r->size, percent(r->size, total->size), r->docs_after,
			r->size_after, percent(r->size_after, total->size_after),
			r->size ? (double)r->size_after / (double)r->size : 0);
}

static void put_table(struct lu_buf *b, const char *title, const char *unit, const struct row *r,
		size_t n)
{
	struct row total = { .name = LU_STR("total") };

	lu_buf_printf(b, "%-20s %11s %15s %10s %11s %15s %10s %7s\n", title, "documents", unit,
			"before", "documents", unit, "after", "epochs");
	for (size_t i = 0; i < n; i++) {
		total.docs += r[i].docs;
		total.size += r[i].size;
		total.docs_after += r[i].docs_after;
		total.size_after += r[i].size_after;
	}
	for (size_t i = 0; i < n; i++)
		put_row(b, &r[i], &total);
	put_row(b, &total, &total);
}

void lu_mix_text(const struct lu_mix_view *v, struct lu_buf *out)
{
	struct row *lang = lang_rows(v->pool);
	struct row *group = malloc(v->plan->groups * sizeof(*group));

	if (lang && group) {
		for (size_t i = 0; i < v->plan->groups; i++)
			group[i] = group_row(&v->plan->group[i]);
		put_table(out, "group", v->unit, group, v->plan->groups);
		lu_buf_putc(out, '\n');
		put_table(out, "language", v->unit, lang, v->pool->by_lang.n);
	} else {
		out->failed = true;
	}
	free(lang);
	free(group);
}

/* --- JSON --------------------------------------------------------------------------------- */

/* Leaves the object open. */
static void put_members(struct lu_buf *b, const struct row *r)
{
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "name", r->name);
	lu_json_put_u64(b, "docs", r->docs);
	lu_json_put_u64(b, "size", r->size);
	lu_json_put_u64(b, "docs_after", r->docs_after);
	lu_json_put_u64(b, "size_after", r->size_after);
}

void lu_mix_json(const struct lu_mix_view *v, struct lu_buf *out)
{
	struct row *lang = lang_rows(v->pool);

	if (!lang) {
		out->failed = true;
		return;
	}
	lu_json_open_object(out, "mix");
	lu_json_put_cstr(out, "measure", v->unit);
	lu_json_open_array(out, "groups");
	for (size_t i = 0; i < v->plan->groups; i++) {
		struct row r = group_row(&v->plan->group[i]);

		put_members(out, &r);
		lu_json_put_u64(out, "quota", v->plan->group[i].quota);
		lu_json_close_object(out);
	}
	lu_json_close_array(out);
	lu_json_open_array(out, "languages");
	for (size_t i = 0; i < v->pool->by_lang.n; i++) {
		put_members(out, &lang[i]);
		lu_json_close_object(out);
	}
	lu_json_close_array(out);
	lu_json_close_object(out);
	free(lang);
}
