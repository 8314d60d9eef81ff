#include "trainer/generate/end_tokens.h"

#include "libcommon/io/json.h"

int lt_end_tokens_add(struct lu_ids *ids, uint32_t id, struct lu_err *err)
{
	for (size_t i = 0; i < ids->n; i++) {
		if (ids->p[i] == id)
			return 0;
	}
	if (lu_ids_reserve(ids, 1, err) < 0)
		return -1;
	ids->p[ids->n++] = id;
	return 0;
}

static int add_number(
		struct lu_ids *ids, struct lu_str raw, enum lu_json_type type, struct lu_err *err)
{
	const struct lu_json_member m = { .value = raw, .type = type };
	uint64_t id;

	if (!lu_json_u64(&m, &id) || id > UINT32_MAX)
		return 0;
	return lt_end_tokens_add(ids, (uint32_t)id, err);
}

int lt_end_tokens(const struct lu_tok *tok, struct lu_str json, struct lu_ids *ids,
		struct lu_err *err)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	uint32_t eos;

	if (json.n && lu_json_check(json, &type, &fault) == 0) {
		struct lu_json_iter it = lu_json_iter(json);

		if (add_number(ids, json, type, err) < 0)
			return -1;
		while (type == LU_JSON_ARRAY && lu_json_next(&it)) {
			if (add_number(ids, it.value, it.type, err) < 0)
				return -1;
		}
	}
	return lu_tok_role(tok, LU_TOK_EOS, &eos) ? lt_end_tokens_add(ids, eos, err) : 0;
}
