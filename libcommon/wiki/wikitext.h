#ifndef LUCIE_WIKI_WIKITEXT_H
#define LUCIE_WIKI_WIKITEXT_H
/*
 * The text of a page in MediaWiki's markup.
 *
 *	struct lu_wikitext w = { .site = &site, .options = &options };
 *
 *	w.title = LU_STR("Chat");
 *	if (lu_wikitext(&w, markup, &err) < 0) ...		once a page
 *	use(w.text, w.count, w.names);
 *	lu_wikitext_release(&w);
 *
 * Two passes, each linear in the page. The first (wiki_expand.h) resolves what nests: templates,
 * parameters, parser functions, links, comments, extension tags. It has a stack of LU_WIKI_DEPTH
 * open brackets; deeper ones stay as they are written. The second (wiki_layout.h) goes over the lines:
 * headings, lists, tables, bold and italic, HTML tags, character references.
 *
 * The text has the form of that of HTML pages (html/html.h): blank lines between paragraphs, "- " or a
 * number before items, " | " between the cells of a table. Left out are files with their captions,
 * categories, links to other languages, galleries, graphs and scores, references (unless
 * options->references), tables that are infoboxes or navigation, sections such as "See also" (unless
 * options->sections; the names are in wiki_site.c), and headings under which nothing is left. Formulas stay as they are,
 * between dollar signs. Superscripts that are numbers become Unicode's: 10<sup>6</sup> is 10⁶.
 *
 * A template is expanded by a row of the tables (wiki_template.h), or left out because a row says that
 * it is no running text (an infobox, a reference, a banner), or it is unknown. What is unknown is
 * counted, with its name, since text is missing where it stood; where the rest of its line has
 * text, the sentence has a hole, which is counted besides.
 *
 * A page of which the expansion would be longer than LU_WIKI_GROWTH times the markup keeps its first
 * templates; the others are counted as not expanded.
 */
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/wiki/wiki_site.h"

#define LU_WIKI_DEPTH 64
#define LU_WIKI_GROWTH 8
#define LU_WIKI_TABLES 8 /* nested */
/* Bytes of markup of a page that a caller should refuse: it takes ten times as much memory. MediaWiki
 * itself saves no page of more than 2 MiB ($wgMaxArticleSize). */
#define LU_WIKI_PAGE_MAX ((size_t)8 << 20)

struct lu_wiki_templates;

struct lu_wiki_options {
	struct lu_wiki_spaces spaces;  /* namespaces to read; none: 0, the articles */
	bool references;	       /* keep notes, in brackets where they stand */
	bool sections;		       /* keep "See also" and the like */
	struct lu_wiki_templates *own; /* rows before the built-in ones; NULL: none */
};

struct lu_wiki_counts {
	uint64_t expanded;   /* templates and parser functions */
	uint64_t left_out;   /* templates that are known to be no running text */
	uint64_t unexpanded; /* templates and parser functions that are not known */
	uint64_t holes;	     /* of these, inside a line of the text */
	uint64_t references, sections, files;
};

/* A bracket that is open, and where one of its parts begins; see wiki_expand.c. */
struct lu_wiki_frame {
	char kind;    /* '{', '[', or '-' for a language variant */
	size_t start; /* of the brackets in `expanded` */
	size_t open;  /* brackets */
	size_t part;  /* index of its first part */
	size_t names; /* bytes of names when it was opened */
	struct lu_wiki_counts count;
};
struct lu_wiki_part {
	size_t at, equals; /* offsets of '|' and of the first '=', SIZE_MAX: none */
};
/* An argument of a template, trimmed where it has a name. */
struct lu_wiki_arg {
	struct lu_str name, value; /* name.p NULL: positional */
};

struct lu_wikitext {
	/* Set by the caller. */
	const struct lu_wiki_site *site;
	const struct lu_wiki_options *options;
	struct lu_str title;

	/* Results, valid until the next page. The text ends with a newline unless it is empty. */
	struct lu_buf text;
	struct lu_buf names; /* of what was not expanded: a line each time */
	struct lu_wiki_counts count;

	/* Private, reused from page to page. */
	struct lu_buf expanded, result, scratch;
	struct LU_VEC(struct lu_wiki_frame) frames;
	struct LU_VEC(struct lu_wiki_part) parts;
	struct LU_VEC(struct lu_wiki_arg) args;
};

/* `markup` is UTF-8; control characters in it are passed over. -1: out of memory. */
int lu_wikitext(struct lu_wikitext *w, struct lu_str markup, struct lu_err *err) LU_CHECKED;
void lu_wikitext_release(struct lu_wikitext *w);

#endif
