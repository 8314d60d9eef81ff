#include "libcommon/entries/parquet_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/entries/parquet_rows.h"
#include "libcommon/parquet/parquet_cursor.h"
#include "libcommon/sys/file.h"

/* Rows of a block at most, and bytes that its pages expand to: of one column, of all. */
#define ROWS 32768
#define COLUMN_BYTES ((size_t)4 << 20)
#define ALL_BYTES ((size_t)8 << 20)
#define NAME_BYTES ((size_t)32 << 20)
/* Open pages of all columns; beyond it they are parked between blocks. */
#define OPEN_BYTES ((size_t)48 << 20)

struct reader {
	struct lu_pq_file file;
	const char *name;
	struct lu_pq_shared shared;
	struct lu_pq_chunk *chunk; /* of each leaf */
	struct lu_pq_cursor *cursor;
	size_t lead;	    /* the largest column of the group */
	uint64_t rows, row; /* left in the group; number of the next in the file */
	uint64_t most;	    /* rows of a block of this group */
	bool begun;
};

bool lu_parquet_is(struct lu_str head)
{
	/* One with an encrypted footer too, to say so. */
	return head.n >= 4 &&
			(memcmp(head.p, LU_PQ_MAGIC, 4) == 0 || memcmp(head.p, "PARE", 4) == 0);
}

/* Open `file` if it is what the feed gives; -1: it is not. */
static int open_direct(const char *file)
{
	int fd = file ? lu_open(file, O_RDONLY, 0) : -1;
	struct stat st;
	char head[4];
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		do {
			n = pread(fd, head, sizeof(head), 0);
		} while (n < 0 && errno == EINTR);
		/* A compressed file begins otherwise. */
		if (n == 4 && lu_parquet_is((struct lu_str){ head, 4 }))
			return fd;
	}
	close(fd);
	return -1;
}

static int copy_feed(struct lu_feed *feed, const char *tmpdir, struct lu_err *err)
{
	size_t size = (size_t)256 << 10;
	int fd = lu_temp_open(tmpdir, err);
	char *buf = fd < 0 ? NULL : malloc(size);
	ssize_t n = -1;

	if (fd >= 0 && !buf)
		lu_err_nomem(err);
	while (buf && (n = lu_feed_read(feed, buf, size, err)) > 0) {
		if (lu_write_all(fd, buf, (size_t)n, "temporary file", err) < 0) {
			n = -1;
			break;
		}
	}
	free(buf);
	if (n == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void reader_close(void *state)
{
	struct reader *r = state;

	if (!r)
		return;
	for (size_t k = 0; r->cursor && k < r->file.schema.leaves.n; k++)
		lu_pq_cursor_end(&r->cursor[k]);
	free(r->cursor);
	free(r->chunk);
	lu_vec_release(&r->shared.large);
	lu_pq_file_close(&r->file);
	free(r);
}

static int reader_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	size_t leaves;
	int fd;

	if (!r)
		return lu_err_nomem(err);
	r->name = lu_feed_name(feed);
	r->file.fd = -1;
	fd = open_direct(file);
	if (fd < 0)
		fd = copy_feed(feed, tmpdir, err);
	if (fd < 0)
		goto fail;
	if (lu_pq_file_open(&r->file, fd, err) < 0 || lu_pq_choose(&r->file.schema, o, err) < 0) {
		lu_err_wrap(err, "%s", r->name);
		goto fail;
	}
	leaves = r->file.schema.leaves.n;
	r->chunk = calloc(leaves, sizeof(*r->chunk));
	r->cursor = calloc(leaves, sizeof(*r->cursor));
	if (!r->chunk || !r->cursor) {
		lu_err_nomem(err);
		goto fail;
	}
	r->shared = (struct lu_pq_shared){ .file = &r->file, .tmpdir = tmpdir, .limit = o->limit };
	*state = r;
	return 0;
fail:
	reader_close(r);
	return -1;
}

static const struct lu_pq_node *leaf(const struct reader *r, size_t k)
{
	return &r->file.schema.nodes.p[r->file.schema.leaves.p[k]];
}

/* Begin the next row group. 1; 0: there is none; -1. */
static int next_group(struct reader *r, struct lu_err *err)
{
	uint64_t size = 0;
	double extra = 0;
	int rc = lu_pq_file_group(&r->file, r->chunk, &r->rows, err);

	if (rc <= 0)
		return rc;
	r->shared.row = r->row;
	r->lead = SIZE_MAX;
	for (size_t k = 0; k < r->file.schema.leaves.n; k++) {
		if (!leaf(r, k)->wanted)
			continue;
		lu_pq_cursor_begin(&r->cursor[k], &r->shared, leaf(r, k), &r->chunk[k]);
		if (r->lead == SIZE_MAX || r->chunk[k].size > r->chunk[r->lead].size)
			r->lead = k;
		size += r->chunk[k].size < INT64_MAX - size ? r->chunk[k].size : 0;
		/* As JSON: a name, its marks, and digits in place of bytes. */
		extra += (double)leaf(r, k)->name.n + 24;
	}
	/* Rows of average size, so that a file of many columns has small blocks too. */
	r->most = (uint64_t)((double)ALL_BYTES / ((double)size / ((double)r->rows + 1) + extra));
	if (r->most > ROWS)
		r->most = ROWS;
	/* The names of members, at worst all in each row. */
	if (r->most > NAME_BYTES / r->file.list.n)
		r->most = NAME_BYTES / r->file.list.n;
	if (r->most == 0)
		r->most = 1;
	return 1;
}

/* Free the open page of a column, if those before it take what all may take. */
static void park(struct reader *r, size_t k, size_t *sum)
{
	*sum += lu_pq_cursor_memory(&r->cursor[k]);
	if (*sum > OPEN_BYTES) {
		*sum -= lu_pq_cursor_memory(&r->cursor[k]);
		lu_pq_cursor_park(&r->cursor[k]);
	}
}

/* Agree on the rows of a block: first the largest column, whose pages then go whole. */
static int plan(struct reader *r, uint64_t *rows, struct lu_err *err)
{
	size_t n = r->file.schema.leaves.n, sum = 0;

	*rows = r->rows < r->most ? r->rows : r->most;
	for (size_t i = 0; i <= n; i++) {
		size_t k = i ? i - 1 : r->lead;
		uint64_t have;

		if (k >= n || !leaf(r, k)->wanted || (i && k == r->lead))
			continue;
		if (lu_pq_cursor_rows(&r->cursor[k], *rows, COLUMN_BYTES, &have, err) < 0)
			return lu_err_wrap(err, "column '" LU_STR_FMT "'",
					LU_STR_ARG(leaf(r, k)->name));
		park(r, k, &sum);
		if (have == 0)
			return lu_err_set(err, "column '" LU_STR_FMT "' has fewer values than rows",
					LU_STR_ARG(leaf(r, k)->name));
		if (have < *rows)
			*rows = have;
	}
	return 0;
}

/* The numbers of large rows before `end`, in order: columns found them in theirs. */
static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static uint32_t put_large(struct reader *r, uint64_t end, struct lu_buf *block)
{
	uint64_t *p = r->shared.large.p;
	size_t n = 0, all = r->shared.large.n;

	if (all == 0)
		return 0;
	qsort(p, all, sizeof(*p), by_number);
	while (n < all && p[n] < end)
		n++;
	lu_buf_append(block, p, n * sizeof(*p));
	memmove(p, p + n, (all - n) * sizeof(*p));
	r->shared.large.n = all - n;
	return (uint32_t)n;
}

static int put_block(struct reader *r, uint64_t rows, struct lu_buf *block, struct lu_err *err)
{
	struct lu_pq_block head = { .row = r->row,
		.rows = rows,
		.schema = (uint32_t)r->file.list.n,
		.first = !r->begun,
		.records = r->file.records };
	size_t sum = 0;

	r->shared.carried = 0;
	lu_buf_append(block, &head, sizeof(head));
	lu_buf_str(block, r->file.list);
	for (size_t k = 0; k < r->file.schema.leaves.n; k++) {
		if (!leaf(r, k)->wanted)
			continue;
		if (lu_pq_cursor_take(&r->cursor[k], rows, block, err) < 0)
			return lu_err_wrap(err, "column '" LU_STR_FMT "'",
					LU_STR_ARG(leaf(r, k)->name));
		park(r, k, &sum);
	}
	head.large = put_large(r, r->row + rows, block);
	if (lu_buf_check(block, err) < 0)
		return -1;
	memcpy(block->p, &head, sizeof(head));
	return 0;
}

static int reader_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct reader *r = state;
	uint64_t rows;
	int rc = 1;

	lu_buf_clear(block);
	while (rc > 0 && r->rows == 0)
		rc = next_group(r, err);
	if (rc == 0)
		return 0;
	if (rc < 0 || plan(r, &rows, err) < 0 || put_block(r, rows, block, err) < 0)
		return lu_err_wrap(err, "%s", r->name);
	r->begun = true;
	r->rows -= rows;
	r->row += rows;
	return 1;
}

const struct lu_entries_type lu_parquet = {
	.name = "Parquet",
	.distinct = true,
	.open = reader_open,
	.block = reader_block,
	.convert = lu_pq_convert,
	.close = reader_close,
};
