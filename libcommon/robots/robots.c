#include "libcommon/robots/robots.h"

#include <strings.h>

#include "libcommon/hash/hash.h"
#include "libcommon/robots/robots_read.h"
#include "libcommon/text/url.h"

#define REDIRECTIONS 5 /* RFC 9309, section 2.3.1.2 */

/* --- addresses ----------------------------------------------------------------------------- */

static bool is_scheme(struct lu_str s, const char *name)
{
	return s.n == strlen(name) && strncasecmp(s.p, name, s.n) == 0;
}

/* Put the key of a response into `key`: 's' for https and 'h' for http, the host, a port that is not
 * the usual one, and the path unless it is that of robots.txt. An address without a scheme is one of
 * http. False if no response can have it. *usual: its port is the usual one. */
static bool put_key(const struct lu_url *u, struct lu_str path, struct lu_buf *key, bool *usual)
{
	bool secure = is_scheme(u->scheme, "https");

	if (!secure && u->scheme.n && !is_scheme(u->scheme, "http"))
		return false;
	*usual = u->port.n == 0 || lu_str_is(u->port, secure ? "443" : "80");
	lu_buf_putc(key, secure ? 's' : 'h');
	if (!lu_url_put_host(u->host, key))
		return false;
	if (!*usual) {
		lu_buf_putc(key, ':');
		lu_buf_str(key, u->port);
	}
	if (!lu_str_is(path, "/robots.txt"))
		lu_buf_str(key, path.n ? path : LU_STR("/"));
	return lu_buf_ok(key);
}

/* The address that a response for `base` redirects to (RFC 3986, section 5.2, without the removal of
 * dots). */
static bool put_target(struct lu_str base, struct lu_str location, struct lu_buf *key)
{
	struct lu_url from, to;
	bool usual;

	lu_url_split(base, &from);
	lu_url_split(location, &to);
	if (to.scheme.n == 0 && !(location.n > 1 && memcmp(location.p, "//", 2) == 0)) {
		struct lu_str path = location;
		const char *end = path.n ? memchr(path.p, '#', path.n) : NULL;

		path.n = end ? (size_t)(end - path.p) : path.n;
		if (path.n == 0)
			return false;
		if (*path.p == '/')
			return put_key(&from, path, key, &usual);
		/* What stands beside robots.txt stands at the top. */
		if (!put_key(&from, LU_STR("/"), key, &usual))
			return false;
		lu_buf_str(key, path);
		return lu_buf_ok(key);
	}
	if (to.scheme.n == 0)
		to.scheme = from.scheme;
	return put_key(&to, to.path, key, &usual);
}

/* --- responses ----------------------------------------------------------------------------- */

static struct lu_str key_of(const struct lu_robots *r, uint32_t i)
{
	return (struct lu_str){ r->keys.p + r->responses.p[i].key, r->responses.p[i].key_n };
}

static struct lu_str policy_of(const struct lu_robots *r, uint32_t i)
{
	return (struct lu_str){ r->policies.p + r->policy.p[i].at, r->policy.p[i].n };
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	struct lu_str s = key_of(items, i);

	return lu_hash64(s.p, s.n, 0);
}

static bool key_is(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(key_of(items, i), *(const struct lu_str *)key);
}

static uint64_t policy_hash(const void *items, uint32_t i)
{
	struct lu_str s = policy_of(items, i);

	return lu_hash64(s.p, s.n, 0);
}

static bool policy_is(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(policy_of(items, i), *(const struct lu_str *)key);
}

static uint32_t find(const struct lu_robots *r, struct lu_str key)
{
	return lu_map_find(&r->by_key, lu_hash64(key.p, key.n, 0), r, key_is, &key);
}

/* The number of a policy, new or not. */
static int intern(struct lu_robots *r, struct lu_str policy, uint32_t *i, struct lu_err *err)
{
	uint64_t hash = lu_hash64(policy.p, policy.n, 0);
	struct lu_robots_policy p = { r->policies.n, (uint32_t)policy.n };

	*i = lu_map_find(&r->by_policy, hash, r, policy_is, &policy);
	if (*i != LU_MAP_NONE)
		return 0;
	lu_buf_str(&r->policies, policy);
	if (!lu_buf_ok(&r->policies) || !lu_map_reserve(&r->by_policy, r, policy_hash) ||
			!lu_vec_push(&r->policy, p))
		return lu_err_nomem(err);
	*i = lu_map_add(&r->by_policy, hash);
	return 0;
}

/* The response with this key, new or not. */
static int response_for(struct lu_robots *r, struct lu_str key, uint32_t *i, bool *fresh,
		struct lu_err *err)
{
	struct lu_robots_response new = { .key = r->keys.n, .key_n = (uint16_t)key.n };

	*i = find(r, key);
	*fresh = *i == LU_MAP_NONE;
	if (!*fresh)
		return 0;
	lu_buf_str(&r->keys, key);
	if (!lu_buf_ok(&r->keys) || !lu_map_reserve(&r->by_key, r, key_hash) ||
			!lu_vec_push(&r->responses, new))
		return lu_err_nomem(err);
	*i = lu_map_add(&r->by_key, lu_hash64(key.p, key.n, 0));
	return 0;
}

int lu_robots_add(struct lu_robots *r, const struct lu_robots_fetched *f, struct lu_err *err)
{
	unsigned status = (unsigned)f->status / 100 * 100;
	struct lu_robots_response *response;
	struct lu_url u;
	uint32_t i, policy;
	bool usual, fresh;

	r->read++;
	lu_buf_clear(&r->key);
	lu_buf_clear(&r->text);
	lu_url_split(lu_url_trim(f->url), &u);
	r->named += lu_str_is(u.path, "/robots.txt");
	/* 304 says that the file is as it was before, which is not here. */
	if (status < 200 || status > 500 || f->status == 304 ||
			!put_key(&u, u.path, &r->key, &usual) || r->key.n > UINT16_MAX) {
		r->passed_over++;
		return lu_buf_check(&r->key, err);
	}
	if (status == 200)
		lu_robots_compile(f->text, r->agents.p, r->agents.n, &r->text);
	/* A redirection that leads nowhere leads to no robots.txt. */
	else if (status == 300 && !put_target(lu_url_trim(f->url), f->location, &r->text))
		status = 400;
	if (status >= 400)
		lu_buf_clear(&r->text);
	if (lu_buf_check(&r->text, err) < 0 ||
			response_for(r, lu_buf_slice(&r->key), &i, &fresh, err) < 0 ||
			intern(r, lu_buf_slice(&r->text), &policy, err) < 0)
		return -1;
	response = &r->responses.p[i];
	if (!fresh && f->date < response->date)
		return 0;
	response->date = f->date;
	response->policy = policy;
	response->status = (uint16_t)status;
	return 0;
}

/* --- answers ------------------------------------------------------------------------------- */

/* The response for a key of `key`, or for that of the other scheme. */
static uint32_t find_host(const struct lu_robots *r, struct lu_buf *key, bool usual)
{
	uint32_t i = find(r, lu_buf_slice(key));

	if (i == LU_MAP_NONE && usual) {
		key->p[0] = key->p[0] == 's' ? 'h' : 's';
		i = find(r, lu_buf_slice(key));
	}
	return i;
}

static void judge(const struct lu_robots *r, uint32_t response, struct lu_str path,
		struct lu_robots_answer *a)
{
	struct lu_str policy = policy_of(r, r->responses.p[response].policy);

	a->decision = LU_ROBOTS_ALLOWED;
	for (size_t i = 0; i < r->agents.n; i++) {
		if (lu_robots_allows(lu_robots_rules(policy, i), path, &a->rule))
			continue;
		a->decision = LU_ROBOTS_DISALLOWED;
		a->agent = r->agents.p[i];
		return;
	}
}

void lu_robots_ask(const struct lu_robots *r, struct lu_str url, struct lu_buf *scratch,
		struct lu_robots_answer *a)
{
	const struct lu_robots_response *response;
	struct lu_url u;
	uint32_t i;
	bool usual;

	*a = (struct lu_robots_answer){ LU_ROBOTS_NO_ADDRESS, lu_str_of(r->names), { 0 },
		LU_ROBOTS_UNDATED };
	lu_buf_clear(scratch);
	url = lu_url_trim(url);
	lu_url_split(url, &u);
	if (!put_key(&u, LU_STR("/robots.txt"), scratch, &usual))
		return;
	a->decision = LU_ROBOTS_MISSING;
	i = find_host(r, scratch, usual);
	for (int step = 0; i != LU_MAP_NONE && r->responses.p[i].status == 300; step++) {
		struct lu_str target = policy_of(r, r->responses.p[i].policy);

		if (step == REDIRECTIONS) {
			a->decision = LU_ROBOTS_UNAVAILABLE;
			a->date = r->responses.p[i].date;
			return;
		}
		i = find(r, target);
	}
	if (i == LU_MAP_NONE)
		return;
	response = &r->responses.p[i];
	a->date = response->date;
	if (response->status >= 400) {
		a->decision = response->status == 400 ? LU_ROBOTS_UNAVAILABLE
						      : LU_ROBOTS_UNREACHABLE;
		return;
	}
	lu_buf_clear(scratch);
	lu_robots_path(u.path, scratch);
	if (lu_buf_ok(scratch))
		judge(r, i, lu_buf_slice(scratch), a);
}

/* --- the whole ----------------------------------------------------------------------------- */

int lu_robots_agents(struct lu_robots *r, const char *list, struct lu_err *err)
{
	const char *p = list;

	r->names = list;
	for (;;) {
		size_t n = strcspn(p, ",");
		struct lu_str s = lu_url_trim((struct lu_str){ p, n }), token = lu_robots_token(s);

		if (token.n == 0 || token.n != s.n)
			return lu_err_set(err,
					"'" LU_STR_FMT "' is no product token such as CCBot, nor *",
					LU_STR_ARG(s));
		for (size_t i = 0; i < r->agents.n; i++) {
			if (token.n == r->agents.p[i].n &&
					strncasecmp(token.p, r->agents.p[i].p, token.n) == 0)
				return lu_err_set(err, "'" LU_STR_FMT "' is named twice",
						LU_STR_ARG(s));
		}
		if (r->agents.n == LU_ROBOTS_AGENTS)
			return lu_err_set(err, "more than %d agents", LU_ROBOTS_AGENTS);
		if (!lu_vec_push(&r->agents, token))
			return lu_err_nomem(err);
		p += n;
		if (!*p++)
			return 0;
	}
}

void lu_robots_release(struct lu_robots *r)
{
	lu_vec_release(&r->agents);
	lu_vec_release(&r->responses);
	lu_vec_release(&r->policy);
	lu_map_release(&r->by_key);
	lu_map_release(&r->by_policy);
	lu_buf_release(&r->keys);
	lu_buf_release(&r->policies);
	lu_buf_release(&r->key);
	lu_buf_release(&r->content);
	lu_buf_release(&r->text);
}
