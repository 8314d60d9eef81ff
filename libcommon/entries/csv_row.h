#ifndef LUCIE_ENTRIES_CSV_ROW_H
#define LUCIE_ENTRIES_CSV_ROW_H
/*
 * The grammar of a row of CSV (csv.h), for the thread that cuts the file and those that take rows apart.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

struct lu_csv_form {
	char delimiter;
	bool quotes; /* '"' has a meaning */
};

/* A place in the grammar between two reads. */
struct lu_csv_scan {
	size_t at;   /* bytes looked at */
	bool quoted; /* `at` is inside quotes */
};

/* The end of the row that begins at p, behind its line end, or NULL if it is not in [p, end). The scan
 * starts from { 0 } and goes on where it was when more bytes have come behind the same ones. */
const char *lu_csv_row_end(const struct lu_csv_form *form, const char *p, const char *end,
		struct lu_csv_scan *scan);

/* Take the next field from the beginning of *rest, which is a whole row without its line end; false
 * behind the last. *quoted: it had quotes. *field is a slice of the row, or of `store` where quotes
 * were doubled. */
struct lu_csv_fields {
	struct lu_str rest;
	bool done;
};
bool lu_csv_field(const struct lu_csv_form *form, struct lu_csv_fields *row, struct lu_buf *store,
		struct lu_str *field, bool *quoted);

/* A row without its line end. */
struct lu_str lu_csv_trim(struct lu_str row);

/* The delimiter that the first bytes of a file suggest. */
char lu_csv_guess(struct lu_str head);

#endif
