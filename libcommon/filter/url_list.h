#ifndef LUCIE_FILTER_URL_LIST_H
#define LUCIE_FILTER_URL_LIST_H
/*
 * Lists of domains and URL prefixes, and the judge of lucie-filter that asks them.
 *
 *	struct lu_url_list l = { 0 };
 *	lu_url_list_read(&l, path, &err)		adds a file; any number of them
 *	if (lu_url_list_find(&l, url, &scratch, &entry)) ...
 *	lu_url_list_release(&l);
 *
 * A file has one entry a line: a domain, "example.org" (also ".example.org", "*.example.org"), which
 * stands for the host of this name and all below it; or a URL or its beginning, with or without
 * scheme, "example.org/forum", which stands for this path and what follows at the next '/', '?' or
 * '&', below the same hosts. Blank lines and those that begin with '#' are passed over. An address
 * of four numbers or in brackets stands for itself. A line that is neither is an error. Files may be
 * compressed.
 *
 * Both sides are normalised: without scheme, user, password, port, fragment and the dots at the end
 * of the host; the host in small letters and in its ASCII form (text/idna.h); a path without '/' at
 * its end. The path keeps its case and its escapes.
 *
 * Memory: the entry and 14 to 20 bytes more; 4.5 million domains take 150 MB. A look-up costs one
 * hash for each label of the host.
 */
#include "libcommon/base/map.h"
#include "libcommon/filter/judges.h"
#include "libcommon/text/url.h"

struct lu_url_entry {
	uint32_t at; /* in text */
	uint16_t n;
	uint8_t whole;	/* listed itself */
	uint8_t prefix; /* a host that paths are listed of */
};

struct lu_url_list {
	struct lu_buf text;
	struct LU_VEC(struct lu_url_entry) entry;
	struct lu_map index;
	size_t longest; /* entry */
	uint64_t entries;
};

int lu_url_list_read(struct lu_url_list *l, const char *path, struct lu_err *err) LU_CHECKED;
/* True if an entry covers the URL; *found is the entry, valid as long as the list does not grow.
 * `scratch` is overwritten, and holds the normalised URL. */
bool lu_url_list_find(const struct lu_url_list *l, struct lu_str url, struct lu_buf *scratch,
		struct lu_str *found);
void lu_url_list_release(struct lu_url_list *l);

/*
 * The judge. Documents of which `drop` covers the member "url" are dropped, as "url listed" with
 * the entry; of those left, those that `keep` does not cover, as "url not listed". A document
 * without "url", or with one that has no host, passes `drop` and fails `keep`, as "no url".
 */
struct lu_url_run {
	struct lu_url_list drop, keep;
	bool keeps; /* there is a list to keep */
};
extern const struct lu_judge lu_url_judge;
void lu_url_run_close(struct lu_url_run *r);

#endif
