#ifndef LUCIE_TRAINER_COMM_CONTROL_PRIVATE_H
#define LUCIE_TRAINER_COMM_CONTROL_PRIVATE_H
/*
 * What control.c (the calls), control_thread.c (the thread), spoke.c and failure.c share. Everything in
 * struct lt_control that changes is guarded by its lock; functions whose name ends in _locked want
 * it held.
 *
 * A frame is a struct lt_frame and its bytes. Both sides are the same program on the same kind of
 * machine, so numbers are as they lie in memory.
 */
#include <poll.h>
#include <pthread.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "trainer/comm/control.h"

#define LT_CONTROL_MESSAGE ((size_t)64 << 10) /* bytes of a message at most */
#define LT_CONTROL_FRAME (LT_CONTROL_MESSAGE + 4096)
#define LT_CONTROL_AT 160 /* bytes of what a rank is doing */

enum lt_frame_kind {
	LT_FRAME_MESSAGE, /* op and channel are the caller's */
	LT_FRAME_BEAT,	  /* struct lt_beat */
	LT_FRAME_BLAME,	  /* struct lt_verdict, to rank 0: judge this */
	LT_FRAME_FAIL,	  /* struct lt_verdict: the run has failed */
	LT_FRAME_BYE,	  /* this rank closes the run */
	LT_FRAME_ACK,	  /* rank 0 has the farewell */
};

struct lt_frame {
	uint32_t bytes, op;
	uint16_t kind, channel;
	uint32_t reserved;
};

struct lt_beat {
	uint64_t waits_for;
	char at[LT_CONTROL_AT];
};

struct lt_verdict {
	uint64_t rank;
	double seconds;
	uint32_t kind, reserved;
	char text[768]; /* of an abort; where the culprit is, if it is stuck */
};

/* The connection to a rank: rank 0 has one to each other, the others have spoke[0]. */
struct lt_spoke {
	int fd; /* -1: none, or closed */
	struct lu_buf out, in;
	size_t sent; /* of out */
	double heard;
	double left; /* when it said farewell, 0: it has not */
	bool acked;  /* it has ours */
	size_t waits_for;
	char at[LT_CONTROL_AT];
	struct lu_buf inbox[LT_CHANNELS]; /* frames that nobody has received yet */
	size_t taken[LT_CHANNELS];	  /* bytes of the inbox that have been */
};

struct lt_arrival {
	size_t rank;
	uint32_t link;
	int fd;
};

struct lt_control {
	size_t rank, size;
	double deadline, beat;
	struct lt_member *members;
	unsigned char secret[16];
	struct lt_door door;
	struct lt_spoke *spoke; /* [size] */
	struct pollfd *poll;	/* [2 + size], the thread's */
	int wake, down;		/* eventfd */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct LU_VEC(struct lt_arrival) arrivals;
	char at[LT_CONTROL_AT];
	size_t waits_for;
	bool closing, stop, cancelled;

	struct lt_verdict suspicion; /* rank 0: of a closed connection, judged at suspicion_due */
	double suspicion_due;
	struct lt_verdict verdict; /* once failed */
	bool failed;
	double failed_at;
	char sentence[768];
};

/* spoke.c */
void lt_control_wake(const struct lt_control *k);
/* Queue a frame and send what the socket takes. */
void lt_spoke_put_locked(struct lt_control *k, struct lt_spoke *s, enum lt_frame_kind kind,
		enum lt_channel channel, uint32_t op, const void *p, size_t n);
/* Send what the socket takes. What is wrong with it shows when it is read. */
void lt_spoke_flush_locked(struct lt_spoke *s);
size_t lt_spoke_unsent(const struct lt_spoke *s); /* bytes */

/* control_thread.c */
void *lt_control_run(void *control);

/* failure.c */
void lt_control_fail_locked(struct lt_control *k, const struct lt_verdict *v);
/* Rank 0: judge what a rank says of another. */
void lt_control_judge_locked(struct lt_control *k, const struct lt_verdict *v);
/* Rank 0: true if the rank, which may be rank 0, closes the run or has. */
bool lt_control_has_left_locked(const struct lt_control *k, size_t rank);
/* True if several heartbeats of the rank are missing. */
bool lt_control_is_quiet_locked(const struct lt_control *k, size_t rank);
bool lt_control_is_over_locked(const struct lt_control *k); /* failed or cancelled */
int lt_control_error_locked(const struct lt_control *k, struct lu_err *err);
/* After a failure, again and again: end processes on this host, as control.h says. Returns false once
 * nothing is left to do. Without the lock. */
bool lt_control_end_neighbours(const struct lt_control *k);

#endif
