#ifndef LUCIE_PII_PII_FILE_H
#define LUCIE_PII_PII_FILE_H
/*
 * Span files: the personal data found in documents, to be masked later (lucie-spans(5)).
 *
 *	struct lu_pii_writer w = { 0 };
 *	lu_pii_writer_open(&w, path, threads, &err)
 *	lu_pii_writer_add(&w, doc, &spans, &err)	in document order; none: nothing is written
 *	lu_pii_writer_settle(&w, &err)			the trailer, under a temporary name
 *	lu_pii_writer_commit(&w, &err)
 *	lu_pii_writer_abort(&w);			removes what was not committed
 *
 *	struct lu_pii_reader r;				{ 0 } may be closed
 *	lu_pii_reader_open(&r, path, &err)		reads and checks all of it
 *	lu_pii_reader_find(&r, doc, &spans, &err)	any thread, any order
 *	lu_pii_reader_end(&r, &unused, &err)
 *	lu_pii_reader_close(&r);
 *
 * Spans belong to a text: they are found by its hash (XXH3, 128 bits). A document that has the id of
 * one in the file, or where there is no id its file and line, but another text is an error, since
 * the spans would cut it in the wrong places. Documents of the file that never came are counted;
 * one without an id is an error, since nothing tells whether it was left out or has changed.
 *
 * Memory of a reader: about 100 bytes a document in the file and 24 a span.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/pii/pii.h"

struct lu_pii_writer {
	struct lu_out *out;
	struct lu_hasher *hash; /* of all lines so far */
	struct lu_buf line;
	uint64_t spans, documents;
};

int lu_pii_writer_open(struct lu_pii_writer *w, const char *path, int threads,
		struct lu_err *err) LU_CHECKED;
int lu_pii_writer_add(struct lu_pii_writer *w, const struct lu_doc *doc, struct lu_hash128 text,
		const struct lu_pii_spans *spans, struct lu_err *err) LU_CHECKED;
int lu_pii_writer_settle(struct lu_pii_writer *w, struct lu_err *err) LU_CHECKED;
int lu_pii_writer_commit(struct lu_pii_writer *w, struct lu_err *err) LU_CHECKED;
void lu_pii_writer_abort(struct lu_pii_writer *w);

struct lu_pii_text {
	struct lu_hash128 hash;
	size_t first, n; /* spans */
	struct lu_str key;
	bool has_id;
	char used; /* set by any thread */
};
struct lu_pii_key {
	struct lu_str key; /* "i" and the raw id, or "f", the file, ':' and the line */
};

struct lu_pii_reader {
	const char *path;
	struct lu_arena arena;
	struct lu_pii_spans spans;
	struct LU_VEC(struct lu_pii_text) texts;
	struct LU_VEC(struct lu_pii_key) keys;
	struct lu_map by_hash, by_key;
};

int lu_pii_reader_open(struct lu_pii_reader *r, const char *path, struct lu_err *err) LU_CHECKED;
/* The spans of the document's text, none if the file has none; replaces what was in `spans`. */
int lu_pii_reader_find(struct lu_pii_reader *r, const struct lu_doc *doc,
		struct lu_pii_spans *spans, struct lu_err *err) LU_CHECKED;
/* Fail if a document without an id was not met; *unused counts those with one. */
int lu_pii_reader_end(
		const struct lu_pii_reader *r, uint64_t *unused, struct lu_err *err) LU_CHECKED;
void lu_pii_reader_close(struct lu_pii_reader *r);

#endif
