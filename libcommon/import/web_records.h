#ifndef LUCIE_IMPORT_WEB_RECORDS_H
#define LUCIE_IMPORT_WEB_RECORDS_H
/*
 * The records of a web archive as members, for import/members.c.
 *
 *	struct lu_web_records w = { 0 };
 *	lu_web_records_begin(&w, feed);
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

/* Prepare a feed at the beginning of the archive. */
void lu_web_records_begin(struct lu_web_records *w, struct lu_feed *f);
/* 1: the next record, its name (the id, or its number) appended to `path`; a wrong one is a bad
 * member; 0: end; -1: nothing behind it can be read. */
int lu_web_records_next(struct lu_web_records *w, struct lu_feed *f, uint64_t limit,
		struct lu_buf *path, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;
void lu_web_records_release(struct lu_web_records *w);

#endif
