/* Statements, and the compilation of a template. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/chat/chat_ast.h"

/* --- statements --------------------------------------------------------------------------- */

static struct lu_cn *statement(struct lu_cp *p);

/* The name of the statement that the current tag begins; only at LU_CT_BLOCK_BEGIN. */
static struct lu_str tag_name(const struct lu_cp *p)
{
	const struct lu_ct *t = &p->token.p[p->at + 1];

	return t->type == LU_CT_NAME ? t->text : LU_STR("");
}

/* True if the current tag is one of the list, which is separated by blanks. */
static bool is_tag(const struct lu_cp *p, const char *list)
{
	struct lu_str name;

	if (lu_cp_token(p)->type != LU_CT_BLOCK_BEGIN)
		return false;
	name = tag_name(p);
	for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ') {
		size_t n = strcspn(at, " ");

		if (name.n == n && memcmp(name.p, at, n) == 0)
			return true;
	}
	return false;
}

/* Statements up to one of the tags `until`, which stays; kids of n. */
static int body(struct lu_cp *p, struct lu_cn *n, const char *until)
{
	const struct lu_ct *begin = lu_cp_token(p);

	if (lu_cp_expect(p, LU_CT_BLOCK_END, NULL) < 0)
		return -1;
	if (++p->depth > LU_CP_DEPTH)
		return lu_cp_fail(p, "expressions and blocks are nested more than %d deep",
				LU_CP_DEPTH);
	while (!is_tag(p, until)) {
		struct lu_cn *s;

		if (lu_cp_token(p)->type == LU_CT_END)
			return lu_err_set(p->err, "%s:%u: the block is not closed by '{%% %s %%}'",
					p->chat->file, begin->line,
					strrchr(until, ' ') ? strrchr(until, ' ') + 1 : until);
		s = statement(p);
		if (!s || lu_cp_add_kid(p, n, s) < 0)
			return -1;
	}
	p->depth--;
	return 0;
}

/* Skip "{% name %}". */
static int end_tag(struct lu_cp *p)
{
	p->at += 2;
	return lu_cp_expect(p, LU_CT_BLOCK_END, NULL);
}

/* A body that is a node of its own: that of "else". */
static struct lu_cn *else_body(struct lu_cp *p, const char *until)
{
	struct lu_cn *n = lu_cp_node(p, LU_CN_BODY);

	p->at += 2;
	return n && body(p, n, until) == 0 ? n : NULL;
}

/* Behind "if" or "elif". */
static int parse_if(struct lu_cp *p, struct lu_cn *n)
{
	n->a = lu_cp_tuple(p, true);
	if (!n->a || body(p, n, "elif else endif") < 0)
		return -1;
	if (is_tag(p, "elif")) {
		struct lu_cn *next;

		p->at += 2;
		next = lu_cp_node(p, LU_CN_IF);
		n->b = next;
		if (!next || ++p->depth > LU_CP_DEPTH)
			return next ? lu_cp_fail(p, "more than %d branches", LU_CP_DEPTH) : -1;
		if (parse_if(p, next) < 0)
			return -1;
		p->depth--;
		return 0;
	}
	if (is_tag(p, "else")) {
		n->b = else_body(p, "endif");
		if (!n->b)
			return -1;
	}
	return end_tag(p);
}

/* A name, a name of a namespace, or several with commas between them. */
static const struct lu_cn *target(struct lu_cp *p, bool several, bool attributes)
{
	struct lu_cn *list = NULL;
	bool closed = several && lu_cp_take(p, LU_CT_OPERATOR, "(");

	for (;;) {
		struct lu_cn *n = lu_cp_node(p, LU_CN_NAME);

		if (!n || !lu_cp_is(p, LU_CT_NAME, NULL))
			return n && lu_cp_expect(p, LU_CT_NAME, NULL) == 0 ? n : NULL;
		n->name = lu_cp_token(p)->text;
		n->id = lu_cp_name(p, n->name);
		if (n->id == UINT_MAX)
			return NULL;
		p->at++;
		if (attributes && lu_cp_take(p, LU_CT_OPERATOR, ".")) {
			n->kind = LU_CN_ATTRIBUTE;
			n->name = lu_cp_token(p)->text;
			if (lu_cp_expect(p, LU_CT_NAME, NULL) < 0)
				return NULL;
		}
		if (!list && !(several && lu_cp_is(p, LU_CT_OPERATOR, ",")))
			return !closed || lu_cp_expect(p, LU_CT_OPERATOR, ")") == 0 ? n : NULL;
		if (!list)
			list = lu_cp_node(p, LU_CN_TUPLE);
		if (!list || lu_cp_add_kid(p, list, n) < 0)
			return NULL;
		if (!lu_cp_take(p, LU_CT_OPERATOR, ","))
			return !closed || lu_cp_expect(p, LU_CT_OPERATOR, ")") == 0 ? list : NULL;
	}
}

static int parse_for(struct lu_cp *p, struct lu_cn *n)
{
	n->a = target(p, true, false);
	if (!n->a || lu_cp_expect(p, LU_CT_NAME, "in") < 0)
		return -1;
	n->b = lu_cp_tuple(p, false);
	if (!n->b)
		return -1;
	if (lu_cp_take(p, LU_CT_NAME, "if")) {
		n->c = lu_cp_expression(p, true);
		if (!n->c)
			return -1;
	}
	if (lu_cp_is(p, LU_CT_NAME, "recursive"))
		return lu_cp_fail(p, "'recursive' is not supported");
	p->loops++;
	if (body(p, n, "else endfor") < 0)
		return -1;
	p->loops--;
	if (is_tag(p, "else")) {
		n->d = else_body(p, "endfor");
		if (!n->d)
			return -1;
	}
	return end_tag(p);
}

static int parse_set(struct lu_cp *p, struct lu_cn *n)
{
	int rc;

	n->a = target(p, true, true);
	if (!n->a)
		return -1;
	if (lu_cp_take(p, LU_CT_OPERATOR, "=")) {
		n->b = lu_cp_tuple(p, true);
		return n->b ? lu_cp_expect(p, LU_CT_BLOCK_END, NULL) : -1;
	}
	if (n->a->kind == LU_CN_TUPLE)
		return lu_cp_expect(p, LU_CT_OPERATOR, "=");
	n->kind = LU_CN_SET_BLOCK;
	if (lu_cp_is(p, LU_CT_OPERATOR, "|"))
		return lu_cp_fail(p, "filters of a 'set' block are not supported");
	p->captures++;
	rc = body(p, n, "endset");
	p->captures--;
	return rc < 0 ? -1 : end_tag(p);
}

static bool is_macro(const struct lu_cp *p, unsigned id)
{
	for (size_t i = 0; i < p->macro.n; i++) {
		if (p->macro.p[i] == id)
			return true;
	}
	return false;
}

static int parse_macro(struct lu_cp *p, struct lu_cn *n)
{
	struct lu_cn *list = lu_cp_node(p, LU_CN_LIST);
	unsigned loops = p->loops;
	const struct lu_cn *self = target(p, false, false);
	int rc;

	if (!list || !self || lu_cp_expect(p, LU_CT_OPERATOR, "(") < 0)
		return -1;
	n->name = self->name;
	n->id = self->id;
	n->a = list;
	if (!is_macro(p, n->id) && !lu_vec_push(&p->macro, n->id))
		return lu_err_nomem(p->err);
	while (!lu_cp_take(p, LU_CT_OPERATOR, ")")) {
		struct lu_cn *k = lu_cp_node(p, LU_CN_KEYWORD);
		const struct lu_cn *t;

		if (list->kids && lu_cp_expect(p, LU_CT_OPERATOR, ",") < 0)
			return -1;
		t = target(p, false, false);
		if (!k || !t)
			return -1;
		k->name = t->name;
		k->id = t->id;
		if (lu_cp_take(p, LU_CT_OPERATOR, "=")) {
			k->a = lu_cp_expression(p, true);
			if (!k->a)
				return -1;
		}
		if (lu_cp_add_kid(p, list, k) < 0)
			return -1;
	}
	p->loops = 0;
	p->captures++;
	rc = body(p, n, "endmacro");
	p->captures--;
	p->loops = loops;
	return rc < 0 ? -1 : end_tag(p);
}

static int parse_generation(struct lu_cp *p, struct lu_cn *n)
{
	int rc;

	if (p->captures)
		return lu_cp_fail(p,
				"'generation' inside of a macro, a 'set' or another 'generation' "
				"is "
				"not supported");
	p->chat->generation = true;
	p->captures++;
	rc = body(p, n, "endgeneration");
	p->captures--;
	return rc < 0 ? -1 : end_tag(p);
}

static int parse_jump(struct lu_cp *p, struct lu_cn *n)
{
	const char *word = n->kind == LU_CN_BREAK ? "break" : "continue";

	if (p->loops == 0)
		return lu_cp_fail(p, "'%s' outside of a loop", word);
	return lu_cp_expect(p, LU_CT_BLOCK_END, NULL);
}

static struct lu_cn *block(struct lu_cp *p)
{
	static const struct {
		const char *name;
		enum lu_cn_kind kind;
		int (*parse)(struct lu_cp *p, struct lu_cn *n);
	} known[] = {
		{ "if", LU_CN_IF, parse_if },
		{ "for", LU_CN_FOR, parse_for },
		{ "set", LU_CN_SET, parse_set },
		{ "macro", LU_CN_MACRO, parse_macro },
		{ "generation", LU_CN_GENERATION, parse_generation },
		{ "break", LU_CN_BREAK, parse_jump },
		{ "continue", LU_CN_CONTINUE, parse_jump },
	};
	struct lu_str name = tag_name(p);

	p->at++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct lu_cn *n;

		if (!lu_str_is(name, known[i].name))
			continue;
		p->at++;
		n = lu_cp_node(p, known[i].kind);
		return n && known[i].parse(p, n) == 0 ? n : NULL;
	}
	if (name.n == 0)
		(void)lu_cp_fail(p, "the name of a statement is expected before '" LU_STR_FMT "'",
				LU_STR_ARG(lu_cp_token(p)->text));
	else if (name.n > 3 && memcmp(name.p, "end", 3) == 0)
		(void)lu_cp_fail(p, "'" LU_STR_FMT "' closes nothing", LU_STR_ARG(name));
	else
		(void)lu_cp_fail(p, "the statement '" LU_STR_FMT "' is not supported",
				LU_STR_ARG(name));
	return NULL;
}

static struct lu_cn *statement(struct lu_cp *p)
{
	const struct lu_ct *t = lu_cp_token(p);
	struct lu_cn *n;

	if (t->type == LU_CT_BLOCK_BEGIN)
		return block(p);
	n = lu_cp_node(p, t->type == LU_CT_DATA ? LU_CN_TEXT : LU_CN_OUTPUT);
	if (!n)
		return NULL;
	p->at++;
	if (t->type == LU_CT_DATA) {
		n->value = lu_cv_str(t->text, 0);
		return n;
	}
	n->a = lu_cp_tuple(p, true);
	return n->a && lu_cp_expect(p, LU_CT_VARIABLE_END, NULL) == 0 ? n : NULL;
}

/* --- the template ------------------------------------------------------------------------- */

/* Fail where a function is called that is neither built in nor a macro of the template. */
static int check_calls(struct lu_cp *p, const struct lu_cn *n)
{
	const struct lu_cn *const child[] = { n->a, n->b, n->c, n->d };

	if (n->kind == LU_CN_CALL && lu_cn_function(n->name) < 0 && !is_macro(p, n->a->id))
		return lu_err_set(p->err, "%s:%u: the function '" LU_STR_FMT "' is not supported",
				p->chat->file, n->line, LU_STR_ARG(n->name));
	for (size_t i = 0; i < 4; i++) {
		if (child[i] && check_calls(p, child[i]) < 0)
			return -1;
	}
	for (size_t i = 0; i < n->kids; i++) {
		if (check_calls(p, n->kid[i]) < 0)
			return -1;
	}
	return 0;
}

static int compile(struct lu_cp *p, struct lu_str text)
{
	struct lu_cn *n;

	if (text.n > LU_CHAT_TEMPLATE_LIMIT)
		return lu_err_set(p->err, "%s: a template of %zu bytes is too long, at most %zu",
				p->chat->file, text.n, LU_CHAT_TEMPLATE_LIMIT);
	if (lu_cp_lex(p, text) < 0)
		return -1;
	n = lu_cp_node(p, LU_CN_BODY);
	p->chat->body = n;
	while (n && lu_cp_token(p)->type != LU_CT_END) {
		struct lu_cn *s = statement(p);

		if (!s || lu_cp_add_kid(p, n, s) < 0)
			return -1;
	}
	return n ? check_calls(p, n) : -1;
}

int lu_chat_open(struct lu_chat **out, const char *name, struct lu_str text, struct lu_err *err)
{
	struct lu_chat *c = calloc(1, sizeof(*c));
	struct lu_cp p = { .chat = c, .err = err };
	int rc;

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->file = strdup(name);
	rc = c->file ? compile(&p, text) : lu_err_nomem(err);
	lu_vec_release(&p.token);
	lu_vec_release(&p.macro);
	if (rc < 0) {
		lu_chat_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

void lu_chat_close(struct lu_chat *c)
{
	if (!c)
		return;
	lu_arena_release(&c->arena);
	lu_vec_release(&c->name);
	free(c->file);
	free(c);
}

bool lu_chat_marks_answers(const struct lu_chat *c)
{
	return c->generation;
}
