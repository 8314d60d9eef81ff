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

#define TURN ((size_t)1 << 20) /* bytes of one transfer before the others have their turn */
#define PUBLISH 200	       /* milliseconds after which the others learn for whom we wait */

struct connection {
	pthread_mutex_t lock; /* of making it: a sender and a receiver may want it at once */
	int fd;		      /* -1: not made yet */
};

struct tcp {
	struct connection *at[LT_PLANES]; /* [size] */
};

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
			t->at[plane][m].fd = -1;
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
			pthread_mutex_destroy(&t->at[plane][m].lock);
		}
		free(t->at[plane]);
	}
	free(t);
}

/* The number of a connection between two ranks. */
static uint32_t link_number(const struct lt_group *g, enum lt_plane plane, size_t peer)
{
	return g->number[peer] * LT_PLANES + (uint32_t)plane;
}

static int dial(struct lt_group *g, enum lt_plane plane, size_t peer, struct lu_err *err)
{
	struct lt_comm *c = g->comm;
	const struct lt_member *m = lt_control_member(c->control, g->ranks[peer]);
	struct lt_data_hello h = { .rank = (uint32_t)c->rank, .link = link_number(g, plane, peer) };
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

/* Make the connections that transfers need: first those to lower ranks, for which nobody has to
 * wait, then take those of higher ones. */
static int connect_all(struct lt_group *g, enum lt_plane plane, const struct lt_transfer *t,
		size_t n, struct lu_err *err)
{
	struct tcp *tcp = g->link;

	for (int take = 0; take <= 1; take++) {
		for (size_t i = 0; i < n; i++) {
			struct connection *at = &tcp->at[plane][t[i].peer];
			size_t rank = g->ranks[t[i].peer];
			int fd;

			if (take != (rank > g->comm->rank))
				continue;
			pthread_mutex_lock(&at->lock);
			if (at->fd < 0)
				at->fd = take ? lt_control_take(g->comm->control, rank,
								link_number(g, plane, t[i].peer),
								err)
					      : dial(g, plane, t[i].peer, err);
			fd = at->fd;
			pthread_mutex_unlock(&at->lock);
			if (fd < 0)
				return -1;
		}
	}
	return 0;
}

static int blame(struct lt_group *g, const struct lt_transfer *t, enum lt_blame kind,
		double seconds, struct lu_err *err)
{
	return lt_control_blame(g->comm->control, g->ranks[t->peer], kind, seconds, err);
}

/* Move what the socket takes or has. 1: done, 0: not yet, -1: error. */
static int move(struct lt_group *g, struct lt_transfer *t, int fd, double now, struct lu_err *err)
{
	size_t turn = 0;

	while (t->done < t->bytes && turn < TURN) {
		size_t left = t->bytes - t->done, ask = left < TURN ? left : TURN;
		ssize_t k = t->from ? send(fd, t->from + t->done, ask, MSG_NOSIGNAL | MSG_DONTWAIT)
				    : recv(fd, t->to + t->done, ask, MSG_DONTWAIT);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN)
			break;
		if (k <= 0)
			return blame(g, t, LT_BLAME_GONE, now - t->since, err);
		t->done += (size_t)k;
		turn += (size_t)k;
		t->since = now;
	}
	return t->done == t->bytes;
}

/* Wait until some transfer can go on. */
static int wait_any(struct lt_group *g, const struct lt_transfer *t, const struct connection *at,
		struct pollfd *p, size_t n, atomic_size_t *waits_for, struct lu_err *err)
{
	struct lt_control *k = g->comm->control;
	const struct lt_transfer *first = NULL;
	int ready;

	for (size_t i = 0; i < n; i++) {
		bool open = t[i].done < t[i].bytes;

		p[i] = (struct pollfd){ .fd = open ? at[t[i].peer].fd : -1,
			.events = t[i].from ? POLLOUT : POLLIN };
		if (open && (!first || t[i].since < first->since))
			first = &t[i];
	}
	p[n] = (struct pollfd){ .fd = lt_control_down(k), .events = POLLIN };
	ready = poll(p, (nfds_t)n + 1, PUBLISH);
	if (ready < 0 && errno != EINTR)
		return lu_err_sys(err, errno, "communication");
	if (p[n].revents)
		return lt_control_failed(k, err);
	if (ready != 0)
		return 0;
	return lt_control_await(k, g->ranks[first->peer], first->since, waits_for, err);
}

static int run(struct lt_group *g, enum lt_plane plane, struct lt_transfer *t, struct pollfd *p,
		size_t n, atomic_size_t *waits_for, struct lu_err *err)
{
	const struct connection *at = ((const struct tcp *)g->link)->at[plane];
	double now = lt_now();

	for (size_t i = 0; i < n; i++) {
		t[i].done = 0;
		t[i].since = now;
		p[i].revents = POLLIN;
	}
	for (;;) {
		size_t left = 0;

		now = lt_now();
		for (size_t i = 0; i < n; i++) {
			if (t[i].done == t[i].bytes)
				continue;
			if (p[i].revents && move(g, &t[i], at[t[i].peer].fd, now, err) < 0)
				return -1;
			left += t[i].done < t[i].bytes;
		}
		if (!left)
			return 0;
		if (wait_any(g, t, at, p, n, waits_for, err) < 0)
			return -1;
	}
}

static int tcp_exchange(struct lt_group *g, enum lt_plane plane, struct lt_transfer *t, size_t n,
		atomic_size_t *waits_for, struct lu_err *err)
{
	struct pollfd *p;
	int rc;

	if (n == 0)
		return lt_control_failed(g->comm->control, err);
	p = calloc(n + 1, sizeof(*p));
	if (!p)
		return lu_err_nomem(err);
	rc = connect_all(g, plane, t, n, err);
	if (rc == 0)
		rc = run(g, plane, t, p, n, waits_for, err);
	if (!waits_for)
		lt_control_waits_for(g->comm->control, LT_CONTROL_NOBODY);
	free(p);
	return rc;
}

const struct lt_transport lt_tcp_transport = {
	.name = "tcp", .link = link_group, .unlink = unlink_group, .exchange = tcp_exchange
};
