#ifndef LUCIE_ROBOTS_ROBOTS_H
#define LUCIE_ROBOTS_ROBOTS_H
/*
 * The robots.txt files of many hosts, as a crawl has fetched them, and what they say to some crawlers
 * about an address.
 *
 *	struct lu_robots r = { 0 };
 *	lu_robots_agents(&r, "CCBot,GPTBot,*", &err)
 *	lu_robots_read(&r, path, &err)			adds a file; any number of them
 *	lu_robots_read_all(&r, &err)			after the last one
 *	lu_robots_ask(&r, url, &scratch, &answer);	on any thread
 *	lu_robots_release(&r);
 *
 * A file is a web archive (WARC) of responses, as Common Crawl publishes them for each crawl, or JSON
 * Lines with the members "url", "text", "date" (ISO 8601), "status" (of HTTP, 200 if absent) and
 * "location" (of a redirection). Both may be compressed.
 *
 * A robots.txt holds for one scheme, host and port (RFC 9309, section 2.3). Of several responses for
 * one address the newest counts, of two of the same second the one read last. By its status
 * (section 2.3.1):
 *
 *	2xx		its rules hold
 *	3xx		the response for its Location does, after at most five steps; beyond, all is allowed
 *	4xx		there is no robots.txt: all is allowed
 *	5xx		the host could not say: all is forbidden
 *
 * An address whose host has no response, or a redirection to one that was not read, is "missing".
 * Beyond the standard: without a response for http and the usual port, that for https counts, and the
 * other way round, since a crawl asks a host once.
 *
 * Memory: 24 bytes and the address for each response, 8 for its place in the table; policies that are
 * equal are stored once, and hold only the rules for the agents asked for.
 */
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/robots/robots_txt.h"

enum lu_robots_decision {
	LU_ROBOTS_ALLOWED,
	LU_ROBOTS_DISALLOWED,  /* by `rule`, for `agent` */
	LU_ROBOTS_UNAVAILABLE, /* 4xx: allowed */
	LU_ROBOTS_UNREACHABLE, /* 5xx: disallowed */
	LU_ROBOTS_MISSING,     /* nobody knows */
	LU_ROBOTS_NO_ADDRESS,  /* the document has none */
};

#define LU_ROBOTS_UNDATED INT64_MIN

struct lu_robots_answer {
	enum lu_robots_decision decision;
	struct lu_str agent; /* the first of those asked for that is disallowed; else all of them */
	struct lu_str rule;  /* the path that disallows it, in its compared form */
	int64_t date;	     /* of the response, in seconds since 1970, or LU_ROBOTS_UNDATED */
};

struct lu_robots_response {
	uint64_t key; /* in keys */
	int64_t date;
	uint32_t policy;
	uint16_t key_n;
	uint16_t status; /* 200, 300, 400, 500: the first digit alone */
};

struct lu_robots_policy {
	size_t at;
	uint32_t n;
};

struct lu_robots {
	const char *names;		     /* as they were given */
	struct LU_VEC(struct lu_str) agents; /* slices of them */
	struct lu_buf keys, policies;
	struct LU_VEC(struct lu_robots_response) responses;
	struct LU_VEC(struct lu_robots_policy) policy;
	struct lu_map by_key, by_policy;
	struct lu_buf key, content, text; /* scratch of reading */
	uint64_t read;			  /* responses read */
	uint64_t passed_over;		  /* damaged ones, and records that are no responses */
	uint64_t named;			  /* those whose path is /robots.txt */
};

/* `list` is product tokens separated by commas, and must outlive the answers. */
int lu_robots_agents(struct lu_robots *r, const char *list, struct lu_err *err) LU_CHECKED;
int lu_robots_read(struct lu_robots *r, const char *path, struct lu_err *err) LU_CHECKED;
/* After the last file: an error if no response that can be used is for a robots.txt, as in an archive
 * of pages, which would decide nothing in silence. */
int lu_robots_read_all(const struct lu_robots *r, struct lu_err *err) LU_CHECKED;
/* `scratch` is overwritten; memory that runs out shows there. The strings of the answer live as long
 * as the table. */
void lu_robots_ask(const struct lu_robots *r, struct lu_str url, struct lu_buf *scratch,
		struct lu_robots_answer *answer);
void lu_robots_release(struct lu_robots *r);

#endif
