#include "trainer/comm/comm_tcp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trainer/comm/comm_private.h"
#include "trainer/comm/wire.h"

#define TURN ((size_t)1 << 20)	    /* bytes of one transfer before the others have their turn */
#define READ_MIN ((size_t)64 << 10) /* bytes from which the memory of a neighbour is read */
#define PUBLISH 200		    /* milliseconds after which the others learn for whom we wait */

/*
 * A message to another host, or a small one, is a stream of its bytes. From a neighbour, whose memory
 * can be read, a large one is its address: the receiver copies it, once, and then sends one byte by
 * the second connection of the pair, after which the sender may change it.
 */
enum stage { STREAM, OFFER, PULL, ACKNOWLEDGE, DONE };

struct connection {
	pthread_mutex_t lock; /* of making it: a sender and a receiver may want it at once */
	int fd, back;	      /* -1: not made yet; `back` for acknowledgements, neighbours only */
};

struct tcp {
	struct connection *at[LT_PLANES]; /* [size] */
};

static bool is_neighbour(const struct lt_group *g, size_t peer)
{
	const struct lt_comm *c = g->comm;

	return c->reads_memory &&
			lt_process_in_reach(&lt_control_member(c->control, c->rank)->process,
					&lt_control_member(c->control, g->ranks[peer])->process);
}

static int link_group(struct lt_group *g, struct lu_err *err)
{
	struct tcp *t = calloc(1, sizeof(*t));

	if (!t)
		return lu_err_nomem(err);
	for (int plane = 0; plane < LT_PLANES; plane++) {
		t->at[plane] = calloc(g->size, sizeof(*t->at[plane]));
		if (!t->at[plane]) {
			free(t->at[0]);
			free(t);
			return lu_err_nomem(err);
		}
		for (size_t m = 0; m < g->size; m++) {
			pthread_mutex_init(&t->at[plane][m].lock, NULL);
			t->at[plane][m].fd = t->at[plane][m].back = -1;
		}
	}
	g->link = t;
	return 0;
}

static void unlink_group(struct lt_group *g)
{
	struct tcp *t = g->link;

	for (int plane = 0; plane < LT_PLANES; plane++) {
		for (size_t m = 0; m < g->size; m++) {
			if (t->at[plane][m].fd >= 0)
				close(t->at[plane][m].fd);
			if (t->at[plane][m].back >= 0)
				close(t->at[plane][m].back);
			pthread_mutex_destroy(&t->at[plane][m].lock);
		}
		free(t->at[plane]);
	}
	free(t);
}

/* The number of a connection between two ranks. */
static uint32_t link_number(const struct lt_group *g, enum lt_plane plane, size_t peer, bool back)
{
	return (g->number[peer] * LT_PLANES + (uint32_t)plane) * 2 + back;
}

static int dial(struct lt_group *g, size_t peer, uint32_t number, struct lu_err *err)
{
	struct lt_comm *c = g->comm;
	const struct lt_member *m = lt_control_member(c->control, g->ranks[peer]);
	struct lt_data_hello h = { .rank = (uint32_t)c->rank, .link = number };
	double start = lt_now();
	struct sockaddr_storage to;
	socklen_t n = lt_wire_address(&m->address, m->data_port, &to);
	int fd = lt_wire_dial((const struct sockaddr *)&to, n);

	lt_control_secret(c->control, h.secret);
	if (fd >= 0 && lt_wire_connected(fd, start + c->deadline) == 0 &&
			lt_wire_send(fd, &h, sizeof(h), start + c->deadline) == 0)
		return fd;
	if (fd < 0)
		return lu_err_sys(err, errno, "no connection to rank %zu on %s", g->ranks[peer],
				m->process.host);
	lt_control_blame(c->control, g->ranks[peer],
			errno == ETIMEDOUT ? LT_BLAME_STUCK : LT_BLAME_GONE, lt_now() - start, err);
	close(fd);
	return -1;
}

/* The connection, made if it is not there. */
static int connect_one(struct lt_group *g, enum lt_plane plane, size_t peer, bool back, int *fd,
		struct lu_err *err)
{
	struct lt_comm *c = g->comm;
	uint32_t number = link_number(g, plane, peer, back);

	if (*fd < 0)
		*fd = g->ranks[peer] > c->rank
				? lt_control_take(c->control, g->ranks[peer], number, err)
				: dial(g, peer, number, err);
	return *fd < 0 ? -1 : 0;
}

/* Make the connections that transfers need: first those to lower ranks, for which nobody has to
 * wait, then take those of higher ones. */
static int connect_all(struct lt_group *g, enum lt_plane plane, const struct lt_transfer *t,
		size_t n, struct lu_err *err)
{
	struct tcp *tcp = g->link;

	for (int take = 0; take <= 1; take++) {
		for (size_t i = 0; i < n; i++) {
			size_t peer = t[i].peer;
			struct connection *at = &tcp->at[plane][peer];
			int rc;

			if (take != (g->ranks[peer] > g->comm->rank))
				continue;
			pthread_mutex_lock(&at->lock);
			rc = connect_one(g, plane, peer, false, &at->fd, err);
			if (rc == 0 && is_neighbour(g, peer))
				rc = connect_one(g, plane, peer, true, &at->back, err);
			pthread_mutex_unlock(&at->lock);
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

/* Send to or receive from a socket what it takes or has: bytes, 0 if that is nothing now, -1 if the
 * connection has ended. */
static ssize_t shift(int fd, const char *from, char *to, size_t n)
{
	ssize_t k;

	do
		k = from ? send(fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT)
			 : recv(fd, to, n, MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0 && errno == EAGAIN)
		return 0;
	return k == 0 && n > 0 ? -1 : k;
}

/* Where the next bytes of a transfer are; with a window, its place is used again and again. */
static char *place(const struct lt_transfer *t)
{
	return t->to + (t->window ? t->done % t->window : t->done);
}

/* One step of a transfer: as shift(). */
static ssize_t step(struct lt_group *g, const struct connection *at, struct lt_transfer *t)
{
	size_t left = t->limit - t->done, ask = left < TURN ? left : TURN, got = 0;
	bool out = t->from != NULL;
	ssize_t k = 0;
	char *word = (char *)&t->address, byte = 0;

	switch ((enum stage)t->stage) {
	case STREAM:
		if (ask)
			k = shift(at->fd, out ? t->from + t->done : NULL, out ? NULL : place(t),
					ask);
		break;
	case OFFER:
		ask = sizeof(t->address) - t->done;
		k = shift(at->fd, out ? word + t->done : NULL, word + t->done, ask);
		break;
	case PULL:
		if (ask &&
				lt_process_read(&lt_control_member(
								g->comm->control, g->ranks[t->peer])
								 ->process,
						place(t), t->address + t->done, ask, &got) < 0)
			return -1;
		k = (ssize_t)got;
		break;
	case ACKNOWLEDGE: k = shift(at->back, out ? NULL : &byte, &byte, 1); break;
	case DONE: break;
	}
	return k;
}

static void advance(struct lt_transfer *t, size_t k)
{
	switch ((enum stage)t->stage) {
	case STREAM:
		t->done += k;
		if (t->done == t->bytes)
			t->stage = DONE;
		break;
	case OFFER:
		t->done += k;
		if (t->done < sizeof(t->address))
			break;
		t->done = 0;
		t->stage = t->from ? ACKNOWLEDGE : PULL;
		break;
	case PULL:
		t->done += k;
		if (t->done == t->bytes)
			t->stage = ACKNOWLEDGE;
		break;
	case ACKNOWLEDGE: t->stage = DONE; break;
	case DONE: break;
	}
}

/* Move what can be moved without waiting, up to a turn. */
static int move(struct lt_group *g, const struct connection *at, struct lt_transfer *t, double now,
		struct lu_err *err)
{
	for (size_t turn = 0; t->stage != DONE && turn < TURN;) {
		ssize_t k = step(g, at, t);

		if (k < 0)
			return lt_control_blame(g->comm->control, g->ranks[t->peer], LT_BLAME_GONE,
					now - t->since, err);
		if (k == 0)
			break;
		advance(t, (size_t)k);
		turn += (size_t)k;
		t->since = now;
	}
	return 0;
}

static struct pollfd watch(const struct connection *at, const struct lt_transfer *t)
{
	bool out = t->from != NULL;

	switch ((enum stage)t->stage) {
	case STREAM:
		if (t->done == t->limit)
			break;
		return (struct pollfd){ .fd = at->fd, .events = out ? POLLOUT : POLLIN };
	case OFFER: return (struct pollfd){ .fd = at->fd, .events = out ? POLLOUT : POLLIN };
	case ACKNOWLEDGE:
		return (struct pollfd){ .fd = at->back, .events = out ? POLLIN : POLLOUT };
	case PULL:
	case DONE: break;
	}
	return (struct pollfd){ .fd = -1 };
}

/* An exchange under way. */
struct run {
	struct lt_group *g;
	const struct connection *at; /* [size] */
	struct lt_transfer *t;
	struct pollfd *p;
	size_t n;
	size_t windowed, taken; /* bytes of a message with a window, and those consumed */
	atomic_size_t *waits_for;
};

static bool can_pull(const struct lt_transfer *t)
{
	return t->stage == PULL && t->done < t->limit;
}

/* Wait until some transfer can go on. */
static int wait_any(struct run *r, struct lu_err *err)
{
	struct lt_control *k = r->g->comm->control;
	const struct lt_transfer *first = NULL;
	bool at_once = false;
	int ready;

	for (size_t i = 0; i < r->n; i++) {
		r->p[i] = watch(&r->at[r->t[i].peer], &r->t[i]);
		at_once |= can_pull(&r->t[i]);
		if (r->p[i].fd >= 0 && (!first || r->t[i].since < first->since))
			first = &r->t[i];
	}
	r->p[r->n] = (struct pollfd){ .fd = lt_control_down(k), .events = POLLIN };
	ready = poll(r->p, (nfds_t)r->n + 1, at_once ? 0 : PUBLISH);
	if (ready < 0 && errno != EINTR)
		return lu_err_sys(err, errno, "communication");
	if (r->p[r->n].revents)
		return lt_control_failed(k, err);
	for (size_t i = 0; i < r->n; i++)
		r->p[i].revents |= can_pull(&r->t[i]) ? POLLIN : 0;
	if (ready != 0 || at_once)
		return 0;
	return lt_control_await(k, r->g->ranks[first->peer], first->since, r->waits_for, err);
}

/* Hand a slice over once all have it, and let the next one come. */
static bool consume(struct run *r, lt_consume use, void *ctx)
{
	if (r->taken == r->windowed)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct lt_transfer *t = &r->t[i];

		if (t->window && !t->from && (t->stage == OFFER || t->done < t->limit))
			return false;
	}
	use(ctx);
	for (size_t i = 0; i < r->n; i++) {
		struct lt_transfer *t = &r->t[i];

		if (!t->window || t->from)
			continue;
		r->taken = t->limit;
		t->limit = t->bytes - t->limit < t->window ? t->bytes : t->limit + t->window;
		r->p[i].revents = POLLIN;
	}
	return true;
}

static void begin(struct run *r)
{
	double now = lt_now();

	for (size_t i = 0; i < r->n; i++) {
		struct lt_transfer *t = &r->t[i];
		bool windowed = t->window && !t->from;

		t->done = 0;
		t->limit = windowed && t->window < t->bytes ? t->window : t->bytes;
		t->stage = t->bytes == 0					      ? DONE
				: t->bytes >= READ_MIN && is_neighbour(r->g, t->peer) ? OFFER
										      : STREAM;
		t->address = (uint64_t)(uintptr_t)t->from;
		t->since = now;
		r->p[i].revents = POLLIN;
		if (windowed)
			r->windowed = t->bytes;
	}
}

static int run(struct run *r, lt_consume use, void *ctx, struct lu_err *err)
{
	begin(r);
	for (;;) {
		double now = lt_now();
		size_t left = 0;

		for (size_t i = 0; i < r->n; i++) {
			struct lt_transfer *t = &r->t[i];

			if (t->stage != DONE && r->p[i].revents &&
					move(r->g, &r->at[t->peer], t, now, err) < 0)
				return -1;
			left += t->stage != DONE;
		}
		if (consume(r, use, ctx))
			continue;
		if (!left)
			return 0;
		if (wait_any(r, err) < 0)
			return -1;
	}
}

static int tcp_exchange(struct lt_group *g, enum lt_plane plane, struct lt_transfer *t, size_t n,
		lt_consume use, void *ctx, atomic_size_t *waits_for, struct lu_err *err)
{
	struct run r = { .g = g,
		.at = ((const struct tcp *)g->link)->at[plane],
		.t = t,
		.n = n,
		.waits_for = waits_for };
	int rc;

	if (n == 0)
		return lt_control_failed(g->comm->control, err);
	r.p = calloc(n + 1, sizeof(*r.p));
	if (!r.p)
		return lu_err_nomem(err);
	rc = connect_all(g, plane, t, n, err);
	if (rc == 0)
		rc = run(&r, use, ctx, err);
	if (!waits_for)
		lt_control_waits_for(g->comm->control, LT_CONTROL_NOBODY);
	free(r.p);
	return rc;
}

const struct lt_transport lt_tcp_transport = {
	.name = "tcp", .link = link_group, .unlink = unlink_group, .exchange = tcp_exchange
};
