#include "trainer/eval/task_prompt.h"

#include "libcommon/base/utf8.h"

int lt_prompter_init(struct lt_prompter *p, const struct lu_tok *tok, struct lu_err *err)
{
	*p = (struct lt_prompter){ .tok = tok, .state = lu_tok_state_new(tok) };
	if (!p->state)
		return lu_err_nomem(err);
	p->has_bos = lu_tok_role(tok, LU_TOK_BOS, &p->bos);
	p->has_eos = lu_tok_role(tok, LU_TOK_EOS, &p->eos);
	return 0;
}

void lt_prompter_release(struct lt_prompter *p)
{
	lu_tok_state_free(p->state);
	lu_buf_release(&p->text);
	lu_ids_release(&p->alone);
	*p = (struct lt_prompter){ 0 };
}

void lt_prompter_rule(const struct lt_prompter *p, struct lu_buf *out)
{
	if (p->has_bos)
		lu_buf_printf(out, LU_STR_FMT " once at the beginning, no end token",
				LU_STR_ARG(lu_tok_piece(p->tok, p->bos)));
	else if (p->has_eos)
		lu_buf_printf(out, "no begin token; " LU_STR_FMT " before an empty context",
				LU_STR_ARG(lu_tok_piece(p->tok, p->eos)));
	else
		lu_buf_puts(out, "no begin token, no end token");
}

/* --- white space ------------------------------------------------------------------------------ */

/* What Python's str.isspace() takes for white space. */
static bool is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
			c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
			c == 0x202F || c == 0x205F || c == 0x3000;
}

struct lu_str lt_trim_end(struct lu_str s)
{
	while (s.n > 0) {
		size_t start = s.n - 1;
		const char *p;

		while (start > 0 && ((unsigned char)s.p[start] & 0xC0) == 0x80)
			start--;
		p = s.p + start;
		if (!is_space(lu_utf8_next(&p)))
			break;
		s.n = start;
	}
	return s;
}

struct lu_str lt_trim(struct lu_str s)
{
	const char *end;

	s = lt_trim_end(s);
	end = s.p + s.n;
	while (s.p < end) {
		const char *p = s.p;

		if (!is_space(lu_utf8_next(&p)))
			break;
		s.p = p;
	}
	s.n = (size_t)(end - s.p);
	return s;
}

/* --- encoding --------------------------------------------------------------------------------- */

/* Append the token that comes first and the text, which may begin with that token itself. `empty`:
 * the text has no context. */
static int encode(struct lt_prompter *p, struct lu_str text, bool empty, struct lu_ids *ids,
		struct lu_err *err)
{
	struct lu_str bos = p->has_bos ? lu_tok_piece(p->tok, p->bos) : LU_STR("");
	bool begins = bos.n && text.n >= bos.n && memcmp(text.p, bos.p, bos.n) == 0;

	if (lu_ids_reserve(ids, 1, err) < 0)
		return -1;
	if (p->has_bos && !begins)
		ids->p[ids->n++] = p->bos;
	else if (!p->has_bos && p->has_eos && empty)
		ids->p[ids->n++] = p->eos;
	return lu_tok_encode(p->tok, p->state, text, LU_TOK_SPECIAL_PARSE, ids, err) < 0 ? -1 : 0;
}

int lt_prompt_context(struct lt_prompter *p, struct lu_str context, struct lu_ids *ids,
		struct lu_err *err)
{
	size_t before = ids->n;

	if (encode(p, context, context.n == 0, ids, err) < 0)
		return -1;
	return ids->n > before ? 0
			       : lu_err_set(err,
						 "the context is empty, and the tokenizer has no "
						 "begin token");
}

int lt_prompt_pair(struct lt_prompter *p, struct lu_str context, struct lu_str delimiter,
		struct lu_str continuation, struct lu_ids *ids, size_t *scored, struct lu_err *err)
{
	size_t before = ids->n, n;

	p->alone.n = 0;
	if (encode(p, lt_trim_end(context), context.n == 0, &p->alone, err) < 0)
		return -1;
	lu_buf_clear(&p->text);
	lu_buf_str(&p->text, context);
	lu_buf_str(&p->text, delimiter);
	lu_buf_str(&p->text, continuation);
	if (lu_buf_check(&p->text, err) < 0 ||
			encode(p, lu_buf_slice(&p->text), context.n == 0, ids, err) < 0)
		return -1;
	n = ids->n - before;
	if (p->alone.n == 0)
		return lu_err_set(err,
				"nothing comes before the first token: the context is empty, "
				"and the tokenizer has no begin token");
	if (n <= p->alone.n)
		return lu_err_set(err,
				"'" LU_STR_FMT "' has no token of its own behind the context",
				LU_STR_ARG(continuation));
	*scored = n - p->alone.n;
	return 0;
}
