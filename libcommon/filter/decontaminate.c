#include "libcommon/filter/decontaminate.h"

#include <inttypes.h>

#include "libcommon/filter/decontaminate_grams.h"
#include "libcommon/io/lines.h"
#include "libcommon/par/docstream.h"

#define ITEM_LINE_MAX ((uint64_t)1 << 30)
#define FILTER_BITS_PER_GRAM 16
#define FILTER_BITS_MIN 1024

static const char *const parts[] = { "question", "problem", "prompt", "instruction", "query",
	"context", "passage", "answer", "solution" };

int lu_decontaminate_open(struct lu_decontaminate *d, const struct lu_decontaminate_options *o,
		int threads, struct lu_err *err)
{
	*d = (struct lu_decontaminate){ .o = *o };
	if (lu_shingler_new(&d->shingler, err) < 0)
		return -1;
	return o->report ? lu_out_open(&d->report, o->report, NULL, threads, err) : 0;
}

void lu_decontaminate_close(struct lu_decontaminate *d)
{
	lu_shingler_free(d->shingler);
	lu_arena_release(&d->arena);
	lu_folded_words_release(&d->words);
	lu_vec_release(&d->items);
	lu_vec_release(&d->grams);
	lu_vec_release(&d->uses);
	lu_map_release(&d->index);
	lu_map_release(&d->texts);
	free(d->filter);
	lu_out_abort(d->report);
	lu_buf_release(&d->line);
	*d = (struct lu_decontaminate){ 0 };
}

/* --- items --------------------------------------------------------------------------------- */

static struct lu_str words_of(const struct lu_decontaminate *d, const struct lu_bench_item *item)
{
	return item->words ? lu_folded_run(&d->words, item->at, item->words) : LU_STR("");
}

static uint64_t item_hash(const void *items, uint32_t i)
{
	const struct lu_decontaminate *d = items;
	struct lu_str s = words_of(d, &d->items.p[i]);

	return lu_hash64(s.p, s.n, 0);
}

static bool item_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_decontaminate *d = items;

	return lu_str_eq(words_of(d, &d->items.p[i]), *(const struct lu_str *)key);
}

/* What is read at a time. */
struct reading {
	struct lu_arena arena;
	struct lu_buf text, scratch;
	struct lu_folded_words words;
};

/* Append the words of an item to those of all. */
static int append_words(
		struct lu_decontaminate *d, const struct lu_folded_words *w, struct lu_err *err)
{
	size_t base = d->words.text.n;

	lu_buf_append(&d->words.text, w->text.p, w->text.n);
	if (!lu_vec_reserve(&d->words.end, w->end.n))
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->end.n; i++)
		d->words.end.p[d->words.end.n++] = base + w->end.p[i];
	return lu_buf_check(&d->words.text, err);
}

static int add_item(struct lu_decontaminate *d, const struct reading *r, struct lu_bench_item item,
		struct lu_err *err)
{
	size_t n = r->words.end.n;
	struct lu_str key = n ? lu_folded_run(&r->words, 0, n) : LU_STR("");
	uint64_t hash = lu_hash64(key.p, key.n, 0);

	if (lu_map_find(&d->texts, hash, d, item_is, &key) != LU_MAP_NONE) {
		d->repeated++;
		return 0;
	}
	if (n > UINT32_MAX)
		return lu_err_set(err, "an item of more than 2^32 words");
	item.at = d->words.end.n;
	item.words = (uint32_t)n;
	if (n >= d->o.min)
		item.gram = n < LU_GRAM_WORDS ? item.words : LU_GRAM_WORDS;
	else
		d->unmatchable++;
	if (append_words(d, &r->words, err) < 0)
		return -1;
	if (!lu_map_reserve(&d->texts, d, item_hash) || !lu_vec_push(&d->items, item))
		return lu_err_nomem(err);
	lu_map_add(&d->texts, hash);
	d->length[item.gram] = true;
	return 0;
}

/* The text of an item: "text", or its parts, each on a line. */
static int item_text(const struct lu_json_obj *o, struct reading *r, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(o, "text");
	size_t found = 0;
	struct lu_str s;

	lu_buf_clear(&r->text);
	for (size_t i = 0; i <= sizeof(parts) / sizeof(parts[0]); i++) {
		if (i)
			m = lu_json_get(o, parts[i - 1]);
		if (!m || m->type != LU_JSON_STRING)
			continue;
		if (lu_json_decode_known(m->value, m->escaped, &r->arena, &s) < 0)
			return lu_err_nomem(err);
		lu_buf_str(&r->text, s);
		lu_buf_putc(&r->text, '\n');
		found++;
		if (i == 0)
			break;
	}
	if (!found)
		return lu_err_set(err, "an item needs \"text\", or \"question\" and \"answer\"");
	return lu_buf_check(&r->text, err);
}

static int read_item(struct lu_decontaminate *d, struct reading *r, struct lu_str line,
		struct lu_bench_item item, struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;
	const struct lu_json_member *id;

	lu_arena_reset(&r->arena);
	if (lu_json_object(line, &r->arena, &o, &fault) < 0)
		return lu_json_fail(&fault, err);
	if (item_text(&o, r, err) < 0 ||
			lu_fold_words(d->shingler, lu_buf_slice(&r->text), &r->scratch, &r->words,
					err) < 0)
		return -1;
	id = lu_json_get(&o, "id");
	item.id = lu_arena_str(&d->arena, id ? id->value : LU_STR("null"));
	return item.id.p ? add_item(d, r, item, err) : lu_err_nomem(err);
}

int lu_decontaminate_read(struct lu_decontaminate *d, const char *path, struct lu_err *err)
{
	char *file = (char *)(uintptr_t)path;
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct reading r = { 0 };
	struct lu_str line;
	size_t before = d->items.n;
	int rc;

	if (lu_lines_open(&lines, &file, 1, ITEM_LINE_MAX, err) < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc > 0 && lu_slab_next(&slab, &line)) {
			struct lu_bench_item item = { .file = path, .line = slab.line };
			struct lu_err why;

			if (!lu_doc_blank_line(line) && read_item(d, &r, line, item, &why) < 0)
				rc = lu_err_set(err, "%s:%" PRIu64 ": %s", path, slab.line,
						why.msg);
		}
		if (rc < 0)
			break;
	}
	if (rc == 0 && d->items.n == before && d->repeated == 0)
		rc = lu_err_set(err, "%s: no item in this file", path);
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&r.arena);
	lu_buf_release(&r.text);
	lu_buf_release(&r.scratch);
	lu_folded_words_release(&r.words);
	return rc;
}

/* --- n-grams ------------------------------------------------------------------------------- */

static uint64_t gram_hash(const void *items, uint32_t i)
{
	return ((const struct lu_decontaminate *)items)->grams.p[i].hash;
}

static bool gram_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_decontaminate *d = items;
	const struct lu_bench_gram *g = &d->grams.p[i];
	const struct lu_gram_key *k = key;

	return g->words == k->words &&
			lu_str_eq(lu_folded_run(&d->words, g->at, g->words), k->text);
}

uint32_t lu_gram_find(
		const struct lu_decontaminate *d, uint64_t hash, const struct lu_gram_key *key)
{
	return lu_map_find(&d->index, hash, d, gram_is, key);
}

/* Count an n-gram of an item. */
static int add_gram(struct lu_decontaminate *d, uint64_t hash, uint32_t item, size_t at,
		struct lu_err *err)
{
	uint32_t n = d->items.p[item].gram, i;
	struct lu_gram_key key = { lu_folded_run(&d->words, at, n), n };
	struct lu_bench_gram *g;

	if (d->uses.n >= UINT32_MAX)
		return lu_err_set(err, "more than 2^32 words of items: use fewer benchmarks a run");
	i = lu_gram_find(d, hash, &key);
	if (i == LU_MAP_NONE) {
		struct lu_bench_gram new = {
			.hash = hash, .at = at, .words = n, .last = LU_MAP_NONE
		};

		if (!lu_map_reserve(&d->index, d, gram_hash) || !lu_vec_push(&d->grams, new))
			return lu_err_nomem(err);
		i = lu_map_add(&d->index, hash);
	}
	g = &d->grams.p[i];
	g->items += g->last != item;
	g->last = item;
	return lu_vec_push(&d->uses,
			       (struct lu_bench_use){
					       i, item, (uint32_t)(at - d->items.p[item].at) })
			? 0
			: lu_err_nomem(err);
}

static int cut_item(struct lu_decontaminate *d, uint32_t i, struct lu_err *err)
{
	const struct lu_bench_item *item = &d->items.p[i];
	struct lu_gram_window w = lu_gram_window(item->gram);
	size_t n = item->gram, words = item->words, first = item->at;

	for (size_t k = 0; n && k < words; k++) {
		uint64_t leaves = k < n ? 0 : lu_gram_word(&d->words, first + k - n);

		lu_gram_roll(&w, lu_gram_word(&d->words, first + k), leaves);
		if (k + 1 >= n &&
				add_gram(d, lu_gram_hash(w.sum, n), i, first + k + 1 - n, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_common(const struct lu_decontaminate *d, const struct lu_bench_use *u)
{
	return d->grams.p[u->gram].items > LU_COMMON_ITEMS;
}

/* Keep the uses that count. Those of one item are in sequence, by word. */
static void drop_common(struct lu_decontaminate *d)
{
	struct lu_bench_use *p = d->uses.p;
	size_t kept = 0;

	for (size_t from = 0, to; from < d->uses.n; from = to) {
		struct lu_bench_item *item = &d->items.p[p[from].item];
		bool all = true;
		uint32_t end = 0;

		for (to = from; to < d->uses.n && p[to].item == p[from].item; to++)
			all = all && is_common(d, &p[to]);
		for (size_t i = from; i < to; i++) {
			uint32_t start = p[i].word;

			if (!all && is_common(d, &p[i]))
				continue;
			item->span += item->gram - (start < end ? end - start : 0);
			end = start + item->gram;
			p[kept++] = p[i];
		}
	}
	d->uses.n = kept;
}

static int by_gram(const void *a, const void *b)
{
	const struct lu_bench_use *x = a, *y = b;

	if (x->gram != y->gram)
		return x->gram < y->gram ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

int lu_decontaminate_ready(struct lu_decontaminate *d, struct lu_err *err)
{
	uint64_t bits = FILTER_BITS_MIN;

	d->length[0] = false;
	for (uint32_t i = 0; i < d->items.n; i++) {
		if (cut_item(d, i, err) < 0)
			return -1;
	}
	lu_map_release(&d->texts);
	drop_common(d);
	if (d->uses.n)
		qsort(d->uses.p, d->uses.n, sizeof(*d->uses.p), by_gram);
	for (uint32_t i = 0; i < d->uses.n; i++) {
		struct lu_bench_gram *g = &d->grams.p[d->uses.p[i].gram];

		if (g->uses++ == 0)
			g->first = i;
	}
	while (bits < d->grams.n * FILTER_BITS_PER_GRAM)
		bits *= 2;
	d->filter_bits = bits;
	d->filter = calloc((size_t)(bits / 64), sizeof(*d->filter));
	if (!d->filter)
		return lu_err_nomem(err);
	for (size_t i = 0; i < d->grams.n; i++) {
		uint64_t bit = d->grams.p[i].hash >> 20 & (bits - 1);

		d->filter[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	return 0;
}
