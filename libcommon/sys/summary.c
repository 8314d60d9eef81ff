#include "libcommon/sys/summary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/sys/terminal.h"

static int by_count(const void *a, const void *b)
{
	const struct lu_reason *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static void put_counts(
		const struct lu_stats *s, const char *noun, const char *verb, struct lu_buf *out)
{
	uint64_t dropped = lu_stats_dropped(s);

	lu_buf_u64(out, s->in.docs);
	if (noun)
		lu_buf_printf(out, " %.*s", (int)strlen(noun) - (s->in.docs == 1), noun);
	lu_buf_puts(out, " in");
	if (s->repeated)
		lu_buf_printf(out, ", %" PRIu64 " repeated", s->repeated);
	lu_buf_printf(out, ", %" PRIu64 " %s", s->out.docs, verb);
	if (dropped)
		lu_buf_printf(out, ", %" PRIu64 " dropped", dropped);
}

/* Append as many reasons as fit. False if none does. */
static bool put_reasons(const struct lu_reason *r, size_t n, size_t width, struct lu_buf *out)
{
	size_t start = out->n;

	for (size_t shown = n; shown > 0 && lu_buf_ok(out); shown--) {
		for (size_t i = 0; i < shown; i++)
			lu_buf_printf(out, "%s%" PRIu64 " %s", i ? ", " : ": ", r[i].n, r[i].name);
		lu_buf_puts(out, shown < n ? ", ..." : "");
		if (out->n <= width || !lu_buf_ok(out))
			return true;
		out->n = start;
		out->p[start] = '\0';
	}
	return n == 0;
}

/* The reasons by their numbers. False if none fits. */
static bool put_sorted(const struct lu_stats *s, size_t width, struct lu_buf *out)
{
	size_t n = s->dropped.n;
	struct lu_reason *r = n ? malloc(n * sizeof(*r)) : NULL;
	bool fits;

	if (r) {
		memcpy(r, s->dropped.p, n * sizeof(*r));
		qsort(r, n, sizeof(*r), by_count);
	} else {
		n = 0;
	}
	fits = put_reasons(r, n, width, out);
	free(r);
	return fits;
}

void lu_summary_reasons(const struct lu_stats *s, size_t width, struct lu_buf *out)
{
	(void)put_sorted(s, width, out);
}

void lu_summary_format(const struct lu_stats *s, const char *noun, const char *verb, size_t width,
		struct lu_buf *out)
{
	put_counts(s, noun, verb, out);
	if (!put_sorted(s, width, out) || out->n > width) {
		/* The noun makes room. */
		lu_buf_clear(out);
		put_counts(s, NULL, verb, out);
		(void)put_sorted(s, width, out);
	}
}

bool lu_summary(const struct lu_stats *s, const struct lu_args *args, const char *noun,
		const char *verb)
{
	size_t width = lu_terminal_columns(), name = strlen(args->tool->name) + 2;
	struct lu_buf line = { 0 };

	if (width == 0)
		return false;
	lu_summary_format(s, noun, verb, width > name ? width - name : 0, &line);
	if (lu_buf_ok(&line))
		lu_note("%s", line.p);
	lu_buf_release(&line);
	return true;
}
