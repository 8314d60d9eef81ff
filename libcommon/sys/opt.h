#ifndef LUCIE_SYS_OPT_H
#define LUCIE_SYS_OPT_H
/*
 * Command-line options and settings as a table.
 *
 * One row per option makes the parser, --help, the shell completions, the keys of a configuration
 * file and the list that the lint compares with the manual page. A row says where in the program's
 * configuration struct the value goes:
 *
 *	struct config {
 *		struct lu_std std;
 *		uint64_t min_chars;
 *		enum form form;
 *		bool strict;
 *	};
 *	static const struct lu_enum forms[] = {
 *		{ "nfc", FORM_NFC },
 *		{ "none", FORM_NONE },
 *		LU_ENUM_END,
 *	};
 *	static const struct lu_opt opts[] = {
 *		LU_OPT_U64(0, "min-chars", struct config, min_chars, "N", "drop shorter texts"),
 *		LU_OPT_ENUM(0, "form", struct config, form, forms, "Unicode form"),
 *		LU_OPT_FLAG(0, "strict", struct config, strict, "refuse what is unsure"),
 *		LU_OPT_END,
 *	};
 *
 * The arguments of a row: short letter or 0, long name, struct, member, argument's name, limits,
 * help. An option that is not used leaves its member alone, so the initialiser of the struct holds
 * the defaults. Where an option is repeated the last value wins; LIST collects them all.
 *
 * Where a program must know whether an option was used, the row's _GIVEN form names a bool member
 * that becomes true: LU_OPT_U64_GIVEN(0, "max", struct config, max, max_given, "N", "at most").
 *
 * ENUM stores the enum's own value; help and errors list the names of its table.
 *
 * An option that was renamed keeps its old name for one version as an alias, which --help, the
 * completions and the page do not show: LU_OPT_ALIAS("vocab", "vocab-size"). Using it works and
 * makes a note, "--vocab is now --vocab-size". LU_OPT_ALIAS_LETTER('n', "vocab-size") is the same
 * for a letter. LU_OPT_GONE("table", "a table is what is printed now") accepts an option that needs
 * no successor and ignores it, with that note.
 *
 * A row whose member has another type than the row stores does not compile.
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
	LU_OPT_T_ENUM,	 /* an enum: the value that a table gives to the name */
	LU_OPT_T_LIST,	 /* struct lu_list, one more at each use */
	LU_OPT_T_COUNT,	 /* int, one more at each use, no argument */
	LU_OPT_T_ALIAS,	 /* an old name: no value of its own */
};

/* The values of a LIST, in the order given. The strings point into argv. */
struct lu_list {
	const char **item;
	size_t n;
};
void lu_list_release(struct lu_list *l);

/* The name of a value of an enum. A table of them ends with LU_ENUM_END. */
struct lu_enum {
	const char *name;
	int value;
};
/* clang-format off */
#define LU_ENUM_END { NULL, 0 }
/* clang-format on */

struct lu_opt {
	enum lu_opt_type type;
	int letter;		      /* 0: long form only */
	const char *name;	      /* long form, without dashes; NULL: an alias of a letter */
	size_t offset;		      /* of the value in the configuration struct */
	const char *arg;	      /* argument's name in the help; ALIAS: today's long form */
	const char *help;	      /* one line, lower case, no full stop */
	double lo, hi;		      /* limits of INT and DOUBLE, inclusive */
	size_t given;		      /* offset of a bool set when the option is used; 0: none */
	const struct lu_enum *values; /* ENUM; STR and LIST: what completion offers, or NULL */
};

/* clang-format off */
/* Offset of a member, which must have this type. gcc and clang give an enum the size of an int. */
#define LU_OPT_AT(S, f, type) _Generic(((S *)0)->f, type: offsetof(S, f))
#define LU_OPT_AT_ENUM(S, f) \
	(offsetof(S, f) + 0 * sizeof(char[sizeof(((S *)0)->f) == sizeof(int) ? 1 : -1]))

#define LU_OPT_ROW(t, at, l, n, a, h, lo, hi, given) \
	{ LU_OPT_T_##t, l, n, at, a, h, lo, hi, given, NULL }
#define LU_OPT_FLAG(l, n, S, f, h) \
	LU_OPT_ROW(FLAG, LU_OPT_AT(S, f, bool), l, n, NULL, h, 0, 0, 0)
#define LU_OPT_COUNT(l, n, S, f, h) \
	LU_OPT_ROW(COUNT, LU_OPT_AT(S, f, int), l, n, NULL, h, 0, 0, 0)
#define LU_OPT_STR(l, n, S, f, a, h) \
	LU_OPT_ROW(STR, LU_OPT_AT(S, f, const char *), l, n, a, h, 0, 0, 0)
#define LU_OPT_LIST(l, n, S, f, a, h) \
	LU_OPT_ROW(LIST, LU_OPT_AT(S, f, struct lu_list), l, n, a, h, 0, 0, 0)
/* The same with names that completion offers; the program says what it takes. */
#define LU_OPT_STR_OF(l, n, S, f, a, values, h) \
	{ LU_OPT_T_STR, l, n, LU_OPT_AT(S, f, const char *), a, h, 0, 0, 0, values }
#define LU_OPT_LIST_OF(l, n, S, f, a, values, h) \
	{ LU_OPT_T_LIST, l, n, LU_OPT_AT(S, f, struct lu_list), a, h, 0, 0, 0, values }
#define LU_OPT_U64(l, n, S, f, a, h) \
	LU_OPT_ROW(U64, LU_OPT_AT(S, f, uint64_t), l, n, a, h, 0, 0, 0)
#define LU_OPT_SIZE(l, n, S, f, a, h) \
	LU_OPT_ROW(SIZE, LU_OPT_AT(S, f, uint64_t), l, n, a, h, 0, 0, 0)
#define LU_OPT_INT(l, n, S, f, a, lo, hi, h) \
	LU_OPT_ROW(INT, LU_OPT_AT(S, f, int), l, n, a, h, lo, hi, 0)
#define LU_OPT_DOUBLE(l, n, S, f, a, lo, hi, h) \
	LU_OPT_ROW(DOUBLE, LU_OPT_AT(S, f, double), l, n, a, h, lo, hi, 0)
#define LU_OPT_ENUM(l, n, S, f, values, h) \
	{ LU_OPT_T_ENUM, l, n, LU_OPT_AT_ENUM(S, f), NULL, h, 0, 0, 0, values }

/* The same rows for options that also set a bool, the member g, when they are used. */
#define LU_OPT_STR_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(STR, LU_OPT_AT(S, f, const char *), l, n, a, h, 0, 0, LU_OPT_AT(S, g, bool))
#define LU_OPT_U64_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(U64, LU_OPT_AT(S, f, uint64_t), l, n, a, h, 0, 0, LU_OPT_AT(S, g, bool))
#define LU_OPT_SIZE_GIVEN(l, n, S, f, g, a, h) \
	LU_OPT_ROW(SIZE, LU_OPT_AT(S, f, uint64_t), l, n, a, h, 0, 0, LU_OPT_AT(S, g, bool))
#define LU_OPT_INT_GIVEN(l, n, S, f, g, a, lo, hi, h) \
	LU_OPT_ROW(INT, LU_OPT_AT(S, f, int), l, n, a, h, lo, hi, LU_OPT_AT(S, g, bool))
#define LU_OPT_DOUBLE_GIVEN(l, n, S, f, g, a, lo, hi, h) \
	LU_OPT_ROW(DOUBLE, LU_OPT_AT(S, f, double), l, n, a, h, lo, hi, LU_OPT_AT(S, g, bool))
#define LU_OPT_ENUM_GIVEN(l, n, S, f, g, values, h) \
	{ LU_OPT_T_ENUM, l, n, LU_OPT_AT_ENUM(S, f), NULL, h, 0, 0, LU_OPT_AT(S, g, bool), values }

/* Options of the version before; see above. */
#define LU_OPT_ALIAS(old, new) { LU_OPT_T_ALIAS, 0, old, 0, new, NULL, 0, 0, 0, NULL }
#define LU_OPT_ALIAS_LETTER(l, new) { LU_OPT_T_ALIAS, l, NULL, 0, new, NULL, 0, 0, 0, NULL }
#define LU_OPT_GONE(old, note) { LU_OPT_T_ALIAS, 0, old, 0, NULL, note, 0, 0, 0, NULL }

#define LU_OPT_END { LU_OPT_T_END, 0, NULL, 0, NULL, NULL, 0, 0, 0, NULL }
/* clang-format on */

/* Store one value given as text into the struct at `base`; FLAG takes NULL or yes and no. The
 * configuration reader uses it too, so a setting means the same in a file and on the command line.
 * On failure the sentence quotes the value, and nothing has been stored. */
int lu_opt_store(const struct lu_opt *o, void *base, const char *value,
		struct lu_err *err) LU_CHECKED;

/* Append the current value as text that lu_opt_store() would accept (LIST: items with blanks
 * between), for printing an effective configuration. */
void lu_opt_format(const struct lu_opt *o, const void *base, struct lu_buf *out);

/* Append the argument as the help shows it: "FILE", "a|b|c", nothing for an option without. */
void lu_opt_arg(const struct lu_opt *o, struct lu_buf *out);

/* True if the option takes an argument on the command line. */
bool lu_opt_has_arg(const struct lu_opt *o);

/* Row of the table with this name, or NULL. */
const struct lu_enum *lu_enum_find(const struct lu_enum *values, struct lu_str name);
/* Name of the value, or NULL. */
const char *lu_enum_name(const struct lu_enum *values, int value);
/* Append the names as "a|b|c". */
void lu_enum_list(const struct lu_enum *values, struct lu_buf *out);

#endif
