#include "libcommon/tokenizer/toktrain.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/tokenizer/tokparts.h"

#define CODE_POINTS 0x110000
/* In struct train.sym: between words, and the inside of a merged symbol. */
#define BORDER UINT32_MAX
#define INSIDE (UINT32_MAX - 1)
#define NO_PAIR UINT32_MAX

/* A pair of neighbours: how often, and where it was seen. Positions ascend; some are stale. */
struct pair {
	uint32_t a, b;
	int64_t count;
	uint32_t *at;
	uint32_t n, cap; /* cap 0: `at` lies in train.first */
};

struct queued {
	int64_t count;
	uint32_t a, b, pair;
};

/* Where words of a count begin: words are laid out by falling count. */
struct level {
	uint32_t from;
	uint64_t count;
};

/*
 * All distinct words stand one after the other in `sym`, a slot a character, with a BORDER
 * before each and at the end. A symbol of k characters keeps its id in the first of its k slots
 * and k in `span` of the first and the last, so both neighbours are found without links, and a
 * merge writes four numbers. Nothing moves, so a long word costs no more than short ones.
 */
struct train {
	const struct lu_bpe_train *set;
	struct lu_bpe_trained *out;
	struct lu_err *err;

	uint32_t *slot; /* piece -> id + 1 */
	size_t slots;
	uint32_t *chars; /* length of a piece in characters, by id */
	uint32_t cap;

	uint32_t *char_id; /* by code point, BORDER: not in the alphabet */

	uint32_t *sym, *span;
	size_t n;
	struct level *level;
	size_t levels;

	struct pair *pair;
	uint32_t pairs, pair_cap;
	uint32_t *pair_slot; /* (a, b) -> index + 1 */
	size_t pair_slots;
	uint32_t *first; /* the first positions, one array */

	struct queued *heap;
	size_t queued, heap_cap;
	struct lu_buf text;
};

/* --- pieces ------------------------------------------------------------------------------- */

static size_t piece_slot(const struct train *t, struct lu_str s)
{
	size_t k = lu_hash64(s.p, s.n, 0) & (t->slots - 1);

	while (t->slot[k] && !lu_str_eq(t->out->piece[t->slot[k] - 1], s))
		k = (k + 1) & (t->slots - 1);
	return k;
}

static bool has_piece(const struct train *t, struct lu_str s)
{
	return t->slot[piece_slot(t, s)] != 0;
}

/* The next id for s, which is new. */
static int add_piece(struct train *t, struct lu_str s, uint32_t chars)
{
	struct lu_str kept = lu_arena_str(&t->out->arena, s);

	if (!kept.p)
		return lu_err_nomem(t->err);
	LU_ASSERT(t->out->pieces < t->cap);
	t->slot[piece_slot(t, s)] = t->out->pieces + 1;
	t->chars[t->out->pieces] = chars;
	t->out->piece[t->out->pieces++] = kept;
	return 0;
}

static int start_pieces(struct train *t)
{
	const struct lu_bpe_train *set = t->set;
	size_t cap;

	if (!lu_add_size(set->vocab_size, set->seeds, &cap) || cap >= INT32_MAX)
		return lu_err_set(
			t->err, "a vocabulary of %u pieces is too large", set->vocab_size);
	t->cap = (uint32_t)cap;
	for (t->slots = 1 << 10; t->slots < cap * 2;)
		t->slots *= 2;
	t->slot = calloc(t->slots, sizeof(*t->slot));
	t->chars = malloc(cap * sizeof(*t->chars) + 4);
	t->out->piece = malloc(cap * sizeof(*t->out->piece) + 1);
	t->out->pair = malloc(cap * sizeof(*t->out->pair) + 1);
	if (!t->slot || !t->chars || !t->out->piece || !t->out->pair)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < set->seeds; i++) {
		if (!has_piece(t, set->seed[i]) && add_piece(t, set->seed[i], 1) < 0)
			return -1;
	}
	return t->out->pieces <= set->vocab_size
		? 0
		: lu_err_set(t->err, "a vocabulary of %u pieces is too small for %u special ones",
			  set->vocab_size, t->out->pieces);
}

/* --- alphabet ----------------------------------------------------------------------------- */

struct letter {
	uint32_t c;
	uint64_t count;
};

static int by_count(const void *x, const void *y)
{
	const struct letter *a = x, *b = y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->c < b->c ? -1 : a->c > b->c;
}

static int by_code(const void *x, const void *y)
{
	const struct letter *a = x, *b = y;

	return a->c < b->c ? -1 : a->c > b->c;
}

/* The units of a word as code points: characters, or GPT-2's letters for bytes. */
static uint32_t next_unit(const struct train *t, const char **p)
{
	if (t->set->byte_level)
		return lu_byte_char((unsigned char)*(*p)++);
	return lu_utf8_next(p);
}

static int letters(struct train *t, const struct lu_words *words, struct letter **out, size_t *n)
{
	uint64_t *count = calloc(CODE_POINTS, sizeof(*count));
	struct letter *list = NULL;
	size_t k = 0;

	*out = NULL;
	*n = 0;
	if (!count)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < words->n; i++) {
		struct lu_str s = lu_words_at(words, i);

		for (const char *p = s.p; p < s.p + s.n;)
			count[next_unit(t, &p)] += words->entry[i].count;
	}
	for (size_t i = 0; i < t->set->initials; i++) {
		if (t->set->initial[i] < CODE_POINTS)
			count[t->set->initial[i]] = UINT64_MAX;
	}
	/* All bytes are wanted, whatever the text holds. */
	for (unsigned b = 0; t->set->byte_level && b < 256; b++)
		count[lu_byte_char(b)] += 1;
	for (uint32_t c = 0; c < CODE_POINTS; c++)
		k += count[c] != 0;
	list = malloc((k + 1) * sizeof(*list));
	if (list) {
		for (uint32_t c = 0; c < CODE_POINTS; c++) {
			if (count[c])
				list[(*n)++] = (struct letter){ c, count[c] };
		}
	}
	free(count);
	*out = list;
	return list ? 0 : lu_err_nomem(t->err);
}

/* How many of the letters, most frequent first, can stay. */
static size_t count_kept(struct train *t, const struct letter *list, size_t n)
{
	size_t limit = t->set->limit_alphabet && !t->set->byte_level ? t->set->limit_alphabet : n;
	uint32_t room = t->set->vocab_size - t->out->pieces;
	size_t keep;

	for (keep = 0; keep < n && keep < limit; keep++) {
		char utf8[4];

		if (has_piece(t, (struct lu_str){ utf8, lu_utf8_put(list[keep].c, utf8) }))
			continue;
		if (room == 0) {
			t->out->squeezed = true;
			break;
		}
		room--;
	}
	return keep;
}

static int make_alphabet(struct train *t, const struct lu_words *words)
{
	struct letter *list;
	size_t n, keep;
	int rc = -1;

	if (letters(t, words, &list, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		t->out->chars += list[i].count;
	qsort(list, n, sizeof(*list), by_count);
	keep = count_kept(t, list, n);
	qsort(list, keep, sizeof(*list), by_code);
	if (t->set->byte_level && keep < n) {
		lu_err_set(t->err, "a vocabulary of %u pieces is too small for 256 bytes",
			t->set->vocab_size);
		goto out;
	}
	t->char_id = malloc(CODE_POINTS * sizeof(*t->char_id));
	if (!t->char_id) {
		lu_err_nomem(t->err);
		goto out;
	}
	memset(t->char_id, 0xff, CODE_POINTS * sizeof(*t->char_id));
	t->out->alphabet = (uint32_t)keep;
	for (size_t i = 0; i < keep; i++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(list[i].c, utf8) };

		t->out->chars_kept += list[i].count;
		if (!has_piece(t, s) && add_piece(t, s, 1) < 0)
			goto out;
		t->char_id[list[i].c] = t->slot[piece_slot(t, s)] - 1;
	}
	/* A character that is a seed has its piece whatever the limit. */
	for (size_t i = keep; i < n; i++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(list[i].c, utf8) };

		if (has_piece(t, s)) {
			t->out->chars_kept += list[i].count;
			t->char_id[list[i].c] = t->slot[piece_slot(t, s)] - 1;
		}
	}
	rc = 0;
out:
	free(list);
	return rc;
}

/* --- layout ------------------------------------------------------------------------------- */

static int cmp_u64_down(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a > b ? -1 : a < b;
}

/* The distinct counts, falling, and for each how many slots its words take; then from there the
 * place where each level begins. */
static int make_levels(struct train *t, const struct lu_words *words, size_t **next)
{
	uint64_t *count = malloc((words->n + 1) * sizeof(*count));
	size_t n = 0, total = 1;

	*next = NULL;
	if (!count)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < words->n; i++)
		count[i] = words->entry[i].count;
	qsort(count, words->n, sizeof(*count), cmp_u64_down);
	for (size_t i = 0; i < words->n; i++) {
		if (n == 0 || count[i] != count[n - 1])
			count[n++] = count[i];
	}
	t->levels = n;
	t->level = malloc((n + 1) * sizeof(*t->level));
	*next = calloc(n + 1, sizeof(**next));
	if (!t->level || !*next) {
		free(count);
		return lu_err_nomem(t->err);
	}
	for (size_t i = 0; i < words->n; i++) {
		const uint64_t *at =
			bsearch(&words->entry[i].count, count, n, sizeof(*count), cmp_u64_down);
		struct lu_str s = lu_words_at(words, i);

		(*next)[at - count] += 1 + (t->set->byte_level ? s.n : lu_utf8_count(s.p, s.n));
	}
	for (size_t k = 0; k < n; k++) {
		size_t size = (*next)[k];

		(*next)[k] = total - 1;
		total += size;
		if (total >= INSIDE)
			break;
		t->level[k] = (struct level){ (uint32_t)(*next)[k], count[k] };
	}
	free(count);
	t->n = total;
	return total < INSIDE
		? 0
		: lu_err_set(t->err, "more than 4294967293 characters in distinct words");
}

static size_t level_of(const struct train *t, uint64_t count)
{
	size_t lo = 0, hi = t->levels;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (t->level[mid].count >= count)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t count_at(const struct train *t, uint32_t slot)
{
	size_t lo = 0, hi = t->levels;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (t->level[mid].from <= slot)
			lo = mid;
		else
			hi = mid;
	}
	return t->level[lo].count;
}

static int lay_out(struct train *t, const struct lu_words *words)
{
	size_t *next;
	int rc = -1;

	if (make_levels(t, words, &next) < 0)
		goto out;
	t->sym = malloc(t->n * sizeof(*t->sym));
	t->span = malloc(t->n * sizeof(*t->span));
	if (!t->sym || !t->span) {
		lu_err_nomem(t->err);
		goto out;
	}
	/* What a closed gap leaves over at the end of its word stays a border. */
	memset(t->sym, 0xff, t->n * sizeof(*t->sym));
	for (size_t i = 0; i < t->n; i++)
		t->span[i] = 1;
	for (size_t i = 0; i < words->n; i++) {
		struct lu_str s = lu_words_at(words, i);
		size_t k = level_of(t, words->entry[i].count), at = next[k] + 1;

		for (const char *p = s.p; p < s.p + s.n;) {
			uint32_t id = t->char_id[next_unit(t, &p)];

			if (id != BORDER)
				t->sym[at++] = id;
		}
		next[k] += 1 + (t->set->byte_level ? s.n : lu_utf8_count(s.p, s.n));
	}
	rc = 0;
out:
	free(next);
	return rc;
}

/* --- pairs -------------------------------------------------------------------------------- */

static inline size_t pair_hash(uint32_t a, uint32_t b)
{
	uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h ^ h >> 29);
}

static int grow_pair_slots(struct train *t)
{
	size_t slots = t->pair_slots ? t->pair_slots * 2 : 1 << 16;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return lu_err_nomem(t->err);
	for (uint32_t i = 0; i < t->pairs; i++) {
		size_t k = pair_hash(t->pair[i].a, t->pair[i].b) & (slots - 1);

		while (slot[k])
			k = (k + 1) & (slots - 1);
		slot[k] = i + 1;
	}
	free(t->pair_slot);
	t->pair_slot = slot;
	t->pair_slots = slots;
	return 0;
}

/* The pair's index, or NO_PAIR; *slot is where it would go. */
static uint32_t find_pair(const struct train *t, uint32_t a, uint32_t b, size_t *slot)
{
	size_t k = pair_hash(a, b) & (t->pair_slots - 1);

	for (; t->pair_slot[k]; k = (k + 1) & (t->pair_slots - 1)) {
		const struct pair *p = &t->pair[t->pair_slot[k] - 1];

		if (p->a == a && p->b == b)
			return t->pair_slot[k] - 1;
	}
	*slot = k;
	return NO_PAIR;
}

/* Finds or makes; NO_PAIR when memory is out. */
static uint32_t get_pair(struct train *t, uint32_t a, uint32_t b)
{
	size_t slot;
	uint32_t i;

	if (t->pairs >= t->pair_slots / 2 && grow_pair_slots(t) < 0)
		return NO_PAIR;
	i = find_pair(t, a, b, &slot);
	if (i != NO_PAIR)
		return i;
	if (t->pairs == t->pair_cap) {
		uint32_t cap = t->pair_cap ? t->pair_cap * 2 : 1 << 15;
		struct pair *p = realloc(t->pair, (size_t)cap * sizeof(*p));

		if (!p) {
			lu_err_nomem(t->err);
			return NO_PAIR;
		}
		t->pair = p;
		t->pair_cap = cap;
	}
	t->pair[t->pairs] = (struct pair){ .a = a, .b = b };
	t->pair_slot[slot] = t->pairs + 1;
	return t->pairs++;
}

/* Counts all pairs of neighbours, then notes where they are, in one array. */
static int count_pairs(struct train *t)
{
	size_t total = 0;

	for (size_t i = 0; i + 1 < t->n; i++) {
		struct pair *p;
		uint32_t k;

		if (t->sym[i] == BORDER || t->sym[i + 1] == BORDER)
			continue;
		k = get_pair(t, t->sym[i], t->sym[i + 1]);
		if (k == NO_PAIR)
			return -1;
		p = &t->pair[k];
		if (__builtin_add_overflow(p->count, (int64_t)count_at(t, (uint32_t)i), &p->count))
			return lu_err_set(t->err, "a pair occurs more than 2^63 times");
		p->n++;
		total++;
	}
	t->first = malloc((total + 1) * sizeof(*t->first));
	if (!t->first)
		return lu_err_nomem(t->err);
	total = 0;
	for (uint32_t k = 0; k < t->pairs; k++) {
		t->pair[k].at = t->first + total;
		total += t->pair[k].n;
		t->pair[k].n = 0;
	}
	for (size_t i = 0; i + 1 < t->n; i++) {
		size_t unused;
		uint32_t k;

		if (t->sym[i] == BORDER || t->sym[i + 1] == BORDER)
			continue;
		k = find_pair(t, t->sym[i], t->sym[i + 1], &unused);
		t->pair[k].at[t->pair[k].n++] = (uint32_t)i;
	}
	return 0;
}

/* --- queue -------------------------------------------------------------------------------- */

static inline bool ahead(const struct queued *x, const struct queued *y)
{
	if (x->count != y->count)
		return x->count > y->count;
	return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void sift_down(struct queued *heap, size_t n, size_t i)
{
	struct queued v = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && ahead(&heap[child + 1], &heap[child]))
			child++;
		if (!ahead(&heap[child], &v))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

static int enqueue(struct train *t, uint32_t pair)
{
	const struct pair *p = &t->pair[pair];
	struct queued v = { p->count, p->a, p->b, pair };
	size_t i = t->queued;

	if (t->queued == t->heap_cap) {
		size_t cap = t->heap_cap ? t->heap_cap * 2 : 1 << 15;
		struct queued *h = realloc(t->heap, cap * sizeof(*h));

		if (!h)
			return lu_err_nomem(t->err);
		t->heap = h;
		t->heap_cap = cap;
	}
	t->queued++;
	while (i > 0 && ahead(&v, &t->heap[(i - 1) / 2])) {
		t->heap[i] = t->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->heap[i] = v;
	return 0;
}

static void forget_places(struct pair *p)
{
	if (p->cap)
		free(p->at);
	p->at = NULL;
	p->n = p->cap = 0;
}

/* The next pair to merge, or NO_PAIR. A count in the queue may be out of date, always too high:
 * then the pair goes back with what it is now. */
static uint32_t next_pair(struct train *t)
{
	int64_t least =
		t->set->min_frequency > INT64_MAX ? INT64_MAX : (int64_t)t->set->min_frequency;

	if (least < 1)
		least = 1;
	while (t->queued > 0) {
		struct queued top = t->heap[0];
		struct pair *p = &t->pair[top.pair];

		if (top.count == p->count) {
			t->heap[0] = t->heap[--t->queued];
			if (t->queued)
				sift_down(t->heap, t->queued, 0);
			return top.count >= least ? top.pair : NO_PAIR;
		}
		if (p->count >= least) {
			t->heap[0].count = p->count;
		} else {
			forget_places(p);
			t->heap[0] = t->heap[--t->queued];
		}
		if (t->queued)
			sift_down(t->heap, t->queued, 0);
	}
	return NO_PAIR;
}

/* --- merging ------------------------------------------------------------------------------ */

static void less(struct train *t, uint32_t a, uint32_t b, int64_t count)
{
	size_t unused;
	uint32_t k = find_pair(t, a, b, &unused);

	/* Pairs that max_chars rules out were never counted. */
	if (k != NO_PAIR)
		t->pair[k].count -= count;
}

static int more(struct train *t, uint32_t a, uint32_t b, int64_t count, uint32_t at)
{
	uint32_t k;
	struct pair *p;

	if (t->set->max_chars && t->chars[a] + t->chars[b] >= t->set->max_chars)
		return 0;
	k = get_pair(t, a, b);
	if (k == NO_PAIR)
		return -1;
	p = &t->pair[k];
	p->count += count;
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 2;
		uint32_t *more_at = realloc(p->at, (size_t)cap * sizeof(*more_at));

		if (!more_at)
			return lu_err_nomem(t->err);
		p->at = more_at;
		p->cap = cap;
	}
	p->at[p->n++] = at;
	return 0;
}

/* Makes the two symbols at one place one. */
static int merge_at(struct train *t, uint32_t at, uint32_t a, uint32_t b, uint32_t id)
{
	uint32_t right = at + t->span[at], after, total;
	int64_t count;

	if (t->sym[at] != a || t->sym[right] != b)
		return 0;
	count = (int64_t)count_at(t, at);
	after = right + t->span[right];
	if (t->sym[at - 1] != BORDER) {
		uint32_t left = at - t->span[at - 1];

		less(t, t->sym[left], a, count);
		if (more(t, t->sym[left], id, count, left) < 0)
			return -1;
	}
	if (t->sym[after] != BORDER) {
		less(t, b, t->sym[after], count);
		if (more(t, id, t->sym[after], count, at) < 0)
			return -1;
	}
	total = after - at;
	t->sym[at] = id;
	t->sym[right] = INSIDE;
	t->span[at] = total;
	t->span[after - 1] = total;
	return 0;
}

static int merge_pair(struct train *t, uint32_t index)
{
	struct pair p = t->pair[index];
	uint32_t id = t->out->pieces, first_new = t->pairs;
	struct lu_str a = t->out->piece[p.a], b = t->out->piece[p.b];
	int64_t least = t->set->min_frequency > 1 ? (int64_t)t->set->min_frequency : 1;
	int rc = 0;

	lu_buf_clear(&t->text);
	lu_buf_str(&t->text, a);
	lu_buf_str(&t->text, b);
	if (lu_buf_check(&t->text, t->err) < 0)
		return -1;
	if (t->set->keep) {
		int kept = t->set->keep(t->set->keep_ctx, lu_buf_slice(&t->text), t->err);

		if (kept <= 0)
			return kept;
	}
	/* A piece that another merge made: nothing is merged, which is not yet Hugging Face's way. */
	if (has_piece(t, lu_buf_slice(&t->text)))
		return 0;
	if (add_piece(t, lu_buf_slice(&t->text), t->chars[p.a] + t->chars[p.b]) < 0)
		return -1;
	t->out->pair[t->out->merges++] = (struct lu_bpe_pair){ p.a, p.b };
	/* The list is the merge's own now: new pairs move the table while it is walked. */
	t->pair[index].at = NULL;
	t->pair[index].n = t->pair[index].cap = 0;
	for (uint32_t i = 0; rc == 0 && i < p.n; i++)
		rc = merge_at(t, p.at[i], p.a, p.b, id);
	forget_places(&p);
	t->pair[index].count = 0;
	for (uint32_t k = first_new; rc == 0 && k < t->pairs; k++) {
		if (t->pair[k].count >= least)
			rc = enqueue(t, k);
		else
			forget_places(&t->pair[k]);
	}
	return rc;
}

static int learn(struct train *t)
{
	uint32_t k;

	for (k = 0; k < t->pairs; k++) {
		if (t->pair[k].count > 0 && enqueue(t, k) < 0)
			return -1;
	}
	while (t->out->pieces < t->set->vocab_size && (k = next_pair(t)) != NO_PAIR) {
		if (merge_pair(t, k) < 0)
			return -1;
		if (t->set->tick)
			t->set->tick(t->set->ctx, t->out->pieces);
	}
	return 0;
}

static void release(struct train *t)
{
	for (uint32_t k = 0; k < t->pairs; k++)
		forget_places(&t->pair[k]);
	free(t->pair);
	free(t->pair_slot);
	free(t->first);
	free(t->heap);
	free(t->sym);
	free(t->span);
	free(t->level);
	free(t->char_id);
	free(t->chars);
	free(t->slot);
	lu_buf_release(&t->text);
}

int lu_bpe_train(const struct lu_bpe_train *tr, const struct lu_words *words,
	struct lu_bpe_trained *out, struct lu_err *err)
{
	struct train t = { .set = tr, .out = out, .err = err };
	int rc = -1;

	*out = (struct lu_bpe_trained){ 0 };
	if (start_pieces(&t) == 0 && make_alphabet(&t, words) == 0 && lay_out(&t, words) == 0 &&
		grow_pair_slots(&t) == 0 && count_pairs(&t) == 0)
		rc = learn(&t);
	release(&t);
	if (rc < 0)
		lu_bpe_trained_release(out);
	return rc;
}

void lu_bpe_trained_release(struct lu_bpe_trained *out)
{
	lu_arena_release(&out->arena);
	free(out->piece);
	free(out->pair);
	*out = (struct lu_bpe_trained){ 0 };
}
