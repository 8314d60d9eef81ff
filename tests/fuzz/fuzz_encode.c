/* Encoding and decoding. The first byte chooses a small tokenizer, the second how the work is
 * divided, the rest is the text. The ids must not depend on cuts, block sizes, parts, or the state
 * of the cache; their text, and that of arbitrary ids, must not depend on whether it is decoded by
 * table, in parts or step by step; and where the tokenizer is lossless it must be the input. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"
#include "tests/unit/train_preset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char corpus[] =
		"the cat sat on the mat; l'eau, l'\xC3\xA9t\xC3\xA9, l'eau et l'\xC3\xA9t\xC3\xA9 "
		"(the cat) aaaaaaaa abababab aaaa    bbbb\n\n\tthe cat 1999 1999 == == -- -- the "
		"the";

enum { LUCIE, BYTE_LEVEL, LUCIE_2024, METASPACE, LLAMA_3, FIRST, ADDED, KINDS };

/* One alternative of the expression per line. */
/* clang-format off */
static const char llama_3[] =
	"{\"type\":\"Sequence\",\"pretokenizers\":["
	"{\"type\":\"Split\",\"pattern\":{\"Regex\":\""
		"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
		"|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+"
		"|\\\\p{N}{1,3}"
		"| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*"
		"|\\\\s*[\\\\r\\\\n]+"
		"|\\\\s+(?!\\\\S)"
		"|\\\\s+"
	"\"},\"behavior\":\"Isolated\",\"invert\":false},"
	"{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]},";
/* clang-format on */
static const char first[] = "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\","
			    "\"prepend_scheme\":\"first\",\"split\":true},";
static const char none[] = "null,";

/* Replace the text between `from` and the next `to`. */
static void splice(struct lu_buf *json, const char *from, const char *to, const char *replacement)
{
	struct lu_buf b = { 0 };
	char *p = strstr(json->p, from), *q = p ? strstr(p, to) : NULL;

	if (!q)
		abort();
	p += strlen(from);
	lu_buf_append(&b, json->p, (size_t)(p - json->p));
	lu_buf_puts(&b, replacement);
	lu_buf_append(&b, q, (size_t)(json->p + json->n - q));
	lu_buf_release(json);
	*json = b;
}

/* Turn a trained preset into the tokenizer of a kind. */
static void adapt(struct lu_buf *json, int kind, uint32_t size)
{
	struct lu_buf b = { 0 };
	char *end;

	if (kind == LLAMA_3)
		splice(json, "\"pre_tokenizer\":", "\"post_processor\"", llama_3);
	if (kind == FIRST) {
		splice(json, "\"pre_tokenizer\":", "\"post_processor\"", first);
		splice(json, "\"normalizer\":", "\"pre_tokenizer\"", none);
	}
	if (kind != ADDED)
		return;
	end = strchr(strstr(json->p, "\"added_tokens\""), ']');
	lu_buf_append(&b, json->p, (size_t)(end - json->p));
	lu_buf_printf(&b, ",{\"id\":%u,\"content\":\"cat t\",", size);
	lu_buf_puts(&b, "\"single_word\":true,\"normalized\":true},");
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\"e\xCC\x81\",\"normalized\":true},", size + 1);
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\" the \",\"lstrip\":true,", size + 2);
	lu_buf_puts(&b, "\"rstrip\":true,\"normalized\":false},");
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\"aa a\",\"normalized\":false}", size + 3);
	lu_buf_puts(&b, end);
	lu_buf_release(json);
	*json = b;
}

static struct lu_tok *train(int kind)
{
	static const enum lu_preset_kind preset[KINDS] = { LU_PRESET_LUCIE, LU_PRESET_BYTELEVEL,
		LU_PRESET_LUCIE_2024, LU_PRESET_METASPACE, LU_PRESET_BYTELEVEL, LU_PRESET_METASPACE,
		LU_PRESET_LUCIE };
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;
	uint32_t pieces;

	if (train_preset(preset[kind], 500, lu_str_of(corpus), &json, &pieces, &err) < 0)
		abort();
	adapt(&json, kind, pieces);
	if (lu_tok_parse(&tok, "trained", lu_buf_slice(&json), &err) < 0)
		abort();
	lu_buf_release(&json);
	return tok;
}

struct input {
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_str text;
	enum lu_tok_special special;
	size_t size; /* of a part */
};

static void encode(const struct input *in, bool cuts, struct lu_ids *ids)
{
	bool could = in->tok->bpe.cuts;
	struct lu_err err;

	ids->n = 0;
	in->tok->bpe.cuts = could && cuts;
	if (lu_tok_encode(in->tok, in->st, in->text, in->special, ids, &err) != 0)
		abort();
	in->tok->bpe.cuts = could;
}

static void encode_parts(const struct input *in, struct lu_ids *ids)
{
	struct lu_err err;

	ids->n = 0;
	for (size_t from = 0, to; from < in->text.n; from = to) {
		to = lu_tok_split(in->tok, in->text, from + in->size, in->special);
		if (to <= from ||
				lu_tok_encode_part(in->tok, in->st, in->text, from, to, in->special,
						ids, &err) != 0)
			abort();
	}
}

static void check_same(const struct lu_ids *a, const struct lu_ids *b)
{
	if (a->n != b->n || (a->n && memcmp(a->p, b->p, a->n * sizeof(*a->p)) != 0))
		abort();
}

static void decode(const struct input *in, const struct lu_ids *ids, struct lu_buf *out)
{
	struct lu_decode_table *table = in->tok->decode_table;
	struct lu_buf chain = { 0 }, parts = { 0 };
	uint64_t lost = 0, lost_chain = 0, lost_parts = 0;
	struct lu_err err;

	lu_buf_clear(out);
	if (!table || lu_tok_decode(in->tok, in->st, ids->p, ids->n, 0, out, &lost, &err) < 0)
		abort();
	in->tok->decode_table = NULL;
	if (lu_tok_decode(in->tok, in->st, ids->p, ids->n, 0, &chain, &lost_chain, &err) < 0)
		abort();
	in->tok->decode_table = table;
	lu_tok_decode_begin(in->tok, in->st);
	for (size_t i = 0, n; i < ids->n; i += n) {
		n = ids->n - i < in->size ? ids->n - i : in->size;
		if (lu_tok_decode_more(in->tok, in->st, ids->p + i, n, 0, &parts, &lost_parts,
				    &err) < 0)
			abort();
	}
	if (lu_tok_decode_end(in->tok, in->st, &parts, &lost_parts, &err) < 0)
		abort();
	if (!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&chain)) ||
			!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&parts)) || lost != lost_chain ||
			lost != lost_parts || lu_utf8_valid(out->p, out->n) != out->n)
		abort();
	lu_buf_release(&chain);
	lu_buf_release(&parts);
}

/* Check the decoded text of a lossless tokenizer. */
static void check_text(const struct input *in, int kind, const struct lu_buf *out)
{
	struct lu_buf want = { 0 };
	struct lu_err err;

	if (kind == BYTE_LEVEL || kind == LLAMA_3)
		lu_buf_str(&want, in->text);
	else if (lu_frozen_normalize(in->tok->unicode, LU_FORM_NFC, in->text, &want, &err) < 0)
		abort();
	/* The lucie preset uses up one noncharacter. */
	if (!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&want)) &&
			!(kind == LUCIE && memmem(want.p, want.n, "\xEF\xB7\x90", 3)))
		abort();
	lu_buf_release(&want);
}

static void run(const struct input *in, int kind)
{
	struct lu_ids whole = { 0 }, got = { 0 };
	struct lu_buf out = { 0 };

	encode(in, false, &whole);
	for (int i = 0; i < 2; i++) {
		encode(in, true, &got);
		check_same(&whole, &got);
	}
	encode_parts(in, &got);
	check_same(&whole, &got);
	decode(in, &whole, &out);
	if (kind == LUCIE || kind == BYTE_LEVEL || kind == LLAMA_3)
		check_text(in, kind, &out);
	/* Decode the bytes of the text as if they were ids. */
	got.n = 0;
	for (size_t i = 0; i + 1 < in->text.n; i += 2) {
		struct lu_err err;
		unsigned id = (unsigned char)in->text.p[i] << 8 | (unsigned char)in->text.p[i + 1];

		if (lu_ids_reserve(&got, 1, &err) < 0)
			abort();
		got.p[got.n++] = id % lu_tok_size(in->tok);
	}
	decode(in, &got, &out);
	lu_ids_release(&whole);
	lu_ids_release(&got);
	lu_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_tok *tokenizer[KINDS];
	static struct lu_tok_state *state[KINDS];
	struct input in;
	int kind;

	if (size < 2)
		return 0;
	for (int i = 0; i < KINDS && !tokenizer[i]; i++)
		tokenizer[i] = train(i);
	kind = data[0] % KINDS;
	in.tok = tokenizer[kind];
	/* Special tokens only in the last one: the others must give back the text. */
	in.special = kind == ADDED ? LU_TOK_SPECIAL_PARSE : LU_TOK_SPECIAL_TEXT;
	in.size = 1 + data[1] % 64;
	in.text = (struct lu_str){ (const char *)data + 2, size - 2 };
	in.text.n = lu_utf8_valid(in.text.p, in.text.n);
	/* A state is large, so most runs reuse one, with a warm cache. */
	if (data[1] >= 0xE0) {
		lu_tok_state_free(state[kind]);
		state[kind] = NULL;
	}
	if (!state[kind])
		state[kind] = lu_tok_state_new(in.tok);
	in.st = state[kind];
	if (!in.st)
		abort();
	in.st->block = 8 + data[1] / 4;
	in.st->bpe.merger.window = 4 + data[1] % 50;
	run(&in, kind);
	return 0;
}
