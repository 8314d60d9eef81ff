#include "libcommon/schema/token_bytes.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* What a token adds behind a copy of itself: no decoder step takes it for the first there. */
static int second_copy(const struct lu_tok *tok, struct lu_tok_state *state, uint32_t id,
		struct lu_buf *out, struct lu_err *err)
{
	const uint32_t twice[2] = { id, id };
	uint64_t replaced = 0;
	size_t once;

	lu_buf_clear(out);
	if (lu_tok_decode(tok, state, twice, 1, 0, out, &replaced, err) < 0)
		return -1;
	once = out->n;
	lu_buf_clear(out);
	if (lu_tok_decode(tok, state, twice, 2, 0, out, &replaced, err) < 0 ||
			lu_buf_check(out, err) < 0)
		return -1;
	if (replaced || once > out->n)
		once = out->n;
	if (out->n > once)
		memmove(out->p, out->p + once, out->n - once);
	out->n -= once;
	return 0;
}

/* The bytes of a piece of GPT-2's alphabet; false if it has another character. */
static bool byte_level(struct lu_str piece, struct lu_buf *out)
{
	const char *p = piece.p, *end = piece.p + piece.n;

	lu_buf_clear(out);
	while (p < end) {
		int byte = lu_byte_level_byte(lu_utf8_next(&p));

		if (byte < 0)
			return false;
		lu_buf_putc(out, (char)byte);
	}
	return true;
}

static int bytes_of(const struct lu_tok *tok, struct lu_tok_state *state, uint32_t id,
		struct lu_buf *out, struct lu_err *err)
{
	struct lu_str piece = lu_tok_piece(tok, id);
	bool added = id >= tok->bpe.size;

	lu_buf_clear(out);
	if (!piece.p || lu_tok_is_special(tok, id))
		return 0;
	if (!added && tok->bpe.byte_fallback && lu_byte_token_value(piece) >= 0) {
		lu_buf_putc(out, (char)lu_byte_token_value(piece));
		return 0;
	}
	if (!added && tok->components.byte_level && byte_level(piece, out))
		return 0;
	return second_copy(tok, state, id, out, err);
}

int lu_token_bytes(const struct lu_tok *tok, struct lu_arena *arena, struct lu_str *bytes,
		struct lu_err *err)
{
	struct lu_tok_state *state = lu_tok_state_new(tok);
	struct lu_buf one = { 0 };
	int rc = state ? 0 : lu_err_nomem(err);

	for (uint32_t id = 0; id < lu_tok_size(tok) && rc == 0; id++) {
		rc = bytes_of(tok, state, id, &one, err);
		if (rc == 0)
			rc = lu_buf_check(&one, err);
		if (rc < 0)
			break;
		bytes[id] = lu_arena_str(arena, lu_buf_slice(&one));
		if (!bytes[id].p)
			rc = lu_err_nomem(err);
	}
	lu_buf_release(&one);
	lu_tok_state_free(state);
	return rc;
}
