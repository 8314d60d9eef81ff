#ifndef LUCIE_HTML_HTML_META_H
#define LUCIE_HTML_HTML_META_H
/*
 * What a page states about itself. A value is empty if the page does not state it; nothing is
 * guessed. In the order of preference:
 *
 *	title		<title>; og:title; the headline of JSON-LD
 *	author		the author of JSON-LD; <meta name=author>, article:author, dc.creator,
 *			citation_author; an element with rel=author or itemprop=author
 *	date		datePublished of JSON-LD; article:published_time; <meta name=date>, dc.date ...;
 *			<time> or <meta> with itemprop=datePublished. Only dates of ISO 8601 count
 *	lang		<html lang>, <html xml:lang>, <meta http-equiv=content-language>
 *	url		<link rel=canonical>, og:url; only absolute addresses count
 *	description	<meta name=description>, og:description, the description of JSON-LD
 *
 * JSON-LD is read of objects whose type ends in Article or Posting, or is Report, Recipe, Review or
 * WebPage, alone, in a list, or in @graph. Values are one line; one of more than LU_META_BYTES is
 * left out.
 *
 * Sources: HTML standard 4.2.5; the Open Graph protocol; schema.org; DCMI Metadata Terms.
 */
#include "libcommon/html/html_tree.h"

#define LU_META_BYTES 4096

enum lu_html_meta_field {
	LU_META_TITLE,
	LU_META_AUTHOR,
	LU_META_DATE,
	LU_META_LANG,
	LU_META_URL,
	LU_META_DESCRIPTION,
	LU_META_COUNT
};

struct lu_html_meta {
	struct lu_buf value[LU_META_COUNT];
	unsigned char rank[LU_META_COUNT]; /* of what stated it; 0: nothing yet */
};

struct lu_arena;

/* Their names as members of a record. */
extern const char *const lu_html_meta_names[LU_META_COUNT];

/* Empty all values and keep their memory. */
void lu_html_meta_clear(struct lu_html_meta *m);
/* Clear and fill from a parsed page; the arena is for decoding. -1: out of memory. */
int lu_html_meta(const struct lu_html_node *root, struct lu_arena *arena, struct lu_html_meta *m,
		struct lu_err *err) LU_CHECKED;
void lu_html_meta_release(struct lu_html_meta *m);

/* True if s is a date or a date and time of ISO 8601: 2024-05-31, 2024-05-31T08:00:00+02:00. */
bool lu_html_is_date(struct lu_str s);

#endif
