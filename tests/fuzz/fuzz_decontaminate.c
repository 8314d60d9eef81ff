/* Any bytes as a benchmark: an error, or items of which each that can be matched is found, whole, in
 * its own words. */
#include <stdlib.h>

#include "libcommon/filter/decontaminate_match.h"
#include "tests/fuzz/fuzz.h"

static void check_item(const struct lu_decontaminate *d, uint32_t i, struct lu_bench_work *w)
{
	const struct lu_bench_item *item = &d->items.p[i];
	struct lu_err err;

	if (!item->gram)
		return;
	if (lu_decontaminate_match(d, lu_folded_run(&d->words, item->at, item->words), w, &err) < 0)
		abort();
	for (size_t k = 0; k < w->matches.n; k++) {
		if (w->matches.p[k].share < 0 || w->matches.p[k].share > 1)
			abort();
		if (w->matches.p[k].item == i && w->matches.p[k].share == 1)
			return;
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_decontaminate_options o = { 1 + size % 8, 0.5, NULL };
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_decontaminate d;
	struct lu_bench_work w = { 0 };
	struct lu_err err = { 0 };

	if (lu_decontaminate_open(&d, &o, 1, &err) < 0)
		abort();
	if (lu_decontaminate_read(&d, f.path, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else if (lu_decontaminate_ready(&d, &err) == 0) {
		for (uint32_t i = 0; i < d.items.n; i++)
			check_item(&d, i, &w);
	}
	lu_bench_work_release(&w);
	lu_decontaminate_close(&d);
	fuzz_file_close(&f);
	return 0;
}
