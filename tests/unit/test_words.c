/* The table of words; most of it is tested by the counts of a corpus, in test_counts.c. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/bpetrain/words.h"

struct tagged {
	uint64_t key;
	unsigned number;
};

static int by_key(const void *x, const void *y)
{
	const struct tagged *a = x, *b = y;

	return a->key < b->key ? -1 : a->key > b->key;
}

static struct lu_str numbered(unsigned i, char text[64])
{
	return (struct lu_str){ text, (size_t)snprintf(text, 64, "a longer word, %06u", i) };
}

/* Long words of one length are distinct although a small table has the same slot for them and the
 * slots hold the same 16 bits of the hash. */
static void equal_slots_distinct_words(void **state)
{
	enum { N = 60000 };
	struct tagged *w = malloc(N * sizeof(*w));
	unsigned pairs = 0;
	char text[64];
	struct lu_err err;

	(void)state;
	assert_non_null(w);
	for (unsigned i = 0; i < N; i++) {
		uint64_t h = lu_word_hash(numbered(i, text));

		w[i] = (struct tagged){ (h >> 53) << 16 | (h & 0xffff), i };
	}
	qsort(w, N, sizeof(*w), by_key);
	for (unsigned i = 1; i < N; i++) {
		struct lu_words t = { 0 };

		if (w[i].key != w[i - 1].key)
			continue;
		pairs++;
		for (unsigned k = 0; k < 2; k++)
			assert_int_equal(lu_words_add(&t, numbered(w[i - k].number, text), 1, &err),
					0);
		assert_int_equal(t.n, 2);
		lu_words_release(&t);
	}
	assert_true(pairs > 0);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_slots_distinct_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
