#ifndef LUCIE_TRAINER_PARALLEL_ACTIONS_CHART_H
#define LUCIE_TRAINER_PARALLEL_ACTIONS_CHART_H
/*
 * A pipeline schedule for people, in 80 columns for up to 4 chunks a stage: layers, activation
 * slots and waiting time of each stage, the bubble, and the passes over time. Of more than 16
 * stages the first and the last 8 are shown; a long step loses its middle, which repeats itself.
 * One stage is one line.
 */
#include <stddef.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "trainer/parallel/actions.h"

/*
 * Check the schedule (lt_pipeline_check()) and append its description. layers[stages * v] and
 * `head` are those of lt_stages_split(). Waiting times and bubble come from a walk in which a
 * forward pass takes a unit of time a layer, a backward pass twice as long, and the head adds both
 * to the backward pass of the last chunk; the chart has 1 and 2 columns for each pass.
 */
int lt_pipeline_print(const struct lt_pipeline *p, const size_t *layers, double head,
		struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
