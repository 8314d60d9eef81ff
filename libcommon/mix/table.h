#ifndef LUCIE_MIX_TABLE_H
#define LUCIE_MIX_TABLE_H
/*
 * The composition of a mix, before and after: as text for people, as JSON for the accounting line.
 *
 *	struct lu_mix_view v = { .recipe = &r, .group = rows, .unit = "tokens" };
 *	lu_mix_text(&v, &out);
 *	lu_mix_json(&v, &out);
 *
 * The rows are the caller's: one for each group of the recipe, in its order, and one for each
 * language of the documents, if there are documents. The tables by class (`as` in lucie-recipe(5))
 * and of the targets are sums of the groups' rows.
 */
#include "libcommon/mix/recipe.h"

#define LU_MIX_UNKNOWN UINT64_MAX /* a number that a recipe without documents does not state */

struct lu_mix_row {
	struct lu_str name;
	uint64_t docs, size, docs_after, size_after;
	uint64_t quota; /* of a group */
};

struct lu_mix_view {
	const struct lu_recipe *recipe;
	const struct lu_mix_row *group; /* recipe->group.n of them */
	struct lu_mix_row *lang;	/* sorted here */
	size_t langs;
	const char *unit;  /* "tokens" */
	bool by_documents; /* the recipe counts documents, sizes are tokens all the same */
};

/* Append the tables: by group, by language, by class in each dimension, of the targets, and the
 * number of sequences. When memory is out the buffer has failed. */
void lu_mix_text(const struct lu_mix_view *v, struct lu_buf *out);
/* Append the member "mix":{"measure":...,"groups":[...],"languages":[...]}, with "classes" and
 * "targets" where the recipe has them. */
void lu_mix_json(const struct lu_mix_view *v, struct lu_buf *out);

#endif
