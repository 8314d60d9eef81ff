#include "libcommon/html/html_tree.h"

struct lu_str lu_html_attribute(const struct lu_html_node *n, enum lu_html_name name)
{
	for (unsigned i = 0; i < n->attributes; i++) {
		if (n->attribute[i].name == name)
			return n->attribute[i].value;
	}
	return (struct lu_str){ NULL, 0 };
}

struct lu_html_node *lu_html_next(
		const struct lu_html_node *n, const struct lu_html_node *root, bool descend)
{
	if (descend && n->first)
		return n->first;
	while (n != root && !n->next)
		n = n->parent;
	return n == root ? NULL : n->next;
}

struct lu_html_node *lu_html_find(const struct lu_html_node *root, enum lu_html_tag tag)
{
	struct lu_html_node *n = root->first;

	while (n && n->tag != tag)
		n = lu_html_next(n, root, true);
	return n;
}

void lu_html_insert(struct lu_html_node *parent, struct lu_html_node *n, struct lu_html_node *next)
{
	n->parent = parent;
	n->next = next;
	n->prev = next ? next->prev : parent->last;
	if (n->prev)
		n->prev->next = n;
	else
		parent->first = n;
	if (next)
		next->prev = n;
	else
		parent->last = n;
}

void lu_html_remove(struct lu_html_node *n)
{
	if (!n->parent)
		return;
	if (n->prev)
		n->prev->next = n->next;
	else
		n->parent->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		n->parent->last = n->prev;
	n->parent = n->prev = n->next = NULL;
}
