#ifndef LUCIE_TOKENIZER_TOKWORDS_H
#define LUCIE_TOKENIZER_TOKWORDS_H
/*
 * A count of distinct strings: the words of a training text.
 *
 *	struct lu_words w = { 0 };
 *	lu_words_add(&w, word, 1, &err);
 *	lu_words_add_all(&w, &other, &err);	sums of a second count
 *	for (size_t i = 0; i < w.n; i++) ... lu_words_at(&w, i), w.entry[i].count
 *	lu_words_release(&w);
 *
 * Memory: the bytes of each distinct string once, and 40 to 56 bytes more. Entries stand in the
 * order of their first appearance. One thread at a time; count in several and add them up.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_word {
	uint64_t hash, at, count;
	uint32_t n;
};

struct lu_words {
	char *bytes;
	size_t used, cap;
	struct lu_word *entry;
	size_t n, entry_cap;
	uint32_t *slot; /* open addressing; index + 1, 0 empty */
	size_t slots;
};

int lu_words_add(
	struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err) LU_CHECKED;
int lu_words_add_all(
	struct lu_words *w, const struct lu_words *from, struct lu_err *err) LU_CHECKED;
void lu_words_release(struct lu_words *w);
static inline struct lu_str lu_words_at(const struct lu_words *w, size_t i)
{
	return (struct lu_str){ w->bytes + w->entry[i].at, w->entry[i].n };
}

#endif
