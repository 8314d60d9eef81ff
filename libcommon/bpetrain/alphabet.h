#ifndef LUCIE_BPETRAIN_ALPHABET_H
#define LUCIE_BPETRAIN_ALPHABET_H
/*
 * An initial alphabet from a file: characters that get a piece whether or not the text has them.
 *
 *	struct lu_alphabet a;
 *	lu_alphabet_read(&a, "alphabet.txt", &preset, &err);
 *	preset.alphabet = a.c;
 *	preset.alphabet_chars = a.n;
 *	... train ...
 *	lu_alphabet_release(&a);
 *
 * The file is a list or a table, both in UTF-8:
 *  - a list has one character a line, as itself or as U+XXXX;
 *  - a table has four columns separated by tabs: the character, which is not read; its code point
 *    in decimal; its general category; its count. The first line of a table has three tabs.
 *
 * A list is taken whole. Of a table the most frequent characters are taken, at most
 * preset.limit_alphabet (0: all), from those that Lucie 7B's tokenizer would have chosen: no seeds
 * and none that the preset's normal form changes; not the categories Cf and Mn; and no category
 * whose second letter is c or o, except numbers (N), punctuation (P), Sc and So. So letters without
 * case, such as Chinese characters, are not taken.
 *
 * The preset lucie has no piece that no text gives: it leaves out the space and the characters that
 * its normal form changes, from a list too.
 */
#include "libcommon/bpetrain/preset.h"

struct lu_alphabet {
	uint32_t *c; /* distinct */
	size_t n;
	size_t unreachable; /* left out of a list */
};

/* At most 64 MiB. */
int lu_alphabet_read(struct lu_alphabet *a, const char *path, const struct lu_preset *p,
		struct lu_err *err) LU_CHECKED;
void lu_alphabet_release(struct lu_alphabet *a);

#endif
