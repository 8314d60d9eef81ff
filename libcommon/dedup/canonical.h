#ifndef LUCIE_DEDUP_CANONICAL_H
#define LUCIE_DEDUP_CANONICAL_H
/* The form in which texts are compared that differ only in ways a reader does not see. */
#include "libcommon/base/buf.h"

struct lu_canonical_work {
	struct lu_buf a, b;
};

/* Appends NFC with full case folding, every run of White_Space as one blank, none at the ends.
 * Accents stay: "peche" is not "pêche". `s` is valid UTF-8; `w` is scratch, start from { 0 }. */
int lu_canonical(struct lu_canonical_work *w, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
void lu_canonical_release(struct lu_canonical_work *w);

#endif
