#ifndef LUCIE_ENTRIES_JSON_LINES_H
#define LUCIE_ENTRIES_JSON_LINES_H
/*
 * JSON records as entries: one object a line (JSON Lines).
 *
 * An entry is named by its line. A wrong one is a bad entry; reading goes on at the next line.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_json_lines;

/* True for the first bytes of a file of objects. */
bool lu_json_lines_look(struct lu_str head);

#endif
