#include "libcommon/office/docx_body.h"

#include <limits.h>

#include "libcommon/base/utf8.h"

/* Boxes in boxes. */
#define LU_BOXES 8

/* The namespaces of text and of formulas, transitional and strict (ISO/IEC 29500). */
static bool is_word(const char *uri)
{
	return strcmp(uri, "http://schemas.openxmlformats.org/wordprocessingml/2006/main") == 0 ||
			strcmp(uri, "http://purl.oclc.org/ooxml/wordprocessingml/main") == 0;
}

static bool is_math(const char *uri)
{
	return strcmp(uri, "http://schemas.openxmlformats.org/officeDocument/2006/math") == 0 ||
			strcmp(uri, "http://purl.oclc.org/ooxml/officeDocument/math") == 0;
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static bool is(const char *name, const char *other)
{
	return strcmp(name, other) == 0;
}

static void put(struct lu_docx_body *b, const char *s)
{
	lu_doc_text(&b->flow, lu_str_of(s));
}

/* --- notes ----------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct lu_docx_note *na = a, *nb = b;

	if (na->kind != nb->kind)
		return na->kind < nb->kind ? -1 : 1;
	return (na->id > nb->id) - (na->id < nb->id);
}

void lu_docx_sort_notes(struct lu_docx_body *b)
{
	if (b->note.n)
		qsort(b->note.p, b->note.n, sizeof(*b->note.p), by_id);
}

static void begin_note(struct lu_docx_body *b, const struct lu_xml_tag *tag, enum lu_note_kind kind)
{
	struct lu_docx_note note = { kind, lu_xml_number(tag, "id", INT_MIN), b->notes.n, 0, 0 };
	struct lu_str type = lu_xml_attribute(tag, "type");

	/* Lines between text and notes are notes, too. */
	if (type.p && !lu_str_is(type, "normal")) {
		b->skip = 1;
		return;
	}
	if (!lu_vec_push(&b->note, note))
		b->notes.failed = true;
}

static void end_note(struct lu_docx_body *b)
{
	struct lu_docx_note *note = b->note.n ? &b->note.p[b->note.n - 1] : NULL;

	if (note && note->n == 0)
		note->n = b->notes.n - note->from;
	b->flow.item = false;
}

static void refer(struct lu_docx_body *b, const struct lu_xml_tag *tag, enum lu_note_kind kind)
{
	struct lu_docx_note key = { .kind = kind, .id = lu_xml_number(tag, "id", INT_MIN) }, *note;

	note = b->note.n ? bsearch(&key, b->note.p, b->note.n, sizeof(key), by_id) : NULL;
	if (!note || note->n == 0)
		return;
	if (!note->number)
		note->number = ++b->referred;
	lu_buf_printf(&b->flow.block, "[%u]", note->number);
}

static int by_number(const void *a, const void *b)
{
	const struct lu_docx_note *na = a, *nb = b;

	return (na->number > nb->number) - (na->number < nb->number);
}

int lu_docx_put_notes(struct lu_docx_body *b, struct lu_err *err)
{
	struct lu_buf *out = b->flow.out;

	if (b->note.n)
		qsort(b->note.p, b->note.n, sizeof(*b->note.p), by_number);
	for (size_t i = 0; i < b->note.n; i++) {
		const struct lu_docx_note *note = &b->note.p[i];
		struct lu_str s = { lu_buf_slice(&b->notes).p + note->from, note->n };

		while (s.n && s.p[0] == '\n')
			s.p++, s.n--;
		if (!note->number || !s.n)
			continue;
		if (out->n)
			lu_buf_puts(out, "\n\n");
		lu_buf_printf(out, "[%u] ", note->number);
		lu_buf_str(out, s);
	}
	return lu_buf_check(out, err);
}

/* --- paragraphs ------------------------------------------------------------------------------ */

static void begin_paragraph(struct lu_docx_body *b)
{
	if (b->now.joined)
		b->now.joined = false;
	else
		b->now = (struct lu_docx_paragraph){ .numbering = -1, .level = -1 };
	b->run_hidden = false;
}

static void end_paragraph(struct lu_docx_body *b)
{
	struct lu_docx_paragraph *p = &b->now;
	const struct lu_docx_style *style = p->style;
	int numbering = p->numbering >= 0 ? p->numbering : style ? style->numbering : -1;
	int level = p->level >= 0 ? p->level : style && style->level > 0 ? style->level : 0;
	bool heading = p->heading || (style && style->heading);
	struct lu_doc_how how = { .level = (unsigned)level, .program = style && style->program };
	size_t from = b->flow.boxes.n ? b->flow.boxes.p[b->flow.boxes.n - 1] : 0;
	struct lu_str text = { lu_buf_slice(&b->flow.block).p + from, b->flow.block.n - from };

	if (p->joined)
		return;
	if (style && style->contents && !b->whole) {
		b->flow.block.n = from;
		text.n = 0;
	}
	lu_buf_clear(&b->marker);
	/* A paragraph without text shows its number, but is no item to a reader. */
	if (numbering > 0 && text.n && !lu_str_only(text, " \t\n")) {
		lu_docx_marker(b->styles, numbering, level, &b->marker);
		how.marker = lu_buf_slice(&b->marker);
		how.item = how.marker.n && !heading;
	}
	/* Another list begins a paragraph of its own. */
	if (how.item && level == 0) {
		bool bullet = lu_str_is(how.marker, "- ");

		b->flow.item = b->flow.item && (numbering == b->list || (bullet && b->bullet));
		b->list = numbering;
		b->bullet = bullet;
	}
	lu_doc_end(&b->flow, &how);
	if (b->flow.out->n + b->flow.row.n + b->flow.later.n > b->limit)
		b->xml->stop = LU_PARTS_LARGE;
}

static void paragraph_property(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	struct lu_docx_paragraph *p = &b->now;

	if (is(tag->name, "pStyle"))
		p->style = lu_docx_style(b->styles, lu_xml_attribute(tag, "val"));
	else if (is(tag->name, "numId"))
		p->numbering = lu_xml_number(tag, "val", -1);
	else if (is(tag->name, "ilvl"))
		p->level = lu_xml_number(tag, "val", 0);
	else if (is(tag->name, "outlineLvl"))
		p->heading = lu_xml_number(tag, "val", 9) < 9;
	else if (is(tag->name, "del") && b->run_properties)
		p->joined = true;
}

static void run_property(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	const struct lu_docx_style *style;

	if (is(tag->name, "vanish")) {
		b->run_hidden = lu_docx_is_on(tag);
	} else if (is(tag->name, "rStyle")) {
		style = lu_docx_style(b->styles, lu_xml_attribute(tag, "val"));
		b->run_hidden = style && style->hidden == 1;
	}
}

static void begin_box(struct lu_docx_body *b)
{
	if (b->outer.n >= LU_BOXES) {
		b->skip = 1;
		return;
	}
	if (!lu_vec_push(&b->outer, b->now))
		b->notes.failed = true;
	b->now = (struct lu_docx_paragraph){ .numbering = -1, .level = -1 };
	lu_doc_box(&b->flow);
}

static void end_box(struct lu_docx_body *b)
{
	lu_doc_box_end(&b->flow);
	if (b->outer.n)
		b->now = b->outer.p[--b->outer.n];
}

/* --- runs ------------------------------------------------------------------------------------ */

/* The letters of the font Symbol, at U+F041 to U+F07A, are Greek. */
static void put_symbol(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	static const char *const greek[] = { "Α", "Β", "Χ", "Δ", "Ε", "Φ", "Γ", "Η", "Ι", "ϑ", "Κ",
		"Λ", "Μ", "Ν", "Ο", "Π", "Θ", "Ρ", "Σ", "Τ", "Υ", "ς", "Ω", "Ξ", "Ψ", "Ζ" };
	static const char *const small[] = { "α", "β", "χ", "δ", "ε", "φ", "γ", "η", "ι", "ϕ", "κ",
		"λ", "μ", "ν", "ο", "π", "θ", "ρ", "σ", "τ", "υ", "ϖ", "ω", "ξ", "ψ", "ζ" };
	struct lu_str code = lu_xml_attribute(tag, "char");
	char utf8[4], digits[9];
	unsigned long c;

	if (!code.p || code.n == 0 || code.n >= sizeof(digits))
		return;
	memcpy(digits, code.p, code.n);
	digits[code.n] = '\0';
	c = strtoul(digits, NULL, 16);
	if (c >= 0xF000 && c <= 0xF0FF && lu_xml_has(tag, "font", "Symbol")) {
		c -= 0xF000;
		if (c >= 'A' && c <= 'Z')
			put(b, greek[c - 'A']);
		else if (c >= 'a' && c <= 'z')
			put(b, small[c - 'a']);
		else if (c > ' ' && c < 0x7f)
			lu_doc_text(&b->flow, (struct lu_str){ (const char[]){ (char)c }, 1 });
	} else if (c >= 0x20 && c <= 0x10FFFF && (c < 0xD800 || c > 0xF8FF)) {
		lu_doc_text(&b->flow, (struct lu_str){ utf8, lu_utf8_put((uint32_t)c, utf8) });
	}
}

static void start_in_run(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	const char *name = tag->name;

	if (b->run_hidden)
		return;
	if (is(name, "tab") || is(name, "ptab"))
		put(b, "\t");
	else if (is(name, "br") || is(name, "cr"))
		put(b, "\n");
	else if (is(name, "noBreakHyphen"))
		put(b, "\xE2\x80\x91");
	else if (is(name, "sym"))
		put_symbol(b, tag);
	else if (is(name, "footnoteReference"))
		refer(b, tag, LU_NOTE_FOOT);
	else if (is(name, "endnoteReference"))
		refer(b, tag, LU_NOTE_END);
}

/* --- formulas -------------------------------------------------------------------------------- */

/* Where a group begins that gets brackets if it is more than a word. */
static void begin_group(struct lu_docx_body *b, const char *before)
{
	put(b, before);
	if (!lu_vec_push(&b->maths, b->flow.block.n))
		b->notes.failed = true;
}

static void end_group(struct lu_docx_body *b)
{
	struct lu_buf *block = &b->flow.block;
	size_t from, n;
	bool word = true;

	if (!b->maths.n)
		return;
	from = b->maths.p[--b->maths.n];
	if (from > block->n)
		return;
	n = block->n - from;
	for (size_t i = from; i < block->n; i++)
		word = word && !(block->p[i] && strchr(" +-*/^_=,()", block->p[i]));
	if (word || n > 4096 || !lu_buf_reserve(block, 2))
		return;
	memmove(block->p + from + 1, block->p + from, n);
	block->p[from] = '(';
	block->n++;
	lu_buf_putc(block, ')');
}

/* m:begChr, m:endChr and m:chr are properties, read before the content. */
static void start_math(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	static const char *const groups[] = { "num", "deg", NULL };
	const char *name = tag->name;

	if (is(name, "t"))
		b->text++;
	else if (one_of(name, groups))
		begin_group(b, "");
	else if (is(name, "den"))
		begin_group(b, "/");
	else if (is(name, "sub"))
		begin_group(b, "_");
	else if (is(name, "sup"))
		begin_group(b, "^");
	else if (is(name, "rad"))
		begin_group(b, "√");
	else if (is(name, "d"))
		put(b, "(");
	else if (is(name, "mr") && b->flow.block.n)
		put(b, "; ");
	else if (is(name, "chr") || is(name, "nary"))
		lu_doc_text(&b->flow,
				is(name, "chr") ? lu_xml_attribute(tag, "val")
						: (struct lu_str){ "", 0 });
}

static void end_math(struct lu_docx_body *b, const char *name)
{
	static const char *const groups[] = { "num", "deg", "den", "sub", "sup", "rad", NULL };

	if (is(name, "t"))
		b->text -= b->text > 0;
	else if (one_of(name, groups))
		end_group(b);
	else if (is(name, "d"))
		put(b, ")");
}

/* --- elements -------------------------------------------------------------------------------- */

/* Left out with all they hold. */
static bool is_left_out(const struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	static const char *const names[] = { "del", "moveFrom", "instrText", "delText",
		"delInstrText", "rt", "comment", "numberingChange", NULL };

	/* In properties, w:del marks the end of a paragraph. */
	return is_word(tag->uri) ? !b->properties && one_of(tag->name, names)
				 : is(tag->name, "Fallback") && b->chosen;
}

static void start_block(struct lu_docx_body *b, const struct lu_xml_tag *tag)
{
	const char *name = tag->name;

	if (is(name, "p"))
		begin_paragraph(b);
	else if (is(name, "tbl"))
		lu_doc_table(&b->flow);
	else if (is(name, "tr"))
		lu_doc_row(&b->flow);
	else if (is(name, "tc"))
		lu_doc_cell(&b->flow);
	else if (is(name, "txbxContent"))
		begin_box(b);
	else if (is(name, "footnote"))
		begin_note(b, tag, LU_NOTE_FOOT);
	else if (is(name, "endnote"))
		begin_note(b, tag, LU_NOTE_END);
	else if (is(name, "showingPlcHdr"))
		b->placeholder = b->controls;
	else if (is(name, "docPartGallery") && lu_xml_has(tag, "val", "Table of Contents") &&
			!b->whole)
		b->placeholder = b->controls;
	else if (is(name, "sdt"))
		b->controls++;
	else if (is(name, "sdtContent") && b->placeholder && b->placeholder == b->controls)
		b->skip = 1;
}

void lu_docx_start(void *body, const struct lu_xml_tag *tag)
{
	struct lu_docx_body *b = body;
	const char *name = tag->name;

	if (b->skip) {
		b->skip++;
	} else if (is_left_out(b, tag)) {
		b->skip = 1;
	} else if (is_math(tag->uri)) {
		start_math(b, tag);
	} else if (is(name, "AlternateContent")) {
		b->chosen = false;
	} else if (is(name, "Choice")) {
		b->chosen = true;
	} else if (!is_word(tag->uri)) {
		return;
	} else if (is(name, "pPr") || is(name, "rPr")) {
		b->run_properties = is(name, "rPr");
		b->properties++;
	} else if (b->properties) {
		if (b->run_properties && !is(name, "del"))
			run_property(b, tag);
		else
			paragraph_property(b, tag);
	} else if (is(name, "t")) {
		b->text++;
	} else if (is(name, "r")) {
		b->run_hidden = b->now.style && b->now.style->hidden == 1;
	} else {
		start_in_run(b, tag);
		start_block(b, tag);
	}
}

static void end_block(struct lu_docx_body *b, const char *name)
{
	if (is(name, "p"))
		end_paragraph(b);
	else if (is(name, "tbl"))
		lu_doc_table_end(&b->flow);
	else if (is(name, "tr"))
		lu_doc_row_end(&b->flow);
	else if (is(name, "txbxContent"))
		end_box(b);
	else if (is(name, "footnote") || is(name, "endnote"))
		end_note(b);
	else if (is(name, "sdt")) {
		b->placeholder = b->placeholder == b->controls ? 0 : b->placeholder;
		b->controls -= b->controls > 0;
	}
}

void lu_docx_end(void *body, const char *name, const char *uri)
{
	struct lu_docx_body *b = body;

	if (b->skip) {
		b->skip--;
		return;
	}
	if (is_math(uri)) {
		end_math(b, name);
	} else if (is(name, "AlternateContent")) {
		b->chosen = false;
	} else if (is_word(uri) && (is(name, "pPr") || is(name, "rPr"))) {
		b->run_properties = false;
		b->properties -= b->properties > 0;
		/* The mark of the paragraph may be hidden; its text is not. */
		if (b->properties == 0 && is(name, "pPr"))
			b->run_hidden = false;
	} else if (is_word(uri) && !b->properties) {
		if (is(name, "t"))
			b->text -= b->text > 0;
		else
			end_block(b, name);
	}
}

void lu_docx_text_piece(void *body, struct lu_str s)
{
	struct lu_docx_body *b = body;

	if (b->skip || !b->text || b->run_hidden)
		return;
	/* The soft hyphen shows only where a line ends. */
	lu_buf_replace(&b->flow.block, s, LU_STR("\xC2\xAD"), LU_STR(""));
	if (b->flow.block.n > b->limit)
		b->xml->stop = LU_PARTS_LARGE;
}

int lu_docx_check(const struct lu_docx_body *b, struct lu_err *err)
{
	if (lu_buf_check(&b->notes, err) < 0 || lu_buf_check(&b->marker, err) < 0)
		return -1;
	return b->styles->failed ? lu_err_nomem(err) : lu_doc_check(&b->flow, err);
}

void lu_docx_body_release(struct lu_docx_body *b)
{
	lu_doc_release(&b->flow);
	lu_buf_release(&b->notes);
	lu_buf_release(&b->marker);
	lu_vec_release(&b->note);
	lu_vec_release(&b->outer);
	lu_vec_release(&b->maths);
}
