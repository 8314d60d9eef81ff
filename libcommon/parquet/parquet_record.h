#ifndef LUCIE_PARQUET_RECORD_H
#define LUCIE_PARQUET_RECORD_H
/*
 * A record as a row of the fixed schema that lucie-parquet(5) states, and back.
 *
 * The known members have a column each; all others are in `extra`, a JSON object. `layout` has the
 * order of the members, and how a number was spelt:
 *
 *	{"id":"a","x":1,"y":2,"text":"B","lang_score":0.990}
 *	id a, text B, lang_score 0.99, extra {"x":1,"y":2}, layout id,*2,text,lang_score=0.990
 *
 * `=blanks` in front of it says that a blank follows each comma and colon, `=ascii` that characters
 * beyond ASCII are escapes; Python's json.dumps() writes both.
 *
 * A known member whose value is of another type is left in `extra`; null is a null in its column. So
 * a record comes back byte for byte if it is spelt as the toolkit or as Python spells records, with the
 * escapes that are needed and no others, and as equal JSON if not.
 */
#include "libcommon/io/json.h"

enum lu_pq_record_column {
	LU_PQ_R_ID,
	LU_PQ_R_TEXT,
	LU_PQ_R_SOURCE,
	LU_PQ_R_LICENSE,
	LU_PQ_R_LANG,
	LU_PQ_R_LANG_SCORE, /* a double, little-endian */
	LU_PQ_R_URL,
	LU_PQ_R_DATE,
	LU_PQ_R_TITLE,
	LU_PQ_R_CATEGORY,
	LU_PQ_R_EXTRA,
	LU_PQ_R_LAYOUT,
	LU_PQ_RECORD_COLUMNS,
};

extern const char *const lu_pq_record_names[LU_PQ_RECORD_COLUMNS];

/* Split a record into values (.p NULL: null), which live as long as the arena, `extra` and `layout`. */
int lu_pq_record_split(const struct lu_json_obj *record, struct lu_arena *arena,
		struct lu_buf *extra, struct lu_buf *layout,
		struct lu_str value[LU_PQ_RECORD_COLUMNS], struct lu_err *err) LU_CHECKED;
/* Append the record, without a newline. */
int lu_pq_record_join(const struct lu_str value[LU_PQ_RECORD_COLUMNS], struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* Append the elements of the schema, as the footer has them (a list of structures without its field),
 * and tell whether `list` begins with the same bytes. */
void lu_pq_record_schema(struct lu_buf *out);
int lu_pq_record_has_schema(struct lu_str list, bool *same, struct lu_err *err) LU_CHECKED;

/* The key of the file's metadata that says that its rows are records, and its value. */
#define LU_PQ_RECORD_KEY "lucie.records"
#define LU_PQ_RECORD_VERSION "1"

#endif
