#ifndef LUCIE_PAR_FIELDS_H
#define LUCIE_PAR_FIELDS_H
/*
 * Fields: the members of foreign records under the names that the toolkit knows
 * (lucie-records(5)), for --text-field and --map.
 *
 *	struct lu_fields f;
 *
 *	if (lu_fields_parse(&f, std->text_field, &std->map, &err) < 0)
 *		return -1;
 *	for each record, after lu_json_object():
 *		rc = lu_fields_apply(&f, &obj, &arena, &out, &fault);
 *		rc > 0: `out` holds the record with the known names; scan it again
 *
 * A field is a target, one of text, id, source, lang, lang_score, license, url, date and category,
 * and a path: the name of a member, with dots into nested objects ("meta.lang"). A member whose own
 * name has a dot in it is found first. Numbers of array elements are not part of a path.
 *
 * The record is rewritten, so whoever reads it next needs no option:
 * - a member of the record is renamed in its place;
 * - a member of a nested object is copied to the end of the record, and "text" is moved there, so
 *   that no text is stored twice;
 * - a record without the path is left as it is, so that the result passes unchanged through the
 *   same fields again;
 * - a member that has the target's name is kept as "NAME_original", unless it is null or has the
 *   same value; if that name is taken too, the record is bad.
 * All other bytes are copied.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/opt.h"

#define LU_FIELDS_MAX 9

struct lu_field {
	const char *target; /* static */
	struct lu_str path; /* points into the arguments */
};

struct lu_fields {
	struct lu_field field[LU_FIELDS_MAX];
	size_t n;
};

/* Read "PATH" (or NULL) and the items of "NAME=PATH,...". Fail on an unknown name, an empty path,
 * and where a name or a path is given twice. */
int lu_fields_parse(struct lu_fields *f, const char *text_field, const struct lu_list *map,
		struct lu_err *err) LU_CHECKED;

/* Path of the target, or NULL. */
const struct lu_str *lu_fields_path(const struct lu_fields *f, const char *target);

/* Append the rewritten record to `out`: 1; 0 if it stays as it is, with nothing appended; -1 if it
 * is bad, and *reason is a static string. Scratch memory comes from the arena. */
int lu_fields_apply(const struct lu_fields *f, const struct lu_json_obj *obj,
		struct lu_arena *arena, struct lu_buf *out, const char **reason) LU_CHECKED;

/* Scan the rewritten record, which is in `out` then, in place of *obj. Returns 0, with *reason if the
 * record is bad, or -1. */
int lu_fields_rename(const struct lu_fields *f, struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_buf *out, const char **reason, struct lu_err *err) LU_CHECKED;

/* Append `it has "content", "id": try --text-field content`: the members that a record without a
 * text has, and the path of its longest string, as far as there is one. */
void lu_fields_suggest(const struct lu_json_obj *obj, struct lu_buf *out);

#endif
