#ifndef LUCIE_CHAT_CHAT_VALUE_H
#define LUCIE_CHAT_CHAT_VALUE_H
/*
 * The values of a chat template: Python's, as far as templates use them. Internal to libcommon/chat.
 *
 *	struct lu_cv_ctx x = { .name = "template", .limit = bytes, .err = &err };
 *	lu_cv_json(&x, raw, origin, &v);	from JSON
 *	lu_cv_release(&x);			frees all values of the context
 *
 * Values are constant once they are made, but for namespaces, and live as long as the context. A
 * function that returns int returns -1 with the error, which names the template and the line
 * being executed. Strings are valid UTF-8; each byte has an origin (chat.h).
 */
#include "libcommon/base/arena.h"
#include "libcommon/chat/chat.h"
#include "libcommon/io/json.h"

enum lu_cv_type {
	LU_CV_UNDEFINED, /* s: its name, for messages */
	LU_CV_NONE,
	LU_CV_BOOL,
	LU_CV_INT,
	LU_CV_FLOAT,
	LU_CV_STRING,
	LU_CV_LIST,
	LU_CV_TUPLE,
	LU_CV_DICT,
	LU_CV_NAMESPACE, /* dict */
	LU_CV_MACRO,	 /* macro: a statement of the template */
	LU_CV_FUNCTION,	 /* i: which */
	LU_CV_METHOD,	 /* an attribute that is a method; it can be tested, and called at once */
	LU_CV_LOOP,	 /* loop */
};

struct lu_cv;
struct lu_cv_list;
struct lu_cv_dict;
struct lu_cv_loop;
struct lu_cn;

struct lu_cv_string {
	const char *p;
	size_t n;
	const uint16_t *from; /* origin of each byte; NULL: that of all is `origin` */
	uint16_t origin;
	bool markup; /* after "| safe": what is added to it is escaped, as markupsafe does */
};

struct lu_cv {
	enum lu_cv_type type;
	union {
		bool b;
		int64_t i;
		double d;
		struct lu_cv_string s;
		struct lu_cv_list *list; /* and tuples */
		struct lu_cv_dict *dict;
		struct lu_cv_loop *loop;
		const struct lu_cn *macro;
	};
};

struct lu_cv_list {
	struct lu_cv *p;
	size_t n, cap;
};

struct lu_cv_pair {
	struct lu_cv key, value; /* keys are strings */
};

struct lu_cv_dict {
	struct lu_cv_pair *p;
	size_t n, cap;
	uint32_t *slot; /* index + 1, by hash of the key; NULL: few */
	size_t slots;
};

struct lu_cv_loop {
	const struct lu_cv_list *items;
	size_t at; /* index0 */
	uint64_t depth;
};

/* What is allocated, counted and limited during a rendering. */
struct lu_cv_ctx {
	const char *name; /* of the template */
	unsigned line;	  /* being executed; 0: none */
	struct lu_arena arena;
	size_t bytes, limit;
	uint64_t steps;
	unsigned depth;
	struct lu_err *err;
};

void lu_cv_release(struct lu_cv_ctx *x);
/* Set the error "NAME:LINE: ..."; returns -1. */
int lu_cv_fail(struct lu_cv_ctx *x, const char *fmt, ...) LU_PRINTF(2, 3);
/* NULL at the limit or when memory is out, with the error. */
void *lu_cv_alloc(struct lu_cv_ctx *x, size_t n);
/* Count n bytes that are written or looked at. */
int lu_cv_charge(struct lu_cv_ctx *x, size_t n) LU_CHECKED;
int lu_cv_step(struct lu_cv_ctx *x, size_t n) LU_CHECKED;

/* --- constructors --- */

static inline struct lu_cv lu_cv_none(void)
{
	return (struct lu_cv){ .type = LU_CV_NONE };
}
static inline struct lu_cv lu_cv_bool(bool b)
{
	return (struct lu_cv){ .type = LU_CV_BOOL, .b = b };
}
static inline struct lu_cv lu_cv_int(int64_t i)
{
	return (struct lu_cv){ .type = LU_CV_INT, .i = i };
}
/* A string of one origin; not copied. */
static inline struct lu_cv lu_cv_str(struct lu_str s, uint16_t origin)
{
	return (struct lu_cv){ .type = LU_CV_STRING, .s = { s.p, s.n, NULL, origin, false } };
}
static inline struct lu_cv lu_cv_undefined(struct lu_str name)
{
	return (struct lu_cv){ .type = LU_CV_UNDEFINED, .s = { name.p, name.n, NULL, 0, false } };
}
static inline struct lu_str lu_cv_text(const struct lu_cv *v)
{
	return (struct lu_str){ v->s.p, v->s.n };
}

/* A new list or dict; NULL with the error. */
struct lu_cv_list *lu_cv_list_new(struct lu_cv_ctx *x);
int lu_cv_list_add(struct lu_cv_ctx *x, struct lu_cv_list *l, struct lu_cv v) LU_CHECKED;
struct lu_cv_dict *lu_cv_dict_new(struct lu_cv_ctx *x);
/* Set a member; an existing one keeps its place. */
int lu_cv_dict_set(struct lu_cv_ctx *x, struct lu_cv_dict *d, struct lu_cv key,
		struct lu_cv value) LU_CHECKED;
/* The value, or NULL. */
const struct lu_cv *lu_cv_dict_get(const struct lu_cv_dict *d, struct lu_str key);

/* --- strings --- */

/* Bytes from .. to - 1. */
struct lu_cv lu_cv_slice(const struct lu_cv *s, size_t from, size_t to);
/* Join strings; the result shares memory where there is one. */
int lu_cv_join(struct lu_cv_ctx *x, const struct lu_cv *piece, size_t n,
		struct lu_cv *out) LU_CHECKED;
/* Copy a buffer to a string of one origin. */
int lu_cv_copy(struct lu_cv_ctx *x, const struct lu_buf *b, uint16_t origin,
		struct lu_cv *out) LU_CHECKED;
/* The origin of its bytes, the first of them that is not the template's where they differ. */
uint16_t lu_cv_origin(const struct lu_cv *s);

/* --- meaning --- */

/* "string", "None", ... for messages. */
const char *lu_cv_type_name(const struct lu_cv *v);
bool lu_cv_true(const struct lu_cv *v);
int lu_cv_equal(struct lu_cv_ctx *x, const struct lu_cv *a, const struct lu_cv *b,
		bool *out) LU_CHECKED;
/* Order of numbers or strings: negative, 0 or positive. */
int lu_cv_order(struct lu_cv_ctx *x, const struct lu_cv *a, const struct lu_cv *b,
		int *out) LU_CHECKED;
/* True for bool, int and float; the value as a double. */
bool lu_cv_number(const struct lu_cv *v, double *out);
/* The value of a bool or int. */
bool lu_cv_integer(const struct lu_cv *v, int64_t *out);
/* The elements that iterating gives: of a list, characters of a string, keys of a dict. */
int lu_cv_elements(struct lu_cv_ctx *x, const struct lu_cv *v, struct lu_cv_list *out) LU_CHECKED;
/* Characters of a string, elements of a list or dict. */
int lu_cv_length(struct lu_cv_ctx *x, const struct lu_cv *v, int64_t *out) LU_CHECKED;

/* --- from and to text --- */

/* From checked JSON. Strings get the origin. */
int lu_cv_json(struct lu_cv_ctx *x, struct lu_str raw, enum lu_json_type type, uint16_t origin,
		struct lu_cv *out) LU_CHECKED;
/* As Python's str(): a string as it is, "None", "True", "['a', 1]"; undefined is empty. */
int lu_cv_to_str(struct lu_cv_ctx *x, const struct lu_cv *v, struct lu_cv *out) LU_CHECKED;
struct lu_cv_dump {
	int64_t indent; /* below 0: on one line */
	bool ascii, sort;
};
/* As Python's json.dumps(). */
int lu_cv_to_json(struct lu_cv_ctx *x, const struct lu_cv *v, const struct lu_cv_dump *how,
		struct lu_cv *out) LU_CHECKED;

#endif
