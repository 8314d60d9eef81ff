#include "libcommon/html/html_head.h"

void lu_html_raw(struct lu_html_builder *b, const struct lu_html_token *t,
		enum lu_html_text_mode mode)
{
	lu_hb_open(b, t, LU_SPACE_HTML);
	b->tokens.mode = mode;
	b->tokens.raw = t->tag;
	b->original = b->mode;
	b->mode = LU_MODE_TEXT;
}

void lu_html_push_template(struct lu_html_builder *b, enum lu_html_mode mode)
{
	/* Deeper ones share the innermost mode: a template shows nothing. */
	if (b->open_templates < LU_HTML_TEMPLATES)
		b->templates[b->open_templates] = mode;
	b->open_templates++;
}

static enum lu_html_mode template_mode(const struct lu_html_builder *b)
{
	size_t i = b->open_templates;

	return b->templates[(i > LU_HTML_TEMPLATES ? LU_HTML_TEMPLATES : i) - 1];
}

void lu_html_reset_mode(struct lu_html_builder *b)
{
	for (size_t i = b->opens; i-- > 0;) {
		if (b->open[i]->space != LU_SPACE_HTML)
			continue;
		switch (b->open[i]->tag) {
		case LU_TAG_TD:
		case LU_TAG_TH: b->mode = LU_MODE_CELL; return;
		case LU_TAG_TR: b->mode = LU_MODE_ROW; return;
		case LU_TAG_TBODY:
		case LU_TAG_THEAD:
		case LU_TAG_TFOOT: b->mode = LU_MODE_TABLE_BODY; return;
		case LU_TAG_CAPTION: b->mode = LU_MODE_CAPTION; return;
		case LU_TAG_COLGROUP: b->mode = LU_MODE_COLUMNS; return;
		case LU_TAG_TABLE: b->mode = LU_MODE_TABLE; return;
		case LU_TAG_TEMPLATE:
			b->mode = b->open_templates ? template_mode(b) : LU_MODE_BODY;
			return;
		case LU_TAG_HEAD: b->mode = LU_MODE_HEAD; return;
		case LU_TAG_BODY: b->mode = LU_MODE_BODY; return;
		case LU_TAG_FRAMESET: b->mode = LU_MODE_FRAMESET; return;
		case LU_TAG_HTML:
			b->mode = b->head ? LU_MODE_AFTER_HEAD : LU_MODE_BEFORE_HEAD;
			return;
		default: break;
		}
	}
}

static void end_template(struct lu_html_builder *b)
{
	if (!lu_hb_open_at(b, LU_TAG_TEMPLATE))
		return;
	lu_hb_pop_until(b, LU_TAG_TEMPLATE);
	lu_hb_clear_to_marker(b);
	if (b->open_templates)
		b->open_templates--;
	lu_html_reset_mode(b);
}

void lu_html_in_head_element(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (t->type == LU_TOKEN_END) {
		end_template(b);
		return;
	}
	switch (t->tag) {
	case LU_TAG_TITLE: lu_html_raw(b, t, LU_TEXT_RCDATA); break;
	case LU_TAG_NOFRAMES:
	case LU_TAG_NOSCRIPT:
	case LU_TAG_STYLE: lu_html_raw(b, t, LU_TEXT_RAW); break;
	case LU_TAG_SCRIPT: lu_html_raw(b, t, LU_TEXT_SCRIPT); break;
	case LU_TAG_TEMPLATE:
		lu_hb_open(b, t, LU_SPACE_HTML);
		lu_hb_marker(b);
		b->frameset_ok = false;
		b->mode = LU_MODE_TEMPLATE;
		lu_html_push_template(b, LU_MODE_TEMPLATE);
		break;
	default: lu_hb_void(b, t);
	}
}
