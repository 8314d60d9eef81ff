#include "libcommon/office/pdf_heads.h"

#include <ctype.h>
#include <strings.h>

#include "libcommon/base/fnv.h"
#include "libcommon/office/pdf_lines.h"

#define DEPTH 3	    /* rows looked at from each end of a page */
#define WINDOW 8    /* pages on each side */
#define LONGEST 400 /* bytes of a row that can be a head */

enum { TOP, BOTTOM };

struct row {
	uint64_t key;	 /* of its text without numbers; 0: no head */
	int64_t value;	 /* of a row that is a number only, else -1 */
	int64_t edge[2]; /* the numbers at its beginning and end, or -1 */
	float y;	 /* as a share of the page */
	size_t from, to; /* in the lines of the page, in order of y */
};

struct ends {
	struct row row[2][DEPTH];
	unsigned rows[2];
};

/* --- a row as a key -------------------------------------------------------------------------- */

/* The value of a Roman number in letters of one case, or -1. */
static int64_t roman(struct lu_str s)
{
	static const char digits[] = "ivxlcdm";
	static const int values[] = { 1, 5, 10, 50, 100, 500, 1000 };
	int64_t sum = 0;
	int last = 0;

	if (s.n == 0 || s.n > 12)
		return -1;
	for (size_t i = s.n; i-- > 0;) {
		const char *d = memchr(digits, tolower((unsigned char)s.p[i]), 7);
		int v;

		if (!d || !isupper((unsigned char)s.p[i]) != !isupper((unsigned char)s.p[0]))
			return -1;
		v = values[d - digits];
		sum += v < last ? -v : v;
		last = v > last ? v : last;
	}
	return sum;
}

static int64_t decimal(struct lu_str s)
{
	int64_t v = 0;

	if (s.n == 0 || s.n > 6)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* The number, in digits or Roman, that a word is, or -1. */
static int64_t number_of(struct lu_str s)
{
	int64_t v = decimal(s);

	return v < 0 ? roman(s) : v;
}

/* Words around a page number. */
static bool is_page_word(struct lu_str s)
{
	static const char *const words[] = { "page", "p", "pages", "seite", "pag", "pagina",
		"página", "of", "sur", "von", "de", "di", "su" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0)
			return true;
	}
	return false;
}

/* The number of a row that is a page number, or -1. */
static int64_t page_number(struct lu_str s)
{
	static const char around[] = " \t-–—[](){}<>|/.,:·•";
	int64_t value = -1;
	unsigned numbers = 0;

	for (size_t i = 0; i < s.n;) {
		struct lu_str word;
		size_t from;

		while (i < s.n && s.p[i] && strchr(around, s.p[i]))
			i++;
		for (from = i; i < s.n && s.p[i] && !strchr(around, s.p[i]);)
			i++;
		word = (struct lu_str){ s.p + from, i - from };
		if (word.n && !is_page_word(word)) {
			int64_t v = number_of(word);

			if (v < 0 || ++numbers > 2)
				return -1;
			value = numbers == 1 ? v : value;
		}
	}
	return value;
}

/* Only a number that stands apart is one of a page: that of a note does not. */
static void set_edges(const struct lu_pdf_layout *l, const struct lu_pdf_order *o, struct row *r)
{
	if (r->to - r->from < 2)
		return;
	r->edge[0] = number_of(lu_pdf_line_text(l, o->p[r->from]));
	r->edge[1] = number_of(lu_pdf_line_text(l, o->p[r->to - 1]));
}

/* The row without a Roman number at its beginning or end. */
static struct lu_str without_roman(struct lu_str s)
{
	const char *first = memchr(s.p, ' ', s.n), *last = memrchr(s.p, ' ', s.n);

	if (last && roman((struct lu_str){ last + 1, (size_t)(s.p + s.n - last - 1) }) > 0)
		return (struct lu_str){ s.p, (size_t)(last - s.p) };
	if (first && roman((struct lu_str){ s.p, (size_t)(first - s.p) }) > 0)
		return (struct lu_str){ first + 1, (size_t)(s.p + s.n - first - 1) };
	return s;
}

static void set_key(struct row *r, struct lu_str s)
{
	uint64_t hash = LU_FNV_BASIS;
	unsigned letters = 0, numbers = 0;

	r->value = page_number(s);
	s = without_roman(s);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (isdigit(c)) {
			if (i && isdigit((unsigned char)s.p[i - 1]))
				continue;
			numbers++;
			c = '#';
		}
		letters += isalpha(c) || c >= 0xC3;
		hash = lu_fnv1a(hash, &c, 1);
	}
	r->key = letters >= 3 && (numbers <= 2 || letters >= 5 * numbers) ? hash | 1 : 0;
}

/* --- the rows of a page ---------------------------------------------------------------------- */

static void read_row(const struct lu_pdf_layout *l, const struct lu_pdf_page *page,
		struct lu_pdf_order *o, struct row *r, struct lu_buf *text)
{
	lu_pdf_sort_row(o, r->from, r->to);
	lu_buf_clear(text);
	r->key = 0;
	r->value = r->edge[0] = r->edge[1] = -1;
	r->y = page->height > 0 ? o->p[r->from]->y0 / page->height : 0;
	for (size_t k = r->from; k < r->to; k++) {
		if (text->n)
			lu_buf_putc(text, ' ');
		lu_buf_str(text, lu_pdf_line_text(l, o->p[k]));
		if (text->n > LONGEST)
			return;
	}
	set_key(r, lu_buf_slice(text));
	set_edges(l, o, r);
}

static void find_rows(const struct lu_pdf_layout *l, const struct lu_pdf_page *page,
		struct lu_pdf_order *o, struct ends *e, struct lu_buf *text)
{
	size_t from = 0, end = o->n;

	e->rows[TOP] = e->rows[BOTTOM] = 0;
	while (e->rows[TOP] < DEPTH && from < o->n) {
		struct row *r = &e->row[TOP][e->rows[TOP]++];
		size_t to = from + 1;

		while (to < o->n && lu_pdf_is_beside(o->p[from], o->p[to]))
			to++;
		r->from = from;
		r->to = to;
		from = to;
		read_row(l, page, o, r, text);
	}
	while (e->rows[BOTTOM] < DEPTH && end > 0) {
		struct row *r = &e->row[BOTTOM][e->rows[BOTTOM]++];
		size_t at = end - 1;

		while (at > 0 && lu_pdf_is_beside(o->p[end - 1], o->p[at - 1]))
			at--;
		r->from = at;
		r->to = end;
		end = at;
		read_row(l, page, o, r, text);
	}
}

/* --- comparison ------------------------------------------------------------------------------ */

/* True if the page numbers beside other words count along with the pages: on facing pages one is at the
 * left and one at the right. */
static bool counts_along(const struct row *r, const struct row *o, unsigned at, int64_t apart)
{
	return r->edge[at] >= 0 &&
			(o->edge[0] == r->edge[at] + apart || o->edge[1] == r->edge[at] + apart);
}

/* True if page `other`, `apart` pages further on, has the row at the same end. */
static bool has_row(const struct ends *other, unsigned side, const struct row *r, int64_t apart)
{
	for (unsigned k = 0; k < other->rows[side]; k++) {
		const struct row *o = &other->row[side][k];
		float dy = o->y - r->y;

		if (r->value >= 0 && o->value == r->value + apart)
			return true;
		if (dy < 0.02f && dy > -0.02f &&
				(counts_along(r, o, 0, apart) || counts_along(r, o, 1, apart)))
			return true;
		if (r->value < 0 && r->key && o->key == r->key && dy < 0.02f && dy > -0.02f)
			return true;
	}
	return false;
}

static bool recurs(const struct ends *e, size_t pages, size_t i, unsigned side, const struct row *r)
{
	size_t from = i > WINDOW ? i - WINDOW : 0, to = i + WINDOW < pages ? i + WINDOW : pages - 1;
	bool few = r->value >= 0 || (pages <= 3 && r->edge[0] < 0 && r->edge[1] < 0);
	unsigned need = few ? 1 : 2;

	for (size_t k = from; need && k <= to; k++) {
		if (k != i)
			need -= has_row(&e[k], side, r, (int64_t)k - (int64_t)i);
	}
	return need == 0;
}

/* --- tables of contents ---------------------------------------------------------------------- */

/* True if the line has dots that lead to a number. */
static bool has_leader(struct lu_str s)
{
	unsigned dots = 0;
	size_t i = s.n;

	while (i > 0 && (s.p[i - 1] == ' ' || isalnum((unsigned char)s.p[i - 1])) && s.n - i < 12)
		i--;
	while (i > 0 && (s.p[i - 1] == '.' || s.p[i - 1] == ' '))
		dots += s.p[--i] == '.';
	return dots >= 5;
}

/* Leave out the rows with such a line. `o` has the lines of a page from top to bottom. */
static void mark_contents(const struct lu_pdf_layout *l, const struct lu_pdf_order *o)
{
	for (size_t i = 0; i < o->n; i++) {
		if (!has_leader(lu_pdf_line_text(l, o->p[i])))
			continue;
		for (size_t k = i; k > 0 && lu_pdf_is_beside(o->p[i], o->p[k - 1]); k--)
			o->p[k - 1]->left_out = true;
		for (size_t k = i; k < o->n && lu_pdf_is_beside(o->p[i], o->p[k]); k++)
			o->p[k]->left_out = true;
	}
}

int lu_pdf_mark_heads(struct lu_pdf_layout *l, struct lu_err *err)
{
	struct LU_VEC(struct ends) e = { 0 };
	struct lu_buf text = { 0 };
	struct lu_pdf_order o = { 0 };
	int rc = -1;

	for (size_t i = 0; i < l->pages.n; i++) {
		if (lu_pdf_sort_lines(l, i, &o, err) < 0)
			goto out;
		if (!lu_vec_push(&e, (struct ends){ 0 })) {
			lu_err_nomem(err);
			goto out;
		}
		find_rows(l, &l->pages.p[i], &o, &e.p[i], &text);
		if (lu_buf_check(&text, err) < 0)
			goto out;
	}
	for (size_t i = 0; i < l->pages.n; i++) {
		if (lu_pdf_sort_lines(l, i, &o, err) < 0)
			goto out;
		mark_contents(l, &o);
		for (unsigned side = TOP; side <= BOTTOM; side++) {
			for (unsigned k = 0; k < e.p[i].rows[side]; k++) {
				const struct row *r = &e.p[i].row[side][k];

				if (!recurs(e.p, l->pages.n, i, side, r))
					break;
				for (size_t n = r->from; n < r->to; n++)
					o.p[n]->left_out = true;
			}
		}
	}
	rc = 0;
out:
	lu_vec_release(&e);
	lu_vec_release(&o);
	lu_buf_release(&text);
	return rc;
}
