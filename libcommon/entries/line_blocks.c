#include "libcommon/entries/line_blocks.h"

#include <stdlib.h>

#include "libcommon/base/take_line.h"
#include "libcommon/charset/charset.h"

/* What a block begins with. */
struct head {
	uint64_t lines;	  /* before it */
	uint64_t skipped; /* length of the one line, where that is too long to hold; else 0 */
	const char *charset;
};

static uint64_t count_lines(struct lu_str s)
{
	uint64_t n = 0;
	struct lu_str line;

	while (lu_take_line(&s, &line))
		n++;
	return n;
}

/* Append up to n bytes of the feed. */
static int read_more(struct lu_line_blocks *l, struct lu_buf *b, size_t n, struct lu_err *err)
{
	ssize_t got;

	if (!lu_buf_reserve(b, n))
		return lu_err_nomem(err);
	got = lu_feed_read(l->feed, b->p + b->n, n, err);
	if (got < 0)
		return -1;
	b->n += (size_t)got;
	l->ended = (size_t)got < n;
	return 0;
}

static int skip_mark(struct lu_feed *f, struct lu_err *err)
{
	struct lu_str head;

	if (lu_feed_peek(f, 3, &head, err) < 0)
		return -1;
	if (head.n == 3 && memcmp(head.p, "\xEF\xBB\xBF", 3) == 0)
		lu_feed_skip(f, 3);
	return 0;
}

/* Pass over the rest of a line of which `held` bytes are read. Its length goes to *length. */
static int skip_line(struct lu_line_blocks *l, uint64_t held, uint64_t *length, struct lu_err *err)
{
	lu_buf_clear(&l->carry);
	*length = held;
	while (!l->ended) {
		const char *nl;

		lu_buf_clear(&l->carry);
		if (read_more(l, &l->carry, LU_FEED_AHEAD, err) < 0)
			return -1;
		nl = memchr(l->carry.p, '\n', l->carry.n);
		if (nl) {
			size_t n = (size_t)(nl + 1 - l->carry.p);

			*length += n;
			memmove(l->carry.p, l->carry.p + n, l->carry.n - n);
			l->carry.n -= n;
			return 0;
		}
		*length += l->carry.n;
	}
	lu_buf_clear(&l->carry);
	return 0;
}

/* Guess the charset of the block's lines, if that is not known yet. */
static int find_charset(struct lu_line_blocks *l, struct lu_buf *block, struct lu_err *err)
{
	struct head head;
	struct lu_str lines = { block->p + sizeof(head), block->n - sizeof(head) };

	if (!l->guess)
		return 0;
	if (!l->charset && lu_charset_of_rows(lines, &l->charset, err) < 0)
		return -1;
	memcpy(&head, block->p, sizeof(head));
	head.charset = l->charset;
	memcpy(block->p, &head, sizeof(head));
	return 0;
}

int lu_line_blocks_next(struct lu_line_blocks *l, struct lu_buf *block, struct lu_err *err)
{
	struct head head = { .lines = l->lines };
	const char *nl = NULL;
	size_t from;

	if (!l->begun && skip_mark(l->feed, err) < 0)
		return -1;
	l->begun = true;
	lu_buf_clear(block);
	lu_buf_append(block, &head, sizeof(head));
	lu_buf_str(block, lu_buf_slice(&l->carry));
	if (lu_buf_check(block, err) < 0)
		return -1;
	/* What was carried over has no newline, unless a line behind it was too long. */
	for (from = sizeof(head); !nl && !l->ended; from = block->n) {
		from = from > sizeof(head) ? from : sizeof(head);
		if (block->n - sizeof(head) > l->limit && !memchr(l->carry.p, '\n', l->carry.n)) {
			if (skip_line(l, block->n - sizeof(head), &head.skipped, err) < 0)
				return -1;
			block->n = sizeof(head);
			memcpy(block->p, &head, sizeof(head));
			l->lines++;
			return 1;
		}
		if (read_more(l, block, LU_ENTRIES_BLOCK, err) < 0)
			return -1;
		nl = memrchr(block->p + from, '\n', block->n - from);
	}
	if (block->n == sizeof(head))
		return 0;
	lu_buf_clear(&l->carry);
	if (nl && !l->ended) {
		size_t n = (size_t)(nl + 1 - block->p);

		lu_buf_append(&l->carry, block->p + n, block->n - n);
		if (lu_buf_check(&l->carry, err) < 0)
			return -1;
		block->n = n;
	}
	l->lines += count_lines(
			(struct lu_str){ block->p + sizeof(head), block->n - sizeof(head) });
	return find_charset(l, block, err) < 0 ? -1 : 1;
}

void lu_line_blocks_release(struct lu_line_blocks *l)
{
	lu_buf_release(&l->carry);
}

int lu_line_blocks_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct lu_line_blocks *l = calloc(1, sizeof(*l));

	(void)file;
	(void)tmpdir;
	if (!l)
		return lu_err_nomem(err);
	*l = (struct lu_line_blocks){ .feed = feed, .limit = o->limit, .guess = o->guess_charset };
	*state = l;
	return 0;
}

int lu_line_blocks_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	return lu_line_blocks_next(state, block, err);
}

void lu_line_blocks_close(void *state)
{
	if (state)
		lu_line_blocks_release(state);
	free(state);
}

struct lu_block_lines lu_block_lines(struct lu_str block, uint64_t limit)
{
	struct lu_block_lines it = { .limit = limit };
	struct head head;

	LU_ASSERT(block.n >= sizeof(head));
	memcpy(&head, block.p, sizeof(head));
	it.rest = (struct lu_str){ block.p + sizeof(head), block.n - sizeof(head) };
	it.number = head.lines;
	it.skipped = head.skipped;
	it.charset = head.charset;
	return it;
}

bool lu_block_line(struct lu_block_lines *it)
{
	const char *p = it->rest.p;

	it->number++;
	it->too_long = it->skipped > 0;
	if (it->too_long) {
		it->size = it->skipped;
		it->text = (struct lu_str){ p, 0 };
		it->skipped = 0;
		return true;
	}
	if (!lu_take_line(&it->rest, &it->text))
		return false;
	it->size = (uint64_t)(it->rest.p - p);
	if (it->text.n && it->text.p[it->text.n - 1] == '\r')
		it->text.n--;
	it->too_long = it->text.n > it->limit;
	return true;
}
