#ifndef LUCIE_SHARD_VERIFY_REPORT_H
#define LUCIE_SHARD_VERIFY_REPORT_H
/*
 * The result of a verification (verify.h) as a row of a table or the members of a JSON object. What
 * an index that could not be read would have said is "-" and null; so are the bytes of text without
 * a ledger.
 */
#include "libcommon/base/text_table.h"
#include "libcommon/shard/verify.h"

#define LU_VERIFY_COLUMNS 10
extern const char *const lu_verify_heads[LU_VERIFY_COLUMNS]; /* the last is the name */

void lu_verify_row(const struct lu_verify *v, const char *prefix, struct lu_table *table);
/* The row of a file that is no shard. */
void lu_verify_file_row(uint64_t documents, uint64_t bytes, uint64_t faults, const char *name,
		struct lu_table *table);
/* Append to the object that is open. */
void lu_verify_json(const struct lu_verify *v, struct lu_buf *out);

#endif
