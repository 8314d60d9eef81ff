#ifndef LUCIE_SYS_OPT_H
#define LUCIE_SYS_OPT_H
/*
 * One table of options makes the parser, --help, the shell completions and the list that the
 * lint compares with the manual page. A program describes its configuration struct by rows:
 *
 *	struct config {
 *		struct lu_std std;
 *		uint64_t min_chars;
 *		bool strict;
 *	};
 *	static const struct lu_opt opts[] = {
 *		LU_OPT_U64(0, "min-chars", struct config, min_chars, "N", "drop shorter texts"),
 *		LU_OPT_FLAG(0, "strict", struct config, strict, "refuse what is unsure"),
 *		LU_OPT_END,
 *	};
 *
 * Values are stored at the row's offset; what is not given keeps the default that the caller
 * put there. A repeated option: the last one wins, except LIST, which collects.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

enum lu_opt_type {
	LU_OPT_T_END,
	LU_OPT_T_FLAG,	 /* bool, no argument */
	LU_OPT_T_STR,	 /* const char *, points into argv */
	LU_OPT_T_INT,	 /* int, within lo..hi */
	LU_OPT_T_U64,	 /* uint64_t */
	LU_OPT_T_SIZE,	 /* uint64_t bytes, K M G T */
	LU_OPT_T_DOUBLE, /* double, within lo..hi */
	LU_OPT_T_CHOICE, /* int: index in "a|b|c" */
	LU_OPT_T_LIST,	 /* struct lu_list, one more at each use */
	LU_OPT_T_COUNT,	 /* int, one more at each use, no argument */
};

/* What LIST collects; the array is malloc'd, the strings point into argv. */
struct lu_list {
	const char **item;
	size_t n;
};
void lu_list_release(struct lu_list *l);

struct lu_opt {
	enum lu_opt_type type;
	int letter;	  /* 0: long form only */
	const char *name; /* long form, without dashes */
	size_t offset;	  /* of the value in the configuration struct */
	const char *arg;  /* argument's name in the help; the choices of CHOICE */
	const char *help; /* one line, lower case, no full stop */
	double lo, hi;	  /* limits of INT and DOUBLE, inclusive */
	size_t given;	  /* offset of a bool set when the option is used; 0: none */
};

/* clang-format off */
#define LU_OPT_ROW(t, l, n, S, f, a, h, lo, hi, given) \
	{ LU_OPT_T_##t, l, n, offsetof(S, f), a, h, lo, hi, given }
#define LU_OPT_FLAG(l, n, S, f, h) LU_OPT_ROW(FLAG, l, n, S, f, NULL, h, 0, 0, 0)
#define LU_OPT_COUNT(l, n, S, f, h) LU_OPT_ROW(COUNT, l, n, S, f, NULL, h, 0, 0, 0)
#define LU_OPT_STR(l, n, S, f, a, h) LU_OPT_ROW(STR, l, n, S, f, a, h, 0, 0, 0)
#define LU_OPT_LIST(l, n, S, f, a, h) LU_OPT_ROW(LIST, l, n, S, f, a, h, 0, 0, 0)
#define LU_OPT_U64(l, n, S, f, a, h) LU_OPT_ROW(U64, l, n, S, f, a, h, 0, 0, 0)
#define LU_OPT_SIZE(l, n, S, f, a, h) LU_OPT_ROW(SIZE, l, n, S, f, a, h, 0, 0, 0)
#define LU_OPT_INT(l, n, S, f, a, lo, hi, h) LU_OPT_ROW(INT, l, n, S, f, a, h, lo, hi, 0)
#define LU_OPT_DOUBLE(l, n, S, f, a, lo, hi, h) LU_OPT_ROW(DOUBLE, l, n, S, f, a, h, lo, hi, 0)
#define LU_OPT_CHOICE(l, n, S, f, choices, h) LU_OPT_ROW(CHOICE, l, n, S, f, choices, h, 0, 0, 0)

/* The same rows for options that also set a bool, the member g, when they are used. */
#define LU_OPT_STR_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(STR, l, n, S, f, a, h, 0, 0, offsetof(S, g))
#define LU_OPT_U64_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(U64, l, n, S, f, a, h, 0, 0, offsetof(S, g))
#define LU_OPT_SIZE_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(SIZE, l, n, S, f, a, h, 0, 0, offsetof(S, g))
#define LU_OPT_INT_GIVEN(l, n, S, f, g, a, lo, hi, h) \
	LU_OPT_ROW(INT, l, n, S, f, a, h, lo, hi, offsetof(S, g))
#define LU_OPT_DOUBLE_GIVEN(l, n, S, f, g, a, lo, hi, h) \
	LU_OPT_ROW(DOUBLE, l, n, S, f, a, h, lo, hi, offsetof(S, g))
#define LU_OPT_CHOICE_GIVEN(l, n, S, f, g, choices, h) \
	LU_OPT_ROW(CHOICE, l, n, S, f, choices, h, 0, 0, offsetof(S, g))

#define LU_OPT_END { LU_OPT_T_END, 0, NULL, 0, NULL, NULL, 0, 0, 0 }
/* clang-format on */

/* Stores one value given as text into the struct at `base`. The configuration reader uses it
 * too, so a setting means the same in a file and on the command line. */
int lu_opt_store(const struct lu_opt *o, void *base, const char *value,
		struct lu_err *err) LU_CHECKED;

/* Appends "what it is now" as text: for printing an effective configuration. */
void lu_opt_format(const struct lu_opt *o, const void *base, struct lu_buf *out);

/* Index of `value` among "a|b|c", or -1. */
int lu_choice_index(const char *choices, const char *value);
/* The i-th of "a|b|c". */
struct lu_str lu_choice_name(const char *choices, int i);

#endif
