#ifndef LUCIE_SYS_ATOMICFILE_H
#define LUCIE_SYS_ATOMICFILE_H
/*
 * A file that appears whole or not at all.
 *
 *	struct lu_atomic f;
 *	if (lu_atomic_open(&f, "x.jsonl", &err) < 0) ...
 *	lu_atomic_write(&f, p, n, &err) ...
 *	lu_atomic_commit(&f, &err)		or lu_atomic_abort(&f)
 *
 * Bytes go to ".x.jsonl.lu-tmp" beside the target, which is locked (flock; file systems that
 * have no locks go without): a second run that writes the same target is refused, and one that
 * follows a killed run takes the left-over over. Commit is fsync, rename, close, each checked,
 * then fsync of the folder. Abort, a failing exit and a deadly signal (INT TERM HUP QUIT PIPE
 * XCPU XFSZ) remove the temporary file.
 *
 * A target that exists keeps its permissions. Through a symbolic link, the file that it points
 * to is replaced (or made), not the link.
 *
 * A target that exists and is no regular file (/dev/null, a pipe, /dev/fd/63) is written
 * directly. Name NULL or "-" is standard output, written directly too.
 * Several files that must appear together: lu_atomic_settle() brings each to the disk first, so
 * that the commits that follow are renames, which hardly fail.
 *
 * At most 4096 files are open this way at once in a process. Calls on one struct are not
 * thread-safe; different structs may live in different threads.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

struct lu_atomic {
	int fd;
	int slot;     /* in the clean-up list; -1: written directly */
	char *name;   /* for messages: the target, or "standard output" */
	char *target; /* NULL: written directly */
	char *temp;
	uint64_t written; /* bytes so far */
	bool settled;	  /* complete and closed; only the name is temporary */
};

int lu_atomic_open(struct lu_atomic *f, const char *target, struct lu_err *err) LU_CHECKED;
int lu_atomic_write(struct lu_atomic *f, const void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* fsync and close, keeping the temporary name, which is no longer locked; then only commit or
 * abort. Does nothing to a file that is written directly. On failure it has been aborted. */
int lu_atomic_settle(struct lu_atomic *f, struct lu_err *err) LU_CHECKED;
/* On failure the file has been aborted, unless only the folder could not be synced. */
int lu_atomic_commit(struct lu_atomic *f, struct lu_err *err) LU_CHECKED;
/* Safe on a struct that is { .fd = -1 } or already committed. */
void lu_atomic_abort(struct lu_atomic *f);

/* Called once by lu_tool_start(): the signal handlers. Called by lu_tool_finish(): removes
 * everything that was neither committed nor aborted. */
void lu_atomic_install(void);
void lu_atomic_remove_all(void);

#endif
