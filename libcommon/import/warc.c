#include "libcommon/import/warc.h"

#include <limits.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/io/instream.h"

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

/* Takes the next line off `s`; the line keeps its newline. */
static struct lu_str cut_line(struct lu_str *s)
{
	const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;
	struct lu_str line = { s->p, nl ? (size_t)(nl + 1 - s->p) : s->n };

	s->p += line.n;
	s->n -= line.n;
	return line;
}

/* The value of the field when the line is that field ("Name: value", any case). */
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
	return lu_err_set(err, "%s: byte %llu: %s", lu_feed_name(f), (unsigned long long)f->given,
			what);
}

/* Copies the fields into rec->head: 1, or 0 when there is no further record. */
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
	while ((line = cut_line(&rest)).n) {
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
	/* In steps, so that a false length cannot ask for memory that no bytes stand behind. */
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
	/* Two line ends close a record; the last one of a file is sometimes left out. */
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

/* A chunk-size line, RFC 9112 section 7.1: hexadecimal digits, then perhaps ";extensions". */
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

/* False when the coding is broken; a record that was cut may end anywhere. */
static bool unchunk(struct lu_str body, bool truncated, struct lu_buf *out)
{
	struct lu_str rest = body;
	size_t size;

	if (!chunk_size(cut_line(&rest), &size)) {
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
		if (trim(cut_line(&rest)).n != 0)
			return false;
		if (rest.n == 0)
			return truncated;
		if (!chunk_size(cut_line(&rest), &size))
			return false;
	}
}

struct memory {
	struct lu_str left;
};

static ssize_t from_memory(void *ctx, void *p, size_t n, struct lu_err *err)
{
	struct memory *m = ctx;
	size_t k = m->left.n < n ? m->left.n : n;

	(void)err;
	if (k)
		memcpy(p, m->left.p, k);
	m->left.p += k;
	m->left.n -= k;
	return (ssize_t)k;
}

/* Undoes a gzip content coding (zstd and xz would do as well). What a cut record holds of it is
 * kept. NULL or the reason. */
static const char *decode(struct lu_str coded, bool truncated, uint64_t limit, struct lu_buf *out)
{
	struct memory from = { coded };
	struct lu_err err;
	struct lu_feed *f;
	int rc;

	if (lu_feed_open_fn(&f, "content", from_memory, &from, &err) < 0)
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
	http->status = status_of(cut_line(&rest));
	if (http->status == 0)
		return "no HTTP response";
	if (http->status != 200)
		return "HTTP status";
	while ((line = cut_line(&rest)).n && trim(line).n) {
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
	if (!reason && coding.n && !(coding.n == 8 && strncasecmp(coding.p, "identity", 8) == 0)) {
		bool gzip = rest.n > 2 && (unsigned char)rest.p[0] == 0x1F &&
				(unsigned char)rest.p[1] == 0x8B;
		bool named = (coding.n == 4 && strncasecmp(coding.p, "gzip", 4) == 0) ||
				(coding.n == 6 && strncasecmp(coding.p, "x-gzip", 6) == 0);

		/* Like the transfer coding, often undone already while the field stayed. */
		if (gzip)
			reason = decode(rest, truncated, limit, out);
		else if (named)
			lu_buf_str(out, rest);
		else
			reason = "content coding";
	} else if (!reason) {
		lu_buf_str(out, rest);
	}
	lu_buf_release(&plain);
	return reason;
}
