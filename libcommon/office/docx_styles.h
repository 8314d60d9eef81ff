#ifndef LUCIE_OFFICE_DOCX_STYLES_H
#define LUCIE_OFFICE_DOCX_STYLES_H
/*
 * Styles and numbering of a Word document (ECMA-376, part 1, 17.7 and 17.9): whether a style hides its
 * text, belongs to a table of contents or is a heading, and the markers of lists.
 *
 *	struct lu_docx_styles s = { 0 };
 *	parse word/styles.xml with lu_docx_styles_start(), and word/numbering.xml with
 *		lu_docx_numbering_start(), both with lu_docx_styles_end()
 *	lu_docx_styles_ready(&s)
 *	style = lu_docx_style(&s, name)
 *	lu_docx_marker(&s, numbering, level, &buf)		for each paragraph of a list, in order
 *	lu_docx_styles_release(&s)
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/office/xml_events.h"

#define LU_DOCX_LEVELS 9

struct lu_docx_style {
	char *id, *based_on; /* based_on may be NULL */
	int numbering;	     /* number of the list, -1: not said */
	int level;
	int hidden; /* 1, 0, or -1: not said */
	bool contents, heading, program;
};

struct lu_docx_level {
	char form;     /* of lu_doc_number(), '-' for a bullet, 0 for none */
	int start;     /* first number */
	char text[32]; /* "%1.%2." */
};

struct lu_docx_list { /* w:abstractNum */
	int id;
	struct lu_docx_level level[LU_DOCX_LEVELS];
	int count[LU_DOCX_LEVELS]; /* the numbers reached; INT_MIN: not begun */
};

struct lu_docx_number { /* w:num: a use of a list */
	int id, list;
	int start[LU_DOCX_LEVELS]; /* INT_MIN: that of the list; applied once */
};

struct lu_docx_styles {
	struct LU_VEC(struct lu_docx_style) styles;
	struct LU_VEC(struct lu_docx_list) lists;
	struct LU_VEC(struct lu_docx_number) numbers;
	bool failed;	     /* out of memory */
	int level, override; /* of the list that is read, -1: none */
	bool in_style;
};

void lu_docx_styles_start(struct lu_docx_styles *s, const struct lu_xml_tag *tag);
void lu_docx_numbering_start(struct lu_docx_styles *s, const struct lu_xml_tag *tag);
void lu_docx_styles_end(struct lu_docx_styles *s, const char *name);
/* Sort, and let styles inherit. */
void lu_docx_styles_ready(struct lu_docx_styles *s);

/* NULL: there is none of that name. */
const struct lu_docx_style *lu_docx_style(const struct lu_docx_styles *s, struct lu_str id);

/* Count the next paragraph of the list on this level, and append its marker with a blank; nothing for a
 * list that is not defined. */
void lu_docx_marker(struct lu_docx_styles *s, int numbering, int level, struct lu_buf *out);
void lu_docx_styles_release(struct lu_docx_styles *s);

/* Value of an on/off element (w:vanish): present is on, unless it says otherwise. */
bool lu_docx_is_on(const struct lu_xml_tag *tag);

#endif
