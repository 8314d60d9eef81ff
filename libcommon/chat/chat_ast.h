#ifndef LUCIE_CHAT_CHAT_AST_H
#define LUCIE_CHAT_CHAT_AST_H
/*
 * A compiled chat template: tokens, and the tree that the evaluator walks. Internal to libcommon/chat.
 *
 *	chat_lex.c	text to tokens, with Jinja's rules of white space (trim_blocks, lstrip_blocks)
 *	chat_cursor.c	steps over tokens, nodes of the tree
 *	chat_expr.c	tokens to expressions
 *	chat_parse.c	tokens to statements
 *	chat_eval.c	statements; chat_operators.c, chat_filters.c, chat_methods.c: expressions;
 *			chat_args.c: what these share
 */
#include "libcommon/chat/chat_value.h"

/* --- tokens --- */

enum lu_ct_type {
	LU_CT_DATA, /* text between tags */
	LU_CT_VARIABLE_BEGIN,
	LU_CT_VARIABLE_END,
	LU_CT_BLOCK_BEGIN,
	LU_CT_BLOCK_END,
	LU_CT_NAME,
	LU_CT_STRING, /* decoded */
	LU_CT_INTEGER,
	LU_CT_FLOAT,
	LU_CT_OPERATOR,
	LU_CT_END,
};

struct lu_ct {
	enum lu_ct_type type;
	unsigned line;
	struct lu_str text; /* of an operator too: "==" */
};

struct lu_ct_list LU_VEC(struct lu_ct);

/* --- the tree --- */

enum lu_cn_kind {
	/* Expressions. */
	LU_CN_CONST, /* value */
	LU_CN_NAME,  /* id */
	LU_CN_LIST,
	LU_CN_TUPLE,
	LU_CN_DICT, /* kids: key, value, key, value ... */
	LU_CN_COND, /* a if b else c; c may be NULL */
	LU_CN_OR,
	LU_CN_AND,
	LU_CN_NOT,
	LU_CN_COMPARE,	 /* a, and in kids the operands with their operators */
	LU_CN_OPERATION, /* a op b; b is NULL for a sign */
	LU_CN_CONCAT,	 /* kids */
	LU_CN_ATTRIBUTE, /* a.name */
	LU_CN_ITEM,	 /* a[b] */
	LU_CN_SLICE,	 /* a[b:c:d] */
	LU_CN_CALL,	 /* a(kids) */
	LU_CN_METHOD,	 /* a.op(kids) */
	LU_CN_FILTER,	 /* a | op(kids) */
	LU_CN_TEST,	 /* a is op(kids) */
	LU_CN_KEYWORD, /* name = a, among arguments; in a macro the parameter `id` with its default */
	/* Statements. */
	LU_CN_TEXT,	 /* value */
	LU_CN_OUTPUT,	 /* a */
	LU_CN_BODY,	 /* kids */
	LU_CN_IF,	 /* if a: kids; else b */
	LU_CN_FOR,	 /* for a in b if c: kids; else d */
	LU_CN_SET,	 /* a = b */
	LU_CN_SET_BLOCK, /* a = what kids write */
	LU_CN_MACRO,	 /* id; parameters in a LIST: a; kids */
	LU_CN_GENERATION,
	LU_CN_BREAK,
	LU_CN_CONTINUE,
};

struct lu_cn {
	enum lu_cn_kind kind;
	unsigned line;
	unsigned height;    /* of a chain of operators, attributes and filters */
	unsigned op;	    /* of enum lu_cn_op, or the number of a filter, test or method */
	unsigned id;	    /* of a name */
	struct lu_str name; /* of an attribute, keyword or name */
	struct lu_cv value;
	const struct lu_cn *a, *b, *c, *d;
	const struct lu_cn **kid;
	size_t kids;
};

enum lu_cn_op {
	LU_CN_ADD,
	LU_CN_SUBTRACT,
	LU_CN_MULTIPLY,
	LU_CN_DIVIDE,
	LU_CN_FLOOR_DIVIDE,
	LU_CN_MODULO,
	LU_CN_PLUS,
	LU_CN_MINUS,
	LU_CN_EQ,
	LU_CN_NE,
	LU_CN_LT,
	LU_CN_LE,
	LU_CN_GT,
	LU_CN_GE,
	LU_CN_IN,
	LU_CN_NOT_IN,
};

/* The functions; their names are the first names of every template. */
enum lu_cn_function {
	LU_CN_NAMESPACE,
	LU_CN_RANGE,
	LU_CN_RAISE,
	LU_CN_STRFTIME,
	LU_CN_DICTIONARY,
	LU_CN_FUNCTIONS,
};

struct lu_chat {
	char *file; /* its name in messages */
	struct lu_arena arena;
	const struct lu_cn *body;
	struct LU_VEC(struct lu_str) name; /* by id */
	bool generation;		   /* has generation blocks */
};

/* What the compilation shares. Its functions return NULL or -1 with the error, which names the line. */
struct lu_cp {
	struct lu_chat *chat;
	struct lu_cv_ctx x; /* for values and errors; its arena is not used for the tree */
	struct lu_ct_list token;
	size_t at;
	unsigned depth;
	unsigned loops, captures;      /* that the statement is in */
	struct LU_VEC(unsigned) macro; /* ids of macros */
	struct lu_err *err;
};

/* Longest nesting of expressions and blocks in a template's text. */
#define LU_CP_DEPTH 150
/* Longest chain such as a + b + c, and most names of variables. */
#define LU_CP_CHAIN 400
#define LU_CP_NAMES 4096

int lu_cp_lex(struct lu_cp *p, struct lu_str text) LU_CHECKED;
/* Fail at the current token. */
int lu_cp_fail(struct lu_cp *p, const char *fmt, ...) LU_PRINTF(2, 3);
struct lu_cn *lu_cp_node(struct lu_cp *p, enum lu_cn_kind kind);
int lu_cp_add_kid(struct lu_cp *p, struct lu_cn *n, const struct lu_cn *kid) LU_CHECKED;
unsigned lu_cp_name(struct lu_cp *p, struct lu_str name); /* its id; UINT_MAX when memory is out */

static inline const struct lu_ct *lu_cp_token(const struct lu_cp *p)
{
	return &p->token.p[p->at];
}
bool lu_cp_is(const struct lu_cp *p, enum lu_ct_type type, const char *text);
/* Skip the token if it is this one. */
bool lu_cp_take(struct lu_cp *p, enum lu_ct_type type, const char *text);
int lu_cp_expect(struct lu_cp *p, enum lu_ct_type type, const char *text) LU_CHECKED;

/* An expression; without `condition`, no "a if b else c" at the top. */
const struct lu_cn *lu_cp_expression(struct lu_cp *p, bool condition);
/* Expressions with commas between them become a tuple. */
const struct lu_cn *lu_cp_tuple(struct lu_cp *p, bool condition);

/* Numbers of filters, tests and methods by name; -1: there is none. */
int lu_cn_filter(struct lu_str name);
int lu_cn_test(struct lu_str name);
int lu_cn_method(struct lu_str name);
int lu_cn_function(struct lu_str name);

/* --- evaluation --- */

struct lu_ce_scope {
	struct lu_ce_scope *up;
	struct lu_ce_variable *variable;
	size_t n, cap;
};

struct lu_ce_variable {
	unsigned id;
	struct lu_cv value;
};

struct lu_ce {
	const struct lu_chat *chat;
	struct lu_cv_ctx x;
	struct lu_ce_scope *scope, *root;
	struct lu_cv_list *out; /* pieces */
	struct lu_cv_list main;
	struct lu_chat_text *text; /* takes generation spans */
	size_t written;		   /* bytes of `main` */
	struct lu_str date;
	enum { LU_CE_GO, LU_CE_BREAK, LU_CE_CONTINUE } flow;
};

/* Positional and keyword arguments of a call. */
struct lu_ce_args {
	struct lu_cv *p;
	size_t n;
	struct lu_str *keyword;
	struct lu_cv *value;
	size_t keywords;
};

/* Set a variable of the innermost scope; one that the template does not name is left out. */
int lu_ce_set(struct lu_ce *e, struct lu_str name, struct lu_cv value) LU_CHECKED;
/* Read all messages into a context of the caller, for several renderings; see lu_chat_input.parsed. */
int lu_ce_messages(struct lu_cv_ctx *x, struct lu_str messages, struct lu_cv *out) LU_CHECKED;
int lu_ce_run(struct lu_ce *e, const struct lu_cn *n) LU_CHECKED;
int lu_ce_eval(struct lu_ce *e, const struct lu_cn *n, struct lu_cv *out) LU_CHECKED;
int lu_ce_args(struct lu_ce *e, const struct lu_cn *n, struct lu_ce_args *a) LU_CHECKED;
/* Argument i, or the keyword; NULL where it is not given. */
const struct lu_cv *lu_ce_arg(const struct lu_ce_args *a, size_t i, const char *keyword);
/* Fail unless there are at most n positional arguments and no keyword but those of the list, which
 * ends with NULL. */
int lu_ce_check_args(struct lu_ce *e, const struct lu_ce_args *a, size_t n, const char *what,
		const char *const *keyword) LU_CHECKED;
int lu_ce_call_macro(struct lu_ce *e, const struct lu_cn *macro, const struct lu_ce_args *a,
		struct lu_cv *out) LU_CHECKED;

int lu_ce_operation(struct lu_ce *e, unsigned op, const struct lu_cv *a, const struct lu_cv *b,
		struct lu_cv *out) LU_CHECKED;
int lu_ce_compare(struct lu_ce *e, unsigned op, const struct lu_cv *a, const struct lu_cv *b,
		bool *out) LU_CHECKED;
int lu_ce_attribute(struct lu_ce *e, const struct lu_cv *v, struct lu_str name,
		struct lu_cv *out) LU_CHECKED;
int lu_ce_item(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *key,
		struct lu_cv *out) LU_CHECKED;
/* bound[i] NULL: not given. */
int lu_ce_slice(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *const bound[3],
		struct lu_cv *out) LU_CHECKED;
int lu_ce_filter(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out) LU_CHECKED;
int lu_ce_test(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		bool *out) LU_CHECKED;
int lu_ce_method(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out) LU_CHECKED;
int lu_ce_function(struct lu_ce *e, unsigned which, const struct lu_ce_args *a,
		struct lu_cv *out) LU_CHECKED;

/* Strings, for filters and methods. `chars` NULL: white space. */
enum { LU_CE_LEFT = 1, LU_CE_RIGHT = 2 };
int lu_ce_strip(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *chars, unsigned sides,
		struct lu_cv *out) LU_CHECKED;
/* `count` below 0: all. */
int lu_ce_replace(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *old,
		const struct lu_cv *by, int64_t count, struct lu_cv *out) LU_CHECKED;
enum lu_ce_case { LU_CE_UPPER, LU_CE_LOWER, LU_CE_CAPITALIZE };
int lu_ce_change_case(struct lu_ce *e, const struct lu_cv *s, enum lu_ce_case how,
		struct lu_cv *out) LU_CHECKED;
/* Join the elements of v, as text, with a string between them; NULL: nothing. */
int lu_ce_join(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *between,
		struct lu_cv *out) LU_CHECKED;
bool lu_ce_has_attribute(const struct lu_cv *v, struct lu_str name);

#endif
