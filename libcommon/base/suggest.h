#ifndef LUCIE_BASE_SUGGEST_H
#define LUCIE_BASE_SUGGEST_H
/*
 * "Did you mean": the known name that a mistyped one is closest to.
 *
 *	static const char *const known[] = { "train", "valid" };
 *	const char *meant = lu_suggest("trian", known, 2);		"train"
 */
#include <stddef.h>

/* Return the first of the n names with the fewest edits from `name`, or NULL if none is close. An
 * edit inserts, deletes or replaces a byte or exchanges two neighbours; case and '-' against '_' do
 * not count. Close is one edit for each three bytes of the longer name, and at least one. */
const char *lu_suggest(const char *name, const char *const *known, size_t n);

#endif
