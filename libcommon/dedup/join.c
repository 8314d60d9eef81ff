#include "libcommon/dedup/join.h"

#define NONE UINT32_MAX

void lu_join_init(struct lu_join *j, const struct lu_minhash *mh)
{
	*j = (struct lu_join){ .mh = mh, .signature_size = lu_minhash_size(mh) };
}

static const unsigned char *signature_of(const struct lu_join *j, uint32_t doc)
{
	return j->signatures.p + (size_t)doc * j->signature_size;
}

int lu_join_add(struct lu_join *j, const void *signature, uint64_t length, struct lu_err *err)
{
	size_t size = j->signature_size;

	if (j->docs == NONE - 1)
		return lu_err_set(err, "more than %u documents to join", j->docs);
	if (!lu_vec_reserve(&j->signatures, size) || !lu_vec_push(&j->length, length))
		return lu_err_nomem(err);
	memcpy(j->signatures.p + j->signatures.n, signature, size);
	j->signatures.n += size;
	j->docs++;
	return 0;
}

double lu_join_similarity(const struct lu_join *j, uint32_t a, uint32_t b)
{
	return lu_minhash_similarity(j->mh, signature_of(j, a), signature_of(j, b));
}

/* --- step 2: union-find over kept[] ------------------------------------------------------- */

static uint32_t find_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = find_root(parent, a);
	b = find_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

/* --- step 1: buckets ---------------------------------------------------------------------- */

/* The buckets of one band: an open-addressing table of their first documents. Not base/map.h: an
 * array of buckets behind the table is one more cache miss a probe, and doubles the time of the
 * join (3 million documents: 3.7 s and 7.4 s). */
struct buckets {
	uint32_t *first; /* NONE: empty */
	size_t slots;	 /* a power of two */
};

/* The slot of the bucket with this key, or the empty slot where it belongs. */
static uint32_t *find_bucket(
		const struct lu_join *j, const struct buckets *b, uint64_t key, unsigned band)
{
	size_t i = (size_t)key & (b->slots - 1);

	while (b->first[i] != NONE && lu_minhash_key(signature_of(j, b->first[i]), band) != key)
		i = (i + 1) & (b->slots - 1);
	return &b->first[i];
}

/* Compare a document with the centres of its bucket, chained from `centre` through next[]. */
static void compare(struct lu_join *j, uint32_t centre, uint32_t doc, double verify)
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
	struct buckets b = { NULL, 1024 };

	while (b.slots / 4 * 3 < j->docs)
		b.slots *= 2;
	b.first = malloc(b.slots * sizeof(*b.first));
	if (!b.first)
		return lu_err_nomem(err);
	for (unsigned band = 0; band < lu_minhash_bands(j->mh); band++) {
		memset(b.first, 0xff, b.slots * sizeof(*b.first));
		for (uint32_t doc = 0; doc < j->docs; doc++) {
			uint64_t key = lu_minhash_key(signature_of(j, doc), band);
			uint32_t *bucket = find_bucket(j, &b, key, band);

			j->next[doc] = NONE;
			if (*bucket == NONE)
				*bucket = doc;
			else
				compare(j, *bucket, doc, verify);
		}
	}
	free(b.first);
	return 0;
}

/* --- step 3: what is kept ----------------------------------------------------------------- */

/* A document in a set of two or more. qsort() passes no context, so its rank travels with it. */
struct member {
	uint32_t root, doc;
	uint64_t rank;
};

/* By set, then in order of preference. */
static int by_preference(const void *a, const void *b)
{
	const struct member *p = a, *q = b;

	if (p->root != q->root)
		return p->root < q->root ? -1 : 1;
	if (p->rank != q->rank)
		return p->rank < q->rank ? -1 : 1;
	return p->doc < q->doc ? -1 : p->doc > q->doc;
}

/* Reduce m[0..n), one set in order of preference. Kept documents are chained through next[]. */
static void reduce_set(struct lu_join *j, const struct member *m, size_t n, double verify)
{
	uint32_t last = m[0].doc;

	for (size_t i = 0; i < n; i++) {
		uint32_t doc = m[i].doc, kept = i > 0 ? m[0].doc : NONE;

		while (kept != NONE && verify > 0 && lu_join_similarity(j, kept, doc) < verify)
			kept = j->next[kept];
		if (kept != NONE) {
			j->kept[doc] = kept;
			j->cluster_size[kept]++;
			continue;
		}
		if (i > 0)
			j->next[last] = doc;
		j->next[doc] = NONE;
		last = doc;
		j->kept[doc] = doc;
		j->cluster_size[doc] = 1;
	}
}

static int reduce_sets(struct lu_join *j, const struct lu_join_options *o, struct lu_err *err)
{
	struct member *m;
	size_t n = 0;

	for (uint32_t i = 0; i < j->docs; i++) {
		j->kept[i] = find_root(j->kept, i);
		j->cluster_size[j->kept[i]]++;
	}
	/* Only the members of larger sets are sorted: most documents are alone. */
	for (uint32_t i = 0; i < j->docs; i++)
		n += j->cluster_size[j->kept[i]] > 1;
	m = malloc((n ? n : 1) * sizeof(*m));
	if (!m)
		return lu_err_nomem(err);
	n = 0;
	for (uint32_t i = 0; i < j->docs; i++) {
		if (j->cluster_size[j->kept[i]] > 1)
			m[n++] = (struct member){ j->kept[i], i,
				o->longest ? UINT64_MAX - j->length.p[i] : 0 };
	}
	qsort(m, n, sizeof(*m), by_preference);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && m[end].root == m[i].root; end++)
			j->cluster_size[m[end].doc] = 0;
		reduce_set(j, m + i, end - i, o->verify);
	}
	free(m);
	return 0;
}

int lu_join_run(struct lu_join *j, const struct lu_join_options *o, struct lu_err *err)
{
	size_t n = j->docs ? j->docs : 1;

	j->kept = malloc(n * sizeof(*j->kept));
	j->cluster_size = calloc(n, sizeof(*j->cluster_size));
	j->next = malloc(n * sizeof(*j->next));
	if (!j->kept || !j->cluster_size || !j->next)
		return lu_err_nomem(err);
	for (uint32_t i = 0; i < j->docs; i++)
		j->kept[i] = i;
	if (join_bands(j, o->verify, err) < 0)
		return -1;
	return reduce_sets(j, o, err);
}

void lu_join_release(struct lu_join *j)
{
	lu_vec_release(&j->signatures);
	lu_vec_release(&j->length);
	free(j->kept);
	free(j->cluster_size);
	free(j->next);
	*j = (struct lu_join){ 0 };
}
