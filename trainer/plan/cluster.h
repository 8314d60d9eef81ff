#ifndef LUCIE_TRAINER_PLAN_CLUSTER_H
#define LUCIE_TRAINER_PLAN_CLUSTER_H
/*
 * A cluster of GPUs, and the constants that turn what is counted into time. Both are files of
 * "key = value" lines in one section (libcommon/sys/conf.h, lucie-plan(1)):
 *
 *	struct lt_cluster c;
 *	struct lt_constants k;
 *
 *	lt_cluster_read(&c, "jean-zay-h100", &err)	one of pipelines/clusters, or a file
 *	lt_constants_read(&k, NULL, &err)		pipelines/clusters/constants.ini, or a file
 *	lt_cluster_print(&c, &buf)			two lines of text
 *
 * Every key of a file must be there once.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

/* [cluster]. Rates are those of the data sheet, in one direction. */
struct lt_cluster {
	uint64_t gpus, gpus_per_node;
	uint64_t memory;   /* of a GPU, bytes */
	double peak;	   /* dense bf16 TFLOP/s of a GPU */
	double bandwidth;  /* of its memory, GB/s */
	double link;	   /* of a GPU to the others of its node, GB/s */
	uint64_t adapters; /* of a node */
	double adapter;	   /* of each, Gb/s */
	double latency;	   /* of a message between nodes, microseconds */
};

/* [constants] */
struct lt_constants {
	/* Matrix products: the share of the peak that large ones reach, and the elements of the result
	 * at which they reach half of it, since the last wave of tiles leaves processors idle. */
	double product, product_area;
	/* Attention, causal and counted half: the share of the peak that long contexts reach, and the
	 * context at which half of it is reached. */
	double attention, attention_context;
	double attention_back, attention_back_context;
	/* Time of computation as a multiple of what follows from the above: 1 for a trainer that is all
	 * kernels, more for one whose host or operations are in the way. */
	double software;
	double moving; /* share of the memory's bandwidth that the other operations reach */
	double launch; /* microseconds between two operations */
	/* Shares of their rates that large messages reach, and the time of a small message within a
	 * node in microseconds. */
	double link, adapter, link_latency;
	double overlap;	   /* share of a pass that exchange may hide behind */
	double step;	   /* milliseconds of a step that do not depend on its size */
	double straggler;  /* standard deviation of the time of a node, as a share of the mean */
	uint64_t reserved; /* bytes of a GPU that context and libraries keep */
};

int lt_cluster_read(struct lt_cluster *c, const char *name, struct lu_err *err) LU_CHECKED;
/* Check the sizes; call it again if they were changed after reading. */
int lt_cluster_check(const struct lt_cluster *c, struct lu_err *err) LU_CHECKED;
/* Nodes that the GPUs fill, the last one in part. */
double lt_cluster_nodes(const struct lt_cluster *c);
void lt_cluster_print(const struct lt_cluster *c, struct lu_buf *out);

/* path NULL: the file that is installed with the program. */
int lt_constants_read(struct lt_constants *k, const char *path, struct lu_err *err) LU_CHECKED;

#endif
