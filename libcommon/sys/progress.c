#include "libcommon/sys/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sys/terminal.h"

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
	*p = (struct lu_progress){
		.tool = tool, .unit = "docs", .total = total, .start = lu_clock()
	};
	p->on = mode == LU_PROGRESS_ALWAYS || (mode == LU_PROGRESS_AUTO && lu_terminal_columns());
	p->asked = mode == LU_PROGRESS_ALWAYS;
	p->last = mode == LU_PROGRESS_ALWAYS ? 0 : p->start + 0.8;
}

void lu_progress_start_units(struct lu_progress *p, const char *tool, enum lu_progress_mode mode,
		uint64_t total, const char *unit)
{
	lu_progress_start(p, tool, mode, total);
	p->unit = unit;
	p->counts = true;
}

static void put(const char *line, size_t n)
{
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

#define PART 96

static void format_done(const struct lu_progress *p, uint64_t done, char part[PART])
{
	double share = p->total ? 100.0 * (double)done / (double)p->total : 0;

	if (p->counts && p->total)
		snprintf(part, PART, "%" PRIu64 " of %" PRIu64 " %s (%.0f%%)", done, p->total,
				p->unit, share);
	else if (p->counts)
		snprintf(part, PART, "%" PRIu64 " %s", done, p->unit);
	else if (p->total)
		snprintf(part, PART, "%.1f MB of %.1f (%.0f%%)", (double)done * 1e-6,
				(double)p->total * 1e-6, share);
	else
		snprintf(part, PART, "%.1f MB", (double)done * 1e-6);
}

void lu_progress_format(const struct lu_progress *p, uint64_t done, uint64_t docs, double seconds,
		size_t columns, char line[LU_PROGRESS_LINE])
{
	enum { DONE, DOCS, SPEED, LEFT, PARTS };
	static const int least[] = { SPEED, DOCS, LEFT }; /* the first to go */
	char part[PARTS][PART] = { "", "", "", "" };
	double rate = (double)done / (seconds + 1e-9);
	size_t n;

	format_done(p, done, part[DONE]);
	if (!p->counts)
		snprintf(part[DOCS], PART, ", %" PRIu64 " %s", docs, p->unit);
	snprintf(part[SPEED], PART, p->counts ? ", %.0f/s" : ", %.1f MB/s",
			p->counts ? rate : rate * 1e-6);
	if (p->total > done && rate > 0)
		snprintf(part[LEFT], PART, ", %.0f s left", (double)(p->total - done) / rate);
	for (size_t i = 0;; i++) {
		n = (size_t)snprintf(line, LU_PROGRESS_LINE, "%s: %s%s%s%s", p->tool, part[DONE],
				part[DOCS], part[SPEED], part[LEFT]);
		if (n <= columns || i == sizeof(least) / sizeof(least[0]))
			break;
		part[least[i]][0] = '\0';
	}
	if (n > columns && columns < LU_PROGRESS_LINE)
		line[columns] = '\0';
}

void lu_progress_update(struct lu_progress *p, uint64_t done, uint64_t docs)
{
	char line[LU_PROGRESS_LINE], text[LU_PROGRESS_LINE + 8];
	size_t columns;
	double now;
	int n;

	if (!p->on)
		return;
	now = lu_clock();
	if (now - p->last < 0.2)
		return;
	p->last = now;
	/* Only now have the other programs of a pipeline surely started. */
	if (!p->asked)
		p->on = lu_terminal_is_ours();
	p->asked = true;
	if (!p->on)
		return;
	columns = lu_terminal_columns();
	/* The last column stays free: some terminals wrap when it is written. */
	lu_progress_format(p, done, docs, now - p->start, columns ? columns - 1 : 79, line);
	n = snprintf(text, sizeof(text), "\r\033[K%s", line);
	put(text, (size_t)n);
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
