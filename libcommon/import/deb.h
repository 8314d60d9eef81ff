#ifndef LUCIE_IMPORT_DEB_H
#define LUCIE_IMPORT_DEB_H
/*
 * The licence of a Debian package.
 */
#include "libcommon/import/members.h"

/* Read the package `file` up to its copyright file, with the bounds of `m`. *license, the caller's to
 * free, stays NULL if that names none. */
int lu_deb_license(const struct lu_members *m, char *file, char **license,
		struct lu_err *err) LU_CHECKED;

#endif
