#include "libcommon/tokaudit/dead.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/partial.h"
#include "libcommon/tokaudit/piece_bytes.h"
#include "libcommon/tokaudit/probe.h"
#include "libcommon/tokaudit/show.h"
#include "libcommon/tokaudit/unreachable.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* --- one piece ---------------------------------------------------------------------------- */

/* <unused5>, <|reserved|>, [unused5] */
static bool in_brackets(struct lu_str s)
{
	if (s.n <= 2)
		return false;
	return (s.p[0] == '<' && s.p[s.n - 1] == '>') || (s.p[0] == '[' && s.p[s.n - 1] == ']');
}

/* Check that the model makes the piece of its own characters or bytes. Returns 1 if so, 0 if not, or
 * -1 on error. */
static int is_merged(struct lu_probe *p, uint32_t id, struct lu_err *err)
{
	if (lu_probe_word(p, lu_buf_slice(&p->bytes), err) < 0)
		return -1;
	return p->ids.n == 1 && p->ids.p[0] == id;
}

/* Find the reason why no text gave the piece. `whole`: its bytes are whole characters. */
static int find_reason(struct lu_probe *p, struct lu_dead_piece *d, bool whole, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&p->bytes);
	/* A piece spelled "<0xE2><0x96>" may come from a merge of two byte tokens: its spelling
	 * proves nothing. */
	bool byte_names = p->tok->bpe.byte_fallback && memmem(s.p, s.n, "<0x", 3);
	int rc = is_merged(p, d->id, err);

	d->why = LU_DEAD_NOT_FOUND;
	if (rc < 0)
		return -1;
	/* With ignore_merges a word that is a piece needs no merges. */
	if (rc == 0 && !p->tok->bpe.ignore_merges && !byte_names)
		d->why = LU_DEAD_MERGES;
	if (byte_names || !whole)
		return 0;
	rc = lu_never_normal(p->tok, s, d->c, err);
	if (rc < 0)
		return -1;
	if (rc)
		d->why = LU_DEAD_NORMALIZER;
	if (d->why != LU_DEAD_NOT_FOUND)
		return 0;
	rc = lu_always_cut(p->tok, s, err);
	if (rc > 0)
		d->why = LU_DEAD_CUT;
	return rc < 0 ? -1 : 0;
}

/* True if every byte has a piece in a byte-level file. */
static bool has_all_bytes(const struct lu_tok *tok)
{
	for (unsigned b = 0; b < 256; b++) {
		char utf8[4];
		uint32_t id;

		if (!lu_tok_id(tok,
				    (struct lu_str){ utf8,
						    lu_utf8_put(lu_byte_level_char(b), utf8) },
				    &id))
			return false;
	}
	return true;
}

/* Probe for a piece and find the reason if it is dead. Returns 1 if it is live, 0 if not, or -1 on
 * error. */
static int examine(struct lu_probe *p, struct lu_dead_piece *d, struct lu_err *err)
{
	struct lu_partial partial;
	bool whole, isolated = false;
	int rc;

	lu_buf_clear(&p->bytes);
	if (!lu_piece_bytes(p->tok, lu_tok_piece(p->tok, d->id), &p->bytes)) {
		d->why = LU_DEAD_MERGES;
		return 0;
	}
	if (lu_buf_check(&p->bytes, err) < 0)
		return -1;
	whole = lu_utf8_valid(lu_buf_slice(&p->bytes).p, p->bytes.n) == p->bytes.n;
	if (whole) {
		rc = lu_probe_whole(p, d->id, err);
	} else if (lu_partial_parse(lu_buf_slice(&p->bytes), &p->scratch, &partial)) {
		rc = lu_partial_probe(p, d->id, &partial, &isolated, err);
	} else {
		d->why = LU_DEAD_UTF8;
		return 0;
	}
	if (rc)
		return rc;
	if (find_reason(p, d, whole, err) < 0)
		return -1;
	/* The proof by neighbours needs a piece for every byte: otherwise an unknown token, which
	 * merges with nothing, may be the neighbour. */
	if (isolated && d->why == LU_DEAD_NOT_FOUND && has_all_bytes(p->tok))
		d->why = LU_DEAD_NEIGHBOURS;
	return 0;
}

/* --- all pieces --------------------------------------------------------------------------- */

static int count_piece(struct lu_dead *d, struct lu_probe *p, uint32_t id, struct lu_err *err)
{
	struct lu_dead_piece piece = { .id = id };
	int rc = examine(p, &piece, err);

	if (rc < 0)
		return -1;
	if (rc > 0) {
		d->live++;
		return 0;
	}
	if (piece.why != LU_DEAD_UTF8 && in_brackets(lu_tok_piece(p->tok, id))) {
		d->reserved++;
		return 0;
	}
	if (!lu_vec_push(&d->piece, piece))
		return lu_err_nomem(err);
	d->why[piece.why]++;
	return 0;
}

static int count_pieces(
		struct lu_dead *d, struct lu_probe *p, const uint8_t *is_added, struct lu_err *err)
{
	const struct lu_tok *tok = p->tok;

	for (uint32_t id = 0; id < lu_tok_size(tok); id++) {
		struct lu_str piece = lu_tok_piece(tok, id);

		if (!piece.p)
			continue;
		if (is_added[id]) {
			d->added++;
			d->special += lu_tok_is_special(tok, id);
		} else if (id == tok->bpe.unk) {
			d->unknown++;
		} else if (lu_piece_is_byte(tok, piece)) {
			d->bytes++;
		} else if (count_piece(d, p, id, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int lu_dead_find(struct lu_dead *d, const struct lu_tok *tok, struct lu_err *err)
{
	uint8_t *is_added = calloc(lu_tok_size(tok) + (size_t)1, 1);
	struct lu_probe *p = calloc(1, sizeof(*p));
	int rc = -1;

	if (!is_added || !p) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < tok->n_added; i++)
		is_added[tok->added[i].id] = 1;
	if (lu_probe_init(p, tok, err) == 0)
		rc = count_pieces(d, p, is_added, err);
	lu_probe_release(p);
out:
	free(p);
	free(is_added);
	return rc;
}

void lu_dead_release(struct lu_dead *d)
{
	lu_vec_release(&d->piece);
	*d = (struct lu_dead){ 0 };
}

/* --- reports ------------------------------------------------------------------------------ */

static const char *const reason[LU_DEAD_WHYS] = { "utf-8", "normalizer", "merges", "neighbours",
	"cut", "not found" };

static uint32_t proved(const struct lu_dead *d)
{
	return (uint32_t)d->piece.n - d->why[LU_DEAD_NOT_FOUND];
}

void lu_dead_text(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *b)
{
	lu_buf_masked(b, lu_str_of(file));
	lu_buf_printf(b, ": %" PRIu32 " pieces are live, %" PRIu32 " dead", d->live, proved(d));
	if (d->why[LU_DEAD_NOT_FOUND])
		lu_buf_printf(b, ", of %" PRIu32 " nothing is known", d->why[LU_DEAD_NOT_FOUND]);
	lu_buf_printf(b,
			"\napart: %" PRIu32 " added tokens (%" PRIu32 " special), %" PRIu32
			" of bytes, %" PRIu32 " reserved",
			d->added, d->special, d->bytes, d->reserved);
	lu_buf_puts(b, d->unknown ? ", the unknown token\n" : "\n");
	for (int k = 0; k < LU_DEAD_WHYS; k++) {
		if (d->why[k])
			lu_buf_printf(b, "%-10s  %7" PRIu32 "\n", reason[k], d->why[k]);
	}
	for (size_t i = 0; i < d->piece.n; i++) {
		const struct lu_dead_piece *p = &d->piece.p[i];

		lu_buf_printf(b, "%-10s  %7" PRIu32 "  ", reason[p->why], p->id);
		lu_show(b, lu_tok_piece(tok, p->id));
		for (int k = 0; k < 2 && p->c[k]; k++)
			lu_buf_printf(b, k ? " U+%04" PRIX32 : "  U+%04" PRIX32, p->c[k]);
		lu_buf_putc(b, '\n');
	}
}

static void put_piece(struct lu_buf *b, const struct lu_tok *tok, const struct lu_dead_piece *p)
{
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "id", p->id);
	lu_json_put_str(b, "piece", lu_tok_piece(tok, p->id));
	lu_json_put_cstr(b, "reason", reason[p->why]);
	if (p->c[0]) {
		lu_json_open_array(b, "characters");
		for (int k = 0; k < 2 && p->c[k]; k++)
			lu_json_put_u64(b, NULL, p->c[k]);
		lu_json_close_array(b);
	}
	lu_json_close_object(b);
}

void lu_dead_json(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "tokenizer", file);
	lu_json_put_u64(b, "live", d->live);
	lu_json_put_u64(b, "added", d->added);
	lu_json_put_u64(b, "special", d->special);
	lu_json_put_u64(b, "unknown", d->unknown);
	lu_json_put_u64(b, "bytes", d->bytes);
	lu_json_put_u64(b, "reserved", d->reserved);
	lu_json_put_u64(b, "dead", proved(d));
	lu_json_put_u64(b, "not_found", d->why[LU_DEAD_NOT_FOUND]);
	lu_json_open_array(b, "pieces");
	for (size_t i = 0; i < d->piece.n; i++)
		put_piece(b, tok, &d->piece.p[i]);
	lu_json_close_array(b);
	lu_json_close_object(b);
}
