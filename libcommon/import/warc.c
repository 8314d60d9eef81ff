#include "libcommon/import/warc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "libcommon/base/num.h"
#include "libcommon/base/take_line.h"
#include "libcommon/import/arc.h"

/* Longer than "WARC/1.1", a line end and the beginning of a field. */
#define WARC_START ((size_t)32)
/* A line of ARC has a URL in it. */
#define ARC_START ((size_t)8 << 10)
/* Most line ends and zeros between records; a length that led into a desert is wrong. */
#define FILLED ((size_t)64 << 10)
/* Bytes that may be read a second time, besides as many as were read a first. Then no length that
 * leads past the beginning of a record is trusted any more: each could cost as much as the file. */
#define AGAIN_FREE ((uint64_t)256 << 20)

/* --- where records begin ------------------------------------------------------------------- */

/* The length of the first line of a record, "WARC/1.1" and a line end, at p; 0: there is none. */
static size_t version_line(const char *p, size_t n)
{
	size_t i = 7;

	if (n < 10 || memcmp(p, "WARC/", 5) != 0 || !isdigit((unsigned char)p[5]) || p[6] != '.')
		return 0;
	while (i < n && i < 10 && isdigit((unsigned char)p[i]))
		i++;
	if (i == 7 || i + 1 >= n)
		return 0;
	return p[i] == '\n' ? i + 1 : p[i] == '\r' && p[i + 1] == '\n' ? i + 2 : 0;
}

/* True if a record begins here, with a field that only records have first. */
static bool is_warc_start(const char *p, size_t n)
{
	static const char type[] = "WARC-", length[] = "Content-";
	size_t i = version_line(p, n);

	return i && n > i + sizeof(length) &&
			(strncasecmp(p + i, type, sizeof(type) - 1) == 0 ||
					strncasecmp(p + i, length, sizeof(length) - 1) == 0);
}

static bool is_arc_start(const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n < ARC_START ? n : ARC_START);
	struct lu_arc_line line;

	return nl && lu_arc_line((struct lu_str){ p, (size_t)(nl - p) }, &line);
}

static bool is_start(const struct lu_warc *rec, const char *p, size_t n)
{
	return rec->arc ? is_arc_start(p, n) : is_warc_start(p, n);
}

static size_t start_size(const struct lu_warc *rec)
{
	return rec->arc ? ARC_START : WARC_START;
}

/* The first record that begins at a line of `s`, NULL: none. `at_line`: it begins with a line. */
static const char *find_start(const struct lu_warc *rec, struct lu_str s, bool at_line)
{
	const char *p = s.p, *end = s.p + s.n;

	if (at_line && s.n && is_start(rec, p, s.n))
		return p;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (is_start(rec, p, (size_t)(end - p)))
			return p;
	}
	return NULL;
}

static struct lu_str without_line_ends(struct lu_str s)
{
	while (s.n && s.p[0] && strchr("\r\n", s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool lu_warc_looks(struct lu_str head)
{
	head = without_line_ends(head);
	return head.n > 5 && memcmp(head.p, "WARC/", 5) == 0;
}

static bool begins_warc(const char *p, size_t n)
{
	struct lu_str s = without_line_ends((struct lu_str){ p, n });

	return is_warc_start(s.p, s.n);
}

static bool begins_arc(const char *p, size_t n)
{
	struct lu_str s = without_line_ends((struct lu_str){ p, n });

	return is_arc_start(s.p, s.n);
}

lu_feed_mark_fn *lu_warc_mark(const struct lu_warc *rec)
{
	return rec->arc ? begins_arc : begins_warc;
}

/* --- errors -------------------------------------------------------------------------------- */

/* What is wrong at the read position. Returns 2. */
static int wrong(const struct lu_feed *f, const char *what, struct lu_err *err)
{
	lu_err_set(err, "%s: byte %" PRIu64 ": %s", lu_feed_name(f), f->given, what);
	return 2;
}

/* The stream ends here in the midst of a record, or is damaged. Returns 2. */
static int ends(const struct lu_feed *f, const char *where, struct lu_err *err)
{
	if (!lu_feed_broken(f))
		return wrong(f, where, err);
	*err = f->why;
	return 2;
}

/* --- the head ------------------------------------------------------------------------------ */

static int read_warc_fields(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_buf again = { 0 };
	struct lu_str line;

	for (;;) {
		int rc = lu_feed_line(f, &line, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			return ends(f, "ends inside a record's fields", err);
		if (rc == 1 && lu_trim_line(line).n == 0)
			break;
		if (rc == 1 && version_line(line.p, line.n)) {
			lu_buf_str(&again, line);
			rc = lu_feed_take_back(f, &again, 0, err);
			lu_buf_release(&again);
			return rc < 0 ? -1 : wrong(f, "fields without an end", err);
		}
		if (rc == 1)
			lu_buf_str(&rec->head, line);
		if (rc == 2 || rec->head.n > LU_FEED_AHEAD)
			return wrong(f, "fields of more than 64 KiB", err);
	}
	return lu_buf_check(&rec->head, err) < 0 ? -1 : 1;
}

/* Copy the fields of the next record into rec->head. 1; 0 at the end; 2: there is none; -1. */
static int read_head(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_str line;
	int rc;

	do {
		lu_feed_resume(f);
		rc = lu_feed_line(f, &line, err);
	} while ((rc == 1 && lu_trim_line(line).n == 0) || (rc == 0 && lu_feed_stopped(f)));
	if (rc == 0 && lu_feed_broken(f))
		return ends(f, "", err);
	if (rc <= 0)
		return rc;
	if (rc == 1 && rec->arc && is_arc_start(line.p, line.n)) {
		lu_buf_str(&rec->head, line);
		return lu_buf_check(&rec->head, err) < 0 ? -1 : 1;
	}
	if (rc == 2 || rec->arc || line.n < 6 || memcmp(line.p, "WARC/", 5) != 0)
		return wrong(f,
				rec->arc ? "no ARC record where one should begin"
					 : "no WARC record where one should begin",
				err);
	return read_warc_fields(f, rec, err);
}

/* Without the pair of characters around it. */
static struct lu_str without(struct lu_str s, char first, char last)
{
	if (s.n > 2 && s.p[0] == first && s.p[s.n - 1] == last)
		s = (struct lu_str){ s.p + 1, s.n - 2 };
	return s;
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

/* False when the record has no valid length. */
static bool take_warc_fields(struct lu_warc *rec)
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
	return to_u64(length, &rec->length);
}

static bool take_arc_fields(struct lu_warc *rec)
{
	struct lu_arc_line line;

	lu_arc_line(lu_buf_slice(&rec->head), &line);
	rec->url = line.url;
	rec->content_type = line.type;
	memcpy(rec->iso, line.date, sizeof(rec->iso));
	if (rec->iso[0])
		rec->date = lu_str_of(rec->iso);
	rec->length = line.length;
	rec->type = lu_arc_looks(line.url) ? LU_STR("filedesc") : LU_STR("resource");
	return true;
}

/* What was fetched over HTTP is a response; its Content-Type is in it. */
static void type_arc(struct lu_warc *rec)
{
	if (rec->arc && rec->body.n > 5 && memcmp(rec->body.p, "HTTP/", 5) == 0) {
		rec->type = LU_STR("response");
		rec->content_type = LU_STR("application/http");
	}
}

/* --- the body ------------------------------------------------------------------------------ */

/* Bodies are read in steps: a false length must not allocate more than the file has bytes. */
enum reached {
	ALL = 1,     /* the bytes asked for */
	NEXT = 2,    /* the beginning of a record */
	THE_END = 3, /* the end of the stream, a stop, or damage */
};

/* Add what was read to the body, and let it go when it is more than the limit. */
static int keep(struct lu_warc *rec, uint64_t limit, const char *p, size_t n, struct lu_err *err)
{
	rec->length += n;
	if (rec->length > limit) {
		rec->too_large = true;
		lu_buf_clear(&rec->body);
	}
	if (!rec->too_large)
		lu_buf_append(&rec->body, p, n);
	return lu_buf_check(&rec->body, err);
}

/* Read n bytes of body. Returns an enum reached, or -1. */
static int read_bytes(struct lu_feed *f, struct lu_warc *rec, uint64_t n, struct lu_err *err)
{
	while (n > 0) {
		size_t step = n < 1 << 20 ? (size_t)n : (size_t)1 << 20;
		ssize_t got;

		if (!lu_buf_reserve(&rec->body, step))
			return lu_err_nomem(err);
		got = lu_feed_read(f, rec->body.p + rec->body.n, step, err);
		if (got < 0)
			return -1;
		rec->body.n += (size_t)got;
		rec->body.p[rec->body.n] = '\0';
		rec->length += (uint64_t)got;
		n -= (uint64_t)got;
		if ((size_t)got < step)
			return THE_END;
	}
	return ALL;
}

/* Read up to n bytes of body, but not over the beginning of a record. `at_line`: the next byte begins a
 * line. Returns an enum reached, or -1. */
static int read_looking(struct lu_feed *f, struct lu_warc *rec, uint64_t n, bool at_line,
		uint64_t limit, struct lu_err *err)
{
	while (n > 0) {
		struct lu_str next;
		const char *p;
		size_t step;

		if (lu_feed_peek(f, LU_FEED_AHEAD, &next, err) < 0)
			return -1;
		if (next.n == 0)
			return THE_END;
		p = find_start(rec, next, at_line);
		/* A start may be cut by the end of the window. */
		step = p				 ? (size_t)(p - next.p)
				: next.n < LU_FEED_AHEAD ? next.n
							 : next.n - start_size(rec);
		if (p && step < n) {
			if (keep(rec, limit, next.p, step, err) < 0)
				return -1;
			lu_feed_skip(f, step);
			return NEXT;
		}
		step = step < n ? step : (size_t)n;
		at_line = next.p[step - 1] == '\n';
		if (keep(rec, limit, next.p, step, err) < 0)
			return -1;
		lu_feed_skip(f, step);
		n -= step;
	}
	return ALL;
}

/* Pass the line ends that close a record: two, but some files lack one, and the length may include
 * them; and zeros that fill up a block. 1; 2: no record follows; -1. */
static int close_record(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	const size_t body = rec->body.n;
	struct lu_str next;
	size_t passed = 0;

	for (;;) {
		bool end;
		size_t n;

		if (lu_feed_peek(f, start_size(rec), &next, err) < 0)
			return -1;
		for (n = 0; n < next.n && strchr(" \t\r\n", next.p[n]); n++)
			;
		end = next.n == 0 ||
				(n == 0 &&
						(rec->arc ? is_arc_start(next.p, next.n)
							  : version_line(next.p, next.n) > 0));
		/* At damage: the checksum of what was read is wrong. */
		passed += n;
		if (passed > FILLED || (n == 0 && (!end || lu_feed_broken(f))))
			return 2;
		/* In the body as long as it is not sure that it ends before them. */
		if (!rec->too_large && rec->body.n - body < start_size(rec))
			lu_buf_append(&rec->body, next.p, n);
		lu_feed_skip(f, n);
		if (!end && !lu_feed_stopped(f))
			continue;
		rec->body.n = body;
		if (rec->body.p)
			rec->body.p[body] = '\0';
		return lu_buf_check(&rec->body, err) < 0 ? -1 : 1;
	}
}

/* Cut the line ends that close a record off its body. */
static void cut_line_ends(struct lu_warc *rec)
{
	for (int i = 0; i < (rec->arc ? 1 : 2); i++) {
		if (rec->body.n && rec->body.p[rec->body.n - 1] == '\n')
			rec->body.n--;
		if (rec->body.n && rec->body.p[rec->body.n - 1] == '\r')
			rec->body.n--;
	}
	if (rec->body.p)
		rec->body.p[rec->body.n] = '\0';
	if (!rec->too_large)
		rec->length = rec->body.n;
}

/* Give the body back from offset `from` on. */
static int take_back(struct lu_feed *f, struct lu_warc *rec, size_t from, struct lu_err *err)
{
	rec->again += rec->body.n - from;
	rec->length = from;
	return lu_feed_take_back(f, &rec->body, from, err);
}

/* Read on from a length that led to no record, to where one begins. The length may have led into its
 * first line. Returns an enum reached, or -1. */
static int read_further(struct lu_feed *f, struct lu_warc *rec, uint64_t limit, struct lu_err *err)
{
	size_t n = rec->body.n, from = n > start_size(rec) ? n - start_size(rec) : 0;

	if (n > 0 && take_back(f, rec, from, err) < 0)
		return -1;
	return read_looking(
			f, rec, UINT64_MAX, from == 0 || rec->body.p[from - 1] == '\n', limit, err);
}

/* Find the end of a body whose length is wrong, after `reached`. Returns as lu_warc_next(). */
static int find_end(struct lu_feed *f, struct lu_warc *rec, uint64_t stated, int reached,
		uint64_t limit, struct lu_err *err)
{
	const char *next = reached == NEXT || rec->too_large
			? NULL
			: find_start(rec, lu_buf_slice(&rec->body), true);

	if (next) {
		/* The length led past the beginning of a record. */
		if (take_back(f, rec, (size_t)(next - rec->body.p), err) < 0)
			return -1;
	} else if (reached == ALL) {
		if (read_further(f, rec, limit, err) < 0)
			return -1;
	} else if (reached == THE_END && !lu_feed_stopped(f) && f->marks == 0) {
		/* Members are whole, and so is what is in them; a file may be cut. */
		return ends(f, "ends inside a record", err);
	}
	if (lu_feed_broken(f))
		return ends(f, "", err);
	rec->wrong = true;
	cut_line_ends(rec);
	rec->cut = !rec->too_large && stated > rec->length;
	return 1;
}

/* Read the body, whose length is rec->length or, not `known`, unknown. Returns as lu_warc_next(). */
static int read_body(struct lu_feed *f, struct lu_warc *rec, bool known, uint64_t limit,
		struct lu_err *err)
{
	uint64_t stated = known ? rec->length : 0;
	bool distrust = rec->again > AGAIN_FREE + f->given;
	int reached, rc;

	rec->length = 0;
	if (!known || stated > limit || distrust)
		reached = read_looking(f, rec, known ? stated : UINT64_MAX, true, limit, err);
	else
		reached = read_bytes(f, rec, stated, err);
	if (reached < 0)
		return -1;
	if (known && reached == ALL) {
		rc = close_record(f, rec, err);
		if (rc != 2)
			return rc;
	}
	if (lu_feed_broken(f))
		return ends(f, "", err);
	return find_end(f, rec, stated, known ? reached : NEXT, limit, err);
}

/* Go to the next record behind something that is none. 0; -1. */
static int resync(struct lu_feed *f, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_warc skipped = { .arc = rec->arc, .too_large = true };

	if (lu_feed_broken(f)) {
		int rc = lu_feed_mend(f, err);

		if (rc <= 0)
			return rc;
	}
	return read_looking(f, &skipped, UINT64_MAX, true, 0, err) < 0 ? -1 : 0;
}

int lu_warc_next(struct lu_feed *f, uint64_t limit, struct lu_warc *rec, struct lu_err *err)
{
	struct lu_err ignored;
	bool known;
	int rc;

	lu_buf_clear(&rec->head);
	lu_buf_clear(&rec->body);
	*rec = (struct lu_warc){
		.arc = rec->arc, .head = rec->head, .body = rec->body, .again = rec->again
	};
	rc = read_head(f, rec, err);
	if (rc == 1) {
		known = rec->arc ? take_arc_fields(rec) : take_warc_fields(rec);
		rc = read_body(f, rec, known, limit, err);
	}
	if (rc == 1)
		type_arc(rec);
	if (rc != 2)
		return rc;
	if (resync(f, rec, &ignored) == 0)
		return 2;
	*err = ignored;
	return -1;
}

void lu_warc_release(struct lu_warc *rec)
{
	lu_buf_release(&rec->head);
	lu_buf_release(&rec->body);
}
