/* robots.txt read a second time, slowly and differently: paths as lists of octets, rules by a table of
 * all pairs of positions. */
#ifndef LUCIE_TESTS_PLAIN_ROBOTS_H
#define LUCIE_TESTS_PLAIN_ROBOTS_H
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* May `agent` (a product token or "*") fetch the path? */
bool plain_robots_allows(struct lu_str text, const char *agent, struct lu_str path);

#endif
