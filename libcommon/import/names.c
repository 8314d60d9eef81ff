#include "libcommon/import/names.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"

static size_t find(const uint64_t *key, size_t cap, struct lu_hash128 h)
{
	size_t at = h.lo & (cap - 1);

	while ((key[2 * at] || key[2 * at + 1]) && (key[2 * at] != h.lo || key[2 * at + 1] != h.hi))
		at = (at + 1) & (cap - 1);
	return at;
}

static int grow(struct lu_names *names, struct lu_err *err)
{
	size_t cap = names->cap ? names->cap * 2 : 1024;
	uint64_t *bigger = calloc(cap, 2 * sizeof(*bigger));

	if (!bigger)
		return lu_err_nomem(err);
	for (size_t i = 0; i < names->cap; i++) {
		struct lu_hash128 h = { names->key[2 * i], names->key[2 * i + 1] };
		size_t at;

		if (!h.lo && !h.hi)
			continue;
		at = find(bigger, cap, h);
		bigger[2 * at] = h.lo;
		bigger[2 * at + 1] = h.hi;
	}
	free(names->key);
	names->key = bigger;
	names->cap = cap;
	return 0;
}

int lu_names_add(struct lu_names *names, struct lu_str s, bool *fresh, struct lu_err *err)
{
	struct lu_hash128 h = lu_hash128(s.p, s.n);
	size_t at;

	if (!h.lo && !h.hi)
		h.lo = 1;
	if (names->n * 2 >= names->cap && grow(names, err) < 0)
		return -1;
	at = find(names->key, names->cap, h);
	*fresh = !names->key[2 * at] && !names->key[2 * at + 1];
	if (*fresh) {
		names->key[2 * at] = h.lo;
		names->key[2 * at + 1] = h.hi;
		names->n++;
	}
	return 0;
}

void lu_names_release(struct lu_names *names)
{
	free(names->key);
	*names = (struct lu_names){ 0 };
}

bool lu_globs_match(const struct lu_list *globs, const char *path)
{
	for (size_t i = 0; globs && i < globs->n; i++) {
		if (fnmatch(globs->item[i], path, 0) == 0)
			return true;
	}
	return false;
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
		const char *low = memchr(path + from, '_', n - from);

		end = low ? (size_t)(low - path) : n - 4;
	}
	return end > from ? (struct lu_str){ path + from, end - from } : LU_STR("root");
}
