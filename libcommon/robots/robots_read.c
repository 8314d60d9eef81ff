#include "libcommon/robots/robots_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "libcommon/base/take_line.h"
#include "libcommon/import/http.h"
#include "libcommon/import/warc.h"
#include "libcommon/io/json.h"

/* A robots.txt file is read up to 500 KiB; a response may hold more, and JSON escapes take room. */
#define RESPONSE_LIMIT ((uint64_t)16 << 20)

/* Seconds since 1970 of "2024-07-20T12:34:56Z" (also with a fraction, or the day alone). */
static int64_t date_of(struct lu_str s)
{
	char text[20];
	struct tm tm = { 0 };
	const char *end;

	if (s.n < 10)
		return LU_ROBOTS_UNDATED;
	snprintf(text, sizeof(text), LU_STR_FMT, LU_STR_ARG(s));
	end = strptime(text, s.n < 19 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S", &tm);
	return end ? (int64_t)timegm(&tm) : LU_ROBOTS_UNDATED;
}

/* --- web archives -------------------------------------------------------------------------- */

/* Set the status and the Location of an HTTP response, and its content if it has one. False if it is
 * none, or damaged. */
static bool open_response(
		struct lu_robots *r, const struct lu_warc *rec, struct lu_robots_fetched *f)
{
	struct lu_str rest = lu_buf_slice(&rec->body), line;
	struct lu_http http;
	const char *reason;

	lu_buf_clear(&r->content);
	reason = lu_http_body(rest, RESPONSE_LIMIT, &http, &r->content);
	f->status = http.status;
	f->text = lu_buf_slice(&r->content);
	if (http.status == 0)
		return false;
	if (http.status / 100 == 2)
		return http.status != 200 || !reason;
	lu_take_line(&rest, &line);
	while (lu_take_line(&rest, &line) && lu_trim_line(line).n) {
		if (lu_take_field(line, "Location", &f->location))
			break;
	}
	return true;
}

static int read_warc(struct lu_robots *r, struct lu_feed *feed, struct lu_err *err)
{
	struct lu_warc rec = { 0 };
	int rc;

	lu_feed_stop_at(feed, lu_warc_mark(&rec));
	while ((rc = lu_warc_next(feed, RESPONSE_LIMIT, &rec, err)) > 0) {
		struct lu_robots_fetched f = { .url = rec.url, .date = LU_ROBOTS_UNDATED };

		if (rc == 1 && rec.type.p && !lu_str_is(rec.type, "response"))
			continue;
		if (rc == 2 || rec.too_large || !rec.url.p || !open_response(r, &rec, &f)) {
			r->passed_over++;
			continue;
		}
		/* Some write it in angle brackets. */
		if (f.url.n > 2 && *f.url.p == '<')
			f.url.p++, f.url.n -= 2;
		if (rec.date.p)
			f.date = date_of(rec.date);
		if (lu_robots_add(r, &f, err) < 0 || lu_buf_check(&r->content, err) < 0) {
			rc = -1;
			break;
		}
	}
	lu_warc_release(&rec);
	return rc;
}

/* --- JSON Lines ---------------------------------------------------------------------------- */

/* Replace `line` by the next line, which may be longer than the feed looks ahead. 1; 0 at the end;
 * 2: longer than the limit; -1. */
static int next_line(struct lu_feed *feed, struct lu_buf *line, struct lu_err *err)
{
	lu_buf_clear(line);
	while (line->n <= RESPONSE_LIMIT) {
		struct lu_str ahead;
		const char *nl;

		if (lu_feed_peek(feed, LU_FEED_AHEAD, &ahead, err) < 0)
			return -1;
		if (ahead.n == 0)
			return line->n > 0;
		nl = memchr(ahead.p, '\n', ahead.n);
		if (nl)
			ahead.n = (size_t)(nl - ahead.p);
		lu_buf_str(line, ahead);
		if (lu_buf_check(line, err) < 0)
			return -1;
		lu_feed_skip(feed, ahead.n + (nl ? 1 : 0));
		if (nl)
			return 1;
	}
	return 2;
}

/* The member `key`, .n 0 if it is absent or null. */
static int string_of(const struct lu_json_obj *obj, const char *key, struct lu_arena *arena,
		struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	*out = LU_STR("");
	if (!m || m->type == LU_JSON_NULL)
		return 0;
	if (m->type != LU_JSON_STRING)
		return lu_err_set(err, "\"%s\" is no string", key);
	return lu_json_decode(m->value, arena, out) < 0 ? lu_err_nomem(err) : 0;
}

static int read_record(
		struct lu_robots *r, struct lu_str line, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_robots_fetched f = { .status = 200 };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str date;
	uint64_t status;

	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	if (string_of(&obj, "url", arena, &f.url, err) < 0 ||
			string_of(&obj, "text", arena, &f.text, err) < 0 ||
			string_of(&obj, "location", arena, &f.location, err) < 0 ||
			string_of(&obj, "date", arena, &date, err) < 0)
		return -1;
	if (f.url.n == 0)
		return lu_err_set(err, "no \"url\": not a robots.txt response");
	m = lu_json_get(&obj, "status");
	if (m && m->type != LU_JSON_NULL) {
		if (!lu_json_u64(m, &status) || status < 100 || status > 599)
			return lu_err_set(err, "\"status\" is no status of HTTP");
		f.status = (int)status;
	}
	f.date = date_of(date);
	return lu_robots_add(r, &f, err);
}

static int read_lines(
		struct lu_robots *r, struct lu_feed *feed, const char *path, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_buf line = { 0 };
	struct lu_err why = { 0 };
	uint64_t number = 0;
	int rc;

	while ((rc = next_line(feed, &line, err)) > 0) {
		number++;
		if (rc == 2)
			rc = lu_err_set(&why, "longer than %" PRIu64 " bytes", RESPONSE_LIMIT);
		else if (lu_str_only(lu_buf_slice(&line), " \t\r"))
			continue;
		else
			rc = read_record(r, lu_buf_slice(&line), &arena, &why);
		if (rc < 0) {
			lu_err_set(err, "%s:%" PRIu64 ": %s", path, number, why.msg);
			break;
		}
		lu_arena_reset(&arena);
	}
	lu_arena_release(&arena);
	lu_buf_release(&line);
	return rc;
}

int lu_robots_read_all(const struct lu_robots *r, struct lu_err *err)
{
	if (r->named)
		return 0;
	return lu_err_set(err,
			"--robots: no usable response for a /robots.txt in the files; "
			"pages of a crawl are read by lucie-import");
}

int lu_robots_read(struct lu_robots *r, const char *path, struct lu_err *err)
{
	uint64_t before = r->read + r->passed_over;
	struct lu_feed *feed;
	struct lu_str head;
	struct stat st;
	int rc = -1;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return lu_err_set(err, "%s: a folder; give its files, each with --robots", path);
	if (lu_feed_open(&feed, path, err) < 0)
		return -1;
	if (lu_feed_peek(feed, 64, &head, err) < 0)
		goto out;
	rc = lu_warc_looks(head) ? read_warc(r, feed, err) : read_lines(r, feed, path, err);
	if (rc == 0 && r->read + r->passed_over == before)
		rc = lu_err_set(err, "%s: no robots.txt responses", path);
out:
	lu_feed_close(feed);
	return rc;
}
