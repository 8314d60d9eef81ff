#include "libcommon/dedup/stepfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

#define HEADER 16
#define TRAILER 32
#define WRITE_SIZE ((size_t)256 << 10)

static const char end_mark[] = "lucieEND";

/* --- the list of input files ---------------------------------------------------------------- */

int lu_corpus_push(struct lu_corpus *c, const char *name, uint64_t docs, uint64_t hash,
		struct lu_err *err)
{
	struct lu_corpus_file file = { strdup(name), docs, hash, c->docs };

	if (!file.name || !lu_vec_push(&c->file, file)) {
		free(file.name);
		return lu_err_nomem(err);
	}
	if (docs > UINT64_MAX - c->docs)
		return lu_err_set(err, "%s: more than 2^64 documents", name);
	c->docs += docs;
	return 0;
}

int lu_corpus_append(struct lu_corpus *c, const struct lu_corpus *more, struct lu_err *err)
{
	for (size_t i = 0; i < more->file.n; i++) {
		const struct lu_corpus_file *f = &more->file.p[i];

		if (lu_corpus_find(c, f->name) != SIZE_MAX)
			return lu_err_set(err, "the documents of %s are given twice", f->name);
		if (lu_corpus_push(c, f->name, f->docs, f->hash, err) < 0)
			return -1;
	}
	return 0;
}

size_t lu_corpus_find(const struct lu_corpus *c, const char *name)
{
	for (size_t i = 0; i < c->file.n; i++) {
		if (strcmp(c->file.p[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

bool lu_corpus_same(const struct lu_corpus *a, const struct lu_corpus *b)
{
	if (a->file.n != b->file.n)
		return false;
	for (size_t i = 0; i < a->file.n; i++) {
		const struct lu_corpus_file *x = &a->file.p[i], *y = &b->file.p[i];

		if (x->docs != y->docs || x->hash != y->hash || strcmp(x->name, y->name) != 0)
			return false;
	}
	return true;
}

void lu_corpus_release(struct lu_corpus *c)
{
	for (size_t i = 0; i < c->file.n; i++)
		free(c->file.p[i].name);
	lu_vec_release(&c->file);
	*c = (struct lu_corpus){ 0 };
}

uint64_t lu_corpus_add(uint64_t hash, uint64_t record)
{
	unsigned char pair[16];

	lu_store64(pair, hash);
	lu_store64(pair + 8, record);
	return lu_hash64(pair, sizeof(pair), 0);
}

/* --- writing -------------------------------------------------------------------------------- */

static int flush(struct lu_stepfile_writer *w, struct lu_err *err)
{
	if (lu_buf_check(&w->buf, err) < 0 ||
			lu_atomic_write(&w->file, w->buf.p, w->buf.n, err) < 0)
		return -1;
	lu_buf_clear(&w->buf);
	return 0;
}

static int begin_section(struct lu_stepfile_writer *w, struct lu_err *err)
{
	lu_hasher_free(w->hasher);
	w->hasher = lu_hasher_new();
	w->now = (struct lu_step_section){ .offset = w->end };
	return w->hasher ? 0 : lu_err_nomem(err);
}

int lu_stepfile_create(struct lu_stepfile_writer *w, const char *target, const char magic[8],
		struct lu_err *err)
{
	char header[HEADER] = { 0 };

	*w = (struct lu_stepfile_writer)LU_STEPFILE_WRITER_NONE;
	memcpy(header, magic, 8);
	lu_store32(header + 8, LU_STEPFILE_VERSION);
	lu_buf_append(&w->buf, header, sizeof(header));
	w->end = sizeof(header);
	if (lu_atomic_open(&w->file, target, err) < 0)
		return -1;
	return begin_section(w, err);
}

int lu_stepfile_write(struct lu_stepfile_writer *w, const void *p, size_t n, struct lu_err *err)
{
	if (n == 0)
		return 0;
	lu_buf_append(&w->buf, p, n);
	lu_hasher_add(w->hasher, p, n);
	w->end += n;
	return w->buf.n >= WRITE_SIZE || !lu_buf_ok(&w->buf) ? flush(w, err) : 0;
}

int lu_stepfile_end_section(struct lu_stepfile_writer *w, uint64_t records, struct lu_err *err)
{
	w->now.bytes = w->end - w->now.offset;
	w->now.records = records;
	w->now.hash = lu_hasher_end(w->hasher).lo;
	return lu_vec_push(&w->section, w->now) ? begin_section(w, err) : lu_err_nomem(err);
}

static void put_text(struct lu_buf *b, const char *s)
{
	lu_buf_le32(b, (uint32_t)strlen(s));
	lu_buf_puts(b, s);
}

int lu_stepfile_commit(struct lu_stepfile_writer *w, const struct lu_corpus *corpus,
		const char *settings, unsigned part, unsigned parts, struct lu_err *err)
{
	struct lu_buf *b = &w->buf;
	uint64_t records = 0;

	LU_ASSERT(w->now.offset == w->end);
	if (flush(w, err) < 0)
		return -1;
	put_text(b, settings);
	lu_buf_le32(b, part);
	lu_buf_le32(b, parts);
	lu_buf_le64(b, corpus->file.n);
	for (size_t i = 0; i < corpus->file.n; i++) {
		put_text(b, corpus->file.p[i].name);
		lu_buf_le64(b, corpus->file.p[i].docs);
		lu_buf_le64(b, corpus->file.p[i].hash);
	}
	lu_buf_le64(b, w->section.n);
	for (size_t i = 0; i < w->section.n; i++) {
		lu_buf_le64(b, w->section.p[i].offset);
		lu_buf_le64(b, w->section.p[i].bytes);
		lu_buf_le64(b, w->section.p[i].records);
		lu_buf_le64(b, w->section.p[i].hash);
		records += w->section.p[i].records;
	}
	lu_buf_le64(b, w->end);
	lu_buf_le64(b, records);
	if (!lu_buf_ok(b))
		return lu_err_nomem(err);
	lu_buf_le64(b, lu_hash128(b->p, b->n).lo);
	lu_buf_append(b, end_mark, 8);
	if (flush(w, err) < 0 || lu_atomic_commit(&w->file, err) < 0)
		return -1;
	lu_stepfile_abort(w);
	return 0;
}

void lu_stepfile_abort(struct lu_stepfile_writer *w)
{
	lu_atomic_abort(&w->file);
	lu_hasher_free(w->hasher);
	lu_buf_release(&w->buf);
	lu_vec_release(&w->section);
	*w = (struct lu_stepfile_writer)LU_STEPFILE_WRITER_NONE;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The footer, taken from the front; `bad` when it ends too early. */
struct footer {
	const char *p, *end;
	bool bad;
};

static const char *take(struct footer *f, uint64_t n)
{
	const char *p = f->p;

	if (f->bad || n > (uint64_t)(f->end - f->p)) {
		f->bad = true;
		return NULL;
	}
	f->p += n;
	return p;
}

static uint32_t take32(struct footer *f)
{
	const char *p = take(f, 4);

	return p ? lu_load32(p) : 0;
}

static uint64_t take64(struct footer *f)
{
	const char *p = take(f, 8);

	return p ? lu_load64(p) : 0;
}

/* A text without NUL, or NULL; *nomem tells a lack of memory. */
static char *take_text(struct footer *f, bool *nomem)
{
	uint32_t n = take32(f);
	const char *p = take(f, n);
	char *s;

	if (!p || memchr(p, '\0', n)) {
		f->bad = true;
		return NULL;
	}
	s = strndup(p, n);
	*nomem |= !s;
	return s;
}

static int damaged(const struct lu_stepfile *f, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged, make it again", f->path);
}

static int parse_footer(struct lu_stepfile *f, struct footer *in, uint64_t end, struct lu_err *err)
{
	uint64_t at = HEADER, n, records = 0;
	bool nomem = false;
	int rc = 0;

	f->settings = take_text(in, &nomem);
	f->part = take32(in);
	f->parts = take32(in);
	n = take64(in);
	for (uint64_t i = 0; !in->bad && !nomem && rc == 0 && i < n; i++) {
		char *name = take_text(in, &nomem);
		uint64_t docs = take64(in);
		uint64_t hash = take64(in);

		if (!in->bad && !nomem)
			rc = lu_corpus_push(&f->corpus, name, docs, hash, err);
		free(name);
	}
	n = take64(in);
	for (uint64_t i = 0; !in->bad && !nomem && rc == 0 && i < n; i++) {
		struct lu_step_section s;

		s.offset = take64(in);
		s.bytes = take64(in);
		s.records = take64(in);
		s.hash = take64(in);
		in->bad |= s.offset != at || s.bytes > end - at;
		at += s.bytes;
		records += s.records;
		nomem |= !lu_vec_push(&f->section, s);
	}
	if (nomem)
		return lu_err_nomem(err);
	if (rc < 0)
		return -1;
	return in->bad || in->p != in->end || at != end || records != f->records || f->part < 1 ||
					f->part > f->parts
			? damaged(f, err)
			: 0;
}

static int read_footer(struct lu_stepfile *f, uint64_t size, struct lu_err *err)
{
	char trailer[TRAILER];
	struct footer in = { 0 };
	uint64_t from, n;
	char *p;
	int rc = -1;

	if (size < HEADER + TRAILER ||
			lu_pread_all(f->fd, trailer, TRAILER, size - TRAILER, f->path, err) < 0)
		return size < HEADER + TRAILER ? damaged(f, err) : -1;
	from = lu_load64(trailer);
	f->records = lu_load64(trailer + 8);
	if (memcmp(trailer + 24, end_mark, 8) != 0 || from < HEADER || from > size - TRAILER)
		return damaged(f, err);
	/* The hash covers the first half of the trailer too. */
	n = size - TRAILER - from + 16;
	p = malloc((size_t)n);
	if (!p)
		return lu_err_nomem(err);
	if (lu_pread_all(f->fd, p, (size_t)n, from, f->path, err) < 0)
		goto out;
	if (lu_hash128(p, (size_t)n).lo != lu_load64(trailer + 16)) {
		damaged(f, err);
		goto out;
	}
	in = (struct footer){ p, p + n - 16, false };
	rc = parse_footer(f, &in, from, err);
out:
	free(p);
	return rc;
}

/* Which step wrote what; drop lists come from two. */
static const struct {
	const char *magic, *step;
} steps[] = { { "lucieKEY", "keys" }, { "lucieDRP", "first or settle" }, { "lucieSGN", "sign" },
	{ "lucieMET", "meet" }, { "lucieGST", "fetch" }, { "lucieEDG", "edges" },
	{ "lucieROT", "link" }, { "lucieMBR", "gather" } };

static const char *step_of(const char *magic)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strncmp(magic, steps[i].magic, 8) == 0)
			return steps[i].step;
	}
	return NULL;
}

static int refuse(const char *path, const char *header, const char magic[8], struct lu_err *err)
{
	const char *is = step_of(header), *asked = step_of(magic);

	if (!asked)
		return lu_err_set(err, "%s: not a %.8s file", path, magic);
	if (!is)
		return lu_err_set(err, "%s: not a file that --step %s writes", path, asked);
	return lu_err_set(err, "%s: written by --step %s, and one of --step %s is needed", path, is,
			asked);
}

int lu_stepfile_open(
		struct lu_stepfile *f, const char *path, const char magic[8], struct lu_err *err)
{
	char header[HEADER];
	struct stat st;

	*f = (struct lu_stepfile)LU_STEPFILE_NONE;
	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return lu_err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return lu_err_set(err, "%s: not a file that can be read in parts", path);
	if (lu_readset_add(path, err) < 0)
		return -1;
	if (st.st_size < HEADER)
		return refuse(path, "", magic, err);
	if (lu_pread_all(f->fd, header, HEADER, 0, path, err) < 0)
		return -1;
	if (memcmp(header, magic, 8) != 0)
		return refuse(path, header, magic, err);
	if (lu_load32(header + 8) != LU_STEPFILE_VERSION || lu_load32(header + 12) != 0)
		return lu_err_set(err, "%s: version %u of %.8s, known is %d", path,
				lu_load32(header + 8), magic, LU_STEPFILE_VERSION);
	return read_footer(f, (uint64_t)st.st_size, err);
}

void lu_stepfile_close(struct lu_stepfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	lu_vec_release(&f->section);
	lu_corpus_release(&f->corpus);
	free(f->settings);
	*f = (struct lu_stepfile)LU_STEPFILE_NONE;
}

static int check_parts(const struct lu_stepfile *f, size_t n, struct lu_err *err)
{
	for (unsigned part = 1; part <= f[0].parts; part++) {
		size_t have = n;

		for (size_t i = 0; i < n; i++) {
			if (f[i].part != part)
				continue;
			if (have < n)
				return lu_err_set(err, "%s: part %u of %u, and so is %s", f[i].path,
						part, f[0].parts, f[have].path);
			have = i;
		}
		if (have == n)
			return lu_err_set(err, "part %u of %u is missing beside %s", part,
					f[0].parts, f[0].path);
	}
	return 0;
}

int lu_stepfile_agree(
		const struct lu_stepfile *f, size_t n, bool same, bool parts, struct lu_err *err)
{
	for (size_t i = 1; i < n; i++) {
		if (strcmp(f[i].settings, f[0].settings) != 0)
			return lu_err_set(err, "%s: made with '%s', %s with '%s'", f[i].path,
					f[i].settings, f[0].path, f[0].settings);
		if (same && !lu_corpus_same(&f[i].corpus, &f[0].corpus))
			return lu_err_set(err, "%s: made from other documents than %s", f[i].path,
					f[0].path);
		if (f[i].parts != f[0].parts)
			return lu_err_set(err, "%s: one of %u parts, %s one of %u", f[i].path,
					f[i].parts, f[0].path, f[0].parts);
	}
	return parts && n ? check_parts(f, n, err) : 0;
}

/* --- sections ------------------------------------------------------------------------------- */

int lu_stepcursor_open(struct lu_stepcursor *c, const struct lu_stepfile *f, size_t first,
		size_t end, size_t window, struct lu_err *err)
{
	*c = (struct lu_stepcursor){ .f = f, .section = first, .end = end, .size = window };
	LU_ASSERT(first <= end && end <= f->section.n);
	if (first == end)
		return 0;
	c->at = f->section.p[first].offset;
	c->stop = f->section.p[end - 1].offset + f->section.p[end - 1].bytes;
	c->left = f->section.p[first].bytes;
	for (size_t i = first; i < end; i++)
		c->records += f->section.p[i].records;
	c->hasher = lu_hasher_new();
	return c->hasher ? 0 : lu_err_nomem(err);
}

/* Check the section that has ended and begin the next. */
static int next_section(struct lu_stepcursor *c, struct lu_err *err)
{
	if (lu_hasher_end(c->hasher).lo != c->f->section.p[c->section].hash)
		return damaged(c->f, err);
	if (++c->section == c->end)
		return 0;
	c->left = c->f->section.p[c->section].bytes;
	lu_hasher_free(c->hasher);
	c->hasher = lu_hasher_new();
	return c->hasher ? 0 : lu_err_nomem(err);
}

static int fill(struct lu_stepcursor *c, size_t n, struct lu_err *err)
{
	size_t have = c->window.n - c->from;
	uint64_t more = n > c->size ? n : c->size;

	if (have)
		memmove(c->window.p, c->window.p + c->from, have);
	c->window.n = have;
	c->from = 0;
	more -= have;
	if (more > c->stop - c->at)
		more = c->stop - c->at;
	if (!lu_buf_reserve(&c->window, (size_t)more))
		return lu_err_nomem(err);
	if (lu_pread_all(c->f->fd, c->window.p + have, (size_t)more, c->at, c->f->path, err) < 0)
		return -1;
	c->at += more;
	c->window.n += (size_t)more;
	return 0;
}

int lu_stepcursor_read(struct lu_stepcursor *c, size_t n, struct lu_str *out, struct lu_err *err)
{
	LU_ASSERT(n > 0);
	while (c->section < c->end && c->left == 0) {
		if (next_section(c, err) < 0)
			return -1;
	}
	if (c->section == c->end)
		return 0;
	if (n > c->left)
		return damaged(c->f, err);
	if (c->window.n - c->from < n && fill(c, n, err) < 0)
		return -1;
	*out = (struct lu_str){ c->window.p + c->from, n };
	lu_hasher_add(c->hasher, out->p, n);
	c->from += n;
	c->left -= n;
	return 1;
}

int lu_stepcursor_finish(struct lu_stepcursor *c, struct lu_err *err)
{
	struct lu_str rest;
	int rc;

	do {
		size_t n = c->left < c->size ? (size_t)c->left : c->size;

		/* At the end of a section the first byte of the next one begins it. */
		rc = lu_stepcursor_read(c, n ? n : 1, &rest, err);
	} while (rc > 0);
	return rc;
}

void lu_stepcursor_close(struct lu_stepcursor *c)
{
	lu_buf_release(&c->window);
	lu_hasher_free(c->hasher);
	*c = (struct lu_stepcursor){ 0 };
}
