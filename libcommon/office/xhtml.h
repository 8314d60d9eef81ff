#ifndef LUCIE_OFFICE_XHTML_H
#define LUCIE_OFFICE_XHTML_H
/*
 * XHTML for a parser of HTML: an element that is closed in its own tag, <title/>, gets an end tag, since
 * HTML reads that as a tag which stays open, and the text of the page would be in the title; CDATA
 * sections become text. All else is copied, whether well-formed or not.
 */
#include "libcommon/base/buf.h"

void lu_xhtml_to_html(struct lu_str xhtml, struct lu_buf *html);

#endif
