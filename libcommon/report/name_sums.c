#include "libcommon/report/name_sums.h"

#include <stdlib.h>

#include "libcommon/base/num.h"

/* A name in memory. Its values lie behind it. */
struct lu_sums_entry {
	struct lu_hash128 hash;
	struct lu_str name; /* its bytes in memory, or NULL and `at` in the spool */
	uint64_t at;
	uint64_t value[];
};

/* What the sorter holds: the hash, place and size of the name, and the values in native order. */
#define RECORD_KEY 16
#define RECORD_HEAD (RECORD_KEY + 16)
/* Of the bound, the table may take a quarter: the index and growing arrays come on top; the sorter
 * takes half. */
#define TABLE_SHARE 4
#define SORTER_SHARE 2
#define INDEX_BYTES 24 /* of an entry in the map and in the array, at most */

static uint64_t entry_hash(const void *items, uint32_t i)
{
	struct lu_sums_entry *const *entry = items;

	return entry[i]->hash.lo;
}

static bool entry_is(const void *items, uint32_t i, const void *key)
{
	struct lu_sums_entry *const *entry = items;

	return lu_hash128_eq(entry[i]->hash, *(const struct lu_hash128 *)key);
}

static size_t entry_size(const struct lu_sums *t)
{
	return sizeof(struct lu_sums_entry) + t->values * sizeof(uint64_t);
}

static size_t record_size(const struct lu_sums *t)
{
	return RECORD_HEAD + t->values * sizeof(uint64_t);
}

static void add_values(const struct lu_sums *t, uint64_t *to, const uint64_t *from)
{
	for (size_t i = 0; i < t->values; i++)
		to[i] += from[i];
}

/* --- the table ---------------------------------------------------------------------------- */

static int open_disk(struct lu_sums *t, struct lu_err *err)
{
	struct lu_sorter_options o = { .size = record_size(t),
		.key = RECORD_KEY,
		.memory = t->memory / SORTER_SHARE,
		.tmpdir = t->tmpdir,
		.threads = 1 };

	t->spool = (struct lu_spool)LU_SPOOL_NONE;
	if (lu_sorter_new(&t->sorter, &o, err) < 0)
		return -1;
	t->spilled = true;
	return lu_spool_open(&t->spool, t->tmpdir, err);
}

/* Move the table to disk. */
static int spill(struct lu_sums *t, struct lu_err *err)
{
	unsigned char record[RECORD_HEAD + LU_SUMS_VALUES * sizeof(uint64_t)];

	if (!t->spilled && open_disk(t, err) < 0)
		return -1;
	for (size_t i = 0; i < t->entry.n; i++) {
		const struct lu_sums_entry *e = t->entry.p[i];
		uint64_t place[2] = { lu_spool_size(&t->spool), e->name.n };

		lu_store64_be(record, e->hash.hi);
		lu_store64_be(record + 8, e->hash.lo);
		memcpy(record + RECORD_KEY, place, sizeof(place));
		memcpy(record + RECORD_HEAD, e->value, t->values * sizeof(uint64_t));
		if (lu_spool_add(&t->spool, e->name.p, e->name.n, err) < 0 ||
				lu_sorter_add(t->sorter, record, err) < 0)
			return -1;
	}
	t->entry.n = 0;
	t->used = 0;
	lu_map_release(&t->map);
	lu_arena_reset(&t->arena);
	return 0;
}

static struct lu_sums_entry *new_entry(
		struct lu_sums *t, struct lu_arena *arena, struct lu_str name)
{
	struct lu_sums_entry *e = lu_arena_alloc(arena, entry_size(t));

	if (!e)
		return NULL;
	memset(e, 0, entry_size(t));
	e->name = name.n ? lu_arena_str(arena, name) : LU_STR("");
	return e->name.p ? e : NULL;
}

int lu_sums_add(struct lu_sums *t, struct lu_str name, const uint64_t *value, struct lu_err *err)
{
	struct lu_hash128 hash;
	struct lu_sums_entry *e;
	uint32_t i;

	if (name.n == 0) {
		add_values(t, t->without, value);
		return 0;
	}
	hash = lu_hash128(name.p, name.n);
	i = lu_map_find(&t->map, hash.lo, t->entry.p, entry_is, &hash);
	if (i != LU_MAP_NONE) {
		add_values(t, t->entry.p[i]->value, value);
		return 0;
	}
	if (t->memory && t->used > t->memory / TABLE_SHARE && spill(t, err) < 0)
		return -1;
	e = new_entry(t, &t->arena, name);
	if (!e || !lu_map_reserve(&t->map, t->entry.p, entry_hash) || !lu_vec_push(&t->entry, e))
		return lu_err_nomem(err);
	e->hash = hash;
	add_values(t, e->value, value);
	lu_map_add(&t->map, hash.lo);
	t->used += entry_size(t) + name.n + INDEX_BYTES;
	return 0;
}

/* --- the first ---------------------------------------------------------------------------- */

/* True if p comes behind q. */
static bool is_behind(const struct lu_sums *t, const struct lu_sums_entry *p,
		const struct lu_sums_entry *q)
{
	if (p->value[t->by] != q->value[t->by])
		return p->value[t->by] < q->value[t->by];
	return p->hash.hi != q->hash.hi ? p->hash.hi > q->hash.hi : p->hash.lo > q->hash.lo;
}

/* The entries are a heap whose root is the last of them: let the one at `i` sink to its place. */
static void sink(const struct lu_sums *t, struct lu_sums_entry **heap, size_t n, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		struct lu_sums_entry *e = heap[i];

		if (child + 1 < n && is_behind(t, heap[child + 1], heap[child]))
			child++;
		if (!is_behind(t, heap[child], e))
			return;
		heap[i] = heap[child];
		heap[child] = e;
	}
}

/* The first names so far. */
struct first {
	struct lu_sums_entry **heap;
	size_t n;
};

/* Let a name be one of the first, or add it to the rest. */
static int offer(struct lu_sums *t, struct first *f, const struct lu_sums_entry *e,
		struct lu_err *err)
{
	t->names++;
	if (f->n < t->top) {
		struct lu_sums_entry *new = new_entry(t, &t->kept, LU_STR(""));

		if (!new)
			return lu_err_nomem(err);
		memcpy(new, e, entry_size(t));
		f->heap[f->n++] = new;
		for (size_t i = f->n / 2; f->n == t->top && i-- > 0;)
			sink(t, f->heap, f->n, i);
		return 0;
	}
	if (f->n == 0 || !is_behind(t, f->heap[0], e)) {
		add_values(t, t->rest, e->value);
		return 0;
	}
	add_values(t, t->rest, f->heap[0]->value);
	memcpy(f->heap[0], e, entry_size(t));
	sink(t, f->heap, f->n, 0);
	return 0;
}

/* Add up the records of each hash, which follow one another. */
static int offer_sorted(struct lu_sums *t, struct first *f, struct lu_err *err)
{
	struct lu_sums_entry *e = new_entry(t, &t->kept, LU_STR(""));
	const void *next;
	int rc;

	if (!e)
		return lu_err_nomem(err);
	if (lu_sorter_sort(t->sorter, err) < 0)
		return -1;
	while ((rc = lu_sorter_next(t->sorter, &next, err)) > 0) {
		const unsigned char *record = next;
		struct lu_hash128 hash = { .hi = lu_load64_be(record),
			.lo = lu_load64_be(record + 8) };
		uint64_t place[2], value[LU_SUMS_VALUES];

		memcpy(place, record + RECORD_KEY, sizeof(place));
		memcpy(value, record + RECORD_HEAD, t->values * sizeof(uint64_t));
		if (e->name.n && !lu_hash128_eq(hash, e->hash)) {
			if (offer(t, f, e, err) < 0)
				return -1;
			memset(e, 0, entry_size(t));
		}
		e->hash = hash;
		e->at = place[0];
		e->name = (struct lu_str){ NULL, (size_t)place[1] };
		add_values(t, e->value, value);
	}
	return rc == 0 && e->name.n ? offer(t, f, e, err) : rc;
}

static int by_place(const void *a, const void *b)
{
	const struct lu_sums_entry *p = *(struct lu_sums_entry *const *)a;
	const struct lu_sums_entry *q = *(struct lu_sums_entry *const *)b;

	return (p->at > q->at) - (p->at < q->at);
}

/* Read the names of the first from the spool. */
static int fetch_names(struct lu_sums *t, struct first *f, struct lu_err *err)
{
	qsort(f->heap, f->n, sizeof(struct lu_sums_entry *), by_place);
	if (lu_spool_rewind(&t->spool, err) < 0)
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		struct lu_sums_entry *e = f->heap[i];

		if (lu_spool_get(&t->spool, e->at, e->name.n, &e->name, err) < 0)
			return -1;
		e->name = lu_arena_str(&t->kept, e->name);
		if (!e->name.p)
			return lu_err_nomem(err);
	}
	return 0;
}

/* --- the rows ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return lu_str_cmp(((const struct lu_sums_row *)a)->name,
			((const struct lu_sums_row *)b)->name);
}

static int by_first_value(const void *a, const void *b)
{
	uint64_t p = *((const struct lu_sums_row *)a)->value;
	uint64_t q = *((const struct lu_sums_row *)b)->value;

	return p != q ? (p > q ? -1 : 1) : by_name(a, b);
}

/* qsort() hands no context on: the value that ranks is in front while the rows are sorted. */
static void swap_first(struct lu_sums *t)
{
	for (size_t i = 0; i < t->row.n; i++) {
		uint64_t *value = t->row.p[i].value, first = value[0];

		value[0] = value[t->by];
		value[t->by] = first;
	}
}

static int make_rows(struct lu_sums *t, const struct first *f, struct lu_err *err)
{
	if (!lu_vec_reserve(&t->row, f->n))
		return lu_err_nomem(err);
	for (size_t i = 0; i < f->n; i++) {
		struct lu_str name = f->heap[i]->name;

		if (!t->spilled)
			name = lu_arena_str(&t->kept, name);
		if (!name.p)
			return lu_err_nomem(err);
		t->row.p[t->row.n++] = (struct lu_sums_row){ name, f->heap[i]->value };
	}
	swap_first(t);
	if (t->row.n)
		qsort(t->row.p, t->row.n, sizeof(*t->row.p), by_first_value);
	swap_first(t);
	return 0;
}

int lu_sums_finish(struct lu_sums *t, struct lu_err *err)
{
	struct first f = { .n = 0 };
	int rc = -1;

	f.heap = calloc(t->top + 1, sizeof(struct lu_sums_entry *));
	if (!f.heap)
		return lu_err_nomem(err);
	if (t->spilled) {
		if (spill(t, err) < 0)
			goto out;
		lu_arena_release(&t->arena);
		if (offer_sorted(t, &f, err) < 0 || fetch_names(t, &f, err) < 0)
			goto out;
	}
	for (size_t i = 0; i < t->entry.n; i++) {
		if (offer(t, &f, t->entry.p[i], err) < 0)
			goto out;
	}
	rc = make_rows(t, &f, err);
out:
	free(f.heap);
	lu_vec_release(&t->entry);
	lu_map_release(&t->map);
	lu_arena_release(&t->arena);
	lu_sorter_free(t->sorter);
	t->sorter = NULL;
	if (t->spilled)
		lu_spool_close(&t->spool);
	t->spilled = false;
	return rc;
}

void lu_sums_release(struct lu_sums *t)
{
	lu_vec_release(&t->row);
	lu_vec_release(&t->entry);
	lu_map_release(&t->map);
	lu_arena_release(&t->arena);
	lu_arena_release(&t->kept);
	lu_sorter_free(t->sorter);
	if (t->spilled)
		lu_spool_close(&t->spool);
	t->sorter = NULL;
	t->spilled = false;
}
