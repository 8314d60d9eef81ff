#include "libcommon/tokenizer/pretokenizer.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/bpe_cut.h"

/* A word being split by one step. Matches and the stretches between them arrive in order. */
struct splitter {
	const struct lu_pre_step *step;
	enum lu_split_behavior behavior;
	struct lu_spans *to;
	struct lu_err *err;
	size_t first;	/* index in `to` of this word's first part */
	bool was_match; /* the last part was a match */
};

static int add_span(struct splitter *s, size_t at, size_t n)
{
	if (n && !lu_vec_push(s->to, (struct lu_span){ at, n }))
		return lu_err_nomem(s->err);
	return 0;
}

/*
 * Add a part according to the behaviour. In the two Merged behaviours only a match adjacent to a
 * stretch is merged with it: of several matches in a row the first joins the stretch before
 * (MergedWithPrevious), or the last joins the stretch after (MergedWithNext); others stay alone.
 */
static int add_part(struct splitter *s, size_t at, size_t n, bool is_match)
{
	struct lu_span *last = s->to->n > s->first ? &s->to->p[s->to->n - 1] : NULL;
	bool join = false;

	if (n == 0)
		return 0;
	switch (s->behavior) {
	case LU_BEHAVIOR_REMOVED:
		if (is_match)
			return 0;
		break;
	case LU_BEHAVIOR_ISOLATED: break;
	case LU_BEHAVIOR_MERGED_WITH_PREVIOUS: join = last && is_match && !s->was_match; break;
	case LU_BEHAVIOR_MERGED_WITH_NEXT: join = last && !is_match && s->was_match; break;
	case LU_BEHAVIOR_CONTIGUOUS: join = last && is_match == s->was_match; break;
	}
	s->was_match = is_match;
	if (join) {
		last->n += n;
		return 0;
	}
	return add_span(s, at, n);
}

/* Split with each character of the class as a match. */
static int split_by_class(struct splitter *s, const struct lu_frozen_unicode *u, unsigned class,
		const char *base, struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n, *from = p;

	while (p < end) {
		const char *at = p;

		if (!(lu_frozen_class(u, lu_utf8_next(&p)) & class))
			continue;
		if (add_part(s, (size_t)(from - base), (size_t)(at - from), false) < 0 ||
				add_part(s, (size_t)(at - base), (size_t)(p - at), true) < 0)
			return -1;
		from = p;
	}
	return add_part(s, (size_t)(from - base), (size_t)(end - from), false);
}

static int split_by_literal(struct splitter *s, struct lu_str literal, bool invert,
		const char *base, struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n;

	while (p < end) {
		const char *at = lu_str_find(p, end, literal);

		if (!at)
			break;
		if (add_part(s, (size_t)(p - base), (size_t)(at - p), invert) < 0 ||
				add_part(s, (size_t)(at - base), literal.n, !invert) < 0)
			return -1;
		p = at + literal.n;
	}
	return add_part(s, (size_t)(p - base), (size_t)(end - p), invert);
}

static int split_by_regex(struct splitter *s, const struct lu_frozen_unicode *u,
		enum lu_split_regex regex, const char *base, struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n;

	while (p < end) {
		size_t n = lu_split_regex_match(regex, u, p, end);

		if (add_span(s, (size_t)(p - base), n) < 0)
			return -1;
		p += n;
	}
	return 0;
}

/* Split by \w+|[^\w\s]+. In the engine that Hugging Face uses here \w includes the two joiners. */
static int split_whitespace(struct splitter *s, const struct lu_frozen_unicode *u, const char *base,
		struct lu_span word)
{
	enum { BLANK, WORD, OTHER };
	const char *p = base + word.at, *end = p + word.n, *from = p;
	int kind = BLANK;

	while (p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		unsigned class = lu_frozen_class(u, c);
		bool is_word = (class & LU_FROZEN_WORD_BRACKET) || c == 0x200C || c == 0x200D;
		int next = class & LU_FROZEN_SPACE ? BLANK : is_word ? WORD : OTHER;

		if (next == kind)
			continue;
		if (kind != BLANK && add_span(s, (size_t)(from - base), (size_t)(at - from)) < 0)
			return -1;
		from = at;
		kind = next;
	}
	return kind != BLANK ? add_span(s, (size_t)(from - base), (size_t)(end - from)) : 0;
}

static int split_word(struct splitter *s, const struct lu_frozen_unicode *u, const char *base,
		struct lu_span word)
{
	const struct lu_pre_step *step = s->step;

	s->first = s->to->n;
	s->was_match = false;
	switch (step->kind) {
	case LU_PRE_DIGITS:
		s->behavior = step->individual ? LU_BEHAVIOR_ISOLATED : LU_BEHAVIOR_CONTIGUOUS;
		return split_by_class(s, u, LU_FROZEN_DIGIT, base, word);
	case LU_PRE_PUNCTUATION: return split_by_class(s, u, LU_FROZEN_PUNCT, base, word);
	case LU_PRE_SPLIT_LITERAL: return split_by_literal(s, step->text, step->invert, base, word);
	case LU_PRE_SPLIT_REGEX: return split_by_regex(s, u, step->regex, base, word);
	case LU_PRE_WHITESPACE: return split_whitespace(s, u, base, word);
	case LU_PRE_WHITESPACE_SPLIT:
		s->behavior = LU_BEHAVIOR_REMOVED;
		return split_by_class(s, u, LU_FROZEN_SPACE, base, word);
	case LU_PRE_METASPACE:
		if (!step->split)
			return add_span(s, word.at, word.n);
		s->behavior = LU_BEHAVIOR_MERGED_WITH_NEXT;
		return split_by_literal(s, step->text, false, base, word);
	case LU_PRE_BYTE_LEVEL: break;
	}
	if (step->regex == LU_SPLIT_NONE)
		return add_span(s, word.at, word.n);
	return split_by_regex(s, u, step->regex, base, word);
}

static bool starts_with(struct lu_str text, struct lu_span s, struct lu_str prefix)
{
	return s.n >= prefix.n && memcmp(text.p + s.at, prefix.p, prefix.n) == 0;
}

/* Copy the words into `to`, with `marker` in place of spaces (Metaspace) and before the words that
 * the step prepends it to, and move the spans along. */
static int rewrite(const struct lu_pre_step *step, struct lu_str marker, struct lu_spans *spans,
		struct lu_str text, bool first, struct lu_buf *to, struct lu_err *err)
{
	bool metaspace = step->kind == LU_PRE_METASPACE;

	for (size_t i = 0; i < spans->n; i++) {
		struct lu_span *s = &spans->p[i];
		const char *p = text.p + s->at, *end = p + s->n;
		size_t at = to->n;
		bool marked = starts_with(text, *s, marker) || (metaspace && *p == ' ');
		bool prepend = metaspace ? step->scheme == LU_PREPEND_ALWAYS ||
						(step->scheme == LU_PREPEND_FIRST && first &&
								s->at == 0)
					 : step->prefix_space;

		if (prepend && !marked)
			lu_buf_str(to, marker);
		while (p < end) {
			const char *space = metaspace ? memchr(p, ' ', (size_t)(end - p)) : NULL;

			lu_buf_append(to, p, (size_t)((space ? space : end) - p));
			p = space ? space + 1 : end;
			if (space)
				lu_buf_str(to, marker);
		}
		*s = (struct lu_span){ at, to->n - at };
	}
	lu_buf_reserve(to, LU_BPE_PADDING);
	return lu_buf_check(to, err);
}

int lu_pre_run(const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_step_buffers *w, struct lu_str text, bool first, struct lu_str *out,
		struct lu_err *err)
{
	w->spans.n = 0;
	if (text.n && !lu_vec_push(&w->spans, (struct lu_span){ 0, text.n }))
		return lu_err_nomem(err);
	for (size_t i = 0; i < components->pres; i++) {
		const struct lu_pre_step *step = &components->pre[i];
		struct splitter s = {
			.step = step, .behavior = step->behavior, .to = &w->new_spans, .err = err
		};
		struct lu_spans swap;

		if (step->kind == LU_PRE_METASPACE || step->prefix_space) {
			struct lu_str marker =
					step->kind == LU_PRE_METASPACE ? step->text : LU_STR(" ");
			struct lu_buf *to = lu_step_buffers_other(w, text);

			if (rewrite(step, marker, &w->spans, text, first, to, err) < 0)
				return -1;
			text = lu_buf_slice(to);
		}
		w->new_spans.n = 0;
		for (size_t k = 0; k < w->spans.n; k++) {
			if (split_word(&s, u, text.p, w->spans.p[k]) < 0)
				return -1;
		}
		swap = w->spans;
		w->spans = w->new_spans;
		w->new_spans = swap;
	}
	*out = text;
	return 0;
}

bool lu_pre_splits_at_spaces(const struct lu_components *components)
{
	bool splits = false;

	for (size_t i = 0; i < components->pres; i++) {
		const struct lu_pre_step *step = &components->pre[i];

		switch (step->kind) {
		/* These look at single characters, none of which is a letter or a space. */
		case LU_PRE_DIGITS:
		case LU_PRE_PUNCTUATION: break;
		/* The literal might span the position. */
		case LU_PRE_SPLIT_LITERAL: return false;
		/* A space that has been replaced may not be one to the next step. */
		case LU_PRE_METASPACE:
			if (!step->split && !splits)
				return false;
			splits = true;
			break;
		case LU_PRE_BYTE_LEVEL: splits |= step->regex != LU_SPLIT_NONE; break;
		case LU_PRE_SPLIT_REGEX:
		case LU_PRE_WHITESPACE:
		case LU_PRE_WHITESPACE_SPLIT: splits = true; break;
		}
	}
	return splits;
}

enum lu_split_regex lu_pre_only_regex(const struct lu_components *components)
{
	enum lu_split_regex found = LU_SPLIT_NONE;

	for (size_t i = 0; i < components->pres; i++) {
		const struct lu_pre_step *step = &components->pre[i];

		/* ByteLevel after an expression only changes the spelling of bytes. */
		if (i == 1 && step->kind == LU_PRE_BYTE_LEVEL && !step->prefix_space &&
				step->regex == LU_SPLIT_NONE)
			continue;
		if (i > 0 || step->prefix_space ||
				(step->kind != LU_PRE_SPLIT_REGEX &&
						step->kind != LU_PRE_BYTE_LEVEL))
			return LU_SPLIT_NONE;
		found = step->regex;
	}
	return found;
}
