#include "libcommon/office/doc_flow.h"

/* Marks in `row` and `later`, which no text of XML has: before a paragraph, before a cell. */
#define PARAGRAPH '\x1f'
#define CELL '\x1e'

/* Deeper lists are not indented further: the text would grow with the square of the depth. */
#define INDENTED_LEVELS 8

/* A cell with more paragraphs is layout. */
#define CELL_PARAGRAPHS 2

static struct lu_str trimmed(struct lu_str s)
{
	while (s.n && strchr(" \t\n", s.p[0]) && s.p[0])
		s.p++, s.n--;
	while (s.n && strchr(" \t\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

void lu_doc_text(struct lu_doc_flow *f, struct lu_str s)
{
	lu_buf_str(&f->block, s);
}

/* Write a paragraph: after a blank line, or a line end between items. */
static void put_paragraph(
		struct lu_doc_flow *f, struct lu_str s, const struct lu_doc_how *how, bool row)
{
	bool item = how && how->item, program = how && how->program;
	bool line = (item && f->item) || (row && f->in_row) || (program && f->program);

	if (f->out->n)
		lu_buf_puts(f->out, line ? "\n" : "\n\n");
	lu_buf_str(f->out, s);
	f->item = item;
	f->program = program;
	f->in_row = row;
}

/* Write the paragraphs of boxes behind the one that holds them. */
static void put_later(struct lu_doc_flow *f)
{
	struct lu_str s = lu_buf_slice(&f->later);

	while (s.n) {
		const char *next = memchr(s.p + 1, PARAGRAPH, s.n - 1);
		size_t n = next ? (size_t)(next - s.p) : s.n;

		put_paragraph(f, (struct lu_str){ s.p + 1, n - 1 }, NULL, false);
		s.p += n;
		s.n -= n;
	}
	lu_buf_clear(&f->later);
}

void lu_doc_end(struct lu_doc_flow *f, const struct lu_doc_how *how)
{
	size_t from = f->boxes.n ? f->boxes.p[f->boxes.n - 1] : 0;
	struct lu_str all = lu_buf_slice(&f->block);
	struct lu_str s = trimmed((struct lu_str){ all.p + from, all.n - from });
	size_t indent = (size_t)(s.p - all.p) - from;
	struct lu_buf *to = f->boxes.n ? &f->later : f->tables ? &f->row : f->out;
	unsigned level = how && (how->item || how->more) ? how->level + how->more : 0;

	if (s.n && to == f->out) {
		put_paragraph(f, (struct lu_str){ "", 0 }, how, false);
		if (how && how->program)
			lu_buf_append(to, all.p + from, indent);
		for (unsigned i = 0; i < level && i < INDENTED_LEVELS; i++)
			lu_buf_puts(to, "  ");
	} else if (s.n) {
		lu_buf_putc(to, PARAGRAPH);
	}
	if (s.n && how)
		lu_buf_str(to, how->marker);
	if (s.n)
		lu_buf_str(to, s);
	f->block.n = from;
	if (!f->boxes.n && !f->tables)
		put_later(f);
}

/* --- tables ---------------------------------------------------------------------------------- */

/* True if the row is no line: see the header. */
static bool is_layout(const struct lu_doc_flow *f)
{
	unsigned cells = 0, paragraphs = 0;

	if (f->inner)
		return true;
	for (size_t i = 0; i < f->row.n; i++) {
		if (f->row.p[i] == CELL) {
			cells++;
			paragraphs = 0;
		} else if (f->row.p[i] == PARAGRAPH && ++paragraphs > CELL_PARAGRAPHS) {
			return true;
		}
	}
	return cells < 2;
}

static void put_layout(struct lu_doc_flow *f)
{
	struct lu_str s = lu_buf_slice(&f->row);

	for (size_t i = 0; i < s.n;) {
		size_t from = ++i;

		while (i < s.n && s.p[i] != CELL && s.p[i] != PARAGRAPH)
			i++;
		if (i > from)
			put_paragraph(f, (struct lu_str){ s.p + from, i - from }, NULL, false);
	}
}

/* The row as a line, without empty cells at its end. */
static void put_row(struct lu_doc_flow *f)
{
	struct lu_buf line = { 0 };
	size_t cells = 0, end = 0;

	for (size_t i = 0; i < f->row.n; i++) {
		char c = f->row.p[i];

		if (c == CELL && cells++ > 0)
			lu_buf_puts(&line, " | ");
		else if (c == PARAGRAPH && i && f->row.p[i - 1] != CELL)
			lu_buf_putc(&line, ' ');
		else if (c != CELL && c != PARAGRAPH)
			lu_buf_putc(&line, c == '\n' || c == '\t' ? ' ' : c);
		if (c != CELL && c != PARAGRAPH)
			end = line.n;
	}
	if (line.n < end || !lu_buf_ok(&line))
		f->row.failed = true;
	else if (end)
		put_paragraph(f, (struct lu_str){ line.p, end }, NULL, true);
	lu_buf_release(&line);
}

void lu_doc_table(struct lu_doc_flow *f)
{
	if (f->boxes.n)
		return;
	lu_doc_end(f, NULL);
	if (f->tables++ == 0)
		f->in_row = false;
	else
		f->inner++;
}

void lu_doc_row(struct lu_doc_flow *f)
{
	if (f->boxes.n || f->tables != 1)
		return;
	lu_buf_clear(&f->row);
	f->inner = 0;
}

void lu_doc_cell(struct lu_doc_flow *f)
{
	if (f->boxes.n || !f->tables)
		return;
	lu_doc_end(f, NULL);
	lu_buf_putc(&f->row, CELL);
}

void lu_doc_row_end(struct lu_doc_flow *f)
{
	if (f->boxes.n || f->tables != 1)
		return;
	lu_doc_end(f, NULL);
	if (is_layout(f))
		put_layout(f);
	else
		put_row(f);
	lu_buf_clear(&f->row);
	put_later(f);
}

void lu_doc_table_end(struct lu_doc_flow *f)
{
	if (f->boxes.n || !f->tables)
		return;
	if (f->tables == 1)
		lu_doc_row_end(f);
	else
		lu_doc_end(f, NULL);
	f->tables--;
	if (!f->tables)
		f->in_row = false;
}

/* --- boxes ----------------------------------------------------------------------------------- */

void lu_doc_box(struct lu_doc_flow *f)
{
	if (!lu_vec_push(&f->boxes, f->block.n))
		f->block.failed = true;
}

void lu_doc_box_end(struct lu_doc_flow *f)
{
	if (!f->boxes.n)
		return;
	lu_doc_end(f, NULL);
	f->boxes.n--;
}

void lu_doc_finish(struct lu_doc_flow *f)
{
	f->boxes.n = 0;
	while (f->tables)
		lu_doc_table_end(f);
	lu_doc_end(f, NULL);
	if (f->out->n)
		lu_buf_putc(f->out, '\n');
}

int lu_doc_check(const struct lu_doc_flow *f, struct lu_err *err)
{
	if (lu_buf_check(&f->block, err) < 0 || lu_buf_check(&f->row, err) < 0 ||
			lu_buf_check(&f->later, err) < 0)
		return -1;
	return lu_buf_check(f->out, err);
}

void lu_doc_release(struct lu_doc_flow *f)
{
	lu_buf_release(&f->block);
	lu_buf_release(&f->row);
	lu_buf_release(&f->later);
	lu_vec_release(&f->boxes);
}

/* --- numbers --------------------------------------------------------------------------------- */

static void put_roman(struct lu_buf *out, bool capital, unsigned n)
{
	static const struct {
		unsigned n;
		const char *small, *capital;
	} parts[] = { { 1000, "m", "M" }, { 900, "cm", "CM" }, { 500, "d", "D" },
		{ 400, "cd", "CD" }, { 100, "c", "C" }, { 90, "xc", "XC" }, { 50, "l", "L" },
		{ 40, "xl", "XL" }, { 10, "x", "X" }, { 9, "ix", "IX" }, { 5, "v", "V" },
		{ 4, "iv", "IV" }, { 1, "i", "I" } };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (; n >= parts[i].n; n -= parts[i].n)
			lu_buf_puts(out, capital ? parts[i].capital : parts[i].small);
	}
}

void lu_doc_number(struct lu_buf *out, char form, unsigned n)
{
	bool capital = form == 'A' || form == 'I';

	if ((form == 'i' || form == 'I') && n > 0 && n < 4000) {
		put_roman(out, capital, n);
	} else if ((form == 'a' || form == 'A') && n > 0 && n <= 26 * 20) {
		for (unsigned i = 0; i <= (n - 1) / 26; i++)
			lu_buf_putc(out, (char)((capital ? 'A' : 'a') + (n - 1) % 26));
	} else {
		lu_buf_u64(out, n);
	}
}
