#ifndef LUCIE_DEDUP_ESTIMATE_H
#define LUCIE_DEDUP_ESTIMATE_H
/*
 * What a run will take, told before it starts: memory, temporary files, time. A run that exhausts the
 * machine after a day could have been refused by its user in the first second.
 *
 *	lu_estimate_say(&o, &args);
 *
 * Speaks with -v, and without where the files have LU_ESTIMATE_LARGE bytes or more; warns where the
 * temporary directory has less room than may be needed, or the machine less memory. Says nothing where
 * an input is no regular file, since its size is unknown. Documents and compression are those of a
 * sample: the first megabyte of the first, the middle and the last file.
 *
 * The figures are upper bounds from what a document takes (keyset.h, exact.h, near.h) and from rates
 * measured on one core of a server of 2025: they tell minutes from days, not minutes from minutes.
 */
#include <stdint.h>

#include "libcommon/dedup/steps.h"

#define LU_ESTIMATE_LARGE ((uint64_t)4 << 30)

struct lu_estimate {
	uint64_t bytes, docs;  /* in: of the records, decompressed */
	uint64_t memory, disk; /* bytes */
	double seconds;
};

/* Fill in memory, disk and seconds. */
void lu_estimate_run(struct lu_estimate *e, const struct lu_dedup_options *o);
void lu_estimate_say(const struct lu_dedup_options *o, const struct lu_args *args);

#endif
