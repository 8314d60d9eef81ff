#include "tests/unit/plain_robots.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { ANYTHING = -1, THE_END = -2 };

/* Append an octet as an escape. */
static void put_escape(int *out, size_t *n, int c)
{
	out[(*n)++] = '%';
	out[(*n)++] = "0123456789ABCDEF"[c / 16];
	out[(*n)++] = "0123456789ABCDEF"[c % 16];
}

/* The octets of the compared form of a path. */
static int *octets(struct lu_str s, bool rule, size_t *n)
{
	int *out = calloc(3 * s.n + 2, sizeof(*out));
	bool query = false;
	size_t i = 0;

	*n = 0;
	if (!rule && (s.n == 0 || s.p[0] != '/'))
		out[(*n)++] = '/';
	while (i < s.n) {
		char two[3] = { i + 1 < s.n ? s.p[i + 1] : 0, i + 2 < s.n ? s.p[i + 2] : 0 };
		int c = (unsigned char)s.p[i++];

		if (c == '%' && isxdigit((unsigned char)two[0]) &&
				isxdigit((unsigned char)two[1])) {
			c = (int)strtol(two, NULL, 16);
			i += 2;
			if ((isalnum(c) && c < 128) || strchr("-._~", c ? c : '*') ||
					(query && strchr(":/?#[]@", c ? c : '*')))
				out[(*n)++] = c;
			else
				put_escape(out, n, c);
		} else if (rule && c == '*') {
			out[(*n)++] = ANYTHING;
		} else if (rule && c == '$' && i == s.n) {
			out[(*n)++] = THE_END;
		} else if (c <= 32 || c >= 127 || c == '*' || c == '$' || c == '%') {
			put_escape(out, n, c);
		} else {
			query = query || c == '?';
			out[(*n)++] = c;
		}
	}
	return out;
}

static bool covers(struct lu_str rule, struct lu_str path, size_t *length)
{
	size_t r_n, p_n;
	int *r = octets(rule, true, &r_n), *p = octets(path, false, &p_n);
	char *can = calloc((r_n + 1) * (p_n + 1), 1);
	bool all;

	/* can[i][k]: the rule from i on covers the path from k on. */
#define CAN(i, k) can[(i) * (p_n + 1) + (k)]
	for (size_t i = r_n + 1; i-- > 0;) {
		for (size_t k = p_n + 1; k-- > 0;) {
			if (i == r_n)
				CAN(i, k) = 1;
			else if (r[i] == ANYTHING)
				CAN(i, k) = CAN(i + 1, k) || (k < p_n && CAN(i, k + 1));
			else if (r[i] == THE_END)
				CAN(i, k) = k == p_n;
			else
				CAN(i, k) = k < p_n && r[i] == p[k] && CAN(i + 1, k + 1);
		}
	}
	all = CAN(0, 0);
	*length = r_n;
#undef CAN
	free(can);
	free(r);
	free(p);
	return all;
}

struct line {
	char name[16];
	struct lu_str value;
};

static void take(const char *from, const char *to, struct line *l)
{
	const char *mark = memchr(from, '#', (size_t)(to - from)), *colon;

	l->name[0] = '\0';
	to = mark ? mark : to;
	colon = memchr(from, ':', (size_t)(to - from));
	if (!colon)
		return;
	l->value = (struct lu_str){ colon + 1, (size_t)(to - colon - 1) };
	while (l->value.n && strchr(" \t", l->value.p[0]))
		l->value.p++, l->value.n--;
	while (l->value.n && strchr(" \t", l->value.p[l->value.n - 1]))
		l->value.n--;
	while (from < colon && (*from == ' ' || *from == '\t'))
		from++;
	while (colon > from && (colon[-1] == ' ' || colon[-1] == '\t'))
		colon--;
	if (colon - from < 12)
		snprintf(l->name, sizeof(l->name), "%.*s", (int)(colon - from), from);
}

static bool names(struct lu_str value, const char *agent)
{
	size_t n = 0;

	if (value.n && value.p[0] == '*' && (value.n == 1 || strchr(" \t", value.p[1])))
		return strcmp(agent, "*") == 0;
	while (n < value.n && (isalnum((unsigned char)value.p[n]) || strchr("-_", value.p[n])) &&
			value.p[n])
		n++;
	return n && n == strlen(agent) && strncasecmp(value.p, agent, n) == 0;
}

/* One reading for an agent: 1 allowed, 0 not, -1 it has no group. */
static int ask(struct lu_str text, const char *agent, struct lu_str path)
{
	const char *p = text.p, *end = text.p + text.n;
	size_t best = 0, length;
	bool in = false, last_was_agent = false, has = false, allowed = true;

	while (p < end) {
		const char *to = p;
		struct line l;

		while (to < end && *to != '\n' && *to != '\r')
			to++;
		take(p, to, &l);
		p = to + 1;
		if (strcasecmp(l.name, "user-agent") == 0) {
			in = names(l.value, agent) || (in && last_was_agent);
			has = has || in;
			last_was_agent = true;
		} else if (strcasecmp(l.name, "allow") == 0 ||
				strcasecmp(l.name, "disallow") == 0) {
			bool allow = (l.name[0] | 0x20) == 'a';

			last_was_agent = false;
			if (!in || l.value.n == 0 || !covers(l.value, path, &length))
				continue;
			if (length > best || (length == best && allow)) {
				best = length;
				allowed = allow;
			}
		}
	}
	return has ? allowed : -1;
}

bool plain_robots_allows(struct lu_str text, const char *agent, struct lu_str path)
{
	int answer;

	if (text.n > 500 * 1024) {
		text.n = 500 * 1024;
		while (text.n && !strchr("\n\r", text.p[text.n - 1]))
			text.n--;
	}
	if (text.n > 2 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
		text = (struct lu_str){ text.p + 3, text.n - 3 };
	if (lu_str_is(path, "/robots.txt"))
		return true;
	answer = ask(text, agent, path);
	if (answer < 0)
		answer = ask(text, "*", path);
	return answer != 0;
}
