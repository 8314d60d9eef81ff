#ifndef LUCIE_MIX_ALLOW_H
#define LUCIE_MIX_ALLOW_H
/*
 * Licences that a mix may have, and an account of what they keep out.
 *
 *	struct lu_allow a = { .patterns = "CC0-1.0, CC-BY-*" };
 *	if (!lu_allow_match(&a, license) && lu_allow_refuse(&a, license, &err) < 0) ...
 *	lu_allow_tell(&a, &out);	"2 documents of CC-BY-NC-4.0, 1 of none"
 *	lu_allow_release(&a);
 */
#include "libcommon/mix/langs.h"

struct lu_allow {
	const char *patterns; /* with commas; NULL: any licence, and none */
	uint64_t docs;	      /* refused */
	struct lu_langs refused;
};

/* True if a pattern is empty, which no licence matches. */
bool lu_allow_has_empty(const char *patterns);
/* A document without a licence has .p NULL or is empty, and matches no pattern. Any thread. */
bool lu_allow_match(const struct lu_allow *a, struct lu_str license);
/* Count a document that is refused. */
int lu_allow_refuse(struct lu_allow *a, struct lu_str license, struct lu_err *err) LU_CHECKED;
/* Append the licences refused with their documents, the most frequent first. */
void lu_allow_tell(const struct lu_allow *a, struct lu_buf *out);
void lu_allow_release(struct lu_allow *a);

#endif
