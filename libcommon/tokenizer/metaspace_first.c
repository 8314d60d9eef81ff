/* Refuses a Metaspace whose "first" would not be the first word. */
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* Can the normalizer take the beginning of a text away? */
static bool deletes(const struct lu_norm_op *op)
{
	return (op->kind == LU_NORM_STRIP && op->left) ||
			(op->kind == LU_NORM_REPLACE &&
					(op->content.n == 0 ||
							lu_utf8_count(op->pattern.lit.p,
									op->pattern.lit.n) > 1));
}

/* Does each character stay one character, at its place? */
static bool keeps_places(const struct lu_norm_op *op)
{
	return op->kind == LU_NORM_REPLACE && !deletes(op) &&
			lu_utf8_count(op->content.p, op->content.n) == 1;
}

/* Is some token that is searched in normalised text found in what a single character becomes, and
 * not at its end? */
static int token_in_image(const struct lu_tok *t, bool *found, struct lu_err *err)
{
	struct lu_work w = { 0 };
	int rc = 0;

	for (uint32_t c = 1; rc == 0 && !*found && c < 0x110000; c++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

		if (c >= 0xD800 && c < 0xE000)
			continue;
		rc = lu_norm_run(&t->parts, t->uni, &w, s, &s, err);
		for (size_t i = 0; rc == 0 && i < t->n_added; i++) {
			const struct lu_added *a = &t->added[i];

			*found |= a->normalized && a->find.n < s.n &&
					lu_str_find(s.p, s.p + s.n - 1, a->find);
		}
	}
	lu_work_release(&w);
	return rc;
}

int lu_tok_refuse_first(const struct lu_tok *t, const struct lu_tj *j)
{
	bool moved = false, deleted = false, formed = false;

	for (size_t i = 0; i < t->parts.norms; i++) {
		const struct lu_norm_op *op = &t->parts.norm[i];

		deleted |= deletes(op);
		formed |= op->kind == LU_NORM_FORM;
		moved |= op->kind != LU_NORM_FORM && !keeps_places(op);
	}
	for (size_t i = 0; i < t->parts.pres; i++) {
		const struct lu_pre_op *op = &t->parts.pre[i];
		bool cut = i > 0, bad = deleted || (cut && formed);

		if (op->kind != LU_PRE_METASPACE)
			continue;
		if (op->scheme == LU_FIRST) {
			bad |= moved && (cut || t->normal.any);
			if (!bad && formed && t->normal.any && token_in_image(t, &bad, j->err) < 0)
				return -1;
			if (bad)
				return lu_tj_fail(j,
						"Metaspace: \"prepend_scheme\" \"first\" is not "
						"supported with this normalizer");
		}
		moved = true;
	}
	return 0;
}
