#ifndef LUCIE_TRAINER_COMM_WIRE_H
#define LUCIE_TRAINER_COMM_WIRE_H
/*
 * TCP sockets: listening, connecting, and moving whole messages before a point in time. All sockets
 * are non-blocking and closed on exec.
 *
 * Functions return 0 or a descriptor, or -1 with errno set: what they mean by it, the caller knows.
 * Times are those of lt_now().
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds of a clock that nobody sets. */
double lt_now(void);

/* Listen on all addresses of this host, IPv6 and IPv4. Port 0: any; *bound is the one in use. */
int lt_wire_listen(uint16_t port, uint16_t *bound);

/* Begin to connect; lt_wire_connected() waits for the end. */
int lt_wire_dial(const struct sockaddr *to, socklen_t n);
int lt_wire_connected(int fd, double until);

/* Send or receive exactly n bytes before `until`. ETIMEDOUT: it was too late; EPIPE: the other side
 * has closed the connection. */
int lt_wire_send(int fd, const void *p, size_t n, double until);
int lt_wire_recv(int fd, void *p, size_t n, double until);

/* The address of the other side as one of IPv6, mapped if it is of IPv4. */
int lt_wire_peer(int fd, struct in6_addr *out);
bool lt_wire_is_loopback(const struct in6_addr *a);
/* The socket address of an address as lt_wire_peer() returns it. */
socklen_t lt_wire_address(const struct in6_addr *a, uint16_t port, struct sockaddr_storage *out);

/* Set a connected or accepted socket up: without delay, found dead by the system in the end. */
void lt_wire_tune(int fd);

#endif
