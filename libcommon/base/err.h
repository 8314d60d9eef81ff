#ifndef LUCIE_BASE_ERR_H
#define LUCIE_BASE_ERR_H
/*
 * Errors: one complete sentence, in a struct that the caller owns.
 *
 * A library function that can fail takes a struct lu_err as its last argument. It returns 0 on
 * success (or a count, or 1 for "one more"), and -1 after filling the struct on failure. It never
 * prints, never exits and keeps no global state. The struct is written on failure only, so it need
 * not be initialised, and its contents mean nothing after a success.
 *
 *	fd = open(path, O_RDONLY | O_CLOEXEC);
 *	if (fd < 0)
 *		return lu_err_sys(err, errno, "%s", path);
 *	if (n < HEADER_SIZE)
 *		return lu_err_set(err, "%s: %zu bytes are too few for a header", path, n);
 *	p = malloc(n);
 *	if (!p)
 *		return lu_err_nomem(err);
 *	if (parse(p, n, err) < 0)
 *		return lu_err_wrap(err, "%s:%zu", path, line);
 *
 * All of these return -1. Callers pass an error on, with context in front where it helps; the
 * program prints it once, in lu_tool_finish(), as "tool: sentence".
 *
 * A sentence starts in lower case and has no full stop. It names the file and line first, quotes
 * the value that is wrong, says the way out where there is one, and ends with the system's reason:
 * "x.jsonl:12: no \"text\" member", "out/a.bin: No space left on device". A sentence
 * longer than `msg` loses its middle, so that both the file and the reason stay.
 *
 * `errnum` tells causes apart: an errno value where the system refused, ENOMEM where memory is out,
 * 0 where the input is wrong. Decide by it, never by the text.
 */
#include <stddef.h>

#define LU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LU_CHECKED __attribute__((warn_unused_result))

struct lu_err {
	char msg[768];
	int errnum;
};

/* Set the sentence; errnum becomes 0. */
int lu_err_set(struct lu_err *err, const char *fmt, ...) LU_PRINTF(2, 3);

/* Set the sentence, followed by ": " and the system's text for `errnum`. */
int lu_err_sys(struct lu_err *err, int errnum, const char *fmt, ...) LU_PRINTF(3, 4);

/* Put "context: " in front of the sentence; errnum is kept. */
int lu_err_wrap(struct lu_err *err, const char *fmt, ...) LU_PRINTF(2, 3);

/* Set "out of memory" and ENOMEM: the error of every failed allocation. */
int lu_err_nomem(struct lu_err *err);

/* Replace control characters by '?' in place: text from a file or a command line must not move the
 * cursor of the terminal that shows it. */
void lu_mask_controls(char *text);

/* Check an invariant of our own code, also in release builds; aborts. Never for bad input. */
#define LU_ASSERT(cond) ((cond) ? (void)0 : lu_assert_failed(#cond, __FILE__, __LINE__))
void lu_assert_failed(const char *cond, const char *file, int line) __attribute__((noreturn));

#endif
