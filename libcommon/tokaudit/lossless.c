/* Finds the texts that do not survive decode(encode(x)). */
#include "libcommon/tokaudit/lossless.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/text/unicode.h"
#include "libcommon/tokaudit/show.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define TILE 4096 /* code points that a thread tries at a time */

/* Alone first: what is lost everywhere is shown in its shortest form. */
const struct lu_loss_context lu_loss_contexts[LU_LOSS_CONTEXTS] = { { "", "" }, { "\n", "" },
	{ "\t", "" }, { "(", "" }, { "[", "" }, { "{", "" }, { "/", "" }, { "<", "" }, { "'", "" },
	{ "’", "" }, { "\"", "" }, { "«", "" }, { "“", "" }, { "‘", "" }, { "‚", "" }, { "‹", "" },
	{ "—", "" }, { "–", "" }, { "―", "" }, { "\xC2\xA0", "" }, { "a", "" }, { "", "a" } };

static const char *const names[LU_LOSS_KINDS] = { "lost", "noncharacter", "normalised" };

/* --- one round trip ----------------------------------------------------------------------- */

struct trip {
	const struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct lu_buf text, got, form, form2;
};

static int trip_start(struct trip *t, const struct lu_tok *tok, struct lu_err *err)
{
	*t = (struct trip){ .tok = tok, .st = lu_tok_state_new(tok) };
	return t->st ? 0 : lu_err_nomem(err);
}

static void trip_end(struct trip *t)
{
	lu_tok_state_free(t->st);
	lu_ids_release(&t->ids);
	lu_buf_release(&t->text);
	lu_buf_release(&t->got);
	lu_buf_release(&t->form);
	lu_buf_release(&t->form2);
}

/* Into t->got. 1 when it is the same text, 0 when not, -1 */
static int try(struct trip *t, struct lu_str text, struct lu_err *err)
{
	t->ids.n = 0;
	lu_buf_clear(&t->got);
	if (lu_tok_encode(t->tok, t->st, text, LU_TOK_SPECIAL_TEXT, &t->ids, err) < 0 ||
			lu_tok_decode(t->tok, t->st, t->ids.p, t->ids.n, 0, &t->got, NULL, err) < 0)
		return -1;
	return lu_str_eq(lu_buf_slice(&t->got), text);
}

/* Of a text that came back as t->got: 1 when that is canonically equivalent, 0 when not, -1 */
static int equivalent(struct trip *t, struct lu_str text, struct lu_err *err)
{
	lu_buf_clear(&t->form);
	lu_buf_clear(&t->form2);
	if (lu_unicode_normalize(LU_FORM_NFC, text, &t->form, err) < 0 ||
			lu_unicode_normalize(LU_FORM_NFC, lu_buf_slice(&t->got), &t->form2, err) <
					0)
		return -1;
	return lu_str_eq(lu_buf_slice(&t->form), lu_buf_slice(&t->form2));
}

static struct lu_str in_context(struct trip *t, uint32_t c, const struct lu_loss_context *around)
{
	char utf8[4];

	lu_buf_clear(&t->text);
	lu_buf_puts(&t->text, around->before);
	lu_buf_append(&t->text, utf8, lu_utf8_put(c, utf8));
	lu_buf_puts(&t->text, around->after);
	return lu_buf_slice(&t->text);
}

/* --- all scalar values -------------------------------------------------------------------- */

/* Surrogates are no scalar values. */
static bool is_tried(const struct lu_losses *l, uint32_t c)
{
	return c <= l->last && (c < 0xD800 || c > 0xDFFF);
}

static bool is_noncharacter(uint32_t c)
{
	return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

struct tile {
	uint32_t from;
	uint32_t lost[TILE], form[TILE]; /* contexts, as bits */
};

struct scan {
	struct lu_losses *l;
	struct trip *trip; /* one a thread, and one for add_range() */
	unsigned threads;
	uint32_t next;
	struct lu_loss_range open[2]; /* of what is lost, and of what is normalised */
};

static int read_tile(void *ctx, void *batch, struct lu_err *err)
{
	struct scan *s = ctx;

	(void)err;
	if (s->next > s->l->last)
		return 0;
	((struct tile *)batch)->from = s->next;
	s->next += TILE;
	return 1;
}

static int try_tile(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct trip *t = &((struct scan *)ctx)->trip[thread];
	const struct lu_losses *l = ((struct scan *)ctx)->l;
	struct tile *tile = batch;

	for (uint32_t i = 0; i < TILE; i++) {
		tile->lost[i] = tile->form[i] = 0;
		if (!is_tried(l, tile->from + i))
			continue;
		for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
			struct lu_str text = in_context(t, tile->from + i, &lu_loss_contexts[k]);
			int rc = lu_buf_check(&t->text, err) < 0 ? -1 : try(t, text, err);

			if (rc == 0) {
				rc = equivalent(t, text, err);
				*(rc > 0 ? &tile->form[i] : &tile->lost[i]) |= UINT32_C(1) << k;
			}
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

static int add_range(struct scan *s, struct lu_loss_range *r, struct lu_err *err)
{
	struct lu_losses *l = s->l;
	struct trip *t = &s->trip[s->threads];
	struct lu_str text;

	if (!r->contexts)
		return 0;
	if (l->ranges == l->range_cap) {
		size_t cap = l->range_cap ? l->range_cap * 2 : 64;
		struct lu_loss_range *p = realloc(l->range, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(err);
		l->range = p;
		l->range_cap = cap;
	}
	text = in_context(t, r->from, &lu_loss_contexts[__builtin_ctz(r->contexts)]);
	if (lu_buf_check(&t->text, err) < 0 || try(t, text, err) < 0)
		return -1;
	r->text = lu_arena_str(&l->arena, text);
	r->got = lu_arena_str(&l->arena, lu_buf_slice(&t->got));
	if (!r->text.p || !r->got.p)
		return lu_err_nomem(err);
	l->range[l->ranges++] = *r;
	r->contexts = 0;
	return 0;
}

/* One more scalar value for the range that is open, or for a new one. */
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

static int keep_tile(void *ctx, void *batch, struct lu_err *err)
{
	struct scan *s = ctx;
	const struct tile *tile = batch;

	for (uint32_t i = 0; i < TILE; i++) {
		uint32_t c = tile->from + i;

		s->l->tried += is_tried(s->l, c);
		for (unsigned k = 0; s->l->tainted >> k; k++)
			s->l->within[k] += tile->lost[i] >> k & 1;
		if (extend(s, &s->open[0], c, tile->lost[i] & ~s->l->tainted,
				    is_noncharacter(c) ? LU_LOSS_NONCHARACTER : LU_LOSS_LOST,
				    err) < 0 ||
				extend(s, &s->open[1], c, tile->form[i] & ~s->l->tainted,
						LU_LOSS_FORM, err) < 0)
			return -1;
	}
	if (s->l->tick)
		s->l->tick(s->l->ctx, tile->from + TILE);
	return 0;
}

static int find_tainted(struct scan *s, struct lu_err *err)
{
	for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
		struct trip *t = &s->trip[0];
		int rc;

		lu_buf_clear(&t->text);
		lu_buf_puts(&t->text, lu_loss_contexts[k].before);
		lu_buf_puts(&t->text, lu_loss_contexts[k].after);
		rc = lu_buf_check(&t->text, err) < 0 ? -1 : try(t, lu_buf_slice(&t->text), err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			s->l->tainted |= UINT32_C(1) << k;
	}
	return 0;
}

static int scan_scalars(struct scan *s, struct lu_err *err)
{
	struct lu_pipeline p = { .threads = s->threads,
		.batches = lu_pipeline_batches(s->threads),
		.ctx = s,
		.read = read_tile,
		.map = try_tile,
		.write = keep_tile };
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
	rc = lu_pipeline_run(&p, err);
	for (size_t i = 0; i < 2 && rc == 0; i++)
		rc = add_range(s, &s->open[i], err);
out:
	for (size_t i = 0; i < p.batches; i++)
		free(p.batch[i]);
	free(p.batch);
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct lu_loss_range *p = a, *q = b;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	return (p->kind > q->kind) - (p->kind < q->kind);
}

/* --- strings ------------------------------------------------------------------------------ */

/* Between the bars stands what is repeated 1 to `most` times. */
static const struct {
	const char *name, *before, *repeated, *after;
	unsigned most;
} runs[] = {
	{ "leading spaces", "", " ", "a", 9 },
	{ "trailing spaces", "a", " ", "", 9 },
	{ "spaces between words", "a", " ", "a", 18 },
	{ "spaces before a digit", "a", " ", "1", 9 },
	{ "spaces alone", "", " ", "", 9 },
	{ "spaces after a line end", "a\n", " ", "a", 9 },
	{ "spaces before a line end", "a", " ", "\na", 9 },
	{ "spaces after a bracket", "a(", " ", "a", 9 },
	{ "spaces after an apostrophe", "l'", " ", "a", 9 },
	{ "tabs", "a", "\t", "a", 9 },
	{ "leading tabs", "", "\t", "a", 9 },
	{ "line ends", "a", "\n", "a", 5 },
	{ "leading line ends", "", "\n", "a", 5 },
	{ "CR LF", "a", "\r\n", "a", 3 },
	{ "no-break spaces", "a", "\xC2\xA0", "a", 3 },
	{ "ASCII letters in a row", "", "a", "", 40 },
	{ "marker of SentencePiece", "", "▁", "", 9 },
	{ "marker before a letter", "", "▁", "a", 3 },
	{ "marker between letters", "a", "▁", "a", 3 },
	{ "marker after a space", " ", "▁", "a", 3 },
};

#define S(text)                        \
	{                              \
		text, sizeof(text) - 1 \
	}
static const struct {
	const char *name;
	struct lu_str text;
} strings[] = {
	{ "empty", S("") },
	{ "NUL between letters", S("a\0b") },
	{ "byte order mark",
			S("\xEF\xBB\xBF"
			  "abc") },
	{ "emoji with joiners", S("👩\xE2\x80\x8D🚀 👨\xE2\x80\x8D👩\xE2\x80\x8D👧 a") },
	{ "skin tone", S("👍🏽 a") },
	{ "flags", S("🇫🇷🇬🇧 🇩🇪") },
	{ "variation selector", S("❤\xEF\xB8\x8F a") },
	{ "combining marks", S("e\xCC\x81 a\xCC\xA7\xCC\x81 q\xCC\x87\xCC\xA3") },
	{ "Hangul letters", S("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB") },
	{ "Devanagari", S("क्षत्रिय हिन्दी") },
	{ "Persian with a non-joiner", S("می\xE2\x80\x8Cخواهم") },
	{ "French quotation marks",
			S("«\xC2\xA0oui\xC2\xA0» « non » «\xE2\x80\xAFsi\xE2\x80\xAF»") },
	{ "no-break space in a bracket", S("(\xC2\xA0x\xC2\xA0)") },
	{ "apostrophes", S("l'été, l’été, aujourd’hui, 'a' ‘a’") },
	{ "numbers",
			S("1\xE2\x80\xAF"
			  "000,50 1 234 ½ ² Ⅷ ٣") },
	{ "code", S("if (x) {\n\t\treturn a[i] - -1; /* \"y\" */\n}\n") },
	{ "blank lines with blanks", S("a\n  \n\t\nb\n") },
	{ "line separators",
			S("a\xE2\x80\xA8"
			  "b\xE2\x80\xA9"
			  "c\xC2\x85"
			  "d\x0B"
			  "e\x0C"
			  "f") },
	{ "a byte token spelled out", S("<0x41> <0xC3><0xA9>") },
	{ "GPT-2's alphabet", S("Ġa Ċ ł Ń é") },
	{ "zero width",
			S("a\xE2\x80\x8B"
			  "b\xE2\x81\xA0"
			  "c\xC2\xAD"
			  "d") },
};
#undef S

/* `n`: how many times something is repeated, 0 for a string of another kind. */
static int try_string(struct scan *s, const char *name, unsigned n, struct lu_str text,
		struct lu_err *err)
{
	struct lu_losses *l = s->l;
	struct trip *t = &s->trip[0];
	struct lu_loss_string *to = l->strings ? &l->string[l->strings - 1] : NULL;
	int rc = try(t, text, err);
	enum lu_loss kind;

	l->strings_tried++;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = equivalent(t, text, err);
	if (rc < 0)
		return -1;
	kind = rc ? LU_LOSS_FORM : LU_LOSS_LOST;
	l->texts[kind]++;
	if (n && to && to->name == name && to->last + 1 == n && to->kind == kind) {
		to->last = n;
		return 0;
	}
	if (l->strings == l->string_cap) {
		size_t cap = l->string_cap ? l->string_cap * 2 : 32;
		struct lu_loss_string *p = realloc(l->string, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(err);
		l->string = p;
		l->string_cap = cap;
	}
	to = &l->string[l->strings++];
	*to = (struct lu_loss_string){ .name = name,
		.first = n,
		.last = n,
		.kind = kind,
		.text = lu_arena_str(&l->arena, text),
		.got = lu_arena_str(&l->arena, lu_buf_slice(&t->got)) };
	return to->text.p && to->got.p ? 0 : lu_err_nomem(err);
}

static int try_runs(struct scan *s, struct lu_buf *text, struct lu_err *err)
{
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		for (unsigned n = 1; n <= runs[i].most; n++) {
			lu_buf_clear(text);
			lu_buf_puts(text, runs[i].before);
			for (unsigned k = 0; k < n; k++)
				lu_buf_puts(text, runs[i].repeated);
			lu_buf_puts(text, runs[i].after);
			if (lu_buf_check(text, err) < 0 ||
					try_string(s, runs[i].name, n, lu_buf_slice(text), err) < 0)
				return -1;
		}
	}
	return 0;
}

static int try_strings(struct scan *s, struct lu_err *err)
{
	const struct lu_tok *tok = s->trip[0].tok;
	struct lu_buf text = { 0 };
	int rc = try_runs(s, &text, err);

	for (size_t i = 0; rc == 0 && i < sizeof(strings) / sizeof(strings[0]); i++)
		rc = try_string(s, strings[i].name, 0, strings[i].text, err);
	for (size_t i = 0; rc == 0 && i < tok->n_added; i++) {
		lu_buf_clear(&text);
		lu_buf_puts(&text, "a ");
		lu_buf_str(&text, tok->added[i].content);
		lu_buf_puts(&text, " b");
		rc = lu_buf_check(&text, err);
		if (rc == 0)
			rc = try_string(s, "an added token spelled out", 0, lu_buf_slice(&text),
					err);
	}
	lu_buf_release(&text);
	return rc;
}

/* --- all ---------------------------------------------------------------------------------- */

int lu_losses_find(struct lu_losses *l, const struct lu_tok *tok, int threads, struct lu_err *err)
{
	struct scan s = { .l = l, .threads = (unsigned)threads };
	unsigned started = 0;
	int rc = -1;

	if (!tok->parts.has_decoder)
		return lu_err_set(err, "no decoder, so nothing comes back as it was");
	if (l->last == 0)
		l->last = 0x10FFFF;
	s.next = l->first;
	s.trip = calloc(s.threads + 1, sizeof(*s.trip));
	if (!s.trip)
		return lu_err_nomem(err);
	for (; started <= s.threads; started++) {
		if (trip_start(&s.trip[started], tok, err) < 0)
			goto out;
	}
	if (find_tainted(&s, err) < 0 || scan_scalars(&s, err) < 0 || try_strings(&s, err) < 0)
		goto out;
	if (l->ranges)
		qsort(l->range, l->ranges, sizeof(*l->range), by_place);
	rc = 0;
out:
	for (unsigned i = 0; i < started; i++)
		trip_end(&s.trip[i]);
	free(s.trip);
	return rc;
}

static bool read_hex(const char **p, char end, uint32_t *c)
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

bool lu_losses_range(struct lu_losses *l, const char *range)
{
	return read_hex(&range, '-', &l->first) && read_hex(&range, '\0', &l->last) &&
			l->first <= l->last && l->last > 0;
}

bool lu_losses_none(const struct lu_losses *l)
{
	return l->scalars[LU_LOSS_LOST] == 0 && l->texts[LU_LOSS_LOST] == 0 && l->tainted == 0;
}

void lu_losses_release(struct lu_losses *l)
{
	lu_arena_release(&l->arena);
	free(l->range);
	free(l->string);
	*l = (struct lu_losses){ 0 };
}

/* --- telling ------------------------------------------------------------------------------ */

static void put_context(struct lu_buf *b, const struct lu_loss_context *c)
{
	if (*c->before == '\n' || *c->before == '\t')
		lu_buf_puts(b, *c->before == '\n' ? "LF" : "TAB");
	else if (*c->before == '\xC2' && c->before[1] == '\xA0')
		lu_buf_puts(b, "U+00A0");
	else
		lu_buf_puts(b, *c->before ? c->before : c->after);
}

static void put_contexts(struct lu_buf *b, uint32_t contexts, uint32_t tainted)
{
	uint32_t all = ((UINT32_C(1) << LU_LOSS_CONTEXTS) - 1) & ~tainted;
	bool but = contexts != all && __builtin_popcount(contexts) > LU_LOSS_CONTEXTS / 2;
	const char *between = "";

	if (contexts == all || but)
		lu_buf_puts(b, but ? "everywhere but " : "everywhere");
	if (contexts == all)
		return;
	if (but)
		contexts = ~contexts & all;
	if (contexts & 1) {
		lu_buf_puts(b, "alone");
		between = ", ";
	}
	for (int after = 1; after >= 0; after--) {
		bool first = true;

		for (unsigned i = 1; i < LU_LOSS_CONTEXTS; i++) {
			const struct lu_loss_context *c = &lu_loss_contexts[i];

			if (!(contexts >> i & 1) || (*c->before != '\0') != after)
				continue;
			if (first)
				lu_buf_printf(b, "%s%s", between, after ? "after" : "before");
			first = false;
			between = ", ";
			lu_buf_putc(b, ' ');
			put_context(b, c);
		}
	}
}

static void put_round_trip(struct lu_buf *b, struct lu_str text, struct lu_str got)
{
	lu_buf_putc(b, ' ');
	lu_show(b, text);
	lu_buf_puts(b, " -> ");
	lu_show(b, got);
	lu_buf_puts(b, "  ");
}

static void text_ranges(const struct lu_losses *l, bool all, struct lu_buf *b)
{
	for (unsigned k = 0; l->tainted >> k; k++) {
		if (!(l->tainted >> k & 1))
			continue;
		lu_buf_printf(b, "%-12s  %" PRIu64 " scalar values %s ", names[LU_LOSS_LOST],
				l->within[k], *lu_loss_contexts[k].before ? "after" : "before");
		put_context(b, &lu_loss_contexts[k]);
		lu_buf_puts(b, ", which is lost by itself\n");
	}
	for (size_t i = 0; i < l->ranges; i++) {
		const struct lu_loss_range *r = &l->range[i];
		char code[32];

		if (r->kind == LU_LOSS_FORM && !all)
			continue;
		snprintf(code, sizeof(code),
				r->to > r->from ? "U+%04" PRIX32 "-%04" PRIX32 : "U+%04" PRIX32,
				r->from, r->to);
		lu_buf_printf(b, "%-12s  %-13s ", names[r->kind], code);
		put_round_trip(b, r->text, r->got);
		put_contexts(b, r->contexts, l->tainted);
		lu_buf_putc(b, '\n');
	}
}

void lu_losses_text(const struct lu_losses *l, const char *file, bool all, struct lu_buf *b)
{
	lu_buf_printf(b, "%s: %" PRIu64 " scalar values in %d contexts, %" PRIu64 " strings\n",
			file, l->tried, LU_LOSS_CONTEXTS, l->strings_tried);
	for (int k = 0; k < LU_LOSS_KINDS; k++)
		lu_buf_printf(b, "%-12s  %7" PRIu64 " scalar values, %3" PRIu64 " strings\n",
				names[k], l->scalars[k], l->texts[k]);
	text_ranges(l, all, b);
	for (size_t i = 0; i < l->strings; i++) {
		const struct lu_loss_string *s = &l->string[i];

		if (s->kind == LU_LOSS_FORM && !all)
			continue;
		lu_buf_printf(b, "%-12s ", names[s->kind]);
		put_round_trip(b, s->text, s->got);
		lu_buf_puts(b, s->name);
		if (s->first)
			lu_buf_printf(b, s->last > s->first ? ", %u to %u" : ", %u", s->first,
					s->last);
		lu_buf_putc(b, '\n');
	}
}

static void json_text(struct lu_buf *b, struct lu_str text, struct lu_str got)
{
	lu_buf_puts(b, ",\"text\":");
	lu_json_quote(b, text);
	lu_buf_puts(b, ",\"decoded\":");
	lu_json_quote(b, got);
	lu_buf_putc(b, '}');
}

void lu_losses_json(const struct lu_losses *l, const char *file, struct lu_buf *b)
{
	const char *between = "";

	lu_buf_puts(b, "{\"tokenizer\":");
	lu_json_quote(b, lu_str_of(file));
	lu_buf_printf(b,
			",\"tried\":{\"scalar_values\":%" PRIu64 ",\"strings\":%" PRIu64
			"},\"scalar_values\":{",
			l->tried, l->strings_tried);
	for (int k = 0; k < LU_LOSS_KINDS; k++)
		lu_buf_printf(b, "%s\"%s\":%" PRIu64, k ? "," : "", names[k], l->scalars[k]);
	lu_buf_puts(b, "},\"contexts\":[");
	for (size_t i = 0; i < LU_LOSS_CONTEXTS; i++) {
		lu_buf_puts(b, i ? ",{\"before\":" : "{\"before\":");
		lu_json_quote(b, lu_str_of(lu_loss_contexts[i].before));
		lu_buf_puts(b, ",\"after\":");
		lu_json_quote(b, lu_str_of(lu_loss_contexts[i].after));
		lu_buf_putc(b, '}');
	}
	lu_buf_puts(b, "],\"lost_contexts\":[");
	for (unsigned k = 0; l->tainted >> k; k++) {
		if (l->tainted >> k & 1) {
			lu_buf_printf(b, "%s{\"context\":%u,\"scalar_values\":%" PRIu64 "}",
					between, k, l->within[k]);
			between = ",";
		}
	}
	lu_buf_puts(b, "],\"ranges\":[");
	for (size_t i = 0; i < l->ranges; i++) {
		const struct lu_loss_range *r = &l->range[i];

		between = "";
		lu_buf_printf(b,
				"%s{\"fate\":\"%s\",\"from\":%" PRIu32 ",\"to\":%" PRIu32
				",\"contexts\":[",
				i ? "," : "", names[r->kind], r->from, r->to);
		for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
			if (!(r->contexts >> k & 1))
				continue;
			lu_buf_printf(b, "%s%u", between, k);
			between = ",";
		}
		lu_buf_putc(b, ']');
		json_text(b, r->text, r->got);
	}
	lu_buf_puts(b, "],\"strings\":[");
	for (size_t i = 0; i < l->strings; i++) {
		const struct lu_loss_string *s = &l->string[i];

		lu_buf_printf(b, "%s{\"fate\":\"%s\",\"name\":", i ? "," : "", names[s->kind]);
		lu_json_quote(b, lu_str_of(s->name));
		if (s->first)
			lu_buf_printf(b, ",\"first\":%u,\"last\":%u", s->first, s->last);
		json_text(b, s->text, s->got);
	}
	lu_buf_puts(b, "]}");
}
