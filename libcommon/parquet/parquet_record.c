#include "libcommon/parquet/parquet_record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/parquet/parquet_schema.h"

const char *const lu_pq_record_names[LU_PQ_RECORD_COLUMNS] = { "id", "text", "source", "license",
	"lang", "lang_score", "url", "date", "title", "category", "extra", "layout" };

/* The column of a member, or LU_PQ_R_EXTRA. */
static size_t column_of(struct lu_str key)
{
	size_t i = 0;

	while (i < LU_PQ_R_EXTRA && !lu_str_is(key, lu_pq_record_names[i]))
		i++;
	return i;
}

static void next_item(struct lu_buf *layout)
{
	if (layout->n)
		lu_buf_putc(layout, ',');
}

static void end_others(struct lu_buf *layout, size_t *others)
{
	if (*others == 0)
		return;
	next_item(layout);
	lu_buf_putc(layout, '*');
	if (*others > 1)
		lu_buf_u64(layout, *others);
	*others = 0;
}

/* The bytes of the column, in the arena; .p NULL: the member goes to extra. */
static int column_value(const struct lu_json_member *m, size_t column, struct lu_arena *arena,
		struct lu_str *out, struct lu_err *err)
{
	*out = (struct lu_str){ 0 };
	if (column == LU_PQ_R_LANG_SCORE) {
		double d;
		char *p;

		if (!lu_json_double(m, &d) || !isfinite(d))
			return 0;
		p = lu_arena_alloc(arena, sizeof(d));
		if (!p)
			return lu_err_nomem(err);
		uint64_t bits;

		memcpy(&bits, &d, sizeof(bits));
		lu_store64(p, bits);
		*out = (struct lu_str){ p, sizeof(d) };
		return 0;
	}
	if (m->type == LU_JSON_STRING)
		return lu_json_decode_known(m->value, m->escaped, arena, out) < 0
				? lu_err_nomem(err)
				: 0;
	if (column == LU_PQ_R_ID && m->type == LU_JSON_NUMBER)
		*out = m->value;
	return 0;
}

/* The number as join writes it without a spelling of its own. */
static bool spelt_as_expected(const struct lu_json_member *m, size_t column)
{
	struct lu_buf b = { 0 };
	bool same;
	double d;

	if (m->type != LU_JSON_NUMBER)
		return true;
	if (column != LU_PQ_R_LANG_SCORE || !lu_json_double(m, &d))
		return false;
	lu_json_number(&b, d);
	same = lu_str_eq(lu_buf_slice(&b), m->value);
	lu_buf_release(&b);
	return same;
}

struct style {
	bool blanks, ascii;
};

static void put_string(struct lu_str s, struct style style, struct lu_buf *out)
{
	struct lu_buf quoted = { 0 };
	const char *p, *end;

	if (!style.ascii) {
		lu_json_quote(out, s);
		return;
	}
	lu_json_quote(&quoted, s);
	p = quoted.p;
	end = p + quoted.n;
	while (lu_buf_ok(&quoted) && p < end) {
		uint32_t c;

		if ((unsigned char)*p < 0x80) {
			lu_buf_putc(out, *p++);
			continue;
		}
		c = lu_utf8_next(&p);
		if (c >= 0x10000) {
			lu_buf_printf(out, "\\u%04x", 0xD800 + ((c - 0x10000) >> 10));
			c = 0xDC00 + ((c - 0x10000) & 0x3FF);
		}
		lu_buf_printf(out, "\\u%04x", c);
	}
	out->failed |= !lu_buf_ok(&quoted);
	lu_buf_release(&quoted);
}

/* Are characters beyond ASCII written as escapes, and are there any? */
static bool is_ascii(struct lu_str line)
{
	static const char mark[] = "\\u";
	bool escaped = false;

	for (size_t i = 0; i < line.n; i++) {
		if ((unsigned char)line.p[i] >= 0x80)
			return false;
	}
	for (const char *p = line.p, *end = line.p + line.n; !escaped && p; p++) {
		p = lu_str_find(p, end, LU_STR(mark));
		if (!p)
			break;
		/* \u00xx of control characters is needed in any case. */
		escaped = end - p > 6 && (memcmp(p + 2, "00", 2) != 0 || p[4] > '1');
	}
	return escaped;
}

static struct style put_style(const struct lu_json_obj *record, struct lu_buf *layout)
{
	const char *value = record->members ? record->member[0].value.p : NULL;
	struct style style = { .blanks = value && value > record->line.p && value[-1] == ' ',
		.ascii = is_ascii(record->line) };

	if (style.blanks)
		lu_buf_puts(layout, "=blanks");
	if (style.ascii) {
		next_item(layout);
		lu_buf_puts(layout, "=ascii");
	}
	return style;
}

int lu_pq_record_split(const struct lu_json_obj *record, struct lu_arena *arena,
		struct lu_buf *extra, struct lu_buf *layout,
		struct lu_str value[LU_PQ_RECORD_COLUMNS], struct lu_err *err)
{
	size_t others = 0;
	struct style style;

	lu_buf_clear(extra);
	lu_buf_clear(layout);
	style = put_style(record, layout);
	memset(value, 0, LU_PQ_RECORD_COLUMNS * sizeof(*value));
	for (size_t i = 0; i < record->members; i++) {
		const struct lu_json_member *m = &record->member[i];
		size_t column = column_of(m->key);

		if (column < LU_PQ_R_EXTRA &&
				column_value(m, column, arena, &value[column], err) < 0)
			return -1;
		if (column == LU_PQ_R_EXTRA || (!value[column].p && m->type != LU_JSON_NULL)) {
			lu_buf_putc(extra, extra->n ? ',' : '{');
			put_string(m->key, style, extra);
			lu_buf_putc(extra, ':');
			lu_buf_str(extra, m->value);
			others++;
			continue;
		}
		end_others(layout, &others);
		next_item(layout);
		lu_buf_puts(layout, lu_pq_record_names[column]);
		if (!spelt_as_expected(m, column)) {
			lu_buf_putc(layout, '=');
			lu_buf_str(layout, m->value);
		}
	}
	end_others(layout, &others);
	if (extra->n) {
		lu_buf_putc(extra, '}');
		value[LU_PQ_R_EXTRA] = lu_buf_slice(extra);
	}
	value[LU_PQ_R_LAYOUT] = lu_buf_slice(layout);
	return lu_buf_check(extra, err) < 0 || lu_buf_check(layout, err) < 0 ? -1 : 0;
}

static int wrong(struct lu_err *err)
{
	return lu_err_set(err, "a layout or extra that is wrong");
}

/* Begin a member: the comma, its key in quotes, the colon. */
static void put_key(struct lu_str key, struct style style, struct lu_buf *out)
{
	if (out->n > 1)
		lu_buf_puts(out, style.blanks ? ", " : ",");
	lu_buf_str(out, key);
	lu_buf_puts(out, style.blanks ? ": " : ":");
}

/* Write a known member. `spelling`: .p NULL, or the number as it stood. */
static int join_known(size_t column, struct lu_str v, struct lu_str spelling, struct style style,
		struct lu_buf *out, struct lu_err *err)
{
	char key[24];

	struct lu_json_fault fault;
	enum lu_json_type type;

	snprintf(key, sizeof(key), "\"%s\"", lu_pq_record_names[column]);
	put_key(lu_str_of(key), style, out);
	if (spelling.p) {
		if (lu_json_check(spelling, &type, &fault) < 0 || type != LU_JSON_NUMBER)
			return wrong(err);
		lu_buf_str(out, spelling);
	} else if (!v.p) {
		lu_buf_puts(out, "null");
	} else if (column == LU_PQ_R_LANG_SCORE) {
		uint64_t bits = lu_load64(v.p);
		double d;

		memcpy(&d, &bits, sizeof(d));
		lu_json_number(out, d);
	} else {
		put_string(v, style, out);
	}
	return 0;
}

static int join_others(struct lu_json_iter *it, struct lu_str count, struct style style,
		struct lu_buf *out, struct lu_err *err)
{
	uint64_t n = count.n ? 0 : 1;

	for (size_t i = 0; i < count.n; i++) {
		if (count.p[i] < '0' || count.p[i] > '9' || n > UINT32_MAX)
			return wrong(err);
		n = n * 10 + (uint64_t)(count.p[i] - '0');
	}
	for (; n; n--) {
		if (!it->p || !lu_json_next(it))
			return wrong(err);
		put_key(it->key, style, out);
		lu_buf_str(out, it->value);
	}
	return 0;
}

int lu_pq_record_join(const struct lu_str value[LU_PQ_RECORD_COLUMNS], struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_str layout = value[LU_PQ_R_LAYOUT], extra = value[LU_PQ_R_EXTRA];
	struct lu_json_iter it = { 0 };
	struct style style = { 0 };
	struct lu_json_fault fault;
	enum lu_json_type type;

	if (extra.p) {
		if (lu_json_check(extra, &type, &fault) < 0 || type != LU_JSON_OBJECT)
			return wrong(err);
		it = lu_json_iter(extra);
	}
	lu_buf_putc(out, '{');
	while (layout.n) {
		const char *end = memchr(layout.p, ',', layout.n), *is;
		struct lu_str item = { layout.p, end ? (size_t)(end - layout.p) : layout.n };
		struct lu_str spelling = { 0 };
		size_t column;

		layout = (struct lu_str){ item.p + item.n + (end != NULL),
			layout.n - item.n - (end != NULL) };
		if (item.n && item.p[0] == '*') {
			if (join_others(&it, (struct lu_str){ item.p + 1, item.n - 1 }, style, out,
					    err) < 0)
				return -1;
			continue;
		}
		if (item.n && item.p[0] == '=') {
			style.blanks |= lu_str_is(item, "=blanks");
			style.ascii |= lu_str_is(item, "=ascii");
			continue;
		}
		is = memchr(item.p, '=', item.n);
		if (is) {
			spelling = (struct lu_str){ is + 1, item.n - (size_t)(is + 1 - item.p) };
			item.n = (size_t)(is - item.p);
		}
		column = column_of(item);
		if (column == LU_PQ_R_EXTRA ||
				join_known(column, value[column], spelling, style, out, err) < 0)
			return wrong(err);
	}
	lu_buf_putc(out, '}');
	return lu_buf_check(out, err);
}

void lu_pq_record_schema(struct lu_buf *out)
{
	struct lu_thrift_out w = { .b = out };

	lu_buf_putc(out, (char)((LU_PQ_RECORD_COLUMNS + 1) << 4 | LU_THRIFT_STRUCT));
	for (size_t i = 0; i <= LU_PQ_RECORD_COLUMNS; i++) {
		size_t column = i - 1;

		lu_thrift_open(&w, 0);
		if (i == 0) {
			lu_thrift_put_str(&w, 4, LU_STR("schema"));
			lu_thrift_put_i64(&w, 5, LU_THRIFT_I32, LU_PQ_RECORD_COLUMNS);
			lu_thrift_close(&w);
			continue;
		}
		lu_thrift_put_i64(&w, 1, LU_THRIFT_I32,
				column == LU_PQ_R_LANG_SCORE ? LU_PQ_DOUBLE : LU_PQ_BYTE_ARRAY);
		lu_thrift_put_i64(&w, 3, LU_THRIFT_I32, LU_PQ_OPTIONAL);
		lu_thrift_put_str(&w, 4, lu_str_of(lu_pq_record_names[column]));
		if (column != LU_PQ_R_LANG_SCORE) {
			/* UTF8, said in both ways. */
			lu_thrift_put_i64(&w, 6, LU_THRIFT_I32, 0);
			lu_thrift_open(&w, 10);
			lu_thrift_open(&w, 1);
			lu_thrift_close(&w);
			lu_thrift_close(&w);
		}
		lu_thrift_close(&w);
	}
}

bool lu_pq_record_has_schema(struct lu_str list)
{
	struct lu_buf b = { 0 };
	bool same;

	lu_pq_record_schema(&b);
	same = lu_buf_ok(&b) && list.n >= b.n && memcmp(list.p, b.p, b.n) == 0;
	lu_buf_release(&b);
	return same;
}
