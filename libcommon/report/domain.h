#ifndef LUCIE_REPORT_DOMAIN_H
#define LUCIE_REPORT_DOMAIN_H
/*
 * The domain of an address, for counting: whose site a document is from.
 *
 *	lu_domain("https://www.Example.co.uk:8080/a?b#c", room) is "example.co.uk"
 *
 * A simple rule, not the Public Suffix List: the last two labels of the host in lower case, or the
 * last three if
 *   - the last has two letters, and the one before is a usual class of such a country: ac, co, com,
 *     edu, gob, gouv, gov, mil, net, or, org and the like, or
 *   - the last two are a service that gives each user a name below its own, such as github.io.
 * In doubt the host stands for itself: an IP address, a name without a dot, one with a byte outside
 * of letters, digits, hyphen, underscore and those above ASCII. User, port, "www." in front and a
 * final dot are left out, and the scheme may be missing.
 */
#include "libcommon/base/buf.h"

#define LU_DOMAIN_ROOM 256 /* bytes; a name of the DNS has at most 253 */

/* Empty if the address has no host, or one that is longer than a name can be. The slice is of
 * `room`. */
struct lu_str lu_domain(struct lu_str url, char room[LU_DOMAIN_ROOM]);

#endif
