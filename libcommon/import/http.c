#include "libcommon/import/http.h"

#include <limits.h>
#include <strings.h>
#include <zlib.h>

#include "libcommon/base/take_line.h"
#include "libcommon/io/feed.h"

/* Parse a chunk-size line (RFC 9112, section 7.1): hexadecimal digits, optional ";extensions". */
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

/* Undoes the chunked coding. False when it is broken; a truncated record may end anywhere. */
static bool unchunk(struct lu_str body, bool truncated, struct lu_buf *out)
{
	struct lu_str rest = body, line;
	size_t size;

	lu_take_line(&rest, &line);
	if (!chunk_size(line, &size)) {
		lu_buf_str(out, body);
		return true;
	}
	for (;;) {
		if (size == 0)
			return true;
		if (rest.n < size) {
			lu_buf_str(out, rest);
			return truncated;
		}
		lu_buf_append(out, rest.p, size);
		rest.p += size;
		rest.n -= size;
		lu_take_line(&rest, &line);
		if (lu_trim_line(line).n != 0)
			return false;
		if (rest.n == 0)
			return truncated;
		lu_take_line(&rest, &line);
		if (!chunk_size(line, &size))
			return false;
	}
}

static bool is_coding(struct lu_str coding, const char *name)
{
	return coding.n == strlen(name) && strncasecmp(coding.p, name, coding.n) == 0;
}

static bool is_gzip(struct lu_str s)
{
	return s.n > 2 && memcmp(s.p, "\x1F\x8B", 2) == 0;
}

/* Inflate into `out`, at most `limit` bytes and without end: what follows the compressed data is
 * ignored, as browsers do. `window` is that of inflateInit2(). Returns NULL, or the reason to drop
 * the record; a truncated one gives what there is. */
static const char *inflate_body(
		struct lu_str in, int window, bool truncated, uint64_t limit, struct lu_buf *out)
{
	const size_t step = (size_t)64 << 10, before = out->n;
	z_stream z = { 0 };
	int rc;

	if (in.n > UINT_MAX)
		return "too large";
	if (inflateInit2(&z, window) != Z_OK) {
		out->failed = true;
		return "damaged content";
	}
	/* zlib does not write to its input, although the member lacks the const. */
	memcpy(&z.next_in, &in.p, sizeof(z.next_in));
	z.avail_in = (uInt)in.n;
	do {
		if (!lu_buf_reserve(out, step)) {
			rc = Z_MEM_ERROR;
			break;
		}
		z.next_out = (unsigned char *)out->p + out->n;
		z.avail_out = (uInt)step;
		rc = inflate(&z, Z_NO_FLUSH);
		out->n += step - z.avail_out;
		out->p[out->n] = '\0';
		if (rc == Z_STREAM_END && is_gzip((struct lu_str){ (char *)z.next_in, z.avail_in }))
			rc = inflateReset(&z);
	} while (rc == Z_OK && out->n - before <= limit);
	inflateEnd(&z);
	if (out->n - before > limit)
		return "too large";
	return rc == Z_STREAM_END || truncated ? NULL : "damaged content";
}

/* As inflate_body(), for zstd. */
static const char *decode_zstd(struct lu_str in, bool truncated, uint64_t limit, struct lu_buf *out)
{
	struct lu_err err;
	struct lu_feed *f;
	int rc;

	if (lu_feed_open_str(&f, "content", &in, &err) < 0)
		return "damaged content";
	rc = lu_feed_all(f, limit, out, &err);
	lu_feed_close(f);
	if (rc < 0 && !truncated)
		return "damaged content";
	return rc == 0 ? "too large" : NULL;
}

/* The zlib header of RFC 1950; some servers send deflate without it. */
static bool is_zlib(struct lu_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return s.n > 2 && (p[0] & 15) == 8 && (p[0] * 256 + p[1]) % 31 == 0;
}

/* Undo the content coding, of a truncated record as far as possible. Returns NULL, or the reason to
 * drop the record. */
static const char *decode(struct lu_str bytes, struct lu_str coding, bool truncated, uint64_t limit,
		struct lu_buf *out)
{
	static const char *const unread[] = { "br", "compress", "x-compress", "dcb", "dcz" };
	const size_t before = out->n;
	const char *reason = NULL;

	if (coding.n == 0 || is_coding(coding, "identity")) {
		lu_buf_str(out, bytes);
		return NULL;
	}
	if (is_gzip(bytes))
		return inflate_body(bytes, 15 + 16, truncated, limit, out);
	if (bytes.n > 4 && memcmp(bytes.p, "\x28\xB5\x2F\xFD", 4) == 0)
		return decode_zstd(bytes, truncated, limit, out);
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		if (is_coding(coding, unread[i]))
			return "content coding";
	}
	if (is_coding(coding, "deflate"))
		reason = inflate_body(bytes, is_zlib(bytes) ? 15 : -15, truncated, limit, out);
	else
		lu_buf_str(out, bytes);
	/* As with the transfer coding, the field may have outlived the coding. */
	if (is_coding(coding, "deflate") && out->n == before && bytes.n && bytes.p[0] == '<') {
		lu_buf_str(out, bytes);
		return NULL;
	}
	return reason;
}

static int status_of(struct lu_str line)
{
	const char *space = line.n > 5 && memcmp(line.p, "HTTP/", 5) == 0
			? memchr(line.p, ' ', line.n)
			: NULL;
	int code = 0;

	if (!space || (size_t)(line.p + line.n - space) < 4)
		return 0;
	for (int i = 1; i <= 3; i++) {
		if (space[i] < '0' || space[i] > '9')
			return 0;
		code = code * 10 + space[i] - '0';
	}
	return code;
}

const char *lu_http_body(struct lu_str message, bool truncated, uint64_t limit,
		struct lu_http *http, struct lu_buf *out)
{
	struct lu_str rest = message, line, v;
	struct lu_str coding = { 0 };
	struct lu_buf plain = { 0 };
	const char *reason = NULL;
	bool chunked = false;

	*http = (struct lu_http){ 0 };
	lu_take_line(&rest, &line);
	http->status = status_of(line);
	if (http->status == 0)
		return "no HTTP response";
	if (http->status != 200)
		return "HTTP status";
	http->fields = rest;
	while (lu_take_line(&rest, &line) && lu_trim_line(line).n) {
		if (lu_take_field(line, "Content-Type", &v))
			http->content_type = v;
		else if (lu_take_field(line, "Content-Encoding", &v))
			coding = v;
		else if (lu_take_field(line, "Transfer-Encoding", &v))
			chunked = v.n >= 7 && strncasecmp(v.p + v.n - 7, "chunked", 7) == 0;
	}
	http->fields.n -= rest.n;
	if (chunked) {
		if (!unchunk(rest, truncated, &plain))
			reason = "damaged content";
		rest = lu_buf_slice(&plain);
	}
	if (!reason)
		reason = decode(rest, coding, truncated, limit, out);
	lu_buf_release(&plain);
	return reason;
}
