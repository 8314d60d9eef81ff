#ifndef LUCIE_DEDUP_REMOVED_H
#define LUCIE_DEDUP_REMOVED_H
/*
 * The removal log: one JSON line a removed document, saying for which one it was removed.
 *
 *	{"kind":"near","id":"b","file":"x.jsonl","line":2,"kept_id":"a","kept_file":"x.jsonl",
 *	 "kept_line":1,"similarity":0.87,"cluster_size":3}
 *
 * "id" is the record's member as it stands there, or null. The format is in lucie-dedup(1).
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/io/json.h"

struct lu_place {
	const char *file;
	uint64_t line;
	struct lu_str id; /* raw JSON */
};

/* The raw "id" of a record, or "null". */
struct lu_str lu_place_id(const struct lu_json_obj *obj);

/* A similarity as it is shown: an estimate has no more than four decimals. */
double lu_removed_round(double similarity);

/* Appends the line up to and including "similarity". */
void lu_removed_open(struct lu_buf *b, const char *kind, const struct lu_place *removed,
		const struct lu_place *kept, double similarity);
/* Appends the rest. The size counts the kept one. */
void lu_removed_close(struct lu_buf *b, uint64_t cluster_size);

#endif
