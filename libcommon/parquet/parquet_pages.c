#include "libcommon/parquet/parquet_pages.h"

#include <zlib.h>

#include "libcommon/base/num.h"

static uint32_t get_u32(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	int64_t v = lu_thrift_i64(t, f);

	if (v < 0 || v > INT32_MAX)
		t->failed = true;
	return (uint32_t)v;
}

/* Of a page of data or of a dictionary; the latter ends with the second field. */
static void read_data(struct lu_thrift *t, const struct lu_thrift_field *of, struct lu_pq_page *p)
{
	struct lu_thrift_field f = { 0 };

	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f);) {
		switch (of->id == 7 && f.id > 2 ? 0 : f.id) {
		case 1: p->values = get_u32(t, &f); break;
		case 2: p->encoding = get_u32(t, &f); break;
		case 3: p->def_encoding = get_u32(t, &f); break;
		case 4: p->rep_encoding = get_u32(t, &f); break;
		default: lu_thrift_skip(t, &f);
		}
	}
	p->rows = p->values;
}

static void read_data_v2(
		struct lu_thrift *t, const struct lu_thrift_field *of, struct lu_pq_page *p)
{
	struct lu_thrift_field f = { 0 };

	p->def_encoding = p->rep_encoding = LU_PQ_E_RLE;
	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f);) {
		switch (f.id) {
		case 1: p->values = get_u32(t, &f); break;
		case 3: p->rows = get_u32(t, &f); break;
		case 4: p->encoding = get_u32(t, &f); break;
		case 5: p->def_size = get_u32(t, &f); break;
		case 6: p->rep_size = get_u32(t, &f); break;
		case 7: p->compressed = lu_thrift_bool(t, &f); break;
		default: lu_thrift_skip(t, &f);
		}
	}
}

int lu_pq_page_head(struct lu_str bytes, struct lu_pq_page *page, size_t *size, struct lu_err *err)
{
	struct lu_thrift t = lu_thrift_of(bytes);
	struct lu_thrift_field f = { 0 };

	*page = (struct lu_pq_page){ .form = LU_PQ_INDEX, .compressed = 1 };
	while (lu_thrift_next(&t, &f)) {
		switch (f.id) {
		case 1: page->form = get_u32(&t, &f); break;
		case 2: page->size = get_u32(&t, &f); break;
		case 3: page->packed = get_u32(&t, &f); break;
		case 4:
			page->crc = (uint32_t)lu_thrift_i64(&t, &f);
			page->has_crc = 1;
			break;
		case 5:
		case 7: read_data(&t, &f, page); break;
		case 8: read_data_v2(&t, &f, page); break;
		default: lu_thrift_skip(&t, &f);
		}
	}
	if (t.ended)
		return 0;
	if (t.failed || page->form == LU_PQ_CUT)
		return lu_err_set(err, "a damaged page header");
	*size = (size_t)(t.p - (const unsigned char *)bytes.p);
	return 1;
}

/* Take n bytes of the source; of a stream they are copied into `keep`, since its window moves. */
static int take(struct lu_pq_source *src, size_t n, struct lu_buf *keep, struct lu_str *out,
		struct lu_err *err)
{
	if (lu_pq_source_need(src, n, err) < 0)
		return -1;
	*out = (struct lu_str){ (const char *)src->p, n };
	if (src->stream) {
		lu_buf_clear(keep);
		lu_buf_append(keep, src->p, n);
		if (lu_buf_check(keep, err) < 0)
			return -1;
		*out = lu_buf_slice(keep);
	}
	lu_pq_source_pass(src, n);
	return 0;
}

/* Levels of version 1: their size, then runs; or bit-packed, by the number of values. */
static int begin_levels(struct lu_pq_source *src, struct lu_pq_rle *to, struct lu_buf *keep,
		unsigned max, uint32_t encoding, uint32_t values, struct lu_err *err)
{
	unsigned bits = lu_pq_level_bits(max);
	struct lu_str s;

	if (max == 0)
		return 0;
	if (encoding == LU_PQ_E_BIT_PACKED) {
		if (take(src, (size_t)(((uint64_t)values * bits + 7) / 8), keep, &s, err) < 0)
			return -1;
		lu_pq_packed_begin(to, s, bits);
		return 0;
	}
	if (encoding != LU_PQ_E_RLE)
		return lu_err_set(err, "levels in encoding %u, which is not read", encoding);
	if (take(src, 4, keep, &s, err) < 0 || take(src, lu_load32(s.p), keep, &s, err) < 0)
		return -1;
	lu_pq_rle_begin(to, s, bits);
	return 0;
}

/* The levels of the page, from its front. */
static int begin(struct lu_pq_page_reader *r, const struct lu_pq_page *page,
		struct lu_pq_source *src, struct lu_err *err)
{
	const struct lu_pq_node *n = r->node;
	struct lu_str reps = { "", 0 }, defs = { "", 0 };

	if (page->form == LU_PQ_DATA)
		return begin_levels(src, &r->reps, &r->kept_reps, n->rep, page->rep_encoding,
				       page->values, err) < 0 ||
						begin_levels(src, &r->defs, &r->kept_defs, n->def,
								page->def_encoding, page->values,
								err) < 0
				? -1
				: 0;
	if (page->form == LU_PQ_CUT) {
		r->cut = true;
		if ((n->rep && take(src, page->values, &r->kept_reps, &reps, err) < 0) ||
				(n->def && take(src, page->values, &r->kept_defs, &defs, err) < 0))
			return -1;
	} else if (take(src, page->rep_size, &r->kept_reps, &reps, err) < 0 ||
			take(src, page->def_size, &r->kept_defs, &defs, err) < 0) {
		return -1;
	}
	lu_pq_rle_begin(&r->reps, reps, lu_pq_level_bits(n->rep));
	lu_pq_rle_begin(&r->defs, defs, lu_pq_level_bits(n->def));
	return 0;
}

static void reset(struct lu_pq_page_reader *r, const struct lu_pq_node *node,
		const struct lu_pq_page *page)
{
	lu_pq_page_end(r);
	r->node = node;
	r->left = page->values;
	r->rep = 0;
	r->def = node->def;
}

static int check_page(const struct lu_pq_page *page, struct lu_err *err)
{
	uint64_t levels = (uint64_t)page->rep_size + page->def_size;

	if (page->form == LU_PQ_DATA_V2 && (levels > page->size || levels > page->packed))
		return lu_err_set(err, "a damaged page header");
	if (!page->compressed || page->codec == LU_PQ_NONE)
		return page->size == page->packed ? 0 : lu_err_set(err, "a damaged page header");
	return 0;
}

static enum lu_pq_codec codec_of(const struct lu_pq_page *page)
{
	return page->compressed ? (enum lu_pq_codec)page->codec : LU_PQ_NONE;
}

static int check_crc(const struct lu_pq_page *page, struct lu_str packed, struct lu_err *err)
{
	if (page->has_crc && crc32(0, (const Bytef *)packed.p, (uInt)packed.n) != page->crc)
		return lu_err_set(err, "a page with a wrong checksum");
	return 0;
}

/* Decompress into `bytes`, unless there is nothing to do. */
static int unpack(const struct lu_pq_page *page, struct lu_str packed, size_t size,
		struct lu_buf *bytes, struct lu_str *out, struct lu_err *err)
{
	if (codec_of(page) == LU_PQ_NONE) {
		*out = packed;
		return 0;
	}
	lu_buf_clear(bytes);
	if (lu_pq_unpack(codec_of(page), packed, bytes, size, err) < 0)
		return -1;
	*out = lu_buf_slice(bytes);
	return 0;
}

static struct lu_pq_source memory(struct lu_str s)
{
	return (struct lu_pq_source){ .p = (const unsigned char *)s.p, .n = s.n };
}

int lu_pq_page_open(struct lu_pq_page_reader *r, const struct lu_pq_node *node,
		const struct lu_pq_page *page, struct lu_str packed, struct lu_pq_dictionary *d,
		uint64_t limit, struct lu_err *err)
{
	size_t size = page->size;
	struct lu_str bytes;

	reset(r, node, page);
	if (check_page(page, err) < 0 || check_crc(page, packed, err) < 0)
		return -1;
	if (page->form == LU_PQ_DATA_V2) {
		struct lu_pq_source front = memory(packed);

		if (begin(r, page, &front, err) < 0)
			return -1;
		size -= packed.n - front.n;
		packed = (struct lu_str){ (const char *)front.p, front.n };
	}
	if (unpack(page, packed, size, &r->bytes, &bytes, err) < 0)
		return -1;
	r->src = memory(bytes);
	if (page->form != LU_PQ_DATA_V2 && begin(r, page, &r->src, err) < 0)
		return -1;
	if (lu_pq_values_begin(&r->values, node->type, node->length, (int)page->encoding, &r->src,
			    d, limit, err) < 0)
		return -1;
	r->values.marked = r->cut;
	return 0;
}

int lu_pq_page_open_stream(struct lu_pq_page_reader *r, const struct lu_pq_node *node,
		const struct lu_pq_page *page, int fd, uint64_t at, struct lu_pq_dictionary *d,
		uint64_t limit, struct lu_err *err)
{
	/* Of version 2 the levels lie in front, as they are. */
	size_t levels = page->form == LU_PQ_DATA_V2 ? (size_t)page->rep_size + page->def_size : 0;
	struct lu_pq_source front = { 0 };
	const uint32_t *crc = page->has_crc && levels == 0 ? &page->crc : NULL;
	int rc = -1;

	reset(r, node, page);
	if (check_page(page, err) < 0)
		return -1;
	if (levels) {
		if (lu_pq_stream_open(&front.stream, LU_PQ_NONE, fd, at, levels, levels, NULL,
				    err) < 0)
			goto out;
		front.behind = levels;
		if (begin(r, page, &front, err) < 0)
			goto out;
	}
	if (lu_pq_stream_open(&r->src.stream, codec_of(page), fd, at + levels,
			    page->packed - levels, page->size - levels, crc, err) < 0)
		goto out;
	r->src.behind = page->size - levels;
	if (!levels && begin(r, page, &r->src, err) < 0)
		goto out;
	rc = lu_pq_values_begin(&r->values, node->type, node->length, (int)page->encoding, &r->src,
			d, limit, err);
out:
	lu_pq_source_release(&front);
	return rc;
}

static int level(struct lu_pq_page_reader *r, struct lu_pq_rle *from, unsigned max, uint32_t *v,
		struct lu_err *err)
{
	if (r->cut)
		*v = *from->p++;
	else if (!lu_pq_rle_next(from, v))
		return lu_err_set(err, "a damaged page (it ends before its levels do)");
	return *v <= max ? 0 : lu_err_set(err, "a damaged page (levels)");
}

int lu_pq_page_levels(struct lu_pq_page_reader *r, struct lu_err *err)
{
	const struct lu_pq_node *n = r->node;

	r->left--;
	if (n->rep && level(r, &r->reps, n->rep, &r->rep, err) < 0)
		return -1;
	return n->def ? level(r, &r->defs, n->def, &r->def, err) : 0;
}

void lu_pq_page_end(struct lu_pq_page_reader *r)
{
	lu_pq_source_release(&r->src);
	r->left = 0;
	r->cut = false;
}

void lu_pq_page_release(struct lu_pq_page_reader *r)
{
	lu_pq_page_end(r);
	lu_pq_values_release(&r->values);
	lu_buf_release(&r->bytes);
	lu_buf_release(&r->kept_reps);
	lu_buf_release(&r->kept_defs);
}

int lu_pq_page_dictionary(struct lu_pq_dictionary *d, const struct lu_pq_node *node,
		const struct lu_pq_page *page, struct lu_str packed, struct lu_err *err)
{
	lu_buf_clear(&d->bytes);
	if (check_page(page, err) < 0 || check_crc(page, packed, err) < 0 ||
			lu_pq_unpack(codec_of(page), packed, &d->bytes, page->size, err) < 0)
		return -1;
	return lu_pq_dictionary_read(d, node->type, node->length, page->values, err);
}
