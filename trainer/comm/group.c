#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "trainer/comm/collective.h"
#include "trainer/comm/comm_private.h"
#include "trainer/comm/wire.h"

#define PUBLISH 0.5 /* seconds after which the others learn for whom this rank waits */

static void release(struct lt_group *g)
{
	if (!g)
		return;
	lt_worker_free(g->collective);
	for (size_t i = 0; g->direct && i < 2 * g->size; i++)
		lt_worker_free(g->direct[i]);
	if (g->gpu)
		g->comm->gpu->unlink(g);
	else if (g->link)
		g->comm->transport->unlink(g);
	free(g->direct);
	free(g->transfers);
	free(g->member);
	free(g->bound);
	free(g->work);
	free(g->number);
	free(g->ranks);
	free(g);
}

static bool is_busy(struct lt_group *g)
{
	if (g->collective && !lt_worker_idle(g->collective))
		return true;
	for (size_t i = 0; i < 2 * g->size; i++) {
		if (g->direct[i] && !lt_worker_idle(g->direct[i]))
			return true;
	}
	return false;
}

void lt_groups_settle(struct lt_comm *c)
{
	/* What an operation under way waits for may never come. */
	for (struct lt_group *g = c->groups; g && c->agreed; g = g->next) {
		if (is_busy(g))
			lt_control_cancel(c->control);
	}
	for (struct lt_group *g = c->groups; g; g = g->next) {
		if (g->collective)
			lt_worker_settle(g->collective);
		for (size_t i = 0; i < 2 * g->size; i++) {
			if (g->direct[i])
				lt_worker_settle(g->direct[i]);
		}
	}
}

void lt_groups_release(struct lt_comm *c)
{
	lt_groups_settle(c);
	while (c->groups) {
		struct lt_group *g = c->groups;

		c->groups = g->next;
		release(g);
	}
}

/* Arrays of one element a member. */
static int allocate(struct lt_group *g, const size_t *ranks, struct lu_err *err)
{
	size_t n = g->size;

	g->ranks = calloc(n, sizeof(*g->ranks));
	g->number = calloc(n, sizeof(*g->number));
	g->direct = calloc(2 * n, sizeof(*g->direct));
	g->transfers = calloc(2 * n, sizeof(*g->transfers));
	g->member = calloc(n, sizeof(*g->member));
	g->bound = calloc(n + 1, sizeof(*g->bound));
	if (!g->ranks || !g->number || !g->direct || !g->transfers || !g->member || !g->bound)
		return lu_err_nomem(err);
	memcpy(g->ranks, ranks, n * sizeof(*ranks));
	return 0;
}

int lt_comm_group(struct lt_comm *c, const size_t *ranks, size_t n, const char *name,
		struct lt_group **out, struct lu_err *err)
{
	struct lt_group *g;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		LU_ASSERT(ranks[i] < c->size);
		found += ranks[i] == c->rank;
		for (size_t k = 0; k < i; k++)
			LU_ASSERT(ranks[k] != ranks[i]);
	}
	LU_ASSERT(found == 1);
	g = calloc(1, sizeof(*g));
	if (!g)
		return lu_err_nomem(err);
	g->comm = c;
	g->size = n;
	snprintf(g->name, sizeof(g->name), "%s", name);
	if (allocate(g, ranks, err) < 0)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		if (ranks[i] == c->rank)
			g->rank = i;
		else
			g->number[i] = c->shared[ranks[i]]++;
	}
	if (n > 1 && (c->gpu ? c->gpu->link(g, err) : c->transport->link(g, err)) < 0)
		goto fail;
	g->next = c->groups;
	c->groups = g;
	*out = g;
	return 0;
fail:
	release(g);
	return -1;
}

size_t lt_group_rank(const struct lt_group *g)
{
	return g->rank;
}

size_t lt_group_size(const struct lt_group *g)
{
	return g->size;
}

int lt_group_ring(struct lt_group *g, struct lu_err *err)
{
	return g->size > 1 && g->comm->gpu ? g->comm->gpu->ring(g, err) : 0;
}

/* ---- operations -------------------------------------------------------------------------- */

/* The host waits for the operation, and the others learn for whom. */
static int wait_done(struct lt_comm *c, struct lt_pending *p, struct lu_err *err)
{
	double start = lt_now();
	int rc = 0;

	while (!lt_worker_wait(p, PUBLISH, &rc, err))
		lt_control_waits_for(c->control, atomic_load(&p->waits_for));
	lt_control_waits_for(c->control, LT_CONTROL_NOBODY);
	c->waited += lt_now() - start;
	return rc;
}

/* Bytes of memory that an operation needs for itself: its bounds, or a copy of what is sent. */
static size_t owned_bytes(const struct lt_call *call, bool copy)
{
	if (call->bound)
		return (call->group->size + 1) * sizeof(*call->bound);
	return copy ? call->n * lt_element_size(call->group->comm, call->type) : 0;
}

static struct lt_pending *new_pending(const struct lt_call *call, bool copy, struct lu_err *err)
{
	struct lt_pending *p = calloc(1, sizeof(*p));
	size_t bytes = owned_bytes(call, copy);

	if (p && bytes)
		p->owned = malloc(bytes);
	if (!p || (bytes && !p->owned)) {
		free(p);
		lu_err_nomem(err);
		return NULL;
	}
	p->call = *call;
	atomic_init(&p->waits_for, LT_CONTROL_NOBODY);
	if (call->bound) {
		memcpy(p->owned, call->bound, bytes);
		p->call.bound = p->owned;
	} else if (bytes) {
		memcpy(p->owned, call->from, bytes);
		p->call.from = p->owned;
	}
	return p;
}

/* Run the operation in this thread. */
static int run_here(struct lt_comm *c, const struct lt_call *call, struct lu_err *err)
{
	double start = lt_now();
	int rc = lt_collective_run(call, NULL, err);

	c->waited += lt_now() - start;
	return rc;
}

/*
 * Run the operation, in this thread if the caller waits for it anyway and nothing is before it.
 * A send that nobody waits for has a copy of its data, as the receiver may not be there yet.
 */
static int submit(const struct lt_call *call, struct lk_queue *q, struct lt_worker **worker,
		struct lt_pending **pending, struct lu_err *err)
{
	struct lt_comm *c = call->group->comm;
	bool detached = call->what == LT_OP_SEND && !pending;
	struct lt_pending *p;

	if (pending)
		*pending = NULL;
	if (call->group->size == 1)
		return 0;
	if (c->gpu)
		return c->gpu->start(call, q, pending, err);
	if (q && c->ops->sync(q) < 0)
		return lu_err_set(err, "%s", c->ops->message(q));
	if (lt_control_failed(c->control, err) < 0)
		return -1;
	if (!pending && !detached && (!*worker || lt_worker_idle(*worker)))
		return run_here(c, call, err);
	if (!*worker && lt_worker_new(worker, err) < 0)
		return -1;
	p = new_pending(call, detached, err);
	if (!p)
		return -1;
	p->detached = detached;
	lt_worker_push(*worker, p);
	if (pending)
		*pending = p;
	return pending || detached ? 0 : wait_done(c, p, err);
}

static void check_bounds(const struct lt_group *g, const size_t *bound)
{
	for (size_t m = 0; m < g->size; m++)
		LU_ASSERT(bound[m] <= bound[m + 1]);
}

/* Sizes in bytes are below SIZE_MAX, as the memory is there. */
static void check_size(const struct lt_group *g, size_t n, enum lt_element type)
{
	size_t bytes;

	LU_ASSERT(g->size == 1 || lu_mul_size(n, lt_element_size(g->comm, type), &bytes));
}

int lt_all_reduce(struct lt_group *g, struct lk_queue *q, void *x, size_t n, enum lt_element type,
		struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_ALL_REDUCE, .group = g, .x = x, .n = n, .type = type };

	check_size(g, n, type);
	return submit(&call, q, &g->collective, pending, err);
}

int lt_reduce_scatter(struct lt_group *g, struct lk_queue *q, void *x, const size_t *bound,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_REDUCE_SCATTER, .group = g, .x = x, .bound = bound,
		.type = type };

	check_bounds(g, bound);
	check_size(g, bound[g->size], type);
	return submit(&call, q, &g->collective, pending, err);
}

int lt_all_gather(struct lt_group *g, struct lk_queue *q, void *x, const size_t *bound,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_ALL_GATHER, .group = g, .x = x, .bound = bound,
		.type = type };

	check_bounds(g, bound);
	check_size(g, bound[g->size], type);
	return submit(&call, q, &g->collective, pending, err);
}

int lt_broadcast(struct lt_group *g, struct lk_queue *q, size_t root, void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_BROADCAST, .group = g, .x = x, .n = n, .peer = root,
		.type = type };

	LU_ASSERT(root < g->size);
	check_size(g, n, type);
	return submit(&call, q, &g->collective, pending, err);
}

int lt_send(struct lt_group *g, struct lk_queue *q, size_t to, const void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_SEND, .group = g, .from = x, .n = n, .peer = to,
		.type = type };

	LU_ASSERT(to < g->size && to != g->rank);
	check_size(g, n, type);
	return submit(&call, q, &g->direct[to], pending, err);
}

int lt_recv(struct lt_group *g, struct lk_queue *q, size_t from, void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err)
{
	struct lt_call call = { LT_OP_RECV, .group = g, .x = x, .n = n, .peer = from,
		.type = type };

	LU_ASSERT(from < g->size && from != g->rank);
	check_size(g, n, type);
	return submit(&call, q, &g->direct[g->size + from], pending, err);
}

int lt_comm_wait(struct lt_comm *c, struct lk_queue *q, struct lt_pending **pending,
		struct lu_err *err)
{
	struct lt_pending *p = *pending;

	*pending = NULL;
	if (p && c->gpu)
		return c->gpu->wait(c, p, q, err);
	/* Memory of the host: what the queue does later begins after this call anyway. */
	return p ? wait_done(c, p, err) : 0;
}

double lt_comm_waited(const struct lt_comm *c)
{
	return c->gpu ? c->gpu->waited(c) : c->waited;
}
