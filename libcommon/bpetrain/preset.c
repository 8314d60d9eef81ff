#include "libcommon/bpetrain/preset_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
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
		.form = lucie ? LU_NFC : -1,
		/* Those of Lucie 7B. */
		.runs = { lucie ? 8 : 0, lucie ? 4 : 0, lucie ? 2 : 0 },
	};
}

/* --- words -------------------------------------------------------------------------------- */

/* What a character is where the lucie presets cut. */
enum kind { WORD, SYMBOL, SPACE, NO_BREAK, ALONE };

struct lu_preset_cut {
	struct lu_arena arena;
	struct lu_uni *uni;
	struct lu_parts parts;
	uint8_t *kind; /* by code point; NULL: the pre-tokenizer cuts */
	bool original; /* lucie-2024 */
};

static enum kind kind_of(const struct lu_preset *p, const struct lu_uni *u, uint32_t c)
{
	unsigned cls = lu_uni_class(u, c);
	bool old = p->kind == LU_PRESET_LUCIE_2024;

	if (c == 0x2581)
		return SPACE;
	if (c == '\n' || c == '\t')
		return ALONE;
	if ((cls & LU_UC_DIGIT) && p->single_digits)
		return ALONE;
	if (cls & LU_UC_SPACE) {
		/* Lucie 7B left other blanks inside words, and got pieces that cannot be
		 * reached. */
		if (old)
			return WORD;
		return c == 0xA0 || c == 0x202F ? NO_BREAK : ALONE;
	}
	if (!p->split_symbols || (cls & LU_UC_WORD_BRACKET))
		return WORD;
	/* Joiners stand inside words of Persian and Indian languages. */
	if (!old && (c == 0x200C || c == 0x200D))
		return WORD;
	return SYMBOL;
}

/*
 * Is there a border between neighbours x and y? It depends on the two alone. Therefore no merge
 * learnt inside words can cross a border, and the same borders hold when the tokenizer is used
 * without a pre-tokenizer. A space belongs to what follows it, a no-break space to a symbol that
 * follows it (French puts one before ; : ! ? and the closing quote).
 */
static bool border(enum kind x, enum kind y)
{
	if (y == SPACE || y == NO_BREAK || y == ALONE || x == ALONE)
		return true;
	if (x == SPACE)
		return false;
	if (x == NO_BREAK)
		return y != SYMBOL;
	return x != y;
}

int lu_preset_cut_new(struct lu_preset_cut **out, const struct lu_preset *p, struct lu_err *err)
{
	struct lu_preset_cut *cut = calloc(1, sizeof(*cut));
	struct lu_buf b = { 0 };
	struct lu_str json;
	size_t half;
	struct lu_tj j = { .file = "preset", .part = "training", .err = err };

	*out = NULL;
	if (!cut)
		return lu_err_nomem(err);
	j.arena = &cut->arena;
	cut->original = p->kind == LU_PRESET_LUCIE_2024;
	lu_preset_normalizer(&b, p, true);
	half = b.n;
	lu_preset_pre_tokenizer(&b, p, true);
	if (lu_buf_check(&b, err) < 0)
		goto fail;
	/* The steps keep slices of their text. */
	json = lu_arena_str(&cut->arena, lu_buf_slice(&b));
	if (!json.p) {
		lu_err_nomem(err);
		goto fail;
	}
	if (lu_uni_new(&cut->uni, err) < 0 ||
			lu_parts_normalizer(&j, (struct lu_str){ json.p, half }, cut->uni,
					&cut->parts) < 0 ||
			lu_parts_pre_tokenizer(&j, (struct lu_str){ json.p + half, json.n - half },
					&cut->parts) < 0)
		goto fail;
	if (lu_preset_is_lucie(p)) {
		cut->kind = malloc(0x110000);
		if (!cut->kind) {
			lu_err_nomem(err);
			goto fail;
		}
		for (uint32_t c = 0; c < 0x110000; c++)
			cut->kind[c] = (uint8_t)kind_of(p, cut->uni, c);
	}
	lu_buf_release(&b);
	*out = cut;
	return 0;
fail:
	lu_buf_release(&b);
	lu_preset_cut_free(cut);
	return -1;
}

void lu_preset_cut_free(struct lu_preset_cut *cut)
{
	if (!cut)
		return;
	lu_uni_free(cut->uni);
	lu_arena_release(&cut->arena);
	free(cut->kind);
	free(cut);
}

static int cut_at_borders(const struct lu_preset_cut *cut, struct lu_str text,
		struct lu_words *words, struct lu_err *err)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;
	enum kind x = ALONE;

	while (p < end) {
		const char *at = p;
		enum kind y = (enum kind)cut->kind[lu_utf8_next(&p)];

		if (border(x, y)) {
			if (lu_words_add(words, (struct lu_str){ from, (size_t)(at - from) }, 1,
					    err) < 0)
				return -1;
			from = at;
		}
		x = y;
	}
	return lu_words_add(words, (struct lu_str){ from, (size_t)(end - from) }, 1, err);
}

int lu_preset_words(const struct lu_preset_cut *cut, struct lu_work *work, struct lu_str text,
		struct lu_words *words, struct lu_err *err)
{
	/* Hugging Face's Metaspace puts its marker before what begins at the first byte of the
	 * document. In the original a CR or NUL that was removed from there leaves none. */
	bool first = !cut->original || text.n == 0 || (text.p[0] != '\r' && text.p[0] != '\0');

	if (lu_norm_run(&cut->parts, cut->uni, work, text, &text, err) < 0)
		return -1;
	if (cut->parts.pres == 0)
		return cut_at_borders(cut, text, words, err);
	if (lu_pre_run(&cut->parts, cut->uni, work, text, first, &text, err) < 0)
		return -1;
	if (cut->kind)
		return cut_at_borders(cut, text, words, err);
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

static void seed(struct seeds *s, struct lu_str piece)
{
	struct lu_str kept = lu_arena_str(s->arena, piece);

	if (kept.p)
		s->s[s->n++] = kept;
	else
		s->failed = true;
}

static int make_seeds(const struct lu_preset *p, struct seeds *s, struct lu_err *err)
{
	size_t most = LU_PRESET_BASE + p->specials + 256 + p->reserve +
			LU_PRESET_RUNS * LU_PRESET_RUN_MAX + 10;
	char name[3 * LU_PRESET_RUN_MAX];

	s->s = lu_arena_alloc(s->arena, most * sizeof(*s->s));
	if (!s->s)
		return lu_err_nomem(err);
	for (size_t i = 0; i < LU_PRESET_BASE; i++)
		seed(s, lu_str_of(lu_preset_base[i]));
	for (size_t i = 0; i < p->specials; i++)
		seed(s, lu_str_of(p->special[i]));
	for (unsigned i = 0; p->kind != LU_PRESET_BYTELEVEL && i < 256; i++) {
		snprintf(name, sizeof(name), "<0x%02X>", i);
		seed(s, lu_str_of(name));
	}
	for (uint32_t i = 0; i < p->reserve; i++) {
		snprintf(name, sizeof(name), "<unused%u>", i);
		seed(s, lu_str_of(name));
	}
	for (size_t r = 0; r < LU_PRESET_RUNS; r++) {
		for (uint32_t n = 1; n <= p->runs[r]; n++)
			seed(s, lu_preset_run(name, lu_preset_blank[r], n));
	}
	for (char c = '0'; lu_preset_is_lucie(p) && p->single_digits && c <= '9'; c++)
		seed(s, (struct lu_str){ &c, 1 });
	return s->failed ? lu_err_nomem(err) : 0;
}

int lu_preset_check(const struct lu_preset *p, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	int rc = make_seeds(p, &s, err);

	for (size_t i = LU_PRESET_BASE; rc == 0 && i < LU_PRESET_BASE + p->specials; i++) {
		if (s.s[i].n == 0 || lu_utf8_valid(s.s[i].p, s.s[i].n) != s.s[i].n)
			rc = lu_err_set(err, "--special: not a text in UTF-8");
		for (size_t k = 0; rc == 0 && k < s.n; k++) {
			if (k != i && lu_str_eq(s.s[i], s.s[k]))
				rc = lu_err_set(err, "--special: '" LU_STR_FMT "' is there already",
						LU_STR_ARG(s.s[i]));
		}
	}
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

/* What asks whether a text can hold a piece. */
struct reach {
	struct lu_uni *uni;
	struct lu_parts parts;
	struct lu_work work;
	struct lu_buf text, want;
};

/* The normalizer of the file, to be run. */
static int reach_init(struct reach *r, const struct lu_preset *p, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_tj j = { .file = "preset", .part = "normalizer", .arena = arena, .err = err };
	struct lu_buf b = { 0 };
	struct lu_str json;
	int rc = -1;

	lu_preset_normalizer(&b, p, false);
	if (lu_buf_check(&b, err) == 0) {
		json = lu_arena_str(arena, lu_buf_slice(&b));
		if (!json.p)
			lu_err_nomem(err);
		else if (lu_uni_new(&r->uni, err) == 0)
			rc = lu_parts_normalizer(&j, json, r->uni, &r->parts);
	}
	lu_buf_release(&b);
	return rc;
}

static void reach_release(struct reach *r)
{
	lu_uni_free(r->uni);
	lu_work_release(&r->work);
	lu_buf_release(&r->text);
	lu_buf_release(&r->want);
}

/*
 * lucie: does the normalizer leave the text that the piece spells as it is? Characters without a
 * piece vanish in training, and what then stands side by side may be what no normalised text has
 * side by side: a letter and the accent that composes with it, or "(" and a letter where symbols
 * are not kept apart.
 */
static int can_reach(void *ctx, struct lu_str piece, struct lu_err *err)
{
	struct reach *r = ctx;
	struct lu_str got;

	lu_buf_clear(&r->text);
	lu_buf_clear(&r->want);
	lu_buf_replace(&r->want, piece, LU_STR(LU_PRESET_MARK), LU_STR(" "));
	lu_buf_replace(&r->text, lu_buf_slice(&r->want), LU_STR(LU_PRESET_SPENT),
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

int lu_preset_train(const struct lu_preset *p, struct lu_tokcount *count, struct lu_buf *json,
		struct lu_preset_info *info, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	struct reach reach = { 0 };
	struct lu_bpe_trained tr = { 0 };
	struct lu_bpe_train set = {
		.vocab_size = p->vocab_size,
		.min_frequency = p->min_frequency,
		.limit_alphabet = p->limit_alphabet,
		.max_chars = p->max_chars,
		.byte_level = p->kind == LU_PRESET_BYTELEVEL,
		.seeds_apart = p->kind == LU_PRESET_LUCIE,
		.initial = p->alphabet,
		.initials = p->alphabets,
		.tick = p->tick,
		.ctx = p->ctx,
	};
	int rc = -1;

	if (make_seeds(p, &s, err) < 0)
		goto out;
	set.seed = s.s;
	set.seeds = s.n;
	if (p->kind == LU_PRESET_LUCIE) {
		if (reach_init(&reach, p, &arena, err) < 0)
			goto out;
		set.keep = can_reach;
		set.keep_ctx = &reach;
	}
	if (lu_bpe_train(&set, count, &tr, err) < 0)
		goto out;
	*info = (struct lu_preset_info){ tr.pieces, tr.alphabet, 0, tr.tied, tr.chars,
		tr.chars_kept, tr.squeezed };
	rc = lu_preset_write(json, p, &tr, &info->merges, err);
out:
	reach_release(&reach);
	lu_bpe_trained_release(&tr);
	lu_arena_release(&arena);
	return rc;
}
