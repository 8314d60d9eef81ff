#include "trainer/comm/comm_nccl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trainer/comm/comm_tcp.h"
#include "trainer/comm/nccl_link.h"
#include "trainer/comm/nccl_sums.h"
#include "trainer/comm/nccl_watch.h"

/* The links of a group. Messages go between neighbours of the ring alone. */
struct links {
	struct lt_link all; /* collectives */
	struct lt_link to_next, from_next, to_before, from_before;
	bool ring;
};

static struct lt_nccl *state_of(const struct lt_group *g)
{
	return g->comm->gpu_carrier;
}

/* ---- groups ------------------------------------------------------------------------------ */

/* Run an exchange of host memory, over the connections that the control plane lets in. */
static int exchange(struct lt_group *g, struct lt_transfer *t, size_t n, struct lu_err *err)
{
	return lt_tcp_transport.exchange(g, LT_PLANE_COLLECTIVE, t, n, NULL, NULL, NULL, err);
}

/* The id of member 0 to all. */
static int share_id(struct lt_group *g, unsigned char id[LT_NCCL_ID], struct lu_err *err)
{
	size_t n = 0;

	if (g->rank != 0) {
		g->transfers[n++] = (struct lt_transfer){
			.peer = 0, .bytes = LT_NCCL_ID, .to = (char *)id
		};
		return exchange(g, g->transfers, n, err);
	}
	if (lt_link_id(state_of(g), id, err) < 0)
		return -1;
	for (size_t m = 1; m < g->size; m++)
		g->transfers[n++] = (struct lt_transfer){
			.peer = m, .bytes = LT_NCCL_ID, .from = (const char *)id
		};
	return exchange(g, g->transfers, n, err);
}

static int link_group(struct lt_group *g, struct lu_err *err)
{
	struct links *l = calloc(1, sizeof(*l));
	unsigned char id[LT_NCCL_ID];

	if (!l)
		return lu_err_nomem(err);
	g->gpu = l;
	if (lt_tcp_transport.link(g, err) < 0 || share_id(g, id, err) < 0)
		return -1;
	if (lt_link_open(&l->all, state_of(g), g->name, g->size, g->rank, id, err) < 0)
		return -1;
	return lt_link_connected(&l->all, err);
}

static void unlink_group(struct lt_group *g)
{
	struct links *l = g->gpu;

	/* All are told before one is waited for: the others may end them in another order. */
	lt_link_finish(&l->to_next);
	lt_link_finish(&l->from_next);
	lt_link_finish(&l->to_before);
	lt_link_finish(&l->from_before);
	lt_link_finish(&l->all);
	lt_link_close(&l->to_next);
	lt_link_close(&l->from_next);
	lt_link_close(&l->to_before);
	lt_link_close(&l->from_before);
	lt_link_close(&l->all);
	if (g->link)
		lt_tcp_transport.unlink(g);
	g->link = NULL;
	free(l);
}

/* Make two ids for the link to the next member and hand them over, and take those of the link to the
 * one before. Two members have one link. */
static int share_ring_ids(struct lt_group *g, unsigned char next[2][LT_NCCL_ID],
		unsigned char before[2][LT_NCCL_ID], struct lu_err *err)
{
	size_t n = 0;

	if (g->size > 2 || g->rank == 0) {
		if (lt_link_id(state_of(g), next[0], err) < 0 ||
				lt_link_id(state_of(g), next[1], err) < 0)
			return -1;
		g->transfers[n++] = (struct lt_transfer){ .peer = (g->rank + 1) % g->size,
			.bytes = sizeof(next[0]) * 2,
			.from = (const char *)next };
	}
	if (g->size > 2 || g->rank == 1)
		g->transfers[n++] = (struct lt_transfer){ .peer = (g->rank + g->size - 1) % g->size,
			.bytes = sizeof(before[0]) * 2,
			.to = (char *)before };
	return exchange(g, g->transfers, n, err);
}

/* The sender of a link is its member 0. */
static int open_ring(struct lt_group *g, struct lu_err *err)
{
	struct lt_nccl *s = state_of(g);
	struct links *l = g->gpu;
	unsigned char next[2][LT_NCCL_ID], before[2][LT_NCCL_ID];
	bool forth = g->size > 2 || g->rank == 0, back = g->size > 2 || g->rank == 1;

	if (share_ring_ids(g, next, before, err) < 0)
		return -1;
	if (forth &&
			(lt_link_open(&l->to_next, s, g->name, 2, 0, next[0], err) < 0 ||
					lt_link_open(&l->from_next, s, g->name, 2, 1, next[1],
							err) < 0))
		return -1;
	if (back &&
			(lt_link_open(&l->from_before, s, g->name, 2, 1, before[0], err) < 0 ||
					lt_link_open(&l->to_before, s, g->name, 2, 0, before[1],
							err) < 0))
		return -1;
	if (forth &&
			(lt_link_connected(&l->to_next, err) < 0 ||
					lt_link_connected(&l->from_next, err) < 0))
		return -1;
	if (back &&
			(lt_link_connected(&l->from_before, err) < 0 ||
					lt_link_connected(&l->to_before, err) < 0))
		return -1;
	l->ring = true;
	return 0;
}

static int ring(struct lt_group *g, struct lu_err *err)
{
	struct links *l = g->gpu;

	return l->ring ? 0 : open_ring(g, err);
}

/* ---- operations -------------------------------------------------------------------------- */

static const char *const names[] = {
	[LT_OP_ALL_REDUCE] = "all_reduce",
	[LT_OP_REDUCE_SCATTER] = "reduce_scatter",
	[LT_OP_ALL_GATHER] = "all_gather",
	[LT_OP_BROADCAST] = "broadcast",
	[LT_OP_SEND] = "send",
	[LT_OP_RECV] = "recv",
};

static bool is_message(const struct lt_call *call)
{
	return call->what == LT_OP_SEND || call->what == LT_OP_RECV;
}

/* The link of an operation; NULL: a message to a member that is no neighbour. */
static struct lt_link *link_of(const struct lt_call *call)
{
	const struct lt_group *g = call->group;
	struct links *l = g->gpu;
	bool send = call->what == LT_OP_SEND;
	bool next = call->peer == (g->rank + 1) % g->size;

	if (!is_message(call))
		return &l->all;
	if (!l->ring)
		return NULL;
	if (g->size == 2)
		next = g->rank == 0;
	if (next)
		return send ? &l->to_next : &l->from_next;
	if (call->peer == (g->rank + g->size - 1) % g->size)
		return send ? &l->to_before : &l->from_before;
	return NULL;
}

static bool moves_nothing(const struct lt_call *call)
{
	return call->bound ? call->bound[call->group->size] == call->bound[0] : call->n == 0;
}

static int queue_error(const struct lt_nccl *n, struct lk_queue *q, struct lu_err *err)
{
	return lu_err_set(err, "%s", n->ops->message(q));
}

/* Let queue `to` wait for what has been queued in `from`. */
static int order(struct lt_nccl *n, struct lk_queue *from, struct lk_queue *to, struct lk_event *e,
		struct lu_err *err)
{
	if (n->ops->event_record(from, e) < 0)
		return queue_error(n, from, err);
	return n->ops->event_wait(to, e) < 0 ? queue_error(n, to, err) : 0;
}

/* A send that nobody waits for has a copy of its data, as the receiver may not be there yet. */
static int copy_data(struct lt_nccl *n, struct lt_nccl_op *op, struct lt_call *call,
		struct lk_queue *q, struct lu_err *err)
{
	size_t bytes = call->n * lt_element_size(n->comm, call->type);

	op->copy = n->ops->alloc(q, bytes);
	if (!op->copy || n->ops->copy(q, op->copy, call->from, bytes, LK_D2D) < 0)
		return queue_error(n, q, err);
	call->from = op->copy;
	return 0;
}

/* Let queue s come to the operation: behind the one before it of its link, and what is in q. */
static int reach(struct lt_link *ch, struct lt_nccl_op *op, struct lk_queue *q, struct lk_queue *s,
		struct lu_err *err)
{
	struct lt_nccl *n = ch->nccl;
	int rc = 0;

	pthread_mutex_lock(&n->lock);
	if (ch->last && n->ops->event_wait(s, ch->last->end) < 0)
		rc = queue_error(n, s, err);
	pthread_mutex_unlock(&n->lock);
	return rc < 0 || s == q ? rc : order(n, q, s, op->reached, err);
}

static int start(const struct lt_call *given, struct lk_queue *q, struct lt_pending **pending,
		struct lu_err *err)
{
	const struct lt_group *g = given->group;
	struct lt_nccl *n = state_of(g);
	struct lt_link *ch = link_of(given);
	size_t peer = is_message(given) ? given->peer : (g->rank + 1) % g->size;
	bool detached = given->what == LT_OP_SEND && !pending;
	struct lt_call call = *given;
	struct lt_nccl_op *op;
	struct lk_queue *s;

	if (!ch)
		return lu_err_set(err, "%s of %s: members %zu and %zu are no neighbours",
				names[call.what], g->name, g->rank, call.peer);
	if (lt_control_failed(g->comm->control, err) < 0)
		return -1;
	if (moves_nothing(&call))
		return 0;
	if (lt_nccl_take(ch, names[call.what], g->ranks[peer], &op, err) < 0)
		return -1;
	s = pending || detached ? ch->q : q;
	op->pending.detached = detached;
	op->held = pending != NULL;
	if ((detached && copy_data(n, op, &call, q, err) < 0) || reach(ch, op, q, s, err) < 0 ||
			lt_nccl_note(n, s, op, err) < 0 || lt_nccl_run(ch, &call, s, err) < 0)
		return -1;
	if (pending)
		*pending = &op->pending;
	return lt_nccl_noted(n, s, op, err);
}

static int wait_for(struct lt_comm *c, struct lt_pending *p, struct lk_queue *q, struct lu_err *err)
{
	struct lt_nccl *n = c->gpu_carrier;
	struct lt_nccl_op *op = (struct lt_nccl_op *)p;
	int rc = order(n, q, q, op->reached, err);

	if (rc == 0 && n->ops->event_wait(q, op->end) < 0)
		rc = queue_error(n, q, err);
	lt_nccl_release(n, op, rc == 0);
	return rc < 0 ? -1 : lt_control_failed(c->control, err);
}

static double waited(const struct lt_comm *c)
{
	struct lt_nccl *n = c->gpu_carrier;
	double s;

	pthread_mutex_lock(&n->lock);
	s = n->waited;
	pthread_mutex_unlock(&n->lock);
	return s;
}

/* ---- the transport ----------------------------------------------------------------------- */

static void close_state(struct lt_comm *c)
{
	struct lt_nccl *n = c->gpu_carrier;

	if (!n)
		return;
	lt_nccl_watch_end(n);
	n->ops->close(n->q);
	pthread_mutex_destroy(&n->lock);
	free(n->lib);
	free(n);
	c->gpu_carrier = NULL;
}

static const struct lt_gpu_transport nccl_transport = { .name = "nccl",
	.link = link_group,
	.unlink = unlink_group,
	.ring = ring,
	.start = start,
	.wait = wait_for,
	.waited = waited,
	.close = close_state };

/*
 * The level `run` needs one algorithm, one protocol and no sums by switches, which NCCL reads from the
 * environment when its first communicator is made. What is there already must agree.
 */
static int pin_algorithm(struct lu_err *err)
{
	static const char *const want[][2] = { { "NCCL_ALGO", "Ring" }, { "NCCL_PROTO", "Simple" },
		{ "NCCL_NVLS_ENABLE", "0" } };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const char *is = getenv(want[i][0]);

		if (is && strcasecmp(is, want[i][1]) != 0)
			return lu_err_set(err,
					"%s is %s in the environment, and parallel.equality = run "
					"needs %s: unset it, or set parallel.equality = fast",
					want[i][0], is, want[i][1]);
		if (setenv(want[i][0], want[i][1], 1) < 0)
			return lu_err_nomem(err);
	}
	return 0;
}

int lt_nccl_start(struct lt_comm *c, int device, enum lt_equality equality, struct lu_err *err)
{
	struct lt_nccl *n = calloc(1, sizeof(*n));
	struct lk_err kerr;

	if (!n)
		return lu_err_nomem(err);
	n->comm = c;
	n->ops = c->ops;
	n->device = device;
	n->equality = equality;
	pthread_mutex_init(&n->lock, NULL);
	c->gpu_carrier = n;
	c->gpu = &nccl_transport;
	n->lib = calloc(1, sizeof(*n->lib));
	if (!n->lib)
		return lu_err_nomem(err);
	if ((equality == LT_EQUAL_RUN && pin_algorithm(err) < 0) || lt_nccl_load(n->lib, err) < 0)
		return -1;
	if (n->ops->open(&n->q, device, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	return lt_nccl_watch_start(n, err);
}
