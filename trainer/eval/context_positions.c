#include "trainer/eval/context_positions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/text_table.h"
#include "libcommon/tokaudit/piece_bytes.h"

/* Bytes of a token in the middle of a text: those that a second one adds. Bytes that form no character
 * by themselves are counted in the piece. */
static int size_of(const struct lu_tok *tok, struct lu_tok_state *state, uint32_t id,
		struct lu_buf *text, uint32_t *size, struct lu_err *err)
{
	const uint32_t twice[] = { id, id };
	struct lu_str piece = lu_tok_piece(tok, id);
	uint64_t replaced = 0;
	size_t once;

	*size = 0;
	if (!piece.p || lu_tok_is_special(tok, id))
		return 0;
	*size = 1;
	if (lu_piece_is_byte(tok, piece))
		return 0;
	lu_buf_clear(text);
	if (lu_tok_decode(tok, state, twice, 1, 0, text, &replaced, err) < 0)
		return -1;
	once = text->n;
	lu_buf_clear(text);
	if (replaced == 0 && lu_tok_decode(tok, state, twice, 2, 0, text, NULL, err) < 0)
		return -1;
	if (replaced && !lu_piece_bytes(tok, piece, text))
		lu_buf_str(text, piece);
	*size = (uint32_t)(replaced ? text->n : text->n - once);
	return 0;
}

int lt_positions_bytes(
		struct lt_positions *p, const struct lu_tok *tok, size_t vocab, struct lu_err *err)
{
	struct lu_tok_state *state = lu_tok_state_new(tok);
	struct lu_buf text = { 0 };
	int rc;

	p->vocab = vocab;
	p->size = calloc(vocab + 1, sizeof(*p->size));
	rc = state && p->size ? 0 : lu_err_nomem(err);
	for (uint32_t id = 0; id < vocab && id < lu_tok_size(tok) && rc == 0; id++)
		rc = size_of(tok, state, id, &text, &p->size[id], err);
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	lu_buf_release(&text);
	lu_tok_state_free(state);
	return rc;
}

void lt_positions_release(struct lt_positions *p)
{
	free(p->size);
	*p = (struct lt_positions){ 0 };
}

void lt_positions_add(struct lt_positions *p, uint64_t before, uint32_t label, lk_real loss)
{
	size_t bucket = 63 - (size_t)__builtin_clzll(before);

	LU_ASSERT(before > 0 && bucket < LT_POSITIONS);
	p->scored[bucket]++;
	p->loss[bucket] += (double)loss;
	if (p->size && label < p->vocab)
		p->bytes[bucket] += p->size[label];
}

int lt_positions_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err)
{
	struct lt_positions *p = ctx;

	(void)err;
	/* Labels are those of positions 1 to context of their window. */
	for (size_t i = 0; i < n; i++)
		lt_positions_add(p, (offset + i - 1) % p->context + 1, label[i], loss[i]);
	return 0;
}

static double mean_of(const struct lt_positions *p, size_t i)
{
	return p->loss[i] / (double)p->scored[i];
}

static double bits_of(const struct lt_positions *p, size_t i)
{
	return p->bytes[i] ? p->loss[i] / M_LN2 / (double)p->bytes[i] : (double)NAN;
}

static uint64_t last_of(size_t i)
{
	return ((uint64_t)2 << i) - 1;
}

int lt_positions_table(const struct lt_positions *p, struct lu_buf *b, struct lu_err *err)
{
	static const char *const heads[] = { "tokens before", "tokens", "bytes", "loss",
		"perplexity", "bits/byte" };
	struct lu_table t = { .head = heads, .columns = 6, .left = 1 };
	int rc;

	for (size_t i = 0; i < LT_POSITIONS; i++) {
		char name[64];

		if (p->scored[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%" PRIu64 "-%" PRIu64, (uint64_t)1 << i, last_of(i));
		lu_table_cstr(&t, i ? name : "1");
		lu_table_u64(&t, p->scored[i]);
		lu_table_fixed(&t, p->size ? (double)p->bytes[i] : (double)NAN, 0, "");
		lu_table_fixed(&t, mean_of(p, i), 4, "");
		lu_table_fixed(&t, exp(mean_of(p, i)), 2, "");
		lu_table_fixed(&t, bits_of(p, i), 4, "");
	}
	rc = lu_table_put(&t, b, err);
	lu_table_release(&t);
	return rc;
}

void lt_positions_json(const struct lt_positions *p, struct lu_buf *b)
{
	lu_json_open_array(b, "positions");
	for (size_t i = 0; i < LT_POSITIONS; i++) {
		if (p->scored[i] == 0)
			continue;
		lu_json_open_object(b, NULL);
		lu_json_put_u64(b, "from", (uint64_t)1 << i);
		lu_json_put_u64(b, "to", last_of(i));
		lu_json_put_u64(b, "scored", p->scored[i]);
		if (p->size)
			lu_json_put_u64(b, "bytes", p->bytes[i]);
		else
			lu_json_put_null(b, "bytes");
		lu_json_put_double(b, "loss", mean_of(p, i));
		lu_json_put_double(b, "perplexity", exp(mean_of(p, i)));
		lu_json_put_double(b, "bits_per_byte", bits_of(p, i));
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}
