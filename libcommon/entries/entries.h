#ifndef LUCIE_ENTRIES_ENTRIES_H
#define LUCIE_ENTRIES_ENTRIES_H
/*
 * Files that hold many documents: JSON Lines, CSV, Parquet, a MediaWiki dump, a mailbox.
 *
 * A format is a table of functions, struct lu_entries_type. One thread cuts the file into blocks, each
 * a whole number of entries in a form of the format's own that needs no other block (it may begin with
 * the number of its first entry, say); any thread turns a block into entries:
 *
 *	type->open(&state, feed, file, options, &err)		the reading thread
 *	while ((rc = type->block(state, &block, &err)) > 0)	the reading thread
 *		type->convert(options, block, emit, ctx, &err)	any thread, several at once
 *	type->close(state)
 *
 * What is expensive (decompression of pages, JSON, markup) belongs into convert(). The bytes written
 * depend on the entries alone, not on where blocks end.
 *
 * A fault of one entry is reported in the entry (`drop`, `bad`, `detail`), and reading goes on behind it;
 * -1 of block() means that nothing behind it can be read.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/io/feed.h"

/* About as many bytes as a block should have; one entry may be longer. */
#define LU_ENTRIES_BLOCK ((size_t)1 << 20)

enum lu_entry_content {
	LU_ENTRY_TEXT, /* UTF-8, as it is */
	LU_ENTRY_HTML, /* a page in UTF-8: its text is extracted, as of any page */
	/* The same of which all is content: nothing in it is taken for navigation. */
	LU_ENTRY_ARTICLE,
	/* A JSON object under the names of the file, not checked yet: --text-field and --map are
	 * applied to it, the members that lucie-import knows are added where it lacks them, and all
	 * others stay as they are. What a format of rows makes of a row. */
	LU_ENTRY_RECORD,
};

struct lu_entry {
	/* The number of the entry from 1, or a name of the format's own (the title of a wiki page, a
	 * Message-ID). The path of the document is FILE#NAME, or FILE where the name is empty: one that
	 * is all of its file. */
	struct lu_str name;
	uint64_t line; /* where it begins, from 1, for messages; 0: not known */
	enum lu_entry_content content;
	struct lu_str bytes;
	/* Members of the record of which lucie-import knows the name; .p NULL: absent. `id` is taken as
	 * it is in place of SOURCE:PATH. Not for LU_ENTRY_RECORD, which has them in its bytes. */
	struct lu_str id, source, license, url, date, title, lang;
	/* Further members as JSON without the braces: "a":1,"b":"x"; .n 0: none. */
	struct lu_str more;
	uint64_t size;		 /* of the entry as it is in the file, for the counts */
	bool recoded;		 /* was not UTF-8 */
	uint64_t charset_errors; /* ill-formed sequences that became U+FFFD */
	const char *drop;	 /* NULL, or the reason not to convert it: a constant string */
	bool bad;		 /* the reason is damage, not choice */
	struct lu_str detail;	 /* the sentence about the damage */
	/* What was in the entry and is not in its text, for the accounting line: names of what could not
	 * be converted, a line each, sentences from which it is missing, and notes left out. */
	struct lu_str missing;
	uint64_t holes, references;
};

struct lu_wiki_options;

/* What lucie-import was asked for, the same for all files. */
struct lu_entries_options {
	uint64_t limit;		/* bytes of one entry (--max-line) */
	const char *text_field; /* the member or column that holds the text; NULL: "text" */
	const char *charset;	/* of text that is not UTF-8 and declares none; NULL: none */
	/* Drop entries with ill-formed bytes, which become U+FFFD otherwise. */
	bool strict_charset;
	bool guess_charset; /* then by statistics: for all rows or lines of a file, or of a part */
	/* Of CSV: */
	char delimiter; /* 0: by the first rows */
	bool no_header;
	bool no_quotes;
	const struct lu_wiki_options *wiki; /* NULL: articles, without notes (wiki/wikitext.h) */
};

/* Take an entry; its strings are valid until the return. */
typedef int lu_entry_fn(void *ctx, const struct lu_entry *entry, struct lu_err *err);

struct lu_entries_type {
	const char *name; /* of the format in messages: "Parquet" */
	/* No two entries of a file have the same name, since names are their numbers. Other names are
	 * remembered (import/batch.h). */
	bool distinct;
	/* The feed is the caller's and stays open until close. `file` is a path that can be read at any
	 * offset and holds the same bytes as the feed, or NULL: then a format that must seek makes a copy
	 * (lu_temp_open() in tmpdir). The options outlive the state. */
	int (*open)(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
			const struct lu_entries_options *o, struct lu_err *err);
	/* Replace the content of `block`. 1; 0 at the end; -1. */
	int (*block)(void *state, struct lu_buf *block, struct lu_err *err);
	int (*convert)(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
			void *ctx, struct lu_err *err);
	void (*close)(void *state); /* NULL is fine */
};

#endif
