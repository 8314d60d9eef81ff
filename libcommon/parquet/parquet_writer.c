#include "libcommon/parquet/parquet_writer.h"

#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/parquet/parquet_column_writer.h"
#include "libcommon/parquet/parquet_footer.h"
#include "libcommon/parquet/parquet_record.h"

struct lu_pq_writer {
	struct lu_out *out;
	const char *name;
	int level;
	ZSTD_CCtx *zstd;
	struct lu_pq_column_writer column[LU_PQ_RECORD_COLUMNS];
	uint64_t at; /* bytes written */
	uint64_t rows, group_rows;
	size_t group_bytes, groups;
	struct lu_buf meta; /* of the row groups, for the footer */
	struct lu_buf part; /* of a line, the rest of which is to come */
	struct lu_buf extra, layout, chunk;
	struct lu_arena arena;
};

bool lu_pq_is_name(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n > 8 && strcasecmp(name + n - 8, ".parquet") == 0;
}

int lu_pq_level(const char *how, int *level, struct lu_err *err)
{
	int64_t v = 3;

	*level = 0;
	if (how && strcmp(how, "none") == 0)
		return 0;
	if (how && (strncmp(how, "zstd:", 5) == 0 || strncmp(how, "zst:", 4) == 0)) {
		if (lu_num_i64(strchr(how, ':') + 1, &v, err) < 0 || v < 1 || v > 22)
			return lu_err_set(
					err, "compression '%s': the level goes from 1 to 22", how);
	} else if (how && strcmp(how, "zstd") != 0 && strcmp(how, "zst") != 0) {
		return lu_err_set(err,
				"compression '%s': pages of Parquet are written by zstd or none",
				how);
	}
	*level = (int)v;
	return 0;
}

static int put(struct lu_pq_writer *w, struct lu_str s, struct lu_err *err)
{
	w->at += s.n;
	return lu_out_write(w->out, s.p, s.n, err);
}

int lu_pq_writer_open(struct lu_pq_writer **result, struct lu_out *out, const char *name, int level,
		struct lu_err *err)
{
	static const bool repeats[LU_PQ_RECORD_COLUMNS] = { [LU_PQ_R_SOURCE] = true,
		[LU_PQ_R_LICENSE] = true,
		[LU_PQ_R_LANG] = true,
		[LU_PQ_R_CATEGORY] = true,
		[LU_PQ_R_LAYOUT] = true };
	struct lu_pq_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return lu_err_nomem(err);
	*w = (struct lu_pq_writer){ .out = out, .name = name, .level = level };
	w->zstd = ZSTD_createCCtx();
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++)
		w->column[i] = (struct lu_pq_column_writer){
			.type = i == LU_PQ_R_LANG_SCORE ? LU_PQ_DOUBLE : LU_PQ_BYTE_ARRAY,
			.repeats = repeats[i],
			.bounds = i != LU_PQ_R_TEXT && i < LU_PQ_R_EXTRA,
			.level = level,
			.name = lu_pq_record_names[i],
			.zstd = w->zstd
		};
	if (!w->zstd || put(w, LU_STR(LU_PQ_MAGIC), err) < 0) {
		if (!w->zstd)
			lu_err_nomem(err);
		lu_pq_writer_free(w);
		return -1;
	}
	*result = w;
	return 0;
}

static int end_group(struct lu_pq_writer *w, struct lu_err *err)
{
	struct lu_thrift_out t = { .b = &w->meta };
	uint64_t from = w->at, raw = 0;

	if (w->group_rows == 0)
		return 0;
	lu_thrift_open(&t, 0);
	lu_thrift_put_list(&t, 1, LU_THRIFT_STRUCT, LU_PQ_RECORD_COLUMNS);
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++) {
		struct lu_pq_column_writer *c = &w->column[i];
		uint64_t at = w->at;

		lu_buf_clear(&w->chunk);
		if (lu_pq_column_writer_chunk(c, &w->chunk, err) < 0 ||
				put(w, lu_buf_slice(&w->chunk), err) < 0)
			return -1;
		lu_pq_column_writer_meta(c, &t, at, w->chunk.n);
		raw += c->raw;
		lu_pq_column_writer_reset(c);
	}
	lu_thrift_put_i64(&t, 2, LU_THRIFT_I64, (int64_t)raw);
	lu_thrift_put_i64(&t, 3, LU_THRIFT_I64, (int64_t)w->group_rows);
	lu_thrift_put_i64(&t, 5, LU_THRIFT_I64, (int64_t)from);
	lu_thrift_put_i64(&t, 6, LU_THRIFT_I64, (int64_t)(w->at - from));
	lu_thrift_close(&t);
	w->groups++;
	w->rows += w->group_rows;
	w->group_rows = 0;
	w->group_bytes = 0;
	return lu_buf_check(&w->meta, err);
}

static int put_record(struct lu_pq_writer *w, struct lu_str line, struct lu_err *err)
{
	struct lu_str value[LU_PQ_RECORD_COLUMNS];
	struct lu_json_fault fault;
	struct lu_json_obj record;
	size_t size = 0;

	lu_arena_reset(&w->arena);
	if (lu_json_object(line, &w->arena, &record, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		return lu_err_set(err,
				"%s: Parquet holds records, and this output has none; "
				"end the name in .jsonl",
				w->name);
	}
	if (lu_pq_record_split(&record, &w->arena, &w->extra, &w->layout, value, err) < 0)
		return -1;
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++)
		size += value[i].n;
	if (w->group_rows &&
			(w->group_bytes + size > LU_PQ_GROUP_BYTES ||
					w->group_rows >= LU_PQ_GROUP_ROWS)) {
		if (end_group(w, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++) {
		if (lu_pq_column_writer_put(&w->column[i], value[i], err) < 0)
			return lu_err_wrap(err, "%s", w->name);
	}
	w->group_bytes += size;
	w->group_rows++;
	return 0;
}

int lu_pq_writer_lines(struct lu_pq_writer *w, struct lu_str bytes, struct lu_err *err)
{
	while (bytes.n) {
		const char *end = memchr(bytes.p, '\n', bytes.n);
		struct lu_str line = { bytes.p, end ? (size_t)(end - bytes.p) : bytes.n };

		bytes = (struct lu_str){ line.p + line.n + (end != NULL),
			bytes.n - line.n - (end != NULL) };
		if (!end || w->part.n) {
			lu_buf_str(&w->part, line);
			if (lu_buf_check(&w->part, err) < 0)
				return -1;
			line = lu_buf_slice(&w->part);
		}
		if (!end)
			break;
		if (line.n && put_record(w, line, err) < 0)
			return -1;
		lu_buf_clear(&w->part);
	}
	return 0;
}

static void put_footer(struct lu_pq_writer *w, struct lu_buf *b)
{
	struct lu_thrift_out t = { .b = b };

	lu_thrift_put_i64(&t, 1, LU_THRIFT_I32, 2);
	lu_thrift_put_list(&t, 2, LU_THRIFT_STRUCT, LU_PQ_RECORD_COLUMNS + 1);
	/* The schema has a head of its own. */
	b->n--;
	lu_pq_record_schema(b);
	lu_thrift_put_i64(&t, 3, LU_THRIFT_I64, (int64_t)w->rows);
	lu_thrift_put_list(&t, 4, LU_THRIFT_STRUCT, w->groups);
	lu_buf_str(b, lu_buf_slice(&w->meta));
	lu_thrift_put_list(&t, 5, LU_THRIFT_STRUCT, 1);
	lu_thrift_open(&t, 0);
	lu_thrift_put_str(&t, 1, LU_STR(LU_PQ_RECORD_KEY));
	lu_thrift_put_str(&t, 2, LU_STR(LU_PQ_RECORD_VERSION));
	lu_thrift_close(&t);
	/* In the form that readers expect, APPLICATION version V (build B). */
	lu_thrift_put_str(&t, 6, LU_STR("lucie version 1 (build 1)"));
	/* Bounds are in the order of each type. */
	lu_thrift_put_list(&t, 7, LU_THRIFT_STRUCT, LU_PQ_RECORD_COLUMNS);
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++) {
		lu_thrift_open(&t, 0);
		lu_thrift_open(&t, 1);
		lu_thrift_close(&t);
		lu_thrift_close(&t);
	}
	lu_thrift_end(&t);
}

int lu_pq_writer_finish(struct lu_pq_writer *w, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = -1;

	if (w->part.n && put_record(w, lu_buf_slice(&w->part), err) < 0)
		return -1;
	lu_buf_clear(&w->part);
	if (end_group(w, err) < 0)
		return -1;
	put_footer(w, &b);
	if (lu_buf_check(&b, err) == 0 && b.n > UINT32_MAX)
		lu_err_set(err, "%s: a footer of more than 4 GiB", w->name);
	else if (lu_buf_ok(&b)) {
		lu_buf_le32(&b, (uint32_t)b.n);
		lu_buf_puts(&b, LU_PQ_MAGIC);
		rc = lu_buf_check(&b, err) < 0 ? -1 : put(w, lu_buf_slice(&b), err);
	}
	lu_buf_release(&b);
	return rc;
}

void lu_pq_writer_free(struct lu_pq_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < LU_PQ_RECORD_COLUMNS; i++)
		lu_pq_column_writer_release(&w->column[i]);
	ZSTD_freeCCtx(w->zstd);
	lu_buf_release(&w->meta);
	lu_buf_release(&w->part);
	lu_buf_release(&w->extra);
	lu_buf_release(&w->layout);
	lu_buf_release(&w->chunk);
	lu_arena_release(&w->arena);
	free(w);
}
