#include "libcommon/shard/from_doc.h"

#include <inttypes.h>

#include "libcommon/shard/writer.h"
#include "libcommon/tokenizer/id_format.h"

/* A member as raw JSON, null where it is absent; strings in one spelling, so that equal strings
 * are equal bytes. */
static int raw_member(struct lu_doc *doc, const char *key, struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, key);
	struct lu_str s;

	*out = m ? m->value : LU_STR("null");
	if (!m || m->type != LU_JSON_STRING || !m->escaped)
		return 0;
	if (lu_json_decode_known(m->value, true, doc->arena, &s) < 0)
		return lu_err_nomem(err);
	*out = lu_doc_quote(doc, s);
	return out->p ? 0 : lu_err_nomem(err);
}

int lu_from_doc_members(struct lu_ledger_doc *d, struct lu_doc *doc, struct lu_err *err)
{
	if (raw_member(doc, "id", &d->id, err) < 0 ||
			raw_member(doc, "source", &d->source, err) < 0 ||
			raw_member(doc, "license", &d->license, err) < 0)
		return -1;
	return raw_member(doc, "lang", &d->lang, err);
}

struct lu_str lu_from_doc_key(struct lu_doc *doc, const char *by, bool *keyed)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, by);
	struct lu_str s;

	*keyed = m != NULL;
	if (m && m->type == LU_JSON_STRING && lu_doc_string(doc, by, &s))
		return s;
	if (m)
		return m->value;
	m = lu_json_get(&doc->obj, "ids");
	return doc->text.n || !m ? doc->text : m->value;
}

int lu_from_doc_ids(struct lu_doc *doc, uint64_t vocab, struct lu_ids *ids, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "ids");
	struct lu_str bad = LU_STR("null");
	int rc;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"");
	rc = lu_ids_read_json(m->value, ids, &bad, err);
	if (rc > 0)
		return lu_doc_bad_value(doc, "\"ids\" holds something that is no id", bad);
	for (size_t i = 0; rc == 0 && i < ids->n; i++) {
		if (ids->p[i] >= vocab)
			return lu_doc_bad_value(doc, "\"ids\" holds an id outside the vocabulary",
					lu_doc_printf(doc, "%" PRIu32, ids->p[i]));
	}
	return rc;
}

int lu_from_doc_pack(struct lu_doc *doc, unsigned width, const struct lu_ids *const *run, size_t n,
		void **out, struct lu_err *err)
{
	size_t ids = 0;
	char *p;

	for (size_t i = 0; i < n; i++)
		ids += run[i]->n;
	*out = p = lu_arena_alloc(doc->arena, ids * width);
	if (!p)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		lu_shard_pack(width, run[i]->p, run[i]->n, p);
		p += run[i]->n * width;
	}
	return 0;
}
