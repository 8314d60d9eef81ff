/*
 * Blocks of text and where they go; see wiki_layout.h.
 */
#include "libcommon/base/take_line.h"
#include "libcommon/wiki/wiki_expand.h"
#include "libcommon/wiki/wiki_layout.h"
#include "libcommon/wiki/wiki_template.h"

/* Classes of tables that are no content: boxes beside the text, bars of links, notices. */
static const char *const navigation[] = { "infobox", "navbox", "vertical-navbox", "metadata",
	"noprint", "ambox", "toccolours", "sidebar", "bandeau", "collapsible autocollapse", "mbox",
	"plainlinks" };

void lu_wiki_put(struct lu_wiki_flow *f, const char *p, size_t n)
{
	struct lu_buf *b = &f->block;

	if (f->space && b->n && b->p[b->n - 1] != '\n' && b->p[b->n - 1] != ' ')
		lu_buf_putc(b, ' ');
	f->space = false;
	lu_buf_append(b, p, n);
}

static struct lu_wiki_target *target(struct lu_wiki_flow *f)
{
	return f->tables ? &f->table[f->tables - 1].target : &f->target;
}

/* Write a block where the flow is. */
static void write_block(struct lu_wiki_flow *f, struct lu_str s)
{
	struct lu_wiki_target *t = target(f);
	struct lu_wiki_rows *rows = f->tables ? &f->table[f->tables - 1] : NULL;
	bool first = t->out->n == 0 || t->out->p[t->out->n - 1] == LU_WIKI_CELL;

	if (rows && (!first || memchr(s.p, '\n', s.n)))
		rows->blocks = true;
	for (unsigned i = 0; !first && i < (t->newlines ? t->newlines : 1); i++)
		lu_buf_putc(t->out, '\n');
	lu_buf_str(t->out, lu_buf_slice(&f->marker));
	lu_buf_clear(&f->marker);
	lu_buf_str(t->out, s);
	t->newlines = 1;
}

/* The headings above the first block of a section. */
static void write_headings(struct lu_wiki_flow *f)
{
	struct lu_buf marker = f->marker;

	f->marker = (struct lu_buf){ 0 };
	for (size_t i = 0; i < 6; i++) {
		if (!f->pending[i])
			continue;
		f->pending[i] = false;
		target(f)->newlines = 2;
		write_block(f, lu_buf_slice(&f->heading[i]));
		target(f)->newlines = 2;
	}
	lu_buf_release(&f->marker);
	f->marker = marker;
}

/* The block without blanks at its ends and before its line ends. */
static struct lu_str trimmed(struct lu_buf *b)
{
	struct lu_str s;
	size_t to = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] == '\n') {
			while (to && b->p[to - 1] == ' ')
				to--;
		}
		b->p[to++] = b->p[i];
	}
	b->n = to;
	s = lu_buf_slice(b);
	return lu_wiki_trim(s);
}

static void end_block(struct lu_wiki_flow *f)
{
	struct lu_str s = trimmed(&f->block);

	if (s.n) {
		if (f->tables == 0)
			write_headings(f);
		write_block(f, s);
		f->w->count.holes += f->holes;
	}
	lu_buf_clear(&f->block);
	f->space = false;
	f->holes = 0;
	f->sup = f->note = SIZE_MAX;
}

void lu_wiki_break(struct lu_wiki_flow *f, unsigned newlines)
{
	struct lu_wiki_target *t;

	end_block(f);
	t = target(f);
	if (t->newlines < newlines)
		t->newlines = newlines;
}

void lu_wiki_heading(struct lu_wiki_flow *f, unsigned level)
{
	struct lu_str s = trimmed(&f->block);

	f->holes = 0;
	f->space = false;
	if (f->tables) {
		lu_wiki_break(f, 1);
		return;
	}
	for (unsigned i = level - 1; i < 6; i++)
		f->pending[i] = false;
	if (f->skip && level <= f->skip)
		f->skip = 0;
	if (!f->skip && !f->w->options->sections && lu_wiki_is_apparatus(s)) {
		f->skip = level;
		f->w->count.sections++;
	} else if (!f->skip && s.n) {
		lu_buf_clear(&f->heading[level - 1]);
		lu_buf_str(&f->heading[level - 1], s);
		f->pending[level - 1] = true;
	}
	lu_buf_clear(&f->block);
}

void lu_wiki_preformatted(struct lu_wiki_flow *f, struct lu_str text)
{
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	while (text.n && text.p[0] == '\n') {
		text.p++;
		text.n--;
	}
	if (lu_wiki_trim(text).n == 0)
		return;
	if (f->tables == 0)
		write_headings(f);
	write_block(f, text);
}

/* The number of the item, which begins again where the list above it does. */
static unsigned count_item(struct lu_wiki_flow *f, const char *markers, size_t n)
{
	bool same = strncmp(f->list, markers, n) == 0 && strlen(f->list) >= n;

	f->number[n - 1] = same ? f->number[n - 1] + 1 : 1;
	return f->number[n - 1];
}

void lu_wiki_item(struct lu_wiki_flow *f, struct lu_str markers)
{
	char list[LU_WIKI_LISTS + 1] = "";
	size_t n = markers.n > LU_WIKI_LISTS ? LU_WIKI_LISTS : markers.n, level = 0;
	unsigned number;

	memcpy(list, markers.p, n);
	/* A term and its definition are one list. */
	for (size_t i = 0; i < n; i++)
		list[i] = list[i] == ';' ? ':' : list[i];
	number = count_item(f, list, n);
	memcpy(f->list, list, sizeof(list));
	lu_buf_clear(&f->marker);
	for (size_t i = 0; i + 1 < n; i++)
		level += list[i] != ':';
	for (size_t i = 0; f->tables == 0 && i < level; i++)
		lu_buf_puts(&f->marker, "  ");
	if (f->tables)
		return;
	if (list[n - 1] == '*')
		lu_buf_puts(&f->marker, "- ");
	else if (list[n - 1] == '#')
		lu_buf_printf(&f->marker, "%u. ", number);
}

static bool is_navigation(struct lu_str attributes)
{
	const char *end = attributes.p + attributes.n;

	for (size_t i = 0; i < sizeof(navigation) / sizeof(navigation[0]); i++) {
		if (lu_str_find(attributes.p, end, lu_str_of(navigation[i])))
			return true;
	}
	return false;
}

void lu_wiki_table_open(struct lu_wiki_flow *f, struct lu_str attributes)
{
	struct lu_wiki_rows *t;

	lu_wiki_break(f, f->tables ? 1 : 2);
	if (f->tables == LU_WIKI_TABLES) {
		f->deeper++;
		return;
	}
	t = &f->table[f->tables++];
	lu_buf_clear(&t->row);
	t->cells = 0;
	t->blocks = false;
	t->target = (struct lu_wiki_target){ &t->row, 0 };
	t->navigation = is_navigation(attributes) || (f->tables > 1 && t[-1].navigation);
}

void lu_wiki_table_cell(struct lu_wiki_flow *f)
{
	struct lu_wiki_rows *t = &f->table[f->tables - 1];

	end_block(f);
	if (t->cells++)
		lu_buf_putc(&t->row, LU_WIKI_CELL);
	t->target.newlines = 0;
	f->list[0] = '\0';
}

/* A row of text cells is a line, one with blocks in its cells is these blocks. */
static void end_row(struct lu_wiki_flow *f)
{
	struct lu_wiki_rows *t = &f->table[f->tables - 1];
	struct lu_buf *line = &f->block;
	bool any = false;

	end_block(f);
	for (size_t i = 0; i < t->row.n; i++) {
		char c = t->row.p[i];

		any |= c != LU_WIKI_CELL && c != ' ' && c != '\n';
		if (c != LU_WIKI_CELL)
			lu_buf_putc(line, c);
		else if (!t->blocks)
			lu_buf_puts(line, " | ");
		else if (line->n && line->p[line->n - 1] != '\n')
			lu_buf_putc(line, '\n');
	}
	if (!any || t->navigation)
		lu_buf_clear(line);
	lu_buf_clear(&t->row);
	t->cells = 0;
	t->blocks = false;
}

void lu_wiki_table_row(struct lu_wiki_flow *f)
{
	struct lu_wiki_rows *t = &f->table[f->tables - 1];
	struct lu_str row;

	end_row(f);
	/* The row is a block of what the table is in, not trimmed: its first cell may be empty. */
	f->tables--;
	row = lu_buf_slice(&f->block);
	while (row.n && (row.p[row.n - 1] == ' ' || row.p[row.n - 1] == '\n'))
		row.n--;
	if (row.n) {
		if (f->tables == 0)
			write_headings(f);
		write_block(f, row);
	}
	lu_buf_clear(&f->block);
	f->tables++;
	t->target.newlines = 0;
}

void lu_wiki_table_close(struct lu_wiki_flow *f)
{
	if (f->deeper) {
		f->deeper--;
		return;
	}
	lu_wiki_table_row(f);
	f->tables--;
	lu_wiki_break(f, f->tables ? 1 : 2);
}
