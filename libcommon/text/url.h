#ifndef LUCIE_TEXT_URL_H
#define LUCIE_TEXT_URL_H
/*
 * Addresses of pages, taken apart as far as lists of them need it (RFC 3986, section 3, and what
 * people write: without scheme, with capital letters, with a backslash behind the host).
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

struct lu_url {
	struct lu_str scheme; /* "https", as written; empty: none */
	struct lu_str host;   /* as written, without user, password, port and dots at its end */
	struct lu_str port;   /* its digits; empty: none */
	struct lu_str path;   /* path and query, from its '/', '?' or '\\' on, without fragment */
};

void lu_url_split(struct lu_str url, struct lu_url *u);

/* Append the host in small letters, and in its ASCII form (text/idna.h). False if it cannot be one;
 * what was appended is then of no use. */
bool lu_url_put_host(struct lu_str host, struct lu_buf *out);

/* Append the normalised form, host and path without scheme, user, password, port, fragment and '/' at
 * the end; the path keeps its case and its escapes. *host is the length of the host. False if there is
 * no host: nothing is appended. */
bool lu_url_normalise(struct lu_str url, struct lu_buf *out, size_t *host);

/* Without blanks and control characters at both ends. */
struct lu_str lu_url_trim(struct lu_str s);

#endif
