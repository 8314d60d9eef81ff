#include "libcommon/wiki/wiki_layout.h"

#include "libcommon/base/take_line.h"
#include "libcommon/wiki/wiki_expand.h"
#include "libcommon/wiki/wiki_template.h"

/* Cells of "| a || b" and "! a !! b", each with attributes before a single '|'. */
static void cells(struct lu_wiki_flow *f, struct lu_str line, bool header)
{
	const char *p = line.p, *end = line.p + line.n;

	while (p <= end) {
		const char *to = p, *bar = NULL;

		for (; to < end; to++) {
			if (*to == LU_WIKI_BEGIN) {
				const char *close = memchr(to, LU_WIKI_END, (size_t)(end - to));

				to = close ? close : end - 1;
				continue;
			}
			if (to + 1 < end &&
					((to[0] == '|' && to[1] == '|') ||
							(header && to[0] == '!' && to[1] == '!')))
				break;
			if (*to == '|' && !bar)
				bar = to;
		}
		lu_wiki_table_cell(f);
		if (bar)
			p = bar + 1;
		lu_wiki_inline(f, (struct lu_str){ p, (size_t)(to - p) });
		f->space = true;
		if (to >= end)
			break;
		p = to + 2;
	}
}

/* A caption: "|+ attributes | text". */
static void caption(struct lu_wiki_flow *f, struct lu_str s)
{
	const char *bar = memchr(s.p, '|', s.n);

	if (bar) {
		s.n -= (size_t)(bar + 1 - s.p);
		s.p = bar + 1;
	}
	lu_wiki_table_row(f);
	lu_wiki_table_cell(f);
	lu_wiki_inline(f, s);
	lu_wiki_table_row(f);
}

/* A line of table markup; false: it is none. */
static bool table_line(struct lu_wiki_flow *f, struct lu_str line)
{
	struct lu_str s = lu_wiki_trim(line);

	if (s.n && s.p[0] == ':') {
		struct lu_str t = s;

		while (t.n && (t.p[0] == ':' || t.p[0] == ' ')) {
			t.p++;
			t.n--;
		}
		if (t.n >= 2 && memcmp(t.p, "{|", 2) == 0)
			s = t;
	}
	if (s.n >= 2 && memcmp(s.p, "{|", 2) == 0) {
		lu_wiki_table_open(f, (struct lu_str){ s.p + 2, s.n - 2 });
		return true;
	}
	if (!f->tables || !s.n || (s.p[0] != '|' && s.p[0] != '!'))
		return false;
	if (s.n >= 2 && s.p[0] == '|' && s.p[1] == '}') {
		lu_wiki_table_close(f);
		f->space = true;
		if (s.n > 2)
			lu_wiki_inline(f, (struct lu_str){ s.p + 2, s.n - 2 });
	} else if (f->deeper) {
		/* The rows of tables that are too deep are text of their cell. */
		f->space = true;
		lu_wiki_inline(f, (struct lu_str){ s.p + 1, s.n - 1 });
	} else if (s.n >= 2 && s.p[0] == '|' && s.p[1] == '-') {
		lu_wiki_table_row(f);
	} else if (s.n >= 2 && s.p[0] == '|' && s.p[1] == '+') {
		caption(f, (struct lu_str){ s.p + 2, s.n - 2 });
	} else {
		cells(f, (struct lu_str){ s.p + 1, s.n - 1 }, s.p[0] == '!');
	}
	return true;
}

/* "== Heading ==" */
static bool heading_line(struct lu_wiki_flow *f, struct lu_str line)
{
	struct lu_str s = lu_wiki_trim(line);
	size_t left = 0, right = 0, level;

	while (s.n && (s.p[s.n - 1] == LU_WIKI_HOLE || s.p[s.n - 1] == LU_WIKI_NOTHING))
		s = lu_wiki_trim((struct lu_str){ s.p, s.n - 1 });
	while (left < s.n && s.p[left] == '=')
		left++;
	while (right < s.n && s.p[s.n - 1 - right] == '=')
		right++;
	if (!left || !right || s.n < 3 || left == s.n)
		return false;
	level = left < right ? left : right;
	level = level > 6 ? 6 : level;
	lu_wiki_break(f, 2);
	f->list[0] = '\0';
	/* Inside of a section that is left out, too: it may end there. */
	lu_wiki_inline(f, (struct lu_str){ s.p + level, s.n - 2 * level });
	lu_wiki_heading(f, (unsigned)level);
	return true;
}

/* "; term : definition": the colon that is not in a tag, an address or a protected text. */
static size_t definition_colon(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == LU_WIKI_BEGIN) {
			const char *close = memchr(s.p + i, LU_WIKI_END, s.n - i);

			i = close ? (size_t)(close - s.p) : s.n;
		} else if (s.p[i] == '<') {
			const char *close = memchr(s.p + i, '>', s.n - i);

			if (!close)
				return s.n;
			i = (size_t)(close - s.p);
		} else if (s.p[i] == ':' && i + 1 < s.n && s.p[i + 1] != '/') {
			return i;
		}
	}
	return s.n;
}

static void item_line(struct lu_wiki_flow *f, struct lu_str s)
{
	bool begins = f->list[0] == '\0';
	struct lu_str markers = { s.p, 0 };

	while (markers.n < s.n && strchr("*#:;", s.p[markers.n]))
		markers.n++;
	s.p += markers.n;
	s.n -= markers.n;
	lu_wiki_break(f, begins && f->tables == 0 ? 2 : 1);
	lu_wiki_item(f, markers);
	s = lu_wiki_trim(s);
	if (markers.p[markers.n - 1] == ';') {
		size_t colon = definition_colon(s);

		lu_wiki_inline(f, (struct lu_str){ s.p, colon });
		if (colon < s.n) {
			lu_wiki_break(f, 1);
			lu_wiki_inline(f, (struct lu_str){ s.p + colon + 1, s.n - colon - 1 });
		}
	} else {
		lu_wiki_inline(f, s);
	}
	/* Text that does not begin a line of its own belongs to the item. */
}

static bool is_rule(struct lu_str s)
{
	return s.n >= 4 && memcmp(s.p, "----", 4) == 0;
}

static void preformatted_line(struct lu_wiki_flow *f, struct lu_str line)
{
	/* Inline markup counts, but the line ends stay. */
	lu_wiki_break(f, f->pre ? 1 : 2);
	f->pre = true;
	lu_wiki_inline(f, line);
	lu_wiki_break(f, 1);
}

static void page_line(struct lu_wiki_flow *f, struct lu_str line)
{
	bool pre = f->pre;

	if (line.n && line.p[0] == '=' && heading_line(f, line))
		return;
	if (f->skip)
		return;
	if (table_line(f, line)) {
		f->pre = false;
		return;
	}
	if (line.n && strchr("*#:;", line.p[0]) && line.p[0]) {
		f->pre = false;
		item_line(f, line);
		return;
	}
	if (f->list[0]) {
		f->list[0] = '\0';
		lu_wiki_break(f, f->tables ? 1 : 2);
	}
	if (lu_wiki_trim(line).n == 0) {
		lu_wiki_break(f, f->tables ? 1 : 2);
		f->pre = false;
		return;
	}
	if (is_rule(line)) {
		lu_wiki_break(f, 2);
		return;
	}
	if (line.p[0] == ' ' && f->tables == 0 && f->html_lists.n == 0) {
		preformatted_line(f, line);
		return;
	}
	if (pre) {
		f->pre = false;
		lu_wiki_break(f, 2);
	}
	f->space = true;
	lu_wiki_inline(f, line);
}

int lu_wiki_layout(struct lu_wikitext *w, struct lu_err *err)
{
	struct lu_wiki_flow f = { .w = w, .sup = SIZE_MAX, .note = SIZE_MAX };
	struct lu_str rest = lu_buf_slice(&w->expanded), line;
	int rc = -1;

	lu_buf_clear(&w->text);
	f.target.out = &w->text;
	while (lu_take_line(&rest, &line)) {
		page_line(&f, line);
		if (f.block.failed || f.marker.failed)
			break;
	}
	lu_wiki_break(&f, 2);
	f.deeper = 0;
	while (f.tables)
		lu_wiki_table_close(&f);
	if (w->text.n)
		lu_buf_putc(&w->text, '\n');
	rc = lu_buf_check(&w->text, err);
	if (rc == 0 && (f.block.failed || f.marker.failed || f.html_lists.failed))
		rc = lu_err_nomem(err);
	for (size_t i = 0; i < LU_WIKI_TABLES; i++) {
		if (rc == 0 && f.table[i].row.failed)
			rc = lu_err_nomem(err);
		lu_buf_release(&f.table[i].row);
	}
	for (size_t i = 0; i < 6; i++) {
		if (rc == 0 && f.heading[i].failed)
			rc = lu_err_nomem(err);
		lu_buf_release(&f.heading[i]);
	}
	lu_buf_release(&f.block);
	lu_buf_release(&f.marker);
	lu_buf_release(&f.html_lists);
	lu_vec_release(&f.quotes);
	return rc;
}
