#include "libcommon/base/text_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "libcommon/base/utf8.h"

void lu_table_str(struct lu_table *t, struct lu_str s)
{
	size_t column = t->cells++ % t->columns, n = s.n ? lu_utf8_count(s.p, s.n) : 0;

	lu_buf_masked(&t->text, s);
	lu_buf_putc(&t->text, '\0');
	t->width[column] = n > t->width[column] ? n : t->width[column];
}

void lu_table_cstr(struct lu_table *t, const char *s)
{
	lu_table_str(t, lu_str_of(s));
}

void lu_table_u64(struct lu_table *t, uint64_t v)
{
	char s[32];

	snprintf(s, sizeof(s), "%" PRIu64, v);
	lu_table_cstr(t, s);
}

void lu_table_fixed(struct lu_table *t, double v, int decimals, const char *unit)
{
	/* DBL_MAX has 309 digits. */
	char s[400];

	snprintf(s, sizeof(s), "%.*f%s", decimals, v, unit);
	lu_table_cstr(t, isfinite(v) ? s : "-");
}

static size_t width(const struct lu_table *t, size_t column)
{
	size_t n = lu_utf8_count(t->head[column], strlen(t->head[column]));

	return t->width[column] > n ? t->width[column] : n;
}

static void put_cell(const struct lu_table *t, size_t column, const char *s, struct lu_buf *out)
{
	bool last = column == t->columns - 1, left = column < t->left || (last && t->last_left);
	size_t pad = width(t, column) - lu_utf8_count(s, strlen(s));

	if (column)
		lu_buf_puts(out, "  ");
	for (size_t i = 0; i < pad && !left; i++)
		lu_buf_putc(out, ' ');
	lu_buf_masked(out, lu_str_of(s));
	for (size_t i = 0; i < pad && left && !last; i++)
		lu_buf_putc(out, ' ');
	if (last)
		lu_buf_putc(out, '\n');
}

int lu_table_put(struct lu_table *t, struct lu_buf *out, struct lu_err *err)
{
	const char *s = t->text.p;

	if (lu_buf_check(&t->text, err) < 0)
		return -1;
	LU_ASSERT(t->cells % t->columns == 0);
	for (size_t i = 0; i < t->columns && !t->headed; i++)
		put_cell(t, i, t->head[i], out);
	t->headed = true;
	for (size_t i = 0; i < t->cells; i++, s += strlen(s) + 1)
		put_cell(t, i % t->columns, s, out);
	t->cells = 0;
	lu_buf_clear(&t->text);
	return lu_buf_check(out, err);
}

void lu_table_release(struct lu_table *t)
{
	lu_buf_release(&t->text);
	t->cells = 0;
	t->headed = false;
	memset(t->width, 0, sizeof(t->width));
}
