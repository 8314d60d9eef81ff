/* Reads lists and tables of characters. */
#include "libcommon/bpetrain/alphabet.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/sys/file.h"

struct row {
	uint32_t c;
	uint64_t count;
	size_t line; /* of rows with one count the first goes first */
};

struct reader {
	const char *path;
	const struct lu_preset *p;
	struct lu_uni *u;
	struct lu_buf norm;
	uint8_t *seen; /* by code point */
	struct row *row;
	size_t n, line;
	size_t unreachable;
	struct lu_err *err;
};

static int bad(const struct reader *r, const char *what)
{
	return lu_err_set(r->err, "%s: line %zu: %s", r->path, r->line, what);
}

/* Is the character what the normal form leaves of it? 1 yes, 0 no, -1 no memory. */
static int is_stable(struct reader *r, uint32_t c)
{
	char utf8[4];
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

	if (r->p->form < 0)
		return 1;
	lu_buf_clear(&r->norm);
	if (lu_uni_normalize(r->u, (enum lu_uni_form)r->p->form, s, &r->norm, r->err) < 0)
		return -1;
	return lu_str_eq(s, lu_buf_slice(&r->norm));
}

static bool is_scalar(uint64_t c)
{
	return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

static bool read_number(struct lu_str s, unsigned base, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned digit = c >= '0' && c <= '9'  ? (unsigned)(c - '0')
				: c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
				: c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						       : 16;

		if (digit >= base || *out > (UINT64_MAX - digit) / base)
			return false;
		*out = *out * base + digit;
	}
	return s.n > 0;
}

static void take(struct reader *r, uint32_t c, uint64_t count)
{
	if (r->seen[c])
		return;
	r->seen[c] = 1;
	r->row[r->n++] = (struct row){ c, count, r->line };
}

/* "é" or "U+00E9". */
static int list_line(struct reader *r, struct lu_str s)
{
	uint64_t c;
	const char *p = s.p;
	int stable;

	if (s.n >= 3 && memcmp(s.p, "U+", 2) == 0) {
		if (!read_number((struct lu_str){ s.p + 2, s.n - 2 }, 16, &c) || !is_scalar(c))
			return bad(r, "not the code point of a character");
	} else {
		if (s.n == 0 || lu_utf8_seq(s.p, s.n) != s.n)
			return bad(r, "not one character in UTF-8");
		c = lu_utf8_next(&p);
	}
	stable = is_stable(r, (uint32_t)c);
	if (stable < 0)
		return -1;
	if (r->p->kind == LU_PRESET_LUCIE && (!stable || c == ' '))
		r->unreachable++;
	else
		take(r, (uint32_t)c, 0);
	return 0;
}

static bool is_chosen(struct lu_str category)
{
	char major = category.p[0], minor = category.p[1];

	if (lu_str_is(category, "Cf") || lu_str_is(category, "Mn"))
		return false;
	return (minor != 'c' && minor != 'o') || major == 'N' || major == 'P' ||
			lu_str_is(category, "Sc") || lu_str_is(category, "So");
}

static int table_line(struct reader *r, struct lu_str s)
{
	struct lu_str column[4] = { { s.p, 0 } };
	size_t n = 0;
	uint64_t c, count;
	int stable;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\t')
			column[n].n++;
		else if (n == 3)
			return bad(r, "more than four columns");
		else
			column[++n] = (struct lu_str){ s.p + i + 1, 0 };
	}
	if (n != 3)
		return bad(r, "not four columns with tabs between");
	if (!read_number(column[1], 10, &c) || !is_scalar(c))
		return bad(r, "the second column is not the code point of a character");
	if (column[2].n != 2)
		return bad(r, "the third column is not a general category of two letters");
	if (!read_number(column[3], 10, &count))
		return bad(r, "the fourth column is not a number");
	if (!is_chosen(column[2]) || lu_preset_is_seed(r->p, (uint32_t)c) ||
			(r->p->kind == LU_PRESET_LUCIE && c == ' '))
		return 0;
	stable = is_stable(r, (uint32_t)c);
	if (stable > 0)
		take(r, (uint32_t)c, count);
	return stable < 0 ? -1 : 0;
}

static int by_count(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* Whether the first line has the three tabs of a table. */
static bool is_table(struct lu_str text)
{
	size_t tabs = 0;

	for (size_t i = 0; i < text.n && text.p[i] != '\n'; i++)
		tabs += text.p[i] == '\t';
	return tabs >= 3;
}

static int read_lines(struct reader *r, struct lu_str text, bool table)
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		struct lu_str line = { p, (size_t)((stop ? stop : end) - p) };

		r->line++;
		p = stop ? stop + 1 : end;
		if (line.n > 1 && line.p[line.n - 1] == '\r')
			line.n--;
		if ((table ? table_line(r, line) : list_line(r, line)) < 0)
			return -1;
	}
	return 0;
}

static size_t count_lines(struct lu_str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

int lu_alphabet_read(struct lu_alphabet *a, const char *path, const struct lu_preset *p,
		struct lu_err *err)
{
	struct reader r = { .path = path, .p = p, .err = err };
	char *text = NULL;
	struct lu_str s = { NULL, 0 };
	int rc = -1;

	*a = (struct lu_alphabet){ 0 };
	if (lu_read_file(path, 64 << 20, &text, &s.n, err) < 0)
		return -1;
	s.p = text;
	r.seen = calloc(0x110000, 1);
	r.row = malloc(count_lines(s) * sizeof(*r.row));
	if (!r.seen || !r.row) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_uni_new(&r.u, err) < 0 ||
			(p->form >= 0 && lu_uni_need(r.u, (enum lu_uni_form)p->form, err) < 0))
		goto out;
	bool table = is_table(s);
	if (read_lines(&r, s, table) < 0)
		goto out;
	if (r.n == 0) {
		lu_err_set(err, "%s: no character for the alphabet", path);
		goto out;
	}
	qsort(r.row, r.n, sizeof(*r.row), by_count);
	a->n = table && p->limit_alphabet && r.n > p->limit_alphabet ? p->limit_alphabet : r.n;
	a->unreachable = r.unreachable;
	a->c = malloc(a->n * sizeof(*a->c));
	if (!a->c) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < a->n; i++)
		a->c[i] = r.row[i].c;
	rc = 0;
out:
	free(text);
	free(r.seen);
	free(r.row);
	lu_buf_release(&r.norm);
	lu_uni_free(r.u);
	return rc;
}

void lu_alphabet_release(struct lu_alphabet *a)
{
	free(a->c);
	*a = (struct lu_alphabet){ 0 };
}
