#ifndef LUCIE_WIKI_MEDIAWIKI_PAGE_H
#define LUCIE_WIKI_MEDIAWIKI_PAGE_H
/* The element <page> of an export. */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Slices of the element, references of XML not decoded. Of several revisions the last. */
struct lu_mediawiki_page {
	struct lu_str title, ns, id;
	struct lu_str revision, timestamp, model, text;
	bool redirect;
};

/* False if the element is not well-formed as far as it was read. */
bool lu_mediawiki_page(struct lu_str element, struct lu_mediawiki_page *page);

#endif
