#ifndef LUCIE_OFFICE_ODT_BODY_H
#define LUCIE_OFFICE_ODT_BODY_H
/*
 * The elements of content.xml, styles.xml, meta.xml and of a flat .fodt file (OpenDocument 1.3,
 * part 3) to text, as callbacks of xml_events.h. What is kept and what is left out is said in odt.h.
 */
#include "libcommon/office/doc_flow.h"
#include "libcommon/office/doc_meta.h"
#include "libcommon/office/odt_styles.h"

struct lu_odt_list {
	struct lu_str style; /* name, in lu_odt_styles; .p NULL: that of the list around it */
	int count;	     /* items so far, on top of the start */
	bool due;	     /* the next paragraph is the first of its item */
};

struct lu_odt_body {
	struct lu_odt_styles styles;
	struct lu_doc_meta meta;
	bool whole;
	struct lu_doc_flow flow;
	struct lu_buf notes;
	unsigned referred;
	uint64_t limit;
	struct lu_xml *xml;
	bool text_seen; /* there was an office:text */

	/* Private. */
	struct LU_VEC(struct lu_odt_list) lists;
	bool in_text, in_meta;
	unsigned skip;	     /* depth inside of an element that is left out */
	unsigned paragraphs; /* open ones */
	unsigned math;
	bool heading, program; /* the paragraph is */
	bool blank;	       /* one is due before the next letter */
	struct lu_buf marker;
	/* A note is read into a flow of its own. */
	struct lu_doc_flow outer;
	bool in_note, outer_blank;
	unsigned outer_paragraphs;
	int last_list; /* items of the last list of the first level, for those that go on */
};

void lu_odt_start(void *body, const struct lu_xml_tag *tag);
void lu_odt_end(void *body, const char *name, const char *uri);
void lu_odt_text_piece(void *body, struct lu_str s);
int lu_odt_check(const struct lu_odt_body *b, struct lu_err *err) LU_CHECKED;
void lu_odt_body_release(struct lu_odt_body *b);

#endif
