#include "libcommon/html/html_parse.h"

#include <strings.h>

#include "libcommon/html/html_modes.h"

/* --- foreign content: SVG and MathML (HTML standard, 13.2.6.5) ---------------------------------- */

static bool is_math_text(const struct lu_html_node *n)
{
	return n->space == LU_SPACE_MATHML && n->tag >= LU_TAG_MI && n->tag <= LU_TAG_MTEXT;
}

static bool is_value(struct lu_str s, const char *value)
{
	return s.n == strlen(value) && strncasecmp(s.p, value, s.n) == 0;
}

/* True if its content is HTML again. */
static bool holds_html(const struct lu_html_node *n)
{
	if (n->space == LU_SPACE_SVG)
		return n->tag == LU_TAG_FOREIGNOBJECT || n->tag == LU_TAG_DESC ||
				n->tag == LU_TAG_TITLE;
	if (n->space == LU_SPACE_MATHML && n->tag == LU_TAG_ANNOTATION_XML) {
		struct lu_str encoding = lu_html_attribute(n, LU_ATTRIBUTE_ENCODING);

		return is_value(encoding, "text/html") ||
				is_value(encoding, "application/xhtml+xml");
	}
	return false;
}

/* True if the token belongs to foreign content. */
static bool is_foreign(const struct lu_html_builder *b, const struct lu_html_token *t)
{
	const struct lu_html_node *n = b->opens ? lu_hb_current(b) : NULL;
	bool start = t->type == LU_TOKEN_START, text = t->type == LU_TOKEN_TEXT;

	if (!n || n->space == LU_SPACE_HTML || t->type == LU_TOKEN_EOF)
		return false;
	if (is_math_text(n) &&
			(text || (start && t->tag != LU_TAG_MGLYPH && t->tag != LU_TAG_MALIGNMARK)))
		return false;
	if (n->space == LU_SPACE_MATHML && n->tag == LU_TAG_ANNOTATION_XML && start &&
			t->tag == LU_TAG_SVG)
		return false;
	return !(holds_html(n) && (start || text));
}

/* True for a tag that can only be HTML: it ends foreign content. */
static bool breaks_out(const struct lu_html_builder *b, const struct lu_html_token *t)
{
	static const unsigned char html_only[] = { LU_TAG_B, LU_TAG_BIG, LU_TAG_BLOCKQUOTE,
		LU_TAG_BODY, LU_TAG_BR, LU_TAG_CENTER, LU_TAG_CODE, LU_TAG_DD, LU_TAG_DIV,
		LU_TAG_DL, LU_TAG_DT, LU_TAG_EM, LU_TAG_EMBED, LU_TAG_H1, LU_TAG_H2, LU_TAG_H3,
		LU_TAG_H4, LU_TAG_H5, LU_TAG_H6, LU_TAG_HEAD, LU_TAG_HR, LU_TAG_I, LU_TAG_IMG,
		LU_TAG_LI, LU_TAG_LISTING, LU_TAG_MENU, LU_TAG_META, LU_TAG_NOBR, LU_TAG_OL,
		LU_TAG_P, LU_TAG_PRE, LU_TAG_RUBY, LU_TAG_S, LU_TAG_SMALL, LU_TAG_SPAN,
		LU_TAG_STRONG, LU_TAG_STRIKE, LU_TAG_SUB, LU_TAG_SUP, LU_TAG_TABLE, LU_TAG_TT,
		LU_TAG_U, LU_TAG_UL, LU_TAG_VAR };

	if (t->type == LU_TOKEN_END)
		return t->tag == LU_TAG_BR || t->tag == LU_TAG_P;
	for (unsigned i = 0; t->tag == LU_TAG_FONT && i < t->attributes; i++) {
		enum lu_html_name name = b->tokens.attribute[i].name;

		if (name == LU_ATTRIBUTE_COLOR || name == LU_ATTRIBUTE_FACE ||
				name == LU_ATTRIBUTE_SIZE)
			return true;
	}
	return memchr(html_only, (int)t->tag, sizeof(html_only)) != NULL;
}

static void end_foreign(struct lu_html_builder *b, struct lu_html_token *t)
{
	for (size_t i = b->opens; i-- > 1;) {
		const struct lu_html_node *n = b->open[i];

		if (n->space == LU_SPACE_HTML) {
			lu_html_by_mode(b, t);
			return;
		}
		if (n->text.n == t->name.n && strncasecmp(n->text.p, t->name.p, t->name.n) == 0) {
			while (b->opens > i)
				lu_hb_pop(b);
			return;
		}
	}
}

static void in_foreign(struct lu_html_builder *b, struct lu_html_token *t)
{
	if (t->type == LU_TOKEN_TEXT) {
		lu_hb_text(b, t->text);
		if (!lu_str_only(t->text, " \t\r\n\f"))
			b->frameset_ok = false;
	} else if (t->type == LU_TOKEN_DOCTYPE) {
		return;
	} else if (breaks_out(b, t)) {
		while (lu_hb_current(b)->space != LU_SPACE_HTML &&
				!is_math_text(lu_hb_current(b)) && !holds_html(lu_hb_current(b)))
			lu_hb_pop(b);
		lu_html_by_mode(b, t);
	} else if (t->type == LU_TOKEN_START) {
		lu_hb_open(b, t, (enum lu_html_space)lu_hb_current(b)->space);
		if (t->self_closing)
			lu_hb_pop(b);
	} else {
		end_foreign(b, t);
	}
}

/* --- the page ------------------------------------------------------------------------------- */

/* Take the line end off that follows <pre> or <textarea>. */
static void skip_newline(struct lu_html_token *t)
{
	size_t n = t->text.n && t->text.p[0] == '\r';

	n += t->text.n > n && t->text.p[n] == '\n';
	t->text.p += n;
	t->text.n -= n;
}

static void build(struct lu_html_builder *b)
{
	const struct lu_html_token text = { .type = LU_TOKEN_TEXT };
	struct lu_html_token t;

	do {
		b->tokens.foreign = b->opens && lu_hb_current(b)->space != LU_SPACE_HTML;
		b->tokens.foreign_text = b->tokens.foreign && is_foreign(b, &text);
		if (!lu_html_token(&b->tokens, &t)) {
			b->failed = true;
			return;
		}
		if (b->skip_newline && t.type == LU_TOKEN_TEXT)
			skip_newline(&t);
		b->skip_newline = false;
		if (t.type == LU_TOKEN_TEXT && !t.text.n)
			continue;
		if (is_foreign(b, &t))
			in_foreign(b, &t);
		else
			lu_html_by_mode(b, &t);
	} while (t.type != LU_TOKEN_EOF && !b->full && !b->failed);
}

int lu_html_parse(struct lu_str html, struct lu_arena *arena, struct lu_html_node **root,
		struct lu_err *err)
{
	struct lu_html_builder b = {
		.tokens = { .p = html.p, .end = html.n ? html.p + html.n : NULL, .arena = arena },
		.arena = arena,
		.frameset_ok = true,
		.quirks = true
	};
	struct lu_html_node document = { .tag = LU_TAG_OTHER };

	if (html.n == 0)
		b.tokens.p = b.tokens.end = "";
	if (html.n > INT32_MAX)
		return lu_err_set(err, "page of more than 2 GiB");
	b.document = &document;
	build(&b);
	if (b.failed)
		return lu_err_nomem(err);
	if (b.full)
		return 1;
	*root = document.first;
	(*root)->parent = NULL;
	return 0;
}
