#ifndef LUCIE_ENTRIES_TEXT_LINES_H
#define LUCIE_ENTRIES_TEXT_LINES_H
/*
 * The lines of a plain text as entries, named by their numbers, without their line ends; empty ones are
 * passed over.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_text_lines;

#endif
