/* Runs the steps of a normalizer. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/normalizer_pass.h"

void lu_work_release(struct lu_work *w)
{
	lu_buf_release(&w->a);
	lu_buf_release(&w->b);
	free(w->spans.p);
	free(w->more.p);
	*w = (struct lu_work){ 0 };
}

/* The buffer of w that does not hold `text`, emptied. */
static struct lu_buf *other(struct lu_work *w, struct lu_str text)
{
	struct lu_buf *to =
			w->a.p && text.p >= w->a.p && text.p <= w->a.p + w->a.cap ? &w->b : &w->a;

	lu_buf_clear(to);
	return to;
}

/* Bytes that the pattern takes at p; 0 when it does not match. */
static size_t match(const struct lu_pattern *pat, const struct lu_frozen_unicode *u, const char *p,
		const char *end)
{
	const char *q = p;

	if (pat->lit.n) {
		if ((size_t)(end - p) < pat->lit.n || memcmp(p, pat->lit.p, pat->lit.n) != 0)
			return 0;
		q += pat->lit.n;
	} else if (!lu_cset_has(&pat->set, u, lu_utf8_next(&q))) {
		return 0;
	}
	if (pat->look) {
		const char *r = q;

		if (q == end || !lu_cset_has(&pat->ahead, u, lu_utf8_next(&r)))
			return 0;
	}
	return (size_t)(q - p);
}

static void replace(const struct lu_norm_op *op, const struct lu_frozen_unicode *u,
		struct lu_str text, struct lu_buf *to)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;

	while (p < end) {
		size_t n;

		if (!op->lead[(unsigned char)*p]) {
			p++;
			continue;
		}
		n = match(&op->pattern, u, p, end);
		if (n) {
			lu_buf_append(to, from, (size_t)(p - from));
			lu_buf_str(to, op->content);
			p += n;
			from = p;
		} else {
			lu_utf8_next(&p);
		}
	}
	lu_buf_append(to, from, (size_t)(end - from));
}

static void insert(const struct lu_norm_op *op, const struct lu_frozen_unicode *u,
		struct lu_str text, struct lu_buf *to)
{
	const char *p = text.p, *end = text.p + text.n, *from = p;

	while (p < end) {
		const char *q;
		uint32_t c;
		size_t i;

		if (!op->lead[(unsigned char)*p]) {
			p++;
			continue;
		}
		c = lu_utf8_next(&p);
		for (i = 0; i < op->after.n && op->after.c[i] != c; i++)
			;
		if (i == op->after.n || p == end)
			continue;
		q = p;
		if (!lu_cset_has(&op->pattern.ahead, u, lu_utf8_next(&q)))
			continue;
		lu_buf_append(to, from, (size_t)(p - from));
		lu_buf_str(to, op->content);
		from = p;
	}
	lu_buf_append(to, from, (size_t)(end - from));
}

static struct lu_str strip(
		const struct lu_norm_op *op, const struct lu_frozen_unicode *u, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n, *q;

	for (q = p; op->left && p < end; p = q) {
		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
	}
	while (op->right && end > p) {
		q = end - 1;
		while (((unsigned char)*q & 0xC0) == 0x80)
			q--;
		s.p = q;
		if (!(lu_frozen_class(u, lu_utf8_next(&q)) & LU_FROZEN_SPACE))
			break;
		end = s.p;
	}
	return (struct lu_str){ p, (size_t)(end - p) };
}

/* The form, and then all other steps at once. */
static int run_pass(const struct lu_parts *parts, const struct lu_frozen_unicode *u,
		struct lu_work *w, struct lu_str text, struct lu_str *out, struct lu_err *err)
{
	const struct lu_pass *pass = parts->pass;
	unsigned state = LU_PASS_START;
	struct lu_buf *to;

	if (lu_pass_form(pass, u, other(w, text), &text, err) < 0)
		return -1;
	if (!pass->none) {
		to = other(w, text);
		lu_pass_run(pass, u, false, &state, text, to);
		if (lu_buf_check(to, err) < 0)
			return -1;
		text = lu_buf_slice(to);
	}
	*out = text;
	return 0;
}

int lu_norm_run(const struct lu_parts *parts, const struct lu_frozen_unicode *u, struct lu_work *w,
		struct lu_str text, struct lu_str *out, struct lu_err *err)
{
	if (parts->pass && parts->pass->ok)
		return run_pass(parts, u, w, text, out, err);
	for (size_t i = 0; i < parts->norms; i++) {
		const struct lu_norm_op *op = &parts->norm[i];
		struct lu_buf *to = other(w, text);

		switch (op->kind) {
		case LU_NORM_FORM:
			if (lu_frozen_normal_prefix(u, op->form, text) == text.n)
				continue;
			if (lu_frozen_normalize(u, op->form, text, to, err) < 0)
				return -1;
			break;
		case LU_NORM_REPLACE: replace(op, u, text, to); break;
		case LU_NORM_INSERT: insert(op, u, text, to); break;
		case LU_NORM_PREPEND:
			if (text.n == 0)
				continue;
			lu_buf_str(to, op->content);
			lu_buf_str(to, text);
			break;
		case LU_NORM_STRIP: text = strip(op, u, text); continue;
		}
		if (lu_buf_check(to, err) < 0)
			return -1;
		text = lu_buf_slice(to);
	}
	*out = text;
	return 0;
}
