#include "trainer/run/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "trainer/model/weights_place.h"
#include "trainer/run/folder.h"
#include "trainer/run/hash_share.h"
#include "trainer/run/step_folder.h"

_Static_assert(LT_MANIFEST_FILES <= LT_HASH_FILES, "all files of a manifest can be hashed");
_Static_assert(sizeof(struct lt_checkpoint) <= 65536, "lt_comm_share() takes a checkpoint");

int lt_checkpoint_space(const char *folder, const struct lt_table *table, struct lu_err *err)
{
	uint64_t need = (uint64_t)table->all * sizeof(lk_real) * LT_VECTORS + ((uint64_t)1 << 20);
	struct statvfs fs;

	if (statvfs(folder, &fs) < 0)
		return lu_err_sys(err, errno, "%s", folder);
	/* No blocks at all: the file system does not know. */
	if (fs.f_blocks && (uint64_t)fs.f_bavail * fs.f_frsize < need)
		return lu_err_set(err,
				"%s: a checkpoint needs %" PRIu64 " bytes, the disk has %" PRIu64
				" free",
				folder, need, (uint64_t)fs.f_bavail * fs.f_frsize);
	return 0;
}

/* --- finding --------------------------------------------------------------------------------- */

/* The folder of a step, or where it was when the trainer was killed. */
static int find_step(const char *run, uint64_t step, char **dir, struct lu_err *err)
{
	char *folder = lt_step_folder(run, step);
	struct lu_err ignored;
	int missing;

	if (!folder)
		return lu_err_nomem(err);
	if (access(folder, F_OK) == 0) {
		*dir = folder;
		return 0;
	}
	missing = errno;
	if (missing == ENOENT && lt_step_aside(run, step, dir, &ignored) == 0 && *dir) {
		free(folder);
		return 0;
	}
	lu_err_sys(err, missing, "%s", folder);
	free(folder);
	return -1;
}

/* What RUN/latest stands for. All ranks must read the same checkpoint, so the link is followed here,
 * once. */
static int find_latest(const char *run, char **dir, struct lu_err *err)
{
	char target[PATH_MAX], *latest = lu_concat(run, "/", "latest");
	uint64_t step;
	ssize_t n;
	int rc = 0;

	if (!latest)
		return lu_err_nomem(err);
	n = readlink(latest, target, sizeof(target) - 1);
	if (n < 0) {
		/* A folder, where somebody has copied a run without its links. */
		if (errno == EINVAL)
			*dir = latest;
		else if (errno != ENOENT && errno != ENOTDIR)
			rc = lu_err_sys(err, errno, "%s", latest);
		if (!*dir)
			free(latest);
		return rc;
	}
	target[n] = '\0';
	free(latest);
	if (lt_step_parse(target, &step))
		return find_step(run, step, dir, err);
	*dir = *target == '/' ? strdup(target) : lu_concat(run, "/", target);
	return *dir ? 0 : lu_err_nomem(err);
}

int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err)
{
	*dir = NULL;
	if (step != UINT64_MAX)
		return find_step(path, step, dir, err);
	if (find_latest(path, dir, err) < 0)
		return -1;
	if (!*dir && lt_folder_has(path, "manifest.json") && !(*dir = strdup(path)))
		return lu_err_nomem(err);
	return 0;
}

/* The newest step of the run that is older than the checkpoint in `dir`; UINT64_MAX: none is known. */
static uint64_t step_before(const char *dir, uint64_t step)
{
	struct lt_steps steps = { 0 };
	struct lu_err ignored;
	uint64_t before = UINT64_MAX;
	char *run = strdup(dir), *slash = run ? strrchr(run, '/') : NULL;

	if (slash)
		*slash = '\0';
	/* For a message only, which does without if it must. */
	if (slash && step > 0 && lt_steps_list(run, step - 1, &steps, &ignored) == 0 && steps.n)
		before = steps.p[steps.n - 1];
	lu_vec_release(&steps);
	free(run);
	return before;
}

/* Add the way out of a damaged checkpoint to the sentence. */
static int damaged(uint64_t before, struct lu_err *err)
{
	struct lu_err cause = *err;

	if (before != UINT64_MAX) {
		lu_err_set(err, "%s; --from-step %" PRIu64 " takes the checkpoint before it",
				cause.msg, before);
		err->errnum = cause.errnum;
	}
	return -1;
}

static int fill(const char *path, uint64_t step, struct lt_checkpoint *c, struct lu_err *err)
{
	const char *name;
	char *dir;
	int rc;

	*c = (struct lt_checkpoint){ 0 };
	if (lt_checkpoint_find(path, step, &dir, err) < 0)
		return -1;
	if (!dir)
		return 0;
	c->found = true;
	name = strrchr(dir, '/');
	c->before = !name || !lt_step_parse(name + 1, &step) ? UINT64_MAX : step_before(dir, step);
	rc = snprintf(c->dir, sizeof(c->dir), "%s", dir) < (int)sizeof(c->dir)
			? 0
			: lu_err_sys(err, ENAMETOOLONG, "%s", dir);
	if (rc == 0 &&
			(lt_manifest_read(dir, &c->pos, &c->shape, err) < 0 ||
					lt_manifest_files(dir, &c->files, err) < 0))
		rc = damaged(c->before, err);
	free(dir);
	return rc;
}

int lt_checkpoint_locate(struct lt_comm *comm, const char *path, uint64_t step,
		struct lt_checkpoint *c, struct lu_err *err)
{
	int rc = 0;

	*c = (struct lt_checkpoint){ 0 };
	if (lt_comm_rank(comm) == 0)
		rc = fill(path, step, c, err);
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	return lt_comm_share(comm, LT_CHANNEL_MAIN, c, sizeof(*c), err);
}

/* --- verifying and loading -------------------------------------------------------------------- */

/* Compare a file with its entry. The hash is skipped if either build had none. */
static int check_file(const struct lt_checkpoint *c, size_t i, const struct lt_digest *is,
		struct lu_err *err)
{
	const struct lt_manifest_file *f = &c->files.file[i];

	if (is->bytes != f->digest.bytes)
		return lu_err_set(err,
				"%s/%s: damaged: its size is %" PRIu64
				", the manifest says %" PRIu64,
				c->dir, f->name, is->bytes, f->digest.bytes);
	if (*is->hash && *f->digest.hash && strcmp(is->hash, f->digest.hash) != 0)
		return lu_err_set(err, "%s/%s: damaged: its hash is %s, the manifest says %s",
				c->dir, f->name, is->hash, f->digest.hash);
	return 0;
}

/* Compare the files with the manifest, each on one rank. */
static int verify(struct lt_comm *comm, const struct lt_checkpoint *c, struct lu_err *err)
{
	struct lt_hash_share h;
	bool more = true;
	int rc = 0;

	lt_hash_share_init(
			&h, c->dir, comm ? lt_comm_rank(comm) : 0, comm ? lt_comm_size(comm) : 1);
	while (h.n < c->files.n) {
		h.name[h.n] = c->files.file[h.n].name;
		h.n++;
	}
	while (rc == 0 && more) {
		size_t at = h.at;

		more = false;
		rc = lt_hash_share_read(&h, LT_ROUND, &more, err);
		for (; rc == 0 && at < h.at; at++) {
			if (lt_hash_share_mine(&h, at))
				rc = check_file(c, at, &h.digest[at], err);
		}
		if (rc < 0)
			damaged(c->before, err);
		rc = lt_meet(comm, LT_CHANNEL_MAIN, rc, &more, err);
	}
	lt_hash_share_release(&h);
	return rc;
}

static int load(struct lt_comm *comm, const struct lt_checkpoint *c, struct lt_weights *w,
		struct lu_err *err)
{
	if (verify(comm, c, err) < 0)
		return -1;
	for (int i = 0; i < LT_VECTORS; i++) {
		bool more = false;
		char *path;
		int rc = 0;

		if (!lt_weights_has(w, (enum lt_vector)i))
			continue;
		path = lu_concat(c->dir, "/", lt_vector_files[i]);
		rc = path ? lt_tensors_read(w, (enum lt_vector)i, path, err) : lu_err_nomem(err);
		free(path);
		if (lt_meet(comm, LT_CHANNEL_MAIN, rc, &more, err) < 0)
			return -1;
	}
	return lt_weights_refresh(w, err);
}

int lt_checkpoint_restore(struct lt_comm *comm, const struct lt_checkpoint *c, struct lt_weights *w,
		struct lu_err *err)
{
	return load(comm, c, w, err);
}

int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err)
{
	struct lt_checkpoint *c = malloc(sizeof(*c));
	int rc;

	if (!c)
		return lu_err_nomem(err);
	rc = fill(dir, UINT64_MAX, c, err);
	if (rc == 0 && !c->found)
		rc = lu_err_sys(err, ENOENT, "%s/manifest.json", dir);
	if (rc == 0)
		rc = load(NULL, c, w, err);
	free(c);
	return rc;
}

int lt_checkpoint_same_model(
		const struct lt_checkpoint *found, const struct lt_shape *now, struct lu_err *err)
{
	const struct lt_shape *was = &found->shape;
	const struct {
		const char *name;
		size_t was, now;
	} size[] = {
		{ "vocab", was->vocab, now->vocab },
		{ "hidden", was->hidden, now->hidden },
		{ "layers", was->layers, now->layers },
		{ "heads", was->heads, now->heads },
		{ "kv_heads", was->kv_heads, now->kv_heads },
		{ "head_dim", was->dim, now->dim },
		{ "ffn", was->ffn, now->ffn },
		{ "tied", was->tied, now->tied },
	};

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		if (size[i].was != size[i].now)
			return lu_err_set(err,
					"%s: model.%s is %zu in the checkpoint and %zu in the "
					"configuration; the model of a run cannot change, start a "
					"new run",
					found->dir, size[i].name, size[i].was, size[i].now);
	}
	return 0;
}
