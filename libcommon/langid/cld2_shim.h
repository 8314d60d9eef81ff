#ifndef LUCIE_LANGID_CLD2_SHIM_H
#define LUCIE_LANGID_CLD2_SHIM_H
/*
 * A C interface to CLD2, which is C++. Stateless and thread-safe.
 *
 * Debian's libcld2 has the program and tables of 83 languages, libcld2_full tables of 175 under the
 * same names. Linked first, the latter are used: tools/module.mk.
 */
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lu_cld2 {
	const char *code[3]; /* CLD2's own codes, static; "un": unknown */
	int percent[3];	     /* of the bytes of letters, largest first */
	double density[3]; /* score for 1,024 bytes of letters: some hundreds in a text of that language */
	const char *best; /* the language of the text; "un" where CLD2 is not sure */
};

/* p: valid UTF-8 without control characters, at most INT_MAX bytes. `hint`: ISO 639-1 code of the
 * language that is likely, or NULL. `guess`: name a language where CLD2 is not sure. */
void lu_cld2_detect(const char *p, int n, const char *hint, bool guess, struct lu_cld2 *out);

/* CLD2's own code of language i, static; NULL past the last. Not all of them are detected. */
const char *lu_cld2_code(int i);

#ifdef __cplusplus
}
#endif

#endif
