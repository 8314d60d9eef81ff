#include "libcommon/io/sorter.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/file.h"

/* Groups of at most so many records are sorted by insertion. */
#define SMALL 24
/* Fewer records are not worth the start of threads. */
#define PARALLEL ((size_t)1 << 16)
/* Most runs merged at once: more would not fit the caches. */
#define FAN_MAX 1024

/* Records in order: in a file, and the piece of them that is in memory. */
struct run {
	uint64_t at;	   /* in the file: offset of the next piece */
	uint64_t left;	   /* records not read yet */
	unsigned char *p;  /* the piece; NULL before the merge */
	size_t have, next; /* records in the piece; the first one of them not returned yet */
	uint64_t prefix;   /* of the head's key, as a number */
	const unsigned char *head; /* NULL at the end */
};

struct lu_sorter {
	struct lu_sorter_options o;
	size_t stride; /* bytes of a record in memory and in the file: whole words */
	uint64_t mask; /* bits of the first word that belong to the key */
	uint64_t count, spilled;
	unsigned char *p;    /* records in memory */
	size_t n, cap, most; /* in records; most: a full run */
	bool sorted;

	int fd; /* of the runs; -1: all is in memory */
	uint64_t end;
	char *name;
	struct LU_VEC(struct run) run;
	unsigned char *pieces;
	size_t *tree; /* loser of the match at each inner node; tree[0] is the winner */
	bool taken;   /* the winner's head was returned: move on before the next */
	size_t at;    /* in memory: the next record */
};

/* --- sorting in memory --------------------------------------------------------------------- */

/* What the sort of a range needs to know. */
struct radix {
	size_t stride, key;
};

static inline void copy(unsigned char *to, const unsigned char *from, size_t stride)
{
	/* Whole words: faster than a call of memcpy() for records of a few of them. */
	for (size_t i = 0; i < stride; i += 8)
		memcpy(to + i, from + i, 8);
}

/* True if key a comes before key b; the first `from` bytes are equal. */
static inline bool before(const unsigned char *a, const unsigned char *b, size_t from, size_t key)
{
	if (key - from >= 8) {
		uint64_t x = lu_load64_be(a + from), y = lu_load64_be(b + from);

		if (x != y)
			return x < y;
		from += 8;
	}
	return memcmp(a + from, b + from, key - from) < 0;
}

static void insertion_sort(const struct radix *r, unsigned char *p, size_t n, size_t from)
{
	unsigned char record[LU_SORTER_SIZE_MAX];
	size_t stride = r->stride;

	for (size_t i = 1; i < n; i++) {
		unsigned char *at = p + i * stride;

		if (!before(at, at - stride, from, r->key))
			continue;
		copy(record, at, stride);
		do {
			copy(at, at - stride, stride);
			at -= stride;
		} while (at > p && before(record, at - stride, from, r->key));
		copy(at, record, stride);
	}
}

/* Distribute n records by byte `from`, the first in which they differ, or a later one. count[c]
 * becomes the number of those with byte c. Returns that byte's position, or the length of the key
 * where all are equal: then nothing was moved. */
static size_t distribute(const struct radix *r, const unsigned char *src, unsigned char *dst,
		size_t n, size_t from, size_t count[256])
{
	unsigned char *to[256];

	for (; from < r->key; from++) {
		const unsigned char *byte = src + from;

		memset(count, 0, 256 * sizeof(*count));
		for (size_t i = 0; i < n; i++)
			count[byte[i * r->stride]]++;
		if (count[*byte] < n)
			break;
	}
	if (from == r->key)
		return from;
	for (size_t c = 0; c < 256; c++) {
		to[c] = dst;
		dst += count[c] * r->stride;
	}
	for (size_t i = 0; i < n; i++) {
		const unsigned char *record = src + i * r->stride;

		copy(to[record[from]], record, r->stride);
		to[record[from]] += r->stride;
	}
	return from;
}

/* Sort n records at `p`, whose first `from` bytes are equal; `other` has room for as many. The result
 * lies at `other` if `move`, else at `p`. The depth is that of the key. */
static void radix_sort(const struct radix *r, unsigned char *p, unsigned char *other, size_t n,
		size_t from, bool move)
{
	size_t count[256];

	if (n > SMALL)
		from = distribute(r, p, other, n, from, count);
	else
		insertion_sort(r, p, n, from);
	if (n <= SMALL || from == r->key) {
		if (move)
			memcpy(other, p, n * r->stride);
		return;
	}
	for (size_t c = 0; c < 256; c++) {
		size_t bytes = count[c] * r->stride;

		if (bytes)
			radix_sort(r, other, p, count[c], from + 1, !move);
		p += bytes;
		other += bytes;
	}
}

/* The same for the whole array, the groups of the first distribution in parallel. */
static void radix_sort_all(const struct lu_sorter *s, unsigned char *p, unsigned char *other)
{
	struct radix r = { s->stride, s->o.key };
	size_t count[256], start[256], from, at = 0;

	if (s->o.threads <= 1 || s->n < PARALLEL) {
		radix_sort(&r, p, other, s->n, 0, false);
		return;
	}
	from = distribute(&r, p, other, s->n, 0, count);
	if (from == r.key)
		return;
	for (size_t c = 0; c < 256; c++) {
		start[c] = at;
		at += count[c] * r.stride;
	}
#pragma omp parallel for schedule(dynamic) num_threads(s->o.threads)
	for (size_t c = 0; c < 256; c++) {
		if (count[c])
			radix_sort(&r, other + start[c], p + start[c], count[c], from + 1, true);
	}
}

static int sort_memory(struct lu_sorter *s, struct lu_err *err)
{
	unsigned char *other;

	if (s->n < 2)
		return 0;
	other = malloc(s->n * s->stride);
	if (!other)
		return lu_err_nomem(err);
	radix_sort_all(s, s->p, other);
	free(other);
	return 0;
}

/* --- adding -------------------------------------------------------------------------------- */

int lu_sorter_new(struct lu_sorter **out, const struct lu_sorter_options *o, struct lu_err *err)
{
	struct lu_sorter *s = calloc(1, sizeof(*s));
	uint64_t bytes = o->memory && o->memory < LU_SORTER_LEAST ? LU_SORTER_LEAST : o->memory;

	LU_ASSERT(o->size >= 1 && o->size <= LU_SORTER_SIZE_MAX && o->key >= 1 &&
			o->key <= o->size && o->key <= LU_SORTER_KEY_MAX);
	*out = s;
	if (!s)
		return lu_err_nomem(err);
	s->o = *o;
	s->o.memory = bytes;
	s->fd = -1;
	s->stride = (o->size + 7) / 8 * 8;
	s->mask = o->key >= 8 ? UINT64_MAX : ~(UINT64_MAX >> 8 * o->key);
	/* The sort moves a run to as much memory again. */
	s->most = SIZE_MAX / 2 / s->stride;
	if (bytes && bytes / 2 / s->stride < s->most)
		s->most = (size_t)(bytes / 2 / s->stride);
	return 0;
}

static int add_run(struct lu_sorter *s, uint64_t records, struct lu_err *err)
{
	struct run run = { .at = s->end, .left = records };

	s->end += records * s->stride;
	s->spilled += records;
	return lu_vec_push(&s->run, run) ? 0 : lu_err_nomem(err);
}

static int open_file(struct lu_sorter *s, struct lu_err *err)
{
	if (!s->name)
		s->name = lu_concat("temporary file in ", s->o.tmpdir, NULL);
	if (!s->name)
		return lu_err_nomem(err);
	s->end = 0;
	s->fd = lu_temp_open(s->o.tmpdir, err);
	return s->fd < 0 ? -1 : 0;
}

/* Sort what is in memory and write it as a run. */
static int spill(struct lu_sorter *s, struct lu_err *err)
{
	if ((s->fd < 0 && open_file(s, err) < 0) || sort_memory(s, err) < 0 ||
			lu_write_all(s->fd, s->p, s->n * s->stride, s->name, err) < 0 ||
			add_run(s, s->n, err) < 0)
		return -1;
	s->n = 0;
	return 0;
}

/* Double the array, up to a full run. */
static int grow(struct lu_sorter *s, struct lu_err *err)
{
	size_t cap = s->cap ? s->cap : 256;
	unsigned char *p;

	cap = cap > s->most / 2 ? s->most : cap * 2;
	if (cap <= s->cap)
		return lu_err_nomem(err);
	p = realloc(s->p, cap * s->stride);
	if (!p)
		return lu_err_nomem(err);
	s->p = p;
	s->cap = cap;
	return 0;
}

int lu_sorter_add(struct lu_sorter *s, const void *record, struct lu_err *err)
{
	unsigned char *to;

	LU_ASSERT(!s->sorted);
	if (s->n == s->cap) {
		if (s->n == s->most && s->o.memory ? spill(s, err) < 0 : grow(s, err) < 0)
			return -1;
	}
	to = s->p + s->n++ * s->stride;
	/* The bytes that fill the last word are written to the file. */
	memset(to + s->stride - 8, 0, 8);
	memcpy(to, record, s->o.size);
	s->count++;
	return 0;
}

/* --- merging ------------------------------------------------------------------------------- */

/* Set the head of a run to its next record, from the file where the piece is used up. */
static int advance(struct lu_sorter *s, struct run *r, size_t piece, struct lu_err *err)
{
	if (r->next == r->have) {
		uint64_t want = r->left < piece ? r->left : piece;

		r->head = NULL;
		if (want == 0)
			return 0;
		if (lu_pread_all(s->fd, r->p, (size_t)want * s->stride, r->at, s->name, err) < 0)
			return -1;
		r->at += want * s->stride;
		r->left -= want;
		r->have = (size_t)want;
		r->next = 0;
	}
	r->head = r->p + r->next++ * s->stride;
	r->prefix = lu_load64_be(r->head) & s->mask;
	return 0;
}

/* True if the head of run a comes before that of run b. Of equal keys the earlier run has those that
 * were added first. */
static bool wins(const struct lu_sorter *s, const struct run *run, size_t a, size_t b)
{
	const struct run *x = &run[a], *y = &run[b];
	int order;

	if (!x->head || !y->head)
		return x->head || (!y->head && a < b);
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix;
	order = s->o.key > 8 ? memcmp(x->head + 8, y->head + 8, s->o.key - 8) : 0;
	return order < 0 || (order == 0 && a < b);
}

/* Play run i up from its leaf: the loser of each match stays, the winner goes on. */
static void replay(struct lu_sorter *s, const struct run *run, size_t n, size_t i)
{
	for (size_t node = (i + n) / 2; node > 0; node /= 2) {
		if (wins(s, run, s->tree[node], i)) {
			size_t loser = i;

			i = s->tree[node];
			s->tree[node] = loser;
		}
	}
	s->tree[0] = i;
}

/* The winner among the leaves below a node, leaving the losers on the way. */
static size_t play(struct lu_sorter *s, const struct run *run, size_t n, size_t node)
{
	size_t a, b;

	if (node >= n)
		return node - n;
	a = play(s, run, n, 2 * node);
	b = play(s, run, n, 2 * node + 1);
	if (wins(s, run, b, a)) {
		size_t t = a;

		a = b;
		b = t;
	}
	s->tree[node] = b;
	return a;
}

/* Records of a piece where n runs are merged, and one more is written. */
static size_t piece_of(const struct lu_sorter *s, size_t n)
{
	uint64_t bytes = s->o.memory / (n + 1);

	if (bytes > (uint64_t)8 << 20)
		bytes = (uint64_t)8 << 20;
	return bytes > s->stride ? (size_t)(bytes / s->stride) : 1;
}

static int begin_merge(struct lu_sorter *s, struct run *run, size_t n, struct lu_err *err)
{
	size_t piece = piece_of(s, n);

	free(s->pieces);
	free(s->tree);
	s->pieces = malloc((n + 1) * piece * s->stride);
	s->tree = malloc(n * sizeof(*s->tree));
	if (!s->pieces || !s->tree)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		run[i].p = s->pieces + i * piece * s->stride;
		if (advance(s, &run[i], piece, err) < 0)
			return -1;
	}
	s->tree[0] = n > 1 ? play(s, run, n, 1) : 0;
	s->taken = false;
	return 0;
}

static int next_merged(struct lu_sorter *s, struct run *run, size_t n, size_t piece,
		const void **record, struct lu_err *err)
{
	struct run *winner = &run[s->tree[0]];

	if (s->taken) {
		if (advance(s, winner, piece, err) < 0)
			return -1;
		replay(s, run, n, s->tree[0]);
		winner = &run[s->tree[0]];
	}
	s->taken = true;
	*record = winner->head;
	return winner->head != NULL;
}

/* Merge runs first .. first + n - 1 into one at the end of the file `to`. */
static int merge_group(struct lu_sorter *s, struct run *run, size_t n, int to, struct lu_err *err)
{
	size_t piece = piece_of(s, n), have = 0;
	const void *record;
	unsigned char *out;
	int rc;

	if (begin_merge(s, run, n, err) < 0)
		return -1;
	out = s->pieces + n * piece * s->stride;
	while ((rc = next_merged(s, run, n, piece, &record, err)) > 0) {
		memcpy(out + have * s->stride, record, s->stride);
		if (++have < piece)
			continue;
		if (lu_write_all(to, out, have * s->stride, s->name, err) < 0)
			return -1;
		have = 0;
	}
	return rc < 0 ? -1 : lu_write_all(to, out, have * s->stride, s->name, err);
}

/* Merge groups of `fan` neighbouring runs into a new file. */
static int merge_pass(struct lu_sorter *s, size_t fan, struct lu_err *err)
{
	struct run *old = s->run.p;
	size_t runs = s->run.n;
	int from = s->fd, to = lu_temp_open(s->o.tmpdir, err), rc = to < 0 ? -1 : 0;

	s->run.p = NULL;
	s->run.n = s->run.cap = 0;
	s->end = 0;
	for (size_t i = 0; rc == 0 && i < runs; i += fan) {
		size_t n = runs - i < fan ? runs - i : fan;
		uint64_t records = 0;

		for (size_t k = 0; k < n; k++)
			records += old[i + k].left;
		rc = merge_group(s, old + i, n, to, err);
		if (rc == 0)
			rc = add_run(s, records, err);
	}
	free(old);
	if (to >= 0) {
		close(from); /* unlinked: nothing can be lost */
		s->fd = to;
	}
	return rc;
}

int lu_sorter_sort(struct lu_sorter *s, struct lu_err *err)
{
	size_t fan = (size_t)(s->o.memory / LU_SORTER_PIECE);

	LU_ASSERT(!s->sorted);
	s->sorted = true;
	if (s->fd < 0)
		return sort_memory(s, err);
	if (s->n && spill(s, err) < 0)
		return -1;
	free(s->p);
	s->p = NULL;
	fan = fan > FAN_MAX ? FAN_MAX : fan;
	while (s->run.n > fan) {
		if (merge_pass(s, fan, err) < 0)
			return -1;
	}
	return begin_merge(s, s->run.p, s->run.n, err);
}

int lu_sorter_next(struct lu_sorter *s, const void **record, struct lu_err *err)
{
	LU_ASSERT(s->sorted);
	if (s->fd >= 0)
		return next_merged(s, s->run.p, s->run.n, piece_of(s, s->run.n), record, err);
	if (s->at == s->n)
		return 0;
	*record = s->p + s->at++ * s->stride;
	return 1;
}

uint64_t lu_sorter_count(const struct lu_sorter *s)
{
	return s->count;
}

uint64_t lu_sorter_spilled(const struct lu_sorter *s)
{
	return s->spilled;
}

void lu_sorter_free(struct lu_sorter *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd); /* unlinked: nothing can be lost */
	lu_vec_release(&s->run);
	free(s->p);
	free(s->pieces);
	free(s->tree);
	free(s->name);
	free(s);
}
