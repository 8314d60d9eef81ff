#ifndef LUCIE_IMPORT_TAKE_LINE_H
#define LUCIE_IMPORT_TAKE_LINE_H
/*
 * Lines of a text in memory.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* Move the next line, without its newline, from the beginning of *rest to *line. False, with an
 * empty line, at the end. */
static inline bool lu_take_line(struct lu_str *rest, struct lu_str *line)
{
	const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t taken = nl ? (size_t)(nl + 1 - rest->p) : rest->n;

	*line = (struct lu_str){ rest->p, nl ? taken - 1 : taken };
	if (taken == 0)
		return false;
	rest->p += taken;
	rest->n -= taken;
	return true;
}

#endif
