#include "libcommon/sys/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The line is on the screen; messages wipe it first. */
static volatile bool shown;

double lu_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void lu_progress_start(
		struct lu_progress *p, const char *tool, enum lu_progress_mode mode, uint64_t total)
{
	bool terminal = isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp();

	*p = (struct lu_progress){
		.tool = tool, .unit = "docs", .total = total, .start = lu_clock()
	};
	p->on = mode == LU_PROGRESS_ALWAYS || (mode == LU_PROGRESS_AUTO && terminal);
	p->last = mode == LU_PROGRESS_ALWAYS ? 0 : p->start + 0.8;
}

static void put(const char *line, size_t n)
{
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void lu_progress_update(struct lu_progress *p, uint64_t done, uint64_t docs)
{
	char line[256];
	double now, rate;
	int n;

	if (!p->on)
		return;
	now = lu_clock();
	if (now - p->last < 0.2)
		return;
	p->last = now;
	rate = (double)done / (now - p->start + 1e-9);
	n = snprintf(line, sizeof(line), "\r\033[K%s: %.1f MB", p->tool, (double)done * 1e-6);
	if (p->total)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " of %.1f (%.0f%%)",
				(double)p->total * 1e-6, 100.0 * (double)done / (double)p->total);
	n += snprintf(line + n, sizeof(line) - (size_t)n, ", %" PRIu64 " %s, %.1f MB/s", docs,
			p->unit, rate * 1e-6);
	if (p->total > done && rate > 0)
		n += snprintf(line + n, sizeof(line) - (size_t)n, ", %.0f s left",
				(double)(p->total - done) / rate);
	if (n > (int)sizeof(line) - 1)
		n = (int)sizeof(line) - 1;
	put(line, (size_t)n);
	shown = true;
}

void lu_progress_end(struct lu_progress *p)
{
	p->on = false;
	lu_progress_clear();
}

void lu_progress_clear(void)
{
	if (shown)
		put("\r\033[K", 4);
	shown = false;
}
