#include "libcommon/bpetrain/counts.h"

#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/word_run.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/file.h"

__extension__ typedef unsigned __int128 u128;

/* Limit of the sum of counts times word lengths. */
#define MAX_SUM LU_WORD_MAX_COUNT

/* --- counting ----------------------------------------------------------------------------- */

/* Write the table as a run and empty it. */
static int spill(void *ctx, struct lu_words *w, struct lu_err *err)
{
	struct lu_word_counts_thread *t = ctx;
	int rc;

	if (!lu_vec_reserve(&t->run, 1))
		return lu_err_nomem(err);
	if (!t->has_file) {
		t->fd = lu_temp_open(t->tmpdir, err);
		if (t->fd < 0)
			return -1;
		t->has_file = true;
	}
	rc = lu_word_run_write(&t->run.p[t->run.n++], t->fd, &t->file_size, w,
			t->by_language ? t->chars : NULL, err);
	lu_words_clear(w);
	return rc;
}

void lu_word_counts_join(const struct lu_word_counts *c, struct lu_word_counts_thread *t)
{
	*t = (struct lu_word_counts_thread){ .tmpdir = c->tmpdir,
		.by_language = c->shares || c->by_language };
	t->words.limit = c->memory / 2 / (c->threads ? c->threads : 1);
	if (c->memory && t->words.limit == 0)
		t->words.limit = 1;
	t->words.full = spill;
	t->words.ctx = t;
}

void lu_word_counts_leave(struct lu_word_counts_thread *t)
{
	lu_words_release(&t->words);
	if (t->has_file)
		close(t->fd); /* already unlinked: its data is not needed any more */
	lu_vec_release(&t->run);
	lu_lang_names_release(&t->lang);
	free(t->map);
	memset(t, 0, sizeof(*t));
}

static uint16_t share_of(const struct lu_word_counts *c, struct lu_str lang)
{
	for (size_t i = 0; c->shares && i < c->shares->n; i++) {
		if (lu_str_is(lang, c->shares->item[i].lang))
			return (uint16_t)(i + 1);
	}
	return 0;
}

int lu_word_counts_language(const struct lu_word_counts *c, struct lu_word_counts_thread *t,
		struct lu_str lang, struct lu_err *err)
{
	if (c->by_language)
		return lu_lang_names_add(&t->lang, lang, &t->words.group, err);
	t->words.group = share_of(c, lang);
	return 0;
}

/* Add the characters of the table to the thread's counts by group. */
static int count_chars(struct lu_word_counts_thread *t, struct lu_err *err)
{
	struct lu_words_cursor cursor = LU_WORDS_CURSOR(&t->words, 0, 0);
	int rc;

	while ((rc = lu_words_next(&cursor, err)) > 0) {
		const struct lu_word *w = &cursor.word;

		t->chars[w->group] += w->count * lu_utf8_count(w->s.p, w->s.n);
	}
	lu_words_cursor_release(&cursor);
	return rc;
}

int lu_word_counts_take(
		struct lu_word_counts *c, struct lu_word_counts_thread *t, struct lu_err *err)
{
	if (!lu_vec_reserve(&c->thread, 1))
		return lu_err_nomem(err);
	if (lu_words_flush(&t->words, err) < 0)
		return -1;
	/* A thread that has spilled spills the rest too, so that merging starts with no tables. */
	if (t->run.n && t->words.n && spill(t, &t->words, err) < 0)
		return -1;
	if (t->run.n)
		lu_words_release(&t->words);
	else if (t->by_language && count_chars(t, err) < 0)
		return -1;
	c->runs += t->run.n;
	c->thread.p[c->thread.n++] = *t;
	memset(t, 0, sizeof(*t));
	return 0;
}

void lu_word_counts_release(struct lu_word_counts *c)
{
	for (size_t i = 0; i < c->thread.n; i++)
		lu_word_counts_leave(&c->thread.p[i]);
	lu_vec_release(&c->thread);
	for (size_t i = 0; c->file_map && i < c->files; i++)
		free(c->file_map[i]);
	free(c->file_map);
	c->file_map = NULL;
}

/* --- languages ---------------------------------------------------------------------------- */

static int add_names(
		struct lu_word_counts *c, const struct lu_lang_names *names, struct lu_err *err)
{
	uint16_t number;

	for (size_t i = 0; i < names->name.n; i++) {
		if (lu_lang_names_add(&c->lang, names->name.p[i], &number, err) < 0)
			return -1;
	}
	return 0;
}

/* The number among all of each language of a thread or a file. */
static uint16_t *make_map(const struct lu_word_counts *c, const struct lu_lang_names *names)
{
	uint16_t *map = calloc(names->name.n + 1, sizeof(*map));

	for (size_t i = 0; map && i < names->name.n; i++)
		map[i] = c->by_language ? lu_lang_names_number(&c->lang, names->name.p[i])
					: share_of(c, names->name.p[i]);
	return map;
}

static int add_chars(struct lu_word_counts *c, const uint64_t *chars, const uint16_t *map, size_t n,
		struct lu_err *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t *sum = &c->chars[map ? map[i] : i];

		if (chars[i] > MAX_SUM || (*sum += chars[i]) > MAX_SUM)
			return lu_err_set(err, "the words have more than 2^61 characters");
	}
	return 0;
}

/* Number the languages of all threads and files alike, and sum up their characters. */
static int join_languages(struct lu_word_counts *c, struct lu_err *err)
{
	for (size_t i = 0; c->by_language && i < c->thread.n; i++) {
		if (add_names(c, &c->thread.p[i].lang, err) < 0)
			return -1;
	}
	for (size_t i = 0; c->by_language && i < c->files; i++) {
		if (add_names(c, &c->file[i].lang, err) < 0)
			return -1;
	}
	lu_lang_names_sort(&c->lang);
	for (size_t i = 0; i < c->thread.n; i++) {
		struct lu_word_counts_thread *t = &c->thread.p[i];
		size_t n = c->by_language ? t->lang.name.n : LU_WORD_GROUPS;

		if (c->by_language && !(t->map = make_map(c, &t->lang)))
			return lu_err_nomem(err);
		if (add_chars(c, t->chars, t->map, n, err) < 0)
			return -1;
	}
	c->file_map = calloc(c->files + 1, sizeof(*c->file_map));
	for (size_t i = 0; c->file_map && i < c->files; i++) {
		const struct lu_count_file *f = &c->file[i];

		c->file_map[i] = make_map(c, &f->lang);
		if (!c->file_map[i])
			return lu_err_nomem(err);
		if (add_chars(c, f->chars, c->file_map[i], f->lang.name.n, err) < 0)
			return -1;
	}
	return c->file_map ? 0 : lu_err_nomem(err);
}

/* --- weights ------------------------------------------------------------------------------ */

static int set_weights(struct lu_word_counts *c, struct lu_err *err)
{
	const struct lu_shares *s = c->shares;
	uint64_t total = 0;

	c->weight[0] = 1;
	if (!s)
		return 0;
	for (size_t g = 0; g <= s->n; g++)
		total += c->chars[g];
	c->other_left_out = s->rest == 0 && c->chars[0] > 0;
	if (s->rest > 0 && c->chars[0] == 0)
		return lu_err_set(err,
				"--balance: the shares add up to %g, and no other language has "
				"text for the rest",
				(LU_SHARE_ALL - s->rest) / 1000.0);
	for (size_t g = 0; g <= s->n; g++) {
		uint32_t share = g ? s->item[g - 1].share : s->rest;
		u128 w = (u128)total * share * lu_word_counts_unit(c);

		if (g && c->chars[g] == 0)
			return lu_err_set(err,
					"--balance: no document with text has the language '%s'",
					s->item[g - 1].lang);
		w /= c->chars[g] ? (u128)c->chars[g] * LU_SHARE_ALL : 1;
		if (w > MAX_SUM)
			return lu_err_set(err, "--balance: '%s' would have a weight above 2^41",
					g ? s->item[g - 1].lang : "other");
		c->weight[g] = w == 0 && share > 0 && c->chars[g] ? 1 : (uint64_t)w;
	}
	return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

/* One part while it is merged: a batch of the pipeline. */
struct part {
	size_t number;
	struct LU_VEC(struct lu_word_source) source;
	struct lu_word_source **heap; /* by the current word, smallest first */
	size_t n;
	struct lu_buf text; /* the current word */
	/* With by_language, of the current word: the count of each language, and those that have
	 * one. */
	uint64_t *count;
	struct LU_VEC(uint16_t) lang;
	uint64_t words, sum;
	void *local;
};

struct merge {
	struct lu_word_counts *c;
	const struct lu_word_counts_visitor *visitor;
	size_t next_part;
	size_t room; /* bytes read at once of each run and file */
	uint64_t sum;
};

static void sift_down(struct lu_word_source **heap, size_t n, size_t i)
{
	struct lu_word_source *v = heap[i];

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

static int open_part(struct merge *m, struct part *p, struct lu_err *err)
{
	size_t n = m->c->thread.n + m->c->runs + m->c->files;

	p->n = p->words = p->sum = 0;
	p->heap = malloc((n + 1) * sizeof(struct lu_word_source *));
	if (!p->heap || !lu_vec_reserve(&p->source, n))
		return lu_err_nomem(err);
	for (size_t i = 0; i < m->c->thread.n; i++) {
		const struct lu_word_counts_thread *t = &m->c->thread.p[i];

		p->source.p[p->source.n] = lu_word_source_table(&t->words, p->number);
		p->source.p[p->source.n++].map = t->map;
		for (size_t k = 0; k < t->run.n; k++) {
			p->source.p[p->source.n] =
					lu_word_source_run(t->fd, &t->run.p[k], p->number, m->room);
			p->source.p[p->source.n++].map = t->map;
		}
	}
	for (size_t i = 0; i < m->c->files; i++) {
		struct lu_word_source *s = &p->source.p[p->source.n++];

		if (lu_count_file_source(&m->c->file[i], p->number, m->room, s, err) < 0)
			return -1;
		s->map = m->c->file_map[i];
	}
	for (size_t i = 0; i < p->source.n; i++) {
		int rc = lu_word_source_next(&p->source.p[i], err);

		if (rc < 0)
			return -1;
		if (rc > 0)
			p->heap[p->n++] = &p->source.p[i];
	}
	for (size_t i = p->n / 2; i-- > 0;)
		sift_down(p->heap, p->n, i);
	return 0;
}

static void close_part(struct part *p)
{
	for (size_t i = 0; i < p->source.n; i++)
		lu_word_source_release(&p->source.p[i]);
	lu_vec_release(&p->source);
	free(p->heap);
	p->heap = NULL;
}

static int by_number(const void *x, const void *y)
{
	return *(const uint16_t *)x - *(const uint16_t *)y;
}

/* Add to the count of a language of the current word. */
static int add_language(struct part *p, const struct lu_word *w, struct lu_err *err)
{
	if (p->count[w->group] == 0 && !lu_vec_push(&p->lang, w->group))
		return lu_err_nomem(err);
	if (w->count > MAX_SUM || (p->count[w->group] += w->count) > MAX_SUM)
		return lu_err_set(err, "a word occurs more than 2^61 times");
	return 0;
}

/* Pass the current word on, each of its languages. */
static int visit_languages(struct merge *m, struct part *p, struct lu_err *err)
{
	struct lu_word w = { .s = lu_buf_slice(&p->text) };
	int rc = 0;

	qsort(p->lang.p, p->lang.n, sizeof(*p->lang.p), by_number);
	w.hash = lu_word_hash(w.s);
	for (size_t i = 0; rc == 0 && i < p->lang.n; i++) {
		w.group = p->lang.p[i];
		w.count = p->count[w.group];
		p->count[w.group] = 0;
		rc = m->visitor->by_language(m->visitor->ctx, p->local, &w, err);
	}
	p->lang.n = 0;
	return rc;
}

/* Merge the next word of all sources into p->text and its weighted count. */
static int next_word(struct merge *m, struct part *p, uint64_t *count, struct lu_err *err)
{
	struct lu_word word = p->heap[0]->word;
	u128 sum = 0;

	lu_buf_clear(&p->text);
	lu_buf_str(&p->text, word.s);
	if (lu_buf_check(&p->text, err) < 0)
		return -1;
	word.s = lu_buf_slice(&p->text);
	do {
		struct lu_word_source *s = p->heap[0];
		int rc;

		if (m->c->by_language && add_language(p, &s->word, err) < 0)
			return -1;
		sum += (u128)s->word.count * (m->c->by_language ? 1 : m->c->weight[s->word.group]);
		if (sum > MAX_SUM)
			break;
		rc = lu_word_source_next(s, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			p->heap[0] = p->heap[--p->n];
		if (p->n)
			sift_down(p->heap, p->n, 0);
	} while (p->n && lu_word_cmp(&p->heap[0]->word, &word) == 0);
	/* A word of n bytes has fewer than n pairs, so this bounds every sum over pairs. */
	if (sum > MAX_SUM || sum * word.s.n > MAX_SUM - p->sum)
		return lu_err_set(err, "the words' counts times their lengths exceed 2^61");
	p->sum += (uint64_t)sum * word.s.n;
	*count = (uint64_t)sum;
	return 0;
}

static int start_part(void *ctx, void *batch, struct lu_err *err)
{
	struct merge *m = ctx;
	struct part *p = batch;

	(void)err;
	if (m->next_part == LU_WORD_PARTS)
		return 0;
	p->number = m->next_part++;
	return 1;
}

static int merge_part(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct merge *m = ctx;
	struct part *p = batch;
	int rc = open_part(m, p, err);

	(void)thread;
	while (rc == 0 && p->n) {
		uint64_t count = 0;

		rc = next_word(m, p, &count, err);
		p->words += count > 0;
		if (rc == 0 && m->c->by_language) {
			rc = visit_languages(m, p, err);
		} else if (rc == 0 && count > 0) {
			rc = m->visitor->word(m->visitor->ctx, p->local, lu_buf_slice(&p->text),
					count, err);
		}
	}
	close_part(p);
	return rc;
}

static int end_part(void *ctx, void *batch, struct lu_err *err)
{
	struct merge *m = ctx;
	struct part *p = batch;

	m->c->words += p->words;
	m->sum += p->sum;
	if (m->sum > MAX_SUM)
		return lu_err_set(err, "the words' counts times their lengths exceed 2^61");
	return m->visitor->end(m->visitor->ctx, p->local, err);
}

/* Bytes that are read at once of each run and file: a quarter of the memory holds those of all, but
 * small reads would cost more than they save. */
static size_t read_room(const struct lu_word_counts *c, unsigned threads)
{
	const uint64_t most = 1 << 16, least = 1 << 12;
	uint64_t n = (c->runs + c->files + 1) * threads, room = c->memory / 4 / n;

	return (size_t)(c->memory == 0 || room > most ? most : room < least ? least : room);
}

int lu_word_counts_visit(struct lu_word_counts *c, const struct lu_word_counts_visitor *visitor,
		struct lu_err *err)
{
	struct merge m = { .c = c, .visitor = visitor };
	struct lu_pipeline line = { .threads = c->threads ? c->threads : 1,
		.ctx = &m,
		.read = start_part,
		.map = merge_part,
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
		part[i].local = calloc(1, visitor->local_size + 1);
		part[i].count = calloc(LU_WORD_GROUPS, sizeof(*part[i].count));
		if (!part[i].local || !part[i].count) {
			lu_err_nomem(err);
			goto out;
		}
	}
	m.room = read_room(c, line.threads);
	if (join_languages(c, err) == 0 && set_weights(c, err) == 0)
		rc = lu_pipeline_run(&line, err);
out:
	for (size_t i = 0; part && i < line.batches; i++) {
		if (part[i].local && visitor->free_local)
			visitor->free_local(part[i].local);
		free(part[i].local);
		free(part[i].count);
		lu_vec_release(&part[i].lang);
		lu_buf_release(&part[i].text);
	}
	free(part);
	free(line.batch);
	lu_word_counts_release(c);
	return rc;
}
