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

struct lu_named {
	struct lu_hash128 key;
	uint64_t last; /* the number that it was given last */
};

/* A set of names, by their 128-bit keys (XXH3): among a billion names two collide with probability
 * below 2^-60. Up to 43 bytes of memory a name. From { 0 }. */
struct lu_names {
	struct LU_VEC(struct lu_named) named;
	struct lu_map map;
};

/* Append to `name`, of which the bytes from `from` on are the name, "#2", "#3" ... if it is in the set,
 * and add it with that. The time for a name does not grow with the number of its repetitions. */
int lu_names_number(struct lu_names *names, struct lu_buf *name, size_t from,
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
