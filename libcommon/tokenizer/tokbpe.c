#include "libcommon/tokenizer/tokbpe.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/tokenizer/tokparts.h"

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

int lu_bpe_merges_start(struct lu_bpe *b, struct lu_arena *arena, size_t count, struct lu_err *err)
{
	b->merges = table_size(count);
	b->merge = lu_arena_alloc(arena, b->merges * sizeof(*b->merge));
	if (!b->merge)
		return lu_err_nomem(err);
	for (size_t i = 0; i < b->merges; i++)
		b->merge[i].left = LU_BPE_NONE;
	return 0;
}

static inline size_t merge_slot(const struct lu_bpe *b, uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> 32 ^ h >> 15) & (b->merges - 1);
}

static inline const struct lu_bpe_merge *find_merge(
	const struct lu_bpe *b, uint32_t left, uint32_t right)
{
	size_t i = merge_slot(b, left, right);

	for (;; i = (i + 1) & (b->merges - 1)) {
		const struct lu_bpe_merge *m = &b->merge[i];

		if (m->left == left && m->right == right)
			return m;
		if (m->left == LU_BPE_NONE)
			return NULL;
	}
}

void lu_bpe_merge_add(struct lu_bpe *b, const struct lu_bpe_merge *m)
{
	size_t i = merge_slot(b, m->left, m->right);

	/* Of two lines for the same pair the last sets the rank, as in Hugging Face. */
	while (b->merge[i].left != LU_BPE_NONE &&
		(b->merge[i].left != m->left || b->merge[i].right != m->right))
		i = (i + 1) & (b->merges - 1);
	b->merge[i] = *m;
}

static inline size_t seam_bit(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	uint64_t h = ((uint64_t)x << 21 | y) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> b->seam_shift);
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
	*unit = lu_utf8_next(&p);
	if (!b->byte_level)
		return true;
	byte = lu_char_byte(*unit);
	*unit = (uint32_t)byte;
	return byte >= 0;
}

static int make_seams(struct lu_bpe *b, struct lu_arena *arena, struct lu_err *err)
{
	size_t bits = 1 << 12, used = 0;
	bool *odd = zeroed(arena, b->size, sizeof(*odd)); /* pieces that are not their characters */

	b->ascii_cut = lu_arena_alloc(arena, 128 * 128);
	if (!b->ascii_cut || !odd)
		return lu_err_nomem(err);
	for (int i = 0; i < 256 && !b->byte_level; i++) {
		if (b->byte_id[i] != LU_BPE_NONE)
			odd[b->byte_id[i]] = true;
	}
	if (b->unk != LU_BPE_NONE)
		odd[b->unk] = true;
	memset(b->ascii_cut, 1, 128 * 128);
	for (size_t i = 0; i < b->merges; i++)
		used += b->merge[i].left != LU_BPE_NONE;
	/* At most one bit in 16 set by chance: few cuts are missed. Merges share most seams, so
	 * the table is far emptier than that for real files. */
	while (bits < used * 16 && bits < (size_t)1 << 24)
		bits *= 2;
	b->seam_shift = 64 - (unsigned)__builtin_ctzll(bits);
	b->seam = zeroed(arena, bits / 64, sizeof(*b->seam));
	if (!b->seam)
		return lu_err_nomem(err);
	b->cuts = !b->ignore_merges;
	for (size_t i = 0; i < b->merges; i++) {
		const struct lu_bpe_merge *m = &b->merge[i];
		uint32_t x, y;
		size_t bit;

		if (m->left == LU_BPE_NONE)
			continue;
		if (odd[m->left] || odd[m->right])
			b->cuts = false;
		if (!edge_unit(b, b->piece[m->left], true, &x) ||
			!edge_unit(b, b->piece[m->right], false, &y))
			continue;
		bit = seam_bit(b, x, y);
		b->seam[bit / 64] |= UINT64_C(1) << bit % 64;
		if (x < 128 && y < 128)
			b->ascii_cut[x * 128 + y] = 0;
	}
	return 0;
}

static uint32_t char_id(const struct lu_bpe *b, uint32_t c)
{
	const uint32_t *page = b->page[c >> 8];

	return page ? page[c & 255] : LU_BPE_NONE;
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
	b->all_bytes = b->byte_fallback;
	for (unsigned i = 0; i < 256; i++) {
		char name[8];

		snprintf(name, sizeof(name), "<0x%02X>", i);
		b->byte_char[i] = lu_byte_char(i);
		if (b->byte_level)
			b->byte_id[i] = char_id(b, b->byte_char[i]);
		else if (!b->byte_fallback || !lu_bpe_find(b, lu_str_of(name), &b->byte_id[i]))
			b->byte_id[i] = LU_BPE_NONE;
		if (b->byte_id[i] == LU_BPE_NONE)
			b->all_bytes = false;
	}
	return make_seams(b, arena, err);
}

/* --- state -------------------------------------------------------------------------------- */

int lu_bpe_state_init(struct lu_bpe_state *s, struct lu_err *err)
{
	*s = (struct lu_bpe_state){ 0 };
	s->cache = aligned_alloc(64, sizeof(*s->cache) << LU_BPE_CACHE_BITS);
	if (!s->cache)
		return lu_err_nomem(err);
	memset(s->cache, 0, sizeof(*s->cache) << LU_BPE_CACHE_BITS);
	return 0;
}

void lu_bpe_state_release(struct lu_bpe_state *s)
{
	free(s->cache);
	free(s->sym);
	free(s->heap);
	lu_ids_release(&s->row);
	lu_buf_release(&s->spelled);
	*s = (struct lu_bpe_state){ 0 };
}

/* --- first symbols ------------------------------------------------------------------------ */

static inline void put(struct lu_ids *ids, uint32_t id)
{
	ids->p[ids->n++] = id;
}

/* A byte-level model without a piece for some byte: what stands for the byte is a character of
 * one or two UTF-8 bytes, and byte_fallback means those. */
static bool fallback(const struct lu_bpe *b, const char *p, size_t n, struct lu_ids *row)
{
	uint32_t id[4];

	if (!b->byte_fallback)
		return false;
	for (size_t i = 0; i < n; i++) {
		char name[8];

		if (b->byte_level) {
			snprintf(name, sizeof(name), "<0x%02X>", (unsigned char)p[i]);
			if (!lu_bpe_find(b, lu_str_of(name), &id[i]))
				return false;
		} else {
			id[i] = b->byte_id[(unsigned char)p[i]];
			if (id[i] == LU_BPE_NONE)
				return false;
		}
	}
	for (size_t i = 0; i < n; i++)
		put(row, id[i]);
	return true;
}

/*
 * The units of a chunk as first symbols. A unit with a piece is that piece. Otherwise it is the
 * byte tokens of its UTF-8, when byte_fallback is on and all of them exist. Otherwise it is the
 * unknown token; with fuse_unk a row of them is one. Without an unknown token it is dropped.
 * An unknown token waits until the next unit that has a piece, so it comes after byte tokens
 * that stand between: Hugging Face does so, and ids are to be equal.
 */
static int symbols(const struct lu_bpe *b, struct lu_str s, struct lu_ids *row, struct lu_err *err)
{
	const char *p = s.p, *end = s.p + s.n;
	bool waiting = false;

	row->n = 0;
	/* At most one symbol a byte, or two for byte-level units without a piece; and the last. */
	if (lu_ids_reserve(row, 2 * s.n + 1, err) < 0)
		return -1;
	while (p < end) {
		const char *at = p;
		char spelled[4];
		uint32_t id;
		size_t n;

		if (b->byte_level) {
			id = b->byte_id[(unsigned char)*p++];
		} else {
			id = char_id(b, lu_utf8_next(&p));
		}
		if (id != LU_BPE_NONE) {
			if (waiting)
				put(row, b->unk);
			waiting = false;
			put(row, id);
			continue;
		}
		n = (size_t)(p - at);
		if (b->byte_level) {
			n = lu_utf8_put(b->byte_char[(unsigned char)*at], spelled);
			at = spelled;
		}
		if (fallback(b, at, n, row) || b->unk == LU_BPE_NONE)
			continue;
		if (waiting && !b->fuse_unk)
			put(row, b->unk);
		waiting = true;
	}
	if (waiting)
		put(row, b->unk);
	return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

#define SHORT 48 /* symbols: below, looking at all pairs again is faster than a heap */

/* rank[i] is that of (row[i], row[i + 1]). */
static void merge_short(const struct lu_bpe *b, struct lu_ids *row)
{
	uint32_t rank[SHORT], to[SHORT];
	size_t n = row->n;
	uint32_t *id = row->p;

	for (size_t i = 0; i + 1 < n; i++) {
		const struct lu_bpe_merge *m = find_merge(b, id[i], id[i + 1]);

		rank[i] = m ? m->rank : LU_BPE_NONE;
		to[i] = m ? m->id : 0;
	}
	while (n > 1) {
		uint32_t best = LU_BPE_NONE;
		size_t at = 0;

		for (size_t i = 0; i + 1 < n; i++) {
			if (rank[i] < best) {
				best = rank[i];
				at = i;
			}
		}
		if (best == LU_BPE_NONE)
			break;
		id[at] = to[at];
		n--;
		memmove(id + at + 1, id + at + 2, (n - at - 1) * sizeof(*id));
		memmove(rank + at, rank + at + 1, (n - at - 1) * sizeof(*rank));
		memmove(to + at, to + at + 1, (n - at - 1) * sizeof(*to));
		for (size_t i = at ? at - 1 : 0; i <= at && i + 1 < n; i++) {
			const struct lu_bpe_merge *m = find_merge(b, id[i], id[i + 1]);

			rank[i] = m ? m->rank : LU_BPE_NONE;
			to[i] = m ? m->id : 0;
		}
	}
	row->n = n;
}

static inline bool before(const struct lu_bpe_queued *a, const struct lu_bpe_queued *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void sift_down(struct lu_bpe_queued *heap, size_t n, size_t i)
{
	struct lu_bpe_queued v = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &v))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

static void heap_push(struct lu_bpe_queued *heap, size_t *n, struct lu_bpe_queued v)
{
	size_t i = (*n)++;

	while (i > 0 && before(&v, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = v;
}

static int grow(struct lu_bpe_state *s, size_t n, struct lu_err *err)
{
	/* Each of fewer than n merges pushes at most two pairs and has popped one. */
	size_t heap_n = 2 * n;

	if (n >= LU_BPE_NONE)
		return lu_err_set(err, "a word of more than %u symbols", LU_BPE_NONE - 1);
	if (s->sym_cap < n) {
		free(s->sym);
		s->sym = malloc(n * sizeof(*s->sym));
		s->sym_cap = s->sym ? n : 0;
	}
	if (s->heap_cap < heap_n) {
		free(s->heap);
		s->heap = malloc(heap_n * sizeof(*s->heap));
		s->heap_cap = s->heap ? heap_n : 0;
	}
	return s->sym && s->heap ? 0 : lu_err_nomem(err);
}

static int merge_long(
	const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_ids *row, struct lu_err *err)
{
	size_t n = row->n, queued = 0, kept = 0;
	struct lu_bpe_symbol *sym;

	if (grow(s, n, err) < 0)
		return -1;
	sym = s->sym;
	for (size_t i = 0; i < n; i++) {
		const struct lu_bpe_merge *m;

		sym[i] = (struct lu_bpe_symbol){ row->p[i], i ? (uint32_t)i - 1 : LU_BPE_NONE,
			i + 1 < n ? (uint32_t)i + 1 : LU_BPE_NONE };
		m = i + 1 < n ? find_merge(b, row->p[i], row->p[i + 1]) : NULL;
		if (m)
			s->heap[queued++] = (struct lu_bpe_queued){ m->rank, (uint32_t)i, m->id };
	}
	for (size_t i = queued / 2; i-- > 0;)
		sift_down(s->heap, queued, i);
	while (queued > 0) {
		struct lu_bpe_queued top = s->heap[0];
		uint32_t right, side[2];
		const struct lu_bpe_merge *m;

		s->heap[0] = s->heap[--queued];
		sift_down(s->heap, queued, 0);
		if (sym[top.at].prev == top.at)
			continue;
		right = sym[top.at].next;
		if (right == LU_BPE_NONE)
			continue;
		m = find_merge(b, sym[top.at].id, sym[right].id);
		if (!m || m->id != top.id || m->rank != top.rank)
			continue;
		sym[top.at].id = top.id;
		sym[top.at].next = sym[right].next;
		if (sym[right].next != LU_BPE_NONE)
			sym[sym[right].next].prev = top.at;
		sym[right].prev = right;
		side[0] = sym[top.at].prev;
		side[1] = top.at;
		for (int k = 0; k < 2; k++) {
			if (side[k] == LU_BPE_NONE || sym[side[k]].next == LU_BPE_NONE)
				continue;
			m = find_merge(b, sym[side[k]].id, sym[sym[side[k]].next].id);
			if (m)
				heap_push(s->heap, &queued,
					(struct lu_bpe_queued){ m->rank, side[k], m->id });
		}
	}
	for (uint32_t i = n ? 0 : LU_BPE_NONE; i != LU_BPE_NONE; i = sym[i].next)
		row->p[kept++] = sym[i].id;
	row->n = kept;
	return 0;
}

/* Is the whole word a piece? In a byte-level model pieces are spelled in GPT-2's alphabet. */
static bool whole_word(
	const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word, uint32_t *id)
{
	if (word.n > b->longest)
		return false;
	if (!b->byte_level)
		return lu_bpe_find(b, word, id);
	lu_buf_clear(&s->spelled);
	for (size_t i = 0; i < word.n; i++) {
		char c[4];
		size_t n = lu_utf8_put(b->byte_char[(unsigned char)word.p[i]], c);

		lu_buf_append(&s->spelled, c, n);
	}
	return lu_buf_ok(&s->spelled) && lu_bpe_find(b, lu_buf_slice(&s->spelled), id);
}

/* A chunk, or a word that is not cut. */
static int merge_chunk(
	const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str chunk, struct lu_err *err)
{
	uint32_t id;

	if (b->ignore_merges && whole_word(b, s, chunk, &id)) {
		s->row.n = 0;
		if (lu_ids_reserve(&s->row, 1, err) < 0)
			return -1;
		put(&s->row, id);
		return 0;
	}
	if (symbols(b, chunk, &s->row, err) < 0)
		return -1;
	if (s->row.n <= SHORT) {
		merge_short(b, &s->row);
		return 0;
	}
	return merge_long(b, s, &s->row, err);
}

static int append_row(const struct lu_ids *row, struct lu_ids *ids, struct lu_err *err)
{
	if (lu_ids_reserve(ids, row->n, err) < 0)
		return -1;
	if (row->n)
		memcpy(ids->p + ids->n, row->p, row->n * sizeof(*row->p));
	ids->n += row->n;
	return 0;
}

static int chunk_ids(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str chunk,
	struct lu_ids *ids, struct lu_err *err)
{
	uint64_t key[3] = { 0, 0, 0 }, h;
	struct lu_bpe_entry *e;

	if (chunk.n > LU_BPE_KEY) {
		if (merge_chunk(b, s, chunk, err) < 0)
			return -1;
		return append_row(&s->row, ids, err);
	}
	memcpy(key, chunk.p, chunk.n);
	h = (key[0] ^ key[1] * UINT64_C(0x9E3779B97F4A7C15) ^ (key[2] + chunk.n)) *
		UINT64_C(0xD6E8FEB86659FD93);
	h = (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
	e = &s->cache[h >> (64 - LU_BPE_CACHE_BITS)];
	if (e->len != chunk.n || e->key[0] != key[0] || e->key[1] != key[1] ||
		e->key[2] != key[2]) {
		if (merge_chunk(b, s, chunk, err) < 0)
			return -1;
		if (s->row.n > LU_BPE_IDS)
			return append_row(&s->row, ids, err);
		memcpy(e->key, key, sizeof(key));
		e->len = (uint8_t)chunk.n;
		e->n = (uint8_t)s->row.n;
		memcpy(e->id, s->row.p, s->row.n * sizeof(*e->id));
	}
	if (lu_ids_reserve(ids, LU_BPE_IDS, err) < 0)
		return -1;
	/* All eight: a copy of known length costs less than the choice. */
	memcpy(ids->p + ids->n, e->id, LU_BPE_IDS * sizeof(*e->id));
	ids->n += e->n;
	return 0;
}

/* --- cutting ------------------------------------------------------------------------------ */

static bool can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	size_t bit;

	if (x < 128 && y < 128) {
		if (!b->ascii_cut[x * 128 + y])
			return false;
	} else {
		bit = seam_bit(b, x, y);
		if (b->seam[bit / 64] >> (bit % 64) & 1)
			return false;
	}
	if (b->all_bytes)
		return true;
	if (b->byte_level)
		return b->byte_id[x] != LU_BPE_NONE && b->byte_id[y] != LU_BPE_NONE;
	return char_id(b, x) != LU_BPE_NONE && char_id(b, y) != LU_BPE_NONE;
}

int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
	struct lu_ids *ids, struct lu_err *err)
{
	const char *p = word.p, *end = word.p + word.n, *from = p;
	uint32_t x, y;

	if (word.n == 0)
		return 0;
	if (!b->cuts)
		return chunk_ids(b, s, word, ids, err);
	x = b->byte_level ? (unsigned char)*p++ : lu_utf8_next(&p);
	while (p < end) {
		const char *at = p;

		y = b->byte_level ? (unsigned char)*p++ : lu_utf8_next(&p);
		if (can_cut(b, x, y)) {
			if (chunk_ids(b, s, (struct lu_str){ from, (size_t)(at - from) }, ids,
				    err) < 0)
				return -1;
			from = at;
		}
		x = y;
	}
	return chunk_ids(b, s, (struct lu_str){ from, (size_t)(end - from) }, ids, err);
}
