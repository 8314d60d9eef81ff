#ifndef LUCIE_DEDUP_REMOVED_H
#define LUCIE_DEDUP_REMOVED_H
/*
 * The removal log: one JSON line for each removed document, with the document kept in its place.
 *
 *	{"kind":"near","id":"b","file":"x.jsonl","line":2,"kept_id":"a","kept_file":"x.jsonl",
 *	 "kept_line":1,"similarity":0.87,"cluster_size":3}
 *
 * "id" is copied from the record, null where it has none. lucie-dedup(1) describes the format.
 */
#include "libcommon/base/buf.h"
#include "libcommon/io/json.h"

/* Where a document came from. */
struct lu_origin {
	const char *file;
	uint64_t line;
	struct lu_str id; /* raw JSON */
};

/* The raw "id" of a record, or "null". */
struct lu_str lu_origin_id(const struct lu_json_obj *obj);

/* Round a similarity to the four decimals that an estimate is shown with. */
double lu_removed_round(double similarity);

/* Append a line up to and including "similarity"; cluster sizes may not be known yet. */
void lu_removed_open(struct lu_buf *b, const char *kind, const struct lu_origin *removed,
		const struct lu_origin *kept, double similarity);
/* Append the rest of the line. The cluster includes the document that is kept. */
void lu_removed_close(struct lu_buf *b, uint64_t cluster_size);

#endif
