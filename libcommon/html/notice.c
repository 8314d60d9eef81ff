#include "libcommon/html/notice.h"

#include <ctype.h>
#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"

/* Longer values are no URL. */
#define URL_MAX 2048
/* Names of robots, of directives, of categories. */
#define WORD_MAX 64

const char *const lu_notice_optouts[] = { "noai", "noimageai", "noml", "disallowaitraining",
	"tdm-reservation", "ai-train=no", "train-ai=n", "train-genai=n", "bots=n", NULL };
static const char *const directives[] = { "noai", "noimageai", "noml", "disallowaitraining",
	"noindex", "none", "noarchive", "nocache", "nosnippet", "noimageindex", NULL };
/* Directives of X-Robots-Tag that have a colon of their own. */
static const char *const valued[] = { "unavailable_after", "max-snippet", "max-image-preview",
	"max-video-preview", NULL };

void lu_notice_clear(struct lu_notice *n)
{
	n->optout = n->n = 0;
	lu_buf_clear(&n->license);
	lu_buf_clear(&n->policy);
	lu_buf_clear(&n->signals);
}

int lu_notice_check(const struct lu_notice *n, struct lu_err *err)
{
	if (lu_buf_check(&n->license, err) < 0 || lu_buf_check(&n->policy, err) < 0)
		return -1;
	return lu_buf_check(&n->signals, err);
}

void lu_notice_release(struct lu_notice *n)
{
	lu_buf_release(&n->license);
	lu_buf_release(&n->policy);
	lu_buf_release(&n->signals);
}

static bool is_word(struct lu_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static bool is_one_of(struct lu_str s, const char *const *words)
{
	for (; *words; words++) {
		if (is_word(s, *words))
			return true;
	}
	return false;
}

/* True for what may be a name: letters, digits and a few other characters. */
static bool is_name(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!isalnum((unsigned char)s.p[i]) && !(s.p[i] && strchr("-_.*/", s.p[i])))
			return false;
	}
	return s.n > 0 && s.n <= WORD_MAX;
}

/* Take the part of *rest in front of the next character of `between`, without blanks around it, and
 * that character away. False at the end. */
static bool take_part(struct lu_str *rest, const char *between, struct lu_str *part)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && !(rest->p[n] && strchr(between, rest->p[n])))
		n++;
	*part = lu_trim_line((struct lu_str){ rest->p, n });
	n += n < rest->n;
	rest->p += n;
	rest->n -= n;
	return true;
}

/* Append in lower case, in which names are compared. */
static void put_lower(struct lu_buf *b, struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++)
		lu_buf_putc(b, (char)tolower((unsigned char)s.p[i]));
}

/* Where a signal stands: "header x-robots-tag googlebot". */
struct place {
	const char *kind;
	struct lu_str name, robot; /* .n 0: for all */
};

/* Add a signal, with its value unless that is empty, once for each place. */
static void add(struct lu_notice *n, struct lu_str signal, struct lu_str value,
		const struct place *where)
{
	struct lu_str rest = lu_buf_slice(&n->signals), line, new;
	const size_t from = n->signals.n;
	struct lu_str key;

	if (n->n == LU_SIGNALS_MAX)
		return;
	put_lower(&n->signals, signal);
	if (value.n) {
		lu_buf_putc(&n->signals, '=');
		put_lower(&n->signals, value);
	}
	key = (struct lu_str){ n->signals.p + from, n->signals.n - from };
	for (unsigned i = 0; lu_notice_optouts[i] && !n->signals.failed; i++) {
		if (lu_str_is(key, lu_notice_optouts[i]))
			n->optout |= 1u << i;
	}
	lu_buf_printf(&n->signals, "\t%s ", where->kind);
	put_lower(&n->signals, where->name);
	if (where->robot.n) {
		lu_buf_putc(&n->signals, ' ');
		put_lower(&n->signals, where->robot);
	}
	if (!lu_buf_ok(&n->signals))
		return;
	/* The buffer may have moved. */
	rest.p = n->signals.p;
	new = (struct lu_str){ n->signals.p + from, n->signals.n - from };
	while (lu_take_line(&rest, &line)) {
		if (lu_str_eq(line, new)) {
			n->signals.n = from;
			return;
		}
	}
	lu_buf_putc(&n->signals, '\n');
	n->n++;
}

/* Directives are separated by commas, by others also by blanks; a robot's name and a colon before them
 * hold for all that follow. */
static void add_robots(struct lu_notice *n, struct lu_str value, struct place where)
{
	struct lu_str part, word;

	while (take_part(&value, ",;", &part)) {
		const char *colon = part.n ? memchr(part.p, ':', part.n) : NULL;
		struct lu_str robot = { part.p, colon ? (size_t)(colon - part.p) : 0 };

		robot = lu_trim_line(robot);
		if (colon && is_name(robot) && !is_one_of(robot, valued)) {
			where.robot = robot;
			part.n -= (size_t)(colon + 1 - part.p);
			part.p = colon + 1;
		}
		while (take_part(&part, " \t\r\n", &word)) {
			if (is_one_of(word, directives))
				add(n, word, LU_STR(""), &where);
		}
	}
}

/* 1: rights are reserved; 0: they are not. */
static void add_reservation(struct lu_notice *n, struct lu_str value, const struct place *where)
{
	value = lu_trim_line(value);
	if (!is_word(value, "1") && !is_word(value, "0"))
		return;
	add(n, LU_STR("tdm-reservation"), value, where);
	for (unsigned i = 0; lu_notice_optouts[i] && value.p[0] == '1'; i++) {
		if (strcmp(lu_notice_optouts[i], "tdm-reservation") == 0)
			n->optout |= 1u << i;
	}
}

/* "search=yes, ai-train=no", and the dictionaries of RFC 9651, whose parameters follow semicolons. */
static void add_preferences(struct lu_notice *n, struct lu_str value, const struct place *where)
{
	struct lu_str part, name, rest;

	while (take_part(&value, ",", &part)) {
		take_part(&part, ";", &rest);
		if (take_part(&rest, "=", &name) && is_name(name) && is_name(lu_trim_line(rest)))
			add(n, name, lu_trim_line(rest), where);
	}
}

/* The first one counts. */
static void add_url(struct lu_buf *url, struct lu_str value)
{
	value = lu_trim_line(value);
	if (url->n == 0 && value.n && value.n <= URL_MAX)
		lu_utf8_repair(url, value);
}

/* True if one of the words of a rel attribute is "license". */
static bool is_license(struct lu_str rel)
{
	struct lu_str word;

	while (take_part(&rel, " \t\r\n\f", &word)) {
		if (is_word(word, "license"))
			return true;
	}
	return false;
}

/* The end of a quoted string or a parameter at p: the next `stop` outside of quotes, or `end`. */
static const char *skip_to(const char *p, const char *end, const char *stop)
{
	bool quoted = false;

	for (; p < end && (quoted || !*p || !strchr(stop, *p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && quoted && p + 1 < end)
			p++;
	}
	return p;
}

/* <https://example.org/l>; rel="license"; type=text/html, <...> (RFC 8288, section 3) */
static void add_link(struct lu_notice *n, struct lu_str value)
{
	const char *p = value.p, *end = value.p + value.n;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		const char *close = memchr(p, '>', (size_t)(end - p));
		struct lu_str url, name, rest;

		if (!close)
			return;
		url = (struct lu_str){ p + 1, (size_t)(close - p - 1) };
		for (p = close + 1; p < end && *p != ',';) {
			const char *from = p + (*p == ';');

			p = skip_to(from, end, ";,");
			rest = (struct lu_str){ from, (size_t)(p - from) };
			if (!take_part(&rest, "=", &name) || !is_word(name, "rel"))
				continue;
			rest = lu_trim_line(rest);
			if (rest.n > 1 && rest.p[0] == '"')
				rest = (struct lu_str){ rest.p + 1, rest.n - 2 };
			if (is_license(rest))
				add_url(&n->license, url);
		}
	}
}

void lu_notice_http(struct lu_notice *n, struct lu_str fields)
{
	struct place where = { .kind = "header" };
	struct lu_str line, v;

	while (lu_take_line(&fields, &line)) {
		const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;

		if (!colon)
			continue;
		where.name = (struct lu_str){ line.p, (size_t)(colon - line.p) };
		if (lu_take_field(line, "X-Robots-Tag", &v))
			add_robots(n, v, where);
		else if (lu_take_field(line, "TDM-Reservation", &v))
			add_reservation(n, v, &where);
		else if (lu_take_field(line, "TDM-Policy", &v))
			add_url(&n->policy, v);
		else if (lu_take_field(line, "Content-Signal", &v) ||
				lu_take_field(line, "Content-Usage", &v))
			add_preferences(n, v, &where);
		else if (lu_take_field(line, "Link", &v))
			add_link(n, v);
	}
}

/* "robots", or a robot of its own: "ccbot", "googlebot". */
static bool names_robots(struct lu_str name)
{
	static const char *const ends[] = { "bot", "spider", "crawler", "-extended", NULL };
	static const char *const others[] = { "robots", "slurp", "anthropic-ai", "claude-web",
		"cohere-ai", NULL };

	for (const char *const *e = ends; *e; e++) {
		size_t k = strlen(*e);

		if (name.n > k && is_word((struct lu_str){ name.p + name.n - k, k }, *e))
			return is_name(name);
	}
	return is_one_of(name, others);
}

static void add_meta(struct lu_notice *n, struct lu_str name, struct lu_str value)
{
	struct place where = { .kind = "meta", .name = lu_trim_line(name) };

	if (names_robots(where.name))
		add_robots(n, value, where);
	else if (is_word(where.name, "tdm-reservation"))
		add_reservation(n, value, &where);
	else if (is_word(where.name, "tdm-policy"))
		add_url(&n->policy, value);
}

static void add_element(struct lu_notice *n, const struct lu_html_node *e)
{
	if (e->tag == LU_TAG_META)
		add_meta(n, lu_html_attribute(e, LU_ATTRIBUTE_NAME),
				lu_html_attribute(e, LU_ATTRIBUTE_CONTENT));
	else if ((e->tag == LU_TAG_LINK || e->tag == LU_TAG_A) &&
			is_license(lu_html_attribute(e, LU_ATTRIBUTE_REL)))
		add_url(&n->license, lu_html_attribute(e, LU_ATTRIBUTE_HREF));
}

/* Over the whole page: the parser moves meta elements that come late or behind a stray tag into the
 * body. */
void lu_notice_page(struct lu_notice *n, const struct lu_html_node *root)
{
	for (const struct lu_html_node *e = root; e; e = lu_html_next(e, root, true))
		add_element(n, e);
}

/* Write the places of each signal, in the order of the page. */
static void write_signals(struct lu_str signals, struct lu_buf *out)
{
	struct lu_str key[LU_SIGNALS_MAX], place[LU_SIGNALS_MAX], line;
	size_t n = 0;

	while (n < LU_SIGNALS_MAX && lu_take_line(&signals, &line)) {
		take_part(&line, "\t", &key[n]);
		place[n++] = line;
	}
	lu_json_open_object(out, "signals");
	for (size_t i = 0; i < n; i++) {
		if (key[i].n == 0)
			continue;
		lu_json_key(out, key[i]);
		lu_json_open_array(out, NULL);
		lu_json_put_str(out, NULL, place[i]);
		for (size_t k = i + 1; k < n; k++) {
			if (!lu_str_eq(key[k], key[i]))
				continue;
			lu_json_put_str(out, NULL, place[k]);
			key[k].n = 0; /* it is written */
		}
		lu_json_close_array(out);
	}
	lu_json_close_object(out);
}

void lu_notice_write(const struct lu_notice *n, struct lu_buf *out)
{
	if (n->optout) {
		lu_json_open_array(out, "optout");
		for (unsigned i = 0; lu_notice_optouts[i]; i++) {
			if (n->optout & 1u << i)
				lu_json_put_cstr(out, NULL, lu_notice_optouts[i]);
		}
		lu_json_close_array(out);
	}
	if (n->signals.n)
		write_signals(lu_buf_slice(&n->signals), out);
	if (n->policy.n)
		lu_json_put_str(out, "tdm_policy", lu_buf_slice(&n->policy));
}
