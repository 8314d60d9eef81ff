#include "trainer/parallel/actions_chart.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/base/text_table.h"
#include "trainer/parallel/actions_check.h"

#define WIDTH 76       /* of the chart, without the number of the stage */
#define EDGE 8	       /* stages shown at either end when there are more than twice as many */
#define CHUNKS "0aAkK" /* the symbol of micro-batch 0 in each chunk of a stage */

struct chart {
	const struct lt_pipeline *p;
	double *busy; /* [stages] */
	char *cell;   /* [stages * columns] */
	size_t columns;
};

static void add_busy(void *ctx, size_t stage, const struct lt_action *a, double begin, double end)
{
	struct chart *c = ctx;

	(void)a;
	c->busy[stage] += end - begin;
}

/* A digit or letter for the micro-batch, by the chunk; a backward pass is followed by =. */
static void draw(void *ctx, size_t stage, const struct lt_action *a, double begin, double end)
{
	struct chart *c = ctx;
	size_t chunk = a->chunk / c->p->stages;
	char *at = c->cell + stage * c->columns + (size_t)begin;

	*at = '+';
	if (chunk < strlen(CHUNKS))
		*at = (char)(CHUNKS[chunk] + a->micro % 10);
	if (end - begin > 1)
		at[1] = '=';
}

static bool shown(const struct lt_pipeline *p, size_t stage)
{
	return p->stages <= 2 * EDGE || stage < EDGE || stage >= p->stages - EDGE;
}

static void print_cells(const struct chart *c, struct lu_buf *out)
{
	size_t half = (WIDTH - 3) / 2;

	for (size_t i = 0; i < c->p->stages; i++) {
		const char *row = c->cell + i * c->columns;

		if (!shown(c->p, i)) {
			if (i == EDGE)
				lu_buf_puts(out, "  :\n");
			continue;
		}
		lu_buf_printf(out, "%3zu ", i);
		if (c->columns <= WIDTH) {
			lu_buf_append(out, row, c->columns);
		} else {
			lu_buf_append(out, row, half);
			lu_buf_puts(out, " ~ ");
			lu_buf_append(out, row + c->columns - half, half);
		}
		lu_buf_putc(out, '\n');
	}
}

/* `time`: of a step, in columns. */
static int print_chart(struct chart *c, double time, struct lu_buf *out, struct lu_err *err)
{
	struct lt_walk walk = { .visit = draw, .ctx = c };
	size_t size, further = c->p->v - 1, letters = strlen(CHUNKS) - 1;

	c->columns = (size_t)time;
	if (!lu_mul_size(c->columns, c->p->stages, &size) || !(c->cell = malloc(size + 1)))
		return lu_err_nomem(err);
	memset(c->cell, '.', size);
	if (lt_pipeline_check(c->p, &walk, err) < 0)
		return -1;
	lu_buf_puts(out,
			"\npasses over time: 0 forward, 0= backward of micro-batch 0, 10, 20 "
			"...; . "
			"waits\n");
	for (size_t k = 1; k <= further && k <= letters; k++)
		lu_buf_printf(out, "%s%c-%c", k == 1 ? "further chunks of the stage: " : ", ",
				CHUNKS[k], CHUNKS[k] + 9);
	lu_buf_puts(out, further > letters ? ", +\n" : further ? "\n" : "");
	print_cells(c, out);
	return lu_buf_check(out, err);
}

/* Layers of the chunks of a stage: "0-7, 16-22, head". */
static void print_layers(
		const struct lt_pipeline *p, const size_t *layers, size_t stage, struct lu_buf *out)
{
	size_t chunks = p->stages * p->v, first = 0;

	for (size_t c = 0; c < chunks; first += layers[c++]) {
		if (c % p->stages != stage)
			continue;
		lu_buf_puts(out, c > stage ? ", " : "");
		lu_buf_printf(out, layers[c] > 1 ? "%zu-%zu" : "%zu", first, first + layers[c] - 1);
		lu_buf_puts(out, c + 1 == chunks ? ", head" : "");
	}
}

static int print_stages(const struct chart *c, const size_t *layers, double time,
		struct lu_buf *out, struct lu_err *err)
{
	static const char *const heads[] = { "stage", "slots", "waits", "layers" };
	struct lu_table t = { .head = heads, .columns = 4, .last_left = true };
	const struct lt_pipeline *p = c->p;
	struct lu_buf text = { 0 };
	int rc = 0;

	for (size_t i = 0; i < p->stages && rc == 0; i++) {
		if (!shown(p, i))
			continue;
		lu_table_u64(&t, i);
		lu_buf_clear(&text);
		for (size_t k = 0; k < p->v; k++)
			lu_buf_printf(&text, k ? " + %zu" : "%zu", p->slots[k * p->stages + i]);
		rc = lu_buf_check(&text, err);
		lu_table_str(&t, lu_buf_slice(&text));
		lu_table_fixed(&t, 100 * (1 - c->busy[i] / time), 1, " %");
		lu_buf_clear(&text);
		print_layers(p, layers, i, &text);
		if (rc == 0)
			rc = lu_buf_check(&text, err);
		lu_table_str(&t, lu_buf_slice(&text));
	}
	if (rc == 0)
		rc = lu_table_put(&t, out, err);
	lu_table_release(&t);
	lu_buf_release(&text);
	return rc;
}

static void print_title(const struct lt_pipeline *p, double bubble, double even, struct lu_buf *out)
{
	if (p->stages == 1)
		lu_buf_puts(out, "one stage");
	else if (p->v == 1)
		lu_buf_printf(out, "%zu stages", p->stages);
	else
		lu_buf_printf(out, "%zu stages of %zu chunks", p->stages, p->v);
	lu_buf_printf(out, ", %" PRIu64 " micro-batch%s a step\n", p->micros,
			p->micros == 1 ? "" : "es");
	if (p->stages > 1 && p->micros > 0)
		lu_buf_printf(out,
				"bubble %.1f %%, or %.1f %% if all chunks took the same time\n\n",
				100 * bubble, 100 * even);
}

int lt_pipeline_print(const struct lt_pipeline *p, const size_t *layers, double head,
		struct lu_buf *out, struct lu_err *err)
{
	size_t chunks = p->stages * p->v;
	struct chart c = { .p = p, .busy = calloc(p->stages, sizeof(*c.busy)) };
	double *forward = calloc(chunks, sizeof(*forward));
	double *backward = calloc(chunks, sizeof(*backward));
	struct lt_walk walk = {
		.forward = forward, .backward = backward, .visit = add_busy, .ctx = &c
	};
	struct lt_walk unit = { 0 };
	int rc = -1;

	if (!c.busy || !forward || !backward) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < chunks; i++) {
		forward[i] = (double)layers[i];
		backward[i] = 2 * forward[i] + (i + 1 == chunks ? 3 * head : 0);
	}
	if (lt_pipeline_check(p, &unit, err) < 0 || lt_pipeline_check(p, &walk, err) < 0)
		goto out;
	print_title(p, walk.bubble, unit.bubble, out);
	if (p->stages == 1 || p->micros == 0) {
		rc = lu_buf_check(out, err);
		goto out;
	}
	rc = print_stages(&c, layers, walk.time, out, err);
	if (rc == 0)
		rc = print_chart(&c, unit.time, out, err);
out:
	free(c.busy);
	free(c.cell);
	free(forward);
	free(backward);
	return rc;
}
