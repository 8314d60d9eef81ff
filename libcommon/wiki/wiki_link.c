/*
 * Links in brackets: [[Page]], [[Page|shown]], [[File:X.jpg|thumb|caption]], [[Category:X]].
 */
#include "libcommon/wiki/wiki_expand.h"
#include "libcommon/wiki/wiki_template.h"

/* Characters that mean something at the beginning of a line. */
#define LINE_MARKS "*#:;={|!- "

/* What "[[Help:Chat (animal)|]]" shows: neither the namespace nor what is in parentheses. */
static struct lu_str pipe_trick(struct lu_str target)
{
	const char *colon = memchr(target.p, ':', target.n);

	if (colon) {
		target.n -= (size_t)(colon + 1 - target.p);
		target.p = colon + 1;
	}
	if (target.n && target.p[target.n - 1] == ')') {
		const char *open = memrchr(target.p, '(', target.n);

		if (open && open > target.p)
			target.n = (size_t)(open - target.p);
	} else if (target.n) {
		const char *comma = memchr(target.p, ',', target.n);

		if (comma && comma > target.p)
			target.n = (size_t)(comma - target.p);
	}
	return lu_wiki_trim(target);
}

/* Nothing of the link is shown. */
static void leave_out(struct lu_wikitext *w, const struct lu_wiki_frame *f)
{
	w->expanded.n = f->start;
	w->names.n = f->names;
	w->count = f->count;
}

static bool is_address(struct lu_str s)
{
	return (s.n > 7 && memcmp(s.p, "http://", 7) == 0) ||
			(s.n > 8 && memcmp(s.p, "https://", 8) == 0) ||
			(s.n > 2 && memcmp(s.p, "//", 2) == 0);
}

/* Replace the link by what it shows, in which '|' must not separate cells, nor the beginning mean a
 * list. */
static void show(struct lu_wikitext *w, const struct lu_wiki_frame *f, struct lu_str s)
{
	struct lu_buf *out = &w->expanded;
	bool line = f->start == 0 || out->p[f->start - 1] == '\n';

	if (memchr(s.p, '|', s.n) || (line && s.n && strchr(LINE_MARKS, s.p[0]))) {
		lu_buf_clear(&w->scratch);
		if (line && s.n && strchr(LINE_MARKS, s.p[0]))
			lu_buf_append(&w->scratch, "\1n\2", 3);
		lu_buf_replace(&w->scratch, s, LU_STR("|"), LU_STR("\1n|\2"));
		out->n = f->start;
		lu_buf_str(out, lu_buf_slice(&w->scratch));
		return;
	}
	memmove(out->p + f->start, s.p, s.n);
	out->n = f->start + s.n;
}

bool lu_wiki_link(struct lu_wikitext *w, const struct lu_wiki_frame *f)
{
	struct lu_buf *out = &w->expanded;
	bool piped = w->parts.n > f->part;
	size_t from = f->start + 2, bar = piped ? w->parts.p[f->part].at : out->n;
	struct lu_str target = lu_wiki_trim((struct lu_str){ out->p + from, bar - from });
	struct lu_str shown = target;
	bool colon = target.n && target.p[0] == ':';
	const char *end;

	/* A link in what is shown of a link is none; only captions have them. */
	if (target.n == 0 || memchr(target.p, '\n', target.n) || memchr(target.p, '[', target.n))
		return false;
	if (colon) {
		shown.p++;
		shown.n--;
	}
	end = is_address(target) ? NULL : memchr(shown.p, ':', shown.n);
	if (end && !colon) {
		struct lu_str prefix = { shown.p, (size_t)(end - shown.p) };
		int32_t space = lu_wiki_space_of(w->site, prefix);

		if (space == LU_WIKI_FILE || space == LU_WIKI_MEDIA) {
			leave_out(w, f);
			w->count.files++;
			return true;
		}
		if (space == LU_WIKI_CATEGORY ||
				(space == LU_WIKI_NO_SPACE && lu_wiki_is_language(prefix))) {
			leave_out(w, f);
			return true;
		}
	}
	if (piped) {
		struct lu_str text = { out->p + bar + 1, out->n - bar - 1 };

		shown = lu_wiki_trim(text).n ? text : pipe_trick(shown);
	}
	show(w, f, shown);
	return true;
}
