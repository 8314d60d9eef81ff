#include "libcommon/robots/robots_txt.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"

/* --- paths --------------------------------------------------------------------------------- */

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* RFC 3986, section 2.3. */
static bool is_unreserved(unsigned char c)
{
	return is_alnum(c) || (c && strchr("-._~", c));
}

/* Delimiters that a query may hold without meaning anything. */
static bool is_plain_in_query(unsigned char c)
{
	return c && strchr(":/?#[]@", c);
}

static void put_escape(struct lu_buf *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	lu_buf_putc(out, '%');
	lu_buf_putc(out, digits[c >> 4]);
	lu_buf_putc(out, digits[c & 15]);
}

/* Append the compared form. In that of a rule, '*' and a last '$' are special and stand as they are;
 * as characters they are "%2A" and "%24" everywhere. */
static void put_path(struct lu_str s, bool rule, struct lu_buf *out)
{
	bool query = false;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool escaped = c == '%' && s.n - i > 2 && lu_hex_digit(s.p[i + 1]) >= 0 &&
				lu_hex_digit(s.p[i + 2]) >= 0;

		if (escaped) {
			c = (unsigned char)(lu_hex_digit(s.p[i + 1]) << 4 |
					lu_hex_digit(s.p[i + 2]));
			i += 2;
			if (is_unreserved(c) || (query && is_plain_in_query(c)))
				lu_buf_putc(out, (char)c);
			else
				put_escape(out, c);
		} else if (rule && (c == '*' || (c == '$' && i + 1 == s.n))) {
			lu_buf_putc(out, (char)c);
		} else if (c <= ' ' || c >= 0x7f || strchr("%*$", c)) {
			put_escape(out, c);
		} else {
			lu_buf_putc(out, (char)c);
			query = query || c == '?';
		}
	}
}

void lu_robots_path(struct lu_str path, struct lu_buf *out)
{
	if (path.n == 0 || *path.p != '/')
		lu_buf_putc(out, '/');
	put_path(path, false, out);
}

/* True if the rule's path matches from the beginning of `path`. What was tried behind the last '*' is
 * tried again one octet on: at most one step for each pair of octets. */
static bool matches(struct lu_str rule, struct lu_str path)
{
	size_t r = 0, p = 0, star = SIZE_MAX, from = 0;

	for (;;) {
		if (r == rule.n)
			return true;
		if (rule.p[r] == '$' && r + 1 == rule.n && p == path.n)
			return true;
		if (rule.p[r] == '*') {
			star = ++r;
			from = p;
		} else if (p < path.n && rule.p[r] == path.p[p]) {
			r++;
			p++;
		} else if (star != SIZE_MAX && from < path.n) {
			r = star;
			p = ++from;
		} else {
			return false;
		}
	}
}

/* --- rules --------------------------------------------------------------------------------- */

struct rule {
	struct lu_str path; /* as it stands in the file */
	size_t at, n;	    /* of its compared form */
	uint64_t whose;	    /* bits: the agents of its group, 1 << 63 for "*" */
	bool allow;
};

#define OF_ALL ((uint64_t)1 << 63)

struct rules LU_VEC(struct rule);

/* Longer paths first, of two as long the one that allows; equal ones in the order of their bytes, so
 * that the order in the file leaves no trace. */
static int by_precedence(const void *a, const void *b, void *text)
{
	const struct rule *x = a, *y = b;
	const char *base = text;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (x->allow != y->allow)
		return x->allow ? -1 : 1;
	return memcmp(base + x->at, base + y->at, x->n);
}

/* Put the compared forms into `text`, and the rules in order. */
static void sort(struct rules *rules, struct lu_buf *text)
{
	for (size_t i = 0; i < rules->n; i++) {
		rules->p[i].at = text->n;
		put_path(rules->p[i].path, true, text);
		rules->p[i].n = text->n - rules->p[i].at;
	}
	if (rules->n && lu_buf_ok(text))
		qsort_r(rules->p, rules->n, sizeof(*rules->p), by_precedence, text->p);
}

static void put_number(struct lu_buf *out, size_t n)
{
	uint32_t four = (uint32_t)
			n; /* a file has 500 KiB, its rules not more than nine times that */

	lu_buf_append(out, (const char *)&four, sizeof(four));
}

static size_t number_at(const char *p)
{
	uint32_t four;

	memcpy(&four, p, sizeof(four));
	return four;
}

/* Append the rules with one of the bits `whose`: for each the length of its path, 'A' or 'D', the path. */
static void put_rules(const struct rules *rules, uint64_t whose, const char *text,
		struct lu_buf *scratch, struct lu_buf *out)
{
	const struct rule *last = NULL;

	lu_buf_clear(scratch);
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->p[i];

		if (!(r->whose & whose))
			continue;
		if (last && r->n == last->n && r->allow == last->allow &&
				memcmp(text + r->at, text + last->at, r->n) == 0)
			continue;
		last = r;
		put_number(scratch, r->n);
		lu_buf_putc(scratch, r->allow ? 'A' : 'D');
		lu_buf_append(scratch, text + r->at, r->n);
	}
	if (!lu_buf_ok(scratch))
		out->failed = true;
	put_number(out, scratch->n);
	lu_buf_append(out, scratch->p, scratch->n);
}

struct lu_str lu_robots_rules(struct lu_str policy, size_t i)
{
	const char *p = policy.p;

	while (i--)
		p += sizeof(uint32_t) + number_at(p);
	return (struct lu_str){ p + sizeof(uint32_t), number_at(p) };
}

bool lu_robots_allows(struct lu_str rules, struct lu_str path, struct lu_str *rule)
{
	*rule = (struct lu_str){ 0 };
	if (lu_str_is(path, "/robots.txt"))
		return true;
	while (rules.n) {
		const size_t head = sizeof(uint32_t) + 1;
		const size_t n = number_at(rules.p);
		const struct lu_str r = { rules.p + head, n };

		if (matches(r, path)) {
			*rule = r;
			return r.p[-1] == 'A';
		}
		rules.p += head + n;
		rules.n -= head + n;
	}
	return true;
}

/* --- the file ------------------------------------------------------------------------------ */

struct lu_str lu_robots_token(struct lu_str s)
{
	size_t n = 0;

	if (s.n && *s.p == '*' && (s.n == 1 || s.p[1] == ' ' || s.p[1] == '\t'))
		return (struct lu_str){ s.p, 1 };
	while (n < s.n && (is_alnum((unsigned char)s.p[n]) || s.p[n] == '-' || s.p[n] == '_'))
		n++;
	return (struct lu_str){ s.p, n };
}

static struct lu_str trim(struct lu_str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static const char *line_end(const char *p, const char *end)
{
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	return p;
}

enum record { NONE, USER_AGENT, ALLOW, DISALLOW };

/* The next line of a text, as a record; false at the end. */
static bool next_record(struct lu_str *rest, enum record *record, struct lu_str *value)
{
	const char *end = rest->p + rest->n, *p = line_end(rest->p, end), *mark;
	struct lu_str line = { rest->p, (size_t)(p - rest->p) }, name;

	*record = NONE;
	if (rest->n == 0)
		return false;
	rest->n = p < end ? (size_t)(end - p - 1) : 0;
	rest->p = p < end ? p + 1 : end;
	mark = line.n ? memchr(line.p, '#', line.n) : NULL;
	line.n = mark ? (size_t)(mark - line.p) : line.n;
	mark = line.n ? memchr(line.p, ':', line.n) : NULL;
	if (!mark)
		return true;
	name = trim((struct lu_str){ line.p, (size_t)(mark - line.p) });
	*value = trim((struct lu_str){ mark + 1, (size_t)(line.p + line.n - mark - 1) });
	if (name.n == 10 && strncasecmp(name.p, "user-agent", 10) == 0)
		*record = USER_AGENT;
	else if (name.n == 5 && strncasecmp(name.p, "allow", 5) == 0)
		*record = ALLOW;
	else if (name.n == 8 && strncasecmp(name.p, "disallow", 8) == 0)
		*record = DISALLOW;
	return true;
}

/* The part of a file that is read. */
static struct lu_str readable(struct lu_str text)
{
	if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
		text.p += 3, text.n -= 3;
	if (text.n <= LU_ROBOTS_LIMIT)
		return text;
	/* Half a rule could forbid more than the whole of it. */
	for (text.n = LU_ROBOTS_LIMIT; text.n; text.n--) {
		if (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')
			break;
	}
	return text;
}

/* The bits of the agents that a User-agent line names. */
static uint64_t named_by(struct lu_str value, const struct lu_str *agent, size_t agents)
{
	struct lu_str token = lu_robots_token(value);
	uint64_t named = 0;

	if (lu_str_is(token, "*"))
		return OF_ALL;
	for (size_t i = 0; token.n && i < agents; i++) {
		if (token.n == agent[i].n && strncasecmp(token.p, agent[i].p, token.n) == 0)
			named |= (uint64_t)1 << i;
	}
	return named;
}

/* Read the rules of the groups of the agents and of "*"; returns the agents that have groups. */
static uint64_t read_rules(struct lu_str text, const struct lu_str *agent, size_t agents,
		struct rules *rules, bool *ok)
{
	struct lu_str value;
	enum record record;
	bool listing = false;
	uint64_t group = 0, named = 0;

	text = readable(text);
	while (next_record(&text, &record, &value)) {
		struct rule r = { .path = value, .allow = record == ALLOW };

		if (record == USER_AGENT) {
			group = (listing ? group : 0) | named_by(value, agent, agents);
			named |= group;
			listing = true;
		} else if (record != NONE) {
			listing = false;
			r.whose = group;
			if (group && value.n && !lu_vec_push(rules, r))
				*ok = false;
		}
	}
	return named;
}

void lu_robots_compile(struct lu_str text, const struct lu_str *agent, size_t agents,
		struct lu_buf *policy)
{
	struct rules rules = { 0 };
	struct lu_buf paths = { 0 }, scratch = { 0 };
	bool ok = true;
	uint64_t named;

	LU_ASSERT(agents <= LU_ROBOTS_AGENTS);
	named = read_rules(text, agent, agents, &rules, &ok);
	sort(&rules, &paths);
	ok = ok && lu_buf_ok(&paths);
	for (size_t i = 0; ok && i < agents; i++) {
		uint64_t own = (uint64_t)1 << i;

		put_rules(&rules, named & own ? own : OF_ALL, paths.p, &scratch, policy);
	}
	if (!ok)
		policy->failed = true;
	lu_buf_release(&paths);
	lu_buf_release(&scratch);
	lu_vec_release(&rules);
}
