#ifndef LUCIE_SYS_ATOMICFILE_H
#define LUCIE_SYS_ATOMICFILE_H
/*
 * Atomic output files: a file appears under its name complete, or not at all.
 *
 *	struct lu_atomic f;
 *
 *	if (lu_atomic_open(&f, "x.jsonl", err) < 0)
 *		return -1;
 *	if (lu_atomic_write(&f, p, n, err) < 0) {
 *		lu_atomic_abort(&f);
 *		return -1;
 *	}
 *	return lu_atomic_commit(&f, err);
 *
 * Bytes go to a temporary file of this attempt in the folder of the target,
 * ".x.jsonl.HOST.PID.N.lu-tmp" (N counts within the process). Commit is fsync, rename and close,
 * each checked, then fsync of the folder. Abort, a failing lu_tool_finish() and a deadly signal (INT
 * TERM HUP QUIT PIPE XCPU XFSZ) remove the temporary file.
 *
 * No lock is relied on, since network file systems grant none, or one per node. Two attempts at one
 * target never share a file: each writes its own, and since both write the same bytes it does not
 * matter that the last rename wins. What a killed attempt left is removed by the next open in the
 * same folder on the same host, or by pipelines/mk/leftovers; the files of other hosts stay. Within a process, a second output of
 * the same name is refused.
 *
 * Several files that must appear together: call lu_atomic_settle() on each, then commit each. After
 * settle the data are on disk and only the rename is left, which hardly ever fails.
 *
 * An existing target keeps its permissions. Through a symbolic link, the file that it points to is
 * replaced or created, not the link. A target that exists and is not a regular file (/dev/null, a
 * pipe, /dev/fd/63) is written directly. NULL or "-" is standard output, written directly too.
 *
 * A file that the run reads (sys/readset.h) is refused as a target: "X: input file is output file".
 *
 * A process may have 4096 such files open at once. One thread at a time per struct.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/base/err.h"

struct lu_atomic {
	int fd;
	int slot;     /* in the clean-up list; -1: written directly */
	char *name;   /* for messages: the target, or "standard output" */
	char *target; /* after symbolic links; NULL: written directly */
	char *temp;
	uint64_t written; /* bytes so far */
	dev_t dev;	  /* of the temporary file */
	ino_t ino;
	bool settled; /* synced and closed, still under the temporary name */
};

/* clang-format off */
#define LU_ATOMIC_NONE { .fd = -1, .slot = -1 }
/* clang-format on */

int lu_atomic_open(struct lu_atomic *f, const char *target, struct lu_err *err) LU_CHECKED;
int lu_atomic_write(struct lu_atomic *f, const void *p, size_t n, struct lu_err *err) LU_CHECKED;

/* Sync and close the file under its temporary name; then only commit or abort may follow. The lock
 * ends here. No effect on a file that is written directly. On failure the file is aborted. */
int lu_atomic_settle(struct lu_atomic *f, struct lu_err *err) LU_CHECKED;

/* True if the target is there and has the bytes of the file, which is settled and small: another attempt
 * has given it. Files that belong to it are then replaced by their equals, so that what makes a set of
 * them incomplete for a moment is not needed. */
bool lu_atomic_has_equal(const struct lu_atomic *f);

/* Give the file its name, unless a mapped input was cut (mapped.h). On failure it is aborted, unless only the sync of the folder failed: then
 * the file is in place. */
int lu_atomic_commit(struct lu_atomic *f, struct lu_err *err) LU_CHECKED;

/* Remove the temporary file. No effect on LU_ATOMIC_NONE or after a commit. */
void lu_atomic_abort(struct lu_atomic *f);

/* Enter a file that is not written atomically, but appended to at the end: from now on it is an
 * output, so that no other output has its name, and it is no input. */
int lu_atomic_reserve(const char *target, struct lu_err *err) LU_CHECKED;

/* Write a whole file at once, whose name lu_atomic_reserve() may have entered. A special file is
 * written directly. */
int lu_atomic_replace(const char *target, const void *p, size_t n, struct lu_err *err) LU_CHECKED;

/* The temporary name of this attempt at `target`, different at each call; malloc'd, NULL when memory
 * is out. For folders that are written aside and renamed, as files are. */
char *lu_attempt_name(const char *target) LU_CHECKED;

/* True if `name`, without folder, is the temporary name of an attempt at anything on this host whose
 * process has ended. */
bool lu_attempt_is_stale(const char *name);

/* Install the signal handlers; lu_tool_start() calls it once. */
void lu_atomic_install(void);
/* Remove all temporary files that were neither committed nor aborted; for lu_tool_finish() and the
 * signal handlers. */
void lu_atomic_remove_all(void);

#endif
