#include "libcommon/tokenizer/id_format.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/json.h"

uint64_t lu_id_read(const char **s, const char *end)
{
	const char *p = *s;
	uint64_t id = 0;

	while (p < end && *p >= '0' && *p <= '9' && id <= UINT32_MAX)
		id = id * 10 + (uint64_t)(*p++ - '0');
	id = p == *s || id > UINT32_MAX ? UINT64_MAX : id;
	*s = p;
	return id;
}

int lu_ids_read_json(struct lu_str raw, struct lu_ids *ids, struct lu_str *bad, struct lu_err *err)
{
	const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
	struct lu_json_iter it = lu_json_iter(raw);

	ids->n = 0;
	/* An element takes at least two bytes, with its comma. */
	if (lu_ids_reserve(ids, raw.n / 2 + 1, err) < 0)
		return -1;
	while (p < end) {
		uint64_t id;

		while (*p == ' ' || *p == ',' || *p == '\t' || *p == '\n' || *p == '\r')
			p++;
		if (p == end)
			break;
		id = lu_id_read(&p, end);
		if (id > UINT32_MAX || (*p != ',' && *p != ' ' && *p != ']' && *p > ' ')) {
			for (size_t i = 0; i <= ids->n && lu_json_next(&it); i++)
				*bad = it.value;
			return 1;
		}
		ids->p[ids->n++] = (uint32_t)id;
	}
	return 0;
}

void lu_ids_put_decimal(struct lu_buf *b, const uint32_t *id, size_t n, char separator)
{
	for (size_t i = 0; i < n; i++) {
		lu_buf_u64(b, id[i]);
		lu_buf_putc(b, separator);
	}
}

void lu_ids_put_binary(struct lu_buf *b, const uint32_t *id, size_t n, unsigned width)
{
	if (!lu_buf_reserve(b, n * width))
		return;
	for (size_t i = 0; i < n; i++) {
		if (width == 2)
			lu_store16(b->p + b->n, (uint16_t)id[i]);
		else
			lu_store32(b->p + b->n, id[i]);
		b->n += width;
	}
}

void lu_ids_put_pieces(struct lu_buf *b, const struct lu_tok *tok, const uint32_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct lu_str piece = lu_tok_piece(tok, id[i]);

		if (piece.p)
			lu_json_quote(b, piece);
		else
			lu_buf_puts(b, "null");
		lu_buf_putc(b, ',');
	}
}
