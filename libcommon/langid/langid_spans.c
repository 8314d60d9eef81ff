#include "libcommon/langid/langid_spans.h"

#define PARTS 3
#define LEAST 0.05 /* share of a part */

void lu_lang_spans_fill(struct lu_lang_spans *spans)
{
	for (size_t i = 0, k; i < spans->n; i = k + (k == i)) {
		const char *before, *after;

		for (k = i; k < spans->n && spans->p[k].open; k++)
			;
		if (k == i)
			continue;
		before = i ? spans->p[i - 1].lang : NULL;
		after = k < spans->n ? spans->p[k].lang : before;
		before = before ? before : after;
		for (; before && strcmp(before, after) == 0 && i < k; i++)
			memcpy(spans->p[i].lang, before, LU_LANG_CODE);
	}
}

/* Bytes of each language, in the order in which they come first. */
struct sums LU_VEC(struct {
	const char *lang;
	uint64_t bytes;
});

/* Take the largest of those with a language out of the sums. */
static bool take(struct sums *sums, struct lu_lang_part *part, double all)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < sums->n; i++) {
		if (strcmp(sums->p[i].lang, "und") != 0 &&
				(best == SIZE_MAX || sums->p[i].bytes > sums->p[best].bytes))
			best = i;
	}
	if (best == SIZE_MAX || (double)sums->p[best].bytes < LEAST * all)
		return false;
	memcpy(part->lang, sums->p[best].lang, LU_LANG_CODE);
	part->share = (double)sums->p[best].bytes / all;
	sums->p[best].bytes = 0;
	return true;
}

static bool add(struct sums *sums, const struct lu_lang_span *span)
{
	for (size_t i = 0; i < sums->n; i++) {
		if (strcmp(sums->p[i].lang, span->lang) == 0) {
			sums->p[i].bytes += span->n;
			return true;
		}
	}
	if (!lu_vec_reserve(sums, 1))
		return false;
	sums->p[sums->n].lang = span->lang;
	sums->p[sums->n++].bytes = span->n;
	return true;
}

int lu_lang_spans_share(const struct lu_lang_spans *spans, struct lu_lang *out, struct lu_err *err)
{
	struct sums sums = { 0 };
	double all = 0, rest = 1;

	for (size_t i = 0; i < spans->n; i++) {
		all += (double)spans->p[i].n;
		if (!add(&sums, &spans->p[i])) {
			lu_vec_release(&sums);
			return lu_err_nomem(err);
		}
	}
	*out = (struct lu_lang){ .lang = "und" };
	while (all > 0 && out->parts < PARTS && take(&sums, &out->part[out->parts], all))
		rest -= out->part[out->parts++].share;
	lu_vec_release(&sums);
	if (all > 0 && rest >= LEAST) {
		memcpy(out->part[out->parts].lang, "und", 4);
		out->part[out->parts++].share = rest;
	}
	return 0;
}

void lu_lang_spans_join(struct lu_lang_spans *spans)
{
	size_t n = 0;

	for (size_t i = 0; i < spans->n; i++) {
		struct lu_lang_span *last = n ? &spans->p[n - 1] : NULL, *s = &spans->p[i];

		if (last && strcmp(last->lang, s->lang) == 0)
			last->n = s->at + s->n - last->at;
		else
			spans->p[n++] = *s;
	}
	spans->n = n;
}

static bool is_blank_line(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p == end;
}

/* The end of a line, behind its line feed. */
static const char *next_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl + 1 : end;
}

/* The end of a paragraph and of the blank lines behind it; of a line unless `blank`. */
static const char *next_paragraph(const char *p, const char *end, bool blank)
{
	bool seen = false;

	while (p < end) {
		const char *next = next_line(p, end);
		bool is_blank = is_blank_line(p, next);

		if (seen && !is_blank)
			return p;
		seen = !blank || is_blank;
		p = next;
	}
	return end;
}

bool lu_lang_spans_cut(struct lu_lang_spans *spans, struct lu_str text)
{
	const char *p = text.p, *end = p + text.n;
	bool blank = next_paragraph(p, end, true) < end;

	spans->n = 0;
	while (p < end) {
		const char *next = next_paragraph(p, end, blank);

		if (!lu_vec_push(spans,
				    (struct lu_lang_span){ .at = (size_t)(p - text.p),
						    .n = (size_t)(next - p),
						    .lang = "und",
						    .open = true }))
			return false;
		p = next;
	}
	return true;
}
