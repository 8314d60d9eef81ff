#include "libcommon/shard/joined.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "libcommon/shard/beside.h"
#include "libcommon/shard/reader.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

#define CHUNK ((size_t)1 << 20)

/* --- the shards --------------------------------------------------------------------------- */

static int read_manifests(struct lu_joined *j, char *const *shard, size_t n, struct lu_err *err)
{
	j->shard = calloc(n + 1, sizeof(*j->shard));
	if (!j->shard)
		return lu_err_nomem(err);
	for (; j->shards < n; j->shards++) {
		char *path = lu_concat(shard[j->shards], ".json", NULL);
		int rc = path ? lu_readset_add(path, err) : lu_err_nomem(err);

		if (rc == 0)
			rc = lu_manifest_read(&j->shard[j->shards], path, err);
		if (rc == 0)
			rc = lu_manifest_check(&j->shard[j->shards], path, err);
		free(path);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static bool same_mark(bool has_a, uint32_t a, bool has_b, uint32_t b)
{
	return has_a == has_b && (!has_a || a == b);
}

/* What a shard does not have in common with the first; NULL: nothing. */
static const char *differs(const struct lu_manifest *a, const struct lu_manifest *b)
{
	if (!a->tokenizer != !b->tokenizer ||
			(a->tokenizer && strcmp(a->tokenizer, b->tokenizer) != 0))
		return "tokenizer";
	if (a->vocab != b->vocab || a->width != b->width)
		return "vocabulary size";
	if (!a->kind != !b->kind || (a->kind && strcmp(a->kind, b->kind) != 0))
		return "kind";
	if (!same_mark(a->has_bos, a->bos, b->has_bos, b->bos) ||
			!same_mark(a->has_eos, a->eos, b->has_eos, b->eos))
		return "begin and end marks";
	return lu_str_eq(a->options, b->options) ? NULL : "options";
}

static int check_alike(const struct lu_joined *j, char *const *shard, struct lu_err *err)
{
	for (size_t i = 1; i < j->shards; i++) {
		const char *what = differs(&j->shard[0], &j->shard[i]);

		if (what)
			return lu_err_set(err,
					"%s: differs from %s in its %s; only shards that were made "
					"alike are joined",
					shard[i], shard[0], what);
	}
	return 0;
}

static int add_totals(struct lu_joined *j, const struct lu_manifest *m, struct lu_err *err)
{
	j->documents += m->documents;
	j->bytes += m->bytes;
	if (__builtin_add_overflow(j->tokens, m->tokens, &j->tokens))
		return lu_err_set(err, "the shards have more than 2^64 tokens");
	for (size_t i = 0; i < m->langs; i++) {
		const struct lu_manifest_total *t = &m->lang[i];

		if (lu_tally_add(&j->lang, t->value, t->documents, t->tokens, t->bytes, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < m->licenses; i++) {
		const struct lu_manifest_total *t = &m->license[i];

		if (lu_tally_add(&j->license, t->value, t->documents, t->tokens, t->bytes, err) < 0)
			return -1;
	}
	return 0;
}

/* Check that the file is there as the manifest says, and that nothing overwrites it. */
static int check_source(const struct lu_joined_file *f, struct lu_err *err)
{
	struct stat st;

	if (stat(f->from, &st) < 0)
		return lu_err_sys(err, errno, "%s", f->from);
	if ((uint64_t)st.st_size != f->bytes)
		return lu_err_set(err, "%s: has %" PRIu64 " bytes, the manifest says %" PRIu64,
				f->from, (uint64_t)st.st_size, f->bytes);
	return lu_readset_add(f->from, err);
}

/* Add the files of a shard as the next parts. */
static int add_files(struct lu_joined *j, const char *prefix, const struct lu_manifest *m,
		struct lu_err *err)
{
	for (size_t i = 0; i < m->files; i++) {
		const char *suffix = m->file[i].suffix;
		struct lu_joined_file f = { .hash = m->file[i].hash, .bytes = m->file[i].bytes };
		char part[LU_PART_SUFFIX];

		lu_part_suffix(1, j->file.n / j->each, part);
		snprintf(f.suffix, sizeof(f.suffix), "%s%s", part, strchr(suffix, '.'));
		if (!lu_vec_reserve(&j->file, 1))
			return lu_err_nomem(err);
		f.from = lu_concat(prefix, suffix, NULL);
		f.to = lu_concat(j->prefix, f.suffix, NULL);
		j->file.p[j->file.n++] = f;
		if (!f.from || !f.to)
			return lu_err_nomem(err);
		if (check_source(&f, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < m->joins; i++) {
		if (!lu_vec_push(&j->joined, m->joined[i]))
			return lu_err_nomem(err);
	}
	if (m->joins == 0 && !lu_vec_push(&j->joined, m->parts ? m->parts : 1))
		return lu_err_nomem(err);
	return 0;
}

/* --- the manifest ------------------------------------------------------------------------- */

static int write_manifest(struct lu_joined *j, struct lu_err *err)
{
	struct lu_manifest m = j->shard[0];
	struct lu_buf text = { 0 };
	struct lu_manifest_file *file = calloc(j->file.n + 1, sizeof(*file));
	int rc;

	if (!file)
		return lu_err_nomem(err);
	for (size_t i = 0; i < j->file.n; i++) {
		const struct lu_joined_file *f = &j->file.p[i];

		file[i] = (struct lu_manifest_file){ f->suffix, f->bytes, f->hash };
	}
	lu_tally_sort(&j->lang);
	lu_tally_sort(&j->license);
	m.documents = j->documents;
	m.tokens = j->tokens;
	m.bytes = j->bytes;
	m.parts = j->file.n / j->each;
	m.joined = j->joined.p;
	m.joins = j->joined.n;
	m.lang = j->lang.total.p;
	m.langs = j->lang.total.n;
	m.license = j->license.total.p;
	m.licenses = j->license.total.n;
	m.file = file;
	m.files = j->file.n;
	rc = lu_manifest_text(&m, &text, err);
	if (rc == 0)
		rc = lu_atomic_write(&j->manifest, text.p, text.n, err);
	if (rc == 0)
		rc = lu_atomic_settle(&j->manifest, err);
	lu_buf_release(&text);
	free(file);
	return rc;
}

int lu_joined_make(struct lu_joined *j, char *const *shard, size_t n, struct lu_err *err)
{
	char *path;
	int rc;

	j->manifest = (struct lu_atomic)LU_ATOMIC_NONE;
	j->opened = true;
	if (lu_shards_distinct(shard, n, err) < 0 || read_manifests(j, shard, n, err) < 0 ||
			check_alike(j, shard, err) < 0)
		return -1;
	j->each = lu_manifest_part_files(&j->shard[0]);
	for (size_t i = 0; i < n; i++) {
		if (add_totals(j, &j->shard[i], err) < 0 ||
				add_files(j, shard[i], &j->shard[i], err) < 0)
			return -1;
	}
	path = lu_concat(j->prefix, ".json", NULL);
	rc = path ? lu_atomic_open(&j->manifest, path, err) : lu_err_nomem(err);
	free(path);
	return rc < 0 ? -1 : write_manifest(j, err);
}

/* --- the files ---------------------------------------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The folder of a path; false if there is none. */
static bool folder_of(const char *path, struct stat *st)
{
	struct lu_buf b = { 0 };
	bool found;

	lu_buf_append(&b, path, (size_t)(base_name(path) - path));
	lu_buf_puts(&b, ".");
	found = lu_buf_ok(&b) && stat(b.p, st) == 0;
	lu_buf_release(&b);
	return found;
}

/* True if the path is the name of a file that is joined: the same name in the same folder, since
 * another link to such a file, as an earlier attempt has made, can be removed. */
static bool is_source(const struct lu_joined *j, const char *path)
{
	const char *name = base_name(path);
	struct stat a, b;

	for (size_t i = 0; i < j->file.n; i++) {
		const char *from = j->file.p[i].from;

		if (strcmp(base_name(from), name) == 0 && folder_of(from, &a) &&
				folder_of(path, &b) && same_file(&a, &b))
			return true;
	}
	return false;
}

/* 1 if both names are one file, 0 if they are not or `to` does not exist; -1 if it may not be
 * replaced. */
static int in_place(const struct lu_joined *j, const struct lu_joined_file *f, struct lu_err *err)
{
	struct stat from, to;

	if (lstat(f->to, &to) < 0)
		return 0;
	if (stat(f->from, &from) < 0)
		return lu_err_sys(err, errno, "%s", f->from);
	if (same_file(&from, &to))
		return 1;
	if (is_source(j, f->to))
		return lu_err_set(err, "%s: input file is output file", f->to);
	return lu_shard_spare_part(j->prefix, f->suffix, err);
}

static int make_link(const struct lu_joined *j, struct lu_joined_file *f, struct lu_err *err)
{
	int rc = in_place(j, f, err), errnum;
	char *temp;

	if (rc)
		return rc < 0 ? -1 : 0;
	/* By a rename, since the name may be that of a whole shard of another attempt. */
	temp = lu_attempt_name(f->to);
	if (!temp)
		return lu_err_nomem(err);
	f->made = link(f->from, temp) == 0 && rename(temp, f->to) == 0;
	errnum = errno;
	/* Left where the rename failed, or where both names were one file by now. */
	unlink(temp);
	errno = errnum;
	free(temp);
	if (f->made)
		return 0;
	if (errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK ||
			errno == ENOSYS)
		return lu_err_set(err, "%s: cannot be a link to %s (%s); --copy copies it", f->to,
				f->from, strerror(errno));
	return lu_err_sys(err, errno, "%s", f->to);
}

static int copy_bytes(int fd, struct lu_atomic *to, const struct lu_joined_file *f, char *chunk,
		struct lu_err *err)
{
	struct lu_hasher *h = lu_hasher_new();
	char hash[33];
	int rc = h ? 0 : lu_err_nomem(err);

	for (uint64_t at = 0; rc == 0 && at < f->bytes;) {
		size_t n = f->bytes - at < CHUNK ? (size_t)(f->bytes - at) : CHUNK;

		rc = lu_pread_all(fd, chunk, n, at, f->from, err);
		if (rc == 0)
			rc = lu_atomic_write(to, chunk, n, err);
		lu_hasher_add(h, chunk, rc == 0 ? n : 0);
		at += n;
	}
	if (rc == 0) {
		lu_hash128_text(lu_hasher_end(h), hash);
		if (strcmp(hash, f->hash) != 0)
			rc = lu_err_set(err, "%s: its content is not what the manifest says",
					f->from);
	}
	lu_hasher_free(h);
	return rc;
}

static int make_copy(const struct lu_joined *j, struct lu_joined_file *f, char *chunk,
		struct lu_err *err)
{
	struct lu_atomic to;
	int fd, rc = in_place(j, f, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	fd = open(f->from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lu_err_sys(err, errno, "%s", f->from);
	rc = lu_atomic_open(&to, f->to, err);
	if (rc == 0) {
		rc = copy_bytes(fd, &to, f, chunk, err);
		if (rc == 0)
			rc = lu_atomic_commit(&to, err);
		else
			lu_atomic_abort(&to);
	}
	f->made = rc == 0;
	close(fd);
	return rc;
}

/* --- the commit --------------------------------------------------------------------------- */

static bool is_new_file(const struct lu_joined *j, const char *suffix)
{
	for (size_t i = 0; i < j->file.n; i++) {
		if (strcmp(j->file.p[i].suffix, suffix) == 0)
			return true;
	}
	return false;
}

/* Remove a file of the old shard, unless it is also one of a shard that is joined, or of another. */
static int remove_file(const struct lu_joined *j, const char *suffix, struct lu_err *err)
{
	char *path = lu_concat(j->prefix, suffix, NULL);
	int rc = path ? lu_shard_of_part(j->prefix, suffix, err) : lu_err_nomem(err);

	if (rc == 0 && !is_source(j, path) && unlink(path) < 0 && errno != ENOENT)
		rc = lu_err_sys(err, errno, "%s", path);
	free(path);
	return rc < 0 ? -1 : 0;
}

/* Remove the old shard: the files that get no successor while its manifest still names them, so
 * that no kill leaves them for good; the manifest, from then on there is none; and the indexes,
 * without which a part does not open by itself while its ledger is replaced. */
static int remove_old(const struct lu_joined *j, struct lu_err *err)
{
	struct lu_manifest old = { 0 };
	struct lu_err ignored = { 0 };
	char *path = lu_concat(j->prefix, ".json", NULL);
	int rc = path ? 0 : lu_err_nomem(err);

	if (path && lu_manifest_read(&old, path, &ignored) < 0)
		old = (struct lu_manifest){ 0 };
	for (size_t i = 0; rc == 0 && i < old.files; i++) {
		if (!is_new_file(j, old.file[i].suffix))
			rc = remove_file(j, old.file[i].suffix, err);
	}
	if (rc == 0)
		rc = remove_file(j, ".json", err);
	for (size_t i = 1; rc == 0 && i < j->file.n; i += j->each)
		rc = remove_file(j, j->file.p[i].suffix, err);
	if (rc == 0)
		rc = lu_sync_folder(path, err);
	lu_manifest_release(&old);
	free(path);
	return rc;
}

/* Of the files of a part the ledgers come first: a ledger without a manifest marks an unfinished shard. */
static int make_files(struct lu_joined *j, struct lu_err *err)
{
	static const int order[] = { 2, 0, 1, 3 };
	char *chunk = j->copy ? malloc(CHUNK) : NULL;
	size_t parts = j->file.n / j->each;
	int rc = j->copy && !chunk ? lu_err_nomem(err) : 0;

	for (size_t i = 0; rc == 0 && i < j->file.n; i++) {
		struct lu_joined_file *f =
				&j->file.p[i % parts * j->each + (size_t)order[i / parts]];

		rc = j->copy ? make_copy(j, f, chunk, err) : make_link(j, f, err);
	}
	if (rc == 0)
		rc = lu_sync_folder(j->file.p[0].to, err);
	free(chunk);
	return rc;
}

/* Whether the shard has its manifest: then only the sync of its folder has failed, and it is whole. */
static bool has_manifest(const struct lu_joined *j)
{
	char *path = lu_concat(j->prefix, ".json", NULL);
	bool there = !path || access(path, F_OK) == 0;

	free(path);
	return there;
}

static void unmake_files(struct lu_joined *j)
{
	for (size_t i = 0; i < j->file.n; i++) {
		/* A name that cannot be removed does no harm: there is no manifest. */
		if (j->file.p[i].made && unlink(j->file.p[i].to) < 0)
			continue;
	}
}

int lu_joined_commit(struct lu_joined *j, struct lu_err *err)
{
	/* A shard of the same manifest, as another attempt has made, has the same files. */
	bool same = lu_atomic_has_equal(&j->manifest);
	int rc;

	for (size_t i = 0; i < j->file.n; i++) {
		if (in_place(j, &j->file.p[i], err) < 0)
			return -1;
	}
	rc = same ? 0 : remove_old(j, err);
	if (rc == 0)
		rc = make_files(j, err);
	if (rc == 0)
		rc = lu_atomic_commit(&j->manifest, err);
	if (rc < 0 && !same && !has_manifest(j))
		unmake_files(j);
	return rc;
}

void lu_joined_release(struct lu_joined *j)
{
	if (j->opened)
		lu_atomic_abort(&j->manifest);
	for (size_t i = 0; i < j->file.n; i++) {
		free(j->file.p[i].from);
		free(j->file.p[i].to);
	}
	for (size_t i = 0; i < j->shards; i++)
		lu_manifest_release(&j->shard[i]);
	free(j->shard);
	lu_vec_release(&j->file);
	lu_vec_release(&j->joined);
	lu_tally_release(&j->lang);
	lu_tally_release(&j->license);
	memset(j, 0, sizeof(*j));
}
