#include "libcommon/schema/schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/map.h"
#include "libcommon/hash/hash.h"
#include "libcommon/schema/keywords.h"
#include "libcommon/schema/value_forms.h"

/* Bytes of schema that may be read, each $ref reading its target again. */
#define WORK ((uint64_t)64 << 20)

struct builder {
	struct lu_automaton *a;
	struct lu_str root;
	struct lu_buf path;		     /* of the schema being read: #/properties/x */
	const char *active[LU_SCHEMA_DEPTH]; /* the schemas that it is in, to find recursion */
	size_t depth;
	uint64_t work;
	struct lu_err *err;
};

static int64_t value_of(struct builder *b, struct lu_str raw, uint32_t from);

/* Follow a schema that is named by `step`, a member, and `name`, a property or an index, or NULL. Returns the state
 * behind it, or -1. */
static int64_t inner(struct builder *b, const char *step, const struct lu_str *name,
		struct lu_str raw, uint32_t from)
{
	size_t n = b->path.n;
	int64_t to;

	lu_buf_putc(&b->path, '/');
	lu_buf_puts(&b->path, step);
	if (name) {
		lu_buf_putc(&b->path, '/');
		lu_buf_masked(&b->path, *name);
	}
	to = value_of(b, raw, from);
	if (to >= 0)
		b->path.n = n;
	return to;
}

/* --- values ------------------------------------------------------------------------------------ */

/* JSON without the white space between its parts. */
static void minify(struct lu_str raw, struct lu_buf *out)
{
	bool quoted = false;

	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (quoted && c == '\\')
			lu_buf_putc(out, raw.p[i++]);
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		lu_buf_putc(out, raw.p[i]);
	}
}

static int literal(struct builder *b, struct lu_str raw, uint32_t from, uint32_t end)
{
	struct lu_buf text = { 0 };
	int rc;

	minify(raw, &text);
	rc = lu_buf_check(&text, b->err);
	if (rc == 0)
		lu_automaton_empty(b->a, lu_form_literal(b->a, from, lu_buf_slice(&text)), end);
	lu_buf_release(&text);
	return rc;
}

static int64_t enumerated(struct builder *b, const struct lu_keywords *k, uint32_t from)
{
	const struct lu_json_member *one = &k->key[LU_KEY_CONST], *list = &k->key[LU_KEY_ENUM];
	uint32_t end = lu_automaton_state(b->a);
	struct lu_json_iter it = { 0 };
	size_t n = 0;

	if (one->value.p) {
		if (k->types && !lu_keywords_type_of(k->types, one->value, one->type))
			return lu_err_set(b->err, "const is not of the type");
		return literal(b, one->value, from, end) < 0 ? -1 : (int64_t)end;
	}
	if (list->type != LU_JSON_ARRAY)
		return lu_err_set(b->err, "enum is not an array");
	it = lu_json_iter(list->value);
	while (lu_json_next(&it)) {
		if (k->types && !lu_keywords_type_of(k->types, it.value, it.type))
			continue;
		if (literal(b, it.value, from, end) < 0)
			return -1;
		n++;
	}
	if (n == 0)
		return lu_err_set(b->err, "enum has no value of the type");
	return end;
}

static int64_t any_of(struct builder *b, const struct lu_json_member *m, uint32_t from)
{
	uint32_t end = lu_automaton_state(b->a);
	struct lu_json_iter it;
	char index[24];
	size_t n = 0;

	if (m->type != LU_JSON_ARRAY)
		return lu_err_set(b->err, "anyOf is not an array");
	it = lu_json_iter(m->value);
	for (; lu_json_next(&it); n++) {
		struct lu_str name = { index, (size_t)snprintf(index, sizeof(index), "%zu", n) };
		int64_t to = inner(b, "anyOf", &name, it.value, from);

		if (to < 0)
			return -1;
		lu_automaton_empty(b->a, (uint32_t)to, end);
	}
	return n ? (int64_t)end : lu_err_set(b->err, "anyOf [] allows nothing");
}

/* --- references -------------------------------------------------------------------------------- */

/* The member of an object that a step of a JSON pointer (RFC 6901) names; false if there is none. */
static bool step_into(struct builder *b, struct lu_str *at, struct lu_str step)
{
	struct lu_buf name = { 0 }, half = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_json_iter it;
	bool found = false;

	lu_buf_replace(&half, step, LU_STR("~1"), LU_STR("/"));
	lu_buf_replace(&name, lu_buf_slice(&half), LU_STR("~0"), LU_STR("~"));
	b->work += at->n;
	if (at->n && at->p[0] == '{' && lu_buf_ok(&name) && lu_buf_ok(&half)) {
		it = lu_json_iter(*at);
		while (!found && lu_json_next(&it)) {
			struct lu_str key;

			if (lu_json_decode(it.key, &arena, &key) < 0 ||
					!lu_str_eq(key, lu_buf_slice(&name)))
				continue;
			*at = it.value;
			found = true;
		}
	}
	lu_buf_release(&half);
	lu_buf_release(&name);
	lu_arena_release(&arena);
	return found;
}

static int64_t reference(struct builder *b, const struct lu_json_member *m, uint32_t from)
{
	struct lu_str ref = { m->value.p + 1, m->value.n - 2 }, at = b->root;
	const char *p, *end;
	bool found;

	if (m->type != LU_JSON_STRING || m->escaped || ref.n == 0 || ref.p[0] != '#')
		return lu_err_set(b->err,
				"$ref " LU_STR_FMT " is not of this schema: only \"#/...\"",
				LU_STR_ARG(m->value));
	p = ref.p + 1;
	end = ref.p + ref.n;
	found = p == end || *p == '/';
	while (found && p < end) {
		const char *slash = memchr(p + 1, '/', (size_t)(end - p - 1));

		slash = slash ? slash : end;
		found = step_into(b, &at, (struct lu_str){ p + 1, (size_t)(slash - p - 1) });
		p = slash;
	}
	if (!found)
		return lu_err_set(
				b->err, "$ref " LU_STR_FMT " leads nowhere", LU_STR_ARG(m->value));
	for (size_t i = 0; i < b->depth; i++) {
		if (b->active[i] == at.p)
			return lu_err_set(b->err,
					"$ref " LU_STR_FMT
					" is recursive, which is not in the subset",
					LU_STR_ARG(m->value));
	}
	return value_of(b, at, from);
}

/* --- objects and arrays ------------------------------------------------------------------------ */

/* A byte and at most one blank. */
static uint32_t spaced(struct builder *b, uint32_t from, unsigned char byte)
{
	uint32_t at = lu_automaton_state(b->a), to = lu_automaton_state(b->a);

	lu_automaton_edge(b->a, from, byte, byte, at);
	lu_automaton_edge(b->a, at, ' ', ' ', to);
	lu_automaton_empty(b->a, at, to);
	return to;
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	const struct lu_json_member *m = items;

	return lu_hash64(m[i].key.p, m[i].key.n, 0);
}

static bool key_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_json_member *m = items;

	return lu_str_eq(m[i].key, *(const struct lu_str *)key);
}

/* Mark the members of `p` that `required` names. */
static int mark_required(const struct lu_json_member *required, const struct lu_json_obj *p,
		bool *needed, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_map map = { 0 };
	struct lu_json_iter it;
	struct lu_str name;
	int rc = 0;

	if (required->type != LU_JSON_ARRAY)
		return lu_err_set(err, "required is not an array");
	for (size_t i = 0; i < p->members && rc == 0; i++) {
		if (!lu_map_reserve(&map, p->member, key_hash))
			rc = lu_err_nomem(err);
		else
			(void)lu_map_add(&map, key_hash(p->member, (uint32_t)i));
	}
	it = lu_json_iter(required->value);
	while (rc == 0 && lu_json_next(&it)) {
		uint32_t i;

		if (it.type != LU_JSON_STRING) {
			rc = lu_err_set(err, "required has " LU_STR_FMT ", which is not a string",
					LU_STR_ARG(it.value));
		} else if (lu_json_decode(it.value, arena, &name) < 0) {
			rc = lu_err_nomem(err);
		} else {
			i = lu_map_find(&map, lu_hash64(name.p, name.n, 0), p->member, key_is,
					&name);
			if (i == LU_MAP_NONE)
				rc = lu_err_set(err,
						"required names " LU_STR_FMT
						", which is not in properties",
						LU_STR_ARG(it.value));
			else
				needed[i] = true;
		}
	}
	lu_map_release(&map);
	return rc;
}

/*
 * Members in order. `none` is the state before member i when none has been written, `some` when some
 * have: then a comma comes first.
 */
static int64_t members(
		struct builder *b, const struct lu_json_obj *p, const bool *needed, uint32_t from)
{
	uint32_t none = lu_automaton_state(b->a), some = lu_automaton_state(b->a);
	uint32_t end = lu_automaton_state(b->a);

	lu_automaton_edge(b->a, from, '{', '{', none);
	for (size_t i = 0; i < p->members; i++) {
		uint32_t key = lu_automaton_state(b->a), at;
		uint32_t next_none = lu_automaton_state(b->a), next_some = lu_automaton_state(b->a);
		struct lu_buf name = { 0 };
		int64_t to;

		lu_automaton_empty(b->a, none, key);
		lu_automaton_empty(b->a, spaced(b, some, ','), key);
		lu_json_quote(&name, p->member[i].key);
		if (lu_buf_check(&name, b->err) < 0)
			return -1;
		at = lu_form_literal(b->a, key, lu_buf_slice(&name));
		lu_buf_release(&name);
		to = inner(b, "properties", &p->member[i].key, p->member[i].value,
				spaced(b, at, ':'));
		if (to < 0)
			return -1;
		lu_automaton_empty(b->a, (uint32_t)to, next_some);
		if (!needed[i]) {
			lu_automaton_empty(b->a, none, next_none);
			lu_automaton_empty(b->a, some, next_some);
		}
		none = next_none;
		some = next_some;
	}
	lu_automaton_edge(b->a, none, '}', '}', end);
	lu_automaton_edge(b->a, some, '}', '}', end);
	return end;
}

static int64_t object(struct builder *b, const struct lu_keywords *k, uint32_t from)
{
	const struct lu_json_member *properties = &k->key[LU_KEY_PROPERTIES];
	const struct lu_json_member *required = &k->key[LU_KEY_REQUIRED];
	const struct lu_json_member *additional = &k->key[LU_KEY_ADDITIONAL];
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj p;
	bool *needed = NULL;
	int64_t to = -1;

	if (additional->value.p && additional->type != LU_JSON_FALSE)
		return lu_err_set(b->err, "additionalProperties can only be false");
	if (!properties->value.p || properties->type != LU_JSON_OBJECT)
		return lu_err_set(b->err, "an object needs properties, an object of schemas");
	if (lu_json_object(properties->value, &arena, &p, &fault) < 0) {
		(void)lu_json_fail(&fault, b->err);
		lu_err_wrap(b->err, "properties");
		goto out;
	}
	needed = calloc(p.members + 1, sizeof(*needed));
	if (!needed) {
		(void)lu_err_nomem(b->err);
		goto out;
	}
	if (required->value.p && mark_required(required, &p, needed, &arena, b->err) < 0)
		goto out;
	to = members(b, &p, needed, from);
out:
	free(needed);
	lu_arena_release(&arena);
	return to;
}

static int64_t array(struct builder *b, const struct lu_keywords *k, uint32_t from)
{
	uint64_t min = 0, max = LU_FORM_UNBOUNDED;
	uint32_t at = lu_automaton_state(b->a), end = lu_automaton_state(b->a);
	struct lu_str items = k->key[LU_KEY_ITEMS].value;

	if (lu_keywords_count(k, LU_KEY_MIN_ITEMS, &min, b->err) < 0 ||
			lu_keywords_count(k, LU_KEY_MAX_ITEMS, &max, b->err) < 0)
		return -1;
	if (!items.p)
		return lu_err_set(b->err, "an array needs items, a schema");
	if (min > max)
		return lu_err_set(b->err, "minItems is more than maxItems");
	lu_automaton_edge(b->a, from, '[', '[', at);
	for (uint64_t i = 0; !lu_automaton_failed(b->a); i++) {
		uint32_t item = lu_automaton_state(b->a);
		int64_t to;

		if (i >= min)
			lu_automaton_edge(b->a, at, ']', ']', end);
		if (i == max)
			break;
		lu_automaton_empty(b->a, i ? spaced(b, at, ',') : at, item);
		to = inner(b, "items", NULL, items, item);
		if (to < 0)
			return -1;
		at = (uint32_t)to;
		/* From here on it is the same again. */
		if (i + 1 >= min && max == LU_FORM_UNBOUNDED) {
			lu_automaton_edge(b->a, at, ']', ']', end);
			lu_automaton_empty(b->a, spaced(b, at, ','), item);
			break;
		}
	}
	return end;
}

/* --- a schema ---------------------------------------------------------------------------------- */

static int64_t string(struct builder *b, const struct lu_keywords *k, uint32_t from)
{
	uint64_t min = 0, max = LU_FORM_UNBOUNDED;

	if (lu_keywords_count(k, LU_KEY_MIN_LENGTH, &min, b->err) < 0 ||
			lu_keywords_count(k, LU_KEY_MAX_LENGTH, &max, b->err) < 0)
		return -1;
	if (min > max)
		return lu_err_set(b->err, "minLength is more than maxLength");
	return lu_form_string(b->a, from, min, max);
}

static int64_t number(struct builder *b, const struct lu_keywords *k, bool integer, uint32_t from)
{
	int64_t min, max;

	if (!integer &&
			(lu_keywords_have(k, LU_KEY_EXCLUSIVE_MINIMUM) ||
					lu_keywords_have(k, LU_KEY_EXCLUSIVE_MAXIMUM)))
		return lu_err_set(b->err,
				"exclusiveMinimum and exclusiveMaximum of a number are not "
				"in the subset, only those of an integer");
	if (lu_keywords_range(k, integer, integer ? LU_FORM_INTEGER : LU_FORM_NUMBER, &min, &max,
			    b->err) < 0)
		return -1;
	return integer ? lu_form_integer(b->a, from, min, max)
		       : lu_form_number(b->a, from, min, max);
}

static int64_t typed(struct builder *b, const struct lu_keywords *k, unsigned type, uint32_t from)
{
	uint32_t end;

	switch (type) {
	case LU_TYPE_NULL: return lu_form_literal(b->a, from, LU_STR("null"));
	case LU_TYPE_BOOLEAN: break;
	case LU_TYPE_INTEGER: return number(b, k, true, from);
	case LU_TYPE_NUMBER: return number(b, k, false, from);
	case LU_TYPE_STRING: return string(b, k, from);
	case LU_TYPE_ARRAY: return array(b, k, from);
	default: return object(b, k, from);
	}
	end = lu_automaton_state(b->a);
	lu_automaton_empty(b->a, lu_form_literal(b->a, from, LU_STR("true")), end);
	lu_automaton_empty(b->a, lu_form_literal(b->a, from, LU_STR("false")), end);
	return end;
}

static int64_t by_keywords(struct builder *b, const struct lu_keywords *k, uint32_t from)
{
	uint32_t end;

	if (lu_keywords_have(k, LU_KEY_REF))
		return reference(b, &k->key[LU_KEY_REF], from);
	if (lu_keywords_have(k, LU_KEY_ANY_OF))
		return any_of(b, &k->key[LU_KEY_ANY_OF], from);
	if (lu_keywords_have(k, LU_KEY_CONST) || lu_keywords_have(k, LU_KEY_ENUM))
		return enumerated(b, k, from);
	end = lu_automaton_state(b->a);
	for (unsigned type = 0; type < LU_TYPES; type++) {
		int64_t to;

		if (!(k->types & (1u << type)))
			continue;
		to = typed(b, k, type, from);
		if (to < 0)
			return -1;
		lu_automaton_empty(b->a, (uint32_t)to, end);
	}
	return end;
}

static int64_t value_of(struct builder *b, struct lu_str raw, uint32_t from)
{
	struct lu_arena arena = { 0 };
	struct lu_keywords k;
	int64_t to = -1;

	b->work += raw.n;
	if (b->depth == LU_SCHEMA_DEPTH)
		return lu_err_set(b->err, "more than %d levels of schemas", LU_SCHEMA_DEPTH);
	if (b->work > WORK)
		return lu_err_set(
				b->err, "the schema is too large once its references are followed");
	b->active[b->depth++] = raw.p;
	if (lu_keywords_read(&k, raw, b->depth == 1, &arena, b->err) == 0)
		to = by_keywords(b, &k, from);
	b->depth--;
	lu_arena_release(&arena);
	return to;
}

static int build(struct builder *b)
{
	uint32_t start = lu_automaton_state(b->a);
	struct lu_json_fault fault;
	enum lu_json_type type;
	int64_t end;

	if (lu_json_check(b->root, &type, &fault) < 0) {
		(void)lu_json_fail(&fault, b->err);
		return lu_err_wrap(b->err, "byte %zu", fault.at);
	}
	lu_buf_putc(&b->path, '#');
	end = value_of(b, b->root, start);
	if (end < 0 && lu_automaton_failed(b->a))
		end = 0;
	if (end < 0) {
		if (lu_buf_ok(&b->path))
			lu_err_wrap(b->err, LU_STR_FMT, LU_STR_ARG(lu_buf_slice(&b->path)));
		return -1;
	}
	return lu_automaton_finish(b->a, start, (uint32_t)end, b->err);
}

/* The value alone: blanks and line ends around it are no part of it. */
static struct lu_str trimmed(struct lu_str s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0]) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

int lu_schema_compile(
		struct lu_schema **out, const char *name, struct lu_str json, struct lu_err *err)
{
	struct lu_schema *s = calloc(1, sizeof(*s));
	struct builder b = { .root = trimmed(json), .err = err };
	int rc;

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	rc = lu_automaton_new(&s->automaton, err);
	b.a = s->automaton;
	if (rc == 0)
		rc = build(&b);
	lu_buf_release(&b.path);
	if (rc < 0) {
		lu_schema_free(s);
		return lu_err_wrap(err, "%s", name);
	}
	*out = s;
	return 0;
}

void lu_schema_free(struct lu_schema *s)
{
	if (!s)
		return;
	lu_automaton_free(s->automaton);
	free(s);
}
