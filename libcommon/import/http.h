#ifndef LUCIE_IMPORT_HTTP_H
#define LUCIE_IMPORT_HTTP_H
/*
 * HTTP responses, as web archives hold them.
 *
 *	reason = lu_http_body(lu_buf_slice(&rec.body), rec.truncated.p, limit, &http, &out);
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_http {
	int status;
	struct lu_str content_type; /* the whole field; .p NULL when absent */
	struct lu_str fields;	    /* all lines of fields */
};

/*
 * Parse an HTTP response (RFC 9112), undo the chunked transfer coding and the content coding (gzip,
 * deflate or zstd), and append the content (at most `limit` bytes) to `out`. Returns NULL, or the
 * reason why there is none: "no HTTP response", "HTTP status" (not 200), "content coding" (brotli,
 * for example), "damaged content", "too large". Of a truncated record all is given that can be
 * decoded.
 *
 * Many archives store decoded bodies under the fields of encoded ones: a body whose first line is
 * not a chunk size, or that does not begin as what the field names, is taken as it is.
 */
const char *lu_http_body(struct lu_str message, bool truncated, uint64_t limit,
		struct lu_http *http, struct lu_buf *out);

#endif
