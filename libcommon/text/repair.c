#include "libcommon/text/repair.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/repair_steps.h"

/* What a round changes may let the next one change more: a page number between two parts of a word. */
#define ROUNDS 16

/* --- soft hyphens ---------------------------------------------------------------------------------- */

int lu_repair_soft_hyphens(struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err)
{
	const char *p = in.p, *end = p + in.n, *at;

	while ((at = p < end ? memmem(p, (size_t)(end - p), "\xC2\xAD", 2) : NULL) != NULL) {
		const char *rest = at + 2, *broke = NULL,
			   *next = lu_repair_next_line(rest, end, &broke);
		struct lu_str word = lu_repair_word_after(next ? next : rest, end);

		lu_buf_append(out, p, (size_t)(at - p));
		p = rest;
		if (!lu_doc_words_letter(lu_repair_before(in.p, at)) || word.n == 0) {
			lu_buf_append(out, at, 2);
			continue;
		}
		++*n;
		if (!next)
			continue;
		/* The rest of the word, with what is attached to it, moves up. */
		p = next;
		while (p < end && !strchr(" \t\r\n\f", *p))
			p++;
		lu_buf_append(out, next, (size_t)(p - next));
		p = lu_repair_skip_blanks(p, end);
		if (p < end || broke[1] == '\f')
			lu_buf_putc(out, '\n');
		if (broke[1] == '\f')
			lu_buf_putc(out, '\f');
		else if (p < end && *p == '\n')
			p++;
	}
	lu_buf_append(out, p, (size_t)(end - p));
	return lu_buf_check(out, err);
}

/* --- ligatures -------------------------------------------------------------------------------------- */

#define LIGATURES 7

static const char *const letters_of[LIGATURES] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };

/* The ligature U+FB00-FB06 at p, as an index, or -1. */
static int ligature_at(const char *p, const char *end)
{
	return end - p >= 3 && p[0] == '\xEF' && p[1] == '\xAC' && (unsigned char)p[2] <= 0x86
			? (unsigned char)p[2] - 0x80
			: -1;
}

static bool is_lower(const char *p, const char *end)
{
	uint32_t c = p < end ? lu_utf8_next(&p) : 0;

	return c && lu_doc_words_letter(c) && lu_doc_words_lower(c) == c && c != 0xAA && c != 0xBA;
}

/* How a ligature is used in the document: with a letter, or with a blank and a small letter, behind. */
struct habit {
	uint64_t direct[LIGATURES], spaced[LIGATURES];
};

static void find_habit(struct lu_str in, struct habit *h)
{
	const char *p = in.p, *end = p + in.n;

	*h = (struct habit){ 0 };
	while ((p = p < end ? memmem(p, (size_t)(end - p), "\xEF\xAC", 2) : NULL) != NULL) {
		int i = ligature_at(p, end);

		p += i < 0 ? 2 : 3;
		if (i < 0)
			continue;
		h->direct[i] += lu_repair_word_after(p, end).n > 0;
		h->spaced[i] += p < end && *p == ' ' && is_lower(p + 1, end);
	}
}

/* True if the blank at p, behind a ligature that ends `head`, is within a word. */
static bool splits_word(const struct lu_doc_words *words, const struct habit *h, int i,
		struct lu_str head, const char *p, const char *end)
{
	static const struct lu_str nothing = { "", 0 };
	struct lu_str tail;
	char plain[64];
	size_t n = head.n - 3;

	if (p >= end || *p != ' ' || !is_lower(p + 1, end) || n + 4 > sizeof(plain))
		return false;
	tail = lu_repair_word_after(p + 1, end);
	memcpy(plain, head.p, n);
	memcpy(plain + n, letters_of[i], strlen(letters_of[i]) + 1);
	/* "off set", "staff room" */
	if (lu_doc_words_common(lu_str_of(plain)))
		return false;
	if (lu_doc_words_count(words, head, tail, false) > 0)
		return lu_doc_words_count(words, head, nothing, false) <= h->spaced[i] &&
				!(lu_doc_words_common(tail) && n > 0);
	/* No word is a ligature alone. */
	if (n == 0 && i != 0 && !lu_doc_words_common(tail))
		return true;
	if (lu_doc_words_after_ligature(lu_str_of(plain), tail))
		return true;
	return h->direct[i] * 10 <= h->spaced[i] && !lu_doc_words_common(tail) &&
			lu_doc_words_count(words, tail, nothing, false) <= 1 &&
			!(i == 0 && n > 0 && (head.p[n - 1] == 'o' || tail.n > 5));
}

int lu_repair_ligatures(const struct lu_doc_words *words, struct lu_str in, struct lu_buf *out,
		uint64_t *n, struct lu_err *err)
{
	const char *p = in.p, *end = p + in.n, *at;
	struct habit habit;

	find_habit(in, &habit);
	while ((at = p < end ? memmem(p, (size_t)(end - p), "\xEF\xAC", 2) : NULL) != NULL) {
		int i = ligature_at(at, end);
		struct lu_str head;

		lu_buf_append(out, p, (size_t)(at - p));
		p = at + (i < 0 ? 2 : 3);
		if (i < 0) {
			lu_buf_append(out, at, 2);
			continue;
		}
		++*n;
		lu_buf_puts(out, letters_of[i]);
		head = lu_repair_word_before(in.p, p);
		if (splits_word(words, &habit, i, head, p, end))
			p++;
	}
	lu_buf_append(out, p, (size_t)(end - p));
	return lu_buf_check(out, err);
}

/* --- hyphens ------------------------------------------------------------------------------------------ */

/* Words of a document that show which parts are words. */
#define VOCABULARY 500

enum verdict { LEAVE, JOIN, KEEP_HYPHEN };

/* True for a part of an address, a path or a name of a program: "<jean@mon-", "/usr/lib-". */
static bool is_address(const char *start, struct lu_str a, struct lu_str token)
{
	const char *p = a.p;

	while (p > start && !strchr(" \t\r\n\f", p[-1])) {
		if (strchr("/@_<:=.", *--p))
			return true;
	}
	for (size_t i = 0; i < token.n; i++) {
		if (strchr("/@_<>=(", token.p[i]) ||
				(token.p[i] == '.' && i + 1 < token.n && token.p[i + 1] != '"' &&
						(unsigned char)token.p[i + 1] < 0x80))
			return true;
	}
	return false;
}

static enum verdict judge(const struct lu_doc_words *w, const char *start, struct lu_str a,
		struct lu_str b, struct lu_str token)
{
	static const struct lu_str nothing = { "", 0 };
	uint32_t without = lu_doc_words_count(w, a, b, false),
		 with = lu_doc_words_count(w, a, b, true);
	uint32_t before = lu_repair_before(start, a.p);

	if (with > 0 && with >= without)
		return KEEP_HYPHEN;
	if (without > with)
		return before == '-' ? LEAVE : JOIN;
	/* "c'est-à-dire", "3-fold", "Vor- und Nachteile" */
	if (before == '-' || (before >= '0' && before <= '9') || lu_doc_words_compound_first(a) ||
			lu_doc_words_compound_second(b) || lu_doc_words_common(b) ||
			is_address(start, a, token))
		return LEAVE;
	if (lu_doc_words_ending(b))
		return JOIN;
	if (w->total < VOCABULARY || lu_doc_words_common(a) ||
			lu_doc_words_count(w, a, nothing, false) > 0 ||
			lu_doc_words_count(w, b, nothing, false) > 0)
		return LEAVE;
	return JOIN;
}

/* The hyphen at a line end, before `end`, from p on; NULL: none. *broke and *next are as those of
 * lu_repair_next_line(). */
static const char *find_broken(
		const char *p, const char *end, const char **broke, const char **next)
{
	for (; p < end; p++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *at = nl;

		if (!nl)
			return NULL;
		while (at > p && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\r'))
			at--;
		if (at > p && at[-1] == '-')
			at--;
		else if (at - p >= 3 && memcmp(at - 3, "\xE2\x80\x90", 3) == 0)
			at -= 3;
		else
			at = NULL;
		if (at) {
			*next = lu_repair_next_line(at + lu_doc_words_hyphen(at, end), end, broke);
			if (*next)
				return at;
		}
		p = nl;
	}
	return NULL;
}

int lu_repair_hyphens(const struct lu_doc_words *words, struct lu_str in, struct lu_buf *out,
		uint64_t *n, struct lu_err *err)
{
	const char *p = in.p, *end = p + in.n, *at, *broke, *next, *from = p;

	while ((at = find_broken(from, end, &broke, &next)) != NULL) {
		struct lu_str a = lu_repair_word_before(p, at), b = lu_repair_word_after(next, end);
		const char *stop = next;
		enum verdict verdict = LEAVE;
		size_t hyphen = lu_doc_words_hyphen(at, end);

		while (stop < end && !strchr(" \t\r\n\f", *stop))
			stop++;
		if (lu_utf8_count(a.p, a.n) >= 2 && lu_utf8_count(b.p, b.n) >= 2 &&
				is_lower(next, end) && stop[-1] != '-')
			verdict = judge(words, in.p, a, b,
					(struct lu_str){ next, (size_t)(stop - next) });
		from = broke + 1;
		if (verdict == LEAVE)
			continue;
		++*n;
		lu_buf_append(out, p, (size_t)(at - p));
		if (verdict == KEEP_HYPHEN)
			lu_buf_append(out, at, hyphen);
		lu_buf_append(out, next, (size_t)(stop - next));
		stop = lu_repair_skip_blanks(stop, end);
		if (stop < end || broke[1] == '\f')
			lu_buf_putc(out, '\n');
		if (broke[1] == '\f')
			lu_buf_putc(out, '\f');
		else if (stop < end && *stop == '\n')
			stop++;
		p = from = stop;
	}
	lu_buf_append(out, p, (size_t)(end - p));
	return lu_buf_check(out, err);
}

/* --- all --------------------------------------------------------------------------------------------- */

enum step { PAGE_NUMBERS, SOFT_HYPHENS, LIGATURES_STEP, ACCENTS, HYPHENS, STEPS };

static int run_step(enum step step, const struct lu_doc_words *words, struct lu_str in,
		struct lu_buf *out, uint64_t *n, struct lu_err *err)
{
	switch (step) {
	case PAGE_NUMBERS: return lu_repair_page_numbers(in, out, n, err);
	case SOFT_HYPHENS: return lu_repair_soft_hyphens(in, out, n, err);
	case LIGATURES_STEP: return lu_repair_ligatures(words, in, out, n, err);
	case ACCENTS: return lu_repair_accents(in, out, n, err);
	default: return lu_repair_hyphens(words, in, out, n, err);
	}
}

/* True if the text has a character that a step looks for. */
static bool concerns(enum step step, struct lu_str s)
{
	switch (step) {
	case SOFT_HYPHENS: return memmem(s.p, s.n, "\xC2\xAD", 2) != NULL;
	case LIGATURES_STEP: return memmem(s.p, s.n, "\xEF\xAC", 2) != NULL;
	case HYPHENS:
		return memmem(s.p, s.n, "-\n", 2) || memmem(s.p, s.n, "- \n", 3) ||
				memmem(s.p, s.n, "-\r\n", 3) || memmem(s.p, s.n, "\xE2\x80\x90", 3);
	default: return true;
	}
}

/* One pass of all steps over a->..., which is exchanged with *b. */
static int run_round(const bool *wanted, struct lu_buf *a, struct lu_buf *b, uint64_t *counts,
		bool *changed, struct lu_err *err)
{
	struct lu_doc_words words = { 0 };
	int rc = 0;

	*changed = false;
	for (int i = 0; rc == 0 && i < STEPS; i++) {
		uint64_t n = 0;

		if (!wanted[i] || !concerns((enum step)i, lu_buf_slice(a)))
			continue;
		if (i == LIGATURES_STEP || i == HYPHENS) {
			lu_doc_words_release(&words);
			rc = lu_doc_words_add_text(&words, lu_buf_slice(a), err);
		}
		lu_buf_clear(b);
		if (rc == 0)
			rc = run_step((enum step)i, &words, lu_buf_slice(a), b, &n, err);
		if (rc == 0 && n) {
			struct lu_buf swap = *a;

			*a = *b;
			*b = swap;
			counts[i] += n;
			*changed = true;
		}
	}
	lu_doc_words_release(&words);
	return rc;
}

int lu_repair(const struct lu_repair *r, struct lu_str in, struct lu_buf *out,
		struct lu_repair_counts *n, struct lu_err *err)
{
	const bool wanted[STEPS] = { r->page_numbers, r->soft_hyphens, r->ligatures, r->accents,
		r->hyphens };
	uint64_t counts[STEPS] = { 0 };
	struct lu_buf a = { 0 }, b = { 0 };
	bool changed = true;
	int rc = -1;

	lu_buf_str(&a, in);
	if (lu_buf_check(&a, err) < 0)
		goto out;
	for (int i = 0; changed && i < ROUNDS; i++) {
		if (run_round(wanted, &a, &b, counts, &changed, err) < 0)
			goto out;
	}
	lu_buf_append(out, a.p, a.n);
	if (lu_buf_check(out, err) < 0)
		goto out;
	n->page_numbers += counts[PAGE_NUMBERS];
	n->soft_hyphens += counts[SOFT_HYPHENS];
	n->ligatures += counts[LIGATURES_STEP];
	n->accents += counts[ACCENTS];
	n->hyphens += counts[HYPHENS];
	rc = 0;
out:
	lu_buf_release(&a);
	lu_buf_release(&b);
	return rc;
}
