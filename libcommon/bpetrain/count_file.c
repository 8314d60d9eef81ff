#include "libcommon/bpetrain/count_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

/* A footer has a line for each language and each part. */
#define FOOTER_LIMIT ((uint64_t)1 << 26)

/* The footer being read. */
struct cursor {
	const char *p, *end;
	bool short_of; /* something was missing */
};

static const char *take(struct cursor *c, uint64_t n)
{
	const char *p = c->p;

	if (c->short_of || n > (uint64_t)(c->end - c->p)) {
		c->short_of = true;
		return NULL;
	}
	c->p += n;
	return p;
}

static uint64_t take64(struct cursor *c)
{
	const char *p = take(c, 8);

	return p ? lu_load64(p) : 0;
}

static struct lu_str take_str(struct cursor *c)
{
	uint64_t n = take64(c);
	const char *p = take(c, n);

	return p ? (struct lu_str){ p, (size_t)n } : LU_STR("");
}

static int wrong(const struct lu_count_file *f, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged: what the file says of its words cannot be", f->path);
}

static int read_languages(struct lu_count_file *f, struct cursor *c, struct lu_err *err)
{
	uint64_t n = take64(c);
	struct lu_str before = LU_STR("");

	if (n > LU_WORD_GROUPS)
		return wrong(f, err);
	f->chars = calloc((size_t)n + 1, sizeof(*f->chars));
	if (!f->chars)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct lu_str name = take_str(c);
		uint16_t number;

		f->chars[i] = take64(c);
		if (c->short_of || f->chars[i] > LU_WORD_MAX_COUNT ||
				(i > 0 && lu_str_cmp(before, name) >= 0))
			return wrong(f, err);
		if (lu_lang_names_add(&f->lang, name, &number, err) < 0)
			return -1;
		before = name;
	}
	lu_lang_names_sort(&f->lang);
	return 0;
}

static int read_footer(struct lu_count_file *f, struct cursor c, uint64_t end, struct lu_err *err)
{
	struct lu_str settings = take_str(&c);
	uint64_t records = 0;

	f->settings = strndup(settings.p, settings.n);
	if (!f->settings)
		return lu_err_nomem(err);
	f->documents = take64(&c);
	f->bytes = take64(&c);
	f->records = take64(&c);
	if (read_languages(f, &c, err) < 0)
		return -1;
	for (size_t i = 0; i < LU_WORD_PARTS; i++) {
		struct lu_word_check *k = &f->check[i];
		const char *hash;

		f->run.part[i] = i ? f->run.part[i] : LU_COUNT_HEADER;
		f->run.part[i + 1] = take64(&c);
		*k = (struct lu_word_check){ f->path, take64(&c), { 0 }, i,
			(unsigned)f->lang.name.n };
		hash = take(&c, 16);
		if (!hash || f->run.part[i + 1] < f->run.part[i] || f->run.part[i + 1] > end ||
				k->records > f->records - records)
			return wrong(f, err);
		memcpy(k->hash, hash, 16);
		records += k->records;
	}
	if (c.p != c.end || f->run.part[LU_WORD_PARTS] != end || records != f->records)
		return wrong(f, err);
	return 0;
}

/* Read the trailer and what it points to. */
static int read_end(struct lu_count_file *f, uint64_t size, struct lu_err *err)
{
	unsigned char tail[LU_COUNT_TRAILER];
	uint64_t at;
	size_t n;
	char *footer;
	int rc = -1;

	if (size < LU_COUNT_HEADER + LU_COUNT_TRAILER)
		return lu_err_set(err, "%s: truncated count file", f->path);
	if (lu_pread_all(f->fd, tail, sizeof(tail), size - sizeof(tail), f->path, err) < 0)
		return -1;
	at = lu_load64(tail);
	if (memcmp(tail + 24, LU_COUNT_END, 8) != 0)
		return lu_err_set(err, "%s: truncated count file", f->path);
	if (at < LU_COUNT_HEADER || at > size - sizeof(tail) ||
			size - sizeof(tail) - at > FOOTER_LIMIT)
		return wrong(f, err);
	n = (size_t)(size - sizeof(tail) - at);
	footer = malloc(n + 1);
	if (!footer)
		return lu_err_nomem(err);
	if (lu_pread_all(f->fd, footer, n, at, f->path, err) == 0) {
		struct lu_hash128 h = lu_hash128(footer, n);

		if (h.lo != lu_load64(tail + 8) || h.hi != lu_load64(tail + 16))
			wrong(f, err);
		else
			rc = read_footer(f, (struct cursor){ footer, footer + n, false }, at, err);
	}
	free(footer);
	return rc;
}

static int open_file(struct lu_count_file *f, struct lu_err *err)
{
	unsigned char head[LU_COUNT_HEADER] = { 0 };
	struct stat st;
	ssize_t n;

	if (strcmp(f->path, "-") == 0)
		return lu_err_set(err, "a count file is read by position: name it, no pipe");
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 && errno == EMFILE)
		return lu_err_set(err,
				"%s: too many files at once; merge some first with --step merge",
				f->path);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return lu_err_sys(err, errno, "%s", f->path);
	if (!S_ISREG(st.st_mode))
		return lu_err_set(err, "%s: a count file is read by position, so it is a file",
				f->path);
	n = pread(f->fd, head, sizeof(head), 0);
	if (n < 0)
		return lu_err_sys(err, errno, "%s", f->path);
	if (memcmp(head, LU_COUNT_MAGIC, 8) != 0)
		return lu_err_set(err,
				"%s: not a count file; lucie-tok-train --step count makes one",
				f->path);
	if (lu_load32(head + 8) != LU_COUNT_VERSION)
		return lu_err_set(err, "%s: count file of version %u; only %d is supported",
				f->path, lu_load32(head + 8), LU_COUNT_VERSION);
	if (lu_load32(head + 12) != LU_WORD_PARTS)
		return wrong(f, err);
	return read_end(f, (uint64_t)st.st_size, err);
}

int lu_count_file_open(struct lu_count_file *f, const char *path, struct lu_err *err)
{
	*f = (struct lu_count_file){ .fd = -1, .path = strdup(path) };
	if (!f->path)
		return lu_err_nomem(err);
	if (open_file(f, err) == 0)
		return 0;
	lu_count_file_close(f);
	return -1;
}

void lu_count_file_close(struct lu_count_file *f)
{
	if (f->fd >= 0)
		close(f->fd); /* only read */
	lu_lang_names_release(&f->lang);
	free(f->chars);
	free(f->settings);
	free(f->path);
	*f = (struct lu_count_file){ .fd = -1 };
}

int lu_count_file_source(const struct lu_count_file *f, size_t part, size_t room,
		struct lu_word_source *s, struct lu_err *err)
{
	*s = lu_word_source_run(f->fd, &f->run, part, room);
	return lu_word_source_verify(s, &f->check[part], err);
}

/* --- verification ------------------------------------------------------------------------- */

/* Each record must follow the one before in the order of the file. */
static int verify_part(const struct lu_count_file *f, size_t part, uint64_t *chars,
		struct lu_buf *text, struct lu_err *err)
{
	struct lu_word_source s = { 0 };
	struct lu_word before = { 0 };
	int rc = lu_count_file_source(f, part, 0, &s, err), more = 0;

	while (rc == 0 && (more = lu_word_source_next(&s, err)) > 0) {
		const struct lu_word *w = &s.word;
		int order = before.count ? lu_word_cmp(&before, w) : -1;

		if (order > 0 || (order == 0 && before.group >= w->group))
			rc = lu_err_set(err, "%s: damaged: its words are not in order", f->path);
		chars[w->group] += w->count * lu_utf8_count(w->s.p, w->s.n);
		lu_buf_clear(text);
		lu_buf_str(text, w->s);
		if (rc == 0)
			rc = lu_buf_check(text, err);
		before = *w;
		before.s = lu_buf_slice(text);
	}
	lu_word_source_release(&s);
	return rc < 0 || more < 0 ? -1 : 0;
}

int lu_count_file_verify(const struct lu_count_file *f, struct lu_err *err)
{
	uint64_t *chars = calloc(f->lang.name.n + 1, sizeof(*chars));
	struct lu_buf text = { 0 };
	int rc = chars ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < LU_WORD_PARTS; i++)
		rc = verify_part(f, i, chars, &text, err);
	for (size_t i = 0; rc == 0 && i < f->lang.name.n; i++) {
		if (chars[i] != f->chars[i])
			rc = wrong(f, err);
	}
	lu_buf_release(&text);
	free(chars);
	return rc;
}
