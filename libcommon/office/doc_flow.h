#ifndef LUCIE_OFFICE_DOC_FLOW_H
#define LUCIE_OFFICE_DOC_FLOW_H
/*
 * The layout of an office document's text, the same as that of pages (html/html.h): paragraphs and
 * headings are separated by a blank line; items of lists are a line each, with their marker, inner
 * ones indented by two spaces; a row of a table is a line, its cells separated by " | ".
 *
 * A row whose cells hold three paragraphs or more, or a table, or that is one cell, is layout: its
 * paragraphs are written as such. Text of a box or a note that stands inside of a paragraph follows
 * that paragraph.
 *
 *	struct lu_doc_flow f = { .out = &text };
 *	lu_doc_text(&f, s);			append to the paragraph
 *	lu_doc_end(&f, &how);			the paragraph ends
 *	lu_doc_table(&f); lu_doc_row(&f); lu_doc_cell(&f); ...; lu_doc_table_end(&f);
 *	lu_doc_box(&f); ... lu_doc_box_end(&f);	paragraphs inside of a paragraph
 *	lu_doc_finish(&f);			a line end, unless there is no text
 *
 * Failures stick to the buffers: lu_doc_check().
 */
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lu_doc_how {
	struct lu_str marker; /* "- ", "2. "; empty: none */
	unsigned level;	      /* of the list, from 0 */
	bool item;	      /* of a list: a line. A numbered heading has a marker and is none */
	bool more;	      /* a further paragraph of an item, indented below its text */
	bool program;	      /* a line of preformatted text, which keeps its indent */
};

struct lu_doc_flow {
	struct lu_buf *out;
	struct lu_buf block; /* the paragraph */
	struct lu_buf row;   /* of the outermost table: paragraphs and cells, each after a mark */
	struct lu_buf later; /* paragraphs of boxes, each behind a mark */
	struct LU_VEC(size_t) boxes; /* open ones: where their paragraph begins in `block` */
	unsigned tables, inner;	     /* open tables; the row has tables inside */
	bool item, in_row, program;  /* what was written last */
};

void lu_doc_text(struct lu_doc_flow *f, struct lu_str s);
void lu_doc_end(struct lu_doc_flow *f, const struct lu_doc_how *how);
void lu_doc_table(struct lu_doc_flow *f);
void lu_doc_row(struct lu_doc_flow *f);
void lu_doc_cell(struct lu_doc_flow *f);
void lu_doc_row_end(struct lu_doc_flow *f);
void lu_doc_table_end(struct lu_doc_flow *f);
void lu_doc_box(struct lu_doc_flow *f);
void lu_doc_box_end(struct lu_doc_flow *f);
void lu_doc_finish(struct lu_doc_flow *f);
int lu_doc_check(const struct lu_doc_flow *f, struct lu_err *err) LU_CHECKED;
void lu_doc_release(struct lu_doc_flow *f);

/* Append the number of an item: '1' decimal, 'a' 'A' letters, 'i' 'I' Roman. Letters go on with aa, bb
 * as in Word and with decimal numbers beyond 26 * 20, Roman numbers end at 3999. */
void lu_doc_number(struct lu_buf *out, char form, unsigned n);

#endif
