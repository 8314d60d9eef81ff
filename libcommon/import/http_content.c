#include "libcommon/import/http_content.h"

#include <strings.h>

#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/decoder.h"

/* --- chunks -------------------------------------------------------------------------------- */

/* Parse a chunk-size line: hexadecimal digits, optional ";extensions". */
static bool chunk_size(struct lu_str line, size_t *size)
{
	size_t n = 0, i;

	line = lu_trim_line(line);
	for (i = 0; i < line.n && i < 16; i++) {
		int c = line.p[i] | 0x20;

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else
			break;
		if (n > SIZE_MAX / 16)
			return false;
		n = n * 16 + (size_t)c;
	}
	*size = n;
	return i > 0 && (i == line.n || line.p[i] == ';' || line.p[i] == ' ');
}

bool lu_unchunk(struct lu_str body, struct lu_buf *out, bool *cut)
{
	struct lu_str rest = body, line;
	const size_t before = out->n;
	size_t size;

	lu_take_line(&rest, &line);
	if (!chunk_size(line, &size))
		return false;
	while (size > 0) {
		size_t n = rest.n < size ? rest.n : size;

		*cut = true;
		lu_buf_append(out, rest.p, n);
		rest.p += n;
		rest.n -= n;
		if (n < size || rest.n == 0)
			return true;
		lu_take_line(&rest, &line);
		/* A first line of a text that is a number by chance. */
		if (lu_trim_line(line).n != 0 && out->n == before + size) {
			out->n = before;
			*cut = false;
			return false;
		}
		if (lu_trim_line(line).n != 0)
			return true;
		lu_take_line(&rest, &line);
		if (!chunk_size(line, &size))
			return true;
	}
	*cut = false;
	return true;
}

/* --- content ------------------------------------------------------------------------------- */

enum outcome { WHOLE, CUT, WRONG, TOO_LARGE, NO_MEMORY };

/* Append what a decoder makes of all members in front of `in`, at most `limit` bytes. */
static enum outcome run(const struct lu_decoder *decoder, struct lu_str in, uint64_t limit,
		struct lu_buf *out)
{
	struct lu_decode d = { .in = (const unsigned char *)in.p, .in_n = in.n };
	const size_t step = (size_t)64 << 10, before = out->n;
	enum lu_decode_rc rc = LU_DECODE_NOMEM;
	size_t whole = SIZE_MAX; /* the end of the last member */
	bool again = true;
	void *state;

	if (decoder->open(&state) < 0)
		return NO_MEMORY;
	while (again && out->n - before <= limit) {
		rc = LU_DECODE_NOMEM;
		if (!lu_buf_reserve(out, step))
			break;
		d.out = (unsigned char *)out->p + out->n;
		d.out_n = step;
		rc = decoder->step(state, &d);
		out->n += step - d.out_n;
		out->p[out->n] = '\0';
		if (rc == LU_DECODE_END)
			whole = out->n;
		again = rc == LU_DECODE_END ? decoder->begins && decoder->begins(d.in, d.in_n)
					    : rc == LU_DECODE_MORE && (d.in_n > 0 || d.out_n == 0);
	}
	decoder->close(state);
	if (out->n - before > limit)
		return TOO_LARGE;
	if (rc == LU_DECODE_NOMEM)
		return NO_MEMORY;
	if (rc != LU_DECODE_WRONG)
		return rc == LU_DECODE_END ? WHOLE : CUT;
	if (whole == SIZE_MAX)
		return WRONG;
	out->n = whole;
	return CUT;
}

static bool is_named(struct lu_str coding, const char *name)
{
	return coding.n == strlen(name) && strncasecmp(coding.p, name, coding.n) == 0;
}

/* True for markup, and for text in UTF-8: the body is decoded already. */
static bool is_text(struct lu_str s)
{
	size_t i = s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	while (i < s.n && s.p[i] && strchr(" \t\r\n", s.p[i]))
		i++;
	if (i == s.n || s.p[i] == '<')
		return true;
	return lu_utf8_is_text(s.p, s.n < 4096 ? s.n : 4096);
}

/* True if the zlib header of RFC 1950 is here; some servers send deflate without it. */
static bool is_zlib(struct lu_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return s.n > 2 && (p[0] & 15) == 8 && (p[0] * 256 + p[1]) % 31 == 0;
}

/* Undo a coding that has no mark. WRONG where the body is none of it, with nothing appended. */
static enum outcome run_unmarked(
		struct lu_str coding, struct lu_str in, uint64_t limit, struct lu_buf *out)
{
	const size_t before = out->n;
	enum outcome got = WRONG;

	if (is_named(coding, "br"))
		return run(&lu_decoder_brotli, in, limit, out);
	if (!is_named(coding, "deflate"))
		return WRONG;
	if (is_zlib(in))
		got = run(&lu_decoder_zlib, in, limit, out);
	if (got == WRONG && out->n == before)
		got = run(&lu_decoder_deflate, in, limit, out);
	return got;
}

/* A coding that is known and not read. */
static bool is_unread(struct lu_str coding)
{
	static const char *const unread[] = { "compress", "x-compress", "dcb", "dcz", "exi",
		"pack200-gzip" };

	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		if (is_named(coding, unread[i]))
			return true;
	}
	return false;
}

static const struct lu_decoder *mark_of(struct lu_str in)
{
	const struct lu_decoder *d = lu_decoder_of((const unsigned char *)in.p, in.n);

	return d == &lu_decoder_zstd ? &lu_decoder_zstd_web : d;
}

/* Undo one coding. Returns as lu_codings_undo(). */
static const char *undo(struct lu_str coding, struct lu_str in, uint64_t limit, struct lu_buf *out,
		bool *cut)
{
	const struct lu_decoder *marked = mark_of(in);
	const size_t before = out->n;
	enum outcome got = run_unmarked(coding, in, limit, out);

	if (got != WHOLE && got != TOO_LARGE && marked) {
		out->n = before;
		got = run(marked, in, limit, out);
	} else if ((got == WRONG || got == CUT) && is_text(in)) {
		out->n = before;
		lu_buf_str(out, in);
		return NULL;
	} else if (got == WRONG && (is_named(coding, "br") || is_named(coding, "deflate"))) {
		return "damaged content";
	} else if (got == WRONG && is_unread(coding)) {
		return "content coding";
	} else if (got == WRONG) {
		/* A name of no coding, such as "UTF-8", or gzip that was undone. */
		lu_buf_str(out, in);
		return NULL;
	}
	*cut = *cut || got == CUT;
	if (got == NO_MEMORY)
		out->failed = true;
	return got == TOO_LARGE ? "too large" : got == WRONG ? "damaged content" : NULL;
}

static bool is_identity(struct lu_str coding)
{
	return coding.n == 0 || is_named(coding, "identity");
}

void lu_codings_add(struct lu_codings *c, struct lu_str field)
{
	while (field.n) {
		const char *comma = memchr(field.p, ',', field.n);
		size_t n = comma ? (size_t)(comma - field.p) : field.n;
		struct lu_str name = lu_trim_line((struct lu_str){ field.p, n });

		field.p += n + (comma != NULL);
		field.n -= n + (comma != NULL);
		if (is_named(name, "chunked"))
			c->chunked = true;
		else if (!is_identity(name) && c->n < LU_CODINGS_MAX)
			c->name[c->n++] = name;
		else if (!is_identity(name))
			c->more = true;
	}
}

const char *lu_codings_undo(const struct lu_codings *c, struct lu_str body, uint64_t limit,
		struct lu_buf *out, bool *cut)
{
	struct lu_buf before = { 0 }, after = { 0 };
	const char *reason = c->more ? "content coding" : NULL;

	for (unsigned i = c->n; i > 0 && !reason; i--) {
		struct lu_buf *to = i == 1 ? out : &after;

		reason = undo(c->name[i - 1], body, limit, to, cut);
		if (i > 1) {
			lu_buf_release(&before);
			before = after;
			after = (struct lu_buf){ 0 };
			body = lu_buf_slice(&before);
			out->failed = out->failed || !lu_buf_ok(&before);
		}
	}
	if (c->n == 0 && !reason)
		lu_buf_str(out, body);
	lu_buf_release(&before);
	lu_buf_release(&after);
	return reason;
}
