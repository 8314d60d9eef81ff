/* Word counts of a corpus: the same for any number of threads, any order of the words and any memory
 * limit; words of all lengths and one beyond the limit; weights by language; failing files. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libcommon/bpetrain/counts.h"

enum { DISTINCT = 6000, ADDS = 60000, PARTS_MAX = 5 };

/* Word i, of 1 to 40 bytes. */
static struct lu_str word(unsigned i, char text[64])
{
	uint64_t seed = i;
	size_t n = 1 + i % 40;

	for (size_t k = 0; k < n; k++)
		text[k] = (char)(unit_random(&seed) % (i % 3 ? 26 : 256));
	/* Words of two or more bytes end with their number, so they are distinct. */
	for (size_t k = 0; k < 2 && k < n; k++)
		text[n - 1 - k] = (char)(i >> 8 * k);
	return (struct lu_str){ text, n };
}

/* The words of a part as lines of length, word and count. */
static int put_word(void *ctx, void *local, struct lu_str w, uint64_t count, struct lu_err *err)
{
	struct lu_buf *b = local;

	(void)ctx;
	lu_buf_u64(b, w.n);
	lu_buf_putc(b, ' ');
	lu_buf_str(b, w);
	lu_buf_putc(b, ' ');
	lu_buf_u64(b, count);
	lu_buf_putc(b, '\n');
	return lu_buf_check(b, err);
}

static int append_part(void *ctx, void *local, struct lu_err *err)
{
	lu_buf_str(ctx, lu_buf_slice(local));
	lu_buf_release(local);
	*(struct lu_buf *)local = (struct lu_buf){ 0 };
	return lu_buf_check(ctx, err);
}

static void free_local(void *local)
{
	lu_buf_release(local);
}

static int each(struct lu_word_counts *c, struct lu_buf *out, struct lu_err *err)
{
	struct lu_word_counts_visitor r = { .ctx = out,
		.local_size = sizeof(struct lu_buf),
		.word = put_word,
		.end = append_part,
		.free_local = free_local };

	return lu_word_counts_visit(c, &r, err);
}

/* Count a fixed multiset of words, starting at `from`, in `parts` tables. */
static void count(struct lu_buf *out, unsigned threads, unsigned parts, uint64_t memory,
		unsigned from, uint64_t *runs)
{
	struct lu_word_counts c = { .threads = threads, .memory = memory, .tmpdir = "." };
	struct lu_word_counts_thread t[PARTS_MAX];
	struct lu_err err;
	char text[64];

	for (unsigned i = 0; i < parts; i++)
		lu_word_counts_join(&c, &t[i]);
	for (unsigned k = 0; k < ADDS; k++) {
		uint64_t seed = (k + from) % ADDS;
		struct lu_str w = word((unsigned)(unit_random(&seed) % DISTINCT), text);

		assert_int_equal(lu_words_add(&t[k % parts].words, w, 1 + w.n % 3, &err), 0);
	}
	for (unsigned i = 0; i < parts; i++)
		assert_int_equal(lu_word_counts_take(&c, &t[i], &err), 0);
	*runs = c.runs;
	if (each(&c, out, &err) < 0)
		fail_msg("%s", err.msg);
	lu_word_counts_release(&c);
}

static void result_does_not_depend_on_threads_or_memory(void **state)
{
	struct lu_buf want = { 0 }, got = { 0 };
	uint64_t runs;

	(void)state;
	count(&want, 1, 1, 0, 0, &runs);
	assert_int_equal(runs, 0);
	for (unsigned parts = 1; parts <= PARTS_MAX; parts++) {
		for (int m = 0; m < 3; m++) {
			/* Tables of several sizes: many runs or few. */
			uint64_t memory = (uint64_t)parts * (m ? 300000 * (uint64_t)m : 1);

			lu_buf_clear(&got);
			count(&got, parts, parts, memory, parts * 777, &runs);
			assert_true(runs > 0);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(got.p, want.p, want.n);
		}
		lu_buf_clear(&got);
		count(&got, 3, parts, 0, parts, &runs);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.p, want.p, want.n);
	}
	lu_buf_release(&want);
	lu_buf_release(&got);
}

static void counts_are_right(void **state)
{
	uint64_t *wanted = calloc(DISTINCT, sizeof(*wanted));
	struct lu_buf out = { 0 };
	uint64_t runs, total = 0, sum = 0;
	char text[64];
	size_t lines = 0;

	(void)state;
	assert_non_null(wanted);
	for (unsigned k = 0; k < ADDS; k++) {
		uint64_t seed = k;
		unsigned i = (unsigned)(unit_random(&seed) % DISTINCT);

		wanted[i] += 1 + word(i, text).n % 3;
		total += 1 + word(i, text).n % 3;
	}
	count(&out, 2, 2, 1 << 20, 0, &runs);
	/* Each word once; several numbers have the same word of one byte. */
	for (const char *p = out.p; p < out.p + out.n; lines++) {
		char *at;
		size_t n = strtoul(p, &at, 10);
		uint64_t got, want = 0;

		p = at + 1 + n;
		got = strtoull(p, &at, 10);
		for (unsigned i = (unsigned)n - 1; i < DISTINCT; i += 40) {
			if (memcmp(word(i, text).p, p - n, n) == 0)
				want += wanted[i];
		}
		assert_int_equal(got, want);
		sum += got;
		p = at + 1;
	}
	assert_int_equal(sum, total);
	assert_true(lines > DISTINCT - 200);
	lu_buf_release(&out);
	free(wanted);
}

static void word_larger_than_the_limit(void **state)
{
	struct lu_word_counts c = { .threads = 1, .memory = 1, .tmpdir = "." };
	struct lu_word_counts_thread t;
	struct lu_buf out = { 0 };
	const size_t n = 3000000;
	char *p = malloc(n);
	struct lu_err err;

	(void)state;
	assert_non_null(p);
	memset(p, 'x', n);
	lu_word_counts_join(&c, &t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lu_words_add(&t.words, LU_STR("a"), 1, &err), 0);
		assert_int_equal(lu_words_add(&t.words, (struct lu_str){ p, n }, 2, &err), 0);
		assert_int_equal(lu_words_add(&t.words, (struct lu_str){ p, n - 1 }, 2, &err), 0);
		assert_int_equal(lu_words_add(&t.words, LU_STR(""), 1, &err), 0);
	}
	assert_int_equal(lu_word_counts_take(&c, &t, &err), 0);
	assert_true(c.runs > 0);
	assert_int_equal(each(&c, &out, &err), 0);
	assert_int_equal(c.words, 3);
	assert_int_equal(out.n, sizeof("3000000  4\n2999999  4\n1 a 2\n") - 1 + 2 * n - 1);
	lu_buf_release(&out);
	free(p);
}

/* fr has 30 characters, en 10, the others 20 of 60. */
static int balanced(const char *shares, struct lu_buf *out, struct lu_word_counts *c,
		uint64_t memory, struct lu_err *err)
{
	static const struct {
		const char *lang, *word;
		uint64_t n;
	} text[] = { { "fr", "\xC3\xA9t\xC3\xA9", 6 }, { "fr", "the", 4 }, { "en", "the", 3 },
		{ "en", "a", 1 }, { "de", "a", 20 } };
	struct lu_shares s;
	struct lu_word_counts_thread t;
	int rc;

	*c = (struct lu_word_counts){ .threads = 2, .memory = memory, .tmpdir = ".", .shares = &s };
	if (lu_shares_parse(shares, &s, err) < 0)
		return -1;
	lu_word_counts_join(c, &t);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(lu_word_counts_language(c, &t, lu_str_of(text[i].lang), err), 0);
		assert_int_equal(
				lu_words_add(&t.words, lu_str_of(text[i].word), text[i].n, err), 0);
	}
	assert_int_equal(lu_word_counts_take(c, &t, err), 0);
	rc = each(c, out, err);
	lu_word_counts_release(c);
	return rc;
}

static bool holds(const struct lu_buf *b, const char *line)
{
	return memmem(b->p, b->n, line, strlen(line)) != NULL;
}

/* A program may start with descriptor 0 closed. */
static void temporary_file_has_descriptor_0(void **state)
{
	struct lu_buf want = { 0 }, got = { 0 };
	int saved = dup(0);
	uint64_t runs;

	(void)state;
	count(&want, 1, 1, 0, 0, &runs);
	close(0);
	count(&got, 1, 1, 1, 0, &runs);
	if (saved >= 0) {
		assert_int_equal(dup2(saved, 0), 0);
		close(saved);
	}
	assert_true(runs > 1);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	lu_buf_release(&want);
	lu_buf_release(&got);
}

static void weights_by_language(void **state)
{
	struct lu_buf out = { 0 };
	struct lu_word_counts c;
	struct lu_err err;

	(void)state;
	for (uint64_t memory = 0; memory < 2; memory++) {
		/* Weights 1/2 * 60/30 = 1, 1/4 * 60/10 = 1.5, 1/4 * 60/20 = 0.75. */
		lu_buf_clear(&out);
		assert_int_equal(balanced("fr=50,en=25", &out, &c, memory, &err), 0);
		assert_int_equal(c.words, 3);
		assert_false(c.other_left_out);
		assert_true(holds(&out, "5 \xC3\xA9t\xC3\xA9 6291456\n")); /* 6 * 2^20 */
		assert_true(holds(&out, "3 the 8912896\n"));		   /* (4 + 4.5) * 2^20 */
		assert_true(holds(&out, "1 a 17301504\n"));		   /* (1.5 + 15) * 2^20 */
		/* Weight 0 for the others. */
		lu_buf_clear(&out);
		assert_int_equal(balanced("en=0.125,fr=99.875", &out, &c, memory, &err), 0);
		assert_true(c.other_left_out);
		assert_true(holds(&out, "1 a 7864\n")); /* 0.00125 * 60 / 10 * 2^20 */
	}
	assert_int_equal(balanced("fr=10,xx=10", &out, &c, 0, &err), -1);
	assert_string_equal(err.msg, "--balance: no document with text has the language 'xx'");
	assert_int_equal(balanced("fr=10,en=10,de=30", &out, &c, 0, &err), -1);
	assert_string_equal(err.msg,
			"--balance: the shares add up to 50, and no other language has text for "
			"the rest");
	lu_buf_release(&out);
}

static void counts_too_large(void **state)
{
	struct lu_word_counts c = { .threads = 1, .tmpdir = "." };
	struct lu_word_counts_thread t;
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	lu_word_counts_join(&c, &t);
	assert_int_equal(lu_words_add(&t.words, LU_STR("a"), UINT64_MAX, &err), 0);
	assert_int_equal(lu_words_add(&t.words, LU_STR("a"), 1, &err), 0);
	assert_int_equal(lu_words_flush(&t.words, &err), -1);
	assert_string_equal(err.msg, "a word occurs more than 2^64 times");
	assert_int_equal(lu_word_counts_take(&c, &t, &err), 0);
	assert_int_equal(each(&c, &out, &err), -1);
	assert_string_equal(err.msg, "the words' counts times their lengths exceed 2^61");
	lu_word_counts_release(&c);
	lu_buf_release(&out);
}

static void missing_folder(void **state)
{
	struct lu_word_counts c = { .threads = 1, .memory = 1, .tmpdir = "no/such" };
	struct lu_word_counts_thread t;
	struct lu_err err;

	(void)state;
	lu_word_counts_join(&c, &t);
	assert_int_equal(lu_words_add(&t.words, LU_STR("a"), 1, &err), 0);
	for (int i = 0; i < 3000; i++) {
		char text[64];

		if (lu_words_add(&t.words, word((unsigned)i, text), 1, &err) < 0) {
			assert_non_null(strstr(err.msg, "no/such"));
			lu_word_counts_leave(&t);
			return;
		}
	}
	fail_msg("words were spilled to a folder that does not exist");
}

/* A limit on the size of files fails a write as a full disk does. */
static void full_disk(void **state)
{
	struct lu_word_counts c = { .threads = 1, .memory = 1, .tmpdir = "." };
	struct lu_word_counts_thread t;
	struct rlimit was, small;
	struct lu_err err;
	int rc = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 4096;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	lu_word_counts_join(&c, &t);
	for (unsigned i = 0; rc == 0 && i < DISTINCT; i++) {
		char text[64];

		rc = lu_words_add(&t.words, word(i, text), 1, &err);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, -1);
	assert_string_equal(err.msg, "temporary file: File too large");
	lu_word_counts_leave(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result_does_not_depend_on_threads_or_memory),
		cmocka_unit_test(counts_are_right),
		cmocka_unit_test(word_larger_than_the_limit),
		cmocka_unit_test(temporary_file_has_descriptor_0),
		cmocka_unit_test(weights_by_language),
		cmocka_unit_test(counts_too_large),
		cmocka_unit_test(missing_folder),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
