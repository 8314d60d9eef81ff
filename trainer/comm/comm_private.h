#ifndef LUCIE_TRAINER_COMM_COMM_PRIVATE_H
#define LUCIE_TRAINER_COMM_COMM_PRIVATE_H
/*
 * The inside of struct lt_comm and struct lt_group, which the files of this folder share.
 */
#include "trainer/comm/comm.h"
#include "trainer/comm/control.h"
#include "trainer/comm/transport.h"
#include "trainer/comm/worker.h"

/* On GPUs: bytes that two members exchange before they are added, and of all versions of a sum that
 * each member makes. */
#define LT_GPU_SLICE ((size_t)32 << 20)
#define LT_GPU_GATHER ((size_t)1 << 20)

struct lt_comm {
	size_t rank, size, local_rank, local_size;
	double deadline;
	double waited; /* lt_comm_waited() */
	struct lt_group *groups;
	bool speaks;
	bool agreed; /* lt_comm_agree() has failed */
	/* With one rank that is all, and `self`, for its host's name; the rest is NULL. */
	struct lt_process self;
	const struct lk_ops *ops;
	struct lt_control *control;
	const struct lt_transport *transport;
	void *carrier;	   /* the transport's own */
	uint32_t *shared;  /* [size]: groups so far that this rank shares with each other */
	bool reads_memory; /* ranks on one host read each other's memory */
	char at[160];	   /* lt_comm_at(), the caller's own copy */
	/* With data on GPUs. */
	const struct lt_gpu_transport *gpu;
	void *gpu_carrier;
};

struct lt_group {
	struct lt_comm *comm;
	struct lt_group *next;
	char name[16];
	size_t *ranks; /* [size] */
	size_t rank, size;
	/* [size]: how many groups this rank and the member shared before. All members make their groups
	 * in the same order, so the two agree on this number: it names the group between them. */
	uint32_t *number;
	void *link; /* the transport's own */
	void *gpu;  /* the GPU transport's own */
	struct lt_worker *collective;
	struct lt_worker **direct; /* [2 * size]: sends to, then receives from each member */
	/* Of the collectives, one of which runs at a time; grow-only. */
	struct lt_transfer *transfers; /* [2 * size] */
	char **member;		       /* [size] */
	size_t *bound;		       /* [size + 1] */
	char *work;
	size_t work_bytes;
};

/* group.c */
void lt_groups_settle(struct lt_comm *c); /* lt_comm_settle() */
void lt_groups_release(struct lt_comm *c);

/* Bytes of an element. */
static inline size_t lt_element_size(const struct lt_comm *c, enum lt_element type)
{
	switch (type) {
	case LT_REALS: return sizeof(lk_real);
	case LT_DOUBLES: return sizeof(double);
	case LT_ACTS: return c->ops->act_size;
	case LT_BYTES: return 1;
	}
	return 0;
}

#endif
