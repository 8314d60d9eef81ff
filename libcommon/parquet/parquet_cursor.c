#include "libcommon/parquet/parquet_cursor.h"

#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"

/* A dictionary of this size is carried by every block that needs it. */
#define SMALL_DICTIONARY 32768
#define SHIPPED_MAX 2
/* Entries of a page of a nested column. */
#define ENTRIES_MAX (1 << 20)
/* Bytes that pages may expand to: 2,000 times the file and a gigabyte, as import/members.h has it. */
#define BOMB_RATIO 2000
#define BOMB_FREE ((uint64_t)1 << 30)

void lu_pq_cursor_begin(struct lu_pq_cursor *c, struct lu_pq_shared *s,
		const struct lu_pq_node *node, const struct lu_pq_chunk *chunk)
{
	lu_pq_page_end(&c->page);
	c->shared = s;
	c->node = node;
	c->chunk = *chunk;
	c->at = chunk->at;
	c->values = chunk->values;
	c->ahead.n = c->next = 0;
	if (c->decoded && !c->dictionary.fd)
		s->dictionaries -= c->dictionary.bytes.n;
	c->has_dictionary = c->decoded = false;
	lu_pq_dictionary_release(&c->dictionary);
	c->shipped = 0;
	c->open = c->parked = c->have = c->over = false;
	lu_buf_clear(&c->rep);
	lu_buf_clear(&c->def);
	lu_buf_clear(&c->val);
	c->entries = 0;
	c->ends.n = 0;
	c->taken = 0;
}

/* Read the header at c->at. */
static int read_head(struct lu_pq_cursor *c, struct lu_pq_seen *seen, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	size_t size = 0;
	int rc = 0;

	for (size_t n = 512; rc == 0; n *= 8) {
		uint64_t left = c->chunk.end - c->at;
		size_t take = left < n ? (size_t)left : n;

		lu_buf_clear(&b);
		if (!lu_buf_reserve(&b, take)) {
			rc = lu_err_nomem(err);
			break;
		}
		if (lu_pread_all(c->shared->file->fd, b.p, take, c->at, "the file", err) < 0) {
			rc = -1;
			break;
		}
		b.n = take;
		rc = lu_pq_page_head(lu_buf_slice(&b), &seen->page, &size, err);
		if (rc == 0 && (take == left || n > (size_t)16 << 20))
			rc = lu_err_set(err, "a damaged page header");
	}
	lu_buf_release(&b);
	if (rc < 0)
		return -1;
	seen->at = c->at + size;
	if (seen->page.packed > c->chunk.end - seen->at)
		return lu_err_set(err, "a page that does not end in its column");
	c->at = seen->at + seen->page.packed;
	seen->page.codec = c->chunk.codec;
	return 0;
}

static int see(struct lu_pq_cursor *c, struct lu_err *err)
{
	struct lu_pq_shared *s = c->shared;
	struct lu_pq_seen seen;

	if (read_head(c, &seen, err) < 0)
		return -1;
	s->expanded += seen.page.size;
	if (s->expanded > BOMB_FREE && s->expanded / BOMB_RATIO > s->file->size)
		return lu_err_set(err, "expands to more than %d times its size", BOMB_RATIO);
	if (seen.page.form == LU_PQ_DICTIONARY) {
		if (c->has_dictionary)
			return lu_err_set(err, "a second dictionary");
		c->dictionary_page = seen;
		c->has_dictionary = true;
		return 0;
	}
	if ((seen.page.form != LU_PQ_DATA && seen.page.form != LU_PQ_DATA_V2) ||
			seen.page.values == 0)
		return 0;
	if (seen.page.rows == 0)
		return lu_err_set(err, "a page that begins no row");
	c->values -= seen.page.values < c->values ? seen.page.values : c->values;
	return lu_vec_push(&c->ahead, seen) ? 0 : lu_err_nomem(err);
}

/* The i-th page behind those that were taken or opened; NULL: there is none. */
static int peek(struct lu_pq_cursor *c, size_t i, const struct lu_pq_seen **seen,
		struct lu_err *err)
{
	if (c->next == c->ahead.n)
		c->next = c->ahead.n = 0;
	while (c->next + i >= c->ahead.n && c->at < c->chunk.end && c->values) {
		if (see(c, err) < 0)
			return -1;
	}
	*seen = c->next + i < c->ahead.n ? &c->ahead.p[c->next + i] : NULL;
	return 0;
}

static bool by_dictionary(const struct lu_pq_seen *s)
{
	return s->page.encoding == LU_PQ_E_PLAIN_DICTIONARY ||
			s->page.encoding == LU_PQ_E_RLE_DICTIONARY;
}

/* Read the dictionary: to a temporary file where it, or all of them, are large. */
static int decode_dictionary(struct lu_pq_cursor *c, struct lu_err *err)
{
	const struct lu_pq_page *page = &c->dictionary_page.page;
	struct lu_pq_shared *s = c->shared;
	struct lu_pq_source src = { 0 };
	struct lu_buf packed = { 0 };
	int rc = -1;

	if (c->decoded || !c->has_dictionary)
		return 0;
	if (page->size > LU_PQ_DICTIONARY_HELD ||
			s->dictionaries + page->size > LU_PQ_DICTIONARIES) {
		rc = lu_pq_stream_open(&src.stream, (enum lu_pq_codec)page->codec, s->file->fd,
				c->dictionary_page.at, page->packed, page->size,
				page->has_crc ? &page->crc : NULL, err);
		src.behind = page->size;
		if (rc == 0)
			rc = lu_pq_dictionary_spill(&c->dictionary, c->node->type, c->node->length,
					page->values, &src, s->tmpdir, err);
	} else if (!lu_buf_reserve(&packed, page->packed)) {
		lu_err_nomem(err);
	} else {
		packed.n = page->packed;
		rc = lu_pread_all(s->file->fd, packed.p, packed.n, c->dictionary_page.at,
				"the file", err);
		if (rc == 0)
			rc = lu_pq_page_dictionary(
					&c->dictionary, c->node, page, lu_buf_slice(&packed), err);
		if (rc == 0)
			s->dictionaries += c->dictionary.bytes.n;
	}
	c->decoded = rc == 0;
	lu_pq_source_release(&src);
	lu_buf_release(&packed);
	return rc;
}

/* Must the page be opened? *rows: NULL, or lowered to as many rows as may go into a block. 1, 0, -1. */
static int must_open(struct lu_pq_cursor *c, const struct lu_pq_seen *s, uint64_t *rows,
		struct lu_err *err)
{
	const struct lu_pq_page *page = &s->page, *words = &c->dictionary_page.page;

	if (page->size > LU_PQ_WHOLE || (c->node->rep && page->form == LU_PQ_DATA))
		return 1;
	/* A value may stand for many bytes: for the front of the one before it, for a word. */
	if (page->encoding == LU_PQ_E_DELTA_BYTES)
		return (uint64_t)page->values * page->size > LU_PQ_EXPANDED;
	if (!by_dictionary(s) || !c->has_dictionary)
		return c->node->rep && page->values > ENTRIES_MAX;
	if (words->size > LU_PQ_DICTIONARY_HELD ||
			(words->size > SMALL_DICTIONARY && c->shipped >= SHIPPED_MAX) ||
			c->shared->carried + words->size > LU_PQ_CARRIED)
		return 1;
	if ((uint64_t)page->values * words->size > LU_PQ_EXPANDED) {
		if (decode_dictionary(c, err) < 0)
			return -1;
		if ((uint64_t)page->values * c->dictionary.longest > LU_PQ_EXPANDED && c->node->rep)
			return 1;
		if (rows && *rows * c->dictionary.longest > LU_PQ_EXPANDED)
			*rows = LU_PQ_EXPANDED / c->dictionary.longest + 1;
	}
	return 0;
}

static int open_current(struct lu_pq_cursor *c, struct lu_err *err)
{
	if (by_dictionary(&c->current) && decode_dictionary(c, err) < 0)
		return -1;
	c->open = true;
	c->parked = c->have = false;
	return lu_pq_page_open_stream(&c->page, c->node, &c->current.page, c->shared->file->fd,
			c->current.at, c->decoded ? &c->dictionary : NULL, c->shared->limit, err);
}

/* Open the next page; *none: there is none. */
static int open_next(struct lu_pq_cursor *c, bool *none, struct lu_err *err)
{
	const struct lu_pq_seen *s;

	if (peek(c, 0, &s, err) < 0)
		return -1;
	*none = s == NULL;
	if (!s)
		return 0;
	c->current = *s;
	c->next++;
	c->done = 0;
	return open_current(c, err);
}

/* Open a page again that was parked, and go to where it was. */
static int unpark(struct lu_pq_cursor *c, struct lu_err *err)
{
	struct lu_pq_value v;

	if (open_current(c, err) < 0)
		return -1;
	for (uint32_t i = 0; i < c->done; i++) {
		if (lu_pq_page_levels(&c->page, err) < 0 ||
				(c->page.def == c->node->def &&
						lu_pq_values_next(&c->page.values, &v, err) < 0))
			return -1;
	}
	return 0;
}

/* The row that is being collected is whole. */
static int end_row(struct lu_pq_cursor *c, struct lu_err *err)
{
	struct lu_pq_shared *s = c->shared;

	if (c->over && !lu_vec_push(&s->large, s->row + c->taken + c->ends.n))
		return lu_err_nomem(err);
	c->over = false;
	return lu_vec_push(&c->ends, (struct lu_pq_row_end){ c->entries, c->val.n })
			? 0
			: lu_err_nomem(err);
}

/* Collect an entry, whose levels are read. Of a row that is too large the rest is passed over. */
static int collect(struct lu_pq_cursor *c, struct lu_err *err)
{
	const struct lu_pq_node *n = c->node;
	bool there = c->page.def == n->def;
	struct lu_pq_row_end row =
			c->ends.n ? c->ends.p[c->ends.n - 1] : (struct lu_pq_row_end){ 0, 0 };
	struct lu_pq_value v;

	if (there && lu_pq_values_next(&c->page.values, &v, err) < 0)
		return -1;
	c->done++;
	c->over |= c->val.n - row.bytes + 2 * (c->entries - row.entries) > c->shared->limit;
	if (c->over)
		return 0;
	if (n->rep)
		lu_buf_putc(&c->rep, (char)c->page.rep);
	if (n->def)
		lu_buf_putc(&c->def, (char)c->page.def);
	c->entries++;
	if (!there)
		return 0;
	if (n->type == LU_PQ_BYTE_ARRAY) {
		lu_buf_le32(&c->val, v.too_large ? UINT32_MAX : (uint32_t)v.s.n);
		lu_buf_str(&c->val, v.s);
	} else if (n->type == LU_PQ_BOOLEAN) {
		lu_buf_putc(&c->val, (char)v.bits);
	} else if (v.s.n) {
		lu_buf_str(&c->val, v.s);
	} else {
		/* Differences give numbers, not bytes. */
		unsigned char b[8];

		lu_store64(b, v.bits);
		lu_buf_append(&c->val, b, lu_pq_width(n->type, n->length));
	}
	return 0;
}

static size_t row_entries(const struct lu_pq_cursor *c)
{
	return c->entries - (c->ends.n ? c->ends.p[c->ends.n - 1].entries : 0);
}

/* At the end of the open page: close it. Rows of nested columns of version 1 may go on in the next. */
static int end_page(struct lu_pq_cursor *c, bool *stop, struct lu_err *err)
{
	bool crosses = c->node->rep && c->current.page.form == LU_PQ_DATA;

	lu_pq_page_end(&c->page);
	c->open = false;
	*stop = true;
	if (crosses) {
		const struct lu_pq_seen *s;

		if (peek(c, 0, &s, err) < 0)
			return -1;
		if (s && s->page.form == LU_PQ_DATA)
			return open_next(c, stop, err);
	}
	return row_entries(c) || c->over ? end_row(c, err) : 0;
}

/* Collect rows of the open page until there are `most`, or `budget` bytes of them, one at least. */
static int fill(struct lu_pq_cursor *c, uint64_t most, size_t budget, struct lu_err *err)
{
	bool stop = false;

	if (c->parked && c->ends.n < most && unpark(c, err) < 0)
		return -1;
	while (c->open && !c->parked && !stop && c->ends.n < most &&
			(c->ends.n == 0 || c->val.n + 2 * c->entries < budget)) {
		if (!c->have) {
			if (c->page.left == 0) {
				if (end_page(c, &stop, err) < 0)
					return -1;
				continue;
			}
			if (lu_pq_page_levels(&c->page, err) < 0)
				return -1;
			c->have = true;
		}
		if (c->node->rep && c->page.rep == 0 && row_entries(c)) {
			if (end_row(c, err) < 0)
				return -1;
			if (c->ends.n >= most)
				break;
		}
		c->have = false;
		if (collect(c, err) < 0 || (!c->node->rep && end_row(c, err) < 0))
			return -1;
	}
	/* A page that is at its end is closed, unless its last row may go on. */
	if (c->open && !c->parked && !c->have && c->page.left == 0 && !c->node->rep) {
		lu_pq_page_end(&c->page);
		c->open = false;
	}
	return lu_buf_check(&c->rep, err) < 0 || lu_buf_check(&c->def, err) < 0
			? -1
			: lu_buf_check(&c->val, err);
}

int lu_pq_cursor_rows(struct lu_pq_cursor *c, uint64_t most, size_t budget, uint64_t *rows,
		struct lu_err *err)
{
	const struct lu_pq_seen *s;
	size_t size = 0;
	bool none = false;
	int open;

	if (peek(c, 0, &s, err) < 0)
		return -1;
	if (!c->open && c->ends.n == 0 && s) {
		open = must_open(c, s, NULL, err);
		if (open < 0 || (open && open_next(c, &none, err) < 0))
			return -1;
	}
	if (c->open && fill(c, most, budget, err) < 0)
		return -1;
	*rows = c->ends.n;
	for (size_t i = 0; !c->open && *rows < most; i++) {
		if (peek(c, i, &s, err) < 0)
			return -1;
		open = s ? must_open(c, s, &most, err) : 0;
		if (open < 0)
			return -1;
		if (!s || (*rows && (open || size + s->page.size > budget)))
			break;
		size += s->page.size;
		*rows += s->page.rows;
	}
	if (*rows > most)
		*rows = most;
	return 0;
}

static int put_page(const struct lu_pq_cursor *c, const struct lu_pq_seen *s, struct lu_buf *block,
		struct lu_err *err)
{
	lu_buf_append(block, &s->page, sizeof(s->page));
	if (!lu_buf_reserve(block, s->page.packed))
		return lu_err_nomem(err);
	if (lu_pread_all(c->shared->file->fd, block->p + block->n, s->page.packed, s->at,
			    "the file", err) < 0)
		return -1;
	block->n += s->page.packed;
	return 0;
}

static void drop_front(struct lu_buf *b, size_t n)
{
	if (n && b->n > n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

/* Cut the first rows out of the window. */
static void put_cut(struct lu_pq_cursor *c, size_t rows, struct lu_buf *block)
{
	struct lu_pq_row_end end = c->ends.p[rows - 1];
	size_t reps = c->node->rep ? end.entries : 0, defs = c->node->def ? end.entries : 0;
	struct lu_pq_page page = { .form = LU_PQ_CUT,
		.encoding = LU_PQ_E_PLAIN,
		.values = (uint32_t)end.entries,
		.size = (uint32_t)(reps + defs + end.bytes) };

	page.packed = page.size;
	lu_buf_append(block, &page, sizeof(page));
	lu_buf_append(block, c->rep.p, reps);
	lu_buf_append(block, c->def.p, defs);
	lu_buf_append(block, c->val.p, end.bytes);
	drop_front(&c->rep, reps);
	drop_front(&c->def, defs);
	drop_front(&c->val, end.bytes);
	c->entries -= end.entries;
	c->ends.n -= rows;
	memmove(c->ends.p, c->ends.p + rows, c->ends.n * sizeof(*c->ends.p));
	for (size_t i = 0; i < c->ends.n; i++) {
		c->ends.p[i].entries -= end.entries;
		c->ends.p[i].bytes -= end.bytes;
	}
	c->taken += rows;
}

/* Put the next page, as it is, with its dictionary if the block has none yet. */
static int put_whole(struct lu_pq_cursor *c, const struct lu_pq_seen *s, uint32_t *pages,
		bool *dictionary, struct lu_buf *block, struct lu_err *err)
{
	if (by_dictionary(s) && !*dictionary && c->has_dictionary) {
		if (put_page(c, &c->dictionary_page, block, err) < 0)
			return -1;
		c->shipped++;
		c->shared->carried += c->dictionary_page.page.size;
		*dictionary = true;
		++*pages;
	}
	c->next++;
	c->taken += s->page.rows;
	++*pages;
	return put_page(c, s, block, err);
}

int lu_pq_cursor_take(
		struct lu_pq_cursor *c, uint64_t rows, struct lu_buf *block, struct lu_err *err)
{
	uint64_t end = c->taken + rows;
	size_t at = block->n;
	bool dictionary = false;
	uint32_t pages = 0;

	lu_buf_append(block, &pages, sizeof(pages));
	while (c->taken < end) {
		uint64_t left = end - c->taken;
		const struct lu_pq_seen *s;
		bool none = false;
		int open;

		if (c->open && c->ends.n == 0 && fill(c, left, SIZE_MAX, err) < 0)
			return -1;
		if (c->ends.n) {
			put_cut(c, c->ends.n < left ? c->ends.n : (size_t)left, block);
			pages++;
			continue;
		}
		if (c->open)
			continue;
		if (peek(c, 0, &s, err) < 0)
			return -1;
		if (!s)
			return lu_err_set(err, "fewer values than rows");
		open = must_open(c, s, NULL, err);
		if (open < 0)
			return -1;
		if (open || s->page.rows > left) {
			if (open_next(c, &none, err) < 0)
				return -1;
		} else if (put_whole(c, s, &pages, &dictionary, block, err) < 0) {
			return -1;
		}
	}
	if (lu_buf_check(block, err) < 0)
		return -1;
	memcpy(block->p + at, &pages, sizeof(pages));
	return 0;
}

size_t lu_pq_cursor_memory(const struct lu_pq_cursor *c)
{
	size_t whole = c->current.page.encoding == LU_PQ_E_PLAIN ? LU_PQ_WHOLE : LU_PQ_HELD;

	if (!c->open || c->parked)
		return 0;
	return ((size_t)512 << 10) + (c->current.page.size < whole ? c->current.page.size : whole);
}

void lu_pq_cursor_park(struct lu_pq_cursor *c)
{
	if (!c->open || c->parked)
		return;
	lu_pq_page_end(&c->page);
	c->have = false;
	c->parked = true;
}

void lu_pq_cursor_end(struct lu_pq_cursor *c)
{
	lu_pq_page_release(&c->page);
	lu_pq_dictionary_release(&c->dictionary);
	lu_vec_release(&c->ahead);
	lu_vec_release(&c->ends);
	lu_buf_release(&c->rep);
	lu_buf_release(&c->def);
	lu_buf_release(&c->val);
}
