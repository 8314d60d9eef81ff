#include "libcommon/html/notice.h"

#include <strings.h>

#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"

/* Longer values are no URL. */
#define URL_MAX 2048

#define TDM_BIT (1u << 4)
const char *const lu_notice_signals[] = { "noai", "noimageai", "noml", "disallowaitraining",
	"tdm-reservation", NULL };

void lu_notice_clear(struct lu_notice *n)
{
	n->optout = 0;
	lu_buf_clear(&n->license);
	lu_buf_clear(&n->policy);
}

void lu_notice_release(struct lu_notice *n)
{
	lu_buf_release(&n->license);
	lu_buf_release(&n->policy);
}

static bool is_word(struct lu_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* Directives are separated by commas; a robot's name and a colon may stand before them. */
static void add_robots(struct lu_notice *n, struct lu_str value)
{
	static const char between[] = ",;: \t\r\n";
	const char *p = value.p, *end = value.p + value.n;

	while (p < end) {
		struct lu_str word = { p, 0 };

		while (p + word.n < end && !memchr(between, p[word.n], sizeof(between) - 1))
			word.n++;
		for (unsigned i = 0; lu_notice_signals[i]; i++) {
			if (1u << i != TDM_BIT && is_word(word, lu_notice_signals[i]))
				n->optout |= 1u << i;
		}
		p += word.n + 1;
	}
}

/* 1: rights are reserved; 0: they are not. */
static void add_reservation(struct lu_notice *n, struct lu_str value)
{
	if (is_word(lu_trim_line(value), "1"))
		n->optout |= TDM_BIT;
}

/* The first one counts. */
static void add_url(struct lu_buf *url, struct lu_str value)
{
	value = lu_trim_line(value);
	if (url->n == 0 && value.n && value.n <= URL_MAX)
		lu_utf8_repair(url, value);
}

void lu_notice_http(struct lu_notice *n, struct lu_str fields)
{
	struct lu_str line, v;

	while (lu_take_line(&fields, &line)) {
		if (lu_take_field(line, "X-Robots-Tag", &v))
			add_robots(n, v);
		else if (lu_take_field(line, "TDM-Reservation", &v))
			add_reservation(n, v);
		else if (lu_take_field(line, "TDM-Policy", &v))
			add_url(&n->policy, v);
	}
}

/* "robots", or a robot of its own: "ccbot", "googlebot". */
static bool names_robots(struct lu_str name)
{
	return is_word(name, "robots") ||
			(name.n > 3 && is_word((struct lu_str){ name.p + name.n - 3, 3 }, "bot"));
}

static void add_meta(struct lu_notice *n, struct lu_str name, struct lu_str value)
{
	if (names_robots(name))
		add_robots(n, value);
	else if (is_word(name, "tdm-reservation"))
		add_reservation(n, value);
	else if (is_word(name, "tdm-policy"))
		add_url(&n->policy, value);
}

/* True if one of the words of a rel attribute is "license". */
static bool is_license(struct lu_str rel)
{
	while (rel.n) {
		size_t n = 0;

		while (n < rel.n && !strchr(" \t\r\n\f", rel.p[n]))
			n++;
		if (is_word((struct lu_str){ rel.p, n }, "license"))
			return true;
		n += n < rel.n;
		rel.p += n;
		rel.n -= n;
	}
	return false;
}

static void add_element(struct lu_notice *n, const struct lu_html_node *e)
{
	if (e->tag == LU_TAG_META)
		add_meta(n, lu_html_attribute(e, LU_ATTRIBUTE_NAME),
				lu_html_attribute(e, LU_ATTRIBUTE_CONTENT));
	else if (e->tag == LU_TAG_LINK && is_license(lu_html_attribute(e, LU_ATTRIBUTE_REL)))
		add_url(&n->license, lu_html_attribute(e, LU_ATTRIBUTE_HREF));
}

/* Over the whole page: the parser moves meta elements that come late or behind a stray tag into the
 * body. */
void lu_notice_page(struct lu_notice *n, const struct lu_html_node *root)
{
	for (const struct lu_html_node *e = root; e; e = lu_html_next(e, root, true))
		add_element(n, e);
}
