#ifndef LUCIE_PAR_DOCSTREAM_H
#define LUCIE_PAR_DOCSTREAM_H
/*
 * The document stream: the frame of every program that reads documents. It owns the inputs, the
 * threads, bad records and --max-bad, --rejects, the output and its order, --stats and the progress
 * line; the program supplies a function for one document:
 *
 *	static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
 *	{
 *		if (doc->text.n < ((const struct options *)ctx)->min_bytes)
 *			return lu_doc_drop(doc, "too short", NULL);
 *		return lu_doc_set(doc, "lang", LU_STR("\"fr\""));
 *	}
 *	struct lu_docstream ds = { .ctx = &options, .map = judge };
 *	rc = lu_docstream_run(&ds, &options.std, &args, &err);
 *
 * Callbacks in calling order; each may be NULL:
 *	local_init()	once for each thread's state
 *	map()		for each document, on several threads at once
 *	decide()	for each document that map() kept, in input order, one at a time
 *	merge()		once for each thread's state, after the last document
 *	finish()	once, with the totals
 *	commit()	once, when the accounting line is written
 *	local_free()	once for each thread's state, also when the run fails
 * Verdicts that depend on earlier documents (the first copy wins) belong in decide(). A callback
 * returns 0, or -1 with the error in *err (base/err.h) for trouble that ends the run. A fault of one
 * document is reported by lu_doc_bad() or lu_doc_drop(), which return 0.
 *
 * A kept document is written as the record that was read, byte for byte, except for the members set
 * by lu_doc_set(); or, after lu_doc_out(), as the bytes that the program appended there (its own
 * format, no newline added). With LU_DOCSTREAM_SILENT nothing is written.
 *
 * A record is bad when it is not a JSON object in valid UTF-8, when it has no "text" that is a
 * string (unless LU_DOCSTREAM_TEXTLESS is set), or when the program says so. Bad records end the
 * run with "file:line: reason", or are counted and skipped as --max-bad and --rejects say. Blank
 * lines are not records.
 *
 * Some verdicts need the whole input (which of two similar documents stays, how often one is
 * repeated). Then decide() stores the record (par/held.h) and calls lu_doc_hold(), which neither
 * writes nor drops it, and finish() passes every held document to lu_docstream_put(), in any order.
 *
 * Strings and slices in a document are valid until decide() returns; doc->file until finish()
 * returns.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/tool.h"

struct lu_doc_batch;

#define LU_DOC_EDITS 16
#define LU_DOC_BLANKS " \t\r"

enum lu_verdict { LU_KEEP, LU_DROP, LU_BAD, LU_HOLD };

struct lu_doc {
	struct lu_str raw;	/* the line as read; empty when too_long */
	uint64_t length;	/* bytes of the line in the file */
	bool too_long;		/* longer than --max-line */
	struct lu_json_obj obj; /* obj.line is the record: raw, or its repaired copy */
	struct lu_str text;	/* decoded; empty when absent */
	const char *file;
	uint64_t line;
	uint64_t index;		/* number of the document in the whole input; set for decide() */
	struct lu_arena *arena; /* scratch memory with the document's lifetime */
	void *user;		/* passed on from map() to decide() */

	/* Set by the functions below. */
	enum lu_verdict verdict;
	const char *reason;
	struct lu_str value; /* raw JSON for the reject file */
	struct lu_json_edit edit[LU_DOC_EDITS];
	size_t edits;
	size_t out_from, out_to; /* range of the program's own bytes in the batch */
	bool own_out;
	uint64_t repeat; /* times it is written, initially 1; set it in decide() or before put() */
	struct lu_doc_batch *batch;
};

enum {
	LU_DOCSTREAM_SILENT = 1 << 0,	/* write no documents */
	LU_DOCSTREAM_TEXTLESS = 1 << 1, /* accept records without "text" */
	LU_DOCSTREAM_SELECTS = 1 << 2,	/* note when more than half of the documents were dropped */
	LU_DOCSTREAM_REPAIR = 1 << 3,	/* replace invalid UTF-8 and lone surrogates by U+FFFD */
	/* The caller appends the accounting line itself, and prints the summary */
	LU_DOCSTREAM_NO_STATS = 1 << 4,
	/* Each line is a text, not a record: write it by lu_doc_out(). */
	LU_DOCSTREAM_LINES = 1 << 5,
};

struct lu_docstream {
	void *ctx;
	int (*map)(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err);
	int (*decide)(void *ctx, struct lu_doc *doc, struct lu_err *err);
	/* Each thread's state, passed as `local`: local_size zeroed bytes, which local_init() fills
	 * and local_free() empties, also after local_init() has failed halfway. Up to finish() they
	 * are local[0 .. locals - 1]. */
	size_t local_size;
	int (*local_init)(void *ctx, void *local, struct lu_err *err);
	void (*local_free)(void *local);
	void **local;
	size_t locals;
	unsigned flags; /* LU_DOCSTREAM_... */
	/* Add the counts of a thread's state to ctx. Called in thread order; which documents a
	 * thread has seen differs from run to run, so the sum must not depend on the order. */
	int (*merge)(void *ctx, void *local, struct lu_err *err);
	/* Called before the accounting line is written: to append to stats->extra, or to write the
	 * program's own files. */
	int (*finish)(void *ctx, struct lu_stats *stats, struct lu_err *err);
	/* Called after the accounting line is written: to commit the files that finish() has
	 * settled (lu_out_settle()). */
	int (*commit)(void *ctx, struct lu_err *err);
	uint64_t repaired;	/* out: characters replaced under LU_DOCSTREAM_REPAIR */
	struct lu_stats *stats; /* out: receives the totals, released by the caller; or NULL */
	void *run;		/* private, for lu_docstream_put() */
};

/* Read all files of `args` and write std->output. */
int lu_docstream_run(struct lu_docstream *ds, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err) LU_CHECKED;

/* Write (verdict LU_KEEP, with edits and repeat) or drop a held document, and count it. Only in
 * finish(). `doc` starts from { 0 } with file, line, raw, obj (obj.line is enough unless it is
 * edited), value and repeat = 1; the functions below work on it when arena is set. */
int lu_docstream_put(struct lu_docstream *ds, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;

/* Set or add a member; `value` is raw JSON that lives as long as the document. Returns 0. At most
 * LU_DOC_EDITS different members. */
int lu_doc_set(struct lu_doc *doc, const char *key, struct lu_str value);
/* Set a member to a string, quoted into the arena. */
int lu_doc_set_str(struct lu_doc *doc, const char *key, struct lu_str s,
		struct lu_err *err) LU_CHECKED;
/* Set a member to the JSON in a buffer, copied into the arena. */
int lu_doc_set_json(struct lu_doc *doc, const char *key, const struct lu_buf *json,
		struct lu_err *err) LU_CHECKED;
/* Replace the text, both the record's member and doc->text. */
int lu_doc_set_text(struct lu_doc *doc, struct lu_str text, struct lu_err *err) LU_CHECKED;
/* Format into the arena: a value for lu_doc_set() or lu_doc_drop(). Returns "null" for more than
 * 511 bytes and when memory is out. */
struct lu_str lu_doc_printf(struct lu_doc *doc, const char *fmt, ...) LU_PRINTF(2, 3);

/* A JSON string in the arena; .p is NULL when memory is out. */
struct lu_str lu_doc_quote(struct lu_doc *doc, struct lu_str s);

/* Drop the document. `reason` is a static string, `value` raw JSON for the reject file (the
 * measured value), or NULL. */
int lu_doc_drop(struct lu_doc *doc, const char *reason, const struct lu_str *value);
/* The value as a real number, 3.0: counts and ratios of different rules share a member. */
int lu_doc_drop_number(struct lu_doc *doc, const char *reason, double value);
/* Leaves the verdict to lu_docstream_put() in finish(). Only in decide(). */
int lu_doc_hold(struct lu_doc *doc);
/* Mark the record as bad; `reason` is a static string, `value` raw JSON for the message and the
 * reject file. */
int lu_doc_bad(struct lu_doc *doc, const char *reason);
int lu_doc_bad_value(struct lu_doc *doc, const char *reason, struct lu_str value);

/* Replace the record by the program's own output: append to the returned buffer, then call
 * lu_doc_out_end(). Only in map(). */
struct lu_buf *lu_doc_out(struct lu_doc *doc);
void lu_doc_out_end(struct lu_doc *doc);

/* Parallel for over the parts of a large document: calls work(ctx, local, i, err) for each
 * i < count, on this thread and on idle ones, with the state of the thread it runs on. Only in
 * map(). */
int lu_doc_parallel_for(struct lu_doc *doc, size_t count,
		int (*work)(void *ctx, void *local, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;

/* True for a blank line, which holds no record. */
static inline bool lu_doc_blank_line(struct lu_str line)
{
	return lu_str_only(line, LU_DOC_BLANKS);
}

/* Decode a member ("id", "lang") that is a string; false when it is absent or not a string. */
bool lu_doc_string(struct lu_doc *doc, const char *key, struct lu_str *out);

#endif
