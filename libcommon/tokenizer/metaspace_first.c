#include "libcommon/tokenizer/metaspace_first.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/normalizer.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* True if the step may delete the beginning of a text. */
static bool deletes(const struct lu_norm_step *step)
{
	if (step->kind == LU_NORM_STRIP)
		return step->left;
	return step->kind == LU_NORM_REPLACE &&
			(step->content.n == 0 ||
					lu_utf8_count(step->pattern.literal.p,
							step->pattern.literal.n) > 1);
}

/* True if the step replaces single characters by single characters. */
static bool is_one_to_one(const struct lu_norm_step *step)
{
	return step->kind == LU_NORM_REPLACE && !deletes(step) &&
			lu_utf8_count(step->content.p, step->content.n) == 1;
}

/* Set *found if some normalised added token occurs in the mapping of a single character, other than
 * at its end. */
static int find_token_in_mapping(const struct lu_tok *tok, bool *found, struct lu_err *err)
{
	struct lu_step_buffers w = { 0 };
	int rc = 0;

	for (uint32_t c = 1; rc == 0 && !*found && c < 0x110000; c++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

		if (c >= 0xD800 && c < 0xE000)
			continue;
		rc = lu_norm_run(&tok->components, tok->unicode, &w, s, &s, err);
		for (size_t i = 0; rc == 0 && i < tok->n_added; i++) {
			const struct lu_added_token *a = &tok->added[i];

			*found |= a->normalized && a->needle.n < s.n &&
					lu_str_find(s.p, s.p + s.n - 1, a->needle);
		}
	}
	lu_step_buffers_release(&w);
	return rc;
}

int lu_metaspace_first_check(const struct lu_tok *tok, const struct lu_component_reader *r)
{
	bool moves = false, deleted = false, has_form = false;
	bool split_by_tokens = tok->normalized_index.any;

	for (size_t i = 0; i < tok->components.norms; i++) {
		const struct lu_norm_step *step = &tok->components.norm[i];

		deleted |= deletes(step);
		has_form |= step->kind == LU_NORM_FORM;
		moves |= step->kind != LU_NORM_FORM && !is_one_to_one(step);
	}
	for (size_t i = 0; i < tok->components.pres; i++) {
		const struct lu_pre_step *step = &tok->components.pre[i];
		bool split = i > 0, bad = deleted || (split && has_form);

		if (step->kind != LU_PRE_METASPACE)
			continue;
		if (step->scheme == LU_PREPEND_FIRST) {
			bad |= moves && (split || split_by_tokens);
			if (!bad && has_form && split_by_tokens &&
					find_token_in_mapping(tok, &bad, r->err) < 0)
				return -1;
			if (bad)
				return lu_component_fail(r,
						"Metaspace: \"prepend_scheme\" \"first\" is not "
						"supported with this normalizer");
		}
		moves = true;
	}
	return 0;
}
