#ifndef LUCIE_TESTS_FAKE_NCCL_H
#define LUCIE_TESTS_FAKE_NCCL_H
/* Internals of fake_nccl.so: fake_nccl.c has NCCL's functions, fake_nccl_run.c moves the data. */
#include <nccl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind { SEND, RECV, ALL_REDUCE, REDUCE_SCATTER, ALL_GATHER, REDUCE, BROADCAST };

struct op {
	enum kind kind;
	ncclComm_t comm;
	cudaStream_t stream;
	const char *from;
	char *to;
	size_t count;
	ncclDataType_t type;
	int root;	/* or peer */
	char *versions; /* of all ranks, for sums */
};

struct ncclComm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ncclUniqueId id;
	int ranks, rank;
	int *fds; /* [ranks] */
	ncclResult_t state;
	bool aborted, used, finalized;
	uint64_t queued, done; /* operations, in their order */
	size_t users;
};

struct launch {
	ncclComm_t comm;
	cudaStream_t stream;
	uint64_t ticket, number;
	size_t n;
	struct op op[];
};

/* By the kind of an operation. */
extern const char *const fake_names[];

void fake_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
uint64_t fake_asked(const char *name); /* a number of the environment */
bool fake_aborted(ncclComm_t c);
void fake_leave(ncclComm_t c); /* a user of a communicator goes; the last one frees it */
void fake_in_background(void *(*fn)(void *), void *ctx);
/* The launch is one send that waits for nobody. */
bool fake_sends_at_once(const struct launch *n);
/* Do the operations of a launch, and free it: the work of a stream. */
void fake_run(void *launch);

#endif
