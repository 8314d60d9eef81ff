#ifndef LUCIE_TRAINER_RUN_RUNFOLDER_H
#define LUCIE_TRAINER_RUN_RUNFOLDER_H
/*
 * The folder of a run:
 *	config.ini		the configuration in effect
 *	tokenizer.json		a copy of data.tokenizer, if one was given
 *	metrics.jsonl		results, one JSON object per line; equal runs have equal bytes
 *	timing.jsonl		measured times, likewise
 *	step-00001000/ ...	checkpoints (checkpoint.h); latest -> step-00001000
 *	trainer.lock		who trains (owner.h), while somebody does
 * The logs are only appended to, by one write() per line.
 *
 *	lt_run_check(path, &err)		early; changes nothing
 *	... open and check whatever else the run needs ...
 *	struct lt_run run;
 *	lt_run_open(&run, path, &err)
 *	lt_run_record(&run, &record, &err)	what a start writes, all or nothing
 *	lt_run_log(&run, LT_METRICS, &line, &err)
 *	lt_run_close(&run, &err)
 *
 * With several processes, one of them opens the folder and writes to it.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "trainer/run/owner.h"

enum lt_log { LT_METRICS, LT_TIMING, LT_LOGS };

struct lt_run {
	char *path;
	size_t found; /* the part of the path, in bytes, that existed before */
	struct lt_owner owner;
	int log[LT_LOGS]; /* descriptors, -1 until the first line */
};

/* The folder, or the nearest one above it that exists. malloc'd; NULL on error. */
char *lt_run_existing(const char *path, struct lu_err *err) LU_CHECKED;

/* Fail if another trainer owns the folder, or if it could not be created or written to. */
int lt_run_check(const char *path, struct lu_err *err) LU_CHECKED;

/* Create the folder if needed, become its owner, and remove unfinished checkpoints of a killed run.
 * On failure nothing that was created is left. */
int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err) LU_CHECKED;

/* Give up the ownership. A created folder that is still empty is removed. */
int lt_run_close(struct lt_run *r, struct lu_err *err) LU_CHECKED;

/* What a start writes: config.ini, a copy of the tokenizer unless it is NULL, and a line of
 * metrics.jsonl unless it is empty. On failure the folder is as before. */
struct lt_record {
	struct lu_str config;
	const char *tokenizer;
	const struct lu_buf *line;
};
int lt_run_record(struct lt_run *r, const struct lt_record *record, struct lu_err *err) LU_CHECKED;

/* Append a line, which includes its newline; to the results not if another trainer has taken over.
 * The first call removes a partial last line. */
int lt_run_log(struct lt_run *r, enum lt_log log, const struct lu_buf *line,
		struct lu_err *err) LU_CHECKED;

/* Sync the logs, so that no checkpoint is newer than the lines of its steps. */
int lt_run_sync(const struct lt_run *r, struct lu_err *err) LU_CHECKED;

#endif
