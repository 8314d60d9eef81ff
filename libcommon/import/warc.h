#ifndef LUCIE_IMPORT_WARC_H
#define LUCIE_IMPORT_WARC_H
/*
 * Web archives: records of ISO 28500 (WARC 1.0 and 1.1), also the WET files of Common Crawl, over a
 * feed that undoes gzip member by member.
 *
 *	while ((rc = lu_warc_next(feed, limit, &rec, &err)) > 0)
 *		... rec.type, rec.url, rec.body
 *	lu_warc_release(&rec);
 *
 * and for a record that holds an HTTP response:
 *
 *	reason = lu_http_body(lu_buf_slice(&rec.body), rec.truncated, limit, &http, &out);
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/import/feed.h"

struct lu_warc {
	struct lu_buf head; /* the raw fields, into which the slices below point */
	struct lu_buf body;
	uint64_t length; /* Content-Length */
	bool too_large;	 /* longer than the limit: the body is empty */
	bool truncated;	 /* has a WARC-Truncated field */
	struct lu_str type, id, url, date, content_type; /* .p NULL when absent */
};

/* 1: the next record (its buffers are reused); 0: end; -1: not a record, or truncated. */
int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec,
		struct lu_err *err) LU_CHECKED;
void lu_warc_release(struct lu_warc *rec);

struct lu_http {
	int status;
	struct lu_str content_type; /* the whole field; .p NULL when absent */
};

/*
 * Parses an HTTP response (RFC 9112), undoes the chunked transfer coding and the gzip content
 * coding, and appends the content (at most `limit` bytes) to `out`. Returns NULL, or the reason why
 * there is none: "no HTTP response", "HTTP status" (not 200), "content coding", "damaged content",
 * "too large".
 *
 * Many archives store decoded bodies under the fields of encoded ones: a body whose first line is
 * not a chunk size, or that does not begin as gzip, is taken as it is.
 */
const char *lu_http_body(struct lu_str message, bool truncated, uint64_t limit,
		struct lu_http *http, struct lu_buf *out);

#endif
