#ifndef LUCIE_IMPORT_MEMBERS_H
#define LUCIE_IMPORT_MEMBERS_H
/*
 * The members of whatever is given: files, folders, archives in archives, web archives.
 *
 * One stack of open containers is read in order, depth first; nothing is unpacked to disk
 * except a zip or 7z file that cannot be read in place (it needs seeking), which goes to an
 * unlinked temporary file. Paths are names only: "../" in one reaches nothing.
 *
 *	struct lu_members m = { .file = ..., .files = n, .limit = ..., .tmpdir = ... };
 *	while ((rc = lu_members_next(&m, &member, &arena, &err)) > 0) ...
 *	lu_members_release(&m);
 *
 * A folder gives its files in byte order of the names, an archive in the archive's order.
 * A Debian package gives the members of its data archive. What is inside an inner archive is
 * called "inner.tar!/path". A web archive gives its records, "file.warc.gz#record-id".
 * A path that was seen before under the same source gets "#2", "#3" ... so that ids stay
 * unique; 16 bytes of memory are kept for each member for that (not for records with an id).
 *
 * What is wrong with one member is in the member (`drop`, `bad`, `detail`), and so is an inner
 * container that is damaged; -1 means that nothing after it can be read: a truncated or damaged
 * operand, a missing file.
 *
 * Bounds: a member longer than `limit` is "too large"; containers nest LU_NEST_MAX deep; an
 * operand that expands to more than LU_BOMB_RATIO times its size (beyond LU_BOMB_FREE bytes)
 * is refused: deflate reaches 1032, text seldom 20.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/import/names.h"
#include "libcommon/sys/opt.h"

#define LU_NEST_MAX 8
#define LU_BOMB_RATIO 2000
#define LU_BOMB_FREE ((uint64_t)1 << 30)

struct lu_member {
	const char *file;	       /* the operand, for messages */
	struct lu_str path;	       /* valid UTF-8 */
	struct lu_str source, license; /* license.p NULL: unknown */
	struct lu_buf bytes;	       /* decompressed content; empty when dropped */
	uint64_t size;		       /* of the content; of a dropped member what was read */
	const char *drop;	       /* NULL, or the reason why it is not to be converted */
	bool bad;		       /* the reason is damage, not choice */
	struct lu_str detail;	       /* what exactly is damaged */
	bool warc;		       /* a record: the fields below are set, .p NULL when absent */
	bool truncated;		       /* the record says that its content was cut */
	struct lu_str type;	       /* WARC-Type */
	struct lu_str url, date, content_type;
};

struct lu_members_frame;

struct lu_members {
	/* Set by the caller. */
	char **file;
	size_t files;
	uint64_t limit;
	const char *tmpdir;
	const char *source;  /* NULL: from each operand's name */
	const char *license; /* NULL: none */
	bool license_debian; /* read the package's copyright file */
	bool warc;	     /* every file is a web archive */
	const struct lu_list *include, *exclude;

	/* The module's own. */
	size_t next_file;
	struct lu_members_frame *top;
	size_t depth;	    /* containers, without folders */
	struct lu_str name; /* source of the current operand */
	struct lu_buf path; /* of what is being read */
	struct lu_names seen;
	bool damage;			  /* the failure is the data's, not ours */
	uint64_t compressed;		  /* bytes of the current operand; 0: not known */
	uint64_t expanded;		  /* bytes of members out of it */
	uint64_t done_bytes, total_bytes; /* of the operands: for progress */
};

/* 1: got one; 0: no more; -1. `member->bytes` is reused, so start from { 0 }; the strings live
 * in the arena until the caller resets it, the source as long as the operands' names. */
int lu_members_next(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;
uint64_t lu_members_consumed(const struct lu_members *m);
void lu_members_release(struct lu_members *m);

#endif
