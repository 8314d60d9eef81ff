#include "libcommon/entries/csv_row.h"

#define GUESS_ROWS 8

static const char delimiters[] = ",;\t|";
enum { DELIMITERS = sizeof(delimiters) - 1 };

/* The first quote in [p, end) that begins a field of the row that begins at `row`. */
static const char *opening(
		const struct lu_csv_form *form, const char *row, const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		if (p == row || p[-1] == form->delimiter)
			return p;
		p++;
	}
	return NULL;
}

const char *lu_csv_row_end(const struct lu_csv_form *form, const char *row, const char *end,
		struct lu_csv_scan *scan)
{
	const char *p = row + scan->at, *nl = NULL, *q;

	while (p < end) {
		if (scan->quoted) {
			q = memchr(p, '"', (size_t)(end - p));
			/* The byte behind it tells whether it is doubled. */
			if (!q || q + 1 == end) {
				p = q ? q : end;
				break;
			}
			scan->quoted = q[1] == '"';
			p = q + 1 + scan->quoted;
			continue;
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		q = form->quotes ? opening(form, row, p, nl ? nl : end) : NULL;
		if (!q) {
			p = nl ? nl + 1 : end;
			break;
		}
		nl = NULL;
		scan->quoted = true;
		p = q + 1;
	}
	scan->at = (size_t)(p - row);
	return nl ? nl + 1 : NULL;
}

/* The content of a field in quotes, which begins at p. Sets *end behind what belongs to the field. */
static struct lu_str in_quotes(const struct lu_csv_form *form, struct lu_str s,
		struct lu_buf *store, const char **end)
{
	const char *p = s.p + 1, *stop = s.p + s.n, *q = p;

	lu_buf_clear(store);
	for (;;) {
		q = memchr(q, '"', (size_t)(stop - q));
		if (!q || q + 1 == stop || q[1] != '"')
			break;
		lu_buf_append(store, p, (size_t)(q + 1 - p));
		p = q += 2;
	}
	q = q ? q : stop;
	/* Characters behind the closing quote belong to the field as they are. */
	*end = q < stop ? memchr(q, form->delimiter, (size_t)(stop - q)) : NULL;
	*end = *end ? *end : stop;
	if (store->n == 0 && q + 1 >= *end)
		return (struct lu_str){ p, (size_t)(q - p) };
	lu_buf_append(store, p, (size_t)(q - p));
	if (q + 1 < *end)
		lu_buf_append(store, q + 1, (size_t)(*end - q - 1));
	return lu_buf_slice(store);
}

bool lu_csv_field(const struct lu_csv_form *form, struct lu_csv_fields *row, struct lu_buf *store,
		struct lu_str *field, bool *quoted)
{
	struct lu_str s = row->rest;
	const char *end;

	if (row->done)
		return false;
	*quoted = form->quotes && s.n && s.p[0] == '"';
	if (*quoted) {
		*field = in_quotes(form, s, store, &end);
	} else {
		end = s.n ? memchr(s.p, form->delimiter, s.n) : NULL;
		end = end ? end : s.p + s.n;
		*field = (struct lu_str){ s.p, (size_t)(end - s.p) };
	}
	row->done = end == s.p + s.n;
	row->rest = (struct lu_str){ end + !row->done, s.n - (size_t)(end - s.p) - !row->done };
	return true;
}

struct lu_str lu_csv_trim(struct lu_str row)
{
	if (row.n && row.p[row.n - 1] == '\n')
		row.n--;
	if (row.n && row.p[row.n - 1] == '\r')
		row.n--;
	return row;
}

/* Number of fields of the first row by a delimiter. *even: those behind it have as many. */
static size_t columns(const struct lu_csv_form *form, struct lu_str head, struct lu_buf *store,
		bool *even)
{
	const char *p = head.p, *end = head.p + head.n;
	size_t columns = 0;

	*even = true;
	for (int i = 0; i < GUESS_ROWS && p < end; i++) {
		struct lu_csv_scan scan = { 0 };
		const char *next = lu_csv_row_end(form, p, end, &scan);
		struct lu_csv_fields row = { .done = false };
		struct lu_str field;
		size_t n = 0;
		bool quoted;

		/* The last row may be cut. */
		if (!next && i > 0)
			break;
		next = next ? next : end;
		row.rest = lu_csv_trim((struct lu_str){ p, (size_t)(next - p) });
		p = next;
		if (row.rest.n == 0)
			continue;
		while (lu_csv_field(form, &row, store, &field, &quoted))
			n++;
		*even &= columns == 0 || n == columns;
		columns = columns ? columns : n;
	}
	return columns;
}

char lu_csv_guess(struct lu_str head)
{
	struct lu_buf store = { 0 };
	bool best_even = false;
	size_t most = 1;
	char best = ',';

	for (int i = 0; i < DELIMITERS; i++) {
		struct lu_csv_form form = { delimiters[i], true };
		bool even;
		size_t n = columns(&form, head, &store, &even);

		/* Rows of one length count for more than many fields. */
		if (n > 1 && (even == best_even ? n > most : even)) {
			most = n;
			best = delimiters[i];
			best_even = even;
		}
	}
	lu_buf_release(&store);
	return best;
}
