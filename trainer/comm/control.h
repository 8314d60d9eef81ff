#ifndef LUCIE_TRAINER_COMM_CONTROL_H
#define LUCIE_TRAINER_COMM_CONTROL_H
/*
 * The control plane: a star of TCP connections, rank 0 in the middle, kept by one thread in every
 * rank. It carries messages on independent channels, a heartbeat in both directions, and the news
 * that the run has failed; it lets data connections in, which the transport takes over.
 *
 *	lt_control_open(&k, meeting, rank, size, deadline, door, &err)	takes the connections
 *	lt_control_send(), lt_control_recv()				between rank 0 and another
 *	lt_control_close(k)
 *
 * FAILURE
 * The first failure that rank 0 learns of ends the run: it is sent to all, every call of every
 * thread then returns it, and what poll()s may watch lt_control_down(). Without rank 0 each rank
 * finds out for itself. A rank notices a failure
 *	by the end of a connection without a farewell: that rank is gone;
 *	by silence: no heartbeat for the deadline: that rank is stopped, or its host or network
 *		is;
 *	by lt_control_blame(): somebody waited longer than the deadline for a rank that does send its
 *		heartbeat. That rank may itself wait for a third; the heartbeats say for whom, and rank
 *		0 follows them to the one that waits for nobody.
 * After a failure a rank has LT_CONTROL_GRACE seconds to call lt_control_close(); then the thread
 * prints the sentence and ends the process with status 2. Of the ranks on one host that can see each
 * other's processes the lowest that lives kills those that are stopped, and after LT_CONTROL_KILL
 * seconds the one for which all waited, if it is still there.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/comm/door.h"
#include "trainer/comm/rendezvous.h"

#define LT_CONTROL_GRACE 3.0
#define LT_CONTROL_KILL 4.2
#define LT_CONTROL_NOBODY SIZE_MAX

struct lt_control;

/* The hello of a data connection. It belongs to connection number `link` between the two ranks. */
struct lt_data_hello {
	unsigned char secret[16];
	uint32_t rank, link;
};

enum lt_blame {
	LT_BLAME_GONE,	 /* its connection was closed */
	LT_BLAME_SILENT, /* no heartbeat */
	LT_BLAME_STUCK,	 /* others wait for it */
	LT_BLAME_LEFT,	 /* it closed the run, and is still needed */
	LT_BLAME_ABORT,	 /* it said so, with a sentence */
	LT_BLAME_LOST,	 /* it says that some other is gone, and does not know which */
};

/* Take over the meeting's members and connections, and the door. On error nothing has been taken. */
int lt_control_open(struct lt_control **k, struct lt_meeting *m, size_t rank, size_t size,
		double deadline, struct lt_door *door, struct lu_err *err) LU_CHECKED;
/* Say farewell; rank 0 waits for that of all others. After a failure: end what is left on this host.
 * No other thread may be in a call. */
void lt_control_close(struct lt_control *k);

/* The secret of the meeting, which opens data connections. */
void lt_control_secret(const struct lt_control *k, unsigned char out[16]);
const struct lt_member *lt_control_member(const struct lt_control *k, size_t rank);

/* Send n bytes to rank `to`: on rank 0 any other, elsewhere 0. `op` names the call, so that ranks
 * that call different things find out. */
int lt_control_send(struct lt_control *k, enum lt_channel channel, size_t to, uint32_t op,
		const void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* Wait for the next message of rank `from` on the channel. It must be of this op and have n bytes,
 * or at most n if `got` is not NULL. */
int lt_control_recv(struct lt_control *k, enum lt_channel channel, size_t from, uint32_t op,
		void *p, size_t n, size_t *got, struct lu_err *err) LU_CHECKED;

/* Wait for the data connection from `rank` with number `link`; blames it after the deadline. Returns
 * the descriptor. */
int lt_control_take(
		struct lt_control *k, size_t rank, uint32_t link, struct lu_err *err) LU_CHECKED;

void lt_control_at(struct lt_control *k, const char *text);
/* This rank's caller waits for `rank`, or for LT_CONTROL_NOBODY. */
void lt_control_waits_for(struct lt_control *k, size_t rank);
/*
 * To be called now and then by a thread that waits for data of `rank` and has had none since `since`:
 * tells for whom it waits, by *waits_for or, if that is NULL, as lt_control_waits_for() does, and
 * blames the rank when the deadline has passed or when it has left the run.
 */
int lt_control_await(struct lt_control *k, size_t rank, double since, atomic_size_t *waits_for,
		struct lu_err *err) LU_CHECKED;

/* A descriptor that becomes readable when the run has failed or is cancelled. */
int lt_control_down(const struct lt_control *k);
/* -1 with the sentence if the run has failed, otherwise 0. */
int lt_control_failed(struct lt_control *k, struct lu_err *err) LU_CHECKED;
/* The run fails because of `rank`; `seconds` that it was waited for. Returns -1 with the sentence of
 * what is then known, which may be the fault of another rank. */
int lt_control_blame(struct lt_control *k, size_t rank, enum lt_blame kind, double seconds,
		struct lu_err *err);
/* This rank alone: calls that wait, and all later ones, fail from now on, since all ranks have agreed
 * to end and what they still wait for does not come. */
void lt_control_cancel(struct lt_control *k);
/* The run fails because this rank says so. */
void lt_control_abort(struct lt_control *k, const char *sentence);
/* The same, where another rank may be the cause: one that has left, as rank 0 may know. Returns when
 * the run has failed. */
void lt_control_lost(struct lt_control *k, const char *sentence);

#endif
