#include "libcommon/bpetrain/word_run.h"

#include "libcommon/base/utf8.h"
#include "libcommon/sys/file.h"

#define PARTS LU_WORD_PARTS
#define WRITE_BUFFER ((size_t)1 << 18)
#define READ_BUFFER ((size_t)1 << 16)
#define MAX_HEADER 21 /* two varints and the group */

static const char file_name[] = "temporary file";

/* First hash of a part; 0 for the end of the last. */
static uint64_t part_start(size_t k)
{
	return (uint64_t)k * (UINT64_MAX / PARTS + 1);
}

/* --- writing ------------------------------------------------------------------------------ */

struct writer {
	int fd;
	uint64_t size;
	struct lu_buf buf;
};

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		lu_buf_putc(b, (char)(v | 0x80));
	lu_buf_putc(b, (char)v);
}

static int flush(struct writer *f, struct lu_err *err)
{
	if (lu_buf_check(&f->buf, err) < 0 ||
			lu_write_all(f->fd, f->buf.p, f->buf.n, file_name, err) < 0)
		return -1;
	f->size += f->buf.n;
	lu_buf_clear(&f->buf);
	return 0;
}

static int write_words(struct writer *f, struct lu_word_run *run, struct lu_words_cursor *cursor,
		uint64_t *chars, struct lu_err *err)
{
	size_t part = 0;
	int rc;

	while ((rc = lu_words_next(cursor, err)) > 0) {
		const struct lu_word *w = &cursor->word;

		while (part < PARTS && w->hash >= part_start(part))
			run->part[part++] = f->size + f->buf.n;
		put_varint(&f->buf, w->s.n);
		lu_buf_putc(&f->buf, (char)w->group);
		put_varint(&f->buf, w->count);
		lu_buf_str(&f->buf, w->s);
		if (chars)
			chars[w->group] += w->count * lu_utf8_count(w->s.p, w->s.n);
		if (f->buf.n >= WRITE_BUFFER && flush(f, err) < 0)
			return -1;
	}
	while (part <= PARTS)
		run->part[part++] = f->size + f->buf.n;
	return rc < 0 ? -1 : flush(f, err);
}

int lu_word_run_write(struct lu_word_run *run, int fd, uint64_t *size, const struct lu_words *w,
		uint64_t *chars, struct lu_err *err)
{
	struct lu_words_cursor cursor = LU_WORDS_CURSOR(w, 0, 0);
	struct writer f = { .fd = fd, .size = *size };
	int rc = write_words(&f, run, &cursor, chars, err);

	*size = f.size;
	lu_buf_release(&f.buf);
	lu_words_cursor_release(&cursor);
	return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

struct lu_word_source lu_word_source_table(const struct lu_words *w, size_t part)
{
	return (struct lu_word_source){ .cursor = LU_WORDS_CURSOR(w, part_start(part),
							part_start((part + 1) % PARTS)) };
}

struct lu_word_source lu_word_source_run(int fd, const struct lu_word_run *run, size_t part)
{
	return (struct lu_word_source){
		.on_disk = true, .fd = fd, .offset = run->part[part], .end = run->part[part + 1]
	};
}

void lu_word_source_release(struct lu_word_source *s)
{
	lu_words_cursor_release(&s->cursor);
	lu_vec_release(&s->buf);
}

/* Read on until n bytes are available at buf.p + start. */
static int fill(struct lu_word_source *s, size_t n, struct lu_err *err)
{
	size_t have = s->buf.n - s->start, more;

	if (have >= n)
		return 0;
	if (have)
		memmove(s->buf.p, s->buf.p + s->start, have);
	s->start = 0;
	s->buf.n = have;
	if (!lu_vec_reserve(&s->buf, (n > READ_BUFFER ? n : READ_BUFFER) - have))
		return lu_err_nomem(err);
	more = s->buf.cap - have;
	if (more > s->end - s->offset)
		more = (size_t)(s->end - s->offset);
	if (have + more < n)
		return lu_err_set(err, "%s: ends within a word", file_name);
	if (lu_pread_all(s->fd, s->buf.p + have, more, s->offset, file_name, err) < 0)
		return -1;
	s->offset += more;
	s->buf.n += more;
	return 0;
}

static uint64_t get_varint(const char **p)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		unsigned char c = (unsigned char)*(*p)++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80 || shift >= 63)
			return v;
	}
}

static int next_on_disk(struct lu_word_source *s, struct lu_err *err)
{
	uint64_t left = s->buf.n - s->start + (s->end - s->offset);
	size_t n, header;
	const char *p;

	if (left == 0)
		return 0;
	if (fill(s, left < MAX_HEADER ? (size_t)left : MAX_HEADER, err) < 0)
		return -1;
	p = s->buf.p + s->start;
	n = (size_t)get_varint(&p);
	s->word.group = (uint8_t)*p++;
	s->word.count = get_varint(&p);
	header = (size_t)(p - s->buf.p) - s->start;
	if (fill(s, header + n, err) < 0)
		return -1;
	s->word.s = (struct lu_str){ s->buf.p + s->start + header, n };
	s->word.hash = lu_word_hash(s->word.s);
	s->start += header + n;
	return 1;
}

int lu_word_source_next(struct lu_word_source *s, struct lu_err *err)
{
	int rc;

	if (s->on_disk)
		return next_on_disk(s, err);
	rc = lu_words_next(&s->cursor, err);
	s->word = s->cursor.word;
	return rc;
}
