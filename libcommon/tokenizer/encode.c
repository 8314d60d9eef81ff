/* Text to ids: added tokens first, then normalizer, pre-tokenizer and model on the text between. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/split_ends.h"
#include "libcommon/tokenizer/normalizer.h"
#include "libcommon/tokenizer/pretokenizer.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

struct lu_tok_state *lu_tok_state_new(const struct lu_tok *tok)
{
	struct lu_tok_state *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->tok = tok;
	st->block = 16384;
	lu_bpe_state_init(&st->bpe);
	return st;
}

void lu_tok_state_free(struct lu_tok_state *st)
{
	if (!st)
		return;
	lu_step_buffers_release(&st->work);
	lu_bpe_state_release(&st->bpe);
	lu_buf_release(&st->units);
	lu_buf_release(&st->text);
	lu_buf_release(&st->new_text);
	lu_vec_release(&st->strings);
	lu_vec_release(&st->new_strings);
	lu_ids_release(&st->pending);
	lu_decode_state_release(&st->decode);
	free(st);
}

/* Per-call encoder context. */
struct encoder {
	const struct lu_tok *tok;
	struct lu_tok_state *st;
	enum lu_tok_special special;
	struct lu_ids *ids;
	struct lu_err *err;
	unsigned state; /* of the normalizer pass at the beginning of a stretch */
	/* Encodes a stretch of text between added tokens. */
	int (*encode_text)(struct encoder *enc, struct lu_str text, bool first);
	/* Of a guarded call: where its text begins, and its ids. */
	struct lu_tok_guard *guard;
	const char *begin;
	size_t before;
};

/* --- block by block ----------------------------------------------------------------------- */

/* The beginning of the character at p, which is at or after min. */
static const char *char_start(const char *p, const char *min)
{
	while (p > min && ((unsigned char)*p & 0xC0) == 0x80)
		p--;
	return p;
}

/* Length of a prefix of about one block that can be normalised on its own. */
static size_t block_size(const struct lu_tok *tok, size_t block, struct lu_str text)
{
	enum lu_normal_form form = (enum lu_normal_form)tok->components.pass->form;
	const char *end = text.p + text.n, *p, *q;

	if (text.n <= block)
		return text.n;
	p = char_start(text.p + block, text.p);
	if (tok->components.pass->form < 0)
		return (size_t)(p - text.p);
	for (; p > text.p; p = char_start(p - 1, text.p)) {
		q = p;
		if (lu_frozen_is_plain(tok->unicode, form, lu_utf8_next(&q)))
			return (size_t)(p - text.p);
	}
	/* A whole block of combining marks: take all of them. */
	for (p = char_start(text.p + block, text.p); p < end; p = q) {
		q = p;
		if (lu_frozen_is_plain(tok->unicode, form, lu_utf8_next(&q)))
			break;
	}
	return (size_t)(p - text.p);
}

/* Append the normalised block to st->units. */
static int normalize_block(struct encoder *enc, struct lu_str block, bool marked, unsigned *state)
{
	const struct lu_normalizer_pass *pass = enc->tok->components.pass;
	const struct lu_frozen_unicode *u = enc->tok->unicode;
	struct lu_tok_state *st = enc->st;

	if (lu_normalizer_pass_form(pass, u, &st->work.a, &block, enc->err) < 0)
		return -1;
	if (pass->identity)
		lu_buf_str(&st->units, block);
	else
		lu_normalizer_pass_run(pass, u, marked, state, block, &st->units);
	lu_buf_reserve(&st->units, LU_BPE_PADDING);
	return lu_buf_check(&st->units, enc->err);
}

/* Remove the first n bytes. */
static void consume(struct lu_buf *b, size_t n)
{
	if (n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

/* Without a pre-tokenizer the text is one word, which arrives block by block. */
static int encode_stream(struct encoder *enc, struct lu_str text, unsigned state)
{
	const struct lu_tok *tok = enc->tok;
	struct lu_tok_state *st = enc->st;
	struct lu_bpe_scan scan = { 0, 0 };

	lu_buf_clear(&st->units);
	while (text.n) {
		size_t n = block_size(tok, st->block, text), used;

		if (normalize_block(enc, (struct lu_str){ text.p, n }, !tok->bpe.ignore_merges,
				    &state) < 0)
			return -1;
		text = (struct lu_str){ text.p + n, text.n - n };
		if (lu_bpe_stream(&tok->bpe, &st->bpe, &scan, lu_buf_slice(&st->units), text.n == 0,
				    &used, enc->ids, enc->err) < 0)
			return -1;
		consume(&st->units, used);
	}
	return 0;
}

static bool is_ascii_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* The last offset in s, above `from`, at which a file with splits_at_spaces splits whatever the
 * context: between a letter and a single space before a letter. 0 when there is none. */
static size_t last_word_boundary(struct lu_str s, size_t from)
{
	for (size_t i = s.n > 2 ? s.n - 2 : 0; i > from; i--) {
		if (s.p[i] == ' ' && is_ascii_letter(s.p[i - 1]) && is_ascii_letter(s.p[i + 1]))
			return i;
	}
	return 0;
}

/* The words are the matches of an expression. */
static int encode_matches(struct encoder *enc, struct lu_str text)
{
	const struct lu_tok *tok = enc->tok;
	const char *p = text.p, *end = text.p + text.n, *ends[LU_BPE_BATCH];
	size_t n;

	while ((n = lu_split_regex_ends(tok->regex, tok->unicode, p, end, ends, LU_BPE_BATCH)) >
			0) {
		if (lu_bpe_push_ends(&tok->bpe, &enc->st->bpe, p, ends, n, enc->ids, enc->err) < 0)
			return -1;
		p = ends[n - 1];
	}
	return lu_bpe_flush(&tok->bpe, &enc->st->bpe, enc->ids, enc->err);
}

/* Encode a normalised stretch without added tokens, with LU_BPE_PADDING readable bytes after it. */
static int encode_words(struct encoder *enc, struct lu_str text, bool first)
{
	const struct lu_tok *tok = enc->tok;
	struct lu_bpe_state *bpe = &enc->st->bpe;
	struct lu_step_buffers *w = &enc->st->work;

	if (tok->regex != LU_SPLIT_NONE)
		return encode_matches(enc, text);
	if (lu_pre_run(&tok->components, tok->unicode, w, text, first, &text, enc->err) < 0)
		return -1;
	for (size_t i = 0; i < w->spans.n; i++) {
		struct lu_str word = { text.p + w->spans.p[i].at, w->spans.p[i].n };

		if (lu_bpe_push(&tok->bpe, bpe, word, enc->ids, enc->err) < 0)
			return -1;
	}
	return lu_bpe_flush(&tok->bpe, bpe, enc->ids, enc->err);
}

/* With a pre-tokenizer: split the text into words, up to the last word boundary of each block. */
static int encode_blocks(struct encoder *enc, struct lu_str text, unsigned state, bool first)
{
	const struct lu_tok *tok = enc->tok;
	struct lu_tok_state *st = enc->st;
	struct lu_buf *units = &st->units;
	size_t searched = 0;

	lu_buf_clear(units);
	while (text.n) {
		size_t n = block_size(tok, st->block, text), boundary;

		if (normalize_block(enc, (struct lu_str){ text.p, n }, false, &state) < 0)
			return -1;
		text = (struct lu_str){ text.p + n, text.n - n };
		boundary = text.n == 0 ? units->n
				: tok->splits_at_spaces
				? last_word_boundary(lu_buf_slice(units), searched)
				: 0;
		searched = units->n > 2 ? units->n - 2 : 0;
		if (boundary == 0)
			continue;
		if (encode_words(enc, (struct lu_str){ units->p, boundary }, first) < 0)
			return -1;
		consume(units, boundary);
		searched = 0;
		first = false;
	}
	return 0;
}

/* Encode a whole normalised text. */
static int encode_normal(struct encoder *enc, struct lu_str text, bool first)
{
	const struct lu_tok *tok = enc->tok;
	struct lu_bpe_scan scan = { 0, 0 };
	struct lu_buf *units = &enc->st->units;
	size_t used;

	lu_buf_clear(units);
	lu_buf_str(units, text);
	lu_buf_reserve(units, LU_BPE_PADDING);
	if (lu_buf_check(units, enc->err) < 0)
		return -1;
	if (tok->components.pres)
		return encode_words(enc, lu_buf_slice(units), first);
	return lu_bpe_stream(&tok->bpe, &enc->st->bpe, &scan, lu_buf_slice(units), true, &used,
			enc->ids, enc->err);
}

/* --- added tokens ------------------------------------------------------------------------- */

/* The longest token that begins at p, or NULL. */
static const struct lu_added_token *token_at(const struct lu_tok *tok,
		const struct lu_added_index *ix, const char *p, const char *end)
{
	unsigned lead = (unsigned char)*p;

	for (uint32_t i = ix->start[lead]; i < ix->start[lead + 1]; i++) {
		const struct lu_added_token *a = &tok->added[ix->by_lead[i]];

		if ((size_t)(end - p) >= a->needle.n && memcmp(p, a->needle.p, a->needle.n) == 0)
			return a;
	}
	return NULL;
}

/* In the regex engine that Hugging Face uses here, the two joiners are word characters and the six
 * No of Latin-1 are not. */
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

static bool is_single_word(const struct lu_frozen_unicode *u, struct lu_str text, const char *from,
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

static const char *skip_blanks_back(
		const struct lu_frozen_unicode *u, const char *from, const char *min)
{
	while (from > min) {
		const char *at = char_before(from), *p = at;

		if (at < min || !(lu_frozen_class(u, lu_utf8_next(&p)) & LU_FROZEN_SPACE))
			break;
		from = at;
	}
	return from;
}

static const char *skip_blanks(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	while (p < end) {
		const char *q = p;

		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
		p = q;
	}
	return p;
}

/* True if a special token found in a guarded text is data. In normalised text its place is not known:
 * there any data in the stretch around it counts. */
static bool is_data(const struct encoder *enc, const struct lu_added_token *a, const char *from,
		const char *to)
{
	struct lu_tok_guard *g = enc->guard;
	const struct lu_tok_stretch *last;

	if (!g || !a->special)
		return false;
	if (!a->normalized)
		return g->is_data(g->ctx, (size_t)(from - enc->begin), (size_t)(to - enc->begin));
	last = g->stretch.n ? &g->stretch.p[g->stretch.n - 1] : NULL;
	return !last || g->is_data(g->ctx, last->from, last->to);
}

/* Note a stretch of a guarded text, before its ids are appended. */
static int note_stretch(struct encoder *enc, const struct lu_added_index *ix, const char *from,
		const char *to, bool added)
{
	struct lu_tok_guard *g = enc->guard;
	struct lu_tok_stretch s = { 0, 0, enc->ids->n - enc->before, added };

	if (!g || ix != &enc->tok->raw_index)
		return 0;
	s.from = (size_t)(from - enc->begin);
	s.to = (size_t)(to - enc->begin);
	return lu_vec_push(&g->stretch, s) ? 0 : lu_err_nomem(enc->err);
}

/* Encode the added tokens of `ix` in the text, and the stretches between them by encode_text(). */
static int encode_added(struct encoder *enc, const struct lu_added_index *ix, struct lu_str text,
		bool first)
{
	const struct lu_frozen_unicode *u = enc->tok->unicode;
	const char *p = text.p, *end = text.p + text.n, *done = p;

	while (p < end) {
		const struct lu_added_token *a;
		const char *from, *to;

		if (ix->start[(unsigned char)*p] == ix->start[(unsigned char)*p + 1] ||
				!(a = token_at(enc->tok, ix, p, end))) {
			p++;
			continue;
		}
		from = p;
		to = p = p + a->needle.n;
		if (a->special && enc->special == LU_TOK_SPECIAL_ERROR)
			return 1;
		if ((a->special && enc->special == LU_TOK_SPECIAL_TEXT) ||
				is_data(enc, a, from, to) ||
				(a->single_word && !is_single_word(u, text, from, to)))
			continue;
		if (a->lstrip)
			from = from > done ? skip_blanks_back(u, from, done) : done;
		if (a->rstrip)
			to = skip_blanks(u, to > done ? to : done, end);
		/* The previous token, with rstrip, took the blanks that this one consists of. */
		if (from >= to)
			continue;
		if (done < from) {
			int rc = note_stretch(enc, ix, done, from, false);

			if (rc == 0)
				rc = enc->encode_text(enc,
						(struct lu_str){ done, (size_t)(from - done) },
						first && done == text.p);
			if (rc)
				return rc;
		}
		if (note_stretch(enc, ix, from, to, true) < 0)
			return -1;
		if (!lu_vec_push(enc->ids, a->id))
			return lu_err_nomem(enc->err);
		enc->state = LU_NORMALIZER_START;
		done = to;
	}
	if (done < end && note_stretch(enc, ix, done, end, false) < 0)
		return -1;
	if (done < end)
		return enc->encode_text(enc, (struct lu_str){ done, (size_t)(end - done) },
				first && done == text.p);
	return 0;
}

/* True if the index has tokens to search for. */
static bool needs_search(enum lu_tok_special special, const struct lu_added_index *ix)
{
	return special == LU_TOK_SPECIAL_TEXT ? ix->any_ordinary : ix->any;
}

/* Encode a stretch of raw text without raw added tokens. */
static int encode_raw(struct encoder *enc, struct lu_str text, bool first)
{
	const struct lu_tok *tok = enc->tok;
	struct lu_buf kept = { 0 };
	int rc;

	if (tok->components.pass->ok && !needs_search(enc->special, &tok->normalized_index)) {
		if (tok->components.pres)
			return encode_blocks(enc, text, enc->state, first);
		return encode_stream(enc, text, enc->state);
	}
	if (lu_norm_run(&tok->components, tok->unicode, &enc->st->work, text, &text, enc->err) < 0)
		return -1;
	if (!needs_search(enc->special, &tok->normalized_index))
		return encode_normal(enc, text, first);
	/* encode_normal() overwrites the buffer that holds the text. */
	lu_buf_str(&kept, text);
	rc = lu_buf_check(&kept, enc->err);
	if (rc == 0) {
		enc->encode_text = encode_normal;
		rc = encode_added(enc, &tok->normalized_index, lu_buf_slice(&kept), first);
		enc->encode_text = encode_raw;
	}
	lu_buf_release(&kept);
	return rc;
}

/* --- parts -------------------------------------------------------------------------------- */

/* Normalise a single character and advance the state. False when it maps to nothing or to more than
 * 64 bytes. */
static bool map_char(const struct lu_tok *tok, uint32_t c, unsigned *state, char *out, size_t *n)
{
	char utf8[4];
	struct lu_buf b = { 0 };
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

	if (tok->components.pass->identity)
		lu_buf_str(&b, s);
	else
		lu_normalizer_pass_run(tok->components.pass, tok->unicode, false, state, s, &b);
	*n = lu_buf_ok(&b) && b.n <= 64 ? b.n : 0;
	if (*n)
		memcpy(out, b.p, *n);
	lu_buf_release(&b);
	return *n > 0;
}

/* The character before the offset. */
static uint32_t char_before_offset(struct lu_str text, size_t at)
{
	const char *p = char_start(text.p + at - 1, text.p);

	return lu_utf8_next(&p);
}

/* The state of the normalizer pass at an offset from lu_tok_split(). */
static unsigned state_at(const struct lu_tok *tok, struct lu_str text, size_t at)
{
	unsigned state = LU_NORMALIZER_INSIDE;
	char out[64];
	size_t n;

	map_char(tok, char_before_offset(text, at), &state, out, &n);
	return state;
}

/* True if an added token that is searched for extends across the offset or up to it. */
static bool touches_token(const struct lu_tok *tok, struct lu_str text, size_t at)
{
	const struct lu_added_index *ix = &tok->raw_index;

	for (size_t k = 1; k <= ix->longest && k <= at; k++) {
		const char *p = text.p + at - k;
		unsigned lead = (unsigned char)*p;

		for (uint32_t i = ix->start[lead]; i < ix->start[lead + 1]; i++) {
			struct lu_str a = tok->added[ix->by_lead[i]].needle;

			/* Longest first. */
			if (a.n < k)
				break;
			if (text.n - (at - k) >= a.n && memcmp(p, a.p, a.n) == 0)
				return true;
		}
	}
	return false;
}

/* True if the character at the offset does not interact with the next one in the normal form. */
static bool is_followed_by_boundary(const struct lu_tok *tok, struct lu_str text, size_t at)
{
	enum lu_normal_form form = (enum lu_normal_form)tok->components.pass->form;
	const char *p = text.p + at;

	if (tok->components.pass->form < 0)
		return true;
	lu_utf8_next(&p);
	return p == text.p + text.n || lu_frozen_is_plain(tok->unicode, form, lu_utf8_next(&p));
}

/* True if, without a pre-tokenizer, a text can be divided between two characters: both are plain,
 * and no merge can cross the boundary between their mappings. */
static bool can_divide(const struct lu_tok *tok, uint32_t x, uint32_t y)
{
	const struct lu_normalizer_pass *pass = tok->components.pass;
	enum lu_normal_form form = (enum lu_normal_form)pass->form;
	unsigned state = LU_NORMALIZER_INSIDE;
	const char *p, *q;
	char a[64], b[64];
	size_t n, m;

	if (pass->form >= 0 &&
			(!lu_frozen_is_plain(tok->unicode, form, x) ||
					!lu_frozen_is_plain(tok->unicode, form, y)))
		return false;
	if (!map_char(tok, x, &state, a, &n) || !map_char(tok, y, &state, b, &m))
		return false;
	p = char_start(a + n - 1, a);
	q = b;
	return lu_bpe_can_cut(
			&tok->bpe, lu_bpe_unit(lu_utf8_next(&p)), lu_bpe_unit(lu_utf8_next(&q)));
}

/* True if, with a pre-tokenizer, the text can be divided at the offset: a word boundary as in
 * last_word_boundary(), whose characters the normalizer does not change. */
static bool is_word_boundary(const struct lu_tok *tok, struct lu_str text, size_t at)
{
	const char *p = text.p + at;
	unsigned state = LU_NORMALIZER_INSIDE;
	char out[64];
	size_t n;

	if (at + 1 >= text.n || *p != ' ' || !is_ascii_letter(p[-1]) || !is_ascii_letter(p[1]))
		return false;
	for (int i = -1; i < 2; i++) {
		if (!map_char(tok, (unsigned char)p[i], &state, out, &n) || n != 1 || *out != p[i])
			return false;
	}
	return true;
}

size_t lu_tok_split(const struct lu_tok *tok, struct lu_str text, size_t min,
		enum lu_tok_special special)
{
	bool words = tok->components.pres > 0, tokens = needs_search(special, &tok->raw_index);
	/* A cache of pairs that cannot be divided: long indivisible stretches mostly repeat a few
	 * characters. */
	uint64_t joined[64] = { 0 };

	if (!tok->components.pass->ok || needs_search(special, &tok->normalized_index) ||
			(tokens && tok->raw_index.depends_on_context) ||
			(words ? !tok->splits_at_spaces : !lu_bpe_cuts_words(&tok->bpe)))
		return text.n;
	for (size_t at = min ? min : 1; at < text.n; at++) {
		const char *p = text.p + at;
		uint64_t pair;

		if (((unsigned char)*p & 0xC0) == 0x80)
			continue;
		if (words) {
			if (is_word_boundary(tok, text, at) &&
					!(tokens && touches_token(tok, text, at)))
				return at;
			continue;
		}
		pair = (uint64_t)char_before_offset(text, at) << 32 | lu_utf8_next(&p);
		if (joined[pair * UINT64_C(0x9E3779B97F4A7C15) >> 58] == pair)
			continue;
		if (!can_divide(tok, (uint32_t)(pair >> 32), (uint32_t)pair))
			joined[pair * UINT64_C(0x9E3779B97F4A7C15) >> 58] = pair;
		else if (is_followed_by_boundary(tok, text, at) &&
				!(tokens && touches_token(tok, text, at)))
			return at;
	}
	return text.n;
}

int lu_tok_encode_part(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		size_t from, size_t to, enum lu_tok_special special, struct lu_ids *ids,
		struct lu_err *err)
{
	struct encoder enc = { tok, st, special, ids, err, LU_NORMALIZER_START, encode_raw, NULL,
		NULL, 0 };
	struct lu_str part = { text.p + from, to - from };
	size_t before = ids->n;
	int rc;

	LU_ASSERT(st->tok == tok);
	if (part.n == 0)
		return 0;
	if (from > 0)
		enc.state = state_at(tok, text, from);
	rc = needs_search(special, &tok->raw_index)
			? encode_added(&enc, &tok->raw_index, part, from == 0)
			: encode_raw(&enc, part, from == 0);
	if (rc)
		ids->n = before;
	return rc;
}

int lu_tok_encode(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		enum lu_tok_special special, struct lu_ids *ids, struct lu_err *err)
{
	return lu_tok_encode_part(tok, st, text, 0, text.n, special, ids, err);
}

/* --- guarded ------------------------------------------------------------------------------ */

int lu_tok_encode_guarded(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		struct lu_tok_guard *guard, struct lu_ids *ids, struct lu_err *err)
{
	struct encoder enc = { tok, st, LU_TOK_SPECIAL_PARSE, ids, err, LU_NORMALIZER_START,
		encode_raw, guard, text.p, ids->n };
	int rc;

	LU_ASSERT(st->tok == tok);
	guard->stretch.n = 0;
	rc = encode_added(&enc, &tok->raw_index, text, true);
	if (rc)
		ids->n = enc.before;
	return rc;
}

int lu_tok_encode_stretch(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		const struct lu_tok_stretch *stretch, size_t to, struct lu_ids *ids,
		struct lu_err *err)
{
	struct encoder enc = { tok, st, LU_TOK_SPECIAL_TEXT, ids, err, LU_NORMALIZER_START,
		encode_raw, NULL, NULL, ids->n };
	struct lu_str part = { text.p + stretch->from, to - stretch->from };
	int rc = part.n ? encode_raw(&enc, part, stretch->from == 0) : 0;

	if (rc)
		ids->n = enc.before;
	return rc;
}
