#include "libcommon/import/warc.h"

#include <ctype.h>
#include <inttypes.h>

#include "libcommon/base/num.h"
#include "libcommon/base/take_line.h"

/* Behind a wrong record: longer than "WARC/1.1", a line end and the beginning of a field. */
#define START_SIZE 32

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

/* What is wrong at the read position. Returns 2. */
static int wrong(const struct lu_feed *f, const char *what, struct lu_err *err)
{
	lu_err_set(err, "%s: byte %" PRIu64 ": %s", lu_feed_name(f), f->given, what);
	return 2;
}

/* The length of the first line of a record, "WARC/1.1" and a line end, at p; 0: there is none. */
static size_t version_line(const char *p, size_t n)
{
	if (n < 10 || memcmp(p, "WARC/", 5) != 0 || !isdigit((unsigned char)p[5]) || p[6] != '.' ||
			!isdigit((unsigned char)p[7]))
		return 0;
	return p[8] == '\n' ? 9 : p[8] == '\r' && p[9] == '\n' ? 10 : 0;
}

/* True if a record begins here, with a field that only records have first. */
static bool is_start(const char *p, size_t n)
{
	static const char type[] = "WARC-", length[] = "Content-";
	size_t i = n < START_SIZE ? 0 : version_line(p, n);

	return i &&
			(strncasecmp(p + i, type, sizeof(type) - 1) == 0 ||
					strncasecmp(p + i, length, sizeof(length) - 1) == 0);
}

/* The first record that begins at a line of `s` other than the first, or NULL. */
static const char *find_start(struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (is_start(p, (size_t)(end - p)))
			return p;
	}
	return NULL;
}

/* The end of the record's body, as much as can be taken back. */
static struct lu_str tail(const struct lu_warc *rec)
{
	size_t n = rec->body.n < LU_FEED_AHEAD ? rec->body.n : LU_FEED_AHEAD;

	return (struct lu_str){ rec->body.p + (rec->body.n - n), n };
}

/* The stream ends inside a record. Where each record is a compressed member, the members are whole
 * and the record's length is wrong, and so it is when a record follows inside (2); elsewhere the file
 * is truncated (-1). */
static int ends(const struct lu_feed *f, const struct lu_warc *rec, const char *where,
		struct lu_err *err)
{
	wrong(f, where, err);
	return lu_feed_stopped(f) || f->marks || find_start(tail(rec)) ? 2 : -1;
}

/* Copy the fields of the next record into rec->head. 1; 0 at the end; 2: there is none; -1. */
static int read_head(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str line;
	int rc;

	do {
		rec->member = lu_feed_stopped(f);
		lu_feed_resume(f);
		rc = lu_feed_line(f, &line, err);
	} while ((rc == 1 && lu_trim_line(line).n == 0) || (rc == 0 && lu_feed_stopped(f)));
	if (rc <= 0)
		return rc;
	if (rc == 2 || line.n < 6 || memcmp(line.p, "WARC/", 5) != 0)
		return wrong(f, "no WARC record where one should begin", err);
	for (;;) {
		rc = lu_feed_line(f, &line, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return ends(f, rec, "ends inside a record's fields", err);
		if (rc == 1 && lu_trim_line(line).n == 0)
			break;
		if (rc == 1)
			lu_buf_str(&rec->head, line);
		if (rc == 2 || rec->head.n > LU_FEED_AHEAD)
			return wrong(f, "fields of more than 64 KiB", err);
	}
	return lu_buf_check(&rec->head, err) < 0 ? -1 : 1;
}

/* Without the pair of characters around it. */
static struct lu_str without(struct lu_str s, char first, char last)
{
	if (s.n > 2 && s.p[0] == first && s.p[s.n - 1] == last)
		s = (struct lu_str){ s.p + 1, s.n - 2 };
	return s;
}

/* 1, or 2 when the record has no length. */
static int read_fields(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str rest = lu_buf_slice(&rec->head), line, v, length = { 0 };

	while (lu_take_line(&rest, &line)) {
		if (lu_take_field(line, "WARC-Type", &v))
			rec->type = v;
		else if (lu_take_field(line, "WARC-Record-ID", &v))
			rec->id = v;
		else if (lu_take_field(line, "WARC-Target-URI", &v))
			rec->url = v;
		else if (lu_take_field(line, "WARC-Date", &v))
			rec->date = v;
		else if (lu_take_field(line, "Content-Type", &v))
			rec->content_type = v;
		else if (lu_take_field(line, "WARC-Truncated", &v))
			rec->truncated = v;
		else if (lu_take_field(line, "Content-Length", &v))
			length = v;
	}
	/* <urn:uuid:X> is X; WARC/1.0 writers put the URI in angle brackets as well. */
	rec->id = without(rec->id, '<', '>');
	if (rec->id.n > 9 && strncasecmp(rec->id.p, "urn:uuid:", 9) == 0)
		rec->id = (struct lu_str){ rec->id.p + 9, rec->id.n - 9 };
	rec->url = without(rec->url, '<', '>');
	return to_u64(length, &rec->length)
			? 1
			: wrong(f, "record without a valid Content-Length", err);
}

/* Read rec->length bytes into rec->body, or past them when they are too many. In steps: a false
 * length must not allocate more than the file has bytes. 1; 2: there are fewer; -1. */
static int read_body(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	uint64_t left = rec->length;
	char block[4096];

	while (left > 0) {
		size_t most = rec->too_large ? sizeof(block) : (size_t)1 << 20;
		size_t step = left < most ? (size_t)left : most;
		ssize_t got;

		if (!rec->too_large && !lu_buf_reserve(&rec->body, step))
			return lu_err_nomem(err);
		got = lu_feed_read(
				f, rec->too_large ? block : rec->body.p + rec->body.n, step, err);
		if (got < 0)
			return -1;
		if (!rec->too_large) {
			rec->body.n += (size_t)got;
			rec->body.p[rec->body.n] = '\0';
		}
		left -= (uint64_t)got;
		if ((size_t)got < step)
			return ends(f, rec, "ends inside a record", err);
	}
	return 1;
}

/* Pass the line ends that close a record: two, but some files lack one, and the length may include
 * them. 1; 2: no record follows; -1. */
static int close_record(struct lu_feed *f, struct lu_err *err)
{
	struct lu_str next;

	for (;;) {
		size_t n;

		if (lu_feed_peek(f, START_SIZE, &next, err) < 0)
			return -1;
		for (n = 0; n < next.n && next.p[n] && strchr(" \t\r\n", next.p[n]); n++)
			;
		lu_feed_skip(f, n);
		if (next.n == 0 || lu_feed_stopped(f) || (n == 0 && version_line(next.p, next.n)))
			return 1;
		if (n == 0)
			return wrong(f, "record does not end at its Content-Length", err);
	}
}

/* Go to the next record: the next line that begins one, from the end of the wrong record's body on
 * unless that is a compressed member of its own, or the next such member. */
static int resync(struct lu_feed *f, const struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str next = tail(rec);
	const char *p;

	if (!rec->member && next.n)
		lu_feed_unread(f, next.p, next.n);
	if (lu_feed_peek(f, START_SIZE, &next, err) < 0)
		return -1;
	while (next.n && !is_start(next.p, next.n)) {
		if (lu_feed_peek(f, LU_FEED_AHEAD, &next, err) < 0)
			return -1;
		p = find_start(next);
		if (p)
			lu_feed_skip(f, (size_t)(p - next.p));
		else /* a start may be cut by the end of the window */
			lu_feed_skip(f, next.n < LU_FEED_AHEAD ? next.n : next.n - START_SIZE);
		if (lu_feed_peek(f, START_SIZE, &next, err) < 0)
			return -1;
	}
	return 0;
}

int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec, struct lu_err *err)
{
	int rc;

	lu_buf_clear(&rec->head);
	lu_buf_clear(&rec->body);
	*rec = (struct lu_warc){ .head = rec->head, .body = rec->body };
	rc = read_head(f, rec, err);
	if (rc == 1)
		rc = read_fields(f, rec, err);
	if (rc == 1) {
		rec->too_large = rec->length > limit;
		rc = read_body(f, rec, err);
	}
	if (rc == 1)
		rc = close_record(f, err);
	if (rc == 2 && resync(f, rec, err) < 0)
		return -1;
	return rc;
}

void lu_warc_release(struct lu_warc *rec)
{
	lu_buf_release(&rec->head);
	lu_buf_release(&rec->body);
}
