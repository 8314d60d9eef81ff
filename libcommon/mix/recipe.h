#ifndef LUCIE_MIX_RECIPE_H
#define LUCIE_MIX_RECIPE_H
/*
 * A recipe as written: lucie-recipe(5).
 *
 *	struct lu_recipe r;
 *	lu_recipe_read(&r, "mix.ini", &err);
 *	i = lu_recipe_match(&r, value);		number of the document's group, or LU_RECIPE_NONE
 *	lu_recipe_release(&r);
 *
 * Matching only reads the recipe: any number of threads may share it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/conf.h"

/* What sizes and quotas are counted in: the recipe's `measure`. */
enum lu_mix_unit { LU_MIX_TOKENS, LU_MIX_BYTES, LU_MIX_CHARACTERS, LU_MIX_DOCUMENTS };
extern const struct lu_enum lu_mix_unit_names[];

enum lu_selector {
	LU_BY_SOURCE,
	LU_BY_LANG,
	LU_BY_CATEGORY,
	LU_BY_LICENSE,
	LU_BY_FILE,
	LU_SELECTORS
};
/* "source", "lang", ... */
const char *lu_selector_name(enum lu_selector s);

#define LU_SHARE_ONE UINT64_C(1000000000) /* 100 % */
#define LU_EPOCH_ONE UINT64_C(1000000)	  /* one epoch */

/* How much of a group is wanted. */
enum lu_amount {
	LU_AMOUNT_REST,	  /* its part of what the other groups leave */
	LU_AMOUNT_SHARE,  /* a share of the total */
	LU_AMOUNT_EPOCHS, /* a multiple of its size */
};

struct lu_recipe_group {
	const char *name;
	const char *selector[LU_SELECTORS]; /* NULL: any */
	enum lu_amount kind;
	uint64_t amount;     /* SHARE: in parts of LU_SHARE_ONE; EPOCHS: of LU_EPOCH_ONE */
	uint64_t max_epochs; /* in parts of LU_EPOCH_ONE; UINT64_MAX: unlimited */
};

struct lu_recipe {
	struct lu_conf conf; /* owns the strings */
	enum lu_mix_unit unit;
	uint64_t total; /* 0: not given */
	struct LU_VEC(struct lu_recipe_group) group;
};

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err) LU_CHECKED;
void lu_recipe_release(struct lu_recipe *r);

#define LU_RECIPE_NONE UINT32_MAX
/* value[s] is the document's member for selector s; .p is NULL where it has none, which matches
 * only groups without that selector. */
uint32_t lu_recipe_match(const struct lu_recipe *r, const struct lu_str value[LU_SELECTORS]);

/* Parse "33.5" exactly, as a whole number of 10^-decimals. More decimals, a sign and overflow are
 * errors. */
int lu_decimal(const char *s, unsigned decimals, uint64_t *out, struct lu_err *err) LU_CHECKED;

/* Take the next pattern, without the blanks around it, off a list with commas: the value of a
 * selector, or NULL, which is empty. */
bool lu_pattern_next(const char **list, struct lu_str *pattern);
/* True if the pattern, in which '*' matches any bytes, matches all of s. */
bool lu_pattern_match(struct lu_str pattern, struct lu_str s);

#endif
