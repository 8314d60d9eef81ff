#include "libcommon/office/pdf_lines.h"

#include <ctype.h>

#include "libcommon/base/utf8.h"

static int by_y(const void *a, const void *b)
{
	const struct lu_pdf_line *la = *(struct lu_pdf_line *const *)a;
	const struct lu_pdf_line *lb = *(struct lu_pdf_line *const *)b;
	float ya = la->y0 + la->y1, yb = lb->y0 + lb->y1;

	if (ya != yb)
		return ya < yb ? -1 : 1;
	if (la->x0 != lb->x0)
		return la->x0 < lb->x0 ? -1 : 1;
	return (la > lb) - (la < lb);
}

static int by_x(const void *a, const void *b)
{
	const struct lu_pdf_line *la = *(struct lu_pdf_line *const *)a;
	const struct lu_pdf_line *lb = *(struct lu_pdf_line *const *)b;

	return la->x0 != lb->x0 ? (la->x0 < lb->x0 ? -1 : 1) : (la > lb) - (la < lb);
}

int lu_pdf_sort_lines(struct lu_pdf_layout *l, size_t i, struct lu_pdf_order *o, struct lu_err *err)
{
	size_t end = lu_pdf_page_end(l, i);

	o->n = 0;
	for (size_t k = l->pages.p[i].line; k < end; k++) {
		if (!l->lines.p[k].left_out && !lu_vec_push(o, &l->lines.p[k]))
			return lu_err_nomem(err);
	}
	if (o->n)
		qsort(o->p, o->n, sizeof(*o->p), by_y);
	return 0;
}

bool lu_pdf_is_beside(const struct lu_pdf_line *a, const struct lu_pdf_line *b)
{
	float middle = (b->y0 + b->y1) / 2;

	return middle > a->y0 && middle < a->y1;
}

void lu_pdf_sort_row(struct lu_pdf_order *o, size_t from, size_t to)
{
	if (to > from)
		qsort(o->p + from, to - from, sizeof(*o->p), by_x);
}

/* --- lists ----------------------------------------------------------------------------------- */

/* Bullets; U+F0B7 and U+F0A7 are those of the fonts Symbol and Wingdings. */
bool lu_pdf_is_bullet(uint32_t c)
{
	static const uint32_t bullets[] = { 0x2022, 0x2023, 0x2043, 0x204C, 0x25A0, 0x25A1, 0x25AA,
		0x25AB, 0x25B6, 0x25BA, 0x25C6, 0x25CB, 0x25CF, 0x25D8, 0x25E6, 0x27A2, 0x2756,
		0xF0A7, 0xF0B7, 0xF0D8 };

	for (size_t i = 0; i < sizeof(bullets) / sizeof(bullets[0]); i++) {
		if (c == bullets[i])
			return true;
	}
	return false;
}

size_t lu_pdf_enumerator(struct lu_str s)
{
	size_t i = s.n && s.p[0] == '(', from = i;

	if (i < s.n && isdigit((unsigned char)s.p[i])) {
		while (i < s.n && isdigit((unsigned char)s.p[i]))
			i++;
	} else {
		while (i < s.n && strchr("ivxIVX", s.p[i]) && s.p[i])
			i++;
		if (i == from && i < s.n && isalpha((unsigned char)s.p[i]))
			i++;
	}
	if (i == from || i - from > 4 || i == s.n || !strchr(from ? ")" : ".)", s.p[i]))
		return 0;
	return i + 1;
}

bool lu_pdf_is_marker(struct lu_str s)
{
	const char *p = s.p;

	if (s.n == 0)
		return false;
	if (lu_pdf_is_bullet(lu_utf8_next(&p)))
		return p == s.p + s.n;
	return lu_pdf_enumerator(s) == s.n;
}
