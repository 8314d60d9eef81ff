#ifndef LUCIE_TRAINER_PARALLEL_MESH_H
#define LUCIE_TRAINER_PARALLEL_MESH_H
/*
 * The mesh: how the ranks of a run are arranged along the axes of parallelism. A rank has one
 * coordinate on each axis, and
 *	rank = sum over the axes of coordinate * stride,
 * where the stride of an axis is the product of the sizes of the axes before it in the order. With
 * "tp cp dp pp", the default, neighbouring ranks share a tensor and the stages of a pipeline are
 * farthest apart: ranks of one host should be on the axis that communicates most (Narayanan et al.,
 * "Efficient large-scale language model training on GPU clusters using Megatron-LM", SC 2021).
 *
 *	size_t size[LT_AXES] = { [LT_TP] = 2, [LT_CP] = 1, [LT_DP] = 4, [LT_PP] = 2 };
 *	struct lt_mesh m;
 *
 *	lt_mesh_init(&m, size, "tp cp dp pp", 16, &err)
 *	lt_mesh_at(&m, LT_PP, rank)			the stage of a rank
 *	size_t ranks[m.size[LT_DP]]			(from the heap)
 *	lt_mesh_group(&m, LT_DP, rank, ranks)		for lt_comm_group()
 *
 * The struct owns nothing. Ranks and coordinates passed in must be within the mesh.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

enum lt_axis { LT_TP, LT_CP, LT_DP, LT_PP, LT_AXES };

#define LT_MESH_ORDER "tp cp dp pp"

struct lt_mesh {
	size_t size[LT_AXES];
	enum lt_axis order[LT_AXES]; /* fastest first */
	size_t stride[LT_AXES];
	size_t ranks;  /* the product of the sizes */
	bool reversed; /* lt_mesh_reverse() */
};

/*
 * Fill the mesh from the sizes of the axes (configuration keys parallel.tp to parallel.pp), their
 * order (parallel.order, blanks between; NULL: LT_MESH_ORDER) and the number of processes that were
 * started. size[LT_DP] = 0 means as many as the processes allow. Errors: a size of 0 otherwise, a
 * context-parallel size above 1, a product that differs from the number of processes, an order that
 * does not name each axis once.
 */
int lt_mesh_init(struct lt_mesh *m, const size_t size[LT_AXES], const char *order, size_t processes,
		struct lu_err *err) LU_CHECKED;

/*
 * Number the ranks of the data-parallel axis by the reversed bits of their places, if they are a power of
 * two; false if they are not. The tree by which members are summed (comm.h) pairs member j with
 * j + size / 2 first: these are now neighbours, in one host, and what goes between hosts last is an
 * eighth of all where a host has eight.
 */
bool lt_mesh_reverse(struct lt_mesh *m);

/* "tp", "cp", "dp" or "pp". */
const char *lt_axis_name(enum lt_axis axis);

/* Coordinate of a rank on an axis. */
size_t lt_mesh_at(const struct lt_mesh *m, enum lt_axis axis, size_t rank);
/* The rank that has these coordinates. */
size_t lt_mesh_rank(const struct lt_mesh *m, const size_t at[LT_AXES]);
/* The rank with coordinate `to` on the axis, and those of `rank` on the others. */
size_t lt_mesh_peer(const struct lt_mesh *m, enum lt_axis axis, size_t rank, size_t to);
/* ranks[0 .. size[axis] - 1]: the group of the axis that `rank` belongs to. Member c of it is the
 * rank with coordinate c. */
void lt_mesh_group(const struct lt_mesh *m, enum lt_axis axis, size_t rank, size_t *ranks);

/* Append a table for people: each axis of more than one rank with its size, the number of its
 * groups and their ranks; of more than three groups, the first two and the last. */
int lt_mesh_print(const struct lt_mesh *m, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
