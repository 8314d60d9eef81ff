#ifndef LUCIE_SCHEMA_KEYWORDS_H
#define LUCIE_SCHEMA_KEYWORDS_H
/* The members of one schema object: the keywords of the subset as raw JSON, and the types it allows. */
#include <stdbool.h>

#include "libcommon/base/arena.h"
#include "libcommon/io/json.h"

enum lu_keyword {
	LU_KEY_TYPE,
	LU_KEY_ENUM,
	LU_KEY_CONST,
	LU_KEY_ANY_OF,
	LU_KEY_REF,
	LU_KEY_PROPERTIES,
	LU_KEY_REQUIRED,
	LU_KEY_ADDITIONAL,
	LU_KEY_ITEMS,
	LU_KEY_MIN_ITEMS,
	LU_KEY_MAX_ITEMS,
	LU_KEY_MIN_LENGTH,
	LU_KEY_MAX_LENGTH,
	LU_KEY_MINIMUM,
	LU_KEY_MAXIMUM,
	LU_KEY_EXCLUSIVE_MINIMUM,
	LU_KEY_EXCLUSIVE_MAXIMUM,
	LU_KEYWORDS,
};

enum lu_schema_type {
	LU_TYPE_NULL,
	LU_TYPE_BOOLEAN,
	LU_TYPE_INTEGER,
	LU_TYPE_NUMBER,
	LU_TYPE_STRING,
	LU_TYPE_ARRAY,
	LU_TYPE_OBJECT,
	LU_TYPES,
};

struct lu_keywords {
	struct lu_json_member key[LU_KEYWORDS]; /* .value.p is NULL where it is absent */
	unsigned types;				/* bits 1 << enum lu_schema_type; 0: no `type` */
};

/* Read a schema. Refuses, by name, what is outside the subset, keywords that go together with no other
 * and those without effect on the types. `root`: it is the whole. */
int lu_keywords_read(struct lu_keywords *k, struct lu_str raw, bool root, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;

static inline bool lu_keywords_have(const struct lu_keywords *k, enum lu_keyword key)
{
	return k->key[key].value.p != NULL;
}

/* A count: a whole number. `value` is left alone where the keyword is absent. */
int lu_keywords_count(const struct lu_keywords *k, enum lu_keyword key, uint64_t *value,
		struct lu_err *err) LU_CHECKED;
/* minimum and maximum as whole numbers, the exclusive ones (of integers) turned into inclusive ones.
 * Without them, -most and most; refused beyond these and where there is no number between. */
int lu_keywords_range(const struct lu_keywords *k, bool integer, int64_t most, int64_t *min,
		int64_t *max, struct lu_err *err) LU_CHECKED;
/* True if a value of this JSON type, raw, is of one of the types. */
bool lu_keywords_type_of(unsigned types, struct lu_str raw, enum lu_json_type type);

#endif
