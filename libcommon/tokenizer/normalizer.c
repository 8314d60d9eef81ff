#include "libcommon/tokenizer/normalizer.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/normalizer_pass.h"

/* Length of the match of the pattern at p; 0 when there is none. */
static size_t match(const struct lu_pattern *pattern, const struct lu_frozen_unicode *u,
		const char *p, const char *end)
{
	const char *q = p;

	if (pattern->literal.n) {
		if ((size_t)(end - p) < pattern->literal.n ||
				memcmp(p, pattern->literal.p, pattern->literal.n) != 0)
			return 0;
		q += pattern->literal.n;
	} else if (!lu_char_set_has(&pattern->set, u, lu_utf8_next(&q))) {
		return 0;
	}
	if (pattern->has_lookahead) {
		const char *ahead = q;

		if (q == end || !lu_char_set_has(&pattern->lookahead, u, lu_utf8_next(&ahead)))
			return 0;
	}
	return (size_t)(q - p);
}

static void replace(const struct lu_norm_step *step, const struct lu_frozen_unicode *u,
		struct lu_str text, struct lu_buf *to)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;

	while (p < end) {
		size_t n;

		if (!step->lead[(unsigned char)*p]) {
			p++;
			continue;
		}
		n = match(&step->pattern, u, p, end);
		if (n) {
			lu_buf_append(to, from, (size_t)(p - from));
			lu_buf_str(to, step->content);
			p += n;
			from = p;
		} else {
			lu_utf8_next(&p);
		}
	}
	lu_buf_append(to, from, (size_t)(end - from));
}

static void insert(const struct lu_norm_step *step, const struct lu_frozen_unicode *u,
		struct lu_str text, struct lu_buf *to)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;

	while (p < end) {
		const char *ahead;

		if (!step->lead[(unsigned char)*p]) {
			p++;
			continue;
		}
		if (!lu_char_set_has(&step->after, u, lu_utf8_next(&p)) || p == end)
			continue;
		ahead = p;
		if (!lu_char_set_has(&step->pattern.lookahead, u, lu_utf8_next(&ahead)))
			continue;
		lu_buf_append(to, from, (size_t)(p - from));
		lu_buf_str(to, step->content);
		from = p;
	}
	lu_buf_append(to, from, (size_t)(end - from));
}

static struct lu_str strip(
		const struct lu_norm_step *step, const struct lu_frozen_unicode *u, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n, *q;

	for (q = p; step->left && p < end; p = q) {
		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
	}
	while (step->right && end > p) {
		const char *last = end - 1;

		while (((unsigned char)*last & 0xC0) == 0x80)
			last--;
		q = last;
		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
		end = last;
	}
	return (struct lu_str){ p, (size_t)(end - p) };
}

/* The normal form, and then all other steps in one pass. */
static int run_pass(const struct lu_normalizer_pass *pass, const struct lu_frozen_unicode *u,
		struct lu_step_buffers *w, struct lu_str text, struct lu_str *out,
		struct lu_err *err)
{
	unsigned state = LU_NORMALIZER_START;
	struct lu_buf *to;

	if (lu_normalizer_pass_form(pass, u, lu_step_buffers_other(w, text), &text, err) < 0)
		return -1;
	if (!pass->identity) {
		to = lu_step_buffers_other(w, text);
		lu_normalizer_pass_run(pass, u, false, &state, text, to);
		if (lu_buf_check(to, err) < 0)
			return -1;
		text = lu_buf_slice(to);
	}
	*out = text;
	return 0;
}

int lu_norm_run(const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_step_buffers *w, struct lu_str text, struct lu_str *out,
		struct lu_err *err)
{
	if (components->pass && components->pass->ok)
		return run_pass(components->pass, u, w, text, out, err);
	for (size_t i = 0; i < components->norms; i++) {
		const struct lu_norm_step *step = &components->norm[i];
		struct lu_buf *to = lu_step_buffers_other(w, text);

		switch (step->kind) {
		case LU_NORM_FORM:
			if (lu_frozen_normal_prefix(u, step->form, text) == text.n)
				continue;
			if (lu_frozen_normalize(u, step->form, text, to, err) < 0)
				return -1;
			break;
		case LU_NORM_REPLACE: replace(step, u, text, to); break;
		case LU_NORM_INSERT: insert(step, u, text, to); break;
		case LU_NORM_PREPEND:
			if (text.n == 0)
				continue;
			lu_buf_str(to, step->content);
			lu_buf_str(to, text);
			break;
		case LU_NORM_STRIP: text = strip(step, u, text); continue;
		}
		if (lu_buf_check(to, err) < 0)
			return -1;
		text = lu_buf_slice(to);
	}
	*out = text;
	return 0;
}
