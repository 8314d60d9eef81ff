#ifndef LUCIE_WIKI_WIKI_TEMPLATE_H
#define LUCIE_WIKI_WIKI_TEMPLATE_H
/*
 * What a template stands for. A row of a table gives a format to the name of a template:
 *
 *	lang		{2}
 *	frac		{1}[/{2}]
 *	lien		{texte|fr|1}
 *	unité		@unit
 *	infobox*	-
 *
 * In a format, {NAME} is the value of an argument, positional ones by their number; of {A|B} the first
 * that is not empty; {-1} the last positional one; {,} all positional ones with ", " between them, {+} without
 * anything, {*} as items of a list. {#NAME} is a number with its digits grouped as the language of the
 * wiki does. [...] is left out unless all arguments in it are given, and may nest. A backslash takes
 * the next character as it is; \n is the end of a line. A format of "-" leaves the template out, for
 * it is no running text. "@NAME" is a function for templates that compute:
 *
 *	@unit @number @quantity @convert @century @date @born @died @as-of @roman @ordinal @fraction
 *
 * A name that ends with "*" is a prefix, one that begins with it a suffix. Names are compared by
 * lu_wiki_fold(). Where an argument that the format needs is not given, the template counts as not
 * expanded.
 *
 * The tables are those of French wikis, of English ones, and of all: a name means another thing
 * in another language. man5 lucie-wiki lists them.
 */
#include "libcommon/wiki/wikitext.h"

struct lu_wiki_row {
	const char *name, *format;
};
struct lu_wiki_table {
	const struct lu_wiki_row *row;
	size_t n;
};
extern const struct lu_wiki_table lu_wiki_common, lu_wiki_fr, lu_wiki_fr_out, lu_wiki_en,
		lu_wiki_en_out;

enum lu_wiki_outcome { LU_WIKI_EXPANDED, LU_WIKI_LEFT_OUT, LU_WIKI_UNKNOWN };

/* A call: {{name|args}}. The slices point into the page as far as it is expanded. */
struct lu_wiki_call {
	struct lu_wikitext *w;
	struct lu_str name; /* trimmed */
	const struct lu_wiki_arg *arg;
	size_t args;
};

/* Append what stands for a call to w->result, markup again. */
enum lu_wiki_outcome lu_wiki_call(const struct lu_wiki_call *c);

/* A function of a format: false if the arguments are not those that it knows. */
typedef bool lu_wiki_function(const struct lu_wiki_call *c, struct lu_buf *out);
/* NULL: there is none. */
lu_wiki_function *lu_wiki_function_of(const char *name);

/* Parser functions and variables: "#if:", "lc:", "PAGENAME". False if `name` is none. */
bool lu_wiki_parser_function(const struct lu_wiki_call *c, enum lu_wiki_outcome *outcome);

/* The value of an argument, trimmed; .n 0: not given. */
struct lu_str lu_wiki_arg(const struct lu_wiki_call *c, const char *name);
/* The n-th positional argument from 1, for few n: each call goes over the arguments. */
struct lu_str lu_wiki_positional(const struct lu_wiki_call *c, size_t n);
/* Append a number with its digits grouped; other text as it is. */
void lu_wiki_number(const struct lu_wikitext *w, struct lu_str number, struct lu_str blank,
		struct lu_buf *out);
/* Append s in superscript if each of its characters has one, and return true. */
bool lu_wiki_superscript(struct lu_str s, struct lu_buf *out);
/* Without blanks and line ends at both ends. */
struct lu_str lu_wiki_trim(struct lu_str s);

/* Rows of a file: a name, a tab, a format a line; "#" begins a comment. */
int lu_wiki_templates_read(
		struct lu_wiki_templates **t, const char *path, struct lu_err *err) LU_CHECKED;
void lu_wiki_templates_free(struct lu_wiki_templates *t); /* NULL is fine */
/* The format for a folded name, NULL: none. */
const char *lu_wiki_templates_find(const struct lu_wiki_templates *t, struct lu_str name);

#endif
