#include "libcommon/tokaudit/piece_bytes.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

bool lu_piece_bytes(const struct lu_tok *tok, struct lu_str piece, struct lu_buf *out)
{
	const char *p = piece.p, *end = piece.p + piece.n;

	if (!tok->components.byte_level) {
		lu_buf_str(out, piece);
		return true;
	}
	while (p < end) {
		int byte = lu_byte_level_byte(lu_utf8_next(&p));

		if (byte < 0)
			return false;
		lu_buf_putc(out, (char)byte);
	}
	return true;
}

/* True for a byte token as byte_fallback spells it, with capitals. */
static bool is_byte_token(struct lu_str piece)
{
	int byte = lu_byte_token_value(piece);
	char name[8];

	return byte >= 0 && lu_str_eq(piece, lu_byte_token_name((unsigned)byte, name));
}

bool lu_piece_is_byte(const struct lu_tok *tok, struct lu_str piece)
{
	uint32_t c;

	if (tok->components.byte_level)
		return lu_utf8_single(piece, &c) && lu_byte_level_byte(c) >= 0;
	return tok->bpe.byte_fallback && is_byte_token(piece);
}

int lu_mark_byte_pieces(const struct lu_tok *tok, bool *is, struct lu_err *err)
{
	struct lu_buf bytes = { 0 };
	int rc;

	for (uint32_t id = 0; id < lu_tok_size(tok); id++) {
		struct lu_str piece = lu_tok_piece(tok, id);

		lu_buf_clear(&bytes);
		is[id] = false;
		if (!piece.p || id >= tok->bpe.size)
			continue;
		if (!tok->components.byte_level)
			is[id] = lu_piece_is_byte(tok, piece);
		else if (lu_piece_bytes(tok, piece, &bytes))
			is[id] = lu_utf8_valid(lu_buf_slice(&bytes).p, bytes.n) != bytes.n;
	}
	rc = lu_buf_check(&bytes, err);
	lu_buf_release(&bytes);
	return rc;
}
