#ifndef LUCIE_SYS_TERMINAL_H
#define LUCIE_SYS_TERMINAL_H
/*
 * The terminal on standard error: how wide it is, and which program of a pipeline draws on it.
 */
#include <stdbool.h>
#include <stddef.h>

/* Columns of the terminal on standard error as it is now; 0 if it is none. */
size_t lu_terminal_columns(void);

/*
 * True if this is the program that shows the progress of its pipeline.
 *
 * Standard error is a terminal and this a foreground process. Of the programs of one pipeline it is
 * the last of the toolkit that shows it, since what is done is done once it comes out there. So a
 * program whose standard output is a pipe follows the pipe, through /proc and from reader to reader
 * (zstd, tee, ...): if the way leads to another program of the toolkit, or ends on a terminal, where
 * a line that is rewritten would be among the data or in a pager, or is lost, the answer is no.
 *
 * No state is shared: each program comes to the same answer by itself. Ask once all programs have
 * started; the answer is not for the first moments.
 */
bool lu_terminal_is_ours(void);

#endif
