#include "trainer/run/alike.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lk.h"
#include "libcommon/base/buf.h"
#include "libcommon/sys/tool.h"

#define PIECE ((size_t)64 << 10) /* what lt_comm_share() takes at once */

/* What must be the same, a line each. */
static void describe(const struct lt_training *what, struct lu_buf *b)
{
	lu_buf_printf(b, "lucie-train %s with numbers of %zu bytes\n", LU_VERSION, sizeof(lk_real));
	if (what->from == UINT64_MAX)
		lu_buf_puts(b, "no --from-step\n");
	else
		lu_buf_printf(b, "--from-step %" PRIu64 "\n", what->from);
	if (what->until == SIZE_MAX)
		lu_buf_puts(b, "no --until\n");
	else
		lu_buf_printf(b, "--until %s\n", what->config->phase.p[what->until].name);
	for (size_t i = 0; i < what->skip->n; i++)
		lu_buf_printf(b, "--skip-samples %s\n", what->skip->item[i]);
	lu_buf_puts(b, what->overcommit ? "--overcommit\n" : "no --overcommit\n");
	lt_config_print(what->config, b);
}

/* Rank 0's text to all. */
static int share(struct lt_comm *comm, const struct lu_buf *own, struct lu_buf *first,
		struct lu_err *err)
{
	uint64_t n = own->n;

	if (lt_comm_share(comm, LT_CHANNEL_MAIN, &n, sizeof(n), err) < 0)
		return -1;
	/* Out of memory on one rank: the others find out at the agreement that follows. */
	if (!lu_buf_reserve(first, n))
		return lu_err_nomem(err);
	if (lt_comm_rank(comm) == 0)
		memcpy(first->p, own->p, n);
	for (size_t at = 0; at < n; at += PIECE) {
		size_t k = n - at < PIECE ? n - at : PIECE;

		if (lt_comm_share(comm, LT_CHANNEL_MAIN, first->p + at, k, err) < 0)
			return -1;
	}
	first->n = n;
	return 0;
}

/* A line of a text, and what comes after it. */
static struct lu_str next_line(struct lu_str *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	size_t n = end ? (size_t)(end - text->p) : text->n;
	struct lu_str line = { text->p, n };

	text->p += n + (end ? 1 : 0);
	text->n -= n + (end ? 1 : 0);
	return line;
}

/* The first line that differs, with the section that it stands in. */
static int compare(struct lt_comm *comm, const struct lu_buf *own, const struct lu_buf *first,
		struct lu_err *err)
{
	struct lu_str a = lu_buf_slice(own), b = lu_buf_slice(first), x, y, section = { "", 0 };
	size_t rank = lt_comm_rank(comm);

	if (lu_str_eq(a, b))
		return 0;
	do {
		x = next_line(&a);
		y = next_line(&b);
		if (x.n && x.p[0] == '[')
			section = x;
	} while (lu_str_eq(x, y));
	return lu_err_set(err,
			"rank %zu on %s was started with %.*s%s'%.*s' and rank 0 with '%.*s'; "
			"give all ranks the same -c, --set and program",
			rank, lt_comm_host(comm, rank), (int)section.n, section.p,
			section.n ? " " : "", (int)x.n, x.p, (int)y.n, y.p);
}

/* Warn on rank 0 of the first rank that computes with other instructions. */
static int compare_backends(struct lt_comm *comm, const char *backend, struct lu_err *err)
{
	enum { SIZE = 32 };
	char own[SIZE] = "", *all = calloc(lt_comm_size(comm) + 1, SIZE);
	int rc = all ? 0 : lu_err_nomem(err);

	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0) {
		free(all);
		return -1;
	}
	snprintf(own, sizeof(own), "%s", backend);
	rc = lt_comm_collect(comm, LT_CHANNEL_MAIN, own, SIZE, all, err);
	for (size_t r = 1; rc == 0 && lt_comm_rank(comm) == 0 && r < lt_comm_size(comm); r++) {
		const char *theirs = all + r * SIZE;

		if (memcmp(own, theirs, SIZE) == 0)
			continue;
		lu_warn("rank %zu on %s computes with '%.31s', rank 0 on %s with '%s': sums round "
			"otherwise, so another layout will give other bits",
				r, lt_comm_host(comm, r), theirs, lt_comm_host(comm, 0), own);
		break;
	}
	free(all);
	return rc;
}

int lt_alike_check(struct lt_comm *comm, const struct lt_training *what, const char *backend,
		struct lu_err *err)
{
	struct lu_buf own = { 0 }, first = { 0 };
	int rc;

	if (lt_comm_size(comm) == 1)
		return 0;
	describe(what, &own);
	rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, lu_buf_check(&own, err), err);
	if (rc == 0)
		rc = share(comm, &own, &first, err);
	if (rc == 0)
		rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, compare(comm, &own, &first, err), err);
	if (rc == 0)
		rc = compare_backends(comm, backend, err);
	lu_buf_release(&own);
	lu_buf_release(&first);
	return rc;
}
