#ifndef LUCIE_DEDUP_KEEP_H
#define LUCIE_DEDUP_KEEP_H
/*
 * Which document of a cluster is kept: a policy, as --keep names it.
 *
 *	struct lu_keep keep;
 *
 *	if (lu_keep_parse(&keep, "newest:date", &err) < 0) ...
 *	if (lu_keep_rank(&keep, &doc->obj, doc->text.n, doc->arena, &rank, &err) < 0) ...
 *	lu_keep_release(&keep);
 *
 * The document with the lowest rank is kept, of equal ranks the first in the input. A rank is a
 * number of 64 bits, so that it can be sorted and stored in files; it depends on the record alone.
 *
 *	first			0 for all
 *	longest			by the bytes of the text, more first
 *	newest:FIELD		by a date (ISO 8601: 2026, 2026-11, 2026-11-29, 2026-11-29T17:01:15.25Z,
 *				with a blank for T, with Z or +01:00 or no zone, which is UTC), later
 *				first; a part that is missing is the first one, so 2026 is the start of
 *				the year. Then by a number (seconds since 1970, or 20261129), larger
 *				first. Dates and numbers are not compared: dates come first.
 *	max:FIELD		by a number, larger first; a string that is one counts
 *	priority:FIELD=A,B,C	by the place of the string or number in the list, then what is not in it
 *
 * A document in which the member is missing, null or of no such form comes last.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/io/json.h"

enum lu_keep_kind {
	LU_KEEP_FIRST,
	LU_KEEP_LONGEST,
	LU_KEEP_NEWEST,
	LU_KEEP_MAX,
	LU_KEEP_PRIORITY,
};

struct lu_keep {
	enum lu_keep_kind kind;
	char *field;  /* NULL for first and longest */
	char *values; /* of priority, each ended by a NUL */
	size_t n;     /* number of them */
};

/* `how` is the argument of --keep. lu_keep_release() is needed after success only. */
int lu_keep_parse(struct lu_keep *k, const char *how, struct lu_err *err) LU_CHECKED;
/* Fails only when memory is out. `length` is that of the text in bytes. */
int lu_keep_rank(const struct lu_keep *k, const struct lu_json_obj *obj, uint64_t length,
		struct lu_arena *arena, uint64_t *rank, struct lu_err *err) LU_CHECKED;
void lu_keep_release(struct lu_keep *k); /* { 0 } is fine */

#endif
