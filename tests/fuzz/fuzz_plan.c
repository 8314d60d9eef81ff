/* Any bytes as a plan: an error, or a plan that can be written and whose walk stays within its
 * shards. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/mix/walk.h"

static int size_of(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	*size = (shard + document) % 7;
	return 0;
}

static void walk(const struct lu_plan *plan)
{
	struct lu_plan_walk *w;
	struct lu_plan_entry at;
	struct lu_err err = { 0 };

	if (lu_plan_walk_new(&w, plan, size_of, NULL, &err) < 0)
		abort();
	for (int i = 0; i < 1000 && lu_plan_walk_next(w, &at, &err) > 0; i++) {
		if (at.shard >= plan->shards || at.document >= plan->shard[at.shard].documents)
			abort();
	}
	lu_plan_walk_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_buf text = { 0 };
	struct lu_plan plan;
	struct lu_err err = { 0 };

	if (lu_plan_read(&plan, f.path, &err) == 0) {
		/* Not compared: a number or string can be spelled in several ways. */
		lu_plan_write(&plan, &text);
		if (!lu_buf_ok(&text) || text.n == 0)
			abort();
		walk(&plan);
		lu_plan_release(&plan);
	} else if (!err.msg[0]) {
		abort();
	}
	fuzz_file_close(&f);
	lu_buf_release(&text);
	return 0;
}
