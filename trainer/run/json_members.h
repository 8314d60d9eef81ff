#ifndef LUCIE_TRAINER_RUN_JSON_MEMBERS_H
#define LUCIE_TRAINER_RUN_JSON_MEMBERS_H
/*
 * Members of a parsed JSON object by key and type. The getters return false, and leave *out alone,
 * if the member is missing or has another type.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/io/json.h"

static inline bool lt_json_get_u64(const struct lu_json_obj *obj, const char *key, uint64_t *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && lu_json_u64(m, out);
}

static inline bool lt_json_get_size(const struct lu_json_obj *obj, const char *key, size_t *out)
{
	uint64_t v;

	if (!lt_json_get_u64(obj, key, &v) || v > SIZE_MAX)
		return false;
	*out = (size_t)v;
	return true;
}

static inline bool lt_json_get_double(const struct lu_json_obj *obj, const char *key, double *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && lu_json_double(m, out);
}

/* True if the member is the string `text`, which has nothing to escape. */
static inline bool lt_json_is_text(const struct lu_json_member *m, const char *text)
{
	size_t n = strlen(text);

	return m->type == LU_JSON_STRING && m->value.n == n + 2 &&
			memcmp(m->value.p + 1, text, n) == 0;
}

/* True if the member is `true`. */
static inline bool lt_json_is_true(const struct lu_json_obj *obj, const char *key)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && m->type == LU_JSON_TRUE;
}

#endif
