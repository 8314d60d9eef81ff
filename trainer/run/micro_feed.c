#include "trainer/run/micro_feed.h"

#include <stdlib.h>

#include "trainer/data/prefetch.h"

/* Micro-batches that are read ahead, at most. */
#define AHEAD 8

struct lt_feed {
	const struct lt_layout *layout;
	const struct lt_phase_data *data;
	struct lt_prefetch *prefetch;
	size_t micro, context, top_n;
	/* What is asked for next: sequence k of this rank's i-th micro-batch of the step that begins at
	 * `consumed` with a batch of `batch` samples, 0 at the end of the phase. */
	uint64_t consumed, batch;
	size_t i, k;
};

int lt_feed_open(struct lt_feed **out, const struct lt_phase_data *d,
		const struct lt_layout *layout, uint64_t consumed, struct lu_err *err)
{
	const struct lt_micro_want want = lt_phase_data_want(d);
	struct lt_feed *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (!f)
		return lu_err_nomem(err);
	*f = (struct lt_feed){ .layout = layout,
		.data = d,
		.micro = (size_t)d->s.train.micro_batch,
		.context = (size_t)d->s.train.context,
		.top_n = want.top_n,
		.consumed = consumed,
		.batch = lt_schedule_batch(&d->schedule, consumed) };
	if (lt_prefetch_open(&f->prefetch, d->corpus, AHEAD * f->micro, 1, &want, err) < 0) {
		free(f);
		return -1;
	}
	*out = f;
	return 0;
}

void lt_feed_close(struct lt_feed *f)
{
	if (!f)
		return;
	lt_prefetch_close(f->prefetch);
	free(f);
}

/* Go on to the step that has the next sample to ask for. False at the end of the phase. */
static bool find_step(struct lt_feed *f)
{
	while (f->batch && f->i >= lt_layout_micros(f->layout, (size_t)(f->batch / f->micro))) {
		f->consumed += f->batch;
		f->batch = lt_schedule_batch(&f->data->schedule, f->consumed);
		f->i = f->k = 0;
	}
	return f->batch != 0;
}

/* Ask for as many samples as there is room for. */
static void ask(struct lt_feed *f)
{
	while (find_step(f)) {
		uint64_t first = f->consumed + lt_layout_micro(f->layout, f->i) * f->micro;

		if (!lt_prefetch_push(f->prefetch, lt_phase_data_sample(f->data, first + f->k)))
			return;
		if (++f->k == f->micro) {
			f->k = 0;
			f->i++;
		}
	}
}

int lt_feed_load(struct lt_feed *f, struct lt_micro *m, struct lu_err *err)
{
	for (size_t k = 0; k < f->micro; k++) {
		struct lt_prefetched s;

		ask(f);
		if (lt_prefetch_pop(f->prefetch, &s, err) < 0)
			return -1;
		lt_micro_put(m, k, s.row, f->context, f->top_n);
	}
	ask(f);
	return 0;
}
