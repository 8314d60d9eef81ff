#ifndef LUCIE_CHECK_VERIFY_DOCS_H
#define LUCIE_CHECK_VERIFY_DOCS_H
/*
 * Verification of files of documents: each line a record (lucie-records(5)), each pair of source and
 * id once over all files.
 *
 *	struct lu_verify_docs v = { .max_line = max, .fields = &fields, .fault = on_fault, .ctx = ctx };
 *	lu_verify_docs_file(&v, path, &err);	each file: 0, whatever the number of faults; -1
 *	... v.documents, v.bytes, v.bad, v.bad_bytes: of this file ...
 *	lu_verify_docs_release(&v);
 *
 * Memory: 16 to 32 bytes a document that has an id.
 */
#include "libcommon/base/arena.h"
#include "libcommon/dedup/keyset.h"
#include "libcommon/par/fields.h"

struct lu_verify_docs {
	uint64_t max_line;
	const struct lu_fields *fields;
	/* -1 with *err set ends the run. */
	int (*fault)(void *ctx, const char *file, uint64_t line, const char *reason,
			struct lu_err *err);
	/* Called with the bytes and documents read since the last call. */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t documents);
	void *ctx;

	/* Out. Bytes of records with their line ends. */
	uint64_t documents, bytes, bad, bad_bytes;

	/* Private. */
	struct lu_keyset ids; /* keys of (source, id), over all files */
	struct lu_arena arena;
	struct lu_buf key, changed; /* the record under the names of the fields */
};

int lu_verify_docs_file(struct lu_verify_docs *v, char *path, struct lu_err *err) LU_CHECKED;
void lu_verify_docs_release(struct lu_verify_docs *v);

#endif
