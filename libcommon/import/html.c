#include "libcommon/import/html.h"

#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/utf8.h"

/* What an element does to the flow of text. */
enum role {
	INLINE,
	BLOCK,	 /* a paragraph break before and after */
	HEADING, /* the same, and never taken for navigation */
	BREAK,	 /* a line end */
	PRE,
	LIST,
	NUMBERED,
	ITEM,
	TERM,
	DEFINITION,
	TABLE,
	ROW,
	CELL,
	HIDDEN,	    /* not shown, or no text of the page */
	NAVIGATION, /* shown, but not what the page says */
	HEADER,	    /* navigation unless it is an article's */
};

/* In byte order of the name. Elements that are not here are inline. */
/* clang-format off */
static const struct element {
	const char *name;
	enum role role;
} elements[] = {
	{ "address", BLOCK }, { "applet", HIDDEN }, { "article", BLOCK }, { "aside", NAVIGATION },
	{ "audio", HIDDEN }, { "blockquote", BLOCK }, { "body", BLOCK }, { "br", BREAK },
	{ "button", HIDDEN }, { "canvas", HIDDEN }, { "caption", BLOCK }, { "center", BLOCK },
	{ "datalist", HIDDEN }, { "dd", DEFINITION }, { "details", BLOCK }, { "dialog", HIDDEN },
	{ "dir", LIST }, { "div", BLOCK }, { "dl", BLOCK }, { "dt", TERM }, { "embed", HIDDEN },
	{ "fieldset", BLOCK }, { "figcaption", BLOCK }, { "figure", BLOCK },
	{ "footer", NAVIGATION }, { "form", BLOCK }, { "h1", HEADING }, { "h2", HEADING },
	{ "h3", HEADING }, { "h4", HEADING }, { "h5", HEADING }, { "h6", HEADING },
	{ "head", HIDDEN }, { "header", HEADER }, { "hgroup", BLOCK }, { "hr", BLOCK },
	{ "html", BLOCK }, { "iframe", HIDDEN }, { "input", HIDDEN }, { "legend", BLOCK },
	{ "li", ITEM }, { "listing", PRE }, { "main", BLOCK }, { "map", HIDDEN },
	{ "menu", LIST }, { "nav", NAVIGATION }, { "noembed", HIDDEN }, { "noframes", HIDDEN },
	{ "noscript", HIDDEN }, { "object", HIDDEN }, { "ol", NUMBERED }, { "optgroup", HIDDEN },
	{ "option", HIDDEN }, { "p", BLOCK }, { "plaintext", PRE }, { "pre", PRE },
	{ "rp", HIDDEN }, { "rt", HIDDEN }, { "script", HIDDEN }, { "search", NAVIGATION },
	{ "section", BLOCK }, { "select", HIDDEN }, { "style", HIDDEN }, { "summary", BLOCK },
	{ "svg", HIDDEN }, { "table", TABLE }, { "tbody", INLINE }, { "td", CELL },
	{ "template", HIDDEN }, { "textarea", HIDDEN }, { "th", CELL }, { "title", HIDDEN },
	{ "tr", ROW }, { "ul", LIST }, { "video", HIDDEN }, { "xmp", PRE },
};
/* clang-format on */

/*
 * Words of class and id attributes that mark navigation: of DocBook's, Sphinx's, Publican's,
 * MediaWiki's, Docutils', mandoc's (head, foot) and WordPress' output.
 */
static const char *const navigation[] = { "breadcrumb", "breadcrumbs", "catlinks", "contents",
	"cookie", "cookies", "docnav", "editsection", "foot", "footer", "head", "headerlink",
	"menu", "mw-editsection", "mw-jump", "nav", "navbar", "navbox", "navfooter", "navheader",
	"navigation", "noprint", "page-footer", "pager", "pagination", "printfooter", "related",
	"sidebar", "site-footer", "site-header", "skip-link", "skiplink", "sphinxsidebar", "toc",
	"toctree-wrapper", "toolbar" };
static const char *const roles[] = { "banner", "complementary", "contentinfo", "doc-toc", "menu",
	"menubar", "navigation", "search", "toolbar" };

/* What windows-1252 has at 0x80-0x9F; 0 where it has nothing. */
static const uint16_t windows[32] = { 0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D,
	0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178 };

struct list {
	bool numbered;
	unsigned n;
	unsigned blocks; /* of the current item */
};

struct table {
	bool layout;
	unsigned cells; /* of the current row */
};

struct page {
	struct lu_buf *out;
	bool whole;
	struct lu_buf block;  /* text of the block that is being read */
	size_t linked, total; /* bytes of it inside links, and all, without blanks */
	unsigned links;	      /* open a elements that lead elsewhere */
	unsigned pre, headings, articles;
	bool space;   /* a blank is due before the next character */
	unsigned sep; /* line ends due before the next block */
	bool marker;  /* the next block begins an item */
	bool tight;   /* the next block begins a definition */
	struct list *list;
	size_t lists, lists_cap;
	struct table *table;
	size_t tables, tables_cap;
};

/* --- attributes ---------------------------------------------------------------------------- */

static const char *attribute(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		if (strcasecmp((const char *)a->name, name) == 0)
			return a->children && a->children->content
					? (const char *)a->children->content
					: "";
	}
	return NULL;
}

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct element *)element)->name);
}

static enum role role_of(const xmlNode *n)
{
	const struct element *e = bsearch(n->name, elements, sizeof(elements) / sizeof(elements[0]),
			sizeof(elements[0]), by_name);

	return e ? e->role : INLINE;
}

static bool is(const xmlNode *n, const char *name)
{
	return strcmp((const char *)n->name, name) == 0;
}

/* True when one of the blank-separated words of `value` is in the list. */
static bool has_word(const char *value, const char *const *words, size_t n)
{
	while (value && *value) {
		size_t len;

		value += strspn(value, " \t\r\n\f");
		len = strcspn(value, " \t\r\n\f");
		for (size_t i = 0; len && i < n; i++) {
			if (strlen(words[i]) == len && strncasecmp(value, words[i], len) == 0)
				return true;
		}
		value += len;
	}
	return false;
}

static bool hidden(const xmlNode *n)
{
	const char *style = attribute(n, "style");
	const char *display = style ? strstr(style, "display") : NULL;
	const char *aria = attribute(n, "aria-hidden");

	if (attribute(n, "hidden") || (aria && strcmp(aria, "true") == 0))
		return true;
	if (!display)
		return false;
	display += strlen("display");
	display += strspn(display, " :");
	return strncmp(display, "none", 4) == 0;
}

static bool is_navigation(const struct page *p, const xmlNode *n, enum role role)
{
	static const size_t count = sizeof(navigation) / sizeof(navigation[0]);

	if (p->whole || is(n, "html") || is(n, "body") || is(n, "main") || is(n, "article"))
		return false;
	if (role == NAVIGATION || (role == HEADER && p->articles == 0))
		return true;
	if (!n->properties)
		return false;
	return has_word(attribute(n, "class"), navigation, count) ||
			has_word(attribute(n, "id"), navigation, count) ||
			has_word(attribute(n, "role"), roles, sizeof(roles) / sizeof(roles[0]));
}

/* --- text ---------------------------------------------------------------------------------- */

static void put(struct page *p, const char *s, size_t n)
{
	if (p->space && p->block.n && !strchr(" \n", p->block.p[p->block.n - 1]))
		lu_buf_putc(&p->block, ' ');
	p->space = false;
	lu_buf_append(&p->block, s, n);
	p->total += n;
	if (p->links)
		p->linked += n;
}

static void text(struct page *p, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, p->pre ? "\xC2" : " \t\r\n\f\xC2");
		unsigned char c;

		if (n) {
			put(p, s, n);
			s += n;
			continue;
		}
		c = (unsigned char)s[1];
		if (*s != '\xC2') {
			p->space = true;
			s++;
		} else if (c >= 0x80 && c < 0xA0) {
			char utf8[4];

			if (windows[c - 0x80])
				put(p, utf8, lu_utf8_put(windows[c - 0x80], utf8));
			s += 2;
		} else {
			put(p, s, c ? 2 : 1);
			s += c ? 2 : 1;
		}
	}
}

static bool only_blanks(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!strchr(" \t\r\n|", s.p[i]))
			return false;
	}
	return true;
}

/* A short block made of links, which is no sentence: "Prev Up Next", an entry of a menu. */
static bool is_links(const struct page *p, struct lu_str s)
{
	return !p->whole && p->headings == 0 && p->pre == 0 && s.n < 200 &&
			p->linked * 3 >= p->total * 2 && !strchr(".!?", s.p[s.n - 1]);
}

/* Ends the block: appends it with the line ends, indent and marker that are due. */
static void flush(struct page *p)
{
	struct list *l = p->lists ? &p->list[p->lists - 1] : NULL;
	struct lu_str s = lu_buf_slice(&p->block);
	/* No deeper than 8 lists, or a page of nested lists would grow with its square. */
	size_t level = p->lists - (p->lists && p->marker ? 1 : 0),
	       indent = 2 * (level < 8 ? level : 8);

	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	while (s.n && s.p[0] == '\n') {
		s.p++;
		s.n--;
	}
	if (!only_blanks(s) && !is_links(p, s)) {
		for (unsigned i = 0; p->out->n && i < p->sep; i++)
			lu_buf_putc(p->out, '\n');
		for (size_t i = 0; p->pre == 0 && i < indent; i++)
			lu_buf_putc(p->out, ' ');
		if (p->marker && p->lists && l->numbered)
			lu_buf_printf(p->out, "%u. ", l->n);
		else if (p->marker)
			lu_buf_puts(p->out, "- ");
		lu_buf_str(p->out, s);
		p->marker = p->tight = false;
		p->sep = 1;
		if (l)
			l->blocks++;
	}
	lu_buf_clear(&p->block);
	p->space = false;
	p->linked = p->total = 0;
}

static void separate(struct page *p, unsigned lines)
{
	flush(p);
	/* The first paragraph of an item stands beside its marker, of a definition below its
	 * term. */
	if (p->sep < lines && !p->marker && !p->tight)
		p->sep = lines;
}

/* --- elements ------------------------------------------------------------------------------ */

/* True when a cell holds blocks: the table lays out the page. */
static bool is_layout(const xmlNode *table)
{
	const xmlNode *n = table->children;

	while (n) {
		enum role r = n->type == XML_ELEMENT_NODE ? role_of(n) : INLINE;

		if ((r == BLOCK || r == HEADING || r == PRE || r == LIST || r == NUMBERED ||
				    r == TABLE) &&
				!is(n, "caption") && !is(n, "center") &&
				!(is(n, "p") && !n->next && !n->prev))
			return true;
		if (n->children && r != HIDDEN) {
			n = n->children;
			continue;
		}
		while (n != table && !n->next)
			n = n->parent;
		if (n == table)
			break;
		n = n->next;
	}
	return false;
}

static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return array;
	bigger = realloc(array, (*cap ? *cap * 2 : 8) * size);
	if (bigger)
		*cap = *cap ? *cap * 2 : 8;
	return bigger;
}

static bool open_list(struct page *p, bool numbered)
{
	struct list *bigger = grow(p->list, p->lists, &p->lists_cap, sizeof(*p->list));

	if (!bigger)
		return false;
	p->list = bigger;
	p->list[p->lists++] = (struct list){ .numbered = numbered };
	return true;
}

static bool open_table(struct page *p, const xmlNode *n)
{
	struct table *bigger = grow(p->table, p->tables, &p->tables_cap, sizeof(*p->table));

	if (!bigger)
		return false;
	p->table = bigger;
	p->table[p->tables++] = (struct table){ .layout = is_layout(n) };
	return true;
}

static bool in_row(const struct page *p)
{
	return p->tables && !p->table[p->tables - 1].layout;
}

static void open_item(struct page *p)
{
	flush(p);
	if (p->sep == 0)
		p->sep = 1;
	p->marker = true;
	if (p->lists) {
		p->list[p->lists - 1].n++;
		p->list[p->lists - 1].blocks = 0;
	}
}

static void close_item(struct page *p)
{
	bool simple = p->lists == 0 || p->list[p->lists - 1].blocks < 2;

	flush(p);
	/* Items of one block stand line by line, longer ones as paragraphs. */
	p->sep = simple && p->sep == 2 ? 1 : p->sep;
	p->marker = false;
}

/* False when memory is out. */
static bool open_element(struct page *p, const xmlNode *n, enum role role)
{
	switch (role) {
	case HEADING:
		separate(p, 2);
		p->headings++;
		break;
	case PRE:
		separate(p, 2);
		p->pre++;
		break;
	case LIST:
	case NUMBERED: separate(p, p->lists ? 1 : 2); return open_list(p, role == NUMBERED);
	case ITEM: open_item(p); break;
	case TERM: separate(p, 1); break;
	case DEFINITION:
		flush(p);
		p->sep = 1;
		p->tight = true;
		break;
	case TABLE: separate(p, 2); return open_table(p, n);
	case ROW:
		separate(p, 1);
		if (p->tables)
			p->table[p->tables - 1].cells = 0;
		break;
	case CELL:
		if (!in_row(p)) {
			separate(p, 2);
		} else if (p->table[p->tables - 1].cells++ > 0) {
			p->space = false;
			lu_buf_puts(&p->block, " | ");
		}
		break;
	case BREAK:
		p->space = in_row(p);
		if (!in_row(p))
			lu_buf_putc(&p->block, '\n');
		break;
	case INLINE:
		if (is(n, "a")) {
			const char *href = attribute(n, "href");

			p->links += href && href[0] != '#';
		}
		break;
	default:
		/* A paragraph alone in a cell or at the start of an item is not one of its own. */
		if (in_row(p))
			break;
		separate(p, 2);
		if (is(n, "article") || is(n, "main"))
			p->articles++;
	}
	return true;
}

static void close_element(struct page *p, const xmlNode *n, enum role role)
{
	switch (role) {
	case HEADING:
		separate(p, 2);
		p->headings--;
		break;
	case PRE:
		separate(p, 2);
		p->pre--;
		break;
	case LIST:
	case NUMBERED:
		flush(p);
		p->lists--;
		separate(p, p->lists ? 1 : 2);
		break;
	case ITEM: close_item(p); break;
	case TERM: separate(p, 1); break;
	case DEFINITION:
		flush(p);
		p->tight = false;
		p->sep = 2;
		break;
	case TABLE:
		flush(p);
		p->tables--;
		separate(p, 2);
		break;
	case ROW: separate(p, 1); break;
	case CELL:
		if (!in_row(p))
			separate(p, 2);
		break;
	case BREAK: break;
	case INLINE:
		if (is(n, "a")) {
			const char *href = attribute(n, "href");

			p->links -= href && href[0] != '#';
		}
		break;
	default:
		if (in_row(p))
			break;
		separate(p, 2);
		if (is(n, "article") || is(n, "main"))
			p->articles--;
	}
}

/* No recursion: pages nest as deep as they like. */
static bool walk(struct page *p, const xmlNode *root)
{
	const xmlNode *n = root;

	for (;;) {
		bool element = n->type == XML_ELEMENT_NODE;
		enum role role = element ? role_of(n) : INLINE;
		bool into = element && role != HIDDEN && !hidden(n) && !is_navigation(p, n, role);

		if (into && !open_element(p, n, role))
			return false;
		if (n->type == XML_TEXT_NODE && n->content)
			text(p, (const char *)n->content);
		if (into && n->children) {
			n = n->children;
			continue;
		}
		if (into)
			close_element(p, n, role);
		while (n != root && !n->next) {
			n = n->parent;
			close_element(p, n, role_of(n));
		}
		if (n == root)
			return true;
		n = n->next;
	}
}

/* The first element of that name (or with that role attribute), depth first. */
static const xmlNode *find(const xmlNode *root, const char *name)
{
	const xmlNode *n = root;

	while (n) {
		if (n->type == XML_ELEMENT_NODE) {
			const char *role = n->properties ? attribute(n, "role") : NULL;

			if (is(n, name) || (role && strcmp(role, name) == 0))
				return n;
		}
		if (n->children && n->type == XML_ELEMENT_NODE) {
			n = n->children;
			continue;
		}
		while (n != root && !n->next)
			n = n->parent;
		if (n == root)
			break;
		n = n->next;
	}
	return NULL;
}

static void read_title(const xmlNode *root, struct lu_buf *title)
{
	const xmlNode *n = find(root, "title");
	struct page p = { .out = title };

	for (n = n ? n->children : NULL; n; n = n->next) {
		if (n->type == XML_TEXT_NODE && n->content)
			text(&p, (const char *)n->content);
	}
	lu_buf_str(title, lu_buf_slice(&p.block));
	if (!lu_buf_ok(&p.block))
		title->failed = true;
	lu_buf_release(&p.block);
}

void lu_html_init(void)
{
	xmlInitParser();
}

/* As xmlSAX2StartElement(), but gives up where a page nests deeper than LU_HTML_DEPTH: each end
 * tag costs the parser a walk through all open elements. */
static void start_element(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
	htmlParserCtxtPtr c = ctx;

	if (c->nameNr > LU_HTML_DEPTH) {
		c->_private = c;
		xmlStopParser(c);
	} else {
		xmlSAX2StartElement(ctx, name, attributes);
	}
}

/* NULL with *deep set: nested too deep; NULL alone: memory. */
static xmlDoc *parse(struct lu_str html, bool *deep)
{
	htmlParserCtxtPtr c = htmlCreateMemoryParserCtxt(html.p, (int)html.n);
	xmlDoc *doc;

	if (!c)
		return NULL;
	htmlCtxtUseOptions(c,
			HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
					HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC |
					HTML_PARSE_COMPACT);
	/* Without it a text of more than 10 MB is cut; the HTML options have no name for it. */
	c->options |= XML_PARSE_HUGE;
	c->sax->startElement = start_element;
	xmlSwitchEncoding(c, XML_CHAR_ENCODING_UTF8);
	htmlParseDocument(c);
	*deep = c->_private != NULL;
	doc = c->myDoc;
	c->myDoc = NULL;
	htmlFreeParserCtxt(c);
	if (*deep && doc) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

/* Passes over one attribute, or what stands for one: quotes count after '=' only, as in the
 * parser. */
static const char *skip_attribute(const char *p, const char *end)
{
	static const char blanks[] = " \t\r\n\f";

	while (p < end && *p && !strchr(" \t\r\n\f=>", *p))
		p++;
	while (p < end && *p && strchr(blanks, *p))
		p++;
	if (p == end || *p != '=')
		return p;
	for (p++; p < end && *p && strchr(blanks, *p); p++)
		;
	if (p < end && (*p == '"' || *p == '\'')) {
		p = memchr(p + 1, *p, (size_t)(end - p - 1));
		return p ? p + 1 : end;
	}
	while (p < end && *p != '>' && !(*p && strchr(blanks, *p)))
		p++;
	while (p < end && *p && strchr(blanks, *p))
		p++;
	return p;
}

/*
 * The parser compares each attribute of a tag with all before it. False when that would be more
 * than in one tag of LU_HTML_ATTRIBUTES. What scripts and comments hold is taken for tags here,
 * so the bound is far above what pages have.
 */
static bool few_attributes(struct lu_str html)
{
	const char *p = html.p, *end = html.p + html.n;
	uint64_t cost = 0;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		uint64_t n = 0;

		p++;
		if (p == end || !((*p | 32) >= 'a' && (*p | 32) <= 'z'))
			continue;
		for (; p < end && *p != '>'; n++)
			p = skip_attribute(p, end);
		cost += n * n;
		if (cost > (uint64_t)LU_HTML_ATTRIBUTES * LU_HTML_ATTRIBUTES)
			return false;
	}
	return true;
}

/* The parser takes NUL for the end; a page that has some shows nothing there. */
static int without_nul(struct lu_str *html, struct lu_buf *clean, struct lu_err *err)
{
	if (!html->n || !memchr(html->p, 0, html->n))
		return 0;
	lu_buf_str(clean, *html);
	if (lu_buf_check(clean, err) < 0)
		return -1;
	for (size_t i = 0; i < clean->n; i++)
		clean->p[i] = clean->p[i] ? clean->p[i] : ' ';
	*html = lu_buf_slice(clean);
	return 0;
}

int lu_html_text(struct lu_str html, bool whole, struct lu_buf *title, struct lu_buf *out,
		struct lu_err *err)
{
	struct page p = { .out = out, .whole = whole };
	struct lu_buf clean = { 0 };
	const xmlNode *root, *from;
	size_t before = out->n;
	xmlDoc *doc = NULL;
	bool deep = false;
	int rc = -1;

	if (html.n > INT_MAX)
		return lu_err_set(err, "page of more than 2 GiB");
	if (without_nul(&html, &clean, err) < 0)
		goto out;
	if (!few_attributes(html)) {
		rc = 1;
		goto out;
	}
	doc = html.n ? parse(html, &deep) : NULL;
	if (deep) {
		rc = 1;
		goto out;
	}
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (root) {
		from = whole ? NULL : find(root, "main");
		if (title)
			read_title(root, title);
		if (!walk(&p, from ? from : root)) {
			lu_err_nomem(err);
			goto out;
		}
		flush(&p);
	}
	if (out->n > before)
		lu_buf_putc(out, '\n');
	rc = lu_buf_check(&p.block, err) < 0 || lu_buf_check(out, err) < 0 ? -1 : 0;
	if (title && rc == 0)
		rc = lu_buf_check(title, err);
out:
	if (doc)
		xmlFreeDoc(doc);
	lu_buf_release(&clean);
	lu_buf_release(&p.block);
	free(p.list);
	free(p.table);
	return rc;
}

struct lu_str lu_html_charset(struct lu_str html)
{
	size_t n = html.n < 1024 ? html.n : 1024;

	/* "charset" in a meta element or "encoding" in an XML declaration, then = and a name. */
	for (size_t i = 0; i + 9 < n; i++) {
		const char *p = html.p + i, *end = html.p + n;
		const char *word = strncasecmp(p, "charset", 7) == 0 ? p + 7
				: strncmp(p, "encoding", 8) == 0     ? p + 8
								     : NULL;
		struct lu_str name;

		if (!word)
			continue;
		while (word < end && (*word == ' ' || *word == '\t' || *word == '\n'))
			word++;
		if (word == end || *word != '=')
			continue;
		word++;
		while (word < end && strchr(" \t\n\"'", *word) && *word)
			word++;
		name.p = word;
		while (word < end && *word && !strchr(" \t\r\n\"';/>?", *word))
			word++;
		name.n = (size_t)(word - name.p);
		if (name.n)
			return name;
	}
	return (struct lu_str){ NULL, 0 };
}
