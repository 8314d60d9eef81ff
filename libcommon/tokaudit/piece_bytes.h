#ifndef LUCIE_TOKAUDIT_PIECE_BYTES_H
#define LUCIE_TOKAUDIT_PIECE_BYTES_H
/*
 * Pieces as the bytes that they stand for. In a byte-level file a piece is spelled in GPT-2's
 * alphabet, one character a byte; in others it is UTF-8 itself.
 */
#include <stdbool.h>

#include "libcommon/tokenizer/tokenizer.h"

/* Append what a piece stands for. False if a character of a byte-level piece is not in GPT-2's
 * alphabet. */
bool lu_piece_bytes(const struct lu_tok *tok, struct lu_str piece, struct lu_buf *out);

/* True for the piece of a single byte: <0x00> to <0xFF> with byte_fallback, one character in a
 * byte-level file. */
bool lu_piece_is_byte(const struct lu_tok *tok, struct lu_str piece);

/* Mark the pieces that stand for bytes and not for characters: with byte_fallback <0x00> to <0xFF>,
 * in a byte-level file those whose bytes are not whole characters. `is` has lu_tok_size() entries,
 * by id. */
int lu_mark_byte_pieces(const struct lu_tok *tok, bool *is, struct lu_err *err) LU_CHECKED;

#endif
