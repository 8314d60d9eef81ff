#include "trainer/comm/door.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trainer/comm/wire.h"

#define MAX_WAITING 8192 /* visitors; the oldest then leaves */

struct lt_visitor {
	struct lt_visitor *next;
	double since;
	int fd;
	size_t got;
	unsigned char hello[];
};

int lt_door_open(struct lt_door *d, uint16_t port, size_t hello, struct lu_err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	*d = (struct lt_door){ .fd = -1, .hello = hello };
	d->listener = lt_wire_listen(port, &d->port);
	if (d->listener < 0)
		return lu_err_sys(err, errno, "cannot listen on port %u", port);
	d->fd = epoll_create1(EPOLL_CLOEXEC);
	if (d->fd < 0 || epoll_ctl(d->fd, EPOLL_CTL_ADD, d->listener, &event) < 0) {
		lu_err_sys(err, errno, "cannot listen on port %u", port);
		lt_door_close(d);
		return -1;
	}
	return 0;
}

/* Take the visitor out of the list; its connection is closed unless it is kept. */
static int dismiss(struct lt_door *d, struct lt_visitor **at, bool keep)
{
	struct lt_visitor *v = *at;
	int fd = v->fd;

	*at = v->next;
	d->n--;
	free(v);
	if (keep) {
		(void)epoll_ctl(d->fd, EPOLL_CTL_DEL, fd, NULL);
		return fd;
	}
	close(fd);
	return -1;
}

static void let_in(struct lt_door *d)
{
	struct lt_visitor **last = &d->waiting;
	double now = lt_now();
	int fd;

	while (d->waiting && (d->n >= MAX_WAITING || now - d->waiting->since > LT_DOOR_PATIENCE))
		dismiss(d, &d->waiting, false);
	while (*last)
		last = &(*last)->next;
	while (d->n < MAX_WAITING) {
		struct epoll_event event = { .events = EPOLLIN };
		struct lt_visitor *v;

		fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		/* A visitor that has left again is no reason to stop. */
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return;
		v = calloc(1, sizeof(*v) + d->hello);
		event.data.ptr = v;
		if (!v || epoll_ctl(d->fd, EPOLL_CTL_ADD, fd, &event) < 0) {
			free(v);
			close(fd);
			continue;
		}
		lt_wire_tune(fd);
		v->fd = fd;
		v->since = now;
		*last = v;
		last = &v->next;
		d->n++;
	}
}

int lt_door_next(struct lt_door *d, void *hello)
{
	let_in(d);
	for (;;) {
		struct epoll_event event;
		struct lt_visitor **at = &d->waiting, *v;
		ssize_t k;

		if (epoll_wait(d->fd, &event, 1, 0) <= 0)
			return -1;
		if (!event.data.ptr) {
			/* The listener: one more has come since. */
			let_in(d);
			if (d->n >= MAX_WAITING)
				return -1;
			continue;
		}
		while (*at != event.data.ptr)
			at = &(*at)->next;
		v = *at;
		k = recv(v->fd, v->hello + v->got, d->hello - v->got, 0);
		if (k < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (k <= 0) {
			dismiss(d, at, false);
			continue;
		}
		v->got += (size_t)k;
		if (v->got == d->hello) {
			memcpy(hello, v->hello, d->hello);
			return dismiss(d, at, true);
		}
	}
}

void lt_door_close(struct lt_door *d)
{
	while (d->waiting)
		dismiss(d, &d->waiting, false);
	if (d->fd >= 0)
		close(d->fd);
	if (d->listener >= 0)
		close(d->listener);
	*d = (struct lt_door){ .fd = -1, .listener = -1 };
}
