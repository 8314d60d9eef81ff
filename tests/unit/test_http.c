/* import/http.h: what encoders wrote comes back, cut bodies as far as they go, and bodies that are
 * something else than their fields say are taken as they are. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/import/http.h"
#include "libcommon/import/http_content.h"

static const struct {
	const char *name;
	enum unit_coding coding;
} codings[] = { { "gzip", UNIT_GZIP }, { "X-Gzip", UNIT_GZIP }, { "deflate", UNIT_ZLIB },
	{ "deflate", UNIT_DEFLATE }, { "br", UNIT_BROTLI }, { "zstd", UNIT_ZSTD } };
#define CODINGS (sizeof(codings) / sizeof(codings[0]))

/* A page that no coding makes too short to be cut. */
static struct lu_buf page(void)
{
	struct lu_buf b = { 0 };
	uint64_t r = 9;

	lu_buf_puts(&b, "<!doctype html><p>");
	for (int i = 0; i < 300; i++)
		lu_buf_printf(&b, "\xC3\xA9t\xC3\xA9 %" PRIx64 " ", unit_random(&r));
	return b;
}

/* The content of a response with these fields and this body; *reason, and whether it is cut. */
static struct lu_buf get(const char *fields, struct lu_str body, const char **reason, bool *cut)
{
	struct lu_buf message = { 0 }, out = { 0 };
	struct lu_http http;

	lu_buf_printf(&message, "HTTP/1.1 200 OK\r\n%s\r\n", fields);
	lu_buf_str(&message, body);
	*reason = lu_http_body(lu_buf_slice(&message), 1 << 20, &http, &out);
	*cut = http.cut;
	assert_int_equal(http.status, 200);
	assert_true(lu_buf_ok(&out));
	lu_buf_release(&message);
	return out;
}

static void expect(const char *fields, struct lu_str body, struct lu_str want, bool cut)
{
	const char *reason;
	bool got_cut;
	struct lu_buf got = get(fields, body, &reason, &got_cut);

	if (reason)
		fail_msg("%s: %s", fields, reason);
	if (!lu_str_eq(lu_buf_slice(&got), want))
		fail_msg("%s: %zu bytes in place of %zu", fields, got.n, want.n);
	assert_int_equal(got_cut, cut);
	lu_buf_release(&got);
}

static void refuse(const char *fields, struct lu_str body, const char *want)
{
	const char *reason;
	bool cut;
	struct lu_buf got = get(fields, body, &reason, &cut);

	assert_non_null(reason);
	assert_string_equal(reason, want);
	lu_buf_release(&got);
}

static const char *coding_field(const char *names)
{
	static char field[100];

	snprintf(field, sizeof(field), "Content-Encoding: %s\r\n", names);
	return field;
}

static void whole(void **state)
{
	struct lu_buf html = page();
	const struct lu_str text = lu_buf_slice(&html);

	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		const char *field = coding_field(codings[i].name);
		struct lu_buf body = { 0 };

		encode(&body, codings[i].coding, html.p, html.n);
		expect(field, lu_buf_slice(&body), text, false);
		/* A length is that of the coded body. */
		expect("Content-Encoding: gzip\r\nContent-Length: 9999\r\n", text, text, false);
		/* Browsers ignore what follows. */
		lu_buf_puts(&body, "\r\n");
		expect(field, lu_buf_slice(&body), text, false);
		lu_buf_puts(&body, "more\xFF");
		expect(field, lu_buf_slice(&body), text, false);
		/* The body is decoded already. */
		expect(field, text, text, false);
		expect(field, LU_STR("plain text"), LU_STR("plain text"), false);
		expect(field, LU_STR("  \n<p>caf\xE9"), LU_STR("  \n<p>caf\xE9"), false);
		expect(field, LU_STR(""), LU_STR(""), false);
		lu_buf_release(&body);
	}
	lu_buf_release(&html);
}

/* Cut after any byte: a beginning of the page, and nearly all that there is in it. */
static void cut_anywhere(void **state)
{
	struct lu_buf html = page();

	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		const char *field = coding_field(codings[i].name);
		struct lu_buf body = { 0 };
		size_t most = 0;

		encode(&body, codings[i].coding, html.p, html.n);
		for (size_t n = 12; n < body.n; n += 5) {
			const char *reason;
			bool cut;
			struct lu_buf got = get(field, (struct lu_str){ body.p, n }, &reason, &cut);

			if (reason)
				fail_msg("%s cut at %zu: %s", field, n, reason);
			assert_true(cut);
			assert_true(got.n >= most && got.n <= html.n);
			assert_memory_equal(got.p ? got.p : "", html.p, got.n);
			most = got.n;
			lu_buf_release(&got);
		}
		/* zstd gives whole blocks; this page is one. */
		assert_true(codings[i].coding == UNIT_ZSTD || most > html.n - 200);
		lu_buf_release(&body);
	}
	lu_buf_release(&html);
}

static void damaged(void **state)
{
	struct lu_buf html = page();

	(void)state;
	for (size_t i = 0; i < CODINGS; i++) {
		struct lu_buf body = { 0 };

		encode(&body, codings[i].coding, html.p, html.n);
		/* A checksum that is wrong; brotli and raw deflate have none. */
		if (codings[i].coding != UNIT_BROTLI && codings[i].coding != UNIT_DEFLATE) {
			body.p[body.n - 1] ^= 1;
			refuse(coding_field(codings[i].name), lu_buf_slice(&body),
					"damaged content");
		}
		lu_buf_release(&body);
	}
	refuse("Content-Encoding: br\r\n", LU_STR("\xFF\xFE\xFD\x80 is nothing"),
			"damaged content");
	refuse("Content-Encoding: deflate\r\n", LU_STR("\xFF\xFE\xFD\x80 is nothing"),
			"damaged content");
	refuse("Content-Encoding: compress\r\n", LU_STR("\x1F\x9D\x90\x80"), "content coding");
	refuse("Content-Encoding: dcb\r\n", LU_STR("\xFF\x44\x43\x42\x80"), "content coding");
	refuse("Content-Encoding: a,b,c,d,e,f,g,h,i\r\n", LU_STR("text"), "content coding");
	lu_buf_release(&html);
}

/* Names that are no codings, wrong names, and several in a row. */
static void names(void **state)
{
	struct lu_buf html = page(), gzip = { 0 }, both = { 0 }, three = { 0 };
	const struct lu_str text = lu_buf_slice(&html);

	(void)state;
	encode(&gzip, UNIT_GZIP, html.p, html.n);
	encode(&both, UNIT_BROTLI, gzip.p, gzip.n);
	encode(&three, UNIT_DEFLATE, both.p, both.n);
	expect("Content-Encoding: UTF-8\r\n", text, text, false);
	expect("Content-Encoding: none, identity\r\n", text, text, false);
	expect("Content-Encoding: UTF-8\r\n", lu_buf_slice(&gzip), text, false);
	expect("Content-Encoding: br\r\n", lu_buf_slice(&gzip), text, false);
	expect("Content-Encoding: gzip, br\r\n", lu_buf_slice(&both), text, false);
	expect("Content-Encoding: gzip ,identity\r\ncontent-encoding: BR\r\n", lu_buf_slice(&both),
			text, false);
	expect("Content-Encoding: gzip,br,deflate\r\n", lu_buf_slice(&three), text, false);
	/* One of them is undone already. */
	expect("Content-Encoding: gzip, br\r\n", lu_buf_slice(&gzip), text, false);
	/* A coding of the transfer comes last. */
	expect("Content-Encoding: gzip\r\nTransfer-Encoding: br\r\n", lu_buf_slice(&both), text,
			false);
	/* Two members; behind the second, or in it, something else. */
	encode(&gzip, UNIT_GZIP, "and more", 8);
	lu_buf_puts(&html, "and more");
	expect("Content-Encoding: gzip\r\n", lu_buf_slice(&gzip), lu_buf_slice(&html), false);
	gzip.p[gzip.n - 5] ^= 1;
	html.n -= 8;
	expect("Content-Encoding: gzip\r\n", lu_buf_slice(&gzip), lu_buf_slice(&html), true);
	lu_buf_release(&html);
	lu_buf_release(&gzip);
	lu_buf_release(&both);
	lu_buf_release(&three);
}

static void bombs(void **state)
{
	struct lu_buf zeros = { 0 };

	(void)state;
	assert_true(lu_buf_reserve(&zeros, 5 << 20));
	memset(zeros.p, 0, 5 << 20);
	for (size_t i = 0; i < CODINGS; i++) {
		struct lu_buf body = { 0 };

		encode(&body, codings[i].coding, zeros.p, 5 << 20);
		refuse(coding_field(codings[i].name), lu_buf_slice(&body), "too large");
		lu_buf_release(&body);
	}
	lu_buf_release(&zeros);
}

static void chunks(void **state)
{
	static const struct {
		const char *body, *want;
		bool cut;
	} t[] = {
		{ "3\r\nabc\r\n0\r\n\r\n", "abc", false },
		{ "3;x=\"y\"\r\nabc\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
				"abc0123456789", false },
		{ "0003\nabc\n1\nd\n00\n", "abcd", false },
		{ "0\r\n\r\n", "", false },
		/* Cut in data, behind it, in a size, before the last. */
		{ "3\r\nabc\r\n5\r\nde", "abcde", true },
		{ "3\r\nabc", "abc", true },
		{ "3\r\nabc\r\n", "abc", true },
		{ "3\r\nabc\r\nA\r\n", "abc", true },
		/* A damaged size, a wrong one. */
		{ "3\r\nabc\r\nzz\r\nde\r\n0\r\n", "abc", true },
		{ "3\r\nabc\r\n1\r\nde\r\n0\r\n", "abcd", true },
		{ "3\r\nabc\r\nfffffffffffffffff\r\nde", "abc", true },
		/* No chunks. */
		{ "<p>text</p>", "<p>text</p>", false },
		{ "bad\r\ncafe\r\n", "cafe\r\n", true }, /* a size of 2989: nothing tells */
		{ "5\r\nthings\r\nto do", "5\r\nthings\r\nto do", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		expect("Transfer-Encoding: chunked\r\n", lu_str_of(t[i].body), lu_str_of(t[i].want),
				t[i].cut);
	}
	/* Not chunked: the length tells. */
	expect("Content-Length: 5\r\n", LU_STR("abcde"), LU_STR("abcde"), false);
	expect("Content-Length: 6\r\n", LU_STR("abcde"), LU_STR("abcde"), true);
	expect("Content-Length: 4\r\n", LU_STR("abcde"), LU_STR("abcde"), false);
	expect("Content-Length: many\r\n", LU_STR("abcde"), LU_STR("abcde"), false);
}

static const char *status(const char *message)
{
	struct lu_buf out = { 0 };
	struct lu_http http;
	const char *reason = lu_http_body(lu_str_of(message), 100, &http, &out);

	lu_buf_release(&out);
	return reason ? reason : "";
}

static void statuses(void **state)
{
	(void)state;
	assert_string_equal(status("HTTP/1.1 200 OK\r\n\r\nx"), "");
	assert_string_equal(status("HTTP/2 200\r\n\r\nx"), "");
	assert_string_equal(status("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"), "");
	assert_string_equal(status("HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 404 No\n\nx"),
			"HTTP status");
	assert_string_equal(status("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP status");
	assert_string_equal(status("HTTP/1.1 404 Not Found\r\n\r\nx"), "HTTP status");
	assert_string_equal(status(""), "no HTTP response");
	assert_string_equal(status("<html>"), "no HTTP response");
}

static void dates(void **state)
{
	static const char *const t[][2] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z" },
		{ "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z" },
		{ "Wednesday, 01-Jan-26 00:00:60 GMT", "2026-01-01T00:00:60Z" },
		{ "Sun, 06 Nov 1994 08:49:37 +0200", NULL },
		{ "Sun, 06 Now 1994 08:49:37 GMT", NULL },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", NULL },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", NULL },
		{ "Sun, 06 Nov 1994 08:49:37", NULL },
		{ "Sun Nov  6 08:49:37 1994 and a lot of other things", NULL },
		{ "1994-11-06T08:49:37Z", NULL },
		{ "-1", NULL },
		{ "", NULL },
	};
	char got[21];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(lu_http_date(lu_str_of(t[i][0]), got), t[i][1] != NULL);
		if (t[i][1])
			assert_string_equal(got, t[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(damaged),
		cmocka_unit_test(names),
		cmocka_unit_test(bombs),
		cmocka_unit_test(chunks),
		cmocka_unit_test(statuses),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
