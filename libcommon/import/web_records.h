#ifndef LUCIE_IMPORT_WEB_RECORDS_H
#define LUCIE_IMPORT_WEB_RECORDS_H
/*
 * The records of a web archive as members, for import/members.c.
 *
 *	struct lu_web_records w = { 0 };
 *	lu_web_records_begin(&w, feed, &err);
 *	while ((rc = lu_web_records_next(&w, feed, limit, &path, &member, &arena, &err)) > 0) ...
 *	lu_web_records_release(&w);
 */
#include "libcommon/import/members.h"
#include "libcommon/import/warc.h"

struct lu_web_records {
	/* Private. */
	struct lu_warc rec;
	uint64_t n;	       /* records so far */
	struct lu_names names; /* of them; members.c fills it */
};

/* Number of first bytes by which a web archive is told. More must not be read ahead, since its
 * compressed members are told apart. */
#define LU_WEB_HEAD ((size_t)64)
/* True if a file that begins so is a web archive: WARC or ARC. */
bool lu_web_records_look(struct lu_str head);
/* True if the name says so: x.warc.gz, x.arc.gz, Common Crawl's x.warc.wet.gz. */
bool lu_web_records_named(const char *path);
/* Prepare a feed at the beginning of the archive, which may be damaged. */
int lu_web_records_begin(
		struct lu_web_records *w, struct lu_feed *f, struct lu_err *err) LU_CHECKED;
/* 1: the next record, its name (the id, or its number) appended to `path`; a wrong one is a bad
 * member; 0: end; -1: nothing behind it can be read. */
int lu_web_records_next(struct lu_web_records *w, struct lu_feed *f, uint64_t limit,
		struct lu_buf *path, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;
void lu_web_records_release(struct lu_web_records *w);

#endif
