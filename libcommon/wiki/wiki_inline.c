/*
 * What stands in a line: bold and italic, addresses, tags, character references; see wiki_layout.h.
 */
#include <stdlib.h>

#include "libcommon/html/html_entity.h"
#include "libcommon/wiki/wiki_expand.h"
#include "libcommon/wiki/wiki_layout.h"
#include "libcommon/wiki/wiki_template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum role {
	ROLE_INLINE,
	ROLE_BLOCK,
	ROLE_BREAK,
	ROLE_LIST,
	ROLE_NUMBERED,
	ROLE_ITEM,
	ROLE_TERM,
	ROLE_TABLE,
	ROLE_ROW,
	ROLE_CELL,
	ROLE_SUP,
	ROLE_NOTE,
};

/* The tags that MediaWiki lets through, in byte order. Others are text. */
static const struct html {
	const char *name;
	enum role role;
} html[] = { { "abbr", ROLE_INLINE }, { "b", ROLE_INLINE }, { "bdi", ROLE_INLINE },
	{ "bdo", ROLE_INLINE }, { "big", ROLE_INLINE }, { "blockquote", ROLE_BLOCK },
	{ "br", ROLE_BREAK }, { "caption", ROLE_ROW }, { "center", ROLE_BLOCK },
	{ "cite", ROLE_INLINE }, { "code", ROLE_INLINE }, { "col", ROLE_INLINE },
	{ "data", ROLE_INLINE }, { "dd", ROLE_TERM }, { "del", ROLE_INLINE },
	{ "dfn", ROLE_INLINE }, { "div", ROLE_BLOCK }, { "dl", ROLE_BLOCK }, { "dt", ROLE_TERM },
	{ "em", ROLE_INLINE }, { "font", ROLE_INLINE }, { "h1", ROLE_BLOCK }, { "h2", ROLE_BLOCK },
	{ "h3", ROLE_BLOCK }, { "h4", ROLE_BLOCK }, { "h5", ROLE_BLOCK }, { "h6", ROLE_BLOCK },
	{ "hr", ROLE_BLOCK }, { "i", ROLE_INLINE }, { "ins", ROLE_INLINE }, { "kbd", ROLE_INLINE },
	{ "li", ROLE_ITEM }, { "mark", ROLE_INLINE }, { "ol", ROLE_NUMBERED }, { "p", ROLE_BLOCK },
	{ "q", ROLE_INLINE }, { "rb", ROLE_INLINE }, { "ref", ROLE_NOTE }, { "rp", ROLE_INLINE },
	{ "rt", ROLE_INLINE }, { "rtc", ROLE_INLINE }, { "ruby", ROLE_INLINE },
	{ "s", ROLE_INLINE }, { "samp", ROLE_INLINE }, { "small", ROLE_INLINE },
	{ "span", ROLE_INLINE }, { "strike", ROLE_INLINE }, { "strong", ROLE_INLINE },
	{ "sub", ROLE_INLINE }, { "sup", ROLE_SUP }, { "table", ROLE_TABLE },
	{ "tbody", ROLE_INLINE }, { "td", ROLE_CELL }, { "tfoot", ROLE_INLINE },
	{ "th", ROLE_CELL }, { "thead", ROLE_INLINE }, { "time", ROLE_INLINE }, { "tr", ROLE_ROW },
	{ "tt", ROLE_INLINE }, { "u", ROLE_INLINE }, { "ul", ROLE_LIST }, { "var", ROLE_INLINE },
	{ "wbr", ROLE_INLINE } };

/* A line while it is read. */
struct line {
	const char *begin, *p, *end;
	const char *address_end; /* the ']' of an external link, passed over */
	bool no_bracket;	 /* no ']' follows */
	size_t quote;		 /* next run of apostrophes */
};

/*
 * Runs of apostrophes: two are italic, three bold, five both; of four the first is a character, of more
 * than five all but five. If both bold and italic are odd in a line, one bold is an apostrophe
 * and italic: the first one behind a single letter ("l'''Iliade''"), else behind a longer word, else behind a
 * blank, as MediaWiki decides it.
 */
static void balance(struct lu_wiki_flow *f, struct lu_str s)
{
	size_t bold = 0, italic = 0, single = SIZE_MAX, word = SIZE_MAX, blank = SIZE_MAX;

	for (size_t i = 0; i < f->quotes.n; i++) {
		struct lu_wiki_quotes *q = &f->quotes.p[i];

		q->out = q->n == 4 ? 1 : q->n > 5 ? q->n - 5 : q->n == 1 ? 1 : 0;
		bold += q->n >= 3;
		italic += q->n == 2 || q->n >= 5;
	}
	if (bold % 2 == 0 || italic % 2 == 0)
		return;
	for (size_t i = 0; i < f->quotes.n; i++) {
		const struct lu_wiki_quotes *q = &f->quotes.p[i];
		const char *before = s.p + q->at;
		bool one;

		if (q->n != 3)
			continue;
		one = q->at >= 2 && before[-1] != ' ' && before[-2] == ' ';
		if (q->at == 1)
			one = before[-1] != ' ';
		if (q->at == 0 || before[-1] == ' ')
			blank = blank == SIZE_MAX ? i : blank;
		else if (one)
			single = single == SIZE_MAX ? i : single;
		else
			word = word == SIZE_MAX ? i : word;
	}
	single = single != SIZE_MAX ? single : word != SIZE_MAX ? word : blank;
	if (single != SIZE_MAX)
		f->quotes.p[single].out = 1;
}

static void find_quotes(struct lu_wiki_flow *f, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n, *from;

	f->quotes.n = 0;
	if (!memchr(s.p, '\'', s.n))
		return;
	while (p < end) {
		if (*p == LU_WIKI_BEGIN) {
			const char *close = memchr(p, LU_WIKI_END, (size_t)(end - p));

			p = close ? close : end;
		}
		for (from = p; p < end && *p == '\''; p++)
			;
		if (p - from > 1 &&
				!lu_vec_push(&f->quotes,
						(struct lu_wiki_quotes){ (size_t)(from - s.p),
								(unsigned)(p - from), 0 }))
			f->block.failed = true;
		p += p == from && p < end;
	}
	if (f->quotes.n)
		balance(f, s);
}

static void apostrophes(struct lu_wiki_flow *f, struct line *l)
{
	const struct lu_wiki_quotes *q;

	/* Those in a tag or an address were passed over. */
	while (l->quote < f->quotes.n && l->begin + f->quotes.p[l->quote].at < l->p)
		l->quote++;
	q = l->quote < f->quotes.n ? &f->quotes.p[l->quote] : NULL;
	if (!q || l->begin + q->at != l->p) {
		lu_wiki_put(f, l->p, 1);
		l->p++;
		return;
	}
	for (unsigned i = 0; i < q->out; i++)
		lu_wiki_put(f, "'", 1);
	l->p += q->n;
	l->quote++;
}

/* "&nbsp;" stays a no-break space; a soft hyphen is not seen. Without its semicolon a name is none here. */
static void reference(struct lu_wiki_flow *f, const char **p, const char *end)
{
	char out[LU_HTML_REFERENCE_MAX];
	size_t n, length = lu_html_reference(*p, end, false, out, &n);

	if (length == 0 || (*p)[length - 1] != ';') {
		lu_wiki_put(f, *p, 1);
		++*p;
		return;
	}
	*p += length;
	if (n == 1 && ((unsigned char)out[0] <= ' ' || out[0] == 127))
		f->space = true;
	else if (!(n == 2 && memcmp(out, "\xC2\xAD", 2) == 0) &&
			!(n == 3 && memcmp(out, "\xE2\x80\x8B", 3) == 0))
		lu_wiki_put(f, out, n);
}

/* nowiki, pre, math: text as it is, with references decoded but in formulas. */
static void protected_text(struct lu_wiki_flow *f, struct line *l)
{
	char kind = l->p + 1 < l->end ? l->p[1] : LU_WIKI_PLAIN;
	const char *from = l->p + 2;
	const char *to = from < l->end ? memchr(from, LU_WIKI_END, (size_t)(l->end - from)) : NULL;

	if (!to) {
		l->p++;
		return;
	}
	l->p = to + 1;
	if (kind == LU_WIKI_PRE)
		lu_wiki_break(f, 2);
	if (kind == LU_WIKI_MATH)
		lu_wiki_put(f, "$", 1);
	while (from < to) {
		if (*from == LU_WIKI_NEWLINE && kind == LU_WIKI_PRE) {
			lu_buf_putc(&f->block, '\n');
			from++;
		} else if (*from == LU_WIKI_NEWLINE || (*from == ' ' && kind != LU_WIKI_PRE)) {
			f->space = true;
			from++;
		} else if (*from == '&' && kind != LU_WIKI_MATH) {
			reference(f, &from, to);
		} else if ((unsigned char)*from < ' ' && *from != '\t') {
			/* A mark in what a link shows. */
			from += *from == LU_WIKI_BEGIN && to - from > 1 ? 2 : 1;
		} else {
			lu_wiki_put(f, from, 1);
			from++;
		}
	}
	if (kind == LU_WIKI_MATH)
		lu_wiki_put(f, "$", 1);
	if (kind == LU_WIKI_PRE) {
		struct lu_buf text = f->block;

		f->block = (struct lu_buf){ 0 };
		lu_wiki_preformatted(f, lu_buf_slice(&text));
		lu_buf_clear(&text);
		lu_buf_release(&f->block);
		f->block = text;
		f->space = false;
		lu_wiki_break(f, 2);
	}
}

static size_t scheme(const char *p, const char *end)
{
	static const char *const schemes[] = { "http://", "https://", "//", "ftp://",
		"mailto:", "news:", "irc://", "gopher://", "magnet:", "tel:", "geo:", "urn:" };

	for (size_t i = 0; i < COUNT(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if ((size_t)(end - p) > n && memcmp(p, schemes[i], n) == 0)
			return n;
	}
	return 0;
}

/* "[http://example.org shown]": what is shown, nothing if that is missing. */
static void bracket(struct lu_wiki_flow *f, struct line *l)
{
	size_t n = scheme(l->p + 1, l->end);
	const char *close, *space;

	if (!n || l->address_end || l->no_bracket)
		goto plain;
	close = memchr(l->p, ']', (size_t)(l->end - l->p));
	if (!close) {
		l->no_bracket = true;
		goto plain;
	}
	for (space = l->p + 1; space < close && *space != ' ' && *space != '<' &&
			*space != LU_WIKI_BEGIN && *space != '\'';
			space++)
		;
	l->address_end = close;
	l->p = space;
	return;
plain:
	lu_wiki_put(f, "[", 1);
	l->p++;
}

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct html *)row)->name);
}

/* Replace what was written since <sup> by Unicode's superscripts, where it is a number. */
static void end_superscript(struct lu_wiki_flow *f)
{
	struct lu_buf out = { 0 };

	if (f->sup < f->block.n && f->block.n - f->sup <= 32 &&
			lu_wiki_superscript(
					(struct lu_str){ f->block.p + f->sup, f->block.n - f->sup },
					&out)) {
		f->block.n = f->sup;
		lu_buf_str(&f->block, lu_buf_slice(&out));
	}
	f->block.failed |= out.failed;
	lu_buf_release(&out);
	f->sup = SIZE_MAX;
}

static void html_list(struct lu_wiki_flow *f, char kind, bool closing)
{
	lu_wiki_break(f, f->html_lists.n || f->tables ? 1 : 2);
	if (closing && f->html_lists.n)
		f->html_lists.n--;
	else if (!closing)
		lu_buf_putc(&f->html_lists, kind);
	f->html_number = 0;
	if (f->html_lists.n == 0)
		lu_wiki_break(f, f->tables ? 1 : 2);
}

static void html_item(struct lu_wiki_flow *f)
{
	size_t n = f->html_lists.n > LU_WIKI_LISTS ? LU_WIKI_LISTS : f->html_lists.n;
	bool numbered = f->html_lists.n && f->html_lists.p[f->html_lists.n - 1] == '#';

	lu_wiki_break(f, 1);
	lu_buf_clear(&f->marker);
	if (f->tables)
		return;
	for (size_t i = 1; i < n; i++)
		lu_buf_puts(&f->marker, "  ");
	f->html_number++;
	if (numbered)
		lu_buf_printf(&f->marker, "%u. ", f->html_number);
	else
		lu_buf_puts(&f->marker, "- ");
}

static void note(struct lu_wiki_flow *f, bool closing)
{
	if (!closing) {
		f->note = f->block.n;
		lu_buf_puts(&f->block, " [");
		f->space = false;
	} else if (f->note != SIZE_MAX) {
		/* A note of which nothing is left is none. */
		if (f->block.n == f->note + 2)
			f->block.n = f->note;
		else
			lu_buf_putc(&f->block, ']');
		f->note = SIZE_MAX;
	}
}

static void apply(struct lu_wiki_flow *f, enum role role, bool closing, struct lu_str tag)
{
	switch (role) {
	case ROLE_INLINE: break;
	case ROLE_BLOCK: lu_wiki_break(f, f->tables ? 1 : 2); break;
	case ROLE_TERM: lu_wiki_break(f, 1); break;
	case ROLE_BREAK:
		/* A row stays a line. */
		if (f->tables || f->block.n == 0) {
			f->space = true;
		} else {
			lu_buf_putc(&f->block, '\n');
			f->space = false;
		}
		break;
	case ROLE_LIST: html_list(f, '*', closing); break;
	case ROLE_NUMBERED: html_list(f, '#', closing); break;
	case ROLE_ITEM:
		if (closing)
			lu_wiki_break(f, 1);
		else
			html_item(f);
		break;
	case ROLE_TABLE:
		if (!closing)
			lu_wiki_table_open(f, tag);
		else if (f->tables)
			lu_wiki_table_close(f);
		break;
	case ROLE_ROW:
		if (!closing && f->tables && !f->deeper)
			lu_wiki_table_row(f);
		break;
	case ROLE_CELL:
		f->space = true;
		if (!closing && f->tables && !f->deeper)
			lu_wiki_table_cell(f);
		break;
	case ROLE_SUP:
		if (closing)
			end_superscript(f);
		else
			f->sup = f->block.n;
		break;
	case ROLE_NOTE: note(f, closing); break;
	}
}

static void tag(struct lu_wiki_flow *f, struct line *l)
{
	bool closing = l->p + 1 < l->end && l->p[1] == '/';
	const char *p = l->p + 1 + closing, *gt;
	char name[12];
	size_t n = 0;
	const struct html *h;

	while (p < l->end && n + 1 < sizeof(name) &&
			(((*p | 32) >= 'a' && (*p | 32) <= 'z') || (n && *p >= '0' && *p <= '9')))
		name[n++] = (char)((unsigned)*p >= 'A' ? *p++ | 32 : *p++);
	name[n] = '\0';
	h = n ? bsearch(name, html, COUNT(html), sizeof(html[0]), by_name) : NULL;
	/* The first pass has looked for the end of each tag. */
	for (gt = p; h && gt < l->end && *gt != '>' && *gt != '<'; gt++)
		;
	if (!h || gt >= l->end || *gt != '>') {
		lu_wiki_put(f, "<", 1);
		l->p++;
		return;
	}
	l->p = gt + 1;
	apply(f, h->role, closing, (struct lu_str){ p, (size_t)(gt - p) });
}

/* "__TOC__" and the like: capitals between two underscores each. */
static size_t magic_word(const char *p, const char *end)
{
	size_t n = 2;

	while (p + n < end && n < 40 &&
			((p[n] >= 'A' && p[n] <= 'Z') || (unsigned char)p[n] >= 0x80))
		n++;
	return n > 4 && p + n + 1 < end && p[n] == '_' && p[n + 1] == '_' ? n + 2 : 0;
}

static void underscore(struct lu_wiki_flow *f, struct line *l)
{
	size_t n = l->end - l->p > 4 && l->p[1] == '_' ? magic_word(l->p, l->end) : 0;

	if (n == 0) {
		lu_wiki_put(f, "_", 1);
		n = 1;
	}
	l->p += n;
}

/* Bytes that end a run of plain text. */
static const bool special[256] = { [LU_WIKI_BEGIN] = true,
	[LU_WIKI_END] = true,
	[LU_WIKI_CELL] = true,
	[LU_WIKI_HOLE] = true,
	[LU_WIKI_NEWLINE] = true,
	['\t'] = true,
	[' '] = true,
	['\''] = true,
	['&'] = true,
	['<'] = true,
	['['] = true,
	[']'] = true,
	['_'] = true,
	[LU_WIKI_NOTHING] = true };

/*
 * Where something was left out, what it leaves of punctuation goes with it: "(born {{x}}, 1900)" is fine,
 * "({{x}}, 1900)" becomes "(1900)", "({{x}})" nothing, and there is no blank before a comma or full stop.
 */
static void gap(struct lu_wiki_flow *f, struct line *l)
{
	struct lu_buf *b = &f->block;

	while (l->p < l->end &&
			(*l->p == LU_WIKI_HOLE || *l->p == LU_WIKI_NOTHING || *l->p == ' ')) {
		f->holes += *l->p == LU_WIKI_HOLE;
		f->space |= *l->p == ' ';
		l->p++;
	}
	if (l->p < l->end && strchr(",.)", *l->p))
		f->space = false;
	if (b->n == 0 || b->p[b->n - 1] != '(')
		return;
	f->space = false;
	while (l->p < l->end && strchr(" ,;", *l->p))
		l->p++;
	if (l->p == l->end || *l->p != ')')
		return;
	l->p++;
	b->n--;
	while (b->n && b->p[b->n - 1] == ' ') {
		b->n--;
		f->space = true;
	}
	if (l->p < l->end && strchr(",.)", *l->p))
		f->space = false;
}

void lu_wiki_inline(struct lu_wiki_flow *f, struct lu_str s)
{
	struct line l = { .begin = s.p, .p = s.p, .end = s.p + s.n };

	find_quotes(f, s);
	while (l.p < l.end) {
		const char *from = l.p;

		while (l.p < l.end && !special[(unsigned char)*l.p])
			l.p++;
		if (l.p > from)
			lu_wiki_put(f, from, (size_t)(l.p - from));
		if (l.p == l.end)
			break;
		switch (*l.p) {
		case ' ':
		case '\t':
			f->space = true;
			l.p++;
			break;
		case '\'': apostrophes(f, &l); break;
		case '&': reference(f, &l.p, l.end); break;
		case '<': tag(f, &l); break;
		case '[': bracket(f, &l); break;
		case ']':
			if (l.p == l.address_end)
				l.address_end = NULL;
			else
				lu_wiki_put(f, "]", 1);
			l.p++;
			break;
		case '_': underscore(f, &l); break;
		case LU_WIKI_BEGIN: protected_text(f, &l); break;
		case LU_WIKI_HOLE:
		case LU_WIKI_NOTHING: gap(f, &l); break;
		default: l.p++; break;
		}
	}
}
