#ifndef LUCIE_DEDUP_CANONICAL_H
#define LUCIE_DEDUP_CANONICAL_H
/* The canonical form of a text for --fold: texts that look the same to a reader get the same. */
#include "libcommon/base/buf.h"

struct lu_canonical_scratch {
	struct lu_buf a, b;
};

/* Append s in NFC with full case folding, each run of White_Space as one blank, none at either
 * end. Accents stay: "peche" and "pêche" differ. `s` is valid UTF-8; the scratch starts from { 0 }
 * and may be used for any number of texts. */
int lu_canonical(struct lu_canonical_scratch *scratch, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
void lu_canonical_release(struct lu_canonical_scratch *scratch);

#endif
