#ifndef LUCIE_IMPORT_NAMES_H
#define LUCIE_IMPORT_NAMES_H
/*
 * Names of members: a set of names, globs, and the source named by an operand.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/opt.h"

/* A set of names, by their 128-bit keys (XXH3): among a billion names two collide with probability
 * below 2^-60. From { 0 }. */
struct lu_names {
	struct LU_VEC(struct lu_hash128) keys;
	struct lu_map map;
};

/* Add a name; *fresh tells whether it was new. */
int lu_names_add(struct lu_names *names, struct lu_str s, bool *fresh,
		struct lu_err *err) LU_CHECKED;
void lu_names_release(struct lu_names *names);

/* True if any of the globs matches by fnmatch(3), where '*' matches '/' too. NULL matches nothing. */
bool lu_globs_match(const struct lu_list *globs, const char *path);

/* True if the path has this ending, in any case. */
bool lu_path_ends(const char *path, const char *ending);

/* "x/debian-faq-fr_11.1_all.deb" -> "debian-faq-fr", "a.tar.gz" -> "a", "pages/" -> "pages",
 * "-" -> "stdin". A slice of path, or static. */
struct lu_str lu_source_of(const char *path);

#endif
