#include "libcommon/io/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

static const struct {
	const char *name;
	size_t width;
} types[LU_ST_TYPES] = {
	[LU_ST_F64] = { "F64", 8 },
	[LU_ST_F32] = { "F32", 4 },
	[LU_ST_F16] = { "F16", 2 },
	[LU_ST_BF16] = { "BF16", 2 },
	[LU_ST_I64] = { "I64", 8 },
	[LU_ST_I32] = { "I32", 4 },
	[LU_ST_U8] = { "U8", 1 },
};

size_t lu_st_width(enum lu_st_type type)
{
	return types[type].width;
}

const char *lu_st_type_name(enum lu_st_type type)
{
	return types[type].name;
}

uint16_t lu_f16_of(float f)
{
	uint32_t u, sign, m;
	int shift;

	memcpy(&u, &f, sizeof(u));
	sign = u >> 16 & 0x8000;
	u &= 0x7fffffff;
	if (u > 0x7f800000)
		return (uint16_t)(sign | 0x7e00);
	/* Half way between the largest number and the next, and beyond: ties to even go up. */
	if (u >= 0x477ff000)
		return (uint16_t)(sign | 0x7c00);
	if (u >= 0x38800000)
		return (uint16_t)(sign | ((u - 0x38000000 + 0xfff + (u >> 13 & 1)) >> 13));
	/* Subnormal: multiples of 2^-24; below half of it nothing is left. */
	if (u < 0x33000000)
		return (uint16_t)sign;
	shift = 126 - (int)(u >> 23);
	m = (u & 0x7fffff) | 0x800000;
	return (uint16_t)(sign | ((m + (1u << (shift - 1)) - 1 + (m >> shift & 1)) >> shift));
}

float lu_f16_to(uint16_t h)
{
	int exponent = h >> 10 & 31;
	float mantissa = (float)(h & 1023), v;

	if (exponent == 31)
		v = mantissa != 0 ? NAN : INFINITY;
	else if (exponent == 0)
		v = ldexpf(mantissa, -24);
	else
		v = ldexpf(mantissa + 1024, exponent - 25);
	return h & 0x8000 ? -v : v;
}

/* Read up to `max` whole numbers of a JSON array; returns their number, -1 if it holds anything
 * else. */
static int numbers(struct lu_str raw, uint64_t *out, size_t max)
{
	struct lu_json_iter it = lu_json_iter(raw);
	size_t n = 0;

	while (lu_json_next(&it)) {
		struct lu_json_member m = { .value = it.value, .type = it.type };

		if (n == max || !lu_json_u64(&m, &out[n]))
			return -1;
		n++;
	}
	return (int)n;
}

static int parse_type(struct lu_str raw, enum lu_st_type *type)
{
	for (int i = 0; i < LU_ST_TYPES; i++) {
		size_t n = strlen(types[i].name);

		if (raw.n == n + 2 && memcmp(raw.p + 1, types[i].name, n) == 0) {
			*type = (enum lu_st_type)i;
			return 0;
		}
	}
	return -1;
}

static int parse_tensor(struct lu_st *st, const struct lu_json_member *m, struct lu_st_tensor *t,
		struct lu_err *err)
{
	const struct lu_json_member *type, *shape, *at;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	uint64_t offset[2], bytes;
	int dims;

	t->name = lu_arena_str(&st->arena, m->key);
	if (!t->name.p)
		return lu_err_nomem(err);
	if (m->type != LU_JSON_OBJECT)
		goto bad;
	if (lu_json_object(m->value, &st->arena, &obj, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s: tensor %s", st->path, t->name.p);
	}
	type = lu_json_get(&obj, "dtype");
	shape = lu_json_get(&obj, "shape");
	at = lu_json_get(&obj, "data_offsets");
	if (!type || type->type != LU_JSON_STRING || !shape || shape->type != LU_JSON_ARRAY ||
			!at || at->type != LU_JSON_ARRAY)
		goto bad;
	if (parse_type(type->value, &t->type) < 0)
		return lu_err_set(err, "%s: tensor %s: unsupported dtype " LU_STR_FMT, st->path,
				t->name.p, LU_STR_ARG(type->value));
	dims = numbers(shape->value, t->dim, LU_ST_DIMS);
	if (dims < 0 || numbers(at->value, offset, 2) != 2)
		goto bad;
	t->dims = (size_t)dims;
	t->begin = offset[0];
	t->end = offset[1];
	bytes = lu_st_width(t->type);
	for (size_t i = 0; i < t->dims; i++) {
		if (__builtin_mul_overflow(bytes, t->dim[i], &bytes))
			goto bad;
	}
	if (t->end < t->begin || t->end - t->begin != bytes)
		return lu_err_set(err,
				"%s: tensor %s: data_offsets %" PRIu64 "-%" PRIu64
				" do not fit its shape of %" PRIu64 " bytes",
				st->path, t->name.p, t->begin, t->end, bytes);
	return 0;
bad:
	return lu_err_set(err, "%s: tensor %s: needs dtype, shape and data_offsets", st->path,
			t->name.p);
}

static int by_offset(const void *a, const void *b)
{
	const struct lu_st_tensor *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int parse_header(struct lu_st *st, struct lu_str text, uint64_t bytes, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	uint64_t at = 0;

	if (lu_json_object(text, &st->arena, &obj, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s: header", st->path);
	}
	st->tensor = lu_arena_alloc(&st->arena, (obj.members + 1) * sizeof(*st->tensor));
	if (!st->tensor)
		return lu_err_nomem(err);
	for (size_t i = 0; i < obj.members; i++) {
		if (lu_str_is(obj.member[i].key, "__metadata__"))
			continue;
		if (parse_tensor(st, &obj.member[i], &st->tensor[st->n], err) < 0)
			return -1;
		st->n++;
	}
	qsort(st->tensor, st->n, sizeof(*st->tensor), by_offset);
	for (size_t i = 0; i < st->n; i++) {
		if (st->tensor[i].begin != at)
			return lu_err_set(err, "%s: hole or overlap before tensor %s", st->path,
					st->tensor[i].name.p);
		at = st->tensor[i].end;
	}
	if (at != bytes)
		return lu_err_set(err, "%s: %" PRIu64 " bytes of data, the header says %" PRIu64,
				st->path, bytes, at);
	return 0;
}

int lu_st_open(struct lu_st *st, const char *path, struct lu_err *err)
{
	unsigned char length[8];
	struct stat sb;
	uint64_t n;
	char *text;

	*st = (struct lu_st){ .fd = -1 };
	st->path = strdup(path);
	if (!st->path)
		return lu_err_nomem(err);
	st->fd = lu_open_read(path, err);
	if (st->fd < 0)
		goto fail;
	if (fstat(st->fd, &sb) < 0) {
		lu_err_sys(err, errno, "%s", path);
		goto fail;
	}
	if (sb.st_size < 8) {
		lu_err_set(err, "%s: too short for a safetensors file", path);
		goto fail;
	}
	if (lu_pread_all(st->fd, length, 8, 0, path, err) < 0)
		goto fail;
	n = lu_load64(length);
	if (n > LU_ST_HEADER_MAX || n > (uint64_t)sb.st_size - 8) {
		lu_err_set(err, "%s: not a safetensors file, or cut short", path);
		goto fail;
	}
	text = lu_arena_alloc(&st->arena, (size_t)n + 1);
	if (!text) {
		lu_err_nomem(err);
		goto fail;
	}
	if (lu_pread_all(st->fd, text, (size_t)n, 8, path, err) < 0)
		goto fail;
	st->data = 8 + n;
	if (parse_header(st, (struct lu_str){ text, (size_t)n }, (uint64_t)sb.st_size - 8 - n,
			    err) < 0)
		goto fail;
	return 0;
fail:
	lu_st_close(st);
	return -1;
}

void lu_st_close(struct lu_st *st)
{
	/* Nothing can be lost when closing a file that was only read. */
	if (st->path && st->fd >= 0)
		close(st->fd);
	lu_arena_release(&st->arena);
	free(st->path);
	*st = (struct lu_st){ .fd = -1 };
}

const struct lu_st_tensor *lu_st_find(const struct lu_st *st, const char *name)
{
	for (size_t i = 0; i < st->n; i++) {
		if (lu_str_is(st->tensor[i].name, name))
			return &st->tensor[i];
	}
	return NULL;
}

int lu_st_read(const struct lu_st *st, const struct lu_st_tensor *t, uint64_t at, void *out,
		size_t n, struct lu_err *err)
{
	if (at > lu_st_bytes(t) || n > lu_st_bytes(t) - at)
		return lu_err_set(err, "%s: read beyond tensor %s", st->path, t->name.p);
	return lu_pread_all(st->fd, out, n, st->data + t->begin + at, st->path, err);
}

static void put_tensor(struct lu_buf *json, const struct lu_st_tensor *t)
{
	lu_json_open_object(json, NULL);
	lu_json_put_cstr(json, "dtype", types[t->type].name);
	lu_json_open_array(json, "shape");
	for (size_t i = 0; i < t->dims; i++)
		lu_json_put_u64(json, NULL, t->dim[i]);
	lu_json_close_array(json);
	lu_json_open_array(json, "data_offsets");
	lu_json_put_u64(json, NULL, t->begin);
	lu_json_put_u64(json, NULL, t->end);
	lu_json_close_array(json);
	lu_json_close_object(json);
}

int lu_st_header(struct lu_st_tensor *t, size_t n, const char *meta, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf json = { 0 };
	unsigned char length[8];
	uint64_t at = 0;
	int rc;

	lu_json_open_object(&json, NULL);
	if (meta)
		lu_json_put_raw(&json, "__metadata__", lu_str_of(meta));
	for (size_t i = 0; i < n; i++) {
		t[i].begin = at;
		at += lu_st_count(&t[i]) * lu_st_width(t[i].type);
		t[i].end = at;
		lu_json_key(&json, t[i].name);
		put_tensor(&json, &t[i]);
	}
	lu_json_close_object(&json);
	/* Data at a multiple of 64 bytes, for aligned access to a mapped file. */
	while (!json.failed && (json.n + 8) % 64)
		lu_buf_putc(&json, ' ');
	lu_store64(length, json.n);
	lu_buf_append(out, length, 8);
	lu_buf_str(out, lu_buf_slice(&json));
	rc = lu_buf_check(&json, err);
	lu_buf_release(&json);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}
