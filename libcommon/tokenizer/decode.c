/* Ids to text: in one pass if the chain of steps allows it (decode_table.h), else step by step over
 * a list of strings, initially one per token. */
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/decode_step.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* --- one step on the list of strings -------------------------------------------------------- */

/* The strings of st->text, and the list being written: st->new_text. */
static struct lu_str string_at(const struct lu_tok_state *st, size_t i)
{
	return (struct lu_str){ st->text.p + st->strings.p[i].at, st->strings.p[i].n };
}

/* End a string of the new list. It may be empty: steps ask which string is the first. */
static int end_string(struct lu_tok_state *st, size_t from, struct lu_err *err)
{
	struct lu_span s = { from, st->new_text.n - from };

	return lu_vec_push(&st->new_strings, s) ? 0 : lu_err_nomem(err);
}

static int put_string(struct lu_tok_state *st, struct lu_str s, struct lu_err *err)
{
	size_t from = st->new_text.n;

	lu_buf_str(&st->new_text, s);
	return end_string(st, from, err);
}

/* Decode a run of bytes into a new string, if there are any. */
static int end_byte_run(
		struct lu_tok_state *st, struct lu_buf *run, uint64_t *replaced, struct lu_err *err)
{
	size_t from = st->new_text.n;

	if (lu_buf_check(run, err) < 0)
		return -1;
	if (run->n == 0)
		return 0;
	*replaced += lu_utf8_repair(&st->new_text, lu_buf_slice(run));
	lu_buf_clear(run);
	return end_string(st, from, err);
}

static int run_byte_fallback(struct lu_tok_state *st, uint64_t *replaced, struct lu_err *err)
{
	struct lu_buf run = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < st->strings.n; i++) {
		struct lu_str s = string_at(st, i);
		int byte = lu_byte_token_value(s);

		if (byte >= 0) {
			lu_buf_putc(&run, (char)byte);
			continue;
		}
		rc = end_byte_run(st, &run, replaced, err);
		if (rc == 0)
			rc = put_string(st, s, err);
	}
	if (rc == 0)
		rc = end_byte_run(st, &run, replaced, err);
	lu_buf_release(&run);
	return rc;
}

static int run_byte_level(struct lu_tok_state *st, uint64_t *replaced, struct lu_err *err)
{
	struct lu_buf bytes = { 0 };
	int rc;

	for (size_t i = 0; i < st->strings.n; i++)
		lu_decode_byte_level(string_at(st, i), &bytes);
	rc = lu_buf_check(&bytes, err);
	if (rc == 0) {
		*replaced += lu_utf8_repair(&st->new_text, lu_buf_slice(&bytes));
		rc = end_string(st, 0, err);
	}
	lu_buf_release(&bytes);
	return rc;
}

static int run_on_each(
		struct lu_tok_state *st, const struct lu_decode_step *step, struct lu_err *err)
{
	for (size_t i = 0; i < st->strings.n; i++) {
		size_t from = st->new_text.n;

		lu_decode_step_run(step, string_at(st, i), i == 0, &st->new_text);
		if (end_string(st, from, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the chain ---------------------------------------------------------------------------- */

static int run_step(struct lu_tok_state *st, const struct lu_decode_step *step, uint64_t *replaced,
		struct lu_err *err)
{
	lu_buf_clear(&st->new_text);
	st->new_strings.n = 0;
	switch (step->kind) {
	case LU_DECODE_REPLACE:
	case LU_DECODE_STRIP:
	case LU_DECODE_METASPACE: return run_on_each(st, step, err);
	case LU_DECODE_BYTE_FALLBACK: return run_byte_fallback(st, replaced, err);
	case LU_DECODE_FUSE: return put_string(st, lu_buf_slice(&st->text), err);
	case LU_DECODE_BYTE_LEVEL: break;
	}
	return run_byte_level(st, replaced, err);
}

static void swap_lists(struct lu_tok_state *st)
{
	struct lu_buf text = st->text;
	struct lu_spans strings = st->strings;

	st->text = st->new_text;
	st->strings = st->new_strings;
	st->new_text = text;
	st->new_strings = strings;
}

static int unknown_id(uint32_t id, struct lu_err *err)
{
	return lu_err_set(err, "id %u is not in the tokenizer", id);
}

/* Make the spellings of the ids the list of strings. */
static int spell(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_err *err)
{
	lu_buf_clear(&st->text);
	st->strings.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct lu_str s = lu_tok_spelling(tok, ids[i]);
		struct lu_span span = { st->text.n, s.n };

		if (!s.p)
			return unknown_id(ids[i], err);
		if ((flags & LU_TOK_SKIP_SPECIAL) && lu_tok_is_special(tok, ids[i]))
			continue;
		lu_buf_str(&st->text, s);
		if (!lu_vec_push(&st->strings, span))
			return lu_err_nomem(err);
	}
	return lu_buf_check(&st->text, err);
}

static int run_chain(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err)
{
	/* Strings point into the buffers, even empty ones. */
	if (!lu_buf_reserve(&st->text, 1) || !lu_buf_reserve(&st->new_text, 1))
		return lu_err_nomem(err);
	if (spell(tok, st, ids, n, flags, err) < 0)
		return -1;
	for (size_t i = 0; i < tok->components.decs; i++) {
		if (run_step(st, &tok->components.dec[i], replaced, err) < 0 ||
				lu_buf_check(&st->new_text, err) < 0)
			return -1;
		swap_lists(st);
	}
	for (size_t i = 0; i < st->strings.n; i++) {
		if (i && !tok->components.has_decoder)
			lu_buf_putc(out, ' ');
		lu_buf_str(out, string_at(st, i));
	}
	return lu_buf_check(out, err);
}

/* --- the interface ------------------------------------------------------------------------ */

void lu_tok_decode_begin(const struct lu_tok *tok, struct lu_tok_state *st)
{
	LU_ASSERT(st->tok == tok);
	st->pending.n = 0;
	if (tok->decode_table)
		lu_decode_table_begin(tok->decode_table, &st->decode);
}

int lu_tok_decode_more(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err)
{
	uint64_t unused = 0;

	if (tok->decode_table)
		return lu_decode_table_more(tok, &st->decode, ids, n, flags, out,
				replaced ? replaced : &unused, err);
	if (lu_ids_reserve(&st->pending, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!lu_tok_piece(tok, ids[i]).p)
			return unknown_id(ids[i], err);
		if (!(flags & LU_TOK_SKIP_SPECIAL) || !lu_tok_is_special(tok, ids[i]))
			st->pending.p[st->pending.n++] = ids[i];
	}
	return 0;
}

int lu_tok_decode_end(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err)
{
	uint64_t unused = 0;

	if (!replaced)
		replaced = &unused;
	if (tok->decode_table)
		return lu_decode_table_end(tok, &st->decode, out, replaced, err);
	return run_chain(tok, st, st->pending.p, st->pending.n, 0, out, replaced, err);
}

int lu_tok_decode(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	uint64_t unused = 0;

	LU_ASSERT(st->tok == tok);
	if (!replaced)
		replaced = &unused;
	if (!tok->decode_table)
		return run_chain(tok, st, ids, n, flags, out, replaced, err);
	lu_tok_decode_begin(tok, st);
	if (lu_tok_decode_more(tok, st, ids, n, flags, out, replaced, err) < 0)
		return -1;
	return lu_tok_decode_end(tok, st, out, replaced, err);
}
