#ifndef LUCIE_REPORT_PAGE_DOCUMENTS_H
#define LUCIE_REPORT_PAGE_DOCUMENTS_H
/*
 * The sections of a page about documents: languages, lengths, sources, licences, domains,
 * clusters, samples.
 */
#include "libcommon/report/clusters.h"
#include "libcommon/report/survey.h"

/* The stages must be finished. */
void lu_page_survey(struct lu_buf *b, const struct lu_survey *s);
/* What the tokens of shards are, from lu_survey_shards(). */
void lu_page_shards(struct lu_buf *b, const struct lu_survey_stage *s);
void lu_page_clusters(struct lu_buf *b, const struct lu_clusters *c);
/* Samples of at most 12 groups. `what` names the groups: "language". */
void lu_page_samples(struct lu_buf *b, const char *heading, const char *what,
		const struct lu_samples *s);

#endif
