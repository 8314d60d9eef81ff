#include "libcommon/tokenizer/bpe.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/tokenizer/components.h"

/* --- building ----------------------------------------------------------------------------- */

static void *zeroed(struct lu_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *p = lu_mul_size(count, size, &bytes) ? lu_arena_alloc(arena, bytes) : NULL;

	if (p)
		memset(p, 0, bytes);
	return p;
}

static size_t table_size(size_t entries)
{
	size_t n = 64;

	while (n < entries * 2)
		n *= 2;
	return n;
}

int lu_bpe_start(struct lu_bpe *b, struct lu_arena *arena, uint32_t size, struct lu_err *err)
{
	b->size = size;
	b->slots = table_size(size);
	b->piece = zeroed(arena, size, sizeof(*b->piece));
	b->slot = lu_arena_alloc(arena, b->slots * sizeof(*b->slot));
	b->page = zeroed(arena, 0x1100, sizeof(*b->page));
	if (!b->piece || !b->slot || !b->page)
		return lu_err_nomem(err);
	memset(b->slot, 0xff, b->slots * sizeof(*b->slot));
	return 0;
}

static size_t find_slot(const struct lu_bpe *b, struct lu_str piece)
{
	size_t i = lu_hash64(piece.p, piece.n, 0) & (b->slots - 1);

	while (b->slot[i] != LU_BPE_NONE && !lu_str_eq(b->piece[b->slot[i]], piece))
		i = (i + 1) & (b->slots - 1);
	return i;
}

int lu_bpe_piece(struct lu_bpe *b, uint32_t id, struct lu_str piece)
{
	size_t i = find_slot(b, piece);

	if (b->piece[id].p || b->slot[i] != LU_BPE_NONE)
		return 0;
	b->piece[id] = piece;
	b->slot[i] = id;
	b->pieces++;
	if (piece.n > b->longest)
		b->longest = piece.n;
	return 1;
}

bool lu_bpe_find(const struct lu_bpe *b, struct lu_str piece, uint32_t *id)
{
	*id = b->slot[find_slot(b, piece)];
	return *id != LU_BPE_NONE;
}

static unsigned bits_for(uint64_t n)
{
	unsigned bits = 1;

	while (n >> bits)
		bits++;
	return bits;
}

int lu_bpe_merges_start(struct lu_bpe *b, struct lu_arena *arena, size_t count, struct lu_err *err)
{
	/* One more, so that no pair looks like an empty slot. */
	b->id_bits = bits_for(b->size);
	b->rank_bits = bits_for(count);
	if (2 * b->id_bits + b->rank_bits > 64)
		return lu_err_set(err, "%u ids and %zu merges are too many", b->size, count);
	b->pairs = table_size(count);
	b->pair = lu_big_alloc(b->pairs * sizeof(*b->pair));
	b->made = zeroed(arena, count + 1, sizeof(*b->made));
	if (!b->pair || !b->made)
		return lu_err_nomem(err);
	memset(b->pair, 0xff, b->pairs * sizeof(*b->pair));
	return 0;
}

void lu_bpe_release(struct lu_bpe *b)
{
	free(b->pair);
	b->pair = NULL;
}

void lu_bpe_merge_add(struct lu_bpe *b, const struct lu_bpe_merge *m)
{
	uint64_t key = (uint64_t)m->left << b->id_bits | m->right;
	size_t i = lu_bpe_pair_slot(b, key);

	/* Of two lines for the same pair the last sets the rank, as in Hugging Face. */
	while (b->pair[i] != LU_BPE_EMPTY && b->pair[i] >> b->rank_bits != key)
		i = (i + 1) & (b->pairs - 1);
	b->pair[i] = key << b->rank_bits | m->rank;
	b->made[m->rank] = m->id;
}

/* The unit at the end or the beginning of a piece; false: it has none that can occur. */
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
	byte = lu_char_byte(lu_utf8_next(&p));
	*unit = (uint32_t)byte;
	return byte >= 0;
}

static int make_seams(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	size_t bits = 1 << 12, used = 0;
	bool *odd = zeroed(arena, b->size, sizeof(*odd)); /* pieces that are not their characters */

	if (!odd)
		return lu_err_nomem(err);
	for (int i = 0; i < 256 && !b->byte_level; i++) {
		if (b->byte_id[i] != LU_BPE_NONE)
			odd[b->byte_id[i]] = true;
	}
	if (b->unk != LU_BPE_NONE)
		odd[b->unk] = true;
	for (size_t i = 0; i < b->pairs; i++)
		used += b->pair[i] != LU_BPE_EMPTY;
	/* At most one bit in 16 set by chance: few cuts are missed. Merges share most seams, so
	 * the table is far emptier than that for real files. */
	while (bits < used * 16 && bits < (size_t)1 << 24)
		bits *= 2;
	b->seam_shift = 64 - (unsigned)__builtin_ctzll(bits);
	b->seam = zeroed(arena, bits / 64, sizeof(*b->seam));
	if (!b->seam)
		return lu_err_nomem(err);
	memset(b->apart, 1, sizeof(b->apart));
	b->cuts = !b->ignore_merges;
	for (size_t i = 0; i < b->pairs; i++) {
		uint64_t key = b->pair[i] >> b->rank_bits;
		uint32_t left = (uint32_t)(key >> b->id_bits), x, y;
		uint32_t right = (uint32_t)(key & ((UINT64_C(1) << b->id_bits) - 1));
		size_t bit;

		if (b->pair[i] == LU_BPE_EMPTY)
			continue;
		if (odd[left] || odd[right])
			b->cuts = false;
		if (!edge_unit(b, b->piece[left], true, &x) ||
				!edge_unit(b, b->piece[right], false, &y))
			continue;
		bit = lu_bpe_seam_bit(b, x, y);
		b->seam[bit / 64] |= UINT64_C(1) << bit % 64;
		if ((x | y) < LU_BPE_SMALL)
			b->apart[x][y] = 0;
	}
	return 0;
}

/* Two units without a piece may become one unknown token, so nothing is cut beside them. */
static void keep_unknown_together(struct lu_bpe *b)
{
	bool known[LU_BPE_SMALL];

	if (b->all_bytes)
		return;
	for (uint32_t x = 0; x < LU_BPE_SMALL; x++)
		known[x] = lu_bpe_first_id(b, x) != LU_BPE_NONE;
	for (uint32_t x = 0; x < LU_BPE_SMALL; x++) {
		for (uint32_t y = 0; y < LU_BPE_SMALL; y++) {
			if (!known[x] || !known[y])
				b->apart[x][y] = 0;
		}
	}
}

static int index_characters(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	for (uint32_t id = 0; id < b->size; id++) {
		struct lu_str s = b->piece[id];
		const char *p = s.p;
		uint32_t c;

		if (s.n == 0 || s.n > 4)
			continue;
		c = lu_utf8_next(&p);
		if (p != s.p + s.n)
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

int lu_bpe_end(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	if (index_characters(b, arena, err) < 0)
		return -1;
	b->all_bytes = b->byte_fallback || b->byte_level;
	for (unsigned i = 0; i < 256; i++) {
		char name[8];

		snprintf(name, sizeof(name), "<0x%02X>", i);
		b->byte_char[i] = lu_byte_char(i);
		if (b->byte_level)
			b->byte_id[i] = lu_bpe_char_id(b, b->byte_char[i]);
		else if (!b->byte_fallback || !lu_bpe_find(b, lu_str_of(name), &b->byte_id[i]))
			b->byte_id[i] = LU_BPE_NONE;
		if (b->byte_id[i] == LU_BPE_NONE)
			b->all_bytes = false;
	}
	if (make_seams(b, arena, err) < 0)
		return -1;
	keep_unknown_together(b);
	return 0;
}
