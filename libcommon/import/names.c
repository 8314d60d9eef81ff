#include "libcommon/import/names.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <strings.h>

static uint64_t key_hash(const void *items, uint32_t i)
{
	return ((const struct lu_named *)items)[i].key.lo;
}

static bool key_same(const void *items, uint32_t i, const void *key)
{
	return lu_hash128_eq(
			((const struct lu_named *)items)[i].key, *(const struct lu_hash128 *)key);
}

/* The place of a name, which is added unless it is there. */
static int find(struct lu_names *names, struct lu_str s, uint32_t *at, bool *fresh,
		struct lu_err *err)
{
	struct lu_named add = { .key = lu_hash128(s.p, s.n), .last = 1 };

	*at = lu_map_find(&names->map, add.key.lo, names->named.p, key_same, &add.key);
	*fresh = *at == LU_MAP_NONE;
	if (!*fresh)
		return 0;
	if (!lu_map_reserve(&names->map, names->named.p, key_hash) ||
			!lu_vec_push(&names->named, add))
		return lu_err_nomem(err);
	*at = lu_map_add(&names->map, add.key.lo);
	return 0;
}

int lu_names_number(struct lu_names *names, struct lu_buf *name, size_t from, struct lu_err *err)
{
	size_t end = name->n;
	uint32_t first, at;
	bool fresh;

	if (lu_buf_check(name, err) < 0 ||
			find(names, (struct lu_str){ name->p + from, end - from }, &first, &fresh,
					err) < 0)
		return -1;
	while (!fresh) {
		name->n = end;
		lu_buf_printf(name, "#%" PRIu64, ++names->named.p[first].last);
		if (lu_buf_check(name, err) < 0 ||
				find(names, (struct lu_str){ name->p + from, name->n - from }, &at,
						&fresh, err) < 0)
			return -1;
	}
	return 0;
}

void lu_names_release(struct lu_names *names)
{
	lu_vec_release(&names->named);
	lu_map_release(&names->map);
}

bool lu_globs_match(const struct lu_list *globs, const char *path)
{
	for (size_t i = 0; globs && i < globs->n; i++) {
		if (fnmatch(globs->item[i], path, 0) == 0)
			return true;
	}
	return false;
}

bool lu_path_ends(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n > m && strcasecmp(path + n - m, ending) == 0;
}

struct lu_str lu_source_of(const char *path)
{
	size_t n = strlen(path), from, end;

	if (strcmp(path, "-") == 0)
		return LU_STR("stdin");
	while (n > 1 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/'; from--)
		;
	for (end = from; end < n && (path[end] != '.' || end == from); end++)
		;
	if (n - from > 4 && memcmp(path + n - 4, ".deb", 4) == 0) {
		const char *version = memchr(path + from, '_', n - from);

		end = version ? (size_t)(version - path) : n - 4;
	}
	return end > from ? (struct lu_str){ path + from, end - from } : LU_STR("root");
}
