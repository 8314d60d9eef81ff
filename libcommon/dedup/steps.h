#ifndef LUCIE_DEDUP_STEPS_H
#define LUCIE_DEDUP_STEPS_H
/*
 * The steps of lucie-dedup, and the options that they share. tools/lucie-dedup.c is a table of them.
 *
 * Without --step the program reads documents and writes those that it keeps (dedup_run.c). With
 * --step NAME it does a part of that which is a pure function of files: it reads the files named on
 * the command line and writes o->std.output, a file of dedup/stepfile.h, or documents in the case of
 * drop. So the steps can run as tasks on many machines, and the result has the bytes of one run:
 *
 *	keys	documents of one file -> the key of each			exact_steps.c
 *	first	files of keys, in the order of the documents, --part I/N of the keys
 *		-> a drop list (droplist.h)
 *	sign	documents of one file -> sketches and pairs		near_sign_step.c
 *	meet	files of sign, in the order of the documents, --part I/N of the keys
 *		-> seats: documents that share a key			near_pair_steps.c
 *	fetch	one file of sign, then all of meet -> guests: the same with sketches
 *	edges	all files of fetch, --part I/N of the buckets -> pairs of similar documents
 *	link	all files of edges -> the sets that they connect	near_set_steps.c
 *	gather	one file of sign, then that of link -> members of sets
 *	settle	all files of gather, --part I/N of the sets -> a drop list
 *	drop	documents of one file, --drops all lists -> the documents kept, the removal log and the
 *		accounting line
 *
 * A step is a function of this type. It may use everything of d->o that it documents; usage errors
 * that a table cannot tell are found by the program before (lu_usage_error()).
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/dedup/keep.h"
#include "libcommon/sys/tool.h"

struct lu_dedup_options {
	struct lu_std std;
	/* what is compared */
	bool exact, near, paragraphs, within, fold;
	const char *key, *by;
	int bands, rows;
	double verify;
	bool bands_given, rows_given, verify_given;
	uint64_t min_bytes; /* of a paragraph or block; --min-bytes */
	bool min_bytes_given;
	/* what is kept, and what becomes known of the rest */
	const char *keep_text; /* of --keep; NULL: first */
	struct lu_keep keep;
	const char *removed;
	bool cluster_size, similarity;
	const char *most_text; /* of --most */
	double most;	       /* share of a source; 1: no limit */
	bool yes;
	/* signatures and steps */
	const char *signatures;
	struct lu_list from_signatures;
	/* clusters and the next dump */
	const char *clusters, *save_index;
	struct lu_list against;
	const char *step, *part_text;
	unsigned part, parts; /* of --part I/N: 1 .. parts; 1 and 1 without it */
	struct lu_list drops;
};
#define LU_DEDUP_DEFAULTS                                                                  \
	{                                                                                  \
		.std = LU_STD_DEFAULTS, .bands = 14, .rows = 8, .verify = 0.71, .most = 1, \
		.part = 1, .parts = 1, .min_bytes = 128                                    \
	}

struct lu_dedup {
	const struct lu_dedup_options *o;
	const struct lu_args *args;
};

typedef int lu_dedup_step(const struct lu_dedup *d, struct lu_err *err);

/* Without --step (dedup_run.c). */
lu_dedup_step lu_dedup_run;

/* near_sign_step.c, near_pair_steps.c, near_set_steps.c */
lu_dedup_step lu_near_step_sign;
lu_dedup_step lu_near_step_meet;
lu_dedup_step lu_near_step_fetch;
lu_dedup_step lu_near_step_edges;
lu_dedup_step lu_near_step_link;
lu_dedup_step lu_near_step_gather;
lu_dedup_step lu_near_step_settle;

/* exact_steps.c */
lu_dedup_step lu_exact_step_keys;
lu_dedup_step lu_exact_step_first;
lu_dedup_step lu_dedup_step_drop;

#endif
