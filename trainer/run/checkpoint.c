#include "trainer/run/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/runfolder.h"

#define VERSION 1
#define MANIFEST_MAX ((size_t)1 << 20)

static const char *const files[LT_VECTORS] = { "weights.safetensors", "adam-m.safetensors",
	"adam-v.safetensors" };

/* "dir/name", malloc'd; NULL and "out of memory" otherwise. */
static char *join(const char *dir, const char *name, struct lu_err *err)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		lu_err_nomem(err);
		return NULL;
	}
	return path;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo): guards the manifest's own text in every build. */
static uint64_t fnv1a(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return h;
}

static void manifest_text(const struct lt_position *at, const struct lt_table *t,
		const struct lt_written *written, struct lu_buf *b)
{
	const struct lt_shape *s = &t->shape;

	lu_buf_printf(b, "{\"lucie_checkpoint\":%d,\n\"step\":%" PRIu64 ",\"phase\":%" PRIu64,
			VERSION, at->step, at->phase);
	lu_buf_puts(b, ",\"phase_name\":");
	lu_json_quote(b, lu_str_of(at->phase_name));
	lu_buf_printf(b, ",\"samples\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"updates\":%" PRIu64,
			at->samples, at->tokens, at->updates);
	lu_buf_printf(b,
			",\n\"context\":%" PRIu64
			",\"vocab\":%zu,\"hidden\":%zu,\"layers\":%zu,\"heads\":%zu,"
			"\"kv_heads\":%zu,\"head_dim\":%zu,\"ffn\":%zu,\"tied\":%s,\"rope_theta\":",
			at->context, s->vocab, s->hidden, s->layers, s->heads, s->kv_heads, s->dim,
			s->ffn, s->tied ? "true" : "false");
	lu_json_number(b, s->rope_theta);
	lu_buf_puts(b, ",\"norm_eps\":");
	lu_json_number(b, s->norm_eps);
	lu_buf_puts(b, ",\"init_std\":");
	lu_json_number(b, s->init_std);
	lu_buf_printf(b, ",\"parameters\":%zu,\n\"files\":[", t->total);
	for (int i = 0; i < LT_VECTORS; i++) {
		lu_buf_printf(b, "%s\n{\"name\":\"%s\",\"bytes\":%" PRIu64 ",\"xxh3_128\":",
				i ? "," : "", files[i], written[i].bytes);
		if (written[i].hash[0])
			lu_buf_printf(b, "\"%s\"}", written[i].hash);
		else
			lu_buf_puts(b, "null}");
	}
	lu_buf_puts(b, "]");
	if (lu_buf_ok(b))
		lu_buf_printf(b, ",\n\"fnv1a64\":\"%016" PRIx64 "\"}\n", fnv1a(b->p, b->n));
}

static int write_file(const char *path, const struct lu_buf *text, struct lu_err *err)
{
	int fd, rc;

	if (lu_buf_check(text, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return lu_err_sys(err, errno, "%s", path);
	rc = lu_write_all(fd, text->p, text->n, path, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	if (close(fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", path);
	return rc;
}

/* Says so before writing when the disk cannot hold it. */
static int check_space(const char *run, uint64_t need, struct lu_err *err)
{
	struct statvfs fs;

	if (statvfs(run, &fs) < 0)
		return lu_err_sys(err, errno, "%s", run);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < need)
		return lu_err_set(err,
				"%s: a checkpoint wants %" PRIu64 " bytes, the disk has %" PRIu64
				" free",
				run, need, (uint64_t)fs.f_bavail * fs.f_frsize);
	return 0;
}

static int write_folder(const char *dir, struct lt_weights *w, const struct lt_position *at,
		struct lu_err *err)
{
	struct lt_written written[LT_VECTORS];
	struct lu_buf text = { 0 };
	char *path;
	int rc = 0;

	for (int i = 0; i < LT_VECTORS && rc == 0; i++) {
		path = join(dir, files[i], err);
		rc = path ? lt_tensors_write(w, (enum lt_vector)i, 0, w->table.n, lt_real_type(),
					    path, NULL, &written[i], err)
			  : -1;
		free(path);
	}
	if (rc < 0)
		return -1;
	manifest_text(at, &w->table, written, &text);
	path = join(dir, "manifest.json", err);
	rc = path ? write_file(path, &text, err) : -1;
	/* The folder's own entries: synced through the name of something in it. */
	if (rc == 0)
		rc = lu_sync_folder(path, err);
	free(path);
	lu_buf_release(&text);
	return rc;
}

/* Puts `temp` in the place of `dir`, where an abandoned checkpoint of the same step may lie. */
static int move_into_place(const char *temp, const char *dir, struct lu_err *err)
{
	if (access(dir, F_OK) < 0) {
		if (rename(temp, dir) < 0)
			return lu_err_sys(err, errno, "%s", dir);
	} else {
		if (renameat2(AT_FDCWD, temp, AT_FDCWD, dir, RENAME_EXCHANGE) < 0)
			return lu_err_sys(err, errno, "%s", dir);
		if (lt_folder_remove(temp, err) < 0)
			return -1;
	}
	return lu_sync_folder(dir, err);
}

static int point_latest(const char *run, const char *name, struct lu_err *err)
{
	char *latest = join(run, "latest", err), *temp = join(run, ".latest.lu-tmp", err);
	int rc = -1;

	if (!latest || !temp)
		goto out;
	if ((unlink(temp) < 0 && errno != ENOENT) || symlink(name, temp) < 0 ||
			rename(temp, latest) < 0) {
		lu_err_sys(err, errno, "%s", latest);
		goto out;
	}
	rc = lu_sync_folder(latest, err);
out:
	free(latest);
	free(temp);
	return rc;
}

/* "step-00001000" -> 1000. */
static bool step_of(const char *name, uint64_t *step)
{
	char *end;

	if (strncmp(name, "step-", 5) != 0 || strlen(name) < 13 || name[5] < '0' || name[5] > '9')
		return false;
	errno = 0;
	*step = strtoull(name + 5, &end, 10);
	return *end == '\0' && errno == 0;
}

/* The lowest step that has a folder, and how many there are, up to `upto`. */
static int list_steps(
		const char *run, uint64_t upto, uint64_t *lowest, size_t *count, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	uint64_t step;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	*count = 0;
	*lowest = UINT64_MAX;
	while ((e = readdir(d))) {
		if (!step_of(e->d_name, &step) || step > upto)
			continue;
		++*count;
		if (step < *lowest)
			*lowest = step;
	}
	closedir(d);
	return 0;
}

static int step_folder(
		const char *run, const char *format, uint64_t step, char **out, struct lu_err *err)
{
	char name[64];

	snprintf(name, sizeof(name),
			format[0] == '.' ? ".step-%08" PRIu64 ".lu-tmp" : "step-%08" PRIu64, step);
	*out = join(run, name, err);
	return *out ? 0 : -1;
}

/* Removes the oldest until `keep` are left. */
static int remove_old(const char *run, uint64_t now, size_t keep, struct lu_err *err)
{
	uint64_t lowest = 0;
	size_t count = 0;

	while (keep > 0) {
		char *dir, *temp;
		int rc = 0;

		if (list_steps(run, now, &lowest, &count, err) < 0)
			return -1;
		if (count <= keep || lowest == now)
			return 0;
		if (step_folder(run, "step", lowest, &dir, err) < 0)
			return -1;
		if (step_folder(run, ".", lowest, &temp, err) < 0) {
			free(dir);
			return -1;
		}
		/* Out of sight first: a half-removed folder must not look like a checkpoint. */
		if (lt_folder_remove(temp, err) < 0)
			rc = -1;
		else if (rename(dir, temp) < 0)
			rc = lu_err_sys(err, errno, "%s", dir);
		else
			rc = lt_folder_remove(temp, err);
		free(dir);
		free(temp);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int lt_checkpoint_save(const char *run, struct lt_weights *w, const struct lt_position *at,
		size_t keep, struct lu_err *err)
{
	uint64_t need = (uint64_t)w->table.total * sizeof(lk_real) * LT_VECTORS +
			((uint64_t)1 << 20);
	char *temp = NULL, *dir = NULL;
	int rc = -1;

	LU_ASSERT(w->lanes > 0);
	if (step_folder(run, ".", at->step, &temp, err) < 0 ||
			step_folder(run, "step", at->step, &dir, err) < 0)
		goto out;
	if (lt_folder_remove(temp, err) < 0 || check_space(run, need, err) < 0)
		goto out;
	if (mkdir(temp, 0777) < 0) {
		lu_err_sys(err, errno, "%s", temp);
		goto out;
	}
	if (write_folder(temp, w, at, err) < 0 || lt_checkpoint_verify(temp, err) < 0) {
		struct lu_err ignored;

		/* The first failure is the one to report. */
		(void)lt_folder_remove(temp, &ignored);
		goto out;
	}
	if (move_into_place(temp, dir, err) < 0 ||
			point_latest(run, strrchr(dir, '/') + 1, err) < 0 ||
			remove_old(run, at->step, keep, err) < 0)
		goto out;
	rc = 0;
out:
	free(temp);
	free(dir);
	return rc < 0 ? lu_err_wrap(err, "checkpoint") : 0;
}

/* A manifest that was read; members point into the text. */
struct manifest {
	char *text, *path;
	struct lu_arena arena;
	struct lu_json_obj obj;
};

static void manifest_release(struct manifest *m)
{
	free(m->text);
	free(m->path);
	lu_arena_release(&m->arena);
	*m = (struct manifest){ 0 };
}

static int manifest_open(struct manifest *m, const char *dir, struct lu_err *err)
{
	static const char mark[] = ",\n\"fnv1a64\":\"";
	struct lu_json_fault fault;
	uint64_t version = 0;
	char want[17];
	char *tail;
	size_t n;

	*m = (struct manifest){ 0 };
	m->path = join(dir, "manifest.json", err);
	if (!m->path || lu_read_file(m->path, MANIFEST_MAX, &m->text, &n, err) < 0)
		goto fail;
	if (lu_json_object((struct lu_str){ m->text, n }, &m->arena, &m->obj, &fault) < 0 ||
			!lu_json_get(&m->obj, "lucie_checkpoint")) {
		lu_err_set(err, "%s: not the manifest of a checkpoint", m->path);
		goto fail;
	}
	if (!lu_json_u64(lu_json_get(&m->obj, "lucie_checkpoint"), &version) ||
			version != VERSION) {
		lu_err_set(err, "%s: version %" PRIu64 " is not read here", m->path, version);
		goto fail;
	}
	tail = memmem(m->text, n, mark, sizeof(mark) - 1);
	snprintf(want, sizeof(want), "%016" PRIx64,
			tail ? fnv1a(m->text, (size_t)(tail - m->text)) : 0);
	if (!tail || strncmp(tail + sizeof(mark) - 1, want, 16) != 0) {
		lu_err_set(err, "%s: was changed or cut after it was written", m->path);
		goto fail;
	}
	return 0;
fail:
	manifest_release(m);
	return -1;
}

static bool get_u64(const struct manifest *m, const char *key, uint64_t *out)
{
	const struct lu_json_member *v = lu_json_get(&m->obj, key);

	return v && lu_json_u64(v, out);
}

static bool get_size(const struct manifest *m, const char *key, size_t *out)
{
	uint64_t v;

	if (!get_u64(m, key, &v) || v > SIZE_MAX)
		return false;
	*out = (size_t)v;
	return true;
}

static bool get_double(const struct manifest *m, const char *key, double *out)
{
	const struct lu_json_member *v = lu_json_get(&m->obj, key);

	return v && lu_json_double(v, out);
}

static bool read_position(struct manifest *m, struct lt_position *at)
{
	const struct lu_json_member *name = lu_json_get(&m->obj, "phase_name");
	struct lu_str text;

	*at = (struct lt_position){ 0 };
	if (!name || name->type != LU_JSON_STRING ||
			lu_json_decode(name->value, &m->arena, &text) < 0)
		return false;
	snprintf(at->phase_name, sizeof(at->phase_name), "%.*s", (int)text.n, text.p);
	return get_u64(m, "step", &at->step) && get_u64(m, "phase", &at->phase) &&
			get_u64(m, "samples", &at->samples) && get_u64(m, "tokens", &at->tokens) &&
			get_u64(m, "updates", &at->updates) && get_u64(m, "context", &at->context);
}

static bool read_shape(const struct manifest *m, struct lt_shape *s)
{
	const struct lu_json_member *tied = lu_json_get(&m->obj, "tied");

	*s = (struct lt_shape){ 0 };
	s->tied = tied && tied->type == LU_JSON_TRUE;
	return tied && get_size(m, "vocab", &s->vocab) && get_size(m, "hidden", &s->hidden) &&
			get_size(m, "layers", &s->layers) && get_size(m, "heads", &s->heads) &&
			get_size(m, "kv_heads", &s->kv_heads) && get_size(m, "head_dim", &s->dim) &&
			get_size(m, "ffn", &s->ffn) &&
			get_double(m, "rope_theta", &s->rope_theta) &&
			get_double(m, "norm_eps", &s->norm_eps) &&
			get_double(m, "init_std", &s->init_std) && s->vocab && s->kv_heads &&
			s->heads % s->kv_heads == 0;
}

int lt_checkpoint_read(
		const char *dir, struct lt_position *at, struct lt_shape *shape, struct lu_err *err)
{
	struct manifest m;
	int rc = 0;

	if (manifest_open(&m, dir, err) < 0)
		return -1;
	if ((at && !read_position(&m, at)) || (shape && !read_shape(&m, shape)))
		rc = lu_err_set(err, "%s: a member is missing or out of range", m.path);
	manifest_release(&m);
	return rc;
}

static int verify_file(const char *dir, const struct lu_json_obj *entry, struct lu_arena *arena,
		struct lu_err *err)
{
	const struct lu_json_member *name = lu_json_get(entry, "name");
	const struct lu_json_member *bytes = lu_json_get(entry, "bytes");
	const struct lu_json_member *hash = lu_json_get(entry, "xxh3_128");
	struct lt_written is;
	struct lu_str text, want;
	uint64_t size;
	char *path;
	int rc = 0;

	if (!name || name->type != LU_JSON_STRING || !bytes || !lu_json_u64(bytes, &size) ||
			!hash || lu_json_decode(name->value, arena, &text) < 0 ||
			memchr(text.p, '/', text.n))
		return lu_err_set(err, "%s/manifest.json: bad list of files", dir);
	if (asprintf(&path, "%s/%.*s", dir, (int)text.n, text.p) < 0)
		return lu_err_nomem(err);
	rc = lt_file_hash(path, &is, err);
	if (rc == 0 && is.bytes != size)
		rc = lu_err_set(err, "%s: %" PRIu64 " bytes, the manifest says %" PRIu64, path,
				is.bytes, size);
	/* A checkpoint of the bare build has no hashes, and the bare build checks none. */
	if (rc == 0 && hash->type == LU_JSON_STRING && is.hash[0]) {
		want = (struct lu_str){ hash->value.p + 1, hash->value.n - 2 };
		if (!lu_str_is(want, is.hash))
			rc = lu_err_set(err, "%s: damaged: its hash is not the manifest's", path);
	}
	free(path);
	return rc;
}

int lt_checkpoint_verify(const char *dir, struct lu_err *err)
{
	const struct lu_json_member *list;
	struct manifest m;
	struct lu_json_iter it;
	int rc = 0;

	if (manifest_open(&m, dir, err) < 0)
		return -1;
	list = lu_json_get(&m.obj, "files");
	if (!list || list->type != LU_JSON_ARRAY) {
		manifest_release(&m);
		return lu_err_set(err, "%s/manifest.json: no list of files", dir);
	}
	it = lu_json_iter(list->value);
	while (rc == 0 && lu_json_next(&it)) {
		struct lu_json_fault fault;
		struct lu_json_obj entry;

		if (it.type != LU_JSON_OBJECT ||
				lu_json_object(it.value, &m.arena, &entry, &fault) < 0)
			rc = lu_err_set(err, "%s/manifest.json: bad list of files", dir);
		else
			rc = verify_file(dir, &entry, &m.arena, err);
	}
	manifest_release(&m);
	return rc;
}

int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err)
{
	if (lt_checkpoint_verify(dir, err) < 0)
		return -1;
	for (int i = 0; i < LT_VECTORS; i++) {
		char *path;
		int rc;

		if (!w->vector[i])
			continue;
		path = join(dir, files[i], err);
		rc = path ? lt_tensors_read(w, (enum lt_vector)i, path, err) : -1;
		free(path);
		if (rc < 0)
			return -1;
	}
	return lt_weights_refresh(w, err);
}

int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err)
{
	struct stat sb;
	char *name;

	*dir = NULL;
	if (step != UINT64_MAX) {
		if (step_folder(path, "step", step, dir, err) < 0)
			return -1;
		if (access(*dir, F_OK) == 0)
			return 0;
		lu_err_sys(err, errno, "%s", *dir);
		free(*dir);
		*dir = NULL;
		return -1;
	}
	for (int i = 0; i < 2; i++) {
		name = join(path, i ? "manifest.json" : "latest", err);
		if (!name)
			return -1;
		if (lstat(name, &sb) == 0) {
			*dir = i ? strdup(path) : name;
			if (i)
				free(name);
			return *dir ? 0 : lu_err_nomem(err);
		}
		free(name);
	}
	return 0;
}
