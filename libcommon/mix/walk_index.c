#include "libcommon/mix/walk_index.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/num.h"
#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/mapped.h"

/* The header: magic, version, records in a page, then 64-bit numbers, the last of which is the
 * FNV-1a of the bytes before it. lucie-plan(5) has the format. */
#define MAGIC "LUCIEWLK"
#define AT_VERSION 8
#define AT_PER_PAGE 12
#define AT_PLAN 16
#define AT_GROUPS 24
#define AT_DOCUMENTS 32
#define AT_TOKENS 40
#define AT_INTERVAL 48
#define AT_PAGES 56
#define AT_CHECKSUM 64
#define HEADER 72

#define PER_PAGE 16
#define ENTRY 24 /* of the directory: first token, offset in the file, FNV-1a */
#define LEAST_INTERVAL 512
#define VARINT 10 /* longest, in bytes */

uint64_t lu_walk_interval(const struct lu_plan *p)
{
	uint64_t least = 4 * (uint64_t)p->groups, limit = LEAST_INTERVAL;
	/* Not documents * groups, which can overflow. */
	uint64_t records = LU_WALK_MARKS / (p->groups ? p->groups : 1);

	if (records == 0)
		records = 1;
	if (least > limit)
		limit = least;
	if (p->documents / records > limit)
		limit = (p->documents - 1) / records + 1;
	return limit;
}

static uint64_t records_of(uint64_t documents, uint64_t interval)
{
	return documents / interval + (documents % interval > 0);
}

/* --- writing ------------------------------------------------------------------------------ */

struct page {
	uint64_t token, offset, checksum;
};

struct writer {
	const struct lu_plan *plan;
	struct lu_plan_mark *mark, *before; /* of this record and of the one before */
	struct lu_buf text;		    /* of the page */
	struct LU_VEC(struct page) page;
	uint64_t offset, records;
	lu_walk_sink *sink;
	void *ctx;
};

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		lu_buf_putc(b, (char)(v | 0x80));
	lu_buf_putc(b, (char)v);
}

static int put(struct writer *w, const struct lu_buf *b, struct lu_err *err)
{
	if (lu_buf_check(b, err) < 0 || w->sink(w->ctx, b->p, b->n, err) < 0)
		return -1;
	w->offset += b->n;
	return 0;
}

static void put_u64(struct lu_buf *b, uint64_t v)
{
	char word[8];

	lu_store64(word, v);
	lu_buf_append(b, word, 8);
}

static int put_header(struct writer *w, uint64_t interval, struct lu_err *err)
{
	const struct lu_plan *p = w->plan;
	struct lu_buf b = { 0 };
	char word[4];
	int rc;

	lu_buf_append(&b, MAGIC, 8);
	lu_store32(word, LU_WALK_VERSION);
	lu_buf_append(&b, word, 4);
	lu_store32(word, PER_PAGE);
	lu_buf_append(&b, word, 4);
	put_u64(&b, p->checksum);
	put_u64(&b, p->groups);
	put_u64(&b, p->documents);
	put_u64(&b, p->tokens);
	put_u64(&b, interval);
	put_u64(&b, records_of(records_of(p->documents, interval), PER_PAGE));
	if (lu_buf_ok(&b))
		put_u64(&b, lu_fnv1a(LU_FNV_BASIS, b.p, b.n));
	rc = put(w, &b, err);
	lu_buf_release(&b);
	return rc;
}

static int flush_page(struct writer *w, struct lu_err *err)
{
	struct page *last = w->page.n ? &w->page.p[w->page.n - 1] : NULL;

	if (!last || w->text.n == 0)
		return 0;
	if (lu_buf_check(&w->text, err) < 0)
		return -1;
	last->offset = w->offset;
	last->checksum = lu_fnv1a(LU_FNV_BASIS, w->text.p, w->text.n);
	if (put(w, &w->text, err) < 0)
		return -1;
	lu_buf_clear(&w->text);
	return 0;
}

/* Add the record of where the walk is. The first of a page counts from the start of the plan, the
 * others from the record before. */
static int add_record(struct writer *w, const struct lu_plan_walk *walk, struct lu_err *err)
{
	size_t groups = w->plan->groups;
	uint64_t tokens = 0;

	lu_plan_walk_marks(walk, w->mark);
	if (w->records++ % PER_PAGE == 0) {
		if (flush_page(w, err) < 0)
			return -1;
		memset(w->before, 0, groups * sizeof(*w->before));
	}
	for (size_t i = 0; i < groups; i++)
		tokens += w->mark[i].tokens - w->before[i].tokens;
	if (w->text.n == 0 && !lu_vec_push(&w->page, (struct page){ .token = tokens }))
		return lu_err_nomem(err);
	put_varint(&w->text, tokens);
	for (size_t i = 0; i < groups; i++) {
		put_varint(&w->text, w->mark[i].documents - w->before[i].documents);
		put_varint(&w->text, w->mark[i].tokens - w->before[i].tokens);
	}
	memcpy(w->before, w->mark, groups * sizeof(*w->before));
	return lu_buf_check(&w->text, err);
}

static int put_directory(struct writer *w, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	for (size_t i = 0; i < w->page.n; i++) {
		put_u64(&b, w->page.p[i].token);
		put_u64(&b, w->page.p[i].offset);
		put_u64(&b, w->page.p[i].checksum);
	}
	if (lu_buf_ok(&b))
		put_u64(&b, lu_fnv1a(LU_FNV_BASIS, b.p, b.n));
	rc = put(w, &b, err);
	lu_buf_release(&b);
	return rc;
}

static int write_all(struct writer *w, struct lu_plan_walk *walk, struct lu_err *err)
{
	uint64_t interval = lu_walk_interval(w->plan);
	struct lu_plan_entry e;
	int rc = put_header(w, interval, err);

	for (uint64_t i = 0; rc == 0 && i < w->plan->documents; i++) {
		if (i % interval == 0 && add_record(w, walk, err) < 0)
			return -1;
		rc = lu_plan_walk_next(walk, &e, err);
		LU_ASSERT(rc != 0);
		rc = rc < 0 ? -1 : 0;
	}
	if (rc < 0 || flush_page(w, err) < 0)
		return -1;
	return put_directory(w, err);
}

int lu_walk_index_write(const struct lu_plan *p, lu_plan_size_fn *size_of, void *size_ctx,
		lu_walk_sink *sink, void *sink_ctx, struct lu_err *err)
{
	struct writer w = { .plan = p, .sink = sink, .ctx = sink_ctx };
	struct lu_plan_walk *walk = NULL;
	int rc = lu_plan_walk_new(&walk, p, size_of, size_ctx, err);

	w.mark = calloc(p->groups + 1, sizeof(*w.mark));
	w.before = calloc(p->groups + 1, sizeof(*w.before));
	if (rc == 0 && (!w.mark || !w.before))
		rc = lu_err_nomem(err);
	if (rc == 0)
		rc = write_all(&w, walk, err);
	lu_plan_walk_free(walk);
	lu_buf_release(&w.text);
	lu_vec_release(&w.page);
	free(w.mark);
	free(w.before);
	return rc;
}

/* --- opening ------------------------------------------------------------------------------ */

struct lu_walk_index {
	const struct lu_plan *plan;
	char *path;
	struct lu_mapped file;
	struct lu_buf memory; /* in place of the file */
	uint64_t interval, records;
	struct page *page; /* pages + 1: the last is the end */
	size_t pages;
};

static int damaged(const struct lu_walk_index *x, struct lu_err *err)
{
	return lu_err_set(err,
			"%s: is damaged; remove it, or write it anew with lucie-mix --plan -o",
			x->path);
}

static uint64_t size_of_file(const struct lu_walk_index *x)
{
	return x->memory.n ? x->memory.n : x->file.n;
}

/* Bytes at .. at + n - 1, all of them inside; `room` as for lu_mapped_at(). */
static const unsigned char *bytes_at(const struct lu_walk_index *x, uint64_t at, size_t n,
		void *room, struct lu_err *err)
{
	if (x->memory.n)
		return (const unsigned char *)x->memory.p + at;
	return lu_mapped_at(&x->file, at, n, room, err);
}

/* Read the header. Returns 1 if the index is another plan's. */
static int read_header(struct lu_walk_index *x, struct lu_err *err)
{
	const struct lu_plan *p = x->plan;
	unsigned char room[HEADER];
	const unsigned char *h;

	if (size_of_file(x) < HEADER)
		return damaged(x, err);
	h = bytes_at(x, 0, HEADER, room, err);
	if (!h)
		return -1;
	if (memcmp(h, MAGIC, 8) != 0)
		return lu_err_set(err, "%s: is no walk index; remove it", x->path);
	if (lu_load32(h + AT_VERSION) != LU_WALK_VERSION)
		return lu_err_set(err,
				"%s: version %" PRIu32 " is not supported, only %d; remove it, or "
				"write it anew with lucie-mix --plan -o",
				x->path, lu_load32(h + AT_VERSION), LU_WALK_VERSION);
	if (lu_load64(h + AT_CHECKSUM) != lu_fnv1a(LU_FNV_BASIS, h, AT_CHECKSUM))
		return damaged(x, err);
	if (lu_load64(h + AT_PLAN) != p->checksum || lu_load64(h + AT_GROUPS) != p->groups ||
			lu_load64(h + AT_DOCUMENTS) != p->documents ||
			lu_load64(h + AT_TOKENS) != p->tokens)
		return 1;
	x->interval = lu_load64(h + AT_INTERVAL);
	if (x->interval == 0 || lu_load32(h + AT_PER_PAGE) != PER_PAGE)
		return damaged(x, err);
	x->records = records_of(p->documents, x->interval);
	x->pages = (size_t)records_of(x->records, PER_PAGE);
	return x->pages == lu_load64(h + AT_PAGES) ? 0 : damaged(x, err);
}

/* Check that tokens and offsets ascend, and that a page has at least a byte a number. */
static int check_directory(const struct lu_walk_index *x, struct lu_err *err)
{
	for (size_t i = 0; i < x->pages; i++) {
		const struct page *p = &x->page[i];

		if (p[1].offset <= p->offset || p[1].token < p->token)
			return damaged(x, err);
	}
	return x->page[0].offset == HEADER && x->page[0].token == 0 ? 0 : damaged(x, err);
}

static int read_directory(struct lu_walk_index *x, struct lu_err *err)
{
	uint64_t size = size_of_file(x), n, at;
	const unsigned char *d;
	unsigned char *room;
	int rc = 0;

	if (x->pages > (size - HEADER) / ENTRY)
		return damaged(x, err);
	n = x->pages * ENTRY + 8;
	if (size - HEADER < n)
		return damaged(x, err);
	at = size - n;
	room = malloc((size_t)n);
	x->page = calloc(x->pages + 1, sizeof(*x->page));
	if (!room || !x->page) {
		free(room);
		return lu_err_nomem(err);
	}
	d = bytes_at(x, at, (size_t)n, room, err);
	if (!d)
		rc = -1;
	else if (lu_load64(d + n - 8) != lu_fnv1a(LU_FNV_BASIS, d, (size_t)n - 8))
		rc = damaged(x, err);
	for (size_t i = 0; rc == 0 && i < x->pages; i++)
		x->page[i] = (struct page){ lu_load64(d + i * ENTRY), lu_load64(d + i * ENTRY + 8),
			lu_load64(d + i * ENTRY + 16) };
	free(room);
	x->page[x->pages] = (struct page){ .token = x->plan->tokens, .offset = at };
	if (rc == 0 && (x->pages ? check_directory(x, err) < 0 : at != HEADER))
		rc = x->pages ? -1 : damaged(x, err);
	return rc;
}

static int open_index(struct lu_walk_index *x, struct lu_err *err)
{
	int rc = read_header(x, err);

	return rc ? rc : read_directory(x, err);
}

static struct lu_walk_index *new_index(const struct lu_plan *p, const char *path)
{
	struct lu_walk_index *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->plan = p;
	x->path = strdup(path);
	if (x->path)
		return x;
	free(x);
	return NULL;
}

int lu_walk_index_open(struct lu_walk_index **out, const char *path, const struct lu_plan *p,
		struct lu_err *err)
{
	struct lu_walk_index *x = new_index(p, path);
	int rc;

	*out = NULL;
	if (!x)
		return lu_err_nomem(err);
	rc = lu_mapped_open(&x->file, path, err);
	if (rc == 0)
		rc = open_index(x, err);
	if (rc)
		lu_walk_index_close(x);
	else
		*out = x;
	return rc;
}

static int to_memory(void *ctx, const void *p, size_t n, struct lu_err *err)
{
	struct lu_buf *b = ctx;

	lu_buf_append(b, p, n);
	return lu_buf_check(b, err);
}

int lu_walk_index_build(struct lu_walk_index **out, const struct lu_plan *p,
		lu_plan_size_fn *size_of, void *ctx, struct lu_err *err)
{
	struct lu_walk_index *x = new_index(p, "the walk index in memory");
	int rc;

	*out = NULL;
	if (!x)
		return lu_err_nomem(err);
	rc = lu_walk_index_write(p, size_of, ctx, to_memory, &x->memory, err);
	if (rc == 0)
		rc = open_index(x, err);
	LU_ASSERT(rc <= 0);
	if (rc)
		lu_walk_index_close(x);
	else
		*out = x;
	return rc;
}

void lu_walk_index_close(struct lu_walk_index *x)
{
	if (!x)
		return;
	lu_mapped_close(&x->file);
	lu_buf_release(&x->memory);
	free(x->page);
	free(x->path);
	free(x);
}

uint64_t lu_walk_index_interval(const struct lu_walk_index *x)
{
	return x->interval;
}

uint64_t lu_walk_index_records(const struct lu_walk_index *x)
{
	return x->records;
}

/* --- look-ups ----------------------------------------------------------------------------- */

/* The bytes of a page, with a matching checksum. *room is the caller's to free. */
static const unsigned char *page_bytes(
		const struct lu_walk_index *x, size_t i, unsigned char **room, struct lu_err *err)
{
	const struct page *p = &x->page[i];
	size_t n = (size_t)(p[1].offset - p->offset);
	const unsigned char *b;

	*room = NULL;
	if (!x->memory.n && !x->file.p) {
		*room = malloc(n);
		if (!*room) {
			lu_err_nomem(err);
			return NULL;
		}
	}
	b = bytes_at(x, p->offset, n, *room, err);
	if (b && p->checksum != lu_fnv1a(LU_FNV_BASIS, b, n)) {
		damaged(x, err);
		return NULL;
	}
	return b;
}

int lu_walk_index_check(const struct lu_walk_index *x, struct lu_err *err)
{
	for (size_t i = 0; i < x->pages; i++) {
		unsigned char *room;
		bool good = page_bytes(x, i, &room, err);

		free(room);
		if (!good)
			return -1;
	}
	lu_mapped_drop(&x->file, 0, x->file.n);
	return 0;
}

/* Take a number off; false where the bytes end or the number is too large. */
static bool get_varint(const unsigned char **p, const unsigned char *end, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; *p < end && shift < 7 * VARINT; shift += 7) {
		uint64_t byte = *(*p)++;

		if (shift == 63 && byte > 1)
			return false;
		*v |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* Add the differences of a record to the marks; false where the bytes are no record. */
static bool add_differences(const unsigned char **p, const unsigned char *end,
		struct lu_plan_mark *mark, size_t groups, uint64_t tokens)
{
	uint64_t documents, n, sum = 0;

	for (size_t i = 0; i < groups; i++) {
		if (!get_varint(p, end, &documents) || !get_varint(p, end, &n) ||
				__builtin_add_overflow(
						mark[i].documents, documents, &mark[i].documents) ||
				__builtin_add_overflow(mark[i].tokens, n, &mark[i].tokens) ||
				__builtin_add_overflow(sum, n, &sum))
			return false;
	}
	return sum == tokens;
}

/* Read the page up to its last record that is not beyond `record` nor behind `token`. */
static bool read_page(const struct lu_walk_index *x, size_t page, const unsigned char *p,
		uint64_t record, uint64_t token, struct lu_plan_mark *mark,
		struct lu_walk_place *place)
{
	const unsigned char *end = p + (x->page[page + 1].offset - x->page[page].offset);
	uint64_t first = (uint64_t)page * PER_PAGE, documents = 0, tokens;

	*place = (struct lu_walk_place){ .tokens = 0 };
	memset(mark, 0, x->plan->groups * sizeof(*mark));
	for (uint64_t i = first; i < first + PER_PAGE && i < x->records && i <= record; i++) {
		if (!get_varint(&p, end, &tokens))
			return false;
		if (i > first && (tokens > token || place->tokens > token - tokens))
			break;
		if (i == first && tokens != x->page[page].token)
			return false;
		if (!add_differences(&p, end, mark, x->plan->groups, tokens))
			return false;
		place->tokens += tokens;
		place->record = i;
	}
	place->documents = place->record * x->interval;
	for (size_t i = 0; i < x->plan->groups; i++) {
		if (__builtin_add_overflow(documents, mark[i].documents, &documents))
			return false;
	}
	return documents == place->documents;
}

static int find(const struct lu_walk_index *x, size_t page, uint64_t record, uint64_t token,
		struct lu_plan_mark *mark, struct lu_walk_place *place, struct lu_err *err)
{
	unsigned char *room;
	const unsigned char *p = page_bytes(x, page, &room, err);
	int rc = p ? 0 : -1;

	if (p && !read_page(x, page, p, record, token, mark, place))
		rc = damaged(x, err);
	free(room);
	return rc;
}

int lu_walk_index_find(const struct lu_walk_index *x, uint64_t token, struct lu_plan_mark *mark,
		struct lu_walk_place *place, struct lu_err *err)
{
	LU_ASSERT(token < x->plan->tokens && x->pages > 0);
	return find(x, lu_search_range(&x->page[0].token, x->pages, sizeof(x->page[0]), token),
			UINT64_MAX, token, mark, place, err);
}

int lu_walk_index_record(const struct lu_walk_index *x, uint64_t record, struct lu_plan_mark *mark,
		struct lu_walk_place *place, struct lu_err *err)
{
	LU_ASSERT(record < x->records);
	return find(x, (size_t)(record / PER_PAGE), record, UINT64_MAX, mark, place, err);
}
