#ifndef LUCIE_TRAINER_RUN_RUNFOLDER_H
#define LUCIE_TRAINER_RUN_RUNFOLDER_H
/*
 * The folder of a run:
 *	config.ini		the configuration in effect
 *	tokenizer.json		a copy of data.tokenizer, if one was given
 *	metrics.jsonl		results, one JSON object per line; equal runs have equal bytes
 *	timing.jsonl		measured times, likewise
 *	step-00001000/ ...	checkpoints (checkpoint.h); latest -> step-00001000
 * The logs are only appended to, by one write() per line. A trainer holds a lock on the folder; a
 * second one is refused.
 *
 *	struct lt_run run;
 *	lt_run_open(&run, path, &err)
 *	lt_run_log(&run, LT_METRICS, &line, &err)
 *	lt_run_close(&run, &err)
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

enum lt_log { LT_METRICS, LT_TIMING, LT_LOGS };

struct lt_run {
	char *path;
	int dir;	  /* descriptor of the folder, which holds the lock */
	int log[LT_LOGS]; /* descriptors, -1 until the first line */
};

/* Create the folder if needed, lock it, and remove unfinished checkpoints of a killed run. */
int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err) LU_CHECKED;
int lt_run_close(struct lt_run *r, struct lu_err *err) LU_CHECKED;

/* Append a line, which includes its newline. The first call removes a partial last line. */
int lt_run_log(struct lt_run *r, enum lt_log log, const struct lu_buf *line,
		struct lu_err *err) LU_CHECKED;

#endif
