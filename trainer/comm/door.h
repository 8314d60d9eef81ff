#ifndef LUCIE_TRAINER_COMM_DOOR_H
#define LUCIE_TRAINER_COMM_DOOR_H
/*
 * A listening socket whose visitors introduce themselves by a hello of a fixed number of bytes.
 * Nobody is waited for: hundreds of ranks come at once, and a port scanner that says nothing, or
 * too little, keeps no rank out and is sent away after LT_DOOR_PATIENCE seconds.
 *
 *	lt_door_open(&d, port, sizeof(hello), &err)
 *	poll() for POLLIN on d.fd
 *	while ((fd = lt_door_next(&d, hello)) >= 0)
 *		... judge the hello; the connection is the caller's ...
 *	lt_door_close(&d)
 *
 * A door serves one thread at a time.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LT_DOOR_PATIENCE 10.0 /* seconds */

struct lt_visitor;

struct lt_door {
	int fd; /* readable when lt_door_next() has work */
	int listener;
	uint16_t port;
	size_t hello;		    /* bytes */
	struct lt_visitor *waiting; /* oldest first */
	size_t n;
};

/* errnum is EADDRINUSE if the port is taken. */
int lt_door_open(struct lt_door *d, uint16_t port, size_t hello, struct lu_err *err) LU_CHECKED;
/* A connection whose hello is complete, or -1 if there is none now. */
int lt_door_next(struct lt_door *d, void *hello);
void lt_door_close(struct lt_door *d);

#endif
