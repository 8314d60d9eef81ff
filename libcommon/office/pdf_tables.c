#include "libcommon/office/pdf_tables.h"

#include "libcommon/office/pdf_lines.h"

#define COLUMNS 24 /* more are no table */

struct column {
	float x0, x1;
	struct lu_pdf_widths widths; /* of its lines */
};

/* A row of the page: lines [from, to) in order of x. */
struct row {
	size_t from, to;
	float y0, height;
	bool program, prose;
};

struct table {
	struct column column[COLUMNS];
	unsigned columns, rows; /* rows with two cells or more */
};

struct finder {
	struct lu_pdf_layout *l;
	struct lu_pdf_order order; /* lines of the page, from top to bottom */
	struct LU_VEC(struct row) rows;
	struct LU_VEC(struct lu_pdf_widths) blocks; /* of the page, by number from the lowest */
	uint32_t first_block;
	struct LU_VEC(struct lu_pdf_line) moved;
	uint32_t row; /* the last number given to a row */
};

/* True if line k of the page's order begins a cell in its row. */
static bool begins_cell(const struct finder *f, const struct row *r, size_t k)
{
	const struct lu_pdf_line *a, *b = f->order.p[k];

	if (k == r->from)
		return true;
	a = f->order.p[k - 1];
	return b->x0 - a->x1 >= a->height && !lu_pdf_is_marker(lu_pdf_line_text(f->l, a));
}

static unsigned count_cells(const struct finder *f, const struct row *r)
{
	unsigned n = 0;

	for (size_t k = r->from; k < r->to; k++)
		n += begins_cell(f, r, k);
	return n;
}

static int measure_blocks(struct finder *f, size_t page, struct lu_err *err)
{
	const struct lu_pdf_line *line = f->l->lines.p;
	size_t begin = f->l->pages.p[page].line, end = lu_pdf_page_end(f->l, page), n;
	uint32_t last = 0;

	f->blocks.n = 0;
	if (begin == end)
		return 0;
	f->first_block = line[begin].block;
	for (size_t k = begin; k < end; k++) {
		f->first_block = line[k].block < f->first_block ? line[k].block : f->first_block;
		last = line[k].block > last ? line[k].block : last;
	}
	n = last - f->first_block + 1;
	if (!lu_vec_reserve(&f->blocks, n))
		return lu_err_nomem(err);
	memset(f->blocks.p, 0, n * sizeof(*f->blocks.p));
	for (size_t k = begin; k < end; k++)
		lu_pdf_add_width(&f->blocks.p[line[k].block - f->first_block],
				line[k].x1 - line[k].x0);
	return 0;
}

static int find_rows(struct finder *f, size_t page, struct lu_err *err)
{
	f->rows.n = 0;
	if (measure_blocks(f, page, err) < 0 || lu_pdf_sort_lines(f->l, page, &f->order, err) < 0)
		return -1;
	for (size_t from = 0, to; from < f->order.n; from = to) {
		struct row r = { .from = from, .program = true };
		bool words = false;

		for (to = from + 1; to < f->order.n &&
				lu_pdf_is_beside(f->order.p[from], f->order.p[to]);)
			to++;
		r.to = to;
		r.y0 = f->order.p[from]->y0;
		r.height = f->order.p[from]->height;
		lu_pdf_sort_row(&f->order, from, to);
		for (size_t k = from; k < to; k++) {
			const struct lu_pdf_line *line = f->order.p[k];
			const struct lu_pdf_widths *b = &f->blocks.p[line->block - f->first_block];

			r.program = r.program && line->advance > 0;
			words = words || line->words > 1;
			r.prose = r.prose || lu_pdf_is_prose(b, line->height);
		}
		r.program = r.program && words;
		if (!lu_vec_push(&f->rows, r))
			return lu_err_nomem(err);
	}
	return 0;
}

/* --- columns --------------------------------------------------------------------------------- */

/* The column over which [x0, x1) stands; COLUMNS: over none or over several. *none tells them apart. */
static unsigned column_of(const struct table *t, float x0, float x1, bool *none)
{
	unsigned found = COLUMNS;

	*none = true;
	for (unsigned i = 0; i < t->columns; i++) {
		if (x1 <= t->column[i].x0 || x0 >= t->column[i].x1)
			continue;
		if (!*none)
			return COLUMNS;
		*none = false;
		found = i;
	}
	return found;
}

/* Put a column in between, by x. */
static unsigned add_column(struct table *t, float x0, float x1)
{
	unsigned at = t->columns;

	while (at > 0 && t->column[at - 1].x0 > x0)
		at--;
	memmove(&t->column[at + 1], &t->column[at], (t->columns - at) * sizeof(t->column[0]));
	t->column[at] = (struct column){ .x0 = x0, .x1 = x1 };
	t->columns++;
	return at;
}

/* Add the row to the table; false if it does not fit, then the table is as good as lost. */
static bool add_row(const struct finder *f, struct table *t, const struct row *r)
{
	unsigned last = COLUMNS, cells = 0;

	for (size_t k = r->from; k < r->to; k++) {
		const struct lu_pdf_line *line = f->order.p[k];
		float x1 = line->x1;
		unsigned c;
		bool none;

		if (!begins_cell(f, r, k))
			continue;
		for (size_t e = k + 1; e < r->to && !begins_cell(f, r, e); e++)
			x1 = f->order.p[e]->x1 > x1 ? f->order.p[e]->x1 : x1;
		c = column_of(t, line->x0, x1, &none);
		if (none && t->columns < COLUMNS - 1 && (cells || r->to - r->from > 1))
			c = add_column(t, line->x0, x1);
		if (c == COLUMNS || (cells && c == last))
			return false;
		last = c;
		cells++;
		t->column[c].x0 = line->x0 < t->column[c].x0 ? line->x0 : t->column[c].x0;
		t->column[c].x1 = x1 > t->column[c].x1 ? x1 : t->column[c].x1;
		if ((c > 0 && t->column[c - 1].x1 > t->column[c].x0) ||
				(c + 1 < t->columns && t->column[c + 1].x0 < t->column[c].x1))
			return false;
		lu_pdf_add_width(&t->column[c].widths, x1 - line->x0);
	}
	t->rows += cells >= 2;
	return true;
}

/* Columns that begin at equal distances over the width of the page. */
static bool is_page_columns(const struct table *t, float width)
{
	float step = width / (float)t->columns;

	for (unsigned i = 1; i < t->columns; i++) {
		float d = t->column[i].x0 - t->column[i - 1].x0 - step;

		if (d > 0.15f * step || d < -0.15f * step)
			return false;
	}
	return t->rows > 12;
}

static bool is_table(const struct table *t, float height, float width)
{
	for (unsigned i = 0; i < t->columns; i++) {
		if (lu_pdf_is_prose(&t->column[i].widths, height))
			return false;
	}
	return t->rows >= 2 && !is_page_columns(t, width);
}

/* --- marking --------------------------------------------------------------------------------- */

/* Number the lines of rows [from, to). */
static void mark(struct finder *f, const struct table *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct row *r = &f->rows.p[i];
		unsigned c = 0;
		bool none, new = true;

		for (size_t k = r->from; k < r->to; k++) {
			struct lu_pdf_line *line = f->order.p[k];

			if (begins_cell(f, r, k)) {
				c = column_of(t, line->x0, line->x1, &none);
				new = k > r->from || c == 0 || i == from || r->to - r->from > 1;
			}
			f->row += k == r->from && new;
			line->row = f->row;
			line->cell = (uint16_t)(c < COLUMNS ? c : 0);
		}
	}
	f->row++; /* the next table is another */
}

/* The longest table that begins with row i: *to is the row behind it. */
static bool grow(const struct finder *f, float width, size_t i, struct table *t, size_t *to)
{
	struct table next = { .columns = 0 };
	size_t k;

	*t = next;
	for (k = i; k < f->rows.n; k++) {
		const struct row *r = &f->rows.p[k];
		float away = k > i ? r->y0 - f->rows.p[k - 1].y0 : 0;

		if (r->program || r->prose || away > 3.5f * r->height)
			break;
		/* A line by itself continues a cell, close below it. */
		if (count_cells(f, r) < 2 && (k == i || away > 1.5f * r->height))
			break;
		if (!add_row(f, &next, r))
			break;
		if (count_cells(f, r) < 2 &&
				column_of(&next, f->order.p[r->from]->x0, f->order.p[r->from]->x1,
						&(bool){ false }) == 0)
			break;
		*t = next;
	}
	*to = k;
	return is_table(t, f->rows.p[i].height, width);
}

/* --- order ----------------------------------------------------------------------------------- */

static int by_row(const void *a, const void *b)
{
	const struct lu_pdf_line *la = a, *lb = b;

	if (la->row != lb->row)
		return la->row < lb->row ? -1 : 1;
	if (la->cell != lb->cell)
		return la->cell < lb->cell ? -1 : 1;
	if (la->y0 + la->height / 2 < lb->y0 || lb->y0 + lb->height / 2 < la->y0)
		return la->y0 < lb->y0 ? -1 : 1;
	return la->x0 != lb->x0 ? (la->x0 < lb->x0 ? -1 : 1)
				: (la->text > lb->text) - (la->text < lb->text);
}

/* Move the lines with row numbers in [first, last] to where the first of them stands. */
static int gather(struct finder *f, size_t page, uint32_t first, uint32_t last, struct lu_err *err)
{
	struct lu_pdf_line *line = f->l->lines.p;
	size_t begin = f->l->pages.p[page].line, end = lu_pdf_page_end(f->l, page), at = end, put;

	f->moved.n = 0;
	for (size_t k = begin; k < end; k++) {
		if (line[k].row < first || line[k].row > last)
			continue;
		at = at < k ? at : k;
		if (!lu_vec_push(&f->moved, line[k]))
			return lu_err_nomem(err);
	}
	put = end;
	for (size_t k = end; k > at; k--) {
		if (line[k - 1].row < first || line[k - 1].row > last)
			line[--put] = line[k - 1];
	}
	if (f->moved.n) {
		qsort(f->moved.p, f->moved.n, sizeof(*f->moved.p), by_row);
		memcpy(&line[at], f->moved.p, f->moved.n * sizeof(*line));
	}
	return 0;
}

int lu_pdf_find_tables(struct lu_pdf_layout *l, struct lu_err *err)
{
	struct finder f = { .l = l };
	int rc = -1;

	for (size_t page = 0; page < l->pages.n; page++) {
		struct LU_VEC(uint32_t) begun = { 0 };

		if (find_rows(&f, page, err) < 0)
			goto out;
		for (size_t i = 0; i < f.rows.n;) {
			struct table t;
			size_t to;

			if (count_cells(&f, &f.rows.p[i]) < 2 ||
					!grow(&f, l->pages.p[page].width, i, &t, &to)) {
				i++;
				continue;
			}
			if (!lu_vec_push(&begun, f.row + 1)) {
				lu_err_nomem(err);
				lu_vec_release(&begun);
				goto out;
			}
			mark(&f, &t, i, to);
			i = to;
		}
		for (size_t i = 0; i < begun.n; i++) {
			uint32_t last = i + 1 < begun.n ? begun.p[i + 1] - 1 : f.row;

			if (gather(&f, page, begun.p[i], last, err) < 0) {
				lu_vec_release(&begun);
				goto out;
			}
		}
		lu_vec_release(&begun);
	}
	rc = 0;
out:
	lu_vec_release(&f.order);
	lu_vec_release(&f.rows);
	lu_vec_release(&f.blocks);
	lu_vec_release(&f.moved);
	return rc;
}
