#ifndef LUCIE_OFFICE_DOCX_BODY_H
#define LUCIE_OFFICE_DOCX_BODY_H
/*
 * The elements of word/document.xml, footnotes.xml and endnotes.xml (ECMA-376, part 1, 17) to text, as
 * callbacks of xml_events.h. What is kept and what is left out is said in docx.h.
 */
#include "libcommon/office/doc_flow.h"
#include "libcommon/office/docx_styles.h"

enum lu_note_kind { LU_NOTE_FOOT, LU_NOTE_END };

struct lu_docx_note {
	enum lu_note_kind kind;
	int id;
	size_t from, n;	 /* in `notes` */
	unsigned number; /* by the first reference, from 1; 0: none yet */
};

struct lu_docx_paragraph {
	const struct lu_docx_style *style;
	int numbering, level, hidden; /* -1: not said */
	bool heading, joined; /* joined: its end is deleted, so that the next one continues it */
};

struct lu_docx_body {
	struct lu_docx_styles *styles;
	bool whole; /* keep tables of contents */
	struct lu_doc_flow flow;
	uint64_t limit; /* of text */
	struct lu_xml *xml;

	struct lu_buf notes;
	struct LU_VEC(struct lu_docx_note) note; /* sorted before they are referred to */
	unsigned referred;

	/* Private. */
	struct lu_docx_paragraph now;
	struct LU_VEC(struct lu_docx_paragraph) outer; /* of open boxes */
	unsigned skip;	      /* depth inside of an element that is left out */
	unsigned text;	      /* inside of w:t or m:t */
	unsigned properties;  /* inside of w:pPr or w:rPr */
	unsigned placeholder; /* depth of content controls that show only a prompt */
	unsigned controls;
	bool run_properties, run_hidden;
	bool chosen;		     /* the last mc:AlternateContent had a choice */
	struct LU_VEC(size_t) maths; /* where open groups of formulas begin in the paragraph */
	struct lu_buf marker;
	int list;		/* of the last item on the first level */
	bool bullet;		/* that it had */
	enum lu_note_kind part; /* which notes are read */
};

void lu_docx_start(void *body, const struct lu_xml_tag *tag);
void lu_docx_end(void *body, const char *name, const char *uri);
void lu_docx_text_piece(void *body, struct lu_str s);

/* After notes were read, before they are referred to. */
void lu_docx_sort_notes(struct lu_docx_body *b);
/* Append the notes that were referred to, in the order of their numbers. */
int lu_docx_put_notes(struct lu_docx_body *b, struct lu_err *err) LU_CHECKED;
int lu_docx_check(const struct lu_docx_body *b, struct lu_err *err) LU_CHECKED;
void lu_docx_body_release(struct lu_docx_body *b);

#endif
