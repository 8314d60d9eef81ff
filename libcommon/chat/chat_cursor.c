/* Steps over the tokens of a template, nodes of its tree: what both parsers share. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "libcommon/chat/chat_ast.h"

int lu_cp_fail(struct lu_cp *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return lu_err_set(p->err, "%s:%u: %s", p->chat->file, lu_cp_token(p)->line, text);
}

struct lu_cn *lu_cp_node(struct lu_cp *p, enum lu_cn_kind kind)
{
	struct lu_cn *n = lu_arena_alloc(&p->chat->arena, sizeof(*n));

	if (!n) {
		(void)lu_err_nomem(p->err);
		return NULL;
	}
	*n = (struct lu_cn){ .kind = kind, .line = lu_cp_token(p)->line };
	return n;
}

int lu_cp_add_kid(struct lu_cp *p, struct lu_cn *n, const struct lu_cn *kid)
{
	/* The arrays double at powers of two. */
	if ((n->kids & (n->kids - 1)) == 0) {
		size_t cap = n->kids ? 2 * n->kids : 1;
		const struct lu_cn **k = lu_arena_alloc(&p->chat->arena, cap * sizeof(*k));

		if (!k)
			return lu_err_nomem(p->err);
		for (size_t i = 0; i < n->kids; i++)
			k[i] = n->kid[i];
		n->kid = k;
	}
	n->kid[n->kids++] = kid;
	return 0;
}

unsigned lu_cp_name(struct lu_cp *p, struct lu_str name)
{
	for (size_t i = 0; i < p->chat->name.n; i++) {
		if (lu_str_eq(p->chat->name.p[i], name))
			return (unsigned)i;
	}
	if (p->chat->name.n >= LU_CP_NAMES) {
		(void)lu_cp_fail(p, "the template has more than %d names", LU_CP_NAMES);
		return UINT_MAX;
	}
	if (!lu_vec_push(&p->chat->name, name)) {
		(void)lu_err_nomem(p->err);
		return UINT_MAX;
	}
	return (unsigned)p->chat->name.n - 1;
}

bool lu_cp_is(const struct lu_cp *p, enum lu_ct_type type, const char *text)
{
	const struct lu_ct *t = lu_cp_token(p);

	return t->type == type && (!text || lu_str_is(t->text, text));
}

bool lu_cp_take(struct lu_cp *p, enum lu_ct_type type, const char *text)
{
	bool is = lu_cp_is(p, type, text);

	p->at += is;
	return is;
}

int lu_cp_expect(struct lu_cp *p, enum lu_ct_type type, const char *text)
{
	if (lu_cp_take(p, type, text))
		return 0;
	return lu_cp_fail(p, "'%s' is expected before '" LU_STR_FMT "'",
			text					  ? text
					: type == LU_CT_BLOCK_END ? "%}"
					: type == LU_CT_NAME	  ? "a name"
								  : "}}",
			LU_STR_ARG(lu_cp_token(p)->text));
}
