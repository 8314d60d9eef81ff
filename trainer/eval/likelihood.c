#include "trainer/eval/likelihood.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

/* Which requests are in which row: a list for each row, and its last element for appending. */
struct packing {
	size_t *order; /* requests, the longest first */
	size_t *next;  /* request after this one in its row, or NONE */
	/* Requests that differ in their last token alone, as choices of one letter do, are one in the
	 * rows: the first, with a list of the others. */
	size_t *other;
	size_t *row;  /* first request of each row */
	size_t *last; /* last request of each row */
	size_t rows;
	/* Rows by the tokens that are left in them: lists, headed by `open`. */
	size_t *open, *below;
};

static void packing_release(struct packing *p)
{
	free(p->order);
	free(p->next);
	free(p->other);
	free(p->row);
	free(p->last);
	free(p->open);
	free(p->below);
	*p = (struct packing){ 0 };
}

size_t lt_likelihood_row(size_t n, size_t context)
{
	size_t row = 256;

	while (row < n)
		row *= 2;
	return row < context ? row : context;
}

/* Order of packing: the longest first, then as given. The lengths are looked up behind the index. */
struct sized {
	size_t n, i;
};

static int by_length(const void *a, const void *b)
{
	const struct sized *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->i < y->i ? -1 : 1;
}

static int sort(struct packing *p, const struct lt_request *r, size_t n)
{
	struct sized *s = calloc(n + 1, sizeof(*s));

	if (!s)
		return -1;
	for (size_t i = 0; i < n; i++)
		s[i] = (struct sized){ r[i].n, i };
	qsort(s, n, sizeof(*s), by_length);
	for (size_t i = 0; i < n; i++)
		p->order[i] = s[i].i;
	free(s);
	return 0;
}

/* Put request i, of `need` tokens, into the fullest row that has room, or a new one. */
static void place(struct packing *p, size_t i, size_t need, size_t context)
{
	size_t left = need, row;

	while (left <= context && p->open[left] == NONE)
		left++;
	if (left <= context) {
		row = p->open[left];
		p->open[left] = p->below[row];
		p->next[p->last[row]] = i;
	} else {
		row = p->rows++;
		left = context;
		p->row[row] = i;
	}
	p->last[row] = i;
	p->next[i] = NONE;
	left -= need;
	p->below[row] = p->open[left];
	p->open[left] = row;
}

/* True if two requests are the same but for the last token. */
static bool same_inputs(const struct lt_request *a, const struct lt_request *b)
{
	return a->n == b->n && a->scored == b->scored &&
			memcmp(a->ids, b->ids, (a->n - 1) * sizeof(*a->ids)) == 0;
}

/* List the requests that need no row of their own; those of an item follow one another. mine[i] is
 * false for them. */
static void list_others(struct packing *p, const struct lt_request *r, size_t n, bool *mine)
{
	for (size_t i = 0; i < n; i++) {
		mine[i] = i == 0 || !same_inputs(&r[i - 1], &r[i]);
		p->other[i] = NONE;
		if (!mine[i])
			p->other[i - 1] = i;
	}
}

/* Best fit, the longest first. `share`: requests may share a place, see struct packing. */
static int pack(struct packing *p, const struct lt_request *r, size_t n, size_t context, bool share,
		struct lu_err *err)
{
	bool *mine = calloc(n + 1, sizeof(*mine));

	*p = (struct packing){ .order = calloc(n + 1, sizeof(size_t)),
		.next = calloc(n + 1, sizeof(size_t)),
		.other = calloc(n + 1, sizeof(size_t)),
		.row = calloc(n + 1, sizeof(size_t)),
		.last = calloc(n + 1, sizeof(size_t)),
		.open = calloc(context + 1, sizeof(size_t)),
		.below = calloc(n + 1, sizeof(size_t)) };
	if (!mine || !p->order || !p->next || !p->other || !p->row || !p->last || !p->open ||
			!p->below || sort(p, r, n) < 0) {
		free(mine);
		packing_release(p);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i <= context; i++)
		p->open[i] = NONE;
	list_others(p, r, n, mine);
	for (size_t i = 0; i < n; i++) {
		size_t k = p->order[i];

		if (!share)
			p->other[k] = NONE;
		if (!share || mine[k])
			place(p, k, r[k].n - 1, context);
	}
	free(mine);
	return 0;
}

/* A batch in host memory. */
struct rows {
	uint32_t *ids, *labels, *places;
	lk_real *log_p;
};

static void rows_release(struct rows *b)
{
	free(b->ids);
	free(b->labels);
	free(b->places);
	free(b->log_p);
	*b = (struct rows){ 0 };
}

static int rows_init(struct rows *b, size_t n, struct lu_err *err)
{
	*b = (struct rows){ .ids = calloc(n, sizeof(*b->ids)),
		.labels = calloc(n, sizeof(*b->labels)),
		.places = calloc(n, sizeof(*b->places)),
		.log_p = calloc(n, sizeof(*b->log_p)) };
	if (b->ids && b->labels && b->places && b->log_p)
		return 0;
	rows_release(b);
	return lu_err_nomem(err);
}

/* Number `pass` of request i and the others in its place; NONE if there are fewer. */
static size_t nth(const struct packing *p, size_t i, size_t pass)
{
	while (i != NONE && pass-- > 0)
		i = p->other[i];
	return i;
}

static size_t first_of(const struct packing *p, size_t row)
{
	return row < p->rows ? p->row[row] : NONE;
}

/* Lay the requests of a row out, from `at` on. What is left are documents of one token. */
static void load_row(struct rows *b, size_t at, size_t context, const struct packing *p, size_t row,
		const struct lt_request *r)
{
	size_t k = 0;

	for (size_t i = first_of(p, row); i != NONE; i = p->next[i]) {
		for (size_t j = 0; j + 1 < r[i].n; j++, k++) {
			b->ids[at + k] = r[i].ids[j];
			b->labels[at + k] = r[i].ids[j + 1];
			b->places[at + k] = (uint32_t)j;
		}
	}
	for (; k < context; k++)
		b->ids[at + k] = b->labels[at + k] = b->places[at + k] = 0;
}

/* Put the last labels of this pass into a row. Returns whether there are any. */
static bool relabel_row(struct rows *b, size_t at, const struct packing *p, size_t row,
		const struct lt_request *r, size_t pass)
{
	bool any = false;

	for (size_t i = first_of(p, row); i != NONE; i = p->next[i]) {
		size_t k = nth(p, i, pass);

		at += r[i].n - 1;
		any |= k != NONE;
		if (k != NONE)
			b->labels[at - 1] = r[k].ids[r[k].n - 1];
	}
	return any;
}

/* Add up the continuations of a row. */
static void sum_row(const struct rows *b, size_t at, const struct packing *p, size_t row,
		const struct lt_request *r, size_t pass, double *sum)
{
	const lk_real *log_p = b->log_p + at;

	for (size_t i = first_of(p, row); i != NONE; i = p->next[i]) {
		size_t from = r[i].n - 1 - r[i].scored, k = nth(p, i, pass);

		for (size_t j = from; k != NONE && j + 1 < r[i].n; j++)
			sum[k] += (double)log_p[j];
		if (k != NONE && r[k].each)
			memcpy(r[k].each, log_p + from, r[k].scored * sizeof(*log_p));
		log_p += r[i].n - 1;
	}
}

static uint64_t count_row(const struct packing *p, size_t row)
{
	uint64_t n = 0;

	for (size_t i = first_of(p, row); i != NONE; i = p->next[i]) {
		for (size_t k = i; k != NONE; k = p->other[k])
			n++;
	}
	return n;
}

/* Score the batch that begins with this row: once, and again for each of the labels that share a
 * place. */
static int score_rows(const struct lt_scorer *s, struct rows *b, const struct packing *p,
		size_t first, const struct lt_request *r, double *sum, struct lu_err *err)
{
	const struct lt_batch batch = { .ids = b->ids, .labels = b->labels, .places = b->places };
	size_t left = p->rows - first, n = left < s->batch ? left : s->batch;

	for (size_t i = 0; i < s->batch; i++)
		load_row(b, i * s->context, s->context, p, first + i, r);
	for (size_t pass = 0;; pass++) {
		bool here = false, any = pass == 0;

		for (size_t i = 0; i < n && pass; i++)
			any |= relabel_row(b, i * s->context, p, first + i, r, pass);
		if (!any)
			return 0;
		if ((pass ? s->again(s->ctx, &batch, b->log_p, &here, err)
			  : s->score(s->ctx, &batch, n, b->log_p, &here, err)) < 0)
			return -1;
		for (size_t i = 0; here && i < n; i++)
			sum_row(b, i * s->context, p, first + i, r, pass, sum);
	}
}

static int score_all(const struct lt_scorer *s, struct rows *b, const struct packing *p,
		struct lt_request *r, double *sum, int (*stop)(void *ctx, struct lu_err *err),
		void (*done)(void *ctx, uint64_t n), void *done_ctx, struct lu_err *err)
{
	size_t batches = (p->rows + s->batch - 1) / s->batch, shares = s->shares ? s->shares : 1;
	uint64_t turn = 0;
	int rc = 0;

	for (size_t first = 0; first < batches && rc == 0; first += shares) {
		size_t mine = first + s->share;

		if (mine < batches)
			rc = score_rows(s, b, p, mine * s->batch, r, sum, err);
		for (size_t i = first * s->batch; i < (first + shares) * s->batch; i++)
			turn += count_row(p, i);
		if (done && rc == 0)
			done(done_ctx, turn);
		if (rc == 0 && stop)
			rc = stop(s->ctx, err);
	}
	return rc;
}

int lt_likelihood(const struct lt_scorer *s, struct lt_request *r, size_t n,
		int (*stop)(void *ctx, struct lu_err *err), void (*done)(void *ctx, uint64_t n),
		void *done_ctx, struct lu_err *err)
{
	struct packing p;
	struct rows b = { 0 };
	double *sum;
	int rc;

	for (size_t i = 0; i < n; i++)
		LU_ASSERT(r[i].n >= 2 && r[i].n <= s->context + 1 && r[i].scored < r[i].n);
	if (pack(&p, r, n, s->context, s->again != NULL, err) < 0)
		return -1;
	sum = calloc(n + 1, sizeof(*sum));
	rc = sum ? rows_init(&b, s->batch * s->context, err) : lu_err_nomem(err);
	if (rc == 0)
		rc = score_all(s, &b, &p, r, sum, stop, done, done_ctx, err);
	if (rc == 0 && s->combine)
		rc = s->combine(s->ctx, sum, n, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		r[i].log_p = sum[i];
	rows_release(&b);
	free(sum);
	packing_release(&p);
	return rc;
}
