#include "libcommon/import/utf16_feed.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"

#define STEP ((size_t)32 << 10)

/* How far a conversion is. */
struct state {
	bool begun, big;
	unsigned char odd; /* the first half of a unit */
	bool half;
	unsigned high; /* a high surrogate, or 0 */
};

struct lu_utf16_feed {
	struct lu_feed *raw;
	struct state state;
	struct lu_buf text; /* bytes at .. n - 1 are unread */
	size_t at;
	bool ended;
	unsigned char block[STEP];
};

bool lu_is_utf16(struct lu_str head)
{
	if (head.n >= 4 && memcmp(head.p, "\xFF\xFE\0\0", 4) == 0)
		return false;
	return head.n >= 2 &&
			(memcmp(head.p, "\xFF\xFE", 2) == 0 || memcmp(head.p, "\xFE\xFF", 2) == 0);
}

static void put(uint32_t c, struct lu_buf *out)
{
	char bytes[4];

	lu_buf_append(out, bytes, lu_utf8_put(c, bytes));
}

static void take_unit(struct state *s, unsigned u, struct lu_buf *out)
{
	if (s->high && u >= 0xDC00 && u < 0xE000) {
		put(0x10000 + ((s->high - 0xD800) << 10) + (u - 0xDC00), out);
		s->high = 0;
		return;
	}
	if (s->high)
		put(0xFFFD, out);
	s->high = u >= 0xD800 && u < 0xDC00 ? u : 0;
	if (!s->high)
		put(u >= 0xDC00 && u < 0xE000 ? 0xFFFD : u, out);
}

static void convert(struct state *s, const unsigned char *p, size_t n, struct lu_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned u;

		if (!s->half) {
			s->odd = p[i];
			s->half = true;
			continue;
		}
		s->half = false;
		u = s->big ? s->odd * 256u + p[i] : p[i] * 256u + s->odd;
		if (!s->begun) {
			s->begun = true;
			s->big = u == 0xFFFE;
		} else {
			take_unit(s, u, out);
		}
	}
}

static void finish(const struct state *s, struct lu_buf *out)
{
	if (s->high || s->half)
		put(0xFFFD, out);
}

void lu_utf16_to_utf8(struct lu_str bytes, struct lu_buf *out)
{
	struct state s = { .begun = false };

	convert(&s, (const unsigned char *)bytes.p, bytes.n, out);
}

/* An lu_in_fn. */
static ssize_t read_text(void *ctx, void *p, size_t n, struct lu_err *err)
{
	struct lu_utf16_feed *f = ctx;
	size_t have;

	while (f->at == f->text.n && !f->ended) {
		ssize_t got = lu_feed_read(f->raw, f->block, STEP, err);

		if (got < 0)
			return -1;
		lu_buf_clear(&f->text);
		f->at = 0;
		f->ended = (size_t)got < STEP;
		convert(&f->state, f->block, (size_t)got, &f->text);
		if (f->ended)
			finish(&f->state, &f->text);
		if (lu_buf_check(&f->text, err) < 0)
			return -1;
	}
	have = f->text.n - f->at < n ? f->text.n - f->at : n;
	if (have)
		memcpy(p, f->text.p + f->at, have);
	f->at += have;
	return (ssize_t)have;
}

int lu_utf16_feed_open(struct lu_utf16_feed **out, struct lu_feed *raw, struct lu_feed **text,
		struct lu_err *err)
{
	struct lu_utf16_feed *f = calloc(1, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	f->raw = raw;
	if (lu_feed_open_fn(text, lu_feed_name(raw), read_text, f, err) < 0) {
		lu_utf16_feed_free(f);
		return -1;
	}
	*out = f;
	return 0;
}

void lu_utf16_feed_free(struct lu_utf16_feed *f)
{
	if (f)
		lu_buf_release(&f->text);
	free(f);
}
