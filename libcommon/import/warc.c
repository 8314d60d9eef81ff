#include "libcommon/import/warc.h"

#include <inttypes.h>
#include <limits.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/import/take_line.h"
#include "libcommon/io/instream.h"

/* Without blanks at both ends, and without line ends. */
static struct lu_str trim(struct lu_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

/* True if the line is the field `name` ("Name: value", in any case); sets its value. */
static bool field(struct lu_str line, const char *name, struct lu_str *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
		return false;
	*value = trim((struct lu_str){ line.p + n + 1, line.n - n - 1 });
	return true;
}

static bool to_u64(struct lu_str s, uint64_t *out)
{
	struct lu_err unused;
	char text[24];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return lu_num_u64(text, out, &unused) == 0;
}

static int damaged(const struct lu_feed *f, const char *what, struct lu_err *err)
{
	return lu_err_set(err, "%s: byte %" PRIu64 ": %s", lu_feed_name(f), f->given, what);
}

/* Copy the fields of the next record into rec->head. 1; 0 at the end; -1. */
static int read_head(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str line;
	int rc;

	lu_buf_clear(&rec->head);
	do {
		rc = lu_feed_line(f, &line, err);
		if (rc <= 0)
			return rc;
	} while (trim(line).n == 0);
	if (line.n < 6 || memcmp(line.p, "WARC/", 5) != 0)
		return damaged(f, "no WARC record where one should begin", err);
	for (;;) {
		rc = lu_feed_line(f, &line, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return damaged(f, "ends inside a record's fields", err);
		if (trim(line).n == 0)
			break;
		lu_buf_str(&rec->head, line);
		if (rec->head.n > LU_FEED_AHEAD)
			return damaged(f, "fields of more than 64 KiB", err);
	}
	return lu_buf_check(&rec->head, err) < 0 ? -1 : 1;
}

static int read_fields(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str rest = lu_buf_slice(&rec->head), line, v;
	bool sized = false;

	rec->type = rec->id = rec->url = rec->date = rec->content_type = (struct lu_str){ 0 };
	rec->truncated = false;
	while (lu_take_line(&rest, &line)) {
		if (field(line, "WARC-Type", &v))
			rec->type = v;
		else if (field(line, "WARC-Record-ID", &v))
			rec->id = v;
		else if (field(line, "WARC-Target-URI", &v))
			rec->url = v;
		else if (field(line, "WARC-Date", &v))
			rec->date = v;
		else if (field(line, "Content-Type", &v))
			rec->content_type = v;
		else if (field(line, "WARC-Truncated", &v))
			rec->truncated = true;
		else if (field(line, "Content-Length", &v))
			sized = to_u64(v, &rec->length);
	}
	if (!sized)
		return damaged(f, "record without Content-Length", err);
	/* <urn:uuid:X> is X; WARC/1.0 writers put the URI in angle brackets as well. */
	if (rec->id.n > 2 && rec->id.p[0] == '<' && rec->id.p[rec->id.n - 1] == '>')
		rec->id = (struct lu_str){ rec->id.p + 1, rec->id.n - 2 };
	if (rec->id.n > 9 && strncasecmp(rec->id.p, "urn:uuid:", 9) == 0)
		rec->id = (struct lu_str){ rec->id.p + 9, rec->id.n - 9 };
	if (rec->url.n > 2 && rec->url.p[0] == '<' && rec->url.p[rec->url.n - 1] == '>')
		rec->url = (struct lu_str){ rec->url.p + 1, rec->url.n - 2 };
	return 0;
}

int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str line;
	uint64_t left;
	int rc = read_head(f, rec, err);

	if (rc <= 0)
		return rc;
	if (read_fields(f, rec, err) < 0)
		return -1;
	lu_buf_clear(&rec->body);
	rec->too_large = rec->length > limit;
	left = rec->length;
	if (rec->too_large) {
		if (lu_feed_skip(f, left, err) < 0)
			return -1;
		left = 0;
	}
	/* In steps: a false length must not allocate more than the file has bytes. */
	while (left > 0) {
		size_t step = left < ((size_t)1 << 20) ? (size_t)left : (size_t)1 << 20;
		ssize_t got;

		if (!lu_buf_reserve(&rec->body, step))
			return lu_err_nomem(err);
		got = lu_feed_read(f, rec->body.p + rec->body.n, step, err);
		if (got < 0)
			return -1;
		rec->body.n += (size_t)got;
		rec->body.p[rec->body.n] = '\0';
		left -= (uint64_t)got;
		if ((size_t)got < step)
			return damaged(f, "ends inside a record", err);
	}
	/* Two line ends close a record; some files lack the last one. */
	for (int i = 0; i < 2; i++) {
		rc = lu_feed_line(f, &line, err);
		if (rc < 0)
			return -1;
		if (rc > 0 && trim(line).n != 0)
			return damaged(f, "record is longer than its Content-Length", err);
	}
	return 1;
}

void lu_warc_release(struct lu_warc *rec)
{
	lu_buf_release(&rec->head);
	lu_buf_release(&rec->body);
}

/* --- HTTP --------------------------------------------------------------------------------- */

/* Parse a chunk-size line (RFC 9112, section 7.1): hexadecimal digits, optional ";extensions". */
static bool chunk_size(struct lu_str line, size_t *size)
{
	size_t n = 0, i;

	line = trim(line);
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
		if (trim(line).n != 0)
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

/* Undoes the content coding, of a truncated record as far as possible. Returns NULL, or the reason
 * to drop the record. */
static const char *decode(struct lu_str bytes, struct lu_str coding, bool truncated, uint64_t limit,
		struct lu_buf *out)
{
	bool gzip = bytes.n > 2 && memcmp(bytes.p, "\x1F\x8B", 2) == 0;
	struct lu_err err;
	struct lu_feed *f;
	int rc;

	/* As with the transfer coding, the field may have outlived the coding. */
	if (coding.n == 0 || is_coding(coding, "identity") ||
			(!gzip && (is_coding(coding, "gzip") || is_coding(coding, "x-gzip")))) {
		lu_buf_str(out, bytes);
		return NULL;
	}
	if (!gzip)
		return "content coding";
	if (lu_feed_open_str(&f, "content", &bytes, &err) < 0)
		return "damaged content";
	rc = lu_feed_all(f, limit, out, &err);
	lu_feed_close(f);
	if (rc < 0 && !truncated)
		return "damaged content";
	return rc == 0 ? "too large" : NULL;
}

static int status_of(struct lu_str line)
{
	const char *space = line.n > 5 && memcmp(line.p, "HTTP/", 5) == 0
			? memchr(line.p, ' ', line.n)
			: NULL;
	uint64_t code;

	if (!space || (size_t)(line.p + line.n - space) < 4)
		return 0;
	return to_u64((struct lu_str){ space + 1, 3 }, &code) ? (int)code : 0;
}

const char *lu_http_body(struct lu_str message, bool truncated, uint64_t limit,
		struct lu_http *http, struct lu_buf *out)
{
	struct lu_str rest = message, line, v;
	struct lu_str coding = { 0 };
	struct lu_buf plain = { 0 };
	const char *reason = NULL;
	bool chunked = false;

	http->content_type = (struct lu_str){ 0 };
	lu_take_line(&rest, &line);
	http->status = status_of(line);
	if (http->status == 0)
		return "no HTTP response";
	if (http->status != 200)
		return "HTTP status";
	while (lu_take_line(&rest, &line) && trim(line).n) {
		if (field(line, "Content-Type", &v))
			http->content_type = v;
		else if (field(line, "Content-Encoding", &v))
			coding = v;
		else if (field(line, "Transfer-Encoding", &v))
			chunked = v.n >= 7 && strncasecmp(v.p + v.n - 7, "chunked", 7) == 0;
	}
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
