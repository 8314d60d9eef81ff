#ifndef LUCIE_HTML_NOTICE_H
#define LUCIE_HTML_NOTICE_H
/*
 * What publishers say about the use of a page: reservations against training, and the licence. They
 * are kept, never judged; lucie-filter or the user decides.
 *
 *	lu_notice_clear(&n);
 *	lu_notice_http(&n, http.fields);	TDM-Reservation, TDM-Policy, X-Robots-Tag
 *	lu_notice_page(&n, root);		meta robots, tdm-reservation, tdm-policy, link rel=license
 *	lu_notice_release(&n);
 *
 * Sources: the TDM Reservation Protocol (W3C community group, 2024) for tdm-*; the directives of
 * robots that crawlers for training document.
 */
#include "libcommon/html/html_tree.h"

struct lu_notice {
	unsigned optout;	       /* bits of lu_notice_signals */
	struct lu_buf license, policy; /* URLs; empty: none */
};

/* Names of the bits of `optout`, NULL-terminated: the directives, and "tdm-reservation". */
extern const char *const lu_notice_signals[];

void lu_notice_clear(struct lu_notice *n);
/* The fields of an HTTP response, a line each. */
void lu_notice_http(struct lu_notice *n, struct lu_str fields);
/* A parsed page. */
void lu_notice_page(struct lu_notice *n, const struct lu_html_node *root);
void lu_notice_release(struct lu_notice *n);

#endif
