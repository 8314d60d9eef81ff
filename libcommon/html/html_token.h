#ifndef LUCIE_HTML_HTML_TOKEN_H
#define LUCIE_HTML_HTML_TOKEN_H
/*
 * The tokens of an HTML page: texts and tags (HTML standard, 13.2.5). Comments and bogus markup are
 * passed over. Texts and values are slices of the page, or of the arena where they had references.
 *
 *	struct lu_html_tokens t = { .p = page.p, .end = page.p + page.n, .arena = &arena };
 *	while (lu_html_token(&t, &token) && token.type != LU_TOKEN_EOF)
 *		...			t.mode and t.raw may be set after a start tag
 *
 * U+0000 is left out in data and U+FFFD elsewhere.
 * Time is linear in the page.
 */
#include <stdbool.h>

#include "libcommon/base/arena.h"
#include "libcommon/html/html_tree.h"

enum lu_html_text_mode {
	LU_TEXT_DATA,
	LU_TEXT_RCDATA, /* references, but no tags: title, textarea */
	LU_TEXT_RAW,	/* neither: style, xmp, iframe, noembed, noframes, noscript */
	LU_TEXT_SCRIPT, /* neither, and <!-- hides an end tag */
	LU_TEXT_PLAIN,	/* until the end of the page */
};

enum lu_html_token_type {
	LU_TOKEN_TEXT,
	LU_TOKEN_START,
	LU_TOKEN_END,
	LU_TOKEN_DOCTYPE,
	LU_TOKEN_EOF
};

struct lu_html_token {
	enum lu_html_token_type type;
	enum lu_html_tag tag;
	struct lu_str name; /* as written */
	struct lu_str text; /* of a text; of a start tag: its attributes as written */
	bool self_closing;
	unsigned attributes; /* of `attribute` of lu_html_tokens, which the next token overwrites */
};

struct lu_html_tokens {
	const char *p, *end;
	struct lu_arena *arena;
	enum lu_html_text_mode mode;
	enum lu_html_tag raw; /* whose end tag ends a mode other than data */
	bool foreign;	      /* the next token is in SVG or MathML: <![CDATA[ begins a text */
	bool foreign_text;    /* and a text there is no text of HTML: U+0000 becomes U+FFFD */
	bool failed;	      /* out of memory; no more tokens */
	struct lu_html_attribute attribute[LU_ATTRIBUTE_COUNT];
};

/* Read the next token; at the end of the page it is LU_TOKEN_EOF. False: memory is out. */
bool lu_html_token(struct lu_html_tokens *t, struct lu_html_token *token);

#endif
