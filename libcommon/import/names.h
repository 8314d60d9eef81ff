#ifndef LUCIE_IMPORT_NAMES_H
#define LUCIE_IMPORT_NAMES_H
/*
 * Names of members: the set of those that were given, globs, and the source that an operand's
 * name stands for.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/opt.h"

/* 128-bit keys (XXH3) of the names seen; two different names are taken for one with probability
 * below 2^-60 even for a billion of them. Start from { 0 }. */
struct lu_names {
	uint64_t *key; /* pairs; 0, 0 is free */
	size_t n, cap; /* cap is a power of two */
};

/* Sets *fresh to whether s is new, and adds it. */
int lu_names_add(struct lu_names *names, struct lu_str s, bool *fresh,
		struct lu_err *err) LU_CHECKED;
void lu_names_release(struct lu_names *names);

/* fnmatch(3) of any of them; '*' matches '/' too. */
bool lu_globs_match(const struct lu_list *globs, const char *path);

/* "x/debian-faq-fr_11.1_all.deb" -> "debian-faq-fr", "a.tar.gz" -> "a", "pages/" -> "pages",
 * "-" -> "stdin". A slice of path, or static. */
struct lu_str lu_source_of(const char *path);

#endif
