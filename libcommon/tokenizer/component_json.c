#include <stdarg.h>
#include <stdio.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/components.h"

/* A message may quote the file: whatever stands there, it stays one line of whole characters and
 * moves no cursor. */
static void make_plain(char *text)
{
	text[lu_utf8_valid(text, strlen(text))] = '\0';
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			*text = '?';
	}
}

int lu_tj_fail(const struct lu_tj *j, const char *fmt, ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_plain(text);
	return lu_err_set(j->err, "%s: %s: %s", j->file, j->part, text);
}

int lu_tj_object(const struct lu_tj *j, struct lu_str raw, struct lu_json_obj *obj,
		struct lu_str *type)
{
	struct lu_json_fault fault;
	const struct lu_json_member *m;

	if (lu_json_object(raw, j->arena, obj, &fault) < 0)
		return lu_tj_fail(j, "%s", lu_json_fault_text(fault.kind));
	*type = (struct lu_str){ "", 0 };
	m = lu_json_get(obj, "type");
	if (!m)
		return 0;
	if (m->type != LU_JSON_STRING)
		return lu_tj_fail(j, "\"type\" is not a string");
	if (lu_json_decode(m->value, j->arena, type) < 0)
		return lu_err_nomem(j->err);
	return 0;
}

static bool listed(const char *known, struct lu_str key)
{
	while (*known) {
		size_t n = strcspn(known, "|");

		if (n == key.n && memcmp(known, key.p, n) == 0)
			return true;
		known += n + (known[n] == '|');
	}
	return false;
}

int lu_tj_only(const struct lu_tj *j, const struct lu_json_obj *obj, const char *known)
{
	for (size_t i = 0; i < obj->members; i++) {
		struct lu_str key = obj->member[i].key;

		if (!lu_str_is(key, "type") && !listed(known, key))
			return lu_tj_fail(
					j, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(key));
	}
	return 0;
}

int lu_tj_str(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m)
		return lu_tj_fail(j, "no \"%s\"", key);
	if (m->type != LU_JSON_STRING)
		return lu_tj_fail(j, "\"%s\" is not a string", key);
	if (lu_json_decode(m->value, j->arena, out) < 0)
		return lu_err_nomem(j->err);
	return 0;
}

int lu_tj_opt_str(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && m->type != LU_JSON_NULL ? lu_tj_str(j, obj, key, out) : 0;
}

int lu_tj_u64(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key, uint64_t max,
		uint64_t *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m)
		return lu_tj_fail(j, "no \"%s\"", key);
	if (!lu_json_u64(m, out) || *out > max)
		return lu_tj_fail(j, "\"%s\" is not a whole number from 0 to %llu", key,
				(unsigned long long)max);
	return 0;
}

int lu_tj_array(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_json_iter *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m)
		return lu_tj_fail(j, "no \"%s\"", key);
	if (m->type != LU_JSON_ARRAY)
		return lu_tj_fail(j, "\"%s\" is not an array", key);
	*out = lu_json_iter(m->value);
	return 0;
}

int lu_tj_bool(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key, bool *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m || m->type == LU_JSON_NULL)
		return 0;
	if (m->type != LU_JSON_TRUE && m->type != LU_JSON_FALSE)
		return lu_tj_fail(j, "\"%s\" is not true or false", key);
	*out = m->type == LU_JSON_TRUE;
	return 0;
}
