#include "trainer/plan/ties.h"

#include <math.h>

#define GIGA 1e9
#define MICRO 1e-6

/* Members of a group that share a node. */
static double in_node(const struct lt_cluster *c, const struct lt_mesh *m, enum lt_axis axis)
{
	size_t n = m->size[axis], stride = m->stride[axis], fit = c->gpus_per_node / stride;

	return fit < 1 ? 1 : (double)(fit < n ? fit : n);
}

struct lt_ties lt_ties_of(const struct lt_cluster *c, const struct lt_constants *k,
		const struct lt_mesh *m, enum lt_axis axis)
{
	double n = (double)m->size[axis], here = in_node(c, m, axis), nodes = ceil(n / here);
	double link = c->link * GIGA * k->link, near = k->link_latency * MICRO;
	double far = c->latency * MICRO;
	double node = (double)c->adapters * c->adapter / 8 * GIGA * k->adapter;
	double gpu = node / (double)c->gpus_per_node;
	struct lt_ties t = { .n = n, .nodes = nodes, .rate = link, .message = link, .hop = near };

	if (nodes > 1) {
		t.rate = fmin(link, gpu * here);
		if (here < 2) {
			t.message = fmin(link, gpu);
			t.hop = far;
		}
	}
	t.turn = nodes > 1 ? nodes * far + (n - nodes) * near : (n - 1) * near;
	t.depth = 2 * (nodes > 1 ? log2(nodes) * far : 0) + 2 * (here > 1 ? log2(here) * near : 0);
	return t;
}

double lt_ties_sent(const struct lt_ties *t, double bytes)
{
	return (t->n - 1) / t->n * bytes;
}

double lt_ties_ring(const struct lt_ties *t, double bytes)
{
	return t->n > 1 ? lt_ties_sent(t, bytes) / t->rate + t->turn : 0;
}

double lt_ties_all_reduce(const struct lt_ties *t, double bytes)
{
	return t->n > 1 ? 2 * lt_ties_sent(t, bytes) / t->rate + fmin(2 * t->turn, t->depth) : 0;
}

double lt_ties_send(const struct lt_ties *t, double bytes)
{
	return t->n > 1 ? bytes / t->message + t->hop : 0;
}
