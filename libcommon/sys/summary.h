#ifndef LUCIE_SYS_SUMMARY_H
#define LUCIE_SYS_SUMMARY_H
/*
 * The summary line: what a program says last on a terminal.
 *
 *	lucie-filter: 9 documents in, 7 out, 2 dropped: 1 empty text, 1 not JSON
 *
 * It is one line in the width of the terminal, for a run that went well, after its outputs are in
 * place. -q silences it, and where standard error is no terminal nothing is printed: scripts read
 * the accounting line (sys/stats.h).
 */
#include <stdbool.h>

#include "libcommon/sys/stats.h"

/* Write the line into an empty buffer, without the program's name, in at most `width` columns: the
 * reasons by their numbers and as many as fit. `noun` is what is counted, a plural; `verb` says what
 * became of the rest: "out", "used". */
void lu_summary_format(const struct lu_stats *s, const char *noun, const char *verb, size_t width,
		struct lu_buf *out);

/* Append the reasons why documents were dropped, ": 3 empty text, 1 not JSON", the most frequent first,
 * as many as fit into `width` bytes of `out`; nothing if none was. */
void lu_summary_reasons(const struct lu_stats *s, size_t width, struct lu_buf *out);

/* Print it. False if standard error is no terminal. */
bool lu_summary(const struct lu_stats *s, const struct lu_args *args, const char *noun,
		const char *verb);

#endif
