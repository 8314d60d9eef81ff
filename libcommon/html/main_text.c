#include "libcommon/html/main_text.h"

#include "libcommon/html/html_element.h"
#include "libcommon/html/html_phrases.h"
#include "libcommon/html/html_words.h"

/* See the model in main_text.h. */
#define PROSE_BYTES 80
#define MOST 0.5
#define MUCH 0.33
#define FEW_LINKS 0.1
#define SOME_LINKS 0.33
#define DETAIL_SHARE 0.2
#define DETAIL_BYTES 600
#define LIST_BYTES 20
#define LIST_SHARE 0.25
#define LIST_LINKS 0.6
#define MAIN_SHARE 0.5
#define LEFT 0.1
#define HEADING_BYTES 64
#define HEADING_NODES 32
#define READ_SHARE 0.95
#define READ_LOSS 1000
#define READ_PLAIN 0.7

static uint32_t count_text(struct lu_str s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += !(s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r'));
	return n;
}

static bool is_block(const struct lu_html_node *n)
{
	enum lu_html_role role = lu_html_role(n);

	return role != LU_ROLE_INLINE && role != LU_ROLE_BREAK && role != LU_ROLE_HIDDEN &&
			role != LU_ROLE_BESIDE;
}

/* True if the block's own text is prose. */
static bool is_prose(const struct lu_html_node *n)
{
	return n->own >= PROSE_BYTES && n->own_links < n->own / 2;
}

static bool is_text(const struct lu_html_node *n)
{
	return n->tag == LU_TAG_NONE;
}

static struct lu_html_node *outer_block(struct lu_html_node *n, struct lu_html_node *root)
{
	while (n != root && (n = n->parent) != root && !is_block(n))
		;
	return n;
}

static bool is_page_part(const struct lu_html_node *n)
{
	switch (n->tag) {
	case LU_TAG_ARTICLE:
	case LU_TAG_BODY:
	case LU_TAG_HTML:
	case LU_TAG_MAIN: return true;
	default: return false;
	}
}

/* True if the heading is that of other pages. */
static bool heads_others(const struct lu_html_node *heading)
{
	char text[HEADING_BYTES + 1];
	struct lu_str s = { .p = text };
	unsigned nodes = 0;

	for (const struct lu_html_node *t = heading; t; t = lu_html_next(t, heading, true)) {
		/* Headings may be nested as deeply as a page likes. */
		if (++nodes > HEADING_NODES)
			return false;
		if (!is_text(t))
			continue;
		for (size_t i = 0; i < t->text.n; i++) {
			bool blank = t->text.p[i] == ' ' ||
					(t->text.p[i] >= '\t' && t->text.p[i] <= '\r');

			if (blank && (s.n == 0 || text[s.n - 1] == ' '))
				continue;
			if (s.n == HEADING_BYTES)
				return false;
			text[s.n++] = blank ? ' ' : t->text.p[i];
		}
	}
	return lu_html_heads_others(s);
}

/* Say of the element that a heading begins, when it closes, that it is a list of other pages. What is
 * not longer than a heading holds nothing but it, so its parent may be the list. */
static void pass_heading(const struct lu_html_node *n)
{
	struct lu_html_node *parent = n->parent;

	if (n->text_bytes > HEADING_BYTES || parent->own > 0 || parent->text_bytes > 0 ||
			is_page_part(parent))
		return;
	if (lu_html_role(n) == LU_ROLE_HEADING || (n->own > 0 && n->own == n->text_bytes)
					? heads_others(n)
					: n->words & LU_WORDS_OTHERS)
		parent->words |= LU_WORDS_OTHERS;
}

/* Add up an element whose children have been measured. */
static void close_measured(struct lu_html_node *n, const struct lu_html_node *root)
{
	if (is_prose(n))
		n->prose += n->own;
	n->text_bytes += n->own;
	if (n == root)
		return;
	pass_heading(n);
	n->parent->prose += n->prose;
	n->parent->text_bytes += n->text_bytes;
	n->parent->link_bytes += n->link_bytes;
}

/* True for what is left out in any case, and unless the page is kept whole. */
static bool is_left_out(const struct lu_html_node *n, bool whole)
{
	enum lu_html_role role = lu_html_role(n);

	return role == LU_ROLE_HIDDEN || (role == LU_ROLE_BESIDE && !whole) || lu_html_is_hidden(n);
}

void lu_main_measure(struct lu_html_node *root, bool whole)
{
	struct lu_html_node *n = root, *block = root;
	unsigned links = 0;

	for (;;) {
		bool into = false;

		if (is_text(n)) {
			uint32_t bytes = count_text(n->text);

			block->own += bytes;
			block->own_links += links ? bytes : 0;
			n->parent->link_bytes += links ? bytes : 0;
		} else if (is_left_out(n, whole)) {
			n->mark = LU_MARK_HIDDEN;
		} else {
			n->words = n->attributes ? (unsigned char)lu_html_words(n) : 0;
			block = is_block(n) ? n : block;
			links += lu_html_is_link(n);
			into = true;
		}
		if (into && n->first) {
			n = n->first;
			continue;
		}
		for (;; n = n->parent) {
			if (!is_text(n) && n->mark != LU_MARK_HIDDEN) {
				links -= lu_html_is_link(n);
				close_measured(n, root);
				block = block == n ? outer_block(n, root) : block;
			}
			if (n == root)
				return;
			if (n->next)
				break;
		}
		n = n->next;
	}
}

/* Append the ASCII letters of s, small. */
static size_t add_letters(struct lu_str s, char *out, size_t n, size_t max)
{
	for (size_t i = 0; i < s.n && n < max; i++) {
		char c = (char)(s.p[i] | 32);

		if (c >= 'a' && c <= 'z')
			out[n++] = c;
	}
	return n;
}

/* True if the element's id is derived from the heading it begins with. */
static bool is_slug(const struct lu_html_node *n)
{
	char id[64], heading[64];
	size_t ids = add_letters(lu_html_attribute(n, LU_ATTRIBUTE_ID), id, 0, sizeof(id)), m = 0;
	const struct lu_html_node *h = n, *t;

	for (unsigned i = 0; h && i < 8 && lu_html_role(h) != LU_ROLE_HEADING; i++)
		h = lu_html_next(h, n, true);
	if (!h || lu_html_role(h) != LU_ROLE_HEADING)
		return false;
	for (t = h; t; t = lu_html_next(t, h, true)) {
		if (is_text(t))
			m = add_letters(t->text, heading, m, sizeof(heading));
	}
	return ids == m && memcmp(id, heading, m) == 0;
}

/* True if the element's words speak against what is in it. */
static bool mislead(const struct lu_html_node *n, uint32_t total)
{
	if (n->prose > MUCH * total && n->link_bytes < FEW_LINKS * n->text_bytes)
		return true;
	return n->prose > 0 && n->words & LU_WORDS_SLUG &&
			n->link_bytes < SOME_LINKS * n->text_bytes && is_slug(n);
}

static bool left_out_by_words(const struct lu_html_node *n, uint32_t total, bool comments)
{
	if (n->words & LU_WORDS_COMMENTS)
		return !comments && !(n->words & LU_WORDS_SLUG && mislead(n, total));
	if (n->words & (LU_WORDS_NAVIGATION | LU_WORDS_RELATED))
		return !mislead(n, total);
	if (n->words & LU_WORDS_OTHERS && n->link_bytes > FEW_LINKS * n->text_bytes &&
			n->prose <= MUCH * total)
		return true;
	if (n->words & LU_WORDS_TEASER)
		return n->link_bytes > 0;
	if (n->words & LU_WORDS_DETAIL)
		return n->prose <= DETAIL_SHARE * total && n->text_bytes <= DETAIL_BYTES;
	return n->words & LU_WORDS_WEAK && n->prose == 0;
}

/* True if it is the head or foot of a manual page, as mandoc(1) writes them. */
static bool is_manual_frame(const struct lu_html_node *n)
{
	struct lu_str class = lu_html_attribute(n, LU_ATTRIBUTE_CLASS);

	return lu_str_is(class, "head") || lu_str_is(class, "foot");
}

/* True for headings, dates and first lines around links to other pages. */
static bool is_list_of_links(const struct lu_html_node *n, uint32_t total)
{
	return n->prose == 0 && n->text_bytes >= LIST_BYTES && n->text_bytes < LIST_SHARE * total &&
			n->link_bytes > LIST_LINKS * n->text_bytes &&
			!lu_html_find(n, LU_TAG_TABLE);
}

static bool left_out(const struct lu_html_node *n, uint32_t total, enum lu_main_choice choice,
		bool in_article, bool comments)
{
	if (choice == LU_MAIN_PAGE || n->tag == LU_TAG_HTML || n->tag == LU_TAG_BODY)
		return false;
	if (choice == LU_MAIN_MANUAL)
		return is_manual_frame(n);
	if (choice == LU_MAIN_NARROW && n->prose > MOST * total)
		return false;
	switch (n->tag) {
	case LU_TAG_NAV:
	case LU_TAG_ASIDE:
	case LU_TAG_FOOTER:
	case LU_TAG_SEARCH: return true;
	case LU_TAG_HEADER:
		if (!in_article && (n->prose == 0 || n->link_bytes > SOME_LINKS * n->text_bytes))
			return true;
		break;
	case LU_TAG_FORM:
		if (n->prose <= DETAIL_SHARE * total && n->text_bytes <= DETAIL_BYTES)
			return true;
		break;
	case LU_TAG_FIGCAPTION: return choice == LU_MAIN_NARROW;
	case LU_TAG_DIV:
	case LU_TAG_SECTION:
	case LU_TAG_UL:
	case LU_TAG_OL:
		if (choice == LU_MAIN_NARROW && is_list_of_links(n, total))
			return true;
		break;
	default: break;
	}
	/* What is quoted in a text is of it, whatever its class: tweets. */
	return choice == LU_MAIN_NARROW && n->words && n->tag != LU_TAG_BLOCKQUOTE &&
			left_out_by_words(n, total, comments);
}

static bool is_article(const struct lu_html_node *n)
{
	return n->tag == LU_TAG_ARTICLE || n->tag == LU_TAG_MAIN;
}

/* Mark all elements and add up the prose that is kept. */
static void mark(struct lu_html_node *root, enum lu_main_choice choice, bool comments)
{
	struct lu_html_node *n = root;
	unsigned articles = 0, pre = 0;

	for (;;) {
		n->kept = n->plain = 0;
		if (!is_text(n) && n->mark != LU_MARK_HIDDEN) {
			n->mark = !pre && left_out(n, root->prose, choice, articles > 0, comments)
					? LU_MARK_LEFT_OUT
					: LU_MARK_KEEP;
			articles += is_article(n);
			pre += n->tag == LU_TAG_PRE;
		}
		if (n->mark == LU_MARK_KEEP && n->first) {
			n = n->first;
			continue;
		}
		for (;; n = n->parent) {
			if (!is_text(n) && n->mark != LU_MARK_HIDDEN) {
				articles -= is_article(n);
				pre -= n->tag == LU_TAG_PRE;
				if (n->mark == LU_MARK_KEEP && is_prose(n))
					n->kept += n->own;
				if (n->mark == LU_MARK_KEEP)
					n->plain += n->own - n->own_links;
			}
			if (n == root)
				return;
			n->parent->kept += n->kept;
			n->parent->plain += n->plain;
			if (n->next)
				break;
		}
		n = n->next;
	}
}

static bool is_container(const struct lu_html_node *n)
{
	switch (n->tag) {
	case LU_TAG_BLOCKQUOTE:
	case LU_TAG_DL:
	case LU_TAG_LI:
	case LU_TAG_OL:
	case LU_TAG_P:
	case LU_TAG_PRE:
	case LU_TAG_UL: return false;
	default: return true;
	}
}

/* The child that holds nearly all that `n` holds, or NULL. */
static struct lu_html_node *heir(const struct lu_html_node *n, uint32_t total)
{
	struct lu_html_node *found = NULL;

	for (struct lu_html_node *c = n->first; c; c = c->next) {
		if (is_text(c) || c->mark != LU_MARK_KEEP || c->kept == 0)
			continue;
		if (!is_container(c))
			return NULL;
		if (c->kept >= READ_SHARE * total && total - c->kept <= READ_LOSS &&
				c->plain >= READ_PLAIN * n->plain)
			found = c;
	}
	return found;
}

static struct lu_html_node *find_main(struct lu_html_node *root)
{
	struct lu_html_node *n = root;

	while (n && !(n->mark == LU_MARK_KEEP && n->tag == LU_TAG_MAIN))
		n = lu_html_next(n, root, n->mark == LU_MARK_KEEP);
	return n;
}

const struct lu_html_node *lu_main_choose(
		struct lu_html_node *root, enum lu_main_choice choice, bool comments)
{
	struct lu_html_node *from = root, *next, *main;
	uint32_t total;

	mark(root, choice, comments);
	if (choice == LU_MAIN_NARROW && root->kept < LEFT * root->prose)
		mark(root, LU_MAIN_WIDE, comments);
	total = root->kept;
	if (choice >= LU_MAIN_PAGE)
		return root;
	main = find_main(root);
	if (main && main->text_bytes > 0 && main->kept >= MAIN_SHARE * total)
		from = main;
	if (total == 0)
		return from;
	while (from->tag != LU_TAG_ARTICLE && (next = heir(from, total)) != NULL)
		from = next;
	return from;
}
