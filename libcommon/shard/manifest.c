#include "libcommon/shard/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

void lu_part_suffix(uint64_t parts, uint64_t part, char out[LU_PART_SUFFIX])
{
	out[0] = '\0';
	if (parts)
		snprintf(out, LU_PART_SUFFIX, "-%05" PRIu64, part);
}

/* --- reading ------------------------------------------------------------------------------ */

struct reader {
	struct lu_manifest *m;
	struct lu_json_obj obj;
	const char *path;
};

static int wrong(const struct reader *r, const char *key, struct lu_err *err)
{
	return lu_err_set(err, "%s: \"%s\" is missing or wrong", r->path, key);
}

static int get_u64(const struct reader *r, const char *key, uint64_t *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);

	return m && lu_json_u64(m, out) ? 0 : wrong(r, key, err);
}

static bool is_null(const struct lu_json_member *m)
{
	return m && m->type == LU_JSON_NULL;
}

/* A NUL-terminated copy of a string member. */
static int copy_string(struct reader *r, const struct lu_json_member *m, const char *key,
		const char **out, struct lu_err *err)
{
	struct lu_str s;

	if (!m || m->type != LU_JSON_STRING)
		return wrong(r, key, err);
	if (lu_json_decode(m->value, &r->m->arena, &s) < 0)
		return lu_err_nomem(err);
	s = lu_arena_str(&r->m->arena, s);
	if (!s.p)
		return lu_err_nomem(err);
	*out = s.p;
	return 0;
}

static int get_id(const struct reader *r, const char *key, bool *has, uint32_t *id,
		struct lu_err *err)
{
	uint64_t v;

	*has = false;
	if (is_null(lu_json_get(&r->obj, key)))
		return 0;
	if (get_u64(r, key, &v, err) < 0)
		return -1;
	if (v > UINT32_MAX)
		return wrong(r, key, err);
	*has = true;
	*id = (uint32_t)v;
	return 0;
}

static bool is_hash(const char *s)
{
	return strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

/* Read element i of an array. */
typedef int element_fn(struct reader *r, const struct lu_json_obj *o, size_t i, struct lu_err *err);

/* Call fn, unless it is NULL, for each object of the array `key`, and count them. */
static int for_each(struct reader *r, const char *key, size_t *count, element_fn *fn,
		struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);
	struct lu_json_iter it;
	struct lu_json_fault fault;
	size_t n = 0;

	if (!m || m->type != LU_JSON_ARRAY)
		return wrong(r, key, err);
	for (it = lu_json_iter(m->value); lu_json_next(&it); n++) {
		struct lu_json_obj o;

		if (!fn)
			continue;
		if (it.type != LU_JSON_OBJECT)
			return wrong(r, key, err);
		if (lu_json_object(it.value, &r->m->arena, &o, &fault) < 0) {
			lu_json_fail(&fault, err);
			return lu_err_wrap(err, "%s: \"%s\"", r->path, key);
		}
		if (fn(r, &o, n, err) < 0)
			return -1;
	}
	*count = n;
	return 0;
}

static int read_total(const struct lu_json_obj *o, const char *key, struct lu_manifest_total *t)
{
	const struct lu_json_member *v = lu_json_get(o, key), *d = lu_json_get(o, "documents"),
				    *k = lu_json_get(o, "tokens"), *b = lu_json_get(o, "bytes");

	if (!v || !d || !k || !b || !lu_json_u64(d, &t->documents) || !lu_json_u64(k, &t->tokens) ||
			!lu_json_u64(b, &t->bytes))
		return -1;
	t->value = v->value;
	return 0;
}

static int read_lang(struct reader *r, const struct lu_json_obj *o, size_t i, struct lu_err *err)
{
	return read_total(o, "lang", &r->m->lang[i]) < 0 ? wrong(r, "langs", err) : 0;
}

static int read_license(struct reader *r, const struct lu_json_obj *o, size_t i, struct lu_err *err)
{
	return read_total(o, "license", &r->m->license[i]) < 0 ? wrong(r, "licenses", err) : 0;
}

static int read_file_entry(
		struct reader *r, const struct lu_json_obj *o, size_t i, struct lu_err *err)
{
	struct lu_manifest_file *f = &r->m->file[i];
	const struct lu_json_member *bytes = lu_json_get(o, "bytes");

	if (!bytes || !lu_json_u64(bytes, &f->bytes))
		return wrong(r, "files", err);
	if (copy_string(r, lu_json_get(o, "suffix"), "files", &f->suffix, err) < 0 ||
			copy_string(r, lu_json_get(o, "xxh3_128"), "files", &f->hash, err) < 0)
		return -1;
	return is_hash(f->hash) ? 0 : wrong(r, "files", err);
}

static int read_lists(struct reader *r, struct lu_err *err)
{
	struct lu_manifest *m = r->m;

	if (for_each(r, "langs", &m->langs, NULL, err) < 0 ||
			for_each(r, "licenses", &m->licenses, NULL, err) < 0 ||
			for_each(r, "files", &m->files, NULL, err) < 0)
		return -1;
	m->lang = lu_arena_alloc(&m->arena, m->langs * sizeof(*m->lang));
	m->license = lu_arena_alloc(&m->arena, m->licenses * sizeof(*m->license));
	m->file = lu_arena_alloc(&m->arena, m->files * sizeof(*m->file));
	if (!m->lang || !m->license || !m->file)
		return lu_err_nomem(err);
	if (for_each(r, "langs", &m->langs, read_lang, err) < 0 ||
			for_each(r, "licenses", &m->licenses, read_license, err) < 0 ||
			for_each(r, "files", &m->files, read_file_entry, err) < 0)
		return -1;
	return 0;
}

/* Read "joined": groups of one and more parts that add up to all. */
static int read_joined(struct reader *r, struct lu_err *err)
{
	struct lu_manifest *m = r->m;
	struct lu_json_iter it;
	uint64_t *joined, sum = 0;

	if (for_each(r, "joined", &m->joins, NULL, err) < 0)
		return -1;
	joined = lu_arena_alloc(&m->arena, (m->joins + 1) * sizeof(*joined));
	if (!joined)
		return lu_err_nomem(err);
	it = lu_json_iter(lu_json_get(&r->obj, "joined")->value);
	for (size_t i = 0; lu_json_next(&it); i++) {
		struct lu_json_member v = { .value = it.value, .type = it.type };

		if (!lu_json_u64(&v, &joined[i]) || joined[i] == 0 || joined[i] > m->parts - sum)
			return wrong(r, "joined", err);
		sum += joined[i];
	}
	m->joined = joined;
	return sum == m->parts && sum > 0 ? 0 : wrong(r, "joined", err);
}

/* Check that the files are those of each part, in order. */
static int check_files(const struct reader *r, struct lu_err *err)
{
	static const char *const ext[] = { ".bin", ".idx", ".docs.jsonl.zst", ".mask" };
	const struct lu_manifest *m = r->m;
	uint64_t parts = m->parts ? m->parts : 1;
	unsigned each = lu_manifest_part_files(m);

	if (m->files % each || m->files / each != parts)
		return wrong(r, "files", err);
	for (size_t i = 0; i < m->files; i++) {
		char suffix[LU_PART_SUFFIX];
		size_t n;

		lu_part_suffix(m->parts, i / each, suffix);
		n = strlen(suffix);
		if (strncmp(m->file[i].suffix, suffix, n) != 0 ||
				strcmp(m->file[i].suffix + n, ext[i % each]) != 0)
			return wrong(r, "files", err);
	}
	return 0;
}

static int read_kind(struct reader *r, struct lu_err *err)
{
	struct lu_manifest *m = r->m;

	if (copy_string(r, lu_json_get(&r->obj, "kind"), "kind", &m->kind, err) < 0)
		return -1;
	return strcmp(m->kind, "chat") == 0 || strcmp(m->kind, "preference") == 0
			? 0
			: wrong(r, "kind", err);
}

static int read_members(struct reader *r, struct lu_err *err)
{
	struct lu_manifest *m = r->m;
	const struct lu_json_member *v;
	uint64_t version;
	const char *type;

	if (get_u64(r, "lucie_shard", &version, err) < 0)
		return -1;
	if (version < LU_MANIFEST_VERSION || version > LU_MANIFEST_KIND)
		return lu_err_set(err, "%s: version %" PRIu64 " is not supported, only %d to %d",
				r->path, version, LU_MANIFEST_VERSION, LU_MANIFEST_KIND);
	if (copy_string(r, lu_json_get(&r->obj, "type"), "type", &type, err) < 0)
		return -1;
	m->width = strcmp(type, "uint16") == 0 ? 2 : strcmp(type, "int32") == 0 ? 4 : 0;
	if (m->width == 0)
		return wrong(r, "type", err);
	v = lu_json_get(&r->obj, "tokenizer");
	if (!is_null(v)) {
		if (copy_string(r, v, "tokenizer", &m->tokenizer, err) < 0)
			return -1;
		if (!is_hash(m->tokenizer))
			return wrong(r, "tokenizer", err);
	}
	if (get_u64(r, "vocab", &m->vocab, err) < 0 ||
			get_id(r, "bos", &m->has_bos, &m->bos, err) < 0 ||
			get_id(r, "eos", &m->has_eos, &m->eos, err) < 0 ||
			get_u64(r, "documents", &m->documents, err) < 0 ||
			get_u64(r, "tokens", &m->tokens, err) < 0 ||
			get_u64(r, "bytes", &m->bytes, err) < 0 ||
			get_u64(r, "parts", &m->parts, err) < 0 || read_lists(r, err) < 0)
		return -1;
	v = lu_json_get(&r->obj, "options");
	if (!v || v->type != LU_JSON_OBJECT)
		return wrong(r, "options", err);
	m->options = v->value;
	if (version == LU_MANIFEST_KIND && read_kind(r, err) < 0)
		return -1;
	if ((version == LU_MANIFEST_JOINED || (m->kind && lu_json_get(&r->obj, "joined"))) &&
			read_joined(r, err) < 0)
		return -1;
	return check_files(r, err);
}

bool lu_manifest_intact(const char *text, size_t n)
{
	char want[sizeof(LU_MANIFEST_SELF) + 32 + 4], hash[33];
	size_t len = sizeof(LU_MANIFEST_SELF) - 1 + 32 + 3;

	if (n < len)
		return false;
	lu_hash128_text(lu_hash128(text, n - len), hash);
	snprintf(want, sizeof(want), "%s%s\"}\n", LU_MANIFEST_SELF, hash);
	return memcmp(text + n - len, want, len) == 0;
}

int lu_manifest_check(const struct lu_manifest *m, const char *path, struct lu_err *err)
{
	return m->intact ? 0
			 : lu_err_set(err,
					   "%s: was changed: its own hash differs; lucie-check "
					   "tells more",
					   path);
}

int lu_manifest_read(struct lu_manifest *m, const char *path, struct lu_err *err)
{
	struct reader r = { .m = m, .path = path };
	struct lu_json_fault fault;
	struct lu_str text;
	struct stat st;
	char *bytes;
	size_t n;
	int rc = -1;

	*m = (struct lu_manifest){ 0 };
	/* A pipe would be empty for those who read it again. */
	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		return lu_err_set(err, "%s: not a regular file", path);
	if (lu_read_file(path, LU_MANIFEST_LIMIT, &bytes, &n, err) < 0)
		return -1;
	m->intact = !lu_hash_available() || lu_manifest_intact(bytes, n);
	text = lu_arena_str(&m->arena, (struct lu_str){ bytes, n });
	free(bytes);
	if (!text.p) {
		lu_err_nomem(err);
	} else if (lu_json_object(text, &m->arena, &r.obj, &fault) < 0) {
		lu_json_fail(&fault, err);
		lu_err_wrap(err, "%s", path);
	} else {
		rc = read_members(&r, err);
	}
	if (rc < 0)
		lu_manifest_release(m);
	return rc;
}

int lu_manifest_hash(const char *prefix, char hash[33], struct lu_err *err)
{
	char *path = lu_concat(prefix, ".json", NULL), *text;
	size_t n;
	int rc;

	if (!path)
		return lu_err_nomem(err);
	rc = lu_read_file(path, LU_MANIFEST_LIMIT, &text, &n, err);
	free(path);
	if (rc < 0)
		return -1;
	lu_hash128_text(lu_hash128(text, n), hash);
	free(text);
	return 0;
}

void lu_manifest_release(struct lu_manifest *m)
{
	lu_arena_release(&m->arena);
	*m = (struct lu_manifest){ 0 };
}

unsigned lu_manifest_part_files(const struct lu_manifest *m)
{
	return m->kind ? 4 : 3;
}

const struct lu_manifest_file *lu_manifest_file(const struct lu_manifest *m, const char *suffix)
{
	for (size_t i = 0; i < m->files; i++) {
		if (strcmp(m->file[i].suffix, suffix) == 0)
			return &m->file[i];
	}
	return NULL;
}

const char *lu_manifest_tokens_hash(const struct lu_manifest *m, size_t k)
{
	size_t i = m ? k * lu_manifest_part_files(m) : 0;

	if (!m || i >= m->files || !m->file[i].hash || strlen(m->file[i].hash) != 32)
		return NULL;
	return strstr(m->file[i].suffix, ".bin") ? m->file[i].hash : NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

static void put_id(struct lu_buf *out, const char *key, bool has, uint32_t id)
{
	if (has)
		lu_json_put_u64(out, key, id);
	else
		lu_json_put_null(out, key);
	lu_json_newline(out);
}

/* A member on its own line. */
static void put_count(struct lu_buf *out, const char *key, uint64_t n)
{
	lu_json_put_u64(out, key, n);
	lu_json_newline(out);
}

static void put_totals(struct lu_buf *out, const char *key, const char *name,
		const struct lu_manifest_total *t, size_t n)
{
	lu_json_open_array(out, key);
	for (size_t i = 0; i < n; i++) {
		lu_json_newline(out);
		lu_json_open_object(out, NULL);
		lu_json_put_raw(out, name, t[i].value);
		lu_json_put_u64(out, "documents", t[i].documents);
		lu_json_put_u64(out, "tokens", t[i].tokens);
		lu_json_put_u64(out, "bytes", t[i].bytes);
		lu_json_close_object(out);
	}
	lu_json_close_array(out);
	lu_json_newline(out);
}

static void put_files(struct lu_buf *out, const struct lu_manifest_file *f, size_t n)
{
	lu_json_open_array(out, "files");
	for (size_t i = 0; i < n; i++) {
		lu_json_newline(out);
		lu_json_open_object(out, NULL);
		lu_json_put_cstr(out, "suffix", f[i].suffix);
		lu_json_put_u64(out, "bytes", f[i].bytes);
		lu_json_put_cstr(out, "xxh3_128", f[i].hash);
		lu_json_close_object(out);
	}
	lu_json_close_array(out);
	lu_json_newline(out);
}

static void put_joined(struct lu_buf *out, const uint64_t *joined, size_t n)
{
	lu_json_open_array(out, "joined");
	for (size_t i = 0; i < n; i++)
		lu_json_put_u64(out, NULL, joined[i]);
	lu_json_close_array(out);
	lu_json_newline(out);
}

void lu_manifest_write(const struct lu_manifest *m, struct lu_buf *out)
{
	lu_json_open_object(out, NULL);
	put_count(out, "lucie_shard",
			m->kind			   ? LU_MANIFEST_KIND
					: m->joins ? LU_MANIFEST_JOINED
						   : LU_MANIFEST_VERSION);
	if (m->kind) {
		lu_json_put_cstr(out, "kind", m->kind);
		lu_json_newline(out);
	}
	lu_json_put_cstr(out, "type", m->width == 2 ? "uint16" : "int32");
	lu_json_newline(out);
	put_count(out, "vocab", m->vocab);
	if (m->tokenizer)
		lu_json_put_cstr(out, "tokenizer", m->tokenizer);
	else
		lu_json_put_null(out, "tokenizer");
	lu_json_newline(out);
	put_id(out, "bos", m->has_bos, m->bos);
	put_id(out, "eos", m->has_eos, m->eos);
	put_count(out, "documents", m->documents);
	put_count(out, "tokens", m->tokens);
	put_count(out, "bytes", m->bytes);
	put_totals(out, "langs", "lang", m->lang, m->langs);
	put_totals(out, "licenses", "license", m->license, m->licenses);
	lu_json_put_raw(out, "options", m->options);
	lu_json_newline(out);
	put_count(out, "parts", m->parts);
	if (m->joins)
		put_joined(out, m->joined, m->joins);
	put_files(out, m->file, m->files);
}

int lu_manifest_text(const struct lu_manifest *m, struct lu_buf *out, struct lu_err *err)
{
	char hash[33];

	lu_manifest_write(m, out);
	if (lu_buf_check(out, err) < 0)
		return -1;
	lu_hash128_text(lu_hash128(out->p, out->n), hash);
	lu_buf_printf(out, "%s%s\"}\n", LU_MANIFEST_SELF, hash);
	return lu_buf_check(out, err);
}
