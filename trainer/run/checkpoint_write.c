#include "trainer/run/checkpoint_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "trainer/run/hash_share.h"

#define BUFFER ((size_t)1 << 20)
#define CHANNEL LT_CHANNEL_SAVE
#define PATIENCE 100 /* tenths of a second */

/* One way through the stretches of this rank. */
struct pass {
	const struct lt_write *w;
	const char *dir;
	char *buf; /* to compare with; NULL when writing */
	struct lt_cursor cursor;
	int fd; /* of the file of `vector`; -1: none is open */
	enum lt_vector vector;
	char *path;
	uint64_t moved; /* bytes, of all files */
};

/* Open a file that rank 0 has just created. Over NFS another host may see it a little later. */
static int open_patiently(const char *path, int flags, bool created_here)
{
	const struct timespec tenth = { 0, 100000000 };
	int fd = open(path, flags | O_CLOEXEC);

	for (int i = 0; fd < 0 && !created_here && i < PATIENCE; i++) {
		if (errno != ENOENT && errno != ESTALE)
			break;
		nanosleep(&tenth, NULL);
		fd = open(path, flags | O_CLOEXEC);
	}
	return fd;
}

/* Ask the system to forget what it has cached of the file, so that reading reads the disk. */
static void forget(int fd)
{
	/* Not all file systems do; then less is verified, and nothing breaks. */
	(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int sync_file(struct pass *p, struct lu_err *err)
{
	if (p->fd >= 0 && !p->buf && fsync(p->fd) < 0)
		return lu_err_sys(err, errno, "%s", p->path);
	return 0;
}

static int close_file(struct pass *p, struct lu_err *err)
{
	int rc = sync_file(p, err);

	if (p->fd >= 0 && rc == 0 && !p->buf)
		forget(p->fd);
	if (p->fd >= 0 && close(p->fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", p->path);
	free(p->path);
	p->path = NULL;
	p->fd = -1;
	return rc;
}

static int open_file(struct pass *p, enum lt_vector vector, struct lu_err *err)
{
	if (p->fd >= 0 && p->vector == vector)
		return 0;
	if (close_file(p, err) < 0)
		return -1;
	p->path = lu_concat(p->dir, "/", lt_vector_files[vector]);
	if (!p->path)
		return lu_err_nomem(err);
	p->vector = vector;
	p->fd = open_patiently(
			p->path, p->buf ? O_RDONLY : O_WRONLY, lt_comm_rank(p->w->comm) == 0);
	if (p->fd < 0)
		return lu_err_sys(err, errno, "%s", p->path);
	if (p->buf)
		forget(p->fd);
	return 0;
}

static int compare(struct pass *p, const struct lt_stretch *x, struct lu_err *err)
{
	for (size_t i = 0; i < x->n; i += BUFFER) {
		size_t n = x->n - i < BUFFER ? x->n - i : BUFFER;

		if (lu_pread_all(p->fd, p->buf, n, x->at + i, p->path, err) < 0)
			return -1;
		if (memcmp(p->buf, x->p + i, n) != 0)
			return lu_err_set(err,
					"%s: what was written near byte %" PRIu64
					" does not read back: the file system has lost it",
					p->path, x->at + i);
	}
	return 0;
}

/* Write or compare the stretches of one round, and sync. *more becomes true if some are left. */
static int advance(struct pass *p, bool *more, struct lu_err *err)
{
	uint64_t stop = p->moved + p->w->round;
	struct lt_stretch x;

	while (p->moved < stop) {
		if (!lt_snapshot_next(p->w->snapshot, &p->cursor, &x))
			return close_file(p, err);
		if (open_file(p, x.vector, err) < 0 ||
				(p->buf ? compare(p, &x, err)
					: lu_pwrite_all(p->fd, x.p, x.n, x.at, p->path, err)) < 0)
			return -1;
		p->moved += x.n;
	}
	*more = true;
	return sync_file(p, err);
}

/* Write all stretches, or with a hash share compare them and hash the files. */
static int run_pass(struct pass *p, struct lt_hash_share *h, struct lu_err *err)
{
	struct lu_err ignored;
	bool more = true, left = true;
	int rc = 0;

	while (rc == 0 && more) {
		more = false;
		if (left) {
			left = false;
			rc = advance(p, &left, err);
			more = left;
		}
		if (rc == 0 && h)
			rc = lt_hash_share_read(h, p->w->round, &more, err);
		rc = lt_meet(p->w->comm, CHANNEL, rc, &more, err);
	}
	/* After a success it is closed; the first error is the one to report. */
	if (close_file(p, rc < 0 ? &ignored : err) < 0)
		rc = -1;
	return rc;
}

/* What each rank has done. */
struct done {
	uint64_t written;
	struct lt_digest digest[LT_VECTORS];
};

/* Bring the digests to rank 0, and see there that the parts make up the whole. */
static int gather(const struct lt_write *w, const struct lt_hash_share *h, uint64_t written,
		struct lt_digest digest[LT_VECTORS], struct lu_err *err)
{
	const struct lt_tensors_layout *file = &w->snapshot->file;
	uint64_t want = LT_VECTORS * (file->bytes - file->header.n), sum = 0;
	struct done mine = { .written = written }, *all = NULL;
	size_t ranks = lt_comm_size(w->comm);
	int rc = 0;

	memcpy(mine.digest, h->digest, sizeof(mine.digest));
	if (lt_comm_rank(w->comm) == 0 && !(all = calloc(ranks, sizeof(*all))))
		rc = lu_err_nomem(err);
	if (lt_comm_agree(w->comm, CHANNEL, rc, err) < 0 ||
			lt_comm_collect(w->comm, CHANNEL, &mine, sizeof(mine), all, err) < 0) {
		free(all);
		return -1;
	}
	for (size_t r = 0; all && r < ranks; r++)
		sum += all[r].written;
	for (size_t i = 0; all && i < LT_VECTORS; i++)
		digest[i] = all[lt_hash_share_rank(h, i)].digest[i];
	for (size_t i = 0; all && rc == 0 && i < LT_VECTORS; i++) {
		if (digest[i].bytes != file->bytes)
			rc = lu_err_set(err,
					"%s/%s: has %" PRIu64 " bytes, %" PRIu64 " were written",
					h->dir, h->name[i], digest[i].bytes, file->bytes);
	}
	if (all && rc == 0 && sum != want)
		rc = lu_err_set(err,
				"the ranks have %" PRIu64 " bytes of the model, which has %" PRIu64,
				sum, want);
	free(all);
	return lt_comm_agree(w->comm, CHANNEL, rc, err);
}

/* Fill the files of the folder, sync and verify them; digest[] on rank 0. */
static int fill(const struct lt_write *w, const char *dir, struct lt_digest digest[LT_VECTORS],
		struct lu_err *err)
{
	struct pass writing = { .w = w, .dir = dir, .fd = -1 }, reading = writing;
	struct lt_hash_share h;
	int rc = run_pass(&writing, NULL, err);

	if (rc < 0)
		return -1;
	lt_hash_share_init(&h, dir, lt_comm_rank(w->comm), lt_comm_size(w->comm));
	for (int i = 0; i < LT_VECTORS; i++)
		h.name[h.n++] = lt_vector_files[i];
	reading.buf = malloc(BUFFER);
	if (!reading.buf)
		rc = lu_err_nomem(err);
	rc = lt_comm_agree(w->comm, CHANNEL, rc, err);
	if (rc == 0)
		rc = run_pass(&reading, &h, err);
	if (rc == 0)
		rc = gather(w, &h, writing.moved, digest, err);
	lt_hash_share_release(&h);
	free(reading.buf);
	return rc;
}

/* Tell all ranks where rank 0 has created the files. */
static int share_folder(const struct lt_write *w, const struct lt_draft *draft, char dir[PATH_MAX],
		struct lu_err *err)
{
	int rc = 0;

	memset(dir, 0, PATH_MAX);
	if (draft->temp && snprintf(dir, PATH_MAX, "%s", draft->temp) >= PATH_MAX)
		rc = lu_err_sys(err, ENAMETOOLONG, "%s", draft->temp);
	if (lt_comm_agree(w->comm, CHANNEL, rc, err) < 0)
		return -1;
	return lt_comm_share(w->comm, CHANNEL, dir, PATH_MAX, err);
}

int lt_checkpoint_write(const struct lt_write *w, int rc, bool *published, struct lu_err *err)
{
	bool first = lt_comm_rank(w->comm) == 0, flag = false;
	struct lt_digest digest[LT_VECTORS];
	struct lt_published what = { &w->pos, &w->snapshot->w->table, digest, w->keep };
	struct lt_draft draft = { 0 };
	struct lu_err ignored;
	char dir[PATH_MAX];

	*published = false;
	if (rc == 0 && first)
		rc = lt_draft_create(&draft, w->run, w->pos.step, &w->snapshot->file, err);
	rc = lt_comm_agree(w->comm, CHANNEL, rc, err);
	if (rc == 0)
		rc = share_folder(w, &draft, dir, err);
	if (rc == 0)
		rc = fill(w, dir, digest, err);
	if (rc == 0) {
		if (first)
			rc = lt_draft_publish(&draft, w->run, &what, published, err);
		rc = lt_comm_agree(w->comm, CHANNEL, rc, err);
	} else {
		/* The folder goes when no rank has a file in it open any more. Without the others it
		 * goes all the same. */
		(void)!lt_comm_any(w->comm, CHANNEL, &flag, &ignored);
	}
	lt_draft_discard(&draft);
	return rc;
}
