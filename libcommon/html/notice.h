#ifndef LUCIE_HTML_NOTICE_H
#define LUCIE_HTML_NOTICE_H
/*
 * What publishers say about the use of a page: signals to crawlers, reservations against training,
 * and the licence. They are kept, never judged; lucie-filter or the user decides.
 *
 *	lu_notice_clear(&n);
 *	lu_notice_http(&n, http.fields);	fields of the response
 *	lu_notice_page(&n, root);		elements of the page
 *	lu_notice_write(&n, &out);		members of the record
 *	lu_notice_release(&n);
 *
 * What is read, and where from:
 *
 *	X-Robots-Tag, meta robots	directives of robots, also for one robot of its own: "googlebot:
 *	and others			noai", <meta name="googlebot">; only those that concern the use
 *					of content: noai, noimageai, noml, disallowaitraining; noindex,
 *					none, noarchive, nocache, nosnippet, noimageindex
 *	TDM-Reservation, TDM-Policy	TDM Reservation Protocol (W3C community group, 2024), as fields or
 *					meta elements
 *	Content-Signal			contentsignals.org (Cloudflare, 2025): ai-train=no, search=yes,
 *					ai-input=no
 *	Content-Usage			draft-ietf-aipref-attach and -vocab (IETF, 2025): train-ai=n,
 *					search=y
 *	Link, link and a elements	rel=license (RFC 4946; HTML, 4.6.7.9): the first one counts
 *
 * The members: `optout`, an array of the signals that reserve the page against training, in the order of
 * lu_notice_optouts; `signals`, an object with a member for each signal, "noai" or "ai-train=no", whose
 * value says where it stands:
 *
 *	{"noai":["header x-robots-tag","meta ccbot"],"ai-train=no":["header content-signal"]}
 *
 * `header` or `meta`, the name, and behind it the robot that a field is for; tdm_policy.
 */
#include "libcommon/html/html_tree.h"

/* More signals are left out: a page has a few. */
#define LU_SIGNALS_MAX 64

struct lu_notice {
	unsigned optout;	       /* bits of lu_notice_optouts */
	struct lu_buf license, policy; /* URLs; empty: none */
	/* Private: lines of a signal, a tab, and where it stands. */
	struct lu_buf signals;
	unsigned n;
};

/* Names of the bits of `optout`, NULL-terminated. */
extern const char *const lu_notice_optouts[];

void lu_notice_clear(struct lu_notice *n);
/* The fields of an HTTP response, a line each. */
void lu_notice_http(struct lu_notice *n, struct lu_str fields);
/* A parsed page. */
void lu_notice_page(struct lu_notice *n, const struct lu_html_node *root);
/* Append the members optout, signals and tdm_policy, as far as there is something in them. */
void lu_notice_write(const struct lu_notice *n, struct lu_buf *out);
/* 0, or -1 when memory ran out on the way. */
int lu_notice_check(const struct lu_notice *n, struct lu_err *err) LU_CHECKED;
void lu_notice_release(struct lu_notice *n);

#endif
