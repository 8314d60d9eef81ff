/* From text to ids: added tokens, then normalizer, pre-tokenizer and model on what is between. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

struct lu_tok_state *lu_tok_state_new(const struct lu_tok *tok)
{
	struct lu_tok_state *st = calloc(1, sizeof(*st));
	struct lu_err err;

	if (!st)
		return NULL;
	st->tok = tok;
	st->block = 16384;
	if (lu_bpe_state_init(&st->bpe, &err) < 0) {
		free(st);
		return NULL;
	}
	return st;
}

void lu_tok_state_free(struct lu_tok_state *st)
{
	if (!st)
		return;
	lu_work_release(&st->work);
	lu_bpe_state_release(&st->bpe);
	lu_buf_release(&st->units);
	lu_buf_release(&st->text);
	lu_buf_release(&st->text2);
	free(st->parts.p);
	free(st->parts2.p);
	lu_ids_release(&st->held);
	lu_spell_state_release(&st->spell);
	free(st);
}

/* What one call of encode carries through. */
struct job {
	const struct lu_tok *t;
	struct lu_tok_state *st;
	enum lu_tok_special special;
	struct lu_ids *ids;
	struct lu_err *err;
	unsigned state; /* of the normalizer, where a stretch begins */
	int (*between)(struct job *job, struct lu_str text, bool first);
};

static int push(struct job *job, uint32_t id)
{
	if (lu_ids_reserve(job->ids, 1, job->err) < 0)
		return -1;
	job->ids->p[job->ids->n++] = id;
	return 0;
}

/* --- block by block ----------------------------------------------------------------------- */

static const char *char_start(const char *p, const char *least)
{
	while (p > least && ((unsigned char)*p & 0xC0) == 0x80)
		p--;
	return p;
}

/* How much of the text can be normalised by itself: about a block. */
static size_t block_size(const struct lu_tok *t, size_t block, struct lu_str text)
{
	enum lu_normal_form form = (enum lu_normal_form)t->parts.pass->form;
	const char *end = text.p + text.n, *p, *q;

	if (text.n <= block)
		return text.n;
	p = char_start(text.p + block, text.p);
	if (t->parts.pass->form < 0)
		return (size_t)(p - text.p);
	for (; p > text.p; p = char_start(p - 1, text.p)) {
		q = p;
		if (lu_frozen_is_plain(t->uni, form, lu_utf8_next(&q)))
			return (size_t)(p - text.p);
	}
	/* A whole block of combining marks: on to the end of them. */
	for (p = char_start(text.p + block, text.p); p < end; p = q) {
		q = p;
		if (lu_frozen_is_plain(t->uni, form, lu_utf8_next(&q)))
			break;
	}
	return (size_t)(p - text.p);
}

/* Appends what a block becomes to st->units. */
static int normalise_block(struct job *job, struct lu_str block, bool marked, unsigned *state)
{
	const struct lu_pass *pass = job->t->parts.pass;
	const struct lu_frozen_unicode *u = job->t->uni;
	struct lu_tok_state *st = job->st;

	if (lu_pass_form(pass, u, &st->work.a, &block, job->err) < 0)
		return -1;
	if (pass->none)
		lu_buf_str(&st->units, block);
	else
		lu_pass_run(pass, u, marked, state, block, &st->units);
	lu_buf_reserve(&st->units, LU_BPE_PAD);
	return lu_buf_check(&st->units, job->err);
}

static void forget(struct lu_buf *b, size_t n)
{
	if (n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

/* Without pre-tokenizer: the text is one word, which arrives block by block. */
static int encode_stream(struct job *job, struct lu_str text, unsigned state)
{
	const struct lu_tok *t = job->t;
	struct lu_tok_state *st = job->st;
	struct lu_bpe_scan scan = { 0, 0 };

	lu_buf_clear(&st->units);
	while (text.n) {
		size_t n = block_size(t, st->block, text), used;

		if (normalise_block(job, (struct lu_str){ text.p, n }, !t->bpe.ignore_merges,
				    &state) < 0)
			return -1;
		text = (struct lu_str){ text.p + n, text.n - n };
		if (lu_bpe_stream(&t->bpe, &st->bpe, &scan, lu_buf_slice(&st->units), text.n == 0,
				    &used, job->ids, job->err) < 0)
			return -1;
		forget(&st->units, used);
	}
	return 0;
}

static bool is_ascii_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/*
 * The last place in s where every pre-tokenizer of a file with t->blocks cuts, whatever stands
 * before and behind: between a letter and a single space before a letter; 0 when there is none.
 * `from`: none was found before it.
 */
static size_t word_border(struct lu_str s, size_t from)
{
	for (size_t i = s.n > 2 ? s.n - 2 : 0; i > from; i--) {
		if (s.p[i] == ' ' && is_ascii_letter(s.p[i - 1]) && is_ascii_letter(s.p[i + 1]))
			return i;
	}
	return 0;
}

/* A normalised stretch without added tokens, in a buffer with LU_BPE_PAD bytes behind. */
static int encode_words(struct job *job, struct lu_str text, bool first)
{
	const struct lu_tok *t = job->t;
	struct lu_bpe_state *bpe = &job->st->bpe;
	struct lu_work *w = &job->st->work;

	for (size_t n; t->regex != LU_SPLIT_NONE && text.n; text.p += n, text.n -= n) {
		n = lu_split_regex_match(t->regex, t->uni, text.p, text.p + text.n);
		if (lu_bpe_push(&t->bpe, bpe, (struct lu_str){ text.p, n }, job->ids, job->err) < 0)
			return -1;
	}
	if (t->regex != LU_SPLIT_NONE)
		return lu_bpe_flush(&t->bpe, bpe, job->ids, job->err);
	if (lu_pre_run(&t->parts, t->uni, w, text, first, &text, job->err) < 0)
		return -1;
	for (size_t i = 0; i < w->spans.n; i++) {
		struct lu_str word = { text.p + w->spans.p[i].at, w->spans.p[i].n };

		if (lu_bpe_push(&t->bpe, bpe, word, job->ids, job->err) < 0)
			return -1;
	}
	return lu_bpe_flush(&t->bpe, bpe, job->ids, job->err);
}

/* With a pre-tokenizer: as much as ends at a border is cut into words. */
static int encode_blocks(struct job *job, struct lu_str text, unsigned state, bool first)
{
	const struct lu_tok *t = job->t;
	struct lu_tok_state *st = job->st;
	struct lu_buf *units = &st->units;
	size_t looked = 0;

	lu_buf_clear(units);
	while (text.n) {
		size_t n = block_size(t, st->block, text), border;

		if (normalise_block(job, (struct lu_str){ text.p, n }, false, &state) < 0)
			return -1;
		text = (struct lu_str){ text.p + n, text.n - n };
		border = text.n == 0	    ? units->n
				: t->blocks ? word_border(lu_buf_slice(units), looked)
					    : 0;
		looked = units->n > 2 ? units->n - 2 : 0;
		if (border == 0)
			continue;
		if (encode_words(job, (struct lu_str){ units->p, border }, first) < 0)
			return -1;
		forget(units, border);
		looked = 0;
		first = false;
	}
	return 0;
}

/* A normalised text that has not gone through the blocks. */
static int encode_normal(struct job *job, struct lu_str text, bool first)
{
	const struct lu_tok *t = job->t;
	struct lu_bpe_scan scan = { 0, 0 };
	struct lu_buf *units = &job->st->units;
	size_t used;

	lu_buf_clear(units);
	lu_buf_str(units, text);
	lu_buf_reserve(units, LU_BPE_PAD);
	if (lu_buf_check(units, job->err) < 0)
		return -1;
	if (t->parts.pres)
		return encode_words(job, lu_buf_slice(units), first);
	return lu_bpe_stream(&t->bpe, &job->st->bpe, &scan, lu_buf_slice(units), true, &used,
			job->ids, job->err);
}

/* --- added tokens ------------------------------------------------------------------------- */

/* Leftmost-longest: the longest token that begins at p. */
static const struct lu_added *token_at(const struct lu_tok *t, const struct lu_added_index *ix,
		const char *p, const char *end)
{
	unsigned lead = (unsigned char)*p;

	for (uint32_t i = ix->start[lead]; i < ix->start[lead + 1]; i++) {
		const struct lu_added *a = &t->added[ix->by_lead[i]];

		if ((size_t)(end - p) >= a->find.n && memcmp(p, a->find.p, a->find.n) == 0)
			return a;
	}
	return NULL;
}

/* The engine that Hugging Face asks here counts the two joiners as word characters, and not the
 * six numbers of Latin-1. */
static bool is_word(const struct lu_frozen_unicode *u, uint32_t c)
{
	return (lu_frozen_class(u, c) & LU_FROZEN_WORD_BRACKET) || c == 0x200C || c == 0x200D;
}

static const char *char_before(const char *p)
{
	do
		p--;
	while (((unsigned char)*p & 0xC0) == 0x80);
	return p;
}

static bool stands_alone(const struct lu_frozen_unicode *u, struct lu_str text, const char *from,
		const char *to)
{
	const char *p = from;

	if (from > text.p) {
		p = char_before(from);
		if (is_word(u, lu_utf8_next(&p)))
			return false;
	}
	p = to;
	return to == text.p + text.n || !is_word(u, lu_utf8_next(&p));
}

static const char *blanks_before(
		const struct lu_frozen_unicode *u, const char *from, const char *least)
{
	while (from > least) {
		const char *at = char_before(from), *p = at;

		if (at < least || !(lu_frozen_class(u, lu_utf8_next(&p)) & LU_FROZEN_SPACE))
			break;
		from = at;
	}
	return from;
}

static const char *blanks_after(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	while (p < end) {
		const char *q = p;

		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
		p = q;
	}
	return p;
}

/* Cuts the added tokens of `ix` out of text and passes the rest on. */
static int cut_added(
		struct job *job, const struct lu_added_index *ix, struct lu_str text, bool first)
{
	const struct lu_frozen_unicode *u = job->t->uni;
	const char *p = text.p, *end = text.p + text.n, *done = p;

	while (p < end) {
		const struct lu_added *a;
		const char *from, *to;

		if (ix->start[(unsigned char)*p] == ix->start[(unsigned char)*p + 1] ||
				!(a = token_at(job->t, ix, p, end))) {
			p++;
			continue;
		}
		from = p;
		to = p = p + a->find.n;
		if (a->special && job->special == LU_TOK_SPECIAL_ERROR)
			return 1;
		if ((a->special && job->special == LU_TOK_SPECIAL_TEXT) ||
				(a->single_word && !stands_alone(u, text, from, to)))
			continue;
		if (a->lstrip)
			from = from > done ? blanks_before(u, from, done) : done;
		if (a->rstrip)
			to = blanks_after(u, to > done ? to : done, end);
		/* The token before took blanks that this one is made of. */
		if (from >= to)
			continue;
		if (done < from) {
			int rc = job->between(job, (struct lu_str){ done, (size_t)(from - done) },
					first && done == text.p);

			if (rc)
				return rc;
		}
		if (push(job, a->id) < 0)
			return -1;
		job->state = LU_PASS_START;
		done = to;
	}
	if (done < end)
		return job->between(job, (struct lu_str){ done, (size_t)(end - done) },
				first && done == text.p);
	return 0;
}

/* Is there anything to search for? Special tokens that are text are not. */
static bool to_search(enum lu_tok_special special, const struct lu_added_index *ix)
{
	return special == LU_TOK_SPECIAL_TEXT ? ix->any_plain : ix->any;
}

/* A stretch between two added tokens that were found in the raw text. */
static int encode_raw(struct job *job, struct lu_str text, bool first)
{
	const struct lu_tok *t = job->t;
	struct lu_buf kept = { 0 };
	int rc;

	if (t->parts.pass->ok && !to_search(job->special, &t->normal)) {
		if (t->parts.pres)
			return encode_blocks(job, text, job->state, first);
		return encode_stream(job, text, job->state);
	}
	if (lu_norm_run(&t->parts, t->uni, &job->st->work, text, &text, job->err) < 0)
		return -1;
	if (!to_search(job->special, &t->normal))
		return encode_normal(job, text, first);
	/* The pieces are cut while the buffers are written again, so they need a copy. */
	lu_buf_str(&kept, text);
	rc = lu_buf_check(&kept, job->err);
	if (rc == 0) {
		job->between = encode_normal;
		rc = cut_added(job, &t->normal, lu_buf_slice(&kept), first);
		job->between = encode_raw;
	}
	lu_buf_release(&kept);
	return rc;
}

/* --- parts -------------------------------------------------------------------------------- */

/* What a single character becomes, and the state behind it. */
static bool image_of(const struct lu_tok *t, uint32_t c, unsigned *state, char *out, size_t *n)
{
	char utf8[4];
	struct lu_buf b = { 0 };
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

	if (t->parts.pass->none)
		lu_buf_str(&b, s);
	else
		lu_pass_run(t->parts.pass, t->uni, false, state, s, &b);
	*n = lu_buf_ok(&b) && b.n <= 64 ? b.n : 0;
	if (*n)
		memcpy(out, b.p, *n);
	lu_buf_release(&b);
	return *n > 0;
}

static uint32_t char_ending(struct lu_str text, size_t at)
{
	const char *p = char_start(text.p + at - 1, text.p);

	return lu_utf8_next(&p);
}

/* The state of the normalizer in the middle of a text, at a place that lu_tok_split() gave. */
static unsigned state_at(const struct lu_tok *t, struct lu_str text, size_t at)
{
	unsigned state = LU_PASS_INSIDE;
	char out[64];
	size_t n;

	image_of(t, char_ending(text, at), &state, out, &n);
	return state;
}

/* Is some added token that is searched for spelled across the place, or up to it? */
static bool inside_token(const struct lu_tok *t, struct lu_str text, size_t at)
{
	const struct lu_added_index *ix = &t->raw;

	for (size_t k = 1; k <= ix->longest && k <= at; k++) {
		const char *p = text.p + at - k;
		unsigned lead = (unsigned char)*p;

		for (uint32_t i = ix->start[lead]; i < ix->start[lead + 1]; i++) {
			struct lu_str a = t->added[ix->by_lead[i]].find;

			/* The longest come first. */
			if (a.n < k)
				break;
			if (text.n - (at - k) >= a.n && memcmp(p, a.p, a.n) == 0)
				return true;
		}
	}
	return false;
}

/* Does the normal form leave alone the character at the place, which may join with the next? */
static bool stays(const struct lu_tok *t, struct lu_str text, size_t at)
{
	enum lu_normal_form form = (enum lu_normal_form)t->parts.pass->form;
	const char *p = text.p + at;

	if (t->parts.pass->form < 0)
		return true;
	lu_utf8_next(&p);
	return p == text.p + text.n || lu_frozen_is_plain(t->uni, form, lu_utf8_next(&p));
}

/* Without pre-tokenizer: two characters that the normal form leaves alone and apart, and whose
 * images no merge can join. */
static bool apart(const struct lu_tok *t, uint32_t x, uint32_t y)
{
	const struct lu_pass *pass = t->parts.pass;
	enum lu_normal_form form = (enum lu_normal_form)pass->form;
	unsigned state = LU_PASS_INSIDE;
	const char *p, *q;
	char a[64], b[64];
	size_t n, m;

	if (pass->form >= 0 &&
			(!lu_frozen_is_plain(t->uni, form, x) ||
					!lu_frozen_is_plain(t->uni, form, y)))
		return false;
	if (!image_of(t, x, &state, a, &n) || !image_of(t, y, &state, b, &m))
		return false;
	p = char_start(a + n - 1, a);
	q = b;
	return lu_bpe_can_cut(
			&t->bpe, lu_bpe_unit(lu_utf8_next(&p)), lu_bpe_unit(lu_utf8_next(&q)));
}

/* With one: word_border(), in a text that the normalizer does not change there. */
static bool between_words(const struct lu_tok *t, struct lu_str text, size_t at)
{
	const char *p = text.p + at;
	unsigned state = LU_PASS_INSIDE;
	char out[64];
	size_t n;

	if (at + 1 >= text.n || *p != ' ' || !is_ascii_letter(p[-1]) || !is_ascii_letter(p[1]))
		return false;
	for (int i = -1; i < 2; i++) {
		if (!image_of(t, (unsigned char)p[i], &state, out, &n) || n != 1 || *out != p[i])
			return false;
	}
	return true;
}

size_t lu_tok_split(const struct lu_tok *t, struct lu_str text, size_t least,
		enum lu_tok_special special)
{
	bool words = t->parts.pres > 0, tokens = to_search(special, &t->raw);
	/* Characters that were found not to be apart: text that cannot be divided for long is
	 * mostly a few characters again and again. */
	uint64_t joined[64] = { 0 };

	if (!t->parts.pass->ok || to_search(special, &t->normal) ||
			(tokens && t->raw.looks_around) || (words ? !t->blocks : !t->bpe.cuts))
		return text.n;
	for (size_t at = least ? least : 1; at < text.n; at++) {
		const char *p = text.p + at;
		uint64_t pair;

		if (((unsigned char)*p & 0xC0) == 0x80)
			continue;
		if (words) {
			if (between_words(t, text, at) && !(tokens && inside_token(t, text, at)))
				return at;
			continue;
		}
		pair = (uint64_t)char_ending(text, at) << 32 | lu_utf8_next(&p);
		if (joined[pair * UINT64_C(0x9E3779B97F4A7C15) >> 58] == pair)
			continue;
		if (!apart(t, (uint32_t)(pair >> 32), (uint32_t)pair))
			joined[pair * UINT64_C(0x9E3779B97F4A7C15) >> 58] = pair;
		else if (stays(t, text, at) && !(tokens && inside_token(t, text, at)))
			return at;
	}
	return text.n;
}

int lu_tok_encode_part(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		size_t from, size_t to, enum lu_tok_special special, struct lu_ids *ids,
		struct lu_err *err)
{
	struct job job = { tok, st, special, ids, err, LU_PASS_START, encode_raw };
	struct lu_str part = { text.p + from, to - from };
	size_t before = ids->n;
	int rc;

	if (part.n == 0)
		return 0;
	if (from > 0)
		job.state = state_at(tok, text, from);
	rc = to_search(special, &tok->raw) ? cut_added(&job, &tok->raw, part, from == 0)
					   : encode_raw(&job, part, from == 0);
	if (rc)
		ids->n = before;
	return rc;
}

int lu_tok_encode(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		enum lu_tok_special special, struct lu_ids *ids, struct lu_err *err)
{
	return lu_tok_encode_part(tok, st, text, 0, text.n, special, ids, err);
}
