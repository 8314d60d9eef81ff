#ifndef LUCIE_TRAINER_RUN_START_H
#define LUCIE_TRAINER_RUN_START_H
/*
 * What a start of lucie-train does with its configuration: a file and the arguments of --set, which
 * the run folder keeps.
 *
 *	lt_start_load(&config, path, &set, phase, &err)
 *	lt_start_tokenizer(run, &config, &tokenizer, &err)
 *	lt_start_unchanged(run, &set, phase, &config, &err)	an existing run differs in nothing but --set
 *	lt_start_has_effect(run, &set, &config, &err)	a complete run: --set would change nothing
 *	lt_start_record(&run, &set, &config, fresh, &err)
 */
#include "libcommon/sys/opt.h"
#include "trainer/run/config.h"
#include "trainer/run/runfolder.h"

/* Read a configuration, apply --set, leave only one phase unless it is NULL, and check the result. A phase
 * other than the first must have train.init. */
int lt_start_load(struct lt_config *c, const char *path, const struct lu_list *set,
		const char *phase, struct lu_err *err) LU_CHECKED;

/* The tokenizer of the run (NULL: none), or else the one it will have; *path is malloc'd, NULL for none.
 * Refuses a data.tokenizer that differs from the one that the run has. */
int lt_start_tokenizer(const char *run, const struct lt_config *c, char **path,
		struct lu_err *err) LU_CHECKED;

/* Say in *err where a value that is wrong came from: the last --set of its key, or else the file,
 * unless path is NULL. Returns -1. */
int lt_start_blame(const char *path, const struct lu_list *set, struct lu_err *err);

/* Refuse a configuration that differs from that of the existing run in a key that --set does not
 * name, but for phases behind those of the run. */
int lt_start_unchanged(const char *run, const struct lu_list *set, const char *phase,
		const struct lt_config *now, struct lu_err *err) LU_CHECKED;

/* Refuse settings for a complete run, where they can have no effect any more: what is recorded, and a
 * tokenizer for a run without one, are fine. */
int lt_start_has_effect(const char *run, const struct lu_list *set, const struct lt_config *now,
		struct lu_err *err) LU_CHECKED;

/* Write what this start changes: config.ini, the tokenizer if the run has none, and a line of
 * metrics.jsonl with the arguments of --set. Phases that are added are named in a note. */
int lt_start_record(struct lt_run *run, const struct lu_list *set, const struct lt_config *now,
		bool fresh, struct lu_err *err) LU_CHECKED;

#endif
