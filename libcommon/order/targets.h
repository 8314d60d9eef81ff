#ifndef LUCIE_ORDER_TARGETS_H
#define LUCIE_ORDER_TARGETS_H
/*
 * Which tokens of a document are targets of training: those whose mask in the shard says so
 * (shard/mask.h) and that the goldfish does not leave out (goldfish.h).
 */
#include "libcommon/base/vec.h"
#include "libcommon/shard/reader.h"

/* Tokens from .. to - 1 of a shard. */
struct lu_target_range {
	uint64_t from, to;
};

struct lu_targets {
	uint64_t n; /* targets in all */
	struct LU_VEC(struct lu_target_range) range;
};

/*
 * Find the targets among tokens from .. to - 1 of a shard, all of the document that begins at token
 * `first`; goldfish is K, or 0. What *t had before is replaced; release it at the end.
 */
int lu_targets_find(struct lu_targets *t, const struct lu_shard *s, uint64_t first, uint64_t from,
		uint64_t to, uint64_t goldfish, struct lu_err *err) LU_CHECKED;
void lu_targets_release(struct lu_targets *t);

#endif
