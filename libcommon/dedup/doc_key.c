#include "libcommon/dedup/doc_key.h"

#include "libcommon/base/num.h"
#include "libcommon/dedup/canonical.h"

/* The value of a member, strings decoded; false where it is missing or null. */
static int member_value(struct lu_doc *doc, const char *name, struct lu_str *value,
		enum lu_json_type *type, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, name);

	if (!m || m->type == LU_JSON_NULL)
		return 0;
	*value = m->value;
	*type = m->type;
	if (m->type == LU_JSON_STRING &&
			lu_json_decode_known(m->value, m->escaped, doc->arena, value) < 0)
		return lu_err_nomem(err);
	return 1;
}

int lu_doc_by(const struct lu_dedup_options *o, struct lu_doc *doc, uint64_t *hash,
		struct lu_err *err)
{
	enum lu_json_type type = LU_JSON_NULL;
	struct lu_str s = { "", 0 };

	*hash = 0;
	if (!o->by)
		return 0;
	if (member_value(doc, o->by, &s, &type, err) < 0)
		return -1;
	/* The type is the seed: the string "1" is not the number 1, and nothing is neither. */
	*hash = lu_hash64(s.p, s.n, (uint64_t)type + 1);
	return 0;
}

int lu_doc_key(const struct lu_dedup_options *o, struct lu_doc *doc, struct lu_hash128 *key,
		struct lu_err *err)
{
	struct lu_canonical_scratch scratch = { 0 };
	struct lu_str s = doc->text;
	struct lu_buf folded = { 0 };
	enum lu_json_type type;
	uint64_t by;
	int rc = 1;

	if (o->key && strcmp(o->key, "text") != 0)
		rc = member_value(doc, o->key, &s, &type, err);
	if (rc <= 0)
		return rc;
	if (o->fold) {
		rc = lu_canonical(&scratch, s, &folded, err);
		lu_canonical_release(&scratch);
		s = lu_buf_slice(&folded);
	}
	*key = lu_hash128(s.p, s.n);
	lu_buf_release(&folded);
	if (rc < 0 || lu_doc_by(o, doc, &by, err) < 0)
		return -1;
	if (o->by) {
		char mixed[24];

		lu_store64(mixed, key->lo);
		lu_store64(mixed + 8, key->hi);
		lu_store64(mixed + 16, by);
		*key = lu_hash128(mixed, sizeof(mixed));
	}
	return 1;
}

void lu_doc_key_settings(const struct lu_dedup_options *o, struct lu_buf *out)
{
	lu_buf_puts(out, "exact, key ");
	lu_buf_puts(out, o->key ? o->key : "text");
	if (o->fold)
		lu_buf_puts(out, ", folded");
	if (o->by) {
		lu_buf_puts(out, ", by ");
		lu_buf_puts(out, o->by);
	}
	if (o->keep_text) {
		lu_buf_puts(out, ", keep ");
		lu_buf_puts(out, o->keep_text);
	}
}
