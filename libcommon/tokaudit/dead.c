/* Finds the pieces that no text can produce. */
#include "libcommon/tokaudit/dead.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/show.h"
#include "libcommon/tokaudit/unreachable.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* --- pieces ------------------------------------------------------------------------------- */

/* What a piece stands for, appended: in a byte-level file its bytes, else itself. False when a
 * character of a byte-level piece is none of GPT-2's alphabet. */
static bool meaning(const struct lu_tok *tok, struct lu_str piece, struct lu_buf *out)
{
	const char *p = piece.p, *end = piece.p + piece.n;

	if (!tok->parts.byte_level) {
		lu_buf_str(out, piece);
		return true;
	}
	while (p < end) {
		int byte = lu_char_byte(lu_utf8_next(&p));

		if (byte < 0)
			return false;
		lu_buf_putc(out, (char)byte);
	}
	return true;
}

static bool is_byte_piece(const struct lu_tok *tok, struct lu_str piece)
{
	if (tok->parts.byte_level) {
		const char *p = piece.p;

		return piece.n && lu_char_byte(lu_utf8_next(&p)) >= 0 && p == piece.p + piece.n;
	}
	return tok->bpe.byte_fallback && lu_show_byte(piece) >= 0;
}

int lu_dead_byte_pieces(const struct lu_tok *tok, bool *is, struct lu_err *err)
{
	struct lu_buf bytes = { 0 };

	for (uint32_t id = 0; id < lu_tok_size(tok); id++) {
		struct lu_str piece = lu_tok_piece(tok, id);

		lu_buf_clear(&bytes);
		is[id] = false;
		if (!piece.p || id >= tok->bpe.size)
			continue;
		if (!tok->parts.byte_level)
			is[id] = is_byte_piece(tok, piece);
		else if (meaning(tok, piece, &bytes))
			is[id] = lu_utf8_valid(lu_buf_slice(&bytes).p, bytes.n) != bytes.n;
	}
	if (lu_buf_check(&bytes, err) < 0) {
		lu_buf_release(&bytes);
		return -1;
	}
	lu_buf_release(&bytes);
	return 0;
}

/* <unused5>, <|reserved|>, [unused5] */
static bool in_brackets(struct lu_str s)
{
	return s.n > 2 &&
			((s.p[0] == '<' && s.p[s.n - 1] == '>') ||
					(s.p[0] == '[' && s.p[s.n - 1] == ']'));
}

/* --- texts that may give a piece ---------------------------------------------------------- */

#define BASES 5
#define AROUND 12

struct probe {
	const struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_bpe model; /* the file's, without ignore_merges */
	struct lu_bpe_state bpe;
	struct lu_ids ids;
	struct lu_buf text, bytes, form, beside;
	struct lu_buf base[BASES];
	const char *before[AROUND], *after[AROUND];
	size_t befores, afters;
};

/* Characters of several kinds; those without a piece keep what is beside them as it is. */
static const char *const loners[] = { "一", "\xEE\x80\x80", "☃", "ก", "\xF0\x9F\x98\x80", "①",
	"Ж" };

static int probe_start(struct probe *p, const struct lu_tok *tok, struct lu_err *err)
{
	static const char *const before[] = { "", "a", " ", "a ", ".", "0", "\n", "-" };
	static const char *const after[] = { "", " ", "a", " a", ".", "0", "\n", "-" };
	size_t alone = 0;

	p->tok = tok;
	p->st = lu_tok_state_new(tok);
	p->model = tok->bpe;
	p->model.ignore_merges = false;
	if (!p->st)
		return lu_err_nomem(err);
	p->before[p->befores++] = p->after[p->afters++] = "";
	for (size_t i = 0; i < sizeof(loners) / sizeof(loners[0]) && alone < 4; i++) {
		uint32_t id;

		if (tok->parts.byte_level || lu_tok_id(tok, lu_str_of(loners[i]), &id))
			continue;
		p->before[p->befores++] = p->after[p->afters++] = loners[i];
		alone++;
	}
	for (size_t i = 1; i < sizeof(before) / sizeof(before[0]); i++) {
		p->before[p->befores++] = before[i];
		p->after[p->afters++] = after[i];
	}
	return lu_bpe_state_init(&p->bpe, err);
}

static void probe_end(struct probe *p)
{
	lu_tok_state_free(p->st);
	lu_bpe_state_release(&p->bpe);
	lu_ids_release(&p->ids);
	lu_buf_release(&p->text);
	lu_buf_release(&p->bytes);
	lu_buf_release(&p->form);
	lu_buf_release(&p->beside);
	for (size_t i = 0; i < BASES; i++)
		lu_buf_release(&p->base[i]);
}

/* Whether the ids of p->text hold `id`: 1, 0, -1. */
static int gives(struct probe *p, uint32_t id, struct lu_err *err)
{
	p->ids.n = 0;
	if (lu_buf_check(&p->text, err) < 0 ||
			lu_tok_encode(p->tok, p->st, lu_buf_slice(&p->text), LU_TOK_SPECIAL_TEXT,
					&p->ids, err) < 0)
		return -1;
	for (size_t i = 0; i < p->ids.n; i++) {
		if (p->ids.p[i] == id)
			return 1;
	}
	return 0;
}

/* `s` with each `from` replaced, appended. */
static void replaced(struct lu_buf *out, struct lu_str s, struct lu_str from, struct lu_str to)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *at = memmem(p, (size_t)(end - p), from.p, from.n);

		lu_buf_append(out, p, (size_t)((at ? at : end) - p));
		p = at ? at + from.n : end;
		if (at)
			lu_buf_str(out, to);
	}
}

/* The text before the normalizer and Metaspace: what they put for one character or string is
 * undone, the last step first. */
static void undo(struct probe *p, struct lu_str piece, struct lu_buf *out)
{
	const struct lu_parts *parts = &p->tok->parts;
	struct lu_buf *other = &p->form;

	lu_buf_clear(out);
	lu_buf_str(out, piece);
	for (size_t i = parts->pres + parts->norms; i-- > 0;) {
		struct lu_str from, to = { NULL, 0 };
		char utf8[4];
		struct lu_buf swap;

		if (i >= parts->norms) {
			const struct lu_pre_op *op = &parts->pre[i - parts->norms];

			if (op->kind != LU_PRE_METASPACE)
				continue;
			from = op->text;
			to = LU_STR(" ");
		} else {
			const struct lu_norm_op *op = &parts->norm[i];

			if (op->kind != LU_NORM_REPLACE || op->pattern.look || op->content.n == 0)
				continue;
			from = op->content;
			to = op->pattern.lit;
			if (to.n == 0 && op->pattern.set.n)
				to = (struct lu_str){ utf8,
					lu_utf8_put(op->pattern.set.c[0], utf8) };
			if (to.n == 0)
				continue;
		}
		lu_buf_clear(other);
		replaced(other, lu_buf_slice(out), from, to);
		swap = *out;
		*out = *other;
		*other = swap;
	}
}

/* The texts to try: each once. */
static int make_bases(struct probe *p, uint32_t id, size_t *bases, struct lu_err *err)
{
	for (size_t i = 0; i < BASES; i++)
		lu_buf_clear(&p->base[i]);
	lu_buf_str(&p->base[0], lu_buf_slice(&p->bytes));
	undo(p, lu_buf_slice(&p->bytes), &p->base[1]);
	/* A prefix that the normalizer puts there again. */
	if (p->base[1].n && p->base[1].p[0] == ' ')
		lu_buf_append(&p->base[2], p->base[1].p + 1, p->base[1].n - 1);
	/* Twice: the first may merge with what the normalizer puts before it. */
	lu_buf_str(&p->base[4], lu_buf_slice(&p->base[1]));
	lu_buf_str(&p->base[4], lu_buf_slice(&p->base[1]));
	if (lu_tok_decode(p->tok, p->st, &id, 1, 0, &p->base[3], NULL, err) < 0)
		return -1;
	*bases = 0;
	for (size_t i = 0; i < BASES; i++) {
		struct lu_buf swap = p->base[i];
		bool known = !lu_buf_ok(&swap) || swap.n == 0 ||
				lu_utf8_valid(swap.p, swap.n) != swap.n;

		if (lu_buf_check(&swap, err) < 0)
			return -1;
		for (size_t k = 0; k < *bases && !known; k++)
			known = lu_str_eq(lu_buf_slice(&p->base[k]), lu_buf_slice(&swap));
		if (known)
			continue;
		p->base[i] = p->base[*bases];
		p->base[(*bases)++] = swap;
	}
	return 0;
}

/* 1 when a text was found, 0 when not, -1. Plain surroundings first: nearly all pieces are found
 * at once. */
static int try_texts(struct probe *p, uint32_t id, struct lu_err *err)
{
	size_t bases;

	if (make_bases(p, id, &bases, err) < 0)
		return -1;
	for (size_t a = 0; a < p->afters; a++) {
		for (size_t b = 0; b < p->befores; b++) {
			for (size_t i = 0; i < bases; i++) {
				int rc;

				lu_buf_clear(&p->text);
				lu_buf_puts(&p->text, p->before[b]);
				lu_buf_str(&p->text, lu_buf_slice(&p->base[i]));
				lu_buf_puts(&p->text, p->after[a]);
				rc = gives(p, id, err);
				if (rc)
					return rc;
			}
		}
	}
	return 0;
}

/* --- pieces that are not whole characters ------------------------------------------------- */

#define TRIES 2048	/* texts for one such piece */
#define NEIGHBOURS 64	/* pieces beside it, when that gave nothing */
#define BESIDE_TRIES 64 /* and texts for each */

static size_t continuations(struct lu_str s)
{
	size_t n = 0;

	while (n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* How many continuation bytes follow a first byte; 0 when it is none, or ASCII. */
static size_t follow(char c)
{
	unsigned char b = (unsigned char)c;

	if (b < 0xC2 || b > 0xF4)
		return 0;
	return b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
}

/* What is missing around bytes that are no valid UTF-8 by themselves: a first byte and
 * continuation bytes before, continuation bytes after. */
struct shape {
	size_t lead; /* continuation bytes at the start */
	size_t tail; /* missing at the end; when all are continuation bytes this is not known */
	bool only;   /* all are continuation bytes */
};

/* The i-th of the spread: `head` bytes before and `tail` bytes after. 10007 is prime to the number
 * of combinations, 51 * 64^n, so all of them come once. */
static void complete(uint64_t i, uint64_t all, size_t head, size_t tail, struct lu_str s,
		struct lu_buf *out)
{
	uint64_t k = i * 10007 % all;

	for (size_t n = 0; n < head; n++) {
		uint64_t base = n == 0 ? 51 : 64;

		lu_buf_putc(out, (char)((n == 0 ? 0xC2 : 0x80) + k % base));
		k /= base;
	}
	lu_buf_str(out, s);
	for (size_t n = 0; n < tail; n++, k /= 64)
		lu_buf_putc(out, (char)(0x80 + k % 64));
}

static uint64_t combinations(size_t head, size_t tail)
{
	return (head ? 51 : 1) * (UINT64_C(1) << (6 * ((head ? head - 1 : 0) + tail)));
}

/* False: no valid UTF-8 holds these bytes in a row. */
static bool shape_of(struct lu_str s, struct lu_buf *scratch, struct shape *to)
{
	struct lu_str rest;
	size_t valid;
	uint64_t all;

	*to = (struct shape){ .lead = continuations(s) };
	to->only = to->lead == s.n;
	if (to->lead > 3 || to->only)
		return to->lead <= 3;
	rest = (struct lu_str){ s.p + to->lead, s.n - to->lead };
	valid = lu_utf8_valid(rest.p, rest.n);
	rest = (struct lu_str){ rest.p + valid, rest.n - valid };
	if (rest.n == 0)
		return true;
	to->tail = follow(rest.p[0]) + 1;
	if (to->tail <= rest.n ||
			continuations((struct lu_str){ rest.p + 1, rest.n - 1 }) != rest.n - 1)
		return false;
	to->tail -= rest.n;
	all = combinations(0, to->tail);
	for (uint64_t i = 0; i < all; i++) {
		lu_buf_clear(scratch);
		complete(i, all, 0, to->tail, rest, scratch);
		if (lu_utf8_valid(lu_buf_slice(scratch).p, scratch->n) == scratch->n)
			return true;
	}
	return false;
}

/* Texts around the bytes `s`; they do not lie in a buffer of p but p->bytes or p->beside. */
static int try_completed(struct probe *p, uint32_t id, struct lu_str s, size_t head, size_t tail,
		unsigned most, struct lu_err *err)
{
	static const char *const before[] = { "", " ", "a" };
	uint64_t all = combinations(head, tail);
	unsigned tries = 0;

	for (uint64_t i = 0; i < all && tries < most; i++) {
		struct lu_buf *b = &p->base[0];

		lu_buf_clear(b);
		complete(i, all, head, tail, s, b);
		if (lu_utf8_valid(lu_buf_slice(b).p, b->n) != b->n)
			continue;
		for (size_t k = 0; k < 3; k++, tries++) {
			int rc;

			lu_buf_clear(&p->text);
			lu_buf_puts(&p->text, before[k]);
			lu_buf_str(&p->text, lu_buf_slice(b));
			rc = gives(p, id, err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int try_parts(struct probe *p, uint32_t id, struct lu_str bytes, const struct shape *s,
		unsigned most, struct lu_err *err)
{
	size_t least = s->lead ? 1 : 0, largest = s->lead ? 4 - s->lead : 0;

	for (size_t head = least; head <= largest; head++) {
		size_t tails = s->only ? 4 - s->lead - head : s->tail;

		for (size_t tail = s->only ? 0 : s->tail; tail <= tails; tail++) {
			int rc = try_completed(p, id, bytes, head, tail, most, err);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Whether the pieces can stand side by side in a result, into p->beside: 1, 0, -1. */
static int can_meet(struct probe *p, uint32_t left, uint32_t right, struct lu_err *err)
{
	lu_buf_clear(&p->beside);
	if (!meaning(p->tok, lu_tok_piece(p->tok, left), &p->beside) ||
			!meaning(p->tok, lu_tok_piece(p->tok, right), &p->beside))
		return 0;
	p->ids.n = 0;
	if (lu_buf_check(&p->beside, err) < 0 ||
			lu_bpe_word(&p->model, &p->bpe, lu_buf_slice(&p->beside), &p->ids, err) < 0)
		return -1;
	return p->ids.n == 2 && p->ids.p[0] == left && p->ids.p[1] == right;
}

/*
 * A piece that ends inside a character has another one after it, and one that begins inside has
 * one before it. Tries texts with those that can stand there: 1 when one gives the piece, 0, -1.
 * *lonely: there is none that can, on one of the sides where one has to.
 */
static int try_beside(struct probe *p, uint32_t id, const struct shape *s, bool *lonely,
		struct lu_err *err)
{
	bool needed[2] = { s->lead > 0, s->tail > 0 && !s->only };
	unsigned met[2] = { 0, 0 };

	for (uint32_t other = 0; other < p->model.size; other++) {
		struct lu_str piece = lu_tok_piece(p->tok, other);

		lu_buf_clear(&p->form);
		if (!piece.p || !meaning(p->tok, piece, &p->form) || p->form.n == 0)
			continue;
		for (int after = 0; after < 2; after++) {
			unsigned char c = (unsigned char)p->form.p[after ? 0 : p->form.n - 1];
			struct shape both;
			int rc;

			if (!needed[after] || met[after] == NEIGHBOURS || c < 0x80 ||
					(after && c >= 0xC0))
				continue;
			rc = after ? can_meet(p, id, other, err) : can_meet(p, other, id, err);
			met[after] += rc > 0;
			if (rc > 0 && shape_of(lu_buf_slice(&p->beside), &p->text, &both))
				rc = try_parts(p, id, lu_buf_slice(&p->beside), &both, BESIDE_TRIES,
						err);
			else if (rc > 0)
				rc = 0;
			if (rc)
				return rc;
			/* The form may have been written over. */
			lu_buf_clear(&p->form);
			meaning(p->tok, piece, &p->form);
		}
	}
	*lonely = (needed[0] && !met[0]) || (needed[1] && !met[1]);
	return lu_buf_check(&p->form, err);
}

/* --- one piece ---------------------------------------------------------------------------- */

/* Whether the model makes the piece of its own units. */
static int merges(struct probe *p, uint32_t id, struct lu_err *err)
{
	p->ids.n = 0;
	if (lu_bpe_word(&p->model, &p->bpe, lu_buf_slice(&p->bytes), &p->ids, err) < 0)
		return -1;
	return p->ids.n == 1 && p->ids.p[0] == id;
}

/* For a piece that no text has given yet. */
static int find_reason(struct probe *p, struct lu_dead_piece *to, bool whole, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&p->bytes);
	bool bytes_merge = p->tok->bpe.byte_fallback && memmem(s.p, s.n, "<0x", 3);
	int rc = merges(p, to->id, err);

	to->why = LU_DEAD_NOT_FOUND;
	if (rc < 0)
		return -1;
	/* With ignore_merges a word that is a piece needs no merges; and byte tokens may merge
	 * into a piece whose text is their names. */
	if (rc == 0 && !p->tok->bpe.ignore_merges && !bytes_merge)
		to->why = LU_DEAD_MERGES;
	if (bytes_merge)
		return 0;
	if (!whole)
		return 0;
	rc = lu_never_normal(p->tok, s, to->c, err);
	if (rc < 0)
		return -1;
	if (rc)
		to->why = LU_DEAD_NORMALIZER;
	if (rc || to->why != LU_DEAD_NOT_FOUND)
		return 0;
	rc = lu_always_cut(p->tok, s, err);
	if (rc > 0)
		to->why = LU_DEAD_CUT;
	return rc < 0 ? -1 : 0;
}

static int add(struct lu_dead *d, const struct lu_dead_piece *piece, struct lu_err *err)
{
	if (d->pieces == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct lu_dead_piece *p = realloc(d->piece, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(err);
		d->piece = p;
		d->cap = cap;
	}
	d->piece[d->pieces++] = *piece;
	d->why[piece->why]++;
	return 0;
}

/* Whether every byte of a byte-level file has a piece. */
static bool all_bytes(const struct lu_tok *tok)
{
	for (unsigned b = 0; b < 256; b++) {
		char utf8[4];
		uint32_t id;

		if (!lu_tok_id(tok, (struct lu_str){ utf8, lu_utf8_put(lu_byte_char(b), utf8) },
				    &id))
			return false;
	}
	return true;
}

static int look_at(struct lu_dead *d, struct probe *p, uint32_t id, struct lu_err *err)
{
	struct lu_dead_piece to = { .id = id };
	struct lu_str piece = lu_tok_piece(p->tok, id);
	struct shape shape;
	bool whole, lonely = false;
	int rc;

	lu_buf_clear(&p->bytes);
	if (!meaning(p->tok, piece, &p->bytes)) {
		to.why = LU_DEAD_MERGES;
	} else {
		whole = lu_utf8_valid(lu_buf_slice(&p->bytes).p, p->bytes.n) == p->bytes.n;
		if (lu_buf_check(&p->bytes, err) < 0)
			return -1;
		if (whole) {
			rc = try_texts(p, id, err);
		} else if (shape_of(lu_buf_slice(&p->bytes), &p->form, &shape)) {
			rc = try_parts(p, id, lu_buf_slice(&p->bytes), &shape, TRIES, err);
			if (rc == 0)
				rc = try_beside(p, id, &shape, &lonely, err);
		} else {
			to.why = LU_DEAD_UTF8;
			return add(d, &to, err);
		}
		if (rc > 0)
			d->live++;
		if (rc || find_reason(p, &to, whole, err) < 0)
			return rc > 0 ? 0 : -1;
	}
	/* Without all bytes an unknown one may stand beside it. */
	if (lonely && to.why == LU_DEAD_NOT_FOUND && all_bytes(p->tok))
		to.why = LU_DEAD_NEIGHBOURS;
	if (in_brackets(piece)) {
		d->reserved++;
		return 0;
	}
	return add(d, &to, err);
}

static int look_at_all(
		struct lu_dead *d, struct probe *p, const uint8_t *is_added, struct lu_err *err)
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
		} else if (is_byte_piece(tok, piece)) {
			d->bytes++;
		} else if (look_at(d, p, id, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int lu_dead_find(struct lu_dead *d, const struct lu_tok *tok, struct lu_err *err)
{
	uint8_t *is_added = calloc(lu_tok_size(tok) + (size_t)1, 1);
	struct probe *p = calloc(1, sizeof(*p));
	int rc = -1;

	if (!is_added || !p) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < tok->n_added; i++)
		is_added[tok->added[i].id] = 1;
	if (probe_start(p, tok, err) == 0)
		rc = look_at_all(d, p, is_added, err);
	probe_end(p);
out:
	free(p);
	free(is_added);
	return rc;
}

void lu_dead_release(struct lu_dead *d)
{
	free(d->piece);
	*d = (struct lu_dead){ 0 };
}

/* --- telling ------------------------------------------------------------------------------ */

static const char *const whys[LU_DEAD_WHYS] = { "utf-8", "normalizer", "merges", "neighbours",
	"cut", "not found" };

static uint32_t dead(const struct lu_dead *d)
{
	return (uint32_t)d->pieces - d->why[LU_DEAD_NOT_FOUND];
}

void lu_dead_text(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *b)
{
	lu_buf_printf(b, "%s: %" PRIu32 " pieces are live, %" PRIu32 " dead", file, d->live,
			dead(d));
	if (d->why[LU_DEAD_NOT_FOUND])
		lu_buf_printf(b, ", of %" PRIu32 " nothing is known", d->why[LU_DEAD_NOT_FOUND]);
	lu_buf_printf(b,
			"\napart: %" PRIu32 " added tokens (%" PRIu32 " special), %" PRIu32
			" of bytes, %" PRIu32 " reserved",
			d->added, d->special, d->bytes, d->reserved);
	lu_buf_puts(b, d->unknown ? ", the unknown token\n" : "\n");
	for (int k = 0; k < LU_DEAD_WHYS; k++) {
		if (d->why[k])
			lu_buf_printf(b, "%-10s  %7" PRIu32 "\n", whys[k], d->why[k]);
	}
	for (size_t i = 0; i < d->pieces; i++) {
		const struct lu_dead_piece *p = &d->piece[i];

		lu_buf_printf(b, "%-10s  %7" PRIu32 "  ", whys[p->why], p->id);
		lu_show(b, lu_tok_piece(tok, p->id));
		for (int k = 0; k < 2 && p->c[k]; k++)
			lu_buf_printf(b, k ? " U+%04" PRIX32 : "  U+%04" PRIX32, p->c[k]);
		lu_buf_putc(b, '\n');
	}
}

void lu_dead_json(const struct lu_dead *d, const struct lu_tok *tok, const char *file,
		struct lu_buf *b)
{
	lu_buf_puts(b, "{\"tokenizer\":");
	lu_json_quote(b, lu_str_of(file));
	lu_buf_printf(b,
			",\"live\":%" PRIu32 ",\"added\":%" PRIu32 ",\"special\":%" PRIu32
			",\"unknown\":%" PRIu32 ",\"bytes\":%" PRIu32 ",\"reserved\":%" PRIu32
			",\"dead\":%" PRIu32 ",\"not_found\":%" PRIu32 ",\"pieces\":[",
			d->live, d->added, d->special, d->unknown, d->bytes, d->reserved, dead(d),
			d->why[LU_DEAD_NOT_FOUND]);
	for (size_t i = 0; i < d->pieces; i++) {
		const struct lu_dead_piece *p = &d->piece[i];

		lu_buf_printf(b, "%s{\"id\":%" PRIu32 ",\"piece\":", i ? "," : "", p->id);
		lu_json_quote(b, lu_tok_piece(tok, p->id));
		lu_buf_printf(b, ",\"reason\":\"%s\"", whys[p->why]);
		if (p->c[0])
			lu_buf_printf(b, ",\"characters\":[%" PRIu32, p->c[0]);
		if (p->c[1])
			lu_buf_printf(b, ",%" PRIu32, p->c[1]);
		lu_buf_puts(b, p->c[0] ? "]}" : "}");
	}
	lu_buf_puts(b, "]}");
}
