#include "libcommon/filter/decontaminate_match.h"

#include "libcommon/filter/decontaminate_grams.h"

void lu_bench_work_release(struct lu_bench_work *w)
{
	lu_folded_words_release(&w->words);
	lu_buf_release(&w->scratch);
	lu_vec_release(&w->hash);
	lu_vec_release(&w->grams);
	lu_vec_release(&w->uses);
	lu_vec_release(&w->matches);
}

static inline bool may_have(const struct lu_decontaminate *d, uint64_t hash)
{
	uint64_t bit = hash >> 20 & (d->filter_bits - 1);

	return d->filter[bit / 64] >> bit % 64 & 1;
}

/* Find the n-grams of one length. */
static int find_grams(const struct lu_decontaminate *d, size_t n, struct lu_bench_work *w,
		struct lu_err *err)
{
	struct lu_gram_window window = lu_gram_window(n);
	const uint64_t *word = w->hash.p;

	for (size_t i = 0; i < w->hash.n; i++) {
		struct lu_gram_key key = { .words = n };
		uint64_t hash;
		uint32_t g;

		lu_gram_roll(&window, word[i], i < n ? 0 : word[i - n]);
		if (i + 1 < n)
			continue;
		hash = lu_gram_hash(window.sum, n);
		if (!may_have(d, hash))
			continue;
		key.text = lu_folded_run(&w->words, i + 1 - n, n);
		g = lu_gram_find(d, hash, &key);
		if (g != LU_MAP_NONE && !lu_vec_push(&w->grams, g))
			return lu_err_nomem(err);
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_item(const void *a, const void *b)
{
	const struct lu_bench_use *x = a, *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

/* Each n-gram once. A document that repeats one has it once. */
static void make_distinct(struct lu_bench_work *w)
{
	size_t n = 0;

	if (w->grams.n)
		qsort(w->grams.p, w->grams.n, sizeof(*w->grams.p), by_number);
	for (size_t i = 0; i < w->grams.n; i++) {
		if (i == 0 || w->grams.p[i] != w->grams.p[i - 1])
			w->grams.p[n++] = w->grams.p[i];
	}
	w->grams.n = n;
}

/* Add up what the document has of each item; uses are by item and word. */
static int sum_up(const struct lu_decontaminate *d, struct lu_bench_work *w, struct lu_err *err)
{
	uint32_t end = 0;

	for (size_t i = 0; i < w->uses.n; i++) {
		const struct lu_bench_use *u = &w->uses.p[i];
		const struct lu_bench_item *item = &d->items.p[u->item];
		struct lu_bench_match *m;

		if (i == 0 || u->item != u[-1].item) {
			if (!lu_vec_push(&w->matches,
					    (struct lu_bench_match){ u->item, 0, u->gram, 0 }))
				return lu_err_nomem(err);
			end = 0;
		}
		m = &w->matches.p[w->matches.n - 1];
		m->words += item->gram - (u->word < end ? end - u->word : 0);
		m->share = (double)m->words / item->span;
		end = u->word + item->gram;
	}
	return 0;
}

int lu_decontaminate_match(const struct lu_decontaminate *d, struct lu_str text,
		struct lu_bench_work *w, struct lu_err *err)
{
	w->hash.n = w->grams.n = w->uses.n = w->matches.n = 0;
	if (lu_fold_words(d->shingler, text, &w->scratch, &w->words, err) < 0)
		return -1;
	if (!lu_vec_reserve(&w->hash, w->words.end.n))
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->words.end.n; i++)
		w->hash.p[w->hash.n++] = lu_gram_word(&w->words, i);
	for (size_t n = 1; n <= LU_GRAM_WORDS; n++) {
		if (d->length[n] && find_grams(d, n, w, err) < 0)
			return -1;
	}
	make_distinct(w);
	for (size_t i = 0; i < w->grams.n; i++) {
		const struct lu_bench_gram *g = &d->grams.p[w->grams.p[i]];

		if (!lu_vec_reserve(&w->uses, g->uses))
			return lu_err_nomem(err);
		for (uint32_t k = 0; k < g->uses; k++)
			w->uses.p[w->uses.n++] = d->uses.p[g->first + k];
	}
	if (w->uses.n)
		qsort(w->uses.p, w->uses.n, sizeof(*w->uses.p), by_item);
	return sum_up(d, w, err);
}
