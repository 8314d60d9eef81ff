#include "libcommon/office/doc_meta.h"

#include <ctype.h>

#include "libcommon/base/json_writer.h"

/* Longer descriptions are cut at nothing: they are left out, as no description is. */
#define LONGEST ((size_t)64 << 10)

void lu_doc_meta_start(struct lu_doc_meta *m, const char *name)
{
	const struct {
		const char *name;
		struct lu_buf *into;
	} elements[] = { { "title", &m->title }, { "creator", &m->author },
		{ "initial-creator", &m->first }, { "created", &m->date },
		{ "creation-date", &m->date }, { "date", &m->changed }, { "modified", &m->changed },
		{ "language", &m->lang }, { "rights", &m->license },
		{ "description", &m->description }, { "identifier", &m->identifier } };

	m->into = NULL;
	lu_buf_clear(&m->value);
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		if (strcmp(name, elements[i].name) == 0)
			m->into = elements[i].into;
	}
}

void lu_doc_meta_text(struct lu_doc_meta *m, struct lu_str s)
{
	if (m->into && m->value.n < LONGEST)
		lu_buf_str(&m->value, s);
}

/* Append with runs of blanks as one. */
static void put_line(struct lu_buf *out, struct lu_str s)
{
	bool blank = false;
	size_t from = out->n;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr(" \t\r\n", s.p[i])) {
			blank = true;
			continue;
		}
		if (blank && out->n > from)
			lu_buf_putc(out, ' ');
		blank = false;
		lu_buf_putc(out, s.p[i]);
	}
}

void lu_doc_meta_end(struct lu_doc_meta *m)
{
	struct lu_str s = lu_buf_slice(&m->value);

	if (m->into && !lu_str_only(s, " \t\r\n") && s.n < LONGEST && m->into->n < LONGEST) {
		if (m->into == &m->author && m->author.n)
			lu_buf_puts(&m->author, "; ");
		if (m->into == &m->author || m->into->n == 0)
			put_line(m->into, s);
	}
	m->into = NULL;
}

/* "2021", "2021-03", "2021-03-04", with a time or not, of a year from 1000 on. */
static bool is_date(struct lu_str s)
{
	static const char form[] = "dddd-dd-dd";
	size_t i = 0;

	while (i < s.n && i < sizeof(form) - 1 &&
			(form[i] == 'd' ? isdigit((unsigned char)s.p[i]) : s.p[i] == form[i]))
		i++;
	if ((i != 4 && i != 7 && i != 10) || s.p[0] == '0')
		return false;
	return i == s.n || (i == 10 && s.p[i] == 'T' && s.n < 40);
}

static bool is_lang(struct lu_str s)
{
	size_t i = 0;

	while (i < s.n && isalpha((unsigned char)s.p[i]))
		i++;
	if (i < 2 || i > 3 || s.n > 35 || memcmp(s.p, "und", i) == 0)
		return false;
	for (; i < s.n; i++) {
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

int lu_doc_meta_put(const struct lu_doc_meta *m, struct lu_office *o, struct lu_err *err)
{
	const struct lu_buf *author = m->first.n ? &m->first : &m->author;
	const struct lu_buf *date = is_date(lu_buf_slice(&m->date)) ? &m->date : &m->changed;

	if (!lu_buf_ok(&m->title) || !lu_buf_ok(&m->author) || !lu_buf_ok(&m->first) ||
			!lu_buf_ok(&m->date) || !lu_buf_ok(&m->changed) || !lu_buf_ok(&m->lang) ||
			!lu_buf_ok(&m->license) || !lu_buf_ok(&m->description) ||
			!lu_buf_ok(&m->identifier) || !lu_buf_ok(&m->value))
		return lu_err_nomem(err);
	lu_buf_str(&o->title, lu_buf_slice(&m->title));
	if (is_date(lu_buf_slice(date)))
		lu_buf_str(&o->date, lu_buf_slice(date));
	if (is_lang(lu_buf_slice(&m->lang)))
		lu_buf_str(&o->lang, lu_buf_slice(&m->lang));
	lu_buf_str(&o->license, lu_buf_slice(&m->license));
	if (author->n)
		lu_json_put_str(&o->more, "author", lu_buf_slice(author));
	if (m->description.n)
		lu_json_put_str(&o->more, "description", lu_buf_slice(&m->description));
	if (m->identifier.n)
		lu_json_put_str(&o->more, "identifier", lu_buf_slice(&m->identifier));
	return lu_office_check(o, err);
}

void lu_doc_meta_release(struct lu_doc_meta *m)
{
	lu_buf_release(&m->title);
	lu_buf_release(&m->author);
	lu_buf_release(&m->first);
	lu_buf_release(&m->date);
	lu_buf_release(&m->changed);
	lu_buf_release(&m->lang);
	lu_buf_release(&m->license);
	lu_buf_release(&m->description);
	lu_buf_release(&m->identifier);
	lu_buf_release(&m->value);
}
