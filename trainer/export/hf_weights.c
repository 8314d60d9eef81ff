#include "trainer/export/hf_weights.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "trainer/export/hf_files.h"
#include "trainer/run/folder.h"

/* Number of parameters from `first` on that fit in a file of at most `limit` bytes, at least one. */
static size_t fit(const struct lt_table *t, size_t first, enum lu_st_type type, uint64_t limit)
{
	uint64_t bytes = 0;
	size_t n = 0;

	while (first + n < t->n) {
		bytes += t->param[first + n].count * lu_st_width(type);
		if (n > 0 && bytes > limit)
			break;
		n++;
	}
	return n;
}

static size_t count_files(const struct lt_table *t, enum lu_st_type type, uint64_t limit)
{
	size_t files = 0;

	for (size_t i = 0; i < t->n; i += fit(t, i, type, limit))
		files++;
	return files;
}

/* Progress over all files. */
struct shown {
	struct lu_progress progress;
	uint64_t before; /* bytes of the files that are complete */
	size_t file;
};

static void show(void *ctx, uint64_t bytes)
{
	struct shown *s = ctx;

	lu_progress_update(&s->progress, s->before + bytes, s->file);
}

/* Write n parameters to a file, and their lines of the weight map. */
static int write_file(struct lt_weights *w, size_t first, size_t n, enum lu_st_type type,
		const char *dir, const char *name, struct lu_buf *map, struct shown *shown,
		struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	struct lt_digest digest = { 0 };
	int rc = path ? lt_tensors_write(w, LT_VECTOR_P, first, n, type, path,
					"{\"format\":\"pt\"}", &digest, show, shown, err)
		      : lu_err_nomem(err);

	free(path);
	shown->before += digest.bytes;
	shown->file++;
	for (size_t i = first; i < first + n; i++)
		lt_hf_put_tensor(map, w->table.param[i].name, name);
	return rc;
}

static int write_index(
		const char *dir, uint64_t bytes, const struct lu_buf *map, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = lu_buf_check(map, err);

	lt_hf_index(bytes, map, &b);
	if (rc == 0)
		rc = lu_buf_check(&b, err);
	if (rc == 0)
		rc = lt_folder_write(dir, "model.safetensors.index.json", lu_buf_slice(&b), err);
	lu_buf_release(&b);
	return rc;
}

int lt_hf_weights_write(const struct lt_hf_weights *o, struct lt_weights *w, const char *dir,
		struct lu_err *err)
{
	const struct lt_table *t = &w->table;
	size_t files = count_files(t, o->type, o->shard_size), file = 0;
	uint64_t bytes = (uint64_t)t->total * lu_st_width(o->type);
	struct shown shown = { 0 };
	struct lu_buf map = { 0 };
	int rc = 0;

	lu_progress_start(&shown.progress, o->tool, o->progress, bytes);
	shown.progress.unit = "files";
	lu_json_open_object(&map, NULL);
	for (size_t i = 0, n; i < t->n && rc == 0; i += n) {
		char name[64] = "model.safetensors";

		n = fit(t, i, o->type, o->shard_size);
		if (files > 1)
			snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", ++file,
					files);
		rc = write_file(w, i, n, o->type, dir, name, &map, &shown, err);
	}
	if (rc == 0 && files > 1)
		rc = write_index(dir, bytes, &map, err);
	lu_progress_end(&shown.progress);
	lu_buf_release(&map);
	return rc;
}
