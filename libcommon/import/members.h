#ifndef LUCIE_IMPORT_MEMBERS_H
#define LUCIE_IMPORT_MEMBERS_H
/*
 * The members of the operands: of files, folders, archives in archives, web archives.
 *
 * A stack of open containers is read in order, depth first. Nothing is unpacked to disk, except a
 * zip or 7z file that cannot be read in place (it needs seeking), which goes to an unlinked
 * temporary file. Paths are only names: "../" in one reaches nothing.
 *
 *	struct lu_members m = { .file = ..., .files = n, .limit = ..., .tmpdir = ... };
 *	while ((rc = lu_members_next(&m, &member, &arena, &err)) > 0) ...
 *	lu_members_release(&m);
 *
 * A folder yields its files in byte order of the names, an archive in the archive's order, a Debian
 * package the members of its data archive. A member of an inner archive is called
 * "inner.tar!/path", a record of a web archive "file.warc.gz#record-id". A file of many documents
 * (entries/entries.h) yields blocks of them as members, all with the path of the file. A path that was seen before
 * under the same source gets "#2", "#3" ... so that ids stay unique; this takes up to 43 bytes of
 * memory a member, for the records of a web archive only while it is read (a second archive of the
 * same path is "file.warc.gz#2").
 *
 * A fault of one member is reported in the member (`drop`, `bad`, `detail`), and so is a damaged
 * inner container or a record of a web archive that does not end where it says; -1 means that nothing after it can be read: a truncated or damaged operand, a
 * missing file.
 *
 * Limits: a member longer than `limit` is "too large"; containers nest at most LU_NEST_MAX deep; an
 * operand that expands to more than LU_BOMB_RATIO times its size (beyond LU_BOMB_FREE bytes) is
 * refused: deflate reaches 1032, text seldom 20.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/entries/entries.h"
#include "libcommon/import/foreign.h"
#include "libcommon/import/kind.h"
#include "libcommon/import/names.h"
#include "libcommon/sys/opt.h"

#define LU_NEST_MAX 8
#define LU_BOMB_RATIO 2000
#define LU_BOMB_FREE ((uint64_t)1 << 30)

struct lu_member {
	const char *file;	       /* the operand */
	size_t operand;		       /* its number, from 0 */
	bool itself;		       /* the operand is a file, and this is its content */
	struct lu_str path;	       /* valid UTF-8, distinct: "a/notes.txt#2" */
	struct lu_str name;	       /* the path without the number: the kind goes by this */
	struct lu_str source, license; /* license.p NULL: unknown */
	struct lu_buf bytes;	       /* decompressed content; empty when dropped */
	uint64_t size;		       /* of the content, as far as it was read */
	enum lu_kind kind;	       /* by import/kind_table.h, else LU_KIND_AUTO */
	/* `bytes` is a block of the file's entries; NULL: they are a document. */
	const struct lu_entries_type *entries;
	bool hollow;			/* an archive without members */
	const char *drop;		/* NULL, or the reason not to convert it */
	const struct lu_format *format; /* the format for which it was dropped, or NULL */
	bool bad;			/* the reason is damage, not choice */
	struct lu_str detail;		/* the sentence about the damage */
	bool warc;		 /* a record: the fields below are set, .p NULL when absent */
	struct lu_str type;	 /* WARC-Type */
	struct lu_str truncated; /* WARC-Truncated, why the record is cut */
	bool wrong_length;	 /* it is longer or shorter than it says */
	struct lu_str url, date, content_type;
};

/* The member `truncated` of a page that ends too early, where its record does not say why. */
#define LU_INCOMPLETE "incomplete"

struct lu_members_frame;

struct lu_members {
	/* Set by the caller. */
	char **file;
	size_t files;
	uint64_t limit;
	const char *tmpdir;
	const char *source;  /* NULL: by the name of each operand */
	const char *license; /* NULL: none */
	bool license_debian; /* read the package's copyright file */
	enum lu_kind kind;   /* of every file that is no archive */
	bool text_has_nuls;  /* --charset is a form of UTF-16 or UTF-32 */
	struct lu_entries_options entries;
	const struct lu_list *include, *exclude;

	/* Private. */
	size_t next_file;
	struct lu_members_frame *top;
	size_t depth;	    /* open containers other than folders */
	struct lu_str name; /* source of the current operand */
	struct lu_buf path; /* of the current member */
	struct lu_names seen;
	bool damage;	     /* a failure now is the data's fault */
	uint64_t compressed; /* bytes of the current operand; 0: unknown */
	uint64_t expanded;   /* bytes of its members so far */
	uint64_t done_bytes; /* of the operands before it */
};

/* 1: the next member; 0: end; -1. `member` starts from { 0 } and its buffer is reused; the strings
 * live in the arena, the source as long as the operands' names. */
int lu_members_next(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;
/* Bytes of the operands read so far, for progress. */
uint64_t lu_members_consumed(const struct lu_members *m);
void lu_members_release(struct lu_members *m);

#endif
