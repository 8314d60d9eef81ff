#include "libcommon/parquet/thrift.h"

static uint64_t fail(struct lu_thrift *t, bool ended)
{
	t->ended |= ended && !t->failed;
	t->failed = true;
	t->p = t->end;
	return 0;
}

static unsigned get_byte(struct lu_thrift *t)
{
	return t->p < t->end ? *t->p++ : (unsigned)fail(t, true);
}

static uint64_t get_varint(struct lu_thrift *t)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned b = get_byte(t);

		v |= (uint64_t)(b & 0x7F) << shift;
		if (!(b & 0x80))
			return v;
	}
	return fail(t, false);
}

static int64_t zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool lu_thrift_next(struct lu_thrift *t, struct lu_thrift_field *f)
{
	unsigned b = get_byte(t);

	if (t->failed || (b & 15) == 0)
		return false;
	f->type = b & 15;
	if (b >> 4) {
		f->id += (int)(b >> 4);
	} else {
		int64_t id = zigzag(get_varint(t));

		if (id < 0 || id > INT16_MAX)
			return fail(t, false) != 0;
		f->id = (int)id;
	}
	return !t->failed;
}

int64_t lu_thrift_i64(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	if (f->type == LU_THRIFT_BYTE)
		return (signed char)get_byte(t);
	if (f->type < LU_THRIFT_I16 || f->type > LU_THRIFT_I64)
		return (int64_t)fail(t, false);
	return zigzag(get_varint(t));
}

bool lu_thrift_bool(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	if (f->type != LU_THRIFT_TRUE && f->type != LU_THRIFT_FALSE)
		return fail(t, false) != 0;
	return f->type == LU_THRIFT_TRUE;
}

struct lu_str lu_thrift_str(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	struct lu_str s = { "", 0 };
	uint64_t n = f->type == LU_THRIFT_BINARY ? get_varint(t) : fail(t, false);

	if (n > (uint64_t)(t->end - t->p))
		fail(t, true);
	if (t->failed)
		return s;
	s = (struct lu_str){ (const char *)t->p, (size_t)n };
	t->p += n;
	return s;
}

/* The head of a list: its length and the type of its elements. */
static size_t get_list(struct lu_thrift *t, unsigned *type)
{
	unsigned b = get_byte(t);
	uint64_t n = b >> 4 == 15 ? get_varint(t) : b >> 4;

	*type = b & 15;
	/* Each element takes a byte at least. */
	if (n > (uint64_t)(t->end - t->p))
		fail(t, true);
	return t->failed ? 0 : (size_t)n;
}

size_t lu_thrift_list(struct lu_thrift *t, const struct lu_thrift_field *f, unsigned type)
{
	unsigned got;
	size_t n = f->type == LU_THRIFT_LIST ? get_list(t, &got) : (size_t)fail(t, false);

	if (n && got != type)
		fail(t, false);
	return t->failed ? 0 : n;
}

void lu_thrift_struct(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	if (f->type != LU_THRIFT_STRUCT)
		fail(t, false);
}

static void skip(struct lu_thrift *t, unsigned type, bool element, int depth);

static void skip_items(struct lu_thrift *t, unsigned type, int depth)
{
	unsigned value;
	size_t n;

	if (type != LU_THRIFT_MAP) {
		n = get_list(t, &value);
		for (size_t i = 0; i < n && !t->failed; i++)
			skip(t, value, true, depth);
		return;
	}
	uint64_t pairs = get_varint(t);
	unsigned types = pairs ? get_byte(t) : 0;

	if (pairs > (uint64_t)(t->end - t->p))
		fail(t, true);
	for (uint64_t i = 0; i < pairs && !t->failed; i++) {
		skip(t, types >> 4, true, depth);
		skip(t, types & 15, true, depth);
	}
}

/* A truth value has no bytes as a field, and one as an element. */
static void skip(struct lu_thrift *t, unsigned type, bool element, int depth)
{
	struct lu_thrift_field f = { 0, type };

	if (depth >= LU_THRIFT_DEPTH) {
		fail(t, false);
		return;
	}
	switch (type) {
	case LU_THRIFT_TRUE:
	case LU_THRIFT_FALSE:
		if (element)
			get_byte(t);
		break;
	case LU_THRIFT_BYTE: get_byte(t); break;
	case LU_THRIFT_I16:
	case LU_THRIFT_I32:
	case LU_THRIFT_I64: get_varint(t); break;
	case LU_THRIFT_DOUBLE:
		if (t->end - t->p < 8)
			fail(t, true);
		else
			t->p += 8;
		break;
	case LU_THRIFT_BINARY: lu_thrift_str(t, &f); break;
	case LU_THRIFT_LIST:
	case LU_THRIFT_SET:
	case LU_THRIFT_MAP: skip_items(t, type, depth + 1); break;
	case LU_THRIFT_STRUCT:
		for (f = (struct lu_thrift_field){ 0 }; lu_thrift_next(t, &f);)
			skip(t, f.type, false, depth + 1);
		break;
	default: fail(t, false);
	}
}

void lu_thrift_skip(struct lu_thrift *t, const struct lu_thrift_field *f)
{
	skip(t, f->type, false, 0);
}

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		lu_buf_putc(b, (char)(v | 0x80));
	lu_buf_putc(b, (char)v);
}

static void put_zigzag(struct lu_buf *b, int64_t v)
{
	put_varint(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_field(struct lu_thrift_out *w, int id, unsigned type)
{
	int step = id - w->last[w->depth];

	w->last[w->depth] = id;
	if (step > 0 && step < 16) {
		lu_buf_putc(w->b, (char)(step << 4 | (int)type));
		return;
	}
	lu_buf_putc(w->b, (char)type);
	put_zigzag(w->b, id);
}

void lu_thrift_put_i64(struct lu_thrift_out *w, int id, enum lu_thrift_type type, int64_t v)
{
	put_field(w, id, type);
	if (type == LU_THRIFT_BYTE)
		lu_buf_putc(w->b, (char)v);
	else
		put_zigzag(w->b, v);
}

void lu_thrift_put_str(struct lu_thrift_out *w, int id, struct lu_str s)
{
	put_field(w, id, LU_THRIFT_BINARY);
	lu_thrift_item_str(w, s);
}

void lu_thrift_open(struct lu_thrift_out *w, int id)
{
	if (id)
		put_field(w, id, LU_THRIFT_STRUCT);
	LU_ASSERT(w->depth + 1 < sizeof(w->last) / sizeof(*w->last));
	w->last[++w->depth] = 0;
}

void lu_thrift_close(struct lu_thrift_out *w)
{
	lu_buf_putc(w->b, 0);
	w->depth--;
}

void lu_thrift_put_list(struct lu_thrift_out *w, int id, enum lu_thrift_type type, size_t n)
{
	put_field(w, id, LU_THRIFT_LIST);
	lu_buf_putc(w->b, (char)((n < 15 ? (int)n : 15) << 4 | (int)type));
	if (n >= 15)
		put_varint(w->b, n);
}

void lu_thrift_item_i64(struct lu_thrift_out *w, int64_t v)
{
	put_zigzag(w->b, v);
}

void lu_thrift_item_str(struct lu_thrift_out *w, struct lu_str s)
{
	put_varint(w->b, s.n);
	lu_buf_str(w->b, s);
}

void lu_thrift_end(struct lu_thrift_out *w)
{
	lu_buf_putc(w->b, 0);
}
