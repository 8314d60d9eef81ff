#ifndef LUCIE_REPORT_PAGE_STAGES_H
#define LUCIE_REPORT_PAGE_STAGES_H
/*
 * The sections of a page about stages: the table, why documents were dropped, and the mix.
 */
#include "libcommon/report/accounts.h"

/* The counts of the whole build, as tiles and as a sum. */
void lu_page_total(struct lu_buf *b, const struct lu_accounts *a);
void lu_page_stages(struct lu_buf *b, const struct lu_accounts *a);

#endif
