#include "libcommon/office/pdf_columns.h"

#include "libcommon/office/pdf_lines.h"

#define GUTTERS 8

/* More blocks on a page are no prose, and the comparison of all takes the square of their number. */
#define BLOCKS 500

struct block {
	float x0, x1, y0, y1;
	size_t from, to; /* lines */
	struct lu_pdf_widths widths;
	float height;		/* of its letters */
	bool crosses;		/* a gutter */
	unsigned above, column; /* blocks that cross above it; its column */
	size_t place;
};

struct page {
	struct LU_VEC(struct block) blocks;
	float gutter[GUTTERS]; /* middles, from left to right */
	unsigned gutters;
	struct LU_VEC(struct lu_pdf_line) lines;
};

static int find_blocks(const struct lu_pdf_layout *l, size_t i, struct page *p, struct lu_err *err)
{
	size_t begin = l->pages.p[i].line, end = lu_pdf_page_end(l, i);

	p->blocks.n = 0;
	p->gutters = 0;
	for (size_t k = begin; k < end; k++) {
		const struct lu_pdf_line *line = &l->lines.p[k];
		struct block *b = p->blocks.n ? &p->blocks.p[p->blocks.n - 1] : NULL;

		if (!b || l->lines.p[k - 1].block != line->block) {
			if (!lu_vec_push(&p->blocks,
					    (struct block){ .x0 = line->x0,
							    .x1 = line->x1,
							    .y0 = line->y0,
							    .y1 = line->y1,
							    .from = k,
							    .place = k,
							    .height = line->height }))
				return lu_err_nomem(err);
			b = &p->blocks.p[p->blocks.n - 1];
		}
		b->to = k + 1;
		b->x0 = line->x0 < b->x0 ? line->x0 : b->x0;
		b->x1 = line->x1 > b->x1 ? line->x1 : b->x1;
		b->y0 = line->y0 < b->y0 ? line->y0 : b->y0;
		b->y1 = line->y1 > b->y1 ? line->y1 : b->y1;
		lu_pdf_add_width(&b->widths, line->x1 - line->x0);
	}
	return 0;
}

static bool is_prose(const struct block *b)
{
	return lu_pdf_is_prose(&b->widths, b->height);
}

/* True if no prose stands over x. */
static bool is_free(const struct page *p, float x)
{
	for (size_t i = 0; i < p->blocks.n; i++) {
		const struct block *b = &p->blocks.p[i];

		if (is_prose(b) && b->x0 < x && b->x1 > x)
			return false;
	}
	return true;
}

static void add_gutter(struct page *p, float x)
{
	unsigned at = p->gutters;

	for (unsigned i = 0; i < p->gutters; i++) {
		bool prose = false;

		/* The same gutter has no prose between. */
		for (size_t k = 0; k < p->blocks.n; k++) {
			float middle = (p->blocks.p[k].x0 + p->blocks.p[k].x1) / 2;

			prose = prose ||
					(is_prose(&p->blocks.p[k]) &&
							(middle > x) != (middle > p->gutter[i]));
		}
		if (!prose)
			return;
	}
	if (p->gutters == GUTTERS || !is_free(p, x))
		return;
	while (at > 0 && p->gutter[at - 1] > x) {
		p->gutter[at] = p->gutter[at - 1];
		at--;
	}
	p->gutter[at] = x;
	p->gutters++;
}

static void find_gutters(struct page *p)
{
	for (size_t i = 0; i < p->blocks.n; i++) {
		const struct block *a = &p->blocks.p[i];

		for (size_t k = 0; k < p->blocks.n && is_prose(a); k++) {
			const struct block *b = &p->blocks.p[k];
			float top = a->y0 > b->y0 ? a->y0 : b->y0;
			float bottom = a->y1 < b->y1 ? a->y1 : b->y1;
			float ha = a->y1 - a->y0, hb = b->y1 - b->y0;

			if (b->x0 > a->x1 && is_prose(b) &&
					bottom - top > 0.5f * (ha < hb ? ha : hb))
				add_gutter(p, (a->x1 + b->x0) / 2);
		}
	}
}

static void place_blocks(struct page *p)
{
	for (size_t i = 0; i < p->blocks.n; i++) {
		struct block *b = &p->blocks.p[i];

		for (unsigned g = 0; g < p->gutters; g++) {
			b->crosses = b->crosses || (b->x0 < p->gutter[g] && b->x1 > p->gutter[g]);
			b->column += b->x0 > p->gutter[g];
		}
	}
	for (size_t i = 0; i < p->blocks.n; i++) {
		struct block *b = &p->blocks.p[i];

		for (size_t k = 0; k < p->blocks.n; k++)
			b->above += p->blocks.p[k].crosses && p->blocks.p[k].y0 < b->y0;
	}
}

static int by_reading(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->above != y->above)
		return x->above < y->above ? -1 : 1;
	if (x->crosses != y->crosses)
		return x->crosses ? 1 : -1;
	if (x->column != y->column && !x->crosses)
		return x->column < y->column ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

int lu_pdf_order_columns(struct lu_pdf_layout *l, struct lu_err *err)
{
	struct page p = { .gutters = 0 };
	int rc = -1;

	for (size_t i = 0; i < l->pages.n; i++) {
		size_t begin = l->pages.p[i].line, n = lu_pdf_page_end(l, i) - begin;

		if (find_blocks(l, i, &p, err) < 0)
			goto out;
		if (p.blocks.n < 2 || p.blocks.n > BLOCKS)
			continue;
		find_gutters(&p);
		if (!p.gutters)
			continue;
		place_blocks(&p);
		qsort(p.blocks.p, p.blocks.n, sizeof(*p.blocks.p), by_reading);
		p.lines.n = 0;
		if (!lu_vec_reserve(&p.lines, n)) {
			lu_err_nomem(err);
			goto out;
		}
		for (size_t k = 0; k < p.blocks.n; k++) {
			for (size_t j = p.blocks.p[k].from; j < p.blocks.p[k].to; j++)
				p.lines.p[p.lines.n++] = l->lines.p[j];
		}
		memcpy(&l->lines.p[begin], p.lines.p, n * sizeof(*p.lines.p));
	}
	rc = 0;
out:
	lu_vec_release(&p.blocks);
	lu_vec_release(&p.lines);
	return rc;
}
