#ifndef LUCIE_IMPORT_HTTP_CONTENT_H
#define LUCIE_IMPORT_HTTP_CONTENT_H
/*
 * Codings of HTTP messages (RFC 9110, section 8.4.1; RFC 9112, section 7.1), undone as browsers do.
 *
 * Many archives store decoded bodies under the fields of encoded ones, and some servers name codings
 * that are none. So a body that does not begin as what its fields name is taken as it is, a
 * compressed one is recognised by its first bytes where the name is another, and what follows the
 * compressed data is ignored. What is cut is given as far as it goes, and *cut is set.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Codings in the order in which they were applied, as the fields state them: "gzip, br". Longer lists
 * are refused. */
#define LU_CODINGS_MAX 8

struct lu_codings {
	struct lu_str name[LU_CODINGS_MAX];
	unsigned n;
	bool more;    /* than that */
	bool chunked; /* "chunked" was among them, which is not in the list */
};

/* Add the names in a Content-Encoding or Transfer-Encoding field. */
void lu_codings_add(struct lu_codings *c, struct lu_str field);

/* Append the content, at most `limit` bytes: gzip, deflate (with or without the header of zlib), br
 * and zstd undone from the last to the first. NULL, or the reason why there is none: "content
 * coding" (one that is not read, such as compress), "damaged content", "too large". */
const char *lu_codings_undo(const struct lu_codings *c, struct lu_str body, uint64_t limit,
		struct lu_buf *out, bool *cut);

/* Append the data of a chunked body; false: it is none, and nothing was appended. Where its chunks
 * end without the last one, or no further chunk begins, it is cut. */
bool lu_unchunk(struct lu_str body, struct lu_buf *out, bool *cut);

#endif
