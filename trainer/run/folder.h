#ifndef LUCIE_TRAINER_RUN_FOLDER_H
#define LUCIE_TRAINER_RUN_FOLDER_H
/*
 * Files in the folders that the trainer's programs write: runs, checkpoints, exports.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* The largest file that is copied into a folder. */
#define LT_COPY_MAX ((size_t)1 << 30)

/* True if dir/name exists. */
bool lt_folder_has(const char *dir, const char *name);

/* Write dir/name atomically. */
int lt_folder_write(const char *dir, const char *name, struct lu_str text,
		struct lu_err *err) LU_CHECKED;
/* Copy a file to dir/name atomically. */
int lt_folder_copy(
		const char *from, const char *dir, const char *name, struct lu_err *err) LU_CHECKED;

/* Remove a folder of plain files; it need not exist. */
int lt_folder_remove(const char *path, struct lu_err *err);

#endif
