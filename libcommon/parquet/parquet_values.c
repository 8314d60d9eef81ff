#include "libcommon/parquet/parquet_values.h"

#include <inttypes.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/parquet/parquet_stream.h"
#include "libcommon/sys/file.h"

#define WINDOW ((size_t)256 << 10)
/* Values of a dictionary in a file, whose offsets are in memory. */
#define SPILLED_MAX 4000000

static int ends(struct lu_err *err)
{
	return lu_err_set(err, "a damaged page (it ends before its values do)");
}

int lu_pq_source_need(struct lu_pq_source *s, size_t n, struct lu_err *err)
{
	size_t take;
	ssize_t got;

	if (n <= s->n)
		return 0;
	if (!s->stream || n - s->n > s->behind)
		return ends(err);
	if (n > LU_PQ_HELD)
		return lu_err_set(err,
				"a page of which %zu bytes must be held at once; at most %zu", n,
				LU_PQ_HELD);
	/* What is left moves to the front. */
	if (s->n && (const char *)s->p != s->window.p)
		memmove(s->window.p, s->p, s->n);
	s->window.n = s->n;
	take = n - s->n > WINDOW ? n - s->n : WINDOW;
	if (take > s->behind)
		take = s->behind;
	if (!lu_buf_reserve(&s->window, take))
		return lu_err_nomem(err);
	got = lu_pq_stream_read(s->stream, s->window.p + s->window.n, take, err);
	if (got < 0)
		return -1;
	s->window.n += (size_t)got;
	s->behind -= (size_t)got;
	s->p = (const unsigned char *)s->window.p;
	s->n = s->window.n;
	return s->n < n ? ends(err) : 0;
}

int lu_pq_source_skip(struct lu_pq_source *s, size_t n, struct lu_err *err)
{
	if (n > lu_pq_source_left(s))
		return ends(err);
	while (n) {
		size_t k = n < s->n ? n : s->n;

		lu_pq_source_pass(s, k);
		n -= k;
		if (n && lu_pq_source_need(s, 1, err) < 0)
			return -1;
	}
	return 0;
}

void lu_pq_source_release(struct lu_pq_source *s)
{
	lu_pq_stream_close(s->stream);
	lu_buf_release(&s->window);
	*s = (struct lu_pq_source){ 0 };
}

void lu_pq_rle_begin(struct lu_pq_rle *r, struct lu_str bytes, unsigned width)
{
	*r = (struct lu_pq_rle){ .p = (const unsigned char *)bytes.p,
		.end = (const unsigned char *)bytes.p + bytes.n,
		.width = width };
}

void lu_pq_packed_begin(struct lu_pq_rle *r, struct lu_str bytes, unsigned width)
{
	lu_pq_rle_begin(r, bytes, width);
	r->msb = r->packed = true;
	r->run = width ? (uint64_t)bytes.n * 8 / width : UINT64_MAX;
}

static bool varint(const unsigned char **p, const unsigned char *end, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		unsigned b = *(*p)++;

		*v |= (uint64_t)(b & 0x7F) << shift;
		if (!(b & 0x80))
			return true;
	}
	return false;
}

bool lu_pq_rle_refill(struct lu_pq_rle *r)
{
	uint64_t head;
	unsigned bytes = (r->width + 7) / 8;

	if (r->packed && !r->msb)
		r->p += r->at / 8;
	r->at = 0;
	if (r->msb || !varint(&r->p, r->end, &head) || head >> 1 == 0)
		return false;
	r->packed = head & 1;
	if (!r->packed) {
		if ((size_t)(r->end - r->p) < bytes)
			return false;
		r->run = head >> 1;
		r->value = 0;
		for (unsigned i = 0; i < bytes; i++)
			r->value |= (uint32_t)r->p[i] << 8 * i;
		r->p += bytes;
		return true;
	}
	/* The last group may be cut behind the last value. */
	uint64_t have = (uint64_t)(r->end - r->p), groups = head >> 1;

	r->run = groups > UINT64_MAX / 8 ? UINT64_MAX : groups * 8;
	if (r->width && (groups > have || groups * r->width > have))
		r->run = have * 8 / r->width;
	return r->run > 0;
}

/* The bits [at, at + width) of p, the lowest first; width up to 64. Bytes from `end` on are 0. */
static uint64_t bits_at(
		const unsigned char *p, const unsigned char *end, uint64_t at, unsigned width)
{
	const unsigned char *b = p + at / 8;
	unsigned shift = (unsigned)(at & 7);
	uint64_t v = 0;

	if (end - b >= 9) {
		v = lu_load64(b) >> shift;
		if (shift)
			v |= (uint64_t)b[8] << (64 - shift);
	} else {
		for (unsigned i = 0; i < 9 && b + i < end; i++) {
			uint64_t byte = b[i];
			int to = (int)(8 * i) - (int)shift;

			v |= to < 0 ? byte >> -to : byte << to;
		}
	}
	return width < 64 ? v & (((uint64_t)1 << width) - 1) : v;
}

uint32_t lu_pq_rle_packed(struct lu_pq_rle *r)
{
	uint32_t v = 0;

	if (!r->msb)
		v = (uint32_t)bits_at(r->p, r->end, r->at, r->width);
	for (unsigned i = 0; r->msb && i < r->width; i++) {
		uint64_t at = r->at + i;

		v = v << 1 | (uint32_t)(r->p[at / 8] >> (7 - (at & 7)) & 1);
	}
	r->at += r->width;
	return v;
}

static int delta_begin(struct lu_pq_delta *d, const unsigned char *p, const unsigned char *end,
		struct lu_err *err)
{
	uint64_t block, first;

	*d = (struct lu_pq_delta){ .p = p, .end = end, .first = true };
	if (!varint(&d->p, end, &block) || !varint(&d->p, end, &d->minis) ||
			!varint(&d->p, end, &d->left) || !varint(&d->p, end, &first))
		return ends(err);
	if (d->minis == 0 || d->minis > 1 << 16 || block == 0 || block > 1 << 24 ||
			block % d->minis || block / d->minis % 8)
		return lu_err_set(err, "a damaged page (differences)");
	d->per_mini = block / d->minis;
	d->value = first >> 1 ^ -(first & 1);
	d->mini = d->minis;
	return 0;
}

/* Go on to the next miniblock. Its last values may be missing in the last block. */
static int delta_mini(struct lu_pq_delta *d, struct lu_err *err)
{
	uint64_t bytes;

	if (d->mini == d->minis) {
		uint64_t min;

		if (!varint(&d->p, d->end, &min) || (uint64_t)(d->end - d->p) < d->minis)
			return ends(err);
		d->min = min >> 1 ^ -(min & 1);
		d->widths = d->p;
		d->p += d->minis;
		d->mini = 0;
	}
	if (d->widths[d->mini] > 64)
		return lu_err_set(err, "a damaged page (differences)");
	bytes = d->per_mini / 8 * d->widths[d->mini];
	if (bytes > (uint64_t)(d->end - d->p))
		return ends(err);
	d->mini_at = d->p;
	d->p += bytes;
	d->mini_end = d->p;
	d->at = 0;
	d->in_mini = d->per_mini;
	d->mini++;
	return 0;
}

static int delta_next(struct lu_pq_delta *d, uint64_t *v, struct lu_err *err)
{
	if (d->left == 0)
		return ends(err);
	d->left--;
	if (!d->first) {
		unsigned width;

		if (d->in_mini == 0 && delta_mini(d, err) < 0)
			return -1;
		width = d->widths[d->mini - 1];
		d->value += d->min + (width ? bits_at(d->mini_at, d->end, d->at, width) : 0);
		d->at += width;
		d->in_mini--;
	}
	d->first = false;
	*v = d->value;
	return 0;
}

/* Where the differences end: behind the miniblock of the last value. */
static int delta_end(const struct lu_pq_delta *of, const unsigned char **end, struct lu_err *err)
{
	struct lu_pq_delta d = *of;

	for (uint64_t left = d.left ? d.left - 1 : 0; left;) {
		if (delta_mini(&d, err) < 0)
			return -1;
		left = left > d.per_mini ? left - d.per_mini : 0;
	}
	*end = d.p;
	return 0;
}

uint32_t lu_pq_width(enum lu_pq_type type, uint32_t length)
{
	switch (type) {
	case LU_PQ_INT32:
	case LU_PQ_FLOAT: return 4;
	case LU_PQ_INT64:
	case LU_PQ_DOUBLE: return 8;
	case LU_PQ_INT96: return 12;
	case LU_PQ_FIXED: return length;
	case LU_PQ_BOOLEAN:
	case LU_PQ_BYTE_ARRAY: break;
	}
	return 0;
}

/* Lengths as differences, then all the bytes. Of a stream the lengths are copied, since the window
 * moves; as many as n lengths of 32 bits can take. */
static int begin_lengths(struct lu_pq_values *v, struct lu_err *err)
{
	struct lu_pq_source *s = v->src;
	const unsigned char *end;
	size_t n = lu_pq_source_left(s);

	/* Bytes are taken in growing pieces until the lengths are whole. */
	for (size_t take = s->stream && n > WINDOW ? WINDOW : n;; take *= 2) {
		if (take > n)
			take = n;
		if (lu_pq_source_need(s, take, err) < 0)
			return -1;
		if (delta_begin(&v->delta, s->p, s->p + s->n, err) == 0 &&
				delta_end(&v->delta, &end, err) == 0)
			break;
		if (take == n)
			return -1;
	}
	if (s->stream) {
		size_t size = (size_t)(end - s->p);

		lu_buf_clear(&v->lengths);
		lu_buf_append(&v->lengths, s->p, size);
		if (lu_buf_check(&v->lengths, err) < 0)
			return -1;
		const unsigned char *copy = (const unsigned char *)v->lengths.p;

		if (delta_begin(&v->delta, copy, copy + size, err) < 0)
			return -1;
		lu_pq_source_pass(s, size);
		return 0;
	}
	lu_pq_source_pass(s, (size_t)(end - s->p));
	return 0;
}

static int begin_prefixes(struct lu_pq_values *v, struct lu_err *err)
{
	const struct lu_pq_source *s = v->src;
	const unsigned char *end;

	lu_buf_clear(&v->before);
	if (delta_begin(&v->delta, s->p, s->p + s->n, err) < 0 ||
			delta_end(&v->delta, &end, err) < 0 ||
			delta_begin(&v->suffix, end, s->p + s->n, err) < 0 ||
			delta_end(&v->suffix, &end, err) < 0)
		return -1;
	v->rest = (struct lu_str){ (const char *)end, (size_t)(s->p + s->n - end) };
	return 0;
}

static int begin_indices(struct lu_pq_values *v, struct lu_err *err)
{
	struct lu_pq_source *s = v->src;

	if (!v->dictionary)
		return lu_err_set(err, "a damaged page (no dictionary)");
	v->encoding = LU_PQ_E_RLE_DICTIONARY;
	if (s->n == 0) {
		/* A page of nulls. */
		lu_pq_rle_begin(&v->rle, LU_STR(""), 0);
		return 0;
	}
	if (s->p[0] > 32)
		return lu_err_set(err, "a damaged page (indices of %d bits)", s->p[0]);
	lu_pq_rle_begin(&v->rle, (struct lu_str){ (const char *)s->p + 1, s->n - 1 }, s->p[0]);
	return 0;
}

static int begin_booleans(struct lu_pq_values *v, struct lu_err *err)
{
	const struct lu_pq_source *s = v->src;
	uint32_t n = s->n < 4 ? 0 : lu_load32(s->p);

	if (v->type != LU_PQ_BOOLEAN)
		return lu_err_set(err, "a damaged page (encoding of truth values)");
	if (s->n && n > s->n - 4)
		return ends(err);
	lu_pq_rle_begin(&v->rle, (struct lu_str){ (const char *)s->p + 4, n }, 1);
	return 0;
}

int lu_pq_values_begin(struct lu_pq_values *v, enum lu_pq_type type, uint32_t length, int encoding,
		struct lu_pq_source *src, struct lu_pq_dictionary *d, uint64_t limit,
		struct lu_err *err)
{
	bool bytes = type == LU_PQ_BYTE_ARRAY, whole = type == LU_PQ_INT32 || type == LU_PQ_INT64;

	v->type = type;
	v->width = lu_pq_width(type, length);
	v->encoding = encoding;
	v->src = src;
	v->dictionary = d;
	v->limit = limit;
	v->marked = false;
	v->bit = 0;
	v->next = 0;
	if (encoding != LU_PQ_E_PLAIN && encoding != LU_PQ_E_DELTA_LENGTH &&
			lu_pq_source_need(src, lu_pq_source_left(src), err) < 0)
		return -1;
	switch (encoding) {
	case LU_PQ_E_PLAIN: return 0;
	case LU_PQ_E_PLAIN_DICTIONARY:
	case LU_PQ_E_RLE_DICTIONARY: return begin_indices(v, err);
	case LU_PQ_E_RLE: return begin_booleans(v, err);
	case LU_PQ_E_DELTA_BINARY:
		if (whole)
			return delta_begin(&v->delta, src->p, src->p + src->n, err);
		break;
	case LU_PQ_E_DELTA_LENGTH:
		if (bytes)
			return begin_lengths(v, err);
		break;
	case LU_PQ_E_DELTA_BYTES:
		if (bytes || type == LU_PQ_FIXED)
			return begin_prefixes(v, err);
		break;
	case LU_PQ_E_SPLIT:
		if (v->width) {
			v->split = src->n / v->width;
			return lu_buf_reserve(&v->before, v->width) ? 0 : lu_err_nomem(err);
		}
		break;
	default: return lu_err_set(err, "values in encoding %d, which is not read", encoding);
	}
	return lu_err_set(err, "a damaged page (encoding %d of another type)", encoding);
}

/* The value of a fixed width at p. */
static void fixed_value(const struct lu_pq_values *v, const void *p, struct lu_pq_value *out)
{
	if (v->width == 4 && v->type != LU_PQ_FIXED)
		out->bits = v->type == LU_PQ_FLOAT ? lu_load32(p)
						   : (uint64_t)(int64_t)(int32_t)lu_load32(p);
	else if (v->width == 8 && v->type != LU_PQ_FIXED)
		out->bits = lu_load64(p);
	out->s = (struct lu_str){ p, v->width };
}

static int next_plain(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	struct lu_pq_source *s = v->src;
	uint32_t n;

	if (v->width) {
		if (lu_pq_source_need(s, v->width, err) < 0)
			return -1;
		fixed_value(v, s->p, out);
		lu_pq_source_pass(s, v->width);
		return 0;
	}
	if (v->type == LU_PQ_BOOLEAN) {
		if (lu_pq_source_need(s, 1, err) < 0)
			return -1;
		out->bits = s->p[0] >> v->bit & 1;
		v->bit = v->marked ? 0 : (v->bit + 1) & 7;
		if (v->bit == 0)
			lu_pq_source_pass(s, 1);
		return 0;
	}
	if (lu_pq_source_need(s, 4, err) < 0)
		return -1;
	n = lu_load32(s->p);
	lu_pq_source_pass(s, 4);
	if (v->marked && n == UINT32_MAX) {
		out->too_large = true;
		return 0;
	}
	if (n > lu_pq_source_left(s))
		return ends(err);
	if (n > v->limit) {
		out->too_large = true;
		return lu_pq_source_skip(s, n, err);
	}
	if (lu_pq_source_need(s, n, err) < 0)
		return -1;
	out->s = (struct lu_str){ (const char *)s->p, n };
	lu_pq_source_pass(s, n);
	return 0;
}

static int next_lengths(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	uint64_t n;

	if (delta_next(&v->delta, &n, err) < 0)
		return -1;
	if (n > lu_pq_source_left(v->src))
		return ends(err);
	if (n > v->limit) {
		out->too_large = true;
		return lu_pq_source_skip(v->src, n, err);
	}
	if (lu_pq_source_need(v->src, n, err) < 0)
		return -1;
	out->s = (struct lu_str){ (const char *)v->src->p, n };
	lu_pq_source_pass(v->src, n);
	return 0;
}

static int next_prefixed(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	uint64_t same, n;

	if (delta_next(&v->delta, &same, err) < 0 || delta_next(&v->suffix, &n, err) < 0)
		return -1;
	if (same > v->before.n || n > v->rest.n || (v->width && same + n != v->width))
		return ends(err);
	v->before.n = same;
	lu_buf_append(&v->before, v->rest.p, n);
	v->rest = (struct lu_str){ v->rest.p + n, v->rest.n - n };
	if (lu_buf_check(&v->before, err) < 0)
		return -1;
	out->s = lu_buf_slice(&v->before);
	return 0;
}

/* A value of a dictionary in a file. Those that follow one another in it mostly do so in the page too. */
static int spilled_value(const struct lu_pq_values *v, uint32_t i, struct lu_pq_value *out,
		struct lu_err *err)
{
	struct lu_pq_dictionary *d = v->dictionary;
	bool fixed = d->width != 0;
	uint64_t from = fixed ? (uint64_t)i * d->width : d->offsets.p[i];
	uint64_t end = fixed ? from + d->width : d->offsets.p[i + 1], size = end - from;
	uint64_t all = fixed ? (uint64_t)d->n * d->width : d->offsets.p[d->n];

	if (size > v->limit) {
		out->too_large = true;
		return 0;
	}
	if (from < d->window || end > d->window + d->bytes.n) {
		uint64_t left = all - from;
		size_t take = (size_t)(size > WINDOW / 4	    ? size
						: left < WINDOW / 4 ? left
								    : WINDOW / 4);

		lu_buf_clear(&d->bytes);
		if (!lu_buf_reserve(&d->bytes, take))
			return lu_err_nomem(err);
		if (lu_pread_all(d->fd, d->bytes.p, take, from, "temporary file", err) < 0)
			return -1;
		d->window = from;
		d->bytes.n = take;
	}
	if (v->width)
		fixed_value(v, d->bytes.p + (from - d->window), out);
	else
		out->s = (struct lu_str){ d->bytes.p + (from - d->window), size };
	return 0;
}

static int next_index(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	struct lu_pq_dictionary *d = v->dictionary;
	uint32_t i;

	if (!lu_pq_rle_next(&v->rle, &i))
		return ends(err);
	if (i >= d->n)
		return lu_err_set(err, "a damaged page (value %u of a dictionary of %zu)", i, d->n);
	if (d->fd)
		return spilled_value(v, i, out, err);
	if (d->width)
		fixed_value(v, d->bytes.p + (size_t)i * d->width, out);
	else
		out->s = d->strings.p[i];
	return 0;
}

static int next_split(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	if (v->next >= v->split)
		return ends(err);
	for (uint32_t k = 0; k < v->width; k++)
		v->before.p[k] = (char)v->src->p[k * v->split + v->next];
	v->next++;
	fixed_value(v, v->before.p, out);
	return 0;
}

int lu_pq_values_next(struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err)
{
	uint32_t bit;

	*out = (struct lu_pq_value){ .s = { "", 0 } };
	switch (v->encoding) {
	case LU_PQ_E_PLAIN: return next_plain(v, out, err);
	case LU_PQ_E_RLE_DICTIONARY: return next_index(v, out, err);
	case LU_PQ_E_RLE:
		if (!lu_pq_rle_next(&v->rle, &bit))
			return ends(err);
		out->bits = bit;
		return 0;
	case LU_PQ_E_DELTA_BINARY:
		if (delta_next(&v->delta, &out->bits, err) < 0)
			return -1;
		if (v->type == LU_PQ_INT32)
			out->bits = (uint64_t)(int64_t)(int32_t)out->bits;
		return 0;
	case LU_PQ_E_DELTA_LENGTH: return next_lengths(v, out, err);
	case LU_PQ_E_DELTA_BYTES: return next_prefixed(v, out, err);
	default: return next_split(v, out, err);
	}
}

void lu_pq_values_release(struct lu_pq_values *v)
{
	lu_buf_release(&v->before);
	lu_buf_release(&v->lengths);
}

static int bad_dictionary(struct lu_err *err)
{
	return lu_err_set(err, "a damaged dictionary");
}

int lu_pq_dictionary_read(struct lu_pq_dictionary *d, enum lu_pq_type type, uint32_t length,
		uint64_t n, struct lu_err *err)
{
	const char *p = d->bytes.p, *end = d->bytes.p + d->bytes.n;

	d->longest = d->width = lu_pq_width(type, length);
	d->n = (size_t)n;
	d->strings.n = 0;
	if (type == LU_PQ_BOOLEAN || n > d->bytes.n / (d->width ? d->width : 4))
		return bad_dictionary(err);
	for (uint64_t i = 0; i < n && d->width == 0; i++) {
		uint32_t size = end - p < 4 ? UINT32_MAX : lu_load32(p);

		if (end - p < 4 || size > (size_t)(end - p) - 4)
			return bad_dictionary(err);
		if (!lu_vec_push(&d->strings, (struct lu_str){ p + 4, size }))
			return lu_err_nomem(err);
		d->longest = size > d->longest ? size : d->longest;
		p += 4 + size;
	}
	return 0;
}

/* Copy n bytes of the source to the file. */
static int spill(struct lu_pq_dictionary *d, struct lu_pq_source *src, size_t n, struct lu_err *err)
{
	if (n > lu_pq_source_left(src))
		return bad_dictionary(err);
	while (n) {
		size_t k;

		if (lu_pq_source_need(src, 1, err) < 0)
			return -1;
		k = n < src->n ? n : src->n;
		lu_buf_append(&d->bytes, src->p, k);
		if (lu_buf_check(&d->bytes, err) < 0)
			return -1;
		if (d->bytes.n >= WINDOW) {
			if (lu_write_all(d->fd, d->bytes.p, d->bytes.n, "temporary file", err) < 0)
				return -1;
			lu_buf_clear(&d->bytes);
		}
		lu_pq_source_pass(src, k);
		n -= k;
	}
	return 0;
}

int lu_pq_dictionary_spill(struct lu_pq_dictionary *d, enum lu_pq_type type, uint32_t length,
		uint64_t n, struct lu_pq_source *src, const char *tmpdir, struct lu_err *err)
{
	uint64_t at = 0;

	d->longest = d->width = lu_pq_width(type, length);
	d->n = (size_t)n;
	if (type == LU_PQ_BOOLEAN || n > lu_pq_source_left(src) / (d->width ? d->width : 4))
		return bad_dictionary(err);
	if (d->width == 0 && n > SPILLED_MAX)
		return lu_err_set(err, "a dictionary of %" PRIu64 " values; at most %d are read", n,
				SPILLED_MAX);
	d->fd = lu_temp_open(tmpdir, err);
	if (d->fd < 0) {
		d->fd = 0;
		return -1;
	}
	if (d->width == 0 && !lu_vec_reserve(&d->offsets, (size_t)n + 1))
		return lu_err_nomem(err);
	for (uint64_t i = 0; i < n; i++) {
		size_t size = d->width;

		if (size == 0) {
			if (lu_pq_source_need(src, 4, err) < 0)
				return -1;
			size = lu_load32(src->p);
			lu_pq_source_pass(src, 4);
			d->offsets.p[d->offsets.n++] = at;
		}
		at += size;
		d->longest = size > d->longest ? size : d->longest;
		if (spill(d, src, size, err) < 0)
			return -1;
	}
	if (d->width == 0)
		d->offsets.p[d->offsets.n++] = at;
	if (lu_write_all(d->fd, d->bytes.p, d->bytes.n, "temporary file", err) < 0)
		return -1;
	lu_buf_clear(&d->bytes);
	d->window = 0;
	return 0;
}

void lu_pq_dictionary_release(struct lu_pq_dictionary *d)
{
	if (d->fd)
		close(d->fd);
	lu_buf_release(&d->bytes);
	lu_vec_release(&d->strings);
	lu_vec_release(&d->offsets);
	*d = (struct lu_pq_dictionary){ 0 };
}
