#include "libcommon/parquet/parquet_footer.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/parquet/parquet_record.h"
#include "libcommon/sys/file.h"

static int read_tail(struct lu_pq_file *f, struct lu_err *err)
{
	char tail[8];
	struct stat st;
	uint32_t n;

	if (fstat(f->fd, &st) < 0)
		return lu_err_sys(err, errno, "fstat");
	f->size = (uint64_t)st.st_size;
	if (f->size < 12)
		return lu_err_set(err, "%" PRIu64 " bytes are too few for Parquet", f->size);
	if (lu_pread_all(f->fd, tail, 8, f->size - 8, "the file", err) < 0)
		return -1;
	if (memcmp(tail + 4, "PARE", 4) == 0)
		return lu_err_set(err, "the footer is encrypted; decrypt the file first");
	if (memcmp(tail + 4, LU_PQ_MAGIC, 4) != 0)
		return lu_err_set(err, "no footer of Parquet at its end; the file is truncated");
	n = lu_load32(tail);
	if (n > f->size - 12)
		return lu_err_set(err, "a damaged footer (%" PRIu32 " bytes)", n);
	if (n > LU_PQ_FOOTER)
		return lu_err_set(err, "a footer of %" PRIu32 " bytes; at most %zu are read", n,
				LU_PQ_FOOTER);
	if (!lu_buf_reserve(&f->footer, n))
		return lu_err_nomem(err);
	f->footer.n = n;
	return lu_pread_all(f->fd, f->footer.p, n, f->size - 8 - n, "the file", err);
}

/* Is this pair of the metadata the mark of our records? */
static bool is_mark(struct lu_thrift *t)
{
	struct lu_thrift_field f = { 0 };
	bool key = false, value = false;

	while (lu_thrift_next(t, &f)) {
		if (f.id == 1)
			key = lu_str_is(lu_thrift_str(t, &f), LU_PQ_RECORD_KEY);
		else if (f.id == 2)
			value = lu_str_is(lu_thrift_str(t, &f), LU_PQ_RECORD_VERSION);
		else
			lu_thrift_skip(t, &f);
	}
	return key && value;
}

static int read_footer(struct lu_pq_file *f, struct lu_err *err)
{
	struct lu_thrift t = lu_thrift_of(lu_buf_slice(&f->footer));
	struct lu_thrift_field at = { 0 };
	bool marked = false, encrypted = false;

	while (lu_thrift_next(&t, &at)) {
		const unsigned char *from = t.p;

		if (at.id == 2) {
			lu_thrift_skip(&t, &at);
			f->list = (struct lu_str){ (const char *)from, (size_t)(t.p - from) };
		} else if (at.id == 3) {
			f->rows = (uint64_t)lu_thrift_i64(&t, &at);
		} else if (at.id == 4) {
			f->groups = t;
			f->left = lu_thrift_list(&f->groups, &at, LU_THRIFT_STRUCT);
			lu_thrift_skip(&t, &at);
		} else if (at.id == 5) {
			size_t n = lu_thrift_list(&t, &at, LU_THRIFT_STRUCT);

			for (size_t i = 0; i < n && !t.failed; i++)
				marked |= is_mark(&t);
		} else {
			encrypted |= at.id == 8;
			lu_thrift_skip(&t, &at);
		}
	}
	if (t.failed || f->groups.failed || !f->list.p)
		return lu_err_set(err, "a damaged footer");
	if (encrypted)
		return lu_err_set(err, "columns are encrypted; decrypt the file first");
	if (f->rows >> 20 > (f->size * LU_PQ_ROWS_A_BYTE >> 20) + 1)
		return lu_err_set(err, "%" PRIu64 " rows in %" PRIu64 " bytes: refused as a bomb",
				f->rows, f->size);
	f->records = marked && lu_pq_record_has_schema(f->list);
	return 0;
}

int lu_pq_file_open(struct lu_pq_file *f, int fd, struct lu_err *err)
{
	*f = (struct lu_pq_file){ .fd = fd };
	if (read_tail(f, err) < 0 || read_footer(f, err) < 0)
		return -1;
	return lu_pq_schema_read(&f->schema, f->list, err);
}

struct chunk_meta {
	int64_t codec, values, size, packed, data, dictionary;
	bool has, foreign, encrypted;
};

static void read_meta(struct lu_thrift *t, const struct lu_thrift_field *of, struct chunk_meta *m)
{
	struct lu_thrift_field f = { 0 };

	m->has = true;
	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f);) {
		switch (f.id) {
		case 4: m->codec = lu_thrift_i64(t, &f); break;
		case 5: m->values = lu_thrift_i64(t, &f); break;
		case 6: m->size = lu_thrift_i64(t, &f); break;
		case 7: m->packed = lu_thrift_i64(t, &f); break;
		case 9: m->data = lu_thrift_i64(t, &f); break;
		case 11: m->dictionary = lu_thrift_i64(t, &f); break;
		default: lu_thrift_skip(t, &f);
		}
	}
}

static int read_chunk(struct lu_pq_file *f, const struct lu_pq_node *node, struct lu_pq_chunk *c,
		struct lu_err *err)
{
	struct lu_thrift *t = &f->groups;
	struct lu_thrift_field at = { 0 };
	struct chunk_meta m = { .dictionary = -1 };
	int64_t from;

	while (lu_thrift_next(t, &at)) {
		if (at.id == 3) {
			read_meta(t, &at, &m);
			continue;
		}
		m.foreign |= at.id == 1;
		m.encrypted |= at.id == 8 || at.id == 9;
		lu_thrift_skip(t, &at);
	}
	if (t->failed)
		return lu_err_set(err, "a damaged footer");
	if (!node->wanted)
		return 0;
	if (m.encrypted)
		return lu_err_set(err,
				"column '" LU_STR_FMT "' is encrypted; decrypt the file first",
				LU_STR_ARG(node->name));
	if (m.foreign)
		return lu_err_set(err,
				"column '" LU_STR_FMT "' is in another file, which is not read",
				LU_STR_ARG(node->name));
	if (!lu_pq_codec_name(m.codec))
		return lu_err_set(err,
				"column '" LU_STR_FMT "' is compressed by %s, which is not read",
				LU_STR_ARG(node->name), m.codec == LU_PQ_LZO ? "LZO" : "a codec");
	/* Some writers put 0 where there is no dictionary. */
	from = m.dictionary > 0 && m.dictionary < m.data ? m.dictionary : m.data;
	if (!m.has || from < 4 || m.packed < 0 || m.values < 0 || m.size < 0 ||
			(uint64_t)from > f->size || (uint64_t)m.packed > f->size - (uint64_t)from)
		return lu_err_set(err, "column '" LU_STR_FMT "' lies outside of the file",
				LU_STR_ARG(node->name));
	f->packed += (uint64_t)m.packed;
	if (f->packed > f->size)
		return lu_err_set(err, "columns overlap in the file");
	*c = (struct lu_pq_chunk){ .at = (uint64_t)from,
		.end = (uint64_t)(from + m.packed),
		.values = (uint64_t)m.values,
		.packed = (uint64_t)m.packed,
		.size = (uint64_t)m.size,
		.codec = (uint32_t)m.codec };
	return 0;
}

int lu_pq_file_group(
		struct lu_pq_file *f, struct lu_pq_chunk *chunk, uint64_t *rows, struct lu_err *err)
{
	struct lu_thrift *t = &f->groups;
	struct lu_thrift_field at = { 0 };
	bool columns = false;

	if (f->left == 0)
		return 0;
	f->left--;
	*rows = 0;
	while (lu_thrift_next(t, &at)) {
		if (at.id == 1) {
			size_t n = lu_thrift_list(t, &at, LU_THRIFT_STRUCT);

			if (n != f->schema.leaves.n || columns)
				return lu_err_set(err,
						"a row group of %zu columns; the schema has %zu", n,
						f->schema.leaves.n);
			columns = true;
			for (size_t k = 0; k < n; k++) {
				const struct lu_pq_node *node =
						&f->schema.nodes.p[f->schema.leaves.p[k]];

				if (read_chunk(f, node, &chunk[k], err) < 0)
					return -1;
			}
		} else if (at.id == 3) {
			*rows = (uint64_t)lu_thrift_i64(t, &at);
		} else {
			lu_thrift_skip(t, &at);
		}
	}
	if (t->failed || !columns || *rows > INT64_MAX)
		return lu_err_set(err, "a damaged footer");
	/* The groups have the rows of the file, and no more. */
	if (*rows > f->rows)
		return lu_err_set(err, "row groups have more rows than the file");
	f->rows -= *rows;
	return 1;
}

void lu_pq_file_close(struct lu_pq_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	lu_buf_release(&f->footer);
	lu_pq_schema_release(&f->schema);
	*f = (struct lu_pq_file){ .fd = -1 };
}
