#ifndef LUCIE_SYS_RUN_PROGRAM_H
#define LUCIE_SYS_RUN_PROGRAM_H
/*
 * Runs a program that converts foreign bytes, such as mandoc(1) or pdftotext(1), within limits.
 *
 *	lu_nowhere_open(&nowhere, tmpdir, &err);		once
 *	struct lu_program p = { .argv = argv, .package = "mandoc", .nowhere = nowhere,
 *		.input = page, .limits = { .wall_seconds = 60 }, .take = take, .ctx = &out };
 *	rc = lu_program_run(&p, &status, &err);			on any thread, several at once
 *	lu_nowhere_close(nowhere);
 *
 * The program reads the bytes on its standard input, which is a file that can seek (/dev/stdin), its
 * standard error goes to /dev/null, and it runs in a folder that has been removed, so that no name in
 * the bytes reaches a file beside it.
 */
#include "libcommon/base/buf.h"

/* 0: no limit. */
struct lu_program_limits {
	unsigned wall_seconds; /* then it is killed */
	unsigned cpu_seconds; /* its own computing; unlike the wall it does not depend on the load */
	uint64_t memory;      /* bytes of address space */
};

struct lu_program {
	const char *const *argv; /* argv[0] is looked up in PATH; NULL-terminated */
	const char *package;	 /* that has it, for the message where it is missing */
	int nowhere;
	struct lu_str input;
	struct lu_program_limits limits;
	/* Take bytes that the program wrote. 0: go on; 1: enough, kill it; -1: error. */
	int (*take)(void *ctx, const char *p, size_t n, struct lu_err *err);
	void *ctx;
};

/* A descriptor of a folder that has been removed. */
int lu_nowhere_open(int *nowhere, const char *tmpdir, struct lu_err *err) LU_CHECKED;
void lu_nowhere_close(int nowhere); /* -1 is fine */

/* 0: it ended by itself, *status is that of waitpid(2), which a limit may have decided (a signal);
 * 1: it was killed, by take() or at the limit of wall time; -1: it cannot be started, or take()
 * failed. */
int lu_program_run(const struct lu_program *p, int *status, struct lu_err *err) LU_CHECKED;

#endif
