#ifndef LUCIE_WIKI_MEDIAWIKI_H
#define LUCIE_WIKI_MEDIAWIKI_H
/*
 * XML exports of MediaWiki, schema 0.3 to 0.11: the dumps of Wikipedia and its sisters
 * (pages-articles.xml), and what Special:Export gives. https://www.mediawiki.org/xml/export-0.11/
 *
 * The reading thread cuts whole elements <page> by their tags alone: in an export each '<' of a text is
 * written &lt;. A block begins with what stands before the first page, the names of the namespaces among it,
 * so that it can be read by itself. No XML parser is involved: there is no document type, no entity but the
 * five of XML and numbers, and nothing is loaded.
 *
 * An entry is the last revision of a page; its name is the page's number in the wiki, its text by
 * wikitext.h. Dropped are pages of other namespaces ("namespace"), redirects ("redirect"), pages that are no
 * wikitext ("content model": css, javascript, json, Lua), and pages without text ("no text"); bad are
 * pages that are no well-formed XML ("damaged"). A dump that ends inside a page, or without
 * </mediawiki>, is an error behind its last whole page.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_mediawiki;

/* True if a file that begins so is an export. */
bool lu_mediawiki_begins(struct lu_str head);

#endif
