#ifndef LUCIE_DEDUP_CLUSTER_FILE_H
#define LUCIE_DEDUP_CLUSTER_FILE_H
/*
 * The file of --clusters: one JSON line for each cluster of two or more documents, with the document
 * kept and those removed for it.
 *
 *	{"kept_id":"a","kept_file":"x.jsonl","kept_line":1,"cluster_size":2,
 *	 "members":[{"id":"b","file":"x.jsonl","line":2,"similarity":0.87}]}
 *
 *	struct lu_cluster_file c = { 0 };
 *	lu_cluster_file_open(&c, path, threads, &err);
 *	lu_cluster_file_begin(&c, &kept, size, &err);	for each cluster
 *	lu_cluster_file_add(&c, &removed, similarity, &err);	for each member
 *	lu_cluster_file_settle(&c, &err);			all but the rename
 *	lu_cluster_file_commit(&c, &err)	or lu_cluster_file_abort(&c)
 *
 * Memory does not grow with a cluster.
 */
#include <stdbool.h>

#include "libcommon/dedup/removed.h"
#include "libcommon/io/outstream.h"

struct lu_cluster_file {
	struct lu_out *out;
	struct lu_buf line; /* of the cluster, as far as it has not been written */
	bool open;
};

int lu_cluster_file_open(struct lu_cluster_file *c, const char *path, int threads,
		struct lu_err *err) LU_CHECKED;
int lu_cluster_file_begin(struct lu_cluster_file *c, const struct lu_origin *kept, uint64_t size,
		struct lu_err *err) LU_CHECKED;
int lu_cluster_file_add(struct lu_cluster_file *c, const struct lu_origin *removed,
		double similarity, struct lu_err *err) LU_CHECKED;
int lu_cluster_file_settle(struct lu_cluster_file *c, struct lu_err *err) LU_CHECKED;
int lu_cluster_file_commit(struct lu_cluster_file *c, struct lu_err *err) LU_CHECKED;
void lu_cluster_file_abort(struct lu_cluster_file *c); /* { 0 } is fine, and so is twice */

#endif
