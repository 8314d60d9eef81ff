#ifndef LUCIE_IMPORT_FOLDER_NAMES_H
#define LUCIE_IMPORT_FOLDER_NAMES_H
/*
 * The names in a folder, in an order that does not depend on the file system.
 */
#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"

/* Each is the owner's to free. */
struct lu_folder_names LU_VEC(char *);

/* Append the names in byte order, without "." and "..". */
int lu_folder_list(const char *path, struct lu_folder_names *names, struct lu_err *err) LU_CHECKED;

#endif
