/* Masks of shards: what is written reads back from every place, and damage is seen. */
#include "tests/unit/make_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/shard/mask.h"
#include "libcommon/shard/masked.h"
#include "libcommon/shard/writer.h"
#include "libcommon/sys/file.h"

#define DOCUMENTS 400

static uint8_t mask_of(uint64_t document, uint64_t k)
{
	/* Every document has a target; bytes of the file differ. */
	return k == 1 || (document * 7 + k * k) % 5 < 2;
}

static void make_masked(const char *prefix, const char *kind, uint64_t max_tokens, uint64_t n)
{
	struct lu_shard_format f = shard_format(1000, max_tokens);
	struct lu_shard_writer *w;
	struct lu_err err = { 0 };

	f.kind = kind;
	ok(lu_shard_writer_open(&w, prefix, &f, &err), &err);
	for (uint64_t i = 0; i < n; i++) {
		struct lu_ledger_doc d = { .tokens = 2 + i % 37,
			.id = LU_STR("null"),
			.source = LU_STR("null"),
			.license = LU_STR("null"),
			.lang = LU_STR("null") };
		uint32_t ids[40] = { 0 };
		uint8_t mask[40];
		char packed[80];

		for (uint64_t k = 0; k < d.tokens; k++)
			mask[k] = mask_of(i, k);
		lu_shard_pack(2, ids, (size_t)d.tokens, packed);
		ok(lu_shard_writer_add_masked(w, &d, packed, mask, &err), &err);
	}
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
}

/* All masks read one by one, and from every seventh place in one call to the end. */
static void check_masks(const char *prefix, uint64_t documents)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint8_t *one, *many;
	uint64_t n, targets = 0;

	ok(lu_shard_open(&s, prefix, &err), &err);
	n = lu_shard_tokens(s);
	one = malloc(n);
	many = malloc(n);
	assert_non_null(one);
	assert_non_null(many);
	assert_int_equal(lu_shard_masked(s), 1);
	for (uint64_t i = 0; i < documents; i++) {
		uint64_t first, tokens;

		ok(lu_shard_document(s, i, &first, &tokens, &err), &err);
		for (uint64_t k = 0; k < tokens; k++) {
			ok(lu_shard_mask(s, first + k, 1, &one[first + k], &err), &err);
			assert_int_equal(one[first + k], mask_of(i, k));
			targets += one[first + k];
		}
	}
	for (uint64_t from = 0; from <= n; from += 7) {
		ok(lu_shard_mask(s, from, n - from, many, &err), &err);
		assert_memory_equal(many, one + from, n - from);
	}
	assert_int_equal(lu_shard_targets(s), targets);
	free(one);
	free(many);
	lu_shard_close(s);
}

static void test_round_trip(void **state)
{
	struct lu_buf faults = { 0 };

	(void)state;
	make_masked("whole", "chat", 0, DOCUMENTS);
	check_masks("whole", DOCUMENTS);
	make_masked("split", "preference", 100, DOCUMENTS);
	check_masks("split", DOCUMENTS);
	assert_int_equal(verify_shard("whole", &faults), 0);
	assert_int_equal(verify_shard("split", &faults), 0);
	/* A shard of text in their place removes the masks. */
	make_shard("split", shard_format(1000, 0), 10);
	assert_int_equal(access("split-00000.mask", F_OK), -1);
	assert_int_equal(verify_shard("split", &faults), 0);
	lu_buf_release(&faults);
}

static void test_none(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint8_t mask[20] = { 0 };

	(void)state;
	make_shard("text", shard_format(1000, 0), 10);
	ok(lu_shard_open(&s, "text", &err), &err);
	assert_int_equal(lu_shard_masked(s), 0);
	assert_int_equal(lu_shard_targets(s), lu_shard_tokens(s));
	ok(lu_shard_mask(s, 2, sizeof(mask), mask, &err), &err);
	for (size_t i = 0; i < sizeof(mask); i++)
		assert_int_equal(mask[i], 1);
	lu_shard_close(s);
}

/* The writer holds bytes of the file, and the layout is that of the page. */
static void test_layout(void **state)
{
	struct lu_err err = { 0 };
	char *p;
	size_t n;
	uint64_t tokens = 0, targets = 0;

	(void)state;
	make_masked("layout", "chat", 0, 5);
	ok(lu_read_file("layout.mask", 1 << 20, &p, &n, &err), &err);
	assert_memory_equal(p, "lucieMSK", 8);
	assert_int_equal(lu_load32(p + 8), 1);
	assert_int_equal(lu_load32(p + 12), 0);
	for (uint64_t i = 0; i < 5; i++) {
		for (uint64_t k = 0; k < 2 + i; k++, tokens++) {
			unsigned bit = ((unsigned char)p[32 + tokens / 8] >> tokens % 8) & 1;

			assert_int_equal(bit, mask_of(i, k));
			targets += bit;
		}
	}
	assert_int_equal(lu_load64(p + 16), tokens);
	assert_int_equal(lu_load64(p + 24), targets);
	assert_int_equal(n, 32 + (tokens + 7) / 8 + 8);
	assert_true(lu_load64(p + n - 8) == lu_hash64(p, n - 8, 0));
	free(p);
}

/* Each byte of the file changed, and the file cut anywhere: the shard does not open or does not
 * verify. */
static void test_damage(void **state)
{
	struct lu_mask m;
	struct lu_err err = { 0 };
	char *p;
	size_t n;

	(void)state;
	make_masked("damaged", "chat", 0, 9);
	ok(lu_read_file("damaged.mask", 1 << 20, &p, &n, &err), &err);
	for (size_t at = 0; at < 2 * n; at++) {
		size_t bytes = at < n ? n : at - n;
		FILE *f = fopen("hit.mask", "w");
		int rc;

		assert_non_null(f);
		if (at < n)
			p[at] ^= 4;
		assert_int_equal(fwrite(p, 1, bytes, f), bytes);
		assert_int_equal(fclose(f), 0);
		if (at < n)
			p[at] ^= 4;
		rc = lu_mask_open(&m, "hit.mask", 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10, &err);
		if (rc == 0) {
			rc = lu_mask_verify(&m, "hit.mask", &err);
			lu_mask_close(&m);
		}
		assert_int_equal(rc, -1);
		assert_non_null(strstr(err.msg, "hit.mask: "));
	}
	free(p);
}

/* The verification of shards sees missing files, odd preferences and conversations without target. */
static void test_verify(void **state)
{
	struct lu_buf faults = { 0 };

	(void)state;
	make_masked("odd", "preference", 0, 3);
	assert_int_equal(verify_shard("odd", &faults), 1);
	assert_non_null(strstr(faults.p, "3 documents are no pairs"));
	assert_int_equal(unlink("odd.mask"), 0);
	assert_int_equal(verify_shard("odd", &faults), 1);
	assert_non_null(strstr(faults.p, "odd.mask: is missing"));
	lu_buf_release(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_none), cmocka_unit_test(test_layout),
		cmocka_unit_test(test_damage), cmocka_unit_test(test_verify) };

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
