#include "libcommon/bpetrain/word_run.h"

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

#define PARTS LU_WORD_PARTS
#define WRITE_BUFFER ((size_t)1 << 18)
#define READ_BUFFER ((size_t)1 << 16)
#define MAX_HEADER 30 /* three varints */

static const char file_name[] = "temporary file";

uint64_t lu_word_part_start(size_t k)
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

void lu_word_record_put(struct lu_buf *b, const struct lu_word *w)
{
	put_varint(b, w->s.n);
	put_varint(b, w->group);
	put_varint(b, w->count);
	lu_buf_str(b, w->s);
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

		while (part < PARTS && w->hash >= lu_word_part_start(part))
			run->part[part++] = f->size + f->buf.n;
		lu_word_record_put(&f->buf, w);
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
	return (struct lu_word_source){ .cursor = LU_WORDS_CURSOR(w, lu_word_part_start(part),
							lu_word_part_start((part + 1) % PARTS)) };
}

struct lu_word_source lu_word_source_run(
		int fd, const struct lu_word_run *run, size_t part, size_t room)
{
	return (struct lu_word_source){ .on_disk = true,
		.fd = fd,
		.offset = run->part[part],
		.end = run->part[part + 1],
		.room = room ? room : READ_BUFFER };
}

int lu_word_source_verify(
		struct lu_word_source *s, const struct lu_word_check *check, struct lu_err *err)
{
	s->check = check;
	s->hasher = lu_hasher_new();
	return s->hasher ? 0 : lu_err_nomem(err);
}

void lu_word_source_release(struct lu_word_source *s)
{
	lu_words_cursor_release(&s->cursor);
	lu_vec_release(&s->buf);
	lu_hasher_free(s->hasher);
	s->hasher = NULL;
}

static int damaged(const struct lu_word_source *s, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged: its words are not those that were counted",
			s->check ? s->check->file : file_name);
}

/* Read on until n bytes are available at buf.p + start. */
static int fill(struct lu_word_source *s, size_t n, struct lu_err *err)
{
	size_t have = s->buf.n - s->start, more;

	if (have >= n)
		return 0;
	if (n - have > s->end - s->offset)
		return damaged(s, err);
	if (have)
		memmove(s->buf.p, s->buf.p + s->start, have);
	s->start = 0;
	s->buf.n = have;
	if (!lu_vec_reserve(&s->buf, (n > s->room ? n : s->room) - have))
		return lu_err_nomem(err);
	more = s->buf.cap - have;
	if (more > s->end - s->offset)
		more = (size_t)(s->end - s->offset);
	if (lu_pread_all(s->fd, s->buf.p + have, more, s->offset,
			    s->check ? s->check->file : file_name, err) < 0)
		return -1;
	if (s->hasher)
		lu_hasher_add(s->hasher, s->buf.p + have, more);
	s->offset += more;
	s->buf.n += more;
	return 0;
}

/* Read a number in [*p, end); false if it does not end there or exceeds 64 bits. */
static bool get_varint(const char **p, const char *end, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char c = (unsigned char)*(*p)++;

		if (shift == 63 && c > 1)
			return false;
		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

/* Compare what was read of a part with what the file says of it. */
static int check_end(struct lu_word_source *s, struct lu_err *err)
{
	struct lu_hash128 h;

	if (!s->check)
		return 0;
	h = lu_hasher_end(s->hasher);
	if (s->records != s->check->records || h.lo != lu_load64(s->check->hash) ||
			h.hi != lu_load64(s->check->hash + 8))
		return damaged(s, err);
	return 0;
}

/* A record of another process's file: in its part, with a group and a count that can be. */
static bool is_sane(const struct lu_word_source *s, uint64_t hash, uint64_t group, uint64_t count)
{
	uint64_t to = lu_word_part_start((s->check->part + 1) % PARTS);

	return count > 0 && count <= LU_WORD_MAX_COUNT && group < s->check->groups &&
			hash >= lu_word_part_start(s->check->part) && (to == 0 || hash < to) &&
			(s->records == 0 || hash >= s->word.hash);
}

static int next_on_disk(struct lu_word_source *s, struct lu_err *err)
{
	uint64_t left = s->buf.n - s->start + (s->end - s->offset), n, group, count, hash;
	size_t header;
	const char *p, *end;

	if (left == 0)
		return check_end(s, err);
	if (fill(s, left < MAX_HEADER ? (size_t)left : MAX_HEADER, err) < 0)
		return -1;
	p = s->buf.p + s->start;
	end = s->buf.p + s->buf.n;
	if (!get_varint(&p, end, &n) || !get_varint(&p, end, &group) ||
			!get_varint(&p, end, &count) || n == 0 || n > UINT32_MAX)
		return damaged(s, err);
	header = (size_t)(p - s->buf.p) - s->start;
	if (fill(s, header + (size_t)n, err) < 0)
		return -1;
	s->word.s = (struct lu_str){ s->buf.p + s->start + header, (size_t)n };
	hash = lu_word_hash(s->word.s);
	if (s->check && !is_sane(s, hash, group, count))
		return damaged(s, err);
	s->word.hash = hash;
	s->word.group = s->map ? s->map[group] : (uint16_t)group;
	s->word.count = count;
	s->start += header + (size_t)n;
	s->records++;
	return 1;
}

int lu_word_source_next(struct lu_word_source *s, struct lu_err *err)
{
	int rc;

	if (s->on_disk)
		return next_on_disk(s, err);
	rc = lu_words_next(&s->cursor, err);
	s->word = s->cursor.word;
	if (rc > 0 && s->map)
		s->word.group = s->map[s->word.group];
	return rc;
}
