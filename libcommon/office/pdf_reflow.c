#include "libcommon/office/pdf_reflow.h"

#include "libcommon/base/utf8.h"
#include "libcommon/office/pdf_lines.h"
#include "libcommon/text/unicode.h"

/* Prose is at least this many letter heights wide. */
#define PROSE_WIDTH 20

/* A block of at most this many lines beside another can be a cell of a table. */
#define CELL_LINES 3

/* Lines among which the one beside a bullet is looked for. */
#define NEIGHBOURS 100

struct block {
	float left, right, top, bottom;
	float pitch; /* the smallest distance of two lines; 0: one line */
	size_t lines;
	size_t at_left; /* lines that begin at the left edge */
	struct lu_pdf_widths widths;
	size_t broken; /* lines on which the first word of the next would have fitted */
};

struct state {
	const struct lu_pdf_layout *l;
	struct LU_VEC(size_t) lines;	    /* that are written, in order */
	struct LU_VEC(struct block) blocks; /* by number */
	struct LU_VEC(size_t) marker;	    /* of lines[i]: 1 + line that is its bullet; 0: none */
	struct lu_buf *out;
	size_t page;	/* of the last line */
	bool item, row; /* it belongs to */
	bool program;	/* the next line begins one or is of one */
};

/* --- characters ------------------------------------------------------------------------------ */

static uint32_t first_char(struct lu_str s)
{
	const char *p = s.p;

	return s.n ? lu_utf8_next(&p) : 0;
}

static uint32_t last_char(struct lu_str s)
{
	size_t i = s.n;
	const char *p;

	while (i > 0 && ((unsigned char)s.p[--i] & 0xC0) == 0x80)
		;
	p = s.p + i;
	return s.n ? lu_utf8_next(&p) : 0;
}

static bool is_letter(uint32_t c)
{
	return lu_unicode_category(c) == LU_CAT_LETTER;
}

static bool is_lower(uint32_t c)
{
	return is_letter(c) && lu_unicode_is_lower(c);
}

static size_t char_size(uint32_t c)
{
	char utf8[4];

	return lu_utf8_put(c, utf8);
}

static bool ends_sentence(struct lu_str s)
{
	static const uint32_t closing[] = { '"', '\'', ')', ']', 0xBB, 0x201D, 0x2019, 0x203A, ' ',
		0xA0, 0x202F };
	uint32_t c = last_char(s);

	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]) && s.n;) {
		if (c != closing[i]) {
			i++;
			continue;
		}
		s.n -= char_size(c);
		c = last_char(s);
		i = 0;
	}
	return c == '.' || c == '!' || c == '?' || c == ':' || c == ';' || c == 0x2026 ||
			c == 0x3002 || c == 0x061F;
}

/* "3" or "3.1.4" */
static bool is_section_number(struct lu_str s)
{
	return s.n < 12 && lu_str_only(s, "0123456789.");
}

/* A bullet or number at the beginning, with a blank behind it. */
static bool has_enumerator(struct lu_str s)
{
	size_t n = lu_pdf_enumerator(s);

	return n && n < s.n && s.p[n] == ' ';
}

static bool has_bullet(struct lu_str s)
{
	uint32_t c = first_char(s);
	size_t n = char_size(c);

	return lu_pdf_is_bullet(c) && n < s.n;
}

/* --- geometry -------------------------------------------------------------------------------- */

static const struct lu_pdf_line *line_at(const struct state *s, size_t i)
{
	return &s->l->lines.p[s->lines.p[i]];
}

/* True if b stands beside a, to its right. */
static bool is_beside(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	float top = a->y0 > b->y0 ? a->y0 : b->y0, bottom = a->y1 < b->y1 ? a->y1 : b->y1;
	float ha = a->y1 - a->y0, hb = b->y1 - b->y0;

	return bottom - top > 0.5f * (ha < hb ? ha : hb) && b->x0 >= a->x1 - 1;
}

static bool are_blocks_beside(const struct block *a, const struct block *b)
{
	float top = a->top > b->top ? a->top : b->top;
	float bottom = a->bottom < b->bottom ? a->bottom : b->bottom;
	float ha = a->bottom - a->top, hb = b->bottom - b->top;

	return a->lines <= CELL_LINES && b->lines <= CELL_LINES &&
			bottom - top > 0.5f * (ha < hb ? ha : hb) && b->left >= a->right - 1;
}

static bool same_size(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	return a->height < 1.12f * b->height && b->height < 1.12f * a->height;
}

/* True if the first word of b would have fitted behind a. */
static bool would_fit(
		const struct block *k, const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	float slack = 0.5f * a->height + 0.02f * (k->right - k->left);

	return k->right - a->x1 > b->first + slack;
}

static void measure(struct state *s, size_t from, size_t to)
{
	const struct lu_pdf_line *a = line_at(s, from);
	struct block *k = &s->blocks.p[a->block];

	*k = (struct block){
		.left = a->x0, .right = a->x1, .top = a->y0, .bottom = a->y1, .lines = to - from
	};
	for (size_t i = from; i < to; i++) {
		const struct lu_pdf_line *b = line_at(s, i);
		float pitch = i > from ? b->y0 - line_at(s, i - 1)->y0 : 0;

		lu_pdf_add_width(&k->widths, b->x1 - b->x0);
		k->left = b->x0 < k->left ? b->x0 : k->left;
		k->right = b->x1 > k->right ? b->x1 : k->right;
		k->top = b->y0 < k->top ? b->y0 : k->top;
		k->bottom = b->y1 > k->bottom ? b->y1 : k->bottom;
		if (pitch > 0.5f * b->height && (k->pitch <= 0 || pitch < k->pitch))
			k->pitch = pitch;
	}
	for (size_t i = from; i < to; i++)
		k->at_left += line_at(s, i)->x0 < k->left + 0.8f * a->height;
	for (size_t i = from + 1; i < to; i++)
		k->broken += would_fit(k, line_at(s, i - 1), line_at(s, i));
}

/* --- lines and blocks ------------------------------------------------------------------------ */

/* The line of the same page beside the marker `from`, or the number of lines. */
static size_t line_of_marker(const struct lu_pdf_layout *l, size_t from, size_t begin, size_t end)
{
	size_t best = l->lines.n;

	begin = from > begin + NEIGHBOURS ? from - NEIGHBOURS : begin;
	end = from + NEIGHBOURS < end ? from + NEIGHBOURS : end;
	for (size_t k = begin; k < end; k++) {
		const struct lu_pdf_line *b = &l->lines.p[k];

		if (k != from && !b->left_out && is_beside(&l->lines.p[from], b) &&
				!lu_pdf_is_marker(lu_pdf_line_text(l, b)) &&
				(best == l->lines.n || b->x0 < l->lines.p[best].x0))
			best = k;
	}
	return best;
}

/* Choose the lines that are written, and give the markers that stand alone to the lines beside them. */
static int choose_lines(struct state *s, struct lu_err *err)
{
	const struct lu_pdf_layout *l = s->l;
	struct LU_VEC(size_t) owner = { 0 }; /* of each line: 1 + its marker, SIZE_MAX: it is one */
	int rc = lu_err_nomem(err);

	if (!lu_vec_reserve(&owner, l->lines.n + 1))
		goto out;
	memset(owner.p, 0, l->lines.n * sizeof(*owner.p));
	for (size_t page = 0; page < l->pages.n; page++) {
		size_t begin = l->pages.p[page].line, end = lu_pdf_page_end(l, page);

		for (size_t k = begin; k < end; k++) {
			size_t to;

			if (l->lines.p[k].left_out ||
					!lu_pdf_is_marker(lu_pdf_line_text(l, &l->lines.p[k])))
				continue;
			to = line_of_marker(l, k, begin, end);
			if (to < l->lines.n && !owner.p[to]) {
				owner.p[to] = k + 1;
				owner.p[k] = SIZE_MAX;
			}
		}
	}
	for (size_t k = 0; k < l->lines.n; k++) {
		if (l->lines.p[k].left_out || owner.p[k] == SIZE_MAX)
			continue;
		if (!lu_vec_push(&s->lines, k) || !lu_vec_push(&s->marker, owner.p[k]))
			goto out;
	}
	rc = 0;
out:
	lu_vec_release(&owner);
	return rc;
}

static int measure_blocks(struct state *s, struct lu_err *err)
{
	size_t n = (size_t)s->l->blocks + 1;

	if (!lu_vec_reserve(&s->blocks, n))
		return lu_err_nomem(err);
	memset(s->blocks.p, 0, n * sizeof(*s->blocks.p));
	for (size_t from = 0, i = 1; i <= s->lines.n; i++) {
		if (i < s->lines.n && line_at(s, i)->block == line_at(s, from)->block)
			continue;
		measure(s, from, i);
		from = i;
	}
	return 0;
}

/* --- what is between two lines --------------------------------------------------------------- */

enum between { JOIN, CELL, LINE, PARAGRAPH };

/* The line begins an item of a list. */
static bool begins_item(const struct state *s, size_t i)
{
	struct lu_str text = lu_pdf_line_text(s->l, line_at(s, i));

	return s->marker.p[i] || has_bullet(text);
}

/* Both lines are of a program. A single word of a proportional font may look the same. */
static bool both_monospaced(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	float d = a->advance - b->advance;

	return (a->words > 1 || b->words > 1) && a->advance > 0 && b->advance > 0 &&
			d < 0.02f * a->advance && d > -0.02f * a->advance;
}

/* Lines of a program, with the blank lines between them. */
static enum between of_program(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	return b->y0 - a->y0 > 1.8f * a->height ? PARAGRAPH : LINE;
}

/* Two lines of one block. */
static enum between in_block(const struct state *s, size_t i)
{
	const struct lu_pdf_line *a = line_at(s, i - 1), *b = line_at(s, i);
	struct lu_str ta = lu_pdf_line_text(s->l, a), tb = lu_pdf_line_text(s->l, b);
	const struct block *k = &s->blocks.p[a->block];
	float width = k->right - k->left, em = a->height;
	bool prose = width > PROSE_WIDTH * em || lu_pdf_is_prose(&k->widths, em),
	     ended = ends_sentence(ta);
	bool fits = would_fit(k, a, b);
	bool hanging = k->at_left * 2 < k->lines;
	bool left_a = a->x0 < k->left + 0.8f * em, left_b = b->x0 < k->left + 0.8f * em;

	if (begins_item(s, i))
		return LINE;
	if (is_beside(a, b))
		return both_monospaced(a, b) || b->x0 - a->x1 > 1.5f * em ? CELL : JOIN;
	if (both_monospaced(a, b))
		return of_program(a, b);
	if (has_enumerator(tb) && (ended || fits || has_enumerator(ta)))
		return LINE;
	if (!same_size(a, b) && (fits || ended))
		return PARAGRAPH;
	if (k->pitch > 0 && b->y0 - a->y0 > 1.25f * k->pitch + 1)
		return PARAGRAPH;
	if ((fits || ended) && (hanging ? left_b && !left_a : left_a && !left_b) && prose)
		return PARAGRAPH;
	/* In verse, an address, a list of words, the longest line is one, too. */
	if (k->lines > 2 && k->broken * 2 >= k->lines && !prose)
		return LINE;
	if (!fits)
		return JOIN;
	/* Text beside a picture, or before a formula. */
	if (prose && !ended && is_lower(first_char(tb)) && a->x1 > k->left + 0.6f * width &&
			(is_letter(last_char(ta)) || last_char(ta) == ','))
		return JOIN;
	return prose && ended ? PARAGRAPH : LINE;
}

/* The last line of a block and the first of the next. */
static enum between of_blocks(const struct state *s, size_t i, bool other_page)
{
	const struct lu_pdf_line *a = line_at(s, i - 1), *b = line_at(s, i);
	struct lu_str ta = lu_pdf_line_text(s->l, a), tb = lu_pdf_line_text(s->l, b);
	const struct block *ka = &s->blocks.p[a->block], *kb = &s->blocks.p[b->block];
	bool away = other_page || b->y0 < a->y0;
	uint32_t last = last_char(ta), first = first_char(tb);
	bool wide,
			open = is_letter(last) || last == ',' || last == '-' || last == 0xAD ||
			last == 0x2010;

	if (begins_item(s, i) || (has_enumerator(tb) && s->item))
		return s->item ? LINE : PARAGRAPH;
	if (!other_page && (is_beside(a, b) || are_blocks_beside(ka, kb)))
		return CELL;
	if (!other_page && both_monospaced(a, b) && !away && b->y0 - a->y0 < 4 * a->height)
		return of_program(a, b);
	if (!same_size(a, b) || ends_sentence(ta) || !open || would_fit(ka, a, b))
		return PARAGRAPH;
	wide = ka->right - ka->left > PROSE_WIDTH * a->height;
	if (!away &&
			(b->y0 - a->y0 > 1.7f * a->height ||
					(kb->right > ka->right && would_fit(kb, a, b))))
		return PARAGRAPH;
	if (is_lower(first) && (wide || ka->lines > 1))
		return JOIN;
	return wide && is_letter(first) && (!away || (ka->lines > 1 && kb->lines > 1)) ? JOIN
										       : PARAGRAPH;
}

/* Lines of which one at least is in a table. */
static enum between in_table(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	if (!a->row || !b->row || b->row - a->row > 1)
		return PARAGRAPH;
	if (b->row > a->row)
		return LINE;
	return b->cell == a->cell ? JOIN : CELL;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The blanks between two pieces of a line of a program. */
static void put_gap(struct state *s, const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	float n = (b->x0 - a->x1) / a->advance + 0.5f;

	do
		lu_buf_putc(s->out, ' ');
	while (--n >= 1 && n < 200);
}

/* The indent of a line of a program. */
static void put_indent(struct state *s, size_t i)
{
	const struct lu_pdf_line *b = line_at(s, i);
	const struct block *k = &s->blocks.p[b->block];
	float n = b->advance > 0 ? (b->x0 - k->left) / b->advance + 0.5f : 0;

	if (k->lines < 2 || !s->program || n > 60)
		return;
	for (; n >= 1; n--)
		lu_buf_putc(s->out, ' ');
}

static void put_line(struct state *s, size_t i)
{
	struct lu_str text = lu_pdf_line_text(s->l, line_at(s, i));
	uint32_t c = first_char(text);
	size_t skip = 0;

	put_indent(s, i);
	if (i == 0 || line_at(s, i)->row != line_at(s, i - 1)->row) {
		for (unsigned k = 0; k < line_at(s, i)->cell; k++)
			lu_buf_puts(s->out, "| ");
	}
	if (s->marker.p[i]) {
		struct lu_str m = lu_pdf_line_text(s->l, &s->l->lines.p[s->marker.p[i] - 1]);

		if (lu_pdf_is_bullet(first_char(m)))
			lu_buf_puts(s->out, "-");
		else
			lu_buf_str(s->out, m);
		lu_buf_putc(s->out, ' ');
	} else if (has_bullet(text)) {
		lu_buf_puts(s->out, "- ");
		skip = char_size(c);
		while (skip < text.n && text.p[skip] == ' ')
			skip++;
	}
	lu_buf_append(s->out, text.p + skip, text.n - skip);
	/* lu_repair() knows the hyphen of ASCII. */
	if (last_char(text) == 0x2010 && s->out->n > 3) {
		s->out->n -= 3;
		lu_buf_putc(s->out, '-');
	}
}

static void put_between(struct state *s, size_t i, enum between how, size_t pages)
{
	if (how == CELL && both_monospaced(line_at(s, i - 1), line_at(s, i))) {
		put_gap(s, line_at(s, i - 1), line_at(s, i));
		s->program = false;
		return;
	}
	if (how == CELL) {
		/* The number of a heading stands apart, too. */
		const struct lu_pdf_line *a = line_at(s, i - 1), *b = line_at(s, i);
		bool number = !b->row &&
				is_section_number(lu_pdf_line_text(s->l, line_at(s, i - 1)));

		lu_buf_puts(s->out, number && !s->row ? " " : " | ");
		for (unsigned k = a->row && b->row ? a->cell + 1u : b->cell; k < b->cell; k++)
			lu_buf_puts(s->out, " | ");
		s->row = s->row || !number;
		return;
	}
	/* Rows of a table are lines. */
	if (how == PARAGRAPH && s->row && pages == 0 && i + 1 < s->lines.n &&
			line_at(s, i)->block != line_at(s, i + 1)->block &&
			is_beside(line_at(s, i), line_at(s, i + 1)))
		how = LINE;
	lu_buf_putc(s->out, '\n');
	for (; pages; pages--)
		lu_buf_putc(s->out, '\f');
	s->program = how != JOIN && both_monospaced(line_at(s, i - 1), line_at(s, i));
	s->program = s->program ||
			(how != JOIN && i + 1 < s->lines.n &&
					both_monospaced(line_at(s, i), line_at(s, i + 1)));
	if (how != JOIN) {
		lu_buf_putc(s->out, how == LINE ? LU_PDF_LINE : LU_PDF_PARAGRAPH);
		s->row = s->item = false;
	}
}

static void put_lines(struct state *s)
{
	size_t page = 0;

	for (size_t i = 0; i < s->lines.n; i++) {
		size_t before = page;
		enum between how;

		while (s->lines.p[i] >= lu_pdf_page_end(s->l, page))
			page++;
		if (i == 0) {
			for (size_t k = 0; k < page; k++)
				lu_buf_putc(s->out, '\f');
		} else {
			if (line_at(s, i)->row || line_at(s, i - 1)->row)
				how = in_table(line_at(s, i - 1), line_at(s, i));
			else if (line_at(s, i)->block == line_at(s, i - 1)->block)
				how = in_block(s, i);
			else
				how = of_blocks(s, i, page != before);
			put_between(s, i, how, page - before);
		}
		s->item = s->item || begins_item(s, i) ||
				has_enumerator(lu_pdf_line_text(s->l, line_at(s, i)));
		put_line(s, i);
	}
}

int lu_pdf_reflow(const struct lu_pdf_layout *l, struct lu_buf *marked, struct lu_err *err)
{
	struct state s = { .l = l, .out = marked };
	int rc = choose_lines(&s, err);

	if (rc == 0)
		rc = measure_blocks(&s, err);
	if (rc == 0) {
		put_lines(&s);
		rc = lu_buf_check(marked, err);
	}
	lu_vec_release(&s.lines);
	lu_vec_release(&s.marker);
	lu_vec_release(&s.blocks);
	return rc;
}

/* --- from marks to paragraphs ---------------------------------------------------------------- */

/* Scripts that write no blanks between words, so that a line end is none; their punctuation. */
static bool has_no_blanks(uint32_t c)
{
	return lu_unicode_is_unspaced(c) || (c >= 0x3000 && c <= 0x303F) ||
			(c >= 0xFF00 && c <= 0xFF60);
}

/* Write what is due between the text so far and `rest`: nothing, a blank, or line ends. */
static void put_due(struct lu_buf *text, struct lu_str rest, unsigned newlines, bool blank)
{
	if (text->n == 0)
		return;
	if (newlines) {
		lu_buf_puts(text, newlines == 2 ? "\n\n" : "\n");
	} else if (blank && text->p[text->n - 1] != ' ' &&
			!(has_no_blanks(last_char(lu_buf_slice(text))) &&
					has_no_blanks(first_char(rest)))) {
		lu_buf_putc(text, ' ');
	}
}

int lu_pdf_join(struct lu_str marked, size_t n, struct lu_buf *text, struct lu_pdf_offsets *pages,
		struct lu_err *err)
{
	size_t begun = 0, i = 0; /* pages that begin before the next character */
	unsigned newlines = 0;
	bool blank = false;

	if (!lu_vec_reserve(pages, n))
		return lu_err_nomem(err);
	for (begun = n > 0; i < marked.n;) {
		size_t from = i;

		for (; i < marked.n && strchr("\n\f\x1d\x1e", marked.p[i]) && marked.p[i]; i++) {
			begun += marked.p[i] == '\f';
			blank = true;
			if (marked.p[i] == LU_PDF_PARAGRAPH || marked.p[i] == LU_PDF_LINE)
				newlines = marked.p[i] == LU_PDF_LINE ? 1 : 2;
		}
		if (i == marked.n)
			break;
		if (i > from || text->n == 0) {
			put_due(text, (struct lu_str){ marked.p + i, marked.n - i }, newlines,
					blank);
			for (; begun && pages->n < n; begun--)
				pages->p[pages->n++] = text->n;
			newlines = 0;
			blank = false;
		}
		for (from = i; i < marked.n && !strchr("\n\f\x1d\x1e", marked.p[i]);)
			i++;
		lu_buf_append(text, marked.p + from, i - from);
	}
	if (text->n)
		lu_buf_putc(text, '\n');
	while (pages->n < n)
		pages->p[pages->n++] = text->n;
	return lu_buf_check(text, err);
}
