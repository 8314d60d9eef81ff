#ifndef LUCIE_TRAINER_RUN_LAYOUT_H
#define LUCIE_TRAINER_RUN_LAYOUT_H
/*
 * The layout of a run: its mesh of ranks, what this rank holds of the model, and its groups.
 *
 *	struct lt_layout l = { 0 };
 *	lt_layout_init(&l, &settings, rank, processes, &err)	checks everything, needs no network
 *	lt_layout_connect(&l, comm, &err)
 *	... l.place, l.group[LT_DP], ...
 *	lt_layout_release(&l);			also of a zeroed struct; the groups are the comm's
 *
 * Micro-batch j of a step is summed in lane j mod lanes. Data-parallel rank r of d holds the lanes r,
 * r + d, ..., and so computes the micro-batches j with j mod d = r, its i-th being j = i d + r. A rank
 * may have one fewer than another, or none.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/weights.h"
#include "trainer/parallel/mesh.h"
#include "trainer/run/backend.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/settings.h"

struct lt_layout {
	struct lt_comm *comm; /* caller-owned; NULL until connected */
	struct lt_mesh mesh;
	size_t rank, at[LT_AXES];
	struct lt_group *group[LT_AXES]; /* NULL on an axis of one rank */
	size_t v;			 /* chunks a stage */
	struct lt_chunk *chunk;		 /* [pp * v]: of all stages, in the order of the model */
	struct lt_chunk *own;		 /* [v]: of this stage */
	struct lt_place place;		 /* refers to own */
	size_t lanes;			 /* of all ranks */
	bool zero, sequence;
};

/* processes: that were started; 0: as many as the sizes say, with dp = 0 standing for 1. */
int lt_layout_init(struct lt_layout *l, const struct lt_settings *s, size_t rank, size_t processes,
		struct lu_err *err) LU_CHECKED;
/* True if a rank holds the same and talks to the same ranks in both. */
bool lt_layout_equal(const struct lt_layout *a, const struct lt_layout *b);
/* Whether so many processes can train in the layout of the settings. Otherwise *needed: how many can, or
 * with *multiple any multiple of so many. */
bool lt_layout_fits(const struct lt_settings *s, size_t processes, size_t *needed, bool *multiple);
int lt_layout_connect(struct lt_layout *l, struct lt_comm *comm, struct lu_err *err) LU_CHECKED;
void lt_layout_release(struct lt_layout *l);

struct lt_holding lt_layout_holding(const struct lt_layout *l, const struct lt_settings *s);
struct lt_groups lt_layout_groups(const struct lt_layout *l);

/* For the manifests of checkpoints. */
struct lt_written_by lt_layout_describe(
		const struct lt_layout *l, const struct lt_settings *s, const struct lt_backend *b);

/* Number of micro-batches that this rank computes of a step of n. */
size_t lt_layout_micros(const struct lt_layout *l, size_t n);
/* Say so if a run that goes on rounds otherwise than its checkpoint was: in another type, or in sums of
 * another order. */
void lt_layout_note_rounding(const struct lt_written_by *was, const struct lt_written_by *is);
/* Micro-batch of the step that is this rank's i-th. */
static inline size_t lt_layout_micro(const struct lt_layout *l, size_t i)
{
	return i * l->mesh.size[LT_DP] + l->at[LT_DP];
}

#endif
