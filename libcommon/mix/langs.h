#ifndef LUCIE_MIX_LANGS_H
#define LUCIE_MIX_LANGS_H
/*
 * The languages of the documents of a mix, before and after.
 *
 *	struct lu_langs l = { 0 };
 *	lu_langs_add(&l, lang, size, &number, &err);	each document, in the order of the input
 *	lu_langs_count(&l, number, size, times);	its copies in the mix
 *	... lu_langs_row(&l, i) ...			for the table
 *	lu_langs_release(&l);
 */
#include "libcommon/mix/labels.h"
#include "libcommon/mix/recipe.h"
#include "libcommon/mix/table.h"

struct lu_langs_sum {
	uint64_t docs, size;		 /* available */
	uint64_t docs_after, size_after; /* in the mix */
};

struct lu_langs {
	struct lu_labels label;
	struct LU_VEC(struct lu_langs_sum) sum;
};

/* *number is that of the label, below LU_LABELS_MAX + 1. */
int lu_langs_add(struct lu_langs *l, struct lu_str lang, uint64_t size, uint32_t *number,
		struct lu_err *err) LU_CHECKED;
void lu_langs_count(struct lu_langs *l, uint32_t number, uint64_t size, uint64_t times);
/* The rows of all languages, malloc'd; NULL when memory is out. */
struct lu_mix_row *lu_langs_rows(const struct lu_langs *l);
/* Append a sentence that names the language patterns of the recipe that no document has, if any:
 * typing errors such as FR or french, which in a list are easily missed. */
void lu_langs_unused(const struct lu_langs *l, const struct lu_recipe *r, struct lu_buf *out);
/* Say why group i has no document, as far as its language tells. Returns -1. */
int lu_langs_no_document(
		const struct lu_langs *l, const struct lu_recipe *r, size_t i, struct lu_err *err);
void lu_langs_release(struct lu_langs *l);

#endif
