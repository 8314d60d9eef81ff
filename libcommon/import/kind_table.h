#ifndef LUCIE_IMPORT_KIND_TABLE_H
#define LUCIE_IMPORT_KIND_TABLE_H
/*
 * The formats that lucie-import reads besides pages, manual pages and text: one row a format, with how
 * it is recognised and what reads it.
 *
 * A file is of the first row whose first bytes are its own, whatever the name says; else of the row of
 * its extension; else, where name and bytes say nothing else (import/kind.h), of the first row whose
 * bytes look like it. --kind overrides all of these: the first row of
 * that kind whose fits() holds.
 *
 * To add a format: a value of enum lu_kind and its name (import/kind.h), a row here, and either a
 * struct lu_entries_type (entries/entries.h) or, for one document a file, a case in
 * import/import.c's convert().
 */
#include "libcommon/entries/entries.h"
#include "libcommon/import/kind.h"

/* Number of first bytes by which formats are told apart here. */
#define LU_KIND_HEAD ((size_t)16 << 10)

struct lu_kind_row {
	enum lu_kind kind;
	const char *extensions;		   /* in lower case, between blanks: "jsonl ndjson"; "" */
	bool (*magic)(struct lu_str head); /* certain, whatever the name; NULL: never */
	bool (*fits)(struct lu_str head);  /* needed besides the extension; NULL: nothing */
	bool (*looks)(struct lu_str head); /* likely, where the name says nothing; NULL: never */
	const struct lu_entries_type *entries; /* NULL: one document */
	bool binary;			       /* no text: has zero bytes */
	bool records; /* entries are records, to which --text-field, --map and --html apply */
};

/* The row of a file, NULL: none of these. `path` is its name without a number, `head` its first
 * LU_KIND_HEAD bytes. */
const struct lu_kind_row *lu_kind_row(enum lu_kind kind, struct lu_str path, struct lu_str head);

/* True if files of this kind hold records. */
bool lu_kind_has_records(enum lu_kind kind);

#endif
