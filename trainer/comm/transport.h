#ifndef LUCIE_TRAINER_COMM_TRANSPORT_H
#define LUCIE_TRAINER_COMM_TRANSPORT_H
/*
 * What carries data between the members of a group. The collectives are written once over one
 * operation of it, the exchange.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

struct lk_queue;
struct lt_call;
struct lt_comm;
struct lt_group;
struct lt_pending;

/* Messages of one plane do not mix with those of another: collectives and sends between two members
 * have an order each. */
enum lt_plane { LT_PLANE_COLLECTIVE, LT_PLANE_DIRECT, LT_PLANES };

/*
 * A message: to `peer` if `from` is not NULL, otherwise from it. Peers are members of the group.
 * With `window`, a message that is received in slices of so many bytes: `to` has room for one, and
 * both sides set the same window.
 */
struct lt_transfer {
	size_t peer, bytes;
	const char *from;
	char *to;
	size_t window;
	/* The transport's own. */
	size_t done, limit; /* bytes so far, and those to which it may go now */
	int stage;
	uint64_t address;
	double since;
};

/* All messages with a window have received their next slice: use it, and its place is free again. */
typedef void (*lt_consume)(void *ctx);

struct lt_transport {
	const char *name;
	/* The state of a group: g->link. */
	int (*link)(struct lt_group *g, struct lu_err *err);
	void (*unlink)(struct lt_group *g);
	/*
	 * Complete all n transfers, in any order. Between two members messages match in the order
	 * of the exchanges, for each plane and direction, and sizes are known on both sides. At most
	 * one exchange at a time uses a plane, peer and direction. Messages that are received with
	 * a window are of one size, and `consume` is called once a slice. *waits_for, unless NULL, is set to
	 * the rank that is waited for, from time to time; NULL: this is the caller's own thread, and
	 * the control plane is told. A peer that makes no progress for the deadline is blamed.
	 */
	int (*exchange)(struct lt_group *g, enum lt_plane plane, struct lt_transfer *t, size_t n,
			lt_consume consume, void *ctx, atomic_size_t *waits_for,
			struct lu_err *err);
	void (*close)(struct lt_comm *c);
};

/*
 * What carries data between GPUs. Its library knows the collectives, and queues them: the host waits
 * for nothing but a library that is not ready. Groups that have it use no lt_transport for their data.
 */
struct lt_gpu_transport {
	const char *name;
	int (*link)(struct lt_group *g,
			struct lu_err *err); /* g->gpu; unlink() after a failure too */
	void (*unlink)(struct lt_group *g);
	int (*ring)(struct lt_group *g, struct lu_err *err); /* lt_group_ring() */
	/* Queue an operation of a group of several, as comm.h says of `pending`, which may be NULL. */
	int (*start)(const struct lt_call *call, struct lk_queue *q, struct lt_pending **pending,
			struct lu_err *err);
	/* lt_comm_wait() for an operation of it. */
	int (*wait)(struct lt_comm *c, struct lt_pending *p, struct lk_queue *q,
			struct lu_err *err);
	double (*waited)(const struct lt_comm *c);
	void (*close)(struct lt_comm *c);
};

#endif
