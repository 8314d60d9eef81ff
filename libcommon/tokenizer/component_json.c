#include "libcommon/tokenizer/component_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "libcommon/base/utf8.h"

int lu_component_fail(const struct lu_component_reader *r, const char *fmt, ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* vsnprintf() may have cut a character in two. */
	text[lu_utf8_valid(text, strlen(text))] = '\0';
	lu_mask_controls(text);
	return lu_err_set(r->err, "%s: %s: %s", r->file, r->part, text);
}

int lu_component_object(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_json_obj *obj, struct lu_str *type)
{
	struct lu_json_fault fault;
	const struct lu_json_member *m;

	if (lu_json_object(raw, r->arena, obj, &fault) < 0)
		return lu_component_fail(r, "%s", lu_json_fault_text(fault.kind));
	*type = (struct lu_str){ "", 0 };
	m = lu_json_get(obj, "type");
	if (!m)
		return 0;
	if (m->type != LU_JSON_STRING)
		return lu_component_fail(r, "\"type\" is not a string");
	if (lu_json_decode(m->value, r->arena, type) < 0)
		return lu_err_nomem(r->err);
	return 0;
}

static bool is_listed(const char *known, struct lu_str key)
{
	while (*known) {
		size_t n = strcspn(known, "|");

		if (n == key.n && memcmp(known, key.p, n) == 0)
			return true;
		known += n + (known[n] == '|');
	}
	return false;
}

int lu_component_check_keys(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *known)
{
	for (size_t i = 0; i < obj->members; i++) {
		struct lu_str key = obj->member[i].key;

		if (!lu_str_is(key, "type") && !is_listed(known, key))
			return lu_component_fail(
					r, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(key));
	}
	return 0;
}

/* Find a required member. */
static int require(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, const struct lu_json_member **m)
{
	*m = lu_json_get(obj, key);
	return *m ? 0 : lu_component_fail(r, "no \"%s\"", key);
}

int lu_component_str(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_str *out)
{
	const struct lu_json_member *m;

	if (require(r, obj, key, &m) < 0)
		return -1;
	if (m->type != LU_JSON_STRING)
		return lu_component_fail(r, "\"%s\" is not a string", key);
	if (lu_json_decode(m->value, r->arena, out) < 0)
		return lu_err_nomem(r->err);
	return 0;
}

int lu_component_u64(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, uint64_t max, uint64_t *out)
{
	const struct lu_json_member *m;

	if (require(r, obj, key, &m) < 0)
		return -1;
	if (!lu_json_u64(m, out) || *out > max)
		return lu_component_fail(
				r, "\"%s\" is not a whole number from 0 to %" PRIu64, key, max);
	return 0;
}

int lu_component_array(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_json_iter *out)
{
	const struct lu_json_member *m;

	if (require(r, obj, key, &m) < 0)
		return -1;
	if (m->type != LU_JSON_ARRAY)
		return lu_component_fail(r, "\"%s\" is not an array", key);
	*out = lu_json_iter(m->value);
	return 0;
}

int lu_component_bool(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, bool *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m || m->type == LU_JSON_NULL)
		return 0;
	if (m->type != LU_JSON_TRUE && m->type != LU_JSON_FALSE)
		return lu_component_fail(r, "\"%s\" is not true or false", key);
	*out = m->type == LU_JSON_TRUE;
	return 0;
}

int lu_component_opt_str(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && m->type != LU_JSON_NULL ? lu_component_str(r, obj, key, out) : 0;
}
