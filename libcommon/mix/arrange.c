#include "libcommon/mix/arrange.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/io/sorter.h"
#include "libcommon/io/spool.h"
#include "libcommon/mix/absent.h"

__extension__ typedef unsigned __int128 u128;

/* A document as it comes: 16 bytes, and its key. */
enum { DOC_SIZE = 0, DOC_GROUP = 8, DOC_LANG = 12, DOC_BYTES = 16 };
/* In the order of the keys: group and key are the sorter's. */
enum { KEY_KEY = 4, KEY_DOC = 36, KEY_SIZE = 44, KEY_LANG = 52, KEY_BYTES = 56 };
/* In the order of a group: turn (groups in the order in which they are cut), pass and place. */
enum {
	PLACE_PASS = 4,
	PLACE_AT = 8,
	PLACE_DOC = 16,
	PLACE_SIZE = 24,
	PLACE_LANG = 32,
	PLACE_BYTES = 40
};
/* What the cut takes, in the same order. */
enum { TAKEN_DOC = 0, TAKEN_SIZE = 8, TAKEN_PASS = 16, TAKEN_BYTES = 24 };
/* In the order of the mix: a fraction of 128 bits, the group, and which of the empty groups. */
enum { MIX_GROUP = 16, MIX_EMPTY = 20, MIX_DOC = 24, MIX_PASS = 32, MIX_BYTES = 40 };

struct group {
	const char *name;
	uint64_t docs, size, zeros, longest;
	size_t turn;
	/* Of the cut: passes that may be needed, of which the last one may be needed up to this place. */
	uint64_t passes, last;
	uint64_t from, to; /* in the spool of what is taken, in bytes */
};

struct lu_arrange {
	struct lu_arrange_options o;
	struct lu_langs langs;
	struct lu_spool doc, taken;
	struct lu_sorter *place, *mix;
	uint64_t docs;
	struct LU_VEC(struct group) group;
	uint32_t *renumbered; /* by group as added; NULL: as they are */
	size_t *turn;	      /* groups in the order in which they are cut */
};

static void store32_be(unsigned char *p, uint32_t v)
{
	lu_store32(p, __builtin_bswap32(v));
}

static uint32_t load32_be(const unsigned char *p)
{
	return __builtin_bswap32(lu_load32(p));
}

static size_t doc_bytes(const struct lu_arrange *a)
{
	return a->o.by_key ? DOC_BYTES + LU_ARRANGE_KEY : DOC_BYTES;
}

static int sorter(const struct lu_arrange *a, size_t size, size_t key, struct lu_sorter **s,
		struct lu_err *err)
{
	struct lu_sorter_options o = { .size = size,
		.key = key,
		.memory = a->o.memory / 2,
		.tmpdir = a->o.tmpdir,
		.threads = a->o.threads };

	return lu_sorter_new(s, &o, err);
}

int lu_arrange_new(struct lu_arrange **out, const struct lu_arrange_options *o, struct lu_err *err)
{
	struct lu_arrange *a = calloc(1, sizeof(*a));

	*out = a;
	if (!a)
		return lu_err_nomem(err);
	a->o = *o;
	a->doc = a->taken = (struct lu_spool)LU_SPOOL_NONE;
	return lu_spool_open(&a->doc, o->tmpdir, err);
}

void lu_arrange_free(struct lu_arrange *a)
{
	if (!a)
		return;
	lu_vec_release(&a->group);
	lu_spool_close(&a->doc);
	lu_spool_close(&a->taken);
	lu_sorter_free(a->place);
	lu_sorter_free(a->mix);
	lu_langs_release(&a->langs);
	free(a->renumbered);
	free(a->turn);
	free(a);
}

struct lu_langs *lu_arrange_langs(struct lu_arrange *a)
{
	return &a->langs;
}

int lu_arrange_add(struct lu_arrange *a, uint32_t group, uint64_t size, struct lu_str lang,
		const unsigned char *key, struct lu_err *err)
{
	unsigned char doc[DOC_BYTES + LU_ARRANGE_KEY] = { 0 };
	struct group none = { 0 }, *g;
	uint32_t number;

	if (lu_langs_add(&a->langs, lang, size, &number, err) < 0)
		return -1;
	while (a->group.n <= group) {
		if (!lu_vec_push(&a->group, none))
			return lu_err_nomem(err);
	}
	g = &a->group.p[group];
	g->docs++;
	g->zeros += size == 0;
	g->longest = size > g->longest ? size : g->longest;
	if (__builtin_add_overflow(g->size, size, &g->size))
		return lu_err_set(err, "group %" PRIu32 ": too large", group);
	a->docs++;
	lu_store64(doc + DOC_SIZE, size);
	lu_store32(doc + DOC_GROUP, group);
	lu_store32(doc + DOC_LANG, number);
	if (a->o.by_key)
		memcpy(doc + DOC_BYTES, key, LU_ARRANGE_KEY);
	return lu_spool_add(&a->doc, doc, doc_bytes(a), err);
}

/* --- groups ------------------------------------------------------------------------------- */

/* Take groups without documents out of the recipe and of our own table. */
static int drop_absent(struct lu_arrange *a, struct lu_recipe *r, struct lu_err *err)
{
	size_t n = 0;

	a->renumbered = calloc(r->group.n, sizeof(*a->renumbered));
	if (!a->renumbered)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->group.n; i++)
		a->renumbered[i] = a->group.p[i].docs != 0;
	lu_recipe_drop_absent(r, a->renumbered);
	for (size_t i = 0; i < a->group.n; i++) {
		if (a->renumbered[i] != LU_RECIPE_NONE)
			a->group.p[n++] = a->group.p[i];
	}
	a->group.n = n;
	return 0;
}

int lu_arrange_plan(struct lu_arrange *a, struct lu_recipe *r, bool absent, struct lu_plan *plan,
		struct lu_err *err)
{
	struct group none = { 0 };

	while (a->group.n < r->group.n) {
		if (!lu_vec_push(&a->group, none))
			return lu_err_nomem(err);
	}
	if (absent && a->docs && drop_absent(a, r, err) < 0)
		return -1;
	plan->groups = r->group.n;
	plan->group = lu_arena_alloc(&plan->arena, plan->groups * sizeof(*plan->group));
	if (!plan->group)
		return lu_err_nomem(err);
	for (size_t i = 0; i < plan->groups; i++)
		plan->group[i] = (struct lu_plan_group){ .name = r->group.p[i].name,
			.documents = a->group.p[i].docs,
			.tokens = a->group.p[i].size };
	return lu_groups_check(plan, &a->langs, r, err);
}

/* --- places in the groups ----------------------------------------------------------------- */

/*
 * How far the cut can get in a group, whatever the groups before it leave over: they miss their quotas by
 * at most their longest documents. The last pass is needed up to a place that is found without the
 * sizes: every document but the empty ones brings it nearer by 1.
 */
static int bound_passes(struct lu_arrange *a, const struct lu_demand *d, struct lu_err *err)
{
	u128 slack = 0;
	size_t k = 0;

	a->turn = calloc(a->group.n, sizeof(*a->turn));
	if (!a->turn)
		return lu_err_nomem(err);
	for (int rest = 0; rest < 2; rest++) {
		for (size_t i = 0; i < a->group.n; i++) {
			struct group *g = &a->group.p[i];
			u128 most = (u128)d[i].quota + (rest ? slack : 0), last;

			if ((d[i].kind == LU_AMOUNT_REST) != (rest == 1))
				continue;
			g->turn = k;
			a->turn[k++] = i;
			slack += a->o.by_documents ? 1 : g->longest;
			if (most / d[i].size >= UINT32_MAX)
				return lu_err_set(err, "group %s: too many epochs", d[i].name);
			g->passes = (uint64_t)(most / d[i].size) + 1;
			last = most % d[i].size + g->zeros + 1;
			g->last = last < g->docs ? (uint64_t)last : g->docs;
			g->name = d[i].name;
		}
	}
	return 0;
}

/* Add a document to the passes in which it may be needed; `at` is its number in its group. */
static int add_places(struct lu_arrange *a, uint32_t group, uint64_t at, uint64_t doc,
		uint64_t size, uint32_t lang, struct lu_err *err)
{
	const struct group *g = &a->group.p[group];
	unsigned char record[PLACE_BYTES] = { 0 };

	store32_be(record, (uint32_t)g->turn);
	lu_store64(record + PLACE_DOC, doc);
	lu_store64(record + PLACE_SIZE, size);
	lu_store32(record + PLACE_LANG, lang);
	for (uint64_t pass = 0; pass < g->passes; pass++) {
		uint64_t place = a->o.by_key
				? at
				: lu_rand_unpermute(a->o.seed, lu_rand_stream(g->name, pass), at,
						  g->docs);

		if (pass + 1 == g->passes && place >= g->last)
			continue;
		store32_be(record + PLACE_PASS, (uint32_t)pass);
		lu_store64_be(record + PLACE_AT, place);
		if (lu_sorter_add(a->place, record, err) < 0)
			return -1;
	}
	return 0;
}

typedef int doc_fn(struct lu_arrange *a, uint64_t doc, const unsigned char *p, uint32_t group,
		void *ctx, struct lu_err *err);

/* Call fn for each document, in the order of the input. */
static int each_document(struct lu_arrange *a, doc_fn *fn, void *ctx, struct lu_err *err)
{
	size_t n = doc_bytes(a);

	if (lu_spool_rewind(&a->doc, err) < 0)
		return -1;
	for (uint64_t i = 0; i < a->docs; i++) {
		struct lu_str doc;
		uint32_t group;

		if (lu_spool_get(&a->doc, i * n, n, &doc, err) < 0)
			return -1;
		group = lu_load32(doc.p + DOC_GROUP);
		if (a->renumbered)
			group = a->renumbered[group];
		if (fn(a, i, (const unsigned char *)doc.p, group, ctx, err) < 0)
			return -1;
	}
	return 0;
}

/* ctx: by group, the documents so far. */
static int place_document(struct lu_arrange *a, uint64_t doc, const unsigned char *p,
		uint32_t group, void *ctx, struct lu_err *err)
{
	uint64_t *count = ctx;

	return add_places(a, group, count[group]++, doc, lu_load64(p + DOC_SIZE),
			lu_load32(p + DOC_LANG), err);
}

/* ctx: the sorter by key. */
static int key_document(struct lu_arrange *a, uint64_t doc, const unsigned char *p, uint32_t group,
		void *ctx, struct lu_err *err)
{
	unsigned char record[KEY_BYTES] = { 0 };
	struct lu_sorter *by_key = ctx;

	(void)a;
	store32_be(record, group);
	memcpy(record + KEY_KEY, p + DOC_BYTES, LU_ARRANGE_KEY);
	lu_store64(record + KEY_DOC, doc);
	memcpy(record + KEY_SIZE, p + DOC_SIZE, 8);
	memcpy(record + KEY_LANG, p + DOC_LANG, 4);
	return lu_sorter_add(by_key, record, err);
}

/* A curriculum: the number of a document in its group is its rank by key. */
static int place_by_key(struct lu_arrange *a, uint64_t *count, struct lu_err *err)
{
	struct lu_sorter *by_key = NULL;
	const void *record;
	int rc = sorter(a, KEY_BYTES, KEY_DOC, &by_key, err);

	if (rc == 0)
		rc = each_document(a, key_document, by_key, err);
	if (rc == 0)
		rc = lu_sorter_sort(by_key, err);
	while (rc == 0 && (rc = lu_sorter_next(by_key, &record, err)) > 0) {
		const unsigned char *p = record;
		uint32_t group = load32_be(p);

		rc = add_places(a, group, count[group]++, lu_load64(p + KEY_DOC),
				lu_load64(p + KEY_SIZE), lu_load32(p + KEY_LANG), err);
	}
	lu_sorter_free(by_key);
	return rc;
}

/* --- cutting ------------------------------------------------------------------------------ */

static int take(struct lu_arrange *a, const unsigned char *place, struct lu_err *err)
{
	unsigned char taken[TAKEN_BYTES] = { 0 };

	memcpy(taken + TAKEN_DOC, place + PLACE_DOC, 16);
	lu_store32(taken + TAKEN_PASS, load32_be(place + PLACE_PASS));
	lu_langs_count(&a->langs, lu_load32(place + PLACE_LANG), lu_load64(place + PLACE_SIZE), 1);
	return lu_spool_add(&a->taken, taken, sizeof(taken), err);
}

/* Cut the group whose turn it is; *record is its first place, and then that of the next group, NULL at
 * the end. */
static int cut_group(struct lu_arrange *a, struct lu_plan *plan, size_t turn,
		const struct lu_demand *d, lu_excess *excess, const void **record,
		struct lu_err *err)
{
	size_t i = a->turn[turn];
	struct group *g = &a->group.p[i];
	struct lu_cut c;
	bool open = true;

	lu_cut_begin(&c, &d[i], *excess);
	g->from = lu_spool_size(&a->taken);
	for (const unsigned char *p; (p = *record) != NULL && load32_be(p) == turn;) {
		uint64_t pass = load32_be(p + PLACE_PASS), size = lu_load64(p + PLACE_SIZE);
		int more;

		if (pass == c.passes)
			open = open && lu_cut_more(&c) &&
					lu_cut_take(&c, a->o.by_documents ? 1 : size, size);
		if ((pass < c.passes || (pass == c.passes && open)) && take(a, p, err) < 0)
			return -1;
		more = lu_sorter_next(a->place, record, err);
		if (more < 0)
			return -1;
		*record = more ? *record : NULL;
	}
	g->to = lu_spool_size(&a->taken);
	return lu_cut_end(&c, plan, i, &d[i], excess, err);
}

static int cut(struct lu_arrange *a, struct lu_plan *plan, const struct lu_demand *d,
		struct lu_err *err)
{
	const void *record = NULL;
	lu_excess excess = 0;
	int rc;

	plan->documents = plan->tokens = 0;
	if (lu_sorter_sort(a->place, err) < 0 || lu_spool_open(&a->taken, a->o.tmpdir, err) < 0)
		return -1;
	rc = lu_sorter_next(a->place, &record, err);
	if (rc < 0)
		return -1;
	for (size_t turn = 0; turn < a->group.n; turn++) {
		if (cut_group(a, plan, turn, d, &excess, &record, err) < 0)
			return -1;
	}
	lu_sorter_free(a->place);
	a->place = NULL;
	lu_spool_close(&a->doc);
	return lu_spool_rewind(&a->taken, err);
}

/* --- positions ---------------------------------------------------------------------------- */

/* Where a document comes: the fraction, then the group, then which of the groups that have none. */
struct position {
	u128 fraction;
	uint32_t group, empty;
};

static int add_position(struct lu_arrange *a, const struct position *at, const char *taken,
		struct lu_err *err)
{
	unsigned char record[MIX_BYTES] = { 0 };

	lu_store64_be(record, (uint64_t)(at->fraction >> 64));
	lu_store64_be(record + 8, (uint64_t)at->fraction);
	store32_be(record + MIX_GROUP, at->group);
	store32_be(record + MIX_EMPTY, at->empty);
	memcpy(record + MIX_DOC, taken + TAKEN_DOC, 8);
	memcpy(record + MIX_PASS, taken + TAKEN_PASS, 4);
	return lu_sorter_add(a->mix, record, err);
}

/* part / whole, which is at most 1, in units of 2^-127. */
static u128 fraction(uint64_t part, uint64_t whole)
{
	u128 high = ((u128)part << 63) / whole, rest = ((u128)part << 63) % whole;

	return high << 64 | (rest << 64) / whole;
}

/* The documents of a group, in its order; *end becomes the position of the last. A group all of whose
 * documents are empty has no fractions and comes where the groups before it end. */
static int add_group(struct lu_arrange *a, const struct lu_plan *plan, uint32_t i,
		struct position *end, struct lu_err *err)
{
	const struct group *g = &a->group.p[i];
	const struct lu_plan_group *p = &plan->group[i];
	uint64_t all = a->o.by_documents ? p->passes * p->documents + p->last : p->planned,
		 done = 0;
	struct position at = *end;

	at.empty = i;
	for (uint64_t from = g->from; from < g->to; from += TAKEN_BYTES) {
		struct lu_str taken;
		uint64_t step;

		if (lu_spool_get(&a->taken, from, TAKEN_BYTES, &taken, err) < 0)
			return -1;
		step = a->o.by_documents ? 1 : lu_load64(taken.p + TAKEN_SIZE);
		if (all)
			at = (struct position){ fraction(2 * done + step, 2 * all), i, 0 };
		done += step;
		if (add_position(a, &at, taken.p, err) < 0)
			return -1;
	}
	/* The groups so far end where the last of them does; positions grow within a group. */
	if (all &&
			(at.fraction > end->fraction ||
					(at.fraction == end->fraction && i > end->group)))
		*end = at;
	return 0;
}

int lu_arrange_cut(struct lu_arrange *a, struct lu_plan *plan, const struct lu_demand *d,
		struct lu_err *err)
{
	uint64_t *count = calloc(a->group.n, sizeof(*count));
	struct position end = { 0 };
	int rc = count ? bound_passes(a, d, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = sorter(a, PLACE_BYTES, PLACE_DOC, &a->place, err);
	if (rc == 0)
		rc = a->o.by_key ? place_by_key(a, count, err)
				 : each_document(a, place_document, count, err);
	free(count);
	if (rc == 0)
		rc = cut(a, plan, d, err);
	if (rc == 0)
		rc = sorter(a, MIX_BYTES, MIX_DOC, &a->mix, err);
	for (uint32_t i = 0; rc == 0 && i < a->group.n; i++)
		rc = add_group(a, plan, i, &end, err);
	if (rc == 0)
		rc = lu_sorter_sort(a->mix, err);
	lu_spool_close(&a->taken);
	return rc;
}

int lu_arrange_next(struct lu_arrange *a, struct lu_arrange_entry *e, struct lu_err *err)
{
	const void *record;
	int rc = lu_sorter_next(a->mix, &record, err);

	if (rc > 0) {
		const unsigned char *p = record;

		*e = (struct lu_arrange_entry){ lu_load64(p + MIX_DOC), lu_load32(p + MIX_PASS) };
	}
	/* Its memory is needed elsewhere. */
	if (rc == 0) {
		lu_sorter_free(a->mix);
		a->mix = NULL;
	}
	return rc;
}
