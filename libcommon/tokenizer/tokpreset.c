#include "libcommon/tokenizer/tokpreset.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/jsonstr.h"
#include "libcommon/base/utf8.h"

#define MARK "\xE2\x96\x81" /* U+2581 */
/* What a U+2581 of the text is while U+2581 stands for spaces: U+FDD0, which Unicode keeps free
 * for such uses inside a program and which no text should hold. */
#define SPENT "\xEF\xB7\x90"

/*
 * Line feed, tab, ( [ { / < ' U+2019 " U+00AB U+201C U+2018 U+201A U+2039 U+2014 U+2013 U+2015:
 * after these a word begins as it does after a space (French: l'eau, «eau»). The list and its
 * order are those of Lucie 7B's tokenizer.
 */
static const char *const joiners[] = { "\n", "\t", "(", "[", "{", "/", "<", "'", "\xE2\x80\x99",
	"\"", "\xC2\xAB", "\xE2\x80\x9C", "\xE2\x80\x98", "\xE2\x80\x9A", "\xE2\x80\xB9",
	"\xE2\x80\x94", "\xE2\x80\x93", "\xE2\x80\x95" };
#define JOINERS (sizeof(joiners) / sizeof(joiners[0]))

static const char *const blanks[LU_PRESET_RUNS] = { MARK, "\t", "\n" };

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

static bool is_lucie(const struct lu_preset *p)
{
	return p->kind == LU_PRESET_LUCIE || p->kind == LU_PRESET_LUCIE_2024;
}

/* --- components as JSON ------------------------------------------------------------------- */

struct list {
	struct lu_buf *b;
	size_t n;
};

static void item(struct list *l, const char *json)
{
	if (l->n++)
		lu_buf_putc(l->b, ',');
	lu_buf_puts(l->b, json);
}

static void replace_item(struct list *l, const char *kind, const char *pattern, const char *content)
{
	item(l, "{\"type\":\"Replace\",\"pattern\":{");
	lu_json_quote(l->b, lu_str_of(kind));
	lu_buf_putc(l->b, ':');
	lu_json_quote(l->b, lu_str_of(pattern));
	lu_buf_puts(l->b, "},\"content\":");
	lu_json_quote(l->b, lu_str_of(content));
	lu_buf_putc(l->b, '}');
}

static void prepend_item(struct list *l, const char *what)
{
	item(l, "{\"type\":\"Prepend\",\"prepend\":");
	lu_json_quote(l->b, lu_str_of(what));
	lu_buf_putc(l->b, '}');
}

static void joiner_items(struct list *l)
{
	for (size_t i = 0; i < JOINERS; i++) {
		char regex[16], content[8];
		bool escape = strchr("\n\t([{", *joiners[i]) != NULL;

		snprintf(regex, sizeof(regex), "%s%s(?=[ \\w])", escape ? "\\" : "", joiners[i]);
		snprintf(content, sizeof(content), "%s ", joiners[i]);
		replace_item(l, "Regex", regex, content);
	}
}

/* The normalizer of the file, or the one that training runs (lucie-2024 trains on spaces and
 * turns them into markers later, as the original did). */
static void normalizer(struct lu_buf *b, const struct lu_preset *p, bool training)
{
	static const char *const form[] = { "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}",
		"{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}" };
	struct list l = { b, 0 };
	size_t from = b->n;

	lu_buf_puts(b, "{\"type\":\"Sequence\",\"normalizers\":[");
	if (p->form >= 0)
		item(&l, form[p->form]);
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", MARK, SPENT);
	if (p->kind == LU_PRESET_LUCIE_2024)
		replace_item(&l, "Regex", "[\\r\\x00]", "");
	if (is_lucie(p))
		joiner_items(&l);
	if (p->kind == LU_PRESET_LUCIE || (p->kind == LU_PRESET_LUCIE_2024 && !training))
		prepend_item(&l, " ");
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", " ", MARK);
	if (p->kind == LU_PRESET_LUCIE_2024 && !training)
		replace_item(&l, "Regex", "[ \\u00A0]", MARK);
	if (p->kind == LU_PRESET_METASPACE) {
		prepend_item(&l, MARK);
		replace_item(&l, "String", " ", MARK);
	}
	lu_buf_puts(b, "]}");
	if (l.n == 0 && lu_buf_ok(b)) {
		b->n = from;
		lu_buf_puts(b, "null");
	}
}

static void pre_tokenizer(struct lu_buf *b, const struct lu_preset *p, bool training)
{
	struct list l = { b, 0 };

	if (p->kind == LU_PRESET_LUCIE || (p->kind == LU_PRESET_LUCIE_2024 && !training)) {
		lu_buf_puts(b, "null");
		return;
	}
	lu_buf_puts(b, "{\"type\":\"Sequence\",\"pretokenizers\":[");
	if (p->kind == LU_PRESET_LUCIE_2024)
		item(&l,
			"{\"type\":\"Metaspace\",\"replacement\":\"" MARK
			"\",\"prepend_scheme\":\"first\",\"split\":false}");
	if (p->kind == LU_PRESET_METASPACE)
		item(&l,
			"{\"type\":\"Metaspace\",\"replacement\":\"" MARK
			"\",\"prepend_scheme\":\"never\",\"split\":true}");
	if (!is_lucie(p) && p->single_digits)
		item(&l, "{\"type\":\"Digits\",\"individual_digits\":true}");
	if (!is_lucie(p) && p->split_symbols)
		item(&l, "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}");
	if (p->kind == LU_PRESET_BYTELEVEL)
		item(&l,
			"{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
			"\"trim_offsets\":true,\"use_regex\":true}");
	lu_buf_puts(b, "]}");
}

static void decoder(struct lu_buf *b, const struct lu_preset *p)
{
	struct list l = { b, 0 };

	if (p->kind == LU_PRESET_BYTELEVEL) {
		lu_buf_puts(b,
			"{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
			"\"trim_offsets\":true,\"use_regex\":true}");
		return;
	}
	lu_buf_puts(b, "{\"type\":\"Sequence\",\"decoders\":[");
	item(&l, "{\"type\":\"ByteFallback\"}");
	if (p->kind == LU_PRESET_LUCIE_2024)
		item(&l,
			"{\"type\":\"Metaspace\",\"replacement\":\"" MARK
			"\",\"prepend_scheme\":\"always\",\"split\":true}");
	item(&l, "{\"type\":\"Fuse\"}");
	/* After Fuse, so that it holds too for a marker that is no piece and was written in bytes. */
	if (p->kind != LU_PRESET_LUCIE_2024) {
		replace_item(&l, "String", MARK, " ");
		item(&l, "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}");
	}
	for (size_t i = 0; is_lucie(p) && i < JOINERS; i++) {
		char with[8];

		snprintf(with, sizeof(with), "%s ", joiners[i]);
		replace_item(&l, "String", with, joiners[i]);
	}
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", SPENT, MARK);
	lu_buf_puts(b, "]}");
}

/* --- words -------------------------------------------------------------------------------- */

/* What a character is where the lucie presets cut. */
enum kind { WORD, SYMBOL, SPACE, NO_BREAK, ALONE, KINDS };

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
		/* Lucie 7B left other blanks inside words, and got pieces that cannot be reached. */
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
	normalizer(&b, p, true);
	half = b.n;
	pre_tokenizer(&b, p, true);
	if (lu_buf_check(&b, err) < 0)
		goto fail;
	/* The steps keep slices of their text. */
	json = lu_arena_str(&cut->arena, lu_buf_slice(&b));
	if (!json.p) {
		lu_err_nomem(err);
		goto fail;
	}
	if (lu_uni_new(&cut->uni, err) < 0 ||
		lu_parts_normalizer(&j, (struct lu_str){ json.p, half }, cut->uni, &cut->parts) <
			0 ||
		lu_parts_pre_tokenizer(
			&j, (struct lu_str){ json.p + half, json.n - half }, &cut->parts) < 0)
		goto fail;
	if (is_lucie(p)) {
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

static const char *const base_special[] = { "<s>", "</s>", "<unk>", "<pad>" };
#define BASE (sizeof(base_special) / sizeof(base_special[0]))

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

/* n times the blank, n at most LU_PRESET_RUN_MAX. */
static struct lu_str run_of(char out[3 * LU_PRESET_RUN_MAX], const char *blank, uint32_t n)
{
	size_t width = strlen(blank);

	for (uint32_t i = 0; i < n; i++)
		memcpy(out + i * width, blank, width);
	return (struct lu_str){ out, n * width };
}

static int make_seeds(const struct lu_preset *p, struct seeds *s, struct lu_err *err)
{
	size_t most =
		BASE + p->specials + 256 + p->reserve + LU_PRESET_RUNS * LU_PRESET_RUN_MAX + 10;
	char name[3 * LU_PRESET_RUN_MAX];

	s->s = lu_arena_alloc(s->arena, most * sizeof(*s->s));
	if (!s->s)
		return lu_err_nomem(err);
	for (size_t i = 0; i < BASE; i++)
		seed(s, lu_str_of(base_special[i]));
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
			seed(s, run_of(name, blanks[r], n));
	}
	for (char c = '0'; is_lucie(p) && p->single_digits && c <= '9'; c++)
		seed(s, (struct lu_str){ &c, 1 });
	return s->failed ? lu_err_nomem(err) : 0;
}

int lu_preset_check(const struct lu_preset *p, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct seeds s = { .arena = &arena };
	int rc = make_seeds(p, &s, err);

	for (size_t i = BASE; rc == 0 && i < BASE + p->specials; i++) {
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
		if (p->runs[r] && lu_str_is(s, blanks[r]))
			return true;
	}
	for (size_t i = 0; i < p->specials; i++) {
		if (lu_str_is(s, p->special[i]))
			return true;
	}
	return is_lucie(p) && p->single_digits && c >= '0' && c <= '9';
}

/* --- writing ------------------------------------------------------------------------------ */

static void write_added(struct lu_buf *b, const struct lu_preset *p)
{
	for (size_t i = 0; i < BASE + p->specials; i++) {
		lu_buf_printf(b, "%s{\"id\":%zu,\"content\":", i ? "," : "", i);
		lu_json_quote(b, lu_str_of(i < BASE ? base_special[i] : p->special[i - BASE]));
		lu_buf_puts(b,
			",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
			"\"normalized\":false,\"special\":true}");
	}
}

static void write_merge(struct lu_buf *b, uint32_t *n, struct lu_str left, struct lu_str right)
{
	lu_buf_puts(b, (*n)++ ? ",[" : "[");
	lu_json_quote(b, left);
	lu_buf_putc(b, ',');
	lu_json_quote(b, right);
	lu_buf_putc(b, ']');
}

/*
 * Runs of blanks, after all other merges, longest left part first: a run is then eaten from the
 * left in the longest pieces, and its last blank has gone to the word that follows. None was
 * learnt before, since training cuts before every blank.
 */
static void write_run_merges(struct lu_buf *b, const struct lu_preset *p, uint32_t *n)
{
	char run[3 * LU_PRESET_RUN_MAX];

	for (size_t r = 0; r < LU_PRESET_RUNS; r++) {
		uint32_t most = p->runs[r];
		size_t width = strlen(blanks[r]);

		run_of(run, blanks[r], most);
		for (uint32_t left = most; left-- > 1;) {
			for (uint32_t right = most - left; right > 0; right--)
				write_merge(b, n, (struct lu_str){ run, left * width },
					(struct lu_str){ run, right * width });
		}
	}
}

static void write_model(struct lu_buf *b, const struct lu_preset *p,
	const struct lu_bpe_trained *tr, uint32_t *merges)
{
	bool bytes = p->kind == LU_PRESET_BYTELEVEL;

	lu_buf_printf(b,
		"{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":%s,"
		"\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":%s,"
		"\"byte_fallback\":%s,\"ignore_merges\":false,\"vocab\":{",
		bytes ? "null" : "\"<unk>\"", bytes ? "false" : "true", bytes ? "false" : "true");
	for (uint32_t i = 0; i < tr->pieces; i++) {
		if (i)
			lu_buf_putc(b, ',');
		lu_json_quote(b, tr->piece[i]);
		lu_buf_printf(b, ":%u", i);
	}
	lu_buf_puts(b, "},\"merges\":[");
	*merges = 0;
	for (uint32_t i = 0; i < tr->merges; i++)
		write_merge(b, merges, tr->piece[tr->pair[i].left], tr->piece[tr->pair[i].right]);
	write_run_merges(b, p, merges);
	lu_buf_puts(b, "]}");
}

static void write_file(struct lu_buf *b, const struct lu_preset *p, const struct lu_bpe_trained *tr,
	uint32_t *merges)
{
	lu_buf_puts(b,
		"{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"
		"\"added_tokens\":[");
	write_added(b, p);
	lu_buf_puts(b, "],\"normalizer\":");
	normalizer(b, p, false);
	lu_buf_puts(b, ",\"pre_tokenizer\":");
	pre_tokenizer(b, p, false);
	lu_buf_puts(b,
		",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
		"{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
		"{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":["
		"{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
		"{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
		"{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":1}},"
		"{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"<s>\":"
		"{\"id\":\"<s>\",\"ids\":[0],\"tokens\":[\"<s>\"]}}},\"decoder\":");
	decoder(b, p);
	lu_buf_puts(b, ",\"model\":");
	write_model(b, p, tr, merges);
	lu_buf_putc(b, '}');
}

static void new_line(struct lu_buf *out, int depth)
{
	lu_buf_putc(out, '\n');
	for (int i = 0; i < depth; i++)
		lu_buf_puts(out, "  ");
}

/* Two spaces a level, one element a line, as serde_json does. */
static void pretty(struct lu_buf *out, struct lu_str json)
{
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < json.n; i++) {
		char c = json.p[i];

		if (quoted) {
			lu_buf_putc(out, c);
			if (c == '\\')
				lu_buf_putc(out, json.p[++i]);
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '}' || c == ']')
			new_line(out, --depth);
		lu_buf_putc(out, c);
		if (c == '"') {
			quoted = true;
		} else if (c == ':') {
			lu_buf_putc(out, ' ');
		} else if (c == ',') {
			new_line(out, depth);
		} else if (c == '{' || c == '[') {
			if (json.p[i + 1] == c + 2)
				lu_buf_putc(out, json.p[++i]);
			else
				new_line(out, ++depth);
		}
	}
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
static int reach_init(
	struct reach *r, const struct lu_preset *p, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_tj j = { .file = "preset", .part = "normalizer", .arena = arena, .err = err };
	struct lu_buf b = { 0 };
	struct lu_str json;
	int rc = -1;

	normalizer(&b, p, false);
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

/* Appends s with each `from` turned into `to`. */
static void put_replaced(struct lu_buf *b, struct lu_str s, const char *from, const char *to)
{
	size_t width = strlen(from);

	for (size_t i = 0; i < s.n;) {
		if (s.n - i >= width && memcmp(s.p + i, from, width) == 0) {
			lu_buf_puts(b, to);
			i += width;
		} else {
			lu_buf_putc(b, s.p[i++]);
		}
	}
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
	put_replaced(&r->want, piece, MARK, " ");
	put_replaced(&r->text, lu_buf_slice(&r->want), SPENT, MARK);
	lu_buf_clear(&r->want);
	lu_buf_puts(&r->want, MARK);
	lu_buf_str(&r->want, piece);
	if (lu_buf_check(&r->text, err) < 0 || lu_buf_check(&r->want, err) < 0 ||
		lu_norm_run(&r->parts, r->uni, &r->work, lu_buf_slice(&r->text), &got, err) < 0)
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
	struct lu_buf compact = { 0 };
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
	write_file(&compact, p, &tr, &info->merges);
	if (lu_buf_check(&compact, err) < 0)
		goto out;
	pretty(json, lu_buf_slice(&compact));
	rc = lu_buf_check(json, err);
out:
	lu_buf_release(&compact);
	reach_release(&reach);
	lu_bpe_trained_release(&tr);
	lu_arena_release(&arena);
	return rc;
}
