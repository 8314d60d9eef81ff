#ifndef LUCIE_SYS_INSTALLED_H
#define LUCIE_SYS_INSTALLED_H
/*
 * Files that belong to the toolkit: found beside the program that runs, where it was installed and in
 * the source tree alike.
 */
#include "libcommon/base/err.h"

/* The folder of this program, malloc'd, or NULL with a sentence. */
char *lu_own_folder(struct lu_err *err);

/* Full path of a file that is installed as FOLDER/../share/INSTALLED or lies in the source tree as
 * FOLDER/../../../IN_TREE; malloc'd, or NULL if there is none. */
char *lu_installed_file(const char *folder, const char *installed, const char *in_tree);

/* The file or folder PART of pipelines/, malloc'd, or NULL with a sentence. */
char *lu_installed_pipelines(const char *folder, const char *part, struct lu_err *err);

#endif
