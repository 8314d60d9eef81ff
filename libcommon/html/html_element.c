#include "libcommon/html/html_element.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ROLE(constant, name, role, class) LU_ROLE_##role,
static const unsigned char element_roles[] = { LU_ROLE_INLINE, LU_ROLE_INLINE, LU_HTML_TAGS(ROLE) };
#undef ROLE

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

enum lu_html_role lu_html_role(const struct lu_html_node *n)
{
	return (enum lu_html_role)element_roles[n->tag];
}

/* True if one of the blank-separated words of `value` is in the list. */
static bool has_word(struct lu_str value, const char *const *words, size_t n)
{
	while (value.n) {
		size_t len = 0;

		while (len < value.n && !strchr(" \t\r\n\f", value.p[len]))
			len++;
		for (size_t i = 0; len && i < n; i++) {
			if (strlen(words[i]) == len && strncasecmp(value.p, words[i], len) == 0)
				return true;
		}
		value.p += len + (len < value.n);
		value.n -= len + (len < value.n);
	}
	return false;
}

/* True if a style attribute has the property with the value, in any case. */
static bool has_style(struct lu_str style, const char *property, const char *value)
{
	size_t n = strlen(property), m = strlen(value);
	const char *p = style.p, *end = style.p + style.n;

	for (; p + n < end; p++) {
		const char *q = p + n;

		if (strncasecmp(p, property, n) != 0 || (p > style.p && !strchr("; \t\r\n", p[-1])))
			continue;
		while (q < end && strchr(" :\t\r\n", *q))
			q++;
		if ((size_t)(end - q) >= m && strncasecmp(q, value, m) == 0)
			return true;
	}
	return false;
}

bool lu_html_is_hidden(const struct lu_html_node *n)
{
	struct lu_str style, aria;

	if (!n->attributes)
		return false;
	style = lu_html_attribute(n, LU_ATTRIBUTE_STYLE);
	aria = lu_html_attribute(n, LU_ATTRIBUTE_ARIA_HIDDEN);
	return lu_html_attribute(n, LU_ATTRIBUTE_HIDDEN).p ||
			(aria.n == 4 && strncasecmp(aria.p, "true", 4) == 0) ||
			has_style(style, "display", "none") ||
			has_style(style, "visibility", "hidden");
}

bool lu_html_is_navigation(const struct lu_html_node *n, bool in_article)
{
	if (n->tag == LU_TAG_HTML || n->tag == LU_TAG_BODY || n->tag == LU_TAG_MAIN ||
			n->tag == LU_TAG_ARTICLE)
		return false;
	if (n->tag == LU_TAG_NAV || n->tag == LU_TAG_ASIDE || n->tag == LU_TAG_FOOTER ||
			n->tag == LU_TAG_SEARCH || (n->tag == LU_TAG_HEADER && !in_article))
		return true;
	if (!n->attributes)
		return false;
	return has_word(lu_html_attribute(n, LU_ATTRIBUTE_CLASS), navigation, COUNT(navigation)) ||
			has_word(lu_html_attribute(n, LU_ATTRIBUTE_ID), navigation,
					COUNT(navigation)) ||
			has_word(lu_html_attribute(n, LU_ATTRIBUTE_ROLE), roles, COUNT(roles));
}

/* A paragraph that is alone in its cell does not count. */
static bool is_block(const struct lu_html_node *n, enum lu_html_role role)
{
	switch (role) {
	case LU_ROLE_BLOCK:
		if (n->tag == LU_TAG_P)
			return n->next || n->prev;
		return n->tag != LU_TAG_CAPTION && n->tag != LU_TAG_CENTER;
	case LU_ROLE_HEADING:
	case LU_ROLE_PRE:
	case LU_ROLE_LIST:
	case LU_ROLE_NUMBERED:
	case LU_ROLE_TABLE: return true;
	default: return false;
	}
}

bool lu_html_is_layout(const struct lu_html_node *table)
{
	const struct lu_html_node *n = table->first;

	while (n) {
		enum lu_html_role role = lu_html_role(n);

		if (is_block(n, role))
			return true;
		n = lu_html_next(n, table, role != LU_ROLE_HIDDEN);
	}
	return false;
}
