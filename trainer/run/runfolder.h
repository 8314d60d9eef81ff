#ifndef LUCIE_TRAINER_RUN_RUNFOLDER_H
#define LUCIE_TRAINER_RUN_RUNFOLDER_H
/*
 * The folder of a run:
 *	config.ini		the configuration as it took effect
 *	tokenizer.json		a copy of data.tokenizer, where one was given
 *	metrics.jsonl		what happened: one JSON object a line, added at the end, one write a
 *				line; the same bytes for the same run
 *	timing.jsonl		how long it took, likewise
 *	step-00001000/ ...	checkpoints (checkpoint.h); latest -> step-00001000
 * While a trainer works it holds a lock on the folder; a second one is refused.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

enum lt_log { LT_METRICS, LT_TIMING, LT_LOGS };

struct lt_run {
	char *path;
	int dir;	  /* descriptor of the folder: the lock */
	int log[LT_LOGS]; /* descriptors, -1 until the first line */
};

/* Creates the folder when there is none, takes the lock and removes what a killed run left. */
int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err) LU_CHECKED;
int lt_run_close(struct lt_run *r, struct lu_err *err) LU_CHECKED;

/* "RUN/name", malloc'd; NULL when memory is out. */
char *lt_run_path(const char *run, const char *name);
bool lt_run_has(const char *run, const char *name);

/* Removes a folder of plain files; nothing there is fine. */
int lt_folder_remove(const char *path, struct lu_err *err);

int lt_run_write(struct lt_run *r, const char *name, struct lu_str text,
		struct lu_err *err) LU_CHECKED;
/* Copies a file into the folder under a name. */
int lt_run_copy(const char *from, const char *run, const char *name, struct lu_err *err) LU_CHECKED;
/* Adds one line (with its newline) in one write. */
int lt_run_log(struct lt_run *r, enum lt_log log, const struct lu_buf *line,
		struct lu_err *err) LU_CHECKED;

#endif
