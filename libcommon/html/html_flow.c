#include "libcommon/html/html_flow.h"

#include "libcommon/base/utf8.h"
#include "libcommon/html/html_phrases.h"

/* A block made of links is navigation when it is shorter than this. */
#define SHORT_BLOCK 200

/* Deeper lists are not indented further: the output would grow with the square of the depth. */
#define INDENTED_LISTS 8

/* windows-1252 at 0x80-0x9F; 0 where it is undefined. */
static const uint16_t windows_1252[32] = { 0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
	0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C,
	0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178 };

/* Bytes that end a run of text to copy: 1: except in preformatted text; 2: there too. 0xC2 begins the
 * characters U+0080 to U+00BF. */
static const unsigned char ends_run[256] = {
	[' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\f'] = 1, ['\r'] = 2, [0xC2] = 2
};

static void put(struct lu_html_flow *f, const char *s, size_t n)
{
	if (f->space && f->block.n && !strchr(" \n", f->block.p[f->block.n - 1]))
		lu_buf_putc(&f->block, ' ');
	f->space = false;
	lu_buf_append(&f->block, s, n);
	f->total += n;
	if (f->links)
		f->linked += n;
}

void lu_flow_text(struct lu_html_flow *f, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *from = p;

		while (p < end && ends_run[(unsigned char)*p] < (f->pre ? 2 : 1))
			p++;
		if (p > from) {
			put(f, from, (size_t)(p - from));
			continue;
		}
		if (*p == '\xC2' && p[1] == '\xAD') {
			/* A soft hyphen: where a line may break. */
			p += 2;
		} else if (*p == '\r' && f->pre) {
			/* A line end is one character, however it is written. */
			put(f, "\n", p + 1 < end && p[1] == '\n' ? 0 : 1);
			p++;
		} else if (*p != '\xC2') {
			f->space = true;
			p++;
		} else if ((unsigned char)p[1] < 0xA0) {
			char utf8[4];
			uint16_t c = windows_1252[p[1] & 0x1F];

			if (c)
				put(f, utf8, lu_utf8_put(c, utf8));
			p += 2;
		} else {
			put(f, p, 2);
			p += 2;
		}
	}
}

/* A short block of links that does not end like a sentence: "Prev Up Next", an entry of a menu. */
static bool is_links(const struct lu_html_flow *f, struct lu_str s)
{
	return s.n < SHORT_BLOCK && f->linked * 3 >= f->total * 2 && !strchr(".!?", s.p[s.n - 1]);
}

struct lu_flow_list *lu_flow_list(struct lu_html_flow *f)
{
	return f->lists.n ? &f->lists.p[f->lists.n - 1] : NULL;
}

/* The block without blanks and line ends at its end, and without blank lines at its beginning. */
static struct lu_str trimmed(const struct lu_buf *block)
{
	struct lu_str s = lu_buf_slice(block);

	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	while (s.n && s.p[0] == '\n') {
		s.p++;
		s.n--;
	}
	return s;
}

/* Take back a heading under which nothing but what was left out came. */
static void drop_bare_heading(struct lu_html_flow *f)
{
	if (f->bare_heading && f->left_out && !f->whole)
		f->out->n = f->heading_at;
	f->bare_heading = f->left_out = false;
}

static void write_block(struct lu_html_flow *f, struct lu_str s, bool heading)
{
	struct lu_flow_list *l = lu_flow_list(f);
	size_t level = f->lists.n - (l && f->marker);

	if (heading)
		drop_bare_heading(f);
	f->bare_heading = heading;
	f->heading_at = f->out->n;
	f->left_out = false;
	if (level > INDENTED_LISTS)
		level = INDENTED_LISTS;
	for (unsigned i = 0; f->out->n > f->begin && i < f->newlines; i++)
		lu_buf_putc(f->out, '\n');
	for (size_t i = 0; f->pre == 0 && i < level; i++)
		lu_buf_puts(f->out, "  ");
	if (f->marker && l && l->numbered)
		lu_buf_printf(f->out, "%u. ", l->n);
	else if (f->marker)
		lu_buf_puts(f->out, "- ");
	lu_buf_str(f->out, s);
	f->marker = f->tight = false;
	f->newlines = 1;
	if (l)
		l->blocks++;
}

void lu_flow_end(struct lu_html_flow *f)
{
	struct lu_str s = trimmed(&f->block);

	/* A row of empty cells counts as empty. */
	if (!lu_str_only(s, " \t\r\n|")) {
		enum lu_html_phrase phrase = LU_PHRASE_NONE;

		if (!f->whole && f->headings == 0 && f->pre == 0)
			phrase = is_links(f, s) ? LU_PHRASE_POINTER
						: lu_html_phrase(s, f->linked > 0);
		if (phrase == LU_PHRASE_NONE || phrase == LU_PHRASE_HEADING)
			write_block(f, s, f->headings > 0 || phrase == LU_PHRASE_HEADING);
		else
			f->left_out = true;
	}
	lu_buf_clear(&f->block);
	f->space = false;
	f->linked = f->total = 0;
}

void lu_flow_break(struct lu_html_flow *f, unsigned newlines)
{
	lu_flow_end(f);
	/* The first paragraph of an item follows its marker, that of a definition the line of its
	 * term. */
	if (f->newlines < newlines && !f->marker && !f->tight)
		f->newlines = newlines;
}

void lu_flow_finish(struct lu_html_flow *f)
{
	lu_flow_end(f);
	drop_bare_heading(f);
	if (f->out->n > f->begin)
		lu_buf_putc(f->out, '\n');
}

void lu_flow_release(struct lu_html_flow *f)
{
	lu_buf_release(&f->block);
	lu_vec_release(&f->lists);
}
