#include "libcommon/bpetrain/preset_json.h"

#include <stdio.h>

#include "libcommon/base/json_writer.h"

/*
 * The characters after which a word begins as it does after a space (French: l'eau, «eau»): line
 * feed, tab, ( [ { / < ' U+2019 " U+00AB U+201C U+2018 U+201A U+2039 U+2014 U+2013 U+2015. The list
 * and its order are those of Lucie 7B's tokenizer.
 */
static const char *const joiners[] = { "\n", "\t", "(", "[", "{", "/", "<", "'", "\xE2\x80\x99",
	"\"", "\xC2\xAB", "\xE2\x80\x9C", "\xE2\x80\x98", "\xE2\x80\x9A", "\xE2\x80\xB9",
	"\xE2\x80\x94", "\xE2\x80\x93", "\xE2\x80\x95" };
#define JOINERS (sizeof(joiners) / sizeof(joiners[0]))

const char *const lu_preset_blank[LU_PRESET_RUNS] = { LU_PRESET_MARK, "\t", "\n" };

const char *const lu_preset_base_token[LU_PRESET_BASE_TOKENS] = { "<s>", "</s>", "<unk>", "<pad>" };

bool lu_preset_is_lucie(const struct lu_preset *p)
{
	return p->kind == LU_PRESET_LUCIE || p->kind == LU_PRESET_LUCIE_2024;
}

struct lu_str lu_preset_run(char out[3 * LU_PRESET_RUN_MAX], const char *blank, uint32_t n)
{
	size_t width = strlen(blank);

	for (uint32_t i = 0; i < n; i++)
		memcpy(out + i * width, blank, width);
	return (struct lu_str){ out, n * width };
}

/* --- components --------------------------------------------------------------------------- */

static void open_component(struct lu_buf *b, const char *key, const char *type)
{
	lu_json_open_object(b, key);
	lu_json_put_cstr(b, "type", type);
}

static void open_sequence(struct lu_buf *b, const char *key, const char *steps)
{
	open_component(b, key, "Sequence");
	lu_json_open_array(b, steps);
}

static void close_sequence(struct lu_buf *b)
{
	lu_json_close_array(b);
	lu_json_close_object(b);
}

/* A component without settings. */
static void put_component(struct lu_buf *b, const char *type)
{
	open_component(b, NULL, type);
	lu_json_close_object(b);
}

/* `kind`: "String" or "Regex". */
static void put_replace(
		struct lu_buf *b, const char *kind, const char *pattern, const char *content)
{
	open_component(b, NULL, "Replace");
	lu_json_open_object(b, "pattern");
	lu_json_put_cstr(b, kind, pattern);
	lu_json_close_object(b);
	lu_json_put_cstr(b, "content", content);
	lu_json_close_object(b);
}

static void put_prepend(struct lu_buf *b, const char *prefix)
{
	open_component(b, NULL, "Prepend");
	lu_json_put_cstr(b, "prepend", prefix);
	lu_json_close_object(b);
}

static void put_metaspace(struct lu_buf *b, const char *scheme, bool split)
{
	open_component(b, NULL, "Metaspace");
	lu_json_put_cstr(b, "replacement", LU_PRESET_MARK);
	lu_json_put_cstr(b, "prepend_scheme", scheme);
	lu_json_put_bool(b, "split", split);
	lu_json_close_object(b);
}

static void put_byte_level(struct lu_buf *b, const char *key)
{
	open_component(b, key, "ByteLevel");
	lu_json_put_bool(b, "add_prefix_space", false);
	lu_json_put_bool(b, "trim_offsets", true);
	lu_json_put_bool(b, "use_regex", true);
	lu_json_close_object(b);
}

/* A space after each joiner that a space or a word character follows. */
static void put_joiners(struct lu_buf *b)
{
	for (size_t i = 0; i < JOINERS; i++) {
		char regex[16], content[8];
		bool escape = strchr("\n\t([{", *joiners[i]) != NULL;

		snprintf(regex, sizeof(regex), "%s%s(?=[ \\w])", escape ? "\\" : "", joiners[i]);
		snprintf(content, sizeof(content), "%s ", joiners[i]);
		put_replace(b, "Regex", regex, content);
	}
}

void lu_preset_put_normalizer(
		struct lu_buf *b, const char *key, const struct lu_preset *p, bool training)
{
	static const char *const form[] = { [LU_FORM_NFC] = "NFC",
		[LU_FORM_NFD] = "NFD",
		[LU_FORM_NFKC] = "NFKC",
		[LU_FORM_NFKD] = "NFKD" };

	if (p->form == LU_PRESET_NO_FORM && p->kind == LU_PRESET_BYTELEVEL) {
		lu_json_put_null(b, key);
		return;
	}
	open_sequence(b, key, "normalizers");
	if (p->form != LU_PRESET_NO_FORM)
		put_component(b, form[p->form]);
	if (p->kind == LU_PRESET_LUCIE)
		put_replace(b, "String", LU_PRESET_MARK, LU_PRESET_ESCAPED_MARK);
	if (p->kind == LU_PRESET_LUCIE_2024)
		put_replace(b, "Regex", "[\\r\\x00]", "");
	if (lu_preset_is_lucie(p))
		put_joiners(b);
	if (p->kind == LU_PRESET_LUCIE || (p->kind == LU_PRESET_LUCIE_2024 && !training))
		put_prepend(b, " ");
	if (p->kind == LU_PRESET_LUCIE)
		put_replace(b, "String", " ", LU_PRESET_MARK);
	if (p->kind == LU_PRESET_LUCIE_2024 && !training)
		put_replace(b, "Regex", "[ \\u00A0]", LU_PRESET_MARK);
	if (p->kind == LU_PRESET_METASPACE) {
		put_prepend(b, LU_PRESET_MARK);
		put_replace(b, "String", " ", LU_PRESET_MARK);
	}
	close_sequence(b);
}

void lu_preset_put_pre_tokenizer(
		struct lu_buf *b, const char *key, const struct lu_preset *p, bool training)
{
	bool lucie = lu_preset_is_lucie(p);

	if (lucie && !(p->kind == LU_PRESET_LUCIE_2024 && training)) {
		lu_json_put_null(b, key);
		return;
	}
	open_sequence(b, key, "pretokenizers");
	if (p->kind == LU_PRESET_LUCIE_2024)
		put_metaspace(b, "first", false);
	if (p->kind == LU_PRESET_METASPACE)
		put_metaspace(b, "never", true);
	if (!lucie && p->single_digits) {
		open_component(b, NULL, "Digits");
		lu_json_put_bool(b, "individual_digits", true);
		lu_json_close_object(b);
	}
	if (!lucie && p->split_symbols) {
		open_component(b, NULL, "Punctuation");
		lu_json_put_cstr(b, "behavior", "Contiguous");
		lu_json_close_object(b);
	}
	if (p->kind == LU_PRESET_BYTELEVEL)
		put_byte_level(b, NULL);
	close_sequence(b);
}

static void put_strip_one_space(struct lu_buf *b)
{
	open_component(b, NULL, "Strip");
	lu_json_put_cstr(b, "content", " ");
	lu_json_put_u64(b, "start", 1);
	lu_json_put_u64(b, "stop", 0);
	lu_json_close_object(b);
}

static void put_decoder(struct lu_buf *b, const char *key, const struct lu_preset *p)
{
	if (p->kind == LU_PRESET_BYTELEVEL) {
		put_byte_level(b, key);
		return;
	}
	open_sequence(b, key, "decoders");
	put_component(b, "ByteFallback");
	if (p->kind == LU_PRESET_LUCIE_2024)
		put_metaspace(b, "always", true);
	put_component(b, "Fuse");
	/* After Fuse, so that a marker without a piece, which is spelled in bytes, is replaced
	 * too. */
	if (p->kind != LU_PRESET_LUCIE_2024) {
		put_replace(b, "String", LU_PRESET_MARK, " ");
		put_strip_one_space(b);
	}
	for (size_t i = 0; lu_preset_is_lucie(p) && i < JOINERS; i++) {
		char spaced[8];

		snprintf(spaced, sizeof(spaced), "%s ", joiners[i]);
		put_replace(b, "String", spaced, joiners[i]);
	}
	if (p->kind == LU_PRESET_LUCIE)
		put_replace(b, "String", LU_PRESET_ESCAPED_MARK, LU_PRESET_MARK);
	close_sequence(b);
}

/* --- the file ----------------------------------------------------------------------------- */

static void put_added_tokens(struct lu_buf *b, const struct lu_preset *p)
{
	lu_json_open_array(b, "added_tokens");
	for (size_t i = 0; i < LU_PRESET_BASE_TOKENS + p->specials; i++) {
		lu_json_open_object(b, NULL);
		lu_json_put_u64(b, "id", i);
		lu_json_put_cstr(b, "content",
				i < LU_PRESET_BASE_TOKENS ? lu_preset_base_token[i]
							  : p->special[i - LU_PRESET_BASE_TOKENS]);
		lu_json_put_bool(b, "single_word", false);
		lu_json_put_bool(b, "lstrip", false);
		lu_json_put_bool(b, "rstrip", false);
		lu_json_put_bool(b, "normalized", false);
		lu_json_put_bool(b, "special", true);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

/* `kind`: "SpecialToken" or "Sequence". */
static void put_template_part(struct lu_buf *b, const char *kind, const char *id, uint64_t type_id)
{
	lu_json_open_object(b, NULL);
	lu_json_open_object(b, kind);
	lu_json_put_cstr(b, "id", id);
	lu_json_put_u64(b, "type_id", type_id);
	lu_json_close_object(b);
	lu_json_close_object(b);
}

/* <s> before each text. */
static void put_post_processor(struct lu_buf *b)
{
	open_component(b, "post_processor", "TemplateProcessing");
	lu_json_open_array(b, "single");
	put_template_part(b, "SpecialToken", "<s>", 0);
	put_template_part(b, "Sequence", "A", 0);
	lu_json_close_array(b);
	lu_json_open_array(b, "pair");
	put_template_part(b, "SpecialToken", "<s>", 0);
	put_template_part(b, "Sequence", "A", 0);
	put_template_part(b, "SpecialToken", "<s>", 1);
	put_template_part(b, "Sequence", "B", 1);
	lu_json_close_array(b);
	lu_json_open_object(b, "special_tokens");
	lu_json_open_object(b, "<s>");
	lu_json_put_cstr(b, "id", "<s>");
	lu_json_open_array(b, "ids");
	lu_json_put_u64(b, NULL, 0);
	lu_json_close_array(b);
	lu_json_open_array(b, "tokens");
	lu_json_put_cstr(b, NULL, "<s>");
	lu_json_close_array(b);
	lu_json_close_object(b);
	lu_json_close_object(b);
	lu_json_close_object(b);
}

/*
 * True if the merges can be written as strings, "left right", the only form before tokenizers 0.20:
 * no part holds a space, and none is taken for the header of the merges.txt of old, which begins
 * with "#version" and is skipped. No preset leaves spaces in words, so the form with arrays is for
 * special tokens of odd spelling.
 */
static bool has_plain_merges(const struct lu_bpe_trained *tr)
{
	for (uint32_t i = 0; i < tr->merges; i++) {
		struct lu_str left = tr->piece[tr->merge[i].left];
		struct lu_str right = tr->piece[tr->merge[i].right];

		if (memchr(left.p, ' ', left.n) || memchr(right.p, ' ', right.n) ||
				(left.n >= 8 && memcmp(left.p, "#version", 8) == 0))
			return false;
	}
	return true;
}

/* The merges as they are written. */
struct merge_list {
	struct lu_buf *b, both;
	bool plain;
	uint32_t n;
};

static void put_merge(struct merge_list *l, struct lu_str left, struct lu_str right)
{
	l->n++;
	if (l->plain) {
		lu_buf_clear(&l->both);
		lu_buf_str(&l->both, left);
		lu_buf_putc(&l->both, ' ');
		lu_buf_str(&l->both, right);
		if (!lu_buf_ok(&l->both))
			l->b->failed = true;
		else
			lu_json_put_str(l->b, NULL, lu_buf_slice(&l->both));
		return;
	}
	lu_json_open_array(l->b, NULL);
	lu_json_put_str(l->b, NULL, left);
	lu_json_put_str(l->b, NULL, right);
	lu_json_close_array(l->b);
}

/*
 * The merges of blank runs come after all others, the longest left part first, so that a run is
 * consumed from the left in the longest pieces, after its last blank has gone to the word that
 * follows. None of them is learnt, since training splits before every blank.
 */
static void put_run_merges(struct merge_list *l, const struct lu_preset *p)
{
	char run[3 * LU_PRESET_RUN_MAX];

	for (size_t r = 0; r < LU_PRESET_RUNS; r++) {
		uint32_t longest = p->runs[r];
		size_t width = strlen(lu_preset_blank[r]);

		lu_preset_run(run, lu_preset_blank[r], longest);
		for (uint32_t left = longest; left-- > 1;) {
			for (uint32_t right = longest - left; right > 0; right--)
				put_merge(l, (struct lu_str){ run, left * width },
						(struct lu_str){ run, right * width });
		}
	}
}

static void put_model(struct lu_buf *b, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges)
{
	struct merge_list list = { .b = b, .plain = has_plain_merges(tr) };
	bool byte_level = p->kind == LU_PRESET_BYTELEVEL;

	open_component(b, "model", "BPE");
	lu_json_put_null(b, "dropout");
	if (byte_level)
		lu_json_put_null(b, "unk_token");
	else
		lu_json_put_cstr(b, "unk_token", "<unk>");
	lu_json_put_null(b, "continuing_subword_prefix");
	lu_json_put_null(b, "end_of_word_suffix");
	lu_json_put_bool(b, "fuse_unk", !byte_level);
	lu_json_put_bool(b, "byte_fallback", !byte_level);
	lu_json_put_bool(b, "ignore_merges", false);
	lu_json_open_object(b, "vocab");
	for (uint32_t i = 0; i < tr->pieces; i++) {
		lu_json_key(b, tr->piece[i]);
		lu_json_put_u64(b, NULL, i);
	}
	lu_json_close_object(b);
	lu_json_open_array(b, "merges");
	for (uint32_t i = 0; i < tr->merges; i++)
		put_merge(&list, tr->piece[tr->merge[i].left], tr->piece[tr->merge[i].right]);
	put_run_merges(&list, p);
	*merges = list.n;
	lu_buf_release(&list.both);
	lu_json_close_array(b);
	lu_json_close_object(b);
}

static void put_file(struct lu_buf *b, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "version", "1.0");
	lu_json_put_null(b, "truncation");
	lu_json_put_null(b, "padding");
	put_added_tokens(b, p);
	lu_preset_put_normalizer(b, "normalizer", p, false);
	lu_preset_put_pre_tokenizer(b, "pre_tokenizer", p, false);
	put_post_processor(b);
	put_decoder(b, "decoder", p);
	put_model(b, p, tr, merges);
	lu_json_close_object(b);
}

static void new_line(struct lu_buf *out, int depth)
{
	lu_buf_putc(out, '\n');
	for (int i = 0; i < depth; i++)
		lu_buf_puts(out, "  ");
}

/* Append compact JSON with two spaces a level and one element a line, as serde_json does. */
static void put_pretty(struct lu_buf *out, struct lu_str json)
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
			if (json.p[i + 1] == c + 2) /* the closing one, in ASCII */
				lu_buf_putc(out, json.p[++i]);
			else
				new_line(out, ++depth);
		}
	}
}

int lu_preset_write(struct lu_buf *json, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges, struct lu_err *err)
{
	struct lu_buf compact = { 0 };
	int rc;

	put_file(&compact, p, tr, merges);
	rc = lu_buf_check(&compact, err);
	if (rc == 0) {
		put_pretty(json, lu_buf_slice(&compact));
		rc = lu_buf_check(json, err);
	}
	lu_buf_release(&compact);
	return rc;
}
