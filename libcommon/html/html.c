#include "libcommon/html/html.h"

#include "libcommon/html/html_element.h"
#include "libcommon/html/html_flow.h"
#include "libcommon/html/html_parse.h"
#include "libcommon/html/main_text.h"

/* A main text of fewer bytes, and less than a third of the page, asks for a wider choice. */
#define SHORT_TEXT 100

struct table {
	bool layout;
	unsigned cells; /* of the current row */
};

struct page {
	struct lu_html_flow flow;
	unsigned articles; /* open article and main elements */
	struct LU_VEC(struct table) tables;
};

static struct table *innermost_table(struct page *p)
{
	return p->tables.n ? &p->tables.p[p->tables.n - 1] : NULL;
}

/* True in a table of data, whose rows are lines. */
static bool in_row(struct page *p)
{
	const struct table *t = innermost_table(p);

	return t && !t->layout;
}

static void open_item(struct lu_html_flow *f)
{
	struct lu_flow_list *l = lu_flow_list(f);

	lu_flow_end(f);
	if (f->newlines == 0)
		f->newlines = 1;
	f->marker = true;
	if (l) {
		l->n++;
		l->blocks = 0;
	}
}

static void close_item(struct lu_html_flow *f)
{
	const struct lu_flow_list *l = lu_flow_list(f);
	bool simple = !l || l->blocks < 2;

	lu_flow_end(f);
	/* Items of one block are lines, longer ones paragraphs. */
	if (simple && f->newlines == 2)
		f->newlines = 1;
	f->marker = false;
}

static void open_cell(struct page *p)
{
	struct lu_html_flow *f = &p->flow;

	if (!in_row(p)) {
		lu_flow_break(f, 2);
	} else if (innermost_table(p)->cells++ > 0) {
		f->space = false;
		lu_buf_puts(&f->block, " | ");
	}
}

/* False when memory is out. */
static bool open_element(struct page *p, const struct lu_html_node *n, enum lu_html_role role)
{
	struct lu_html_flow *f = &p->flow;

	switch (role) {
	case LU_ROLE_HEADING:
		lu_flow_break(f, 2);
		f->headings++;
		break;
	case LU_ROLE_PRE:
		lu_flow_break(f, 2);
		f->pre++;
		break;
	case LU_ROLE_LIST:
	case LU_ROLE_NUMBERED:
		lu_flow_break(f, f->lists.n ? 1 : 2);
		return lu_vec_push(&f->lists,
				(struct lu_flow_list){ .numbered = role == LU_ROLE_NUMBERED });
	case LU_ROLE_ITEM: open_item(f); break;
	case LU_ROLE_TERM: lu_flow_break(f, 1); break;
	case LU_ROLE_DEFINITION:
		lu_flow_end(f);
		f->newlines = 1;
		f->tight = true;
		break;
	case LU_ROLE_TABLE:
		lu_flow_break(f, 2);
		return lu_vec_push(&p->tables, (struct table){ .layout = lu_html_is_layout(n) });
	case LU_ROLE_ROW:
		lu_flow_break(f, 1);
		if (p->tables.n)
			innermost_table(p)->cells = 0;
		break;
	case LU_ROLE_CELL: open_cell(p); break;
	case LU_ROLE_BREAK:
		f->space = in_row(p);
		if (!in_row(p))
			lu_buf_putc(&f->block, '\n');
		break;
	case LU_ROLE_BESIDE:
	case LU_ROLE_INLINE: f->links += lu_html_is_link(n); break;
	default:
		/* Blocks inside a row do not break its line. */
		if (in_row(p))
			break;
		lu_flow_break(f, 2);
		p->articles += n->tag == LU_TAG_ARTICLE || n->tag == LU_TAG_MAIN;
	}
	return true;
}

static void close_element(struct page *p, const struct lu_html_node *n, enum lu_html_role role)
{
	struct lu_html_flow *f = &p->flow;

	switch (role) {
	case LU_ROLE_HEADING:
		lu_flow_break(f, 2);
		f->headings--;
		break;
	case LU_ROLE_PRE:
		lu_flow_break(f, 2);
		f->pre--;
		break;
	case LU_ROLE_LIST:
	case LU_ROLE_NUMBERED:
		lu_flow_end(f);
		f->lists.n--;
		lu_flow_break(f, f->lists.n ? 1 : 2);
		break;
	case LU_ROLE_ITEM: close_item(f); break;
	case LU_ROLE_TERM: lu_flow_break(f, 1); break;
	case LU_ROLE_DEFINITION:
		lu_flow_end(f);
		f->tight = false;
		f->newlines = 2;
		break;
	case LU_ROLE_TABLE:
		lu_flow_end(f);
		p->tables.n--;
		lu_flow_break(f, 2);
		break;
	case LU_ROLE_ROW: lu_flow_break(f, 1); break;
	case LU_ROLE_CELL:
		if (!in_row(p))
			lu_flow_break(f, 2);
		break;
	case LU_ROLE_BREAK: break;
	case LU_ROLE_BESIDE:
	case LU_ROLE_INLINE: f->links -= lu_html_is_link(n); break;
	default:
		if (in_row(p))
			break;
		lu_flow_break(f, 2);
		p->articles -= n->tag == LU_TAG_ARTICLE || n->tag == LU_TAG_MAIN;
	}
}

/* Without recursion: pages nest deeply. False when memory is out. */
static bool walk(struct page *p, const struct lu_html_node *root)
{
	const struct lu_html_node *n = root;

	for (;;) {
		bool element = n->tag != LU_TAG_NONE;
		enum lu_html_role role = lu_html_role(n);
		bool into = element && n->mark == LU_MARK_KEEP;

		if (into && !open_element(p, n, role))
			return false;
		if (!element)
			lu_flow_text(&p->flow, n->text);
		if (n->mark == LU_MARK_LEFT_OUT && n->text_bytes)
			p->flow.left_out = true;
		if (into && n->first) {
			n = n->first;
			continue;
		}
		if (into)
			close_element(p, n, role);
		while (n != root && !n->next) {
			n = n->parent;
			close_element(p, n, lu_html_role(n));
		}
		if (n == root)
			return true;
		n = n->next;
	}
}

/* The title over a main text that has none: the last h1 before it. NULL: none. */
static const struct lu_html_node *title_before(
		const struct lu_html_node *root, const struct lu_html_node *from)
{
	const struct lu_html_node *title = NULL, *n = root;

	if (from == root || lu_html_find(from, LU_TAG_H1))
		return NULL;
	while (n && n != from) {
		if (n->tag == LU_TAG_H1 && n->mark == LU_MARK_KEEP)
			title = n;
		n = lu_html_next(n, root, n->mark == LU_MARK_KEEP);
	}
	return title;
}

/* Append what one choice gives. */
static int read_choice(struct lu_html_node *root, enum lu_main_choice choice,
		enum lu_html_extent extent, struct lu_buf *text, struct lu_err *err)
{
	bool whole = extent == LU_HTML_WHOLE || extent == LU_HTML_MANUAL;
	struct page p = { .flow = { .out = text, .begin = text->n, .whole = whole } };
	const struct lu_html_node *from, *title;
	int rc = 0;

	from = lu_main_choose(root, choice, extent == LU_HTML_COMMENTS);
	title = title_before(root, from);
	if ((title && !walk(&p, title)) || !walk(&p, from))
		rc = lu_err_nomem(err);
	lu_flow_finish(&p.flow);
	if (rc == 0)
		rc = lu_buf_check(&p.flow.block, err);
	if (rc == 0)
		rc = lu_buf_check(text, err);
	lu_flow_release(&p.flow);
	lu_vec_release(&p.tables);
	return rc;
}

static int read_text(struct lu_html_node *root, enum lu_html_extent extent, struct lu_buf *text,
		struct lu_err *err)
{
	enum lu_main_choice choice = LU_MAIN_NARROW;
	size_t before = text->n, n;

	lu_main_measure(root, extent == LU_HTML_WHOLE);
	if (extent == LU_HTML_MANUAL)
		return read_choice(root, LU_MAIN_MANUAL, extent, text, err);
	if (extent == LU_HTML_WHOLE)
		choice = LU_MAIN_PAGE;
	for (; choice <= LU_MAIN_PAGE; choice++) {
		text->n = before;
		if (choice == LU_MAIN_PAGE)
			extent = LU_HTML_WHOLE;
		if (read_choice(root, choice, extent, text, err) < 0)
			return -1;
		n = text->n - before;
		if (n >= SHORT_TEXT ||
				(n > 0 && (choice == LU_MAIN_WIDE || n * 3 > root->text_bytes)))
			break;
	}
	return 0;
}

int lu_html_page(struct lu_str html, enum lu_html_extent extent, struct lu_html_meta *meta,
		struct lu_notice *notice, struct lu_buf *text, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_html_node *root;
	size_t before = text->n;
	int rc = lu_html_parse(html, &arena, &root, err);

	if (rc == 0 && meta)
		rc = lu_html_meta(root, &arena, meta, err);
	if (rc == 0 && notice)
		lu_notice_page(notice, root);
	if (rc == 0)
		rc = read_text(root, extent, text, err);
	lu_arena_release(&arena);
	/* All there is may stand beside the text: drawings, readings. */
	if (rc == 0 && text->n == before && (extent == LU_HTML_MAIN || extent == LU_HTML_COMMENTS))
		return lu_html_page(html, LU_HTML_WHOLE, NULL, NULL, text, err);
	return rc;
}

int lu_html_text(struct lu_str html, bool whole, struct lu_buf *title, struct lu_notice *notice,
		struct lu_buf *text, struct lu_err *err)
{
	struct lu_html_meta meta = { 0 };
	int rc = lu_html_page(html, whole ? LU_HTML_WHOLE : LU_HTML_MAIN, title ? &meta : NULL,
			notice, text, err);

	if (rc == 0 && title) {
		lu_buf_str(title, lu_buf_slice(&meta.value[LU_META_TITLE]));
		rc = lu_buf_check(title, err);
	}
	lu_html_meta_release(&meta);
	return rc;
}
