#include "libcommon/order/traced.h"

#include <math.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"

/* Rows of the table that are held to align them. */
#define ROWS 1000

void lu_traced_begin(struct lu_traced *a)
{
	static const char *const document[] = { "step", "sample", "from", "to", "document",
		"tokens", "lang", "license", "source", "id", "shard" };
	static const char *const with_targets[] = { "step", "sample", "from", "to", "targets",
		"document", "tokens", "lang", "license", "source", "id", "shard" };
	static const char *const by[] = { NULL, "license", "lang", "source" };
	struct lu_table t = { .head = a->targets ? with_targets : document,
		.columns = a->targets ? 12 : 11,
		.last_left = true };

	a->total[0] = "documents";
	a->total[1] = "tokens";
	a->total[2] = "share";
	a->total[3] = by[a->by];
	if (a->by) {
		t.head = a->total;
		t.columns = 4;
	} else if (!a->steps) {
		t.head += 2;
		t.columns -= 2;
	}
	a->table = t;
}

static struct lu_str field_of(const struct lu_traced *r, const struct lu_ledger_doc *d)
{
	return r->by == LU_BY_LICENSE ? d->license : r->by == LU_BY_LANG ? d->lang : d->source;
}

/* Write the rows of the table so far. */
static int flush_table(struct lu_traced *r, struct lu_err *err)
{
	lu_buf_clear(&r->line);
	if (lu_table_put(&r->table, &r->line, err) < 0)
		return -1;
	return lu_out_buf(r->out, &r->line, err);
}

/* Add the cell of a member of the ledger, raw JSON: the text of a string, "-" for null. */
static int add_member(struct lu_traced *r, struct lu_str raw, struct lu_err *err)
{
	struct lu_str s = raw;

	if (lu_str_is(raw, "null"))
		s = LU_STR("-");
	else if (raw.n && raw.p[0] == '"' && lu_json_decode(raw, &r->arena, &s) < 0)
		return lu_err_nomem(err);
	lu_table_str(&r->table, s);
	return 0;
}

static int put_row(struct lu_traced *r, const struct lu_traced_answer *a,
		const struct lu_ledger_doc *d, struct lu_err *err)
{
	struct lu_table *t = &r->table;

	if (r->steps) {
		lu_table_cstr(t, a->step);
		lu_table_u64(t, a->sample);
	}
	lu_table_u64(t, a->from);
	lu_table_u64(t, a->to);
	if (r->targets)
		lu_table_u64(t, r->found.n);
	lu_table_u64(t, d->document);
	lu_table_u64(t, d->tokens);
	lu_arena_reset(&r->arena);
	if (add_member(r, d->lang, err) < 0 || add_member(r, d->license, err) < 0 ||
			add_member(r, d->source, err) < 0 || add_member(r, d->id, err) < 0)
		return -1;
	lu_table_cstr(t, lu_shard_prefix(a->shard));
	return t->cells < ROWS * t->columns ? 0 : flush_table(r, err);
}

static void put_targets(const struct lu_targets *t, struct lu_buf *b)
{
	lu_json_put_u64(b, "targets", t->n);
	lu_json_open_array(b, "target_ranges");
	for (size_t i = 0; i < t->range.n; i++) {
		lu_json_open_array(b, NULL);
		lu_json_put_u64(b, NULL, t->range.p[i].from);
		lu_json_put_u64(b, NULL, t->range.p[i].to);
		lu_json_close_array(b);
	}
	lu_json_close_array(b);
}

/* Write a line, or add to the totals. */
int lu_traced_put(struct lu_traced *r, const struct lu_traced_answer *a,
		const struct lu_ledger_doc *d, struct lu_err *err)
{
	struct lu_buf *b = &r->line;

	if (r->targets &&
			lu_targets_find(&r->found, a->shard, d->first, a->label, a->to, a->goldfish,
					err) < 0)
		return -1;
	if (r->by)
		return lu_tally_add(&r->tally, field_of(r, d), 1,
				r->targets ? r->found.n : a->to - a->from, 0, err);
	if (!r->json)
		return put_row(r, a, d, err);
	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	if (r->steps) {
		lu_json_put_raw(b, "step", lu_str_of(a->step));
		lu_json_put_u64(b, "sample", a->sample);
	}
	lu_json_put_cstr(b, "shard", lu_shard_prefix(a->shard));
	lu_json_put_u64(b, "from", a->from);
	lu_json_put_u64(b, "to", a->to);
	if (r->targets)
		put_targets(&r->found, b);
	lu_json_put_u64(b, "document", d->document);
	lu_ledger_put_members(d, b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	return lu_out_buf(r->out, b, err);
}

static int put_total(struct lu_traced *r, const struct lu_manifest_total *t, uint64_t all,
		struct lu_err *err)
{
	double share = all ? (double)t->tokens / (double)all : (double)NAN;
	struct lu_buf *b = &r->line;

	if (!r->json) {
		lu_table_u64(&r->table, t->documents);
		lu_table_u64(&r->table, t->tokens);
		lu_table_fixed(&r->table, 100 * share, 2, "%");
		return add_member(r, t->value, err);
	}
	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	lu_json_put_raw(b, r->total[3], t->value);
	lu_json_put_u64(b, "documents", t->documents);
	lu_json_put_u64(b, "tokens", t->tokens);
	lu_json_put_double(b, "share", share);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	return lu_out_buf(r->out, b, err);
}

static int put_totals(struct lu_traced *r, struct lu_err *err)
{
	uint64_t tokens = 0;

	lu_tally_sort(&r->tally);
	for (size_t i = 0; i < r->tally.total.n; i++)
		tokens += r->tally.total.p[i].tokens;
	for (size_t i = 0; i < r->tally.total.n; i++) {
		if (put_total(r, &r->tally.total.p[i], tokens, err) < 0)
			return -1;
	}
	return 0;
}

int lu_traced_finish(struct lu_traced *r, struct lu_err *err)
{
	if (r->by && put_totals(r, err) < 0)
		return -1;
	return r->json ? 0 : flush_table(r, err);
}

void lu_traced_release(struct lu_traced *a)
{
	lu_tally_release(&a->tally);
	lu_table_release(&a->table);
	lu_arena_release(&a->arena);
	lu_buf_release(&a->line);
	lu_targets_release(&a->found);
}
