#ifndef LUCIE_SYS_TEMPLATE_H
#define LUCIE_SYS_TEMPLATE_H
/*
 * Files from templates: text files in which words such as "@NAME@" are filled in. The files of a
 * folder appear together or not at all.
 */
#include <stddef.h>

#include "libcommon/base/err.h"

struct lu_blank {
	const char *word, *value;
};

/* Fail if `dir` has a file of one of the names. */
int lu_template_absent(const char *dir, const char *const *name, size_t names,
		struct lu_err *err) LU_CHECKED;

/* Fill in FROM/NAME and write it as DIR/NAME, for each name. The folder must exist. */
int lu_template_write(const char *from, const char *dir, const char *const *name, size_t names,
		const struct lu_blank *blank, size_t blanks, struct lu_err *err) LU_CHECKED;

#endif
