#ifndef LUCIE_TRAINER_COMM_NCCL_LINK_H
#define LUCIE_TRAINER_COMM_NCCL_LINK_H
/*
 * One communicator of NCCL, and what the files of the NCCL transport share. Internal to them.
 *
 * NCCL serialises the operations of a communicator, so a link carries one order of operations:
 * the collectives of a group, or the messages from one member to another. Two members that both send
 * before they receive use two links, and neither waits for the other.
 *
 * Communicators are made without blocking: a call of NCCL may return before it is through, and the
 * host asks whether it is, watching for failures and the deadline (lt_link_end()). Whoever calls
 * the library holds the lock, since the watch may abort all communicators at any moment, which frees
 * them:
 *
 *	if (lt_link_begin(ch, &err) < 0)
 *		return -1;
 *	rc = lib->ncclAllReduce(..., ch->comm, stream);
 *	return lt_link_end(ch, rc, "all_reduce", &err);
 */
#include <pthread.h>

#include "trainer/comm/comm_private.h"
#include "trainer/comm/nccl_library.h"

struct ncclComm;
struct lt_nccl_op;

struct lt_link {
	struct lt_nccl *nccl;
	struct lt_link *next;	 /* of all of this rank */
	const char *name;	 /* its group's */
	struct ncclComm *comm;	 /* NULL: none, or aborted */
	struct lk_queue *q;	 /* of its own, for operations that the caller's queue passes by */
	struct lt_nccl_op *last; /* the operation before; NULL if that has ended */
	/* Device memory for sums, grow-only. */
	void *work;
	size_t work_bytes;
};

/* The state of the transport: lt_comm.carrier_gpu. */
struct lt_nccl {
	struct lt_comm *comm;
	const struct lk_ops *ops;
	int device;
	enum lt_equality equality;
	struct lt_nccl_library *lib;
	struct lk_queue *q; /* for questions about events, by the thread that trains */

	pthread_mutex_t lock; /* of all that follows, and of calls of the library */
	bool over;	      /* all communicators have been aborted */
	struct lt_link *links;
	struct lt_nccl_op *first, **last; /* operations that have not ended, oldest first */
	struct lt_nccl_op *spare;
	double waited;

	pthread_t thread; /* nccl_watch.h */
	bool watching, stop;
};

/* A unique id of NCCL as bytes. */
#define LT_NCCL_ID 128
int lt_link_id(struct lt_nccl *n, unsigned char id[LT_NCCL_ID], struct lu_err *err) LU_CHECKED;

/* Begin to make the communicator of `size` members; lt_link_connected() waits until it is there.
 * Several may be begun before the first is waited for. */
int lt_link_open(struct lt_link *ch, struct lt_nccl *n, const char *name, size_t size, size_t rank,
		const unsigned char id[LT_NCCL_ID], struct lu_err *err) LU_CHECKED;
int lt_link_connected(struct lt_link *ch, struct lu_err *err) LU_CHECKED;
/* Say that nothing more will come; then wait for the end of what it carries, and free it. After a
 * failure it is aborted. A zeroed one is fine. */
void lt_link_finish(struct lt_link *ch);
void lt_link_close(struct lt_link *ch);

/* Take the lock; fails if the run has. */
int lt_link_begin(struct lt_link *ch, struct lu_err *err) LU_CHECKED;
/* Give it back, and wait until the call that returned `code` is through. */
int lt_link_end(struct lt_link *ch, int code, const char *what, struct lu_err *err) LU_CHECKED;

/* Abort every communicator of this rank, so that its streams go on. */
void lt_links_abort(struct lt_nccl *n);

#endif
