#include "libcommon/office/odt_body.h"

/* Lists in lists. */
#define LISTS 32

enum space { OTHER, TEXT, OFFICE, TABLE, DRAW, STYLE, META, MATH };

static enum space space_of(const char *uri)
{
	static const char stem[] = "urn:oasis:names:tc:opendocument:xmlns:";
	static const struct {
		const char *uri;
		enum space space;
	} spaces[] = { { "text:1.0", TEXT }, { "office:1.0", OFFICE }, { "table:1.0", TABLE },
		{ "drawing:1.0", DRAW }, { "style:1.0", STYLE }, { "meta:1.0", META } };

	if (strcmp(uri, "http://purl.org/dc/elements/1.1/") == 0)
		return META;
	if (strcmp(uri, "http://www.w3.org/1998/Math/MathML") == 0)
		return MATH;
	if (strncmp(uri, stem, sizeof(stem) - 1) != 0)
		return OTHER;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (strcmp(uri + sizeof(stem) - 1, spaces[i].uri) == 0)
			return spaces[i].space;
	}
	return OTHER;
}

static bool is(const char *name, const char *other)
{
	return strcmp(name, other) == 0;
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* Write the blank that is due, unless the paragraph or a line begins. */
static void put_blank(struct lu_odt_body *b)
{
	const struct lu_buf *block = &b->flow.block;

	if (b->blank && block->n && !strchr(" \t\n", block->p[block->n - 1]))
		lu_doc_text(&b->flow, LU_STR(" "));
	b->blank = false;
}

/* Blanks that the document asks for by name. */
static void put_raw(struct lu_odt_body *b, const char *s, int times)
{
	put_blank(b);
	for (int i = 0; i < times && i < 100; i++)
		lu_doc_text(&b->flow, lu_str_of(s));
}

/* --- lists ----------------------------------------------------------------------------------- */

static void begin_list(struct lu_odt_body *b, const struct lu_xml_tag *tag)
{
	const struct lu_odt_style *style =
			lu_odt_style(&b->styles, lu_xml_attribute(tag, "style-name"));
	struct lu_odt_list list = { .count = 0 };

	if (style && style->level)
		list.style = lu_str_of(style->name);
	else if (b->lists.n)
		list.style = b->lists.p[b->lists.n - 1].style;
	if (b->lists.n >= LISTS) {
		b->skip = 1;
		return;
	}
	if (!b->lists.n && lu_xml_has(tag, "continue-numbering", "true"))
		list.count = b->last_list;
	else if (!b->lists.n)
		b->flow.item = false;
	if (!lu_vec_push(&b->lists, list))
		b->styles.failed = true;
}

static void end_list(struct lu_odt_body *b)
{
	if (!b->lists.n)
		return;
	if (--b->lists.n == 0)
		b->last_list = b->lists.p[0].count;
}

static void begin_item(struct lu_odt_body *b, const struct lu_xml_tag *tag)
{
	struct lu_odt_list *list = b->lists.n ? &b->lists.p[b->lists.n - 1] : NULL;

	if (!list)
		return;
	list->due = true;
	list->count = lu_xml_number(tag, "start-value", list->count + 1);
}

/* Append the numbers of the levels that are shown. */
static void put_numbers(struct lu_odt_body *b, const struct lu_odt_style *style, size_t k)
{
	int shown = style->level[k].shown;

	for (size_t i = 0; i <= k; i++) {
		const struct lu_odt_level *level = &style->level[i];
		int n = b->lists.p[i].count + level->start - 1;

		if ((int)(k - i) >= shown || !level->form || level->form == '-')
			continue;
		lu_doc_number(&b->marker, level->form, n > 0 ? (unsigned)n : 0);
		if (i < k)
			lu_buf_putc(&b->marker, '.');
	}
}

/* The marker of the innermost list, for the first paragraph of an item. */
static void put_marker(struct lu_odt_body *b)
{
	struct lu_odt_list *list = &b->lists.p[b->lists.n - 1];
	size_t k = b->lists.n - 1 < LU_ODT_LEVELS ? b->lists.n - 1 : LU_ODT_LEVELS - 1;
	const struct lu_odt_style *style = lu_odt_style(&b->styles, list->style);

	lu_buf_clear(&b->marker);
	if (!list->due)
		return;
	list->due = false;
	if (!style || !style->level || style->level[k].form == '-') {
		lu_buf_puts(&b->marker, "- ");
	} else if (style->level[k].form) {
		lu_buf_puts(&b->marker, style->level[k].prefix);
		put_numbers(b, style, k);
		lu_buf_puts(&b->marker, style->level[k].suffix);
		while (b->marker.n && b->marker.p[b->marker.n - 1] == ' ')
			b->marker.n--;
		lu_buf_putc(&b->marker, ' ');
	}
}

/* --- paragraphs and notes -------------------------------------------------------------------- */

static void begin_paragraph(struct lu_odt_body *b, const struct lu_xml_tag *tag)
{
	const struct lu_odt_style *style =
			lu_odt_style(&b->styles, lu_xml_attribute(tag, "style-name"));

	/* One inside of another is that of a box or of a cell in a box. */
	if (b->paragraphs++ > 0)
		lu_doc_box(&b->flow);
	b->heading = is(tag->name, "h");
	b->program = style && style->program;
	b->blank = false;
}

static void end_paragraph(struct lu_odt_body *b)
{
	struct lu_doc_how how = { .level = b->lists.n ? (unsigned)b->lists.n - 1 : 0 };
	bool text;

	if (b->paragraphs == 0)
		return;
	b->blank = false;
	if (--b->paragraphs > 0) {
		lu_doc_box_end(&b->flow);
		return;
	}
	text = !lu_str_only(lu_buf_slice(&b->flow.block), " \t\n");
	how.program = b->program && !b->lists.n;
	if (b->lists.n && !b->in_note && text) {
		put_marker(b);
		how.marker = lu_buf_slice(&b->marker);
		how.item = how.marker.n && !b->heading;
		how.more = !how.marker.n && !b->heading;
	}
	lu_doc_end(&b->flow, &how);
	if (b->flow.out->n + b->flow.row.n + b->flow.later.n + b->notes.n > b->limit)
		b->xml->stop = LU_PARTS_LARGE;
}

/* The body of a note goes to `notes`; its number to the text. */
static void begin_note(struct lu_odt_body *b)
{
	if (b->in_note) {
		b->skip = 1;
		return;
	}
	lu_buf_printf(&b->flow.block, "[%u]", ++b->referred);
	if (b->notes.n)
		lu_buf_puts(&b->notes, "\n\n");
	lu_buf_printf(&b->notes, "[%u] ", b->referred);
	b->outer = b->flow;
	b->outer_blank = b->blank;
	b->outer_paragraphs = b->paragraphs;
	b->flow = (struct lu_doc_flow){ .out = &b->marker };
	lu_buf_clear(&b->marker);
	b->paragraphs = 0;
	b->in_note = true;
}

static void end_note(struct lu_odt_body *b)
{
	if (!b->in_note)
		return;
	while (b->paragraphs)
		end_paragraph(b);
	lu_buf_str(&b->notes, lu_buf_slice(&b->marker));
	if (!lu_buf_ok(&b->flow.block) || !lu_buf_ok(&b->flow.row) || !lu_buf_ok(&b->flow.later))
		b->styles.failed = true;
	lu_doc_release(&b->flow);
	b->flow = b->outer;
	b->blank = b->outer_blank;
	b->paragraphs = b->outer_paragraphs;
	b->in_note = false;
}

/* --- elements -------------------------------------------------------------------------------- */

static bool is_left_out(const struct lu_odt_body *b, const struct lu_xml_tag *tag, enum space space)
{
	static const char *const texts[] = { "tracked-changes", "note-citation", "ruby-text",
		"sequence-decls", "variable-decls", "user-field-decls", "dde-connection-decls",
		"script", NULL };
	static const char *const indexes[] = { "table-of-content", "illustration-index",
		"table-index", "object-index", "user-index", "alphabetical-index", NULL };
	const char *name = tag->name;
	const struct lu_odt_style *style;

	if (space == OFFICE)
		return is(name, "annotation") || is(name, "forms");
	if (space == MATH)
		return is(name, "annotation") || is(name, "annotation-xml");
	if (space == DRAW)
		return is(name, "object") && b->skip;
	if (space != TEXT)
		return space == OTHER && (is(name, "title") || is(name, "desc"));
	if (one_of(name, texts) || (!b->whole && one_of(name, indexes)))
		return true;
	if (is(name, "hidden-text") || is(name, "hidden-paragraph"))
		return lu_xml_has(tag, "is-hidden", "true");
	if (is(name, "section") && lu_xml_has(tag, "display", "none"))
		return true;
	if (!is(name, "span") && !is(name, "p"))
		return false;
	style = lu_odt_style(&b->styles, lu_xml_attribute(tag, "style-name"));
	return style && style->hidden;
}

static void start_text(struct lu_odt_body *b, const struct lu_xml_tag *tag)
{
	const char *name = tag->name;

	if (is(name, "p") || is(name, "h"))
		begin_paragraph(b, tag);
	else if (is(name, "s"))
		put_raw(b, " ", lu_xml_number(tag, "c", 1));
	else if (is(name, "tab"))
		put_raw(b, "\t", 1);
	else if (is(name, "line-break"))
		put_raw(b, "\n", 1);
	else if (is(name, "list"))
		begin_list(b, tag);
	else if (is(name, "list-item"))
		begin_item(b, tag);
	else if (is(name, "note-body"))
		begin_note(b);
}

void lu_odt_start(void *body, const struct lu_xml_tag *tag)
{
	struct lu_odt_body *b = body;
	enum space space = space_of(tag->uri);

	if (b->skip) {
		b->skip++;
	} else if (b->in_meta) {
		if (space == META)
			lu_doc_meta_start(&b->meta, tag->name);
	} else if (space == OFFICE && is(tag->name, "meta")) {
		b->in_meta = true;
	} else if (space == OFFICE && is(tag->name, "text")) {
		b->in_text = b->text_seen = true;
	} else if (!b->in_text) {
		if (space == STYLE || space == TEXT)
			lu_odt_styles_start(&b->styles, tag);
	} else if (is_left_out(b, tag, space)) {
		b->skip = 1;
	} else if (space == TEXT) {
		start_text(b, tag);
	} else if (space == MATH) {
		b->math++;
	} else if (space == TABLE && b->paragraphs == 0) {
		if (is(tag->name, "table"))
			lu_doc_table(&b->flow);
		else if (is(tag->name, "table-row"))
			lu_doc_row(&b->flow);
		else if (is(tag->name, "table-cell") || is(tag->name, "covered-table-cell"))
			lu_doc_cell(&b->flow);
	}
}

static void end_in_text(struct lu_odt_body *b, const char *name, enum space space)
{
	if (space == MATH) {
		b->math -= b->math > 0;
	} else if (space == TABLE && b->paragraphs == 0) {
		if (is(name, "table"))
			lu_doc_table_end(&b->flow);
		else if (is(name, "table-row"))
			lu_doc_row_end(&b->flow);
	} else if (space == TEXT) {
		if (is(name, "p") || is(name, "h"))
			end_paragraph(b);
		else if (is(name, "list"))
			end_list(b);
		else if (is(name, "note-body"))
			end_note(b);
	}
}

void lu_odt_end(void *body, const char *name, const char *uri)
{
	struct lu_odt_body *b = body;
	enum space space = space_of(uri);

	if (b->skip) {
		b->skip--;
	} else if (b->in_meta) {
		lu_doc_meta_end(&b->meta);
		b->in_meta = !(space == OFFICE && is(name, "meta"));
	} else if (space == OFFICE && is(name, "text")) {
		b->in_text = false;
	} else if (!b->in_text) {
		lu_odt_styles_end(&b->styles, name);
	} else {
		end_in_text(b, name, space);
	}
}

void lu_odt_text_piece(void *body, struct lu_str s)
{
	struct lu_odt_body *b = body;

	if (b->skip)
		return;
	if (b->in_meta) {
		lu_doc_meta_text(&b->meta, s);
		return;
	}
	if (!b->in_text || b->paragraphs == 0)
		return;
	/* Runs of blanks are one; those that count are elements. */
	for (size_t i = 0; i < s.n;) {
		size_t from = i;

		while (i < s.n && s.p[i] && strchr(" \t\r\n", s.p[i]))
			i++;
		/* Between the elements of a formula blanks mean nothing. */
		b->blank = b->blank || (i > from && !b->math);
		for (from = i; i < s.n && !(s.p[i] && strchr(" \t\r\n", s.p[i]));)
			i++;
		if (i == from)
			break;
		put_blank(b);
		/* The soft hyphen shows only where a line ends. */
		lu_buf_replace(&b->flow.block, (struct lu_str){ s.p + from, i - from },
				LU_STR("\xC2\xAD"), LU_STR(""));
	}
	if (b->flow.block.n > b->limit)
		b->xml->stop = LU_PARTS_LARGE;
}

int lu_odt_check(const struct lu_odt_body *b, struct lu_err *err)
{
	if (b->styles.failed)
		return lu_err_nomem(err);
	if (lu_buf_check(&b->notes, err) < 0 || lu_buf_check(&b->marker, err) < 0)
		return -1;
	return lu_doc_check(&b->flow, err);
}

void lu_odt_body_release(struct lu_odt_body *b)
{
	if (b->in_note)
		lu_doc_release(&b->outer);
	lu_doc_release(&b->flow);
	lu_odt_styles_release(&b->styles);
	lu_doc_meta_release(&b->meta);
	lu_buf_release(&b->notes);
	lu_buf_release(&b->marker);
	lu_vec_release(&b->lists);
}
