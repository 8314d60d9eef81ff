#ifndef LUCIE_ENTRIES_NOTEBOOK_H
#define LUCIE_ENTRIES_NOTEBOOK_H
/*
 * The text of a Jupyter notebook (nbformat 3 and 4; 2 is alike): its cells in order, a blank line between
 * them. Markdown and raw cells stand as they are, a heading cell of version 3 behind its "#", code between
 * fences with the notebook's language ("```python"), longer than any in it. Outputs are left out, unless
 * `outputs`: then the plain text of streams and results follows in a fence of its own.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

/* `json` is UTF-8. Append to `text`, `title` (metadata.title, as it is) and `more` (members of the record:
 * "programming_language"). 0; 1: *reason says why it is no notebook; -1. */
int lu_notebook_text(struct lu_str json, bool outputs, struct lu_arena *arena, struct lu_buf *text,
		struct lu_buf *title, struct lu_buf *more, const char **reason,
		struct lu_err *err) LU_CHECKED;

#endif
