#ifndef LUCIE_SYS_TOOL_H
#define LUCIE_SYS_TOOL_H
/*
 * The frame of a program: start, messages, finish. These are the only functions of the library
 * that print or exit. A program's main() is:
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
 * lu_tool_start() opens descriptors 0-2 where the parent closed them, resets SIGPIPE, installs the
 * clean-up of unfinished output files (sys/atomicfile.h), parses the options into the program's
 * configuration and completes the shared ones. It answers --help, --version, --print-options and
 * --print-completion itself. A wrong option is two lines on standard error and exit status 2.
 *
 * run() returns 0 when the work is done, 1 when the question was answered "no", -1 with an error,
 * or LU_EXIT_AGAIN. lu_tool_finish() turns that into the exit status: it prints the error as
 * "tool: sentence" (status 2), removes unfinished outputs unless all went well, and closes
 * standard output, since only the close may report a full disk.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "libcommon/base/err.h"
#include "libcommon/sys/opt.h"
#include "libcommon/sys/std.h"

/* lucie-train: a checkpoint is written, start me again (EX_TEMPFAIL of sysexits.h). */
#define LU_EXIT_AGAIN 75

/* The version of the toolkit. */
#define LU_VERSION "0.5.0"

struct lu_tool {
	const char *name;     /* "lucie-filter" */
	const char *summary;  /* one line in lower case, the same words as the page's .Nd */
	const char *operands; /* "[FILE...]"; "": takes none */
	const struct lu_opt *opts;
	unsigned std;	   /* groups of shared options: LU_STD_... */
	size_t std_offset; /* of struct lu_std in the configuration */
};

struct lu_args {
	const struct lu_tool *tool;
	int argc; /* the command line as given, for the accounting line */
	char **argv;
	char **file; /* the operands; { "-" } when there are none */
	size_t files;
	double start_wall; /* lu_clock() */
};

/* From now on print no notes, or with `errors` nothing at all: for one of several processes, where
 * another speaks for it. */
void lu_tool_mute(bool errors);

/* Returns only if the program is to run. `config` outlives the run. */
void lu_tool_start(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_args *args);
int lu_tool_finish(int rc, const struct lu_err *err);

/* Print "tool: sentence" on standard error, by one write and with control characters masked.
 * -q silences notes; details need -v. */
void lu_warn(const char *fmt, ...) LU_PRINTF(1, 2);
void lu_note(const char *fmt, ...) LU_PRINTF(1, 2);
void lu_detail(const char *fmt, ...) LU_PRINTF(1, 2);

/* Report a command line that is wrong, with a hint to --help, and exit with status 2. */
void lu_usage_error(const char *fmt, ...) LU_PRINTF(1, 2) __attribute__((noreturn));

/* Report an error that arose while options were evaluated, as "context: sentence", and exit with
 * status 2. The hint to --help follows only if the input was wrong (err->errnum is 0). */
void lu_usage_fail(const struct lu_err *err, const char *fmt, ...) LU_PRINTF(2, 3)
		__attribute__((noreturn));

#endif
