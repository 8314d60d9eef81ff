#ifndef LUCIE_DEDUP_WITHIN_H
#define LUCIE_DEDUP_WITHIN_H
/*
 * Blocks of lines that are repeated inside a text.
 *
 *	struct lu_within w = { 0 };			one a thread: working memory
 *	n = lu_within_cut(&w, text, min_bytes, &out, &err);	blocks left out, or -1
 *	lu_within_release(&w);
 *
 * A block is a run of whole lines, of at least `min_bytes` bytes with their newlines, equal byte for
 * byte to a run of lines further up that does not overlap it. From top to bottom such runs are left
 * out, as far as each agrees with the first run that begins like it, so the first copy of each line
 * stays. Blocks are found by the hash of the shortest run of lines from each line on that is long
 * enough, and then compared: time is linear in the text.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"

/* More than this is no block: the hash of one is computed for each line. */
#define LU_WITHIN_MAX 65536

struct lu_within_line {
	size_t from, to; /* in the text, without the newline */
	size_t end;	 /* behind the last line of the shortest block from here; 0: none */
	uint64_t hash;	 /* of that block */
};

struct lu_within {
	struct LU_VEC(struct lu_within_line) line;
	struct LU_VEC(size_t) first; /* first lines of the blocks in the index */
	struct lu_map index;
	struct lu_str text;
};

/* Append the text without its repeated blocks to `out`, and return the number of them; append nothing
 * if there are none. min_bytes is 1 .. LU_WITHIN_MAX. */
int64_t lu_within_cut(struct lu_within *w, struct lu_str text, uint64_t min_bytes,
		struct lu_buf *out, struct lu_err *err) LU_CHECKED;
void lu_within_release(struct lu_within *w);

#endif
