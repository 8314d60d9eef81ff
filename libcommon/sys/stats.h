#ifndef LUCIE_SYS_STATS_H
#define LUCIE_SYS_STATS_H
/*
 * The accounting line of --stats: in + repeated = out + dropped, by reason.
 *
 * A program counts into a struct lu_stats in input order, so that the line does not depend on
 * threads. lu_stats_append() appends one JSON object to the file (lucie-stats-line(5)):
 *
 *	{"tool":"lucie-filter","version":"1.0","args":["--preset","gopher"],
 *	 "in":{"docs":3,"bytes":900},"out":{"docs":2,"bytes":700},
 *	 "dropped":{"too short":1},"repeated":0,"time":{"wall_s":0.1,"cpu_s":0.1,"rss_bytes":1,
 *	 "date":"2026-11-29T17:01:15Z","machine":"node7, 2 processors"}}
 *
 * "args" is the command line as given. Only "time" may differ between two equal runs. Bytes are
 * those of records with their newline, after decompression and before compression.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"
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
	struct LU_VEC(struct lu_reason) dropped; /* sorted by name when written */
	struct lu_buf extra;			 /* more members, written with base/json_writer.h */
};

/* Count n documents as dropped for a reason ("too short"). */
int lu_stats_drop(
		struct lu_stats *s, const char *reason, uint64_t n, struct lu_err *err) LU_CHECKED;
/* Number of documents dropped, for all reasons. */
uint64_t lu_stats_dropped(const struct lu_stats *s);
/* The reason that most were dropped for, of equal ones the first by name; NULL if none was. */
const char *lu_stats_main_reason(const struct lu_stats *s);

/* `path` is a file that the line is appended to, or "new:FILE": FILE is then replaced by one that has
 * this line alone, as an output is. Appending is safe among programs on one host, not on a network file
 * system; and two attempts at one output would leave two lines.
 *
 * Fail unless a line can be appended to `path`; creates nothing. lu_tool_start() calls it, so that
 * a wrong path fails before the work. */
int lu_stats_check(const char *path, struct lu_err *err) LU_CHECKED;
/* Append the line. For both, a NULL path is no file: nothing is done. */
int lu_stats_append(struct lu_stats *s, const struct lu_args *args, const char *path,
		struct lu_err *err) LU_CHECKED;
void lu_stats_release(struct lu_stats *s);

#endif
