#include "libcommon/tokenizer/bpe.h"

#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/tokenizer/byte_piece.h"

static void *alloc_zeroed(struct lu_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *p = lu_mul_size(count, size, &bytes) ? lu_arena_alloc(arena, bytes) : NULL;

	if (p)
		memset(p, 0, bytes);
	return p;
}

/* Slots of a table for so many entries: a power of two, at most half of them used. */
static size_t table_size(size_t entries)
{
	size_t n = 64;

	while (n < entries * 2)
		n *= 2;
	return n;
}

int lu_bpe_begin(struct lu_bpe *b, struct lu_arena *arena, uint32_t size, struct lu_err *err)
{
	b->size = size;
	b->slots = table_size(size);
	b->piece = alloc_zeroed(arena, size, sizeof(*b->piece));
	b->slot = lu_arena_alloc(arena, b->slots * sizeof(*b->slot));
	b->page = alloc_zeroed(arena, 0x1100, sizeof(*b->page));
	if (!b->piece || !b->slot || !b->page)
		return lu_err_nomem(err);
	memset(b->slot, 0xff, b->slots * sizeof(*b->slot));
	return 0;
}

/* Ids have 24 bits (LU_TOK_MAX_ID). */
#define SLOT_ID UINT32_C(0xFFFFFF)

/* The slot of a piece, or an empty one, and the hash bits of it. A piece is read, which may cost two
 * cache misses, only where these are the same. */
static size_t find_slot(const struct lu_bpe *b, struct lu_str piece, uint32_t *bits)
{
	uint64_t hash = lu_hash64(piece.p, piece.n, 0);
	size_t i = hash & (b->slots - 1);

	for (*bits = (uint32_t)(hash >> 57) << 24; b->slot[i] != LU_BPE_NONE;
			i = (i + 1) & (b->slots - 1)) {
		if ((b->slot[i] & ~SLOT_ID) == *bits &&
				lu_str_eq(b->piece[b->slot[i] & SLOT_ID], piece))
			break;
	}
	return i;
}

bool lu_bpe_add_piece(struct lu_bpe *b, uint32_t id, struct lu_str piece)
{
	uint32_t bits;
	size_t i = find_slot(b, piece, &bits);

	if (b->piece[id].p || b->slot[i] != LU_BPE_NONE)
		return false;
	b->piece[id] = piece;
	b->slot[i] = bits | id;
	b->pieces++;
	if (piece.n > b->longest)
		b->longest = piece.n;
	return true;
}

bool lu_bpe_find(const struct lu_bpe *b, struct lu_str piece, uint32_t *id)
{
	uint32_t bits, found = b->slot[find_slot(b, piece, &bits)];

	*id = found == LU_BPE_NONE ? LU_BPE_NONE : found & SLOT_ID;
	return found != LU_BPE_NONE;
}

static unsigned bits_for(uint64_t n)
{
	unsigned bits = 1;

	while (n >> bits)
		bits++;
	return bits;
}

int lu_bpe_begin_merges(struct lu_bpe *b, struct lu_arena *arena, size_t count, struct lu_err *err)
{
	/* Bits for size, not size - 1: no pair has all bits set, as LU_BPE_EMPTY has. */
	b->id_bits = bits_for(b->size);
	b->rank_bits = bits_for(count);
	if (2 * b->id_bits + b->rank_bits > 64)
		return lu_err_set(err, "%u ids and %zu merges are too many", b->size, count);
	b->pairs = table_size(count);
	b->pair = lu_big_alloc(b->pairs * sizeof(*b->pair));
	b->merged = alloc_zeroed(arena, count + 1, sizeof(*b->merged));
	if (!b->pair || !b->merged)
		return lu_err_nomem(err);
	memset(b->pair, 0xff, b->pairs * sizeof(*b->pair));
	return 0;
}

void lu_bpe_release(struct lu_bpe *b)
{
	free(b->pair);
	b->pair = NULL;
}

void lu_bpe_add_merge(struct lu_bpe *b, const struct lu_bpe_merge *m)
{
	uint64_t key = (uint64_t)m->left << b->id_bits | m->right;
	size_t i = lu_bpe_pair_slot(b, key);

	while (b->pair[i] != LU_BPE_EMPTY && b->pair[i] >> b->rank_bits != key)
		i = (i + 1) & (b->pairs - 1);
	b->pair[i] = key << b->rank_bits | m->rank;
	b->merged[m->rank] = m->id;
}

/* The last or first unit of a piece. False when it has none that can occur in a text. */
static bool edge_unit(const struct lu_bpe *b, struct lu_str piece, bool last, uint32_t *unit)
{
	const char *p = piece.p;
	int byte;

	if (piece.n == 0)
		return false;
	if (last) {
		p += piece.n - 1;
		while (((unsigned char)*p & 0xC0) == 0x80)
			p--;
	}
	if (!b->byte_level) {
		*unit = lu_bpe_unit(lu_utf8_next(&p));
		return true;
	}
	byte = lu_byte_level_byte(lu_utf8_next(&p));
	*unit = (uint32_t)byte;
	return byte >= 0;
}

static int find_seams(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	size_t bits = 1 << 12, used = 0;
	/* Pieces whose text is not the text that they stand for. */
	bool *opaque = alloc_zeroed(arena, b->size, sizeof(*opaque));

	if (!opaque)
		return lu_err_nomem(err);
	for (int i = 0; i < 256 && !b->byte_level; i++) {
		if (b->byte_id[i] != LU_BPE_NONE)
			opaque[b->byte_id[i]] = true;
	}
	if (b->unk != LU_BPE_NONE)
		opaque[b->unk] = true;
	for (size_t i = 0; i < b->pairs; i++)
		used += b->pair[i] != LU_BPE_EMPTY;
	/* At most one bit in 16 is set, so collisions hide few cuts. Merges share most seams: for
	 * real files the bitmap is far sparser. */
	while (bits < used * 16 && bits < (size_t)1 << 24)
		bits *= 2;
	b->seam_shift = 64 - (unsigned)__builtin_ctzll(bits);
	b->seam = alloc_zeroed(arena, bits / 64, sizeof(*b->seam));
	if (!b->seam)
		return lu_err_nomem(err);
	memset(b->can_cut, 1, sizeof(b->can_cut));
	b->cuts = true;
	for (size_t i = 0; i < b->pairs; i++) {
		uint64_t key = b->pair[i] >> b->rank_bits;
		uint32_t left = (uint32_t)(key >> b->id_bits), x, y;
		uint32_t right = (uint32_t)(key & ((UINT64_C(1) << b->id_bits) - 1));
		size_t bit;

		if (b->pair[i] == LU_BPE_EMPTY)
			continue;
		if (opaque[left] || opaque[right])
			b->cuts = false;
		if (!edge_unit(b, b->piece[left], true, &x) ||
				!edge_unit(b, b->piece[right], false, &y))
			continue;
		bit = lu_bpe_seam_bit(b, x, y);
		b->seam[bit / 64] |= UINT64_C(1) << bit % 64;
		if ((x | y) < LU_BPE_SMALL)
			b->can_cut[x][y] = 0;
	}
	return 0;
}

/* Units without a piece may fuse into one unknown token, so there is no cut beside them. */
static void forbid_unknown_cuts(struct lu_bpe *b)
{
	bool known[LU_BPE_SMALL];

	if (b->all_bytes)
		return;
	for (uint32_t x = 0; x < LU_BPE_SMALL; x++)
		known[x] = lu_bpe_unit_id(b, x) != LU_BPE_NONE;
	for (uint32_t x = 0; x < LU_BPE_SMALL; x++) {
		for (uint32_t y = 0; y < LU_BPE_SMALL; y++) {
			if (!known[x] || !known[y])
				b->can_cut[x][y] = 0;
		}
	}
}

static int index_characters(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	for (uint32_t id = 0; id < b->size; id++) {
		uint32_t c;

		if (!lu_utf8_single(b->piece[id], &c))
			continue;
		if (!b->page[c >> 8]) {
			b->page[c >> 8] = lu_arena_alloc(arena, 256 * sizeof(uint32_t));
			if (!b->page[c >> 8])
				return lu_err_nomem(err);
			memset(b->page[c >> 8], 0xff, 256 * sizeof(uint32_t));
		}
		b->page[c >> 8][c & 255] = id;
	}
	return 0;
}

int lu_bpe_finish(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	if (index_characters(b, arena, err) < 0)
		return -1;
	b->all_bytes = b->byte_fallback || b->byte_level;
	for (unsigned i = 0; i < 256; i++) {
		char buf[8];

		b->byte_char[i] = lu_byte_level_char(i);
		if (b->byte_level)
			b->byte_id[i] = lu_bpe_char_id(b, b->byte_char[i]);
		else if (!b->byte_fallback ||
				!lu_bpe_find(b, lu_byte_token_name(i, buf), &b->byte_id[i]))
			b->byte_id[i] = LU_BPE_NONE;
		if (b->byte_id[i] == LU_BPE_NONE)
			b->all_bytes = false;
	}
	if (find_seams(b, arena, err) < 0)
		return -1;
	forbid_unknown_cuts(b);
	return 0;
}
