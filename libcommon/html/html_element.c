#include "libcommon/html/html_element.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In byte order of the names. Elements that are missing here are inline. */
/* clang-format off */
static const struct element {
	const char *name;
	enum lu_html_role role;
} elements[] = {
	{ "address", LU_ROLE_BLOCK }, { "applet", LU_ROLE_HIDDEN }, { "article", LU_ROLE_BLOCK },
	{ "aside", LU_ROLE_NAVIGATION }, { "audio", LU_ROLE_HIDDEN },
	{ "blockquote", LU_ROLE_BLOCK }, { "body", LU_ROLE_BLOCK }, { "br", LU_ROLE_BREAK },
	{ "button", LU_ROLE_HIDDEN }, { "canvas", LU_ROLE_HIDDEN }, { "caption", LU_ROLE_BLOCK },
	{ "center", LU_ROLE_BLOCK }, { "datalist", LU_ROLE_HIDDEN },
	{ "dd", LU_ROLE_DEFINITION }, { "details", LU_ROLE_BLOCK }, { "dialog", LU_ROLE_HIDDEN },
	{ "dir", LU_ROLE_LIST }, { "div", LU_ROLE_BLOCK }, { "dl", LU_ROLE_BLOCK },
	{ "dt", LU_ROLE_TERM }, { "embed", LU_ROLE_HIDDEN }, { "fieldset", LU_ROLE_BLOCK },
	{ "figcaption", LU_ROLE_BLOCK }, { "figure", LU_ROLE_BLOCK },
	{ "footer", LU_ROLE_NAVIGATION }, { "form", LU_ROLE_BLOCK }, { "h1", LU_ROLE_HEADING },
	{ "h2", LU_ROLE_HEADING }, { "h3", LU_ROLE_HEADING }, { "h4", LU_ROLE_HEADING },
	{ "h5", LU_ROLE_HEADING }, { "h6", LU_ROLE_HEADING }, { "head", LU_ROLE_HIDDEN },
	{ "header", LU_ROLE_HEADER }, { "hgroup", LU_ROLE_BLOCK }, { "hr", LU_ROLE_BLOCK },
	{ "html", LU_ROLE_BLOCK }, { "iframe", LU_ROLE_HIDDEN }, { "input", LU_ROLE_HIDDEN },
	{ "legend", LU_ROLE_BLOCK }, { "li", LU_ROLE_ITEM }, { "listing", LU_ROLE_PRE },
	{ "main", LU_ROLE_BLOCK }, { "map", LU_ROLE_HIDDEN }, { "menu", LU_ROLE_LIST },
	{ "nav", LU_ROLE_NAVIGATION }, { "noembed", LU_ROLE_HIDDEN },
	{ "noframes", LU_ROLE_HIDDEN }, { "noscript", LU_ROLE_HIDDEN },
	{ "object", LU_ROLE_HIDDEN }, { "ol", LU_ROLE_NUMBERED }, { "optgroup", LU_ROLE_HIDDEN },
	{ "option", LU_ROLE_HIDDEN }, { "p", LU_ROLE_BLOCK }, { "plaintext", LU_ROLE_PRE },
	{ "pre", LU_ROLE_PRE }, { "rp", LU_ROLE_HIDDEN }, { "rt", LU_ROLE_HIDDEN },
	{ "script", LU_ROLE_HIDDEN }, { "search", LU_ROLE_NAVIGATION },
	{ "section", LU_ROLE_BLOCK }, { "select", LU_ROLE_HIDDEN }, { "style", LU_ROLE_HIDDEN },
	{ "summary", LU_ROLE_BLOCK }, { "svg", LU_ROLE_HIDDEN }, { "table", LU_ROLE_TABLE },
	{ "tbody", LU_ROLE_INLINE }, { "td", LU_ROLE_CELL }, { "template", LU_ROLE_HIDDEN },
	{ "textarea", LU_ROLE_HIDDEN }, { "th", LU_ROLE_CELL }, { "title", LU_ROLE_HIDDEN },
	{ "tr", LU_ROLE_ROW }, { "ul", LU_ROLE_LIST }, { "video", LU_ROLE_HIDDEN },
	{ "xmp", LU_ROLE_PRE },
};
/* clang-format on */

/*
 * Words of class and id attributes that mark navigation in the output of DocBook, Sphinx, Publican,
 * MediaWiki, Docutils, mandoc (head, foot) and WordPress.
 */
static const char *const navigation[] = { "breadcrumb", "breadcrumbs", "catlinks", "contents",
	"cookie", "cookies", "docnav", "editsection", "foot", "footer", "head", "headerlink",
	"menu", "mw-editsection", "mw-jump", "nav", "navbar", "navbox", "navfooter", "navheader",
	"navigation", "noprint", "page-footer", "pager", "pagination", "printfooter", "related",
	"sidebar", "site-footer", "site-header", "skip-link", "skiplink", "sphinxsidebar", "toc",
	"toctree-wrapper", "toolbar" };
static const char *const roles[] = { "banner", "complementary", "contentinfo", "doc-toc", "menu",
	"menubar", "navigation", "search", "toolbar" };

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct element *)element)->name);
}

enum lu_html_role lu_html_role(const xmlNode *n)
{
	const struct element *e =
			bsearch(n->name, elements, COUNT(elements), sizeof(elements[0]), by_name);

	return e ? e->role : LU_ROLE_INLINE;
}

bool lu_html_is(const xmlNode *n, const char *name)
{
	return strcmp((const char *)n->name, name) == 0;
}

const char *lu_html_attribute(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		if (strcasecmp((const char *)a->name, name) == 0)
			return a->children && a->children->content
					? (const char *)a->children->content
					: "";
	}
	return NULL;
}

/* True if one of the blank-separated words of `value` is in the list. */
static bool has_word(const char *value, const char *const *words, size_t n)
{
	while (value && *value) {
		size_t len;

		value += strspn(value, " \t\r\n\f");
		len = strcspn(value, " \t\r\n\f");
		for (size_t i = 0; len && i < n; i++) {
			if (strlen(words[i]) == len && strncasecmp(value, words[i], len) == 0)
				return true;
		}
		value += len;
	}
	return false;
}

bool lu_html_is_hidden(const xmlNode *n)
{
	const char *style = lu_html_attribute(n, "style");
	const char *display = style ? strstr(style, "display") : NULL;
	const char *aria = lu_html_attribute(n, "aria-hidden");

	if (lu_html_attribute(n, "hidden") || (aria && strcmp(aria, "true") == 0))
		return true;
	if (!display)
		return false;
	display += strlen("display");
	display += strspn(display, " :");
	return strncmp(display, "none", 4) == 0;
}

bool lu_html_is_navigation(const xmlNode *n, enum lu_html_role role, bool in_article)
{
	if (lu_html_is(n, "html") || lu_html_is(n, "body") || lu_html_is(n, "main") ||
			lu_html_is(n, "article"))
		return false;
	if (role == LU_ROLE_NAVIGATION || (role == LU_ROLE_HEADER && !in_article))
		return true;
	if (!n->properties)
		return false;
	return has_word(lu_html_attribute(n, "class"), navigation, COUNT(navigation)) ||
			has_word(lu_html_attribute(n, "id"), navigation, COUNT(navigation)) ||
			has_word(lu_html_attribute(n, "role"), roles, COUNT(roles));
}

const xmlNode *lu_html_next(const xmlNode *n, const xmlNode *root, bool descend)
{
	if (descend && n->children)
		return n->children;
	while (n != root && !n->next)
		n = n->parent;
	return n == root ? NULL : n->next;
}

/* A paragraph that is alone in its cell does not count. */
static bool is_block(const xmlNode *n, enum lu_html_role role)
{
	switch (role) {
	case LU_ROLE_BLOCK:
		if (lu_html_is(n, "p"))
			return n->next || n->prev;
		return !lu_html_is(n, "caption") && !lu_html_is(n, "center");
	case LU_ROLE_HEADING:
	case LU_ROLE_PRE:
	case LU_ROLE_LIST:
	case LU_ROLE_NUMBERED:
	case LU_ROLE_TABLE: return true;
	default: return false;
	}
}

bool lu_html_is_layout(const xmlNode *table)
{
	const xmlNode *n = table->children;

	while (n) {
		bool element = n->type == XML_ELEMENT_NODE;
		enum lu_html_role role = element ? lu_html_role(n) : LU_ROLE_INLINE;

		if (element && is_block(n, role))
			return true;
		n = lu_html_next(n, table, role != LU_ROLE_HIDDEN);
	}
	return false;
}

const xmlNode *lu_html_find(const xmlNode *root, const char *name)
{
	const xmlNode *n = root;

	while (n) {
		bool element = n->type == XML_ELEMENT_NODE;

		if (element) {
			const char *role = n->properties ? lu_html_attribute(n, "role") : NULL;

			if (lu_html_is(n, name) || (role && strcmp(role, name) == 0))
				return n;
		}
		n = lu_html_next(n, root, element);
	}
	return NULL;
}
