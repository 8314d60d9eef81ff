#ifndef LUCIE_WIKI_ENTERPRISE_H
#define LUCIE_WIKI_ENTERPRISE_H
/*
 * Wikimedia Enterprise's HTML dumps: an article a line, a JSON object with name, identifier, url,
 * date_modified, in_language, namespace, license and article_body.html.
 * https://enterprise.wikimedia.com/docs/data-dictionary/
 *
 * An entry is the page by Parsoid, all of which is content once lu_parsoid_strip() has gone over it. Dropped are
 * articles of other namespaces ("namespace") and without a body ("no article body"); bad are lines that are
 * no JSON ("damaged"). Its name is the number of the line.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_enterprise;

/* True if a file that begins so is such a dump. */
bool lu_enterprise_begins(struct lu_str head);

/*
 * Append the HTML of Parsoid without what is beside the text: references and sections as
 * the options say (NULL: none), boxes, notices, edit links, files,
 * and the elements of the table in parsoid.c. Formulas become $...$ by the TeX they came from. Linear; of tags that
 * are not closed nothing is left out. Returns the number of references.
 */
uint64_t lu_parsoid_strip(struct lu_str html, const struct lu_wiki_options *o, struct lu_buf *out);

#endif
