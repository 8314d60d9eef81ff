#include "libcommon/check/verify_docs.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/par/docstream.h"
#include "libcommon/par/inputs.h"
#include "libcommon/par/known_members.h"

static int bad_line(struct lu_verify_docs *v, const struct lu_slab *slab, const char *reason,
		struct lu_err *err)
{
	v->bad++;
	v->bad_bytes += slab->length + 1;
	return v->fault(v->ctx, slab->file, slab->line, reason, err);
}

/* Append a member to the key, strings in one spelling. */
static int add_to_key(struct lu_verify_docs *v, const struct lu_json_member *m, struct lu_err *err)
{
	struct lu_str s = m ? m->value : LU_STR("null");

	if (m && m->type == LU_JSON_STRING) {
		if (lu_json_decode_known(m->value, m->escaped, &v->arena, &s) < 0)
			return lu_err_nomem(err);
		lu_json_quote(&v->key, s);
	} else {
		lu_buf_str(&v->key, s);
	}
	lu_buf_putc(&v->key, '\n');
	return lu_buf_check(&v->key, err);
}

/* 1 if an earlier document has the same source and id. */
static int check_id(struct lu_verify_docs *v, const struct lu_json_obj *o, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(o, "id");
	uint32_t number;
	int rc;

	if (!id || id->type == LU_JSON_NULL)
		return 0;
	lu_buf_clear(&v->key);
	if (add_to_key(v, lu_json_get(o, "source"), err) < 0 || add_to_key(v, id, err) < 0)
		return -1;
	rc = lu_keyset_add(&v->ids, lu_hash128(v->key.p, v->key.n), &number, err);
	return rc < 0 ? -1 : rc == 0;
}

static int check_line(struct lu_verify_docs *v, const struct lu_slab *slab, struct lu_str line,
		struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;
	const char *wrong = NULL;
	int rc;

	lu_arena_reset(&v->arena);
	v->documents++;
	v->bytes += slab->length + 1;
	if (slab->too_long)
		return bad_line(v, slab, "longer than --max-line", err);
	if (lu_json_object(line, &v->arena, &o, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		return bad_line(v, slab, lu_json_fault_text(fault.kind), err);
	}
	rc = lu_fields_rename(v->fields, &o, &v->arena, &v->changed, &wrong, err);
	if (rc < 0)
		return -1;
	if (!wrong)
		wrong = lu_members_fault(&o);
	if (wrong)
		return bad_line(v, slab, wrong, err);
	rc = check_id(v, &o, err);
	return rc > 0 ? bad_line(v, slab, "a document of this source and \"id\" came before", err)
		      : rc;
}

int lu_verify_docs_file(struct lu_verify_docs *v, char *path, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	uint64_t before = 0, known = 0;
	int rc = lu_lines_open(&lines, &path, 1, v->max_line, err);

	v->documents = v->bytes = v->bad = v->bad_bytes = 0;
	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		rc = lu_inputs_look(&slab, err);
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (slab.too_long || !lu_doc_blank_line(line))
				rc = check_line(v, &slab, line, err);
		}
		v->progress(v->ctx, lu_lines_consumed(&lines) - before, v->documents - known);
		before = lu_lines_consumed(&lines);
		known = v->documents;
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	return rc < 0 ? -1 : 0;
}

void lu_verify_docs_release(struct lu_verify_docs *v)
{
	lu_keyset_release(&v->ids);
	lu_arena_release(&v->arena);
	lu_buf_release(&v->key);
	lu_buf_release(&v->changed);
}
