#include "libcommon/tokenizer/pattern.h"

#include <ctype.h>

#include "libcommon/base/utf8.h"

bool lu_char_set_has(const struct lu_char_set *s, const struct lu_frozen_unicode *u, uint32_t c)
{
	if (lu_frozen_class(u, c) & s->classes)
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i] == c)
			return true;
	}
	return false;
}

/* A regular expression being parsed. */
struct parser {
	const char *p, *end;
};

/* As in Oniguruma, \xHH takes one or two digits and \uHHHH exactly four. */
static bool parse_hex(struct parser *parser, int min, int max, uint32_t *c)
{
	int n = 0;

	*c = 0;
	for (; n < max && parser->p < parser->end && isxdigit((unsigned char)*parser->p); n++) {
		char digit = *parser->p++;

		*c = *c << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	/* \x80 and above would be a byte, not a character. */
	return n >= min && (max > 2 || *c < 0x80) && (*c < 0xD800 || *c > 0xDFFF);
}

/* Parse one character into *c, or a class escape into *class, which is 0 otherwise. False when not
 * supported. */
static bool parse_char(struct parser *parser, bool bracket, uint32_t *c, unsigned *class)
{
	const char *special = bracket ? "[]^-&" : ".^$*+?()[]{}|";

	*class = 0;
	if (parser->p >= parser->end)
		return false;
	if (*parser->p != '\\') {
		if (*parser->p && strchr(special, *parser->p))
			return false;
		*c = lu_utf8_next(&parser->p);
		return true;
	}
	if (++parser->p >= parser->end)
		return false;
	*c = lu_utf8_next(&parser->p);
	switch (*c) {
	case 'n': *c = '\n'; return true;
	case 'r': *c = '\r'; return true;
	case 't': *c = '\t'; return true;
	case 'f': *c = '\f'; return true;
	case 'v': *c = '\v'; return true;
	case 'x': return parse_hex(parser, 1, 2, c);
	case 'u': return parse_hex(parser, 4, 4, c);
	case 'w': *class = bracket ? LU_FROZEN_WORD_BRACKET : LU_FROZEN_WORD; return true;
	case 's': *class = LU_FROZEN_SPACE; return true;
	default: break;
	}
	/* Any other escaped letter or digit has a meaning of its own. */
	return !(*c < 0x80 &&
			((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
					(*c >= 'A' && *c <= 'Z')));
}

/* Parse "[...]". */
static bool parse_set(struct parser *parser, struct lu_arena *arena, struct lu_char_set *set)
{
	*set = (struct lu_char_set){ 0 };
	if (parser->p >= parser->end || *parser->p != '[')
		return false;
	parser->p++;
	set->c = lu_arena_alloc(arena, (size_t)(parser->end - parser->p + 1) * sizeof(*set->c));
	if (!set->c)
		return false;
	while (parser->p < parser->end && *parser->p != ']') {
		uint32_t c;
		unsigned class;

		if (!parse_char(parser, true, &c, &class))
			return false;
		if (class)
			set->classes |= class;
		else
			set->c[set->n++] = c;
	}
	if (parser->p >= parser->end || (set->n == 0 && set->classes == 0))
		return false;
	parser->p++;
	return true;
}

static bool starts_with(const struct parser *parser, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(parser->end - parser->p) >= n && memcmp(parser->p, s, n) == 0;
}

/* Parse one or more characters, or a single class escape, up to a look-ahead or the end. */
static bool parse_literal(struct parser *parser, struct lu_arena *arena, struct lu_pattern *pattern)
{
	char *literal = lu_arena_alloc(arena, (size_t)(parser->end - parser->p) + 4);

	if (!literal)
		return false;
	pattern->literal.p = literal;
	while (parser->p < parser->end && !starts_with(parser, "(?=")) {
		uint32_t c;
		unsigned class;

		if (!parse_char(parser, false, &c, &class))
			return false;
		if (class) {
			if (pattern->literal.n ||
					(parser->p < parser->end && !starts_with(parser, "(?=")))
				return false;
			pattern->set.classes = class;
			return true;
		}
		pattern->literal.n += lu_utf8_put(c, literal + pattern->literal.n);
	}
	return pattern->literal.n > 0;
}

static bool parse_regex(struct lu_str text, struct lu_arena *arena, struct lu_pattern *pattern)
{
	struct parser parser = { text.p, text.p + text.n };

	if (parser.p < parser.end && *parser.p == '[') {
		if (!parse_set(&parser, arena, &pattern->set))
			return false;
	} else if (!parse_literal(&parser, arena, pattern)) {
		return false;
	}
	if (parser.p == parser.end)
		return true;
	if (!starts_with(&parser, "(?="))
		return false;
	parser.p += 3;
	pattern->has_lookahead = true;
	return parse_set(&parser, arena, &pattern->lookahead) && starts_with(&parser, ")") &&
			parser.p + 1 == parser.end;
}

int lu_pattern_read(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		struct lu_pattern *pattern)
{
	const struct lu_json_member *m = lu_json_get(obj, "pattern");
	struct lu_json_obj member;
	struct lu_str type, text;

	*pattern = (struct lu_pattern){ .literal = { "", 0 } };
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_component_fail(r, "\"pattern\" is not an object");
	if (lu_component_object(r, m->value, &member, &type) < 0 ||
			lu_component_check_keys(r, &member, "String|Regex") < 0)
		return -1;
	if (member.members != 1)
		return lu_component_fail(r, "\"pattern\" needs one of \"String\" and \"Regex\"");
	if (lu_json_get(&member, "String")) {
		if (lu_component_str(r, &member, "String", &pattern->literal) < 0)
			return -1;
		return pattern->literal.n ? 0 : lu_component_fail(r, "\"pattern\" is empty");
	}
	if (lu_component_str(r, &member, "Regex", &text) < 0)
		return -1;
	if (!parse_regex(text, r->arena, pattern))
		return lu_component_fail(r, "the expression \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(text));
	return 0;
}
