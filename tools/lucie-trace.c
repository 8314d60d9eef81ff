/* lucie-trace: tokens of a shard, or the data of a training step, to documents, sources and
 * licences. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/text_table.h"
#include "libcommon/io/json.h"
#include "libcommon/io/outstream.h"
#include "libcommon/order/step_lookup.h"
#include "libcommon/order/targets.h"
#include "libcommon/shard/tally.h"
#include "libcommon/sys/tool.h"

/* Rows of the table that are held to align them. */
#define ROWS 1000
#define TOTAL_COLUMNS 4

struct options {
	struct lu_std std;
	struct lu_list token, range, step;
	bool licenses, langs, sources, targets, json;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "token", struct options, token, "N", "token N of the shard"),
	LU_OPT_LIST(0, "range", struct options, range, "A:B", "tokens A to B - 1 of the shard"),
	LU_OPT_LIST(0, "step", struct options, step, "N", "the data of step N of the run"),
	LU_OPT_FLAG(0, "licenses", struct options, licenses, "sum up by licence"),
	LU_OPT_FLAG(0, "langs", struct options, langs, "sum up by language"),
	LU_OPT_FLAG(0, "sources", struct options, sources, "sum up by source"),
	LU_OPT_FLAG(0, "targets", struct options, targets, "say which tokens are targets"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON instead of a table"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-trace",
	"traces tokens to documents, sources and licences", "PREFIX | RUN", opts, LU_STD_OUTPUT,
	offsetof(struct options, std) };

/* --token or --range. */
struct span {
	const char *text; /* as given */
	uint64_t from, to;
};

struct run {
	const struct options *o;
	const char *field; /* to sum up by; NULL: documents are listed */
	struct LU_VEC(struct span) span;
	struct lu_out *out;
	struct lu_buf line;
	struct lu_tally tally;
	struct lu_table table;
	struct lu_arena arena;	   /* of one row */
	struct lu_targets targets; /* of one answer, with --targets */
};

/* --- answers ------------------------------------------------------------------------------ */

/* Tokens of one document. */
struct answer {
	const char *step; /* NULL for a shard */
	uint64_t sample;
	const struct lu_shard *shard;
	uint64_t from, to;
	uint64_t label;	   /* the first that is a label; what precedes it is an id only */
	uint64_t goldfish; /* K, or 0 */
};

static struct lu_str field_of(const struct options *o, const struct lu_ledger_doc *d)
{
	return o->licenses ? d->license : o->langs ? d->lang : d->source;
}

/* Write the rows of the table so far. */
static int flush_table(struct run *r, struct lu_err *err)
{
	lu_buf_clear(&r->line);
	if (lu_table_put(&r->table, &r->line, err) < 0)
		return -1;
	return lu_out_buf(r->out, &r->line, err);
}

/* Add the cell of a member of the ledger, raw JSON: the text of a string, "-" for null. */
static int add_member(struct run *r, struct lu_str raw, struct lu_err *err)
{
	struct lu_str s = raw;

	if (lu_str_is(raw, "null"))
		s = LU_STR("-");
	else if (raw.n && raw.p[0] == '"' && lu_json_decode(raw, &r->arena, &s) < 0)
		return lu_err_nomem(err);
	lu_table_str(&r->table, s);
	return 0;
}

static int put_row(struct run *r, const struct answer *a, const struct lu_ledger_doc *d,
		struct lu_err *err)
{
	struct lu_table *t = &r->table;

	if (a->step) {
		lu_table_cstr(t, a->step);
		lu_table_u64(t, a->sample);
	}
	lu_table_u64(t, a->from);
	lu_table_u64(t, a->to);
	if (r->o->targets)
		lu_table_u64(t, r->targets.n);
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
static int put_answer(struct run *r, const struct answer *a, const struct lu_ledger_doc *d,
		struct lu_err *err)
{
	struct lu_buf *b = &r->line;

	if (r->o->targets &&
			lu_targets_find(&r->targets, a->shard, d->first, a->label, a->to,
					a->goldfish, err) < 0)
		return -1;
	if (r->field)
		return lu_tally_add(&r->tally, field_of(r->o, d), 1,
				r->o->targets ? r->targets.n : a->to - a->from, 0, err);
	if (!r->o->json)
		return put_row(r, a, d, err);
	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	if (a->step) {
		lu_json_put_raw(b, "step", lu_str_of(a->step));
		lu_json_put_u64(b, "sample", a->sample);
	}
	lu_json_put_cstr(b, "shard", lu_shard_prefix(a->shard));
	lu_json_put_u64(b, "from", a->from);
	lu_json_put_u64(b, "to", a->to);
	if (r->o->targets)
		put_targets(&r->targets, b);
	lu_json_put_u64(b, "document", d->document);
	lu_ledger_put_members(d, b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	return lu_out_buf(r->out, b, err);
}

static int put_total(
		struct run *r, const struct lu_manifest_total *t, uint64_t all, struct lu_err *err)
{
	double share = all ? (double)t->tokens / (double)all : (double)NAN;
	struct lu_buf *b = &r->line;

	if (!r->o->json) {
		lu_table_u64(&r->table, t->documents);
		lu_table_u64(&r->table, t->tokens);
		lu_table_fixed(&r->table, 100 * share, 2, "%");
		return add_member(r, t->value, err);
	}
	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	lu_json_put_raw(b, r->field, t->value);
	lu_json_put_u64(b, "documents", t->documents);
	lu_json_put_u64(b, "tokens", t->tokens);
	lu_json_put_double(b, "share", share);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	return lu_out_buf(r->out, b, err);
}

static int put_totals(struct run *r, struct lu_err *err)
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

/* --- a shard ------------------------------------------------------------------------------ */

static int trace_span(struct run *r, const struct lu_shard *s, struct lu_ledger *l, uint64_t from,
		uint64_t to, struct lu_err *err)
{
	struct lu_ledger_doc d;
	uint64_t document;
	int rc;

	if (from == to)
		return 0;
	if (lu_shard_document_at(s, from, &document, err) < 0 ||
			lu_ledger_seek(l, document, err) < 0)
		return -1;
	while ((rc = lu_ledger_next(l, &d, err)) > 0 && d.first < to) {
		uint64_t end = d.first + d.tokens;
		struct answer a = { .shard = s,
			.from = d.first > from ? d.first : from,
			.to = end < to ? end : to };

		a.label = a.from;
		if (d.tokens && put_answer(r, &a, &d, err) < 0)
			return -1;
		if (end >= to)
			break;
	}
	return rc < 0 ? -1 : 0;
}

/* All documents of the shard, those without tokens as well. */
static int trace_all(
		struct run *r, const struct lu_shard *s, struct lu_ledger *l, struct lu_err *err)
{
	struct lu_ledger_doc d;
	int rc;

	while ((rc = lu_ledger_next(l, &d, err)) > 0) {
		struct answer a = {
			.shard = s, .from = d.first, .to = d.first + d.tokens, .label = d.first
		};

		if (put_answer(r, &a, &d, err) < 0)
			return -1;
	}
	return rc;
}

static int trace_shard(struct run *r, const char *prefix, struct lu_err *err)
{
	struct lu_ledger *l = NULL;
	struct lu_shard *s = NULL;
	int rc = lu_shard_open(&s, prefix, err);

	if (rc == 0)
		rc = lu_ledger_open(&l, s, err);
	for (size_t i = 0; rc == 0 && i < r->span.n; i++) {
		const struct span *span = &r->span.p[i];

		if (span->to > lu_shard_tokens(s))
			rc = lu_err_set(err, "%s: has %" PRIu64 " tokens from 0 on, none is %s",
					prefix, lu_shard_tokens(s), span->text);
		else
			rc = trace_span(r, s, l, span->from, span->to, err);
	}
	if (rc == 0 && r->span.n == 0)
		rc = trace_all(r, s, l, err);
	lu_ledger_close(l);
	lu_shard_close(s);
	return rc;
}

/* --- a step of a run ---------------------------------------------------------------------- */

static void put_notes(const struct lu_stream *s)
{
	for (size_t i = 0; i < lu_stream_parts(s); i++) {
		if (lu_stream_part(s, i).note)
			lu_note("%s", lu_stream_part(s, i).note);
	}
}

static int trace_samples(struct run *r, const struct lu_step *step, const struct lu_rows *rows,
		const char *number, struct lu_err *err)
{
	struct lu_lookup found = { 0 };
	int rc = lu_step_lookup(step, rows, &found, err);

	for (size_t i = 0; rc == 0 && i < found.item.n; i++) {
		const struct lu_lookup_item *it = &found.item.p[i];
		struct answer a = { number, it->tag, it->shard, it->from, it->to,
			lu_step_first_label(step, &found, i), step->goldfish };

		rc = put_answer(r, &a, &it->doc, err);
	}
	lu_lookup_release(&found);
	return rc;
}

static int trace_step(struct run *r, const char *folder, const char *number, struct lu_err *err)
{
	struct lu_rows *rows = NULL;
	struct lu_step step;
	int rc;

	if (lu_step_read(&step, folder, number, err) < 0)
		return -1;
	rc = lu_rows_open(&rows, step.train, &step.rows, err);
	for (size_t i = 0; rc == 0 && i < lu_rows_sections(rows); i++)
		put_notes(lu_rows_section(rows, i)->stream);
	if (rc == 0)
		rc = lu_step_check_tokenizer(folder, rows, err);
	if (rc == 0)
		rc = trace_samples(r, &step, rows, number, err);
	lu_rows_close(rows);
	lu_step_release(&step);
	return rc;
}

/* --- the command line --------------------------------------------------------------------- */

/* "N" */
static int parse_token(const char *text, struct span *s)
{
	struct lu_err why;

	if (lu_num_u64(text, &s->from, &why) < 0 || s->from == UINT64_MAX)
		return -1;
	s->to = s->from + 1;
	return 0;
}

/* "A:B" with A < B */
static int parse_range(const char *text, struct span *s)
{
	const char *colon = strchr(text, ':');
	char from[24];
	struct lu_err why;
	size_t n = colon ? (size_t)(colon - text) : sizeof(from);

	if (n >= sizeof(from))
		return -1;
	memcpy(from, text, n);
	from[n] = '\0';
	if (lu_num_u64(from, &s->from, &why) < 0 || lu_num_u64(colon + 1, &s->to, &why) < 0)
		return -1;
	return s->from < s->to ? 0 : -1;
}

static int parse_spans(struct run *r, struct lu_err *err)
{
	const struct lu_list *token = &r->o->token, *range = &r->o->range;

	for (size_t i = 0; i < token->n + range->n; i++) {
		bool single = i < token->n;
		struct span s = { single ? token->item[i] : range->item[i - token->n], 0, 0 };

		if (single && parse_token(s.text, &s) < 0)
			lu_usage_error("--token '%s' is not a number", s.text);
		if (!single && parse_range(s.text, &s) < 0)
			lu_usage_error("--range '%s' is not A:B", s.text);
		if (!lu_vec_push(&r->span, s))
			return lu_err_nomem(err);
	}
	return 0;
}

static void check_usage(const struct options *o, const struct lu_args *args)
{
	size_t fields = o->licenses + o->langs + o->sources;

	if (args->files != 1 || strcmp(args->file[0], "-") == 0)
		lu_usage_error("one shard or run is needed");
	if (o->step.n && (o->token.n || o->range.n))
		lu_usage_error("--step applies to a run, --token and --range to a shard");
	if (fields > 1)
		lu_usage_error("only one of --licenses, --langs and --sources");
	if (fields == 0 && o->step.n + o->token.n + o->range.n == 0)
		lu_usage_error("--token, --range, --step or a total is needed");
}

/* Choose the columns: those of documents, from the step or without it, or those of totals. */
static struct lu_table choose_table(const struct options *o, const char *const *total)
{
	static const char *const document[] = { "step", "sample", "from", "to", "document",
		"tokens", "lang", "license", "source", "id", "shard" };
	static const char *const with_targets[] = { "step", "sample", "from", "to", "targets",
		"document", "tokens", "lang", "license", "source", "id", "shard" };
	struct lu_table t = { .head = o->targets ? with_targets : document,
		.columns = o->targets ? 12 : 11,
		.last_left = true };

	if (total[TOTAL_COLUMNS - 1]) {
		t.head = total;
		t.columns = TOTAL_COLUMNS;
	} else if (o->step.n == 0) {
		t.head += 2;
		t.columns -= 2;
	}
	return t;
}

static int run(const struct options *o, const char *name, struct lu_err *err)
{
	struct run r = { .o = o,
		.field = o->licenses	     ? "license"
				: o->langs   ? "lang"
				: o->sources ? "source"
					     : NULL };
	const char *const total[TOTAL_COLUMNS] = { "documents", "tokens", "share", r.field };
	int rc = parse_spans(&r, err);

	r.table = choose_table(o, total);
	if (rc == 0)
		rc = lu_out_open(&r.out, o->std.output, o->std.compress, 1, err);
	if (rc == 0 && o->step.n == 0)
		rc = trace_shard(&r, name, err);
	for (size_t i = 0; rc == 0 && i < o->step.n; i++)
		rc = trace_step(&r, name, o->step.item[i], err);
	if (rc == 0 && r.field)
		rc = put_totals(&r, err);
	if (rc == 0 && !o->json)
		rc = flush_table(&r, err);
	if (rc == 0) {
		rc = lu_out_commit(r.out, err);
		r.out = NULL;
	}
	lu_out_abort(r.out);
	lu_tally_release(&r.tally);
	lu_table_release(&r.table);
	lu_arena_release(&r.arena);
	lu_buf_release(&r.line);
	lu_targets_release(&r.targets);
	lu_vec_release(&r.span);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o, &args);
	rc = run(&o, args.file[0], &err);
	lu_list_release(&o.token);
	lu_list_release(&o.range);
	lu_list_release(&o.step);
	return lu_tool_finish(rc, &err);
}
