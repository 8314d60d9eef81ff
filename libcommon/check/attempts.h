#ifndef LUCIE_CHECK_ATTEMPTS_H
#define LUCIE_CHECK_ATTEMPTS_H
/*
 * Temporary files of attempts at an output (sys/atomicfile.h) that lie beside it. Those of a process
 * that has ended on this host are removed by the next run here; on a file system that hosts share
 * nobody can tell whether another host's process runs, so a person decides.
 */
#include <stdbool.h>

#include "libcommon/base/err.h"

/* Call found() for each that belongs to the file or to the shard of this prefix. A folder that cannot
 * be read has none. */
int lu_attempts_beside(const char *path, void (*found)(void *ctx, const char *name, bool ended),
		void *ctx, struct lu_err *err) LU_CHECKED;

#endif
