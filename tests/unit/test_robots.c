/* robots.txt by RFC 9309: a table of cases, the same question put to a second implementation, and files
 * of many hosts. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/robots/robots.h"
#include "tests/unit/plain_robots.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool allows(struct lu_str text, const char *agent, struct lu_str path)
{
	struct lu_str name = lu_str_of(agent), rule;
	struct lu_buf policy = { 0 }, form = { 0 };
	bool allowed;

	lu_robots_compile(text, &name, 1, &policy);
	lu_robots_path(path, &form);
	assert_true(lu_buf_ok(&policy) && lu_buf_ok(&form));
	allowed = lu_robots_allows(
			lu_robots_rules(lu_buf_slice(&policy), 0), lu_buf_slice(&form), &rule);
	lu_buf_release(&policy);
	lu_buf_release(&form);
	return allowed;
}

/* The section of the standard, or "" for what parsers are known to get wrong; file; agent; paths that
 * are allowed and forbidden, separated by blanks. */
static const struct {
	const char *section, *text, *agent, *yes, *no;
} cases[] = {
	/* Lines, comments, names of records. */
	{ "2.1", "user-agent: A\ndisallow: /x\n", "A", "/ /y /X", "/x /x/y /xy" },
	{ "2.1", "USER-AGENT:A\r\nDISALLOW:/x\r\n", "a", "/y", "/x" },
	{ "2.1", "user-agent: A\rdisallow: /x\r", "A", "/y", "/x" },
	{ "2.1", " \t user-agent \t : \t A \t \n \t disallow : /x \t # y", "A", "/y", "/x" },
	{ "2.1", "user-agent: A # B\ndisallow: /x#y", "A", "/y", "/x /x%23y" },
	{ "2.1", "#user-agent: A\n#disallow: /\n", "A", "/ /x", "" },
	{ "2.1", "\xEF\xBB\xBFuser-agent: A\ndisallow: /x\n", "A", "/y", "/x" },
	{ "", "user-agent: A\ndisallow /x\ndissallow: /y\nuser agent: B\n", "A", "/x /y", "" },
	{ "", "<html><body>Not found</body></html>", "A", "/ /x", "" },
	{ "", "user-agent: A\nnonsense\ndisallow: /x", "A", "/y", "/x" },
	/* Groups. */
	{ "2.2.1", "user-agent: *\ndisallow: /a\n\nuser-agent: A\ndisallow: /b", "A", "/a", "/b" },
	{ "2.2.1", "user-agent: A\ndisallow: /b\n\nuser-agent: *\ndisallow: /a", "B", "/b", "/a" },
	{ "2.2.1",
			"user-agent: A\ndisallow: /a\nuser-agent: B\ndisallow: /b\nuser-agent: a\n"
			"disallow: /c",
			"A", "/b", "/a /c" },
	{ "2.2.1",
			"user-agent: *\ndisallow: /a\nuser-agent: B\ndisallow: /b\nuser-agent: *\n"
			"disallow: /c",
			"A", "/b", "/a /c" },
	{ "2.2.1", "user-agent: A\nuser-agent: B\ndisallow: /x\n", "B", "/y", "/x" },
	{ "2.2.1", "user-agent: A\n\n# and\n\nuser-agent: B\ndisallow: /x\n", "A", "/y", "/x" },
	{ "2.2.1", "disallow: /x\nuser-agent: *\ndisallow: /y", "A", "/x", "/y" },
	{ "2.2.1", "user-agent: A\n\nuser-agent: *\ndisallow: /", "A", "", "/ /x" },
	{ "2.2.1", "user-agent: *\ndisallow: /\nuser-agent: A\n", "A", "/ /x", "" },
	{ "2.2.1", "user-agent: A\ndisallow:\nuser-agent: *\ndisallow: /", "A", "/ /x", "" },
	{ "2.2.1", "user-agent: AB\ndisallow: /", "A", "/", "" },
	{ "2.2.1", "user-agent: A\ndisallow: /", "AB", "/", "" },
	{ "2.2.1", "user-agent: A-B\ndisallow: /", "A", "/", "" },
	{ "2.2.1", "user-agent: a-b_c\ndisallow: /", "A-B_C", "", "/" },
	{ "", "user-agent: A/2.1\ndisallow: /x", "A", "/y", "/x" },
	{ "", "user-agent: A (compatible; x)\ndisallow: /x", "A", "/y", "/x" },
	{ "", "user-agent: AI2Bot\ndisallow: /", "AI2Bot", "", "/" },
	{ "", "user-agent: * bots\ndisallow: /", "A", "", "/" },
	{ "", "user-agent: *A\ndisallow: /", "A", "/", "" },
	{ "", "user-agent:\ndisallow: /", "A", "/", "" },
	{ "2.2.1", "user-agent: A\nuser-agent: *\ndisallow: /x", "*", "/y", "/x" },
	{ "2.2.1", "user-agent: A\ndisallow: /x", "*", "/x", "" },
	{ "5.1",
			"User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: "
			"/publications/\n\n"
			"User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\n"
			"Allow:/example/allowed.gif\n\nUser-Agent: barbot\nUser-Agent: bazbot\n"
			"Disallow: /example/page.html\n\nUser-Agent: quxbot\n\nEOF",
			"foobot", "/example/page.html /example/allowed.gif",
			"/ /x.gif /publications/" },
	/* Matching. */
	{ "2.2.2", "user-agent: *\nallow: /\n", "A", "/ /x", "" },
	{ "2.2.2", "user-agent: *\ndisallow: /\n", "A", "/robots.txt",
			"/ /x /robots.txt?x /robots" },
	{ "2.2.2", "user-agent: *\nallow: /p\ndisallow: /\n", "A", "/page /p", "/ /x" },
	{ "2.2.2", "user-agent: *\ndisallow: /\nallow: /p\n", "A", "/page /p", "/ /x" },
	{ "2.2.2", "user-agent: *\nallow: /folder\ndisallow: /folder\n", "A", "/folder/page", "" },
	{ "2.2.2", "user-agent: *\ndisallow: /folder\nallow: /folder\n", "A", "/folder", "" },
	{ "5.2", "user-agent: *\nallow: /example/page/\ndisallow: /example/page/disallowed.gif",
			"A", "/example/page/ /example/page/x.gif", "/example/page/disallowed.gif" },
	{ "2.2.2", "user-agent: *\nallow: /page\ndisallow: /*.htm\n", "A", "/page",
			"/x.htm /page.htm" },
	{ "2.2.2", "user-agent: *\nallow: /page.\ndisallow: /*.htm\n", "A", "/page.htm", "/x.htm" },
	{ "2.2.2", "user-agent: *\nallow: /$\ndisallow: /\n", "A", "/", "/page.html /?" },
	{ "2.2.2", "user-agent: *\ndisallow: x\ndisallow: /y", "A", "/x x", "/y" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar?baz=quz", "A", "/foo/bar?baz=qux",
			"/foo/bar?baz=quz" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar?baz=http://foo.bar", "A", "/foo/bar?baz=",
			"/foo/bar?baz=http://foo.bar /foo/bar?baz=http%3A%2F%2Ffoo.bar" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar?baz=http%3a%2f%2ffoo.bar", "A", "",
			"/foo/bar?baz=http://foo.bar /foo/bar?baz=http%3A%2F%2Ffoo.bar" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar/\xE3\x83\x84", "A", "/foo/bar/",
			"/foo/bar/\xE3\x83\x84 /foo/bar/%E3%83%84 /foo/bar/%e3%83%84" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar/%E3%83%84", "A", "/foo/bar/%E3%83%85",
			"/foo/bar/\xE3\x83\x84 /foo/bar/%E3%83%84" },
	{ "2.2.2", "user-agent: *\ndisallow: /foo/bar/%62%61%7A", "A", "/foo/bar/",
			"/foo/bar/baz /foo/bar/%62az" },
	{ "2.2.2", "user-agent: *\ndisallow: /%7Ejoe/", "A", "/joe/", "/~joe/ /%7ejoe/index" },
	{ "2.2.2", "user-agent: *\ndisallow: /a%2Fb", "A", "/a/b", "/a%2fb" },
	{ "2.2.2", "user-agent: *\ndisallow: /a/b", "A", "/a%2Fb", "/a/b" },
	{ "2.2.2", "user-agent: *\ndisallow: /x?a=b%26c", "A", "/x?a=b&c", "/x?a=b%26c" },
	{ "2.2.2", "user-agent: *\ndisallow: /a%zz", "A", "/a", "/a%zz /a%25zz" },
	/* Special characters. */
	{ "2.2.3", "user-agent: *\ndisallow: /*.php", "A", "/windows.PHP /php",
			"/index.php /a/b.php?x /x.phpy" },
	{ "2.2.3", "user-agent: *\ndisallow: /*.php$", "A", "/a.php?x /a.php5", "/a.php /b/.php" },
	{ "2.2.3", "user-agent: *\ndisallow: /fish*.php", "A", "/Fish.PHP",
			"/fish.php /fishheads/c.php?p" },
	{ "2.2.3", "user-agent: *\ndisallow: /this/*/exactly", "A", "/this/exactly /this/x/Exactly",
			"/this/x/exactly /this/x/y/exactly /this//exactly" },
	{ "2.2.3", "user-agent: *\ndisallow: *", "A", "", "/ /x" },
	{ "2.2.3", "user-agent: *\ndisallow: *x$", "A", "/ /xy", "/x /yx /xx" },
	{ "2.2.3", "user-agent: *\ndisallow: /a**b", "A", "/a", "/ab /axb" },
	{ "2.2.3", "user-agent: *\ndisallow: /p/file-with-a-%2A.html", "A", "/p/file-with-a-x.html",
			"/p/file-with-a-*.html /p/file-with-a-%2a.html" },
	{ "2.2.3", "user-agent: *\ndisallow: /p/foo-%24", "A", "/p/foo-", "/p/foo-$ /p/foo-$x" },
	{ "2.2.3", "user-agent: *\ndisallow: /a$b", "A", "/a /ab", "/a$b /a%24bc" },
	{ "2.2.3", "user-agent: *\ndisallow: /*/feed/", "A", "/feed/", "/x?y=/feed/ /x/feed/" },
	/* Other records. */
	{ "2.2.4", "user-agent: A\ncrawl-delay: 5\nuser-agent: B\ndisallow: /x", "A", "/y", "/x" },
	{ "2.2.4", "user-agent: A\nSitemap: https://a.fr/s.xml\ndisallow: /x", "A", "/y", "/x" },
	{ "2.2.4", "sitemap: x\nuser-agent: A\nhost: x\ndisallow: /x\nclean-param: y\ndisallow: /z",
			"A", "/y", "/x /z" },
	{ "2.2.4", "user-agent: *\ncontent-signal: ai-train=no\nallow: /", "A", "/", "" },
};

/* Ask for each path of a list; true if all answers are `want`. */
static void ask_all(size_t i, const char *paths, bool want)
{
	while (*paths) {
		size_t n = strcspn(paths, " ");
		struct lu_str path = { paths, n }, text = lu_str_of(cases[i].text);
		bool fast = allows(text, cases[i].agent, path),
		     plain = plain_robots_allows(text, cases[i].agent, path);

		if (fast != want || plain != want)
			fail_msg("case %zu: " LU_STR_FMT ": %d, plain %d", i, LU_STR_ARG(path),
					fast, plain);
		paths += n + (paths[n] != '\0');
	}
}

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		ask_all(i, cases[i].yes, true);
		ask_all(i, cases[i].no, false);
	}
}

/* A rule behind 500 KiB is not read, and one across the border not in part. */
static void long_file(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_buf_puts(&b, "user-agent: *\ndisallow: /first\n");
	while (b.n < LU_ROBOTS_LIMIT - 12)
		lu_buf_puts(&b, "#\n");
	lu_buf_puts(&b, "disallow: /across\ndisallow: /behind\n");
	assert_true(lu_buf_ok(&b));
	assert_false(allows(lu_buf_slice(&b), "A", LU_STR("/first")));
	assert_true(allows(lu_buf_slice(&b), "A", LU_STR("/a")));
	assert_true(allows(lu_buf_slice(&b), "A", LU_STR("/behind")));
	assert_true(plain_robots_allows(lu_buf_slice(&b), "A", LU_STR("/a")));
	lu_buf_release(&b);
}

/* --- a second implementation --------------------------------------------------------------- */

static const char *pick(uint64_t *seed, const char *const *list, size_t n)
{
	return list[unit_random(seed) % n];
}

static void put_random_path(struct lu_buf *b, uint64_t *seed)
{
	static const char *const part[] = { "a", "b", "ab", "A", "/", "/", "?", "=", "&", ":",
		"%61", "%2F", "%2f", "%2A", "*", "$", "%", "%4", "\xC3\xA9", "%C3%A9", "%c3",
		"\x80", "~", "%7E", "." };

	lu_buf_puts(b, unit_random(seed) % 8 ? "/" : "");
	for (uint64_t n = unit_random(seed) % 8; n > 0; n--)
		lu_buf_puts(b, pick(seed, part, COUNT(part)));
}

static void put_random_file(struct lu_buf *b, uint64_t *seed)
{
	static const char *const name[] = { "User-agent", "user-agent", "Disallow", "disallow",
		"Allow", "ALLOW", "Sitemap", "Crawl-delay", "Dissallow", "" };
	static const char *const agent[] = { "*", "A", "a", "B", "AB", "A/1.0", "B-A", "", "* x",
		"*A" };
	static const char *const end[] = { "\n", "\r\n", "\r", "\n\n", " # x\n", "\t\n", "#\n" };

	if (unit_random(seed) % 8 == 0)
		lu_buf_puts(b, "\xEF\xBB\xBF");
	for (uint64_t n = unit_random(seed) % 24; n > 0; n--) {
		const char *s = pick(seed, name, COUNT(name));

		lu_buf_puts(b, unit_random(seed) % 4 ? "" : " ");
		lu_buf_puts(b, s);
		lu_buf_puts(b, unit_random(seed) % 8 ? ": " : unit_random(seed) % 2 ? ":" : " ");
		if ((s[0] | 0x20) == 'u')
			lu_buf_puts(b, pick(seed, agent, COUNT(agent)));
		else
			put_random_path(b, seed);
		lu_buf_puts(b, pick(seed, end, COUNT(end)));
	}
}

static void second_implementation(void **state)
{
	static const char *const agent[] = { "A", "B", "AB", "*" };
	struct lu_buf text = { 0 }, path = { 0 };
	uint64_t seed = 9309, forbidden = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		lu_buf_clear(&text);
		put_random_file(&text, &seed);
		for (int k = 0; k < 8; k++) {
			const char *name = pick(&seed, agent, COUNT(agent));
			bool fast;

			lu_buf_clear(&path);
			put_random_path(&path, &seed);
			assert_true(lu_buf_ok(&path) && lu_buf_ok(&text));
			fast = allows(lu_buf_slice(&text), name, lu_buf_slice(&path));
			forbidden += !fast;
			if (fast !=
					plain_robots_allows(lu_buf_slice(&text), name,
							lu_buf_slice(&path)))
				fail_msg("file %d, agent %s, path '%s': %d\n%s", i, name, path.p,
						fast, text.p);
		}
	}
	/* The question is not always answered by an empty file. */
	assert_in_range(forbidden, 200, 7000);
	lu_buf_release(&text);
	lu_buf_release(&path);
}

/* Many agents at once get what each gets alone; the order of rules leaves no trace. */
static void together(void **state)
{
	static const struct lu_str agent[] = { { "A", 1 }, { "*", 1 }, { "B", 1 }, { "Z", 1 } };
	struct lu_buf text = { 0 }, all = { 0 }, one = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 100; i++) {
		lu_buf_clear(&text);
		lu_buf_clear(&all);
		put_random_file(&text, &seed);
		lu_robots_compile(lu_buf_slice(&text), agent, COUNT(agent), &all);
		for (size_t k = 0; k < COUNT(agent); k++) {
			lu_buf_clear(&one);
			lu_robots_compile(lu_buf_slice(&text), &agent[k], 1, &one);
			assert_true(lu_str_eq(lu_robots_rules(lu_buf_slice(&all), k),
					lu_robots_rules(lu_buf_slice(&one), 0)));
		}
	}
	lu_buf_clear(&all);
	lu_buf_clear(&one);
	lu_robots_compile(LU_STR("user-agent:*\nallow:/b\ndisallow:/a\ndisallow:/a\n"), agent, 1,
			&all);
	lu_robots_compile(LU_STR("user-agent:*\ndisallow:/a\nallow:/b\n"), agent, 1, &one);
	assert_true(lu_str_eq(lu_buf_slice(&all), lu_buf_slice(&one)));
	lu_buf_release(&text);
	lu_buf_release(&all);
	lu_buf_release(&one);
}

/* --- many hosts ---------------------------------------------------------------------------- */

static const struct {
	const char *url;
	enum lu_robots_decision decision;
	const char *date;
} asked[] = {
	{ "https://a.fr/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "https://A.FR:443/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "http://a.fr/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "a.fr/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "https://a.fr/y#/x", LU_ROBOTS_ALLOWED, "2" },
	{ "https://a.fr:8443/x", LU_ROBOTS_MISSING, NULL },
	{ "https://www.a.fr/x", LU_ROBOTS_MISSING, NULL },
	{ "http://port.fr:8080/x", LU_ROBOTS_DISALLOWED, "1" },
	{ "https://port.fr:8080/x", LU_ROBOTS_MISSING, NULL },
	{ "http://M\xC3\xBCller.de/x", LU_ROBOTS_DISALLOWED, "1" },
	/* Its own scheme comes first. */
	{ "http://both.fr/x", LU_ROBOTS_ALLOWED, "1" },
	{ "https://both.fr/x", LU_ROBOTS_DISALLOWED, "1" },
	{ "http://to.fr/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "http://relative.fr/x", LU_ROBOTS_DISALLOWED, "1" },
	{ "http://beside.fr/x", LU_ROBOTS_DISALLOWED, "1" },
	{ "http://slashes.fr/x", LU_ROBOTS_DISALLOWED, "2" },
	{ "http://nowhere.fr/x", LU_ROBOTS_UNAVAILABLE, "1" },
	{ "http://unknown.fr/x", LU_ROBOTS_MISSING, NULL },
	{ "http://r1.fr/x", LU_ROBOTS_DISALLOWED, "1" },
	{ "http://r0.fr/x", LU_ROBOTS_UNAVAILABLE, "1" },
	{ "http://loop.fr/x", LU_ROBOTS_UNAVAILABLE, "1" },
	{ "https://gone.fr/x", LU_ROBOTS_UNAVAILABLE, "1" },
	{ "https://busy.fr/x", LU_ROBOTS_UNREACHABLE, "1" },
	{ "https://odd.fr/x", LU_ROBOTS_MISSING, NULL },
	{ "ftp://a.fr/x", LU_ROBOTS_NO_ADDRESS, NULL },
	{ "", LU_ROBOTS_NO_ADDRESS, NULL },
	{ "tel:+33", LU_ROBOTS_NO_ADDRESS, NULL },
};

static void hosts(void **state)
{
	static const char *const record[][4] = {
		/* address, status, date, text or location */
		{ "https://a.fr/robots.txt", "200", "2", "user-agent: *\\ndisallow: /x" },
		{ "https://a.fr/robots.txt", "404", "1", "older" },
		{ "http://port.fr:8080/robots.txt", "200", "1", "user-agent: *\\ndisallow: /x" },
		{ "http://xn--mller-kva.de/robots.txt", "200", "1",
				"user-agent: *\\ndisallow: /x" },
		{ "http://both.fr/robots.txt", "200", "1", "" },
		{ "https://both.fr/robots.txt", "200", "1", "user-agent: *\\ndisallow: /x" },
		{ "http://to.fr/robots.txt", "301", "1", "https://a.fr/robots.txt" },
		{ "http://relative.fr/robots.txt", "302", "1", "/r.txt" },
		{ "http://relative.fr/r.txt", "200", "1", "user-agent: *\\ndisallow: /x" },
		{ "http://beside.fr/robots.txt", "302", "1", "r.txt#x" },
		{ "http://beside.fr/r.txt", "200", "1", "user-agent: *\\ndisallow: /x" },
		{ "https://slashes.fr/robots.txt", "302", "1", "//a.fr/robots.txt" },
		{ "http://nowhere.fr/robots.txt", "302", "1", "" },
		{ "http://unknown.fr/robots.txt", "307", "1", "https://elsewhere.fr/" },
		{ "http://r0.fr/robots.txt", "301", "1", "http://r1.fr/robots.txt" },
		{ "http://r1.fr/robots.txt", "301", "1", "http://r2.fr/robots.txt" },
		{ "http://r2.fr/robots.txt", "301", "1", "http://r3.fr/robots.txt" },
		{ "http://r3.fr/robots.txt", "301", "1", "http://r4.fr/robots.txt" },
		{ "http://r4.fr/robots.txt", "301", "1", "http://r5.fr/robots.txt" },
		{ "http://r5.fr/robots.txt", "301", "1", "http://r6.fr/robots.txt" },
		{ "http://r6.fr/robots.txt", "200", "1", "user-agent: *\\ndisallow: /x" },
		{ "http://loop.fr/robots.txt", "301", "1", "http://loop.fr/robots.txt" },
		{ "https://gone.fr/robots.txt", "410", "1", "" },
		{ "https://busy.fr/robots.txt", "503", "1", "" },
		{ "https://odd.fr/robots.txt", "304", "1", "" },
	};
	struct lu_robots r = { 0 };
	struct lu_buf b = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(record); i++)
		lu_buf_printf(&b,
				"{\"url\":\"%s\",\"status\":%s,\"date\":\"2024-01-0%sT00:00:00Z\","
				"\"text\":\"%s\",\"location\":\"%s\"}\n",
				record[i][0], record[i][1], record[i][2], record[i][3],
				record[i][3]);
	put_file("r.jsonl", b.p, b.n);
	assert_int_equal(lu_robots_agents(&r, "A,*", &err), 0);
	assert_int_equal(lu_robots_read(&r, "r.jsonl", &err), 0);
	assert_int_equal(r.passed_over, 1);
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct lu_robots_answer a;
		int64_t day = asked[i].date ? 1704067200 + (*asked[i].date - '1') * 86400
					    : LU_ROBOTS_UNDATED;

		lu_robots_ask(&r, lu_str_of(asked[i].url), &b, &a);
		if (a.decision != asked[i].decision || a.date != day)
			fail_msg("%s: %d", asked[i].url, a.decision);
	}
	lu_buf_release(&b);
	lu_robots_release(&r);
}

static void agents(void **state)
{
	static const char *const bad[] = { "", "A,", "A B", "A/2", "A,a", "\xC3\xA9", ",A" };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct lu_robots r = { 0 };

		if (lu_robots_agents(&r, bad[i], &err) == 0)
			fail_msg("'%s' is taken", bad[i]);
		lu_robots_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(long_file),
		cmocka_unit_test(second_implementation),
		cmocka_unit_test(together),
		cmocka_unit_test(hosts),
		cmocka_unit_test(agents),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
