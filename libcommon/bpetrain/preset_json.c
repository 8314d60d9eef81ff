#include "libcommon/bpetrain/preset_json.h"

#include <stdio.h>

#include "libcommon/base/json_writer.h"

/*
 * Line feed, tab, ( [ { / < ' U+2019 " U+00AB U+201C U+2018 U+201A U+2039 U+2014 U+2013 U+2015:
 * after these a word begins as it does after a space (French: l'eau, «eau»). The list and its
 * order are those of Lucie 7B's tokenizer.
 */
static const char *const joiners[] = { "\n", "\t", "(", "[", "{", "/", "<", "'", "\xE2\x80\x99",
	"\"", "\xC2\xAB", "\xE2\x80\x9C", "\xE2\x80\x98", "\xE2\x80\x9A", "\xE2\x80\xB9",
	"\xE2\x80\x94", "\xE2\x80\x93", "\xE2\x80\x95" };
#define JOINERS (sizeof(joiners) / sizeof(joiners[0]))

const char *const lu_preset_blank[LU_PRESET_RUNS] = { LU_PRESET_MARK, "\t", "\n" };

const char *const lu_preset_base[LU_PRESET_BASE] = { "<s>", "</s>", "<unk>", "<pad>" };

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

void lu_preset_normalizer(struct lu_buf *b, const struct lu_preset *p, bool training)
{
	static const char *const form[] = { "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}",
		"{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}" };
	struct list l = { b, 0 };
	size_t from = b->n;

	lu_buf_puts(b, "{\"type\":\"Sequence\",\"normalizers\":[");
	if (p->form >= 0)
		item(&l, form[p->form]);
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", LU_PRESET_MARK, LU_PRESET_SPENT);
	if (p->kind == LU_PRESET_LUCIE_2024)
		replace_item(&l, "Regex", "[\\r\\x00]", "");
	if (lu_preset_is_lucie(p))
		joiner_items(&l);
	if (p->kind == LU_PRESET_LUCIE || (p->kind == LU_PRESET_LUCIE_2024 && !training))
		prepend_item(&l, " ");
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", " ", LU_PRESET_MARK);
	if (p->kind == LU_PRESET_LUCIE_2024 && !training)
		replace_item(&l, "Regex", "[ \\u00A0]", LU_PRESET_MARK);
	if (p->kind == LU_PRESET_METASPACE) {
		prepend_item(&l, LU_PRESET_MARK);
		replace_item(&l, "String", " ", LU_PRESET_MARK);
	}
	lu_buf_puts(b, "]}");
	if (l.n == 0 && lu_buf_ok(b)) {
		b->n = from;
		lu_buf_puts(b, "null");
	}
}

void lu_preset_pre_tokenizer(struct lu_buf *b, const struct lu_preset *p, bool training)
{
	struct list l = { b, 0 };

	if (p->kind == LU_PRESET_LUCIE || (p->kind == LU_PRESET_LUCIE_2024 && !training)) {
		lu_buf_puts(b, "null");
		return;
	}
	lu_buf_puts(b, "{\"type\":\"Sequence\",\"pretokenizers\":[");
	if (p->kind == LU_PRESET_LUCIE_2024)
		item(&l,
				"{\"type\":\"Metaspace\",\"replacement\":\"" LU_PRESET_MARK
				"\",\"prepend_scheme\":\"first\",\"split\":false}");
	if (p->kind == LU_PRESET_METASPACE)
		item(&l,
				"{\"type\":\"Metaspace\",\"replacement\":\"" LU_PRESET_MARK
				"\",\"prepend_scheme\":\"never\",\"split\":true}");
	if (!lu_preset_is_lucie(p) && p->single_digits)
		item(&l, "{\"type\":\"Digits\",\"individual_digits\":true}");
	if (!lu_preset_is_lucie(p) && p->split_symbols)
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
				"{\"type\":\"Metaspace\",\"replacement\":\"" LU_PRESET_MARK
				"\",\"prepend_scheme\":\"always\",\"split\":true}");
	item(&l, "{\"type\":\"Fuse\"}");
	/* After Fuse, so that it holds too for a marker that is no piece and was written in
	 * bytes. */
	if (p->kind != LU_PRESET_LUCIE_2024) {
		replace_item(&l, "String", LU_PRESET_MARK, " ");
		item(&l, "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}");
	}
	for (size_t i = 0; lu_preset_is_lucie(p) && i < JOINERS; i++) {
		char with[8];

		snprintf(with, sizeof(with), "%s ", joiners[i]);
		replace_item(&l, "String", with, joiners[i]);
	}
	if (p->kind == LU_PRESET_LUCIE)
		replace_item(&l, "String", LU_PRESET_SPENT, LU_PRESET_MARK);
	lu_buf_puts(b, "]}");
}

/* --- writing ------------------------------------------------------------------------------ */

static void write_added(struct lu_buf *b, const struct lu_preset *p)
{
	for (size_t i = 0; i < LU_PRESET_BASE + p->specials; i++) {
		lu_buf_printf(b, "%s{\"id\":%zu,\"content\":", i ? "," : "", i);
		lu_json_quote(b,
				lu_str_of(i < LU_PRESET_BASE ? lu_preset_base[i]
							     : p->special[i - LU_PRESET_BASE]));
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
		size_t width = strlen(lu_preset_blank[r]);

		lu_preset_run(run, lu_preset_blank[r], most);
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
			"\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_"
			"unk\":%s,"
			"\"byte_fallback\":%s,\"ignore_merges\":false,\"vocab\":{",
			bytes ? "null" : "\"<unk>\"", bytes ? "false" : "true",
			bytes ? "false" : "true");
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
	lu_preset_normalizer(b, p, false);
	lu_buf_puts(b, ",\"pre_tokenizer\":");
	lu_preset_pre_tokenizer(b, p, false);
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

int lu_preset_write(struct lu_buf *json, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges, struct lu_err *err)
{
	struct lu_buf compact = { 0 };
	int rc;

	write_file(&compact, p, tr, merges);
	rc = lu_buf_check(&compact, err);
	if (rc == 0) {
		pretty(json, lu_buf_slice(&compact));
		rc = lu_buf_check(json, err);
	}
	lu_buf_release(&compact);
	return rc;
}
