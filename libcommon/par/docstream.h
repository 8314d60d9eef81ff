#ifndef LUCIE_PAR_DOCSTREAM_H
#define LUCIE_PAR_DOCSTREAM_H
/*
 * The document stream: what every program that reads documents has in common. Here, once, are
 * the inputs, the threads, bad records and --max-bad, --rejects, the output and its order,
 * --stats and the progress line. A program brings only what it does with one document:
 *
 *	static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
 *	{
 *		if (doc->text.n < ((struct config *)ctx)->min_bytes)
 *			return lu_doc_drop(doc, "too short", NULL);
 *		return lu_doc_set(doc, "lang", LU_STR("\"fr\""));
 *	}
 *	struct lu_docstream ds = { .ctx = &c, .map = judge };
 *	rc = lu_docstream_run(&ds, &c.std, &args, &err);
 *
 * map() runs on several threads at once, on different documents. decide(), where it is given,
 * runs after it, one document at a time in input order, whatever the threads: what depends on
 * the documents before (the first copy wins) belongs there. Both return 0, or -1 with a
 * sentence for trouble that ends the run (memory, a file); what is wrong with one document is
 * lu_doc_bad() or lu_doc_drop(), which return 0.
 *
 * A document that is kept is written as the record it was read as, byte for byte, except for
 * the members set by lu_doc_set(); or, when the program calls lu_doc_out(), as the bytes that
 * it put there (its own format, no newline added). With LU_DOCSTREAM_SILENT nothing is written.
 *
 * A record is bad when it is no JSON object in valid UTF-8, when it has no "text" that is a
 * string (unless LU_DOCSTREAM_TEXTLESS is set), or when the program says so. Bad records end the run with
 * "file:line: reason", or are counted and skipped as --max-bad and --rejects say. Blank lines
 * are no records.
 *
 * What is known only when all has been read (which of two similar documents stays, how often one
 * is repeated) takes a second look: decide() keeps the record somewhere (io/spool.h) and calls
 * lu_doc_hold(), which neither writes nor drops it; finish() gives every held document to
 * lu_docstream_put(), in any order.
 *
 * Strings and slices in a document live until the end of decide(); doc->file until finish() is
 * over.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/tool.h"

struct lu_doc_batch;

#define LU_DOC_EDITS 16

enum lu_verdict { LU_KEEP, LU_DROP, LU_BAD, LU_HOLD };

struct lu_doc {
	struct lu_str raw;	/* the line as it was read; empty when it was too_long */
	uint64_t length;	/* of the line in the file */
	bool too_long;		/* longer than --max-line */
	struct lu_json_obj obj; /* obj.line is the record: raw, or what --repair made of it */
	struct lu_str text;	/* decoded; empty when there is none */
	const char *file;
	uint64_t line;
	uint64_t index;		/* number of the document in the whole input; only in decide() */
	struct lu_arena *arena; /* for what the program makes of this document */
	void *user;		/* from map() to decide() */

	/* Filled by the functions below. */
	enum lu_verdict verdict;
	const char *reason;
	struct lu_str value; /* of the reject file: raw JSON */
	struct lu_json_edit edit[LU_DOC_EDITS];
	size_t edits;
	size_t out_from, out_to; /* the program's own bytes, in the batch */
	bool own_out;
	uint64_t repeat; /* how often it is written; 1 */
	struct lu_doc_batch *batch;
};

enum {
	LU_DOCSTREAM_SILENT = 1 << 0,	/* write no documents */
	LU_DOCSTREAM_TEXTLESS = 1 << 1, /* accept records without "text" */
	LU_DOCSTREAM_SELECTS = 1 << 2,	/* note when more than half of the documents were dropped */
	LU_DOCSTREAM_REPAIR = 1 << 3,	/* replace invalid UTF-8 and lone surrogates by U+FFFD */
	LU_DOCSTREAM_NO_STATS = 1 << 4, /* the caller appends the accounting line itself */
};

struct lu_docstream {
	void *ctx;
	int (*map)(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err);
	int (*decide)(void *ctx, struct lu_doc *doc, struct lu_err *err);
	/* A thread's own state, passed as `local`: local_size zeroed bytes, which local_init()
	 * fills and local_free() empties, after finish() or when the run fails, a half filled one
	 * too. Either may be NULL. finish() finds all of them in local[0 .. locals - 1]. */
	size_t local_size;
	int (*local_init)(void *ctx, void *local, struct lu_err *err);
	void (*local_free)(void *local);
	void **local;
	size_t locals;
	unsigned flags; /* LU_DOCSTREAM_... */
	/* Called with the totals before the accounting line is written: to add lu_stats.extra,
	 * or to write the program's own files. May be NULL. */
	int (*finish)(void *ctx, struct lu_stats *stats, struct lu_err *err);
	uint64_t repaired;	/* out: characters replaced */
	void *run;		/* the stream's own, for lu_docstream_put() */
	struct lu_stats *stats; /* out: where to leave the totals; NULL: nowhere */
};

/* Reads all files of `args`, writes std->output. */
int lu_docstream_run(struct lu_docstream *ds, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err) LU_CHECKED;

/* Only in finish(): writes (verdict LU_KEEP, with edits and repeat) or drops a held document, and
 * counts it. `doc` starts from { 0 } with file, line, raw, obj (obj.line alone is enough where
 * nothing is edited), value and repeat = 1; the functions below work on it when arena is set. */
int lu_docstream_put(struct lu_docstream *ds, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;

/* Sets or adds a member: `value` is raw JSON that lives as long as the document. */
int lu_doc_set(struct lu_doc *doc, const char *key, struct lu_str value);
/* Sets a member to a string, quoted into the arena. */
int lu_doc_set_str(struct lu_doc *doc, const char *key, struct lu_str s,
		struct lu_err *err) LU_CHECKED;
/* Replaces the text: the record's member and doc->text. */
int lu_doc_set_text(struct lu_doc *doc, struct lu_str text, struct lu_err *err) LU_CHECKED;
/* printf into the arena; a slice for lu_doc_set() and for values of drops. More than 511 bytes
 * become null. */
struct lu_str lu_doc_printf(struct lu_doc *doc, const char *fmt, ...) LU_PRINTF(2, 3);

/* Drops the document; `reason` is a static string; `value` is raw JSON for the reject file (what
 * was measured), or NULL. */
int lu_doc_drop(struct lu_doc *doc, const char *reason, const struct lu_str *value);
int lu_doc_drop_number(struct lu_doc *doc, const char *reason, double value);
/* Only in decide(): the document's fate is told later, by lu_docstream_put() in finish(). */
int lu_doc_hold(struct lu_doc *doc);
/* Calls the record bad. */
int lu_doc_bad(struct lu_doc *doc, const char *reason);

/* The program's own output for this document instead of the record: append to the buffer
 * between lu_doc_out() and lu_doc_out_end(). Only in map(). */
struct lu_buf *lu_doc_out(struct lu_doc *doc);
void lu_doc_out_end(struct lu_doc *doc);

/* Only in map(), for a large document: calls work(ctx, local, i, err) for each i below count, on
 * this thread and on others that are idle, with the local of the thread that it runs on. */
int lu_doc_share(struct lu_doc *doc, size_t count,
		int (*work)(void *ctx, void *local, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;

/* A member as a decoded string: false when it is absent or no string. `key` is "id", "lang"... */
bool lu_doc_string(struct lu_doc *doc, const char *key, struct lu_str *out);

#endif
