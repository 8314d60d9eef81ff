#ifndef LUCIE_BPETRAIN_LANG_NAMES_H
#define LUCIE_BPETRAIN_LANG_NAMES_H
/*
 * Names of languages, numbered in the order in which they came. The empty name stands for documents
 * without a language.
 *
 *	struct lu_lang_names l = { 0 };
 *	uint16_t i;
 *	if (lu_lang_names_add(&l, name, &i, &err) < 0) ...	found or added
 *	lu_lang_names_sort(&l);					by bytes: the numbers change
 *	lu_lang_names_release(&l);
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/words.h"

struct lu_lang_names {
	struct LU_VEC(struct lu_str) name;
	struct lu_arena arena;
	struct lu_map map;
};

/* Fails beyond LU_WORD_GROUPS names. The name need not outlive the call. */
int lu_lang_names_add(struct lu_lang_names *l, struct lu_str name, uint16_t *number,
		struct lu_err *err) LU_CHECKED;
/* No name can be added or found afterwards: lu_lang_names_number() searches instead. */
void lu_lang_names_sort(struct lu_lang_names *l);
/* The number of a name among sorted ones, which must be there. */
uint16_t lu_lang_names_number(const struct lu_lang_names *l, struct lu_str name);
void lu_lang_names_release(struct lu_lang_names *l);

#endif
