/* Arguments of calls, and what filters and methods share. */
#include "libcommon/chat/chat_ast.h"

const struct lu_cv *lu_ce_arg(const struct lu_ce_args *a, size_t i, const char *keyword)
{
	for (size_t k = 0; keyword && k < a->keywords; k++) {
		if (lu_str_is(a->keyword[k], keyword))
			return &a->value[k];
	}
	return i < a->n ? &a->p[i] : NULL;
}

int lu_ce_check_args(struct lu_ce *e, const struct lu_ce_args *a, size_t n, const char *what,
		const char *const *keyword)
{
	if (a->n > n)
		return lu_cv_fail(
				&e->x, "%s takes at most %zu arguments, it has %zu", what, n, a->n);
	for (size_t i = 0; i < a->keywords; i++) {
		size_t k = 0;

		while (keyword && keyword[k] && !lu_str_is(a->keyword[i], keyword[k]))
			k++;
		if (!keyword || !keyword[k])
			return lu_cv_fail(&e->x,
					"%s: the argument '" LU_STR_FMT "' is not supported", what,
					LU_STR_ARG(a->keyword[i]));
	}
	return 0;
}

int lu_ce_join(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *between,
		struct lu_cv *out)
{
	struct lu_cv_list all, l = { 0 };
	struct lu_cv s;

	if (lu_cv_elements(&e->x, v, &all) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (i && between && lu_cv_list_add(&e->x, &l, *between) < 0)
			return -1;
		if (lu_cv_to_str(&e->x, &all.p[i], &s) < 0 || lu_cv_list_add(&e->x, &l, s) < 0)
			return -1;
	}
	return lu_cv_join(&e->x, l.p, l.n, out);
}
