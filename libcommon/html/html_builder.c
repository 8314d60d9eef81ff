#include "libcommon/html/html_builder.h"

#include <strings.h>

static bool is_html(const struct lu_html_node *n, enum lu_html_tag tag)
{
	return n->tag == tag && n->space == LU_SPACE_HTML;
}

/* --- open elements ------------------------------------------------------------------------------ */

void lu_hb_pop(struct lu_html_builder *b)
{
	/* The html element stays. */
	if (b->opens > 1)
		b->paragraphs -= is_html(b->open[--b->opens], LU_TAG_P);
}

static void push(struct lu_html_builder *b, struct lu_html_node *n)
{
	b->open[b->opens++] = n;
	b->paragraphs += is_html(n, LU_TAG_P);
}

size_t lu_hb_open_at(const struct lu_html_builder *b, enum lu_html_tag tag)
{
	size_t i = b->opens;

	while (i && !is_html(b->open[i - 1], tag))
		i--;
	return i;
}

/* True if the element ends a search for elements in scope. */
static bool bounds(const struct lu_html_node *n, enum lu_html_scope scope)
{
	if (n->space == LU_SPACE_MATHML)
		return scope != LU_SCOPE_TABLE &&
				((n->tag >= LU_TAG_MI && n->tag <= LU_TAG_MTEXT) ||
						n->tag == LU_TAG_ANNOTATION_XML);
	if (n->space == LU_SPACE_SVG)
		return scope != LU_SCOPE_TABLE &&
				(n->tag == LU_TAG_FOREIGNOBJECT || n->tag == LU_TAG_DESC ||
						n->tag == LU_TAG_TITLE);
	switch (n->tag) {
	case LU_TAG_HTML:
	case LU_TAG_TABLE:
	case LU_TAG_TEMPLATE: return true;
	case LU_TAG_APPLET:
	case LU_TAG_CAPTION:
	case LU_TAG_MARQUEE:
	case LU_TAG_OBJECT:
	case LU_TAG_SELECT:
	case LU_TAG_TD:
	case LU_TAG_TH: return scope != LU_SCOPE_TABLE;
	case LU_TAG_OL:
	case LU_TAG_UL: return scope == LU_SCOPE_ITEM;
	case LU_TAG_BUTTON: return scope == LU_SCOPE_BUTTON;
	default: return false;
	}
}

bool lu_hb_in_scope(const struct lu_html_builder *b, enum lu_html_tag tag, enum lu_html_scope scope)
{
	if (tag == LU_TAG_P && !b->paragraphs)
		return false;
	for (size_t i = b->opens; i-- > 0;) {
		if (is_html(b->open[i], tag))
			return true;
		if (bounds(b->open[i], scope))
			return false;
	}
	return false;
}

static bool is_heading(const struct lu_html_node *n)
{
	return n->tag >= LU_TAG_H1 && n->tag <= LU_TAG_H6 && n->space == LU_SPACE_HTML;
}

bool lu_hb_heading_in_scope(const struct lu_html_builder *b)
{
	for (size_t i = b->opens; i-- > 0;) {
		if (is_heading(b->open[i]))
			return true;
		if (bounds(b->open[i], LU_SCOPE_DEFAULT))
			return false;
	}
	return false;
}

void lu_hb_pop_until(struct lu_html_builder *b, enum lu_html_tag tag)
{
	size_t at = lu_hb_open_at(b, tag);

	while (at && b->opens >= at && b->opens > 1)
		lu_hb_pop(b);
}

void lu_hb_imply_ends(struct lu_html_builder *b, enum lu_html_tag except)
{
	for (;;) {
		const struct lu_html_node *n = lu_hb_current(b);

		if (n->space != LU_SPACE_HTML || n->tag == except)
			return;
		switch (n->tag) {
		case LU_TAG_DD:
		case LU_TAG_DT:
		case LU_TAG_LI:
		case LU_TAG_OPTGROUP:
		case LU_TAG_OPTION:
		case LU_TAG_P:
		case LU_TAG_RB:
		case LU_TAG_RP:
		case LU_TAG_RT:
		case LU_TAG_RTC: lu_hb_pop(b); break;
		default: return;
		}
	}
}

void lu_hb_close_p(struct lu_html_builder *b)
{
	if (lu_hb_in_scope(b, LU_TAG_P, LU_SCOPE_BUTTON)) {
		lu_hb_imply_ends(b, LU_TAG_P);
		lu_hb_pop_until(b, LU_TAG_P);
	}
}

/* Index of `n` on the stack plus 1, 0: it is not open. */
static size_t index_of(const struct lu_html_builder *b, const struct lu_html_node *n)
{
	size_t i = b->opens;

	while (i && b->open[i - 1] != n)
		i--;
	return i;
}

void lu_hb_unopen(struct lu_html_builder *b, const struct lu_html_node *n)
{
	size_t i = index_of(b, n);

	if (i < 2)
		return;
	b->paragraphs -= is_html(n, LU_TAG_P);
	memmove(&b->open[i - 1], &b->open[i], (b->opens - i) * sizeof(b->open[0]));
	b->opens--;
}

/* --- insertion ------------------------------------------------------------------------------ */

static struct lu_html_node *new_node(struct lu_html_builder *b)
{
	struct lu_html_node *n = NULL;

	if (b->nodes >= LU_HTML_NODES)
		b->full = true;
	else
		n = lu_arena_alloc(b->arena, sizeof(*n));
	if (!n) {
		b->failed |= !b->full;
		n = &b->spare;
	}
	b->nodes++;
	*n = (struct lu_html_node){ .tag = LU_TAG_NONE };
	return n;
}

static bool takes_fosters(const struct lu_html_node *n)
{
	return n->space == LU_SPACE_HTML &&
			(n->tag == LU_TAG_TABLE || n->tag == LU_TAG_TBODY ||
					n->tag == LU_TAG_TFOOT || n->tag == LU_TAG_THEAD ||
					n->tag == LU_TAG_TR);
}

/* Insert where the standard's "appropriate place" below `target` is. */
static void insert(struct lu_html_builder *b, struct lu_html_node *target, struct lu_html_node *n)
{
	size_t table, template;

	if (n == &b->spare || target == &b->spare)
		return;
	if (!b->foster || !takes_fosters(target)) {
		lu_html_insert(target, n, NULL);
		return;
	}
	table = lu_hb_open_at(b, LU_TAG_TABLE);
	template = lu_hb_open_at(b, LU_TAG_TEMPLATE);
	if (template > table)
		lu_html_insert(b->open[template - 1], n, NULL);
	else if (table == 0)
		lu_html_insert(b->open[0], n, NULL);
	else if (b->open[table - 1]->parent)
		lu_html_insert(b->open[table - 1]->parent, n, b->open[table - 1]);
	else
		lu_html_insert(b->open[table - 2], n, NULL);
}

void lu_hb_attributes(
		struct lu_html_builder *b, struct lu_html_node *n, const struct lu_html_token *t)
{
	size_t bytes = t->attributes * sizeof(b->tokens.attribute[0]);
	struct lu_html_attribute *copy;

	if (!bytes || n->attributes)
		return;
	copy = lu_arena_alloc(b->arena, bytes);
	if (!copy) {
		b->failed = true;
		return;
	}
	memcpy(copy, b->tokens.attribute, bytes);
	n->attribute = copy;
	n->attributes = (unsigned char)t->attributes;
}

static void open_node(struct lu_html_builder *b, struct lu_html_node *n)
{
	if (b->opens == LU_HTML_DEPTH)
		lu_hb_pop(b);
	insert(b, b->opens ? lu_hb_current(b) : b->document, n);
	push(b, n);
}

struct lu_html_node *lu_hb_open(
		struct lu_html_builder *b, const struct lu_html_token *t, enum lu_html_space space)
{
	struct lu_html_node *n = new_node(b);

	n->tag = (unsigned char)t->tag;
	n->text = t->name;
	n->space = (unsigned char)space;
	lu_hb_attributes(b, n, t);
	open_node(b, n);
	return n;
}

void lu_hb_void(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_open(b, t, LU_SPACE_HTML);
	lu_hb_pop(b);
}

struct lu_html_node *lu_hb_implied(struct lu_html_builder *b, enum lu_html_tag tag)
{
	struct lu_html_token t = { .type = LU_TOKEN_START, .tag = tag };

	t.name = lu_str_of(lu_html_tag_name(tag));
	return lu_hb_open(b, &t, LU_SPACE_HTML);
}

void lu_hb_text(struct lu_html_builder *b, struct lu_str text)
{
	struct lu_html_node *n;

	if (!text.n)
		return;
	n = new_node(b);
	n->text = text;
	insert(b, lu_hb_current(b), n);
}

/* --- formatting ----------------------------------------------------------------------------- */

static void remove_at(struct lu_html_builder *b, size_t i)
{
	b->formattings--;
	memmove(&b->formatting[i], &b->formatting[i + 1],
			(b->formattings - i) * sizeof(b->formatting[0]));
}

static void add(struct lu_html_builder *b, struct lu_html_formatting f)
{
	if (b->formattings == LU_HTML_FORMATTING)
		remove_at(b, 0);
	b->formatting[b->formattings++] = f;
}

void lu_hb_format(struct lu_html_builder *b, const struct lu_html_token *t)
{
	size_t alike = 0, first = 0;

	/* "Noah's Ark": of elements that are alike, three are remembered. */
	for (size_t i = b->formattings; i-- > 0 && b->formatting[i].node;) {
		if (b->formatting[i].node->tag == t->tag &&
				lu_str_eq(b->formatting[i].attributes, t->text)) {
			alike++;
			first = i;
		}
	}
	if (alike >= 3)
		remove_at(b, first);
	add(b, (struct lu_html_formatting){ lu_hb_current(b), t->text });
}

void lu_hb_marker(struct lu_html_builder *b)
{
	add(b, (struct lu_html_formatting){ NULL, { NULL, 0 } });
}

void lu_hb_clear_to_marker(struct lu_html_builder *b)
{
	while (b->formattings && b->formatting[--b->formattings].node)
		;
}

/* Index of the active element plus 1; tag: by its tag, else the node n. 0: none. */
static size_t active_at(
		const struct lu_html_builder *b, enum lu_html_tag tag, const struct lu_html_node *n)
{
	for (size_t i = b->formattings; i-- > 0;) {
		const struct lu_html_node *f = b->formatting[i].node;

		if (tag && (!f || f->tag == tag))
			return f ? i + 1 : 0;
		if (!tag && f == n)
			return i + 1;
	}
	return 0;
}

struct lu_html_node *lu_hb_active(const struct lu_html_builder *b, enum lu_html_tag tag)
{
	size_t i = active_at(b, tag, NULL);

	return i ? b->formatting[i - 1].node : NULL;
}

void lu_hb_forget(struct lu_html_builder *b, const struct lu_html_node *n)
{
	size_t i = active_at(b, LU_TAG_NONE, n);

	if (i)
		remove_at(b, i - 1);
}

/* A copy of an element, nowhere in the tree. */
static struct lu_html_node *copy_node(struct lu_html_builder *b, const struct lu_html_node *of)
{
	struct lu_html_node *n = new_node(b);

	n->tag = of->tag;
	n->text = of->text;
	n->attribute = of->attribute;
	n->attributes = of->attributes;
	return n;
}

void lu_hb_reconstruct(struct lu_html_builder *b)
{
	size_t i = b->formattings;

	while (i && b->formatting[i - 1].node && !index_of(b, b->formatting[i - 1].node))
		i--;
	for (; i < b->formattings && !b->full && !b->failed; i++) {
		b->formatting[i].node = copy_node(b, b->formatting[i].node);
		open_node(b, b->formatting[i].node);
	}
}

/* The topmost special element above `i` - 1 on the stack: its index plus 1, 0: none. */
static size_t furthest_block(const struct lu_html_builder *b, size_t i)
{
	for (; i < b->opens; i++) {
		const struct lu_html_node *n = b->open[i];

		if (n->space == LU_SPACE_HTML ? lu_html_tag_class(n->tag) == LU_CLASS_SPECIAL
					      : bounds(n, LU_SCOPE_DEFAULT))
			return i + 1;
	}
	return 0;
}

static void move_children(
		struct lu_html_builder *b, struct lu_html_node *from, struct lu_html_node *to)
{
	while (from->first && !b->full && !b->failed) {
		struct lu_html_node *n = from->first;

		lu_html_remove(n);
		lu_html_insert(to, n, NULL);
	}
}

/* Steps 4.13 and 4.14 of the adoption agency: copy the formatting elements between the block and the
 * formatting element, one inside the other. Returns the outermost; *mark follows the first copy in
 * the list. */
static struct lu_html_node *copy_between(
		struct lu_html_builder *b, size_t formatting, size_t block, size_t *mark)
{
	struct lu_html_node *last = b->open[block - 1];
	size_t i = block - 1;

	for (unsigned inner = 1; i-- > formatting; inner++) {
		struct lu_html_node *n = b->open[i];
		size_t at = active_at(b, LU_TAG_NONE, n);

		if (at && inner > 3) {
			remove_at(b, at - 1);
			if (at - 1 < *mark)
				--*mark;
			at = 0;
		}
		if (!at) {
			lu_hb_unopen(b, n);
			continue;
		}
		n = copy_node(b, n);
		if (n == &b->spare)
			return last;
		b->formatting[at - 1].node = b->open[i] = n;
		if (last == b->open[i + 1] && inner == 1)
			*mark = at;
		lu_html_remove(last);
		lu_html_insert(n, last, NULL);
		last = n;
	}
	return last;
}

/* One round of the adoption agency. False: there is no more to do. */
static bool adopt_once(struct lu_html_builder *b, size_t active, size_t formatting)
{
	struct lu_html_node *f = b->open[formatting - 1], *block, *ancestor, *last, *copy;
	size_t at = furthest_block(b, formatting), mark = active - 1;
	struct lu_str attributes = b->formatting[active - 1].attributes;

	if (!at) {
		while (b->opens >= formatting && b->opens > 1)
			lu_hb_pop(b);
		lu_hb_forget(b, f);
		return false;
	}
	block = b->open[at - 1];
	ancestor = b->open[formatting - 2];
	last = copy_between(b, formatting, at, &mark);
	if (b->full || b->failed)
		return false;
	lu_html_remove(last);
	b->foster = true;
	insert(b, ancestor, last);
	b->foster = false;
	copy = copy_node(b, f);
	if (copy == &b->spare)
		return false;
	move_children(b, block, copy);
	lu_html_insert(block, copy, NULL);
	active = active_at(b, LU_TAG_NONE, f);
	remove_at(b, active - 1);
	if (active - 1 < mark)
		mark--;
	memmove(&b->formatting[mark + 1], &b->formatting[mark],
			(b->formattings - mark) * sizeof(b->formatting[0]));
	b->formatting[mark] = (struct lu_html_formatting){ copy, attributes };
	b->formattings++;
	lu_hb_unopen(b, f);
	at = index_of(b, block);
	memmove(&b->open[at + 1], &b->open[at], (b->opens - at) * sizeof(b->open[0]));
	b->open[at] = copy;
	b->opens++;
	return true;
}

bool lu_hb_adopt(struct lu_html_builder *b, enum lu_html_tag tag)
{
	if (lu_hb_current_is(b, tag) && !active_at(b, LU_TAG_NONE, lu_hb_current(b))) {
		lu_hb_pop(b);
		return true;
	}
	for (unsigned round = 0; round < 8 && !b->full && !b->failed; round++) {
		size_t active = active_at(b, tag, NULL), formatting;

		if (!active)
			return round > 0;
		formatting = index_of(b, b->formatting[active - 1].node);
		if (!formatting) {
			remove_at(b, active - 1);
			return true;
		}
		if (!lu_hb_in_scope(b, tag, LU_SCOPE_DEFAULT))
			return true;
		if (!adopt_once(b, active, formatting))
			return true;
	}
	return true;
}
