#ifndef LUCIE_SYS_READSET_H
#define LUCIE_SYS_READSET_H
/*
 * The files that a run reads, so that none of them becomes one of its outputs.
 *
 * Whatever opens a file of the user to read it calls lu_readset_add(): streams (io/instream.h), mapped
 * files and lu_read_input() do, and lu_tool_start() for the operands, before any work. Whatever opens
 * an output asks lu_readset_has(): lu_atomic_open() does. Either order is refused, with the same
 * sentence, by whatever spelling, symbolic link or hard link. Only regular files count.
 *
 * The list belongs to the process, as the outputs in the clean-up list do. It is empty, and nothing is
 * refused, until lu_readset_watch(): the trainer rewrites files of its run that it has read.
 */
#include <stdbool.h>
#include <sys/stat.h>

#include "libcommon/base/err.h"

void lu_readset_watch(void);

/* Remember that the run reads this file; "-" is standard input. Fails if it is one of the outputs:
 * "PATH: input file is output file". A file that does not exist is passed over. */
int lu_readset_add(const char *path, struct lu_err *err) LU_CHECKED;

/* True if the run reads this file. */
bool lu_readset_has(const struct stat *st);

/* Remember that an output is to replace this file, and forget it. 0, 0 is no file. For atomicfile.h. */
int lu_readset_replace(dev_t dev, ino_t ino, struct lu_err *err) LU_CHECKED;
void lu_readset_unreplace(dev_t dev, ino_t ino);
/* True if an output is to replace this file. */
bool lu_readset_replaces(const struct stat *st);

#endif
