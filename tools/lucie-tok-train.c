/* lucie-tok-train: trains a BPE tokenizer. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/bpetrain/alphabet.h"
#include "libcommon/bpetrain/preset.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/summary.h"

struct options {
	struct lu_std std;
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
	struct lu_progress progress;
	struct lu_buf json;
};

/* A thread's state. */
struct worker {
	struct lu_word_counts_thread counts;
	struct lu_step_buffers work;
};

static const struct lu_enum presets[] = {
	{ "lucie", LU_PRESET_LUCIE },
	{ "lucie-2024", LU_PRESET_LUCIE_2024 },
	{ "bytelevel", LU_PRESET_BYTELEVEL },
	{ "metaspace", LU_PRESET_METASPACE },
	LU_ENUM_END,
};
static const struct lu_enum digits[] = {
	{ "single", true },
	{ "keep", false },
	LU_ENUM_END,
};
static const struct lu_enum punctuation[] = {
	{ "split", true },
	{ "keep", false },
	LU_ENUM_END,
};
static const struct lu_enum forms[] = {
	{ "nfc", LU_FORM_NFC },
	{ "nfkc", LU_FORM_NFKC },
	{ "none", LU_PRESET_NO_FORM },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_ENUM(0, "preset", struct options, preset, presets, "kind of tokenizer"),
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
	LU_OPT_ENUM_GIVEN(0, "digits", struct options, single_digits, digits_given, digits,
			"split numbers (the preset's)"),
	LU_OPT_ENUM_GIVEN(0, "punctuation", struct options, split_symbols, punctuation_given,
			punctuation, "split symbols (the preset's)"),
	LU_OPT_ENUM_GIVEN(0, "form", struct options, form, form_given, forms,
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

static void parse_runs(struct lu_preset *p, const char *runs)
{
	const char *s = runs;

	if (p->kind == LU_PRESET_BYTELEVEL || p->kind == LU_PRESET_METASPACE)
		lu_usage_error("--runs: only for the presets lucie and lucie-2024");
	for (int i = 0; i < LU_PRESET_RUNS; i++) {
		uint32_t n = 0;

		if (*s < '0' || *s > '9')
			break;
		while (*s >= '0' && *s <= '9' && n <= LU_PRESET_RUN_MAX)
			n = n * 10 + (uint32_t)(*s++ - '0');
		if (n > LU_PRESET_RUN_MAX)
			lu_usage_error("--runs: '%s': a run is at most %d long", runs,
					LU_PRESET_RUN_MAX);
		p->runs[i] = n;
		if (i + 1 == LU_PRESET_RUNS && !*s)
			return;
		if (*s++ != ',')
			break;
	}
	lu_usage_error("--runs: '%s' is not three numbers separated by commas", runs);
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
	if (o->runs)
		parse_runs(p, o->runs);
	if (o->digits_given)
		p->single_digits = o->single_digits;
	if (o->punctuation_given)
		p->split_symbols = o->split_symbols;
	if (o->form_given)
		p->form = o->form;
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
	struct lu_str lang;

	w->counts.words.group = t->counts.shares && lu_doc_string(doc, "lang", &lang)
			? lu_word_counts_group(&t->counts, lang)
			: 0;
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

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct trainer t = { .options = o };
	struct lu_stats stats = { 0 };
	struct lu_docstream ds = { .ctx = &t,
		.map = count_words,
		.local_init = worker_init,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.merge = take_counts,
		.finish = train,
		.flags = LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS,
		.stats = &stats };
	struct lu_out *out = NULL;
	int rc = -1;

	if (set_preset(&t, err) < 0 || lu_preset_splitter_new(&t.splitter, &t.preset, err) < 0)
		goto done;
	set_counts(&t);
	/* Opened first, to fail on an unwritable path before the work. */
	if (lu_out_open(&out, o->std.output, o->std.compress, o->std.threads, err) < 0 ||
			lu_out_refuse_inputs(out, args->file, args->files, err) < 0 ||
			lu_docstream_run(&ds, &o->std, args, err) < 0 ||
			lu_out_buf(out, &t.json, err) < 0)
		goto done;
	/* Without its accounting line no output appears. */
	if (lu_out_settle(out, err) < 0 || lu_stats_append(&stats, args, o->std.stats, err) < 0)
		goto done;
	rc = lu_out_commit(out, err);
	out = NULL;
	if (rc == 0)
		lu_summary(&stats, args, "documents", "used");
done:
	lu_out_abort(out);
	lu_preset_splitter_free(t.splitter);
	lu_word_counts_release(&t.counts);
	lu_alphabet_release(&t.alphabet);
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
	rc = run(&o, &args, &err);
	lu_list_release(&o.special);
	return lu_tool_finish(rc, &err);
}
