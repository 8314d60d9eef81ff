#ifndef LUCIE_IMPORT_HTTP_H
#define LUCIE_IMPORT_HTTP_H
/*
 * HTTP responses, as web archives hold them.
 *
 *	reason = lu_http_body(lu_buf_slice(&rec.body), limit, &http, &out);
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_http {
	int status;
	struct lu_str fields;	      /* all lines of fields; .p NULL when there is no response */
	struct lu_str content_type;   /* the whole field; .p NULL when absent */
	struct lu_str date, modified; /* Date and Last-Modified */
	bool cut; /* the body ends before its chunks, coding or Content-Length say */
};

/*
 * Parse an HTTP response (RFC 9112), undo the chunked transfer coding and the content codings
 * (import/http_content.h), and append the content (at most `limit` bytes) to `out`. Returns NULL, or
 * the reason why there is none: "no HTTP response", "HTTP status" (not 200), "content coding"
 * (compress, for example), "damaged content", "too large". A cut body is given as far as it goes.
 *
 * Interim responses (100 Continue) are passed over. Without the blank line there is no body.
 */
const char *lu_http_body(
		struct lu_str message, uint64_t limit, struct lu_http *http, struct lu_buf *out);

/* Write a date of RFC 9110, section 5.6.7, in any of its three formats, as 2026-01-02T03:04:05Z; false
 * for anything else. Years of two digits are from 1970 to 2069. */
bool lu_http_date(struct lu_str value, char out[21]);

#endif
