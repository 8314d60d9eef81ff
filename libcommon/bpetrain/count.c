#include "libcommon/bpetrain/count.h"

#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/utf8.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/file.h"

__extension__ typedef unsigned __int128 u128;

#define PARTS LU_TOKCOUNT_PARTS
#define MOST (UINT64_C(1) << 61)
#define WRITE_BUFFER ((size_t)1 << 18)
#define READ_BUFFER ((size_t)1 << 16)
/* A record is: length (varint), group (byte), count (varint), bytes. */
#define MOST_HEAD 21

static const char file_name[] = "temporary file";

/* One run: its parts lie one behind the other. */
struct lu_tokcount_run {
	uint64_t at[PARTS + 1];
};

/* First hash of a part; 0 for the end of the last. */
static uint64_t part_from(size_t k)
{
	return (uint64_t)k * (UINT64_MAX / PARTS + 1);
}

/* --- shares ------------------------------------------------------------------------------- */

/* "33.5" up to `end`: thousandths, or UINT32_MAX. */
static uint32_t parse_share(const char *p, const char *end)
{
	uint32_t v = 0, scale = 1000;
	bool digit = false;

	for (; p < end && *p >= '0' && *p <= '9' && v <= 1000; p++, digit = true)
		v = v * 10 + (uint32_t)(*p - '0');
	v *= 1000;
	if (p < end && *p == '.') {
		for (p++; p < end && *p >= '0' && *p <= '9' && scale > 1; p++) {
			scale /= 10;
			v += (uint32_t)(*p - '0') * scale;
		}
		digit = digit && scale < 1000;
	}
	return digit && p == end ? v : UINT32_MAX;
}

int lu_shares_parse(const char *text, struct lu_shares *out, struct lu_err *err)
{
	uint32_t sum = 0;

	out->n = 0;
	for (const char *p = text;; p++) {
		const char *end = p + strcspn(p, ","), *eq = memchr(p, '=', (size_t)(end - p));
		struct lu_share *s = &out->item[out->n];

		if (out->n == LU_SHARES)
			return lu_err_set(err, "more than %d languages", LU_SHARES);
		if (!eq || eq == p || (size_t)(eq - p) >= sizeof(s->lang) ||
				(s->share = parse_share(eq + 1, end)) == UINT32_MAX)
			return lu_err_set(err, "'%.*s' is no language and per cent like fr=33",
					(int)(end - p > 100 ? 100 : end - p), p);
		memcpy(s->lang, p, (size_t)(eq - p));
		s->lang[eq - p] = '\0';
		for (size_t i = 0; i < out->n; i++) {
			if (strcmp(out->item[i].lang, s->lang) == 0)
				return lu_err_set(err, "'%s' is given twice", s->lang);
		}
		sum += s->share;
		if (sum > LU_SHARE_ALL)
			return lu_err_set(err, "the shares add up to more than 100");
		out->n++;
		p = end;
		if (!*p)
			break;
	}
	out->rest = LU_SHARE_ALL - sum;
	return 0;
}

uint8_t lu_tokcount_group(const struct lu_tokcount *c, struct lu_str lang)
{
	for (size_t i = 0; c->shares && i < c->shares->n; i++) {
		if (lu_str_is(lang, c->shares->item[i].lang))
			return (uint8_t)(i + 1);
	}
	return 0;
}

/* What each group's counts are multiplied by. */
static int weigh(struct lu_tokcount *c, struct lu_err *err)
{
	const struct lu_shares *s = c->shares;
	uint64_t all = 0;

	c->factor[0] = 1;
	if (!s)
		return 0;
	for (size_t g = 0; g <= s->n; g++)
		all += c->chars[g];
	c->other_left_out = s->rest == 0 && c->chars[0] > 0;
	if (s->rest > 0 && c->chars[0] == 0)
		return lu_err_set(err,
				"--balance: the shares add up to %g, and no other language has "
				"text for "
				"the rest",
				(LU_SHARE_ALL - s->rest) / 1000.0);
	for (size_t g = 0; g <= s->n; g++) {
		uint32_t share = g ? s->item[g - 1].share : s->rest;
		u128 f = (u128)all * share * lu_tokcount_unit(c);

		if (g && c->chars[g] == 0)
			return lu_err_set(err,
					"--balance: no document with text has the language '%s'",
					s->item[g - 1].lang);
		f /= c->chars[g] ? (u128)c->chars[g] * LU_SHARE_ALL : 1;
		if (f > MOST)
			return lu_err_set(err, "--balance: '%s' would have a weight above 2^41",
					g ? s->item[g - 1].lang : "other");
		c->factor[g] = f == 0 && share > 0 && c->chars[g] ? 1 : (uint64_t)f;
	}
	return 0;
}

/* --- writing a run ------------------------------------------------------------------------ */

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		lu_buf_putc(b, (char)(v | 0x80));
	lu_buf_putc(b, (char)v);
}

static int flush(struct lu_tokcount_thread *t, struct lu_buf *b, struct lu_err *err)
{
	if (lu_buf_check(b, err) < 0 || lu_write_all(t->fd, b->p, b->n, file_name, err) < 0)
		return -1;
	t->size += b->n;
	lu_buf_clear(b);
	return 0;
}

static int write_words(struct lu_tokcount_thread *t, struct lu_tokcount_run *run, struct lu_buf *b,
		struct lu_words_cursor *cur, struct lu_err *err)
{
	size_t part = 0;
	int rc;

	while ((rc = lu_words_next(cur, err)) > 0) {
		const struct lu_word *w = &cur->word;

		while (part < PARTS && w->hash >= part_from(part))
			run->at[part++] = t->size + b->n;
		put_varint(b, w->s.n);
		lu_buf_putc(b, (char)w->group);
		put_varint(b, w->count);
		lu_buf_str(b, w->s);
		if (t->languages)
			t->chars[w->group] += w->count * lu_utf8_count(w->s.p, w->s.n);
		if (b->n >= WRITE_BUFFER && flush(t, b, err) < 0)
			return -1;
	}
	while (part <= PARTS)
		run->at[part++] = t->size + b->n;
	return rc < 0 ? -1 : flush(t, b, err);
}

/* Writes the table as a run and empties it. */
static int spill(void *ctx, struct lu_words *w, struct lu_err *err)
{
	struct lu_tokcount_thread *t = ctx;
	struct lu_words_cursor cur = LU_WORDS_CURSOR(w, 0, 0);
	struct lu_tokcount_run *more = realloc(t->run, (t->runs + 1) * sizeof(*more));
	struct lu_buf b = { 0 };
	int rc;

	if (!more)
		return lu_err_nomem(err);
	t->run = more;
	if (t->fd <= 0) {
		t->fd = lu_temp_open(t->tmpdir, err);
		if (t->fd < 0) {
			t->fd = 0;
			return -1;
		}
	}
	rc = write_words(t, &t->run[t->runs], &b, &cur, err);
	t->runs++;
	lu_buf_release(&b);
	lu_words_cursor_release(&cur);
	lu_words_clear(w);
	return rc;
}

/* --- threads ------------------------------------------------------------------------------ */

void lu_tokcount_join(const struct lu_tokcount *c, struct lu_tokcount_thread *t)
{
	*t = (struct lu_tokcount_thread){ .tmpdir = c->tmpdir, .languages = c->shares != NULL };
	t->words.limit = c->memory / 2 / (c->threads ? c->threads : 1);
	if (c->memory && t->words.limit == 0)
		t->words.limit = 1;
	t->words.full = spill;
	t->words.ctx = t;
}

void lu_tokcount_leave(struct lu_tokcount_thread *t)
{
	lu_words_release(&t->words);
	if (t->fd > 0)
		close(t->fd); /* unlinked: nothing can be lost any more */
	free(t->run);
	*t = (struct lu_tokcount_thread){ 0 };
}

/* Adds up the characters of what is in memory. */
static int count_chars(struct lu_tokcount_thread *t, struct lu_err *err)
{
	struct lu_words_cursor cur = LU_WORDS_CURSOR(&t->words, 0, 0);
	int rc;

	while ((rc = lu_words_next(&cur, err)) > 0)
		t->chars[cur.word.group] +=
				cur.word.count * lu_utf8_count(cur.word.s.p, cur.word.s.n);
	lu_words_cursor_release(&cur);
	return rc;
}

int lu_tokcount_take(struct lu_tokcount *c, struct lu_tokcount_thread *t, struct lu_err *err)
{
	struct lu_tokcount_thread *more = realloc(c->thread, (c->taken + 1) * sizeof(*more));

	if (!more)
		return lu_err_nomem(err);
	c->thread = more;
	if (lu_words_flush(&t->words, err) < 0)
		return -1;
	/* Once something is on disk, all goes there, so that reading starts with empty tables. */
	if (t->runs && t->words.n && spill(t, &t->words, err) < 0)
		return -1;
	if (t->runs)
		lu_words_release(&t->words);
	else if (t->languages && count_chars(t, err) < 0)
		return -1;
	for (size_t g = 0; g <= LU_SHARES; g++)
		c->chars[g] += t->chars[g];
	c->runs += t->runs;
	c->thread[c->taken++] = *t;
	*t = (struct lu_tokcount_thread){ 0 };
	return 0;
}

void lu_tokcount_release(struct lu_tokcount *c)
{
	for (size_t i = 0; i < c->taken; i++)
		lu_tokcount_leave(&c->thread[i]);
	free(c->thread);
	c->thread = NULL;
	c->taken = 0;
}

/* --- reading ------------------------------------------------------------------------------ */

/* One part of a table or of a run. */
struct source {
	struct lu_words_cursor table;
	int fd; /* 0: a table */
	uint64_t at, end;
	char *buf;
	size_t from, to, cap;
	struct lu_word word;
};

static void free_source(struct source *s)
{
	lu_words_cursor_release(&s->table);
	free(s->buf);
}

/* Makes n bytes available at buf + from. */
static int need(struct source *s, size_t n, struct lu_err *err)
{
	size_t have = s->to - s->from, get;

	if (have >= n)
		return 0;
	if (have)
		memmove(s->buf, s->buf + s->from, have);
	s->from = 0;
	s->to = have;
	if (s->cap < n) {
		size_t cap = n > READ_BUFFER ? n : READ_BUFFER;
		char *b = realloc(s->buf, cap);

		if (!b)
			return lu_err_nomem(err);
		s->buf = b;
		s->cap = cap;
	}
	get = s->cap - have;
	if (get > s->end - s->at)
		get = (size_t)(s->end - s->at);
	if (have + get < n)
		return lu_err_set(err, "%s: ends within a word", file_name);
	if (lu_pread_all(s->fd, s->buf + have, get, s->at, file_name, err) < 0)
		return -1;
	s->at += get;
	s->to += get;
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

/* 1, or 0 at the end, or -1. */
static int advance(struct source *s, struct lu_err *err)
{
	uint64_t left;
	size_t n, head;
	const char *p;

	if (!s->fd) {
		int rc = lu_words_next(&s->table, err);

		s->word = s->table.word;
		return rc;
	}
	left = s->to - s->from + (s->end - s->at);
	if (left == 0)
		return 0;
	if (need(s, left < MOST_HEAD ? (size_t)left : MOST_HEAD, err) < 0)
		return -1;
	p = s->buf + s->from;
	n = (size_t)get_varint(&p);
	s->word.group = (uint8_t)*p++;
	s->word.count = get_varint(&p);
	head = (size_t)(p - s->buf) - s->from;
	if (need(s, head + n, err) < 0)
		return -1;
	s->word.s = (struct lu_str){ s->buf + s->from + head, n };
	s->word.hash = lu_word_hash(s->word.s);
	s->from += head + n;
	return 1;
}

/* A part while it is put together. */
struct part {
	size_t number;
	struct source *source;
	size_t sources;
	struct source **heap;
	size_t n;
	struct lu_buf text;
	uint64_t words, sum;
	void *local;
};

struct reading {
	struct lu_tokcount *c;
	const struct lu_tokcount_reader *r;
	size_t next;
	uint64_t sum;
};

static void sift(struct source **heap, size_t n, size_t i)
{
	struct source *v = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && lu_word_cmp(&heap[child + 1]->word, &heap[child]->word) < 0)
			child++;
		if (lu_word_cmp(&heap[child]->word, &v->word) >= 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

static int open_part(struct reading *r, struct part *p, struct lu_err *err)
{
	uint64_t from = part_from(p->number), to = part_from((p->number + 1) % PARTS);
	size_t n = 0;

	for (size_t i = 0; i < r->c->taken; i++)
		n += 1 + r->c->thread[i].runs;
	p->source = calloc(n + 1, sizeof(*p->source));
	p->heap = malloc((n + 1) * sizeof(struct source *));
	p->sources = p->n = 0;
	p->words = p->sum = 0;
	if (!p->source || !p->heap)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->c->taken; i++) {
		const struct lu_tokcount_thread *t = &r->c->thread[i];

		p->source[p->sources++].table =
				(struct lu_words_cursor)LU_WORDS_CURSOR(&t->words, from, to);
		for (size_t k = 0; k < t->runs; k++)
			p->source[p->sources++] = (struct source){ .fd = t->fd,
				.at = t->run[k].at[p->number],
				.end = t->run[k].at[p->number + 1] };
	}
	for (size_t i = 0; i < p->sources; i++) {
		int rc = advance(&p->source[i], err);

		if (rc < 0)
			return -1;
		if (rc > 0)
			p->heap[p->n++] = &p->source[i];
	}
	for (size_t i = p->n / 2; i-- > 0;)
		sift(p->heap, p->n, i);
	return 0;
}

static void close_part(struct part *p)
{
	for (size_t i = 0; i < p->sources; i++)
		free_source(&p->source[i]);
	free(p->source);
	free(p->heap);
	p->source = NULL;
	p->heap = NULL;
	p->sources = 0;
}

/* The next word and its weighted count from all sources. */
static int next_word(struct reading *r, struct part *p, uint64_t *count, struct lu_err *err)
{
	struct lu_word word = p->heap[0]->word;
	u128 sum = 0;

	lu_buf_clear(&p->text);
	lu_buf_str(&p->text, word.s);
	if (lu_buf_check(&p->text, err) < 0)
		return -1;
	word.s = lu_buf_slice(&p->text);
	do {
		int rc;

		sum += (u128)p->heap[0]->word.count * r->c->factor[p->heap[0]->word.group];
		rc = advance(p->heap[0], err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			p->heap[0] = p->heap[--p->n];
		if (p->n)
			sift(p->heap, p->n, 0);
	} while (p->n && lu_word_cmp(&p->heap[0]->word, &word) == 0);
	/* A word of n bytes has at most n pairs: no sum of pairs can be larger than this. */
	if (sum > MOST || sum * word.s.n > MOST - p->sum)
		return lu_err_set(err, "the words' counts times their lengths are more than 2^61");
	p->sum += (uint64_t)sum * word.s.n;
	*count = (uint64_t)sum;
	return 0;
}

static int start_part(void *ctx, void *batch, struct lu_err *err)
{
	struct reading *r = ctx;
	struct part *p = batch;

	(void)err;
	if (r->next == PARTS)
		return 0;
	p->number = r->next++;
	return 1;
}

static int read_part(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct reading *r = ctx;
	struct part *p = batch;
	int rc = open_part(r, p, err);

	(void)thread;
	while (rc == 0 && p->n) {
		uint64_t count = 0;

		rc = next_word(r, p, &count, err);
		if (rc == 0 && count > 0) {
			p->words++;
			rc = r->r->word(r->r->ctx, p->local, lu_buf_slice(&p->text), count, err);
		}
	}
	close_part(p);
	return rc;
}

static int end_part(void *ctx, void *batch, struct lu_err *err)
{
	struct reading *r = ctx;
	struct part *p = batch;

	r->c->words += p->words;
	r->sum += p->sum;
	if (r->sum > MOST)
		return lu_err_set(err, "the words' counts times their lengths are more than 2^61");
	return r->r->end(r->r->ctx, p->local, err);
}

int lu_tokcount_each(
		struct lu_tokcount *c, const struct lu_tokcount_reader *reader, struct lu_err *err)
{
	struct reading r = { .c = c, .r = reader };
	struct lu_pipeline line = { .threads = c->threads ? c->threads : 1,
		.ctx = &r,
		.read = start_part,
		.map = read_part,
		.write = end_part };
	struct part *part;
	int rc = -1;

	c->words = 0;
	line.batches = lu_pipeline_batches(line.threads);
	part = calloc(line.batches, sizeof(*part));
	line.batch = malloc(line.batches * sizeof(void *));
	if (!part || !line.batch) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < line.batches; i++) {
		line.batch[i] = &part[i];
		part[i].local = calloc(1, reader->local_size + 1);
		if (!part[i].local) {
			lu_err_nomem(err);
			goto out;
		}
	}
	if (weigh(c, err) == 0)
		rc = lu_pipeline_run(&line, err);
out:
	for (size_t i = 0; part && i < line.batches; i++) {
		if (part[i].local && reader->free_local)
			reader->free_local(part[i].local);
		free(part[i].local);
		lu_buf_release(&part[i].text);
	}
	free(part);
	free(line.batch);
	lu_tokcount_release(c);
	return rc;
}
