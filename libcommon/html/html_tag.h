#ifndef LUCIE_HTML_HTML_TAG_H
#define LUCIE_HTML_HTML_TAG_H
/*
 * The names of elements and attributes that the parser and the rules of text know.
 *
 * A row of LU_HTML_TAGS is T(constant, name, role, class): the role is the element's effect on the
 * flow of text (html_element.h), the class what it is to the parser (HTML standard, 13.2.4.2 and
 * 13.1.2): SPECIAL, FORMATTING, or ORDINARY. Rows are in byte order of the names.
 */
#include "libcommon/base/buf.h"

/* clang-format off */
#define LU_HTML_TAGS(T) \
	T(A, "a", INLINE, FORMATTING) \
	T(ADDRESS, "address", BLOCK, SPECIAL) \
	T(ANNOTATION, "annotation", HIDDEN, ORDINARY) \
	T(ANNOTATION_XML, "annotation-xml", HIDDEN, ORDINARY) \
	T(APPLET, "applet", BESIDE, SPECIAL) \
	T(AREA, "area", HIDDEN, SPECIAL) \
	T(ARTICLE, "article", BLOCK, SPECIAL) \
	T(ASIDE, "aside", BLOCK, SPECIAL) \
	T(AUDIO, "audio", HIDDEN, ORDINARY) \
	T(B, "b", INLINE, FORMATTING) \
	T(BASE, "base", HIDDEN, SPECIAL) \
	T(BASEFONT, "basefont", HIDDEN, SPECIAL) \
	T(BGSOUND, "bgsound", HIDDEN, SPECIAL) \
	T(BIG, "big", INLINE, FORMATTING) \
	T(BLOCKQUOTE, "blockquote", BLOCK, SPECIAL) \
	T(BODY, "body", BLOCK, SPECIAL) \
	T(BR, "br", BREAK, SPECIAL) \
	T(BUTTON, "button", HIDDEN, SPECIAL) \
	T(CANVAS, "canvas", HIDDEN, ORDINARY) \
	T(CAPTION, "caption", BLOCK, SPECIAL) \
	T(CENTER, "center", BLOCK, SPECIAL) \
	T(CODE, "code", INLINE, FORMATTING) \
	T(COL, "col", HIDDEN, SPECIAL) \
	T(COLGROUP, "colgroup", HIDDEN, SPECIAL) \
	T(DATALIST, "datalist", HIDDEN, ORDINARY) \
	T(DD, "dd", DEFINITION, SPECIAL) \
	T(DESC, "desc", INLINE, ORDINARY) \
	T(DETAILS, "details", BLOCK, SPECIAL) \
	T(DIALOG, "dialog", HIDDEN, ORDINARY) \
	T(DIR, "dir", LIST, SPECIAL) \
	T(DIV, "div", BLOCK, SPECIAL) \
	T(DL, "dl", BLOCK, SPECIAL) \
	T(DT, "dt", TERM, SPECIAL) \
	T(EM, "em", INLINE, FORMATTING) \
	T(EMBED, "embed", HIDDEN, SPECIAL) \
	T(FIELDSET, "fieldset", BLOCK, SPECIAL) \
	T(FIGCAPTION, "figcaption", BLOCK, SPECIAL) \
	T(FIGURE, "figure", BLOCK, SPECIAL) \
	T(FONT, "font", INLINE, FORMATTING) \
	T(FOOTER, "footer", BLOCK, SPECIAL) \
	T(FOREIGNOBJECT, "foreignobject", INLINE, ORDINARY) \
	T(FORM, "form", BLOCK, SPECIAL) \
	T(FRAME, "frame", HIDDEN, SPECIAL) \
	T(FRAMESET, "frameset", HIDDEN, SPECIAL) \
	T(H1, "h1", HEADING, SPECIAL) \
	T(H2, "h2", HEADING, SPECIAL) \
	T(H3, "h3", HEADING, SPECIAL) \
	T(H4, "h4", HEADING, SPECIAL) \
	T(H5, "h5", HEADING, SPECIAL) \
	T(H6, "h6", HEADING, SPECIAL) \
	T(HEAD, "head", HIDDEN, SPECIAL) \
	T(HEADER, "header", BLOCK, SPECIAL) \
	T(HGROUP, "hgroup", BLOCK, SPECIAL) \
	T(HR, "hr", BLOCK, SPECIAL) \
	T(HTML, "html", BLOCK, SPECIAL) \
	T(I, "i", INLINE, FORMATTING) \
	T(IFRAME, "iframe", HIDDEN, SPECIAL) \
	T(IMAGE, "image", INLINE, ORDINARY) \
	T(IMG, "img", INLINE, SPECIAL) \
	T(INPUT, "input", HIDDEN, SPECIAL) \
	T(KEYGEN, "keygen", HIDDEN, SPECIAL) \
	T(LABEL, "label", INLINE, ORDINARY) \
	T(LEGEND, "legend", BLOCK, ORDINARY) \
	T(LI, "li", ITEM, SPECIAL) \
	T(LINK, "link", HIDDEN, SPECIAL) \
	T(LISTING, "listing", PRE, SPECIAL) \
	T(MAIN, "main", BLOCK, SPECIAL) \
	T(MALIGNMARK, "malignmark", INLINE, ORDINARY) \
	T(MAP, "map", HIDDEN, ORDINARY) \
	T(MARQUEE, "marquee", BLOCK, SPECIAL) \
	T(MATH, "math", INLINE, ORDINARY) \
	T(MENU, "menu", LIST, SPECIAL) \
	T(META, "meta", HIDDEN, SPECIAL) \
	T(MGLYPH, "mglyph", INLINE, ORDINARY) \
	T(MI, "mi", INLINE, ORDINARY) \
	T(MN, "mn", INLINE, ORDINARY) \
	T(MO, "mo", INLINE, ORDINARY) \
	T(MS, "ms", INLINE, ORDINARY) \
	T(MTEXT, "mtext", INLINE, ORDINARY) \
	T(NAV, "nav", BLOCK, SPECIAL) \
	T(NOBR, "nobr", INLINE, FORMATTING) \
	T(NOEMBED, "noembed", HIDDEN, SPECIAL) \
	T(NOFRAMES, "noframes", HIDDEN, SPECIAL) \
	T(NOSCRIPT, "noscript", HIDDEN, SPECIAL) \
	T(OBJECT, "object", BESIDE, SPECIAL) \
	T(OL, "ol", NUMBERED, SPECIAL) \
	T(OPTGROUP, "optgroup", HIDDEN, ORDINARY) \
	T(OPTION, "option", HIDDEN, ORDINARY) \
	T(P, "p", BLOCK, SPECIAL) \
	T(PARAM, "param", HIDDEN, SPECIAL) \
	T(PLAINTEXT, "plaintext", PRE, SPECIAL) \
	T(PRE, "pre", PRE, SPECIAL) \
	T(RB, "rb", INLINE, ORDINARY) \
	T(RP, "rp", BESIDE, ORDINARY) \
	T(RT, "rt", BESIDE, ORDINARY) \
	T(RTC, "rtc", BESIDE, ORDINARY) \
	T(RUBY, "ruby", INLINE, ORDINARY) \
	T(S, "s", INLINE, FORMATTING) \
	T(SCRIPT, "script", HIDDEN, SPECIAL) \
	T(SEARCH, "search", BLOCK, SPECIAL) \
	T(SECTION, "section", BLOCK, SPECIAL) \
	T(SELECT, "select", HIDDEN, SPECIAL) \
	T(SMALL, "small", INLINE, FORMATTING) \
	T(SOURCE, "source", HIDDEN, SPECIAL) \
	T(SPAN, "span", INLINE, ORDINARY) \
	T(STRIKE, "strike", INLINE, FORMATTING) \
	T(STRONG, "strong", INLINE, FORMATTING) \
	T(STYLE, "style", HIDDEN, SPECIAL) \
	T(SUB, "sub", INLINE, ORDINARY) \
	T(SUMMARY, "summary", BLOCK, SPECIAL) \
	T(SUP, "sup", INLINE, ORDINARY) \
	T(SVG, "svg", BESIDE, ORDINARY) \
	T(TABLE, "table", TABLE, SPECIAL) \
	T(TBODY, "tbody", INLINE, SPECIAL) \
	T(TD, "td", CELL, SPECIAL) \
	T(TEMPLATE, "template", HIDDEN, SPECIAL) \
	T(TEXTAREA, "textarea", HIDDEN, SPECIAL) \
	T(TFOOT, "tfoot", INLINE, SPECIAL) \
	T(TH, "th", CELL, SPECIAL) \
	T(THEAD, "thead", INLINE, SPECIAL) \
	T(TIME, "time", INLINE, ORDINARY) \
	T(TITLE, "title", HIDDEN, SPECIAL) \
	T(TR, "tr", ROW, SPECIAL) \
	T(TRACK, "track", HIDDEN, SPECIAL) \
	T(TT, "tt", INLINE, FORMATTING) \
	T(U, "u", INLINE, FORMATTING) \
	T(UL, "ul", LIST, SPECIAL) \
	T(VAR, "var", INLINE, ORDINARY) \
	T(VIDEO, "video", HIDDEN, ORDINARY) \
	T(WBR, "wbr", INLINE, SPECIAL) \
	T(XMP, "xmp", PRE, SPECIAL)

#define LU_HTML_ATTRIBUTES(A) \
	A(ARIA_HIDDEN, "aria-hidden") A(CLASS, "class") A(COLOR, "color") A(CONTENT, "content") \
	A(DATETIME, "datetime") A(ENCODING, "encoding") A(FACE, "face") A(HIDDEN, "hidden") \
	A(HREF, "href") A(HTTP_EQUIV, "http-equiv") A(ID, "id") A(ITEMPROP, "itemprop") \
	A(ITEMTYPE, "itemtype") A(LANG, "lang") A(NAME, "name") A(PROPERTY, "property") \
	A(REL, "rel") A(ROLE, "role") A(SIZE, "size") A(START, "start") A(STYLE, "style") \
	A(TYPE, "type") A(VALUE, "value") A(XML_LANG, "xml:lang")
/* clang-format on */

#define LU_HTML_T(constant, name, role, class) LU_TAG_##constant,
enum lu_html_tag {
	LU_TAG_NONE, /* a text */
	LU_TAG_OTHER,
	LU_HTML_TAGS(LU_HTML_T) LU_TAG_COUNT
};
#undef LU_HTML_T

#define LU_HTML_A(constant, name) LU_ATTRIBUTE_##constant,
enum lu_html_name { LU_HTML_ATTRIBUTES(LU_HTML_A) LU_ATTRIBUTE_COUNT };
#undef LU_HTML_A

enum lu_html_class { LU_CLASS_ORDINARY, LU_CLASS_SPECIAL, LU_CLASS_FORMATTING };

/* The element of that name, in any case; LU_TAG_OTHER for one that is not in the table. */
enum lu_html_tag lu_html_tag(struct lu_str name);
/* Its name; "" of LU_TAG_OTHER. */
const char *lu_html_tag_name(enum lu_html_tag tag);
/* The parser's class of an element of HTML's namespace. */
enum lu_html_class lu_html_tag_class(enum lu_html_tag tag);
/* The attribute of that name, in any case; LU_ATTRIBUTE_COUNT for one that is not in the table. */
enum lu_html_name lu_html_name(struct lu_str name);

#endif
