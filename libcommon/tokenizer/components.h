#ifndef LUCIE_TOKENIZER_COMPONENTS_H
#define LUCIE_TOKENIZER_COMPONENTS_H
/*
 * The normalizer, pre_tokenizer and decoder of a tokenizer.json, read into flat lists of steps that
 * normalizer.h, pretokenizer.h and decode_step.h run. Strings live in the reader's arena or are
 * slices of the JSON.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/text/frozen_unicode.h"
#include "libcommon/text/split_regex.h"
#include "libcommon/tokenizer/component_json.h"
#include "libcommon/tokenizer/pattern.h"

enum lu_norm_kind { LU_NORM_FORM, LU_NORM_REPLACE, LU_NORM_INSERT, LU_NORM_PREPEND, LU_NORM_STRIP };

struct lu_norm_step {
	enum lu_norm_kind kind;
	enum lu_normal_form form;
	struct lu_pattern pattern;
	struct lu_str content; /* Replace, Prepend: the new string; Insert: the string to insert */
	bool left, right;      /* Strip */
	/* Insert: between a character of `after` and one of pattern.lookahead. It stands for a
	 * run of Replace steps; components.c says why one pass gives the same result. */
	struct lu_char_set after;
	uint8_t lead[256]; /* Insert, Replace: non-zero for the first bytes of possible matches */
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
enum lu_split_behavior {
	LU_BEHAVIOR_REMOVED,
	LU_BEHAVIOR_ISOLATED,
	LU_BEHAVIOR_MERGED_WITH_PREVIOUS,
	LU_BEHAVIOR_MERGED_WITH_NEXT,
	LU_BEHAVIOR_CONTIGUOUS,
};
enum lu_prepend_scheme { LU_PREPEND_ALWAYS, LU_PREPEND_FIRST, LU_PREPEND_NEVER };

struct lu_pre_step {
	enum lu_pre_kind kind;
	enum lu_split_behavior behavior;
	bool invert;		       /* Split */
	bool individual;	       /* Digits */
	bool split;		       /* Metaspace */
	bool prefix_space;	       /* ByteLevel */
	enum lu_prepend_scheme scheme; /* Metaspace */
	struct lu_str text;	       /* Metaspace: the marker; Split: the literal */
	enum lu_split_regex regex;     /* Split, ByteLevel */
};

enum lu_decode_kind {
	LU_DECODE_REPLACE,
	LU_DECODE_BYTE_FALLBACK,
	LU_DECODE_FUSE,
	LU_DECODE_STRIP,
	LU_DECODE_METASPACE,
	LU_DECODE_BYTE_LEVEL,
};

struct lu_decode_step {
	enum lu_decode_kind kind;
	struct lu_pattern pattern;
	struct lu_str content;	       /* Replace; Strip: the character; Metaspace: the marker */
	uint64_t start, stop;	       /* Strip */
	enum lu_prepend_scheme scheme; /* Metaspace */
	struct lu_str needle; /* the step leaves strings without it alone; empty: unknown */
};

struct lu_normalizer_pass;

struct lu_components {
	struct lu_norm_step *norm;
	struct lu_pre_step *pre;
	struct lu_decode_step *dec;
	size_t norms, pres, decs;
	bool byte_level; /* the pre-tokenizer ends in ByteLevel: symbols are bytes */
	bool has_decoder;
	struct lu_normalizer_pass *pass; /* the normalizer as one pass (normalizer_pass.h) */
};

/* Read a component; `raw` is its value, which may be "null". Normal forms of the normalizer are
 * loaded into u. */
int lu_components_read_normalizer(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_frozen_unicode *u, struct lu_components *components);
int lu_components_read_pre_tokenizer(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_components *components);
int lu_components_read_decoder(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_components *components);

#endif
