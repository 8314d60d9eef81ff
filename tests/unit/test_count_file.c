/* Count files: a changed or missing byte is noticed, wherever it is; files add up in any order and
 * grouping to the file of all; what they are trained on is what one run counts. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/bpetrain/count_steps.h"

#define SETTINGS "--preset test"

enum { FILES = 4, WORDS = 3000 };

static void settled(struct lu_out *out)
{
	struct lu_err err;

	assert_int_equal(lu_out_commit(out, &err), 0);
}

/* Count WORDS words of a file, of languages that not all files have. */
static void add_words(struct lu_word_counts *c, unsigned file)
{
	static const char *const lang[] = { "", "fr", "en", "d\xC3\xA9" };
	struct lu_word_counts_thread t;
	struct lu_err err;
	char text[80];

	lu_word_counts_join(c, &t);
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t seed = file * WORDS + i;
		unsigned w = (unsigned)(unit_random(&seed) % 700);
		struct lu_str s = { text,
			(size_t)snprintf(text, sizeof(text), "%0*u", 1 + (int)(w % 30), w) };

		assert_int_equal(lu_word_counts_language(c, &t,
						 lu_str_of(lang[(w + file * i) % (2 + file % 3)]),
						 &err),
				0);
		assert_int_equal(lu_words_add(&t.words, s, 1 + w % 5, &err), 0);
	}
	assert_int_equal(lu_word_counts_take(c, &t, &err), 0);
}

static struct lu_word_counts counts(uint64_t memory)
{
	return (struct lu_word_counts){
		.threads = 2, .memory = memory, .tmpdir = ".", .by_language = true
	};
}

static void write_counts(struct lu_word_counts *c, const char *name, uint64_t documents)
{
	struct lu_count_info info = { SETTINGS, documents, 10 * documents };
	struct lu_out *out;
	struct lu_err err = { 0 };

	assert_int_equal(lu_out_open(&out, name, "none", 1, &err), 0);
	if (lu_count_steps_write(c, &info, out, &err) < 0)
		fail_msg("%s", err.msg);
	settled(out);
	lu_word_counts_release(c);
	lu_lang_names_release(&c->lang);
}

static void write_file(unsigned file, uint64_t memory)
{
	struct lu_word_counts c = counts(memory);
	char name[16];

	snprintf(name, sizeof(name), "f%u", file);
	add_words(&c, file);
	write_counts(&c, name, 1 + file);
}

static void merge(const char *const *name, size_t n, const char *to)
{
	struct lu_word_counts c = counts(1 << 20);
	struct lu_count_set s;
	struct lu_err err = { 0 };

	if (lu_count_set_open(&s, (char *const *)(uintptr_t)name, n, SETTINGS, &err) < 0)
		fail_msg("%s", err.msg);
	c.file = s.file;
	c.files = s.n;
	write_counts(&c, to, s.documents);
	lu_count_set_close(&s);
}

/* Open and read all of it; the sentence, or NULL if it is good. */
static const char *verify(const char *name, struct lu_err *err)
{
	struct lu_count_file f;
	int rc = lu_count_file_open(&f, name, err);

	if (rc == 0) {
		rc = lu_count_file_verify(&f, err);
		lu_count_file_close(&f);
	}
	return rc < 0 ? err->msg : NULL;
}

static void addition_has_no_order(void **state)
{
	const char *const all[] = { "f0", "f1", "f2", "f3" }, *const two[] = { "f3", "f1" },
			  *const rest[] = { "f2", "13", "f0" };
	struct lu_word_counts c = counts(0), d = counts(1);
	struct lu_err err;

	(void)state;
	for (unsigned i = 0; i < FILES; i++) {
		write_file(i, i % 2);
		add_words(&c, i);
		add_words(&d, FILES - 1 - i);
	}
	write_counts(&c, "one", 10);
	write_counts(&d, "spilled", 10);
	merge(all, 4, "all");
	merge(two, 2, "13");
	merge(rest, 3, "tree");
	assert_null(verify("one", &err));
	assert_same_files("all", "one");
	assert_same_files("all", "spilled");
	assert_same_files("all", "tree");
}

static void every_byte_counts(void **state)
{
	struct lu_word_counts c = counts(0);
	struct lu_word_counts_thread t;
	struct lu_err err;
	size_t n;
	char *p;
	int fd;

	(void)state;
	lu_word_counts_join(&c, &t);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(lu_word_counts_language(&c, &t, lu_str_of(i % 3 ? "a" : ""), &err),
				0);
		assert_int_equal(lu_words_add(&t.words,
						 (struct lu_str){ "abcdefghijklmnopqrstuv", i + 1 },
						 i + 1, &err),
				0);
	}
	assert_int_equal(lu_word_counts_take(&c, &t, &err), 0);
	write_counts(&c, "good", 1);
	assert_null(verify("good", &err));
	p = get_file("good", &n);
	fd = open("good", O_WRONLY);
	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		char bad = (char)(p[i] ^ (1 << i % 8));

		assert_int_equal(pwrite(fd, &bad, 1, (off_t)i), 1);
		if (!verify("good", &err))
			fail_msg("byte %zu of %zu", i, n);
		assert_int_equal(pwrite(fd, &p[i], 1, (off_t)i), 1);
	}
	assert_null(verify("good", &err));
	while (n > 0) {
		n -= n < 7 ? n : 7;
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		if (!verify("good", &err))
			fail_msg("%zu bytes", n);
	}
	close(fd);
	free(p);
}

static void wrong_files(void **state)
{
	struct lu_count_set s;
	struct lu_err err;
	char f1[] = "f1", text[] = "text", dash[] = "-";
	char *twice[] = { f1, f1 }, *no[] = { text }, *other[] = { f1 }, *pipe[] = { dash };

	(void)state;
	write_file(1, 0);
	put_text("text", "{\"text\":\"a\"}\n");
	assert_int_equal(lu_count_set_open(&s, twice, 2, SETTINGS, &err), -1);
	assert_string_equal(err.msg, "f1: given twice");
	assert_int_equal(lu_count_set_open(&s, no, 1, SETTINGS, &err), -1);
	assert_string_equal(
			err.msg, "text: not a count file; lucie-tok-train --step count makes one");
	assert_int_equal(lu_count_set_open(&s, other, 1, "--preset x", &err), -1);
	assert_string_equal(err.msg, "f1: was counted with --preset test, not with --preset x");
	assert_int_equal(lu_count_set_open(&s, pipe, 1, SETTINGS, &err), -1);
	assert_string_equal(err.msg, "a count file is read by position: name it, no pipe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addition_has_no_order),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(wrong_files),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
