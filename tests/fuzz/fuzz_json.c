/*
 * JSON reader: no read beyond the input; an accepted record is accepted after a rewrite; repair
 * leaves no malformed UTF-8 and changes no valid text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct lu_str raw, enum lu_json_type type, struct lu_arena *arena)
{
	struct lu_json_iter it = lu_json_iter(raw);
	struct lu_str s;

	if (type == LU_JSON_STRING) {
		if (lu_json_decode(raw, arena, &s) < 0 || lu_utf8_valid(s.p, s.n) != s.n)
			abort();
	} else if (type == LU_JSON_ARRAY || type == LU_JSON_OBJECT) {
		while (lu_json_next(&it))
			walk(it.value, it.type, arena);
		/* The iterator stops at the end, not at something it cannot read. */
		while (it.p < it.end) {
			if (*it.p != ' ' && *it.p != '\t' && *it.p != '\n' && *it.p != '\r')
				abort();
			it.p++;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str line = { (const char *)data, size };
	struct lu_arena arena = { 0 };
	struct lu_buf out = { 0 };
	struct lu_json_edit edit[] = { { "text", LU_STR("\"new\"") }, { "z", LU_STR("[1,{}]") } };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	enum lu_json_type type;
	bool whole;

	whole = lu_json_check(line, &type, &fault) == 0;
	if (lu_json_object(line, &arena, &obj, &fault) == 0) {
		for (size_t i = 0; i < obj.members; i++)
			walk(obj.member[i].value, obj.member[i].type, &arena);
		lu_json_rewrite(&obj, edit, 2, &out);
		if (lu_json_object(lu_buf_slice(&out), &arena, &obj, &fault) < 0)
			abort();
		if (!lu_str_is(lu_json_get(&obj, "text")->value, "\"new\"") ||
				!lu_str_is(lu_json_get(&obj, "z")->value, "[1,{}]"))
			abort();
	} else if (fault.at > size || (whole && fault.kind == LU_JSON_SYNTAX)) {
		abort();
	}
	lu_buf_clear(&out);
	lu_json_repair(line, &out);
	if (whole && !lu_str_eq(line, lu_buf_slice(&out)))
		abort();
	if (lu_json_check(lu_buf_slice(&out), &type, &fault) < 0 &&
			(fault.kind == LU_JSON_BAD_UTF8 || fault.kind == LU_JSON_LONE_SURROGATE))
		abort();
	lu_buf_release(&out);
	lu_arena_release(&arena);
	return 0;
}
