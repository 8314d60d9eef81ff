#include "libcommon/tokenizer/bpe_merge.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"

void lu_bpe_merger_init(struct lu_bpe_merger *m)
{
	*m = (struct lu_bpe_merger){ .window = 1024 };
}

void lu_bpe_merger_release(struct lu_bpe_merger *m)
{
	free(m->symbol);
	free(m->heap);
	free(m->sequence.id);
	free(m->sequence.at);
	free(m->next.id);
	free(m->next.at);
	lu_buf_release(&m->spelling);
	*m = (struct lu_bpe_merger){ 0 };
}

/* Make room for n symbols; the old ones are discarded. */
static int sequence_reserve(struct lu_bpe_sequence *seq, size_t n, struct lu_err *err)
{
	if (seq->cap >= n)
		return 0;
	free(seq->id);
	free(seq->at);
	seq->cap = 0;
	seq->id = malloc(n * sizeof(*seq->id));
	seq->at = malloc(n * sizeof(*seq->at));
	if (!seq->id || !seq->at)
		return lu_err_nomem(err);
	seq->cap = n;
	return 0;
}

/* --- initial symbols ---------------------------------------------------------------------- */

static inline void put(struct lu_bpe_sequence *seq, uint32_t id, uint32_t at)
{
	seq->id[seq->n] = id;
	seq->at[seq->n++] = at;
}

/* Append the byte tokens of p[0..n), or return false if some do not exist. In a byte-level model p
 * spells the character that stands for a byte (GPT-2's alphabet), in one or two bytes of UTF-8;
 * byte_fallback then takes the tokens of these bytes, not of the byte itself. */
static bool put_byte_tokens(const struct lu_bpe *b, const char *p, size_t n, uint32_t at,
		struct lu_bpe_sequence *seq)
{
	uint32_t id[4];

	if (!b->byte_fallback)
		return false;
	for (size_t i = 0; i < n; i++) {
		char name[8];

		if (b->byte_level) {
			if (!lu_bpe_find(b, lu_byte_token_name((unsigned char)p[i], name), &id[i]))
				return false;
		} else {
			id[i] = b->byte_id[(unsigned char)p[i]];
			if (id[i] == LU_BPE_NONE)
				return false;
		}
	}
	for (size_t i = 0; i < n; i++)
		put(seq, id[i], i ? LU_BPE_NONE : at);
	return true;
}

/* Advance *p over a unit. Returns the id of its piece, or LU_BPE_NONE, and then in *spelling how a
 * piece of it would be spelled. */
static inline uint32_t unit_id(const struct lu_bpe *b, const char **p, const char **spelling,
		size_t *n, char buf[4])
{
	unsigned byte = (unsigned char)**p;

	*spelling = *p;
	if (b->byte_level) {
		(*p)++;
		*spelling = buf;
		*n = 0;
		if (b->byte_id[byte] == LU_BPE_NONE)
			*n = lu_utf8_put(b->byte_char[byte], buf);
		return b->byte_id[byte];
	}
	if (byte == LU_MARK_BYTE) {
		(*p)++;
		*spelling = "\xE2\x96\x81";
		*n = 3;
		return lu_bpe_char_id(b, LU_MARK_CHAR);
	}
	byte = lu_bpe_char_id(b, lu_utf8_next(p));
	*n = (size_t)(*p - *spelling);
	return byte;
}

/*
 * The initial symbols of a chunk. A unit that has a piece is that piece. Otherwise it is the byte
 * tokens of its UTF-8, if byte_fallback is on and all of them exist; otherwise the unknown token,
 * one for a run of such units if fuse_unk is on; without an unknown token it is dropped. As in
 * Hugging Face, an unknown token is held back until the next unit that has a piece, so it follows
 * byte tokens that stand between.
 */
static int initial_symbols(const struct lu_bpe *b, struct lu_str s, struct lu_bpe_sequence *seq,
		struct lu_err *err)
{
	const char *p = s.p, *end = s.p + s.n;
	bool unknown = false;

	seq->n = 0;
	/* At most three symbols for a mark without a piece, two for another byte, and an unknown
	 * token at the end. */
	if (sequence_reserve(seq, 3 * s.n + 1, err) < 0)
		return -1;
	while (p < end) {
		uint32_t at = (uint32_t)(p - s.p), id;
		const char *spelling;
		char buf[4];
		size_t n;

		id = unit_id(b, &p, &spelling, &n, buf);
		if (id != LU_BPE_NONE) {
			if (unknown)
				put(seq, b->unk, LU_BPE_NONE);
			unknown = false;
			put(seq, id, at);
			continue;
		}
		if (put_byte_tokens(b, spelling, n, at, seq) || b->unk == LU_BPE_NONE)
			continue;
		if (unknown && !b->fuse_unk)
			put(seq, b->unk, LU_BPE_NONE);
		unknown = true;
	}
	if (unknown)
		put(seq, b->unk, LU_BPE_NONE);
	return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

#define SHORT 48 /* symbols; up to here a scan of all pairs is faster than a heap */

static size_t merge_short(const struct lu_bpe *b, uint32_t *id, size_t n)
{
	uint32_t rank[SHORT]; /* of (id[i], id[i + 1]) */

	for (size_t i = 0; i + 1 < n; i++)
		lu_bpe_prefetch(b, id[i], id[i + 1]);
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
		id[at] = b->merged[best];
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

/* A heap entry: the order of these numbers is the order of merging. */
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

static int merger_reserve(struct lu_bpe_merger *m, size_t n, struct lu_err *err)
{
	/* Each of fewer than n merges pops one pair and pushes at most two. */
	size_t heap_n = 2 * n;

	if (n >= LU_BPE_NONE)
		return lu_err_set(err, "a word of more than %u symbols", LU_BPE_NONE - 1);
	if (m->symbol_cap < n) {
		free(m->symbol);
		m->symbol = malloc(n * sizeof(*m->symbol));
		m->symbol_cap = m->symbol ? n : 0;
	}
	if (m->heap_cap < heap_n) {
		free(m->heap);
		m->heap = malloc(heap_n * sizeof(*m->heap));
		m->heap_cap = m->heap ? heap_n : 0;
	}
	return m->symbol && m->heap ? 0 : lu_err_nomem(err);
}

/* Link the symbols and build the heap of all pairs that can merge. Returns its size. */
static size_t build_heap(
		const struct lu_bpe *b, struct lu_bpe_merger *m, const uint32_t *id, size_t n)
{
	size_t queued = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t rank = LU_BPE_NONE;

		m->symbol[i] = (struct lu_bpe_symbol){ id[i], i ? (uint32_t)i - 1 : LU_BPE_NONE,
			i + 1 < n ? (uint32_t)i + 1 : LU_BPE_NONE };
		if (i + 1 < n)
			rank = lu_bpe_rank(b, id[i], id[i + 1]);
		if (rank != LU_BPE_NONE)
			m->heap[queued++] = queued_pair(rank, (uint32_t)i);
	}
	for (size_t i = queued / 2; i-- > 0;)
		sift_down(m->heap, queued, i);
	return queued;
}

/* Merge until the heap is empty. Entries of symbols that are merged away (prev is their own index)
 * and of pairs that have changed since are skipped. */
static void merge_heap(const struct lu_bpe *b, struct lu_bpe_merger *m, size_t queued)
{
	struct lu_bpe_symbol *sym = m->symbol;

	while (queued > 0) {
		uint32_t at = (uint32_t)m->heap[0], best = (uint32_t)(m->heap[0] >> 32);
		uint32_t right, left[2], rank;

		m->heap[0] = m->heap[--queued];
		if (queued)
			sift_down(m->heap, queued, 0);
		if (sym[at].prev == at)
			continue;
		right = sym[at].next;
		if (right == LU_BPE_NONE)
			continue;
		if (lu_bpe_rank(b, sym[at].id, sym[right].id) != best)
			continue;
		sym[at].id = b->merged[best];
		sym[at].next = sym[right].next;
		if (sym[right].next != LU_BPE_NONE)
			sym[sym[right].next].prev = at;
		sym[right].prev = right;
		left[0] = sym[at].prev;
		left[1] = at;
		for (int k = 0; k < 2; k++) {
			if (left[k] == LU_BPE_NONE || sym[left[k]].next == LU_BPE_NONE)
				continue;
			rank = lu_bpe_rank(b, sym[left[k]].id, sym[sym[left[k]].next].id);
			if (rank != LU_BPE_NONE)
				heap_push(m->heap, &queued, queued_pair(rank, left[k]));
		}
	}
}

/* Merge a sequence in place; its offsets stay valid. */
static int merge_sequence(const struct lu_bpe *b, struct lu_bpe_merger *m,
		struct lu_bpe_sequence *seq, struct lu_err *err)
{
	size_t kept = 0;

	if (seq->n < 2)
		return 0;
	if (merger_reserve(m, seq->n, err) < 0)
		return -1;
	merge_heap(b, m, build_heap(b, m, seq->id, seq->n));
	for (uint32_t i = 0; i != LU_BPE_NONE; i = m->symbol[i].next) {
		seq->id[kept] = m->symbol[i].id;
		seq->at[kept++] = seq->at[i];
	}
	seq->n = kept;
	return 0;
}

/* Append the first n ids. */
static int append(
		const struct lu_bpe_sequence *seq, size_t n, struct lu_ids *ids, struct lu_err *err)
{
	if (lu_ids_reserve(ids, n, err) < 0)
		return -1;
	if (n)
		memcpy(ids->p + ids->n, seq->id, n * sizeof(*seq->id));
	ids->n += n;
	return 0;
}

/* --- windows ------------------------------------------------------------------------------ */

/* Merge up to `size` bytes at the beginning of `rest`. */
static int merge_window(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str rest,
		size_t size, struct lu_bpe_sequence *seq, struct lu_err *err)
{
	if (size < rest.n) {
		while (!b->byte_level && ((unsigned char)rest.p[size] & 0xC0) == 0x80)
			size--;
		rest.n = size;
	}
	if (initial_symbols(b, rest, seq, err) < 0)
		return -1;
	return merge_sequence(b, m, seq, err);
}

/* The last token before k that begins at the start of a character, the only place where a window may
 * begin; or 0. */
static size_t token_before(const struct lu_bpe_sequence *seq, size_t k)
{
	while (k > 0 && seq->at[--k] == LU_BPE_NONE)
		;
	return k;
}

/* The token at which to try the next window first: tokens in the last quarter of this window may
 * still depend on what follows. */
static size_t last_stable_token(const struct lu_bpe_sequence *seq, size_t size)
{
	size_t k = token_before(seq, seq->n);

	while (k > 0 && seq->at[k] > size - size / 4)
		k = token_before(seq, k);
	return k;
}

/* Double the window. If that changes its first token, it no longer joins the window before, and the
 * whole chunk is merged at once; no vocabulary is known to cause this. */
static int widen(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str *chunk,
		size_t *size, struct lu_str whole, struct lu_ids *ids, size_t from,
		struct lu_err *err)
{
	uint32_t first = m->sequence.id[0];

	*size *= 2;
	if (merge_window(b, m, *chunk, *size, &m->sequence, err) < 0)
		return -1;
	if (m->sequence.id[0] == first || chunk->p == whole.p)
		return 0;
	ids->n = from;
	*chunk = whole;
	*size = whole.n;
	return merge_window(b, m, whole, whole.n, &m->sequence, err);
}

static int merge_windows(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str whole,
		struct lu_ids *ids, struct lu_err *err)
{
	size_t size = m->window, from = ids->n, k;
	struct lu_str chunk = whole;

	if (merge_window(b, m, chunk, size, &m->sequence, err) < 0)
		return -1;
	while (chunk.n > size) {
		struct lu_bpe_sequence *seq = &m->sequence, swap;
		struct lu_str rest;

		for (k = last_stable_token(seq, size); k > 0; k = token_before(seq, k / 2 + 1)) {
			rest = (struct lu_str){ chunk.p + seq->at[k], chunk.n - seq->at[k] };
			if (merge_window(b, m, rest, m->window, &m->next, err) < 0)
				return -1;
			if (m->next.id[0] == seq->id[k])
				break;
		}
		if (k == 0) {
			if (widen(b, m, &chunk, &size, whole, ids, from, err) < 0)
				return -1;
			continue;
		}
		if (append(seq, k, ids, err) < 0)
			return -1;
		swap = m->sequence;
		m->sequence = m->next;
		m->next = swap;
		chunk = rest;
		size = m->window;
	}
	return append(&m->sequence, m->sequence.n, ids, err);
}

/* --- a chunk ------------------------------------------------------------------------------ */

int lu_bpe_whole_word(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str word,
		uint32_t *id, struct lu_err *err)
{
	char *to;

	if (word.n > b->longest)
		return 0;
	if (!b->byte_level)
		return lu_bpe_find(b, word, id);
	/* Pieces are spelled in GPT-2's byte alphabet, one or two bytes for each. */
	lu_buf_clear(&m->spelling);
	if (!lu_buf_reserve(&m->spelling, 2 * word.n))
		return lu_err_nomem(err);
	to = m->spelling.p;
	for (size_t i = 0; i < word.n; i++) {
		uint32_t c = b->byte_char[(unsigned char)word.p[i]];

		if (c >= 0x80)
			*to++ = (char)(0xC0 | c >> 6);
		*to++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3F));
	}
	m->spelling.n = (size_t)(to - m->spelling.p);
	return lu_bpe_find(b, lu_buf_slice(&m->spelling), id);
}

int lu_bpe_merge_chunk(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str chunk,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_sequence *seq = &m->sequence;

	/* Windows require that the symbols of a unit do not depend on its neighbours. */
	if (chunk.n > m->window && b->all_bytes)
		return merge_windows(b, m, chunk, ids, err);
	if (initial_symbols(b, chunk, seq, err) < 0)
		return -1;
	if (seq->n <= SHORT)
		seq->n = merge_short(b, seq->id, seq->n);
	else if (merge_sequence(b, m, seq, err) < 0)
		return -1;
	return append(seq, seq->n, ids, err);
}
