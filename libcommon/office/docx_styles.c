#include "libcommon/office/docx_styles.h"

#include <limits.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/office/doc_flow.h"

/* More styles, lists or uses of them are hostile; each takes at most a kilobyte here. */
#define MOST 20000

/* Styles based on each other. */
#define LONGEST_CHAIN 20

bool lu_docx_is_on(const struct lu_xml_tag *tag)
{
	struct lu_str v = lu_xml_attribute(tag, "val");

	return !(v.p && (lu_str_is(v, "0") || lu_str_is(v, "false") || lu_str_is(v, "off")));
}

static bool is(const struct lu_xml_tag *tag, const char *name)
{
	return strcmp(tag->name, name) == 0;
}

static bool begins(struct lu_str s, const char *word)
{
	return s.n >= strlen(word) && strncasecmp(s.p, word, strlen(word)) == 0;
}

/* --- styles ---------------------------------------------------------------------------------- */

static void begin_style(struct lu_docx_styles *s, const struct lu_xml_tag *tag)
{
	struct lu_str id = lu_xml_attribute(tag, "styleId");
	struct lu_docx_style style = { .numbering = -1, .level = -1, .hidden = -1 };

	s->in_style = id.p && s->styles.n < MOST;
	if (!s->in_style)
		return;
	style.id = strndup(id.p, id.n);
	if (!style.id || !lu_vec_push(&s->styles, style)) {
		free(style.id);
		s->failed = true;
		s->in_style = false;
	}
}

void lu_docx_styles_start(struct lu_docx_styles *s, const struct lu_xml_tag *tag)
{
	struct lu_docx_style *now = s->styles.n ? &s->styles.p[s->styles.n - 1] : NULL;
	struct lu_str v;

	if (is(tag, "style")) {
		begin_style(s, tag);
		return;
	}
	if (!s->in_style || !now)
		return;
	v = lu_xml_attribute(tag, "val");
	if (is(tag, "name") && v.p) {
		now->contents = begins(v, "toc ") || begins(v, "table of figures");
		now->program = begins(v, "html preformatted") || begins(v, "source code") ||
				begins(v, "preformatted text") || begins(v, "plain text");
		now->heading = begins(v, "heading ") || begins(v, "title");
	} else if (is(tag, "basedOn") && v.p && !now->based_on) {
		now->based_on = strndup(v.p, v.n);
		s->failed = s->failed || !now->based_on;
	} else if (is(tag, "numId")) {
		now->numbering = lu_xml_number(tag, "val", -1);
	} else if (is(tag, "ilvl")) {
		now->level = lu_xml_number(tag, "val", 0);
	} else if (is(tag, "vanish")) {
		now->hidden = lu_docx_is_on(tag);
	}
}

static int by_style(const void *a, const void *b)
{
	const struct lu_docx_style *sa = a, *sb = b;

	return strcmp(sa->id, sb->id);
}

static int by_list(const void *a, const void *b)
{
	const struct lu_docx_list *la = a, *lb = b;

	return (la->id > lb->id) - (la->id < lb->id);
}

static int by_number(const void *a, const void *b)
{
	const struct lu_docx_number *na = a, *nb = b;

	return (na->id > nb->id) - (na->id < nb->id);
}

static struct lu_docx_style *find_style(const struct lu_docx_styles *s, char *id)
{
	struct lu_docx_style key = { .id = id };

	return s->styles.n ? bsearch(&key, s->styles.p, s->styles.n, sizeof(key), by_style) : NULL;
}

void lu_docx_styles_ready(struct lu_docx_styles *s)
{
	if (s->styles.n)
		qsort(s->styles.p, s->styles.n, sizeof(*s->styles.p), by_style);
	if (s->lists.n)
		qsort(s->lists.p, s->lists.n, sizeof(*s->lists.p), by_list);
	if (s->numbers.n)
		qsort(s->numbers.p, s->numbers.n, sizeof(*s->numbers.p), by_number);
	for (size_t i = 0; i < s->styles.n; i++) {
		struct lu_docx_style *now = &s->styles.p[i], *base = now;

		for (int k = 0; k < LONGEST_CHAIN && base && base->based_on; k++) {
			base = find_style(s, base->based_on);
			if (!base)
				break;
			if (now->numbering < 0)
				now->numbering = base->numbering;
			if (now->level < 0)
				now->level = base->level;
			if (now->hidden < 0)
				now->hidden = base->hidden;
			now->heading = now->heading || base->heading;
		}
	}
}

const struct lu_docx_style *lu_docx_style(const struct lu_docx_styles *s, struct lu_str id)
{
	char name[256];

	if (!id.p || id.n >= sizeof(name))
		return NULL;
	memcpy(name, id.p, id.n);
	name[id.n] = '\0';
	return find_style(s, name);
}

/* --- numbering ------------------------------------------------------------------------------- */

static char form_of(struct lu_str s)
{
	static const struct {
		const char *name;
		char form;
	} forms[] = { { "bullet", '-' }, { "none", 0 }, { "lowerLetter", 'a' },
		{ "upperLetter", 'A' }, { "lowerRoman", 'i' }, { "upperRoman", 'I' } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (lu_str_is(s, forms[i].name))
			return forms[i].form;
	}
	return '1';
}

static void begin_list(struct lu_docx_styles *s, const struct lu_xml_tag *tag)
{
	struct lu_docx_list list = { .id = lu_xml_number(tag, "abstractNumId", -1) };

	for (int i = 0; i < LU_DOCX_LEVELS; i++) {
		list.level[i] = (struct lu_docx_level){ .form = '1', .start = 1 };
		list.count[i] = INT_MIN;
	}
	s->level = -1;
	if (s->lists.n < MOST && !lu_vec_push(&s->lists, list))
		s->failed = true;
}

static void begin_number(struct lu_docx_styles *s, const struct lu_xml_tag *tag)
{
	struct lu_docx_number number = { .id = lu_xml_number(tag, "numId", -1), .list = -1 };

	for (int i = 0; i < LU_DOCX_LEVELS; i++)
		number.start[i] = INT_MIN;
	s->level = s->override = -1;
	if (s->numbers.n < MOST && !lu_vec_push(&s->numbers, number))
		s->failed = true;
}

static int level_of(const struct lu_xml_tag *tag)
{
	int level = lu_xml_number(tag, "ilvl", -1);

	return level < LU_DOCX_LEVELS ? level : -1;
}

static void read_level(struct lu_docx_level *level, const struct lu_xml_tag *tag)
{
	struct lu_str v = lu_xml_attribute(tag, "val");

	if (!v.p)
		return;
	if (is(tag, "numFmt")) {
		level->form = form_of(v);
	} else if (is(tag, "start")) {
		level->start = lu_xml_number(tag, "val", 1);
	} else if (is(tag, "lvlText") && v.n < sizeof(level->text)) {
		memcpy(level->text, v.p, v.n);
		level->text[v.n] = '\0';
	}
}

void lu_docx_numbering_start(struct lu_docx_styles *s, const struct lu_xml_tag *tag)
{
	struct lu_docx_list *list = s->lists.n ? &s->lists.p[s->lists.n - 1] : NULL;
	struct lu_docx_number *number = s->numbers.n ? &s->numbers.p[s->numbers.n - 1] : NULL;

	if (is(tag, "abstractNum"))
		begin_list(s, tag);
	else if (is(tag, "num"))
		begin_number(s, tag);
	else if (is(tag, "lvl") && !number)
		s->level = level_of(tag);
	else if (is(tag, "abstractNumId") && number)
		number->list = lu_xml_number(tag, "val", -1);
	else if (is(tag, "lvlOverride") && number)
		s->override = level_of(tag);
	else if (is(tag, "startOverride") && number && s->override >= 0)
		number->start[s->override] = lu_xml_number(tag, "val", INT_MIN);
	else if (s->level >= 0 && list && !number)
		read_level(&list->level[s->level], tag);
}

void lu_docx_styles_end(struct lu_docx_styles *s, const char *name)
{
	if (strcmp(name, "style") == 0)
		s->in_style = false;
	else if (strcmp(name, "lvl") == 0)
		s->level = -1;
	else if (strcmp(name, "lvlOverride") == 0)
		s->override = -1;
}

/* --- markers --------------------------------------------------------------------------------- */

static struct lu_docx_list *find_list(
		struct lu_docx_styles *s, int numbering, struct lu_docx_number **number)
{
	struct lu_docx_number key = { .id = numbering };
	struct lu_docx_list list = { 0 };

	*number = s->numbers.n ? bsearch(&key, s->numbers.p, s->numbers.n, sizeof(key), by_number)
			       : NULL;
	if (!*number || !s->lists.n)
		return NULL;
	list.id = (*number)->list;
	return bsearch(&list, s->lists.p, s->lists.n, sizeof(list), by_list);
}

/* Move on to the next number of the level; deeper ones begin anew. */
static void count(struct lu_docx_list *list, struct lu_docx_number *number, int level)
{
	int *n = &list->count[level];

	*n = *n == INT_MIN ? list->level[level].start : *n < INT_MAX ? *n + 1 : *n;
	if (number->start[level] != INT_MIN) {
		*n = number->start[level];
		number->start[level] = INT_MIN;
	}
	for (int i = level + 1; i < LU_DOCX_LEVELS; i++)
		list->count[i] = INT_MIN;
}

void lu_docx_marker(struct lu_docx_styles *s, int numbering, int level, struct lu_buf *out)
{
	struct lu_docx_number *number;
	struct lu_docx_list *list = find_list(s, numbering, &number);
	size_t before = out->n;

	if (level < 0 || level >= LU_DOCX_LEVELS)
		level = 0;
	if (!list)
		return;
	count(list, number, level);
	if (list->level[level].form == '-') {
		lu_buf_puts(out, "- ");
		return;
	}
	for (const char *p = list->level[level].form ? list->level[level].text : ""; *p; p++) {
		int k = *p == '%' ? p[1] - '1' : -1;

		if (k < 0 || k >= LU_DOCX_LEVELS) {
			lu_buf_putc(out, *p);
			continue;
		}
		if (list->count[k] == INT_MIN)
			list->count[k] = list->level[k].start;
		lu_doc_number(out, list->level[k].form,
				list->count[k] > 0 ? (unsigned)list->count[k] : 0);
		p++;
	}
	while (out->n > before && out->p[out->n - 1] == ' ')
		out->n--;
	if (out->n > before)
		lu_buf_putc(out, ' ');
}

void lu_docx_styles_release(struct lu_docx_styles *s)
{
	for (size_t i = 0; i < s->styles.n; i++) {
		free(s->styles.p[i].id);
		free(s->styles.p[i].based_on);
	}
	lu_vec_release(&s->styles);
	lu_vec_release(&s->lists);
	lu_vec_release(&s->numbers);
}
