#include "libcommon/office/xml_events.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

static void stop(struct lu_xml *x, int why)
{
	if (!x->stop)
		x->stop = why;
	xmlStopParser(x->parser);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		int namespaces, const xmlChar **namespace, int attributes, int defaulted,
		const xmlChar **attribute)
{
	struct lu_xml *x = ctx;
	struct lu_xml_tag tag = { (const char *)name, uri ? (const char *)uri : "", attributes,
		attribute };

	(void)prefix, (void)namespaces, (void)namespace, (void)defaulted;
	if (x->stop)
		return;
	if (++x->depth > LU_XML_DEPTH) {
		stop(x, LU_PARTS_BOUNDS);
		return;
	}
	x->start(x->ctx, &tag);
	if (x->stop)
		xmlStopParser(x->parser);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct lu_xml *x = ctx;

	(void)prefix;
	if (x->stop)
		return;
	x->depth--;
	x->end(x->ctx, (const char *)name, uri ? (const char *)uri : "");
	if (x->stop)
		xmlStopParser(x->parser);
}

static void on_text(void *ctx, const xmlChar *p, int n)
{
	struct lu_xml *x = ctx;

	if (!x->stop)
		x->text(x->ctx, (struct lu_str){ (const char *)p, (size_t)n });
}

static void on_entity(void *ctx, const xmlChar *name, int type, const xmlChar *public,
		const xmlChar *system, xmlChar *content)
{
	(void)name, (void)type, (void)public, (void)system, (void)content;
	stop(ctx, LU_PARTS_BOUNDS);
}

/* "&eacute;" of a DTD that is not read: nothing is known of it. */
static xmlEntity *no_entity(void *ctx, const xmlChar *name)
{
	(void)ctx;
	return xmlGetPredefinedEntity(name);
}

static void no_message(void *ctx, const char *message, ...)
{
	(void)ctx, (void)message;
}

static void no_error(void *ctx, xmlError *error)
{
	(void)ctx, (void)error;
}

static int begin(struct lu_xml *x, struct lu_err *err)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.ignorableWhitespace = on_text,
		.entityDecl = on_entity,
		.getEntity = no_entity,
		.warning = no_message,
		.error = no_message,
		.fatalError = no_message,
		.serror = no_error };

	x->stop = x->depth = 0;
	x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
	if (!x->parser)
		return lu_err_nomem(err);
	xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	return 0;
}

/* Returns 0, or the result that ends the parsing. */
static int feed(struct lu_xml *x, const char *p, size_t n, bool end, struct lu_err *err)
{
	int code;

	/* Pieces of bounded size: the parser keeps each until it is read. */
	do {
		size_t part = n < 65536 ? n : 65536;

		code = xmlParseChunk(x->parser, p, (int)part, end && part == n);
		p += part;
		n -= part;
	} while (code == 0 && !x->stop && n);
	if (x->stop)
		return x->stop;
	if (code == XML_ERR_NO_MEMORY)
		return lu_err_nomem(err);
	/* A namespace that is not declared, and the like, is no damage. */
	return code && !((xmlParserCtxt *)x->parser)->wellFormed ? LU_PARTS_DAMAGED : 0;
}

static void finish(struct lu_xml *x)
{
	xmlParserCtxt *p = x->parser;

	if (p->myDoc)
		xmlFreeDoc(p->myDoc);
	xmlFreeParserCtxt(p);
	x->parser = NULL;
}

int lu_xml_zip(struct lu_xml *x, struct lu_zip *z, uint64_t limit, struct lu_err *err)
{
	char block[32768];
	uint64_t all = 0;
	ssize_t n = 1;
	int rc = begin(x, err);

	if (rc < 0)
		return -1;
	while (rc == 0 && n > 0) {
		n = lu_zip_read(z, block, sizeof(block), &rc, err);
		if (n < 0)
			break;
		all += (uint64_t)n;
		rc = all > limit ? LU_PARTS_LARGE : feed(x, block, (size_t)n, n == 0, err);
	}
	finish(x);
	return rc;
}

int lu_xml_bytes(struct lu_xml *x, struct lu_str bytes, struct lu_err *err)
{
	int rc = begin(x, err);

	if (rc == 0) {
		rc = feed(x, bytes.p, bytes.n, true, err);
		finish(x);
	}
	return rc;
}

struct lu_str lu_xml_attribute(const struct lu_xml_tag *tag, const char *name)
{
	/* Name, prefix, address, begin and end of the value. */
	for (int i = 0; i < tag->attributes; i++) {
		const unsigned char **a = tag->attribute + (size_t)5 * (size_t)i;

		if (strcmp((const char *)a[0], name) == 0)
			return (struct lu_str){ (const char *)a[3], (size_t)(a[4] - a[3]) };
	}
	return (struct lu_str){ NULL, 0 };
}

bool lu_xml_has(const struct lu_xml_tag *tag, const char *name, const char *value)
{
	struct lu_str s = lu_xml_attribute(tag, name);

	return s.p && lu_str_is(s, value);
}

int lu_xml_number(const struct lu_xml_tag *tag, const char *name, int otherwise)
{
	struct lu_str s = lu_xml_attribute(tag, name);
	size_t i = s.n && s.p[0] == '-', from = i;
	int v = 0;

	if (s.n == i || s.n - i > 9)
		return otherwise;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return otherwise;
		v = v * 10 + (s.p[i] - '0');
	}
	return from ? -v : v;
}
