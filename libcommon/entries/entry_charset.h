#ifndef LUCIE_ENTRIES_ENTRY_CHARSET_H
#define LUCIE_ENTRIES_ENTRY_CHARSET_H
/*
 * The charset of entries that name none: rows, lines and records. Each is judged by its own bytes, so
 * that the text of one depends on no other.
 */
#include "libcommon/entries/entries.h"

/* Convert *s to UTF-8, in place or into `work`, and note in the entry what was done; e->drop is set
 * where that fails. 0; -1. */
int lu_entry_utf8(const struct lu_charset *how, struct lu_charset_work *work, struct lu_str *s,
		struct lu_entry *e, struct lu_err *err) LU_CHECKED;

#endif
