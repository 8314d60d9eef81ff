#include "libcommon/schema/keywords.h"

#include <stdlib.h>

#define KEY(k) (1u << (k))

/* Keywords that say nothing about what is valid. */
static const char *const notes[] = { "title", "description", "default", "examples", "$schema",
	"$comment", "$defs", "definitions", "deprecated", "readOnly", "writeOnly" };

static const struct {
	const char *name;
	unsigned types; /* on which it has an effect; 0: not with a type, or with any */
} keywords[LU_KEYWORDS] = {
	[LU_KEY_TYPE] = { "type", 0 },
	[LU_KEY_ENUM] = { "enum", 0 },
	[LU_KEY_CONST] = { "const", 0 },
	[LU_KEY_ANY_OF] = { "anyOf", 0 },
	[LU_KEY_REF] = { "$ref", 0 },
	[LU_KEY_PROPERTIES] = { "properties", KEY(LU_TYPE_OBJECT) },
	[LU_KEY_REQUIRED] = { "required", KEY(LU_TYPE_OBJECT) },
	[LU_KEY_ADDITIONAL] = { "additionalProperties", KEY(LU_TYPE_OBJECT) },
	[LU_KEY_ITEMS] = { "items", KEY(LU_TYPE_ARRAY) },
	[LU_KEY_MIN_ITEMS] = { "minItems", KEY(LU_TYPE_ARRAY) },
	[LU_KEY_MAX_ITEMS] = { "maxItems", KEY(LU_TYPE_ARRAY) },
	[LU_KEY_MIN_LENGTH] = { "minLength", KEY(LU_TYPE_STRING) },
	[LU_KEY_MAX_LENGTH] = { "maxLength", KEY(LU_TYPE_STRING) },
	[LU_KEY_MINIMUM] = { "minimum", KEY(LU_TYPE_INTEGER) | KEY(LU_TYPE_NUMBER) },
	[LU_KEY_MAXIMUM] = { "maximum", KEY(LU_TYPE_INTEGER) | KEY(LU_TYPE_NUMBER) },
	[LU_KEY_EXCLUSIVE_MINIMUM] = { "exclusiveMinimum",
			KEY(LU_TYPE_INTEGER) | KEY(LU_TYPE_NUMBER) },
	[LU_KEY_EXCLUSIVE_MAXIMUM] = { "exclusiveMaximum",
			KEY(LU_TYPE_INTEGER) | KEY(LU_TYPE_NUMBER) },
};

static const char *const types[LU_TYPES] = { "null", "boolean", "integer", "number", "string",
	"array", "object" };

static bool is_note(struct lu_str key)
{
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (lu_str_is(key, notes[i]))
			return true;
	}
	return false;
}

static int add_type(struct lu_keywords *k, struct lu_str raw, enum lu_json_type type,
		struct lu_err *err)
{
	struct lu_str name = { raw.p + 1, raw.n - 2 };

	for (unsigned i = 0; type == LU_JSON_STRING && i < LU_TYPES; i++) {
		if (!lu_str_is(name, types[i]))
			continue;
		k->types |= KEY(i);
		return 0;
	}
	return lu_err_set(err, "type " LU_STR_FMT " does not exist", LU_STR_ARG(raw));
}

static int read_types(struct lu_keywords *k, struct lu_err *err)
{
	const struct lu_json_member *m = &k->key[LU_KEY_TYPE];
	struct lu_json_iter it;

	if (m->type != LU_JSON_ARRAY)
		return add_type(k, m->value, m->type, err);
	it = lu_json_iter(m->value);
	while (lu_json_next(&it)) {
		if (add_type(k, it.value, it.type, err) < 0)
			return -1;
	}
	return k->types ? 0 : lu_err_set(err, "type [] allows nothing");
}

static int take(struct lu_keywords *k, const struct lu_json_member *m, bool root,
		struct lu_err *err)
{
	for (size_t i = 0; i < LU_KEYWORDS; i++) {
		if (lu_str_is(m->key, keywords[i].name)) {
			k->key[i] = *m;
			return 0;
		}
	}
	if (is_note(m->key) || (root && lu_str_is(m->key, "$id")))
		return 0;
	return lu_err_set(err,
			"\"" LU_STR_FMT "\" is not in the subset of JSON Schema that "
			"lucie-schema(7) states",
			LU_STR_ARG(m->key));
}

/* Refuse keywords beside one that decides alone, and those without effect. */
static int check_together(const struct lu_keywords *k, struct lu_err *err)
{
	static const enum lu_keyword alone[] = { LU_KEY_REF, LU_KEY_ANY_OF, LU_KEY_CONST,
		LU_KEY_ENUM };

	for (size_t a = 0; a < sizeof(alone) / sizeof(alone[0]); a++) {
		bool typed = alone[a] == LU_KEY_CONST || alone[a] == LU_KEY_ENUM;

		if (!lu_keywords_have(k, alone[a]))
			continue;
		for (size_t i = 0; i < LU_KEYWORDS; i++) {
			if (i != alone[a] && lu_keywords_have(k, (enum lu_keyword)i) &&
					!(typed && i == LU_KEY_TYPE))
				return lu_err_set(err, "\"%s\" beside \"%s\" is not in the subset",
						keywords[i].name, keywords[alone[a]].name);
		}
		return 0;
	}
	if (!k->types)
		return lu_err_set(err, "a schema needs type, enum, const, anyOf or $ref");
	for (size_t i = LU_KEY_PROPERTIES; i < LU_KEYWORDS; i++) {
		if (lu_keywords_have(k, (enum lu_keyword)i) && !(keywords[i].types & k->types))
			return lu_err_set(
					err, "\"%s\" has no effect on this type", keywords[i].name);
	}
	return 0;
}

int lu_keywords_read(struct lu_keywords *k, struct lu_str raw, bool root, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	*k = (struct lu_keywords){ 0 };
	if (raw.n == 0 || raw.p[0] != '{')
		return lu_err_set(err, "a schema is an object, not " LU_STR_FMT, LU_STR_ARG(raw));
	if (lu_json_object(raw, arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	for (size_t i = 0; i < obj.members; i++) {
		if (take(k, &obj.member[i], root, err) < 0)
			return -1;
	}
	if (lu_keywords_have(k, LU_KEY_TYPE) && read_types(k, err) < 0)
		return -1;
	return check_together(k, err);
}

int lu_keywords_count(const struct lu_keywords *k, enum lu_keyword key, uint64_t *value,
		struct lu_err *err)
{
	const struct lu_json_member *m = &k->key[key];

	if (!m->value.p || lu_json_u64(m, value))
		return 0;
	return lu_err_set(err, "%s " LU_STR_FMT " is not a whole number from 0 on",
			keywords[key].name, LU_STR_ARG(m->value));
}

/* A bound that is a whole number from -most to most. */
static int bound(const struct lu_keywords *k, enum lu_keyword key, int64_t most, int64_t *value,
		struct lu_err *err)
{
	struct lu_json_member m = k->key[key];
	bool minus;
	uint64_t n;

	if (!m.value.p)
		return 0;
	minus = m.value.p[0] == '-';
	m.value.p += minus;
	m.value.n -= minus;
	if (!lu_json_u64(&m, &n) || n > (uint64_t)most)
		return lu_err_set(err,
				"%s " LU_STR_FMT " is not a whole number of at most %d digits",
				keywords[key].name, LU_STR_ARG(k->key[key].value),
				most > 999999999999999 ? 18 : 15);
	*value = minus ? -(int64_t)n : (int64_t)n;
	return 1;
}

int lu_keywords_range(const struct lu_keywords *k, bool integer, int64_t most, int64_t *min,
		int64_t *max, struct lu_err *err)
{
	int64_t above = -most, below = most;
	int rc;

	*min = -most;
	*max = most;
	if (bound(k, LU_KEY_MINIMUM, most, min, err) < 0 ||
			bound(k, LU_KEY_MAXIMUM, most, max, err) < 0)
		return -1;
	rc = bound(k, LU_KEY_EXCLUSIVE_MINIMUM, most, &above, err);
	if (rc > 0 && integer && above + 1 > *min)
		*min = above + 1;
	if (rc >= 0)
		rc = bound(k, LU_KEY_EXCLUSIVE_MAXIMUM, most, &below, err);
	if (rc > 0 && integer && below - 1 < *max)
		*max = below - 1;
	if (rc < 0)
		return -1;
	if (*min > *max)
		return lu_err_set(
				err, "no number is from the least to the greatest that are given");
	return 0;
}

/* True for a number whose value is whole (JSON Schema 2020-12: 1.0 is an integer). */
static bool is_whole(struct lu_str raw)
{
	return lu_str_only(raw, "-0123456789");
}

bool lu_keywords_type_of(unsigned of, struct lu_str raw, enum lu_json_type type)
{
	switch (type) {
	case LU_JSON_NULL: return of & KEY(LU_TYPE_NULL);
	case LU_JSON_TRUE:
	case LU_JSON_FALSE: return of & KEY(LU_TYPE_BOOLEAN);
	case LU_JSON_STRING: return of & KEY(LU_TYPE_STRING);
	case LU_JSON_ARRAY: return of & KEY(LU_TYPE_ARRAY);
	case LU_JSON_OBJECT: return of & KEY(LU_TYPE_OBJECT);
	case LU_JSON_NUMBER: break;
	}
	return (of & KEY(LU_TYPE_NUMBER)) || (is_whole(raw) && (of & KEY(LU_TYPE_INTEGER)));
}
