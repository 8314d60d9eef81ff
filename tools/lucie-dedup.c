/* lucie-dedup: removes exact and near duplicates. Near duplicates are found by MinHash (Broder
 * 1997) with 5-word shingles in 14 bands of 8 rows, the settings of FineWeb and of Lucie-7B.
 *
 * What it does is a table of steps (libcommon/dedup/steps.h); here are the options. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/dedup/paragraphs.h"
#include "libcommon/dedup/steps.h"
#include "libcommon/dedup/within.h"
#include "libcommon/minhash/minhash.h"

typedef struct lu_dedup_options options;

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "exact", options, exact, "remove exact duplicates"),
	LU_OPT_STR(0, "key", options, key, "text|FIELD", "what --exact compares (text)"),
	LU_OPT_FLAG(0, "fold", options, fold, "--exact: ignore case, blanks, composition"),
	LU_OPT_FLAG(0, "near", options, near, "remove near duplicates (MinHash)"),
	LU_OPT_DOUBLE_GIVEN(0, "verify", options, verify, verify_given, "J", 0, 1,
			"least estimated similarity; 0: off"),
	LU_OPT_STR(0, "keep", options, keep_text, "HOW", "document to keep of a cluster (first)"),
	LU_OPT_STR(0, "by", options, by, "FIELD", "compare only where FIELD is the same"),
	LU_OPT_FLAG(0, "paragraphs", options, paragraphs, "remove paragraphs seen before"),
	LU_OPT_FLAG(0, "within", options, within, "remove blocks repeated in a document"),
	LU_OPT_STR(0, "most", options, most_text, "N%", "refuse to remove more of a source"),
	LU_OPT_STR(0, "removed", options, removed, "FILE", "log removed documents"),
	LU_OPT_STR(0, "step", options, step, "NAME", "do one step of many tasks"),
	LU_OPT_STR(0, "part", options, part_text, "I/N", "--step: part I of N"),
	LU_OPT_LIST(0, "drops", options, drops, "FILE", "--step drop: what to drop (repeatable)"),
	LU_OPT_INT_GIVEN(0, "bands", options, bands, bands_given, "N", 1, LU_MINHASH_MAX,
			"number of bands; more find more"),
	LU_OPT_INT_GIVEN(0, "rows", options, rows, rows_given, "N", 1, LU_MINHASH_MAX,
			"rows per band; more find less"),
	LU_OPT_U64_GIVEN(0, "min-bytes", options, min_bytes, min_bytes_given, "N",
			"least length of a paragraph or block"),
	LU_OPT_FLAG(0, "yes", options, yes, "allow what --most refuses"),
	LU_OPT_FLAG(0, "cluster-size", options, cluster_size,
			"add minhash_cluster_size to documents"),
	LU_OPT_FLAG(0, "similarity", options, similarity, "print the fraction found by similarity"),
	LU_OPT_STR(0, "signatures", options, signatures, "FILE", "write signatures only"),
	LU_OPT_LIST(0, "from-signatures", options, from_signatures, "FILE",
			"read signatures (repeatable)"),
	LU_OPT_STR(0, "clusters", options, clusters, "FILE", "write clusters of near duplicates"),
	LU_OPT_LIST(0, "against", options, against, "INDEX",
			"remove what an index has (repeatable)"),
	LU_OPT_STR(0, "save-index", options, save_index, "FILE", "write an index of what is kept"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-dedup", "removes exact and near duplicates",
	"[FILE...]", opts, LU_STD_FILTER | LU_STD_TMPDIR | LU_STD_MEMORY, offsetof(options, std) };

/* What a step takes beside its files and the shared options. */
enum {
	KEY = 1 << 0, /* --key, --fold */
	KEEP = 1 << 1,
	BY = 1 << 2,
	BANDS = 1 << 3, /* --bands, --rows */
	VERIFY = 1 << 4,
	PART = 1 << 5,
	DROPS = 1 << 6,	    /* --drops, --removed, --cluster-size, --most, --yes */
	DOCUMENTS = 1 << 7, /* --stats and what concerns records */
};

static const struct step {
	const char *name;
	lu_dedup_step *run;
	unsigned takes;
} steps[] = {
	{ "keys", lu_exact_step_keys, KEY | KEEP | BY | DOCUMENTS },
	{ "first", lu_exact_step_first, PART },
	{ "sign", lu_near_step_sign, BANDS | KEEP | BY | DOCUMENTS },
	{ "meet", lu_near_step_meet, PART },
	{ "fetch", lu_near_step_fetch, 0 },
	{ "edges", lu_near_step_edges, VERIFY | PART },
	{ "link", lu_near_step_link, 0 },
	{ "gather", lu_near_step_gather, 0 },
	{ "settle", lu_near_step_settle, PART },
	{ "drop", lu_dedup_step_drop, DROPS | DOCUMENTS },
};

static void print_similarity(const options *o)
{
	unsigned b = (unsigned)o->bands, r = (unsigned)o->rows;

	printf("%u bands of %u rows\nsimilarity  found\n", b, r);
	for (int i = 10; i <= 20; i++)
		printf("      %.2f  %.4f\n", i / 20.0, lu_minhash_found(b, r, i / 20.0));
}

/* --- usage --------------------------------------------------------------------------------- */

/* The arguments that the table of options takes as text. */
static void parse_texts(options *o)
{
	struct lu_err err;
	char rest;

	if (o->keep_text && lu_keep_parse(&o->keep, o->keep_text, &err) < 0)
		lu_usage_fail(&err, "--keep");
	if (o->most_text) {
		if (sscanf(o->most_text, "%lf%c%c", &o->most, &rest, &rest) != 2 || rest != '%' ||
				!(o->most >= 0 && o->most <= 100))
			lu_usage_error("--most: '%s' is not a share such as 50%%", o->most_text);
		o->most /= 100;
	}
	if (o->part_text &&
			(sscanf(o->part_text, "%u/%u%c", &o->part, &o->parts, &rest) != 2 ||
					o->part < 1 || o->part > o->parts))
		lu_usage_error("--part: '%s' is not I/N with I from 1 to N", o->part_text);
}

static void check_near(const options *o)
{
	if (!o->near &&
			(o->bands_given || o->rows_given || o->verify_given || o->cluster_size ||
					o->signatures || o->from_signatures.n || o->clusters ||
					o->against.n || o->save_index))
		lu_usage_error("--bands, --rows, --verify, --cluster-size, --signatures, "
			       "--from-signatures, --clusters, --against and --save-index apply "
			       "to --near");
	if (o->signatures &&
			(o->std.output || o->std.compress || o->from_signatures.n ||
					o->verify_given || o->keep_text || o->cluster_size ||
					o->clusters || o->against.n || o->save_index))
		lu_usage_error("--signatures writes signatures only");
}

/* True where parts of documents are removed. */
static bool below(const options *o)
{
	return o->paragraphs || o->within;
}

static void check_below(const options *o)
{
	if (o->min_bytes_given && !below(o))
		lu_usage_error("--min-bytes applies to --paragraphs and --within");
	if (o->min_bytes < 1 || o->min_bytes > LU_WITHIN_MAX)
		lu_usage_error("--min-bytes: %" PRIu64 " is not between 1 and %d", o->min_bytes,
				LU_WITHIN_MAX);
	if (below(o) && (o->keep_text || o->removed || o->most_text))
		lu_usage_error("--keep, --removed and --most apply to --exact and --near");
	if (o->by && !o->exact && !o->near && !o->paragraphs)
		lu_usage_error("--by applies to --exact, --near and --paragraphs");
}

static void check_usage(const options *o)
{
	if ((int64_t)o->bands * o->rows > LU_MINHASH_MAX)
		lu_usage_error("--bands times --rows exceeds %d", LU_MINHASH_MAX);
	if (o->most_text && !o->yes && (!o->std.output || strcmp(o->std.output, "-") == 0))
		lu_usage_error("--most needs -o FILE: what it refuses must not be written");
	if (o->step && below(o))
		lu_usage_error("--paragraphs and --within have no steps");
	if (o->similarity || o->step)
		return;
	if (!o->exact && !o->near && !below(o))
		lu_usage_error("--exact, --near, --paragraphs or --within is needed");
	if ((o->exact || o->near) && below(o))
		lu_usage_error("--paragraphs and --within are a run of their own: connect two by a "
			       "pipe");
	if (!o->exact && (o->key || (o->fold && !o->paragraphs)))
		lu_usage_error("--key and --fold apply to --exact");
	check_below(o);
	check_near(o);
}

/* --- the run ------------------------------------------------------------------------------- */

/* An option without effect would be a promise that is not kept. */
static void check_step(const options *o, const struct step *s)
{
	const struct {
		bool given;
		unsigned bit; /* 0: of no step */
		const char *name;
	} option[] = {
		{ o->key || o->fold, KEY, "--key and --fold" },
		{ o->keep_text, KEEP, "--keep" },
		{ o->by, BY, "--by" },
		{ o->bands_given || o->rows_given, BANDS, "--bands and --rows" },
		{ o->verify_given, VERIFY, "--verify" },
		{ o->part_text, PART, "--part" },
		{ o->drops.n || o->removed || o->cluster_size || o->most_text || o->yes, DROPS,
				"--drops, --removed, --cluster-size, --most and --yes" },
		{ o->paragraphs || o->within || o->min_bytes_given, 0,
				"--paragraphs, --within and --min-bytes" },
		{ o->signatures || o->from_signatures.n, 0, "--signatures and --from-signatures" },
		{ o->clusters || o->against.n || o->save_index, 0,
				"--clusters, --against and --save-index" },
	};

	for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++) {
		if (option[i].given && !(s->takes & option[i].bit))
			lu_usage_error("--step %s takes no %s", s->name, option[i].name);
	}
	if (!(s->takes & DOCUMENTS) && (o->std.stats || lu_std_for_documents(&o->std)))
		lu_usage_error("--step %s reads no documents: --stats, --rejects, --max-bad, "
			       "--text-field and --map have no effect",
				s->name);
	if (!(s->takes & DROPS) && o->std.compress)
		lu_usage_error("-z: a file between steps is read in parts, so it is not "
			       "compressed");
}

static lu_dedup_step *find_step(const options *o)
{
	if (!o->step) {
		if (o->part_text || o->drops.n)
			lu_usage_error("--part and --drops apply to --step");
		return below(o) ? lu_paragraphs_run : lu_dedup_run;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(o->step, steps[i].name) != 0)
			continue;
		check_step(o, &steps[i]);
		return steps[i].run;
	}
	lu_usage_error("there is no step '%s'; there are keys, first and drop for exact "
		       "duplicates, "
		       "and sign, meet, fetch, edges, link, gather, settle and drop for near ones",
			o->step);
}

int main(int argc, char **argv)
{
	options o = LU_DEDUP_DEFAULTS;
	struct lu_args args;
	struct lu_dedup d = { &o, &args };
	struct lu_err err = { 0 };
	lu_dedup_step *step;
	int rc = 0;

	lu_tool_start(&tool, argc, argv, &o, &args);
	parse_texts(&o);
	check_usage(&o);
	step = find_step(&o);
	if (o.similarity)
		print_similarity(&o);
	else
		rc = step(&d, &err);
	lu_keep_release(&o.keep);
	lu_list_release(&o.from_signatures);
	lu_list_release(&o.drops);
	lu_list_release(&o.against);
	return lu_tool_finish(rc, &err);
}
