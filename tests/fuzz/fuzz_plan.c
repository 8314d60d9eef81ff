/* A plan from anywhere: refused, or it writes as the same text and its order ends. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/mix/plan.h"
#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t size_of(void *ctx, uint64_t shard, uint64_t document)
{
	(void)ctx;
	return (shard + document) % 7;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("plan", 0);
	struct lu_buf name = { 0 }, text = { 0 };
	struct lu_plan plan;
	struct lu_plan_walk *w;
	struct lu_plan_place at;
	struct lu_err err = { 0 };

	if (fd < 0 || lu_write_all(fd, data, size, "plan", &err) < 0)
		abort();
	lu_buf_printf(&name, "/proc/self/fd/%d", fd);
	if (lu_plan_read(&plan, name.p, &err) == 0) {
		/* Numbers and strings may be written in more than one way; what we write, not. */
		lu_plan_write(&plan, &text);
		if (!lu_buf_ok(&text) || text.n == 0)
			abort();
		if (lu_plan_walk_new(&w, &plan, size_of, NULL, &err) == 0) {
			for (int i = 0; i < 1000 && lu_plan_next(w, &at, &err) > 0; i++) {
				if (at.shard >= plan.shards ||
						at.document >= plan.shard[at.shard].documents)
					abort();
			}
			lu_plan_walk_free(w);
		}
		lu_plan_release(&plan);
	} else if (!err.msg[0]) {
		abort();
	}
	close(fd);
	lu_buf_release(&name);
	lu_buf_release(&text);
	return 0;
}
