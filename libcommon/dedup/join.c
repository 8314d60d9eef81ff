#include "libcommon/dedup/join.h"

#include <stdlib.h>

#include "libcommon/base/num.h"

#define NONE UINT32_MAX

void lu_join_init(struct lu_join *j, const struct lu_minhash *mh)
{
	*j = (struct lu_join){ .mh = mh, .size_each = lu_minhash_size(mh) };
}

static const unsigned char *signature_of(const struct lu_join *j, uint32_t doc)
{
	return j->signature + (size_t)doc * j->size_each;
}

int lu_join_add(struct lu_join *j, const void *signature, uint64_t length, struct lu_err *err)
{
	if (j->docs == j->cap) {
		uint32_t cap = j->cap ? j->cap + j->cap / 2 : 1024;
		size_t bytes;
		unsigned char *s;
		uint64_t *l;

		if (j->cap == UINT32_MAX - 1)
			return lu_err_set(err, "more than %u documents to join", j->cap);
		if (cap < j->cap || cap == UINT32_MAX)
			cap = UINT32_MAX - 1;
		if (!lu_mul_size(cap, j->size_each, &bytes))
			return lu_err_nomem(err);
		s = realloc(j->signature, bytes);
		if (!s)
			return lu_err_nomem(err);
		j->signature = s;
		l = realloc(j->length, cap * sizeof(*l));
		if (!l)
			return lu_err_nomem(err);
		j->length = l;
		j->cap = cap;
	}
	memcpy(j->signature + (size_t)j->docs * j->size_each, signature, j->size_each);
	j->length[j->docs++] = length;
	return 0;
}

double lu_join_similarity(const struct lu_join *j, uint32_t a, uint32_t b)
{
	return lu_minhash_similarity(j->mh, signature_of(j, a), signature_of(j, b));
}

/* --- union-find over kept[], smallest number as root -------------------------------------- */

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = root_of(parent, a);
	b = root_of(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

/* --- step 1: buckets ---------------------------------------------------------------------- */

struct table {
	uint32_t *first; /* of the bucket: a document, or NONE */
	size_t slots;
};

/* The slot of the key, or the empty one where it belongs. */
static uint32_t *slot_of(
		const struct lu_join *j, const struct table *t, uint64_t key, unsigned band)
{
	size_t i = (size_t)key & (t->slots - 1);

	while (t->first[i] != NONE && lu_minhash_key(signature_of(j, t->first[i]), band) != key)
		i = (i + 1) & (t->slots - 1);
	return &t->first[i];
}

static void meet(struct lu_join *j, uint32_t centre, uint32_t doc, double verify)
{
	uint32_t last = centre;
	size_t centres = 0;
	bool edge = false;

	for (; centre != NONE; centre = j->next[centre]) {
		if (verify <= 0 || lu_join_similarity(j, centre, doc) >= verify) {
			unite(j->kept, centre, doc);
			edge = true;
			if (verify <= 0)
				return;
		}
		last = centre;
		centres++;
	}
	if (!edge && centres < LU_JOIN_CENTRES)
		j->next[last] = doc;
}

static int join_bands(struct lu_join *j, double verify, struct lu_err *err)
{
	struct table t = { NULL, 1024 };

	while (t.slots / 4 * 3 < j->docs)
		t.slots *= 2;
	t.first = malloc(t.slots * sizeof(*t.first));
	if (!t.first)
		return lu_err_nomem(err);
	for (unsigned band = 0; band < lu_minhash_bands(j->mh); band++) {
		memset(t.first, 0xff, t.slots * sizeof(*t.first));
		for (uint32_t doc = 0; doc < j->docs; doc++) {
			uint64_t key = lu_minhash_key(signature_of(j, doc), band);
			uint32_t *slot = slot_of(j, &t, key, band);

			j->next[doc] = NONE;
			if (*slot == NONE)
				*slot = doc;
			else
				meet(j, *slot, doc, verify);
		}
	}
	free(t.first);
	return 0;
}

/* --- step 3: who stays -------------------------------------------------------------------- */

/* The order of preference: by set, then longest first if so asked, then by number. qsort() gives
 * no context, so the key travels with the number. */
struct member {
	uint32_t root, doc;
	uint64_t rank;
};

static int by_preference(const void *a, const void *b)
{
	const struct member *p = a, *q = b;

	if (p->root != q->root)
		return p->root < q->root ? -1 : 1;
	if (p->rank != q->rank)
		return p->rank < q->rank ? -1 : 1;
	return p->doc < q->doc ? -1 : p->doc > q->doc;
}

/* m[0..n) is one set in order of preference. Those that stay are chained through next[]. */
static void settle(struct lu_join *j, const struct member *m, size_t n, double verify)
{
	uint32_t last = m[0].doc;

	for (size_t i = 0; i < n; i++) {
		uint32_t doc = m[i].doc, stays = m[0].doc;

		if (i > 0) {
			while (verify > 0 && stays != NONE &&
					lu_join_similarity(j, stays, doc) < verify)
				stays = j->next[stays];
		}
		if (i > 0 && stays != NONE) {
			j->kept[doc] = stays;
			j->size[stays]++;
			continue;
		}
		if (i > 0)
			j->next[last] = doc;
		j->next[doc] = NONE;
		last = doc;
		j->kept[doc] = doc;
		j->size[doc] = 1;
	}
}

static int settle_all(struct lu_join *j, const struct lu_join_how *how, struct lu_err *err)
{
	struct member *m;
	size_t n = 0;

	/* Only sets of several: most documents are alone. */
	for (uint32_t i = 0; i < j->docs; i++) {
		j->kept[i] = root_of(j->kept, i);
		j->size[j->kept[i]]++;
	}
	for (uint32_t i = 0; i < j->docs; i++)
		n += j->size[j->kept[i]] > 1;
	m = malloc((n ? n : 1) * sizeof(*m));
	if (!m)
		return lu_err_nomem(err);
	n = 0;
	for (uint32_t i = 0; i < j->docs; i++) {
		if (j->size[j->kept[i]] > 1)
			m[n++] = (struct member){ j->kept[i], i,
				how->longest ? UINT64_MAX - j->length[i] : 0 };
	}
	qsort(m, n, sizeof(*m), by_preference);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && m[k].root == m[i].root; k++)
			j->size[m[k].doc] = 0;
		settle(j, m + i, k - i, how->verify);
	}
	free(m);
	return 0;
}

int lu_join_solve(struct lu_join *j, const struct lu_join_how *how, struct lu_err *err)
{
	size_t n = j->docs ? j->docs : 1;

	j->kept = malloc(n * sizeof(*j->kept));
	j->size = calloc(n, sizeof(*j->size));
	j->next = malloc(n * sizeof(*j->next));
	if (!j->kept || !j->size || !j->next)
		return lu_err_nomem(err);
	for (uint32_t i = 0; i < j->docs; i++)
		j->kept[i] = i;
	if (join_bands(j, how->verify, err) < 0)
		return -1;
	return settle_all(j, how, err);
}

void lu_join_release(struct lu_join *j)
{
	free(j->signature);
	free(j->length);
	free(j->kept);
	free(j->size);
	free(j->next);
	*j = (struct lu_join){ 0 };
}
