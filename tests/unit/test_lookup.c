/* Lookups of documents by token, in any order. */
#include "tests/unit/make_shard.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/shard/lookup.h"

static void test_lookup(void **state)
{
	struct lu_lookup l = { 0 };
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t seed = 3;

	(void)state;
	make_shard("look", shard_format(100, 20), 41);
	ok(lu_shard_open(&s, "look", &err), &err);
	/* Descending tags: the items come back sorted. */
	for (uint64_t i = 0; i < 50; i++) {
		uint64_t pos = unit_random(&seed) % (lu_shard_tokens(s) - 12);

		ok(lu_lookup_add(&l, s, pos, 12, 50 - i, &err), &err);
	}
	ok(lu_lookup_resolve(&l, &err), &err);
	for (size_t i = 0; i < l.item.n; i++) {
		const struct lu_lookup_item *it = &l.item.p[i];
		char id[32];

		snprintf(id, sizeof(id), "\"d%" PRIu64 "\"", it->doc.document);
		assert_true(lu_str_is(it->doc.id, id));
		assert_int_equal(document_at(s, it->from), it->doc.document);
		assert_int_equal(document_at(s, it->to - 1), it->doc.document);
		if (i && it[-1].tag == it->tag)
			assert_int_equal(it[-1].to, it->from);
		else if (i)
			assert_int_equal(it[-1].tag + 1, it->tag);
	}
	assert_int_equal(l.item.p[0].tag, 1);
	assert_int_equal(l.item.p[l.item.n - 1].tag, 50);
	lu_lookup_release(&l);
	lu_shard_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
