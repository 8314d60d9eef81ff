#ifndef LUCIE_REPORT_EACH_OBJECT_H
#define LUCIE_REPORT_EACH_OBJECT_H
/*
 * A walk over the objects of JSON Lines files, compressed or not.
 *
 *	static int add(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
 *			struct lu_arena *scan, struct lu_err *err);
 *	lu_each_object(files, n, max_line, add, ctx, &err);
 *
 * Blank lines are passed over. A line that is no object is an error; it and those of the callback get
 * "file:line" in front.
 */
#include "libcommon/io/json.h"
#include "libcommon/sys/opt.h"

struct lu_place {
	const char *file; /* as in `files` */
	uint64_t line;
};

/* `scan` is memory until the next object. Returns 0 or -1. */
typedef int lu_each_object_fn(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
		struct lu_arena *scan, struct lu_err *err);

int lu_each_object(char **file, size_t files, uint64_t max_line, lu_each_object_fn *fn, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* The same for the files that an option named. */
int lu_each_object_listed(const struct lu_list *list, uint64_t max_line, lu_each_object_fn *fn,
		void *ctx, struct lu_err *err) LU_CHECKED;

/* Decode the string under a key; empty if there is none. -1 only when memory is out. */
int lu_object_string(const struct lu_json_obj *obj, const char *key, struct lu_arena *scan,
		struct lu_str *out, struct lu_err *err) LU_CHECKED;

#endif
