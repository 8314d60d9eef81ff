#ifndef LUCIE_BASE_TAKE_LINE_H
#define LUCIE_BASE_TAKE_LINE_H
/*
 * Lines of a text in memory, and the "Name: value" fields of WARC records and HTTP messages.
 */
#include <stdbool.h>
#include <strings.h>

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

/* Without blanks at both ends, and without line ends. */
static inline struct lu_str lu_trim_line(struct lu_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

/* True if the line is the field `name`, in any case; sets its value. */
static inline bool lu_take_field(struct lu_str line, const char *name, struct lu_str *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
		return false;
	*value = lu_trim_line((struct lu_str){ line.p + n + 1, line.n - n - 1 });
	return true;
}

#endif
