/* Verification of shards: every damaged byte is found, and faults that hashes cannot show. */
#include "tests/unit/make_shard.h"

#include <stdlib.h>

#include "libcommon/shard/format.h"

/* One bit flipped in each byte of each file; each file truncated and extended. */
static void test_every_byte(void **state)
{
	static const char *const name[] = { "v-00000.bin", "v-00000.idx", "v-00000.docs.jsonl.zst",
		"v-00001.bin", "v-00001.idx", "v-00001.docs.jsonl.zst", "v.json" };
	struct lu_shard_format f = shard_format(100, 20);
	struct lu_buf faults = { 0 };

	(void)state;
	make_shard("v", f, 9);
	assert_int_equal(verify_shard("v", &faults), 0);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		size_t n;
		char *p = get_file(name[i], &n);

		for (size_t k = 0; k < n; k++) {
			p[k] ^= (char)(1 << k % 8);
			put_file(name[i], p, n);
			if (verify_shard("v", &faults) != 1 || faults.n == 0)
				fail_msg("%s: byte %zu is changed, but no fault is found", name[i],
						k);
			p[k] ^= (char)(1 << k % 8);
		}
		for (size_t k = 0; k < 8; k++) {
			put_file(name[i], p, n * k / 8);
			assert_int_equal(verify_shard("v", &faults), 1);
		}
		p[n] = '\n';
		put_file(name[i], p, n + 1);
		assert_int_equal(verify_shard("v", &faults), 1);
		put_file(name[i], p, n);
		free(p);
	}
	assert_int_equal(verify_shard("v", &faults), 0);
	lu_buf_release(&faults);
}

/* Faults that the hashes cannot show, since the shard was written with them. */
static void test_faults_when_written(void **state)
{
	struct lu_shard_format f = shard_format(100, 0);
	struct lu_shard_writer *w;
	struct lu_buf faults = { 0 };
	struct lu_err err = { 0 };
	struct lu_ledger_doc d = { .tokens = 3,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };
	static const uint32_t good[] = { 1, 5, 2 }, ends[] = { 7, 5, 9 }, large[] = { 1, 100, 2 };
	char packed[6];

	(void)state;
	f.has_bos = f.has_eos = true;
	f.bos = 1;
	f.eos = 2;
	ok(lu_shard_writer_open(&w, "w", &f, &err), &err);
	lu_shard_pack(2, good, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	lu_shard_pack(2, ends, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	lu_shard_pack(2, large, 3, packed);
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	d.tokens = 0;
	ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
	assert_int_equal(verify_shard("w", &faults), 1);
	assert_string_equal(faults.p,
			"w.bin: 1 ids outside the vocabulary, the first is token 7: 100\n"
			"w.bin: 1 documents do not begin with id 1, the first is 1\n"
			"w.bin: 1 documents do not end with id 2, the first is 1\n"
			"w.bin: 1 documents without the ids that begin and end one, the first is "
			"3\n");
	lu_buf_release(&faults);
}

/* Documents longer than the read buffer, with a wrong id at either end. */
static void test_long_documents(void **state)
{
	enum { LONG = 700001 };
	struct lu_shard_format f = shard_format(100, 0);
	uint32_t *ids = calloc(LONG, sizeof(*ids));
	char *packed = malloc(LONG * 2);
	struct lu_shard_writer *w;
	struct lu_buf faults = { 0 };
	struct lu_err err = { 0 };
	struct lu_ledger_doc d = { .tokens = LONG,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };

	(void)state;
	assert_non_null(ids);
	assert_non_null(packed);
	f.has_bos = f.has_eos = true;
	f.bos = 1;
	f.eos = 2;
	ok(lu_shard_writer_open(&w, "long", &f, &err), &err);
	for (int i = 0; i < 3; i++) {
		ids[0] = i == 1 ? 3 : 1;
		ids[LONG - 1] = i == 2 ? 3 : 2;
		lu_shard_pack(2, ids, LONG, packed);
		ok(lu_shard_writer_add(w, &d, packed, &err), &err);
	}
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
	assert_int_equal(verify_shard("long", &faults), 1);
	assert_string_equal(faults.p,
			"long.bin: 1 documents do not begin with id 1, the first is 1\n"
			"long.bin: 1 documents do not end with id 2, the first is 2\n");
	lu_buf_release(&faults);
	free(ids);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_faults_when_written),
		cmocka_unit_test(test_long_documents),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
