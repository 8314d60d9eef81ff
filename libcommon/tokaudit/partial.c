#include "libcommon/tokaudit/partial.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/piece_bytes.h"

#define MAX_TEXTS 2048	       /* for one piece, completed by bytes */
#define MAX_NEIGHBOURS 64      /* adjacent pieces tried on one side */
#define MAX_NEIGHBOUR_TEXTS 64 /* for each of them */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t leading_continuations(struct lu_str s)
{
	size_t n = 0;

	while (n < s.n && is_continuation(s.p[n]))
		n++;
	return n;
}

/* Continuation bytes that follow a first byte; 0 if it is ASCII or no first byte. */
static size_t continuations_after(char c)
{
	unsigned char b = (unsigned char)c;

	if (b < 0xC2 || b > 0xF4)
		return 0;
	return b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
}

/* --- completion by bytes ------------------------------------------------------------------ */

/* Number of ways to put a first byte and continuation bytes, `head` bytes in all, before a string,
 * and `tail` continuation bytes after it. */
static uint64_t completions(size_t head, size_t tail)
{
	return (head ? 51 : 1) * (UINT64_C(1) << (6 * ((head ? head - 1 : 0) + tail)));
}

/* Append the i-th completion of s. They are visited in steps of 10007, which spreads a few tries
 * over all and is coprime to their number, 51 * 64^n, so that each comes once. */
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

/* True if some `tail` continuation bytes make the start of a character valid. */
static bool can_complete(struct lu_str start, size_t tail, struct lu_buf *scratch)
{
	uint64_t all = completions(0, tail);

	for (uint64_t i = 0; i < all; i++) {
		lu_buf_clear(scratch);
		complete(i, all, 0, tail, start, scratch);
		if (lu_utf8_valid(lu_buf_slice(scratch).p, scratch->n) == scratch->n)
			return true;
	}
	return false;
}

bool lu_partial_parse(struct lu_str s, struct lu_buf *scratch, struct lu_partial *out)
{
	struct lu_str rest;
	size_t valid;

	*out = (struct lu_partial){ .lead = leading_continuations(s) };
	out->only_continuation = out->lead == s.n;
	if (out->lead > 3 || out->only_continuation)
		return out->lead <= 3;
	rest = (struct lu_str){ s.p + out->lead, s.n - out->lead };
	valid = lu_utf8_valid(rest.p, rest.n);
	rest = (struct lu_str){ rest.p + valid, rest.n - valid };
	if (rest.n == 0)
		return true;
	out->tail = continuations_after(rest.p[0]) + 1;
	if (out->tail <= rest.n ||
			leading_continuations((struct lu_str){ rest.p + 1, rest.n - 1 }) !=
					rest.n - 1)
		return false;
	out->tail -= rest.n;
	return can_complete(rest, out->tail, scratch);
}

/* Probe with completions of s, at most `max` texts. s must not lie in a buffer that is written
 * here: p->bytes and p->joined are not. */
static int probe_completions(struct lu_probe *p, uint32_t id, struct lu_str s, size_t head,
		size_t tail, unsigned max, struct lu_err *err)
{
	static const char *const before[] = { "", " ", "a" };
	uint64_t all = completions(head, tail);
	struct lu_buf *b = &p->scratch;
	unsigned tries = 0;

	for (uint64_t i = 0; i < all && tries < max; i++) {
		lu_buf_clear(b);
		complete(i, all, head, tail, s, b);
		if (lu_utf8_valid(lu_buf_slice(b).p, b->n) != b->n)
			continue;
		for (size_t k = 0; k < 3; k++, tries++) {
			int rc;

			lu_buf_clear(&p->text);
			lu_buf_puts(&p->text, before[k]);
			lu_buf_str(&p->text, lu_buf_slice(b));
			rc = lu_probe_text(p, id, err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Probe with completions of all lengths that s needs. */
static int probe_completed(struct lu_probe *p, uint32_t id, struct lu_str s,
		const struct lu_partial *partial, unsigned max, struct lu_err *err)
{
	size_t min_head = partial->lead ? 1 : 0, max_head = partial->lead ? 4 - partial->lead : 0;

	for (size_t head = min_head; head <= max_head; head++) {
		bool only = partial->only_continuation;
		size_t min_tail = only ? 0 : partial->tail;
		size_t max_tail = only ? 4 - partial->lead - head : partial->tail;

		for (size_t tail = min_tail; tail <= max_tail; tail++) {
			int rc = probe_completions(p, id, s, head, tail, max, err);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* --- completion by adjacent pieces -------------------------------------------------------- */

/* Join the bytes of two pieces in p->joined. 1 if they can be adjacent in a result: if merging
 * both together gives these two; 0; -1. */
static int can_be_adjacent(struct lu_probe *p, uint32_t left, uint32_t right, struct lu_err *err)
{
	lu_buf_clear(&p->joined);
	if (!lu_piece_bytes(p->tok, lu_tok_piece(p->tok, left), &p->joined) ||
			!lu_piece_bytes(p->tok, lu_tok_piece(p->tok, right), &p->joined))
		return 0;
	if (lu_buf_check(&p->joined, err) < 0 ||
			lu_probe_word(p, lu_buf_slice(&p->joined), err) < 0)
		return -1;
	return p->ids.n == 2 && p->ids.p[0] == left && p->ids.p[1] == right;
}

/* True if a piece starts (`after`) or ends with a byte that may continue the character. */
static bool is_neighbour(struct lu_str bytes, bool after)
{
	unsigned char c;

	if (bytes.n == 0)
		return false;
	c = (unsigned char)bytes.p[after ? 0 : bytes.n - 1];
	return c >= 0x80 && (!after || c < 0xC0);
}

/* Probe with one more piece on the given side. *adjacent is incremented if it can be there. */
static int probe_neighbour(struct lu_probe *p, uint32_t id, uint32_t other, bool after,
		unsigned *adjacent, struct lu_err *err)
{
	struct lu_partial both;
	int rc = after ? can_be_adjacent(p, id, other, err) : can_be_adjacent(p, other, id, err);

	if (rc <= 0)
		return rc;
	++*adjacent;
	if (!lu_partial_parse(lu_buf_slice(&p->joined), &p->scratch, &both))
		return 0;
	return probe_completed(p, id, lu_buf_slice(&p->joined), &both, MAX_NEIGHBOUR_TEXTS, err);
}

static int probe_neighbours(struct lu_probe *p, uint32_t id, const struct lu_partial *partial,
		bool *isolated, struct lu_err *err)
{
	bool needed[2] = { partial->lead > 0, partial->tail > 0 && !partial->only_continuation };
	unsigned adjacent[2] = { 0, 0 };

	for (uint32_t other = 0; other < p->model.size; other++) {
		struct lu_str piece = lu_tok_piece(p->tok, other);
		bool fits[2];

		lu_buf_clear(&p->scratch);
		if (!piece.p || !lu_piece_bytes(p->tok, piece, &p->scratch))
			continue;
		if (lu_buf_check(&p->scratch, err) < 0)
			return -1;
		fits[0] = is_neighbour(lu_buf_slice(&p->scratch), false);
		fits[1] = is_neighbour(lu_buf_slice(&p->scratch), true);
		for (int after = 0; after < 2; after++) {
			int rc;

			if (!needed[after] || !fits[after] || adjacent[after] == MAX_NEIGHBOURS)
				continue;
			rc = probe_neighbour(p, id, other, after, &adjacent[after], err);
			if (rc)
				return rc;
		}
	}
	*isolated = (needed[0] && !adjacent[0]) || (needed[1] && !adjacent[1]);
	return 0;
}

int lu_partial_probe(struct lu_probe *p, uint32_t id, const struct lu_partial *partial,
		bool *isolated, struct lu_err *err)
{
	int rc = probe_completed(p, id, lu_buf_slice(&p->bytes), partial, MAX_TEXTS, err);

	*isolated = false;
	return rc ? rc : probe_neighbours(p, id, partial, isolated, err);
}
