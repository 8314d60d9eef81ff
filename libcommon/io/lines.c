#include "libcommon/io/lines.h"

#include <errno.h>
#include <sys/stat.h>

#include "libcommon/sys/file.h"

int lu_lines_open(struct lu_lines *l, char **files, size_t n, uint64_t max_line, struct lu_err *err)
{
	*l = (struct lu_lines){ .file = files, .files = n, .max_line = max_line };
	for (size_t i = 0; i < n; i++) {
		struct stat st;

		/* Fail on a missing file now, not after hours of work. */
		if (strcmp(files[i], "-") == 0)
			continue;
		if (stat(files[i], &st) < 0)
			return lu_err_sys(err, errno, "%s", files[i]);
		if (S_ISREG(st.st_mode))
			l->total_bytes += (uint64_t)st.st_size;
	}
	return lu_files_distinct(files, n, "", err);
}

void lu_lines_close(struct lu_lines *l)
{
	lu_in_close(l->in);
	l->in = NULL;
	lu_buf_release(&l->carry);
}

uint64_t lu_lines_consumed(const struct lu_lines *l)
{
	return l->done_bytes + (l->in ? lu_in_consumed(l->in) : 0);
}

static int open_next(struct lu_lines *l, struct lu_err *err)
{
	if (lu_in_open(&l->in, l->file[l->next_file], err) < 0)
		return -1;
	l->next_file++;
	l->line = 0;
	l->fresh = true;
	return 0;
}

static void close_this(struct lu_lines *l)
{
	l->done_bytes += lu_in_consumed(l->in);
	lu_in_close(l->in);
	l->in = NULL;
}

/* Append n bytes of the file; *ended if there were fewer. */
static int append(struct lu_lines *l, struct lu_buf *b, size_t n, bool *ended, struct lu_err *err)
{
	ssize_t got;

	if (!lu_buf_reserve(b, n))
		return lu_err_nomem(err);
	got = lu_in_read(l->in, b->p + b->n, n, err);
	if (got < 0)
		return -1;
	b->n += (size_t)got;
	*ended = (size_t)got < n;
	return 0;
}

/* Skip a line that is too long, up to its newline, in bounded memory. */
static int skip_line(struct lu_lines *l, struct lu_slab *slab, bool *ended, struct lu_err *err)
{
	struct lu_buf *b = &slab->bytes;

	for (;;) {
		char *nl = b->n ? memchr(b->p, '\n', b->n) : NULL;

		slab->skipped += nl ? (size_t)(nl - b->p) : b->n;
		if (nl || *ended) {
			/* The slab becomes an empty line; what follows is carried over. */
			if (nl)
				lu_buf_append(&l->carry, nl + 1, (size_t)(b->p + b->n - nl - 1));
			lu_buf_clear(b);
			lu_buf_putc(b, '\n');
			return lu_buf_check(b, err) < 0 ? -1 : lu_buf_check(&l->carry, err);
		}
		lu_buf_clear(b);
		if (append(l, b, LU_SLAB, ended, err) < 0)
			return -1;
	}
}

static int fill(struct lu_lines *l, struct lu_slab *slab, struct lu_err *err)
{
	struct lu_buf *b = &slab->bytes;
	bool ended = false;
	size_t searched = 0;
	char *last;

	lu_buf_append(b, l->carry.p, l->carry.n);
	lu_buf_clear(&l->carry);
	if (b->n < LU_SLAB && append(l, b, LU_SLAB - b->n, &ended, err) < 0)
		return -1;
	if (l->fresh && b->n >= 3 && memcmp(b->p, "\xEF\xBB\xBF", 3) == 0) {
		memmove(b->p, b->p + 3, b->n - 3);
		b->n -= 3;
	}
	l->fresh = false;
	/* Without a newline the line goes on. */
	while (!ended && !memchr(b->p + searched, '\n', b->n - searched)) {
		if (b->n > l->max_line)
			return skip_line(l, slab, &ended, err);
		searched = b->n;
		if (append(l, b, LU_SLAB, &ended, err) < 0)
			return -1;
	}
	if (ended) {
		close_this(l);
		return lu_buf_check(b, err);
	}
	last = memrchr(b->p, '\n', b->n);
	lu_buf_append(&l->carry, last + 1, (size_t)(b->p + b->n - last - 1));
	b->n = (size_t)(last + 1 - b->p);
	return lu_buf_check(&l->carry, err);
}

int lu_lines_read(struct lu_lines *l, struct lu_slab *slab, struct lu_err *err)
{
	/* Do not keep the memory of a huge record in every batch that ever held one. */
	if (slab->bytes.cap > 8 * LU_SLAB)
		lu_buf_release(&slab->bytes);
	lu_buf_clear(&slab->bytes);
	slab->at = 0;
	slab->skipped = 0;
	slab->max_line = l->max_line;
	while (slab->bytes.n == 0) {
		if (!l->in) {
			if (l->next_file == l->files)
				return 0;
			if (open_next(l, err) < 0)
				return -1;
		}
		slab->file = l->file[l->next_file - 1];
		slab->first_line = l->line + 1;
		slab->line = l->line;
		if (fill(l, slab, err) < 0)
			return -1;
	}
	for (const char *p = slab->bytes.p, *end = p + slab->bytes.n; p < end; l->line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		p = nl ? nl + 1 : end;
	}
	return 1;
}

bool lu_slab_next(struct lu_slab *slab, struct lu_str *line)
{
	const char *from = slab->bytes.p + slab->at;
	size_t left = slab->bytes.n - slab->at;
	const char *nl;

	if (left == 0)
		return false;
	nl = memchr(from, '\n', left);
	line->p = from;
	line->n = nl ? (size_t)(nl - from) : left;
	slab->at += line->n + (nl != NULL);
	slab->line++;
	slab->length = slab->skipped ? slab->skipped : line->n;
	slab->too_long = slab->length > slab->max_line;
	if (slab->too_long)
		line->n = 0;
	return true;
}
