#ifndef LUCIE_LANGID_CLD2_SHIM_H
#define LUCIE_LANGID_CLD2_SHIM_H
/* A C interface to CLD2, which is C++. Stateless and thread-safe. */
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lu_cld2 {
	const char *code[3]; /* CLD2's own codes, static; "un": unknown */
	int percent[3];	     /* of the bytes of letters, largest first */
	bool reliable;
};

/* p: valid UTF-8 without control characters, at most INT_MAX bytes. */
void lu_cld2_detect(const char *p, int n, struct lu_cld2 *out);

/* CLD2's own code of language i, static; NULL past the last. Not all of them are detected. */
const char *lu_cld2_code(int i);

#ifdef __cplusplus
}
#endif

#endif
