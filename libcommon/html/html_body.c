#include "libcommon/html/html_body.h"

#include <strings.h>

#include "libcommon/html/html_head.h"

/* --- start tags ----------------------------------------------------------------------------- */

static void open_block(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_close_p(b);
	lu_hb_open(b, t, LU_SPACE_HTML);
}

static void open_inline(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_reconstruct(b);
	lu_hb_open(b, t, LU_SPACE_HTML);
}

static void open_void(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_reconstruct(b);
	lu_hb_void(b, t);
	b->frameset_ok = false;
}

static void open_formatting(struct lu_html_builder *b, const struct lu_html_token *t)
{
	struct lu_html_node *before = t->tag == LU_TAG_A ? lu_hb_active(b, LU_TAG_A) : NULL;

	if (before) {
		lu_hb_adopt(b, LU_TAG_A);
		lu_hb_forget(b, before);
		lu_hb_unopen(b, before);
	}
	lu_hb_reconstruct(b);
	if (t->tag == LU_TAG_NOBR && lu_hb_in_scope(b, LU_TAG_NOBR, LU_SCOPE_DEFAULT)) {
		lu_hb_adopt(b, LU_TAG_NOBR);
		lu_hb_reconstruct(b);
	}
	lu_hb_open(b, t, LU_SPACE_HTML);
	lu_hb_format(b, t);
}

/* An item ends the one before it, unless a special element other than these is between them. */
static void open_item(struct lu_html_builder *b, const struct lu_html_token *t)
{
	b->frameset_ok = false;
	for (size_t i = b->opens; i-- > 0;) {
		const struct lu_html_node *n = b->open[i];
		bool same = t->tag == LU_TAG_LI ? n->tag == LU_TAG_LI
						: n->tag == LU_TAG_DD || n->tag == LU_TAG_DT;

		if (n->space == LU_SPACE_HTML && same) {
			lu_hb_imply_ends(b, n->tag);
			lu_hb_pop_until(b, n->tag);
			break;
		}
		if (n->space == LU_SPACE_HTML && lu_html_tag_class(n->tag) == LU_CLASS_SPECIAL &&
				n->tag != LU_TAG_ADDRESS && n->tag != LU_TAG_DIV &&
				n->tag != LU_TAG_P)
			break;
	}
	open_block(b, t);
}

static void open_heading(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_close_p(b);
	if (lu_hb_current(b)->tag >= LU_TAG_H1 && lu_hb_current(b)->tag <= LU_TAG_H6 &&
			lu_hb_current(b)->space == LU_SPACE_HTML)
		lu_hb_pop(b);
	lu_hb_open(b, t, LU_SPACE_HTML);
}

static void open_frameset(struct lu_html_builder *b, const struct lu_html_token *t)
{
	if (b->opens < 2 || b->open[1]->tag != LU_TAG_BODY || !b->frameset_ok)
		return;
	lu_html_remove(b->open[1]);
	while (b->opens > 1)
		lu_hb_pop(b);
	lu_hb_open(b, t, LU_SPACE_HTML);
	b->mode = LU_MODE_FRAMESET;
}

static void open_form(struct lu_html_builder *b, const struct lu_html_token *t)
{
	bool template = lu_hb_open_at(b, LU_TAG_TEMPLATE) > 0;

	if (b->form && !template)
		return;
	open_block(b, t);
	if (!template)
		b->form = lu_hb_current(b);
}

static void open_option(struct lu_html_builder *b, const struct lu_html_token *t)
{
	if (lu_hb_in_scope(b, LU_TAG_SELECT, LU_SCOPE_DEFAULT))
		lu_hb_imply_ends(b, t->tag == LU_TAG_OPTION ? LU_TAG_OPTGROUP : LU_TAG_NONE);
	else if (lu_hb_current_is(b, LU_TAG_OPTION))
		lu_hb_pop(b);
	open_inline(b, t);
}

static void open_foreign(struct lu_html_builder *b, const struct lu_html_token *t)
{
	lu_hb_reconstruct(b);
	lu_hb_open(b, t, t->tag == LU_TAG_SVG ? LU_SPACE_SVG : LU_SPACE_MATHML);
	if (t->self_closing)
		lu_hb_pop(b);
}

static bool is_hidden_input(const struct lu_html_node *n)
{
	struct lu_str type = lu_html_attribute(n, LU_ATTRIBUTE_TYPE);

	return type.n == 6 && strncasecmp(type.p, "hidden", 6) == 0;
}

static void open_input(struct lu_html_builder *b, const struct lu_html_token *t)
{
	struct lu_html_node *n;

	if (lu_hb_in_scope(b, LU_TAG_SELECT, LU_SCOPE_DEFAULT))
		lu_hb_pop_until(b, LU_TAG_SELECT);
	lu_hb_reconstruct(b);
	n = lu_hb_open(b, t, LU_SPACE_HTML);
	lu_hb_pop(b);
	if (!is_hidden_input(n))
		b->frameset_ok = false;
}

static void open_ruby(struct lu_html_builder *b, const struct lu_html_token *t)
{
	if (lu_hb_in_scope(b, LU_TAG_RUBY, LU_SCOPE_DEFAULT))
		lu_hb_imply_ends(b,
				t->tag == LU_TAG_RP || t->tag == LU_TAG_RT ? LU_TAG_RTC
									   : LU_TAG_NONE);
	lu_hb_open(b, t, LU_SPACE_HTML);
}

/* Elements that end paragraphs and have a rule of their own. False: t is none of them. */
static bool start_block(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (t->tag) {
	case LU_TAG_FORM: open_form(b, t); return true;
	case LU_TAG_LI:
	case LU_TAG_DD:
	case LU_TAG_DT: open_item(b, t); return true;
	case LU_TAG_H1:
	case LU_TAG_H2:
	case LU_TAG_H3:
	case LU_TAG_H4:
	case LU_TAG_H5:
	case LU_TAG_H6: open_heading(b, t); return true;
	case LU_TAG_HR:
		lu_hb_close_p(b);
		if (lu_hb_in_scope(b, LU_TAG_SELECT, LU_SCOPE_DEFAULT))
			lu_hb_imply_ends(b, LU_TAG_NONE);
		lu_hb_void(b, t);
		b->frameset_ok = false;
		return true;
	case LU_TAG_LISTING:
	case LU_TAG_PRE:
		open_block(b, t);
		b->skip_newline = true;
		b->frameset_ok = false;
		return true;
	case LU_TAG_PLAINTEXT:
		open_block(b, t);
		b->tokens.mode = LU_TEXT_PLAIN;
		return true;
	case LU_TAG_TABLE:
		if (!b->quirks)
			lu_hb_close_p(b);
		lu_hb_open(b, t, LU_SPACE_HTML);
		b->frameset_ok = false;
		b->mode = LU_MODE_TABLE;
		return true;
	case LU_TAG_XMP:
		lu_hb_close_p(b);
		lu_hb_reconstruct(b);
		b->frameset_ok = false;
		lu_html_raw(b, t, LU_TEXT_RAW);
		return true;
	default: return false;
	}
}

/* Other elements with a rule of their own. False: t is none of them. */
static bool start_other(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (t->tag) {
	case LU_TAG_AREA:
	case LU_TAG_BR:
	case LU_TAG_EMBED:
	case LU_TAG_IMG:
	case LU_TAG_KEYGEN:
	case LU_TAG_WBR: open_void(b, t); return true;
	case LU_TAG_IMAGE:
		t->tag = LU_TAG_IMG;
		open_void(b, t);
		return true;
	case LU_TAG_PARAM:
	case LU_TAG_SOURCE:
	case LU_TAG_TRACK: lu_hb_void(b, t); return true;
	case LU_TAG_INPUT: open_input(b, t); return true;
	case LU_TAG_BUTTON:
		if (lu_hb_in_scope(b, LU_TAG_BUTTON, LU_SCOPE_DEFAULT)) {
			lu_hb_imply_ends(b, LU_TAG_NONE);
			lu_hb_pop_until(b, LU_TAG_BUTTON);
		}
		open_inline(b, t);
		b->frameset_ok = false;
		return true;
	case LU_TAG_APPLET:
	case LU_TAG_MARQUEE:
	case LU_TAG_OBJECT:
		open_inline(b, t);
		lu_hb_marker(b);
		b->frameset_ok = false;
		return true;
	case LU_TAG_TEXTAREA:
		b->skip_newline = true;
		b->frameset_ok = false;
		lu_html_raw(b, t, LU_TEXT_RCDATA);
		return true;
	case LU_TAG_IFRAME:
		b->frameset_ok = false;
		lu_html_raw(b, t, LU_TEXT_RAW);
		return true;
	case LU_TAG_NOEMBED:
	case LU_TAG_NOSCRIPT: lu_html_raw(b, t, LU_TEXT_RAW); return true;
	case LU_TAG_SELECT:
		if (lu_hb_in_scope(b, LU_TAG_SELECT, LU_SCOPE_DEFAULT)) {
			lu_hb_pop_until(b, LU_TAG_SELECT);
			return true;
		}
		open_inline(b, t);
		b->frameset_ok = false;
		return true;
	case LU_TAG_OPTGROUP:
	case LU_TAG_OPTION: open_option(b, t); return true;
	case LU_TAG_RB:
	case LU_TAG_RP:
	case LU_TAG_RT:
	case LU_TAG_RTC: open_ruby(b, t); return true;
	case LU_TAG_MATH:
	case LU_TAG_SVG: open_foreign(b, t); return true;
	default: return false;
	}
}

static bool is_plain_block(enum lu_html_tag tag)
{
	switch (tag) {
	case LU_TAG_ADDRESS:
	case LU_TAG_ARTICLE:
	case LU_TAG_ASIDE:
	case LU_TAG_BLOCKQUOTE:
	case LU_TAG_CENTER:
	case LU_TAG_DETAILS:
	case LU_TAG_DIALOG:
	case LU_TAG_DIR:
	case LU_TAG_DIV:
	case LU_TAG_DL:
	case LU_TAG_FIELDSET:
	case LU_TAG_FIGCAPTION:
	case LU_TAG_FIGURE:
	case LU_TAG_FOOTER:
	case LU_TAG_HEADER:
	case LU_TAG_HGROUP:
	case LU_TAG_MAIN:
	case LU_TAG_MENU:
	case LU_TAG_NAV:
	case LU_TAG_OL:
	case LU_TAG_P:
	case LU_TAG_SEARCH:
	case LU_TAG_SECTION:
	case LU_TAG_SUMMARY:
	case LU_TAG_UL: return true;
	default: return false;
	}
}

static void start_tag(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (is_plain_block(t->tag)) {
		open_block(b, t);
		return;
	}
	if (lu_html_tag_class(t->tag) == LU_CLASS_FORMATTING) {
		open_formatting(b, t);
		return;
	}
	if (start_block(b, t) || start_other(b, t))
		return;
	switch (t->tag) {
	case LU_TAG_HTML:
		if (!lu_hb_open_at(b, LU_TAG_TEMPLATE))
			lu_hb_attributes(b, b->open[0], t);
		break;
	case LU_TAG_BASE:
	case LU_TAG_BASEFONT:
	case LU_TAG_BGSOUND:
	case LU_TAG_LINK:
	case LU_TAG_META:
	case LU_TAG_NOFRAMES:
	case LU_TAG_SCRIPT:
	case LU_TAG_STYLE:
	case LU_TAG_TEMPLATE:
	case LU_TAG_TITLE: lu_html_in_head_element(b, t); break;
	case LU_TAG_BODY:
		if (b->opens > 1 && b->open[1]->tag == LU_TAG_BODY &&
				!lu_hb_open_at(b, LU_TAG_TEMPLATE)) {
			b->frameset_ok = false;
			lu_hb_attributes(b, b->open[1], t);
		}
		break;
	case LU_TAG_FRAMESET: open_frameset(b, t); break;
	case LU_TAG_CAPTION:
	case LU_TAG_COL:
	case LU_TAG_COLGROUP:
	case LU_TAG_FRAME:
	case LU_TAG_HEAD:
	case LU_TAG_TBODY:
	case LU_TAG_TD:
	case LU_TAG_TFOOT:
	case LU_TAG_TH:
	case LU_TAG_THEAD:
	case LU_TAG_TR: break;
	default: open_inline(b, t);
	}
}

/* --- end tags ------------------------------------------------------------------------------- */

/* Any other end tag. */
static void end_any(struct lu_html_builder *b, const struct lu_html_token *t)
{
	for (size_t i = b->opens; i-- > 1;) {
		const struct lu_html_node *n = b->open[i];
		bool same = n->tag == t->tag && n->space == LU_SPACE_HTML;

		if (same && n->tag == LU_TAG_OTHER)
			same = n->text.n == t->name.n &&
					strncasecmp(n->text.p, t->name.p, t->name.n) == 0;
		if (same) {
			if (t->tag != LU_TAG_OTHER)
				lu_hb_imply_ends(b, t->tag);
			while (b->opens > i)
				lu_hb_pop(b);
			return;
		}
		if (n->space == LU_SPACE_HTML && lu_html_tag_class(n->tag) == LU_CLASS_SPECIAL)
			return;
	}
}

/* Close the innermost `tag` if it is in scope. False: it is not. */
static bool end_scoped(struct lu_html_builder *b, enum lu_html_tag tag, enum lu_html_scope scope)
{
	if (!lu_hb_in_scope(b, tag, scope))
		return false;
	lu_hb_imply_ends(b, tag);
	lu_hb_pop_until(b, tag);
	return true;
}

static void end_form(struct lu_html_builder *b)
{
	const struct lu_html_node *form = b->form;

	if (lu_hb_open_at(b, LU_TAG_TEMPLATE)) {
		end_scoped(b, LU_TAG_FORM, LU_SCOPE_DEFAULT);
		return;
	}
	b->form = NULL;
	if (form && lu_hb_in_scope(b, LU_TAG_FORM, LU_SCOPE_DEFAULT)) {
		lu_hb_imply_ends(b, LU_TAG_NONE);
		lu_hb_unopen(b, form);
	}
}

static void end_heading(struct lu_html_builder *b)
{
	if (!lu_hb_heading_in_scope(b))
		return;
	lu_hb_imply_ends(b, LU_TAG_NONE);
	for (;;) {
		const struct lu_html_node *n = lu_hb_current(b);

		lu_hb_pop(b);
		if (n->tag >= LU_TAG_H1 && n->tag <= LU_TAG_H6 && n->space == LU_SPACE_HTML)
			return;
	}
}

static void end_tag(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (t->tag) {
	case LU_TAG_TEMPLATE: lu_html_in_head_element(b, t); return;
	case LU_TAG_BODY:
	case LU_TAG_HTML:
		if (lu_hb_in_scope(b, LU_TAG_BODY, LU_SCOPE_DEFAULT))
			b->mode = LU_MODE_AFTER_BODY;
		return;
	case LU_TAG_FORM: end_form(b); return;
	case LU_TAG_P:
		if (!lu_hb_in_scope(b, LU_TAG_P, LU_SCOPE_BUTTON))
			lu_hb_implied(b, LU_TAG_P);
		lu_hb_close_p(b);
		return;
	case LU_TAG_LI: end_scoped(b, LU_TAG_LI, LU_SCOPE_ITEM); return;
	case LU_TAG_H1:
	case LU_TAG_H2:
	case LU_TAG_H3:
	case LU_TAG_H4:
	case LU_TAG_H5:
	case LU_TAG_H6: end_heading(b); return;
	case LU_TAG_APPLET:
	case LU_TAG_MARQUEE:
	case LU_TAG_OBJECT:
		if (end_scoped(b, t->tag, LU_SCOPE_DEFAULT))
			lu_hb_clear_to_marker(b);
		return;
	case LU_TAG_BR:
		t->attributes = 0;
		open_void(b, t);
		return;
	case LU_TAG_BUTTON:
	case LU_TAG_DD:
	case LU_TAG_DT:
	case LU_TAG_LISTING:
	case LU_TAG_PRE:
	case LU_TAG_SELECT: end_scoped(b, t->tag, LU_SCOPE_DEFAULT); return;
	default: break;
	}
	if (is_plain_block(t->tag))
		end_scoped(b, t->tag, LU_SCOPE_DEFAULT);
	else if (lu_html_tag_class(t->tag) != LU_CLASS_FORMATTING || !lu_hb_adopt(b, t->tag))
		end_any(b, t);
}

void lu_html_in_body(struct lu_html_builder *b, struct lu_html_token *t)
{
	switch (t->type) {
	case LU_TOKEN_TEXT:
		lu_hb_reconstruct(b);
		lu_hb_text(b, t->text);
		if (b->frameset_ok && !lu_str_only(t->text, " \t\r\n\f"))
			b->frameset_ok = false;
		break;
	case LU_TOKEN_START: start_tag(b, t); break;
	case LU_TOKEN_END: end_tag(b, t); break;
	default: break;
	}
}
