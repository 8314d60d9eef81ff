#include "trainer/comm/wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096 /* connections at once: all ranks may come in the same moment */

double lt_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int open_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Close and keep the errno of what failed before. */
static int give_up(int fd)
{
	int why = errno;

	close(fd);
	errno = why;
	return -1;
}

int lt_wire_listen(uint16_t port, uint16_t *bound)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_storage a = { 0 };
	int one = 1, zero = 0, fd = open_socket(AF_INET6);
	socklen_t n = sizeof(a6);

	memcpy(&a, &a6, sizeof(a6));
	if (fd < 0) {
		/* A host without IPv6. */
		fd = open_socket(AF_INET);
		memcpy(&a, &a4, sizeof(a4));
		n = sizeof(a4);
	} else if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0) {
		return give_up(fd);
	}
	if (fd < 0)
		return -1;
	/* The port of an attempt that has just ended is free. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
			bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, BACKLOG) < 0)
		return give_up(fd);
	n = sizeof(a);
	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return give_up(fd);
	/* The port has the same place in both kinds of address. */
	memcpy(&a4, &a, sizeof(a4));
	*bound = ntohs(a4.sin_port);
	return fd;
}

int lt_wire_dial(const struct sockaddr *to, socklen_t n)
{
	int fd = open_socket(to->sa_family);

	if (fd < 0)
		return -1;
	lt_wire_tune(fd);
	if (connect(fd, to, n) < 0 && errno != EINPROGRESS && errno != EINTR)
		return give_up(fd);
	return fd;
}

/* Wait for one of the events. */
static int wait_for(int fd, short events, double until)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		double left = until - lt_now();
		int n;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = poll(&p, 1, left > 1 ? 1000 : (int)(left * 1e3) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

int lt_wire_connected(int fd, double until)
{
	int why = 0;
	socklen_t n = sizeof(why);

	if (wait_for(fd, POLLOUT, until) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0)
		return -1;
	errno = why;
	return why ? -1 : 0;
}

int lt_wire_send(int fd, const void *p, size_t n, double until)
{
	for (const char *at = p; n;) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno != EAGAIN || wait_for(fd, POLLOUT, until) < 0))
			return -1;
		if (k > 0) {
			at += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

int lt_wire_recv(int fd, void *p, size_t n, double until)
{
	for (char *at = p; n;) {
		ssize_t k = recv(fd, at, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno != EAGAIN || wait_for(fd, POLLIN, until) < 0))
			return -1;
		if (k == 0) {
			errno = EPIPE;
			return -1;
		}
		if (k > 0) {
			at += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

int lt_wire_peer(int fd, struct in6_addr *out)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in6 a6;
	struct sockaddr_in a4;
	socklen_t n = sizeof(a);

	if (getpeername(fd, (struct sockaddr *)&a, &n) < 0)
		return -1;
	if (a.ss_family == AF_INET6) {
		memcpy(&a6, &a, sizeof(a6));
		*out = a6.sin6_addr;
		return 0;
	}
	memcpy(&a4, &a, sizeof(a4));
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &a4.sin_addr, 4);
	return 0;
}

bool lt_wire_is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

socklen_t lt_wire_address(const struct in6_addr *a, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };

	memset(out, 0, sizeof(*out));
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		memcpy(&a4.sin_addr, a->s6_addr + 12, 4);
		memcpy(out, &a4, sizeof(a4));
		return sizeof(a4);
	}
	a6.sin6_addr = *a;
	memcpy(out, &a6, sizeof(a6));
	return sizeof(a6);
}

void lt_wire_tune(int fd)
{
	int one = 1, idle = 60, interval = 20, count = 6;

	/* All of these are advice: a socket works without. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}
