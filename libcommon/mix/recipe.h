#ifndef LUCIE_MIX_RECIPE_H
#define LUCIE_MIX_RECIPE_H
/*
 * A recipe as written: lucie-recipe(5).
 *
 *	struct lu_recipe r;
 *	lu_recipe_read(&r, "mix.ini", &err);
 *	i = lu_recipe_match(&r, value);		index of the document's group, or LU_RECIPE_NONE
 *	lu_recipe_release(&r);
 *
 * Matching is read-only: any number of threads.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/conf.h"

enum lu_mix_unit { LU_MIX_TOKENS, LU_MIX_BYTES, LU_MIX_CHARACTERS, LU_MIX_DOCUMENTS };
#define LU_MIX_UNITS "tokens|bytes|characters|documents"

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

enum lu_amount { LU_REST, LU_SHARE, LU_EPOCHS };

struct lu_recipe_group {
	const char *name;
	const char *selector[LU_SELECTORS]; /* NULL: any */
	enum lu_amount kind;
	uint64_t amount;     /* LU_SHARE: of LU_SHARE_ONE; LU_EPOCHS: of LU_EPOCH_ONE */
	uint64_t max_epochs; /* of LU_EPOCH_ONE; UINT64_MAX: no bound */
};

struct lu_recipe {
	struct lu_conf conf; /* the strings live here */
	enum lu_mix_unit unit;
	uint64_t total; /* 0: not given */
	struct lu_recipe_group *group;
	size_t groups;
};

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err) LU_CHECKED;
void lu_recipe_release(struct lu_recipe *r);

#define LU_RECIPE_NONE UINT32_MAX
/* value[s] is the document's member for selector s; .p NULL where it has none, which only a group
 * without that selector takes. */
uint32_t lu_recipe_match(const struct lu_recipe *r, const struct lu_str value[LU_SELECTORS]);

/* "33.5" as a whole number of 10^-decimals, exactly; more decimals, signs and overflow fail. */
int lu_decimal(const char *s, unsigned decimals, uint64_t *out, struct lu_err *err) LU_CHECKED;

#endif
