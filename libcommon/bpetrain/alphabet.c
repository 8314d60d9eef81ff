#include "libcommon/bpetrain/alphabet.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/file.h"

struct entry {
	uint32_t c;
	uint64_t count;
	size_t line;
};

struct reader {
	const char *path;
	const struct lu_preset *p;
	struct lu_frozen_unicode *u;
	struct lu_buf form;
	uint8_t *seen; /* by code point */
	struct LU_VEC(struct entry) entry;
	size_t line;
	size_t unreachable;
	struct lu_err *err;
};

static int bad_line(const struct reader *r, const char *reason)
{
	return lu_err_set(r->err, "%s:%zu: %s", r->path, r->line, reason);
}

/* True if the preset's normal form leaves the character unchanged: 1, 0, -1. */
static int is_stable(struct reader *r, uint32_t c)
{
	char utf8[4];
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

	if (r->p->form == LU_PRESET_NO_FORM)
		return 1;
	lu_buf_clear(&r->form);
	if (lu_frozen_normalize(r->u, (enum lu_normal_form)r->p->form, s, &r->form, r->err) < 0)
		return -1;
	return lu_str_eq(s, lu_buf_slice(&r->form));
}

static bool is_scalar(uint64_t c)
{
	return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

static bool parse_number(struct lu_str s, unsigned base, uint64_t *out)
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

/* Add a character unless it is a duplicate. */
static int add(struct reader *r, uint32_t c, uint64_t count)
{
	if (r->seen[c])
		return 0;
	r->seen[c] = 1;
	return lu_vec_push(&r->entry, (struct entry){ c, count, r->line }) ? 0
									   : lu_err_nomem(r->err);
}

/* "é" or "U+00E9". */
static int read_list_line(struct reader *r, struct lu_str s)
{
	uint64_t c;
	const char *p = s.p;
	int stable;

	if (s.n >= 3 && memcmp(s.p, "U+", 2) == 0) {
		if (!parse_number((struct lu_str){ s.p + 2, s.n - 2 }, 16, &c) || !is_scalar(c))
			return bad_line(r, "not the code point of a character");
	} else {
		if (s.n == 0 || lu_utf8_seq(s.p, s.n) != s.n)
			return bad_line(r, "not one character in UTF-8");
		c = lu_utf8_next(&p);
	}
	stable = is_stable(r, (uint32_t)c);
	if (stable < 0)
		return -1;
	if (r->p->kind == LU_PRESET_LUCIE && (!stable || c == ' ')) {
		r->unreachable++;
		return 0;
	}
	return add(r, (uint32_t)c, 0);
}

/* True for the categories that Lucie 7B's tokenizer takes. */
static bool is_chosen(struct lu_str category)
{
	char major = category.p[0], minor = category.p[1];

	if (lu_str_is(category, "Cf") || lu_str_is(category, "Mn"))
		return false;
	return (minor != 'c' && minor != 'o') || major == 'N' || major == 'P' ||
			lu_str_is(category, "Sc") || lu_str_is(category, "So");
}

static int read_table_line(struct reader *r, struct lu_str s)
{
	struct lu_str column[4] = { { s.p, 0 } };
	size_t n = 0;
	uint64_t c, count;
	int stable;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\t')
			column[n].n++;
		else if (n == 3)
			return bad_line(r, "more than four columns");
		else
			column[++n] = (struct lu_str){ s.p + i + 1, 0 };
	}
	if (n != 3)
		return bad_line(r, "not four columns separated by tabs");
	if (!parse_number(column[1], 10, &c) || !is_scalar(c))
		return bad_line(r, "the second column is not the code point of a character");
	if (column[2].n != 2)
		return bad_line(r, "the third column is not a general category of two letters");
	if (!parse_number(column[3], 10, &count))
		return bad_line(r, "the fourth column is not a number");
	if (!is_chosen(column[2]) || lu_preset_is_seed(r->p, (uint32_t)c) ||
			(r->p->kind == LU_PRESET_LUCIE && c == ' '))
		return 0;
	stable = is_stable(r, (uint32_t)c);
	return stable > 0 ? add(r, (uint32_t)c, count) : stable;
}

/* Most frequent first; ties in the order of the file. */
static int by_count(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* True if the first line has the three tabs of a table. */
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
		if ((table ? read_table_line(r, line) : read_list_line(r, line)) < 0)
			return -1;
	}
	if (r->entry.n == 0)
		return lu_err_set(r->err, "%s: no character for the alphabet", r->path);
	return 0;
}

int lu_alphabet_read(struct lu_alphabet *a, const char *path, const struct lu_preset *p,
		struct lu_err *err)
{
	struct reader r = { .path = path, .p = p, .err = err };
	char *text = NULL;
	size_t size, limit;
	bool table;
	int rc = -1;

	*a = (struct lu_alphabet){ 0 };
	if (lu_read_input(path, 64 << 20, &text, &size, err) < 0)
		return -1;
	table = is_table((struct lu_str){ text, size });
	r.seen = calloc(0x110000, 1);
	if (!r.seen) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_frozen_new(&r.u, err) < 0 ||
			(p->form != LU_PRESET_NO_FORM &&
					lu_frozen_load_form(r.u, (enum lu_normal_form)p->form,
							err) < 0) ||
			read_lines(&r, (struct lu_str){ text, size }, table) < 0)
		goto out;
	qsort(r.entry.p, r.entry.n, sizeof(*r.entry.p), by_count);
	limit = table && p->limit_alphabet ? p->limit_alphabet : r.entry.n;
	a->c = malloc(r.entry.n * sizeof(*a->c));
	if (!a->c) {
		lu_err_nomem(err);
		goto out;
	}
	a->n = r.entry.n < limit ? r.entry.n : limit;
	for (size_t i = 0; i < a->n; i++)
		a->c[i] = r.entry.p[i].c;
	a->unreachable = r.unreachable;
	rc = 0;
out:
	free(text);
	free(r.seen);
	lu_vec_release(&r.entry);
	lu_buf_release(&r.form);
	lu_frozen_free(r.u);
	return rc;
}

void lu_alphabet_release(struct lu_alphabet *a)
{
	free(a->c);
	*a = (struct lu_alphabet){ 0 };
}
