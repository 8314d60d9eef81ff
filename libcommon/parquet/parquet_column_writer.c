#include "libcommon/parquet/parquet_column_writer.h"

#include <zlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/num.h"
#include "libcommon/parquet/parquet_pages.h"
#include "libcommon/parquet/parquet_writer.h"

/* Longer values have no bounds. */
#define BOUND_MAX 64

static uint64_t word_hash(const void *items, uint32_t i)
{
	const struct lu_pq_word *w = items;

	return w[i].hash;
}

struct word_key {
	const struct lu_buf *dictionary;
	struct lu_str s;
};

static bool word_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_pq_word *w = items;
	const struct word_key *k = key;

	return w[i].n == k->s.n && memcmp(k->dictionary->p + w[i].at, k->s.p, k->s.n) == 0;
}

static uint64_t hash_of(struct lu_str s)
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, s.p, s.n);

	return h ^ h >> 32;
}

/* The index of the value in the dictionary, or LU_MAP_NONE when that is full. -1 when memory is out. */
static int find_word(struct lu_pq_column_writer *c, struct lu_str s, uint32_t *index)
{
	struct word_key key = { &c->dictionary, s };
	uint64_t hash = hash_of(s);

	*index = lu_map_find(&c->map, hash, c->entries.p, word_is, &key);
	if (*index != LU_MAP_NONE || c->dictionary.n + 4 + s.n > LU_PQ_DICTIONARY_BYTES)
		return 0;
	if (!lu_map_reserve(&c->map, c->entries.p, word_hash))
		return -1;
	lu_buf_le32(&c->dictionary, (uint32_t)s.n);
	lu_buf_str(&c->dictionary, s);
	if (!lu_buf_ok(&c->dictionary) ||
			!lu_vec_push(&c->entries,
					(struct lu_pq_word){ c->dictionary.n - s.n, (uint32_t)s.n,
							hash }))
		return -1;
	*index = lu_map_add(&c->map, hash);
	return 0;
}

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		lu_buf_putc(b, (char)(v | 0x80));
	lu_buf_putc(b, (char)v);
}

/* Runs of the format: one run if all are equal, else everything bit-packed in groups of eight. */
static void put_levels(struct lu_buf *b, const unsigned char *v, size_t n)
{
	size_t at = b->n, i = 1;

	lu_buf_le32(b, 0);
	while (i < n && v[i] == v[0])
		i++;
	if (i >= n) {
		put_varint(b, (uint64_t)n << 1);
		lu_buf_putc(b, (char)v[0]);
	} else {
		put_varint(b, (uint64_t)((n + 7) / 8) << 1 | 1);
		for (size_t k = 0; k < n; k += 8) {
			unsigned byte = 0;

			for (size_t j = k; j < n && j < k + 8; j++)
				byte |= (unsigned)v[j] << (j - k);
			lu_buf_putc(b, (char)byte);
		}
	}
	if (lu_buf_ok(b))
		lu_store32(b->p + at, (uint32_t)(b->n - at - 4));
}

static void put_indices(struct lu_buf *b, const uint32_t *v, size_t n, unsigned bits)
{
	uint64_t hold = 0;
	unsigned held = 0;

	lu_buf_putc(b, (char)bits);
	if (n == 0)
		return;
	put_varint(b, (uint64_t)((n + 7) / 8) << 1 | 1);
	for (size_t i = 0; i < (n + 7) / 8 * 8; i++) {
		hold |= (uint64_t)(i < n ? v[i] : 0) << held;
		for (held += bits; held >= 8; held -= 8, hold >>= 8)
			lu_buf_putc(b, (char)hold);
	}
}

/* Append a page with its header to c->pages (or `to`): compressed, with a checksum. */
static int put_page(struct lu_pq_column_writer *c, int form, int encoding, uint64_t values,
		struct lu_buf *to, struct lu_err *err)
{
	struct lu_str raw = lu_buf_slice(&c->page), bytes = raw;
	struct lu_thrift_out t = { .b = to };
	size_t at = to->n, n;

	if (lu_buf_check(&c->page, err) < 0)
		return -1;
	if (c->level) {
		lu_buf_clear(&c->packed);
		if (!lu_buf_reserve(&c->packed, ZSTD_compressBound(raw.n)))
			return lu_err_nomem(err);
		n = ZSTD_compressCCtx(c->zstd, c->packed.p, ZSTD_compressBound(raw.n), raw.p, raw.n,
				c->level);
		if (ZSTD_isError(n))
			return lu_err_set(err, "zstd: %s", ZSTD_getErrorName(n));
		bytes = (struct lu_str){ c->packed.p, n };
	}
	lu_thrift_put_i64(&t, 1, LU_THRIFT_I32, form);
	lu_thrift_put_i64(&t, 2, LU_THRIFT_I32, (int64_t)raw.n);
	lu_thrift_put_i64(&t, 3, LU_THRIFT_I32, (int64_t)bytes.n);
	lu_thrift_put_i64(&t, 4, LU_THRIFT_I32,
			(int32_t)crc32(0, (const Bytef *)bytes.p, (uInt)bytes.n));
	lu_thrift_open(&t, form == LU_PQ_DICTIONARY ? 7 : 5);
	lu_thrift_put_i64(&t, 1, LU_THRIFT_I32, (int64_t)values);
	lu_thrift_put_i64(&t, 2, LU_THRIFT_I32, encoding);
	if (form == LU_PQ_DATA) {
		lu_thrift_put_i64(&t, 3, LU_THRIFT_I32, LU_PQ_E_RLE);
		lu_thrift_put_i64(&t, 4, LU_THRIFT_I32, LU_PQ_E_RLE);
	}
	lu_thrift_close(&t);
	lu_thrift_end(&t);
	c->raw += to->n - at + raw.n;
	lu_buf_str(to, bytes);
	return lu_buf_check(to, err);
}

/* End the page that fills. */
static int flush(struct lu_pq_column_writer *c, struct lu_err *err)
{
	size_t words = c->entries.n;
	bool by_index = c->index.n > 0;
	int encoding = by_index ? LU_PQ_E_RLE_DICTIONARY : LU_PQ_E_PLAIN;

	if (c->there.n == 0)
		return 0;
	lu_buf_clear(&c->page);
	put_levels(&c->page, c->there.p, c->there.n);
	if (by_index)
		put_indices(&c->page, c->index.p, c->index.n,
				lu_pq_level_bits(words > 1 ? (unsigned)words - 1 : 1));
	else
		lu_buf_str(&c->page, lu_buf_slice(&c->values));
	c->any_index |= by_index;
	if (put_page(c, LU_PQ_DATA, encoding, c->there.n, &c->pages, err) < 0)
		return -1;
	lu_buf_clear(&c->values);
	c->index.n = c->there.n = 0;
	c->size = 0;
	return 0;
}

/* Doubles by their value, strings by their bytes. */
static int compare(const struct lu_pq_column_writer *c, struct lu_str a, struct lu_str b)
{
	uint64_t x, y;
	double v, w;

	if (c->type != LU_PQ_DOUBLE)
		return lu_str_cmp(a, b);
	x = lu_load64(a.p);
	y = lu_load64(b.p);
	memcpy(&v, &x, sizeof(v));
	memcpy(&w, &y, sizeof(w));
	return v < w ? -1 : v > w;
}

static void widen(struct lu_pq_column_writer *c, struct lu_str s)
{
	if (!c->bounds || c->unbounded)
		return;
	if (s.n > BOUND_MAX) {
		c->unbounded = true;
		return;
	}
	if (!c->has_bounds || compare(c, s, lu_buf_slice(&c->least)) < 0) {
		lu_buf_clear(&c->least);
		lu_buf_str(&c->least, s);
	}
	if (!c->has_bounds || compare(c, s, lu_buf_slice(&c->greatest)) > 0) {
		lu_buf_clear(&c->greatest);
		lu_buf_str(&c->greatest, s);
	}
	c->has_bounds = true;
}

int lu_pq_column_writer_put(struct lu_pq_column_writer *c, struct lu_str value, struct lu_err *err)
{
	size_t size = value.p ? 4 + value.n : 0;
	uint32_t index = LU_MAP_NONE;

	if (value.n > LU_PQ_VALUE_MAX)
		return lu_err_set(err, "a \"%s\" of %zu bytes; Parquet takes at most %zu", c->name,
				value.n, LU_PQ_VALUE_MAX);
	if (c->there.n >= LU_PQ_PAGE_ROWS ||
			(c->there.n && c->size + size > LU_PQ_PAGE_BYTES && c->index.n == 0)) {
		if (flush(c, err) < 0)
			return -1;
	}
	if (value.p && c->repeats && !c->plain) {
		if (find_word(c, value, &index) < 0)
			return lu_err_nomem(err);
		c->plain = index == LU_MAP_NONE;
		/* A page has one encoding. */
		if (c->plain && flush(c, err) < 0)
			return -1;
	}
	if (!lu_vec_push(&c->there, value.p != NULL) ||
			(index != LU_MAP_NONE && !lu_vec_push(&c->index, index)))
		return lu_err_nomem(err);
	c->rows++;
	c->nulls += !value.p;
	c->size += size;
	if (value.p)
		widen(c, value);
	if (value.p && index == LU_MAP_NONE) {
		if (c->type == LU_PQ_BYTE_ARRAY)
			lu_buf_le32(&c->values, (uint32_t)value.n);
		lu_buf_str(&c->values, value);
	}
	return lu_buf_check(&c->values, err);
}

int lu_pq_column_writer_chunk(
		struct lu_pq_column_writer *c, struct lu_buf *chunk, struct lu_err *err)
{
	size_t at = chunk->n;

	if (flush(c, err) < 0)
		return -1;
	if (c->any_index) {
		lu_buf_clear(&c->page);
		lu_buf_str(&c->page, lu_buf_slice(&c->dictionary));
		if (put_page(c, LU_PQ_DICTIONARY, LU_PQ_E_PLAIN, c->entries.n, chunk, err) < 0)
			return -1;
		c->dictionary_size = chunk->n - at;
	}
	lu_buf_str(chunk, lu_buf_slice(&c->pages));
	return lu_buf_check(chunk, err);
}

static void put_statistics(struct lu_pq_column_writer *c, struct lu_thrift_out *t)
{
	lu_thrift_open(t, 12);
	lu_thrift_put_i64(t, 3, LU_THRIFT_I64, (int64_t)c->nulls);
	if (c->has_bounds && !c->unbounded) {
		lu_thrift_put_str(t, 5, lu_buf_slice(&c->greatest));
		lu_thrift_put_str(t, 6, lu_buf_slice(&c->least));
	}
	lu_thrift_close(t);
}

void lu_pq_column_writer_meta(struct lu_pq_column_writer *c, struct lu_thrift_out *t,
		uint64_t offset, size_t size)
{
	int encoding[3];
	size_t encodings = 0;

	/* Levels; values; and dictionaries, which are PLAIN themselves. */
	encoding[encodings++] = LU_PQ_E_PLAIN;
	encoding[encodings++] = LU_PQ_E_RLE;
	if (c->any_index)
		encoding[encodings++] = LU_PQ_E_RLE_DICTIONARY;
	lu_thrift_open(t, 0);
	lu_thrift_put_i64(t, 2, LU_THRIFT_I64, (int64_t)offset);
	lu_thrift_open(t, 3);
	lu_thrift_put_i64(t, 1, LU_THRIFT_I32, c->type);
	lu_thrift_put_list(t, 2, LU_THRIFT_I32, encodings);
	for (size_t i = 0; i < encodings; i++)
		lu_thrift_item_i64(t, encoding[i]);
	lu_thrift_put_list(t, 3, LU_THRIFT_BINARY, 1);
	lu_thrift_item_str(t, lu_str_of(c->name));
	lu_thrift_put_i64(t, 4, LU_THRIFT_I32, c->level ? LU_PQ_ZSTD : LU_PQ_NONE);
	lu_thrift_put_i64(t, 5, LU_THRIFT_I64, (int64_t)c->rows);
	lu_thrift_put_i64(t, 6, LU_THRIFT_I64, (int64_t)c->raw);
	lu_thrift_put_i64(t, 7, LU_THRIFT_I64, (int64_t)size);
	lu_thrift_put_i64(t, 9, LU_THRIFT_I64, (int64_t)(offset + c->dictionary_size));
	if (c->any_index)
		lu_thrift_put_i64(t, 11, LU_THRIFT_I64, (int64_t)offset);
	put_statistics(c, t);
	lu_thrift_close(t);
	lu_thrift_close(t);
}

void lu_pq_column_writer_reset(struct lu_pq_column_writer *c)
{
	lu_buf_clear(&c->pages);
	lu_buf_clear(&c->dictionary);
	lu_map_release(&c->map);
	c->entries.n = 0;
	c->plain = c->any_index = c->has_bounds = c->unbounded = false;
	c->rows = c->nulls = c->raw = 0;
	c->dictionary_size = 0;
}

void lu_pq_column_writer_release(struct lu_pq_column_writer *c)
{
	lu_buf_release(&c->values);
	lu_buf_release(&c->pages);
	lu_buf_release(&c->dictionary);
	lu_buf_release(&c->page);
	lu_buf_release(&c->packed);
	lu_buf_release(&c->least);
	lu_buf_release(&c->greatest);
	lu_vec_release(&c->index);
	lu_vec_release(&c->there);
	lu_vec_release(&c->entries);
	lu_map_release(&c->map);
}
