#ifndef LUCIE_ROBOTS_ROBOTS_TXT_H
#define LUCIE_ROBOTS_ROBOTS_TXT_H
/*
 * One robots.txt file and some crawlers: which paths of the host they may fetch, by RFC 9309.
 *
 *	const struct lu_str agent[] = { LU_STR("CCBot"), LU_STR("*") };
 *	struct lu_buf policy = { 0 }, path = { 0 };
 *	struct lu_str rules, rule;
 *
 *	lu_robots_compile(text, agent, 2, &policy);		once a file
 *	lu_robots_path(LU_STR("/a%62c?x=1"), &path);		once an address
 *	rules = lu_robots_rules(lu_buf_slice(&policy), 0);	of CCBot
 *	allowed = lu_robots_allows(rules, lu_buf_slice(&path), &rule);
 *
 * Memory that runs out shows in the buffers (lu_buf_check()).
 *
 * What the standard says, by its sections:
 *
 *	2.1	Lines end with CR, LF or both; '#' begins a comment; names of records are read without
 *		regard to case, and blanks around names and values do not count.
 *	2.2.1	The groups of the crawler's product token, compared without regard to case, count as
 *		one. If there is none, those of "*" do; if there is none either, all is allowed. Rules
 *		before the first group are none.
 *	2.2.2	The rule with the longest path that matches from the beginning of the address's path
 *		decides; of two as long the one that allows. Paths are compared as octets, after
 *		octets beyond ASCII were escaped and escapes of unreserved characters undone.
 *		"/robots.txt" is always allowed.
 *	2.2.3	'*' in a path stands for any octets, '$' at its end for the end of the address;
 *		"%2A" and "%24" are those characters themselves.
 *	2.2.4	Records of other names (Sitemap, Crawl-delay) count as if they were not there: they do
 *		not end a list of User-agent lines.
 *	2.5	The first 500 KiB of a file are read, up to the end of a line.
 *
 * Where it leaves a choice:
 *
 *   - A product token has letters, '-' and '_'. Digits count as well here, for crawlers such as
 *     AI2Bot. What follows ("/2.1", " (compatible)") is passed over, on both sides.
 *   - In a query, where ':', '/', '?', '[', ']', '@' and '#' have no meaning, they equal their
 *     escapes, as in the standard's table of section 2.2.2; in a path "%2F" is not '/'.
 *   - The length of a path is that of its compared form, and '*' stands for any octets of that form:
 *     it may end within an escape.
 *   - A rule with an empty path matches nothing, one that does not begin with '/' or '*' cannot.
 *   - Misspelt names of records and lines without a colon are no records.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

#define LU_ROBOTS_LIMIT ((size_t)500 << 10)

/* The product token that a string begins with; empty: none. "*" is one. */
struct lu_str lu_robots_token(struct lu_str s);

#define LU_ROBOTS_AGENTS 63 /* at most */

/* Append the policy of a file: for each of the agents, product tokens, its rules in order of
 * precedence. The form is private to this file; equal bytes are equal policies. */
void lu_robots_compile(struct lu_str text, const struct lu_str *agent, size_t agents,
		struct lu_buf *policy);

/* The rules of agent i; empty: all is allowed. */
struct lu_str lu_robots_rules(struct lu_str policy, size_t i);

/* Append the compared form of the path and query of an address (which may be empty: "/"). */
void lu_robots_path(struct lu_str path, struct lu_buf *out);

/* The answer for a path in its compared form. *rule is the path of the rule that decided, .p NULL:
 * none did, so that the path is allowed. */
bool lu_robots_allows(struct lu_str rules, struct lu_str path, struct lu_str *rule);

#endif
