/* Any bytes as the walk index of a plan, with checksums made to match: an error, or marks from which a
 * walk goes on within its shards. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/base/fnv.h"
#include "libcommon/base/num.h"
#include "libcommon/mix/walk_index.h"

#define HEADER 72
#define DIRECTORY 32 /* of one page */

static int size_of(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	*size = (shard + document) % 7;
	return 0;
}

/* Two groups, 1,100 documents: three records in one page. */
static void make_plan(struct lu_plan *p)
{
	static struct lu_plan_shard shard = { "s", 1000, 2997, "" };
	static struct lu_plan_range range[] = { { 0, 0, 300 }, { 0, 300, 700 } };
	static uint64_t before[2];
	static struct lu_plan_group group[] = {
		{ "a", 300, 897, 0, 1, 100, 0, &range[0], 1, &before[0] },
		{ "b", 700, 2100, 0, 1, 0, 2100, &range[1], 1, &before[1] },
	};

	*p = (struct lu_plan){ .shard = &shard, .shards = 1, .group = group, .groups = 2 };
	group[0].planned = 1200;
	p->documents = 1100;
	p->tokens = 3300;
	p->checksum = 77;
}

/* Make header and directory those of the plan, and all checksums match. */
static void sign(unsigned char *p, size_t n, const struct lu_plan *plan)
{
	unsigned char *directory = p + n - DIRECTORY;

	memcpy(p, "LUCIEWLK", 8);
	lu_store32(p + 8, LU_WALK_VERSION);
	lu_store32(p + 12, 16);
	lu_store64(p + 16, plan->checksum);
	lu_store64(p + 24, plan->groups);
	lu_store64(p + 32, plan->documents);
	lu_store64(p + 40, plan->tokens);
	lu_store64(p + 48, 512);
	lu_store64(p + 56, 1);
	lu_store64(p + 64, lu_fnv1a(LU_FNV_BASIS, p, 64));
	lu_store64(directory + 8, HEADER);
	lu_store64(directory + 16, lu_fnv1a(LU_FNV_BASIS, p + HEADER, n - HEADER - DIRECTORY));
	lu_store64(directory + 24, lu_fnv1a(LU_FNV_BASIS, directory, 24));
}

static void walk(const struct lu_plan *plan, const struct lu_plan_mark *mark)
{
	struct lu_plan_walk *w;
	struct lu_plan_entry e;
	struct lu_err err = { 0 };

	if (lu_plan_walk_new(&w, plan, size_of, NULL, &err) < 0)
		abort();
	if (lu_plan_walk_restore(w, mark, &err) == 0) {
		for (int i = 0; i < 600 && lu_plan_walk_next(w, &e, &err) > 0; i++) {
			if (e.shard >= plan->shards || e.document >= plan->shard[0].documents)
				abort();
		}
	} else if (!err.msg[0]) {
		abort();
	}
	lu_plan_walk_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_plan plan;
	struct lu_walk_index *x;
	struct lu_walk_place place;
	struct lu_plan_mark mark[2];
	struct lu_err err = { 0 };
	struct fuzz_file f;
	unsigned char *copy;

	if (size < HEADER + DIRECTORY)
		return 0;
	make_plan(&plan);
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	sign(copy, size, &plan);
	f = fuzz_file_open(copy, size);
	if (lu_walk_index_open(&x, f.path, &plan, &err) == 0) {
		for (uint64_t r = 0; r < lu_walk_index_records(x); r++) {
			if (lu_walk_index_record(x, r, mark, &place, &err) == 0)
				walk(&plan, mark);
		}
		for (uint64_t t = 0; t < plan.tokens; t += 100) {
			if (lu_walk_index_find(x, t, mark, &place, &err) == 0 && place.tokens > t)
				abort();
		}
		lu_walk_index_close(x);
	} else if (!err.msg[0]) {
		abort();
	}
	fuzz_file_close(&f);
	free(copy);
	return 0;
}
