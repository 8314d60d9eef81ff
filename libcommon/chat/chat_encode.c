#include "libcommon/chat/chat_encode.h"

#include <stdlib.h>

/* Tokens before a border that are decoded with those at it, so that what a decoder does at the
 * beginning of a text does not matter. */
#define CONTEXT 4

struct encoding {
	struct lu_chat_encoder *e;
	const struct lu_chat_text *text;
	struct lu_tok_guard guard;
	const uint32_t *id; /* of the text */
	size_t n;
	struct lu_err *err;
};

static bool is_data(void *ctx, size_t from, size_t to)
{
	const struct encoding *c = ctx;

	return lu_chat_has_data(c->text, from, to);
}

/* --- the token at a border ---------------------------------------------------------------- */

/* The tokens at byte `at`: the first that reaches beyond it, and the first that begins at or after it.
 * They differ where one token spans the border. */
struct border {
	size_t reaches, begins;
};

/* Bytes of the text of n ids. */
static int decoded_size(struct encoding *c, const uint32_t *id, size_t n, size_t *out)
{
	lu_buf_clear(&c->e->text);
	if (lu_tok_decode(c->e->tok, c->e->st, id, n, 0, &c->e->text, NULL, c->err) < 0)
		return -1;
	*out = c->e->text.n;
	return 0;
}

/* In a stretch of n ids that begin with `id`, of which the beginning of the text up to the border alone
 * has the ids in e->part: where the border is, in ids of the stretch. */
static int compare(struct encoding *c, const uint32_t *id, size_t n, struct border *b)
{
	const struct lu_ids *part = &c->e->part;
	size_t same = 0, from, want, size = 0;

	while (same < n && same < part->n && id[same] == part->p[same])
		same++;
	if (same == part->n) {
		b->reaches = b->begins = same;
		return 0;
	}
	from = same > CONTEXT ? same - CONTEXT : 0;
	if (decoded_size(c, part->p + from, part->n - from, &want) < 0)
		return -1;
	for (size_t i = same; i <= n; i++) {
		if (decoded_size(c, id + from, i - from, &size) < 0)
			return -1;
		if (size < want && i < n)
			continue;
		b->begins = i;
		b->reaches = size > want && i > same ? i - 1 : i;
		return 0;
	}
	return 0;
}

/* The stretch with byte `at`, or NULL at the end. */
static const struct lu_tok_stretch *stretch_at(const struct encoding *c, size_t at)
{
	size_t low = 0, high = c->guard.stretch.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->guard.stretch.p[middle].to > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low < c->guard.stretch.n ? &c->guard.stretch.p[low] : NULL;
}

static int find_border(struct encoding *c, size_t at, struct border *b)
{
	const struct lu_tok_stretch *s = stretch_at(c, at);
	size_t end;

	if (!s || at <= s->from) {
		b->reaches = b->begins = s ? s->ids : c->n;
		return 0;
	}
	if (s->added) {
		b->reaches = s->ids;
		b->begins = s->ids + 1;
		return 0;
	}
	c->e->part.n = 0;
	if (lu_tok_encode_stretch(c->e->tok, c->e->st, lu_buf_slice(&c->text->bytes), s, at,
			    &c->e->part, c->err) < 0)
		return -1;
	end = s + 1 < c->guard.stretch.p + c->guard.stretch.n ? s[1].ids : c->n;
	if (compare(c, c->id + s->ids, end - s->ids, b) < 0)
		return -1;
	b->reaches += s->ids;
	b->begins += s->ids;
	return 0;
}

/* --- a conversation ----------------------------------------------------------------------- */

static int put_mask(struct encoding *c, const struct lu_chat_span *answer, size_t answers,
		struct lu_chat_mask *mask)
{
	if (!lu_vec_reserve(mask, c->n))
		return lu_err_nomem(c->err);
	memset(mask->p + mask->n, 0, c->n);
	for (size_t i = 0; i < answers; i++) {
		struct border from, to;

		if (find_border(c, answer[i].from, &from) < 0 ||
				find_border(c, answer[i].to, &to) < 0)
			return -1;
		for (size_t k = from.reaches; k < to.begins; k++)
			mask->p[mask->n + k] = 1;
	}
	mask->n += c->n;
	return 0;
}

int lu_chat_encode(struct lu_chat_encoder *e, const struct lu_chat_text *text,
		const struct lu_chat_span *answer, size_t answers, struct lu_ids *ids,
		struct lu_chat_mask *mask, struct lu_err *err)
{
	struct encoding c = { .e = e, .text = text, .err = err };
	size_t before = ids->n;
	int rc;

	c.guard.is_data = is_data;
	c.guard.ctx = &c;
	rc = lu_tok_encode_guarded(e->tok, e->st, lu_buf_slice(&text->bytes), &c.guard, ids, err);
	c.id = ids->p + before;
	c.n = ids->n - before;
	if (rc == 0 && mask)
		rc = put_mask(&c, answer, answers, mask);
	lu_vec_release(&c.guard.stretch);
	if (rc < 0)
		ids->n = before;
	return rc;
}

void lu_chat_encoder_release(struct lu_chat_encoder *e)
{
	lu_ids_release(&e->part);
	lu_buf_release(&e->text);
}
