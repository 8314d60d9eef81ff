#ifndef LUCIE_TESTS_COMM_CHECKS_H
#define LUCIE_TESTS_COMM_CHECKS_H
/*
 * What every transport must do, as the work of ranks (ranks.h): each of the checks is called by all
 * ranks of a run. They use check_queue, if it is set, with buffers that host and device both read, and
 * wait for it before they look.
 */
#include "tests/trainer/ranks.h"

extern const struct lk_ops *check_ops;
extern struct lk_queue *check_queue; /* NULL: the transport is of host memory */

/* Every collective, with every type and many sizes, against a serial tree. 1 to 6 ranks. */
int check_collectives(struct lt_comm *c, void *arg, struct lu_err *err);
/* A message of more than 2^31 bytes. Two ranks. */
int check_big(struct lt_comm *c, void *arg, struct lu_err *err);
/* Operations that are under way together do not delay each other or their callers. Two ranks; the
 * groups have the ranks 0 and 1. */
int check_overlap(struct lt_comm *c, void *arg, struct lu_err *err);
int check_overlap_in(struct lt_comm *c, struct lt_group *a, struct lt_group *b, struct lu_err *err);
/* Ranks that all send before they receive. */
int check_sends_first(struct lt_comm *c, void *arg, struct lu_err *err);
int check_sends_first_in(struct lt_comm *c, struct lt_group *g, struct lu_err *err);
/* Several groups at once. Four ranks. */
int check_mesh(struct lt_comm *c, void *arg, struct lu_err *err);

#endif
