#include "libcommon/shard/verify_report.h"

#include "libcommon/base/json_writer.h"

const char *const lu_verify_heads[LU_VERIFY_COLUMNS] = { "documents", "sequences", "empty",
	"tokens", "id bytes", "bytes", "parts", "manifest", "faults", "name" };

static uint64_t parts(const struct lu_verify *v)
{
	return v->parts ? v->parts : 1;
}

/* Ids have a width once the index was read. */
static bool index_read(const struct lu_verify *v)
{
	return v->width > 0;
}

static bool ledger_read(const struct lu_verify *v)
{
	return index_read(v) && v->has_manifest;
}

static void add(struct lu_table *t, uint64_t n, bool known)
{
	if (known)
		lu_table_u64(t, n);
	else
		lu_table_cstr(t, "-");
}

void lu_verify_row(const struct lu_verify *v, const char *prefix, struct lu_table *t)
{
	add(t, v->documents, index_read(v));
	add(t, v->sequences, index_read(v));
	add(t, v->empty, index_read(v));
	add(t, v->tokens, index_read(v));
	add(t, v->width, index_read(v));
	add(t, v->bytes, ledger_read(v));
	lu_table_u64(t, parts(v));
	lu_table_cstr(t, v->has_manifest ? "yes" : "no");
	lu_table_u64(t, v->faults);
	lu_table_cstr(t, prefix);
}

void lu_verify_file_row(uint64_t documents, uint64_t bytes, uint64_t faults, const char *name,
		struct lu_table *t)
{
	lu_table_u64(t, documents);
	for (int i = 0; i < 4; i++)
		lu_table_cstr(t, "-");
	lu_table_u64(t, bytes);
	lu_table_cstr(t, "-");
	lu_table_cstr(t, "-");
	lu_table_u64(t, faults);
	lu_table_cstr(t, name);
}

static void put(struct lu_buf *b, const char *key, uint64_t n, bool known)
{
	if (known)
		lu_json_put_u64(b, key, n);
	else
		lu_json_put_null(b, key);
}

void lu_verify_json(const struct lu_verify *v, struct lu_buf *b)
{
	put(b, "documents", v->documents, index_read(v));
	put(b, "sequences", v->sequences, index_read(v));
	put(b, "empty", v->empty, index_read(v));
	put(b, "tokens", v->tokens, index_read(v));
	if (v->masked)
		lu_json_put_u64(b, "targets", v->targets);
	put(b, "id_bytes", v->width, index_read(v));
	put(b, "bytes", v->bytes, ledger_read(v));
	lu_json_put_u64(b, "parts", parts(v));
	lu_json_put_bool(b, "manifest", v->has_manifest);
	lu_json_put_u64(b, "faults", v->faults);
}
