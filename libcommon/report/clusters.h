#ifndef LUCIE_REPORT_CLUSTERS_H
#define LUCIE_REPORT_CLUSTERS_H
/*
 * The largest clusters of duplicates, from the removal logs of lucie-dedup(1).
 *
 *	struct lu_clusters c = { 0 };
 *	lu_clusters_read(&c, &o->removed, max_line, &err);
 *	... c.top[0 .. c.n - 1] ...
 *	lu_clusters_release(&c);
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/opt.h"

#define LU_CLUSTERS 12
#define LU_CLUSTER_EXAMPLES 3

struct lu_cluster {
	uint64_t size; /* documents, the one that is kept included */
	char *kind;    /* "exact" or "near" */
	char *kept;    /* its id, or FILE:LINE */
	char *place;   /* log, FILE and LINE of the kept document, which tell clusters apart */
	char *example[LU_CLUSTER_EXAMPLES]; /* removed documents, the first of the log */
	size_t examples;
	double least, most; /* similarity of those that were removed */
};

struct lu_clusters {
	struct lu_cluster top[LU_CLUSTERS]; /* by size, then in the order of the logs */
	size_t n;
	uint64_t removed; /* lines */
};

int lu_clusters_read(struct lu_clusters *c, const struct lu_list *file, uint64_t max_line,
		struct lu_err *err) LU_CHECKED;
void lu_clusters_release(struct lu_clusters *c);

#endif
