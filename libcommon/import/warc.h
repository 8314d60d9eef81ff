#ifndef LUCIE_IMPORT_WARC_H
#define LUCIE_IMPORT_WARC_H
/*
 * Web archives: records of ISO 28500 (WARC 1.0 and 1.1), also the WET files of Common Crawl, over a
 * feed that undoes gzip member by member.
 *
 *	lu_feed_stop_at(feed, LU_WARC_MARK);
 *	while ((rc = lu_warc_next(feed, limit, &rec, &err)) > 0)
 *		if (rc == 1) ... rec.type, rec.url, rec.body
 *	lu_warc_release(&rec);
 *
 * A record that does not begin or end where it should, for example because its Content-Length is
 * wrong, is passed over up to the next one: where each record is a compressed member of its own, as
 * the standard recommends, exactly; elsewhere by the next line that begins a record.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/feed.h"

struct lu_warc {
	struct lu_buf head; /* the raw fields, into which the slices below point */
	struct lu_buf body;
	uint64_t length; /* Content-Length */
	bool too_large;	 /* longer than the limit: the body is empty */
	bool member;	 /* begins a compressed member */
	/* Fields, .p NULL when absent; `truncated` is WARC-Truncated, the reason why. */
	struct lu_str type, id, url, date, content_type, truncated;
};

/* How a compressed member begins that is a record. */
#define LU_WARC_MARK "WARC/"

/* 1: the next record (its buffers are reused); 2: a record that was passed over, of which the fields
 * are set as far as they could be read, and *err says what is wrong with it; 0: end; -1: the stream
 * cannot be read, or ends inside a record. */
int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec,
		struct lu_err *err) LU_CHECKED;
void lu_warc_release(struct lu_warc *rec);

#endif
