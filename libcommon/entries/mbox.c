#include "libcommon/entries/mbox.h"

#include <ctype.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/take_line.h"
#include "libcommon/entries/items.h"
#include "libcommon/entries/mail.h"

/* More than a "From " line has: lines of up to that length are recognised. */
#define LINE_MAX_BYTES ((size_t)1 << 10)

struct mbox {
	struct lu_feed *feed;
	uint64_t limit;
	struct lu_buf in; /* bytes at .. n - 1 are unread */
	size_t at;
	bool begun, ended;
	struct lu_items items;
	uint64_t number, line;
};

static bool digits(const char *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)p[i]))
			return false;
	}
	return true;
}

/* True for "From somebody Tue Mar  3 12:34:56 2009", with anything around the time and the year. */
static bool is_from_line(const char *p, const char *end)
{
	bool time = false;
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	end = nl ? nl : end;
	if (end - p < 18 || memcmp(p, "From ", 5) != 0)
		return false;
	for (p += 5; end - p >= 5; p++) {
		if (p[2] == ':' && digits(p, 2) && digits(p + 3, 2))
			time = true;
		else if (time && (p[0] == ' ') && digits(p + 1, 4) &&
				(end - p == 5 || !isdigit((unsigned char)p[5])))
			return true;
	}
	return false;
}

bool lu_mbox_look(struct lu_str head)
{
	struct lu_str line = { head.p, head.n };
	const char *nl = head.n ? memchr(head.p, '\n', head.n) : NULL;

	line.n = nl ? (size_t)(nl - head.p) : head.n;
	return is_from_line(line.p, line.p + line.n);
}

/* A field that programs write into every message, and two in the first lines. */
bool lu_eml_look(struct lu_str head)
{
	static const char *const names[] = { "From", "Date", "Subject", "Received", "Message-ID",
		"Return-Path", "MIME-Version", "Delivered-To", "To", "Content-Type" };
	struct lu_str line, v;
	unsigned found = 0;
	bool first = true;

	while (lu_take_line(&head, &line) && lu_trim_line(line).n) {
		bool known = false;

		if (line.p[0] == ' ' || line.p[0] == '\t')
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (lu_take_field(line, names[i], &v)) {
				known = true;
				found |= 1u << i;
			}
		}
		if (first && !known)
			return false;
		first = false;
	}
	/* A sender, and a date or a subject. */
	return (found & 1) && (found & 6);
}

static int start(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct mbox *m = calloc(1, sizeof(*m));

	(void)file;
	(void)tmpdir;
	if (!m)
		return lu_err_nomem(err);
	m->feed = feed;
	m->limit = m->items.limit = o->limit;
	m->line = 1;
	*state = m;
	return 0;
}

static int read_more(struct mbox *m, struct lu_err *err)
{
	ssize_t got;

	if (m->at)
		memmove(m->in.p, m->in.p + m->at, m->in.n - m->at);
	m->in.n -= m->at;
	m->at = 0;
	if (!lu_buf_reserve(&m->in, LU_ENTRIES_BLOCK))
		return lu_err_nomem(err);
	got = lu_feed_read(m->feed, m->in.p + m->in.n, LU_ENTRIES_BLOCK, err);
	if (got < 0)
		return -1;
	m->in.n += (size_t)got;
	m->ended = (size_t)got < LU_ENTRIES_BLOCK;
	return 0;
}

/* Append the next n bytes to the item. */
static void take(struct mbox *m, size_t n, struct lu_buf *block)
{
	const char *p = m->in.p + m->at, *end = p + n, *nl = p;

	lu_items_append(&m->items, (struct lu_str){ p, n }, block);
	m->at += n;
	while (nl < end && (nl = memchr(nl, '\n', (size_t)(end - nl))) != NULL) {
		m->line++;
		nl++;
	}
}

/* The next "From " line in [p, end), or NULL; then *keep bytes at the end may begin one. */
static const char *next_from(const char *p, const char *end, bool ended, size_t *keep)
{
	const char *q = p;

	*keep = 0;
	while (q < end && (q = memmem(q, (size_t)(end - q), "\nFrom ", 6)) != NULL) {
		q++;
		if (!ended && !memchr(q, '\n', (size_t)(end - q)) &&
				(size_t)(end - q) < LINE_MAX_BYTES) {
			*keep = (size_t)(end - q) + 1;
			return NULL;
		}
		if (is_from_line(q, end))
			return q;
	}
	*keep = ended ? 0 : (size_t)(end - p) < 5 ? (size_t)(end - p) : 5;
	return NULL;
}

/* The end of the message at the read position by its Content-Length, an offset from there; 0: it has
 * none that is true. Of what is in memory. */
static size_t stated_end(const struct mbox *m)
{
	struct lu_str rest = { m->in.p + m->at, m->in.n - m->at }, line, v = { 0 };
	const char *start = rest.p;
	char number[24];
	struct lu_err unused;
	uint64_t n;
	size_t end;

	while (lu_take_line(&rest, &line) && lu_trim_line(line).n) {
		/* Without a blank line, fields end where the next message begins. */
		if (line.p > start && line.n >= 5 && memcmp(line.p, "From ", 5) == 0)
			return 0;
		lu_take_field(line, "Content-Length", &v);
	}
	if (v.n == 0 || v.n >= sizeof(number))
		return 0;
	memcpy(number, v.p, v.n);
	number[v.n] = '\0';
	if (lu_num_u64(number, &n, &unused) < 0 || n > rest.n)
		return 0;
	end = (size_t)(rest.p - start) + (size_t)n;
	/* The line end between messages is counted by some. */
	while (m->at + end < m->in.n && (start[end] == '\n' || start[end] == '\r'))
		end++;
	if (m->at + end == m->in.n)
		return m->ended ? end : 0;
	return start[end - 1] == '\n' && is_from_line(start + end, m->in.p + m->in.n) ? end : 0;
}

/* What the From line of a message begins with in a block whose Content-Length was true: nothing is
 * quoted in it. */
#define STATED 'f'

/* Put the message at the read position into the block. */
static int read_message(struct mbox *m, struct lu_buf *block, struct lu_err *err)
{
	size_t looked = 0, stated;

	lu_items_begin(&m->items, ++m->number, m->line, block);
	for (bool first = true;; first = false) {
		const char *p = m->in.p + m->at, *end = m->in.p + m->in.n, *q;
		size_t keep;

		/* Once, when a block of it is in memory: longer ones are rare. */
		stated = first ? stated_end(m) : 0;
		if (stated) {
			m->in.p[m->at] = STATED;
			take(m, stated, block);
			break;
		}
		q = next_from(p + looked, end, m->ended, &keep);
		if (q || m->ended) {
			take(m, q ? (size_t)(q - p) : (size_t)(end - p), block);
			break;
		}
		take(m, (size_t)(end - p) - keep, block);
		if (lu_buf_check(block, err) < 0 || read_more(m, err) < 0)
			return -1;
	}
	lu_items_end(&m->items, block);
	return lu_buf_check(block, err);
}

static int mbox_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct mbox *m = state;

	lu_buf_clear(block);
	while (block->n < LU_ENTRIES_BLOCK) {
		if (m->in.n - m->at < LU_ENTRIES_BLOCK && !m->ended && read_more(m, err) < 0)
			return -1;
		if (!m->begun) {
			while (m->at < m->in.n &&
					(m->in.p[m->at] == '\n' || m->in.p[m->at] == '\r')) {
				m->line += m->in.p[m->at] == '\n';
				m->at++;
			}
			if (m->in.n - m->at < 5 || memcmp(m->in.p + m->at, "From ", 5) != 0)
				return lu_err_set(err,
						"%s: no mailbox: it does not begin with a From "
						"line",
						lu_feed_name(m->feed));
			m->begun = true;
		}
		if (m->at == m->in.n)
			break;
		if (read_message(m, block, err) < 0)
			return -1;
	}
	return block->n > 0;
}

/* All of the file is one item. */
static int eml_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct mbox *m = state;

	lu_buf_clear(block);
	if (m->ended)
		return 0;
	lu_items_begin(&m->items, 1, 1, block);
	while (!m->ended) {
		if (read_more(m, err) < 0)
			return -1;
		take(m, m->in.n, block);
		if (lu_buf_check(block, err) < 0)
			return -1;
	}
	lu_items_end(&m->items, block);
	return lu_buf_check(block, err) < 0 ? -1 : 1;
}

static void finish(void *state)
{
	struct mbox *m = state;

	if (m)
		lu_buf_release(&m->in);
	free(m);
}

/* Append the lines with one ">" less where they were quoted for the mailbox. */
static void unquote(struct lu_str s, struct lu_buf *out)
{
	struct lu_str line;
	const char *from = s.p;

	while (lu_take_line(&s, &line)) {
		size_t n = 0;

		while (n < line.n && line.p[n] == '>')
			n++;
		if (n == 0 || line.n - n < 5 || memcmp(line.p + n, "From ", 5) != 0)
			continue;
		lu_buf_append(out, from, (size_t)(line.p - from));
		from = line.p + 1;
	}
	lu_buf_append(out, from, (size_t)(s.p - from));
}

static bool is_quoted(struct lu_str s)
{
	return memmem(s.p, s.n, "\n>From ", 7) || memmem(s.p, s.n, "\n>>", 3);
}

/* The blank line at the end belongs to the mailbox. */
static void without_last_line(struct lu_str *s)
{
	if (s->n >= 2 && s->p[s->n - 1] == '\n' && s->p[s->n - 2] == '\n')
		s->n--;
	else if (s->n >= 4 && memcmp(s->p + s->n - 4, "\r\n\r\n", 4) == 0)
		s->n -= 2;
}

static int mbox_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_buf plain = { 0 };
	struct lu_str line;
	struct lu_entry e;
	char name[24];
	int rc = 0;

	while (rc == 0 && lu_items_next(&block, &e, name)) {
		struct lu_str bytes = e.bytes;

		if (e.drop) {
			rc = emit(ctx, &e, err);
			continue;
		}
		lu_take_line(&bytes, &line);
		without_last_line(&bytes);
		if (line.p[0] != STATED && is_quoted(bytes)) {
			lu_buf_clear(&plain);
			unquote(bytes, &plain);
			bytes = lu_buf_slice(&plain);
			rc = lu_buf_check(&plain, err);
		}
		if (rc == 0)
			rc = lu_mail_message(o, bytes, &e, emit, ctx, err);
	}
	lu_buf_release(&plain);
	return rc;
}

static int eml_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_entry e;
	char name[24];

	if (!lu_items_next(&block, &e, name))
		return 0;
	e.name = (struct lu_str){ 0 };
	return e.drop ? emit(ctx, &e, err) : lu_mail_message(o, e.bytes, &e, emit, ctx, err);
}

const struct lu_entries_type lu_mbox = { "mbox", false, start, mbox_block, mbox_convert, finish };
const struct lu_entries_type lu_eml = { "mail", false, start, eml_block, eml_convert, finish };
