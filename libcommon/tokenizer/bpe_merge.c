/* From a chunk to its first symbols, and from these to ids. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/bpe.h"

static int row_reserve(struct lu_bpe_row *row, size_t n, struct lu_err *err)
{
	if (row->cap >= n)
		return 0;
	free(row->id);
	free(row->at);
	row->cap = 0;
	row->id = malloc(n * sizeof(*row->id));
	row->at = malloc(n * sizeof(*row->at));
	if (!row->id || !row->at)
		return lu_err_nomem(err);
	row->cap = n;
	return 0;
}

/* --- first symbols ------------------------------------------------------------------------ */

static inline void put(struct lu_bpe_row *row, uint32_t id, uint32_t at)
{
	row->id[row->n] = id;
	row->at[row->n++] = at;
}

/* A byte-level model without a piece for some byte: what stands for the byte is a character of
 * one or two UTF-8 bytes, and byte_fallback means those. */
static bool fallback(const struct lu_bpe *b, const char *p, size_t n, uint32_t at,
		struct lu_bpe_row *row)
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
		put(row, id[i], i ? LU_BPE_NONE : at);
	return true;
}

/* The unit at *p: its piece, and its bytes as the vocabulary would spell them. */
static inline uint32_t unit_id(const struct lu_bpe *b, const char **p, const char **spelled,
		size_t *n, char room[4])
{
	unsigned byte = (unsigned char)**p;

	*spelled = *p;
	if (b->byte_level) {
		(*p)++;
		*spelled = room;
		*n = 0;
		if (b->byte_id[byte] == LU_BPE_NONE)
			*n = lu_utf8_put(b->byte_char[byte], room);
		return b->byte_id[byte];
	}
	if (byte == LU_MARK) {
		(*p)++;
		*spelled = "\xE2\x96\x81";
		*n = 3;
		return lu_bpe_char_id(b, LU_MARK_CHAR);
	}
	byte = lu_bpe_char_id(b, lu_utf8_next(p));
	*n = (size_t)(*p - *spelled);
	return byte;
}

/*
 * The units of a chunk as first symbols. A unit with a piece is that piece. Otherwise it is the
 * byte tokens of its UTF-8, when byte_fallback is on and all of them exist. Otherwise it is the
 * unknown token; with fuse_unk a row of them is one. Without an unknown token it is dropped.
 * An unknown token waits until the next unit that has a piece, so it comes after byte tokens
 * that stand between: Hugging Face does so, and ids are to be equal.
 */
static int symbols(
		const struct lu_bpe *b, struct lu_str s, struct lu_bpe_row *row, struct lu_err *err)
{
	const char *p = s.p, *end = s.p + s.n;
	bool waiting = false;

	row->n = 0;
	/* Three symbols for a mark without a piece; at most two for another byte; and the last. */
	if (row_reserve(row, 3 * s.n + 1, err) < 0)
		return -1;
	while (p < end) {
		uint32_t at = (uint32_t)(p - s.p), id;
		const char *spelled;
		char room[4];
		size_t n;

		id = unit_id(b, &p, &spelled, &n, room);
		if (id != LU_BPE_NONE) {
			if (waiting)
				put(row, b->unk, LU_BPE_NONE);
			waiting = false;
			put(row, id, at);
			continue;
		}
		if (fallback(b, spelled, n, at, row) || b->unk == LU_BPE_NONE)
			continue;
		if (waiting && !b->fuse_unk)
			put(row, b->unk, LU_BPE_NONE);
		waiting = true;
	}
	if (waiting)
		put(row, b->unk, LU_BPE_NONE);
	return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

#define SHORT 48 /* symbols: below, looking at all pairs again is faster than a heap */

static size_t merge_short(const struct lu_bpe *b, uint32_t *id, size_t n)
{
	uint32_t rank[SHORT]; /* of (id[i], id[i + 1]) */

	for (size_t i = 0; i + 1 < n; i++)
		lu_bpe_fetch(b, id[i], id[i + 1]);
	for (size_t i = 0; i + 1 < n; i++)
		rank[i] = lu_bpe_rank(b, id[i], id[i + 1]);
	while (n > 1) {
		uint32_t best = LU_BPE_NONE;
		size_t at = 0;

		for (size_t i = 0; i + 1 < n; i++) {
			at = rank[i] < best ? i : at;
			best = rank[i] < best ? rank[i] : best;
		}
		if (best == LU_BPE_NONE)
			break;
		id[at] = b->made[best];
		n--;
		for (size_t i = at + 1; i < n; i++) {
			id[i] = id[i + 1];
			rank[i - 1] = rank[i];
		}
		if (at > 0)
			rank[at - 1] = lu_bpe_rank(b, id[at - 1], id[at]);
		if (at + 1 < n)
			rank[at] = lu_bpe_rank(b, id[at], id[at + 1]);
	}
	return n;
}

/* The heap holds rank and place of a pair in one number, so that the order of the numbers is that
 * in which pairs are merged. */
static inline uint64_t queued_pair(uint32_t rank, uint32_t at)
{
	return (uint64_t)rank << 32 | at;
}

static void sift_down(uint64_t *heap, size_t n, size_t i)
{
	uint64_t v = heap[i];
	size_t child;

	while ((child = 2 * i + 1) + 1 < n) {
		child += heap[child + 1] < heap[child];
		if (heap[child] >= v)
			break;
		heap[i] = heap[child];
		i = child;
	}
	if (child + 1 == n && heap[child] < v) {
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

static void heap_push(uint64_t *heap, size_t *n, uint64_t v)
{
	size_t i = (*n)++;

	while (i > 0 && v < heap[(i - 1) / 2]) {
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

/* All pairs that can merge, as a heap. */
static size_t first_pairs(
		const struct lu_bpe *b, struct lu_bpe_state *s, const uint32_t *id, size_t n)
{
	size_t queued = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t rank = LU_BPE_NONE;

		s->sym[i] = (struct lu_bpe_symbol){ id[i], i ? (uint32_t)i - 1 : LU_BPE_NONE,
			i + 1 < n ? (uint32_t)i + 1 : LU_BPE_NONE };
		if (i + 1 < n)
			rank = lu_bpe_rank(b, id[i], id[i + 1]);
		if (rank != LU_BPE_NONE)
			s->heap[queued++] = queued_pair(rank, (uint32_t)i);
	}
	for (size_t i = queued / 2; i-- > 0;)
		sift_down(s->heap, queued, i);
	return queued;
}

static void merge_heap(const struct lu_bpe *b, struct lu_bpe_state *s, size_t queued)
{
	struct lu_bpe_symbol *sym = s->sym;

	while (queued > 0) {
		uint32_t at = (uint32_t)s->heap[0], best = (uint32_t)(s->heap[0] >> 32);
		uint32_t right, side[2], rank;

		s->heap[0] = s->heap[--queued];
		if (queued)
			sift_down(s->heap, queued, 0);
		if (sym[at].prev == at)
			continue;
		right = sym[at].next;
		if (right == LU_BPE_NONE)
			continue;
		if (lu_bpe_rank(b, sym[at].id, sym[right].id) != best)
			continue;
		sym[at].id = b->made[best];
		sym[at].next = sym[right].next;
		if (sym[right].next != LU_BPE_NONE)
			sym[sym[right].next].prev = at;
		sym[right].prev = right;
		side[0] = sym[at].prev;
		side[1] = at;
		for (int k = 0; k < 2; k++) {
			if (side[k] == LU_BPE_NONE || sym[side[k]].next == LU_BPE_NONE)
				continue;
			rank = lu_bpe_rank(b, sym[side[k]].id, sym[sym[side[k]].next].id);
			if (rank != LU_BPE_NONE)
				heap_push(s->heap, &queued, queued_pair(rank, side[k]));
		}
	}
}

/* Merges a row in place; the places stay right. */
static int merge_row(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_row *row,
		struct lu_err *err)
{
	size_t kept = 0;

	if (row->n < 2)
		return 0;
	if (grow(s, row->n, err) < 0)
		return -1;
	merge_heap(b, s, first_pairs(b, s, row->id, row->n));
	for (uint32_t i = 0; i != LU_BPE_NONE; i = s->sym[i].next) {
		row->id[kept] = s->sym[i].id;
		row->at[kept++] = row->at[i];
	}
	row->n = kept;
	return 0;
}

static int append(const struct lu_bpe_row *row, size_t n, struct lu_ids *ids, struct lu_err *err)
{
	if (lu_ids_reserve(ids, n, err) < 0)
		return -1;
	if (n)
		memcpy(ids->p + ids->n, row->id, n * sizeof(*row->id));
	ids->n += n;
	return 0;
}

/* --- windows ------------------------------------------------------------------------------ */

/* Merges up to `size` bytes at p into `row`. */
static int merge_window(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str rest,
		size_t size, struct lu_bpe_row *row, struct lu_err *err)
{
	if (size < rest.n) {
		while (!b->byte_level && ((unsigned char)rest.p[size] & 0xC0) == 0x80)
			size--;
		rest.n = size;
	}
	if (symbols(b, rest, row, err) < 0)
		return -1;
	return merge_row(b, s, row, err);
}

/* The last token before k that begins with a character; 0 when there is none. */
static size_t border_before(const struct lu_bpe_row *row, size_t k)
{
	while (k > 0 && row->at[--k] == LU_BPE_NONE)
		;
	return k;
}

/* Where the next window is tried first: in the last quarter of this one a token may still depend
 * on what follows. */
static size_t late_border(const struct lu_bpe_row *row, size_t size)
{
	size_t k = border_before(row, row->n);

	while (k > 0 && row->at[k] > size - size / 4)
		k = border_before(row, k);
	return k;
}

/* A window that began at a token of the one before, when it must grow, may begin otherwise than
 * it did; then nothing is known any more, and the whole is done at once. No such vocabulary is
 * known. */
static int wider(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str *chunk, size_t *size,
		struct lu_str whole, struct lu_ids *ids, size_t from, struct lu_err *err)
{
	uint32_t first = s->row.id[0];

	*size *= 2;
	if (merge_window(b, s, *chunk, *size, &s->row, err) < 0)
		return -1;
	if (s->row.id[0] == first || chunk->p == whole.p)
		return 0;
	ids->n = from;
	*chunk = whole;
	*size = whole.n;
	return merge_window(b, s, whole, whole.n, &s->row, err);
}

static int merge_windows(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str whole,
		struct lu_ids *ids, struct lu_err *err)
{
	size_t size = s->window, from = ids->n, k;
	struct lu_str chunk = whole;

	if (merge_window(b, s, chunk, size, &s->row, err) < 0)
		return -1;
	while (chunk.n > size) {
		struct lu_str rest;
		struct lu_bpe_row swap;

		for (k = late_border(&s->row, size); k > 0; k = border_before(&s->row, k / 2 + 1)) {
			rest = (struct lu_str){ chunk.p + s->row.at[k], chunk.n - s->row.at[k] };
			if (merge_window(b, s, rest, s->window, &s->next, err) < 0)
				return -1;
			if (s->next.id[0] == s->row.id[k])
				break;
		}
		if (k == 0) {
			if (wider(b, s, &chunk, &size, whole, ids, from, err) < 0)
				return -1;
			continue;
		}
		if (append(&s->row, k, ids, err) < 0)
			return -1;
		swap = s->row;
		s->row = s->next;
		s->next = swap;
		chunk = rest;
		size = s->window;
	}
	return append(&s->row, s->row.n, ids, err);
}

/* --- a chunk ------------------------------------------------------------------------------ */

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

int lu_bpe_merge_chunk(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str chunk,
		struct lu_ids *ids, struct lu_err *err)
{
	uint32_t id;

	if (b->ignore_merges && whole_word(b, s, chunk, &id)) {
		if (lu_ids_reserve(ids, 1, err) < 0)
			return -1;
		ids->p[ids->n++] = id;
		return 0;
	}
	/* Where every unit has symbols of its own, whatever stands beside it. */
	if (chunk.n > s->window && b->all_bytes)
		return merge_windows(b, s, chunk, ids, err);
	if (symbols(b, chunk, &s->row, err) < 0)
		return -1;
	if (s->row.n <= SHORT)
		s->row.n = merge_short(b, s->row.id, s->row.n);
	else if (merge_row(b, s, &s->row, err) < 0)
		return -1;
	return append(&s->row, s->row.n, ids, err);
}
