/* lucie-mix: mixes sources and languages to the shares of a recipe, by exact quotas. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/outstream.h"
#include "libcommon/mix/curriculum.h"
#include "libcommon/mix/gather.h"
#include "libcommon/mix/mixing.h"
#include "libcommon/mix/plan_files.h"
#include "libcommon/mix/shards.h"
#include "libcommon/shard/reader.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/summary.h"

struct options {
	struct lu_std std;
	const char *recipe, *report, *temperature, *order, *allow;
	uint64_t total;
	bool plan, dry_run, mark_epoch, absent;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "recipe", struct options, recipe, "FILE", "shares and epochs of the mix"),
	LU_OPT_FLAG(0, "plan", struct options, plan, "mix shards: write a plan"),
	LU_OPT_FLAG(0, "dry-run", struct options, dry_run, "only print the tables"),
	LU_OPT_STR(0, "report", struct options, report, "FILE", "write the tables to FILE"),
	LU_OPT_U64(0, "total", struct options, total, "N", "size of the mix"),
	LU_OPT_STR(0, "temperature", struct options, temperature, "T",
			"divide the rest by size^(1/T)"),
	LU_OPT_STR(0, "order", struct options, order, "MEMBER", "in its order, not shuffled"),
	LU_OPT_STR(0, "allow", struct options, allow, "LICENCE,...", "drop all other licences"),
	LU_OPT_FLAG(0, "allow-absent", struct options, absent,
			"leave groups without documents out"),
	LU_OPT_FLAG(0, "mark-epoch", struct options, mark_epoch, "set epoch: 1, 2, ..."),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-mix", "mixes documents in the proportions of a recipe",
	"[FILE... | PREFIX...]", opts, LU_STD_FILTER | LU_STD_TMPDIR | LU_STD_SEED | LU_STD_MEMORY,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const struct lu_args *args;
	struct lu_docstream stream;
	struct lu_mixing mix;
	struct lu_held held;
	struct lu_stats *stats;
	struct lu_out *report; /* settled */
	uint64_t ordered;      /* documents that have the member of --order */
};

/* Computed by map(), used by decide(). */
struct facts {
	uint32_t group;
	uint64_t size;
	struct lu_str lang, license;
	unsigned char key[LU_ARRANGE_KEY];
	bool ordered;
};

/* --- reading documents -------------------------------------------------------------------- */

/* The size of a document in the recipe's unit. */
static int measure(const struct run *r, struct lu_doc *doc, uint64_t *size)
{
	const struct lu_json_member *m;

	switch (r->mix.recipe.unit) {
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
	*f = (struct facts){ .group = lu_recipe_match(&r->mix.recipe, value),
		.lang = value[LU_BY_LANG],
		.license = value[LU_BY_LICENSE] };
	if (r->o->order)
		f->ordered = lu_curriculum_key(doc, r->o->order, f->key);
	doc->user = f;
	return measure(r, doc, &f->size);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct facts *f = doc->user;

	r->ordered += f->ordered;
	if (!lu_allow_match(&r->mix.allow, f->license))
		return lu_allow_refuse(&r->mix.allow, f->license, err) < 0
				? -1
				: lu_doc_drop(doc, "licence not allowed", NULL);
	if (f->group == LU_RECIPE_NONE)
		return lu_doc_drop(doc, "in no group", NULL);
	if (lu_arrange_add(r->mix.arrange, f->group, f->size, f->lang, f->key, err) < 0)
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
			lu_out_buf(r->report, &r->mix.tables, err) < 0)
		return -1;
	return lu_out_settle(r->report, err);
}

/* Solve, and print what there is to note. */
static int solve(struct run *r, struct lu_buf *extra, struct lu_err *err)
{
	struct lu_mixing *m = &r->mix;
	const char *end;
	int rc = extra ? lu_mixing_solve(m, err) : lu_mixing_stated(m, err);

	if (rc == 0 && extra)
		rc = lu_mixing_describe(m, extra, err);
	if (rc == 0)
		rc = lu_buf_check(&m->notes, err);
	/* Also beside an error, which they may explain. */
	for (const char *p = m->notes.p; p && lu_buf_ok(&m->notes) && *p; p = end + 1) {
		end = strchr(p, '\n');
		lu_note("%.*s", (int)(end - p), p);
	}
	return rc;
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

static int put_document(void *ctx, struct lu_doc *doc, uint64_t pass, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_json_fault fault;

	if (r->o->mark_epoch) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "epoch", lu_doc_printf(doc, "%" PRIu64, pass + 1));
	}
	/* Every document of the mix is in the first pass. */
	r->stats->repeated += pass > 0;
	return lu_docstream_put(&r->stream, doc, err);
}

static int drop_document(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;

	lu_doc_drop(doc, "beyond the quota", NULL);
	return lu_docstream_put(&r->stream, doc, err);
}

static int put_documents(struct run *r, struct lu_err *err)
{
	const struct lu_gather_options o = { .memory = r->o->std.memory,
		.tmpdir = r->o->std.tmpdir,
		.threads = r->o->std.threads,
		.ctx = r,
		.put = put_document,
		.drop = drop_document };

	if (lu_held_rewind(&r->held, err) < 0)
		return -1;
	return lu_gather(r->mix.arrange, r->mix.plan.documents, &r->held, &o, err);
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	r->stats = stats;
	if (r->o->order && r->ordered == 0)
		lu_note("--order: no document has a number or a string '%s'", r->o->order);
	if (solve(r, &stats->extra, err) < 0)
		return -1;
	if (!r->o->dry_run && put_documents(r, err) < 0)
		return -1;
	return write_tables(r, err);
}

static int run_documents(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	const struct lu_arrange_options arrange = { .memory = o->std.memory,
		.tmpdir = o->std.tmpdir,
		.threads = o->std.threads,
		.seed = o->std.seed,
		.by_documents = r->mix.recipe.unit == LU_MIX_DOCUMENTS,
		.by_key = o->order != NULL };

	r->stream = (struct lu_docstream){ .ctx = r,
		.map = map,
		.decide = decide,
		.finish = finish,
		.commit = commit_report,
		.flags = o->dry_run ? LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS : 0 };
	if (lu_arrange_new(&r->mix.arrange, &arrange, err) < 0 ||
			(!o->dry_run && lu_held_open(&r->held, o->std.tmpdir, err) < 0))
		return -1;
	return lu_docstream_run(&r->stream, &o->std, r->args, err);
}

/* --- a plan ------------------------------------------------------------------------------- */

static int run_plan(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_plan_files files = { 0 };
	struct lu_stats stats = { 0 };
	struct lu_mix_found found;
	int rc = lu_mix_shards(r->args->file, r->args->files, &r->mix.recipe, &r->mix.allow,
			&r->mix.pool, &r->mix.plan, &found, err);

	stats.in.bytes = found.bytes;
	if (rc == 0 && found.empty && !o->std.allow_empty)
		rc = lu_err_set(err, "%s: holds no documents; --allow-empty accepts it",
				found.empty);
	if (rc == 0 && found.unnamed)
		lu_note("%s: its tokenizer is not known and not compared", found.unnamed);
	if (rc == 0)
		rc = solve(r, &stats.extra, err);
	if (rc == 0)
		rc = write_tables(r, err);
	if (rc == 0 && o->dry_run)
		rc = commit_report(r, err);
	if (rc < 0 || o->dry_run)
		goto out;
	rc = lu_mixing_count(&r->mix, &stats, err);
	if (rc == 0)
		rc = lu_plan_files_write(&files, &r->mix.plan, o->std.output, lu_pool_size,
				&r->mix.pool, err);
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
	if (solve(r, NULL, err) < 0 || write_tables(r, err) < 0)
		return -1;
	return commit_report(r, err);
}

/* The sizes that the recipe states stand for documents where none are named. */
static bool stated(const struct run *r)
{
	return r->o->dry_run && r->mix.recipe.stated && r->args->files == 1 &&
			strcmp(r->args->file[0], "-") == 0;
}

/* Repeats are the recipe's business: a file given twice is a mistake. */
static int check_distinct(const struct run *r, struct lu_err *err)
{
	const struct lu_args *args = r->args;
	struct lu_err plain;
	int rc = r->o->plan ? lu_shards_distinct(args->file, args->files, &plain)
			    : lu_files_distinct(args->file, args->files, "", &plain);

	if (rc == 0)
		return 0;
	return lu_err_set(err, "%s; to repeat documents give their group epochs", plain.msg);
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o,
		.args = args,
		.held = LU_HELD_NONE,
		.mix = { .path = o->recipe,
				.seed = o->std.seed,
				.absent = o->absent,
				.allow = { .patterns = o->allow } } };
	int rc = lu_recipe_read(&r.mix.recipe, o->recipe, err);

	if (rc == 0 && o->total)
		r.mix.recipe.total = o->total;
	if (rc == 0 && o->temperature)
		rc = lu_recipe_temperature(&r.mix.recipe, o->temperature, err);
	if (rc == 0)
		rc = check_distinct(&r, err);
	if (rc == 0)
		rc = stated(&r)		  ? run_stated(&r, err)
				: o->plan ? run_plan(&r, err)
					  : run_documents(&r, err);
	lu_out_abort(r.report);
	lu_held_close(&r.held);
	lu_mixing_release(&r.mix);
	return rc;
}

static void check_usage(const struct options *o)
{
	if (!o->recipe)
		lu_usage_error("-c FILE, the recipe, is needed");
	if (o->dry_run && (o->std.output || o->std.stats || o->std.rejects || o->mark_epoch))
		lu_usage_error("--dry-run writes no documents: -o, --stats, --rejects and "
			       "--mark-epoch have no effect");
	if (o->total > UINT64_MAX >> 3)
		lu_usage_error("--total: %" PRIu64 " is out of range", o->total);
	if (o->allow && lu_allow_has_empty(o->allow))
		lu_usage_error("--allow: a licence of '%s' is empty", o->allow);
	if (o->plan && o->order)
		lu_usage_error("--order needs documents: a ledger has no other members");
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
