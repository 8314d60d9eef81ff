#ifndef LUCIE_REPORT_CENSUS_H
#define LUCIE_REPORT_CENSUS_H
/*
 * Documents counted by a name (language, source, licence, domain), with a histogram of their lengths
 * where it is asked for.
 *
 *	struct lu_census c = { 0 };
 *	lu_census_init(&c, LU_CENSUS_LANG, &room);
 *	lu_census_add(&c, name, &size, &err);	for each document; the order does not matter
 *	lu_census_finish(&c, &err);		once
 *	lu_census_text(&c, &out);  lu_census_json(&c, &out);
 *	lu_census_release(&c);
 *
 * Counts are exact for any number of names, within a bound of memory (report/name_sums.h); the rows are
 * those with the most characters. An empty name is a row of its own: "none", and among licences
 * "unknown", which also is there when it counts nothing.
 *
 * Bin i of the histogram counts texts of 2^i to 2^(i+1) - 1 characters; bin 0 also the empty ones.
 * Of the documents of a shard, `characters` are tokens.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/report/name_sums.h"

#define LU_CENSUS_BINS 40

enum lu_census_what { LU_CENSUS_LANG, LU_CENSUS_SOURCE, LU_CENSUS_LICENSE, LU_CENSUS_DOMAIN };
#define LU_CENSUS_WHATS 4

struct lu_census_size {
	uint64_t bytes, characters;
	uint64_t tokens;
	bool has_tokens; /* the document has a number of tokens */
};

/* Of which no member may be added in front of another: name_sums.h has them as values. */
struct lu_census_sum {
	uint64_t docs, bytes, characters, tokens;
	uint64_t without_tokens; /* documents */
	uint64_t bin[LU_CENSUS_BINS];
};

struct lu_census_row {
	struct lu_str name; /* "none" and "unknown" for documents that have none */
	bool is_rest;	    /* the sum of the names without a row */
	struct lu_census_sum sum;
};

/* What a table may use: bytes, 0 for no bound; and how many names get a row. */
struct lu_census_room {
	uint64_t memory;
	const char *tmpdir;
	size_t top;
};

struct lu_census {
	enum lu_census_what what;
	bool in_tokens; /* lengths are tokens; set it before the text is made */
	struct lu_sums names;
	/* After finish: by characters in descending order, the rest last. */
	struct LU_VEC(struct lu_census_row) row;
	struct lu_census_sum all;
	char rest[64]; /* name of the last row */
};

void lu_census_init(
		struct lu_census *c, enum lu_census_what what, const struct lu_census_room *room);
/* A licence that says that nobody knows ("unknown", SPDX's NOASSERTION) counts as none. */
int lu_census_add(struct lu_census *c, struct lu_str name, const struct lu_census_size *size,
		struct lu_err *err) LU_CHECKED;
int lu_census_finish(struct lu_census *c, struct lu_err *err) LU_CHECKED;
/* The row of a name, or NULL. *exact: false if the name may be among the rest. */
const struct lu_census_row *lu_census_find(
		const struct lu_census *c, struct lu_str name, bool *exact);
/* "language", "source", "licence", "domain"; and the member of a record. */
const char *lu_census_title(const struct lu_census *c);
const char *lu_census_member(enum lu_census_what what);

/* A table; of languages with the histogram below. */
void lu_census_text(const struct lu_census *c, struct lu_buf *out);
/* One object a line, as lucie-stats --table reads it. */
void lu_census_json(const struct lu_census *c, struct lu_buf *out);
/* An array of such objects as a member of the object that is open. */
void lu_census_json_array(const struct lu_census *c, const char *key, struct lu_buf *out);
void lu_census_release(struct lu_census *c);

#endif
