#include "libcommon/html/html_parse.h"

#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>
#include <limits.h>

static const char blanks[] = " \t\r\n\f";

/* xmlSAX2StartElement() with a limit on the depth: each end tag costs the parser a walk through all
 * open elements. */
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

/* NULL with *deep set: nested too deep; NULL alone: no document. */
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

/* Skip one attribute, well-formed or not. As in the parser, quotes count only after '='. */
static const char *skip_attribute(const char *p, const char *end)
{
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
 * False when the attributes of the page's tags would take the parser, which compares each attribute
 * of a tag with all before it, longer than one tag of LU_HTML_ATTRIBUTES. Scripts and comments are
 * scanned as tags here, so the limit is far above the attributes of real pages.
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

/* Replace NUL, which ends the page for the parser, by a blank in a copy. */
static int without_nul(struct lu_str *html, struct lu_buf *copy, struct lu_err *err)
{
	if (!html->n || !memchr(html->p, 0, html->n))
		return 0;
	lu_buf_str(copy, *html);
	if (lu_buf_check(copy, err) < 0)
		return -1;
	for (size_t i = 0; i < copy->n; i++)
		copy->p[i] = copy->p[i] ? copy->p[i] : ' ';
	*html = lu_buf_slice(copy);
	return 0;
}

int lu_html_parse(struct lu_str html, xmlDoc **doc, struct lu_err *err)
{
	struct lu_buf copy = { 0 };
	bool deep = false;
	int rc = -1;

	*doc = NULL;
	if (html.n > INT_MAX)
		return lu_err_set(err, "page of more than 2 GiB");
	if (without_nul(&html, &copy, err) == 0) {
		bool few = few_attributes(html);

		if (few && html.n)
			*doc = parse(html, &deep);
		rc = !few || deep;
	}
	lu_buf_release(&copy);
	return rc;
}
