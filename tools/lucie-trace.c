/* lucie-trace: tokens of a shard, or the data of a training step, to documents, sources and
 * licences. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/order/step_lookup.h"
#include "libcommon/order/traced.h"
#include "libcommon/sys/tool.h"

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
	struct LU_VEC(struct span) span;
	struct lu_traced answers;
};

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
		struct lu_traced_answer a = { .shard = s,
			.from = d.first > from ? d.first : from,
			.to = end < to ? end : to };

		a.label = a.from;
		if (d.tokens && lu_traced_put(&r->answers, &a, &d, err) < 0)
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
		struct lu_traced_answer a = {
			.shard = s, .from = d.first, .to = d.first + d.tokens, .label = d.first
		};

		if (lu_traced_put(&r->answers, &a, &d, err) < 0)
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
		struct lu_traced_answer a = { number, it->tag, it->shard, it->from, it->to,
			lu_step_first_label(step, &found, i), step->goldfish };

		rc = lu_traced_put(&r->answers, &a, &it->doc, err);
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

static int run(const struct options *o, const char *name, struct lu_err *err)
{
	struct run r = { .o = o,
		.answers = { .by = o->licenses		     ? LU_BY_LICENSE
						: o->langs   ? LU_BY_LANG
						: o->sources ? LU_BY_SOURCE
							     : LU_BY_NOTHING,
				.steps = o->step.n,
				.targets = o->targets,
				.json = o->json } };
	int rc = parse_spans(&r, err);

	lu_traced_begin(&r.answers);
	if (rc == 0)
		rc = lu_out_open(&r.answers.out, o->std.output, o->std.compress, 1, err);
	if (rc == 0 && o->step.n == 0)
		rc = trace_shard(&r, name, err);
	for (size_t i = 0; rc == 0 && i < o->step.n; i++)
		rc = trace_step(&r, name, o->step.item[i], err);
	if (rc == 0)
		rc = lu_traced_finish(&r.answers, err);
	if (rc == 0) {
		rc = lu_out_commit(r.answers.out, err);
		r.answers.out = NULL;
	}
	lu_out_abort(r.answers.out);
	lu_traced_release(&r.answers);
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
