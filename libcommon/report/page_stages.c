#include "libcommon/report/page_stages.h"

#include <inttypes.h>

#include "libcommon/io/json.h"
#include "libcommon/report/markup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- documents ---------------------------------------------------------------------------- */

static void put_sizes(struct lu_buf *b, uint64_t in, uint64_t out, uint64_t wall_ms)
{
	double wall = (double)wall_ms / 1000;

	lu_markup_cell_fixed(b, (double)in / 1e6, 2);
	lu_markup_cell_fixed(b, (double)out / 1e6, 2);
	lu_markup_cell_fixed(b, wall, 2);
	lu_markup_cell_fixed(b, wall > 0 ? (double)in / 1e6 / wall : 0, 1);
}

static void put_total_row(struct lu_buf *b, const struct lu_total *t)
{
	lu_buf_puts(b, "<tr class=sum><td>total</td>");
	lu_markup_cell_u64(b, t->in);
	lu_markup_cell_u64(b, t->dropped);
	lu_markup_cell_share(b, t->dropped, t->in);
	lu_markup_cell_u64(b, t->repeated);
	lu_markup_cell_u64(b, t->out);
	lu_buf_puts(b, "<td></td><td></td>");
	lu_markup_cell_fixed(b, (double)t->wall_ms / 1000, 2);
	lu_buf_puts(b, "<td></td></tr>\n");
}

/* Members of archives are no documents unless they have text of their own. */
static void put_members(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const what[] = { "excluded by pattern", "links", "special files" };
	const uint64_t n[] = { a->excluded, a->links, a->special };
	const char *comma = "<p>Members of archives that are no documents: ";

	for (size_t i = 0; i < COUNT(n); i++) {
		if (n[i] == 0)
			continue;
		lu_buf_puts(b, comma);
		lu_markup_u64(b, n[i]);
		lu_buf_printf(b, " %s", what[i]);
		comma = ", ";
	}
	if (*comma == ',')
		lu_buf_puts(b, ".</p>\n");
}

static void put_table(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "documents in", "dropped", "", "repeated",
		"documents out", "MB in", "MB out", "seconds", "MB/s" };

	lu_markup_heading(b, "Documents by stage");
	lu_markup_open_table(b, head, COUNT(head), 1);
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];
		uint64_t dropped = lu_stage_dropped(s);

		lu_buf_puts(b, "<tr>");
		lu_markup_cell_str(b, lu_str_of(s->name));
		lu_markup_cell_u64(b, s->in.docs);
		lu_markup_cell_u64(b, dropped);
		lu_markup_cell_share(b, dropped, s->in.docs);
		lu_markup_cell_u64(b, s->repeated);
		lu_markup_cell_u64(b, s->out.docs);
		put_sizes(b, s->in.bytes, s->out.bytes, s->wall_ms);
		lu_buf_puts(b, "</tr>\n");
	}
	put_total_row(b, &a->total);
	lu_markup_close_table(b);
	put_members(b, a);
	for (size_t i = 0; i < a->fault.n; i++) {
		lu_buf_puts(b, "<p class=bad>");
		lu_markup_escape(b, lu_str_of(a->fault.p[i]));
		lu_buf_puts(b, "</p>\n");
	}
	if (a->fault.n == 0)
		lu_buf_puts(b, "<p>In every line, in + repeated = out + dropped.</p>\n");
}

static void put_reasons(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "reason", "documents", "of what came in" };
	bool any = false;

	for (size_t i = 0; i < a->stage.n; i++)
		any |= a->stage.p[i].dropped.n > 0;
	if (!any)
		return;
	lu_markup_heading(b, "Why documents were dropped");
	lu_markup_open_table(b, head, COUNT(head), 2);
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];

		for (size_t k = 0; k < s->dropped.n; k++) {
			const struct lu_stage_reason *r = &s->dropped.p[k];

			lu_buf_puts(b, "<tr>");
			lu_markup_cell_str(b, lu_str_of(s->name));
			lu_markup_cell_str(b, lu_str_of(r->name));
			lu_markup_cell_u64(b, r->docs);
			lu_markup_cell_share(b, r->docs, s->in.docs);
			lu_buf_puts(b, "</tr>\n");
		}
	}
	lu_markup_close_table(b);
}

/* --- the mix ------------------------------------------------------------------------------ */

struct mix_row {
	struct lu_str name;
	uint64_t docs, size, docs_after, size_after;
};

/* Read an element of "groups" or "languages"; false if it is malformed. When memory is out,
 * b->failed is set too. */
static bool read_mix_row(
		struct lu_buf *b, struct lu_str raw, struct lu_arena *arena, struct mix_row *r)
{
	static const char *const key[] = { "docs", "size", "docs_after", "size_after" };
	uint64_t *value[] = { &r->docs, &r->size, &r->docs_after, &r->size_after };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	if (lu_json_object(raw, arena, &obj, &fault) < 0) {
		b->failed |= fault.kind == LU_JSON_NO_MEMORY;
		return false;
	}
	m = lu_json_get(&obj, "name");
	if (!m || m->type != LU_JSON_STRING)
		return false;
	if (lu_json_decode_known(m->value, m->escaped, arena, &r->name) < 0) {
		b->failed = true;
		return false;
	}
	for (size_t i = 0; i < COUNT(key); i++) {
		m = lu_json_get(&obj, key[i]);
		if (!m || !lu_json_u64(m, value[i]))
			return false;
	}
	return true;
}

static void put_mix_row(struct lu_buf *b, const struct mix_row *r, const struct mix_row *all)
{
	lu_markup_cell_str(b, r->name);
	lu_markup_cell_u64(b, r->docs);
	lu_markup_cell_u64(b, r->size);
	lu_markup_cell_share(b, r->size, all->size);
	lu_markup_cell_u64(b, r->docs_after);
	lu_markup_cell_u64(b, r->size_after);
	lu_markup_cell_share(b, r->size_after, all->size_after);
	lu_markup_cell_fixed(b, r->size ? (double)r->size_after / (double)r->size : 0, 3);
	lu_buf_puts(b, "</tr>\n");
}

/* One row for each well-formed element, and the totals. */
static void put_mix_table(
		struct lu_buf *b, struct lu_str rows, const char *what, const char *measure)
{
	const char *const head[] = { what, "documents", measure, "before", "documents", measure,
		"after", "epochs" };
	struct mix_row r, all = { .name = LU_STR("total") };
	struct lu_arena arena = { 0 };

	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!read_mix_row(b, it.value, &arena, &r))
			continue;
		all.docs += r.docs;
		all.size += r.size;
		all.docs_after += r.docs_after;
		all.size_after += r.size_after;
	}
	lu_markup_open_table(b, head, COUNT(head), 1);
	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!read_mix_row(b, it.value, &arena, &r))
			continue;
		lu_buf_puts(b, "<tr>");
		put_mix_row(b, &r, &all);
	}
	lu_buf_puts(b, "<tr class=sum>");
	put_mix_row(b, &all, &all);
	lu_markup_close_table(b);
	lu_arena_release(&arena);
}

static void put_mix(struct lu_buf *b, struct lu_str mix)
{
	struct lu_arena arena = { 0 };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str measure = LU_STR("size");

	if (lu_json_object(mix, &arena, &obj, &fault) < 0) {
		b->failed |= fault.kind == LU_JSON_NO_MEMORY;
		goto out;
	}
	m = lu_json_get(&obj, "measure");
	if (m && m->type == LU_JSON_STRING)
		measure = (struct lu_str){ m->value.p + 1, m->value.n - 2 };
	/* A C string for put_mix_table(): lu_arena_str() appends the NUL. */
	measure = lu_arena_str(&arena, measure);
	if (!measure.p) {
		b->failed = true;
		goto out;
	}
	m = lu_json_get(&obj, "languages");
	if (m && m->type == LU_JSON_ARRAY) {
		lu_markup_heading(b, "Languages before and after mixing");
		put_mix_table(b, m->value, "language", measure.p);
	}
	m = lu_json_get(&obj, "groups");
	if (m && m->type == LU_JSON_ARRAY) {
		lu_markup_heading(b, "Groups of the recipe");
		put_mix_table(b, m->value, "group", measure.p);
	}
out:
	lu_arena_release(&arena);
}

/* --- the whole ---------------------------------------------------------------------------- */

/* in + repeated = out + dropped + held out */
static void put_sum(struct lu_buf *b, const struct lu_total *t)
{
	uint64_t in = t->in + t->repeated;
	uint64_t out = t->out + t->dropped + t->held_out + t->unread;

	lu_buf_puts(b, "<p>");
	lu_markup_u64(b, t->in);
	lu_buf_puts(b, " in + ");
	lu_markup_u64(b, t->repeated);
	lu_buf_puts(b, in == out ? " repeated = " : " repeated &#8800; ");
	lu_markup_u64(b, t->out);
	lu_buf_puts(b, " out + ");
	lu_markup_u64(b, t->dropped);
	lu_buf_puts(b, " dropped");
	if (t->held_out) {
		lu_buf_puts(b, " + ");
		lu_markup_u64(b, t->held_out);
		lu_buf_puts(b, " held out");
	}
	if (t->unread) {
		lu_buf_puts(b, " + ");
		lu_markup_u64(b, t->unread);
		lu_buf_puts(b, " not read by a later stage");
	}
	lu_buf_puts(b, "</p>\n");
}

void lu_page_total(struct lu_buf *b, const struct lu_accounts *a)
{
	const struct lu_total *t = &a->total;

	lu_buf_puts(b, "<div class=tiles>\n");
	lu_markup_tile(b, "documents in", t->in);
	lu_markup_tile(b, "repeated", t->repeated);
	lu_markup_tile(b, "documents out", t->out);
	lu_markup_tile(b, "dropped", t->dropped);
	if (t->held_out)
		lu_markup_tile(b, "held out", t->held_out);
	if (t->unread)
		lu_markup_tile(b, "not read by a later stage", t->unread);
	lu_buf_puts(b, "</div>\n");
	put_sum(b, t);
}

void lu_page_stages(struct lu_buf *b, const struct lu_accounts *a)
{
	put_table(b, a);
	put_reasons(b, a);
	for (size_t i = 0; i < a->stage.n; i++) {
		if (a->stage.p[i].mix.n)
			put_mix(b, a->stage.p[i].mix);
	}
}
