#ifndef LUCIE_TOKENIZER_BPE_H
#define LUCIE_TOKENIZER_BPE_H
/*
 * Inside the tokenizer: the BPE model. Pieces, merges, and from a word to ids.
 *
 * A word is a row of units: characters, or bytes when the pre-tokenizer ends in ByteLevel. Each
 * unit becomes a first symbol; then, again and again, the pair of neighbours with the lowest
 * rank (place in the file's list of merges) is merged, the leftmost first. What the rules are
 * for units without a piece stands at symbols() in bpe_merge.c. U+2581 may be written as the
 * one byte LU_MARK (normalizer_pass.h says why).
 *
 * Three things make that fast without changing an id.
 *
 * Cutting (bpe_cut.c). A merge of (l, r) happens across the place between two units x, y only
 * when l ends with x and r begins with y. The pairs (x, y) of all merges are the seams; between
 * two units that are no seam nothing can merge, whatever stands around them, so the word is cut
 * there and the chunks are merged one by one. Seams of units that are one byte, or Latin-1, are
 * in a table; others in a table of bits addressed by a hash, where a collision only
 * means one cut less. The argument needs that units can be read off a piece's text, which fails
 * for merges of byte tokens <0xNN> or of the unknown token; a file with such merges is not cut.
 * Two units without a piece are never cut apart unless all 256 byte tokens exist (then each
 * stands for itself; otherwise they may become one unknown token, or vanish and let their
 * neighbours meet).
 *
 * Remembering (bpe_cut.c). Chunks repeat, so a state keeps the ids of those that it met: 32-byte
 * entries for up to 15 bytes and four ids, 64-byte entries for up to 39 bytes and six ids.
 *
 * Windows (bpe_merge.c). A long chunk is merged a window at a time. Let a row of tokens be such
 * that any two neighbours, merged by themselves, give back these two tokens. Then the row is
 * what merging the whole gives: look at the first merge across a border of two tokens; up to
 * it, what happened inside these two is what happens when they are merged alone, since the
 * lowest rank of a part of the row does not depend on the rest; so it would happen there too.
 * Neighbours in the result for any stretch have that property. So when a window begins at a
 * token of the one before, and its own first token is that one, both results join exactly;
 * when it is another one, an earlier place is tried, and at last a larger window.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/normalizer_pass.h"
#include "libcommon/tokenizer/tokenizer.h"

#define LU_BPE_NONE UINT32_MAX

struct lu_bpe_merge {
	uint32_t left, right, rank, id;
};

#define LU_BPE_SMALL 256

struct lu_bpe {
	uint32_t size;	      /* largest id + 1 */
	uint32_t pieces;      /* how many ids have a piece */
	struct lu_str *piece; /* by id; .p NULL: no such id */
	uint32_t *slot;	      /* open addressing: piece -> id */
	size_t slots;	      /* a power of two */

	/* Open addressing: left, right and rank in the bits of one number. It is read for every
	 * pair of every chunk that is new, so its size is what counts. */
	uint64_t *pair;
	size_t pairs; /* slots, a power of two */
	unsigned id_bits, rank_bits;
	uint32_t *made; /* by rank: the id that the merge gives */

	uint32_t **page;	 /* by code point >> 8: the ids of 256 characters, or NULL */
	uint32_t byte_id[256];	 /* <0xNN>, or in byte-level models the byte's own piece */
	uint32_t byte_char[256]; /* GPT-2's alphabet */
	size_t longest;		 /* bytes of the longest piece */
	uint32_t unk;		 /* LU_BPE_NONE: none */
	bool byte_level, byte_fallback, fuse_unk, ignore_merges;
	bool all_bytes; /* byte tokens or byte pieces: all 256 exist */

	bool cuts;				   /* cutting is sound for this file */
	uint8_t apart[LU_BPE_SMALL][LU_BPE_SMALL]; /* 1: x, y can be cut apart */
	uint64_t *seam;				   /* the same for all units, by a hash */
	unsigned seam_shift;
};

/* Calling order: set `byte_level` and the flags, give every piece, then every merge, then end.
 * Strings must live as long as the model; other memory is the arena's. */
int lu_bpe_start(struct lu_bpe *b, struct lu_arena *arena, uint32_t size,
		struct lu_err *err) LU_CHECKED;
/* 1: done; 0: the id or the piece is there already. */
int lu_bpe_piece(struct lu_bpe *b, uint32_t id, struct lu_str piece);
bool lu_bpe_find(const struct lu_bpe *b, struct lu_str piece, uint32_t *id);
int lu_bpe_merges_start(struct lu_bpe *b, struct lu_arena *arena, size_t count,
		struct lu_err *err) LU_CHECKED;
void lu_bpe_merge_add(struct lu_bpe *b, const struct lu_bpe_merge *m);
int lu_bpe_end(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err) LU_CHECKED;
void lu_bpe_release(struct lu_bpe *b); /* what is not the arena's */

/* --- units and look-ups ------------------------------------------------------------------- */

/* A unit as a number. Below LU_BPE_SMALL: ASCII, Latin-1 and the mark, which has the place of
 * U+00FF. Byte-level: the byte. */
static inline uint32_t lu_bpe_unit(uint32_t c)
{
	return c == LU_MARK_CHAR ? LU_MARK : c == LU_MARK ? 0x1100FF : c;
}

static inline uint32_t lu_bpe_char_id(const struct lu_bpe *b, uint32_t c)
{
	const uint32_t *page = b->page[c >> 8];

	return page ? page[c & 255] : LU_BPE_NONE;
}

/* The piece of a unit by itself. */
static inline uint32_t lu_bpe_first_id(const struct lu_bpe *b, uint32_t unit)
{
	if (b->byte_level)
		return b->byte_id[unit];
	return lu_bpe_char_id(b,
			unit == LU_MARK			   ? LU_MARK_CHAR
					: unit == 0x1100FF ? LU_MARK
							   : unit);
}

#define LU_BPE_EMPTY UINT64_MAX /* a slot; no pair has these ids */

static inline size_t lu_bpe_pair_slot(const struct lu_bpe *b, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> 32 ^ h >> 15) & (b->pairs - 1);
}

/* Asks for the cache line that lu_bpe_rank() will read. */
static inline void lu_bpe_fetch(const struct lu_bpe *b, uint32_t left, uint32_t right)
{
	__builtin_prefetch(&b->pair[lu_bpe_pair_slot(b, (uint64_t)left << b->id_bits | right)]);
}

/* The rank of a pair, LU_BPE_NONE when it is no merge. */
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

/* --- a thread's state --------------------------------------------------------------------- */

#define LU_BPE_SHORT_KEY 15 /* bytes of a chunk in a small entry */
#define LU_BPE_LONG_KEY 39
#define LU_BPE_BATCH 32 /* chunks that are looked up together */

struct lu_bpe_small {
	uint64_t key[2]; /* the chunk, and its length in the last byte */
	uint32_t id[4];	 /* their number in the top byte of the first */
};
struct lu_bpe_large {
	uint64_t key[5];
	uint32_t id[6];
};
_Static_assert(sizeof(struct lu_bpe_small) == 32, "two entries are one cache line");
_Static_assert(sizeof(struct lu_bpe_large) == 64, "an entry is one cache line");

struct lu_bpe_symbol {
	uint32_t id;
	uint32_t prev, next; /* index, LU_BPE_NONE at the ends; prev == own index: merged away */
};

/* A chunk on its way: its key is made and its entry is being fetched. */
struct lu_bpe_chunk {
	uint64_t key[2];
	const char *p;
	size_t n;
	void *entry;
};

/* Symbols, and where each begins in the text: LU_BPE_NONE inside a character. */
struct lu_bpe_row {
	uint32_t *id, *at;
	size_t n, cap;
};

struct lu_bpe_state {
	struct lu_bpe_small *small;
	struct lu_bpe_large *large;
	struct lu_bpe_chunk chunk[LU_BPE_BATCH];
	size_t chunks;
	struct lu_bpe_symbol *sym;
	uint64_t *heap; /* rank and place of a pair */
	size_t sym_cap, heap_cap;
	size_t window; /* bytes of a long chunk merged at once: the heap stays in the cache */
	struct lu_bpe_row row, next;
	struct lu_buf spelled;
};

int lu_bpe_state_init(struct lu_bpe_state *s, struct lu_err *err) LU_CHECKED;
void lu_bpe_state_release(struct lu_bpe_state *s);

/* Appends the ids of one word. */
int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

/* The ids of many words, one after the other: they are appended some time, at the latest by
 * lu_bpe_flush(), and until then a word must stay where it is, with at least LU_BPE_PAD bytes
 * behind it that can be read. */
#define LU_BPE_PAD 16
int lu_bpe_push(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;
int lu_bpe_flush(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* A word that arrives in pieces: give the bytes that were not used up again, with more behind
 * them (and LU_BPE_PAD bytes to read), until `last`. *used is how many bytes are done with.
 * Nothing waits for a flush afterwards. */
struct lu_bpe_scan {
	size_t seen; /* bytes looked at, of those given again */
	uint32_t unit;
};
int lu_bpe_stream(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_scan *scan,
		struct lu_str word, bool last, size_t *used, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* Could a merge reach over the place between these two units? */
bool lu_bpe_can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y);

/* Merges one chunk, whatever its length, and appends its ids (bpe_merge.c). */
int lu_bpe_merge_chunk(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str chunk,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

#endif
