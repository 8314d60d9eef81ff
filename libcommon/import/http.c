#include "libcommon/import/http.h"

#include <stdio.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/base/take_line.h"
#include "libcommon/import/http_content.h"

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

struct framing {
	struct lu_codings content, transfer;
	struct lu_str length; /* Content-Length; .p NULL: none */
};

/* Take the fields in front of *rest, with the blank line behind them. */
static void take_fields(struct lu_str *rest, struct lu_http *http, struct framing *f)
{
	struct lu_str line, v;

	http->fields = *rest;
	while (lu_take_line(rest, &line) && lu_trim_line(line).n) {
		if (lu_take_field(line, "Content-Type", &v))
			http->content_type = v;
		else if (lu_take_field(line, "Content-Encoding", &v))
			lu_codings_add(&f->content, v);
		else if (lu_take_field(line, "Transfer-Encoding", &v))
			lu_codings_add(&f->transfer, v);
		else if (lu_take_field(line, "Content-Length", &v))
			f->length = v;
		else if (lu_take_field(line, "Date", &v))
			http->date = v;
		else if (lu_take_field(line, "Last-Modified", &v))
			http->modified = v;
	}
	http->fields.n -= rest->n;
}

/* True if the field states more bytes than there are. Where a body is encoded, or was, its length is
 * that of the coded one, which the decoder checks. */
static bool is_short(const struct framing *f, struct lu_str body)
{
	struct lu_err unused;
	uint64_t length;
	char text[24];

	if (!f->length.p || f->length.n >= sizeof(text) || f->content.n || f->transfer.n ||
			f->transfer.chunked)
		return false;
	memcpy(text, f->length.p, f->length.n);
	text[f->length.n] = '\0';
	return lu_num_u64(text, &length, &unused) == 0 && length > body.n;
}

const char *lu_http_body(
		struct lu_str message, uint64_t limit, struct lu_http *http, struct lu_buf *out)
{
	struct lu_str rest = message, line;
	struct lu_buf plain = { 0 };
	const char *reason = NULL;
	struct framing f;

	do {
		*http = (struct lu_http){ 0 };
		f = (struct framing){ 0 };
		lu_take_line(&rest, &line);
		http->status = status_of(line);
		if (http->status == 0)
			return "no HTTP response";
		take_fields(&rest, http, &f);
	} while (http->status < 200 && rest.n);
	if (http->status != 200)
		return "HTTP status";
	http->cut = is_short(&f, rest);
	if (f.transfer.chunked && lu_unchunk(rest, &plain, &http->cut))
		rest = lu_buf_slice(&plain);
	out->failed = out->failed || !lu_buf_ok(&plain);
	/* Codings of the transfer came last. */
	for (unsigned i = 0; i < f.transfer.n; i++)
		lu_codings_add(&f.content, f.transfer.name[i]);
	reason = lu_codings_undo(&f.content, rest, limit, out, &http->cut);
	lu_buf_release(&plain);
	return reason;
}

/* --- dates --------------------------------------------------------------------------------- */

static bool digits(const char *p, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*out = *out * 10 + p[i] - '0';
	}
	return true;
}

static int month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncasecmp(p, names + 3 * i, 3) == 0)
			return i + 1;
	}
	return 0;
}

/* "08:49:37" */
static bool clock_of(const char *p, int *h, int *m, int *s)
{
	return p[2] == ':' && p[5] == ':' && digits(p, 2, h) && digits(p + 3, 2, m) &&
			digits(p + 6, 2, s) && *h < 24 && *m < 60 && *s <= 60;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or "Sun Nov  6 08:49:37 1994". */
bool lu_http_date(struct lu_str value, char out[21])
{
	char text[48] = "", iso[96], *p = text;
	int year, month, day, h, m, s;
	bool ok;

	if (value.n < 24 || value.n >= sizeof(text) - 1)
		return false;
	memcpy(text, value.p, value.n);
	while (*p && *p != ',' && *p != ' ')
		p++;
	if (p[0] == ',' && p[1] == ' ' && strlen(p) >= 24) {
		bool shorter = p[4] == '-';
		const char *time = p + (shorter ? 12 : 14);

		p += 2;
		month = month_of(p + 3);
		ok = (strcmp(time + 8, " GMT") == 0 || strcmp(time + 8, " UTC") == 0) &&
				digits(p, 2, &day) && digits(p + 7, shorter ? 2 : 4, &year) &&
				clock_of(time, &h, &m, &s) && time[-1] == ' ';
		if (ok && shorter)
			year += year < 70 ? 2000 : 1900;
	} else if (p - text == 3 && strlen(p) == 21) {
		p++;
		month = month_of(p);
		if (p[4] == ' ')
			p[4] = '0';
		ok = digits(p + 4, 2, &day) && clock_of(p + 7, &h, &m, &s) &&
				digits(p + 16, 4, &year);
	} else {
		return false;
	}
	if (!ok || month == 0 || day < 1 || day > 31)
		return false;
	/* The compiler cannot know that no number is longer. */
	snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, h, m, s);
	memcpy(out, iso, 21);
	return true;
}
