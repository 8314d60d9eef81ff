#include "trainer/generate/call_schema.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"

/* The name and the parameters, raw JSON, of a tool; parameters.p is NULL without them. */
static int read_tool(struct lu_str tool, size_t number, struct lu_str *name,
		struct lu_str *parameters, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj o;
	int rc = lu_json_object(tool, &arena, &o, &fault) < 0 ? lu_json_fail(&fault, err) : 0;

	m = rc == 0 ? lu_json_get(&o, "function") : NULL;
	if (m && lu_json_object(m->value, &arena, &o, &fault) < 0)
		rc = lu_json_fail(&fault, err);
	if (rc == 0) {
		m = lu_json_get(&o, "name");
		if (!m || m->type != LU_JSON_STRING)
			rc = lu_err_set(err, "a tool needs a name, a string");
		else
			*name = m->value;
	}
	if (rc == 0) {
		m = lu_json_get(&o, "parameters");
		*parameters = m && m->type != LU_JSON_NULL ? m->value : (struct lu_str){ NULL, 0 };
	}
	lu_arena_release(&arena);
	return rc < 0 ? lu_err_wrap(err, "tool %zu", number) : 0;
}

int lt_tools_check(const char *name, struct lu_str tools, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_iter it;
	enum lu_json_type type;
	size_t n = 0;

	if (lu_json_check(tools, &type, &fault) < 0) {
		(void)lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s: byte %zu", name, fault.at);
	}
	if (type != LU_JSON_ARRAY)
		return lu_err_set(err, "%s: tools are a JSON array of objects", name);
	it = lu_json_iter(tools);
	while (lu_json_next(&it)) {
		struct lu_str tool, parameters;

		if (read_tool(it.value, ++n, &tool, &parameters, err) < 0)
			return lu_err_wrap(err, "%s", name);
	}
	return n ? 0 : lu_err_set(err, "%s: no tools", name);
}

int lt_call_schema(struct lu_str tools, struct lu_buf *out, struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(tools);
	size_t n = 0;

	lu_json_open_object(out, NULL);
	lu_json_open_array(out, "anyOf");
	while (lu_json_next(&it)) {
		struct lu_str name, parameters;

		if (read_tool(it.value, ++n, &name, &parameters, err) < 0)
			return -1;
		lu_json_open_object(out, NULL);
		lu_json_put_cstr(out, "type", "object");
		lu_json_open_object(out, "properties");
		lu_json_open_object(out, "name");
		lu_json_put_raw(out, "const", name);
		lu_json_close_object(out);
		lu_json_put_raw(out, "arguments",
				parameters.p ? parameters
					     : LU_STR("{\"type\":\"object\",\"properties\":{}}"));
		lu_json_close_object(out);
		lu_json_put_raw(out, "required", LU_STR("[\"name\",\"arguments\"]"));
		lu_json_close_object(out);
	}
	lu_json_close_array(out);
	lu_json_close_object(out);
	return lu_buf_check(out, err);
}
