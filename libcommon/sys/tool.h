#ifndef LUCIE_SYS_TOOL_H
#define LUCIE_SYS_TOOL_H
/*
 * What every program does before and after its work. These are the only functions of the
 * library that print or exit; a program's main() is:
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct config c = { .std = LU_STD_DEFAULTS, .min_chars = 20 };
 *		struct lu_args args;
 *		struct lu_err err = { 0 };
 *
 *		lu_tool_start(&tool, argc, argv, &c, &args);
 *		return lu_tool_finish(run(&c, &args, &err), &err);
 *	}
 *
 * lu_tool_start() opens descriptors 0-2 if the parent closed them, gives SIGPIPE its default
 * action back, installs the clean-up for unfinished output files, parses the options and
 * answers --help, --version, --print-options and --print-completion itself. A wrong option is
 * two lines on standard error and exit 2.
 *
 * lu_tool_finish() turns the result of run() into the exit status of the contract:
 *	 0 done; 1 the question was answered "no"; -1 trouble: prints the sentence, 2.
 *	75 (LU_EXIT_AGAIN) checkpoint written, start me again; lucie-train only.
 * It closes standard output, checking it, since a full disk may show only there, and removes
 * the unfinished outputs when the result is trouble.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "libcommon/base/err.h"
#include "libcommon/sys/opt.h"

#define LU_EXIT_AGAIN 75
#define LU_VERSION "0.1.0"

/* Options that mean the same in every program. A program names those that it honours; it is
 * an error to give one that has no effect. */
enum {
	LU_STD_OUTPUT = 1 << 0,	  /* -o FILE, -z */
	LU_STD_THREADS = 1 << 1,  /* -j N */
	LU_STD_TMPDIR = 1 << 2,	  /* -T DIR */
	LU_STD_RECORDS = 1 << 3,  /* --rejects, --max-bad, --max-line */
	LU_STD_STATS = 1 << 4,	  /* --stats FILE */
	LU_STD_SEED = 1 << 5,	  /* --seed N */
	LU_STD_PROGRESS = 1 << 6, /* --progress WHEN */
	LU_STD_OUTNAME = 1 << 7,  /* -o only: a prefix or folder, never compressed as a whole */
	LU_STD_MEMORY = 1 << 8,	  /* -m SIZE */
};
/* What a program that reads documents and writes documents honours. */
#define LU_STD_FILTER \
	(LU_STD_OUTPUT | LU_STD_THREADS | LU_STD_RECORDS | LU_STD_STATS | LU_STD_PROGRESS)

struct lu_std {
	const char *output;   /* NULL: standard output */
	const char *compress; /* NULL: by the name of the output; zstd[:level], gz, xz, none */
	int threads;	      /* never 0 after lu_tool_start() */
	uint64_t memory;      /* bytes; 0: no bound */
	const char *tmpdir;   /* after lu_tool_start(): -T, else TMPDIR, else /tmp */
	const char *rejects;  /* NULL: none */
	uint64_t max_bad;
	bool max_bad_given;
	uint64_t max_line;
	const char *stats; /* NULL: none */
	uint64_t seed;
	int progress; /* 0 auto, 1 always, 2 never */
	bool quiet;
	int verbose;
};
#define LU_STD_DEFAULTS                       \
	{                                     \
		.max_line = (uint64_t)2 << 30 \
	}

struct lu_tool {
	const char *name;     /* "lucie-filter" */
	const char *does;     /* one sentence, the same words as the page's .Nd */
	const char *operands; /* "[FILE...]" */
	const struct lu_opt *opts;
	unsigned std;	   /* LU_STD_... */
	size_t std_offset; /* of struct lu_std in the configuration struct */
};

struct lu_args {
	const struct lu_tool *tool;
	int argc; /* the whole command line, for the accounting line */
	char **argv;
	char **file; /* the operands, never empty for a program that reads: "-" when none */
	size_t files;
	double start_wall;
};

void lu_tool_start(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_args *args);
int lu_tool_finish(int rc, const struct lu_err *err);

/* "tool: sentence" on standard error in one write; control characters become '?'. A note is
 * not printed under -q, a detail only under -v. */
void lu_warn(const char *fmt, ...) LU_PRINTF(1, 2);
void lu_note(const char *fmt, ...) LU_PRINTF(1, 2);
void lu_detail(const char *fmt, ...) LU_PRINTF(1, 2);

/* Wrong use of the command line, found after parsing: two lines and exit 2. */
void lu_usage_error(const char *fmt, ...) LU_PRINTF(1, 2) __attribute__((noreturn));

/* The options that `std` turns on, for the lints and completions. */
const struct lu_opt *lu_std_opts(void);
bool lu_std_has(unsigned std, const struct lu_opt *o);

#endif
