#ifndef LUCIE_TOKAUDIT_DEAD_H
#define LUCIE_TOKAUDIT_DEAD_H
/*
 * The pieces of a vocabulary that no text can produce.
 *
 *	struct lu_dead d = { 0 };
 *	if (lu_dead_find(&d, tok, &err) < 0) ...
 *	lu_dead_text(&d, tok, file, &out);  or lu_dead_json(&d, tok, file, &out);
 *	lu_dead_release(&d);
 *
 * Counted apart, and not looked at: added tokens, the unknown token, the pieces of single bytes
 * (<0x00> to <0xFF> with byte_fallback, GPT-2's 256 characters in byte-level files), and reserved
 * pieces: those that are spelled in brackets (<unused5>, [unused5]) and no text gives.
 *
 * A piece is live when a text is found that encodes to ids with its own among them: its own
 * text, also with the normalizer's single replacements undone, by itself and between other
 * characters, some of them without a piece so that nothing merges with them; for a byte-level
 * piece that is no whole characters, what makes it whole. Such a text is a proof.
 *
 * Otherwise it is dead, and the reason is one of
 *   utf-8	no valid UTF-8 has these bytes in a row
 *   normalizer	a character of it, or a pair of neighbours, is in no normalised text: a step
 *		replaces it and no later step brings it back; or it is not in the normal form that
 *		the last step makes
 *   merges	the merges do not make it of its own characters. When a word gives the piece, the
 *		merges inside it are those that happen in its characters alone, in the same order,
 *		since none goes over its ends and the lowest rank of the word is the lowest of the
 *		part it lies in
 *   neighbours	it ends or begins inside a character, so another piece must follow or precede it, and
 *		each one that could merges with it: two neighbours in a result, merged by
 *		themselves, give these two again
 *   cut	the pre-tokenizer never leaves it whole: by the classes of its characters, or for
 *		the expressions of GPT-2, Llama 3 and Qwen 2 in each of 36 contexts
 * or nothing is proved, and it is listed as "not found".
 */
#include <stdint.h>

#include "libcommon/tokenizer/tokenizer.h"

enum lu_dead_why {
	LU_DEAD_UTF8,
	LU_DEAD_NORMALIZER,
	LU_DEAD_MERGES,
	LU_DEAD_NEIGHBOURS,
	LU_DEAD_CUT,
	LU_DEAD_NOT_FOUND,
	LU_DEAD_WHYS,
};

struct lu_dead_piece {
	uint32_t id;
	enum lu_dead_why why;
	uint32_t c[2]; /* normalizer: the character, or the pair; 0: none */
};

struct lu_dead {
	struct lu_dead_piece *piece; /* by id */
	size_t pieces, cap;
	/* Ids by kind; live + why[...] + the others are all ids that have a piece. */
	uint32_t live, added, special, unknown, bytes, reserved;
	uint32_t why[LU_DEAD_WHYS];
};

int lu_dead_find(struct lu_dead *d, const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
void lu_dead_text(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *out);
void lu_dead_json(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *out);
void lu_dead_release(struct lu_dead *d);

/* By id of tok: true for a piece that stands for bytes, not for characters: <0xNN> under
 * byte_fallback; in a byte-level file one whose bytes are not whole characters. `is` has
 * lu_tok_size() entries. */
int lu_dead_byte_pieces(const struct lu_tok *tok, bool *is, struct lu_err *err) LU_CHECKED;

#endif
