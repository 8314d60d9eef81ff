#ifndef LUCIE_IMPORT_COPYRIGHT_H
#define LUCIE_IMPORT_COPYRIGHT_H
/*
 * The licence in a Debian package's copyright file (the machine-readable form, DEP 5,
 * https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
 */
#include "libcommon/base/buf.h"

/*
 * Appends the short names in the License fields of the header and of all Files paragraphs, each
 * once, in order, joined by " AND "; a name with the word "or" or "and" in it is put in parentheses.
 * Appends nothing when the file is not in that form.
 */
void lu_copyright_license(struct lu_str file, struct lu_buf *out);

#endif
