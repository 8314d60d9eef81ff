#ifndef LUCIE_BPETRAIN_SHARES_H
#define LUCIE_BPETRAIN_SHARES_H
/*
 * Shares of the training text by language, as --balance gives them: "fr=33,en=33.5,de=4", in per
 * cent with up to three decimals. What is left to 100 is the share of all other languages.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LU_SHARES 200	    /* languages at most */
#define LU_SHARE_ALL 100000 /* 100 %: shares are in thousandths of a per cent */

struct lu_share {
	char lang[60];
	uint32_t share;
};

struct lu_shares {
	struct lu_share item[LU_SHARES];
	size_t n;
	uint32_t rest; /* of the other languages */
};

/* Refuses a language given twice and a sum above 100. */
int lu_shares_parse(const char *text, struct lu_shares *out, struct lu_err *err) LU_CHECKED;

#endif
