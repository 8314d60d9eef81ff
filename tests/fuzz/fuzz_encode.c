/* Encoding: the first byte chooses a small tokenizer, the rest is the text. Cut or not cut, short
 * or long way of merging, with an empty or a warm cache, the ids are the same; and decoding them
 * gives the text back (both tokenizers lose nothing but what the first one normalises). */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokmodel.h"
#include "libcommon/tokenizer/tokpreset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char corpus[] =
	"the cat sat on the mat; l'eau, l'\xC3\xA9t\xC3\xA9, l'eau et l'\xC3\xA9t\xC3\xA9 (the "
	"cat) "
	"aaaaaaaa abababab aaaa    bbbb\n\n\tthe cat 1999 1999 == == -- -- the the";

static struct lu_tok *make(enum lu_preset_kind kind)
{
	struct lu_preset p;
	struct lu_preset_cut *cut;
	struct lu_preset_info info;
	struct lu_tokcount count = { .threads = 1 };
	struct lu_tokcount_thread thread;
	struct lu_work work = { 0 };
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;

	lu_tokcount_join(&count, &thread);
	lu_preset_defaults(&p, kind);
	p.vocab_size = 500;
	if (lu_preset_cut_new(&cut, &p, &err) < 0 ||
		lu_preset_words(cut, &work, lu_str_of(corpus), &thread.words, &err) < 0 ||
		lu_tokcount_take(&count, &thread, &err) < 0 ||
		lu_preset_train(&p, &count, &json, &info, &err) < 0 ||
		lu_tok_parse(&tok, "made", lu_buf_slice(&json), &err) < 0)
		abort();
	lu_preset_cut_free(cut);
	lu_tokcount_release(&count);
	lu_work_release(&work);
	lu_buf_release(&json);
	return tok;
}

static void encode(
	struct lu_tok *tok, struct lu_tok_state *st, struct lu_str s, bool cuts, struct lu_ids *ids)
{
	bool could = tok->bpe.cuts;
	struct lu_err err;

	ids->n = 0;
	tok->bpe.cuts = could && cuts;
	if (lu_tok_encode(tok, st, s, LU_TOK_SPECIAL_TEXT, ids, &err) != 0)
		abort();
	tok->bpe.cuts = could;
}

static bool same(const struct lu_ids *a, const struct lu_ids *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n * sizeof(*a->p)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_tok *made[2];
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_ids whole = { 0 }, cut = { 0 }, warm = { 0 };
	struct lu_buf out = { 0 }, want = { 0 };
	struct lu_str s;
	struct lu_err err;

	if (size < 1)
		return 0;
	for (int i = 0; i < 2 && !made[i]; i++)
		made[i] = make(i ? LU_PRESET_BYTELEVEL : LU_PRESET_LUCIE);
	tok = made[data[0] & 1];
	s = (struct lu_str){ (const char *)data + 1, size - 1 };
	s.n = lu_utf8_valid(s.p, s.n);
	st = lu_tok_state_new(tok);
	if (!st)
		abort();
	encode(tok, st, s, false, &whole);
	encode(tok, st, s, true, &cut);
	encode(tok, st, s, true, &warm);
	if (!same(&whole, &cut) || !same(&cut, &warm))
		abort();
	if (lu_tok_decode(tok, st, cut.p, cut.n, 0, &out, NULL, &err) < 0)
		abort();
	if (data[0] & 1)
		lu_buf_str(&want, s);
	else if (lu_uni_normalize(tok->uni, LU_NFC, s, &want, &err) < 0)
		abort();
	if (!lu_str_eq(lu_buf_slice(&out), lu_buf_slice(&want)))
		abort();
	lu_ids_release(&whole);
	lu_ids_release(&cut);
	lu_ids_release(&warm);
	lu_buf_release(&out);
	lu_buf_release(&want);
	lu_tok_state_free(st);
	return 0;
}
