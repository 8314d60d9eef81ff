#include "libcommon/text/url.h"

#include "libcommon/text/idna.h"

struct lu_str lu_url_trim(struct lu_str s)
{
	while (s.n && (unsigned char)*s.p <= ' ')
		s.p++, s.n--;
	while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

/* First of a set of characters in s, or its end. */
static const char *first_of(struct lu_str s, const char *set)
{
	const char *p = s.p;

	while (p < s.p + s.n && !(*p && strchr(set, *p)))
		p++;
	return p;
}

/* Take user, password, port and the dots at the end off the authority. */
static void split_authority(struct lu_str a, struct lu_url *u)
{
	const char *p = a.p, *end = a.p + a.n, *q;

	for (q = p; q < end; q++) {
		if (*q == '@')
			p = q + 1;
	}
	for (q = end; q > p && q[-1] >= '0' && q[-1] <= '9';)
		q--;
	if (q > p && q[-1] == ':') {
		u->port = (struct lu_str){ q, (size_t)(end - q) };
		end = q - 1;
	}
	while (end > p && end[-1] == '.')
		end--;
	u->host = (struct lu_str){ p, (size_t)(end - p) };
}

void lu_url_split(struct lu_str url, struct lu_url *u)
{
	const char *end, *p;

	*u = (struct lu_url){ 0 };
	if (url.n == 0)
		return;
	end = url.p + url.n;
	p = first_of(url, ":/?#");
	if (end - p >= 3 && memcmp(p, "://", 3) == 0) {
		u->scheme = (struct lu_str){ url.p, (size_t)(p - url.p) };
		url.p = p + 3;
	} else if (url.n >= 2 && memcmp(url.p, "//", 2) == 0) {
		url.p += 2;
	}
	url.n = (size_t)(end - url.p);
	p = first_of(url, "/?#\\");
	split_authority((struct lu_str){ url.p, (size_t)(p - url.p) }, u);
	url = (struct lu_str){ p, (size_t)(end - p) };
	u->path = (struct lu_str){ p, (size_t)(first_of(url, "#") - p) };
}

bool lu_url_put_host(struct lu_str host, struct lu_buf *out)
{
	bool ascii = true, bracket = host.n && *host.p == '[';
	size_t from = out->n;

	for (size_t i = 0; i < host.n; i++)
		ascii = ascii && !(host.p[i] & 0x80);
	if (!ascii && !lu_idna(host, out))
		return false;
	for (size_t i = 0; ascii && i < host.n; i++) {
		char c = host.p[i];

		lu_buf_putc(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
	}
	if (!lu_buf_ok(out))
		return true;
	for (size_t i = from; i < out->n; i++) {
		char c = out->p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
				    c == '_' || (bracket && strchr("[]:", c))) ||
				!c)
			return false;
		if (c == '.' && (i == from || out->p[i - 1] == '.'))
			return false;
	}
	return out->n > from;
}

bool lu_url_normalise(struct lu_str url, struct lu_buf *out, size_t *host)
{
	size_t from = out->n, n;
	struct lu_url u;

	lu_url_split(lu_url_trim(url), &u);
	if (!lu_url_put_host(u.host, out)) {
		out->n = from;
		return false;
	}
	*host = out->n - from;
	n = u.path.n;
	while (n && (u.path.p[n - 1] == '/' || (unsigned char)u.path.p[n - 1] <= ' '))
		n--;
	if (n && *u.path.p == '?')
		lu_buf_putc(out, '/');
	lu_buf_append(out, u.path.p, n);
	return true;
}
