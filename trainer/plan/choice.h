#ifndef LUCIE_TRAINER_PLAN_CHOICE_H
#define LUCIE_TRAINER_PLAN_CHOICE_H
/*
 * A layout as somebody would write it: "tp=2,sequence=yes,dp=256", keys of [parallel] and
 * train.micro_batch. What is not given is as in the configuration, or, in a search, open.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "trainer/run/settings.h"

/* In the order in which they are printed. */
enum lt_choice_key {
	LT_CHOICE_TP,
	LT_CHOICE_SEQUENCE,
	LT_CHOICE_PP,
	LT_CHOICE_INTERLEAVE,
	LT_CHOICE_DP,
	LT_CHOICE_ZERO,
	LT_CHOICE_MICRO_BATCH,
	LT_CHOICE_RECOMPUTE, /* enum lt_recompute */
	LT_CHOICE_KEYS
};

struct lt_choice {
	uint64_t value[LT_CHOICE_KEYS];
	bool given[LT_CHOICE_KEYS];
};

/* Read "key=value,...". */
int lt_choice_parse(struct lt_choice *c, const char *text, struct lu_err *err) LU_CHECKED;
/* All of a configuration, with dp = 0 replaced by what so many processes leave. */
struct lt_choice lt_choice_of(const struct lt_settings *s, uint64_t processes);
/* Put what is given into the settings. parallel.stages goes where it no longer fits, and dp follows
 * from the processes unless it is given. */
void lt_choice_apply(const struct lt_choice *c, uint64_t processes, struct lt_settings *s);
/* True if all that is given in `filter` is so in c. */
bool lt_choice_matches(const struct lt_choice *filter, const struct lt_choice *c);
/* Append it as lt_choice_parse() reads it. */
void lt_choice_print(const struct lt_choice *c, struct lu_buf *out);
/* A value as the configuration writes it. */
void lt_choice_value(const struct lt_choice *c, enum lt_choice_key key, struct lu_buf *out);
/* Name of a key, as in the configuration. */
const char *lt_choice_name(enum lt_choice_key key);

#endif
