#ifndef LUCIE_BPETRAIN_ALPHABET_H
#define LUCIE_BPETRAIN_ALPHABET_H
/*
 * The characters that a tokenizer shall have, from a file.
 *
 *	struct lu_alphabet a = { 0 };
 *	lu_alphabet_read(&a, "alphabet.txt", &preset, &err);
 *	preset.alphabet = a.c;
 *	preset.alphabets = a.n;
 *	... train ...
 *	lu_alphabet_release(&a);
 *
 * The file is a list or a table, both in UTF-8:
 *  - a list has one character a line, as itself or as U+XXXX;
 *  - a table has four columns with tabs between: the character, which is not read; its code point
 *    in decimal; its general category; how often it occurs. A first line with three tabs makes a
 *    file a table.
 *
 * All of a list is taken. Of a table the most frequent characters are taken, as many as
 * preset.limit_alphabet says (0: all), of those that Lucie 7B's tokenizer would have chosen:
 * not the ones that change in the preset's normal form or that are seeds; not the categories Cf
 * and Mn; and no category whose second letter is c or o, but for numbers (N), punctuation (P),
 * Sc and So. So letters without case, such as the Chinese ones, are not taken.
 *
 * The preset lucie has no piece that text cannot reach: the space and the characters that its
 * normal form changes are left out, also of a list.
 */
#include "libcommon/bpetrain/preset.h"

struct lu_alphabet {
	uint32_t *c; /* no character twice */
	size_t n;
	size_t unreachable; /* left out of a list */
};

/* At most 64 MiB. */
int lu_alphabet_read(struct lu_alphabet *a, const char *path, const struct lu_preset *p,
		struct lu_err *err) LU_CHECKED;
void lu_alphabet_release(struct lu_alphabet *a);

#endif
