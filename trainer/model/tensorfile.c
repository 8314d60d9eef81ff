#include "trainer/model/tensorfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/sys/file.h"

#define CHUNK ((size_t)1 << 18) /* elements converted at once */

enum lu_st_type lt_real_type(void)
{
	return sizeof(lk_real) == sizeof(double) ? LU_ST_F64 : LU_ST_F32;
}

/* A file being written and hashed. */
struct sink {
	int fd;
	const char *path;
	struct lu_hasher *hasher;
	struct lt_digest *digest;
	lt_written_fn *written; /* NULL: nobody asks */
	void *ctx;
};

static int sink_write(struct sink *s, const void *p, size_t n, struct lu_err *err)
{
	lu_hasher_add(s->hasher, p, n);
	s->digest->bytes += n;
	if (s->written)
		s->written(s->ctx, s->digest->bytes);
	return lu_write_all(s->fd, p, n, s->path, err);
}

size_t lt_reals_to_bytes(const lk_real *in, size_t n, enum lu_st_type type, unsigned char *out)
{
	for (size_t i = 0; i < n; i++) {
		float f = (float)in[i];
		uint16_t b;

		if (type == LU_ST_BF16 || type == LU_ST_F16) {
			b = type == LU_ST_BF16 ? lu_bf16_of(f) : lu_f16_of(f);
			if (type == LU_ST_F16 && (b & 0x7c00) == 0x7c00)
				return 0;
			memcpy(out + 2 * i, &b, 2);
		} else if (type == LU_ST_F32) {
			memcpy(out + 4 * i, &f, 4);
		} else {
			double d = (double)in[i];

			memcpy(out + 8 * i, &d, 8);
		}
	}
	return n * lu_st_width(type);
}

int lt_too_large_for_f16(const char *name, struct lu_err *err)
{
	return lu_err_set(err,
			"tensor %s has a value beyond the largest of f16, 65504: use bf16 or f32",
			name);
}

static int write_tensor(struct lt_weights *w, enum lt_vector which, const struct lt_param *p,
		enum lu_st_type type, lk_real *host, unsigned char *bytes, struct sink *s,
		struct lu_err *err)
{
	for (size_t first = 0; first < p->count; first += CHUNK) {
		size_t n = p->count - first < CHUNK ? p->count - first : CHUNK, k;

		if (lt_weights_get(w, which, p->offset + first, n, host, err) < 0)
			return -1;
		k = lt_reals_to_bytes(host, n, type, bytes);
		if (k == 0)
			return lt_too_large_for_f16(p->name, err);
		if (sink_write(s, bytes, k, err) < 0)
			return -1;
	}
	return 0;
}

/* Append the header of a file with parameters first..first+n-1; at[], unless NULL, receives where the
 * data of each begin, and *end where those of the last one end, both from the start of the data. */
static int make_header(const struct lt_table *t, size_t first, size_t n, enum lu_st_type type,
		const char *meta, struct lu_buf *out, uint64_t *at, uint64_t *end,
		struct lu_err *err)
{
	struct lu_st_tensor *list = calloc(n + 1, sizeof(*list));
	int rc;

	if (!list)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct lt_param *p = &t->param[first + i];

		list[i] = (struct lu_st_tensor){ .name = lu_str_of(p->name),
			.type = type,
			.dims = p->dims,
			.dim = { p->dim[0], p->dim[1] } };
	}
	rc = lu_st_header(list, n, meta, out, err);
	for (size_t i = 0; at && i < n; i++) {
		at[i] = list[i].begin;
		*end = list[i].end;
	}
	free(list);
	return rc;
}

int lt_tensors_layout_open(
		struct lt_tensors_layout *l, const struct lt_table *t, struct lu_err *err)
{
	*l = (struct lt_tensors_layout){ .at = calloc(t->n + 1, sizeof(*l->at)) };
	if (!l->at)
		return lu_err_nomem(err);
	if (make_header(t, 0, t->n, lt_real_type(), NULL, &l->header, l->at, &l->bytes, err) < 0) {
		lt_tensors_layout_close(l);
		return -1;
	}
	for (size_t i = 0; i < t->n; i++)
		l->at[i] += l->header.n;
	l->bytes += l->header.n;
	return 0;
}

void lt_tensors_layout_close(struct lt_tensors_layout *l)
{
	lu_buf_release(&l->header);
	free(l->at);
	*l = (struct lt_tensors_layout){ 0 };
}

static int write_all(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *meta, struct sink *s, struct lu_err *err)
{
	lk_real *host = malloc(CHUNK * sizeof(*host));
	unsigned char *bytes = malloc(CHUNK * sizeof(double));
	struct lu_buf header = { 0 };
	int rc = host && bytes ? 0 : lu_err_nomem(err);

	if (rc == 0)
		rc = make_header(&w->table, first, n, type, meta, &header, NULL, NULL, err);
	if (rc == 0)
		rc = sink_write(s, header.p, header.n, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = write_tensor(w, which, &w->table.param[first + i], type, host, bytes, s, err);
	if (rc == 0 && fsync(s->fd) < 0)
		rc = lu_err_sys(err, errno, "%s", s->path);
	lu_buf_release(&header);
	free(bytes);
	free(host);
	return rc;
}

int lt_tensors_write(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *path, const char *meta, struct lt_digest *digest,
		lt_written_fn *written, void *ctx, struct lu_err *err)
{
	struct sink s = { .fd = -1,
		.path = path,
		.hasher = lu_hasher_new(),
		.digest = digest,
		.written = written,
		.ctx = ctx };
	int rc = -1;

	*digest = (struct lt_digest){ 0 };
	if (!s.hasher)
		return lu_err_nomem(err);
	s.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (s.fd < 0) {
		lu_err_sys(err, errno, "%s", path);
		goto out;
	}
	rc = write_all(w, which, first, n, type, meta, &s, err);
	if (close(s.fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", path);
	lt_digest_finish(digest, s.hasher);
out:
	lu_hasher_free(s.hasher);
	return rc;
}

static void from_bytes(const unsigned char *in, size_t n, enum lu_st_type type, lk_real *out)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t h;
		float f;
		double d;

		if (type == LU_ST_F32) {
			memcpy(&f, in + 4 * i, 4);
			out[i] = (lk_real)f;
		} else if (type == LU_ST_F64) {
			memcpy(&d, in + 8 * i, 8);
			out[i] = (lk_real)d;
		} else {
			memcpy(&h, in + 2 * i, 2);
			out[i] = (lk_real)(type == LU_ST_BF16 ? lu_bf16_to(h) : lu_f16_to(h));
		}
	}
}

int lt_tensor_check(const struct lu_st *st, const struct lu_st_tensor *t, const struct lt_param *p,
		const struct lt_pad *pad, struct lu_err *err)
{
	size_t rows = pad ? pad->rows : p->dim[0];

	if (!t)
		return lu_err_set(err, "%s: tensor %s is missing", st->path, p->name);
	if (t->type > LU_ST_BF16)
		return lu_err_set(err, "%s: tensor %s has the unsupported type %s", st->path,
				p->name, lu_st_type_name(t->type));
	if (t->dims != p->dims || t->dim[0] != rows || (p->dims == 2 && t->dim[1] != p->dim[1]))
		return lu_err_set(err,
				"%s: tensor %s is %" PRIu64 " x %" PRIu64
				", the model's is %zu x %zu",
				st->path, p->name, t->dims > 0 ? t->dim[0] : 1,
				t->dims > 1 ? t->dim[1] : 1, rows,
				p->dims == 2 ? p->dim[1] : (size_t)1);
	return 0;
}

void lt_tensors_owned(const struct lt_weights *w, size_t param, size_t *begin, size_t *end)
{
	const struct lt_param *p = &w->table.param[param];

	*begin = *end = 0;
	for (size_t i = 0; p->offset != LT_ELSEWHERE && i < w->table.buckets; i++) {
		const struct lt_bucket *b = &w->table.bucket[i];
		const struct lt_owned *o = &w->owned[i];
		size_t last = p->offset + p->local_count;

		if (param < b->param || param - b->param >= b->params)
			continue;
		if (o->begin < last && o->end > p->offset) {
			*begin = o->begin > p->offset ? o->begin - p->offset : 0;
			*end = (o->end < last ? o->end : last) - p->offset;
		}
	}
}

int lt_tensor_reader_open(struct lt_tensor_reader *r, struct lu_err *err)
{
	r->host = malloc(CHUNK * sizeof(*r->host));
	r->bytes = malloc(CHUNK * sizeof(double));
	if (r->host && r->bytes)
		return 0;
	lt_tensor_reader_close(r);
	return lu_err_nomem(err);
}

void lt_tensor_reader_close(struct lt_tensor_reader *r)
{
	free(r->host);
	free(r->bytes);
	r->host = NULL;
	r->bytes = NULL;
}

/* Read n elements of a parameter's slice from the file, from `at` on, at most CHUNK. They are adjacent
 * in the local vector, but in the file only in runs. Elements behind the end of the tensor are left. */
static int read_runs(const struct lt_weights *w, const struct lu_st *st,
		const struct lu_st_tensor *t, const struct lt_param *p, size_t at, size_t n,
		struct lt_tensor_reader *r, struct lu_err *err)
{
	size_t width = lu_st_width(t->type), have = (size_t)lu_st_count(t);

	for (size_t i = 0; i < n;) {
		size_t first, run = lt_param_run(&w->table, p, at + i, &first), k;

		run = run < n - i ? run : n - i;
		k = first >= have ? 0 : have - first < run ? have - first : run;
		if (k &&
				lu_st_read(st, t, (uint64_t)first * width, r->bytes + i * width,
						k * width, err) < 0)
			return -1;
		memset(r->bytes + (i + k) * width, 0, (run - k) * width);
		i += run;
	}
	from_bytes(r->bytes, n, t->type, r->host);
	return 0;
}

/* Set those of the n elements that the tensor does not have. */
static void fill(const struct lt_weights *w, const struct lu_st_tensor *t, const struct lt_param *p,
		size_t at, size_t n, struct lt_tensor_reader *r)
{
	size_t have = (size_t)lu_st_count(t);

	for (size_t i = 0; i < n;) {
		size_t first, run = lt_param_run(&w->table, p, at + i, &first), k;

		run = run < n - i ? run : n - i;
		k = first >= have ? 0 : have - first < run ? have - first : run;
		if (run > k)
			lt_param_init(p, r->pad->seed, first + k, run - k, r->host + i + k);
		i += run;
	}
}

static int check_finite(const struct lu_st *st, const struct lt_param *p, size_t n,
		const struct lt_tensor_reader *r, struct lu_err *err)
{
	for (size_t i = 0; r->finite && i < n; i++) {
		if (!isfinite(r->host[i]))
			return lu_err_set(err, "%s: tensor %s has a value that is not finite",
					st->path, p->name);
	}
	return 0;
}

int lt_tensor_read(struct lt_weights *w, enum lt_vector which, const struct lu_st *st, size_t param,
		struct lt_tensor_reader *r, struct lu_err *err)
{
	const struct lt_param *p = &w->table.param[param];
	const struct lu_st_tensor *t = lu_st_find(st, p->name);
	size_t at = 0, end = p->local_count;

	if (lt_tensor_check(st, t, p, r->pad, err) < 0)
		return -1;
	if (which != LT_VECTOR_P)
		lt_tensors_owned(w, param, &at, &end);
	for (; at < end; at += CHUNK) {
		size_t n = end - at < CHUNK ? end - at : CHUNK;

		if (read_runs(w, st, t, p, at, n, r, err) < 0 || check_finite(st, p, n, r, err) < 0)
			return -1;
		if (t->dim[0] < p->dim[0])
			fill(w, t, p, at, n, r);
		if (lt_weights_put(w, which, p->offset + at, n, r->host, err) < 0)
			return -1;
	}
	return 0;
}

int lt_tensors_read(
		struct lt_weights *w, enum lt_vector which, const char *path, struct lu_err *err)
{
	struct lt_tensor_reader r = { 0 };
	struct lu_st st;
	int rc;

	if (lu_st_open(&st, path, err) < 0)
		return -1;
	rc = lt_tensor_reader_open(&r, err);
	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		if (w->table.param[i].offset != LT_ELSEWHERE)
			rc = lt_tensor_read(w, which, &st, i, &r, err);
	}
	lt_tensor_reader_close(&r);
	lu_st_close(&st);
	return rc;
}
