/* Jinja's lexer: tags, and the white space around them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/chat/chat_ast.h"

struct lexer {
	struct lu_cp *p;
	const char *begin, *at, *end;
	unsigned line;
	bool line_start; /* what was read last ended a line */
};

static int fail(struct lexer *l, const char *fmt, ...) LU_PRINTF(2, 3);
static int fail(struct lexer *l, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return lu_err_set(l->p->err, "%s:%u: %s", l->p->chat->file, l->line, text);
}

static int push(struct lexer *l, enum lu_ct_type type, struct lu_str text)
{
	struct lu_ct t = { type, l->line, text };

	return lu_vec_push(&l->p->token, t) ? 0 : lu_err_nomem(l->p->err);
}

static void count_lines(struct lexer *l, const char *from, const char *to)
{
	for (; from < to; from++)
		l->line += *from == '\n';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- between tags ------------------------------------------------------------------------- */

/* The next "{{", "{%" or "{#", or the end. */
static const char *find_tag(const char *p, const char *end)
{
	for (; p + 1 < end; p++) {
		if (*p == '{' && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
			return p;
	}
	return end;
}

/* The end of the text before a tag: without the white space that "-" takes, or, for a block or a
 * comment, without the blanks before it on its line. */
static const char *end_of_text(const struct lexer *l, const char *tag, char sign)
{
	const char *p = tag;

	if (sign == '-') {
		while (p > l->at && is_blank(p[-1]))
			p--;
		return p;
	}
	if (sign == '+' || tag[1] == '{')
		return tag;
	while (p > l->at && is_blank(p[-1]) && p[-1] != '\n')
		p--;
	return p > l->at ? (p[-1] == '\n' ? p : tag) : l->line_start ? p : tag;
}

/* Behind a tag that ends at p: skip what "-" takes, or the line feed after a block or comment. */
static const char *after_tag(struct lexer *l, const char *p, char sign, bool trim)
{
	const char *from = p;

	if (sign == '-') {
		while (p < l->end && is_blank(*p))
			p++;
	} else if (trim && sign != '+' && p < l->end && *p == '\n') {
		p++;
	}
	l->line_start = p[-1] == '\n';
	count_lines(l, from, p);
	return p;
}

static int skip_comment(struct lexer *l)
{
	const char *p = l->at + 2, *from;

	p += p < l->end && (*p == '-' || *p == '+');
	from = p;
	for (; p + 1 < l->end && !(p[0] == '#' && p[1] == '}'); p++)
		;
	if (p + 1 >= l->end)
		return fail(l, "the comment is not closed by '#}'");
	count_lines(l, l->at, p);
	l->at = after_tag(l, p + 2, p > from ? p[-1] : 0, true);
	return 0;
}

/* --- in a tag ----------------------------------------------------------------------------- */

/* Append the character of an escape with `digits` hexadecimal digits. */
static int put_code(struct lexer *l, const char **p, const char *end, int digits, struct lu_buf *b)
{
	uint32_t c = 0;
	char utf8[4];

	for (int i = 0; i < digits; i++, ++*p) {
		if (*p >= end || lu_hex_digit(**p) < 0)
			return fail(l, "an escape in a string lacks digits");
		c = c << 4 | (uint32_t)lu_hex_digit(**p);
	}
	if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return fail(l, "an escape in a string is no character");
	lu_buf_append(b, utf8, lu_utf8_put(c, utf8));
	return 0;
}

static int put_octal(struct lexer *l, const char **p, const char *end, struct lu_buf *b)
{
	uint32_t c = 0;
	char utf8[4];

	for (int i = 0; i < 3 && *p < end && **p >= '0' && **p < '8'; i++, ++*p)
		c = c << 3 | (uint32_t)(**p - '0');
	(void)l;
	lu_buf_append(b, utf8, lu_utf8_put(c, utf8));
	return 0;
}

/* Decode the escapes of a string literal as Python does. */
static int decode(struct lexer *l, const char *p, const char *end, struct lu_buf *b)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";

	while (p < end) {
		const char *known;
		int rc = 0;

		if (*p != '\\') {
			lu_buf_putc(b, *p++);
			continue;
		}
		p++;
		known = *p ? strchr(from, *p) : NULL;
		if (known) {
			lu_buf_putc(b, to[known - from]);
			p++;
		} else if (*p == '\n') {
			p++;
		} else if (*p == 'x' || *p == 'u' || *p == 'U') {
			int digits = *p == 'x' ? 2 : *p == 'u' ? 4 : 8;

			p++;
			rc = put_code(l, &p, end, digits, b);
		} else if (*p >= '0' && *p < '8') {
			rc = put_octal(l, &p, end, b);
		} else if (*p == 'N') {
			rc = fail(l, "names of characters in strings are not supported");
		} else {
			lu_buf_putc(b, '\\');
		}
		if (rc < 0)
			return -1;
	}
	return lu_buf_check(b, l->p->err);
}

static int read_string(struct lexer *l)
{
	const char *p = l->at + 1;
	struct lu_buf b = { 0 };
	struct lu_str s;
	int rc;

	while (p < l->end && *p != *l->at)
		p += *p == '\\' && p + 1 < l->end ? 2 : 1;
	if (p >= l->end)
		return fail(l, "the string is not closed");
	rc = decode(l, l->at + 1, p, &b);
	s = lu_arena_str(&l->p->chat->arena, lu_buf_slice(&b));
	lu_buf_release(&b);
	if (rc < 0)
		return -1;
	if (!s.p)
		return lu_err_nomem(l->p->err);
	rc = push(l, LU_CT_STRING, s);
	count_lines(l, l->at, p);
	l->at = p + 1;
	return rc;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '_';
}

static int read_number(struct lexer *l)
{
	const char *p = l->at;
	bool real = false;

	while (p < l->end && ((*p >= '0' && *p <= '9') || *p == '_'))
		p++;
	if (p + 1 < l->end && *p == '.' && p[1] >= '0' && p[1] <= '9') {
		real = true;
		for (p++; p < l->end && *p >= '0' && *p <= '9'; p++)
			;
	}
	if (p + 1 < l->end && (*p | 32) == 'e') {
		const char *e = p + 1 + (p[1] == '-' || p[1] == '+');

		real = real || (e < l->end && *e >= '0' && *e <= '9');
		for (; e < l->end && *e >= '0' && *e <= '9'; e++)
			p = e + 1;
	}
	if (p < l->end && (is_name(*p) || p[-1] == '_'))
		return fail(l, "'%.*s' is a number that is not supported", (int)(p + 1 - l->at),
				l->at);
	if (push(l, real ? LU_CT_FLOAT : LU_CT_INTEGER,
			    (struct lu_str){ l->at, (size_t)(p - l->at) }) < 0)
		return -1;
	l->at = p;
	return 0;
}

static int read_operator(struct lexer *l)
{
	static const char *const two[] = { "**", "//", "==", "!=", ">=", "<=" };
	size_t n = 1;

	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (l->end - l->at > 1 && memcmp(l->at, two[i], 2) == 0)
			n = 2;
	}
	if (n == 1 && !strchr("+-*/%~[](){}<>=.:|,", *l->at))
		return fail(l, "the character '%c' has no place in a tag",
				*l->at > 32 && *l->at < 127 ? *l->at : '?');
	if (push(l, LU_CT_OPERATOR, (struct lu_str){ l->at, n }) < 0)
		return -1;
	l->at += n;
	return 0;
}

static int read_token(struct lexer *l)
{
	const char *p = l->at;

	if (*p == '"' || *p == '\'')
		return read_string(l);
	if (*p >= '0' && *p <= '9')
		return read_number(l);
	if ((unsigned char)*p >= 128)
		return fail(l, "names with other letters than ASCII's are not supported");
	if (!is_name(*p))
		return read_operator(l);
	while (p < l->end && is_name(*p))
		p++;
	if (push(l, LU_CT_NAME, (struct lu_str){ l->at, (size_t)(p - l->at) }) < 0)
		return -1;
	l->at = p;
	return 0;
}

/* 1 if the tag ends here: its sign, or 0, in *sign. */
static bool at_end(const struct lexer *l, const char *close, char *sign)
{
	const char *p = l->at;

	*sign = 0;
	if (p < l->end && (*p == '-' || (*p == '+' && *close == '%')))
		*sign = *p++;
	return l->end - p >= 2 && memcmp(p, close, 2) == 0;
}

/* Keep the brackets that are open, in `open`, of which there are *n. */
static int match_brackets(struct lexer *l, char open[LU_CP_DEPTH], size_t *n)
{
	const struct lu_ct *t = &l->p->token.p[l->p->token.n - 1];
	char c = t->type == LU_CT_OPERATOR ? *t->text.p : ' ';

	if (c == '(' || c == '[' || c == '{') {
		if (*n == LU_CP_DEPTH)
			return fail(l, "brackets are nested more than %d deep", LU_CP_DEPTH);
		open[(*n)++] = c == '(' ? ')' : c == '[' ? ']' : '}';
	} else if (c == ')' || c == ']' || c == '}') {
		if (*n == 0)
			return fail(l, "'%c' closes nothing", c);
		if (open[--*n] != c)
			return fail(l, "'%c' stands where '%c' is expected", c, open[*n]);
	}
	return 0;
}

/* Everything in a tag, whose beginning has been read. */
static int read_tag(struct lexer *l, bool block)
{
	const char *close = block ? "%}" : "}}";
	unsigned opened = l->line;
	char sign, open[LU_CP_DEPTH];
	size_t n = 0;

	while (l->at < l->end) {
		if (is_blank(*l->at)) {
			l->line += *l->at++ == '\n';
			continue;
		}
		if (n == 0 && at_end(l, close, &sign)) {
			if (push(l, block ? LU_CT_BLOCK_END : LU_CT_VARIABLE_END,
					    (struct lu_str){ l->at, 2 }) < 0)
				return -1;
			l->at = after_tag(l, l->at + (sign != 0) + 2, sign, block);
			return 0;
		}
		if (read_token(l) < 0 || match_brackets(l, open, &n) < 0)
			return -1;
	}
	l->line = opened;
	return fail(l, "the tag is not closed by '%s'", close);
}

static int read_text(struct lexer *l)
{
	const char *tag = find_tag(l->at, l->end), *end = tag;
	char sign = 0;
	struct lu_str s;

	if (tag < l->end) {
		sign = tag + 2 < l->end ? tag[2] : 0;
		end = end_of_text(l, tag, sign);
	}
	s = (struct lu_str){ l->at, (size_t)(end - l->at) };
	if (s.n && push(l, LU_CT_DATA, s) < 0)
		return -1;
	count_lines(l, l->at, tag);
	l->at = tag;
	if (tag == l->end)
		return 0;
	if (tag[1] == '#')
		return skip_comment(l);
	if (push(l, tag[1] == '%' ? LU_CT_BLOCK_BEGIN : LU_CT_VARIABLE_BEGIN,
			    (struct lu_str){ tag, 2 }) < 0)
		return -1;
	l->at += 2 + (sign == '-' || sign == '+');
	l->line_start = false;
	return read_tag(l, tag[1] == '%');
}

/* Jinja reads every line end as a line feed, and leaves the last one out. */
static int normalise(struct lexer *l, struct lu_str text)
{
	struct lu_buf b = { 0 };
	struct lu_str s;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\r')
			lu_buf_putc(&b, text.p[i]);
		else if (i + 1 == text.n || text.p[i + 1] != '\n')
			lu_buf_putc(&b, '\n');
	}
	s = lu_buf_slice(&b);
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	s = lu_arena_str(&l->p->chat->arena, s);
	lu_buf_release(&b);
	if (!s.p)
		return lu_err_nomem(l->p->err);
	l->begin = l->at = s.p;
	l->end = s.p + s.n;
	return 0;
}

int lu_cp_lex(struct lu_cp *p, struct lu_str text)
{
	struct lexer l = { .p = p, .line = 1, .line_start = true };

	if (lu_utf8_valid(text.p, text.n) != text.n)
		return fail(&l, "the template is not UTF-8");
	if (memchr(text.p, 0, text.n))
		return fail(&l, "the template has a NUL");
	if (normalise(&l, text) < 0)
		return -1;
	while (l.at < l.end) {
		if (read_text(&l) < 0)
			return -1;
	}
	return push(&l, LU_CT_END, LU_STR("the end"));
}
