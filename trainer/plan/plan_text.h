#ifndef LUCIE_TRAINER_PLAN_PLAN_TEXT_H
#define LUCIE_TRAINER_PLAN_PLAN_TEXT_H
/*
 * What lucie-plan prints: tables for people in 100 columns, lines of TSV for programs, one layout in
 * detail.
 */
#include "libcommon/base/buf.h"
#include "trainer/plan/ranking.h"

/* Three tables with the same rows: speed, memory and exchange, the time of a step. */
int lt_plan_tables(const struct lt_ranking *r, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* The heads of the columns, and a line for each row. Bytes and seconds; "nan" is not known. */
void lt_plan_tsv_heads(struct lu_buf *out);
void lt_plan_tsv_row(const char *phase, const struct lt_ranked *row, const struct lt_question *q,
		struct lu_buf *out);

/* One layout: each part of a step and of the memory of each stage. */
int lt_plan_detail(const struct lt_ranked *row, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* Append a time such as "12.3 days", for people; "-" for NAN. */
void lt_plan_duration(double seconds, struct lu_buf *out);

#endif
