#include "libcommon/tokaudit/probe.h"

#include "libcommon/base/utf8.h"

/* Characters of several kinds. One without a piece keeps its neighbours from merging with it. */
static const char *const rare[] = { "一", "\xEE\x80\x80", "☃", "ก", "\xF0\x9F\x98\x80", "①", "Ж" };
#define MAX_RARE 4

int lu_probe_init(struct lu_probe *p, const struct lu_tok *tok, struct lu_err *err)
{
	static const char *const before[] = { "a", " ", "a ", ".", "0", "\n", "-" };
	static const char *const after[] = { " ", "a", " a", ".", "0", "\n", "-" };
	_Static_assert(1 + MAX_RARE + sizeof(before) / sizeof(before[0]) == LU_PROBE_CONTEXTS,
			"all contexts have room");

	p->tok = tok;
	p->state = lu_tok_state_new(tok);
	p->model = tok->bpe;
	p->model.ignore_merges = false;
	if (!p->state)
		return lu_err_nomem(err);
	p->before[p->befores++] = p->after[p->afters++] = "";
	for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]) && p->befores <= MAX_RARE; i++) {
		uint32_t id;

		if (!tok->components.byte_level && !lu_tok_id(tok, lu_str_of(rare[i]), &id))
			p->before[p->befores++] = p->after[p->afters++] = rare[i];
	}
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		p->before[p->befores++] = before[i];
		p->after[p->afters++] = after[i];
	}
	lu_bpe_state_init(&p->bpe);
	return 0;
}

void lu_probe_release(struct lu_probe *p)
{
	lu_tok_state_free(p->state);
	lu_bpe_state_release(&p->bpe);
	lu_ids_release(&p->ids);
	lu_buf_release(&p->text);
	lu_buf_release(&p->bytes);
	lu_buf_release(&p->scratch);
	lu_buf_release(&p->joined);
	for (size_t i = 0; i < LU_PROBE_BASES; i++)
		lu_buf_release(&p->base[i]);
}

int lu_probe_text(struct lu_probe *p, uint32_t id, struct lu_err *err)
{
	p->ids.n = 0;
	if (lu_buf_check(&p->text, err) < 0 ||
			lu_tok_encode(p->tok, p->state, lu_buf_slice(&p->text), LU_TOK_SPECIAL_TEXT,
					&p->ids, err) < 0)
		return -1;
	for (size_t i = 0; i < p->ids.n; i++) {
		if (p->ids.p[i] == id)
			return 1;
	}
	return 0;
}

int lu_probe_word(struct lu_probe *p, struct lu_str word, struct lu_err *err)
{
	p->ids.n = 0;
	return lu_bpe_word(&p->model, &p->bpe, word, &p->ids, err);
}

/* What the i-th step of normalizer and pre-tokenizer replaced, and by what. `utf8` is storage.
 * False for other steps, and for those that cannot be undone by replacing a string. */
static bool replacement(const struct lu_components *parts, size_t i, struct lu_str *original,
		struct lu_str *by, char utf8[4])
{
	const struct lu_norm_step *norm;

	if (i >= parts->norms) {
		const struct lu_pre_step *pre = &parts->pre[i - parts->norms];

		*original = LU_STR(" ");
		*by = pre->text;
		return pre->kind == LU_PRE_METASPACE;
	}
	norm = &parts->norm[i];
	if (norm->kind != LU_NORM_REPLACE || norm->pattern.has_lookahead || norm->content.n == 0)
		return false;
	*original = norm->pattern.literal;
	*by = norm->content;
	if (original->n == 0 && norm->pattern.set.n)
		*original = (struct lu_str){ utf8, lu_utf8_put(norm->pattern.set.c[0], utf8) };
	return original->n > 0;
}

/* The text of the piece before the normalizer and Metaspace: undo their replacements, the last
 * step first. */
static void undo_replacements(struct lu_probe *p, struct lu_str piece, struct lu_buf *out)
{
	const struct lu_components *parts = &p->tok->components;

	lu_buf_clear(out);
	lu_buf_str(out, piece);
	for (size_t i = parts->pres + parts->norms; i-- > 0;) {
		struct lu_str original, by;
		struct lu_buf swap;
		char utf8[4];

		if (!replacement(parts, i, &original, &by, utf8))
			continue;
		lu_buf_clear(&p->scratch);
		lu_buf_replace(&p->scratch, lu_buf_slice(out), by, original);
		swap = *out;
		*out = p->scratch;
		p->scratch = swap;
	}
}

/* Make the distinct texts to try, without context. */
static int make_bases(struct lu_probe *p, uint32_t id, size_t *bases, struct lu_err *err)
{
	struct lu_str text;

	for (size_t i = 0; i < LU_PROBE_BASES; i++)
		lu_buf_clear(&p->base[i]);
	lu_buf_str(&p->base[0], lu_buf_slice(&p->bytes));
	undo_replacements(p, lu_buf_slice(&p->bytes), &p->base[1]);
	text = lu_buf_slice(&p->base[1]);
	/* Without the prefix that the normalizer prepends. */
	if (text.n && text.p[0] == ' ')
		lu_buf_append(&p->base[2], text.p + 1, text.n - 1);
	if (lu_tok_decode(p->tok, p->state, &id, 1, 0, &p->base[3], NULL, err) < 0)
		return -1;
	/* Twice, since the first may merge with what the normalizer prepends. */
	lu_buf_str(&p->base[4], text);
	lu_buf_str(&p->base[4], text);
	*bases = 0;
	for (size_t i = 0; i < LU_PROBE_BASES; i++) {
		struct lu_buf base = p->base[i];
		bool skip = base.n == 0 || lu_utf8_valid(base.p, base.n) != base.n;

		if (lu_buf_check(&base, err) < 0)
			return -1;
		for (size_t k = 0; k < *bases && !skip; k++)
			skip = lu_str_eq(lu_buf_slice(&p->base[k]), lu_buf_slice(&base));
		if (skip)
			continue;
		p->base[i] = p->base[*bases];
		p->base[(*bases)++] = base;
	}
	return 0;
}

int lu_probe_whole(struct lu_probe *p, uint32_t id, struct lu_err *err)
{
	size_t bases;

	if (make_bases(p, id, &bases, err) < 0)
		return -1;
	/* The plain contexts come first: they give nearly all pieces. */
	for (size_t a = 0; a < p->afters; a++) {
		for (size_t b = 0; b < p->befores; b++) {
			for (size_t i = 0; i < bases; i++) {
				int rc;

				lu_buf_clear(&p->text);
				lu_buf_puts(&p->text, p->before[b]);
				lu_buf_str(&p->text, lu_buf_slice(&p->base[i]));
				lu_buf_puts(&p->text, p->after[a]);
				rc = lu_probe_text(p, id, err);
				if (rc)
					return rc;
			}
		}
	}
	return 0;
}
