#include "libcommon/dedup/exact.h"

#include "libcommon/base/num.h"

/* Records that are sorted, big-endian. By key, rank and number: */
#define ALL_SIZE 40 /* key 16, rank 8, number 8, origin 8 */
#define ALL_KEY 32
/* By number: */
#define REMOVED_SIZE 32 /* number 8, kept 8, its origin 8, group 8 */
#define REMOVED_KEY 8

/* Half of the bound is for the set, or for what is sorted after it; half for the keys that are
 * sorted, a quarter for what is removed. */
static int new_sorter(const struct lu_exact *x, struct lu_sorter **s, size_t size, size_t key,
		int share, struct lu_err *err)
{
	struct lu_sorter_options o = { size, key, x->o.memory / (unsigned)share, x->o.tmpdir,
		x->o.threads };

	return lu_sorter_new(s, &o, err);
}

static int add_all(struct lu_exact *x, const struct lu_exact_doc *d, struct lu_err *err)
{
	unsigned char record[ALL_SIZE];

	lu_store64_be(record, d->key.hi);
	lu_store64_be(record + 8, d->key.lo);
	lu_store64_be(record + 16, x->o.late ? d->rank : 0);
	lu_store64_be(record + 24, d->number);
	lu_store64_be(record + 32, d->origin);
	return lu_sorter_add(x->all, record, err);
}

/* The set is full, or is not used: verdicts come at the end. */
static int turn_later(struct lu_exact *x, struct lu_err *err)
{
	x->later = true;
	if (x->all)
		return 0;
	if (new_sorter(x, &x->all, ALL_SIZE, ALL_KEY, 2, err) < 0)
		return -1;
	/* Documents that were kept stand before all that follow. */
	for (size_t i = 0; i < x->keys.key.n; i++) {
		struct lu_exact_doc d = { .key = x->keys.key.p[i] };

		if (add_all(x, &d, err) < 0)
			return -1;
	}
	return 0;
}

int lu_exact_open(struct lu_exact *x, const struct lu_exact_options *o, struct lu_err *err)
{
	*x = (struct lu_exact)LU_EXACT_NONE;
	x->o = *o;
	if (o->list && new_sorter(x, &x->all, ALL_SIZE, ALL_KEY, 2, err) < 0)
		return -1;
	return o->late ? turn_later(x, err) : 0;
}

int lu_exact_add(struct lu_exact *x, const struct lu_exact_doc *d, struct lu_err *err)
{
	uint32_t ignored;
	int rc;

	if (!x->later && lu_keyset_full(&x->keys, x->o.memory - x->o.memory / 2)) {
		if (turn_later(x, err) < 0)
			return -1;
		lu_keyset_release(&x->keys);
	}
	if (x->later)
		return add_all(x, d, err) < 0 ? -1 : LU_EXACT_LATER;
	rc = lu_keyset_add(&x->keys, d->key, &ignored, err);
	if (rc < 0 || (x->o.list && add_all(x, d, err) < 0))
		return -1;
	return rc ? LU_EXACT_FIRST : LU_EXACT_COPY;
}

/* --- verdicts ------------------------------------------------------------------------------ */

/* The documents with one key: the first of them, and their number so far. */
struct group {
	unsigned char first[ALL_SIZE];
	uint64_t number, docs;
};

static int end_group(struct lu_exact *x, struct group *g, struct lu_err *err)
{
	if (g->docs < 2)
		return 0;
	g->number++;
	return lu_spool_add(&x->sizes, &g->docs, sizeof(g->docs), err);
}

/* The second document of a group and later ones are removed. How many there are is known when the
 * group ends, so sizes are kept apart. */
static int find_groups(struct lu_exact *x, struct lu_err *err)
{
	struct group g = { .docs = 0 };
	unsigned char out[REMOVED_SIZE];
	const void *record;
	int rc;

	while ((rc = lu_sorter_next(x->all, &record, err)) > 0) {
		if (g.docs && memcmp(record, g.first, 16) == 0) {
			g.docs++;
			memcpy(out, (const char *)record + 24, 8);
			memcpy(out + 8, g.first + 24, 16);
			lu_store64_be(out + 24, g.number);
			if (lu_sorter_add(x->removed, out, err) < 0)
				return -1;
			continue;
		}
		if (end_group(x, &g, err) < 0)
			return -1;
		memcpy(g.first, record, ALL_SIZE);
		g.docs = 1;
	}
	return rc < 0 ? -1 : end_group(x, &g, err);
}

static int list_removed(struct lu_exact *x, struct lu_err *err)
{
	const void *record;
	int rc;

	while ((rc = lu_sorter_next(x->removed, &record, err)) > 0) {
		const char *p = record;
		struct lu_exact_removed r = { lu_load64_be(p), lu_load64_be(p + 8),
			lu_load64_be(p + 16), 0 };

		if (lu_spool_peek(&x->sizes, lu_load64_be(p + 24) * sizeof(r.size), sizeof(r.size),
				    &r.size, err) < 0 ||
				lu_spool_add(&x->list, &r, sizeof(r), err) < 0)
			return -1;
	}
	return rc;
}

int lu_exact_finish(struct lu_exact *x, struct lu_err *err)
{
	lu_keyset_release(&x->keys);
	if (!x->all)
		return 0;
	if (lu_spool_open(&x->sizes, x->o.tmpdir, err) < 0 ||
			lu_spool_open(&x->list, x->o.tmpdir, err) < 0 ||
			new_sorter(x, &x->removed, REMOVED_SIZE, REMOVED_KEY, 4, err) < 0 ||
			lu_sorter_sort(x->all, err) < 0 || find_groups(x, err) < 0)
		return -1;
	x->sorted = lu_sorter_count(x->all);
	x->on_disk = lu_sorter_spilled(x->all);
	lu_sorter_free(x->all);
	x->all = NULL;
	if (lu_sorter_sort(x->removed, err) < 0 || lu_spool_rewind(&x->sizes, err) < 0 ||
			list_removed(x, err) < 0)
		return -1;
	lu_sorter_free(x->removed);
	x->removed = NULL;
	lu_spool_close(&x->sizes);
	return lu_spool_rewind(&x->list, err);
}

void lu_exact_rewind(struct lu_exact *x)
{
	x->at = 0;
}

int lu_exact_next(struct lu_exact *x, struct lu_exact_removed *r, struct lu_err *err)
{
	struct lu_str s;

	if (x->at >= lu_spool_size(&x->list))
		return 0;
	if (lu_spool_get(&x->list, x->at, sizeof(*r), &s, err) < 0)
		return -1;
	memcpy(r, s.p, sizeof(*r));
	x->at += sizeof(*r);
	return 1;
}

void lu_exact_close(struct lu_exact *x)
{
	lu_keyset_release(&x->keys);
	lu_sorter_free(x->all);
	lu_sorter_free(x->removed);
	lu_spool_close(&x->sizes);
	lu_spool_close(&x->list);
	*x = (struct lu_exact)LU_EXACT_NONE;
}
