/* Rows of documents, masks, goldfish, sections, pairs: against what a reader of the definitions in
 * order/rows.h would write down, with all documents in memory. */
#include "tests/trainer/tiny.h"

#include <inttypes.h>
#include <unistd.h>

#include "libcommon/base/rng.h"
#include "libcommon/order/goldfish.h"
#include "libcommon/shard/writer.h"
#include "trainer/data/scoring.h"

#define MOST 64 /* tokens of a document, and of a row */
#define VOCAB 97

/* --- documents ---------------------------------------------------------------------------- */

struct document {
	uint32_t id[MOST];
	uint8_t mask[MOST];
	size_t n;
};

struct set {
	struct document doc[300];
	size_t n;
	bool masked;
};

static struct set *set_new(size_t n, bool masked, uint64_t seed)
{
	struct set *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->n = n;
	s->masked = masked;
	for (size_t i = 0; i < n; i++) {
		struct document *d = &s->doc[i];

		/* Lengths of 0 and 1 too, but not in masked shards: each has a target there. */
		d->n = (size_t)lu_rand_below(seed, 1, i, i % 11 == 0 ? MOST : 14);
		if (masked && d->n < 2)
			d->n = 2;
		for (size_t k = 0; k < d->n; k++) {
			d->id[k] = (uint32_t)lu_rand_below(seed, 2 + i, k, VOCAB);
			d->mask[k] = !masked || k == 1 || lu_rand_below(seed, 1000 + i, k, 2);
		}
	}
	return s;
}

static void set_write(const struct set *s, const char *prefix, const char *kind)
{
	const struct lu_shard_format f = { .vocab = VOCAB,
		.max_tokens = 500,
		.kind = kind,
		.options = LU_STR("{}"),
		.tmpdir = "/tmp" };
	struct lu_shard_writer *w;
	struct lu_err err;

	ok(lu_shard_writer_open(&w, prefix, &f, &err), &err);
	for (size_t i = 0; i < s->n; i++) {
		const struct document *d = &s->doc[i];
		const struct lu_ledger_doc doc = { .tokens = d->n,
			.id = LU_STR("null"),
			.source = LU_STR("null"),
			.license = LU_STR("null"),
			.lang = LU_STR("null") };
		char packed[2 * MOST];

		lu_shard_pack(2, d->id, d->n, packed);
		if (kind)
			ok(lu_shard_writer_add_masked(w, &doc, packed, d->mask, &err), &err);
		else
			ok(lu_shard_writer_add(w, &doc, packed, &err), &err);
	}
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
}

/* --- what a row should be ----------------------------------------------------------------- */

struct row {
	uint32_t ids[MOST], labels[MOST], places[MOST];
	lk_real weight[MOST];
	size_t n;
};

struct want {
	const struct set *s;
	size_t context;
	uint64_t seed, goldfish;
	bool shuffle;
};

/* The definition in goldfish.h, with a quotient in place of a bound. */
static bool swims_off(const uint32_t *x, uint64_t k)
{
	uint64_t f = 0;

	for (int i = 0; i < 13; i++)
		f = f * UINT64_C(0x9e3779b97f4a7c15) + x[i] + 1;
	f = (f ^ f >> 33) * UINT64_C(0xff51afd7ed558ccd);
	f = (f ^ f >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	f ^= f >> 33;
	return (long double)f / 18446744073709551616.0L < 1.0L / (long double)k;
}

static lk_real weight_of(const struct want *w, const struct document *d, size_t k)
{
	if (w->goldfish && k >= 13 && swims_off(d->id + k - 13, w->goldfish))
		return 0;
	return d->mask[k];
}

static void add_document(const struct want *w, const struct document *d, struct row *r)
{
	for (size_t k = 0; k + 1 < d->n && k < w->context; k++) {
		r->ids[r->n] = d->id[k];
		r->labels[r->n] = d->id[k + 1];
		r->places[r->n] = (uint32_t)k;
		r->weight[r->n++] = weight_of(w, d, k + 1);
	}
}

static void check_row(const struct want *w, const struct row *r, const struct lt_micro *got)
{
	for (size_t k = 0; k < w->context; k++) {
		bool used = k < r->n;

		assert_int_equal(got->ids[k], used ? r->ids[k] : 0);
		assert_int_equal(got->labels[k], used ? r->labels[k] : 0);
		assert_int_equal(got->places[k], used ? r->places[k] : k - r->n);
		assert_true(got->weight[k] == (used ? r->weight[k] : 0));
	}
}

/* The rows of an epoch, before they are shuffled; returns how many. */
static size_t document_rows(const struct want *w, struct row *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < w->s->n; i++) {
		if (w->s->doc[i].n >= 2)
			add_document(w, &w->s->doc[i], &rows[n++]);
	}
	return n;
}

static size_t packed_rows(const struct want *w, struct row *rows)
{
	size_t n = 0;

	for (size_t j = 0; j < w->s->n; j++) {
		uint64_t i = w->shuffle ? lu_rand_permute(w->seed, lu_rand_stream("documents", 0),
							  j, w->s->n)
					: j;
		const struct document *d = &w->s->doc[i];
		size_t labels = d->n < 2 ? 0 : d->n - 1 < w->context ? d->n - 1 : w->context;

		if (labels == 0)
			continue;
		if (n == 0 || rows[n - 1].n + labels > w->context)
			n++;
		add_document(w, d, &rows[n - 1]);
	}
	return n;
}

static uint64_t shuffled(const struct want *w, uint64_t i, uint64_t n)
{
	return w->shuffle ? lu_rand_permute(w->seed, lu_rand_stream("samples", i / n), i % n, n)
			  : i % n;
}

static struct lt_micro sequence_new(size_t context)
{
	const struct lt_micro_want all = { .places = true, .weight = true, .reference = true };
	struct lt_micro m;
	struct lu_err err;

	ok(lt_micro_open(&m, &all, context, 1, &err), &err);
	return m;
}

/* All samples of two epochs and a bit. */
static void compare(const struct want *w, const char *prefix, enum lu_rows_mode mode)
{
	struct row *rows = calloc(w->s->n + 1, sizeof(*rows));
	struct lt_micro got = sequence_new(w->context);
	uint64_t targets = 0, counted = 0;
	struct lt_corpus *c;
	struct lu_err err;
	size_t n;

	assert_non_null(rows);
	n = mode == LU_ROWS_PACKED ? packed_rows(w, rows) : document_rows(w, rows);
	assert_true(n > 10);
	ok(lt_corpus_open(&c, prefix, w->context, w->seed,
			   lt_corpus_mode(mode) | (w->shuffle ? LT_CORPUS_SHUFFLE : 0), &err),
			&err);
	if (w->goldfish)
		lt_corpus_goldfish(c, w->goldfish);
	assert_int_equal(lt_corpus_samples(c), n);
	assert_true(lt_corpus_weighted(c));
	for (uint64_t i = 0; i < 2 * n + 3; i++) {
		const struct row *r = &rows[shuffled(w, i, n)];

		ok(lt_corpus_sample(c, i, &got, &err), &err);
		check_row(w, r, &got);
		assert_int_equal(lu_rows_targets(lt_corpus_rows(c), i), r->n);
		targets += i < n ? r->n : 0;
	}
	counted = lu_rows_section(lt_corpus_rows(c), 0)->account.targets;
	assert_int_equal(targets, counted);
	/* Windows are the rows as they are. */
	assert_int_equal(lt_corpus_windows(c), n);
	for (uint64_t i = 0; i < n; i++) {
		ok(lt_corpus_read_window(c, i, &got, &err), &err);
		check_row(w, &rows[i], &got);
	}
	lt_corpus_close(c);
	lt_micro_release(&got);
	free(rows);
}

static void test_documents(void **state)
{
	static const size_t contexts[] = { 1, 2, 9, 13, 40, MOST - 1 };
	char *dir = scratch_new(), *plain = path_in(dir, "plain"), *chat = path_in(dir, "chat");
	struct set *text = set_new(300, false, 1), *masked = set_new(120, true, 2);

	(void)state;
	set_write(text, plain, NULL);
	set_write(masked, chat, "chat");
	for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
		for (int how = 0; how < 4; how++) {
			struct want w = { .context = contexts[i],
				.seed = i,
				.shuffle = how & 1,
				.goldfish = how & 2 ? 2 + i : 0 };

			w.s = text;
			compare(&w, plain, LU_ROWS_DOCUMENT);
			compare(&w, plain, LU_ROWS_PACKED);
			w.s = masked;
			compare(&w, chat, LU_ROWS_DOCUMENT);
			compare(&w, chat, LU_ROWS_PACKED);
		}
	}
	free(text);
	free(masked);
	free(plain);
	free(chat);
	scratch_remove(dir);
}

/* --- the stream --------------------------------------------------------------------------- */

/* Masks and goldfish of a stream over two shards: those of the label's own document, wherever the
 * stream is cut. */
static void test_stream(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"), *list;
	struct set *set[] = { set_new(120, true, 3), set_new(300, false, 4) };
	static const struct document *of[6000];
	static size_t at[6000];
	size_t n = 0, zeros = 0;

	(void)state;
	set_write(set[0], a, "chat");
	set_write(set[1], b, NULL);
	assert_true(asprintf(&list, "%s %s", a, b) > 0);
	for (size_t s = 0; s < 2; s++) {
		for (size_t i = 0; i < set[s]->n; i++) {
			for (size_t k = 0; k < set[s]->doc[i].n; k++) {
				of[n] = &set[s]->doc[i];
				at[n++] = k;
			}
		}
	}
	for (size_t context = 1; context < 50; context += 6) {
		const struct want w = { .context = context, .goldfish = 3 };
		struct lt_micro got = sequence_new(context);
		struct lt_corpus *c;
		struct lu_err err;

		ok(lt_corpus_open(&c, list, context, 0, 0, &err), &err);
		assert_true(lt_corpus_weighted(c));
		lt_corpus_goldfish(c, 3);
		assert_int_equal(lt_corpus_samples(c), (n - 1) / context);
		for (uint64_t i = 0; i < lt_corpus_samples(c); i++) {
			ok(lt_corpus_sample(c, i, &got, &err), &err);
			for (size_t k = 0; k < context; k++) {
				size_t t = i * context + k;

				assert_int_equal(got.ids[k], of[t]->id[at[t]]);
				assert_int_equal(got.labels[k], of[t + 1]->id[at[t + 1]]);
				assert_true(got.weight[k] == weight_of(&w, of[t + 1], at[t + 1]));
				assert_int_equal(got.places[k], at[t] < k ? at[t] : k);
				zeros += got.weight[k] == 0;
			}
		}
		lt_corpus_close(c);
		lt_micro_release(&got);
	}
	assert_true(zeros > 1000);
	free(set[0]);
	free(set[1]);
	free(list);
	free(a);
	free(b);
	scratch_remove(dir);
}

/* What is left out must not change from one version to the next; and it is one of K. */
static void test_goldfish(void **state)
{
	uint8_t starts[4000] = { 1 }, mask[4000];
	static const size_t first[] = { 15, 24, 25, 29, 38, 40, 46, 52, 55, 58, 63, 64 };
	uint32_t id[4000];
	size_t out = 0, seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 4000; i++)
		id[i] = i * i % 65024;
	memset(mask, 1, sizeof(mask));
	lu_goldfish(id, starts, 4000, 4, mask);
	for (size_t i = 0; i < 4000; i++) {
		if (mask[i])
			continue;
		if (seen < sizeof(first) / sizeof(first[0]))
			assert_int_equal(i, first[seen++]);
		out++;
	}
	/* 1000 expected, with a standard deviation of 27. */
	assert_in_range(out, 890, 1110);
}

/* --- pairs -------------------------------------------------------------------------------- */

static void test_pairs(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"), *list;
	struct set *one = set_new(60, true, 5), *two = set_new(40, true, 6);
	struct lt_micro got = sequence_new(20);
	struct want w = { .context = 20, .seed = 7, .shuffle = true };
	double reference[100];
	size_t moved = 0;
	struct lt_corpus *c;
	struct lu_err err;

	(void)state;
	set_write(one, a, "preference");
	set_write(two, b, "preference");
	assert_true(asprintf(&list, "%s %s", a, b) > 0);
	for (size_t i = 0; i < 100; i++)
		reference[i] = -(double)i;
	ok(lt_corpus_open(&c, list, 20, 7, LT_CORPUS_DOCUMENT | LT_CORPUS_SHUFFLE, &err), &err);
	lt_corpus_reference(c, reference);
	assert_int_equal(lt_corpus_samples(c), 100);
	for (uint64_t i = 0; i < 250; i++) {
		uint64_t d = 2 * shuffled(&w, i / 2, 50) + i % 2;
		struct row r = { .n = 0 };

		add_document(&w, d < 60 ? &one->doc[d] : &two->doc[d - 60], &r);
		ok(lt_corpus_sample(c, i, &got, &err), &err);
		check_row(&w, &r, &got);
		assert_true(got.reference[0] == -(double)d);
		moved += d != i % 100;
	}
	assert_true(moved > 200);
	lt_corpus_close(c);
	assert_int_equal(lt_corpus_open(&c, list, 20, 7, LT_CORPUS_PACKED, &err), -1);
	assert_non_null(strstr(
			err.msg, "holds preferences, which are read with data.rows = document"));
	assert_int_equal(lt_corpus_open(&c, list, 20, 7, 0, &err), -1);
	set_write(one, b, "chat");
	assert_int_equal(lt_corpus_open(&c, list, 20, 7, LT_CORPUS_DOCUMENT, &err), -1);
	assert_non_null(strstr(err.msg, "they are not read together"));
	lt_micro_release(&got);
	free(one);
	free(two);
	free(list);
	free(a);
	free(b);
	scratch_remove(dir);
}

/* --- sections ----------------------------------------------------------------------------- */

/* From each switch on the next list is read as if it stood alone. */
static void test_sections(void **state)
{
	static const enum lu_rows_mode modes[] = { LU_ROWS_STREAM, LU_ROWS_PACKED,
		LU_ROWS_DOCUMENT };
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"), *list;
	struct set *one = set_new(200, false, 8), *two = set_new(100, true, 9);
	struct lt_micro got = sequence_new(20), want = sequence_new(20);

	(void)state;
	set_write(one, a, NULL);
	set_write(two, b, "chat");
	assert_true(asprintf(&list, "%s %s @ 150\t%s @ 333 %s", a, b, b, a) > 0);
	for (size_t m = 0; m < 3; m++) {
		unsigned flags = lt_corpus_mode(modes[m]) | LT_CORPUS_SHUFFLE;
		static const uint64_t first[] = { 0, 150, 333 };
		struct lt_corpus *all, *part[3];
		struct lu_err err;
		char *both;

		assert_true(asprintf(&both, "%s %s", a, b) > 0);
		ok(lt_corpus_open(&all, list, 20, 3, flags, &err), &err);
		ok(lt_corpus_open(&part[0], both, 20, 3, flags, &err), &err);
		ok(lt_corpus_open(&part[1], b, 20, 3, flags, &err), &err);
		ok(lt_corpus_open(&part[2], a, 20, 3, flags, &err), &err);
		assert_int_equal(lt_corpus_parts(all), 4);
		assert_string_equal(lt_corpus_part(all, 3).name, a);
		for (uint64_t i = 0; i < 500; i++) {
			size_t k = i < 150 ? 0 : i < 333 ? 1 : 2;

			ok(lt_corpus_sample(all, i, &got, &err), &err);
			ok(lt_corpus_sample(part[k], i - first[k], &want, &err), &err);
			assert_memory_equal(got.ids, want.ids, 20 * sizeof(*got.ids));
			assert_memory_equal(got.weight, want.weight, 20 * sizeof(*got.weight));
		}
		lt_corpus_close(all);
		for (size_t k = 0; k < 3; k++)
			lt_corpus_close(part[k]);
		free(both);
	}
	lt_micro_release(&got);
	lt_micro_release(&want);
	free(one);
	free(two);
	free(list);
	free(a);
	free(b);
	scratch_remove(dir);
}

static void test_switches_refused(void **state)
{
	static const struct {
		const char *names, *says;
	} bad[] = {
		{ "@ 10 a", "there is no shard before '@'" },
		{ "a @ 10", "there is no shard behind the last '@'" },
		{ "a @ 10 @ 20 a", "there is no shard" },
		{ "a @ ten a", "'@' is followed by 'ten'" },
		{ "a @ a", "'@' is followed by 'a'" },
		{ "a @", "'@' is followed by ''" },
		{ "a @ 0 a", "'@ 0' does not come after sample 0" },
		{ "a @ 20 a @ 20 a", "'@ 20' does not come after sample 20" },
		{ "a @ 18446744073709551616 a", "'@' is followed by '18446744073709551616'" },
		{ "a @ -1 a", "'@' is followed by '-1'" },
		{ "a a @ 3 a", "given twice" },
	};
	char *dir = scratch_new(), *a = path_in(dir, "a");
	char *before = getcwd(NULL, 0);
	struct lu_err err;
	struct lt_corpus *c;

	(void)state;
	(void)make_shard(a, 30, 50);
	assert_int_equal(chdir(dir), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lt_corpus_open(&c, bad[i].names, 5, 0, 0, &err), -1);
		if (!strstr(err.msg, bad[i].says))
			fail_msg("%s: %s", bad[i].names, err.msg);
	}
	assert_int_equal(chdir(before), 0);
	free(before);
	free(a);
	scratch_remove(dir);
}

/* --- scoring ------------------------------------------------------------------------------ */

struct scored {
	const struct set *s;
	uint64_t targets;
	uint64_t next;
};

static int by_label(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	*here = true;
	for (size_t i = 0; i < sequences * 20; i++)
		log_p[i] = -(lk_real)(b->labels[i] + 1);
	return 0;
}

/* Only targets come, with their places in the stream. */
static int check_targets(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err)
{
	struct scored *s = ctx;
	uint64_t at = 0;
	size_t d = 0;

	(void)err;
	assert_true(offset >= s->next);
	s->next = offset + n;
	for (size_t i = 0; i < n; i++) {
		while (offset + i >= at + s->s->doc[d].n)
			at += s->s->doc[d++].n;
		assert_int_equal(label[i], s->s->doc[d].id[offset + i - at]);
		assert_true(loss[i] == (lk_real)(label[i] + 1));
		assert_int_equal(s->s->doc[d].mask[offset + i - at], 1);
	}
	s->targets += n;
	return 0;
}

static void test_scoring(void **state)
{
	static const enum lu_rows_mode modes[] = { LU_ROWS_STREAM, LU_ROWS_PACKED,
		LU_ROWS_DOCUMENT };
	char *dir = scratch_new(), *a = path_in(dir, "a");
	struct set *s = set_new(120, true, 10);
	const struct lt_scorer scorer = { .batch = 3, .context = 20, .score = by_label };

	(void)state;
	set_write(s, a, "chat");
	for (size_t m = 0; m < 3; m++) {
		struct scored seen = { .s = s };
		uint64_t targets = 0;
		double loss = 0;
		struct lt_total total;
		struct lt_corpus *c;
		struct lu_err err;

		/* The first token of the stream is no label; rows have the first 20 of each. */
		for (size_t d = 0; d < s->n; d++) {
			for (size_t k = 0; k < s->doc[d].n; k++) {
				bool label = m == 0 ? d + k > 0 : k > 0 && k <= 20;

				if (label && s->doc[d].mask[k]) {
					targets++;
					loss += s->doc[d].id[k] + 1;
				}
			}
		}
		ok(lt_corpus_open(&c, a, 20, 0, lt_corpus_mode(modes[m]), &err), &err);
		ok(lt_score(&scorer, c, 0, check_targets, &seen, &err), &err);
		assert_int_equal(seen.targets, targets);
		ok(lt_score_total(&scorer, c, 0, NULL, &total, &err), &err);
		assert_int_equal(total.tokens, targets);
		assert_true(total.loss == loss);
		lt_corpus_close(c);
	}
	free(s);
	free(a);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_goldfish),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_switches_refused),
		cmocka_unit_test(test_scoring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
