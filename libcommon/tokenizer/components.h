#ifndef LUCIE_TOKENIZER_COMPONENTS_H
#define LUCIE_TOKENIZER_COMPONENTS_H
/*
 * Inside the tokenizer: what each component of a tokenizer.json becomes once read. Only the
 * files of this folder include it; the manual of the whole is tokenizer.h.
 *
 * Reading (components.c) turns the JSON into flat lists of operations; normalizer.c, pretokenizer.c and
 * decode.c run them. Strings live in the arena of the struct lu_tok.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/io/json.h"
#include "libcommon/tokenizer/frozen_unicode.h"

/* --- JSON with names for its errors (component_json.c) ------------------------------------------- */

/* Where we are in the file, for messages: "x.json: normalizer: Replace". */
struct lu_tj {
	const char *file;
	const char *part; /* "normalizer" */
	struct lu_arena *arena;
	struct lu_err *err;
};

/* Reads an object and its "type" ("" when it has none). */
int lu_tj_object(const struct lu_tj *j, struct lu_str raw, struct lu_json_obj *obj,
		struct lu_str *type);
/* Refuses members other than those of "a|b|c", and "type". */
int lu_tj_only(const struct lu_tj *j, const struct lu_json_obj *obj, const char *known);
/* Required members. */
int lu_tj_str(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out);
int lu_tj_u64(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key, uint64_t max,
		uint64_t *out);
int lu_tj_array(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_json_iter *out);
/* Optional: absent or null leaves *out. */
int lu_tj_bool(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key, bool *out);
int lu_tj_opt_str(const struct lu_tj *j, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out);
/* "file: part: sentence"; -1. */
int lu_tj_fail(const struct lu_tj *j, const char *fmt, ...) LU_PRINTF(2, 3);

/* --- patterns (split_regex.c) ---------------------------------------------------------------- */

/* A set of characters: those listed, and those of the classes. */
struct lu_cset {
	uint32_t *c;
	size_t n;
	unsigned cls; /* LU_UC_... */
};

/* What Replace may look for: a string, or one character of a set; and then perhaps, without
 * taking it, one character of a second set. */
struct lu_pattern {
	struct lu_str lit; /* .n 0: one of `set` */
	struct lu_cset set;
	bool look;
	struct lu_cset ahead;
};

/* {"String": s} or {"Regex": r}; the expressions understood are a literal, a class [abc], and
 * either of them before (?=[abc\w]). */
int lu_pattern_read(const struct lu_tj *j, const struct lu_json_obj *obj, struct lu_pattern *out);
bool lu_cset_has(const struct lu_cset *s, const struct lu_frozen_unicode *u, uint32_t c);

/* The expressions that pre-tokenizers split by, known by their text. */
enum lu_split_regex {
	LU_SPLIT_NONE,
	LU_SPLIT_GPT2,	 /* GPT-2; ByteLevel with use_regex */
	LU_SPLIT_CL100K, /* Llama 3: at most three digits together */
	LU_SPLIT_QWEN2,	 /* the same with single digits */
	LU_SPLIT_O200K, /* GPT-4o: words end where upper case follows lower; lu_frozen_load_case() */
};
enum lu_split_regex lu_split_regex_known(struct lu_str regex);
/* Length of the match at p (p < end): these expressions match at every place. */
size_t lu_split_regex_match(enum lu_split_regex r, const struct lu_frozen_unicode *u, const char *p,
		const char *end);

/* --- operations --------------------------------------------------------------------------- */

enum lu_norm_kind { LU_NORM_FORM, LU_NORM_REPLACE, LU_NORM_INSERT, LU_NORM_PREPEND, LU_NORM_STRIP };

struct lu_norm_op {
	enum lu_norm_kind kind;
	enum lu_normal_form form;
	struct lu_pattern pattern;
	struct lu_str content; /* Replace, Prepend; what Insert inserts */
	bool left, right;      /* Strip */
	/* Insert: after each of `after`, when a character of pattern.ahead follows. Stands for a
	 * row of Replace steps (normalizer.c says why they can be one pass). */
	struct lu_cset after;
	uint8_t lead[256]; /* Insert, Replace: first bytes worth a look */
};

enum lu_pre_kind {
	LU_PRE_METASPACE,
	LU_PRE_DIGITS,
	LU_PRE_PUNCTUATION,
	LU_PRE_SPLIT_LITERAL,
	LU_PRE_SPLIT_REGEX,
	LU_PRE_WHITESPACE,
	LU_PRE_WHITESPACE_SPLIT,
	LU_PRE_BYTE_LEVEL,
};
enum lu_behavior {
	LU_REMOVED,
	LU_ISOLATED,
	LU_MERGED_PREVIOUS,
	LU_MERGED_NEXT,
	LU_CONTIGUOUS,
};
enum lu_scheme { LU_ALWAYS, LU_FIRST, LU_NEVER };

struct lu_pre_op {
	enum lu_pre_kind kind;
	enum lu_behavior behavior;
	bool invert;		   /* Split */
	bool individual;	   /* Digits */
	bool split;		   /* Metaspace */
	bool prefix_space;	   /* ByteLevel */
	enum lu_scheme scheme;	   /* Metaspace */
	struct lu_str text;	   /* Metaspace: the marker; Split: the literal */
	enum lu_split_regex regex; /* Split, ByteLevel */
};

enum lu_dec_kind {
	LU_DEC_REPLACE,
	LU_DEC_BYTE_FALLBACK,
	LU_DEC_FUSE,
	LU_DEC_STRIP,
	LU_DEC_METASPACE,
	LU_DEC_BYTE_LEVEL,
};

struct lu_dec_op {
	enum lu_dec_kind kind;
	struct lu_pattern pattern;
	struct lu_str content; /* Replace; Strip: the character; Metaspace: the marker */
	uint64_t start, stop;  /* Strip */
	enum lu_scheme scheme; /* Metaspace */
	struct lu_str sought;  /* where it is not, nothing changes; .n 0: the step always acts */
};

/* "<0xHH>": the byte; else -1. */
int lu_dec_byte(struct lu_str s);
/* Appends what a Replace, Strip or Metaspace makes of one string of the list. */
void lu_dec_string(const struct lu_dec_op *op, struct lu_str s, bool first, struct lu_buf *out);

struct lu_pass;

struct lu_parts {
	struct lu_norm_op *norm;
	struct lu_pre_op *pre;
	struct lu_dec_op *dec;
	size_t norms, pres, decs;
	bool byte_level; /* the last pre-tokenizer is ByteLevel: symbols are bytes */
	bool has_decoder;
	struct lu_pass *pass; /* the normalizer as one pass, where it can be (normalizer_pass.h) */
};

/* `raw` is the component's value, "null" included. Any form that a Unicode step needs is made
 * ready in u. */
int lu_parts_normalizer(const struct lu_tj *j, struct lu_str raw, struct lu_frozen_unicode *u,
		struct lu_parts *parts);
int lu_parts_pre_tokenizer(const struct lu_tj *j, struct lu_str raw, struct lu_parts *parts);
int lu_parts_decoder(const struct lu_tj *j, struct lu_str raw, struct lu_parts *parts);

/* --- running them ------------------------------------------------------------------------- */

/* Fragments of a text. */
struct lu_span {
	size_t at, n;
};
struct lu_spans {
	struct lu_span *p;
	size_t n, cap;
};
int lu_spans_push(struct lu_spans *s, size_t at, size_t n, struct lu_err *err) LU_CHECKED;
/* Same, but not when n is 0. */
int lu_spans_add(struct lu_spans *s, size_t at, size_t n, struct lu_err *err) LU_CHECKED;

/* Two buffers that a chain of steps writes in turn. */
struct lu_work {
	struct lu_buf a, b;
	struct lu_spans spans, more;
};
void lu_work_release(struct lu_work *w);

/* The normal form of `text`: *out is `text` itself or lies in w->a or w->b, valid until the next
 * call with the same w. */
int lu_norm_run(const struct lu_parts *parts, const struct lu_frozen_unicode *u, struct lu_work *w,
		struct lu_str text, struct lu_str *out, struct lu_err *err) LU_CHECKED;

/* Splits `text` into words: w->spans of *out. `first`: the text begins the document. `text` may
 * lie in a buffer of w. */
int lu_pre_run(const struct lu_parts *parts, const struct lu_frozen_unicode *u, struct lu_work *w,
		struct lu_str text, bool first, struct lu_str *out, struct lu_err *err) LU_CHECKED;

/* Is a text always cut between an ASCII letter and a single space that an ASCII letter follows,
 * and each side as if the other were not there? */
bool lu_pre_cuts_words(const struct lu_parts *parts);

/* The expression whose matches are all that the pre-tokenizers make, LU_SPLIT_NONE when they do
 * something else: then lu_pre_run() need not be called. */
enum lu_split_regex lu_pre_only_regex(const struct lu_parts *parts);

/* GPT-2's spelling of bytes: which character stands for a byte, and back (-1: none). */
uint32_t lu_byte_char(unsigned byte);
int lu_char_byte(uint32_t c);

#endif
