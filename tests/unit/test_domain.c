/* The domain of an address: the rule, and the doubtful cases that stay what they are. */
#include "tests/unit/unit.h"

#include "libcommon/report/domain.h"

static void test_rule(void **state)
{
	static const struct {
		const char *url, *domain;
	} e[] = {
		{ "https://www.Example.com/a?b=http://c.org", "example.com" },
		{ "http://a.b.example.com:8080/", "example.com" },
		{ "//cdn.example.net/x", "example.net" },
		{ "example.org", "example.org" },
		{ "example.org:80/x", "example.org" },
		{ "ftp://user:pw@files.example.org/x", "example.org" },
		{ "https://news.bbc.co.uk/1", "bbc.co.uk" },
		{ "https://www.education.gouv.fr#top", "education.gouv.fr" },
		{ "https://bbc.co.uk", "bbc.co.uk" },
		{ "https://co.uk/", "co.uk" },
		{ "https://www.lci.fr", "lci.fr" },
		{ "https://x.lci.fr", "lci.fr" },
		{ "https://com.example.info/", "example.info" },
		{ "https://some.one.github.io/page", "one.github.io" },
		{ "https://www.info.fr/", "info.fr" },
		{ "https://www.fr/", "www.fr" },
		{ "https://example.com./", "example.com" },
		{ "http://192.168.0.1:80/", "192.168.0.1" },
		{ "http://[2001:DB8::1]:80/", "[2001:db8::1]" },
		{ "http://localhost/", "localhost" },
		{ "http://a..b.com/", "a..b.com" },
		{ "http://a b.com/", "a b.com" },
		{ "https://caf\xc3\xa9.example.fr/", "example.fr" },
		{ "https://", "" },
		{ "/path/only", "" },
		{ "?", "" },
		{ "http://[::1", "" },
		{ "", "" },
	};
	char room[LU_DOMAIN_ROOM], many[600];
	struct lu_str d;

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		d = lu_domain(lu_str_of(e[i].url), room);
		if (!lu_str_is(d, e[i].domain))
			fail_msg("%s: '%.*s' instead of '%s'", e[i].url, (int)d.n, d.p,
					e[i].domain);
	}
	memset(many, 'a', sizeof(many));
	assert_int_equal(lu_domain((struct lu_str){ many, sizeof(many) }, room).n, 0);
	assert_int_equal(lu_domain((struct lu_str){ many, 255 }, room).n, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
