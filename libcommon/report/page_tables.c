#include "libcommon/report/page_tables.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/report/markup.h"
#include "libcommon/sys/file.h"

#define MAX_TEXT ((size_t)1 << 26)

/* --- reading ------------------------------------------------------------------------------ */

/* Split TITLE=FILE, the form of the argument; the title is a copy. */
static int split(const char *arg, const char *form, char **title, const char **file,
		struct lu_err *err)
{
	const char *equals = strchr(arg, '=');

	if (!equals || !equals[1])
		return lu_err_set(err, "'%s' is not %s", arg, form);
	*title = strndup(arg, (size_t)(equals - arg));
	*file = equals + 1;
	return *title ? 0 : lu_err_nomem(err);
}

int lu_page_table_read(struct lu_page_tables *t, const char *arg, struct lu_err *err)
{
	struct lu_page_table new = { .title = NULL }, *p;
	const char *file, *comma;
	char *before;
	int rc;

	if (split(arg, "TITLE=FILE", &new.title, &file, err) < 0)
		return -1;
	comma = strchrnul(file, ',');
	new.compare = *comma != '\0';
	before = strndup(file, (size_t)(comma - file));
	if (!before || !lu_vec_push(t, new)) {
		free(before);
		free(new.title);
		return lu_err_nomem(err);
	}
	p = &t->p[t->n - 1];
	rc = lu_jtable_read(&p->before, before, err);
	free(before);
	return rc == 0 && new.compare ? lu_jtable_read(&p->after, comma + 1, err) : rc;
}

void lu_page_tables_release(struct lu_page_tables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->p[i].title);
		lu_jtable_release(&t->p[i].before);
		lu_jtable_release(&t->p[i].after);
	}
	lu_vec_release(t);
}

/* Add a text with its invalid bytes replaced. */
static int push_text(struct lu_page_texts *t, char *title, struct lu_str text, struct lu_err *err)
{
	struct lu_page_text new = { .title = title };

	lu_utf8_repair(&new.text, text);
	if (lu_buf_ok(&new.text) && lu_vec_push(t, new))
		return 0;
	lu_buf_release(&new.text);
	free(title);
	return lu_err_nomem(err);
}

int lu_page_text_read(struct lu_page_texts *t, const char *arg, struct lu_err *err)
{
	char *title, *bytes;
	const char *file;
	size_t n;
	int rc;

	if (split(arg, "TITLE=FILE", &title, &file, err) < 0)
		return -1;
	if (lu_read_input(file, MAX_TEXT, &bytes, &n, err) < 0) {
		free(title);
		return -1;
	}
	rc = push_text(t, title, (struct lu_str){ bytes, n }, err);
	free(bytes);
	return rc;
}

int lu_page_text_add(struct lu_page_texts *t, const char *arg, struct lu_err *err)
{
	const char *value;
	char *title;

	if (split(arg, "NAME=VALUE", &title, &value, err) < 0)
		return -1;
	return push_text(t, title, lu_str_of(value), err);
}

void lu_page_texts_release(struct lu_page_texts *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->p[i].title);
		lu_buf_release(&t->p[i].text);
	}
	lu_vec_release(t);
}

/* --- writing ------------------------------------------------------------------------------ */

#define NO_ROW SIZE_MAX

/* The row whose first cell is `name`, or NO_ROW. */
static size_t find_row(const struct lu_jtable *t, struct lu_str name)
{
	for (size_t i = 0; i < t->row.n; i++) {
		if (lu_str_eq(t->row.p[i].cell[0], name))
			return i;
	}
	return NO_ROW;
}

/* The column of this title, or t->columns. */
static size_t find_column(const struct lu_jtable *t, struct lu_str title)
{
	size_t i = 0;

	while (i < t->columns && !lu_str_eq(t->column[i], title))
		i++;
	return i;
}

/* The cell under a title; empty if the row is NO_ROW or there is no such column. */
static struct lu_str cell_under(const struct lu_jtable *t, size_t row, struct lu_str title)
{
	size_t column = find_column(t, title);

	return row == NO_ROW || column == t->columns ? LU_STR("") : t->row.p[row].cell[column];
}

/* True if a column of `before` is the same in `after`, row by row. */
static bool is_same(const struct lu_page_table *p, size_t column)
{
	const struct lu_jtable *t = &p->before;

	for (size_t i = 0; i < t->row.n; i++) {
		size_t row = find_row(&p->after, t->row.p[i].cell[0]);

		if (row == NO_ROW ||
				!lu_str_eq(t->row.p[i].cell[column],
						cell_under(&p->after, row, t->column[column])))
			return false;
	}
	return t->row.n == p->after.row.n;
}

/* How the columns are shown. */
struct view {
	bool number[LU_JTABLE_COLUMNS];
	bool twice[LU_JTABLE_COLUMNS]; /* before and after */
};

static struct view view_of(const struct lu_page_table *p)
{
	const struct lu_jtable *t = &p->before;
	struct view v = { { false }, { false } };

	for (size_t k = 0; k < t->columns; k++) {
		size_t other = find_column(&p->after, t->column[k]);

		v.number[k] = t->number[k] &&
				(!p->compare || other == p->after.columns ||
						p->after.number[other]);
		v.twice[k] = p->compare && k > 0 && !is_same(p, k);
	}
	return v;
}

static void put_cell(struct lu_buf *b, struct lu_str s, bool number)
{
	if (number)
		lu_markup_cell_number(b, s);
	else
		lu_markup_cell_str(b, s);
}

/* Write a row of `before`, of `after`, or of both; the other is NO_ROW. */
static void put_row(struct lu_buf *b, const struct lu_page_table *p, const struct view *v,
		size_t before, size_t after)
{
	const struct lu_jtable *t = &p->before;

	lu_buf_puts(b, "<tr>");
	for (size_t k = 0; k < t->columns; k++) {
		struct lu_str old = before == NO_ROW ? LU_STR("") : t->row.p[before].cell[k];
		struct lu_str new = LU_STR("");

		if (k == 0 && after != NO_ROW)
			new = p->after.row.p[after].cell[0];
		else if (k > 0)
			new = cell_under(&p->after, after, t->column[k]);
		if (v->twice[k] || before != NO_ROW)
			put_cell(b, old, v->number[k]);
		if (v->twice[k] || before == NO_ROW)
			put_cell(b, new, v->number[k]);
	}
	lu_buf_puts(b, "</tr>\n");
}

void lu_page_table(struct lu_buf *b, const struct lu_page_table *p)
{
	const struct lu_jtable *t = &p->before, *u = &p->after;
	struct view v = view_of(p);

	lu_markup_heading(b, p->title);
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t k = 0; k < t->columns; k++) {
		lu_markup_head(b, t->column[k], v.number[k], v.twice[k] ? ", before" : "");
		if (v.twice[k])
			lu_markup_head(b, t->column[k], v.number[k], ", after");
	}
	lu_buf_puts(b, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < t->row.n; i++)
		put_row(b, p, &v, i, p->compare ? find_row(u, t->row.p[i].cell[0]) : NO_ROW);
	for (size_t i = 0; p->compare && i < u->row.n; i++) {
		if (find_row(t, u->row.p[i].cell[0]) == NO_ROW)
			put_row(b, p, &v, NO_ROW, i);
	}
	lu_markup_close_table(b);
}
