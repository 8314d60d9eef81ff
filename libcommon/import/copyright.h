#ifndef LUCIE_IMPORT_COPYRIGHT_H
#define LUCIE_IMPORT_COPYRIGHT_H
/*
 * The licence in a Debian package's copyright file (the machine-readable form, DEP 5,
 * https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
 */
#include "libcommon/base/buf.h"

/*
 * Appends the short names of the License fields of all Files paragraphs and of the header, each
 * once, in order, joined by " AND "; a name with "or" or "and" in it is
 * put in parentheses. Nothing when the file is not in that form.
 */
void lu_copyright_license(struct lu_str file, struct lu_buf *out);

#endif
