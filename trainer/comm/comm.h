#ifndef LUCIE_TRAINER_COMM_COMM_H
#define LUCIE_TRAINER_COMM_COMM_H
/*
 * Communication between the ranks of a run. The same calls serve one process, ranks on CPUs over
 * TCP or MPI, and GPUs.
 *
 *	struct lt_launch who;				(launch.h) which rank is this, of how many
 *	struct lt_comm *c;
 *	lt_launch_detect(&who, &err)
 *	lt_comm_open(&c, &who, ops, &options, &err)	the ranks meet
 *	lt_comm_group(c, ranks, n, "dp", &g, &err)	for each group that this rank belongs to
 *	... operations on groups ...
 *	lt_comm_close(c)				frees the groups as well
 *
 * CONTROL AND DATA
 * The control plane is ours, over TCP, whatever carries the data: the ranks meet through it, it
 * watches over all of them (heartbeat), agrees on what all must do alike, and ends a run of which one
 * rank is gone. Its calls are blocking, on host memory, for small messages; all ranks make them in
 * the same order on each channel. Channels are independent, so that a thread that writes a checkpoint
 * does not disturb training.
 *
 * Data move over groups, in the order of a queue (kernels/lk.h): an operation begins when the work
 * queued so far is done, and the host does not wait for it. With `pending` NULL, work queued later
 * begins after the operation; otherwise lt_comm_wait() orders it, and until then the buffer belongs
 * to the operation. All members call the operations of a group in the same order; a rank's groups are
 * independent of each other. Counts may exceed 2^31. With one member every operation returns at once
 * and changes nothing.
 *
 * SUMS
 * have the bits of one fixed binary tree over the members, that of lk_ops.lane_sum:
 *	for (k = size; k > 1; k = s)
 *		for (s = (k + 1) / 2, j = 0; j + s < k; j++) member j += member j + s
 * in every transport on the CPU, and on GPUs at the level `layout` (lt_comm_device()); there doubles
 * and bytes are summed by NCCL in its own order, which is the same where all members but one have a
 * zero, as in all sums of doubles that the trainer makes.
 * Each addition is rounded to the type of the elements. Activations in bf16, which tensor parallelism
 * sums, are rounded once a level of the tree: a sum of 8 members is off by three roundings, each of
 * at most 2^-8 of what has been added so far. Gradients, norms and losses are never summed in bf16.
 *
 * FAILURES
 * Nothing waits for ever. A member that makes no progress for options.deadline seconds, a lost
 * connection or a rank that aborted is an error, which names the rank and host waited for, and
 * where this rank was: the text of lt_comm_at(). The error is passed on to all other ranks through
 * the control plane, so that all end within the deadline; a rank that cannot notice, because it is
 * stuck elsewhere, is ended by its watchdog 3 seconds later, which prints the sentence itself. A
 * rank on the same host that is stopped or stuck is killed.
 * On GPUs the host does not wait in an operation: a failure ends the waiting of the device, and
 * lt_comm_check() after it tells that what was computed is void.
 * After a failure the process must end, lt_comm_close() first. A rank that ends before the others
 * because of an error of its own tells them, by lt_comm_abort() or lt_comm_agree().
 *
 * TRANSPORTS
 * MPI where mpirun started the ranks and MPI is in the build, otherwise TCP, which reads large
 * messages straight from the memory of ranks on the same host where the system allows that
 * (process_vm_readv; the processes permit it to each other). The data connections of a group are
 * made when they are first used; those of NCCL when the group is. Nothing is encrypted, and the token is no password: the network is
 * a trusted one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/comm/launch.h"

struct lt_comm;
struct lt_group;
struct lt_pending; /* an operation that has been started */

struct lt_comm_options {
	double deadline;      /* seconds that any rank may keep the others waiting; 0: 600 */
	double rendezvous;    /* seconds to wait for all ranks at the start; 0: 300 */
	lt_notice_fn *notice; /* told on rank 0 when ranks are long in coming; NULL: nobody is */
};

int lt_comm_open(struct lt_comm **c, const struct lt_launch *who, const struct lk_ops *ops,
		const struct lt_comm_options *options, struct lu_err *err) LU_CHECKED;
/* A run of a single process, without a network. */
int lt_comm_single(struct lt_comm **c, struct lu_err *err) LU_CHECKED;
void lt_comm_close(struct lt_comm *c); /* NULL is fine */

/*
 * From here on the data are in the memory of GPUs: groups that are made later move them over NCCL,
 * which is looked for when it is needed (nccl_library.h). Every rank calls it, with the number of its
 * GPU on this host and the same level; `ops` of lt_comm_open() must be the GPU's. On failure the ranks
 * agree to end as after any other.
 */
enum lt_equality {
	LT_EQUAL_AUTO,	 /* layout on the CPU, run on GPUs; not for lt_comm_device() */
	LT_EQUAL_LAYOUT, /* sums by the tree, so that every layout gives the same bits */
	LT_EQUAL_RUN,	 /* one algorithm of NCCL: the same bits from run to run of one layout */
	LT_EQUAL_FAST,	 /* whatever NCCL finds fastest */
};
int lt_comm_device(struct lt_comm *c, int device, enum lt_equality equality,
		struct lu_err *err) LU_CHECKED;

size_t lt_comm_rank(const struct lt_comm *c);
size_t lt_comm_size(const struct lt_comm *c);
/* "one process", "tcp", "mpi" or "nccl". */
const char *lt_comm_transport(const struct lt_comm *c);
/* Host name of a rank. */
const char *lt_comm_host(const struct lt_comm *c, size_t rank);
/* Ranks on this host, and the number of this one among them. */
size_t lt_comm_local_size(const struct lt_comm *c);
size_t lt_comm_local_rank(const struct lt_comm *c);

/* What this rank is doing, for the messages of failures, such as "step 12, backward of micro-batch
 * 3". Cheap; the text is copied. */
void lt_comm_at(struct lt_comm *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* True if the host does not wait in operations, so that those with `pending` overlap its work. */
bool lt_comm_overlaps(const struct lt_comm *c);

/* -1 with the sentence if the run has failed: after waiting for a queue in which operations were. */
int lt_comm_check(struct lt_comm *c, struct lu_err *err) LU_CHECKED;

/* Tell all ranks to end, with a sentence. */
void lt_comm_abort(struct lt_comm *c, const char *sentence);

/* Wait until no operation is under way: before memory is freed that one may use, since after a failure
 * nobody has waited for those that were begun. They end by the failure, or at the deadline. NULL is
 * fine. */
void lt_comm_settle(struct lt_comm *c);

/* --- control plane ---------------------------------------------------------------------------- */

enum lt_channel { LT_CHANNEL_MAIN, LT_CHANNEL_SAVE, LT_CHANNELS };

/* *flag becomes true on all ranks if it is true on any. */
int lt_comm_any(struct lt_comm *c, enum lt_channel channel, bool *flag,
		struct lu_err *err) LU_CHECKED;
/* Rank 0's n bytes (at most 64 KiB) to all. */
int lt_comm_share(struct lt_comm *c, enum lt_channel channel, void *p, size_t n,
		struct lu_err *err) LU_CHECKED;
/* all[rank * n ..] on rank 0 = n bytes (at most 64 KiB) of each rank; elsewhere `all` is unused. */
int lt_comm_collect(struct lt_comm *c, enum lt_channel channel, const void *p, size_t n, void *all,
		struct lu_err *err) LU_CHECKED;
/*
 * Agree on a result: 0 on all ranks if rc is 0 on all. Otherwise -1 on all: *err is the sentence of
 * the lowest rank that failed, with its rank and host in front unless it is this one, and
 * lt_comm_speaks() is true on that rank alone, which should print it. Ranks with rc < 0 have their
 * reason in *err.
 */
int lt_comm_agree(
		struct lt_comm *c, enum lt_channel channel, int rc, struct lu_err *err) LU_CHECKED;
/* True if this rank reports errors: always, unless lt_comm_agree() found that another rank does. */
bool lt_comm_speaks(const struct lt_comm *c);
/* True if all ranks know that they have failed, so that nobody need be told by lt_comm_abort(). */
bool lt_comm_agreed(const struct lt_comm *c);

/* --- groups and data -------------------------------------------------------------------------- */

/* Elements of a buffer; sums are made in their type. */
enum lt_element { LT_REALS, LT_DOUBLES, LT_ACTS, LT_BYTES };

/* The members are ranks[0..n-1] in this order, this rank among them; all of them call it, in the same
 * order with respect to other groups that they share. */
int lt_comm_group(struct lt_comm *c, const size_t *ranks, size_t n, const char *name,
		struct lt_group **g, struct lu_err *err) LU_CHECKED;
/* Free all groups, to make others: all ranks call it, after an agreement, with no operation of theirs
 * under way. */
void lt_comm_ungroup(struct lt_comm *c);
size_t lt_group_rank(const struct lt_group *g); /* of this rank among the members */
size_t lt_group_size(const struct lt_group *g);

/* Messages will go between neighbours, member i and i + 1 and the last and the first: prepare for
 * that. All members call it. On GPUs there are no messages without it, nor others. */
int lt_group_ring(struct lt_group *g, struct lu_err *err) LU_CHECKED;

/* Bytes of host memory that a group of `size` members comes to keep, if the largest buffer that it sums
 * has `bytes`. For the plan of memory. */
uint64_t lt_group_bytes(size_t size, uint64_t bytes);
/* The same of device memory, with data on GPUs. NCCL has memory of its own beside it. */
uint64_t lt_group_device_bytes(size_t size, uint64_t bytes, enum lt_equality equality);

/* x[n] becomes the sum of x over the members. */
int lt_all_reduce(struct lt_group *g, struct lk_queue *q, void *x, size_t n, enum lt_element type,
		struct lt_pending **pending, struct lu_err *err) LU_CHECKED;
/*
 * x is cut at bound[0] .. bound[size]; part m is x[bound[m]] .. x[bound[m + 1] - 1] and may be empty.
 * reduce_scatter: part m of member m becomes its sum over the members; its other parts are left
 * undefined. all_gather: part m of every member becomes that of member m.
 */
int lt_reduce_scatter(struct lt_group *g, struct lk_queue *q, void *x, const size_t *bound,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err) LU_CHECKED;
int lt_all_gather(struct lt_group *g, struct lk_queue *q, void *x, const size_t *bound,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err) LU_CHECKED;
/* n elements of member `root` to all. */
int lt_broadcast(struct lt_group *g, struct lk_queue *q, size_t root, void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err) LU_CHECKED;
/* To and from a member. Sends and receives between two members match in order, for each direction. A
 * send whose receive has not been called yet does not block the host. */
int lt_send(struct lt_group *g, struct lk_queue *q, size_t to, const void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err) LU_CHECKED;
int lt_recv(struct lt_group *g, struct lk_queue *q, size_t from, void *x, size_t n,
		enum lt_element type, struct lt_pending **pending, struct lu_err *err) LU_CHECKED;

/* Work queued in q from now on begins after the operation, which is freed: *pending becomes NULL. A
 * NULL *pending is fine. */
int lt_comm_wait(struct lt_comm *c, struct lk_queue *q, struct lt_pending **pending,
		struct lu_err *err) LU_CHECKED;

/* Seconds that the caller has spent so far in operations on groups: waiting for others, and for data on
 * their way. What is left of a step is this rank's own work. */
double lt_comm_waited(const struct lt_comm *c);

#endif
