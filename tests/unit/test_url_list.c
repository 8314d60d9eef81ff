/* Lists of domains and URLs: what an entry covers, and what a URL is taken for. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/filter/url_list.h"

#include "tests/unit/unit.h"

static void normal_forms(void **state)
{
	static const char *const url[][2] = {
		{ "http://Example.ORG", "example.org" },
		{ "https://user:pw@www.example.org:8080/A/b/?q=1#top", "www.example.org/A/b/?q=1" },
		{ "example.org./", "example.org" },
		{ "http://example.org/a /#top", "example.org/a" },
		{ "//example.org/x//", "example.org/x" },
		{ "  http://example.org?q=a/b  ", "example.org/?q=a/b" },
		{ "http://M\xC3\xBCller.DE/\xC3\xBC", "xn--mller-kva.de/\xC3\xBC" },
		{ "http://xn--mller-kva.de", "xn--mller-kva.de" },
		{ "http://a_b.example.org:/", "a_b.example.org" },
		{ "http://[2001:DB8::1]:80/x", "[2001:db8::1]/x" },
		{ "http://93.184.216.34:80", "93.184.216.34" },
		{ "http://a@b@example.org", "example.org" },
		{ "http://", NULL },
		{ "", NULL },
		{ "/path/only", NULL },
		{ "http://a b.org", NULL },
		{ "http://a..org", NULL },
		{ "mailto:me@example.org!", NULL },
		{ "http://ex%41mple.org", NULL },
	};
	struct lu_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++) {
		size_t host;
		bool ok = lu_url_normalise(lu_str_of(url[i][0]), &b, &host);

		if (ok != (url[i][1] != NULL) || (ok && !lu_str_is(lu_buf_slice(&b), url[i][1])))
			fail_msg("'%s' becomes '%s'", url[i][0], ok ? b.p : "none");
		lu_buf_clear(&b);
	}
	lu_buf_release(&b);
}

static void covered(void **state)
{
	static const char *const url[][2] = {
		{ "http://bad.org/", "bad.org" },
		{ "http://www.BAD.org:80/x?y", "bad.org" },
		{ "http://notbad.org/", NULL },
		{ "http://bad.org.uk/", NULL },
		{ "http://org/", NULL },
		{ "https://forum.site.fr/sujets/12", "site.fr/sujets" },
		{ "https://site.fr/sujets", "site.fr/sujets" },
		{ "https://site.fr/sujets?page=2", "site.fr/sujets" },
		{ "https://site.fr/sujets2", NULL },
		{ "https://site.fr/Sujets", NULL },
		{ "https://site.fr/", NULL },
		{ "https://other.fr/index.php?id=3&x=1", "other.fr/index.php?id=3" },
		{ "https://other.fr/index.php?id=31", NULL },
		{ "http://www.xn--mller-kva.de/", "xn--mller-kva.de" },
		{ "http://1.2.3.4/", "1.2.3.4" },
		{ "http://9.1.2.3.4/", NULL },
		{ "http://[2001:db8::1]/", "[2001:db8::1]" },
		{ "http://deep.under.star.net/", "star.net" },
		{ "http://x.both.it/a/b", "both.it" },
		{ "no host here", NULL },
	};
	struct lu_url_list l = { 0 };
	struct lu_buf scratch = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	put_text("list",
			"# comment\n\nBAD.org\nhttp://site.fr/sujets/\r\nother.fr/index.php?id=3\n"
			"müller.de\n1.2.3.4\n[2001:DB8::1]\n*.star.net\n.dot.net\n"
			"both.it/a\nboth.it\nbad.org");
	assert_int_equal(lu_url_list_read(&l, "list", &err), 0);
	assert_int_equal(l.entries, 11);
	for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++) {
		struct lu_str found;
		bool yes = lu_url_list_find(&l, lu_str_of(url[i][0]), &scratch, &found);

		if (yes != (url[i][1] != NULL) || (yes && !lu_str_is(found, url[i][1])))
			fail_msg("'%s': %.*s", url[i][0], yes ? (int)found.n : 4,
					yes ? found.p : "none");
	}
	lu_url_list_release(&l);
	lu_buf_release(&scratch);
}

static void refused(void **state)
{
	static const char *const line[][2] = {
		{ "a.org\n0.0.0.0 ads.org\n",
				"list:2: '0.0.0.0 ads.org' is no domain or URL: write one a line" },
		{ "||ads.org^\n", "list:1: '||ads.org^' is no domain or URL: write one a line" },
		{ "/path\n", "list:1: '/path' is no domain or URL: write one a line" },
		{ "*.\n", "list:1: '' is no domain or URL: write one a line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
		struct lu_url_list l = { 0 };
		struct lu_err err = { 0 };

		put_text("list", line[i][0]);
		assert_int_equal(lu_url_list_read(&l, "list", &err), -1);
		assert_string_equal(err.msg, line[i][1]);
		lu_url_list_release(&l);
	}
}

/* Against a plain search through all entries. */
static bool plain(char entry[][16], size_t n, const char *host)
{
	for (size_t i = 0; i < n; i++) {
		size_t a = strlen(host), b = strlen(entry[i]);

		if (a >= b && strcmp(host + a - b, entry[i]) == 0 &&
				(a == b || host[a - b - 1] == '.'))
			return true;
	}
	return false;
}

static void random_host(char *out, uint64_t *seed)
{
	size_t labels = 1 + unit_random(seed) % 3, n = 0;

	for (size_t i = 0; i < labels; i++) {
		if (i)
			out[n++] = '.';
		for (size_t k = 1 + unit_random(seed) % 2; k; k--)
			out[n++] = (char)('a' + unit_random(seed) % 4);
	}
	out[n] = '\0';
}

static void many(void **state)
{
	static char entry[200][16];
	struct lu_url_list l = { 0 };
	struct lu_buf text = { 0 }, scratch = { 0 };
	struct lu_err err = { 0 };
	uint64_t seed = 3, yes = 0;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		do
			random_host(entry[i], &seed);
		while (!strchr(entry[i], '.'));
		lu_buf_printf(&text, "%s\n", entry[i]);
	}
	put_file("list", text.p, text.n);
	assert_int_equal(lu_url_list_read(&l, "list", &err), 0);
	for (int i = 0; i < 20000; i++) {
		char host[16];
		struct lu_str found;
		bool got;

		random_host(host, &seed);
		got = lu_url_list_find(&l, lu_str_of(host), &scratch, &found);
		assert_int_equal(got, plain(entry, 200, host));
		yes += got;
	}
	assert_true(yes > 1000 && yes < 19000);
	lu_url_list_release(&l);
	lu_buf_release(&text);
	lu_buf_release(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_forms),
		cmocka_unit_test(covered),
		cmocka_unit_test(refused),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("url_list", tests, scratch_make, scratch_remove);
}
