#include "libcommon/tokenizer/decode_step.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"

/* Remove up to `start` and `stop` copies of the character at the two ends. */
static struct lu_str strip(struct lu_str s, const struct lu_decode_step *step)
{
	struct lu_str c = step->content;

	for (uint64_t k = 0; k < step->start && s.n >= c.n && memcmp(s.p, c.p, c.n) == 0; k++)
		s = (struct lu_str){ s.p + c.n, s.n - c.n };
	for (uint64_t k = 0; k < step->stop && s.n >= c.n && memcmp(s.p + s.n - c.n, c.p, c.n) == 0;
			k++)
		s.n -= c.n;
	return s;
}

void lu_decode_step_run(
		const struct lu_decode_step *step, struct lu_str s, bool first, struct lu_buf *out)
{
	if (step->kind == LU_DECODE_STRIP)
		lu_buf_str(out, strip(s, step));
	else if (step->kind == LU_DECODE_REPLACE)
		lu_buf_replace(out, s, step->pattern.literal, step->content);
	else
		/* Metaspace: markers become spaces; in the first string they are dropped, unless
		 * the scheme puts none there. */
		lu_buf_replace(out, s, step->content,
				first && step->scheme != LU_PREPEND_NEVER ? LU_STR("")
									  : LU_STR(" "));
}

void lu_decode_byte_level(struct lu_str s, struct lu_buf *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t from = out->n;
	int byte = 0;

	while (p < end && (byte = lu_byte_level_byte(lu_utf8_next(&p))) >= 0)
		lu_buf_putc(out, (char)byte);
	if (byte < 0) {
		out->n = from;
		lu_buf_str(out, s);
	}
}
