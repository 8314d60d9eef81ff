/* lucie-tok-train: learns a BPE tokenizer from the text of documents. */
#include <stdlib.h>

#include "libcommon/bpetrain/alphabet.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"

struct worker {
	struct lu_tokcount_thread count;
	struct lu_work work;
};

struct config {
	struct lu_std std;
	int preset, digits, punctuation, form;
	bool digits_given, punctuation_given, form_given, limit_given, reserve_given;
	uint64_t vocab_size, min_frequency, limit_alphabet, reserve, max_length;
	struct lu_list special;
	const char *alphabet_file, *runs, *balance;
	struct lu_alphabet alphabet;
	struct lu_preset p;
	struct lu_preset_cut *cut;
	struct lu_tokcount count;
	struct lu_shares shares;
	const struct lu_docstream *stream;
	struct lu_progress progress;
	struct lu_buf json;
};

static const struct lu_opt opts[] = {
	LU_OPT_CHOICE(0, "preset", struct config, preset, "lucie|lucie-2024|bytelevel|metaspace",
			"kind of tokenizer"),
	LU_OPT_U64('n', "vocab-size", struct config, vocab_size, "N", "pieces in all (65024)"),
	LU_OPT_U64(0, "min-frequency", struct config, min_frequency, "N", "rarest merge (2)"),
	LU_OPT_U64_GIVEN(0, "limit-alphabet", struct config, limit_alphabet, limit_given, "N",
			"most characters with a piece; 0: all (1000)"),
	LU_OPT_STR(0, "alphabet", struct config, alphabet_file, "FILE",
			"characters that get a piece, listed or counted"),
	LU_OPT_U64(0, "max-token-length", struct config, max_length, "N",
			"no merge of N or more characters"),
	LU_OPT_LIST(0, "special", struct config, special, "TOKEN", "one more special token"),
	LU_OPT_U64_GIVEN(0, "reserve", struct config, reserve, reserve_given, "N",
			"unused pieces for later"),
	LU_OPT_STR(0, "runs", struct config, runs, "SPACE,TAB,NEWLINE",
			"longest runs with a piece (8,4,2)"),
	LU_OPT_CHOICE_GIVEN(0, "digits", struct config, digits, digits_given, "single|keep",
			"is each digit a piece"),
	LU_OPT_CHOICE_GIVEN(0, "punctuation", struct config, punctuation, punctuation_given,
			"split|keep", "are symbols kept apart from words"),
	LU_OPT_CHOICE_GIVEN(0, "normalization", struct config, form, form_given, "nfc|nfkc|none",
			"normal form"),
	LU_OPT_STR(0, "balance", struct config, balance, "LANG=SHARE,...",
			"weight languages to these shares of the text"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-train",
	"learns a BPE tokenizer from the text of documents", "[FILE...]", opts,
	LU_STD_FILTER | LU_STD_MEMORY | LU_STD_TMPDIR, offsetof(struct config, std) };

static uint32_t in_range(const char *option, uint64_t v, uint64_t most)
{
	if (v > most)
		lu_usage_error("--%s: '%llu' is too large", option, (unsigned long long)v);
	return (uint32_t)v;
}

static void read_runs(struct lu_preset *p, const char *runs)
{
	const char *s = runs;

	if (p->kind == LU_PRESET_BYTELEVEL || p->kind == LU_PRESET_METASPACE)
		lu_usage_error("--runs: only the presets lucie and lucie-2024 have them");
	for (int i = 0; i < LU_PRESET_RUNS; i++) {
		uint32_t n = 0;

		if (*s < '0' || *s > '9')
			break;
		while (*s >= '0' && *s <= '9' && n <= LU_PRESET_RUN_MAX)
			n = n * 10 + (uint32_t)(*s++ - '0');
		if (n > LU_PRESET_RUN_MAX)
			lu_usage_error("--runs: '%s': longer than %d", runs, LU_PRESET_RUN_MAX);
		p->runs[i] = n;
		if (i + 1 == LU_PRESET_RUNS && !*s)
			return;
		if (*s++ != ',')
			break;
	}
	lu_usage_error("--runs: '%s' is not three numbers with commas between", runs);
}

static int read_options(struct config *c, struct lu_err *err)
{
	static const int forms[] = { LU_NFC, LU_NFKC, -1 };
	struct lu_preset *p = &c->p;

	lu_preset_defaults(p, (enum lu_preset_kind)c->preset);
	p->vocab_size = in_range("vocab-size", c->vocab_size, 1 << 24);
	p->min_frequency = c->min_frequency;
	p->max_chars = in_range("max-token-length", c->max_length, 1 << 24);
	if (c->limit_given)
		p->limit_alphabet = in_range("limit-alphabet", c->limit_alphabet, 0x110000);
	if (c->reserve_given)
		p->reserve = in_range("reserve", c->reserve, 1 << 20);
	if (c->runs)
		read_runs(p, c->runs);
	if (c->digits_given)
		p->single_digits = c->digits == 0;
	if (c->punctuation_given)
		p->split_symbols = c->punctuation == 0;
	if (c->form_given)
		p->form = forms[c->form];
	p->special = c->special.item;
	p->specials = c->special.n;
	if (lu_preset_check(p, err) < 0) {
		if (err->errnum)
			return -1;
		lu_usage_error("%s", err->msg);
	}
	if (!c->alphabet_file)
		return 0;
	if (p->kind == LU_PRESET_BYTELEVEL)
		lu_usage_error("--alphabet: the alphabet of bytelevel is the 256 bytes");
	if (lu_alphabet_read(&c->alphabet, c->alphabet_file, p, err) < 0)
		return -1;
	if (c->alphabet.unreachable)
		lu_note("%s: %zu characters left out, which no text of this preset can reach",
				c->alphabet_file, c->alphabet.unreachable);
	p->alphabet = c->alphabet.c;
	p->alphabets = c->alphabet.n;
	return 0;
}

/* What the process holds besides the counts, by measure: the program and its tables, and for each
 * thread its batches of documents and what is made of them. */
#define BASE_MEMORY ((uint64_t)20 << 20)
#define THREAD_MEMORY ((uint64_t)10 << 20)

static void start_count(struct config *c)
{
	uint64_t base = BASE_MEMORY + THREAD_MEMORY * (unsigned)c->std.threads;
	struct lu_err err;

	c->count.threads = (unsigned)c->std.threads;
	c->count.tmpdir = c->std.tmpdir;
	if (c->std.memory && c->std.memory < base + (8 << 20))
		lu_usage_error("--memory: -j %d needs at least %lluM", c->std.threads,
				(unsigned long long)(base >> 20) + 8);
	c->count.base = base;
	c->count.memory = c->std.memory ? c->std.memory - base : 0;
	if (!c->balance)
		return;
	if (lu_shares_parse(c->balance, &c->shares, &err) < 0)
		lu_usage_fail(&err, "--balance");
	c->count.shares = &c->shares;
}

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	const struct config *c = ctx;

	(void)err;
	lu_tokcount_join(&c->count, &((struct worker *)local)->count);
	return 0;
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_tokcount_leave(&w->count);
	lu_work_release(&w->work);
}

static int count(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	struct lu_str lang;

	w->count.words.group = c->balance && lu_doc_string(doc, "lang", &lang)
			? lu_tokcount_group(&c->count, lang)
			: 0;
	return lu_preset_words(c->cut, &w->work, doc->text, &w->count.words, err);
}

static void tick(void *ctx, uint32_t pieces)
{
	struct config *c = ctx;

	if (pieces % 64 == 0)
		lu_progress_update(&c->progress, pieces, pieces);
}

static int train(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;
	struct lu_preset_info info;
	int rc;

	for (size_t i = 0; i < c->stream->locals; i++) {
		struct worker *w = c->stream->local[i];

		if (lu_tokcount_take(&c->count, &w->count, err) < 0)
			return -1;
	}
	lu_progress_start(&c->progress, tool.name, c->std.progress, c->p.vocab_size);
	c->progress.unit = "pieces";
	c->p.tick = tick;
	c->p.ctx = c;
	rc = lu_preset_train(&c->p, &c->count, &c->json, &info, err);
	lu_progress_end(&c->progress);
	if (rc < 0)
		return -1;
	lu_detail("%llu distinct words; %u characters have a piece, %.4f%% of the text",
			(unsigned long long)c->count.words, info.alphabet,
			info.chars ? 100.0 * (double)info.chars_kept / (double)info.chars : 100.0);
	if (c->count.runs)
		lu_detail("%llu times the words went to a temporary file",
				(unsigned long long)c->count.runs);
	if (c->count.other_left_out)
		lu_note("--balance: the shares add up to 100: text in other languages has no "
			"weight");
	if (info.tied)
		lu_note("%u characters have no piece and are as frequent as one that has: "
			"of equal ones the smaller code points stay",
				info.tied);
	if (info.squeezed)
		lu_detail("only the %u most frequent characters fit %u pieces", info.alphabet,
				c->p.vocab_size);
	if (info.pieces < c->p.vocab_size && !info.squeezed)
		lu_note("only %u pieces: no other pair occurs %llu times", info.pieces,
				(unsigned long long)(c->p.min_frequency ? c->p.min_frequency : 1));
	lu_buf_printf(&stats->extra,
			",\"words\":%llu,\"characters\":%llu,\"covered\":%llu,\"alphabet\":%u,"
			"\"pieces\":%u,\"merges\":%u",
			(unsigned long long)c->count.words, (unsigned long long)info.chars,
			(unsigned long long)info.chars_kept, info.alphabet, info.pieces,
			info.merges);
	return lu_buf_check(&stats->extra, err);
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_stats stats = { 0 };
	struct lu_docstream ds = { .ctx = c,
		.map = count,
		.local_init = worker_init,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.finish = train,
		.flags = LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS,
		.stats = &stats };
	struct lu_out *out = NULL;
	int rc = -1;

	if (read_options(c, err) < 0 || lu_preset_cut_new(&c->cut, &c->p, err) < 0)
		goto done;
	c->stream = &ds;
	start_count(c);
	/* Opened first, so that a folder without permission is not found out after the work. */
	if (lu_out_open(&out, c->std.output, c->std.compress, c->std.threads, err) < 0 ||
			lu_out_refuse(out, args->file, args->files, err) < 0 ||
			lu_docstream_run(&ds, &c->std, args, err) < 0 ||
			lu_out_buf(out, &c->json, err) < 0)
		goto done;
	rc = lu_out_commit(out, err);
	out = NULL;
	if (rc == 0)
		rc = lu_stats_append(&stats, args, c->std.stats, err);
done:
	lu_out_abort(out);
	lu_preset_cut_free(c->cut);
	lu_tokcount_release(&c->count);
	lu_buf_release(&c->json);
	lu_stats_release(&stats);
	lu_list_release(&c->special);
	lu_alphabet_release(&c->alphabet);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .vocab_size = 65024, .min_frequency = 2 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	return lu_tool_finish(run(&c, &args, &err), &err);
}
