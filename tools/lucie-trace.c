/* lucie-trace: tokens of a shard, or what a training step saw, to documents, sources and
 * licences. */
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/io/outstream.h"
#include "libcommon/mix/stream.h"
#include "libcommon/shard/lookup.h"
#include "libcommon/shard/order.h"
#include "libcommon/shard/tally.h"
#include "libcommon/sys/conf.h"
#include "libcommon/sys/tool.h"

struct config {
	struct lu_std std;
	struct lu_list token, range, step;
	bool licenses, langs, sources;

	struct lu_out *out;
	struct lu_buf line;
	struct lu_tally tally;
	const char *field; /* what is added up; NULL: documents are listed */
};

/* What an answer is about. */
struct place {
	const char *step; /* NULL when a shard was asked */
	uint64_t sample;
	const struct lu_shard *shard;
	uint64_t from, to;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "token", struct config, token, "N", "this token of the shard"),
	LU_OPT_LIST(0, "range", struct config, range, "A:B", "tokens A to B - 1 of the shard"),
	LU_OPT_LIST(0, "step", struct config, step, "N", "what step N of the run was trained on"),
	LU_OPT_FLAG(0, "licenses", struct config, licenses, "add up by licence"),
	LU_OPT_FLAG(0, "langs", struct config, langs, "add up by language"),
	LU_OPT_FLAG(0, "sources", struct config, sources, "add up by source"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-trace",
	"tells the documents, sources and licences of tokens", "PREFIX | RUN", opts, LU_STD_OUTPUT,
	offsetof(struct config, std) };

/* --- answers ------------------------------------------------------------------------------ */

static struct lu_str field_of(const struct config *c, const struct lu_ledger_doc *d)
{
	return c->licenses ? d->license : c->langs ? d->lang : d->source;
}

/* One document and which of its tokens: a line, or its part of the totals. */
static int answer(struct config *c, const struct place *p, const struct lu_ledger_doc *d,
		struct lu_err *err)
{
	struct lu_buf *b = &c->line;

	if (c->field)
		return lu_tally_add(&c->tally, field_of(c, d), 1, p->to - p->from, 0, err);
	lu_buf_clear(b);
	lu_buf_putc(b, '{');
	if (p->step)
		lu_buf_printf(b, "\"step\":%s,\"sample\":%llu,", p->step,
				(unsigned long long)p->sample);
	lu_buf_puts(b, "\"shard\":");
	lu_json_quote(b, lu_str_of(lu_shard_prefix(p->shard)));
	lu_buf_printf(b, ",\"from\":%llu,\"to\":%llu,\"document\":%llu,\"id\":",
			(unsigned long long)p->from, (unsigned long long)p->to,
			(unsigned long long)d->document);
	lu_buf_str(b, d->id);
	lu_buf_puts(b, ",\"source\":");
	lu_buf_str(b, d->source);
	lu_buf_puts(b, ",\"license\":");
	lu_buf_str(b, d->license);
	lu_buf_puts(b, ",\"lang\":");
	lu_buf_str(b, d->lang);
	lu_buf_printf(b, ",\"first\":%llu,\"tokens\":%llu}\n", (unsigned long long)d->first,
			(unsigned long long)d->tokens);
	return lu_out_buf(c->out, b, err);
}

static int put_totals(struct config *c, struct lu_err *err)
{
	uint64_t tokens = 0;
	char share[32];

	lu_tally_sort(&c->tally);
	for (size_t i = 0; i < c->tally.n; i++)
		tokens += c->tally.total[i].tokens;
	for (size_t i = 0; i < c->tally.n; i++) {
		const struct lu_manifest_total *t = &c->tally.total[i];

		lu_buf_clear(&c->line);
		lu_buf_printf(&c->line, "{\"%s\":", c->field);
		lu_buf_str(&c->line, t->value);
		lu_num_format(tokens ? (double)t->tokens / (double)tokens : 0, share);
		lu_buf_printf(&c->line, ",\"documents\":%llu,\"tokens\":%llu,\"share\":%s}\n",
				(unsigned long long)t->documents, (unsigned long long)t->tokens,
				share);
		if (lu_out_buf(c->out, &c->line, err) < 0)
			return -1;
	}
	return 0;
}

/* --- a shard ------------------------------------------------------------------------------ */

static int trace_range(struct config *c, const struct lu_shard *s, struct lu_ledger *l,
		uint64_t from, uint64_t to, struct lu_err *err)
{
	struct lu_ledger_doc d;
	int rc;

	if (from == to)
		return 0;
	if (lu_ledger_seek(l, lu_shard_document_at(s, from), err) < 0)
		return -1;
	while ((rc = lu_ledger_next(l, &d, err)) > 0 && d.first < to) {
		struct place p = { .shard = s,
			.from = d.first > from ? d.first : from,
			.to = d.first + d.tokens < to ? d.first + d.tokens : to };

		if (d.tokens && answer(c, &p, &d, err) < 0)
			return -1;
		if (d.first + d.tokens >= to)
			break;
	}
	return rc < 0 ? -1 : 0;
}

/* "A:B" with A < B, or "N" for one token. */
static void parse_range(const char *text, bool one, uint64_t *from, uint64_t *to)
{
	const char *colon = strchr(text, ':');
	struct lu_err why = { 0 };
	char first[24];
	int rc;

	if (one) {
		rc = lu_num_u64(text, from, &why);
		*to = *from + 1;
	} else {
		size_t n = colon ? (size_t)(colon - text) : sizeof(first);

		rc = n < sizeof(first) ? 0 : -1;
		if (rc == 0) {
			memcpy(first, text, n);
			first[n] = '\0';
			rc = lu_num_u64(first, from, &why) < 0 ||
							lu_num_u64(colon + 1, to, &why) < 0
					? -1
					: 0;
		}
	}
	if (rc < 0 || *from >= *to)
		lu_usage_error(one ? "--token '%s' is not a number" : "--range '%s' is not A:B",
				text);
}

static int trace_shard(struct config *c, const char *prefix, struct lu_err *err)
{
	struct lu_ledger *l = NULL;
	struct lu_shard *s = NULL;
	size_t asked = c->token.n + c->range.n;
	int rc = lu_shard_open(&s, prefix, err);

	if (rc == 0)
		rc = lu_ledger_open(&l, s, err);
	for (size_t i = 0; rc == 0 && i < asked; i++) {
		bool one = i < c->token.n;
		const char *text = one ? c->token.item[i] : c->range.item[i - c->token.n];
		uint64_t from = 0, to = 0;

		parse_range(text, one, &from, &to);
		if (to > lu_shard_tokens(s))
			rc = lu_err_set(err, "%s: has %llu tokens, not %s", prefix,
					(unsigned long long)lu_shard_tokens(s), text);
		else
			rc = trace_range(c, s, l, from, to, err);
	}
	if (rc == 0 && asked == 0)
		rc = trace_range(c, s, l, 0, lu_shard_tokens(s), err);
	lu_ledger_close(l);
	lu_shard_close(s);
	return rc;
}

/* --- a step of a run ---------------------------------------------------------------------- */

/* What of the configuration says which tokens a step saw, at first for all phases. */
struct settings {
	const char *train;
	bool shuffle;
	uint64_t context, seed;
	const char *phase; /* whose overrides count */
};

static const struct lu_opt data_rows[] = {
	LU_OPT_STR(0, "train", struct settings, train, "", ""),
	LU_OPT_FLAG(0, "shuffle", struct settings, shuffle, ""),
	LU_OPT_END,
};
static const struct lu_opt train_rows[] = {
	LU_OPT_U64(0, "context", struct settings, context, "", ""),
	LU_OPT_U64(0, "seed", struct settings, seed, "", ""),
	LU_OPT_END,
};

/* config.ini holds every setting, and overrides as "section.key" after [phase NAME]. */
static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct settings *s = ctx;
	const struct lu_opt *rows;

	if (!key)
		return 0;
	if (strcmp(section, "phase") == 0) {
		const char *dot = strchr(key, '.');

		if (strcmp(name, s->phase) != 0 || !dot)
			return 0;
		section = strncmp(key, "data.", 5) == 0		 ? "data"
				: strncmp(key, "train.", 6) == 0 ? "train"
								 : "";
		key = dot + 1;
	}
	rows = strcmp(section, "data") == 0		? data_rows
			: strcmp(section, "train") == 0 ? train_rows
							: NULL;
	for (; rows && rows->type != LU_OPT_T_END; rows++) {
		if (strcmp(rows->name, key) == 0)
			return lu_opt_store(rows, s, value, err);
	}
	return 0;
}

/* The last line of metrics.jsonl about the step: after a resume the later one counts. */
static int find_step(char *path, const char *step, struct lu_arena *arena, struct lu_str *phase,
		uint64_t *samples, uint64_t *batch, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	bool found = false;
	int rc = lu_lines_open(&lines, &path, 1, (uint64_t)1 << 30, err);

	if (rc < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (lu_slab_next(&slab, &line)) {
			const struct lu_json_member *n, *p, *s, *b;
			struct lu_json_obj o;
			struct lu_json_fault fault;

			/* The last line of a run that was killed may be half a line. */
			if (lu_json_object(line, arena, &o, &fault) < 0)
				continue;
			n = lu_json_get(&o, "step");
			p = lu_json_get(&o, "phase");
			s = lu_json_get(&o, "samples");
			b = lu_json_get(&o, "batch");
			if (!n || !p || !s || !b || !lu_str_is(n->value, step) ||
					p->type != LU_JSON_STRING)
				continue;
			found = lu_json_u64(s, samples) && lu_json_u64(b, batch) &&
					*batch <= *samples &&
					lu_json_decode(p->value, arena, phase) == 0;
			if (found)
				*phase = lu_arena_str(arena, *phase);
		}
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	if (rc == 0 && !found)
		rc = lu_err_set(err, "%s: step %s is not there", path, step);
	return rc == 0 && !phase->p ? lu_err_nomem(err) : rc;
}

static int add_place(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err)
{
	return lu_lookup_add(ctx, shard, pos, n, tag, err);
}

static int by_first(const void *a, const void *b)
{
	const struct lu_stream_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->tag > y->tag) - (x->tag < y->tag);
}

/* Samples from .. from + n - 1 of the phase. The tag of a range is the sample's number. */
static int trace_samples(struct config *c, const char *step, const struct settings *s,
		uint64_t from, uint64_t n, struct lu_err *err)
{
	struct lu_order order = { .seed = s->seed, .context = s->context, .shuffle = s->shuffle };
	struct lu_stream_range *range = NULL;
	struct lu_stream *stream = NULL;
	struct lu_lookup found = { 0 };
	int rc = lu_stream_open(&stream, s->train, err);

	if (rc == 0) {
		order.tokens = lu_stream_tokens(stream);
		if (lu_order_samples(&order) == 0)
			rc = lu_err_set(err, "%s: has no sample of %llu tokens", s->train,
					(unsigned long long)s->context);
		range = calloc((size_t)n + 1, sizeof(*range));
		if (rc == 0 && !range)
			rc = lu_err_nomem(err);
	}
	for (uint64_t i = 0; rc == 0 && i < n; i++)
		range[i] = (struct lu_stream_range){ lu_order_at(&order, from + i).first,
			s->context + 1, from + i };
	if (rc == 0) {
		qsort(range, (size_t)n, sizeof(*range), by_first);
		rc = lu_stream_places(stream, range, (size_t)n, add_place, &found, err);
	}
	if (rc == 0)
		rc = lu_lookup_resolve(&found, err);
	for (size_t i = 0; rc == 0 && i < found.n; i++) {
		const struct lu_lookup_item *it = &found.item[i];
		struct place p = { step, it->tag, it->shard, it->from, it->to };

		rc = answer(c, &p, &it->doc, err);
	}
	lu_lookup_release(&found);
	lu_stream_close(stream);
	free(range);
	return rc;
}

static int trace_step(struct config *c, const char *run, const char *step, struct lu_err *err)
{
	struct settings s = { .context = 0 };
	struct lu_conf conf = { 0 };
	struct lu_buf path = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_str phase = { NULL, 0 };
	uint64_t samples = 0, batch = 0;
	int rc;

	lu_buf_printf(&path, "%s/metrics.jsonl", run);
	rc = lu_buf_check(&path, err);
	if (rc == 0)
		rc = find_step(path.p, step, &arena, &phase, &samples, &batch, err);
	lu_buf_clear(&path);
	lu_buf_printf(&path, "%s/config.ini", run);
	if (rc == 0)
		rc = lu_buf_check(&path, err);
	if (rc == 0)
		rc = lu_conf_open(&conf, path.p, err);
	if (rc == 0) {
		s.phase = phase.p;
		rc = lu_conf_each(&conf, on_setting, &s, err);
		if (rc == 0 && (!s.train || s.context == 0))
			rc = lu_err_set(err, "%s: no data.train or train.context", path.p);
		if (rc == 0)
			rc = trace_samples(c, step, &s, samples - batch, batch, err);
		lu_conf_close(&conf);
	}
	lu_arena_release(&arena);
	lu_buf_release(&path);
	return rc;
}

/* --- the command line --------------------------------------------------------------------- */

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	int rc;

	if (args->files != 1 || strcmp(args->file[0], "-") == 0)
		lu_usage_error("one shard or run is needed");
	if (c->step.n && (c->token.n || c->range.n))
		lu_usage_error("--step is about a run, --token and --range about a shard");
	if (c->licenses + c->langs + c->sources > 1)
		lu_usage_error("only one of --licenses, --langs and --sources");
	c->field = c->licenses ? "license" : c->langs ? "lang" : c->sources ? "source" : NULL;
	if (!c->field && c->step.n + c->token.n + c->range.n == 0)
		lu_usage_error("--token, --range, --step or a total is needed");
	rc = lu_out_open(&c->out, c->std.output, c->std.compress, 1, err);
	if (rc == 0 && c->step.n == 0)
		rc = trace_shard(c, args->file[0], err);
	for (size_t i = 0; rc == 0 && i < c->step.n; i++)
		rc = trace_step(c, args->file[0], c->step.item[i], err);
	if (rc == 0 && c->field)
		rc = put_totals(c, err);
	if (rc == 0) {
		rc = lu_out_commit(c->out, err);
		c->out = NULL;
	}
	lu_out_abort(c->out);
	lu_tally_release(&c->tally);
	lu_buf_release(&c->line);
	lu_list_release(&c->token);
	lu_list_release(&c->range);
	lu_list_release(&c->step);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	return lu_tool_finish(run(&c, &args, &err), &err);
}
