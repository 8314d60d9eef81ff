#ifndef LUCIE_IMPORT_WARC_H
#define LUCIE_IMPORT_WARC_H
/*
 * Web archives: records of ISO 28500 (WARC 0.18, 1.0, 1.1), also the WET files of Common Crawl, and of
 * the ARC format before it (import/arc.h), over a feed that undoes compression member by member.
 *
 *	struct lu_warc rec = { .arc = lu_arc_looks(head) };
 *	lu_feed_stop_at(feed, lu_warc_mark(&rec));
 *	while ((rc = lu_warc_next(feed, limit, &rec, &err)) > 0)
 *		if (rc == 1) ... rec.type, rec.url, rec.body
 *	lu_warc_release(&rec);
 *
 * A length that is wrong costs nothing but a count. The record then ends where the next one begins: at
 * the next compressed member of its own, as the standard recommends, exactly; elsewhere at the next
 * line that begins a record. A record without a beginning, or in a damaged part of the stream, is
 * passed over in the same way, and so is the last one if the file ends inside it.
 *
 * Memory: a record, at most `limit` bytes, and once more where it is read again.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/feed.h"

struct lu_warc {
	bool arc;	    /* set by the caller: records are those of ARC */
	struct lu_buf head; /* the raw fields, into which the slices below point */
	struct lu_buf body;
	uint64_t length; /* of the body, as it was found */
	bool too_large;	 /* longer than the limit: the body is empty */
	bool wrong;	 /* the length that it states is not that */
	bool cut;	 /* and is larger, or continuation records have the rest */
	/* Fields, .p NULL when absent; `truncated` is WARC-Truncated, the reason why. */
	struct lu_str type, id, url, date, content_type, truncated;

	/* Private. */
	uint64_t again; /* bytes that were read a second time */
	char iso[24];	/* the date of a record of ARC */
};

/* How a compressed member begins that is a record. */
lu_feed_mark_fn *lu_warc_mark(const struct lu_warc *rec);
/* True if a file that begins so is a WARC file; line ends may stand in front. */
bool lu_warc_looks(struct lu_str head);

/* 1: the next record (its buffers are reused); 2: a record that was passed over, of which the fields
 * are set as far as they could be read, and *err says what is wrong with it; 0: end; -1: the stream
 * cannot be read. */
int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec,
		struct lu_err *err) LU_CHECKED;
void lu_warc_release(struct lu_warc *rec);

#endif
