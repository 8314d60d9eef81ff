#include "libcommon/text/normalize.h"

#include <stdlib.h>

#include "libcommon/base/suggest.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/mojibake.h"
#include "libcommon/text/mojibake_pages.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct lu_normalizer {
	struct lu_normalize_opts opts;
	unsigned char first_lead;     /* lowest lead byte above 0xC2 of a character in `either` */
	bool latin1;		      /* U+00A0-00BF has some in `either` */
	uint64_t *edit;		      /* bitmap: characters to remove or replace */
	uint64_t *form;		      /* bitmap: characters not plain for the form */
	uint64_t *either;	      /* their union */
	struct lu_mojibake *mojibake; /* NULL: not wanted */
};

static const struct {
	unsigned remove;
	uint32_t from, to;
} invisible[] = {
	{ LU_REMOVE_SOFT_HYPHEN, 0xAD, 0xAD },
	{ LU_REMOVE_ZERO_WIDTH_SPACE, 0x200B, 0x200B },
	{ LU_REMOVE_WORD_JOINER, 0x2060, 0x2060 },
	{ LU_REMOVE_BOM, 0xFEFF, 0xFEFF },
	{ LU_REMOVE_JOINERS, 0x200C, 0x200D },
	{ LU_REMOVE_DIRECTIONS, 0x061C, 0x061C },
	{ LU_REMOVE_DIRECTIONS, 0x200E, 0x200F },
	{ LU_REMOVE_DIRECTIONS, 0x202A, 0x202E },
	{ LU_REMOVE_DIRECTIONS, 0x2066, 0x2069 },
	{ LU_REMOVE_VARIATIONS, 0xFE00, 0xFE0F },
	{ LU_REMOVE_VARIATIONS, 0xE0100, 0xE01EF },
	{ LU_REMOVE_TAGS, 0xE0001, 0xE0001 },
	{ LU_REMOVE_TAGS, 0xE0020, 0xE007F },
};
#define INVISIBLES (sizeof(invisible) / sizeof(invisible[0]))

unsigned lu_normalize_remove(struct lu_str name, struct lu_err *err)
{
	static const struct {
		const char *name;
		unsigned bits;
	} known[] = {
		{ "invisible", LU_REMOVE_INVISIBLE },
		{ "soft-hyphen", LU_REMOVE_SOFT_HYPHEN },
		{ "zero-width-space", LU_REMOVE_ZERO_WIDTH_SPACE },
		{ "word-joiner", LU_REMOVE_WORD_JOINER },
		{ "bom", LU_REMOVE_BOM },
		{ "joiners", LU_REMOVE_JOINERS },
		{ "directions", LU_REMOVE_DIRECTIONS },
		{ "variations", LU_REMOVE_VARIATIONS },
		{ "tags", LU_REMOVE_TAGS },
	};
	struct lu_suggest near = lu_suggest_for(name);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (lu_str_is(name, known[i].name))
			return known[i].bits;
		lu_suggest_try(&near, known[i].name);
	}
	lu_err_set(err, "unknown kind of characters '" LU_STR_FMT "'%s", LU_STR_ARG(name),
			near.best ? lu_suggest_hint(&near) : "; they are listed in the manual");
	return 0;
}

int lu_normalize_typesetting(struct lu_str name, struct lu_repair *r, struct lu_err *err)
{
	const struct {
		const char *name;
		bool *on;
	} known[] = {
		{ "ligatures", &r->ligatures },
		{ "accents", &r->accents },
		{ "hyphens", &r->hyphens },
		{ "soft-hyphens", &r->soft_hyphens },
		{ "page-numbers", &r->page_numbers },
	};
	struct lu_suggest near = lu_suggest_for(name);

	if (lu_str_is(name, "all")) {
		*r = (struct lu_repair){ true, true, true, true, true };
		return 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (lu_str_is(name, known[i].name)) {
			*known[i].on = true;
			return 0;
		}
		lu_suggest_try(&near, known[i].name);
	}
	lu_suggest_try(&near, "all");
	return lu_err_set(err, "unknown repair '" LU_STR_FMT "'%s", LU_STR_ARG(name),
			near.best ? lu_suggest_hint(&near) : "; they are listed in the manual");
}

const char *lu_normalize_kind_name(enum lu_normalize_kind kind)
{
	static const char *const name[LU_CHANGED_KINDS] = { "mojibake", "ligatures", "accents",
		"hyphens", "soft_hyphens", "page_numbers", "line_ends", "controls", "invisible",
		"form", "blanks", "blank_lines" };

	return name[kind];
}

/* --- the bitmaps -------------------------------------------------------------------------- */

static void mark(uint64_t *bitmap, uint32_t from, uint32_t to)
{
	for (uint32_t c = from; c <= to; c++)
		bitmap[c >> 6] |= UINT64_C(1) << (c & 63);
}

static void mark_edits(struct lu_normalizer *n)
{
	if (n->opts.controls) {
		mark(n->edit, 0, 0x08);
		mark(n->edit, 0x0E, 0x1F);
		mark(n->edit, 0x7F, 0x84);
		mark(n->edit, 0x86, 0x9F);
	}
	if (n->opts.line_ends) {
		mark(n->edit, 0x0B, 0x0D);
		mark(n->edit, 0x85, 0x85);
		mark(n->edit, 0x2028, 0x2029);
	}
	for (size_t i = 0; i < INVISIBLES; i++) {
		if (n->opts.remove & invisible[i].remove)
			mark(n->edit, invisible[i].from, invisible[i].to);
	}
}

struct lu_normalizer *lu_normalizer_new(const struct lu_normalize_opts *opts, struct lu_err *err)
{
	struct lu_normalizer *n = calloc(1, sizeof(*n));
	uint32_t c = 0xA0;

	if (!n)
		goto nomem;
	n->opts = *opts;
	n->edit = calloc(LU_UNICODE_BITMAP, sizeof(uint64_t));
	n->form = calloc(LU_UNICODE_BITMAP, sizeof(uint64_t));
	n->either = calloc(LU_UNICODE_BITMAP, sizeof(uint64_t));
	n->mojibake = opts->mojibake ? malloc(sizeof(*n->mojibake)) : NULL;
	if (!n->edit || !n->form || !n->either || (opts->mojibake && !n->mojibake))
		goto nomem;
	if (n->mojibake)
		lu_mojibake_init(n->mojibake);
	mark_edits(n);
	if (opts->form &&
			lu_unicode_mark_not_plain(opts->nfkc ? LU_FORM_NFKC : LU_FORM_NFC, n->form,
					err) < 0) {
		lu_normalizer_free(n);
		return NULL;
	}
	for (size_t i = 0; i < LU_UNICODE_BITMAP; i++)
		n->either[i] = n->edit[i] | n->form[i];
	while (c < 0xC0 && !lu_unicode_in(n->either, c))
		c++;
	n->latin1 = c < 0xC0;
	for (c = 0xC0; c < 0x800 && !lu_unicode_in(n->either, c);)
		c++;
	n->first_lead = (unsigned char)(c < 0x800 ? 0xC0 | c >> 6 : 0xE0);
	return n;
nomem:
	lu_normalizer_free(n);
	lu_err_nomem(err);
	return NULL;
}

void lu_normalizer_free(struct lu_normalizer *n)
{
	if (!n)
		return;
	free(n->edit);
	free(n->form);
	free(n->either);
	free(n->mojibake);
	free(n);
}

void lu_normalize_work_release(struct lu_normalize_work *w)
{
	lu_buf_release(&w->a);
	lu_buf_release(&w->b);
	lu_buf_release(&w->bytes);
	lu_buf_release(&w->line);
}

/* --- the scan ----------------------------------------------------------------------------- */

static inline bool in_set(const uint64_t *set, const char *p)
{
	return lu_unicode_in(set, lu_utf8_next(&p));
}

/*
 * Return the first character of `set`, which is n->edit, n->form or n->either, or end. The test of
 * 16 bytes passes over printable ASCII and blanks, lead bytes below first_lead with their
 * continuation bytes, and, unless n->latin1, 0xC2 before anything but C1. Others are looked up.
 */
static const char *find(
		const struct lu_normalizer *n, const uint64_t *set, const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i lead = _mm_set1_epi8((char)n->first_lead), del = _mm_set1_epi8(0x7F);
	const __m128i low = _mm_set1_epi8(0x1F), tab = _mm_set1_epi8('\t');
	const __m128i feed = _mm_set1_epi8('\n'), c2 = _mm_set1_epi8((char)0xC2);
	const __m128i after_c1 = _mm_set1_epi8((char)(n->latin1 ? 0xC0 : 0xA0));

	for (; end - p > 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i next = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
		__m128i control = _mm_andnot_si128(
				_mm_or_si128(_mm_cmpeq_epi8(v, tab), _mm_cmpeq_epi8(v, feed)),
				_mm_cmpeq_epi8(_mm_min_epu8(v, low), v));
		__m128i high = _mm_cmpeq_epi8(_mm_max_epu8(v, lead), v);
		/* Continuation bytes 0x80-0xBF are negative when signed. */
		__m128i c1 = _mm_and_si128(_mm_cmpeq_epi8(v, c2), _mm_cmplt_epi8(next, after_c1));
		unsigned m = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control, high),
				_mm_or_si128(c1, _mm_cmpeq_epi8(v, del))));

		for (; m; m &= m - 1) {
			const char *at = p + __builtin_ctz(m);

			if (in_set(set, at))
				return at;
		}
	}
#endif
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c < 0x80 || c >= 0xC2) && in_set(set, p))
			return p;
	}
	return end;
}

/* --- the steps: each appends its result on `in` to `out` ------------------------------------ */

static bool is_invisible(uint32_t c)
{
	for (size_t i = 0; i < INVISIBLES; i++) {
		if (c >= invisible[i].from && c <= invisible[i].to)
			return true;
	}
	return false;
}

static bool is_line_end(uint32_t c)
{
	return (c >= 0x0B && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static unsigned edit(const struct lu_normalizer *n, struct lu_str in, struct lu_buf *out)
{
	const char *p = in.p, *end = in.p + in.n;
	unsigned changed = 0;

	for (;;) {
		const char *at = find(n, n->edit, p, end);
		uint32_t c;

		lu_buf_append(out, p, (size_t)(at - p));
		p = at;
		if (p == end)
			return changed;
		c = lu_utf8_next(&p);
		if (is_line_end(c)) {
			changed |= 1u << LU_CHANGED_LINE_ENDS;
			if (c != '\r' || p == end || *p != '\n')
				lu_buf_putc(out, '\n');
		} else {
			changed |= 1u << (is_invisible(c) ? LU_CHANGED_INVISIBLE
							  : LU_CHANGED_CONTROLS);
		}
	}
}

/* The character before p. */
static const char *previous(const char *p)
{
	do
		p--;
	while (((unsigned char)*p & 0xC0) == 0x80);
	return p;
}

static int normalize_form(const struct lu_normalizer *n, struct lu_str in, struct lu_buf *out,
		struct lu_err *err)
{
	enum lu_normal_form form = n->opts.nfkc ? LU_FORM_NFKC : LU_FORM_NFC;
	const char *p = in.p, *end = in.p + in.n;

	for (;;) {
		const char *at = find(n, n->form, p, end), *to = at;

		if (at == end) {
			lu_buf_append(out, p, (size_t)(end - p));
			return lu_buf_check(out, err);
		}
		/* The stretch from the preceding plain character, with which it may compose, to the
		 * next plain one: there are boundaries before both. */
		while (to < end && in_set(n->form, to))
			lu_utf8_next(&to);
		if (at > p)
			at = previous(at);
		lu_buf_append(out, p, (size_t)(at - p));
		if (lu_unicode_normalize(form, (struct lu_str){ at, (size_t)(to - at) }, out, err) <
				0)
			return -1;
		p = to;
	}
}

/* Append `line` with the controls that Windows-1252 has characters for as these. */
static bool replace_c1(struct lu_str line, struct lu_buf *out)
{
	const char *p = line.p, *end = line.p + line.n, *c1;
	bool changed = false;

	for (; p < end; p = c1) {
		char bytes[4];
		uint32_t c;

		c1 = memchr(p, 0xC2, (size_t)(end - p));
		c1 = c1 ? c1 : end;
		lu_buf_append(out, p, (size_t)(c1 - p));
		if (c1 < end) {
			c = lu_utf8_next(&c1);
			changed |= lu_cp1252(c) != c;
			lu_buf_append(out, bytes, lu_utf8_put(lu_cp1252(c), bytes));
		}
	}
	return changed;
}

static bool repair_mojibake(const struct lu_mojibake *m, struct lu_normalize_work *w,
		struct lu_str in, struct lu_buf *out)
{
	const char *p = in.p, *end = in.p + in.n;
	bool changed = false;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl + 1 : end;
		struct lu_str line = { p, (size_t)(to - p) };

		p = to;
		lu_buf_clear(&w->line);
		if (lu_mojibake_line(m, line, &w->bytes, &w->line)) {
			changed = true;
			line = lu_buf_slice(&w->line);
		}
		changed |= replace_c1(line, out);
	}
	return changed;
}

/* Length of p[0..n) without trailing White_Space. */
static size_t trimmed_length(const char *p, size_t n)
{
	while (n > 0) {
		const char *last = previous(p + n), *c = last;

		if (!lu_unicode_is_space(lu_utf8_next(&c)))
			break;
		n = (size_t)(last - p);
	}
	return n;
}

static unsigned trim_blanks(const struct lu_normalize_opts *o, struct lu_str in, struct lu_buf *out)
{
	const char *p = in.p, *end = in.p + in.n;
	size_t from = out->n, kept = out->n; /* kept: end of the last line that is not blank */
	unsigned changed = 0;
	int empty = 0;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p), rest = trimmed_length(p, n);

		empty = rest ? 0 : empty + 1;
		if (o->trim && rest < n) {
			changed |= 1u << LU_CHANGED_BLANKS;
			n = rest;
		}
		if (o->trim && !rest && out->n == from) {
			changed |= 1u << LU_CHANGED_BLANKS;
		} else if (o->blank_lines >= 0 && empty > o->blank_lines) {
			changed |= 1u << LU_CHANGED_BLANK_LINES;
		} else {
			lu_buf_append(out, p, n);
			if (rest)
				kept = out->n;
			if (nl)
				lu_buf_putc(out, '\n');
		}
		p = nl ? nl + 1 : end;
	}
	if (o->trim && out->n > kept) {
		changed |= 1u << LU_CHANGED_BLANKS;
		out->n = kept;
	}
	return changed;
}

/* --- all steps ------------------------------------------------------------------------------ */

/* The buffer that does not hold `text`, emptied. */
static struct lu_buf *other_buffer(struct lu_normalize_work *w, struct lu_str text)
{
	struct lu_buf *b = text.p == w->a.p ? &w->b : &w->a;

	lu_buf_clear(b);
	return b;
}

/* Adopt the result of a step if the step changed something. */
static void adopt(struct lu_str *text, const struct lu_buf *b, unsigned *changed, unsigned kinds)
{
	if (kinds)
		*text = lu_buf_slice(b);
	*changed |= kinds;
}

static bool wants_repair(const struct lu_repair *r)
{
	return r->ligatures || r->accents || r->hyphens || r->soft_hyphens || r->page_numbers;
}

static int repair_typesetting(const struct lu_normalizer *n, struct lu_normalize_work *w,
		struct lu_str *text, unsigned *changed, struct lu_err *err)
{
	struct lu_buf *b = other_buffer(w, *text);
	struct lu_repair_counts one = { 0 };

	if (lu_repair(&n->opts.typesetting, *text, b, &one, err) < 0)
		return -1;
	adopt(text, b, changed,
			(unsigned)(one.ligatures != 0) << LU_CHANGED_LIGATURES |
					(unsigned)(one.accents != 0) << LU_CHANGED_ACCENTS |
					(unsigned)(one.hyphens != 0) << LU_CHANGED_HYPHENS |
					(unsigned)(one.soft_hyphens != 0)
							<< LU_CHANGED_SOFT_HYPHENS |
					(unsigned)(one.page_numbers != 0)
							<< LU_CHANGED_PAGE_NUMBERS);
	w->repaired.ligatures += one.ligatures;
	w->repaired.accents += one.accents;
	w->repaired.hyphens += one.hyphens;
	w->repaired.soft_hyphens += one.soft_hyphens;
	w->repaired.page_numbers += one.page_numbers;
	return 0;
}

static int run_steps(const struct lu_normalizer *n, struct lu_normalize_work *w,
		struct lu_str *text, unsigned *changed, struct lu_err *err)
{
	const char *end;
	struct lu_buf *b;

	if (n->opts.mojibake) {
		b = other_buffer(w, *text);
		adopt(text, b, changed,
				repair_mojibake(n->mojibake, w, *text, b)
						? 1u << LU_CHANGED_MOJIBAKE
						: 0);
		if (lu_buf_check(b, err) < 0 || lu_buf_check(&w->bytes, err) < 0 ||
				lu_buf_check(&w->line, err) < 0)
			return -1;
	}
	if (wants_repair(&n->opts.typesetting) && repair_typesetting(n, w, text, changed, err) < 0)
		return -1;
	end = text->p + text->n;
	if (find(n, n->either, text->p, end) < end) {
		b = other_buffer(w, *text);
		adopt(text, b, changed, edit(n, *text, b));
		if (lu_buf_check(b, err) < 0)
			return -1;
		b = other_buffer(w, *text);
		if (normalize_form(n, *text, b, err) < 0)
			return -1;
		if (!lu_str_eq(lu_buf_slice(b), *text))
			adopt(text, b, changed, 1u << LU_CHANGED_FORM);
	}
	if (n->opts.trim || n->opts.blank_lines >= 0) {
		b = other_buffer(w, *text);
		adopt(text, b, changed, trim_blanks(&n->opts, *text, b));
		if (lu_buf_check(b, err) < 0)
			return -1;
	}
	return 0;
}

int lu_normalize(const struct lu_normalizer *n, struct lu_normalize_work *work, struct lu_str text,
		struct lu_str *out, unsigned *changed, struct lu_err *err)
{
	unsigned kinds;

	*changed = 0;
	*out = text;
	/* Removing a control character can join two halves of mojibake, or of a word. Each such round
	 * leaves fewer bytes, so the loop ends. */
	do {
		kinds = 0;
		if (run_steps(n, work, out, &kinds, err) < 0)
			return -1;
		*changed |= kinds;
	} while ((n->opts.mojibake || wants_repair(&n->opts.typesetting)) && kinds);
	return 0;
}
