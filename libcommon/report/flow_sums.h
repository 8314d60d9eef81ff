#ifndef LUCIE_REPORT_FLOW_SUMS_H
#define LUCIE_REPORT_FLOW_SUMS_H
/*
 * What the flow of documents (report/flow.h) adds up to, for accounts.c: the total of the pipeline, and
 * the faults where documents are lost or appear between stages. Both need lu_flow_order().
 */
#include "libcommon/report/flow.h"

/* Set a->total. */
int lu_flow_total(struct lu_accounts *a, struct lu_err *err) LU_CHECKED;
/* Add the faults of lu_accounts_chain(). They do not depend on the order of the lines. */
int lu_flow_chain(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err) LU_CHECKED;

#endif
