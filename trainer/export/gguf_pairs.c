#include "trainer/export/gguf_pairs.h"

#include <string.h>

void lt_gguf_put_string(struct lu_buf *b, struct lu_str s)
{
	lu_buf_le64(b, s.n);
	lu_buf_str(b, s);
}

void lt_gguf_put_f32(struct lu_buf *b, double v)
{
	float f = (float)v;
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	lu_buf_le32(b, u);
}

static void start(struct lt_gguf_pairs *p, const char *key, enum lt_gguf_type type)
{
	lt_gguf_put_string(&p->b, lu_str_of(key));
	lu_buf_le32(&p->b, type);
	p->n++;
}

void lt_gguf_u32(struct lt_gguf_pairs *p, const char *key, uint64_t v)
{
	start(p, key, LT_GGUF_U32);
	lu_buf_le32(&p->b, (uint32_t)v);
}

void lt_gguf_f32(struct lt_gguf_pairs *p, const char *key, double v)
{
	start(p, key, LT_GGUF_F32);
	lt_gguf_put_f32(&p->b, v);
}

void lt_gguf_bool(struct lt_gguf_pairs *p, const char *key, bool v)
{
	start(p, key, LT_GGUF_BOOL);
	lu_buf_putc(&p->b, v ? 1 : 0);
}

void lt_gguf_string(struct lt_gguf_pairs *p, const char *key, struct lu_str v)
{
	start(p, key, LT_GGUF_STRING);
	lt_gguf_put_string(&p->b, v);
}

void lt_gguf_array(struct lt_gguf_pairs *p, const char *key, enum lt_gguf_type of, uint64_t n)
{
	start(p, key, LT_GGUF_ARRAY);
	lu_buf_le32(&p->b, of);
	lu_buf_le64(&p->b, n);
}

void lt_gguf_element(struct lt_gguf_pairs *p, struct lu_str v)
{
	lt_gguf_put_string(&p->b, v);
}
