#ifndef LUCIE_TOKENIZER_TOKBPE_H
#define LUCIE_TOKENIZER_TOKBPE_H
/*
 * Inside the tokenizer: the BPE model. Pieces, merges, and from a word to ids.
 *
 * A word is a row of units: characters, or bytes when the pre-tokenizer ends in ByteLevel. Each
 * unit becomes a first symbol; then, again and again, the pair of neighbours with the lowest
 * rank (place in the file's list of merges) is merged, the leftmost first. What the rules are
 * for units without a piece stands at symbols() in tokbpe.c.
 *
 * Cutting. A merge of (l, r) happens across the place between two units x, y only when l ends
 * with x and r begins with y. The pairs (x, y) of all merges are the seams; between two units
 * that are no seam nothing can merge, whatever stands around them, so the word is cut there
 * and the chunks are merged one by one. That changes no id. Seams are kept in a bit table
 * addressed by a hash: a collision only means one cut less. The argument needs that units can
 * be read off a piece's text, which fails for merges of byte tokens <0xNN> or of the unknown
 * token; a file with such merges is not cut. Two units without a piece are never cut apart
 * unless all 256 byte tokens exist (then each stands for itself; otherwise they may become one
 * unknown token, or vanish and let their neighbours meet).
 *
 * Chunks repeat, so a state keeps the ids of those that it met: a direct-mapped table of
 * 64-byte entries, one cache line each.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/tokenizer.h"

#define LU_BPE_NONE UINT32_MAX

struct lu_bpe_merge {
	uint32_t left, right, rank, id;
};

struct lu_bpe {
	uint32_t size;	      /* largest id + 1 */
	uint32_t pieces;      /* how many ids have a piece */
	struct lu_str *piece; /* by id; .p NULL: no such id */
	uint32_t *slot;	      /* open addressing: piece -> id */
	size_t slots;	      /* a power of two */

	struct lu_bpe_merge *merge; /* open addressing: (left, right) -> rank, id */
	size_t merges;		    /* slots of `merge`, a power of two */

	uint32_t **page;	 /* by code point >> 8: the ids of 256 characters, or NULL */
	uint32_t byte_id[256];	 /* <0xNN>, or in byte-level models the byte's own piece */
	uint32_t byte_char[256]; /* GPT-2's alphabet */
	size_t longest;		 /* bytes of the longest piece */
	uint32_t unk;		 /* LU_BPE_NONE: none */
	bool byte_level, byte_fallback, fuse_unk, ignore_merges;
	bool all_bytes; /* byte_fallback, and all 256 exist */

	bool cuts;	    /* cutting is sound for this file */
	uint8_t *ascii_cut; /* [x * 128 + y] for units below 128: 1 where the word can be cut */
	uint64_t *seam;	    /* bit table */
	unsigned seam_shift;
};

/* Calling order: set `byte_level` and the flags, give every piece, then every merge, then end.
 * Strings must live as long as the model; other memory is the arena's. */
int lu_bpe_start(
	struct lu_bpe *b, struct lu_arena *arena, uint32_t size, struct lu_err *err) LU_CHECKED;
/* 1: done; 0: the id or the piece is there already. */
int lu_bpe_piece(struct lu_bpe *b, uint32_t id, struct lu_str piece);
bool lu_bpe_find(const struct lu_bpe *b, struct lu_str piece, uint32_t *id);
int lu_bpe_merges_start(
	struct lu_bpe *b, struct lu_arena *arena, size_t count, struct lu_err *err) LU_CHECKED;
void lu_bpe_merge_add(struct lu_bpe *b, const struct lu_bpe_merge *m);
int lu_bpe_end(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* --- a thread's state --------------------------------------------------------------------- */

#define LU_BPE_KEY 24 /* longest chunk that is remembered, bytes */
#define LU_BPE_IDS 8  /* and most ids of it */
#define LU_BPE_CACHE_BITS 16

struct lu_bpe_entry {
	uint64_t key[3];
	uint8_t len, n; /* len 0: empty */
	uint16_t unused;
	uint32_t id[LU_BPE_IDS + 1];
};
_Static_assert(sizeof(struct lu_bpe_entry) == 64, "a cache entry is one cache line");

struct lu_bpe_symbol {
	uint32_t id;
	uint32_t prev, next; /* index, LU_BPE_NONE at the ends; prev == own index: merged away */
};
struct lu_bpe_queued {
	uint32_t rank, at, id;
};

struct lu_bpe_state {
	struct lu_bpe_entry *cache;
	struct lu_bpe_symbol *sym;
	struct lu_bpe_queued *heap;
	size_t sym_cap, heap_cap;
	struct lu_ids row; /* first symbols of a chunk */
	struct lu_buf spelled;
};

int lu_bpe_state_init(struct lu_bpe_state *s, struct lu_err *err) LU_CHECKED;
void lu_bpe_state_release(struct lu_bpe_state *s);

/* Appends the ids of one word. */
int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
	struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

#endif
