#include "libcommon/wiki/mediawiki_page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Elements that hold others of the same names, and are of no interest. */
static const char *const skipped[] = { "contributor", "content", "upload",
	"discussionthreadinginfo" };

struct tag {
	struct lu_str name;
	bool closing, empty;
	const char *end; /* behind '>' */
};

/* The tag at p. */
static bool read_tag(const char *p, const char *end, struct tag *t)
{
	const char *gt = memchr(p, '>', (size_t)(end - p)), *name = p + 1;

	if (!gt)
		return false;
	t->closing = *name == '/';
	name += t->closing;
	t->empty = gt[-1] == '/';
	t->end = gt + 1;
	t->name = (struct lu_str){ name, 0 };
	while (name + t->name.n < gt && !strchr(" \t\r\n/>", name[t->name.n]))
		t->name.n++;
	return t->name.n > 0;
}

/* Behind the closing tag of a skipped element; NULL: there is none. */
static const char *skip(const struct tag *t, const char *end)
{
	char close[40];
	const char *p;

	if (t->empty)
		return t->end;
	memcpy(close, "</", 2);
	memcpy(close + 2, t->name.p, t->name.n);
	close[2 + t->name.n] = '\0';
	p = lu_str_find(t->end, end, lu_str_of(close));
	p = p ? memchr(p, '>', (size_t)(end - p)) : NULL;
	return p ? p + 1 : NULL;
}

/* Where the content of an element goes, NULL: nowhere. */
static struct lu_str *field(struct lu_mediawiki_page *page, struct lu_str name, bool in_revision)
{
	const struct {
		const char *name;
		bool of_revision;
		struct lu_str *field;
	} fields[] = { { "title", false, &page->title }, { "ns", false, &page->ns },
		{ "id", false, &page->id }, { "id", true, &page->revision },
		{ "timestamp", true, &page->timestamp }, { "model", true, &page->model },
		{ "text", true, &page->text } };

	for (size_t i = 0; i < COUNT(fields); i++) {
		if (fields[i].of_revision == in_revision && lu_str_is(name, fields[i].name))
			return fields[i].field;
	}
	return NULL;
}

static void begin_revision(struct lu_mediawiki_page *page)
{
	struct lu_str none = { NULL, 0 };

	page->revision = page->timestamp = page->model = page->text = none;
}

static bool is_skipped(struct lu_str name)
{
	for (size_t i = 0; i < COUNT(skipped); i++) {
		if (lu_str_is(name, skipped[i]))
			return true;
	}
	return false;
}

bool lu_mediawiki_page(struct lu_str element, struct lu_mediawiki_page *page)
{
	const char *p = element.p, *end = element.p + element.n;
	bool in_revision = false;

	*page = (struct lu_mediawiki_page){ 0 };
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		struct tag t;
		struct lu_str *f;

		if (!read_tag(p, end, &t))
			return false;
		p = t.end;
		if (!t.closing && is_skipped(t.name)) {
			p = skip(&t, end);
			if (!p)
				return false;
			continue;
		}
		if (lu_str_is(t.name, "revision")) {
			in_revision = !t.closing;
			if (in_revision)
				begin_revision(page);
			continue;
		}
		if (t.closing)
			continue;
		if (lu_str_is(t.name, "redirect"))
			page->redirect = true;
		f = field(page, t.name, in_revision);
		if (f && !t.empty) {
			const char *lt = memchr(p, '<', (size_t)(end - p));

			/* Its own closing tag is the next. */
			if (!lt || lt + 1 + 1 + t.name.n > end || lt[1] != '/' ||
					memcmp(lt + 2, t.name.p, t.name.n) != 0)
				return false;
			*f = (struct lu_str){ p, (size_t)(lt - p) };
			p = lt;
		}
	}
	return !in_revision && page->title.p != NULL;
}
