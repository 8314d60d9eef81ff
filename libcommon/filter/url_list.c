#include "libcommon/filter/url_list.h"

#include <inttypes.h>

#include "libcommon/hash/hash.h"
#include "libcommon/io/lines.h"

#define ENTRY_MAX UINT16_MAX
#define LIST_LINE_MAX ((uint64_t)1 << 20)

/* --- the table ----------------------------------------------------------------------------- */

static uint64_t hash_of(struct lu_str s)
{
	return lu_hash64(s.p, s.n, 0);
}

static struct lu_str key_of(const struct lu_url_list *l, uint32_t i)
{
	return (struct lu_str){ l->text.p + l->entry.p[i].at, l->entry.p[i].n };
}

static uint64_t entry_hash(const void *items, uint32_t i)
{
	return hash_of(key_of(items, i));
}

static bool entry_is(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(key_of(items, i), *(const struct lu_str *)key);
}

static uint32_t look_up(const struct lu_url_list *l, struct lu_str key)
{
	return lu_map_find(&l->index, hash_of(key), l, entry_is, &key);
}

/* The entry with this key, new or not. */
static int entry_for(struct lu_url_list *l, struct lu_str key, uint32_t *i, struct lu_err *err)
{
	struct lu_url_entry e = { .at = (uint32_t)l->text.n, .n = (uint16_t)key.n };

	*i = look_up(l, key);
	if (*i != LU_MAP_NONE)
		return 0;
	if (l->text.n + key.n > UINT32_MAX)
		return lu_err_set(
				err, "more than 4 GB of entries: split the list, and filter twice");
	lu_buf_str(&l->text, key);
	if (!lu_buf_ok(&l->text) || !lu_map_reserve(&l->index, l, entry_hash) ||
			!lu_vec_push(&l->entry, e))
		return lu_err_nomem(err);
	*i = lu_map_add(&l->index, hash_of(key));
	if (key.n > l->longest)
		l->longest = key.n;
	return 0;
}

static int add(struct lu_url_list *l, struct lu_str url, size_t host, struct lu_err *err)
{
	uint32_t i;

	if (entry_for(l, (struct lu_str){ url.p, host }, &i, err) < 0)
		return -1;
	if (url.n == host) {
		l->entry.p[i].whole = 1;
		return 0;
	}
	l->entry.p[i].prefix = 1;
	if (entry_for(l, url, &i, err) < 0)
		return -1;
	l->entry.p[i].whole = 1;
	return 0;
}

static int read_line(struct lu_url_list *l, struct lu_str line, struct lu_buf *scratch,
		struct lu_err *err)
{
	size_t host;

	line = lu_url_trim(line);
	if (line.n == 0 || *line.p == '#')
		return 0;
	l->entries++;
	if (line.n >= 2 && memcmp(line.p, "*.", 2) == 0)
		line.p += 2, line.n -= 2;
	else if (*line.p == '.')
		line.p++, line.n--;
	lu_buf_clear(scratch);
	if (memchr(line.p, ' ', line.n) || memchr(line.p, '\t', line.n) ||
			!lu_url_normalise(line, scratch, &host) || scratch->n > ENTRY_MAX)
		return lu_err_set(err, "'" LU_STR_FMT "' is no domain or URL: write one a line",
				LU_STR_ARG(line));
	return lu_buf_check(scratch, err) < 0 ? -1 : add(l, lu_buf_slice(scratch), host, err);
}

int lu_url_list_read(struct lu_url_list *l, const char *path, struct lu_err *err)
{
	char *file = (char *)(uintptr_t)path;
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_buf scratch = { 0 };
	struct lu_str line;
	int rc;

	if (lu_lines_open(&lines, &file, 1, LIST_LINE_MAX, err) < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc > 0 && lu_slab_next(&slab, &line)) {
			struct lu_err why;

			if (read_line(l, line, &scratch, &why) < 0)
				rc = lu_err_set(err, "%s:%" PRIu64 ": %s", path, slab.line,
						why.msg);
		}
		if (rc < 0)
			break;
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_buf_release(&scratch);
	return rc;
}

void lu_url_list_release(struct lu_url_list *l)
{
	lu_buf_release(&l->text);
	lu_vec_release(&l->entry);
	lu_map_release(&l->index);
}

/* Look for the host `key.p`, and for the beginnings of the path behind it that end where a part
 * of the path does. */
static uint32_t find_host(const struct lu_url_list *l, struct lu_str url, size_t host)
{
	uint32_t i = look_up(l, (struct lu_str){ url.p, host });

	if (i == LU_MAP_NONE || l->entry.p[i].whole || !l->entry.p[i].prefix)
		return i;
	for (size_t n = host + 1; n <= url.n && n <= l->longest; n++) {
		if (n < url.n && url.p[n] != '/' && url.p[n] != '?' && url.p[n] != '&')
			continue;
		i = look_up(l, (struct lu_str){ url.p, n });
		if (i != LU_MAP_NONE)
			return i;
	}
	return LU_MAP_NONE;
}

static bool is_number(struct lu_str host)
{
	return host.n && (*host.p == '[' || lu_str_only(host, "0123456789."));
}

bool lu_url_list_find(const struct lu_url_list *l, struct lu_str url, struct lu_buf *scratch,
		struct lu_str *found)
{
	size_t host;
	struct lu_str s;
	bool number;

	lu_buf_clear(scratch);
	if (!lu_url_normalise(url, scratch, &host))
		return false;
	s = lu_buf_slice(scratch);
	number = is_number((struct lu_str){ s.p, host });
	for (;;) {
		uint32_t i = find_host(l, s, host);
		const char *dot = memchr(s.p, '.', host);

		if (i != LU_MAP_NONE && l->entry.p[i].whole) {
			*found = key_of(l, i);
			return true;
		}
		if (number || !dot)
			return false;
		host -= (size_t)(dot + 1 - s.p);
		s.n -= (size_t)(dot + 1 - s.p);
		s.p = dot + 1;
	}
}

/* --- the judge ----------------------------------------------------------------------------- */

static void scratch_free(void *local)
{
	lu_buf_release(local);
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_url_run *r = ctx;
	struct lu_buf *scratch = local;
	struct lu_str url = { 0 }, entry, value;
	size_t host;
	bool has = lu_doc_string(doc, "url", &url);

	if (has && lu_url_list_find(&r->drop, url, scratch, &entry)) {
		value = lu_doc_quote(doc, entry);
		return value.p ? lu_doc_drop(doc, "url listed", &value) : lu_err_nomem(err);
	}
	if (!r->keeps || (has && lu_url_list_find(&r->keep, url, scratch, &entry)))
		return lu_buf_check(scratch, err);
	lu_buf_clear(scratch);
	if (!has || !lu_url_normalise(url, scratch, &host))
		return lu_doc_drop(doc, "no url", NULL);
	if (lu_buf_check(scratch, err) < 0)
		return -1;
	value = lu_doc_quote(doc, (struct lu_str){ scratch->p, host });
	return value.p ? lu_doc_drop(doc, "url not listed", &value) : lu_err_nomem(err);
}

const struct lu_judge lu_url_judge = {
	.map = map,
	.local_size = sizeof(struct lu_buf),
	.local_free = scratch_free,
};

void lu_url_run_close(struct lu_url_run *r)
{
	lu_url_list_release(&r->drop);
	lu_url_list_release(&r->keep);
}
