#include "trainer/run/checkpoint_manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "trainer/model/rotary.h"
#include "trainer/run/json_members.h"

/* 2 where there are members that a reader of version 1 must not overlook. */
#define VERSION 1
#define VERSION_ROPE 2
#define MANIFEST_MAX ((size_t)1 << 20)

const char *const lt_vector_files[LT_VECTORS] = { "weights.safetensors", "adam-m.safetensors",
	"adam-v.safetensors" };

/* The last member, with what precedes its value; the hash covers everything before it. */
static const char hash_member[] = ",\n\"fnv1a64\":\"";

static void hash_text(const char *p, size_t n, char out[17])
{
	snprintf(out, 17, "%016" PRIx64, lu_fnv1a(LU_FNV_BASIS, p, n));
}

/* --- writing --------------------------------------------------------------------------------- */

static void format_shape(const struct lt_shape *s, struct lu_buf *b)
{
	lu_json_put_u64(b, "vocab", s->vocab);
	lu_json_put_u64(b, "hidden", s->hidden);
	lu_json_put_u64(b, "layers", s->layers);
	lu_json_put_u64(b, "heads", s->heads);
	lu_json_put_u64(b, "kv_heads", s->kv_heads);
	lu_json_put_u64(b, "head_dim", s->dim);
	lu_json_put_u64(b, "ffn", s->ffn);
	lu_json_put_bool(b, "tied", s->tied);
	lu_json_put_double(b, "rope_theta", s->rope_theta);
	lu_json_put_double(b, "norm_eps", s->norm_eps);
	lu_json_put_double(b, "init_std", s->init_std);
	if (s->rope_scaling == LT_ROPE_NONE)
		return;
	lu_json_put_cstr(b, "rope_scaling", lt_rope_name(s->rope_scaling));
	lu_json_put_double(b, "rope_factor", s->rope_factor);
	if (s->rope_scaling != LT_ROPE_LLAMA3)
		return;
	lu_json_put_double(b, "rope_low", s->rope_low);
	lu_json_put_double(b, "rope_high", s->rope_high);
	lu_json_put_u64(b, "rope_original", s->rope_original);
}

static void format_layout(const struct lt_written_by *by, struct lu_buf *b)
{
	lu_json_newline(b);
	lu_json_put_cstr(b, "equality", by->equality);
	if (*by->dtype)
		lu_json_put_cstr(b, "dtype", by->dtype);
	if (*by->memory)
		lu_json_put_cstr(b, "memory", by->memory);
	lu_json_open_object(b, "layout");
	lu_json_put_u64(b, "dp", by->dp);
	lu_json_put_u64(b, "tp", by->tp);
	lu_json_put_u64(b, "pp", by->pp);
	lu_json_put_u64(b, "zero", by->zero);
	lu_json_put_u64(b, "lanes", by->lanes);
	lu_json_put_cstr(b, "recompute", by->recompute);
	lu_json_close_object(b);
}

static void format_file(const char *name, const struct lt_digest *digest, struct lu_buf *b)
{
	lu_json_newline(b);
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "name", name);
	lu_json_put_u64(b, "bytes", digest->bytes);
	if (digest->hash[0])
		lu_json_put_cstr(b, "xxh3_128", digest->hash);
	else
		lu_json_put_null(b, "xxh3_128");
	lu_json_close_object(b);
}

/* As [phase, from, to]; absent: none. */
static void format_skips(const struct lu_skips *s, struct lu_buf *b)
{
	if (s->n == 0)
		return;
	lu_json_newline(b);
	lu_json_open_array(b, "left_out");
	for (size_t i = 0; i < s->n; i++) {
		lu_json_open_array(b, NULL);
		lu_json_put_u64(b, NULL, s->range[i].phase);
		lu_json_put_u64(b, NULL, s->range[i].from);
		lu_json_put_u64(b, NULL, s->range[i].to);
		lu_json_close_array(b);
	}
	lu_json_close_array(b);
}

static void format_spike(const struct lt_spike *s, struct lu_buf *b)
{
	if (s->n == 0)
		return;
	lu_json_newline(b);
	lu_json_open_array(b, "norms");
	for (uint64_t i = 0; i < s->n; i++)
		lu_json_put_double(b, NULL, s->norm[i]);
	lu_json_close_array(b);
}

void lt_manifest_format(const struct lt_position *pos, const struct lt_table *t,
		const struct lt_digest digest[LT_VECTORS], struct lu_buf *b)
{
	char hash[17];

	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "lucie_checkpoint",
			t->shape.rope_scaling == LT_ROPE_NONE ? VERSION : VERSION_ROPE);
	lu_json_newline(b);
	lu_json_put_u64(b, "step", pos->step);
	lu_json_put_u64(b, "phase", pos->phase);
	lu_json_put_cstr(b, "phase_name", pos->phase_name);
	lu_json_put_u64(b, "samples", pos->samples);
	lu_json_put_u64(b, "tokens", pos->tokens);
	lu_json_put_u64(b, "updates", pos->updates);
	if (pos->due)
		lu_json_put_u64(b, "validations_due", pos->due);
	if (pos->evals_due)
		lu_json_put_u64(b, "evaluations_due", pos->evals_due);
	if (pos->phase_end)
		lu_json_put_bool(b, "phase_end", true);
	if (*pos->reference)
		lu_json_put_cstr(b, "reference", pos->reference);
	format_spike(&pos->spike, b);
	format_skips(&pos->skips, b);
	lu_json_newline(b);
	lu_json_put_u64(b, "context", pos->context);
	format_shape(&t->shape, b);
	lu_json_put_u64(b, "parameters", t->all);
	/* A line of its own: the only one in which checkpoints of different layouts differ. */
	if (pos->by.dp)
		format_layout(&pos->by, b);
	lu_json_newline(b);
	lu_json_open_array(b, "files");
	for (int i = 0; i < LT_VECTORS; i++)
		format_file(lt_vector_files[i], &digest[i], b);
	lu_json_close_array(b);
	if (!lu_buf_ok(b))
		return;
	hash_text(b->p, b->n, hash);
	lu_json_newline(b);
	lu_json_put_cstr(b, "fnv1a64", hash);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

/* --- reading --------------------------------------------------------------------------------- */

/* A parsed manifest; members point into the text. */
struct manifest {
	char *text, *path;
	size_t n;
	struct lu_arena arena;
	struct lu_json_obj obj;
};

static void manifest_release(struct manifest *m)
{
	free(m->text);
	free(m->path);
	lu_arena_release(&m->arena);
	*m = (struct manifest){ 0 };
}

static int check_text(struct manifest *m, struct lu_err *err)
{
	const struct lu_json_member *version;
	struct lu_json_fault fault;
	uint64_t v = 0;
	char hash[17];
	char *member;

	if (lu_json_object((struct lu_str){ m->text, m->n }, &m->arena, &m->obj, &fault) < 0 ||
			!(version = lu_json_get(&m->obj, "lucie_checkpoint")))
		return lu_err_set(err, "%s: not the manifest of a checkpoint", m->path);
	if (!lu_json_u64(version, &v) || v < VERSION || v > VERSION_ROPE)
		return lu_err_set(err, "%s: unsupported version %" PRIu64, m->path, v);
	member = memmem(m->text, m->n, hash_member, sizeof(hash_member) - 1);
	if (member) {
		hash_text(m->text, (size_t)(member - m->text), hash);
		if (strncmp(member + sizeof(hash_member) - 1, hash, 16) == 0)
			return 0;
	}
	return lu_err_set(err, "%s: damaged: its text does not match its hash", m->path);
}

static int manifest_open(struct manifest *m, const char *dir, struct lu_err *err)
{
	int rc;

	*m = (struct manifest){ .path = lu_concat(dir, "/", "manifest.json") };
	rc = m->path ? lu_read_file(m->path, MANIFEST_MAX, &m->text, &m->n, err)
		     : lu_err_nomem(err);
	if (rc == 0)
		rc = check_text(m, err);
	if (rc < 0)
		manifest_release(m);
	return rc;
}

/* Copy a string member; false if it is missing, no string, or does not fit. */
static bool get_text(struct manifest *m, const struct lu_json_obj *o, const char *key, char *out,
		size_t size)
{
	const struct lu_json_member *member = lu_json_get(o, key);
	struct lu_str text;

	if (!member || member->type != LU_JSON_STRING ||
			lu_json_decode(member->value, &m->arena, &text) < 0 || text.n >= size)
		return false;
	snprintf(out, size, "%.*s", (int)text.n, text.p);
	return true;
}

/* Checkpoints from before there were layouts have none. */
static bool read_layout(struct manifest *m, struct lt_written_by *by)
{
	const struct lu_json_member *layout = lu_json_get(&m->obj, "layout");
	struct lu_json_fault fault;
	struct lu_json_obj o;

	if (!layout)
		return true;
	if (lu_json_get(&m->obj, "dtype") &&
			!get_text(m, &m->obj, "dtype", by->dtype, sizeof(by->dtype)))
		return false;
	if (lu_json_get(&m->obj, "memory") &&
			!get_text(m, &m->obj, "memory", by->memory, sizeof(by->memory)))
		return false;
	return layout->type == LU_JSON_OBJECT &&
			lu_json_object(layout->value, &m->arena, &o, &fault) == 0 &&
			get_text(m, &m->obj, "equality", by->equality, sizeof(by->equality)) &&
			get_text(m, &o, "recompute", by->recompute, sizeof(by->recompute)) &&
			lt_json_get_u64(&o, "dp", &by->dp) && lt_json_get_u64(&o, "tp", &by->tp) &&
			lt_json_get_u64(&o, "pp", &by->pp) &&
			lt_json_get_u64(&o, "zero", &by->zero) &&
			lt_json_get_u64(&o, "lanes", &by->lanes);
}

/* One range of `left_out`. */
static bool read_skip(struct lu_str array, struct lu_skips *s)
{
	struct lu_json_iter it = lu_json_iter(array);
	struct lu_err ignored;
	uint64_t v[3];
	size_t n = 0;

	while (lu_json_next(&it)) {
		struct lu_json_member m = { .type = it.type, .value = it.value };

		if (n == 3 || !lu_json_u64(&m, &v[n++]))
			return false;
	}
	return n == 3 && v[1] < v[2] && lu_skips_add(s, v[0], v[1], v[2], &ignored) == 0;
}

static bool read_skips(const struct lu_json_obj *o, struct lu_skips *s)
{
	const struct lu_json_member *list = lu_json_get(o, "left_out");
	struct lu_json_iter it;

	if (!list)
		return true;
	if (list->type != LU_JSON_ARRAY)
		return false;
	for (it = lu_json_iter(list->value); lu_json_next(&it);) {
		if (it.type != LU_JSON_ARRAY || !read_skip(it.value, s))
			return false;
	}
	return true;
}

/* Absent: none. */
static bool read_spike(const struct lu_json_obj *o, struct lt_spike *s)
{
	const struct lu_json_member *list = lu_json_get(o, "norms");
	struct lu_json_iter it;

	if (!list)
		return true;
	if (list->type != LU_JSON_ARRAY)
		return false;
	for (it = lu_json_iter(list->value); lu_json_next(&it);) {
		struct lu_json_member m = { .type = it.type, .value = it.value };

		if (s->n == LT_SPIKE_WINDOW || !lu_json_double(&m, &s->norm[s->n]) ||
				!isfinite(s->norm[s->n]))
			return false;
		s->n++;
	}
	return true;
}

static bool read_position(struct manifest *m, struct lt_position *pos)
{
	*pos = (struct lt_position){ 0 };
	lt_json_get_u64(&m->obj, "validations_due", &pos->due);
	lt_json_get_u64(&m->obj, "evaluations_due", &pos->evals_due);
	pos->phase_end = lt_json_is_true(&m->obj, "phase_end");
	if (lu_json_get(&m->obj, "reference") &&
			!get_text(m, &m->obj, "reference", pos->reference, sizeof(pos->reference)))
		return false;
	return get_text(m, &m->obj, "phase_name", pos->phase_name, sizeof(pos->phase_name)) &&
			lt_json_get_u64(&m->obj, "step", &pos->step) &&
			lt_json_get_u64(&m->obj, "phase", &pos->phase) &&
			lt_json_get_u64(&m->obj, "samples", &pos->samples) &&
			lt_json_get_u64(&m->obj, "tokens", &pos->tokens) &&
			lt_json_get_u64(&m->obj, "updates", &pos->updates) &&
			lt_json_get_u64(&m->obj, "context", &pos->context) &&
			read_layout(m, &pos->by) && read_spike(&m->obj, &pos->spike) &&
			read_skips(&m->obj, &pos->skips);
}

/* Absent: none. */
static bool read_rope(const struct lu_json_obj *obj, struct lt_shape *s)
{
	static const enum lt_rope_scaling known[] = { LT_ROPE_LINEAR, LT_ROPE_LLAMA3 };
	const struct lu_json_member *m = lu_json_get(obj, "rope_scaling");

	if (!m)
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (lt_json_is_text(m, lt_rope_name(known[i])))
			s->rope_scaling = known[i];
	}
	if (s->rope_scaling == LT_ROPE_NONE ||
			!lt_json_get_double(obj, "rope_factor", &s->rope_factor) ||
			s->rope_factor < 1)
		return false;
	return s->rope_scaling != LT_ROPE_LLAMA3 ||
			(lt_json_get_double(obj, "rope_low", &s->rope_low) &&
					lt_json_get_double(obj, "rope_high", &s->rope_high) &&
					lt_json_get_size(obj, "rope_original", &s->rope_original) &&
					s->rope_low > 0 && s->rope_low < s->rope_high &&
					s->rope_original > 0);
}

static bool read_shape(const struct lu_json_obj *obj, struct lt_shape *s)
{
	*s = (struct lt_shape){ .tied = lt_json_is_true(obj, "tied") };
	return lu_json_get(obj, "tied") && lt_json_get_size(obj, "vocab", &s->vocab) &&
			lt_json_get_size(obj, "hidden", &s->hidden) &&
			lt_json_get_size(obj, "layers", &s->layers) &&
			lt_json_get_size(obj, "heads", &s->heads) &&
			lt_json_get_size(obj, "kv_heads", &s->kv_heads) &&
			lt_json_get_size(obj, "head_dim", &s->dim) &&
			lt_json_get_size(obj, "ffn", &s->ffn) &&
			lt_json_get_double(obj, "rope_theta", &s->rope_theta) &&
			lt_json_get_double(obj, "norm_eps", &s->norm_eps) &&
			lt_json_get_double(obj, "init_std", &s->init_std) && read_rope(obj, s) &&
			s->vocab && s->kv_heads && s->heads % s->kv_heads == 0;
}

int lt_manifest_read(const char *dir, struct lt_position *pos, struct lt_shape *shape,
		struct lu_err *err)
{
	struct manifest m;
	int rc = 0;

	if (manifest_open(&m, dir, err) < 0)
		return -1;
	if ((pos && !read_position(&m, pos)) || (shape && !read_shape(&m.obj, shape)))
		rc = lu_err_set(err, "%s: a member is missing or out of range", m.path);
	manifest_release(&m);
	return rc;
}

/* Read one entry of "files": {"name":..., "bytes":..., "xxh3_128":...}. */
static bool read_file(struct manifest *m, const struct lu_json_iter *it, struct lt_manifest_file *f)
{
	const struct lu_json_member *hash;
	struct lu_json_fault fault;
	struct lu_json_obj entry;

	if (it->type != LU_JSON_OBJECT ||
			lu_json_object(it->value, &m->arena, &entry, &fault) < 0 ||
			!(hash = lu_json_get(&entry, "xxh3_128")))
		return false;
	/* null: written by a build without hashes. */
	if (hash->type != LU_JSON_NULL &&
			!get_text(m, &entry, "xxh3_128", f->digest.hash, sizeof(f->digest.hash)))
		return false;
	return get_text(m, &entry, "name", f->name, sizeof(f->name)) && !strchr(f->name, '/') &&
			lt_json_get_u64(&entry, "bytes", &f->digest.bytes);
}

int lt_manifest_files(const char *dir, struct lt_manifest_files *files, struct lu_err *err)
{
	const struct lu_json_member *list;
	struct lu_json_iter it;
	struct manifest m;
	int rc = 0;

	*files = (struct lt_manifest_files){ 0 };
	if (manifest_open(&m, dir, err) < 0)
		return -1;
	list = lu_json_get(&m.obj, "files");
	if (!list || list->type != LU_JSON_ARRAY)
		rc = lu_err_set(err, "%s: no array \"files\"", m.path);
	else
		it = lu_json_iter(list->value);
	while (rc == 0 && lu_json_next(&it)) {
		if (files->n == LT_MANIFEST_FILES || !read_file(&m, &it, &files->file[files->n++]))
			rc = lu_err_set(err, "%s: bad entry in \"files\"", m.path);
	}
	manifest_release(&m);
	return rc;
}
