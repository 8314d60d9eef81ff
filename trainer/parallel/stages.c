#include "trainer/parallel/stages.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/num.h"

double lt_head_layers(size_t vocab, size_t heads, size_t kv_heads, size_t dim, size_t ffn)
{
	double attention = 2 * ((double)heads + (double)kv_heads) * (double)dim;

	return (double)vocab / (attention + 3 * (double)ffn);
}

/* The numbers of the list, which are checked by the caller; -1 with a sentence, or how many. */
static int64_t read_list(const char *list, size_t *layers, size_t most, struct lu_err *err)
{
	int64_t found = 0;

	for (const char *p = list; *(p += strspn(p, " \t"));) {
		struct lu_str word = { p, strcspn(p, " \t") };
		char text[24];
		uint64_t value;

		/* What is cut is too long for a number, and no number after it. */
		snprintf(text, sizeof(text), LU_STR_FMT, LU_STR_ARG(word));
		if (lu_num_u64(text, &value, err) < 0)
			return -1;
		if (value == 0)
			return lu_err_set(err, "a chunk without layers: give each at least 1");
		if ((size_t)found < most)
			layers[found] = (size_t)value;
		found++;
		p += word.n;
	}
	return found;
}

static int set_listed(
		size_t *layers, size_t pp, size_t v, size_t n, const char *list, struct lu_err *err)
{
	size_t chunks = pp * v, sum = 0;
	int64_t found = read_list(list, layers, chunks, err);

	if (found < 0)
		return lu_err_wrap(err, "parallel.stages = %s", list);
	if ((size_t)found != chunks)
		return lu_err_set(err,
				"parallel.stages = %s: %" PRId64
				" numbers, but parallel.pp %zu x interleave %zu needs %zu",
				list, found, pp, v, chunks);
	for (size_t c = 0; c < chunks; c++) {
		if (!lu_add_size(sum, layers[c], &sum))
			sum = SIZE_MAX;
	}
	if (sum != n)
		return lu_err_set(err,
				"parallel.stages = %s adds up to %zu layers, but the model has %zu",
				list, sum, n);
	return 0;
}

/* The last chunk gets `last` layers, the others share the rest. */
static void share(size_t *layers, size_t chunks, size_t n, size_t last)
{
	size_t others = chunks - 1, rest = n - last;

	for (size_t c = 0; c < others; c++)
		layers[c] = rest / others + (c >= others - rest % others);
	layers[others] = last;
}

/* Cost of the slowest stage in layers. Of two splits with the same one, that with the smaller
 * *squares has more even chunks. */
static double slowest(const size_t *layers, size_t pp, size_t v, double head, double *squares)
{
	double worst = 0;

	*squares = 0;
	for (size_t i = 0; i < pp; i++) {
		double cost = 0;

		for (size_t c = i; c < pp * v; c += pp) {
			double chunk = (double)layers[c] + (c + 1 == pp * v ? head : 0);

			cost += chunk;
			*squares += chunk * chunk;
		}
		worst = cost > worst ? cost : worst;
	}
	return worst;
}

int lt_stages_split(size_t *layers, size_t pp, size_t v, size_t n, const char *list, double head,
		struct lu_err *err)
{
	size_t chunks = pp * v, best = 1;
	double best_worst = 0, best_squares = 0;

	if (n < chunks)
		return lu_err_set(err,
				"parallel.pp %zu x interleave %zu = %zu chunks, but the model has "
				"%zu layers: each chunk needs at least 1",
				pp, v, chunks, n);
	if (list && list[strspn(list, " \t")])
		return set_listed(layers, pp, v, n, list, err);
	if (chunks == 1) {
		layers[0] = n;
		return 0;
	}
	for (size_t last = 1; last <= n - (chunks - 1); last++) {
		double worst, squares;

		share(layers, chunks, n, last);
		worst = slowest(layers, pp, v, head, &squares);
		if (last == 1 || worst < best_worst ||
				(worst <= best_worst && squares < best_squares)) {
			best = last;
			best_worst = worst;
			best_squares = squares;
		}
	}
	share(layers, chunks, n, best);
	return 0;
}
