#include "libcommon/html/html_element.h"

#include <strings.h>

#define ROLE(constant, name, role, class) LU_ROLE_##role,
static const unsigned char element_roles[] = { LU_ROLE_INLINE, LU_ROLE_INLINE, LU_HTML_TAGS(ROLE) };
#undef ROLE

enum lu_html_role lu_html_role(const struct lu_html_node *n)
{
	return (enum lu_html_role)element_roles[n->tag];
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

bool lu_html_is_link(const struct lu_html_node *n)
{
	struct lu_str href;

	if (n->tag == LU_TAG_TIME)
		return true;
	if (n->tag != LU_TAG_A)
		return false;
	href = lu_html_attribute(n, LU_ATTRIBUTE_HREF);
	return href.p && !(href.n && href.p[0] == '#');
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
