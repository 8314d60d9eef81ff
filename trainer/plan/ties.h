#ifndef LUCIE_TRAINER_PLAN_TIES_H
#define LUCIE_TRAINER_PLAN_TIES_H
/*
 * Time of the exchange within the groups of a mesh on a cluster. Ranks fill the nodes in their order,
 * so where a group lies follows from the stride of its axis.
 *
 * A ring sends (n - 1) / n of a buffer over each of its n hops (Patarasuk and Yuan 2009). Within a
 * node a hop has the rate of a GPU's link. Between nodes a group has the share of the node's adapters
 * that belongs to its members there, since all groups of the axis exchange at once: with one adapter a
 * GPU, two members in a node have two adapters. A hop costs the latency of its kind; an all-reduce of
 * a small buffer goes over a tree instead.
 */
#include "trainer/parallel/mesh.h"
#include "trainer/plan/cluster.h"

struct lt_ties {
	double n;	/* members */
	double nodes;	/* that they are spread over */
	double rate;	/* bytes a second of a ring */
	double turn;	/* seconds of latency once around */
	double depth;	/* seconds of latency up and down a tree */
	double message; /* bytes a second from a member to the next */
	double hop;	/* seconds of latency to the next member */
};

struct lt_ties lt_ties_of(const struct lt_cluster *c, const struct lt_constants *k,
		const struct lt_mesh *m, enum lt_axis axis);

/* Seconds of a reduce-scatter or an all-gather of a buffer, of an all-reduce, and of a message to the
 * next member. 0 in a group of one. */
double lt_ties_ring(const struct lt_ties *t, double bytes);
double lt_ties_all_reduce(const struct lt_ties *t, double bytes);
double lt_ties_send(const struct lt_ties *t, double bytes);

/* Bytes that a member sends in a reduce-scatter or an all-gather. */
double lt_ties_sent(const struct lt_ties *t, double bytes);

#endif
