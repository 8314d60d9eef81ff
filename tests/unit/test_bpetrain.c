/* Training against a plain implementation of Hugging Face's BpeTrainer: words as arrays, a linear
 * search for the largest entry of the queue. The words are small and random, with special tokens
 * that merges spell again, where the rules are odd. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/bpetrain/bpetrain.h"

enum { WORDS = 40, CHARS = 24, IDS = 96, MERGES = 400, ENTRIES = 4000, TEXT = 32, ROUNDS = 1000 };

struct entry {
	int64_t key;
	unsigned a, b;
	uint64_t words; /* as bits */
};

/* The state of the plain implementation. */
struct plain {
	char piece[IDS][TEXT];
	unsigned pieces, started;
	unsigned word[WORDS][CHARS], len[WORDS];
	int64_t freq[WORDS];
	unsigned words;
	int64_t count[IDS][IDS];
	uint64_t fresh[IDS][IDS]; /* words of pairs to queue */
	struct entry entry[ENTRIES];
	unsigned entries;
	unsigned merge[MERGES][2];
	unsigned merges;
	bool known[IDS][IDS];
	unsigned requeued; /* pairs queued twice */
};

static unsigned find(struct plain *k, const char *s)
{
	unsigned i = 0;

	while (i < k->pieces && strcmp(k->piece[i], s) != 0)
		i++;
	return i;
}

/* Id of a piece, which is added if needed. */
static unsigned intern(struct plain *k, const char *s)
{
	unsigned i = find(k, s);

	if (i == k->pieces) {
		assert_true(i < IDS && strlen(s) < TEXT);
		memcpy(k->piece[k->pieces++], s, strlen(s) + 1);
	}
	return i;
}

static void change(struct plain *k, unsigned w, unsigned a, unsigned b, int by)
{
	k->count[a][b] += by * k->freq[w];
	if (by > 0)
		k->fresh[a][b] |= UINT64_C(1) << w;
}

static void queue_fresh(struct plain *k)
{
	for (unsigned a = 0; a < k->pieces; a++) {
		for (unsigned b = 0; b < k->pieces; b++) {
			if (k->fresh[a][b] && k->count[a][b] > 0) {
				assert_true(k->entries < ENTRIES);
				k->requeued += k->known[a][b];
				k->known[a][b] = true;
				k->entry[k->entries++] = (struct entry){ k->count[a][b], a, b,
					k->fresh[a][b] };
			}
			k->fresh[a][b] = 0;
		}
	}
}

static void merge_word(
		struct plain *k, unsigned w, unsigned a, unsigned b, unsigned id, size_t most)
{
	unsigned *s = k->word[w];

	for (unsigned i = 0; i + 1 < k->len[w]; i++) {
		size_t n = strlen(k->piece[id]);

		if (s[i] != a || s[i + 1] != b)
			continue;
		if (i > 0) {
			change(k, w, s[i - 1], a, -1);
			if (!most || strlen(k->piece[s[i - 1]]) + n < most)
				change(k, w, s[i - 1], id, 1);
		}
		s[i] = id;
		memmove(s + i + 1, s + i + 2, (k->len[w] - i - 2) * sizeof(*s));
		k->len[w]--;
		if (i + 1 < k->len[w]) {
			change(k, w, b, s[i + 1], -1);
			if (!most || strlen(k->piece[s[i + 1]]) + n < most)
				change(k, w, id, s[i + 1], 1);
		}
	}
}

static bool above(const struct entry *x, const struct entry *y)
{
	if (x->key != y->key)
		return x->key > y->key;
	return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void plain_train(struct plain *k, unsigned vocab, int64_t least, size_t most)
{
	for (unsigned w = 0; w < k->words; w++) {
		for (unsigned i = 0; i + 1 < k->len[w]; i++)
			change(k, w, k->word[w][i], k->word[w][i + 1], 1);
	}
	queue_fresh(k);
	while (k->pieces < vocab && k->entries) {
		unsigned top = 0, id;
		struct entry e;
		char text[2 * TEXT];

		for (unsigned i = 1; i < k->entries; i++) {
			if (above(&k->entry[i], &k->entry[top]))
				top = i;
		}
		e = k->entry[top];
		if (e.key != k->count[e.a][e.b]) {
			k->entry[top].key = k->count[e.a][e.b];
			continue;
		}
		if (e.key < 1 || e.key < least)
			break;
		k->entry[top] = k->entry[--k->entries];
		snprintf(text, sizeof(text), "%s%s", k->piece[e.a], k->piece[e.b]);
		id = intern(k, text);
		for (unsigned i = 0; i < k->merges; i++) {
			if (k->merge[i][0] == e.a && k->merge[i][1] == e.b) {
				memmove(k->merge[i], k->merge[i + 1],
						(k->merges - i - 1) * sizeof(k->merge[0]));
				k->merges--;
			}
		}
		assert_true(k->merges < MERGES);
		k->merge[k->merges][0] = e.a;
		k->merge[k->merges++][1] = e.b;
		for (unsigned w = 0; w < k->words; w++) {
			if (e.words >> w & 1)
				merge_word(k, w, e.a, e.b, id, most);
		}
		queue_fresh(k);
	}
}

struct round {
	unsigned seeds;
	char seed[8][8];
	char word[WORDS][CHARS];
	uint64_t freq[WORDS];
	unsigned words;
};

static void make_round(struct round *r, uint64_t *seed)
{
	unsigned letters = 2 + (unsigned)(unit_random(seed) % 3);

	r->words = 1 + (unsigned)(unit_random(seed) % WORDS);
	for (unsigned w = 0; w < r->words; w++) {
		unsigned n = 1 + (unsigned)(unit_random(seed) % (CHARS - 1));

		for (unsigned i = 0; i < n; i++)
			r->word[w][i] = (char)('a' + unit_random(seed) % letters);
		r->word[w][n] = '\0';
		r->freq[w] = 1 + unit_random(seed) % 5;
		/* Drop duplicates. */
		for (unsigned i = 0; i < w; i++) {
			if (strcmp(r->word[i], r->word[w]) == 0) {
				w--;
				r->words--;
				break;
			}
		}
	}
	r->seeds = (unsigned)(unit_random(seed) % 8);
	for (unsigned i = 0; i < r->seeds; i++) {
		unsigned n = 1 + (unsigned)(unit_random(seed) % 5);

		for (unsigned c = 0; c < n; c++)
			r->seed[i][c] = (char)('a' + unit_random(seed) % letters);
		r->seed[i][n] = '\0';
	}
}

/* Start with the vocabulary before merging: seeds, then letters in order. */
static void plain_init(struct plain *k, const struct round *r)
{
	memset(k, 0, sizeof(*k));
	for (unsigned i = 0; i < r->seeds; i++)
		intern(k, r->seed[i]);
	for (char c = 'a'; c < 'f'; c++) {
		const char s[2] = { c, '\0' };
		bool used = false;

		for (unsigned w = 0; w < r->words; w++)
			used |= strchr(r->word[w], c) != NULL;
		if (used)
			intern(k, s);
	}
	k->started = k->pieces;
	k->words = r->words;
	for (unsigned w = 0; w < r->words; w++) {
		k->freq[w] = (int64_t)r->freq[w];
		for (const char *p = r->word[w]; *p; p++) {
			const char s[2] = { *p, '\0' };

			k->word[w][k->len[w]++] = find(k, s);
		}
	}
}

static void train(const struct round *r, struct lu_bpe_train *set, struct lu_bpe_trained *out)
{
	struct lu_word_counts count = { .threads = 1 };
	struct lu_word_counts_thread t;
	struct lu_str seed[8];
	struct lu_err err;

	lu_word_counts_join(&count, &t);
	for (unsigned w = 0; w < r->words; w++)
		assert_int_equal(
				lu_words_add(&t.words, lu_str_of(r->word[w]), r->freq[w], &err), 0);
	assert_int_equal(lu_word_counts_take(&count, &t, &err), 0);
	for (unsigned i = 0; i < r->seeds; i++)
		seed[i] = lu_str_of(r->seed[i]);
	set->seed = seed;
	set->seeds = r->seeds;
	if (lu_bpe_train(set, &count, out, &err) < 0)
		fail_msg("%s", err.msg);
	lu_word_counts_release(&count);
}

static void compare(struct plain *k, const struct lu_bpe_trained *out, unsigned number)
{
	if (out->pieces != k->pieces || out->merges != k->merges)
		fail_msg("round %u: %u pieces, %u merges, not %u, %u", number, out->pieces,
				out->merges, k->pieces, k->merges);
	for (unsigned i = 0; i < k->pieces; i++) {
		if (!lu_str_is(out->piece[i], k->piece[i]))
			fail_msg("round %u: piece %u is '%.*s', not '%s'", number, i,
					(int)out->piece[i].n, out->piece[i].p, k->piece[i]);
	}
	for (unsigned i = 0; i < k->merges; i++) {
		if (out->merge[i].left != k->merge[i][0] || out->merge[i].right != k->merge[i][1])
			fail_msg("round %u: merge %u is %u %u, not %u %u", number, i,
					out->merge[i].left, out->merge[i].right, k->merge[i][0],
					k->merge[i][1]);
	}
}

static void like_the_plain_implementation(void **state)
{
	struct plain *k = malloc(sizeof(*k));
	struct round *r = malloc(sizeof(*r));
	uint64_t seed = 2024;
	unsigned reused = 0;

	(void)state;
	assert_true(k && r);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct lu_bpe_train set = { 0 };
		struct lu_bpe_trained out;

		make_round(r, &seed);
		plain_init(k, r);
		set.vocab_size = k->pieces + (uint32_t)(unit_random(&seed) % 60);
		set.min_frequency = unit_random(&seed) % 5;
		set.max_chars = (uint32_t)(unit_random(&seed) % 3 ? 0 : 1 + unit_random(&seed) % 8);
		plain_train(k, set.vocab_size, (int64_t)set.min_frequency, set.max_chars);
		reused += k->merges > k->pieces - k->started;
		/* See "Uniqueness" in learn.h. */
		assert_int_equal(k->requeued, 0);
		train(r, &set, &out);
		compare(k, &out, i);
		lu_bpe_trained_release(&out);
	}
	/* Merges spelled special tokens. */
	assert_true(reused > ROUNDS / 20);
	free(k);
	free(r);
}

/* One word of 2^20 equal letters: each merge halves it, and the last leaves two symbols, whose only
 * pair occurs less than min_frequency times. */
static void one_letter(void **state)
{
	struct lu_word_counts count = { .threads = 1 };
	struct lu_word_counts_thread t;
	struct lu_bpe_train set = { .vocab_size = 100, .min_frequency = 2 };
	struct lu_bpe_trained out;
	const size_t n = 1 << 20;
	char *text = malloc(n);
	struct lu_err err;

	(void)state;
	assert_non_null(text);
	memset(text, '^', n);
	lu_word_counts_join(&count, &t);
	assert_int_equal(lu_words_add(&t.words, (struct lu_str){ text, n }, 1, &err), 0);
	assert_int_equal(lu_word_counts_take(&count, &t, &err), 0);
	assert_int_equal(lu_bpe_train(&set, &count, &out, &err), 0);
	assert_int_equal(out.pieces, 20);
	assert_int_equal(out.merges, 19);
	for (uint32_t i = 0; i < out.pieces; i++) {
		assert_int_equal(out.piece[i].n, (size_t)1 << i);
		assert_memory_equal(out.piece[i].p, text, out.piece[i].n);
	}
	lu_bpe_trained_release(&out);
	lu_word_counts_release(&count);
	free(text);
}

/* Count from 2^30 take two boundary slots, and from 2^60 three. */
static void large_counts(void **state)
{
	static const uint64_t counts[] = { 1, (1 << 30) - 1, 1 << 30, (UINT64_C(1) << 60) - 54321,
		UINT64_C(1) << 60 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t n = counts[i / 2];
		struct lu_bpe_train set = { .vocab_size = 8, .min_frequency = n + i % 2 };
		struct lu_word_counts count = { .threads = 1 };
		struct lu_word_counts_thread t;
		struct lu_bpe_trained out;

		lu_word_counts_join(&count, &t);
		assert_int_equal(lu_words_add(&t.words, LU_STR("ab"), n, &err), 0);
		assert_int_equal(lu_word_counts_take(&count, &t, &err), 0);
		assert_int_equal(lu_bpe_train(&set, &count, &out, &err), 0);
		assert_int_equal(out.chars, 2 * n);
		assert_int_equal(out.merges, 1 - i % 2);
		lu_bpe_trained_release(&out);
		lu_word_counts_release(&count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_plain_implementation),
		cmocka_unit_test(one_letter),
		cmocka_unit_test(large_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
