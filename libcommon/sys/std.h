#ifndef LUCIE_SYS_STD_H
#define LUCIE_SYS_STD_H
/*
 * The shared options: the same letters, names and meaning in every program.
 *
 * A program keeps a struct lu_std in its configuration, initialised by LU_STD_DEFAULTS, and names
 * in struct lu_tool the groups of options that it honours. An option of any other group is unknown
 * to it. -q and -v belong to every program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/sys/opt.h"
#include "libcommon/sys/progress.h"

/* Groups of shared options. */
enum {
	LU_STD_OUTPUT = 1 << 0,	  /* -o FILE, -z */
	LU_STD_THREADS = 1 << 1,  /* -j N */
	LU_STD_TMPDIR = 1 << 2,	  /* -T DIR */
	LU_STD_RECORDS = 1 << 3,  /* --rejects, --max-bad, --max-line, --allow-empty */
	LU_STD_STATS = 1 << 4,	  /* --stats FILE */
	LU_STD_SEED = 1 << 5,	  /* --seed N */
	LU_STD_PROGRESS = 1 << 6, /* --progress WHEN */
	/* -o without -z, since it names files that are not compressed as a whole. */
	LU_STD_PREFIX = 1 << 7, /* -o PREFIX */
	LU_STD_DIR = 1 << 10,	/* -o DIR */
	LU_STD_RUN = 1 << 11,	/* -o RUN */
	LU_STD_MEMORY = 1 << 8, /* -m SIZE */
	LU_STD_FIELDS = 1 << 9, /* --text-field, --map */
};
/* Groups of a program that reads documents and writes documents. */
#define LU_STD_FILTER                                                                     \
	(LU_STD_OUTPUT | LU_STD_THREADS | LU_STD_FIELDS | LU_STD_RECORDS | LU_STD_STATS | \
			LU_STD_PROGRESS)

/* Values of the shared options, complete after lu_tool_start(). */
struct lu_std {
	const char *output;   /* NULL: standard output */
	const char *compress; /* zstd[:level], gz, xz, none; NULL: by the name of the output */
	int threads;	      /* at least 1 */
	uint64_t memory;      /* bytes; 0: no limit */
	const char *tmpdir;   /* -T, else TMPDIR, else /tmp */
	const char *rejects;  /* NULL: none */
	uint64_t max_bad;
	bool max_bad_given;
	uint64_t max_line;
	bool allow_empty;
	const char *text_field; /* NULL: "text" */
	struct lu_list map;	/* NAME=MEMBER,... (par/fields.h) */
	const char *stats;	/* NULL: none */
	uint64_t seed;
	enum lu_progress_mode progress;
	bool quiet;
	int verbose;
};
#define LU_STD_DEFAULTS                       \
	{                                     \
		.max_line = (uint64_t)2 << 30 \
	}

/* Shared option i of a program that honours the groups `std`, or NULL when i is past the last. */
const struct lu_opt *lu_std_opt(unsigned std, size_t i);

/* True if one of --text-field, --map, --rejects and --max-bad is given, which have an effect only where
 * documents are read. */
bool lu_std_for_documents(const struct lu_std *std);

#endif
