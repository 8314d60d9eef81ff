#include "libcommon/report/each_object.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/io/lines.h"

static int pass(struct lu_str line, const struct lu_slab *slab, lu_each_object_fn *fn, void *ctx,
		struct lu_arena *scan, struct lu_err *err)
{
	struct lu_place at = { slab->file, slab->line };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	int rc;

	lu_arena_reset(scan);
	if (slab->too_long)
		rc = lu_err_set(err, "longer than --max-line");
	else if (lu_json_object(line, scan, &obj, &fault) < 0)
		rc = lu_json_fail(&fault, err);
	else
		rc = fn(ctx, &obj, &at, scan, err);
	return rc < 0 ? lu_err_wrap(err, "%s:%" PRIu64, slab->file, slab->line) : 0;
}

int lu_each_object(char **file, size_t files, uint64_t max_line, lu_each_object_fn *fn, void *ctx,
		struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_arena scan = { 0 };
	struct lu_str line;
	int rc = lu_lines_open(&lines, file, files, max_line, err);

	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (slab.too_long || !lu_str_only(line, " \t\r"))
				rc = pass(line, &slab, fn, ctx, &scan, err);
		}
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&scan);
	return rc < 0 ? -1 : 0;
}

int lu_each_object_listed(const struct lu_list *list, uint64_t max_line, lu_each_object_fn *fn,
		void *ctx, struct lu_err *err)
{
	char **file;
	size_t n = 0;
	int rc = 0;

	if (list->n == 0)
		return 0;
	file = calloc(list->n, sizeof(*file));
	if (!file)
		return lu_err_nomem(err);
	for (; rc == 0 && n < list->n; n++) {
		file[n] = strdup(list->item[n]);
		rc = file[n] ? 0 : lu_err_nomem(err);
	}
	if (rc == 0)
		rc = lu_each_object(file, n, max_line, fn, ctx, err);
	for (size_t i = 0; i < n; i++)
		free(file[i]);
	free(file);
	return rc;
}

int lu_object_string(const struct lu_json_obj *obj, const char *key, struct lu_arena *scan,
		struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	*out = LU_STR("");
	if (!m || m->type != LU_JSON_STRING)
		return 0;
	return lu_json_decode_known(m->value, m->escaped, scan, out) < 0 ? lu_err_nomem(err) : 0;
}
