#ifndef LUCIE_OFFICE_XML_EVENTS_H
#define LUCIE_OFFICE_XML_EVENTS_H
/*
 * XML as a stream of elements and text, by the push parser of libxml2: memory does not depend on the
 * size of the file. No file or address is ever opened for it. A document that declares entities is
 * refused, since nothing in an office format may and the only use is to make text grow, and so is one
 * that nests deeper than LU_XML_DEPTH.
 *
 *	struct lu_xml x = { .start = ..., .end = ..., .text = ..., .ctx = ... };
 *	lu_xml_zip(&x, z, limit, &err)		a part of a zip archive
 *	lu_xml_bytes(&x, bytes, &err)
 *
 * Callbacks cannot fail: they write to buffers, whose failure sticks. They may set x.stop to a result
 * (zip_parts.h) that ends the parsing.
 */
#include "libcommon/office/zip_parts.h"

#define LU_XML_DEPTH 250

struct lu_xml_tag {
	const char *name; /* without prefix */
	const char *uri;  /* of its namespace, "" for none */
	int attributes;
	const unsigned char **attribute; /* private */
};

struct lu_xml {
	void (*start)(void *ctx, const struct lu_xml_tag *tag);
	void (*end)(void *ctx, const char *name, const char *uri);
	void (*text)(void *ctx, struct lu_str s); /* in pieces of any size */
	void *ctx;
	int stop;

	/* Private. */
	void *parser;
	int depth;
};

/* Parse the current part, of at most `limit` bytes. */
int lu_xml_zip(struct lu_xml *x, struct lu_zip *z, uint64_t limit, struct lu_err *err) LU_CHECKED;
int lu_xml_bytes(struct lu_xml *x, struct lu_str bytes, struct lu_err *err) LU_CHECKED;

/* Value of the attribute with that name in any namespace; .p NULL: the tag has none. Valid during the
 * callback. */
struct lu_str lu_xml_attribute(const struct lu_xml_tag *tag, const char *name);

/* True if the tag has the attribute with this value. */
bool lu_xml_has(const struct lu_xml_tag *tag, const char *name, const char *value);

/* Decimal value of the attribute, from -999999999 to 999999999, else `otherwise`. */
int lu_xml_number(const struct lu_xml_tag *tag, const char *name, int otherwise);

#endif
