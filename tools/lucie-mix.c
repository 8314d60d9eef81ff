/* lucie-mix: mixes sources and languages to the shares of a recipe, by exact quotas. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/outstream.h"
#include "libcommon/mix/shards.h"
#include "libcommon/mix/solve.h"
#include "libcommon/mix/table.h"
#include "libcommon/par/held.h"

#define MANY_EPOCHS 4

struct config {
	struct lu_std std;
	const char *recipe_path, *report;
	bool plan_mode, dry_run, mark_epoch;

	const struct lu_args *args;
	struct lu_docstream *ds;
	struct lu_recipe recipe;
	struct lu_pool pool;
	struct lu_plan plan;
	struct lu_demand *demand;
	struct lu_held held;
	struct lu_buf tables;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "recipe", struct config, recipe_path, "FILE",
			"what to mix, how much of it"),
	LU_OPT_FLAG(0, "plan", struct config, plan_mode, "operands are shards; write a plan"),
	LU_OPT_FLAG(0, "dry-run", struct config, dry_run, "only print the tables"),
	LU_OPT_STR(0, "report", struct config, report, "FILE", "write the tables there"),
	LU_OPT_FLAG(0, "mark-epoch", struct config, mark_epoch, "set epoch: 1, 2, ..."),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-mix",
	"mixes sources and languages to the shares of a recipe", "[FILE... | PREFIX...]", opts,
	LU_STD_FILTER | LU_STD_TMPDIR | LU_STD_SEED, offsetof(struct config, std) };

/* What map() finds out about a document. */
struct facts {
	uint32_t group;
	uint64_t size;
	struct lu_str lang;
};

/* --- reading documents -------------------------------------------------------------------- */

static int measure(const struct config *c, struct lu_doc *doc, uint64_t *size)
{
	const struct lu_json_member *m;

	switch (c->recipe.measure) {
	case LU_BYTES: *size = doc->text.n; break;
	case LU_CHARACTERS: *size = lu_utf8_count(doc->text.p, doc->text.n); break;
	case LU_DOCUMENTS: *size = 1; break;
	case LU_TOKENS:
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
	struct config *c = ctx;
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
	*f = (struct facts){ .group = lu_recipe_match(&c->recipe, value),
		.lang = value[LU_BY_LANG] };
	doc->user = f;
	return measure(c, doc, &f->size);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	const struct facts *f = doc->user;

	if (f->group == LU_RECIPE_NONE)
		return lu_doc_drop(doc, "in no group", NULL);
	if (lu_pool_add(&c->pool, f->group, f->size, f->lang, err) < 0)
		return -1;
	if (!c->dry_run && lu_held_add(&c->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* --- solving ------------------------------------------------------------------------------ */

static int write_text(const struct config *c, const char *target, const struct lu_buf *text,
		struct lu_err *err)
{
	struct lu_out *out;

	if (lu_out_open(&out, target, target ? NULL : "none", 1, err) < 0)
		return -1;
	if (lu_out_refuse(out, c->args->file, c->plan_mode ? 0 : c->args->files, err) < 0 ||
			lu_out_buf(out, text, err) < 0) {
		lu_out_abort(out);
		return -1;
	}
	return lu_out_commit(out, err);
}

/* From the pool to the plan, the tables and the accounting line's "mix". */
static int solve(struct config *c, struct lu_buf *extra, struct lu_err *err)
{
	const struct lu_recipe *r = &c->recipe;
	struct lu_mix_view view = { &c->plan, NULL, &c->pool, NULL };
	struct lu_str name = lu_choice_name(LU_MEASURES, (int)r->measure);
	struct lu_buf measure_name = { 0 };
	uint64_t whole;
	int rc = -1;

	c->plan.seed = c->std.seed;
	c->plan.by_documents = r->measure == LU_DOCUMENTS;
	if (lu_pool_plan(&c->pool, &c->plan, r, err) < 0)
		return lu_err_wrap(err, "%s", c->recipe_path);
	c->demand = calloc(r->groups, sizeof(*c->demand));
	if (!c->demand)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->groups; i++)
		c->demand[i] = (struct lu_demand){ r->group[i].name, r->group[i].kind,
			r->group[i].amount, r->group[i].max_epochs,
			c->plan.by_documents ? c->plan.group[i].documents : c->plan.group[i].tokens,
			0 };
	if (lu_solve_quotas(c->demand, r->groups, r->total, &whole, err) < 0 ||
			lu_solve_cut(&c->plan, c->demand, lu_pool_size, &c->pool, err) < 0)
		return lu_err_wrap(err, "%s", c->recipe_path);
	lu_pool_after(&c->pool, &c->plan);
	lu_buf_str(&measure_name, c->plan_mode ? LU_STR("tokens") : name);
	view.demand = c->demand;
	view.measure = measure_name.p;
	if (lu_buf_check(&measure_name, err) < 0)
		goto out;
	lu_mix_text(&view, &c->tables);
	lu_mix_json(&view, extra);
	if (lu_buf_check(&c->tables, err) < 0 || lu_buf_check(extra, err) < 0)
		goto out;
	for (size_t i = 0; i < r->groups; i++) {
		double epochs = (double)c->demand[i].quota / (double)c->demand[i].have;

		if (epochs > MANY_EPOCHS)
			lu_note("group %s: %.2f epochs, more than %d gain little", r->group[i].name,
					epochs, MANY_EPOCHS);
	}
	rc = 0;
out:
	lu_buf_release(&measure_name);
	return rc;
}

/* Whole, or not at all, and before what it is about. */
static int write_tables(const struct config *c, struct lu_err *err)
{
	if (c->dry_run && write_text(c, NULL, &c->tables, err) < 0)
		return -1;
	return c->report ? write_text(c, c->report, &c->tables, err) : 0;
}

/* --- writing documents -------------------------------------------------------------------- */

static int put(struct config *c, const struct lu_plan_place *at, struct lu_doc *doc,
		struct lu_stats *stats, struct lu_err *err)
{
	struct lu_json_fault fault;

	lu_arena_reset(doc->arena);
	if (lu_held_get(&c->held, at->document, doc, err) < 0)
		return -1;
	if (c->mark_epoch) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "epoch",
				lu_doc_printf(doc, "%llu", (unsigned long long)at->pass + 1));
	}
	/* Every document that is used at all is used in the first pass. */
	stats->repeated += at->pass > 0;
	return lu_docstream_put(c->ds, doc, err);
}

static int put_all(struct config *c, struct lu_stats *stats, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	struct lu_plan_walk *w = NULL;
	struct lu_plan_place at;
	bool *used = calloc(c->held.docs ? c->held.docs : 1, sizeof(*used));
	int rc = used ? 0 : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_held_rewind(&c->held, err);
	if (rc == 0)
		rc = lu_plan_walk_new(&w, &c->plan, lu_pool_size, &c->pool, err);
	while (rc == 0 && (rc = lu_plan_next(w, &at, err)) > 0) {
		used[at.document] = true;
		rc = put(c, &at, &doc, stats, err);
	}
	for (uint64_t i = 0; rc == 0 && i < c->held.docs; i++) {
		if (used[i])
			continue;
		rc = lu_held_get(&c->held, i, &doc, err);
		if (rc == 0) {
			lu_doc_drop(&doc, "beyond the quota", NULL);
			rc = lu_docstream_put(c->ds, &doc, err);
		}
	}
	lu_plan_walk_free(w);
	lu_arena_release(&arena);
	free(used);
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;

	if (solve(c, &stats->extra, err) < 0)
		return -1;
	if (!c->dry_run && put_all(c, stats, err) < 0)
		return -1;
	return write_tables(c, err);
}

static int run_documents(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = map,
		.decide = decide,
		.finish = finish,
		.flags = c->dry_run ? LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS : 0 };

	c->ds = &ds;
	if (lu_pool_shard(&c->pool, err) < 0 ||
			(!c->dry_run && lu_held_open(&c->held, c->std.tmpdir, err) < 0))
		return -1;
	return lu_docstream_run(&ds, &c->std, args, err);
}

/* --- a plan ------------------------------------------------------------------------------- */

static int count(const struct config *c, struct lu_stats *s, struct lu_err *err)
{
	uint64_t grouped = 0, used = 0;

	for (size_t i = 0; i < c->plan.groups; i++) {
		const struct lu_plan_group *g = &c->plan.group[i];

		grouped += g->documents;
		used += g->passes ? g->documents : g->last;
	}
	s->in.docs = c->pool.docs;
	s->out.docs = c->plan.documents;
	s->repeated = c->plan.documents - used;
	if (c->pool.docs > grouped &&
			lu_stats_drop(s, "in no group", c->pool.docs - grouped, err) < 0)
		return -1;
	return grouped > used ? lu_stats_drop(s, "beyond the quota", grouped - used, err) : 0;
}

static int run_plan(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_stats stats = { 0 };
	struct lu_buf text = { 0 };
	int rc = -1;

	if (lu_mix_shards(args->file, args->files, &c->recipe, &c->pool, &c->plan, &stats.in.bytes,
			    err) < 0 ||
			solve(c, &stats.extra, err) < 0)
		goto out;
	if (!c->dry_run)
		lu_plan_write(&c->plan, &text);
	rc = lu_buf_check(&text, err);
	if (rc == 0)
		rc = write_tables(c, err);
	if (c->dry_run)
		goto out;
	if (rc == 0)
		rc = count(c, &stats, err);
	if (rc == 0)
		rc = write_text(c, c->std.output, &text, err);
	if (rc == 0)
		rc = lu_stats_append(&stats, args, c->std.stats, err);
out:
	lu_buf_release(&text);
	lu_stats_release(&stats);
	return rc;
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	int rc = -1;

	c->held.spool.fd = -1;
	c->args = args;
	if (lu_recipe_read(&c->recipe, c->recipe_path, err) == 0)
		rc = c->plan_mode ? run_plan(c, args, err) : run_documents(c, args, err);
	free(c->demand);
	lu_buf_release(&c->tables);
	lu_held_close(&c->held);
	lu_plan_release(&c->plan);
	lu_pool_release(&c->pool);
	lu_recipe_release(&c->recipe);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (!c.recipe_path)
		lu_usage_error("no recipe: -c FILE");
	if (c.dry_run && (c.std.output || c.std.stats || c.std.rejects || c.mark_epoch))
		lu_usage_error("--dry-run writes no documents: -o, --stats, --rejects and "
			       "--mark-epoch have no effect");
	if (c.plan_mode && (c.mark_epoch || c.std.rejects || c.std.max_bad_given || c.std.compress))
		lu_usage_error("a plan has no records: --mark-epoch, --rejects, --max-bad and -z "
			       "have no effect");
	return lu_tool_finish(run(&c, &args, &err), &err);
}
