#ifndef LUCIE_WIKI_WIKI_SITE_H
#define LUCIE_WIKI_WIKI_SITE_H
/*
 * A wiki: language, address, the names of its namespaces, and what its language calls things.
 *
 *	lu_wiki_site_read(&site, siteinfo, &err);	the element <siteinfo> of an export
 *	lu_wiki_site_release(&site);
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

/* Keys of namespaces, the same in every wiki. */
#define LU_WIKI_MEDIA (-2)
#define LU_WIKI_FILE 6
#define LU_WIKI_TEMPLATE 10
#define LU_WIKI_CATEGORY 14
#define LU_WIKI_NO_SPACE INT32_MIN

struct lu_wiki_spaces LU_VEC(int32_t);

struct lu_wiki_space {
	int32_t key;
	size_t at, n; /* of its folded name in the store */
};

struct lu_wiki_site {
	char lang[16];	    /* "fr"; "": unknown */
	char dbname[48];    /* "frwiki"; "": unknown */
	struct lu_buf base; /* address of a page without its title, "https://fr.wikipedia.org/wiki/" */
	struct lu_buf name; /* "Wikipédia" */
	struct lu_buf store;
	struct LU_VEC(struct lu_wiki_space) spaces;
};

/* `head` is an export up to its first page: the root element, for its xml:lang, and <siteinfo>. What is
 * missing stays unknown. -1: out of memory. */
int lu_wiki_site_read(struct lu_wiki_site *s, struct lu_str head, struct lu_err *err) LU_CHECKED;
void lu_wiki_site_release(struct lu_wiki_site *s);

/* The key of the namespace that a title's prefix (without its colon) names, by the site's names, the
 * English ones, or older names of files and categories; LU_WIKI_NO_SPACE: none. */
int32_t lu_wiki_space_of(const struct lu_wiki_site *s, struct lu_str prefix);

/* True if the prefix is the code of a language in which there is a Wikipedia: "[[de:Katze]]" is a link to
 * another language, "[[doi:10.1]]" is not. */
bool lu_wiki_is_language(struct lu_str prefix);

/* True if a section of that heading has no running text: "See also", "Notes et références". */
bool lu_wiki_is_apparatus(struct lu_str heading);

/* True if pages of that language have -{ }-, where a text exists in several scripts. */
bool lu_wiki_has_variants(const struct lu_wiki_site *s);

/* Append the address of a page. Nothing where the base is unknown. */
void lu_wiki_url(const struct lu_wiki_site *s, struct lu_str title, struct lu_buf *out);

/* Read a list, "0,14" or "help,category": numbers, or the names in English.
 * -1: a name that is neither. */
int lu_wiki_spaces_parse(
		const char *list, struct lu_wiki_spaces *spaces, struct lu_err *err) LU_CHECKED;

/* Append s in lower case where ASCII, Latin-1 and Latin Extended-A have it, with '_' as a blank, runs of
 * blanks as one, and without blanks at the ends: names are compared in this form. */
void lu_wiki_fold(struct lu_str s, struct lu_buf *out);

/* Append s with the references of XML decoded; characters that XML has not, and what is no UTF-8,
 * become U+FFFD. Returns the number of these; -1 for a reference that XML does not know. */
int64_t lu_wiki_decode_xml(struct lu_str s, struct lu_buf *out);

#endif
