#include "libcommon/tokaudit/lossless.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/tokaudit/loss_strings.h"
#include "libcommon/tokaudit/round_trip.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define TILE 4096 /* code points that a thread tries at a time */

/* "Alone" first: what is lost everywhere is shown in its shortest form. */
const struct lu_loss_context lu_loss_contexts[LU_LOSS_CONTEXTS] = { { "", "" }, { "\n", "" },
	{ "\t", "" }, { "(", "" }, { "[", "" }, { "{", "" }, { "/", "" }, { "<", "" }, { "'", "" },
	{ "’", "" }, { "\"", "" }, { "«", "" }, { "“", "" }, { "‘", "" }, { "‚", "" }, { "‹", "" },
	{ "—", "" }, { "–", "" }, { "―", "" }, { "\u00A0", "" }, { "a", "" }, { "", "a" } };

struct scan {
	struct lu_losses *l;
	struct lu_round_trip *trip; /* one a thread, and one more for add_range() */
	unsigned threads;
	uint32_t next;
	struct lu_loss_range open_lost, open_normalised; /* may still grow */
};

/* A batch of the pipeline. */
struct tile {
	uint32_t from;
	uint32_t lost[TILE], normalised[TILE]; /* contexts, as bits */
};

/* Surrogates are not scalar values. */
static bool is_tried(const struct lu_losses *l, uint32_t c)
{
	return c <= l->last && (c < 0xD800 || c > 0xDFFF);
}

static bool is_noncharacter(uint32_t c)
{
	return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

/* --- round trips of scalar values --------------------------------------------------------- */

/* Try c in a context, with its text in t->text. 1 if it comes back, 0, -1. */
static int try_scalar(struct lu_round_trip *t, uint32_t c, const struct lu_loss_context *around,
		struct lu_err *err)
{
	char utf8[4];

	lu_buf_clear(&t->text);
	lu_buf_puts(&t->text, around->before);
	lu_buf_append(&t->text, utf8, lu_utf8_put(c, utf8));
	lu_buf_puts(&t->text, around->after);
	if (lu_buf_check(&t->text, err) < 0)
		return -1;
	return lu_round_trip_run(t, lu_buf_slice(&t->text), err);
}

static int read_tile(void *ctx, void *batch, struct lu_err *err)
{
	struct scan *s = ctx;
	struct tile *tile = batch;

	(void)err;
	if (s->next > s->l->last)
		return 0;
	tile->from = s->next;
	s->next += TILE;
	return 1;
}

static int try_tile(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	const struct scan *s = ctx;
	struct lu_round_trip *t = &s->trip[thread];
	struct tile *tile = batch;

	for (uint32_t i = 0; i < TILE; i++) {
		tile->lost[i] = tile->normalised[i] = 0;
		if (!is_tried(s->l, tile->from + i))
			continue;
		for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
			int rc = try_scalar(t, tile->from + i, &lu_loss_contexts[k], err);

			if (rc == 0) {
				rc = lu_round_trip_equivalent(t, lu_buf_slice(&t->text), err);
				*(rc > 0 ? &tile->normalised[i] : &tile->lost[i]) |= UINT32_C(1)
						<< k;
			}
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

/* --- ranges ------------------------------------------------------------------------------- */

/* Add a range, unless it is empty, with the text of its first scalar value. */
static int add_range(struct scan *s, struct lu_loss_range *r, struct lu_err *err)
{
	struct lu_losses *l = s->l;
	struct lu_round_trip *t = &s->trip[s->threads];

	if (!r->contexts)
		return 0;
	if (try_scalar(t, r->from, &lu_loss_contexts[__builtin_ctz(r->contexts)], err) < 0)
		return -1;
	r->text = lu_arena_str(&l->arena, lu_buf_slice(&t->text));
	r->got = lu_arena_str(&l->arena, lu_buf_slice(&t->got));
	if (!r->text.p || !r->got.p || !lu_vec_push(&l->range, *r))
		return lu_err_nomem(err);
	r->contexts = 0;
	return 0;
}

/* Add a scalar value to the open range, or close that and open a new one. */
static int extend(struct scan *s, struct lu_loss_range *r, uint32_t c, uint32_t contexts,
		enum lu_loss kind, struct lu_err *err)
{
	if (contexts)
		s->l->scalars[kind]++;
	if (r->contexts && contexts == r->contexts && kind == r->kind && r->to + 1 == c) {
		r->to = c;
		return 0;
	}
	if (add_range(s, r, err) < 0)
		return -1;
	*r = (struct lu_loss_range){ .from = c, .to = c, .contexts = contexts, .kind = kind };
	return 0;
}

static int collect_tile(void *ctx, void *batch, struct lu_err *err)
{
	struct scan *s = ctx;
	struct lu_losses *l = s->l;
	const struct tile *tile = batch;

	for (uint32_t i = 0; i < TILE; i++) {
		uint32_t c = tile->from + i;
		enum lu_loss lost = is_noncharacter(c) ? LU_LOSS_NONCHARACTER : LU_LOSS_LOST;

		l->scalars_tried += is_tried(l, c);
		for (unsigned k = 0; l->lossy_contexts >> k; k++)
			l->lost_in_context[k] += tile->lost[i] >> k & 1;
		if (extend(s, &s->open_lost, c, tile->lost[i] & ~l->lossy_contexts, lost, err) <
						0 ||
				extend(s, &s->open_normalised, c,
						tile->normalised[i] & ~l->lossy_contexts,
						LU_LOSS_NORMALISED, err) < 0)
			return -1;
	}
	if (l->progress)
		l->progress(l->ctx, tile->from + TILE);
	return 0;
}

static int by_code_point(const void *a, const void *b)
{
	const struct lu_loss_range *p = a, *q = b;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	return (p->kind > q->kind) - (p->kind < q->kind);
}

static int scan_scalars(struct scan *s, struct lu_err *err)
{
	struct lu_losses *l = s->l;
	struct lu_pipeline p = { .threads = s->threads,
		.batches = lu_pipeline_batches(s->threads),
		.ctx = s,
		.read = read_tile,
		.map = try_tile,
		.write = collect_tile };
	int rc = -1;

	p.batch = calloc(p.batches, sizeof(*p.batch));
	if (!p.batch)
		return lu_err_nomem(err);
	for (size_t i = 0; i < p.batches; i++) {
		p.batch[i] = malloc(sizeof(struct tile));
		if (!p.batch[i]) {
			lu_err_nomem(err);
			goto out;
		}
	}
	if (lu_pipeline_run(&p, err) < 0 || add_range(s, &s->open_lost, err) < 0 ||
			add_range(s, &s->open_normalised, err) < 0)
		goto out;
	if (l->range.n)
		qsort(l->range.p, l->range.n, sizeof(*l->range.p), by_code_point);
	rc = 0;
out:
	for (size_t i = 0; i < p.batches; i++)
		free(p.batch[i]);
	free(p.batch);
	return rc;
}

/* --- the check ---------------------------------------------------------------------------- */

static int find_lossy_contexts(struct lu_losses *l, struct lu_round_trip *t, struct lu_err *err)
{
	for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
		int rc;

		lu_buf_clear(&t->text);
		lu_buf_puts(&t->text, lu_loss_contexts[k].before);
		lu_buf_puts(&t->text, lu_loss_contexts[k].after);
		if (lu_buf_check(&t->text, err) < 0)
			return -1;
		rc = lu_round_trip_run(t, lu_buf_slice(&t->text), err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			l->lossy_contexts |= UINT32_C(1) << k;
	}
	return 0;
}

int lu_losses_find(struct lu_losses *l, const struct lu_tok *tok, int threads, struct lu_err *err)
{
	struct scan s = { .l = l, .threads = (unsigned)threads };
	unsigned started = 0;
	int rc = -1;

	if (!tok->components.has_decoder)
		return lu_err_set(err, "no decoder, so no text comes back unchanged");
	if (l->last == 0)
		l->last = 0x10FFFF;
	s.next = l->first;
	s.trip = calloc(s.threads + 1, sizeof(*s.trip));
	if (!s.trip)
		return lu_err_nomem(err);
	for (; started <= s.threads; started++) {
		if (lu_round_trip_init(&s.trip[started], tok, err) < 0)
			goto out;
	}
	if (find_lossy_contexts(l, s.trip, err) == 0 && scan_scalars(&s, err) == 0)
		rc = lu_loss_strings_try(l, s.trip, tok, err);
out:
	for (unsigned i = 0; i < started; i++)
		lu_round_trip_release(&s.trip[i]);
	free(s.trip);
	return rc;
}

static bool parse_hex(const char **p, char end, uint32_t *c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit;

	if (strncmp(*p, "U+", 2) == 0)
		*p += 2;
	*c = 0;
	if (**p == end)
		return false;
	for (; **p && (digit = strchr(digits, **p)) && *c <= 0x10FFFF; ++*p)
		*c = *c << 4 | (uint32_t)((digit - digits) & 15);
	return *c <= 0x10FFFF && *(*p)++ == end;
}

bool lu_losses_parse_range(struct lu_losses *l, const char *range)
{
	return parse_hex(&range, '-', &l->first) && parse_hex(&range, '\0', &l->last) &&
			l->first <= l->last && l->last > 0;
}

bool lu_losses_none(const struct lu_losses *l)
{
	return l->scalars[LU_LOSS_LOST] == 0 && l->strings[LU_LOSS_LOST] == 0 &&
			l->lossy_contexts == 0;
}

void lu_losses_release(struct lu_losses *l)
{
	lu_arena_release(&l->arena);
	lu_vec_release(&l->range);
	lu_vec_release(&l->string);
	*l = (struct lu_losses){ 0 };
}
