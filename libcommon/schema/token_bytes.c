#include "libcommon/schema/token_bytes.h"

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* Text of an entry of the decoder's table. */
static struct lu_str text_of(const struct lu_decode_table *t, const struct lu_decode_entry *e)
{
	const unsigned none = LU_DECODE_MISSING | LU_DECODE_SPECIAL | LU_DECODE_EMPTY;

	if (e->flags & none)
		return (struct lu_str){ "", 0 };
	if (e->n == LU_DECODE_LONG)
		return t->long_text[lu_load32(e->text)];
	return (struct lu_str){ e->text, e->n };
}

int lu_token_bytes_read(struct lu_token_bytes *b, const struct lu_tok *tok, struct lu_arena *arena,
		struct lu_err *err)
{
	const struct lu_decode_table *t = tok->decode_table;

	*b = (struct lu_token_bytes){ .tokens = lu_tok_size(tok) };
	if (!t)
		return lu_err_set(err,
				"the tokenizer's decoder works on the whole text: JSON cannot "
				"be bound to a schema with it");
	b->bytes = lu_arena_alloc(arena, (b->tokens + 1) * sizeof(*b->bytes));
	b->after = lu_arena_alloc(arena, (t->drop_after.n + 1) * sizeof(*b->after));
	if (!b->bytes || !b->after)
		return lu_err_nomem(err);
	for (size_t id = 0; id < b->tokens; id++) {
		b->bytes[id] = lu_arena_str(arena, text_of(t, &t->entry[id]));
		if (!b->bytes[id].p)
			return lu_err_nomem(err);
	}
	b->dropped = t->drop_after.n	 ? t->drop_char
			: t->strip_count ? t->strip_char
			: t->first	 ? LU_STR(" ")
					 : (struct lu_str){ "", 0 };
	b->dropped = lu_arena_str(arena, b->dropped);
	if (!b->dropped.p)
		return lu_err_nomem(err);
	for (b->n_after = 0; b->n_after < t->drop_after.n; b->n_after++)
		b->after[b->n_after] = t->drop_after.c[b->n_after];
	return 0;
}

bool lu_token_bytes_ends_after(const struct lu_token_bytes *b, struct lu_str text)
{
	const char *end = text.p + text.n, *p = end;
	uint32_t c;

	if (text.n == 0 || b->n_after == 0)
		return false;
	do
		p--;
	while (p > text.p && end - p < 4 && ((unsigned char)*p & 0xC0) == 0x80);
	/* The character may have just begun. */
	if (lu_utf8_valid(p, (size_t)(end - p)) != (size_t)(end - p) ||
			!lu_utf8_single((struct lu_str){ p, (size_t)(end - p) }, &c))
		return false;
	for (size_t i = 0; i < b->n_after; i++) {
		if (b->after[i] == c)
			return true;
	}
	return false;
}

bool lu_token_bytes_awaited(const struct lu_token_bytes *b, const struct lu_tok *tok,
		const struct lu_tok_state *st)
{
	const struct lu_decode_table *t = tok->decode_table;
	const struct lu_decode_state *d = &st->decode;

	if (d->run.n)
		return lu_token_bytes_ends_after(b, lu_buf_slice(&d->run));
	if (!d->begun)
		return t->strip_count > 0 || t->first;
	return d->after_c;
}
