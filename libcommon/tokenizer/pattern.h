#ifndef LUCIE_TOKENIZER_PATTERN_H
#define LUCIE_TOKENIZER_PATTERN_H
/*
 * What a Replace step searches for. Of regular expressions three forms are supported, which are
 * those of published files: a literal, a bracket expression [abc\w], and either of them before a
 * look-ahead (?=[abc\w]).
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/text/frozen_unicode.h"
#include "libcommon/tokenizer/component_json.h"

/* A set of characters: those listed and those of the classes. */
struct lu_char_set {
	uint32_t *c;
	size_t n;
	unsigned classes; /* LU_FROZEN_... */
};

struct lu_pattern {
	struct lu_str literal; /* empty: one character of `set` */
	struct lu_char_set set;
	bool has_lookahead; /* one character of `lookahead` must follow; it is not consumed */
	struct lu_char_set lookahead;
};

/* Read the "pattern" of a step, {"String": s} or {"Regex": r}. */
int lu_pattern_read(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		struct lu_pattern *pattern);

bool lu_char_set_has(const struct lu_char_set *s, const struct lu_frozen_unicode *u, uint32_t c);

#endif
