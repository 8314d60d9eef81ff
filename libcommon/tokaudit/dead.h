#ifndef LUCIE_TOKAUDIT_DEAD_H
#define LUCIE_TOKAUDIT_DEAD_H
/*
 * Dead pieces: those of a vocabulary that no text gives.
 *
 *	struct lu_dead d = { 0 };
 *	if (lu_dead_find(&d, tok, &err) < 0) ...
 *	lu_dead_text(&d, tok, file, &out);  or lu_dead_json(&d, tok, file, &out);
 *	lu_dead_release(&d);
 *
 * Counted apart and not examined: added tokens, the unknown token, the pieces of single bytes
 * (<0x00> to <0xFF> with byte_fallback, GPT-2's 256 characters in byte-level files), and reserved
 * pieces: those spelled in brackets (<unused5>, [unused5]) that no text gives.
 *
 * A piece is live if a text is found that encodes to ids with its own among them: its own text,
 * also with the normalizer's replacements undone, alone and between other characters, some without
 * a piece so that nothing merges with them; for a byte-level piece that is not whole characters,
 * what completes it. Such a text is a proof.
 *
 * Otherwise it is dead for one of these reasons, each of them proved:
 *   utf-8	no valid UTF-8 contains these bytes
 *   normalizer	no normalised text has one of its characters or pairs of neighbours, since a step
 *		replaces it and no later step brings it back; or the piece is not in the normal form
 *		that the last step makes
 *   merges	the merges do not make it of its own characters. When a word gives the piece, the
 *		merges inside it are those of its characters alone, in the same order, since none
 *		crosses its ends and the lowest rank in the word is the lowest of the part that it
 *		is in
 *   neighbours	it starts or ends inside a character, so that another piece must be adjacent, and
 *		each one that could be merges with it: merging two adjacent tokens of a result by
 *		themselves gives the same two
 *   cut	the pre-tokenizer never leaves it whole: by the classes of its characters, or, for
 *		the expressions of GPT-2, Llama 3 and Qwen 2, in each of 36 contexts
 * or nothing is proved, and it is listed as "not found".
 */
#include <stdint.h>

#include "libcommon/base/vec.h"
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
	uint32_t c[2]; /* LU_DEAD_NORMALIZER: the character, or the pair; 0: none */
};

struct lu_dead {
	struct LU_VEC(struct lu_dead_piece) piece; /* by id */
	/* Number of ids by kind: live + why[] + the others are all ids that have a piece. */
	uint32_t live, added, special, unknown, bytes, reserved; /* special: of the added */
	uint32_t why[LU_DEAD_WHYS];
};

int lu_dead_find(struct lu_dead *d, const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
/* Report: lines of text, or a JSON object. `file` names the tokenizer. */
void lu_dead_text(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *out);
void lu_dead_json(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *out);
void lu_dead_release(struct lu_dead *d);

#endif
