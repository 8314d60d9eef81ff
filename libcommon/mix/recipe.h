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

#include "libcommon/base/arena.h"
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

/* What a group counts as in a table or target: lang fr, category web. */
struct lu_class {
	const char *dimension, *value;
};
#define LU_CLASSES_MAX 8

struct lu_recipe_group {
	const char *name;
	const char *selector[LU_SELECTORS]; /* NULL: any */
	enum lu_amount kind;
	uint64_t amount;     /* SHARE: in parts of LU_SHARE_ONE; EPOCHS: of LU_EPOCH_ONE */
	uint64_t max_epochs; /* in parts of LU_EPOCH_ONE; UINT64_MAX: unlimited */
	uint64_t weight;     /* REST: divide by this in place of the size; 0: by the size */
	/* As stated, for a table without documents; 0: not stated. */
	uint64_t tokens, documents;
	struct lu_class as[LU_CLASSES_MAX];
	size_t classes;
};

/* A share of the mix that groups of some class have together. */
enum lu_target_op { LU_TARGET_IS, LU_TARGET_AT_MOST, LU_TARGET_AT_LEAST };
struct lu_target {
	const char *name; /* "lang fr", as written */
	const char *dimension, *patterns;
	enum lu_target_op op;
	uint64_t share; /* in parts of LU_SHARE_ONE */
};
/* "=", "<=", ">=" */
const char *lu_target_sign(enum lu_target_op op);

struct lu_recipe {
	struct lu_conf conf; /* owns the strings, with the arena */
	struct lu_arena arena;
	enum lu_mix_unit unit;
	uint64_t total;	      /* 0: not given */
	uint64_t context;     /* tokens of a sequence; 0: not given */
	uint64_t temperature; /* in parts of LU_EPOCH_ONE */
	bool stated;	      /* some group states its tokens */
	bool tables;	      /* some group says what it counts as */
	struct LU_VEC(struct lu_recipe_group) group;
	struct LU_VEC(struct lu_target) target;
};

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err) LU_CHECKED;
void lu_recipe_release(struct lu_recipe *r);
/* Set the temperature from text, as --temperature does. */
int lu_recipe_temperature(struct lu_recipe *r, const char *value, struct lu_err *err) LU_CHECKED;

#define LU_RECIPE_NONE UINT32_MAX
/* value[s] is the document's member for selector s; .p is NULL where it has none, which matches
 * only groups without that selector. */
uint32_t lu_recipe_match(const struct lu_recipe *r, const struct lu_str value[LU_SELECTORS]);

/* What the group counts as in this dimension: what its `as` says, or else its selector of that name
 * if that is one plain word. False: neither. */
bool lu_recipe_class(const struct lu_recipe_group *g, const char *dimension, struct lu_str *value);
/* True if the class is one of the target's. */
bool lu_target_match(const struct lu_target *t, struct lu_str value);
/* The size that the group states, in the recipe's unit; 0: none. */
uint64_t lu_recipe_stated(const struct lu_recipe *r, const struct lu_recipe_group *g);

/* Parse "33.5" exactly, as a whole number of 10^-decimals. More decimals, a sign and overflow are
 * errors. */
int lu_decimal(const char *s, unsigned decimals, uint64_t *out, struct lu_err *err) LU_CHECKED;

/* Parse a percentage, "33.5%", above 0 and up to 100, in parts of LU_SHARE_ONE. */
int lu_percentage(const char *s, uint64_t *out, struct lu_err *err) LU_CHECKED;

/* Take the next pattern, without the blanks around it, off a list with commas: the value of a
 * selector, or NULL, which is empty. */
bool lu_pattern_next(const char **list, struct lu_str *pattern);
/* True if the pattern, in which '*' matches any bytes, matches all of s. */
bool lu_pattern_match(struct lu_str pattern, struct lu_str s);

#endif
