#include "libcommon/tokenizer/marks.h"

static bool has(const struct lu_ids *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (ids->p[i] == id)
			return true;
	}
	return false;
}

/* Append the ids of one word of the list. */
static int add(struct lu_ids *ids, const struct lu_tok *tok, const uint32_t *id, size_t n,
		bool again, const char *side, struct lu_err *err)
{
	size_t others = ids->n;

	if (lu_ids_reserve(ids, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!again && has(ids, others, id[i]))
			return lu_err_set(err,
					LU_STR_FMT
					" would be added twice %s a text (see --allow-doubled)",
					LU_STR_ARG(lu_tok_piece(tok, id[i])), side);
		ids->p[ids->n++] = id[i];
	}
	return 0;
}

static int add_word(struct lu_marks *m, const struct lu_tok *tok, struct lu_str word, bool again,
		struct lu_err *err)
{
	bool bos = lu_str_is(word, "bos");
	struct lu_tok_template post = lu_tok_template(tok);
	uint32_t id;

	if (lu_str_is(word, "template")) {
		if (add(&m->before, tok, post.before, post.n_before, again, "before", err) < 0)
			return -1;
		return add(&m->after, tok, post.after, post.n_after, again, "after", err);
	}
	if (!bos && !lu_str_is(word, "eos"))
		return lu_err_set(err, "'" LU_STR_FMT "' is none of bos, eos, template",
				LU_STR_ARG(word));
	if (!lu_tok_role(tok, bos ? LU_TOK_BOS : LU_TOK_EOS, &id))
		return lu_err_set(err, "the tokenizer has no special token for " LU_STR_FMT,
				LU_STR_ARG(word));
	return add(bos ? &m->before : &m->after, tok, &id, 1, again, bos ? "before" : "after", err);
}

int lu_marks_parse(struct lu_marks *m, const struct lu_tok *tok, const char *list, bool again,
		struct lu_err *err)
{
	if (strcmp(list, "none") == 0)
		return 0;
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (add_word(m, tok, (struct lu_str){ p, n }, again, err) < 0)
			return -1;
		p += n + (p[n] == ',');
	}
	return 0;
}

const char *lu_marks_doubled(const struct lu_marks *m, uint32_t first, uint32_t last, uint32_t *id)
{
	*id = first;
	if (has(&m->before, m->before.n, first))
		return "begins with an added token already (see --add and --allow-doubled)";
	*id = last;
	return has(&m->after, m->after.n, last)
			? "ends with an added token already (see --add and --allow-doubled)"
			: NULL;
}

void lu_marks_release(struct lu_marks *m)
{
	lu_ids_release(&m->before);
	lu_ids_release(&m->after);
}
