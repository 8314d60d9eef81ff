#ifndef LUCIE_TOKENIZER_BPE_H
#define LUCIE_TOKENIZER_BPE_H
/*
 * The BPE model: pieces and merges. bpe_cut.h turns words into ids, bpe_merge.h merges one chunk.
 *
 * A word is a sequence of units: characters, or bytes if the pre-tokenizer ends in ByteLevel. Each
 * unit becomes an initial symbol; then the adjacent pair of lowest rank (its index in the list of
 * merges), the leftmost of equals, is merged until no pair is a merge. The rules for units without
 * a piece are given at initial_symbols() in bpe_merge.c. U+2581 may be written as LU_MARK_BYTE
 * (normalizer_pass.h says why).
 *
 * Three techniques make this fast without changing an id.
 *
 * Cuts (bpe_cut.c). A merge of (l, r) happens across the boundary between two units x, y only if l
 * ends with x and r begins with y. The pairs (x, y) of all merges are the seams. Nothing can merge
 * between two units that are no seam, whatever their context, so the word is cut there and the
 * chunks are merged one by one. Seams of units below 256 (bytes, or ASCII and Latin-1) are in a
 * table, the others in a bitmap addressed by hash, where a collision only means one cut less. The
 * argument requires that a piece's units can be read off its text, which fails for merges of byte
 * tokens <0xNN> or of the unknown token; files with such merges are not cut. Two units without a
 * piece are never cut apart unless all 256 byte tokens exist (then each has symbols of its own;
 * otherwise they may become one unknown token, or vanish and make their neighbours adjacent). With
 * ignore_merges a whole word that is a piece is that piece, and only other words are cut.
 *
 * Cache (bpe_cut.c). Chunks repeat, so a state caches their ids: 32-byte entries for up to 15 bytes
 * and four ids, 64-byte entries for up to 39 bytes and six ids. The cache grows with the number of
 * distinct chunks, up to 36 MiB.
 *
 * Windows (bpe_merge.c). A long chunk is merged one window at a time. Let a sequence of tokens be
 * such that any two neighbours, merged on their own, give back these two tokens. Then the sequence
 * is the result of merging the whole: consider the first merge across a boundary of two tokens; up
 * to it, what happened inside these two is what happens when they are merged on their own, since
 * the lowest rank in a part does not depend on the rest; so the merge would happen there too.
 * Neighbours in the result for any stretch have that property. So when a window begins at a token
 * of the previous one and its first token is that token, both results join exactly; otherwise an
 * earlier token is tried, and finally a larger window.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/normalizer_pass.h"

#define LU_BPE_NONE UINT32_MAX

struct lu_bpe_merge {
	uint32_t left, right, rank, id;
};

#define LU_BPE_SMALL 256

struct lu_bpe {
	uint32_t size;	      /* largest id + 1 */
	uint32_t pieces;      /* number of ids with a piece */
	struct lu_str *piece; /* by id; .p is NULL for unused ids */
	uint32_t *slot;	      /* open addressing: piece to id, and 7 bits of its hash above that */
	size_t slots;	      /* a power of two */

	/* Open addressing: left, right and rank packed into one number. Looked up for every pair of
	 * every new chunk, so compactness counts. */
	uint64_t *pair;
	size_t pairs; /* slots, a power of two */
	unsigned id_bits, rank_bits;
	uint32_t *merged; /* by rank: the resulting id */

	uint32_t **page;	 /* by code point >> 8: ids of 256 characters, or NULL */
	uint32_t byte_id[256];	 /* <0xNN>, or in byte-level models the byte's own piece */
	uint32_t byte_char[256]; /* GPT-2's byte alphabet */
	size_t longest;		 /* bytes of the longest piece */
	uint32_t unk;		 /* LU_BPE_NONE: none */
	bool byte_level, byte_fallback, fuse_unk, ignore_merges;
	bool all_bytes; /* all 256 byte tokens or byte pieces exist */

	bool cuts; /* cutting what is merged is sound for this file */
	uint8_t can_cut[LU_BPE_SMALL][LU_BPE_SMALL]; /* 1: not a seam */
	uint64_t *seam;				     /* bitmap of all seams, by hash */
	unsigned seam_shift;
};

/* Calling order: set `byte_level` and the flags, begin, add every piece, begin merges, add every
 * merge, set `unk`, finish. Strings must outlive the model; other memory is the arena's. */
int lu_bpe_begin(struct lu_bpe *b, struct lu_arena *arena, uint32_t size,
		struct lu_err *err) LU_CHECKED;
/* False when the id or the piece is already there. */
bool lu_bpe_add_piece(struct lu_bpe *b, uint32_t id, struct lu_str piece);
bool lu_bpe_find(const struct lu_bpe *b, struct lu_str piece, uint32_t *id);
int lu_bpe_begin_merges(struct lu_bpe *b, struct lu_arena *arena, size_t count,
		struct lu_err *err) LU_CHECKED;
/* Of two merges of the same pair the last one counts, as in Hugging Face. */
void lu_bpe_add_merge(struct lu_bpe *b, const struct lu_bpe_merge *m);
int lu_bpe_finish(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err) LU_CHECKED;
/* Free what is not the arena's. */
void lu_bpe_release(struct lu_bpe *b);

/* --- units and lookups -------------------------------------------------------------------- */

/* The unit of a character. Below LU_BPE_SMALL: ASCII, Latin-1, and the mark in place of U+00FF. In
 * byte-level models a unit is the byte. */
static inline uint32_t lu_bpe_unit(uint32_t c)
{
	return c == LU_MARK_CHAR ? LU_MARK_BYTE : c == LU_MARK_BYTE ? 0x1100FF : c;
}

static inline uint32_t lu_bpe_char_id(const struct lu_bpe *b, uint32_t c)
{
	const uint32_t *page = b->page[c >> 8];

	return page ? page[c & 255] : LU_BPE_NONE;
}

/* The id of a unit's own piece, or LU_BPE_NONE. */
static inline uint32_t lu_bpe_unit_id(const struct lu_bpe *b, uint32_t unit)
{
	if (b->byte_level)
		return b->byte_id[unit];
	return lu_bpe_char_id(b,
			unit == LU_MARK_BYTE		   ? LU_MARK_CHAR
					: unit == 0x1100FF ? LU_MARK_BYTE
							   : unit);
}

/* True if words may be cut before the whole word has been seen. With ignore_merges they may not: a
 * word that is a piece is not merged. */
static inline bool lu_bpe_cuts_words(const struct lu_bpe *b)
{
	return b->cuts && !b->ignore_merges;
}

#define LU_BPE_EMPTY UINT64_MAX /* an unused slot; no pair has these ids */

static inline size_t lu_bpe_pair_slot(const struct lu_bpe *b, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> 32 ^ h >> 15) & (b->pairs - 1);
}

/* Prefetch the cache line that lu_bpe_rank() reads first. */
static inline void lu_bpe_prefetch(const struct lu_bpe *b, uint32_t left, uint32_t right)
{
	__builtin_prefetch(&b->pair[lu_bpe_pair_slot(b, (uint64_t)left << b->id_bits | right)]);
}

/* The rank of a pair, LU_BPE_NONE if it is no merge. */
static inline uint32_t lu_bpe_rank(const struct lu_bpe *b, uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t)left << b->id_bits | right;

	for (size_t i = lu_bpe_pair_slot(b, key);; i = (i + 1) & (b->pairs - 1)) {
		uint64_t v = b->pair[i];

		if (v >> b->rank_bits == key)
			return (uint32_t)(v & ((UINT64_C(1) << b->rank_bits) - 1));
		if (v == LU_BPE_EMPTY)
			return LU_BPE_NONE;
	}
}

static inline size_t lu_bpe_seam_bit(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	uint64_t h = ((uint64_t)x << 21 ^ y) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> b->seam_shift);
}

#endif
