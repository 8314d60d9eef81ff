#ifndef LUCIE_IMPORT_FOREIGN_H
#define LUCIE_IMPORT_FOREIGN_H
/*
 * Formats that lucie-import does not read: by their first bytes (io/magic.h), by the name of the file,
 * or by the members of a zip archive.
 */
#include <stdbool.h>

#include "libcommon/io/magic.h"

/* Number of first bytes by which formats are told apart. */
#define LU_FORMAT_HEAD ((size_t)512)

/* By the first bytes of content: what is compressed by a method that is not read, or once more by one
 * that is; or NULL. */
const struct lu_format *lu_format_packed(struct lu_str head);

/* True for bytes with NULs that no byte order mark of UTF-16 explains. */
bool lu_looks_binary(struct lu_str head);

/* True for bytes that are no text in any charset of bytes: one NUL, or two control characters in a
 * hundred, of which compressed data have ten. */
bool lu_is_no_text(struct lu_str bytes);

/* By the first bytes (up to LU_FORMAT_HEAD), else by the extension of the name, of a file that was not
 * taken for text; NULL: none of those known here. */
const struct lu_format *lu_format_of(struct lu_str path, struct lu_str head);

/* By the first bytes of a zip archive, one that holds a single document of an office program, or
 * NULL. */
const struct lu_format *lu_format_of_zip(struct lu_str head);

/* True for text with NULs, which --charset must name: not a format of its own. */
bool lu_format_is_text(const struct lu_format *f);

#endif
