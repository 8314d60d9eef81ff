#include "libcommon/import/missing.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/take_line.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/tool.h"

static struct lu_str name_of(const struct lu_missing_names *names, size_t i)
{
	return (struct lu_str){ names->text.p + names->list.p[i].at, names->list.p[i].n };
}

static uint64_t name_hash(const void *items, uint32_t i)
{
	struct lu_str s = name_of(items, i);

	return lu_hash64(s.p, s.n, 0);
}

static bool name_is(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(name_of(items, i), *(const struct lu_str *)key);
}

static int count(struct lu_missing *m, struct lu_str name, struct lu_err *err)
{
	struct lu_missing_names *names = &m->names;
	uint64_t hash = lu_hash64(name.p, name.n, 0);
	uint32_t i = lu_map_find(&m->map, hash, names, name_is, &name);
	size_t at = names->text.n;

	m->unexpanded++;
	if (i != LU_MAP_NONE) {
		names->list.p[i].count++;
		return 0;
	}
	if (names->list.n >= LU_MISSING_NAMES)
		return 0;
	lu_buf_str(&names->text, name);
	if (lu_buf_check(&names->text, err) < 0)
		return -1;
	if (!lu_map_reserve(&m->map, names, name_hash) ||
			!lu_vec_push(&names->list, (struct lu_missing_name){ at, name.n, 1 }))
		return lu_err_nomem(err);
	lu_map_add(&m->map, hash);
	return 0;
}

int lu_missing_add(struct lu_missing *m, const struct lu_import_result *res, struct lu_err *err)
{
	struct lu_str rest = res->missing, line;

	m->holes += res->holes;
	m->references += res->references;
	while (lu_take_line(&rest, &line)) {
		if (count(m, line, err) < 0)
			return -1;
	}
	return 0;
}

/* True if name a is shown before b. */
static bool before(const struct lu_missing_names *n, size_t a, size_t b)
{
	if (n->list.p[a].count != n->list.p[b].count)
		return n->list.p[a].count > n->list.p[b].count;
	return lu_str_cmp(name_of(n, a), name_of(n, b)) < 0;
}

/* The most frequent names, in order. Returns their number. */
static size_t most_frequent(const struct lu_missing_names *n, size_t top[LU_MISSING_SHOWN])
{
	size_t k = 0;

	for (size_t i = 0; i < n->list.n; i++) {
		size_t at = k;

		if (k < LU_MISSING_SHOWN)
			k++;
		else if (!before(n, i, top[k - 1]))
			continue;
		else
			at = k - 1;
		for (; at > 0 && before(n, i, top[at - 1]); at--)
			top[at] = top[at - 1];
		top[at] = i;
	}
	return k;
}

void lu_missing_put(const struct lu_missing *m, struct lu_buf *extra)
{
	size_t top[LU_MISSING_SHOWN], n = most_frequent(&m->names, top);

	if (m->references)
		lu_json_put_u64(extra, "references", m->references);
	if (!m->unexpanded)
		return;
	lu_json_put_u64(extra, "unexpanded", m->unexpanded);
	lu_json_put_u64(extra, "holes", m->holes);
	lu_json_open_object(extra, "unexpanded_names");
	for (size_t i = 0; i < n; i++) {
		lu_json_key(extra, name_of(&m->names, top[i]));
		lu_json_put_u64(extra, NULL, m->names.list.p[top[i]].count);
	}
	lu_json_close_object(extra);
}

void lu_missing_note(const struct lu_missing *m)
{
	size_t top[LU_MISSING_SHOWN], n = most_frequent(&m->names, top);
	struct lu_buf list = { 0 };

	if (!m->unexpanded)
		return;
	for (size_t i = 0; i < n && i < 5; i++) {
		lu_buf_puts(&list, i ? ", " : "");
		lu_buf_masked(&list, name_of(&m->names, top[i]));
		lu_buf_printf(&list, " (%" PRIu64 ")", m->names.list.p[top[i]].count);
	}
	if (lu_buf_ok(&list))
		lu_note("%" PRIu64 " template%s not expanded, %" PRIu64
			" inside a sentence: %s; --templates adds rules",
				m->unexpanded, m->unexpanded == 1 ? " was" : "s were", m->holes,
				list.p ? list.p : "");
	lu_buf_release(&list);
}

void lu_missing_release(struct lu_missing *m)
{
	lu_buf_release(&m->names.text);
	lu_vec_release(&m->names.list);
	lu_map_release(&m->map);
}
