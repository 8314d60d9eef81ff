#include "libcommon/html/html_token.h"

#include <strings.h>

#include "libcommon/html/html_entity.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* True if `word`, in lower case, is at p in any case. */
static bool at(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

/* True if a tag's name at p is `name`, not only begins so. */
static bool at_name(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	return at(p, end, name) && p + n < end && (is_blank(p[n]) || p[n] == '/' || p[n] == '>');
}

/* The text with its references decoded. */
static struct lu_str decode(struct lu_html_tokens *t, struct lu_str s, bool attribute)
{
	char *out;

	if (!s.n || !memchr(s.p, '&', s.n))
		return s;
	out = lu_arena_alloc(t->arena, 2 * s.n);
	if (!out) {
		t->failed = true;
		return (struct lu_str){ "", 0 };
	}
	return (struct lu_str){ out, lu_html_decode(s, attribute, out) };
}

/* The text with U+0000 replaced or left out. */
static struct lu_str without_nul(struct lu_html_tokens *t, struct lu_str s)
{
	bool replace = t->mode != LU_TEXT_DATA || t->foreign_text;
	char *out;
	size_t n = 0;

	if (!memchr(s.p, 0, s.n))
		return s;
	out = lu_arena_alloc(t->arena, 3 * s.n);
	if (!out) {
		t->failed = true;
		return s;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i]) {
			out[n++] = s.p[i];
		} else if (replace) {
			memcpy(out + n, "\xEF\xBF\xBD", 3);
			n += 3;
		}
	}
	return (struct lu_str){ out, n };
}

/* --- markup that is passed over ------------------------------------------------------------- */

/* p is behind "<!--". Returns the end of the comment. */
static const char *skip_comment(const char *p, const char *end)
{
	if (p < end && *p == '>')
		return p + 1;
	if (at(p, end, "->"))
		return p + 2;
	while ((p = memchr(p, '-', (size_t)(end - p))) != NULL) {
		if (at(p, end, "-->"))
			return p + 3;
		if (at(p, end, "--!>"))
			return p + 4;
		p++;
	}
	return end;
}

static const char *skip_bogus(const char *p, const char *end)
{
	p = memchr(p, '>', (size_t)(end - p));
	return p ? p + 1 : end;
}

/* --- tags ----------------------------------------------------------------------------------- */

static void add_attribute(struct lu_html_tokens *t, struct lu_html_token *token, struct lu_str name,
		struct lu_str value)
{
	enum lu_html_name known = lu_html_name(name);

	if (known == LU_ATTRIBUTE_COUNT)
		return;
	for (unsigned i = 0; i < token->attributes; i++) {
		if (t->attribute[i].name == known)
			return;
	}
	t->attribute[token->attributes++] =
			(struct lu_html_attribute){ known, decode(t, value, true) };
}

/* Read an attribute at p. Returns its end. */
static const char *read_attribute(
		struct lu_html_tokens *t, const char *p, struct lu_html_token *token)
{
	const char *end = t->end, *from = p;
	struct lu_str name, value = { "", 0 };

	/* A name may begin with '='. */
	for (p++; p < end && !is_blank(*p) && *p != '/' && *p != '>' && *p != '='; p++)
		;
	name = (struct lu_str){ from, (size_t)(p - from) };
	while (p < end && is_blank(*p))
		p++;
	if (p < end && *p == '=') {
		for (p++; p < end && is_blank(*p); p++)
			;
		if (p < end && (*p == '"' || *p == '\'')) {
			const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));

			value = (struct lu_str){ p + 1, (size_t)((close ? close : end) - p - 1) };
			p = close ? close + 1 : end;
		} else {
			for (from = p; p < end && !is_blank(*p) && *p != '>'; p++)
				;
			value = (struct lu_str){ from, (size_t)(p - from) };
		}
	}
	if (token->type == LU_TOKEN_START)
		add_attribute(t, token, name, value);
	return p;
}

/* p is at the first letter of the name. False: the page ends within the tag, which is no tag then. */
static bool read_tag(struct lu_html_tokens *t, const char *p, struct lu_html_token *token)
{
	const char *end = t->end, *from = p;

	while (p < end && !is_blank(*p) && *p != '/' && *p != '>')
		p++;
	token->name = (struct lu_str){ from, (size_t)(p - from) };
	token->tag = lu_html_tag(token->name);
	from = p;
	while (p < end && *p != '>') {
		token->self_closing = *p == '/' && p + 1 < end && p[1] == '>';
		if (is_blank(*p) || *p == '/')
			p++;
		else
			p = read_attribute(t, p, token);
	}
	token->text = (struct lu_str){ from, (size_t)(p - from) };
	t->p = p < end ? p + 1 : end;
	return p < end;
}

/* --- texts ---------------------------------------------------------------------------------- */

/* The end of a text in data: the next '<' that begins markup. */
static const char *text_end(const char *p, const char *end)
{
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && (is_letter(p[1]) || strchr("!/?", p[1])) && p[1])
			return p;
		p++;
	}
	return end;
}

/* The end tag of `name` at or after p, or the end of the page. */
static const char *raw_end(const char *p, const char *end, const char *name)
{
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && p[1] == '/' && at_name(p + 2, end, name))
			return p;
		p++;
	}
	return end;
}

/* The same of a script. Between <!-- and --> a <script> hides the next </script>. */
static const char *script_end(const char *p, const char *end)
{
	enum { PLAIN, ESCAPED, TWICE } state = PLAIN;

	for (; p < end; p++) {
		if (*p == '<' && state == PLAIN && at(p, end, "<!--")) {
			state = ESCAPED;
			/* The dashes may be those of "-->" too. */
			p++;
		} else if (*p == '<' && p + 1 < end && p[1] == '/' &&
				at_name(p + 2, end, "script")) {
			if (state != TWICE)
				return p;
			state = ESCAPED;
		} else if (*p == '<' && state == ESCAPED && at_name(p + 1, end, "script")) {
			state = TWICE;
		} else if (*p == '-' && state != PLAIN && at(p, end, "-->")) {
			state = PLAIN;
		}
	}
	return end;
}

static const char *find_end(const struct lu_html_tokens *t)
{
	switch (t->mode) {
	case LU_TEXT_DATA: return text_end(t->p, t->end);
	case LU_TEXT_PLAIN: return t->end;
	case LU_TEXT_SCRIPT: return script_end(t->p, t->end);
	default: return raw_end(t->p, t->end, lu_html_tag_name(t->raw));
	}
}

/* Read <![CDATA[...]]> as a text; p is behind the first bracket's word. */
static bool read_cdata(struct lu_html_tokens *t, const char *p, struct lu_html_token *token)
{
	const char *close = lu_str_find(p, t->end, LU_STR("]]>"));

	token->type = LU_TOKEN_TEXT;
	token->text = (struct lu_str){ p, (size_t)((close ? close : t->end) - p) };
	t->p = close ? close + 3 : t->end;
	if (token->text.n)
		token->text = without_nul(t, token->text);
	return token->text.n > 0;
}

/* Read the markup at t->p, which begins with '<'. False: it was no token. */
static bool read_markup(struct lu_html_tokens *t, struct lu_html_token *token)
{
	const char *p = t->p + 1, *end = t->end;

	if (p < end && is_letter(*p)) {
		token->type = LU_TOKEN_START;
		return read_tag(t, p, token);
	}
	if (p < end && *p == '/') {
		if (p + 1 < end && is_letter(p[1])) {
			token->type = LU_TOKEN_END;
			return read_tag(t, p + 1, token);
		}
		if (p + 1 == end) {
			token->type = LU_TOKEN_TEXT;
			token->text = (struct lu_str){ t->p, 2 };
			t->p = end;
			return true;
		}
	} else if (at(p, end, "!--")) {
		t->p = skip_comment(p + 3, end);
		return false;
	} else if (at(p, end, "!doctype")) {
		token->type = LU_TOKEN_DOCTYPE;
		t->p = skip_bogus(p, end);
		return true;
	} else if (t->foreign && (size_t)(end - p) > 7 && memcmp(p, "![CDATA[", 8) == 0) {
		return read_cdata(t, p + 8, token);
	}
	t->p = skip_bogus(p, end);
	return false;
}

bool lu_html_token(struct lu_html_tokens *t, struct lu_html_token *token)
{
	*token = (struct lu_html_token){ .type = LU_TOKEN_EOF };
	while (t->p < t->end && !t->failed) {
		const char *from = t->p, *end = find_end(t);

		if (end > from) {
			token->type = LU_TOKEN_TEXT;
			token->text = (struct lu_str){ from, (size_t)(end - from) };
			token->text = without_nul(t, token->text);
			if (t->mode == LU_TEXT_DATA || t->mode == LU_TEXT_RCDATA)
				token->text = decode(t, token->text, false);
			t->p = end;
			if (token->text.n)
				return !t->failed;
			continue;
		}
		t->mode = LU_TEXT_DATA;
		if (read_markup(t, token))
			return !t->failed;
		*token = (struct lu_html_token){ .type = LU_TOKEN_EOF };
	}
	return !t->failed;
}
