#ifndef LUCIE_IMPORT_ENTRIES_READER_H
#define LUCIE_IMPORT_ENTRIES_READER_H
/*
 * A file of many documents as members, for import/members.c: each block of entries is one.
 *
 *	struct lu_entries_reader r = { 0 };
 *	lu_entries_reader_open(&r, type, feed, file, tmpdir, &options, &err);
 *	while ((rc = lu_entries_reader_next(&r, &member, &err)) > 0) ...
 *	lu_entries_reader_close(&r);
 *
 * Text in UTF-16 with its mark is read as UTF-8.
 */
#include "libcommon/import/members.h"

struct lu_utf16_feed;

struct lu_entries_reader {
	/* Private. */
	const struct lu_entries_type *type;
	void *state;
	struct lu_utf16_feed *utf16;
	struct lu_feed *text; /* its text; NULL: the feed is read as it is */
};

/* The feed is the caller's and outlives the reader; `text`: the format is one of text. */
int lu_entries_reader_open(struct lu_entries_reader *r, const struct lu_entries_type *type,
		struct lu_feed *feed, bool text, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err) LU_CHECKED;
/* 1: member->bytes is the next block; 0: end; -1. */
int lu_entries_reader_next(struct lu_entries_reader *r, struct lu_member *member,
		struct lu_err *err) LU_CHECKED;
void lu_entries_reader_close(struct lu_entries_reader *r); /* { 0 } is fine */

#endif
