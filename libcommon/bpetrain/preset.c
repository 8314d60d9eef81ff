#include "libcommon/bpetrain/preset.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/preset_json.h"
#include "libcommon/tokenizer/normalizer.h"
#include "libcommon/tokenizer/pretokenizer.h"

void lu_preset_defaults(struct lu_preset *p, enum lu_preset_kind kind)
{
	bool lucie = kind == LU_PRESET_LUCIE || kind == LU_PRESET_LUCIE_2024;

	*p = (struct lu_preset){
		.kind = kind,
		.vocab_size = 65024,
		.limit_alphabet = 1000,
		.reserve = lucie ? 40 : 0,
		.min_frequency = 2,
		.single_digits = lucie,
		.split_symbols = lucie,
		.form = lucie ? LU_FORM_NFC : LU_PRESET_NO_FORM,
		/* Those of Lucie 7B. */
		.runs = { lucie ? 8 : 0, lucie ? 4 : 0, lucie ? 2 : 0 },
	};
}

int lu_preset_parse_runs(struct lu_preset *p, const char *text, struct lu_err *err)
{
	const char *s = text;

	if (!lu_preset_is_lucie(p))
		return lu_err_set(err, "only for the presets lucie and lucie-2024");
	for (int i = 0; i < LU_PRESET_RUNS; i++) {
		uint32_t n = 0;

		if (*s < '0' || *s > '9')
			break;
		while (*s >= '0' && *s <= '9' && n <= LU_PRESET_RUN_MAX)
			n = n * 10 + (uint32_t)(*s++ - '0');
		if (n > LU_PRESET_RUN_MAX)
			return lu_err_set(err, "'%s': a run is at most %d long", text,
					LU_PRESET_RUN_MAX);
		p->runs[i] = n;
		if (i + 1 == LU_PRESET_RUNS && !*s)
			return 0;
		if (*s++ != ',')
			break;
	}
	return lu_err_set(err, "'%s' is not three numbers separated by commas", text);
}

/* Read the normalizer of the preset into `parts`, whose strings lie in the arena. */
static int parse_normalizer(const struct lu_preset *p, bool training, struct lu_frozen_unicode *uni,
		struct lu_arena *arena, struct lu_components *parts, struct lu_err *err)
{
	struct lu_component_reader j = {
		.file = "preset", .part = "normalizer", .arena = arena, .err = err
	};
	struct lu_buf b = { 0 };
	struct lu_str json;
	int rc = -1;

	lu_preset_put_normalizer(&b, NULL, p, training);
	if (lu_buf_check(&b, err) == 0) {
		json = lu_arena_str(arena, lu_buf_slice(&b));
		rc = json.p ? lu_components_read_normalizer(&j, json, uni, parts)
			    : lu_err_nomem(err);
	}
	lu_buf_release(&b);
	return rc;
}

static int parse_pre_tokenizer(const struct lu_preset *p, bool training, struct lu_arena *arena,
		struct lu_components *parts, struct lu_err *err)
{
	struct lu_component_reader j = {
		.file = "preset", .part = "pre_tokenizer", .arena = arena, .err = err
	};
	struct lu_buf b = { 0 };
	struct lu_str json;
	int rc = -1;

	lu_preset_put_pre_tokenizer(&b, NULL, p, training);
	if (lu_buf_check(&b, err) == 0) {
		json = lu_arena_str(arena, lu_buf_slice(&b));
		rc = json.p ? lu_components_read_pre_tokenizer(&j, json, parts) : lu_err_nomem(err);
	}
	lu_buf_release(&b);
	return rc;
}

/* --- splitting into words ----------------------------------------------------------------- */

/* Classes of characters between which the lucie presets split. */
enum char_class { WORD, SYMBOL, SPACE, NO_BREAK, ALONE };

struct lu_preset_splitter {
	struct lu_arena arena;
	struct lu_frozen_unicode *uni;
	struct lu_components parts;
	uint8_t *class; /* enum char_class by code point; NULL: the pre-tokenizer splits */
	bool original;	/* lucie-2024 */
};

static enum char_class class_of(
		const struct lu_preset *p, const struct lu_frozen_unicode *u, uint32_t c)
{
	unsigned cls = lu_frozen_class(u, c);
	bool original = p->kind == LU_PRESET_LUCIE_2024;

	if (c == 0x2581)
		return SPACE;
	if (c == '\n' || c == '\t')
		return ALONE;
	if ((cls & LU_FROZEN_DIGIT) && p->single_digits)
		return ALONE;
	if (cls & LU_FROZEN_SPACE) {
		/* Lucie 7B kept other blanks inside words, which made pieces that no text gives. */
		if (original)
			return WORD;
		return c == 0xA0 || c == 0x202F ? NO_BREAK : ALONE;
	}
	if (!p->split_symbols || (cls & LU_FROZEN_WORD_BRACKET))
		return WORD;
	/* Joiners occur inside words of Persian and of Indian languages. */
	if (!original && (c == 0x200C || c == 0x200D))
		return WORD;
	return SYMBOL;
}

/*
 * True if there is a boundary between neighbours of classes x and y. It depends on these two alone,
 * so no merge learnt inside words crosses a boundary, and the boundaries hold when the tokenizer is
 * used without a pre-tokenizer. A space belongs to what follows it, a no-break space to a symbol
 * that follows it (French has one before ; : ! ? and the closing quote).
 */
static bool is_boundary(enum char_class x, enum char_class y)
{
	if (y == SPACE || y == NO_BREAK || y == ALONE || x == ALONE)
		return true;
	if (x == SPACE)
		return false;
	if (x == NO_BREAK)
		return y != SYMBOL;
	return x != y;
}

int lu_preset_splitter_new(
		struct lu_preset_splitter **out, const struct lu_preset *p, struct lu_err *err)
{
	struct lu_preset_splitter *splitter = calloc(1, sizeof(*splitter));

	*out = NULL;
	if (!splitter)
		return lu_err_nomem(err);
	splitter->original = p->kind == LU_PRESET_LUCIE_2024;
	if (lu_frozen_new(&splitter->uni, err) < 0 ||
			parse_normalizer(p, true, splitter->uni, &splitter->arena, &splitter->parts,
					err) < 0 ||
			parse_pre_tokenizer(p, true, &splitter->arena, &splitter->parts, err) < 0)
		goto fail;
	if (lu_preset_is_lucie(p)) {
		splitter->class = malloc(0x110000);
		if (!splitter->class) {
			lu_err_nomem(err);
			goto fail;
		}
		for (uint32_t c = 0; c < 0x110000; c++)
			splitter->class[c] = (uint8_t)class_of(p, splitter->uni, c);
	}
	*out = splitter;
	return 0;
fail:
	lu_preset_splitter_free(splitter);
	return -1;
}

void lu_preset_splitter_free(struct lu_preset_splitter *splitter)
{
	if (!splitter)
		return;
	lu_frozen_free(splitter->uni);
	lu_arena_release(&splitter->arena);
	free(splitter->class);
	free(splitter);
}

static int split_at_boundaries(const struct lu_preset_splitter *splitter, struct lu_str text,
		struct lu_words *words, struct lu_err *err)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;
	enum char_class x = ALONE;

	while (p < end) {
		const char *at = p;
		enum char_class y = (enum char_class)splitter->class[lu_utf8_next(&p)];

		if (is_boundary(x, y)) {
			if (lu_words_add(words, (struct lu_str){ from, (size_t)(at - from) }, 1,
					    err) < 0)
				return -1;
			from = at;
		}
		x = y;
	}
	return lu_words_add(words, (struct lu_str){ from, (size_t)(end - from) }, 1, err);
}

int lu_preset_words(const struct lu_preset_splitter *splitter, struct lu_step_buffers *work,
		struct lu_str text, struct lu_words *words, struct lu_err *err)
{
	/* Hugging Face's Metaspace puts its marker before what starts at the first byte of the
	 * document. The original gets none if it removed a CR or NUL from there. */
	bool first = !splitter->original || text.n == 0 || (text.p[0] != '\r' && text.p[0] != '\0');

	if (lu_norm_run(&splitter->parts, splitter->uni, work, text, &text, err) < 0)
		return -1;
	if (splitter->parts.pres == 0)
		return split_at_boundaries(splitter, text, words, err);
	if (lu_pre_run(&splitter->parts, splitter->uni, work, text, first, &text, err) < 0)
		return -1;
	if (splitter->class)
		return split_at_boundaries(splitter, text, words, err);
	for (size_t i = 0; i < work->spans.n; i++) {
		struct lu_str word = { text.p + work->spans.p[i].at, work->spans.p[i].n };

		if (lu_words_add(words, word, 1, err) < 0)
			return -1;
	}
	return 0;
}

/* --- seeds -------------------------------------------------------------------------------- */

struct seeds {
	struct lu_arena *arena;
	struct lu_str *s;
	size_t n;
	bool failed;
};

static void add_seed(struct seeds *s, struct lu_str piece)
{
	struct lu_str kept = lu_arena_str(s->arena, piece);

	if (kept.p)
		s->s[s->n++] = kept;
	else
		s->failed = true;
}

static int make_seeds(const struct lu_preset *p, struct seeds *s, struct lu_err *err)
{
	size_t most = LU_PRESET_BASE_TOKENS + p->specials + 256 + p->reserve +
			LU_PRESET_RUNS * LU_PRESET_RUN_MAX + 10;
	char name[3 * LU_PRESET_RUN_MAX];

	s->s = lu_arena_alloc(s->arena, most * sizeof(*s->s));
	if (!s->s)
		return lu_err_nomem(err);
	for (size_t i = 0; i < LU_PRESET_BASE_TOKENS; i++)
		add_seed(s, lu_str_of(lu_preset_base_token[i]));
	for (size_t i = 0; i < p->specials; i++)
		add_seed(s, lu_str_of(p->special[i]));
	for (unsigned i = 0; p->kind != LU_PRESET_BYTELEVEL && i < 256; i++) {
		snprintf(name, sizeof(name), "<0x%02X>", i);
		add_seed(s, lu_str_of(name));
	}
	for (uint32_t i = 0; i < p->reserve; i++) {
		snprintf(name, sizeof(name), "<unused%u>", i);
		add_seed(s, lu_str_of(name));
	}
	for (size_t r = 0; r < LU_PRESET_RUNS; r++) {
		for (uint32_t n = 1; n <= p->runs[r]; n++)
			add_seed(s, lu_preset_run(name, lu_preset_blank[r], n));
	}
	for (char c = '0'; lu_preset_is_lucie(p) && p->single_digits && c <= '9'; c++)
		add_seed(s, (struct lu_str){ &c, 1 });
	return s->failed ? lu_err_nomem(err) : 0;
}

int lu_preset_check(const struct lu_preset *p, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	int rc = make_seeds(p, &s, err);

	for (size_t i = LU_PRESET_BASE_TOKENS; rc == 0 && i < LU_PRESET_BASE_TOKENS + p->specials;
			i++) {
		if (s.s[i].n == 0)
			rc = lu_err_set(err, "a token is empty");
		else if (lu_utf8_valid(s.s[i].p, s.s[i].n) != s.s[i].n)
			rc = lu_err_set(err, "'" LU_STR_FMT "' is not valid UTF-8",
					LU_STR_ARG(s.s[i]));
		for (size_t k = 0; rc == 0 && k < s.n; k++) {
			if (k != i && lu_str_eq(s.s[i], s.s[k]))
				rc = lu_err_set(err, "'" LU_STR_FMT "' is a token already",
						LU_STR_ARG(s.s[i]));
		}
	}
	lu_arena_release(&arena);
	return rc;
}

int lu_preset_check_size(const struct lu_preset *p, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	size_t bytes = p->kind == LU_PRESET_BYTELEVEL ? 256 : 0;
	int rc = make_seeds(p, &s, err);

	if (rc == 0 && s.n + bytes > p->vocab_size)
		rc = lu_err_set(err,
				"%u pieces are too few for the %zu that are there without text",
				p->vocab_size, s.n + bytes);
	lu_arena_release(&arena);
	return rc;
}

bool lu_preset_is_seed(const struct lu_preset *p, uint32_t c)
{
	char utf8[4];
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

	for (size_t r = 0; r < LU_PRESET_RUNS; r++) {
		if (p->runs[r] && lu_str_is(s, lu_preset_blank[r]))
			return true;
	}
	for (size_t i = 0; i < p->specials; i++) {
		if (lu_str_is(s, p->special[i]))
			return true;
	}
	return lu_preset_is_lucie(p) && p->single_digits && c >= '0' && c <= '9';
}

/* --- training ----------------------------------------------------------------------------- */

/* The normalizer of the file and buffers, to test pieces. */
struct reachability {
	struct lu_frozen_unicode *uni;
	struct lu_components parts;
	struct lu_step_buffers work;
	struct lu_buf text, want;
};

static int reachability_init(struct reachability *r, const struct lu_preset *p,
		struct lu_arena *arena, struct lu_err *err)
{
	return lu_frozen_new(&r->uni, err) < 0
			? -1
			: parse_normalizer(p, false, r->uni, arena, &r->parts, err);
}

static void reachability_release(struct reachability *r)
{
	lu_frozen_free(r->uni);
	lu_step_buffers_release(&r->work);
	lu_buf_release(&r->text);
	lu_buf_release(&r->want);
}

/*
 * True if the normalizer of lucie leaves the text that the piece spells unchanged. Characters
 * without a piece are skipped in training, and their neighbours may be adjacent in no normalised
 * text: a letter and an accent that composes with it, or "(" and a letter where symbols are not
 * split from words. Such pieces are not learnt.
 */
static int is_reachable(void *ctx, struct lu_str piece, struct lu_err *err)
{
	struct reachability *r = ctx;
	struct lu_str got;

	lu_buf_clear(&r->text);
	lu_buf_clear(&r->want);
	lu_buf_replace(&r->want, piece, LU_STR(LU_PRESET_MARK), LU_STR(" "));
	lu_buf_replace(&r->text, lu_buf_slice(&r->want), LU_STR(LU_PRESET_ESCAPED_MARK),
			LU_STR(LU_PRESET_MARK));
	lu_buf_clear(&r->want);
	lu_buf_puts(&r->want, LU_PRESET_MARK);
	lu_buf_str(&r->want, piece);
	if (lu_buf_check(&r->text, err) < 0 || lu_buf_check(&r->want, err) < 0 ||
			lu_norm_run(&r->parts, r->uni, &r->work, lu_buf_slice(&r->text), &got,
					err) < 0)
		return -1;
	return lu_str_eq(got, lu_buf_slice(&r->want));
}

int lu_preset_train(const struct lu_preset *p, struct lu_word_counts *counts, struct lu_buf *json,
		struct lu_preset_info *info, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	struct reachability reach = { 0 };
	struct lu_bpe_trained tr = { 0 };
	struct lu_bpe_train options = {
		.vocab_size = p->vocab_size,
		.min_frequency = p->min_frequency,
		.limit_alphabet = p->limit_alphabet,
		.max_chars = p->max_chars,
		.byte_level = p->kind == LU_PRESET_BYTELEVEL,
		.protect_seeds = p->kind == LU_PRESET_LUCIE,
		.initial_alphabet = p->alphabet,
		.initial_chars = p->alphabet_chars,
		.progress = p->progress,
		.ctx = p->ctx,
	};
	int rc = -1;

	if (make_seeds(p, &s, err) < 0)
		goto out;
	options.seed = s.s;
	options.seeds = s.n;
	if (p->kind == LU_PRESET_LUCIE) {
		if (reachability_init(&reach, p, &arena, err) < 0)
			goto out;
		options.accept = is_reachable;
		options.accept_ctx = &reach;
	}
	if (lu_bpe_train(&options, counts, &tr, err) < 0)
		goto out;
	*info = (struct lu_preset_info){ .pieces = tr.pieces,
		.alphabet = tr.alphabet,
		.tied = tr.tied,
		.chars = tr.chars,
		.chars_kept = tr.chars_kept,
		.truncated = tr.truncated };
	rc = lu_preset_write(json, p, &tr, &info->merges, err);
out:
	reachability_release(&reach);
	lu_bpe_trained_release(&tr);
	lu_arena_release(&arena);
	return rc;
}
