#include "libcommon/filter/url_list.h"

#include <inttypes.h>

#include "libcommon/hash/hash.h"
#include "libcommon/io/lines.h"
#include "libcommon/text/idna.h"

#define ENTRY_MAX UINT16_MAX
#define LIST_LINE_MAX ((uint64_t)1 << 20)

/* --- URLs ---------------------------------------------------------------------------------- */

static struct lu_str trimmed(struct lu_str s)
{
	while (s.n && (unsigned char)*s.p <= ' ')
		s.p++, s.n--;
	while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

/* First of a set of characters in s, or its end. */
static const char *first_of(struct lu_str s, const char *set)
{
	const char *p = s.p;

	while (p < s.p + s.n && !(*p && strchr(set, *p)))
		p++;
	return p;
}

/* The authority: behind "scheme://" or "//", up to the path. */
static struct lu_str authority(struct lu_str url, const char **path)
{
	const char *end = url.p + url.n, *p = first_of(url, ":/?#");

	if (end - p >= 3 && memcmp(p, "://", 3) == 0)
		url.p = p + 3;
	else if (url.n >= 2 && memcmp(url.p, "//", 2) == 0)
		url.p += 2;
	url.n = (size_t)(end - url.p);
	*path = first_of(url, "/?#\\");
	return (struct lu_str){ url.p, (size_t)(*path - url.p) };
}

/* Without user, password, port and dots at the end. */
static struct lu_str host_of(struct lu_str a)
{
	const char *p = a.p, *end = a.p + a.n, *q;

	for (q = p; q < end; q++) {
		if (*q == '@')
			p = q + 1;
	}
	for (q = end; q > p && q[-1] >= '0' && q[-1] <= '9';)
		q--;
	if (q > p && q[-1] == ':')
		end = q - 1;
	while (end > p && end[-1] == '.')
		end--;
	return (struct lu_str){ p, (size_t)(end - p) };
}

/* Append the host in small letters; true if it can be one. */
static bool put_host(struct lu_str host, struct lu_buf *out)
{
	bool ascii = true, bracket = host.n && *host.p == '[';
	size_t from = out->n;

	for (size_t i = 0; i < host.n; i++)
		ascii = ascii && !(host.p[i] & 0x80);
	if (!ascii && !lu_idna(host, out))
		return false;
	for (size_t i = 0; ascii && i < host.n; i++) {
		char c = host.p[i];

		lu_buf_putc(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
	}
	if (!lu_buf_ok(out))
		return true;
	for (size_t i = from; i < out->n; i++) {
		char c = out->p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
				    c == '_' || (bracket && strchr("[]:", c))) ||
				!c)
			return false;
		if (c == '.' && (i == from || out->p[i - 1] == '.'))
			return false;
	}
	return out->n > from;
}

bool lu_url_normalise(struct lu_str url, struct lu_buf *out, size_t *host)
{
	size_t from = out->n;
	const char *path, *end;
	struct lu_str a;

	url = trimmed(url);
	a = authority(url, &path);
	if (!put_host(host_of(a), out)) {
		out->n = from;
		return false;
	}
	*host = out->n - from;
	end = first_of((struct lu_str){ path, (size_t)(url.p + url.n - path) }, "#");
	while (end > path && (end[-1] == '/' || (unsigned char)end[-1] <= ' '))
		end--;
	if (end > path && *path == '?')
		lu_buf_putc(out, '/');
	lu_buf_append(out, path, (size_t)(end - path));
	return true;
}

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

	line = trimmed(line);
	if (line.n == 0 || *line.p == '#')
		return 0;
	l->entries++;
	if (line.n >= 2 && memcmp(line.p, "*.", 2) == 0)
		line.p += 2, line.n -= 2;
	else if (*line.p == '.')
		line.p++, line.n--;
	lu_buf_clear(scratch);
	if (first_of(line, " \t") != line.p + line.n || !lu_url_normalise(line, scratch, &host) ||
			scratch->n > ENTRY_MAX)
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
