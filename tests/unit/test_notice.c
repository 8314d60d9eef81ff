/* html/notice.h: which signals are taken from fields and pages, with their place and value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/html/html.h"

/* Signals of the fields, as they are written. */
static void expect_fields(const char *fields, const char *want)
{
	struct lu_notice n = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err;

	lu_notice_http(&n, lu_str_of(fields));
	assert_int_equal(lu_notice_check(&n, &err), 0);
	lu_json_open_object(&out, NULL);
	if (n.license.n)
		lu_json_put_str(&out, "license", lu_buf_slice(&n.license));
	lu_notice_write(&n, &out);
	lu_json_close_object(&out);
	assert_string_equal(out.p, want);
	lu_buf_release(&out);
	lu_notice_release(&n);
}

static void expect_page(const char *page, const char *want)
{
	struct lu_buf title = { 0 }, text = { 0 }, out = { 0 };
	struct lu_notice n = { 0 };
	struct lu_err err;

	assert_int_equal(lu_html_text(lu_str_of(page), true, &title, &n, &text, &err), 0);
	lu_json_open_object(&out, NULL);
	if (n.license.n)
		lu_json_put_str(&out, "license", lu_buf_slice(&n.license));
	lu_notice_write(&n, &out);
	lu_json_close_object(&out);
	assert_string_equal(out.p, want);
	lu_buf_release(&title);
	lu_buf_release(&text);
	lu_buf_release(&out);
	lu_notice_release(&n);
}

static void robots(void **state)
{
	(void)state;
	expect_fields("X-Robots-Tag: noindex, NoAI\r\n",
			"{\"optout\":[\"noai\"],\"signals\":{\"noindex\":[\"header x-robots-tag\"],"
			"\"noai\":[\"header x-robots-tag\"]}}");
	/* A robot holds up to the next one, in its field. */
	expect_fields("x-robots-tag: GoogleBot: noai, nosnippet, otherbot: none\nX-Robots-Tag: "
		      "noarchive",
			"{\"optout\":[\"noai\"],\"signals\":{"
			"\"noai\":[\"header x-robots-tag googlebot\"],"
			"\"nosnippet\":[\"header x-robots-tag googlebot\"],"
			"\"none\":[\"header x-robots-tag otherbot\"],"
			"\"noarchive\":[\"header x-robots-tag\"]}}");
	/* A date with commas and colons, limits, and what says nothing of the use. */
	expect_fields("X-Robots-Tag: unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT, noml\r\n"
		      "X-Robots-Tag: max-snippet: 20, index, nofollow, notranslate, noaim\r\n",
			"{\"optout\":[\"noml\"],\"signals\":{\"noml\":[\"header x-robots-tag\"]}}");
	/* Twice at one place is once; at two places, both. */
	expect_page("<meta name=robots content='noai,noai'><meta name=CCBot content=' NOAI '>"
		    "<meta name='Google-Extended' content='disallowaitraining noai'>",
			"{\"optout\":[\"noai\",\"disallowaitraining\"],\"signals\":{"
			"\"noai\":[\"meta robots\",\"meta ccbot\",\"meta google-extended\"],"
			"\"disallowaitraining\":[\"meta google-extended\"]}}");
	expect_page("<meta name=description content=noai><meta name=robots><meta content=noai>",
			"{}");
}

static void reservations(void **state)
{
	(void)state;
	expect_fields("TDM-Reservation: 1\r\nTDM-Policy: https://example.org/p.json\r\n",
			"{\"optout\":[\"tdm-reservation\"],"
			"\"signals\":{\"tdm-reservation=1\":[\"header tdm-reservation\"]},"
			"\"tdm_policy\":\"https://example.org/p.json\"}");
	expect_fields("tdm-reservation: 0\r\n",
			"{\"signals\":{\"tdm-reservation=0\":[\"header tdm-reservation\"]}}");
	expect_fields("TDM-Reservation: 2\r\nTDM-Reservation: yes\r\nTDM-Policy:\r\n", "{}");
	expect_page("<meta name='TDM-reservation' content=1>",
			"{\"optout\":[\"tdm-reservation\"],"
			"\"signals\":{\"tdm-reservation=1\":[\"meta tdm-reservation\"]}}");
}

static void preferences(void **state)
{
	(void)state;
	expect_fields("Content-Signal: search=yes, ai-train=no,AI-Input = No\r\n",
			"{\"optout\":[\"ai-train=no\"],\"signals\":{"
			"\"search=yes\":[\"header content-signal\"],"
			"\"ai-train=no\":[\"header content-signal\"],"
			"\"ai-input=no\":[\"header content-signal\"]}}");
	expect_fields("Content-Usage: train-ai=n;x=1, search=y\r\nContent-Usage: bots\r\n",
			"{\"optout\":[\"train-ai=n\"],\"signals\":{"
			"\"train-ai=n\":[\"header content-usage\"],"
			"\"search=y\":[\"header content-usage\"]}}");
	expect_fields("Content-Signal: ai-train=yes\r\nContent-Usage: train-ai=y\r\n",
			"{\"signals\":{\"ai-train=yes\":[\"header content-signal\"],"
			"\"train-ai=y\":[\"header content-usage\"]}}");
	expect_fields("Content-Signal: =no, ai-train=, \"x\"=1, a b=c, =\r\nContent-Signal\r\n",
			"{}");
}

static void licenses(void **state)
{
	(void)state;
	expect_fields("Link: <https://a.org/l>; rel=\"license\"; type=\"text/html\"\r\n",
			"{\"license\":\"https://a.org/l\"}");
	expect_fields("Link: </x>; rel=next, <https://a.org/l,m>; title=\"a, b; rel=x\"; "
		      "rel=\"next "
		      "LICENSE\", </n>; rel=license\r\n",
			"{\"license\":\"https://a.org/l,m\"}");
	expect_fields("Link: <https://a.org/l; rel=license\r\nLink: <a>; title=\"rel=license\"\r\n",
			"{}");
	expect_page("<p>Text, <a rel='nofollow license' "
		    "href='https://creativecommons.org/licenses/by/4.0/'>CC"
		    "</a><link rel=license href=second>",
			"{\"license\":\"https://creativecommons.org/licenses/by/4.0/\"}");
	expect_page("<a rel=licensed href=x>x</a><a rel=license>none</a>", "{}");
}

/* Any number of signals takes bounded memory. */
static void many(void **state)
{
	struct lu_buf fields = { 0 }, out = { 0 };
	struct lu_notice n = { 0 };
	struct lu_err err;

	(void)state;
	for (int i = 0; i < 20000; i++)
		lu_buf_printf(&fields, "X-Robots-Tag: bot%d: noai\r\nContent-Signal: a%d=no\r\n", i,
				i);
	lu_notice_http(&n, lu_buf_slice(&fields));
	assert_int_equal(lu_notice_check(&n, &err), 0);
	lu_notice_write(&n, &out);
	assert_true(out.n < 10000);
	lu_notice_release(&n);
	lu_buf_release(&fields);
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(robots),
		cmocka_unit_test(reservations),
		cmocka_unit_test(preferences),
		cmocka_unit_test(licenses),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
