#include "libcommon/report/domain.h"

#include <stdbool.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Second labels below which countries register names (RFC 1480 and the registries' own pages). */
static const char *const classes[] = { "ac", "asso", "co", "com", "edu", "gen", "go", "gob", "gouv",
	"gov", "govt", "gv", "ltd", "mil", "ne", "net", "nhs", "nom", "or", "org", "plc", "presse",
	"sch" };

/* Services with a site for each name below theirs. */
static const char *const hosts[] = { "blogspot.com", "canalblog.com", "github.io", "gitlab.io",
	"hautetfort.com", "herokuapp.com", "livejournal.com", "netlify.app", "over-blog.com",
	"substack.com", "tumblr.com", "typepad.com", "unblog.fr", "vercel.app", "wixsite.com",
	"wordpress.com" };

static bool is_one_of(struct lu_str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (lu_str_is(s, list[i]))
			return true;
	}
	return false;
}

/* What is between the scheme and the path: "//host/", "host/", "http:host". */
static struct lu_str authority(struct lu_str url)
{
	const char *p = url.p, *end = url.p + url.n, *q = p;

	while (q < end && *q != ':' && !strchr("/?#", *q))
		q++;
	/* "host:80/" has no scheme, "http://host" and "mailto:" have one. */
	if (q + 2 < end && memcmp(q, "://", 3) == 0)
		p = q + 3;
	else if (end - p > 1 && memcmp(p, "//", 2) == 0)
		p += 2;
	for (q = p; q < end && !strchr("/?#\\", *q);)
		q++;
	return (struct lu_str){ p, (size_t)(q - p) };
}

/* Without the user before and the port behind. */
static struct lu_str host_of(struct lu_str s)
{
	const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL, *close;

	if (at)
		s = (struct lu_str){ at + 1, (size_t)(s.p + s.n - at - 1) };
	if (s.n && *s.p == '[') {
		close = memchr(s.p, ']', s.n);
		return close ? (struct lu_str){ s.p, (size_t)(close - s.p + 1) } : LU_STR("");
	}
	close = s.n ? memchr(s.p, ':', s.n) : NULL;
	if (close)
		s.n = (size_t)(close - s.p);
	while (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

/* The last n labels. */
static struct lu_str last(struct lu_str host, size_t n)
{
	const char *end = host.p + host.n, *p = end;

	while (p > host.p && !(p[-1] == '.' && --n == 0))
		p--;
	return (struct lu_str){ p, (size_t)(end - p) };
}

static bool is_plain(struct lu_str host)
{
	if (host.n == 0 || *host.p == '.')
		return false;
	for (size_t i = 0; i < host.n; i++) {
		unsigned char c = (unsigned char)host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
				    c == '.' || c >= 0x80) ||
				(c == '.' && i + 1 < host.n && host.p[i + 1] == '.'))
			return false;
	}
	return true;
}

struct lu_str lu_domain(struct lu_str url, char room[LU_DOMAIN_ROOM])
{
	struct lu_str host = host_of(authority(url)), top, two, class;

	if (host.n >= LU_DOMAIN_ROOM)
		return LU_STR("");
	for (size_t i = 0; i < host.n; i++)
		room[i] = (char)(host.p[i] >= 'A' && host.p[i] <= 'Z' ? host.p[i] | 0x20
								      : host.p[i]);
	host.p = room;
	if (host.n > 4 && memcmp(host.p, "www.", 4) == 0 && memchr(host.p + 4, '.', host.n - 4))
		host = (struct lu_str){ host.p + 4, host.n - 4 };
	top = last(host, 1);
	if (!is_plain(host) || lu_str_only(top, "0123456789"))
		return host;
	two = last(host, 2);
	class = (struct lu_str){ two.p, two.n > top.n ? two.n - top.n - 1 : 0 };
	if ((top.n == 2 && is_one_of(class, classes, COUNT(classes))) ||
			is_one_of(two, hosts, COUNT(hosts)))
		return last(host, 3);
	return two;
}
