#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/text/repair_steps.h"

/* Page numbers in a row that are no chance. */
#define RUN 3
/* Bytes between two of them where no form feed separates pages. */
#define NEAREST 500
#define FARTHEST 10000
/* Lines with numbers between two page numbers. */
#define LOOK_BACK 64

/* A line that is only a number. */
struct number {
	size_t from, to; /* the line with its line end */
	uint64_t page;
	uint32_t value;
	bool first, last;     /* line of its page that is not blank */
	bool interrupts;      /* a sentence */
	uint32_t run, before; /* numbers that count up to this one; the one before, or itself */
	bool remove;
};
struct numbers LU_VEC(struct number);

/* --- lines ------------------------------------------------------------------------------------------- */

static struct lu_str trim(struct lu_str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t' || *s.p == '\r' || *s.p == '\f')) {
		s.p++;
		s.n--;
	}
	while (s.n &&
			(s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r' ||
					s.p[s.n - 1] == '\f'))
		s.n--;
	return s;
}

static bool cut_start(struct lu_str *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || strncasecmp(s->p, word, n) != 0)
		return false;
	*s = trim((struct lu_str){ s->p + n, s->n - n });
	return true;
}

static bool cut_end(struct lu_str *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || memcmp(s->p + s->n - n, word, n) != 0)
		return false;
	*s = trim((struct lu_str){ s->p, s->n - n });
	return true;
}

static bool take_value(struct lu_str *s, uint32_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && n < 5)
		*value = *value * 10 + (uint32_t)(s->p[n++] - '0');
	*s = trim((struct lu_str){ s->p + n, s->n - n });
	return n > 0 && n < 5;
}

/* "12", "- 12 -", "[12]", "Page 12", "12/40", "Page 12 of 40". */
static bool is_number(struct lu_str line, uint32_t *value)
{
	static const char *const around[][2] = { { "-", "-" }, { "\xE2\x80\x93", "\xE2\x80\x93" },
		{ "\xE2\x80\x94", "\xE2\x80\x94" }, { "[", "]" }, { "(", ")" }, { "|", "|" } };
	static const char *const words[] = { "page", "p.", "seite", "p\303\241gina", "pagina",
		"pag." };
	static const char *const of[] = { "/", "of", "sur", "von", "de", "di", "van" };
	struct lu_str s = trim(line);
	uint32_t total;

	if (s.n == 0 || s.n > 40)
		return false;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		if (cut_start(&s, around[i][0]) && !cut_end(&s, around[i][1]))
			return false;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cut_start(&s, words[i]))
			break;
	}
	if (!take_value(&s, value))
		return false;
	for (size_t i = 0; s.n && i < sizeof(of) / sizeof(of[0]); i++) {
		if (cut_start(&s, of[i]))
			return take_value(&s, &total) && s.n == 0 && total >= *value;
	}
	return s.n == 0;
}

/* --- the document ------------------------------------------------------------------------------------- */

/* Find the lines that are numbers, and which of them are the first or last of their page. */
static int find_numbers(
		struct lu_str in, struct numbers *found, uint64_t *pages, struct lu_err *err)
{
	struct lu_str rest = in, line;
	size_t on_page = 0, last = SIZE_MAX;
	bool only_number = false; /* the last line that is not blank is found->p[last] */

	*pages = 0;
	while (rest.n) {
		struct number n = { .from = (size_t)(rest.p - in.p) };

		lu_take_line(&rest, &line);
		n.to = (size_t)(rest.p - in.p);
		if (line.n && line.p[0] == '\f') {
			if (only_number)
				found->p[last].last = true;
			++*pages;
			on_page = 0;
			only_number = false;
		}
		n.page = *pages;
		if (trim(line).n == 0)
			continue;
		only_number = is_number(line, &n.value);
		n.first = on_page++ == 0;
		if (!only_number)
			continue;
		last = found->n;
		if (!lu_vec_push(found, n))
			return lu_err_nomem(err);
	}
	if (only_number)
		found->p[last].last = true;
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct number *x = a, *y = b;
	int64_t p = (int64_t)x->value - (int64_t)x->page, q = (int64_t)y->value - (int64_t)y->page;

	if (p != q)
		return p < q ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static int by_place(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Mark those at the given end of their page, in the order of by_offset(). */
static void mark_pages(struct numbers *found, bool first)
{
	size_t i = 0;

	while (i < found->n) {
		size_t to = i, in_row = 0, longest = 0;
		uint64_t page = UINT64_MAX;
		const struct number *start = &found->p[i];

		for (; to < found->n &&
				(int64_t)found->p[to].value - (int64_t)found->p[to].page ==
						(int64_t)start->value - (int64_t)start->page;
				to++) {
			const struct number *n = &found->p[to];

			if (!(first ? n->first : n->last))
				continue;
			in_row = n->page == page + 1 ? in_row + 1 : 1;
			page = n->page;
			longest = in_row > longest ? in_row : longest;
		}
		for (; i < to; i++) {
			struct number *n = &found->p[i];

			n->remove |= longest >= RUN && (first ? n->first : n->last);
		}
	}
}

/* True if a sentence goes on over the line of n. */
static bool interrupts(struct lu_str in, const struct number *n)
{
	const char *p = in.p + n->from, *end = in.p + in.n;
	uint32_t before, after;

	while (p > in.p && strchr(" \t\r\n\f", p[-1]))
		p--;
	before = lu_repair_before(in.p, p);
	p = in.p + n->to;
	while (p < end && strchr(" \t\r\n\f", *p))
		p++;
	if (p == end || before == 0)
		return false;
	after = lu_utf8_next(&p);
	return before == '-' || (before < 0x80 && !strchr(".!?:;\"", (int)before)) ||
					(before >= 0x80 && lu_doc_words_letter(before))
			? lu_doc_words_letter(after) && lu_doc_words_lower(after) == after
			: false;
}

/* Without form feeds: runs that count up at distances of pages, in the order of places. */
static void mark_runs(struct lu_str in, struct numbers *found)
{
	for (size_t i = 0; i < found->n; i++) {
		struct number *n = &found->p[i];

		n->interrupts = interrupts(in, n);
		n->run = 1;
		n->before = (uint32_t)i;
		for (size_t k = i; k-- > 0 && i - k <= LOOK_BACK;) {
			const struct number *m = &found->p[k];

			if (n->from - m->to > FARTHEST)
				break;
			if (m->value + 1 == n->value && n->from - m->to >= NEAREST &&
					m->run >= n->run) {
				n->run = m->run + 1;
				n->before = (uint32_t)k;
			}
		}
	}
	for (size_t i = found->n; i-- > 0;) {
		uint32_t count = 0, broken = 0;

		if (found->p[i].run < RUN || found->p[i].remove)
			continue;
		for (size_t k = i;; k = found->p[k].before) {
			count++;
			broken += found->p[k].interrupts;
			if (found->p[k].before == k)
				break;
		}
		for (size_t k = i; 2 * broken >= count; k = found->p[k].before) {
			found->p[k].remove = true;
			if (found->p[k].before == k)
				break;
		}
	}
}

static bool is_blank_line(struct lu_str in, size_t from)
{
	struct lu_str rest = { in.p + from, in.n - from }, line;

	if (rest.n == 0)
		return false;
	lu_take_line(&rest, &line);
	return lu_str_only(line, " \t\r");
}

/* Append the text without the lines to remove. A form feed that begins such a line stays, and of blank
 * lines on both sides one goes. */
static void write_rest(
		struct lu_str in, const struct numbers *found, struct lu_buf *out, uint64_t *count)
{
	size_t from = 0;

	for (size_t i = 0; i < found->n; i++) {
		const struct number *n = &found->p[i];
		size_t to = n->to;

		if (!n->remove)
			continue;
		++*count;
		lu_buf_append(out, in.p + from, n->from - from);
		if (in.p[n->from] == '\f')
			lu_buf_putc(out, '\f');
		if (n->from >= 2 && in.p[n->from - 1] == '\n' && in.p[n->from - 2] == '\n' &&
				is_blank_line(in, to)) {
			const char *nl = memchr(in.p + to, '\n', in.n - to);

			to = nl ? (size_t)(nl + 1 - in.p) : in.n;
		}
		from = to;
	}
	lu_buf_append(out, in.p + from, in.n - from);
}

int lu_repair_page_numbers(struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err)
{
	struct numbers found = { 0 };
	uint64_t pages;
	int rc = find_numbers(in, &found, &pages, err);

	if (rc == 0 && pages && found.n >= RUN) {
		qsort(found.p, found.n, sizeof(found.p[0]), by_offset);
		mark_pages(&found, true);
		mark_pages(&found, false);
		qsort(found.p, found.n, sizeof(found.p[0]), by_place);
	} else if (rc == 0 && found.n >= RUN) {
		mark_runs(in, &found);
	}
	if (rc == 0) {
		write_rest(in, &found, out, n);
		rc = lu_buf_check(out, err);
	}
	lu_vec_release(&found);
	return rc;
}
