/* Encoding and decoding: the first byte chooses a small tokenizer, the second how the work is
 * divided, the rest is the text. Cut at borders or not, in blocks of any size, in parts, with an
 * empty or a warm cache, the ids are the same; decoded in one pass, in parts or step by step, their
 * text is the same, and that of any other ids; and where the tokenizer loses nothing it is the
 * text that came in. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/preset.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char corpus[] =
		"the cat sat on the mat; l'eau, l'\xC3\xA9t\xC3\xA9, l'eau et l'\xC3\xA9t\xC3\xA9 "
		"(the "
		"cat) "
		"aaaaaaaa abababab aaaa    bbbb\n\n\tthe cat 1999 1999 == == -- -- the the";

enum { LUCIE, BYTE_LEVEL, LUCIE_2024, METASPACE, LLAMA_3, FIRST, ADDED, KINDS };

static const char llama_3[] = "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
			      "\"pattern\":{\"Regex\":"
			      "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{"
			      "L}+|\\\\p{N}{1,3}| "
			      "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?"
			      "!\\\\S)|\\\\s+\"},"
			      "\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","
			      "\"add_prefix_space\":"
			      "false,\"trim_offsets\":true,\"use_regex\":false}]},";
static const char first[] = "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\","
			    "\"prepend_scheme\":\"first\",\"split\":true},";
static const char none[] = "null,";

/* Puts `by` between two members of the file. */
static void splice(struct lu_buf *json, const char *from, const char *to, const char *by)
{
	struct lu_buf b = { 0 };
	char *p = strstr(json->p, from), *q = p ? strstr(p, to) : NULL;

	if (!q)
		abort();
	p += strlen(from);
	lu_buf_append(&b, json->p, (size_t)(p - json->p));
	lu_buf_puts(&b, by);
	lu_buf_append(&b, q, (size_t)(json->p + json->n - q));
	lu_buf_release(json);
	*json = b;
}

static void dress(struct lu_buf *json, int kind, uint32_t size)
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
	lu_buf_printf(&b,
			",{\"id\":%u,\"content\":\"cat "
			"t\",\"single_word\":true,\"normalized\":true},"
			"{\"id\":%u,\"content\":\"e\xCC\x81\",\"normalized\":true},{\"id\":%u,"
			"\"content\":"
			"\" the "
			"\",\"lstrip\":true,\"rstrip\":true,\"normalized\":false},{\"id\":%u,"
			"\"content\":\"aa a\",\"normalized\":false}",
			size, size + 1, size + 2, size + 3);
	lu_buf_puts(&b, end);
	lu_buf_release(json);
	*json = b;
}

static struct lu_tok *make(int kind)
{
	static const enum lu_preset_kind preset[KINDS] = { LU_PRESET_LUCIE, LU_PRESET_BYTELEVEL,
		LU_PRESET_LUCIE_2024, LU_PRESET_METASPACE, LU_PRESET_BYTELEVEL, LU_PRESET_METASPACE,
		LU_PRESET_LUCIE };
	struct lu_preset p;
	struct lu_preset_cut *cut;
	struct lu_preset_info info;
	struct lu_tokcount count = { .threads = 1 };
	struct lu_tokcount_thread thread;
	struct lu_step_buffers work = { 0 };
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;

	lu_tokcount_join(&count, &thread);
	lu_preset_defaults(&p, preset[kind]);
	p.vocab_size = 500;
	if (lu_preset_cut_new(&cut, &p, &err) < 0 ||
			lu_preset_words(cut, &work, lu_str_of(corpus), &thread.words, &err) < 0 ||
			lu_tokcount_take(&count, &thread, &err) < 0 ||
			lu_preset_train(&p, &count, &json, &info, &err) < 0)
		abort();
	dress(&json, kind, info.pieces);
	if (lu_tok_parse(&tok, "made", lu_buf_slice(&json), &err) < 0)
		abort();
	lu_preset_cut_free(cut);
	lu_tokcount_release(&count);
	lu_step_buffers_release(&work);
	lu_buf_release(&json);
	return tok;
}

struct job {
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_str text;
	enum lu_tok_special special;
	size_t size; /* of a part */
};

static void encode(const struct job *j, bool cuts, struct lu_ids *ids)
{
	bool could = j->tok->bpe.cuts;
	struct lu_err err;

	ids->n = 0;
	j->tok->bpe.cuts = could && cuts;
	if (lu_tok_encode(j->tok, j->st, j->text, j->special, ids, &err) != 0)
		abort();
	j->tok->bpe.cuts = could;
}

static void encode_parts(const struct job *j, struct lu_ids *ids)
{
	struct lu_err err;

	ids->n = 0;
	for (size_t from = 0, to; from < j->text.n; from = to) {
		to = lu_tok_split(j->tok, j->text, from + j->size, j->special);
		if (to <= from ||
				lu_tok_encode_part(j->tok, j->st, j->text, from, to, j->special,
						ids, &err) != 0)
			abort();
	}
}

static void check_same(const struct lu_ids *a, const struct lu_ids *b)
{
	if (a->n != b->n || (a->n && memcmp(a->p, b->p, a->n * sizeof(*a->p)) != 0))
		abort();
}

static void decode(const struct job *j, const struct lu_ids *ids, struct lu_buf *out)
{
	struct lu_decode_table *spell = j->tok->decode_table;
	struct lu_buf chain = { 0 }, parts = { 0 };
	uint64_t lost = 0, lost_chain = 0, lost_parts = 0;
	struct lu_err err;

	lu_buf_clear(out);
	if (!spell || lu_tok_decode(j->tok, j->st, ids->p, ids->n, 0, out, &lost, &err) < 0)
		abort();
	j->tok->decode_table = NULL;
	if (lu_tok_decode(j->tok, j->st, ids->p, ids->n, 0, &chain, &lost_chain, &err) < 0)
		abort();
	j->tok->decode_table = spell;
	lu_tok_decode_begin(j->tok, j->st);
	for (size_t i = 0, n; i < ids->n; i += n) {
		n = ids->n - i < j->size ? ids->n - i : j->size;
		if (lu_tok_decode_more(j->tok, j->st, ids->p + i, n, 0, &parts, &lost_parts, &err) <
				0)
			abort();
	}
	if (lu_tok_decode_end(j->tok, j->st, &parts, &lost_parts, &err) < 0)
		abort();
	if (!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&chain)) ||
			!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&parts)) || lost != lost_chain ||
			lost != lost_parts || lu_utf8_valid(out->p, out->n) != out->n)
		abort();
	lu_buf_release(&chain);
	lu_buf_release(&parts);
}

/* What must come back from the ids. */
static void check_text(const struct job *j, int kind, const struct lu_buf *out)
{
	struct lu_buf want = { 0 };
	struct lu_err err;

	if (kind == BYTE_LEVEL || kind == LLAMA_3)
		lu_buf_str(&want, j->text);
	else if (lu_frozen_normalize(j->tok->uni, LU_FORM_NFC, j->text, &want, &err) < 0)
		abort();
	/* lucie gives up one noncharacter. */
	if (!lu_str_eq(lu_buf_slice(out), lu_buf_slice(&want)) &&
			!(kind == LUCIE && memmem(want.p, want.n, "\xEF\xB7\x90", 3)))
		abort();
	lu_buf_release(&want);
}

static void run(const struct job *j, int kind)
{
	struct lu_ids whole = { 0 }, got = { 0 };
	struct lu_buf out = { 0 };

	encode(j, false, &whole);
	for (int i = 0; i < 2; i++) {
		encode(j, true, &got);
		check_same(&whole, &got);
	}
	encode_parts(j, &got);
	check_same(&whole, &got);
	decode(j, &whole, &out);
	if (kind == LUCIE || kind == BYTE_LEVEL || kind == LLAMA_3)
		check_text(j, kind, &out);
	/* And the bytes as if they were ids. */
	got.n = 0;
	for (size_t i = 0; i + 1 < j->text.n; i += 2) {
		struct lu_err err;
		unsigned id = (unsigned char)j->text.p[i] << 8 | (unsigned char)j->text.p[i + 1];

		if (lu_ids_reserve(&got, 1, &err) < 0)
			abort();
		got.p[got.n++] = id % lu_tok_size(j->tok);
	}
	decode(j, &got, &out);
	lu_ids_release(&whole);
	lu_ids_release(&got);
	lu_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_tok *made[KINDS];
	static struct lu_tok_state *kept[KINDS];
	struct job j;
	int kind;

	if (size < 2)
		return 0;
	for (int i = 0; i < KINDS && !made[i]; i++)
		made[i] = make(i);
	kind = data[0] % KINDS;
	j.tok = made[kind];
	/* Only in the last one can text be tokens, so that the others give back what they get. */
	j.special = kind == ADDED ? LU_TOK_SPECIAL_PARSE : LU_TOK_SPECIAL_TEXT;
	j.size = 1 + data[1] % 64;
	j.text = (struct lu_str){ (const char *)data + 2, size - 2 };
	j.text.n = lu_utf8_valid(j.text.p, j.text.n);
	/* A state is large: most runs go on with one whose cache is warm. */
	if (data[1] >= 0xE0) {
		lu_tok_state_free(kept[kind]);
		kept[kind] = NULL;
	}
	if (!kept[kind])
		kept[kind] = lu_tok_state_new(j.tok);
	j.st = kept[kind];
	if (!j.st)
		abort();
	j.st->block = 8 + data[1] / 4;
	j.st->bpe.merger.window = 4 + data[1] % 50;
	run(&j, kind);
	return 0;
}
