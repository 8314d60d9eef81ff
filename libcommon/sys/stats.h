#ifndef LUCIE_SYS_STATS_H
#define LUCIE_SYS_STATS_H
/*
 * The accounting line: in + repeated = out + dropped, by reason.
 *
 * A program counts into a struct lu_stats in input order (so that the line does not depend on
 * threads) and lu_stats_append() adds one JSON object to the file named by --stats:
 *
 *	{"tool":"lucie-filter","version":"0.2.0","args":["--preset","gopher"],
 *	 "in":{"docs":3,"bytes":900},"out":{"docs":2,"bytes":700},
 *	 "dropped":{"too short":1},"repeated":0,"time":{"wall_s":0.1,"cpu_s":0.1,"rss_bytes":1}}
 *
 * "args" is the command line as given. Only "time" may differ between two equal runs. Bytes are
 * bytes of records with their newline, after decompression and before compression.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/sys/tool.h"

struct lu_count {
	uint64_t docs, bytes;
};

struct lu_reason {
	char *name;
	uint64_t n;
};

struct lu_stats {
	struct lu_count in, out;
	uint64_t repeated;
	struct lu_reason *dropped; /* in byte order of the name when written */
	size_t reasons;
	struct lu_buf extra; /* more members: text that starts with ',' or is empty */
};

/* Counts n documents as dropped for a reason ("too short"). */
int lu_stats_drop(
		struct lu_stats *s, const char *reason, uint64_t n, struct lu_err *err) LU_CHECKED;
uint64_t lu_stats_dropped(const struct lu_stats *s);
/* -1 when a line cannot be appended to `path`: asked by lu_tool_start(), before the
 * work. Creates nothing. NULL is fine. */
int lu_stats_check(const char *path, struct lu_err *err) LU_CHECKED;
/* Appends the line; does nothing when `path` is NULL. */
int lu_stats_append(struct lu_stats *s, const struct lu_args *args, const char *path,
		struct lu_err *err) LU_CHECKED;
void lu_stats_release(struct lu_stats *s);

#endif
