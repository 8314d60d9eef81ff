#include "trainer/comm/collective.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "trainer/comm/comm_private.h"
#include "trainer/comm/tree_sum.h"

#define WORK ((size_t)16 << 20)	     /* bytes of work space of a group */
#define SLICE_MIN ((size_t)16 << 10) /* bytes of a slice, unless the part is smaller */
#define SLICE_MAX ((size_t)256 << 10)
#define PART_MIN ((size_t)8 << 10)    /* bytes of a part of all_reduce */
#define SCATTER_MIN ((size_t)1 << 20) /* bytes from which a broadcast scatters */

struct run {
	struct lt_group *g;
	char *x;
	const size_t *bound;
	enum lt_sum_type type;
	size_t size; /* bytes of an element */
	atomic_size_t *waits_for;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum lt_sum_type sum_type(const struct lt_comm *c, enum lt_element type)
{
	switch (type) {
	case LT_REALS: return sizeof(lk_real) == sizeof(double) ? LT_SUM_F64 : LT_SUM_F32;
	case LT_DOUBLES: return LT_SUM_F64;
	case LT_BYTES: return LT_SUM_BYTES;
	case LT_ACTS: break;
	}
	switch (c->ops->act) {
	case LK_BF16: return LT_SUM_BF16;
	case LK_F64: return LT_SUM_F64;
	default: return LT_SUM_F32;
	}
}

static int exchange(const struct run *r, size_t n, struct lu_err *err)
{
	struct lt_group *g = r->g;

	return g->comm->transport->exchange(
			g, LT_PLANE_COLLECTIVE, g->transfers, n, NULL, NULL, r->waits_for, err);
}

static struct lt_transfer outgoing(size_t peer, const char *from, size_t bytes)
{
	return (struct lt_transfer){ .peer = peer, .bytes = bytes, .from = from };
}

static struct lt_transfer incoming(size_t peer, char *to, size_t bytes)
{
	return (struct lt_transfer){ .peer = peer, .bytes = bytes, .to = to };
}

/* Bytes of a part that are summed at once, in a group of `size` members. */
static size_t slice_bytes(size_t size)
{
	size_t bytes = least(WORK / (size - 1), SLICE_MAX);

	return bytes < SLICE_MIN ? SLICE_MIN : bytes;
}

uint64_t lt_group_bytes(size_t size, uint64_t bytes)
{
	uint64_t part = bytes / size, slice = size > 1 ? slice_bytes(size) : 0;

	return (part < slice ? part : slice) * (size - 1);
}

/* Bytes that two members exchange before they are added, and of all versions of a small sum: those of
 * nccl_sums.c. */
uint64_t lt_group_device_bytes(size_t size, uint64_t bytes, enum lt_equality equality)
{
	uint64_t most = bytes < LT_GPU_SLICE ? bytes : LT_GPU_SLICE;

	if (size == 1 || equality != LT_EQUAL_LAYOUT)
		return 0;
	return most > LT_GPU_GATHER ? most : LT_GPU_GATHER;
}

static int reserve(struct lt_group *g, size_t bytes, struct lu_err *err)
{
	if (bytes <= g->work_bytes)
		return 0;
	free(g->work);
	g->work_bytes = 0;
	g->work = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (!g->work)
		return lu_err_nomem(err);
	g->work_bytes = bytes;
	return 0;
}

/* The sum of one's own part, slice by slice. */
struct summing {
	const struct run *r;
	size_t at, slice, part; /* elements: of the next slice, of a slice, of the part */
};

static void add_slice(void *ctx)
{
	struct summing *s = ctx;
	const struct run *r = s->r;
	struct lt_group *g = r->g;
	char *mine = r->x + (r->bound[g->rank] + s->at) * r->size;
	size_t n = least(s->slice, s->part - s->at);

	g->member[g->rank] = mine;
	lt_tree_sum(mine, g->member, g->size, n, r->type);
	s->at += n;
}

static int reduce_scatter(const struct run *r, struct lu_err *err)
{
	struct lt_group *g = r->g;
	size_t bytes = slice_bytes(g->size), own, stride, n = 0;
	struct summing s = { .r = r, .part = r->bound[g->rank + 1] - r->bound[g->rank] };

	s.slice = bytes / r->size;
	own = s.part * r->size;
	stride = (least(bytes, own) + 63) & ~(size_t)63;
	if (reserve(g, stride * (g->size - 1), err) < 0)
		return -1;
	for (size_t m = 0, k = 0; m < g->size; m++) {
		size_t theirs = (r->bound[m + 1] - r->bound[m]) * r->size;

		if (m == g->rank)
			continue;
		if (theirs)
			g->transfers[n++] = outgoing(m, r->x + r->bound[m] * r->size, theirs);
		g->member[m] = g->work + k++ * stride;
		if (own)
			g->transfers[n++] = incoming(m, g->member[m], own);
	}
	for (size_t i = 0; i < n; i++)
		g->transfers[i].window = s.slice * r->size;
	return g->comm->transport->exchange(
			g, LT_PLANE_COLLECTIVE, g->transfers, n, add_slice, &s, r->waits_for, err);
}

static int all_gather(const struct run *r, struct lu_err *err)
{
	const struct lt_group *g = r->g;
	size_t n = 0;

	for (size_t m = 0; m < g->size; m++) {
		size_t theirs = (r->bound[m + 1] - r->bound[m]) * r->size,
		       own = (r->bound[g->rank + 1] - r->bound[g->rank]) * r->size;

		if (m != g->rank && own)
			g->transfers[n++] = outgoing(m, r->x + r->bound[g->rank] * r->size, own);
		if (m != g->rank && theirs)
			g->transfers[n++] = incoming(m, r->x + r->bound[m] * r->size, theirs);
	}
	return exchange(r, n, err);
}

/* Equal parts of n elements, none smaller than PART_MIN bytes but the last. */
static void cut(struct run *r, size_t n)
{
	struct lt_group *g = r->g;
	size_t part = n / g->size + (n % g->size != 0);

	if (part < PART_MIN / r->size)
		part = PART_MIN / r->size;
	g->bound[0] = 0;
	for (size_t m = 0; m < g->size; m++)
		g->bound[m + 1] = g->bound[m] + least(part, n - g->bound[m]);
	r->bound = g->bound;
}

static int broadcast(struct run *r, size_t root, size_t n, struct lu_err *err)
{
	struct lt_group *g = r->g;
	bool scatter = g->size > 2 && n * r->size >= SCATTER_MIN;
	size_t transfers = 0;

	cut(r, n);
	for (size_t m = 0; m < g->size; m++) {
		size_t from = scatter ? g->bound[m] : 0, to = scatter ? g->bound[m + 1] : n;
		char *p = r->x + from * r->size;

		if (m == root || to == from)
			continue;
		if (g->rank == root)
			g->transfers[transfers++] = outgoing(m, p, (to - from) * r->size);
		else if (g->rank == m)
			g->transfers[transfers++] = incoming(root, p, (to - from) * r->size);
	}
	if (exchange(r, transfers, err) < 0)
		return -1;
	return scatter ? all_gather(r, err) : 0;
}

/* A message to or from one member. */
static int direct(const struct run *r, const struct lt_call *call, struct lu_err *err)
{
	struct lt_transfer t = call->what == LT_OP_SEND
			? outgoing(call->peer, call->from, call->n * r->size)
			: incoming(call->peer, call->x, call->n * r->size);

	return r->g->comm->transport->exchange(
			r->g, LT_PLANE_DIRECT, &t, call->n > 0, NULL, NULL, r->waits_for, err);
}

int lt_collective_run(const struct lt_call *call, atomic_size_t *waits_for, struct lu_err *err)
{
	struct lt_group *g = call->group;
	struct run r = { .g = g,
		.x = call->x,
		.bound = call->bound,
		.type = sum_type(g->comm, call->type),
		.waits_for = waits_for };

	r.size = lt_sum_size(r.type);
	switch (call->what) {
	case LT_OP_ALL_REDUCE:
		cut(&r, call->n);
		return reduce_scatter(&r, err) < 0 ? -1 : all_gather(&r, err);
	case LT_OP_REDUCE_SCATTER: return reduce_scatter(&r, err);
	case LT_OP_ALL_GATHER: return all_gather(&r, err);
	case LT_OP_BROADCAST: return broadcast(&r, call->peer, call->n, err);
	case LT_OP_SEND:
	case LT_OP_RECV: return direct(&r, call, err);
	}
	return lu_err_set(err, "communication: no operation %d", (int)call->what);
}
