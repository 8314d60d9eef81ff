#ifndef LUCIE_SYS_MAPPED_H
#define LUCIE_SYS_MAPPED_H
/*
 * Files that are mapped into memory to be read.
 *
 *	struct lu_mapped m;
 *	if (lu_mapped_open(&m, "s.bin", &err) < 0) ...
 *	unsigned char room[8];
 *	const unsigned char *p = lu_mapped_at(&m, at, 8, room, &err);
 *	lu_mapped_close(&m);
 *
 * Some file systems and some limits refuse to map a file (ENODEV, EACCES, EPERM; ENOMEM beyond
 * vm.max_map_count or a limit of address space). Then it stays open, and lu_mapped_at() reads with
 * pread(): the same bytes, at the price of a system call each time.
 *
 * The file must not shrink while it is open. Where a mapped one does, the pages that are gone raise SIGBUS,
 * and what is missing of the last page reads as zeros. Neither may pass for data (pread() notices
 * by itself, and fails):
 *
 * Once lu_mapped_install() has run, as in lu_tool_start(), the signal is answered by a sentence that
 * names the file. A SIGBUS that is no fault in a mapped file keeps its usual effect.
 *
 * lu_mapped_check() fails if a file that is or was mapped has shrunk. Before an output gets its
 * name, lu_atomic_commit() asks it, and lu_tool_finish() before it reports success; so no program
 * has to.
 *
 * A file that is replaced by another under its name (rename) stays as it was mapped. A file that is
 * rewritten in place at its old size is not noticed; hashes are lucie-check's part.
 *
 * Any number of threads may open, read and close.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

struct lu_mapped {
	const unsigned char *p; /* NULL when empty or not mapped */
	uint64_t n;
	struct lu_mapped_entry *entry; /* private; in the list that the signal handler walks */
};

/* Only regular files can be mapped. On failure there is nothing to close. */
int lu_mapped_open(struct lu_mapped *m, const char *path, struct lu_err *err) LU_CHECKED;
void lu_mapped_close(struct lu_mapped *m); /* { 0 } is fine */

/* Read bytes at .. at + n - 1, all of them inside the file, into `room`. */
int lu_mapped_read(const struct lu_mapped *m, uint64_t at, size_t n, void *room,
		struct lu_err *err) LU_CHECKED;

/* Bytes at .. at + n - 1, all of them inside the file: where they are mapped, or `room`, n bytes of
 * the caller, into which they were read. NULL: they could not be read. */
static inline const unsigned char *lu_mapped_at(
		const struct lu_mapped *m, uint64_t at, size_t n, void *room, struct lu_err *err)
{
	if (m->p)
		return m->p + at;
	return lu_mapped_read(m, at, n, room, err) < 0 ? NULL : room;
}

/* Say that the file is read here and there: then a page that is missing is read by itself, not with the
 * 128 KB around it. */
void lu_mapped_scattered(const struct lu_mapped *m);

/* Take bytes from .. to - 1 out of the resident size, for one who has read them in passing. They can
 * be read again. */
void lu_mapped_drop(const struct lu_mapped *m, uint64_t from, uint64_t to);

int lu_mapped_check(struct lu_err *err) LU_CHECKED;

/* `end` is called in the signal handler and must not return: it prints the sentence, in which control
 * characters are masked, and ends the process. It must be async-signal-safe. */
void lu_mapped_install(void (*end)(const char *sentence));

#endif
