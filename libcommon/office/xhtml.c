#include "libcommon/office/xhtml.h"

#include <strings.h>

/* True for an element without content, which HTML closes by itself. */
static bool is_void(struct lu_str name)
{
	static const char *const names[] = { "area", "base", "br", "col", "embed", "hr", "img",
		"input", "link", "meta", "param", "source", "track", "wbr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name.n == strlen(names[i]) && strncasecmp(name.p, names[i], name.n) == 0)
			return true;
	}
	return false;
}

/* The end of what begins at s.p and ends with `end`: behind it, or the end of s. */
static size_t behind(struct lu_str s, const char *end)
{
	const char *p = memmem(s.p, s.n, end, strlen(end));

	return p ? (size_t)(p - s.p) + strlen(end) : s.n;
}

/* The length of the tag at s.p: to its '>' outside of quotation marks. */
static size_t tag_length(struct lu_str s)
{
	char quote = 0;

	for (size_t i = 1; i < s.n; i++) {
		if (quote)
			quote = s.p[i] == quote ? 0 : quote;
		else if (s.p[i] == '"' || s.p[i] == '\'')
			quote = s.p[i];
		else if (s.p[i] == '>')
			return i + 1;
	}
	return s.n;
}

static void put_tag(struct lu_str tag, struct lu_buf *html)
{
	struct lu_str name = { tag.p + 1, 0 };

	while (name.n + 1 < tag.n && !strchr(" \t\r\n/>", name.p[name.n]) && name.p[name.n])
		name.n++;
	if (tag.n < 4 || memcmp(tag.p + tag.n - 2, "/>", 2) != 0 || name.n == 0 || is_void(name)) {
		lu_buf_str(html, tag);
		return;
	}
	lu_buf_append(html, tag.p, tag.n - 2);
	lu_buf_puts(html, "></");
	lu_buf_str(html, name);
	lu_buf_putc(html, '>');
}

static void put_escaped(struct lu_str s, struct lu_buf *html)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			lu_buf_puts(html, "&lt;");
		else if (s.p[i] == '&')
			lu_buf_puts(html, "&amp;");
		else
			lu_buf_putc(html, s.p[i]);
	}
}

void lu_xhtml_to_html(struct lu_str s, struct lu_buf *html)
{
	while (s.n) {
		const char *p = memchr(s.p, '<', s.n);
		size_t n = p ? (size_t)(p - s.p) : s.n;

		lu_buf_append(html, s.p, n);
		s.p += n;
		s.n -= n;
		if (s.n >= 9 && memcmp(s.p, "<![CDATA[", 9) == 0) {
			size_t end = s.n > 9 && memmem(s.p + 9, s.n - 9, "]]>", 3) ? 3 : 0;

			n = behind(s, end ? "]]>" : "\1");
			put_escaped((struct lu_str){ s.p + 9, n - 9 - end }, html);
		} else if (s.n >= 4 && memcmp(s.p, "<!--", 4) == 0) {
			n = behind(s, "-->");
		} else if (s.n >= 2 && s.p[1] == '?') {
			n = behind(s, "?>");
		} else {
			n = s.n ? tag_length(s) : 0;
			put_tag((struct lu_str){ s.p, n }, html);
		}
		s.p += n;
		s.n -= n;
	}
}
