#include "libcommon/schema/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"

#define NONE UINT32_MAX
#define UNKNOWN (UINT32_MAX - 1)

/* low > high: nothing is read. */
struct edge {
	uint32_t to, next; /* next: of the same state, or NONE */
	unsigned char low, high;
};

/* A read state: the built states it stands for, ascending. */
struct set {
	size_t at; /* in `members` */
	uint32_t n;
	bool complete;
};

struct lu_automaton {
	struct LU_VEC(uint32_t) first; /* edge of each built state, or NONE */
	struct LU_VEC(struct edge) edge;
	bool no_memory, too_large;
	uint32_t end;
	unsigned classes;
	unsigned char class_of[256], byte_of[256]; /* byte_of: one byte of each class */
	struct LU_VEC(struct set) set;
	struct LU_VEC(uint32_t) members;
	struct LU_VEC(uint32_t) next; /* [set][class]; NONE, UNKNOWN */
	struct lu_map by_members;
	struct LU_VEC(uint32_t) work, found; /* of one step */
	uint32_t *mark;			     /* by built state: number of the step that met it */
	uint32_t step;
};

int lu_automaton_new(struct lu_automaton **a, struct lu_err *err)
{
	*a = calloc(1, sizeof(**a));
	return *a ? 0 : lu_err_nomem(err);
}

void lu_automaton_free(struct lu_automaton *a)
{
	if (!a)
		return;
	lu_vec_release(&a->first);
	lu_vec_release(&a->edge);
	lu_vec_release(&a->set);
	lu_vec_release(&a->members);
	lu_vec_release(&a->next);
	lu_map_release(&a->by_members);
	lu_vec_release(&a->work);
	lu_vec_release(&a->found);
	free(a->mark);
	free(a);
}

/* --- building ---------------------------------------------------------------------------------- */

bool lu_automaton_failed(const struct lu_automaton *a)
{
	return a->no_memory || a->too_large;
}

uint32_t lu_automaton_state(struct lu_automaton *a)
{
	if (a->first.n >= LU_AUTOMATON_STATES)
		a->too_large = true;
	if (lu_automaton_failed(a))
		return 0;
	if (!lu_vec_push(&a->first, NONE)) {
		a->no_memory = true;
		return 0;
	}
	return (uint32_t)(a->first.n - 1);
}

static void add_edge(struct lu_automaton *a, uint32_t from, struct edge e)
{
	if (a->edge.n >= LU_AUTOMATON_EDGES)
		a->too_large = true;
	if (lu_automaton_failed(a))
		return;
	e.next = a->first.p[from];
	if (!lu_vec_push(&a->edge, e))
		a->no_memory = true;
	else
		a->first.p[from] = (uint32_t)(a->edge.n - 1);
}

void lu_automaton_edge(struct lu_automaton *a, uint32_t from, unsigned char low, unsigned char high,
		uint32_t to)
{
	add_edge(a, from, (struct edge){ .to = to, .low = low, .high = high });
}

void lu_automaton_empty(struct lu_automaton *a, uint32_t from, uint32_t to)
{
	add_edge(a, from, (struct edge){ .to = to, .low = 1, .high = 0 });
}

/* Number the classes of bytes that every edge treats alike. */
static void make_classes(struct lu_automaton *a)
{
	bool begins[257] = { true };

	for (size_t i = 0; i < a->edge.n; i++) {
		const struct edge *e = &a->edge.p[i];

		if (e->low <= e->high)
			begins[e->low] = begins[e->high + 1] = true;
	}
	for (size_t b = 0; b < 256; b++) {
		if (begins[b])
			a->byte_of[a->classes++] = (unsigned char)b;
		a->class_of[b] = (unsigned char)(a->classes - 1);
	}
}

/* --- reading ----------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool meet(struct lu_automaton *a, uint32_t state)
{
	if (a->mark[state] == a->step)
		return true;
	a->mark[state] = a->step;
	return lu_vec_push(&a->work, state);
}

/* Collect in `found`, ascending, the states of `work` and those that nothing leads to from them, as far
 * as they read something or are the end. */
static bool close_set(struct lu_automaton *a)
{
	a->found.n = 0;
	while (a->work.n) {
		uint32_t s = a->work.p[--a->work.n];
		bool reads = s == a->end;

		for (uint32_t i = a->first.p[s]; i != NONE; i = a->edge.p[i].next) {
			const struct edge *e = &a->edge.p[i];

			if (e->low <= e->high)
				reads = true;
			else if (!meet(a, e->to))
				return false;
		}
		if (reads && !lu_vec_push(&a->found, s))
			return false;
	}
	if (a->found.n)
		qsort(a->found.p, a->found.n, sizeof(*a->found.p), ascending);
	return true;
}

static uint64_t members_hash(const void *ctx, uint32_t i)
{
	const struct lu_automaton *a = ctx;

	return lu_hash64(a->members.p + a->set.p[i].at, a->set.p[i].n * sizeof(uint32_t), 0);
}

static bool members_are(const void *ctx, uint32_t i, const void *key)
{
	const struct lu_automaton *a = ctx;

	(void)key;
	return a->set.p[i].n == a->found.n &&
			memcmp(a->members.p + a->set.p[i].at, a->found.p,
					a->found.n * sizeof(uint32_t)) == 0;
}

/* The read state for `found`. -1 when memory is out or there are too many. */
static int read_state(struct lu_automaton *a, uint32_t *out, struct lu_err *err)
{
	uint64_t hash = lu_hash64(a->found.p, a->found.n * sizeof(uint32_t), 0);
	struct set set = { .at = a->members.n, .n = (uint32_t)a->found.n };

	*out = lu_map_find(&a->by_members, hash, a, members_are, NULL);
	if (*out != LU_MAP_NONE)
		return 0;
	if (a->set.n >= LU_AUTOMATON_READ)
		return lu_err_set(err, "the schema needs more than %zu states", LU_AUTOMATON_READ);
	for (size_t i = 0; i < a->found.n; i++)
		set.complete |= a->found.p[i] == a->end;
	if (!lu_map_reserve(&a->by_members, a, members_hash) ||
			!lu_vec_reserve(&a->members, a->found.n) ||
			!lu_vec_reserve(&a->next, a->classes) || !lu_vec_push(&a->set, set))
		return lu_err_nomem(err);
	memcpy(a->members.p + a->members.n, a->found.p, a->found.n * sizeof(uint32_t));
	a->members.n += a->found.n;
	for (unsigned c = 0; c < a->classes; c++)
		a->next.p[a->next.n++] = UNKNOWN;
	*out = lu_map_add(&a->by_members, hash);
	return 0;
}

static void begin_step(struct lu_automaton *a)
{
	a->work.n = 0;
	if (++a->step == 0) {
		memset(a->mark, 0, a->first.n * sizeof(*a->mark));
		a->step = 1;
	}
}

int lu_automaton_finish(struct lu_automaton *a, uint32_t start, uint32_t end, struct lu_err *err)
{
	uint32_t first;

	if (a->too_large)
		return lu_err_set(err,
				"unrolled, the schema has more than %zu states or %zu edges: lower "
				"maxLength, minLength, maxItems or minItems",
				LU_AUTOMATON_STATES, LU_AUTOMATON_EDGES);
	if (a->no_memory)
		return lu_err_nomem(err);
	a->end = end;
	a->mark = calloc(a->first.n, sizeof(*a->mark));
	if (!a->mark)
		return lu_err_nomem(err);
	make_classes(a);
	begin_step(a);
	if (!meet(a, start) || !close_set(a))
		return lu_err_nomem(err);
	return read_state(a, &first, err);
}

/* Compute where a byte leads. */
static int compute(struct lu_automaton *a, uint32_t state, unsigned char byte, uint32_t *next,
		struct lu_err *err)
{
	struct set from = a->set.p[state];

	begin_step(a);
	for (size_t k = 0; k < from.n; k++) {
		uint32_t s = a->members.p[from.at + k];

		for (uint32_t i = a->first.p[s]; i != NONE; i = a->edge.p[i].next) {
			const struct edge *e = &a->edge.p[i];

			if (byte >= e->low && byte <= e->high && !meet(a, e->to))
				return lu_err_nomem(err);
		}
	}
	*next = NONE;
	if (a->work.n == 0)
		return 0;
	return close_set(a) ? read_state(a, next, err) : lu_err_nomem(err);
}

int lu_automaton_next(struct lu_automaton *a, uint32_t state, unsigned char byte, uint32_t *next,
		struct lu_err *err)
{
	size_t at = (size_t)state * a->classes + a->class_of[byte];
	uint32_t to = a->next.p[at];

	if (to == UNKNOWN) {
		if (compute(a, state, a->byte_of[a->class_of[byte]], &to, err) < 0)
			return -1;
		a->next.p[at] = to;
	}
	if (to == NONE)
		return 0;
	*next = to;
	return 1;
}

bool lu_automaton_complete(const struct lu_automaton *a, uint32_t state)
{
	return a->set.p[state].complete;
}

int lu_automaton_closed(struct lu_automaton *a, uint32_t state, struct lu_err *err)
{
	for (unsigned c = 0; c < a->classes; c++) {
		uint32_t next;
		int rc = lu_automaton_next(a, state, a->byte_of[c], &next, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return 1;
}
