#include "trainer/data/tokfile.h"

#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define FILE_MAX ((size_t)1 << 30)

/* Raise *vocab to hold the id, a raw JSON value. Values that are no ids are ignored. */
static void add_id(uint64_t *vocab, struct lu_str raw, enum lu_json_type type)
{
	struct lu_json_member m = { .value = raw, .type = type };
	uint64_t id;

	if (lu_json_u64(&m, &id) && id < INT32_MAX && id + 1 > *vocab)
		*vocab = id + 1;
}

/* "vocab": {piece: id, ...} */
static void add_pieces(struct lu_str raw, uint64_t *vocab)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it))
		add_id(vocab, it.value, it.type);
}

/* "added_tokens": [{"id": id, ...}, ...] */
static void add_added(struct lu_str raw, struct lu_arena *arena, uint64_t *vocab)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it)) {
		const struct lu_json_member *id;
		struct lu_json_fault fault;
		struct lu_json_obj obj;

		if (it.type != LU_JSON_OBJECT || lu_json_object(it.value, arena, &obj, &fault) < 0)
			continue;
		id = lu_json_get(&obj, "id");
		if (id)
			add_id(vocab, id->value, id->type);
	}
}

int lt_tokfile_vocab(const char *path, uint64_t *vocab, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_arena arena = { 0 };
	struct lu_json_obj top, model;
	struct lu_json_fault fault;
	char *text = NULL;
	int rc = 0;
	size_t n;

	*vocab = 0;
	if (lu_read_file(path, FILE_MAX, &text, &n, err) < 0)
		return -1;
	if (lu_json_object((struct lu_str){ text, n }, &arena, &top, &fault) == 0) {
		m = lu_json_get(&top, "added_tokens");
		if (m && m->type == LU_JSON_ARRAY)
			add_added(m->value, &arena, vocab);
		m = lu_json_get(&top, "model");
		if (m && m->type == LU_JSON_OBJECT &&
				lu_json_object(m->value, &arena, &model, &fault) == 0) {
			m = lu_json_get(&model, "vocab");
			if (m && m->type == LU_JSON_OBJECT)
				add_pieces(m->value, vocab);
		}
	}
	if (*vocab == 0)
		rc = lu_err_set(err, "%s: not a tokenizer.json", path);
	lu_arena_release(&arena);
	free(text);
	return rc;
}
