/* lucie-tok-train: trains a BPE tokenizer. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/bpetrain/alphabet.h"
#include "libcommon/bpetrain/count_steps.h"
#include "libcommon/bpetrain/preset_options.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/summary.h"

/* What is done of the work: all, or one step of it. */
enum step { STEP_ALL, STEP_COUNT, STEP_MERGE, STEP_LEARN };

struct options {
	struct lu_std std;
	enum step step;
	enum lu_preset_kind preset;
	int single_digits, split_symbols, form;
	bool digits_given, punctuation_given, form_given, limit_given, reserve_given;
	uint64_t vocab_size, min_frequency, limit_alphabet, reserve, max_length;
	struct lu_list special;
	const char *alphabet_file, *runs, *balance;
};

struct trainer {
	const struct options *options;
	struct lu_preset preset;
	struct lu_alphabet alphabet;
	struct lu_preset_splitter *splitter;
	struct lu_shares shares;
	struct lu_word_counts counts;
	struct lu_count_set set; /* the operands of the steps merge and learn */
	struct lu_buf splitting; /* the options that decide about words */
	struct lu_out *out;
	struct lu_progress progress;
	struct lu_buf json;
};

/* A thread's state. */
struct worker {
	struct lu_word_counts_thread counts;
	struct lu_step_buffers work;
};

static const struct lu_enum steps[] = {
	{ "all", STEP_ALL },
	{ "count", STEP_COUNT },
	{ "merge", STEP_MERGE },
	{ "learn", STEP_LEARN },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_ENUM(0, "step", struct options, step, steps, "do one step of the work (all)"),
	LU_OPT_ENUM(0, "preset", struct options, preset, lu_preset_kinds, "kind of tokenizer"),
	LU_OPT_U64(0, "vocab-size", struct options, vocab_size, "N",
			"pieces, special ones included"),
	LU_OPT_ALIAS_LETTER('n', "vocab-size"),
	LU_OPT_U64(0, "min-frequency", struct options, min_frequency, "N",
			"smallest count of a pair to merge"),
	LU_OPT_U64_GIVEN(0, "limit-alphabet", struct options, limit_alphabet, limit_given, "N",
			"most characters to keep; 0: all (1000)"),
	LU_OPT_STR(0, "alphabet", struct options, alphabet_file, "FILE",
			"initial alphabet: a list or a table"),
	LU_OPT_U64(0, "max-token-length", struct options, max_length, "N",
			"no merge of N or more characters (off)"),
	LU_OPT_LIST(0, "special-token", struct options, special, "TOKEN",
			"add a special token (repeatable)"),
	LU_OPT_ALIAS("special", "special-token"),
	LU_OPT_U64_GIVEN(0, "reserve", struct options, reserve, reserve_given, "N",
			"reserve N unused pieces (the preset's)"),
	LU_OPT_STR(0, "runs", struct options, runs, "SPACE,TAB,NEWLINE",
			"longest runs with a piece (8,4,2)"),
	LU_OPT_ENUM_GIVEN(0, "digits", struct options, single_digits, digits_given,
			lu_preset_digits, "split numbers (the preset's)"),
	LU_OPT_ENUM_GIVEN(0, "punctuation", struct options, split_symbols, punctuation_given,
			lu_preset_punctuation, "split symbols (the preset's)"),
	LU_OPT_ENUM_GIVEN(0, "form", struct options, form, form_given, lu_preset_forms,
			"Unicode normal form (the preset's)"),
	LU_OPT_ALIAS("normalization", "form"),
	LU_OPT_STR(0, "balance", struct options, balance, "LANG=SHARE,...",
			"weight languages to these shares of the text"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-train", "trains a BPE tokenizer", "[FILE...]", opts,
	LU_STD_FILTER | LU_STD_MEMORY | LU_STD_TMPDIR, offsetof(struct options, std) };

/* --- settings ----------------------------------------------------------------------------- */

static uint32_t check_range(const char *option, uint64_t v, uint64_t max)
{
	if (v > max)
		lu_usage_error("--%s: %" PRIu64 " is above %" PRIu64, option, v, max);
	return (uint32_t)v;
}

static int set_preset(struct trainer *t, struct lu_err *err)
{
	const struct options *o = t->options;
	struct lu_preset *p = &t->preset;

	lu_preset_defaults(p, o->preset);
	p->vocab_size = check_range("vocab-size", o->vocab_size, 1 << 24);
	p->min_frequency = o->min_frequency;
	p->max_chars = check_range("max-token-length", o->max_length, 1 << 24);
	if (o->limit_given)
		p->limit_alphabet = check_range("limit-alphabet", o->limit_alphabet, 0x110000);
	if (o->reserve_given)
		p->reserve = check_range("reserve", o->reserve, 1 << 20);
	if (o->runs && lu_preset_parse_runs(p, o->runs, err) < 0)
		lu_usage_fail(err, "--runs");
	if (o->digits_given)
		p->single_digits = o->single_digits;
	if (o->punctuation_given)
		p->split_symbols = o->split_symbols;
	if (o->form_given)
		p->form = o->form;
	lu_preset_put_splitting(p, &t->splitting);
	p->special = o->special.item;
	p->specials = o->special.n;
	if (lu_preset_check(p, err) < 0)
		lu_usage_fail(err, "--special-token");
	if (lu_preset_check_size(p, err) < 0)
		lu_usage_fail(err, "--vocab-size");
	if (o->limit_given && p->kind == LU_PRESET_BYTELEVEL)
		lu_note("--limit-alphabet has no effect: the alphabet of bytelevel is the 256 "
			"bytes");
	if (!o->alphabet_file)
		return 0;
	if (p->kind == LU_PRESET_BYTELEVEL)
		lu_usage_error("--alphabet: the alphabet of bytelevel is the 256 bytes");
	if (lu_alphabet_read(&t->alphabet, o->alphabet_file, p, err) < 0)
		return -1;
	if (t->alphabet.unreachable)
		lu_note("%s: left out %zu characters, which no text gives with this preset",
				o->alphabet_file, t->alphabet.unreachable);
	p->alphabet = t->alphabet.c;
	p->alphabet_chars = t->alphabet.n;
	return 0;
}

/* What the process holds besides the counts, as measured: the program and its tables, and for each
 * thread its batches of documents and what is made of them. */
#define BASE_MEMORY ((uint64_t)20 << 20)
#define THREAD_MEMORY ((uint64_t)10 << 20)

static void set_counts(struct trainer *t)
{
	const struct lu_std *std = &t->options->std;
	struct lu_word_counts *c = &t->counts;
	struct lu_err err = { 0 };

	c->threads = (unsigned)std->threads;
	c->tmpdir = std->tmpdir;
	c->base = BASE_MEMORY + THREAD_MEMORY * c->threads;
	if (std->memory && std->memory < c->base + (8 << 20))
		lu_usage_error("--memory: -j %d needs at least %" PRIu64 "M", std->threads,
				(c->base >> 20) + 8);
	c->memory = std->memory ? std->memory - c->base : 0;
	c->by_language = t->options->step == STEP_COUNT || t->options->step == STEP_MERGE;
	if (c->by_language && t->options->balance)
		lu_usage_error("--balance: every language is counted; say it with --step learn");
	if (!t->options->balance)
		return;
	if (lu_shares_parse(t->options->balance, &t->shares, &err) < 0)
		lu_usage_fail(&err, "--balance");
	c->shares = &t->shares;
}

/* --- counting ----------------------------------------------------------------------------- */

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	const struct trainer *t = ctx;
	struct worker *w = local;

	(void)err;
	lu_word_counts_join(&t->counts, &w->counts);
	return 0;
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_word_counts_leave(&w->counts);
	lu_step_buffers_release(&w->work);
}

static int count_words(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct trainer *t = ctx;
	struct worker *w = local;
	struct lu_str lang = LU_STR("");

	if (t->counts.shares || t->counts.by_language)
		lu_doc_string(doc, "lang", &lang);
	if (lu_word_counts_language(&t->counts, &w->counts, lang, err) < 0)
		return -1;
	return lu_preset_words(t->splitter, &w->work, doc->text, &w->counts.words, err);
}

static int take_counts(void *ctx, void *local, struct lu_err *err)
{
	struct trainer *t = ctx;
	struct worker *w = local;

	return lu_word_counts_take(&t->counts, &w->counts, err);
}

/* --- training ----------------------------------------------------------------------------- */

static void show_progress(void *ctx, uint32_t pieces)
{
	struct trainer *t = ctx;

	if (pieces % 64 == 0)
		lu_progress_update(&t->progress, pieces, pieces);
}

static void report(const struct trainer *t, const struct lu_preset_info *info)
{
	const struct lu_preset *p = &t->preset;

	lu_detail("%" PRIu64 " distinct words; %u characters have a piece, %.4f%% of the text",
			t->counts.words, info->alphabet,
			info->chars ? 100.0 * (double)info->chars_kept / (double)info->chars
				    : 100.0);
	if (t->counts.runs)
		lu_detail("%" PRIu64 " runs of words were written to temporary files",
				t->counts.runs);
	if (t->counts.other_left_out)
		lu_note("--balance: the shares add up to 100, so text in other languages has "
			"weight 0");
	if (info->tied)
		lu_note("dropped %u characters as frequent as the last one kept: ties go to the "
			"smaller code points",
				info->tied);
	if (info->truncated)
		lu_detail("only the %u most frequent characters fit into %u pieces", info->alphabet,
				p->vocab_size);
	if (info->pieces < p->vocab_size && !info->truncated)
		lu_note("only %u pieces: no other pair occurs %" PRIu64 " times", info->pieces,
				p->min_frequency ? p->min_frequency : 1);
}

static int train(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct trainer *t = ctx;
	struct lu_buf *extra = &stats->extra;
	struct lu_preset_info info;
	int rc;

	lu_progress_start_units(&t->progress, tool.name, t->options->std.progress,
			t->preset.vocab_size, "pieces");
	t->progress.unit = "pieces";
	t->preset.progress = show_progress;
	t->preset.ctx = t;
	rc = lu_preset_train(&t->preset, &t->counts, &t->json, &info, err);
	lu_progress_end(&t->progress);
	if (rc < 0)
		return -1;
	report(t, &info);
	lu_json_put_u64(extra, "words", t->counts.words);
	lu_json_put_u64(extra, "characters", info.chars);
	lu_json_put_u64(extra, "covered", info.chars_kept);
	lu_json_put_u64(extra, "alphabet", info.alphabet);
	lu_json_put_u64(extra, "pieces", info.pieces);
	lu_json_put_u64(extra, "merges", info.merges);
	return lu_buf_check(extra, err);
}

/* --- steps -------------------------------------------------------------------------------- */

static int write_counts(struct trainer *t, struct lu_stats *stats, struct lu_err *err)
{
	struct lu_count_info info = { t->splitting.p, stats->out.docs, stats->out.bytes };
	int rc = lu_count_steps_write(&t->counts, &info, t->out, err);

	lu_json_put_u64(&stats->extra, "words", t->counts.words);
	return rc < 0 ? -1 : lu_buf_check(&stats->extra, err);
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct trainer *t = ctx;

	if (t->counts.by_language)
		return write_counts(t, stats, err);
	return train(t, stats, err) < 0 ? -1 : lu_out_buf(t->out, &t->json, err);
}

static int read_documents(struct trainer *t, const struct lu_args *args, struct lu_stats *stats,
		struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = t,
		.map = count_words,
		.local_init = worker_init,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.merge = take_counts,
		.finish = finish,
		.flags = LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS,
		.stats = stats };

	if (lu_preset_splitter_new(&t->splitter, &t->preset, err) < 0)
		return -1;
	return lu_docstream_run(&ds, &t->options->std, args, err);
}

static int read_counts(struct trainer *t, const struct lu_args *args, struct lu_stats *stats,
		struct lu_err *err)
{
	if (lu_buf_check(&t->splitting, err) < 0 ||
			lu_count_set_open(&t->set, args->file, args->files, t->splitting.p, err) <
					0)
		return -1;
	t->counts.file = t->set.file;
	t->counts.files = t->set.n;
	stats->in = stats->out = (struct lu_count){ t->set.documents, t->set.bytes };
	return finish(t, stats, err);
}

static void check_usage(const struct options *o)
{
	const struct lu_std *std = &o->std;

	if ((o->step == STEP_COUNT || o->step == STEP_MERGE) && std->compress)
		lu_usage_error("-z: a count file is read by position, so it is not compressed");
	if (o->step < STEP_MERGE)
		return;
	if (lu_std_for_documents(std))
		lu_usage_error("--step %s reads count files, so --text-field, --map, --rejects and "
			       "--max-bad have no effect",
				lu_enum_name(steps, (int)o->step));
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct trainer t = { .options = o };
	struct lu_stats stats = { 0 };
	int rc = -1;

	if (set_preset(&t, err) < 0)
		goto done;
	set_counts(&t);
	/* Opened first, to fail on an unwritable path before the work. */
	if (lu_out_open(&t.out, o->std.output, t.counts.by_language ? "none" : o->std.compress,
			    o->std.threads, err) < 0 ||
			lu_out_refuse_inputs(t.out, args->file, args->files, err) < 0)
		goto done;
	rc = o->step >= STEP_MERGE ? read_counts(&t, args, &stats, err)
				   : read_documents(&t, args, &stats, err);
	/* Without its accounting line no output appears. */
	if (rc == 0)
		rc = lu_out_settle(t.out, err);
	if (rc == 0)
		rc = lu_stats_append(&stats, args, o->std.stats, err);
	if (rc == 0) {
		rc = lu_out_commit(t.out, err);
		t.out = NULL;
	}
	if (rc == 0)
		lu_summary(&stats, args, "documents", "used");
done:
	lu_out_abort(t.out);
	lu_preset_splitter_free(t.splitter);
	lu_word_counts_release(&t.counts);
	lu_lang_names_release(&t.counts.lang);
	lu_count_set_close(&t.set);
	lu_alphabet_release(&t.alphabet);
	lu_buf_release(&t.splitting);
	lu_buf_release(&t.json);
	lu_stats_release(&stats);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .vocab_size = 65024, .min_frequency = 2 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	rc = run(&o, &args, &err);
	lu_list_release(&o.special);
	return lu_tool_finish(rc, &err);
}
