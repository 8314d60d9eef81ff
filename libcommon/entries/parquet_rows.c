#include "libcommon/entries/parquet_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/parquet/parquet_column.h"
#include "libcommon/parquet/parquet_record.h"
#include "libcommon/parquet/parquet_value_json.h"

struct rows {
	const struct lu_entries_options *o;
	struct lu_pq_schema schema;
	struct lu_pq_block head;
	struct LU_VEC(struct lu_pq_column) columns; /* one a leaf; of those not wanted empty */
	struct lu_str large;			    /* numbers of rows, in order */
	struct lu_buf line;
	uint64_t replaced;
	bool full; /* the row is larger than the limit: nothing more is written */
};

static bool is_named(void *ctx, struct lu_str name)
{
	static const char *const known[] = { "text", "id", "source", "license", "lang", "url",
		"date", "title", "category" };
	const struct lu_entries_options *o = ctx;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (lu_str_is(name, known[i]))
			return true;
	}
	return o->text_field && lu_str_is(name, o->text_field);
}

int lu_pq_choose(struct lu_pq_schema *s, const struct lu_entries_options *o, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	bool found;

	lu_pq_schema_want(s, is_named, (void *)(uintptr_t)o);
	if (!o->text_field)
		return 0;
	found = lu_pq_schema_find(s, lu_str_of(o->text_field)) != 0;
	/* A file whose records have the known name already passes. */
	if (found || lu_pq_schema_find(s, LU_STR("text")))
		return 0;
	for (uint32_t i = 1; i < s->nodes.n && list.n < 400; i = s->nodes.p[i].end) {
		if (list.n)
			lu_buf_puts(&list, ", ");
		lu_buf_masked(&list, s->nodes.p[i].name);
	}
	if (lu_buf_check(&list, err) == 0)
		lu_err_set(err, "no column '%s' for --text-field; the columns are " LU_STR_FMT,
				o->text_field, LU_STR_ARG(list));
	lu_buf_release(&list);
	return -1;
}

/* --- values -------------------------------------------------------------------------------- */

/* Pass over one entry of each column below a node: what is above them is null or empty. */
static int pass(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = &r->schema.nodes.p[i];

	for (uint32_t k = i; k < n->end; k++) {
		const struct lu_pq_node *leaf = &r->schema.nodes.p[k];

		if (leaf->kind != LU_PQ_LEAF || !leaf->wanted)
			continue;
		if (lu_pq_column_peek(&r->columns.p[leaf->leaf], err) < 0)
			return -1;
		lu_pq_column_take(&r->columns.p[leaf->leaf]);
	}
	return 0;
}

static int put_value(struct rows *r, uint32_t i, struct lu_err *err);

/* Write a separator, unless the row has become too large. Every value passes here. */
static void put(struct rows *r, const char *s)
{
	r->full |= r->line.n > r->o->limit;
	if (!r->full)
		lu_buf_puts(&r->line, s);
}

static int put_leaf(struct rows *r, const struct lu_pq_node *n, struct lu_err *err)
{
	struct lu_pq_column *c = &r->columns.p[n->leaf];

	(void)err;
	put(r, "");
	r->full |= c->value.too_large || c->value.s.n > r->o->limit;
	if (!r->full)
		lu_pq_value_json(n, &c->value, &r->line, &r->replaced);
	lu_pq_column_take(c);
	return 0;
}

static int put_struct(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = r->schema.nodes.p;
	const char *separator = "";

	put(r, "{");
	for (uint32_t k = i + 1; k < n[i].end; k = n[k].end) {
		if (!n[k].wanted)
			continue;
		put(r, separator);
		if (!r->full)
			lu_json_quote(&r->line, n[k].name);
		put(r, ":");
		if (put_value(r, k, err) < 0)
			return -1;
		separator = ",";
	}
	put(r, "}");
	return 0;
}

/* A key of a map: its value as a string. */
static int put_key(struct rows *r, uint32_t i, struct lu_err *err)
{
	size_t from = r->line.n;
	struct lu_buf key = { 0 };

	if (put_value(r, i, err) < 0)
		return -1;
	if (r->full || !lu_buf_ok(&r->line) || (r->line.n > from && r->line.p[from] == '"'))
		return 0;
	lu_buf_append(&key, r->line.p + from, r->line.n - from);
	r->line.n = from;
	r->line.failed |= !lu_buf_ok(&key);
	lu_json_quote(&r->line, lu_buf_slice(&key));
	lu_buf_release(&key);
	return 0;
}

static int put_pair(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = r->schema.nodes.p;
	uint32_t key = i + 1, value = n[key].end;

	if (!n[key].wanted) {
		put(r, "\"\"");
	} else if (put_key(r, key, err) < 0) {
		return -1;
	}
	put(r, ":");
	if (n[value].wanted)
		return put_value(r, value, err);
	put(r, "null");
	return 0;
}

/* What is there of a node, its optional level passed. */
static int put_present(struct rows *r, uint32_t i, struct lu_err *err);

/* The elements of a repeated node `of`, each written as the node `element`. */
static int put_elements(struct rows *r, uint32_t of, uint32_t element, bool map, struct lu_err *err)
{
	const struct lu_pq_node *n = &r->schema.nodes.p[of];
	struct lu_pq_column *c = &r->columns.p[n->leaf];
	const char *separator = map ? "{" : "[";

	if (lu_pq_column_peek(c, err) < 0)
		return -1;
	if (c->page.def < n->def) {
		put(r, map ? "{}" : "[]");
		return pass(r, of, err);
	}
	do {
		put(r, separator);
		separator = ",";
		if ((map ? put_pair(r, of, err)
						    : element == of
						    ? put_present(r, of, err)
						    : put_value(r, element, err)) < 0)
			return -1;
		/* Does the list go on? Behind the last page of the block it does not. */
		if (c->page.left == 0 && c->left == 0 && !c->have)
			break;
		if (lu_pq_column_peek(c, err) < 0)
			return -1;
	} while (c->page.rep == n->rep);
	put(r, map ? "}" : "]");
	return 0;
}

static int put_present(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = &r->schema.nodes.p[i];

	switch (n->kind) {
	case LU_PQ_LEAF: return put_leaf(r, n, err);
	case LU_PQ_LIST: return put_elements(r, i + 1, n->element, false, err);
	case LU_PQ_MAP: return put_elements(r, i + 1, n->element, true, err);
	case LU_PQ_STRUCT: break;
	}
	return put_struct(r, i, err);
}

static int put_value(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = &r->schema.nodes.p[i];
	struct lu_pq_column *c = &r->columns.p[n->leaf];

	if (n->repetition == LU_PQ_REPEATED)
		return put_elements(r, i, i, false, err);
	if (lu_pq_column_peek(c, err) < 0)
		return -1;
	if (c->page.def < n->def) {
		put(r, "null");
		return pass(r, i, err);
	}
	return put_present(r, i, err);
}

/* --- rows ---------------------------------------------------------------------------------- */

/* True if a column at the top is null in this row, which then is passed over. -1 on error. */
static int pass_null(struct rows *r, uint32_t i, struct lu_err *err)
{
	const struct lu_pq_node *n = &r->schema.nodes.p[i];
	struct lu_pq_column *c = &r->columns.p[n->leaf];

	if (lu_pq_column_peek(c, err) < 0)
		return -1;
	/* A row begins with an entry that continues nothing. */
	if (c->page.rep != 0)
		return lu_err_set(err, "more values than rows");
	if (n->repetition != LU_PQ_OPTIONAL || c->page.def >= n->def)
		return 0;
	return pass(r, i, err) < 0 ? -1 : 1;
}

static int put_row(struct rows *r, struct lu_err *err)
{
	const struct lu_pq_node *n = r->schema.nodes.p;

	lu_buf_clear(&r->line);
	r->replaced = 0;
	r->full = false;
	put(r, "{");
	for (uint32_t i = 1; i < r->schema.nodes.n; i = n[i].end) {
		int null = n[i].wanted ? pass_null(r, i, err) : 1;

		if (null < 0)
			return lu_err_wrap(err, "column '" LU_STR_FMT "'", LU_STR_ARG(n[i].name));
		if (null)
			continue;
		put(r, r->line.n > 1 ? "," : "");
		if (!r->full)
			lu_json_quote(&r->line, n[i].name);
		put(r, ":");
		if (put_value(r, i, err) < 0)
			return lu_err_wrap(err, "column '" LU_STR_FMT "'", LU_STR_ARG(n[i].name));
	}
	put(r, "}");
	return lu_buf_check(&r->line, err);
}

/* A row that lu_pq_writer wrote: the record in its own spelling. */
static int put_record(struct rows *r, struct lu_err *err)
{
	struct lu_str value[LU_PQ_RECORD_COLUMNS];

	lu_buf_clear(&r->line);
	r->full = false;
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++) {
		struct lu_pq_column *c = &r->columns.p[i];

		if (lu_pq_column_peek(c, err) < 0)
			return -1;
		value[i] = (struct lu_str){ 0 };
		if (c->page.def == c->node->def) {
			r->full |= c->value.too_large;
			value[i] = c->value.s;
		}
		lu_pq_column_take(c);
	}
	if (r->full)
		return 0;
	return lu_pq_record_join(value, &r->line, err);
}

/* Pass over a row of which the columns hold only a part. */
static int pass_row(struct rows *r, struct lu_err *err)
{
	for (size_t k = 0; k < r->columns.n; k++) {
		struct lu_pq_column *c = &r->columns.p[k];

		if (!c->node)
			continue;
		do {
			if (lu_pq_column_peek(c, err) < 0)
				return -1;
			lu_pq_column_take(c);
			if (c->page.left == 0 && c->left == 0)
				break;
		} while (c->node->rep && lu_pq_column_peek(c, err) == 0 && c->page.rep != 0);
	}
	r->full = true;
	return 0;
}

static bool is_large(struct rows *r, uint64_t row)
{
	uint64_t n;

	if (r->large.n < sizeof(n))
		return false;
	memcpy(&n, r->large.p, sizeof(n));
	if (n != row)
		return false;
	/* A row may be too large in several columns. */
	while (r->large.n && memcmp(&n, r->large.p, sizeof(n)) == 0)
		r->large = (struct lu_str){ r->large.p + sizeof(n), r->large.n - sizeof(n) };
	return true;
}

static int next_row(struct rows *r, uint64_t row, struct lu_err *err)
{
	if (is_large(r, row))
		return pass_row(r, err);
	return r->head.records ? put_record(r, err) : put_row(r, err);
}

static int emit_row(struct rows *r, uint64_t row, const char *damage, lu_entry_fn *emit, void *ctx,
		struct lu_err *err)
{
	struct lu_entry e = { .content = LU_ENTRY_RECORD };
	char name[24];

	snprintf(name, sizeof(name), "%" PRIu64, row + 1);
	e.name = lu_str_of(name);
	if (damage) {
		e.drop = "damaged page";
		e.bad = true;
		e.detail = lu_str_of(damage);
	} else if (r->full || r->line.n > r->o->limit) {
		e.drop = "longer than --max-line";
		e.bad = true;
	} else {
		e.bytes = lu_buf_slice(&r->line);
		e.size = r->line.n;
		e.charset_errors = r->replaced;
	}
	return emit(ctx, &e, err);
}

/* Say once which columns are left out. */
static int emit_left_out(struct rows *r, lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	struct lu_buf path = { 0 };
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < r->schema.leaves.n; k++) {
		uint32_t i = r->schema.leaves.p[k];
		const struct lu_pq_node *n = &r->schema.nodes.p[i];
		struct lu_entry e = { .drop = n->meaning == LU_PQ_OTHER ? "column type"
									: "column of bytes" };

		if (n->wanted)
			continue;
		lu_buf_clear(&path);
		lu_pq_schema_path(&r->schema, i, &path);
		rc = lu_buf_check(&path, err);
		e.name = lu_buf_slice(&path);
		if (rc == 0)
			rc = emit(ctx, &e, err);
	}
	lu_buf_release(&path);
	return rc;
}

/* Set up the columns over their parts of the block. */
static int begin(struct rows *r, struct lu_str block, struct lu_err *err)
{
	struct lu_str list;

	if (block.n < sizeof(r->head))
		return lu_err_set(err, "a block of rows that is cut");
	memcpy(&r->head, block.p, sizeof(r->head));
	block = (struct lu_str){ block.p + sizeof(r->head), block.n - sizeof(r->head) };
	if (r->head.large > block.n / 8 || r->head.schema > block.n - r->head.large * (size_t)8)
		return lu_err_set(err, "a block of rows that is cut");
	block.n -= r->head.large * (size_t)8;
	r->large = (struct lu_str){ block.p + block.n, r->head.large * (size_t)8 };
	list = (struct lu_str){ block.p, r->head.schema };
	block = (struct lu_str){ block.p + list.n, block.n - list.n };
	if (lu_pq_schema_read(&r->schema, list, err) < 0 || lu_pq_choose(&r->schema, r->o, err) < 0)
		return -1;
	if (!lu_vec_reserve(&r->columns, r->schema.leaves.n))
		return lu_err_nomem(err);
	for (size_t k = 0; k < r->schema.leaves.n; k++) {
		const struct lu_pq_node *n = &r->schema.nodes.p[r->schema.leaves.p[k]];

		r->columns.p[r->columns.n++] = (struct lu_pq_column){ 0 };
		if (n->wanted &&
				lu_pq_column_begin(&r->columns.p[k], n, &block, r->o->limit, err) <
						0)
			return -1;
	}
	return 0;
}

static int convert(struct rows *r, lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	struct lu_err damage = { 0 };
	bool damaged = false;

	if (r->head.first && emit_left_out(r, emit, ctx, err) < 0)
		return -1;
	for (uint64_t i = 0; i < r->head.rows; i++) {
		if (!damaged && next_row(r, r->head.row + i, &damage) < 0) {
			if (damage.errnum == ENOMEM)
				return lu_err_nomem(err);
			damaged = true;
		}
		if (emit_row(r, r->head.row + i, damaged ? damage.msg : NULL, emit, ctx, err) < 0)
			return -1;
	}
	return 0;
}

int lu_pq_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct rows r = { .o = o };
	int rc = begin(&r, block, err);

	if (rc == 0)
		rc = convert(&r, emit, ctx, err);
	for (size_t i = 0; i < r.columns.n; i++)
		lu_pq_column_release(&r.columns.p[i]);
	lu_vec_release(&r.columns);
	lu_pq_schema_release(&r.schema);
	lu_buf_release(&r.line);
	return rc;
}
