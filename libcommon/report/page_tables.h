#ifndef LUCIE_REPORT_PAGE_TABLES_H
#define LUCIE_REPORT_PAGE_TABLES_H
/*
 * The sections of a page that options name: tables from JSON, texts, facts.
 *
 *	struct lu_page_tables t = { 0 };
 *	lu_page_table_read(&t, "TITLE=FILE", &err);
 *	lu_page_tables_release(&t);
 */
#include "libcommon/report/jtable.h"

/* A table, or two with the same columns to compare: rows with equal first cells correspond. A
 * column that differs is shown twice, before and after. */
struct lu_page_table {
	char *title;
	bool compare;
	struct lu_jtable before, after; /* without compare only `before` */
};

struct lu_page_tables LU_VEC(struct lu_page_table);

/* A section of plain text, or a fact about the build. */
struct lu_page_text {
	char *title;
	struct lu_buf text; /* UTF-8 */
};
struct lu_page_texts LU_VEC(struct lu_page_text);

/* Read TITLE=FILE or TITLE=FILE,FILE. */
int lu_page_table_read(struct lu_page_tables *t, const char *arg, struct lu_err *err) LU_CHECKED;
void lu_page_table(struct lu_buf *b, const struct lu_page_table *p);
void lu_page_tables_release(struct lu_page_tables *t);

/* Read TITLE=FILE; or add NAME=VALUE. */
int lu_page_text_read(struct lu_page_texts *t, const char *arg, struct lu_err *err) LU_CHECKED;
int lu_page_text_add(struct lu_page_texts *t, const char *arg, struct lu_err *err) LU_CHECKED;
void lu_page_texts_release(struct lu_page_texts *t);

#endif
