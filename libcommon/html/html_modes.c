#include "libcommon/html/html_modes.h"

#include <strings.h>

#include "libcommon/html/html_body.h"
#include "libcommon/html/html_head.h"

static const char blanks[] = " \t\r\n\f";

static bool is_start(const struct lu_html_token *t, enum lu_html_tag tag)
{
	return t->type == LU_TOKEN_START && t->tag == tag;
}

static bool is_end(const struct lu_html_token *t, enum lu_html_tag tag)
{
	return t->type == LU_TOKEN_END && t->tag == tag;
}

/* Take the blanks at the beginning off a text. */
static struct lu_str take_blanks(struct lu_html_token *t)
{
	struct lu_str s = { t->text.p, 0 };

	if (t->type != LU_TOKEN_TEXT)
		return s;
	while (s.n < t->text.n && s.p[s.n] && strchr(blanks, s.p[s.n]))
		s.n++;
	t->text.p += s.n;
	t->text.n -= s.n;
	return s;
}

static void again(struct lu_html_builder *b, struct lu_html_token *t, enum lu_html_mode mode)
{
	b->mode = mode;
	lu_html_by_mode(b, t);
}

/* --- before the body ------------------------------------------------------------------------ */

static bool is_head_element(enum lu_html_tag tag)
{
	switch (tag) {
	case LU_TAG_BASE:
	case LU_TAG_BASEFONT:
	case LU_TAG_BGSOUND:
	case LU_TAG_LINK:
	case LU_TAG_META:
	case LU_TAG_NOFRAMES:
	case LU_TAG_NOSCRIPT:
	case LU_TAG_SCRIPT:
	case LU_TAG_STYLE:
	case LU_TAG_TEMPLATE:
	case LU_TAG_TITLE: return true;
	default: return false;
	}
}

/* End tags that stand for an element left out before the body; others are ignored there. */
static bool is_opening_end(const struct lu_html_token *t)
{
	return t->type != LU_TOKEN_END || t->tag == LU_TAG_BODY || t->tag == LU_TAG_HTML ||
			t->tag == LU_TAG_BR;
}

static void before_head(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (is_start(t, LU_TAG_HTML)) {
		lu_html_in_body(b, t);
	} else if (is_start(t, LU_TAG_HEAD)) {
		b->head = lu_hb_open(b, t, LU_SPACE_HTML);
		b->mode = LU_MODE_HEAD;
	} else if (is_opening_end(t) || t->tag == LU_TAG_HEAD) {
		b->head = lu_hb_implied(b, LU_TAG_HEAD);
		again(b, t, LU_MODE_HEAD);
	}
}

static void before_html(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (is_start(t, LU_TAG_HTML)) {
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->mode = LU_MODE_BEFORE_HEAD;
	} else if (is_opening_end(t) || t->tag == LU_TAG_HEAD) {
		lu_hb_implied(b, LU_TAG_HTML);
		again(b, t, LU_MODE_BEFORE_HEAD);
	}
}

static void in_head(struct lu_html_builder *b, struct lu_html_token *t)
{
	lu_hb_text(b, take_blanks(t));
	if (t->type == LU_TOKEN_TEXT && !t->text.n)
		return;
	if (is_start(t, LU_TAG_HTML)) {
		lu_html_in_body(b, t);
	} else if ((t->type == LU_TOKEN_START && is_head_element(t->tag)) ||
			is_end(t, LU_TAG_TEMPLATE)) {
		lu_html_in_head_element(b, t);
	} else if (is_end(t, LU_TAG_HEAD)) {
		lu_hb_pop(b);
		b->mode = LU_MODE_AFTER_HEAD;
	} else if (!is_start(t, LU_TAG_HEAD) && is_opening_end(t)) {
		lu_hb_pop(b);
		again(b, t, LU_MODE_AFTER_HEAD);
	}
}

static void after_head(struct lu_html_builder *b, struct lu_html_token *t)
{
	lu_hb_text(b, take_blanks(t));
	if (t->type == LU_TOKEN_TEXT && !t->text.n)
		return;
	if (is_start(t, LU_TAG_HTML)) {
		lu_html_in_body(b, t);
	} else if (is_start(t, LU_TAG_BODY) || is_start(t, LU_TAG_FRAMESET)) {
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->frameset_ok &= t->tag != LU_TAG_BODY;
		b->mode = t->tag == LU_TAG_BODY ? LU_MODE_BODY : LU_MODE_FRAMESET;
	} else if (t->type == LU_TOKEN_START && is_head_element(t->tag) &&
			t->tag != LU_TAG_NOSCRIPT) {
		/* Into the head, which stays closed. */
		b->open[b->opens++] = b->head;
		lu_html_in_head_element(b, t);
		lu_hb_unopen(b, b->head);
	} else if (is_end(t, LU_TAG_TEMPLATE)) {
		lu_html_in_head_element(b, t);
	} else if (!is_start(t, LU_TAG_HEAD) && is_opening_end(t)) {
		lu_hb_implied(b, LU_TAG_BODY);
		again(b, t, LU_MODE_BODY);
	}
}

/* --- tables --------------------------------------------------------------------------------- */

static bool is_one_of(enum lu_html_tag tag, const unsigned char *tags)
{
	for (; *tags; tags++) {
		if (*tags == tag)
			return true;
	}
	return false;
}

static const unsigned char table_context[] = { LU_TAG_TABLE, LU_TAG_TEMPLATE, LU_TAG_HTML, 0 };
static const unsigned char body_context[] = { LU_TAG_TBODY, LU_TAG_TFOOT, LU_TAG_THEAD,
	LU_TAG_TEMPLATE, LU_TAG_HTML, 0 };
static const unsigned char row_context[] = { LU_TAG_TR, LU_TAG_TEMPLATE, LU_TAG_HTML, 0 };
static const unsigned char sections[] = { LU_TAG_TBODY, LU_TAG_TFOOT, LU_TAG_THEAD, 0 };
static const unsigned char cells[] = { LU_TAG_TD, LU_TAG_TH, 0 };
/* Start tags that end a caption or a cell. */
static const unsigned char parts[] = { LU_TAG_CAPTION, LU_TAG_COL, LU_TAG_COLGROUP, LU_TAG_TBODY,
	LU_TAG_TD, LU_TAG_TFOOT, LU_TAG_TH, LU_TAG_THEAD, LU_TAG_TR, 0 };

static void clear_to(struct lu_html_builder *b, const unsigned char *context)
{
	while (b->opens > 1 &&
			!(lu_hb_current(b)->space == LU_SPACE_HTML &&
					is_one_of(lu_hb_current(b)->tag, context)))
		lu_hb_pop(b);
}

static bool in_table_scope(const struct lu_html_builder *b, enum lu_html_tag tag)
{
	return lu_hb_in_scope(b, tag, LU_SCOPE_TABLE);
}

/* What does not belong into a table goes before it. */
static void misplaced(struct lu_html_builder *b, struct lu_html_token *t)
{
	b->foster = true;
	lu_html_in_body(b, t);
	b->foster = false;
}

static void table_text(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (lu_str_only(t->text, blanks))
		lu_hb_text(b, t->text);
	else
		misplaced(b, t);
}

static bool is_hidden_input(struct lu_html_builder *b, const struct lu_html_token *t)
{
	for (unsigned i = 0; i < t->attributes; i++) {
		struct lu_str v = b->tokens.attribute[i].value;

		if (b->tokens.attribute[i].name == LU_ATTRIBUTE_TYPE && v.n == 6 &&
				strncasecmp(v.p, "hidden", 6) == 0)
			return true;
	}
	return false;
}

static void end_table(struct lu_html_builder *b)
{
	lu_hb_pop_until(b, LU_TAG_TABLE);
	lu_html_reset_mode(b);
}

/* False: the tag is misplaced. */
static bool start_in_table(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (t->tag) {
	case LU_TAG_CAPTION:
		clear_to(b, table_context);
		lu_hb_marker(b);
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->mode = LU_MODE_CAPTION;
		return true;
	case LU_TAG_COLGROUP:
	case LU_TAG_COL:
		clear_to(b, table_context);
		b->mode = LU_MODE_COLUMNS;
		if (t->tag == LU_TAG_COLGROUP) {
			lu_hb_open(b, t, LU_SPACE_HTML);
		} else {
			lu_hb_implied(b, LU_TAG_COLGROUP);
			lu_html_by_mode(b, t);
		}
		return true;
	case LU_TAG_TBODY:
	case LU_TAG_TFOOT:
	case LU_TAG_THEAD:
		clear_to(b, table_context);
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->mode = LU_MODE_TABLE_BODY;
		return true;
	case LU_TAG_TD:
	case LU_TAG_TH:
	case LU_TAG_TR:
		clear_to(b, table_context);
		lu_hb_implied(b, LU_TAG_TBODY);
		again(b, t, LU_MODE_TABLE_BODY);
		return true;
	case LU_TAG_TABLE:
		if (in_table_scope(b, LU_TAG_TABLE)) {
			end_table(b);
			lu_html_by_mode(b, t);
		}
		return true;
	case LU_TAG_STYLE:
	case LU_TAG_SCRIPT:
	case LU_TAG_TEMPLATE: lu_html_in_head_element(b, t); return true;
	case LU_TAG_INPUT:
		if (is_hidden_input(b, t))
			lu_hb_void(b, t);
		return is_hidden_input(b, t);
	case LU_TAG_FORM:
		if (!b->form && !lu_hb_open_at(b, LU_TAG_TEMPLATE)) {
			b->form = lu_hb_open(b, t, LU_SPACE_HTML);
			lu_hb_pop(b);
		}
		return true;
	default: return false;
	}
}

static void in_table(struct lu_html_builder *b, struct lu_html_token *t)
{
	static const unsigned char ignored[] = { LU_TAG_BODY, LU_TAG_CAPTION, LU_TAG_COL,
		LU_TAG_COLGROUP, LU_TAG_HTML, LU_TAG_TBODY, LU_TAG_TD, LU_TAG_TFOOT, LU_TAG_TH,
		LU_TAG_THEAD, LU_TAG_TR, 0 };
	enum lu_html_tag current = lu_hb_current(b)->tag;

	if (t->type == LU_TOKEN_TEXT &&
			(is_one_of(current, sections) || current == LU_TAG_TABLE ||
					current == LU_TAG_TR || current == LU_TAG_TEMPLATE)) {
		table_text(b, t);
	} else if (t->type == LU_TOKEN_EOF) {
		lu_html_in_body(b, t);
	} else if (t->type == LU_TOKEN_START) {
		if (!start_in_table(b, t))
			misplaced(b, t);
	} else if (is_end(t, LU_TAG_TABLE)) {
		if (in_table_scope(b, LU_TAG_TABLE))
			end_table(b);
	} else if (is_end(t, LU_TAG_TEMPLATE)) {
		lu_html_in_head_element(b, t);
	} else if (t->type != LU_TOKEN_END || !is_one_of(t->tag, ignored)) {
		misplaced(b, t);
	}
}

/* Close a caption, for its end tag or one of the table around it. */
static void in_caption(struct lu_html_builder *b, struct lu_html_token *t)
{
	static const unsigned char ignored[] = { LU_TAG_BODY, LU_TAG_COL, LU_TAG_COLGROUP,
		LU_TAG_HTML, LU_TAG_TBODY, LU_TAG_TD, LU_TAG_TFOOT, LU_TAG_TH, LU_TAG_THEAD,
		LU_TAG_TR, 0 };
	bool own = is_end(t, LU_TAG_CAPTION);

	if (own || is_end(t, LU_TAG_TABLE) ||
			(t->type == LU_TOKEN_START && is_one_of(t->tag, parts))) {
		if (!in_table_scope(b, LU_TAG_CAPTION))
			return;
		lu_hb_imply_ends(b, LU_TAG_NONE);
		lu_hb_pop_until(b, LU_TAG_CAPTION);
		lu_hb_clear_to_marker(b);
		b->mode = LU_MODE_TABLE;
		if (!own)
			lu_html_by_mode(b, t);
	} else if (t->type != LU_TOKEN_END || !is_one_of(t->tag, ignored)) {
		lu_html_in_body(b, t);
	}
}

static void in_columns(struct lu_html_builder *b, struct lu_html_token *t)
{
	lu_hb_text(b, take_blanks(t));
	if (t->type == LU_TOKEN_TEXT && !t->text.n)
		return;
	if (is_start(t, LU_TAG_HTML) || t->type == LU_TOKEN_EOF) {
		lu_html_in_body(b, t);
	} else if (is_start(t, LU_TAG_COL)) {
		lu_hb_void(b, t);
	} else if (is_start(t, LU_TAG_TEMPLATE) || is_end(t, LU_TAG_TEMPLATE)) {
		lu_html_in_head_element(b, t);
	} else if (!is_end(t, LU_TAG_COL) && lu_hb_current_is(b, LU_TAG_COLGROUP)) {
		lu_hb_pop(b);
		b->mode = LU_MODE_TABLE;
		if (!is_end(t, LU_TAG_COLGROUP))
			lu_html_by_mode(b, t);
	}
}

static void in_table_body(struct lu_html_builder *b, struct lu_html_token *t)
{
	static const unsigned char ignored[] = { LU_TAG_BODY, LU_TAG_CAPTION, LU_TAG_COL,
		LU_TAG_COLGROUP, LU_TAG_HTML, LU_TAG_TD, LU_TAG_TH, LU_TAG_TR, 0 };
	bool start = t->type == LU_TOKEN_START, end = t->type == LU_TOKEN_END;

	if (start && (t->tag == LU_TAG_TR || is_one_of(t->tag, cells))) {
		clear_to(b, body_context);
		b->mode = LU_MODE_ROW;
		if (t->tag == LU_TAG_TR) {
			lu_hb_open(b, t, LU_SPACE_HTML);
		} else {
			lu_hb_implied(b, LU_TAG_TR);
			lu_html_by_mode(b, t);
		}
	} else if (end && is_one_of(t->tag, sections)) {
		if (!in_table_scope(b, t->tag))
			return;
		clear_to(b, body_context);
		lu_hb_pop(b);
		b->mode = LU_MODE_TABLE;
	} else if ((start && is_one_of(t->tag, parts)) || is_end(t, LU_TAG_TABLE)) {
		if (!in_table_scope(b, LU_TAG_TBODY) && !in_table_scope(b, LU_TAG_THEAD) &&
				!in_table_scope(b, LU_TAG_TFOOT))
			return;
		clear_to(b, body_context);
		lu_hb_pop(b);
		again(b, t, LU_MODE_TABLE);
	} else if (!end || !is_one_of(t->tag, ignored)) {
		in_table(b, t);
	}
}

/* Close the row. False: there is none. */
static bool end_row(struct lu_html_builder *b)
{
	if (!in_table_scope(b, LU_TAG_TR))
		return false;
	clear_to(b, row_context);
	lu_hb_pop(b);
	b->mode = LU_MODE_TABLE_BODY;
	return true;
}

static void in_row(struct lu_html_builder *b, struct lu_html_token *t)
{
	static const unsigned char ignored[] = { LU_TAG_BODY, LU_TAG_CAPTION, LU_TAG_COL,
		LU_TAG_COLGROUP, LU_TAG_HTML, LU_TAG_TD, LU_TAG_TH, 0 };
	bool start = t->type == LU_TOKEN_START, end = t->type == LU_TOKEN_END;

	if (start && is_one_of(t->tag, cells)) {
		clear_to(b, row_context);
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->mode = LU_MODE_CELL;
		lu_hb_marker(b);
	} else if (is_end(t, LU_TAG_TR)) {
		end_row(b);
	} else if ((start && is_one_of(t->tag, parts)) || is_end(t, LU_TAG_TABLE) ||
			(end && is_one_of(t->tag, sections) && in_table_scope(b, t->tag))) {
		if (end_row(b))
			lu_html_by_mode(b, t);
	} else if (!end || !(is_one_of(t->tag, ignored) || is_one_of(t->tag, sections))) {
		in_table(b, t);
	}
}

static void end_cell(struct lu_html_builder *b, enum lu_html_tag tag)
{
	lu_hb_imply_ends(b, LU_TAG_NONE);
	lu_hb_pop_until(b, tag);
	lu_hb_clear_to_marker(b);
	b->mode = LU_MODE_ROW;
}

static void in_cell(struct lu_html_builder *b, struct lu_html_token *t)
{
	static const unsigned char outer[] = { LU_TAG_TABLE, LU_TAG_TBODY, LU_TAG_TFOOT,
		LU_TAG_THEAD, LU_TAG_TR, 0 };
	static const unsigned char ignored[] = { LU_TAG_BODY, LU_TAG_CAPTION, LU_TAG_COL,
		LU_TAG_COLGROUP, LU_TAG_HTML, 0 };
	bool start = t->type == LU_TOKEN_START, end = t->type == LU_TOKEN_END;

	if (end && is_one_of(t->tag, cells)) {
		if (in_table_scope(b, t->tag))
			end_cell(b, t->tag);
	} else if ((start && is_one_of(t->tag, parts)) ||
			(end && is_one_of(t->tag, outer) && in_table_scope(b, t->tag))) {
		bool td = in_table_scope(b, LU_TAG_TD);

		if (!td && !in_table_scope(b, LU_TAG_TH))
			return;
		end_cell(b, td ? LU_TAG_TD : LU_TAG_TH);
		lu_html_by_mode(b, t);
	} else if (!end || !(is_one_of(t->tag, ignored) || is_one_of(t->tag, outer))) {
		lu_html_in_body(b, t);
	}
}

/* --- the rest ------------------------------------------------------------------------------- */

static void in_template(struct lu_html_builder *b, struct lu_html_token *t)
{
	enum lu_html_mode mode = LU_MODE_BODY;

	if (t->type == LU_TOKEN_TEXT || t->type == LU_TOKEN_DOCTYPE) {
		lu_html_in_body(b, t);
	} else if (t->type == LU_TOKEN_EOF) {
		return;
	} else if (t->type == LU_TOKEN_END) {
		if (t->tag == LU_TAG_TEMPLATE)
			lu_html_in_head_element(b, t);
	} else if (is_head_element(t->tag) && t->tag != LU_TAG_NOSCRIPT) {
		lu_html_in_head_element(b, t);
	} else {
		if (t->tag == LU_TAG_COL)
			mode = LU_MODE_COLUMNS;
		else if (t->tag == LU_TAG_TR)
			mode = LU_MODE_TABLE_BODY;
		else if (is_one_of(t->tag, cells))
			mode = LU_MODE_ROW;
		else if (t->tag == LU_TAG_CAPTION || t->tag == LU_TAG_COLGROUP ||
				is_one_of(t->tag, sections))
			mode = LU_MODE_TABLE;
		if (b->open_templates)
			b->open_templates--;
		lu_html_push_template(b, mode);
		again(b, t, mode);
	}
}

static void after_body(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (t->type == LU_TOKEN_EOF)
		return;
	if ((t->type == LU_TOKEN_TEXT && lu_str_only(t->text, blanks)) || is_start(t, LU_TAG_HTML))
		lu_html_in_body(b, t);
	else if (!is_end(t, LU_TAG_HTML))
		again(b, t, LU_MODE_BODY);
}

/* Frames show nothing: what remains is their noframes. */
static void in_frameset(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (is_start(t, LU_TAG_NOFRAMES))
		lu_html_in_head_element(b, t);
	else if (is_start(t, LU_TAG_FRAMESET) && b->mode == LU_MODE_FRAMESET)
		lu_hb_open(b, t, LU_SPACE_HTML);
	else if (is_end(t, LU_TAG_FRAMESET) && lu_hb_current_is(b, LU_TAG_FRAMESET))
		lu_hb_pop(b);
}

static void in_text(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (t->type == LU_TOKEN_TEXT) {
		lu_hb_text(b, t->text);
		return;
	}
	lu_hb_pop(b);
	b->mode = b->original;
	if (t->type == LU_TOKEN_EOF)
		lu_html_by_mode(b, t);
}

void lu_html_by_mode(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (b->mode) {
	case LU_MODE_INITIAL:
	case LU_MODE_BEFORE_HTML:
	case LU_MODE_BEFORE_HEAD:
		take_blanks(t);
		if (t->type == LU_TOKEN_DOCTYPE)
			b->quirks &= b->mode != LU_MODE_INITIAL;
		else if (t->type == LU_TOKEN_TEXT && !t->text.n)
			;
		else if (b->mode == LU_MODE_INITIAL)
			again(b, t, LU_MODE_BEFORE_HTML);
		else if (b->mode == LU_MODE_BEFORE_HTML)
			before_html(b, t);
		else
			before_head(b, t);
		break;
	case LU_MODE_HEAD: in_head(b, t); break;
	case LU_MODE_AFTER_HEAD: after_head(b, t); break;
	case LU_MODE_BODY: lu_html_in_body(b, t); break;
	case LU_MODE_TEXT: in_text(b, t); break;
	case LU_MODE_TABLE: in_table(b, t); break;
	case LU_MODE_CAPTION: in_caption(b, t); break;
	case LU_MODE_COLUMNS: in_columns(b, t); break;
	case LU_MODE_TABLE_BODY: in_table_body(b, t); break;
	case LU_MODE_ROW: in_row(b, t); break;
	case LU_MODE_CELL: in_cell(b, t); break;
	case LU_MODE_TEMPLATE: in_template(b, t); break;
	case LU_MODE_AFTER_BODY: after_body(b, t); break;
	case LU_MODE_FRAMESET:
	case LU_MODE_AFTER_FRAMESET: in_frameset(b, t); break;
	}
}
