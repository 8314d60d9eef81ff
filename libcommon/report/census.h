#ifndef LUCIE_REPORT_CENSUS_H
#define LUCIE_REPORT_CENSUS_H
/*
 * Documents counted by language, with a histogram of their lengths.
 *
 *	struct lu_census c = { 0 };
 *	lu_census_add(&c, lang, &size, &err);	for each document; any order gives the same
 *	lu_census_text(&c, &out);  lu_census_json(&c, &out);
 *	lu_census_release(&c);
 *
 * Bin i of the histogram counts texts of 2^i to 2^(i+1) - 1 characters, empty ones with bin 0.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_CENSUS_BINS 40
/* More languages than this are counted as "other". */
#define LU_CENSUS_LANGS 1000

struct lu_census_size {
	uint64_t bytes, characters;
	uint64_t tokens;
	bool has_tokens; /* the document says how many */
};

struct lu_census_row {
	char *lang;
	uint64_t docs, bytes, characters, tokens;
	uint64_t without_tokens; /* documents that do not say */
	uint64_t bin[LU_CENSUS_BINS];
};

struct lu_census {
	struct lu_census_row *row;
	size_t rows, last;
};

/* An empty or absent language (.p NULL) counts as "none". */
int lu_census_add(struct lu_census *c, struct lu_str lang, const struct lu_census_size *size,
		struct lu_err *err) LU_CHECKED;
/* Largest first, by characters; both sort the rows. */
void lu_census_text(struct lu_census *c, struct lu_buf *out);
/* One object a line: for lucie-stats --table. */
void lu_census_json(struct lu_census *c, struct lu_buf *out);
void lu_census_release(struct lu_census *c);

#endif
