/* lucie-mix: mixes sources and languages to the shares of a recipe, by exact quotas. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/outstream.h"
#include "libcommon/mix/plan_files.h"
#include "libcommon/mix/quotas.h"
#include "libcommon/mix/shards.h"
#include "libcommon/mix/stated.h"
#include "libcommon/par/held.h"
#include "libcommon/sys/summary.h"

#define MANY_EPOCHS 4

struct options {
	struct lu_std std;
	const char *recipe, *report, *temperature;
	bool plan, dry_run, mark_epoch;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "recipe", struct options, recipe, "FILE", "shares and epochs of the mix"),
	LU_OPT_FLAG(0, "plan", struct options, plan, "mix shards: write a plan"),
	LU_OPT_FLAG(0, "dry-run", struct options, dry_run, "only print the tables"),
	LU_OPT_STR(0, "report", struct options, report, "FILE", "write the tables to FILE"),
	LU_OPT_STR(0, "temperature", struct options, temperature, "T",
			"divide the rest by size^(1/T)"),
	LU_OPT_FLAG(0, "mark-epoch", struct options, mark_epoch, "set epoch: 1, 2, ..."),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-mix", "mixes documents in the proportions of a recipe",
	"[FILE... | PREFIX...]", opts, LU_STD_FILTER | LU_STD_TMPDIR | LU_STD_SEED,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const struct lu_args *args;
	struct lu_docstream stream;
	struct lu_recipe recipe;
	struct lu_pool pool;
	struct lu_plan plan;
	struct lu_held held;
	struct lu_buf tables;
	struct lu_out *report; /* settled */
};

/* Computed by map(), used by decide(). */
struct facts {
	uint32_t group;
	uint64_t size;
	struct lu_str lang;
};

/* --- reading documents -------------------------------------------------------------------- */

/* The size of a document in the recipe's unit. */
static int measure(const struct run *r, struct lu_doc *doc, uint64_t *size)
{
	const struct lu_json_member *m;

	switch (r->recipe.unit) {
	case LU_MIX_BYTES: *size = doc->text.n; break;
	case LU_MIX_CHARACTERS: *size = lu_utf8_count(doc->text.p, doc->text.n); break;
	case LU_MIX_DOCUMENTS: *size = 1; break;
	case LU_MIX_TOKENS:
		m = lu_json_get(&doc->obj, "tokens");
		if (!m || !lu_json_u64(m, size) || *size > UINT32_MAX)
			return lu_doc_bad(doc,
					"no whole number \"tokens\" (see lucie-tok-encode "
					"--as count)");
	}
	return 0;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));
	struct lu_str value[LU_SELECTORS] = { 0 };

	(void)local;
	if (!f)
		return lu_err_nomem(err);
	for (int s = 0; s < LU_SELECTORS; s++) {
		const char *name = lu_selector_name((enum lu_selector)s);

		if (s == LU_BY_FILE)
			value[s] = lu_str_of(doc->file);
		else if (!lu_doc_string(doc, name, &value[s]))
			value[s] = (struct lu_str){ NULL, 0 };
	}
	*f = (struct facts){ .group = lu_recipe_match(&r->recipe, value),
		.lang = value[LU_BY_LANG] };
	doc->user = f;
	return measure(r, doc, &f->size);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct facts *f = doc->user;

	if (f->group == LU_RECIPE_NONE)
		return lu_doc_drop(doc, "in no group", NULL);
	if (lu_pool_add(&r->pool, f->group, f->size, f->lang, err) < 0)
		return -1;
	if (!r->o->dry_run && lu_held_add(&r->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* --- solving ------------------------------------------------------------------------------ */

/* Write the tables as a file that is still to be committed. */
static int write_report(struct run *r, const char *target, struct lu_err *err)
{
	const struct lu_args *args = r->args;

	if (lu_out_open(&r->report, target, target ? NULL : "none", 1, err) < 0)
		return -1;
	if (lu_out_refuse_inputs(r->report, args->file, r->o->plan ? 0 : args->files, err) < 0 ||
			lu_out_buf(r->report, &r->tables, err) < 0)
		return -1;
	return lu_out_settle(r->report, err);
}

/* Tell which languages of the recipe no document has. */
static int note_languages(const struct run *r, struct lu_err *err)
{
	struct lu_buf note = { 0 };
	int rc;

	lu_langs_unused(&r->pool.langs, &r->recipe, &note);
	if ((rc = lu_buf_check(&note, err)) == 0 && note.n)
		lu_note("%s: %s", r->o->recipe, note.p);
	lu_buf_release(&note);
	return rc;
}

static void note_epochs(const struct lu_demand *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double epochs = d[i].size ? (double)d[i].quota / (double)d[i].size : 0;

		if (epochs > MANY_EPOCHS)
			lu_note("group %s: %.2f epochs; more than %d gain little", d[i].name,
					epochs, MANY_EPOCHS);
	}
}

/* From the pool to the groups of the plan. */
static int solve(struct run *r, struct lu_err *err)
{
	const struct lu_recipe *recipe = &r->recipe;
	struct lu_plan *plan = &r->plan;
	struct lu_demand *demand = calloc(recipe->group.n, sizeof(*demand));
	uint64_t mix_size;
	int rc;

	if (!demand)
		return lu_err_nomem(err);
	plan->seed = r->o->std.seed;
	plan->by_documents = recipe->unit == LU_MIX_DOCUMENTS;
	rc = lu_pool_plan(&r->pool, plan, recipe, err);
	if (rc == 0)
		rc = note_languages(r, err);
	for (size_t i = 0; rc == 0 && i < recipe->group.n; i++)
		demand[i] = lu_solve_demand(&recipe->group.p[i],
				plan->by_documents ? plan->group[i].documents
						   : plan->group[i].tokens);
	if (rc == 0)
		rc = lu_mix_quotas(recipe, demand, false, &mix_size, err);
	if (rc == 0)
		rc = lu_solve_cut(plan, demand, lu_pool_size, &r->pool, err);
	if (rc == 0)
		rc = lu_solve_verify(plan, demand, err);
	if (rc < 0)
		lu_err_wrap(err, "%s", r->o->recipe);
	else
		note_epochs(demand, recipe->group.n);
	free(demand);
	return rc;
}

/* The tables, and the accounting line's "mix". */
static int describe(struct run *r, struct lu_buf *extra, struct lu_err *err)
{
	struct lu_mix_view view = { .recipe = &r->recipe, .unit = "tokens" };
	struct lu_mix_row *group = lu_plan_rows(&r->plan), *lang;

	if (!r->o->plan)
		view.unit = lu_enum_name(lu_mix_unit_names, (int)r->recipe.unit);
	lu_pool_count_mix(&r->pool, &r->plan);
	lang = lu_langs_rows(&r->pool.langs);
	if (group && lang) {
		view.group = group;
		view.lang = lang;
		view.langs = r->pool.langs.sum.n;
		lu_mix_text(&view, &r->tables);
		lu_buf_putc(extra, ',');
		lu_mix_json(&view, extra);
	} else {
		extra->failed = true;
	}
	free(group);
	free(lang);
	return lu_buf_check(&r->tables, err) < 0 ? -1 : lu_buf_check(extra, err);
}

/* Committed before the mix: tables without a mix do no harm, a mix without them does. */
static int commit_report(void *ctx, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_out *report = r->report;

	r->report = NULL;
	return report ? lu_out_commit(report, err) : 0;
}

static int write_tables(struct run *r, struct lu_err *err)
{
	if (r->o->dry_run && (write_report(r, NULL, err) < 0 || commit_report(r, err) < 0))
		return -1;
	return r->o->report ? write_report(r, r->o->report, err) : 0;
}

/* --- writing documents -------------------------------------------------------------------- */

static int put_document(struct run *r, const struct lu_plan_entry *e, struct lu_doc *doc,
		struct lu_stats *stats, struct lu_err *err)
{
	struct lu_json_fault fault;

	lu_arena_reset(doc->arena);
	if (lu_held_get(&r->held, e->document, doc, err) < 0)
		return -1;
	if (r->o->mark_epoch) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "epoch", lu_doc_printf(doc, "%" PRIu64, e->pass + 1));
	}
	/* Every document of the mix is in the first pass. */
	stats->repeated += e->pass > 0;
	return lu_docstream_put(&r->stream, doc, err);
}

/* Drop the held documents that the mix does not use. */
static int drop_unused(struct run *r, const bool *used, struct lu_doc *doc, struct lu_err *err)
{
	for (uint64_t i = 0; i < r->held.docs; i++) {
		if (used[i])
			continue;
		if (lu_held_get(&r->held, i, doc, err) < 0)
			return -1;
		lu_doc_drop(doc, "beyond the quota", NULL);
		if (lu_docstream_put(&r->stream, doc, err) < 0)
			return -1;
	}
	return 0;
}

static int put_documents(struct run *r, struct lu_stats *stats, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	struct lu_plan_walk *w = NULL;
	struct lu_plan_entry e;
	bool *used = calloc(r->held.docs ? r->held.docs : 1, sizeof(*used));
	int rc = used ? 0 : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_held_rewind(&r->held, err);
	if (rc == 0)
		rc = lu_plan_walk_new(&w, &r->plan, lu_pool_size, &r->pool, err);
	while (rc == 0 && (rc = lu_plan_walk_next(w, &e, err)) > 0) {
		used[e.document] = true;
		rc = put_document(r, &e, &doc, stats, err);
	}
	if (rc == 0)
		rc = drop_unused(r, used, &doc, err);
	lu_plan_walk_free(w);
	lu_arena_release(&arena);
	free(used);
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	if (solve(r, err) < 0 || describe(r, &stats->extra, err) < 0)
		return -1;
	if (!r->o->dry_run && put_documents(r, stats, err) < 0)
		return -1;
	return write_tables(r, err);
}

static int run_documents(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	r->stream = (struct lu_docstream){ .ctx = r,
		.map = map,
		.decide = decide,
		.finish = finish,
		.commit = commit_report,
		.flags = o->dry_run ? LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS : 0 };
	if (lu_pool_shard(&r->pool, err) < 0 ||
			(!o->dry_run && lu_held_open(&r->held, o->std.tmpdir, err) < 0))
		return -1;
	return lu_docstream_run(&r->stream, &o->std, r->args, err);
}

/* --- a plan ------------------------------------------------------------------------------- */

static int count_plan(const struct run *r, struct lu_stats *s, struct lu_err *err)
{
	uint64_t grouped = 0, used = 0, docs = lu_pool_docs(&r->pool);

	for (size_t i = 0; i < r->plan.groups; i++) {
		const struct lu_plan_group *g = &r->plan.group[i];

		grouped += g->documents;
		used += g->passes ? g->documents : g->last;
	}
	s->in.docs = docs;
	s->out.docs = r->plan.documents;
	s->repeated = r->plan.documents - used;
	if (docs > grouped && lu_stats_drop(s, "in no group", docs - grouped, err) < 0)
		return -1;
	return grouped > used ? lu_stats_drop(s, "beyond the quota", grouped - used, err) : 0;
}

static int run_plan(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_plan_files files = { 0 };
	struct lu_stats stats = { 0 };
	struct lu_mix_found found;
	int rc = lu_mix_shards(
			r->args->file, r->args->files, &r->recipe, &r->pool, &r->plan, &found, err);

	stats.in.bytes = found.bytes;
	if (rc == 0 && found.empty && !o->std.allow_empty)
		rc = lu_err_set(err, "%s: holds no documents; --allow-empty accepts it",
				found.empty);
	if (rc == 0 && found.unnamed)
		lu_note("%s: its tokenizer is not known and not compared", found.unnamed);
	if (rc == 0)
		rc = solve(r, err);
	if (rc == 0)
		rc = describe(r, &stats.extra, err);
	if (rc == 0)
		rc = write_tables(r, err);
	if (rc == 0 && o->dry_run)
		rc = commit_report(r, err);
	if (rc < 0 || o->dry_run)
		goto out;
	rc = count_plan(r, &stats, err);
	if (rc == 0)
		rc = lu_plan_files_write(
				&files, &r->plan, o->std.output, lu_pool_size, &r->pool, err);
	if (rc == 0)
		rc = lu_stats_append(&stats, r->args, o->std.stats, err);
	if (rc == 0)
		rc = commit_report(r, err);
	if (rc == 0)
		rc = lu_plan_files_commit(&files, err);
	if (rc == 0)
		lu_summary(&stats, r->args, "documents", "in the plan");
out:
	lu_plan_files_abort(&files);
	lu_stats_release(&stats);
	return rc;
}

/* --- a recipe alone ----------------------------------------------------------------------- */

static int run_stated(struct run *r, struct lu_err *err)
{
	struct lu_demand *demand = calloc(r->recipe.group.n, sizeof(*demand));
	struct lu_mix_row *group = NULL;
	struct lu_mix_view view = { .recipe = &r->recipe };
	int rc = demand ? 0 : lu_err_nomem(err);

	if (rc == 0 && lu_mix_stated(&r->recipe, demand, &group, err) < 0)
		rc = lu_err_wrap(err, "%s", r->o->recipe);
	if (rc == 0) {
		note_epochs(demand, r->recipe.group.n);
		view.group = group;
		view.unit = lu_enum_name(lu_mix_unit_names, (int)r->recipe.unit);
		lu_mix_text(&view, &r->tables);
		rc = lu_buf_check(&r->tables, err);
	}
	if (rc == 0)
		rc = write_tables(r, err);
	if (rc == 0)
		rc = commit_report(r, err);
	free(demand);
	free(group);
	return rc;
}

/* The sizes that the recipe states stand for documents where none are named. */
static bool stated(const struct run *r)
{
	return r->o->dry_run && r->recipe.stated && r->args->files == 1 &&
			strcmp(r->args->file[0], "-") == 0;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o, .args = args, .held = LU_HELD_NONE };
	int rc = lu_recipe_read(&r.recipe, o->recipe, err);

	if (rc == 0 && o->temperature)
		rc = lu_recipe_temperature(&r.recipe, o->temperature, err);
	if (rc == 0)
		rc = stated(&r)		  ? run_stated(&r, err)
				: o->plan ? run_plan(&r, err)
					  : run_documents(&r, err);
	lu_out_abort(r.report);
	lu_buf_release(&r.tables);
	lu_held_close(&r.held);
	lu_plan_release(&r.plan);
	lu_pool_release(&r.pool);
	lu_recipe_release(&r.recipe);
	return rc;
}

static void check_usage(const struct options *o)
{
	if (!o->recipe)
		lu_usage_error("-c FILE, the recipe, is needed");
	if (o->dry_run && (o->std.output || o->std.stats || o->std.rejects || o->mark_epoch))
		lu_usage_error("--dry-run writes no documents: -o, --stats, --rejects and "
			       "--mark-epoch have no effect");
	if (o->plan &&
			(o->mark_epoch || o->std.rejects || o->std.max_bad_given ||
					o->std.compress || o->std.text_field || o->std.map.n))
		lu_usage_error("a plan has no records: --mark-epoch, --rejects, --max-bad, "
			       "--text-field, --map and -z have no effect");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	return lu_tool_finish(run(&o, &args, &err), &err);
}
