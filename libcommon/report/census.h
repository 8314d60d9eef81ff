#ifndef LUCIE_REPORT_CENSUS_H
#define LUCIE_REPORT_CENSUS_H
/*
 * Documents counted by language, with a histogram of their lengths.
 *
 *	struct lu_census c = { 0 };
 *	lu_census_add(&c, lang, &size, &err);	for each document; the order does not matter
 *	lu_census_text(&c, &out);  lu_census_json(&c, &out);
 *	lu_census_release(&c);
 *
 * Bin i of the histogram counts texts of 2^i to 2^(i+1) - 1 characters; bin 0 also the empty ones.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

#define LU_CENSUS_BINS 40
/* Further languages are counted as "other". */
#define LU_CENSUS_LANGS 1000

struct lu_census_size {
	uint64_t bytes, characters;
	uint64_t tokens;
	bool has_tokens; /* the document has a number of tokens */
};

struct lu_census_row {
	char *lang;
	uint64_t docs, bytes, characters, tokens;
	uint64_t without_tokens; /* documents */
	uint64_t bin[LU_CENSUS_BINS];
};

struct lu_census {
	struct LU_VEC(struct lu_census_row) row;
	size_t last; /* row of the last document */
};

/* An empty language counts as "none". */
int lu_census_add(struct lu_census *c, struct lu_str lang, const struct lu_census_size *size,
		struct lu_err *err) LU_CHECKED;
/* Sort the rows by characters in descending order; returns their sum, without a name. */
struct lu_census_row lu_census_sort(struct lu_census *c);
/* Both sort the rows. */
void lu_census_text(struct lu_census *c, struct lu_buf *out);
/* One object a line, as lucie-stats --table reads it. */
void lu_census_json(struct lu_census *c, struct lu_buf *out);
void lu_census_release(struct lu_census *c);

#endif
