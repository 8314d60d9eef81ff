#ifndef LUCIE_BASE_ERR_H
#define LUCIE_BASE_ERR_H
/*
 * Errors: one complete sentence, passed out by the caller's own struct.
 *
 * Library functions return 0 (or a count, or 1 for "got one") when they succeed and -1 when
 * they fail. On failure, and only then, they fill the struct lu_err they were given. They
 * never print, never exit and keep no global. The program prints the sentence once, in
 * lu_tool_finish(), as "tool: sentence".
 *
 *	struct lu_err err = { 0 };
 *	if (lu_in_open(&in, path, &err) < 0)
 *		return lu_err_wrap(&err, "recipe %s", name);	(always -1)
 *
 * A sentence starts in lower case, has no full stop, names the file (and the line) first and
 * ends with the operating system's reason where there is one: "x.jsonl:12: no \"text\" member".
 */
#include <stddef.h>

#define LU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LU_CHECKED __attribute__((warn_unused_result))

struct lu_err {
	char msg[768];
	int errnum; /* why the system refused; 0 when it is the input that is wrong */
};

/* Sets the sentence. Always returns -1, so that "return lu_err_set(...)" reads well. */
int lu_err_set(struct lu_err *err, const char *fmt, ...) LU_PRINTF(2, 3);

/* Same, followed by ": " and the text of the error number (an errno value). */
int lu_err_sys(struct lu_err *err, int errnum, const char *fmt, ...) LU_PRINTF(3, 4);

/* Puts "context: " before the sentence that is there. */
int lu_err_wrap(struct lu_err *err, const char *fmt, ...) LU_PRINTF(2, 3);

/* "out of memory", the one message of every failed allocation. */
int lu_err_nomem(struct lu_err *err);

/* Replace control characters in the string by '?': text from a file or a command line must not move
 * the cursor of the terminal that shows it. */
void lu_mask_controls(char *text);

/* A broken promise between two parts of our own code; never used for bad input. */
#define LU_ASSERT(cond) ((cond) ? (void)0 : lu_assert_failed(#cond, __FILE__, __LINE__))
void lu_assert_failed(const char *cond, const char *file, int line) __attribute__((noreturn));

#endif
