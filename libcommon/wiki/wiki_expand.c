#include "libcommon/wiki/wiki_expand.h"

#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/wiki/wiki_template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The name of a tag and its attributes may span lines; longer ones are text. */
#define TAG_MAX 4096
/* Calls with more arguments are data, not text. */
#define ARGS_MAX 1000

enum tag {
	TAG_PLAIN, /* its content is no markup */
	TAG_PRE,
	TAG_MATH,
	TAG_DROP,   /* with its content */
	TAG_NOTE,   /* a reference */
	TAG_UNWRAP, /* the tag alone is left out */
	TAG_TAGS,
};

/* In byte order. The extensions of Wikipedia and its sisters; HTML's own tags are read later. */
static const struct tag_name {
	const char *name;
	enum tag tag;
} tag_names[] = {
	{ "categorytree", TAG_DROP },
	{ "ce", TAG_PLAIN },
	{ "chem", TAG_PLAIN },
	{ "gallery", TAG_DROP },
	{ "graph", TAG_DROP },
	{ "hiero", TAG_DROP },
	{ "imagemap", TAG_DROP },
	{ "includeonly", TAG_DROP },
	{ "indicator", TAG_DROP },
	{ "inputbox", TAG_DROP },
	{ "langconvert", TAG_UNWRAP },
	{ "mapframe", TAG_DROP },
	{ "maplink", TAG_DROP },
	{ "math", TAG_MATH },
	{ "noinclude", TAG_UNWRAP },
	{ "nowiki", TAG_PLAIN },
	{ "onlyinclude", TAG_UNWRAP },
	{ "pages", TAG_DROP },
	{ "poem", TAG_UNWRAP },
	{ "pre", TAG_PRE },
	{ "ref", TAG_NOTE },
	{ "references", TAG_DROP },
	{ "score", TAG_DROP },
	{ "script", TAG_DROP },
	{ "section", TAG_UNWRAP },
	{ "source", TAG_PRE },
	{ "style", TAG_DROP },
	{ "syntaxhighlight", TAG_PRE },
	{ "templatedata", TAG_DROP },
	{ "templatestyles", TAG_DROP },
	{ "timeline", TAG_DROP },
	{ "translate", TAG_UNWRAP },
	{ "tvar", TAG_UNWRAP },
};

/* The state of one page. */
struct expand {
	struct lu_wikitext *w;
	const char *begin, *p, *end;
	size_t budget;			 /* of w->expanded */
	bool unclosed[COUNT(tag_names)]; /* no closing tag follows */
	bool variants;
};

/* Bytes that end a run of plain text. */
static const bool special[256] = {
	[0] = true,
	[1] = true,
	[2] = true,
	[3] = true,
	[4] = true,
	[5] = true,
	[6] = true,
	[7] = true,
	[8] = true,
	[11] = true,
	[12] = true,
	[13] = true,
	[14] = true,
	[15] = true,
	[16] = true,
	[17] = true,
	[18] = true,
	[19] = true,
	[20] = true,
	[21] = true,
	[22] = true,
	[23] = true,
	[24] = true,
	[25] = true,
	[26] = true,
	[27] = true,
	[28] = true,
	[29] = true,
	[30] = true,
	[31] = true,
	[127] = true,
	['\n'] = true,
	['<'] = true,
	['{'] = true,
	['}'] = true,
	['['] = true,
	[']'] = true,
	['|'] = true,
	['='] = true,
	['-'] = true,
};

static struct lu_wiki_frame *top(struct lu_wikitext *w)
{
	return w->frames.n ? &w->frames.p[w->frames.n - 1] : NULL;
}

static void pop(struct lu_wikitext *w)
{
	w->parts.n = top(w)->part;
	w->frames.n--;
}

/* Nothing that is inside of the frame was seen. */
static void forget(struct lu_wikitext *w, const struct lu_wiki_frame *f)
{
	w->names.n = f->names;
	w->count = f->count;
}

static void push(struct lu_wikitext *w, char kind, size_t open)
{
	if (w->frames.n >= LU_WIKI_DEPTH)
		return;
	if (!lu_vec_push(&w->frames,
			    (struct lu_wiki_frame){ kind, w->expanded.n, open, w->parts.n,
					    w->names.n, w->count }))
		w->expanded.failed = true;
}

/* A line on which nothing but what was just left out stood goes as a whole. */
static bool drop_empty_line(struct expand *x)
{
	const struct lu_buf *out = &x->w->expanded;

	if (x->p == x->end || *x->p != '\n' || (out->n && out->p[out->n - 1] != '\n'))
		return false;
	x->p++;
	return true;
}

static void unknown(struct lu_wikitext *w, struct lu_str name)
{
	const char *colon = name.n && name.p[0] == '#' ? memchr(name.p, ':', name.n) : NULL;

	/* "#expr: 1 + 2" is one name with all others; of #invoke the module says more. */
	if (colon && (name.n < 8 || memcmp(name.p, "#invoke", 7) != 0))
		name.n = (size_t)(colon - name.p);
	/* Of a name that is too long, whole characters. */
	if (name.n > 200)
		name.n = lu_utf8_valid(name.p, 200);
	lu_wiki_fold(name, &w->names);
	lu_buf_putc(&w->names, '\n');
	w->count.unexpanded++;
}

/* The arguments of the call that begins at `start`: its parts from f->part on. Returns its name. */
static struct lu_str arguments(struct lu_wikitext *w, const struct lu_wiki_frame *f, size_t start)
{
	const char *p = w->expanded.p;
	size_t n = w->parts.n - f->part, end = w->expanded.n;
	const struct lu_wiki_part *part = n ? w->parts.p + f->part : NULL;

	w->args.n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t from = part[i].at + 1, to = i + 1 < n ? part[i + 1].at : end;
		struct lu_wiki_arg a = { { NULL, 0 }, { p + from, to - from } };

		if (part[i].equals != SIZE_MAX) {
			a.name = lu_wiki_trim((struct lu_str){ p + from, part[i].equals - from });
			a.value = lu_wiki_trim((struct lu_str){
					p + part[i].equals + 1, to - part[i].equals - 1 });
		}
		if (!lu_vec_push(&w->args, a))
			w->expanded.failed = true;
	}
	end = n ? part[0].at : end;
	return lu_wiki_trim((struct lu_str){ p + start, end - start });
}

/* Evaluate {{...}}, whose content begins at `start`, into w->result. */
static void call(struct expand *x, const struct lu_wiki_frame *f, size_t start)
{
	struct lu_wikitext *w = x->w;
	struct lu_wiki_call c = { .w = w, .name = arguments(w, f, start) };
	enum lu_wiki_outcome outcome = LU_WIKI_UNKNOWN;

	c.arg = w->args.p;
	c.args = w->args.n;
	if (c.args <= ARGS_MAX && w->expanded.n <= x->budget)
		outcome = lu_wiki_call(&c);
	if (outcome == LU_WIKI_LEFT_OUT) {
		uint64_t references = w->count.references;

		forget(w, f);
		w->count.references = references;
		w->count.left_out++;
		lu_buf_clear(&w->result);
		lu_buf_putc(&w->result, LU_WIKI_NOTHING);
	} else if (outcome == LU_WIKI_UNKNOWN) {
		forget(w, f);
		unknown(w, c.name);
		lu_buf_clear(&w->result);
		lu_buf_putc(&w->result, LU_WIKI_HOLE);
	} else {
		w->count.expanded++;
	}
}

/* {{{name|default}}} has its default on a page. */
static void parameter(struct expand *x, const struct lu_wiki_frame *f, size_t start)
{
	struct lu_wikitext *w = x->w;
	struct lu_str name = arguments(w, f, start);

	if (w->args.n) {
		const struct lu_wiki_arg *a = &w->args.p[0];
		const char *from = a->name.p ? a->name.p : a->value.p;

		lu_buf_append(&w->result, from, (size_t)(a->value.p + a->value.n - from));
	} else {
		(void)name;
		unknown(w, LU_STR("{{{"));
		lu_buf_putc(&w->result, LU_WIKI_HOLE);
	}
}

static bool is_nothing(const struct lu_buf *result)
{
	return result->n == 0 ||
			(result->n == 1 &&
					(*result->p == LU_WIKI_HOLE ||
							*result->p == LU_WIKI_NOTHING));
}

/* A run of closing braces: as many as fit are taken. */
static void close_braces(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	size_t run = 0;

	while (x->p + run < x->end && x->p[run] == '}')
		run++;
	while (run >= 2) {
		struct lu_wiki_frame *f;
		size_t i = w->frames.n, take, start;

		/* An unclosed link inside the braces is none. */
		while (i && w->frames.p[i - 1].kind != '{')
			i--;
		if (!i)
			break;
		if (i < w->frames.n)
			w->parts.n = w->frames.p[i].part;
		w->frames.n = i;
		f = top(w);
		take = run >= 3 && f->open >= 3 ? 3 : 2;
		start = f->start + f->open;
		lu_buf_clear(&w->result);
		if (take == 3)
			parameter(x, f, start);
		else
			call(x, f, start);
		x->p += take;
		run -= take;
		w->expanded.n = start - take;
		w->parts.n = f->part;
		f->open -= take;
		if (f->open < 2)
			pop(w);
		if (!is_nothing(&w->result) || !drop_empty_line(x))
			lu_buf_str(&w->expanded, lu_buf_slice(&w->result));
		w->expanded.failed |= w->result.failed;
	}
	/* What is left closes nothing. */
	lu_buf_append(&w->expanded, x->p, run);
	x->p += run;
}

static void open_run(struct expand *x, char c)
{
	struct lu_wikitext *w = x->w;
	size_t run = 0;

	while (x->p + run < x->end && x->p[run] == c)
		run++;
	if (c == '{' && run >= 2) {
		push(w, '{', run);
	} else if (c == '[' && run >= 2) {
		lu_buf_append(&w->expanded, x->p, run - 2);
		x->p += run - 2;
		run = 2;
		push(w, '[', 2);
	}
	lu_buf_append(&w->expanded, x->p, run);
	x->p += run;
}

static void close_link(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	struct lu_wiki_frame *f = top(w);

	if (!f || f->kind != '[' || x->end - x->p < 2 || x->p[1] != ']') {
		lu_buf_putc(&w->expanded, *x->p++);
		return;
	}
	x->p += 2;
	if (lu_wiki_link(w, f)) {
		bool nothing = w->expanded.n == f->start;

		pop(w);
		if (nothing)
			drop_empty_line(x);
	} else {
		pop(w);
		lu_buf_puts(&w->expanded, "]]");
	}
}

/* -{zh-hans:X; zh-hant:Y}- shows its first variant here, -{X}- itself, a flag before '|' nothing. */
static void close_variant(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	struct lu_wiki_frame *f = top(w);
	size_t start = f->start + 2;
	bool flag = w->parts.n > f->part;
	struct lu_str s = { w->expanded.p + start, w->expanded.n - start };
	const char *colon, *semi;

	x->p += 2;
	if (flag && (s.p[0] == 'T' || s.p[0] == 'H' || s.p[0] == '-'))
		s.n = 0;
	else if (flag)
		s = (struct lu_str){ w->expanded.p + w->parts.p[f->part].at + 1,
			w->expanded.n - w->parts.p[f->part].at - 1 };
	colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	semi = s.n ? memchr(s.p, ';', s.n) : NULL;
	if (colon && (!semi || colon < semi)) {
		const char *to = semi ? semi : s.p + s.n;

		s = (struct lu_str){ colon + 1, (size_t)(to - colon - 1) };
	}
	memmove(w->expanded.p + f->start, s.p, s.n);
	w->expanded.n = f->start + s.n;
	pop(w);
}

/* Text without markup; its line ends are no lines of the page. */
static void protect(struct lu_buf *out, char kind, struct lu_str s)
{
	lu_buf_putc(out, LU_WIKI_BEGIN);
	lu_buf_putc(out, kind);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n')
			lu_buf_putc(out, LU_WIKI_NEWLINE);
		else if (c == '\t' || c == '=' || c == '-' || !special[c] || (c > 32 && c < 127))
			lu_buf_putc(out, (char)c);
	}
	lu_buf_putc(out, LU_WIKI_END);
}

/* The closing tag behind `from`; *after is the position behind it. NULL: none. */
static const char *find_closing(
		const char *from, const char *end, const char *name, const char **after)
{
	size_t n = strlen(name);

	for (const char *p = from; (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++) {
		const char *gt;

		if ((size_t)(end - p) < n + 3 || p[1] != '/' || strncasecmp(p + 2, name, n) != 0)
			continue;
		for (gt = p + 2 + n; gt < end && strchr(" \t\n", *gt) && *gt; gt++)
			;
		if (gt < end && *gt == '>') {
			*after = gt + 1;
			return p;
		}
	}
	return NULL;
}

static void comment(struct expand *x)
{
	const char *to = x->end;
	const struct lu_buf *out = &x->w->expanded;

	for (const char *p = x->p + 4; p < x->end; p++) {
		p = memchr(p, '-', (size_t)(x->end - p));
		if (!p)
			break;
		if (x->end - p >= 3 && p[1] == '-' && p[2] == '>') {
			to = p + 3;
			break;
		}
	}
	x->p = to;
	if (out->n == 0 || out->p[out->n - 1] == '\n') {
		const char *p = x->p;

		while (p < x->end && (*p == ' ' || *p == '\t'))
			p++;
		if (p < x->end && *p == '\n')
			x->p = p + 1;
	}
}

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct tag_name *)row)->name);
}

/* The element of an extension, of which the opening tag ends at `gt`. */
static void extension(struct expand *x, const struct tag_name *t, const char *gt)
{
	struct lu_wikitext *w = x->w;
	size_t number = (size_t)(t - tag_names);
	bool empty = gt[-1] == '/';
	const char *close = NULL, *after = gt + 1;

	x->p = gt + 1;
	if (t->tag == TAG_UNWRAP)
		return;
	if (t->tag == TAG_NOTE) {
		w->count.references++;
		if (w->options->references && !empty) {
			lu_buf_puts(&w->expanded, "<ref>");
			return;
		}
	}
	if (!empty && !x->unclosed[number]) {
		close = find_closing(gt + 1, x->end, t->name, &after);
		x->unclosed[number] = !close;
	}
	if (close) {
		struct lu_str s = { gt + 1, (size_t)(close - gt - 1) };

		x->p = after;
		if (t->tag == TAG_PLAIN)
			protect(&w->expanded, LU_WIKI_PLAIN, s);
		else if (t->tag == TAG_PRE)
			protect(&w->expanded, LU_WIKI_PRE, s);
		else if (t->tag == TAG_MATH)
			protect(&w->expanded, LU_WIKI_MATH, lu_wiki_trim(s));
	} else if (empty && t->tag == TAG_PLAIN) {
		protect(&w->expanded, LU_WIKI_PLAIN, LU_STR(""));
	}
	if (t->tag == TAG_DROP)
		drop_empty_line(x);
}

/* '<': a comment, an extension, or a tag of HTML, which is copied as one line. */
static void less_than(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	const char *name = x->p + 1, *p, *gt;
	char lower[20];
	size_t n = 0;
	const struct tag_name *t = NULL;
	bool closing;

	if (x->end - x->p >= 4 && memcmp(x->p, "<!--", 4) == 0) {
		comment(x);
		return;
	}
	closing = name < x->end && *name == '/';
	name += closing;
	for (p = name; p < x->end && n + 1 < sizeof(lower) &&
			((*p | 32) >= 'a' && (*p | 32) <= 'z');
			p++)
		lower[n++] = (char)(*p | 32);
	lower[n] = '\0';
	for (gt = p; gt < x->end && *gt != '>' && *gt != '<' && gt - p < TAG_MAX; gt++)
		;
	if (n == 0 || gt == x->end || *gt != '>' ||
			(*p != '>' && !strchr(" \t\n/0123456789", *p))) {
		lu_buf_putc(&w->expanded, *x->p++);
		return;
	}
	t = bsearch(lower, tag_names, COUNT(tag_names), sizeof(tag_names[0]), by_name);
	if (t && !(p > name && *p >= '0' && *p <= '9')) {
		if (!closing)
			extension(x, t, gt);
		else if (t->tag == TAG_NOTE && w->options->references)
			lu_buf_puts(&w->expanded, "</ref>");
		if (closing)
			x->p = gt + 1;
		return;
	}
	for (p = x->p; p <= gt; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\n')
			lu_buf_putc(&w->expanded, ' ');
		else if (c >= 32 && c != 127)
			lu_buf_putc(&w->expanded, (char)c);
	}
	x->p = gt + 1;
}

static void newline(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	struct lu_wiki_frame *f = top(w);

	/* The name of a page has no line end. */
	while (f && f->kind == '[' && w->parts.n == f->part) {
		pop(w);
		f = top(w);
	}
	lu_buf_putc(&w->expanded, '\n');
	x->p++;
}

static void separator(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	struct lu_wiki_frame *f = top(w);

	if (f && *x->p == '|') {
		if (!lu_vec_push(&w->parts, (struct lu_wiki_part){ w->expanded.n, SIZE_MAX }))
			w->expanded.failed = true;
	} else if (f && w->parts.n > f->part && w->parts.p[w->parts.n - 1].equals == SIZE_MAX) {
		w->parts.p[w->parts.n - 1].equals = w->expanded.n;
	}
	lu_buf_putc(&w->expanded, *x->p++);
}

static void step(struct expand *x)
{
	struct lu_wikitext *w = x->w;
	const char *p = x->p;
	bool second = x->end - p > 1;

	switch (*p) {
	case '\n': newline(x); return;
	case '<': less_than(x); return;
	case '{':
	case '[': open_run(x, *p); return;
	case ']': close_link(x); return;
	case '|':
	case '=': separator(x); return;
	case '}':
		if (second && p[1] == '-' && top(w) && top(w)->kind == '-')
			close_variant(x);
		else
			close_braces(x);
		return;
	case '-':
		if (x->variants && second && p[1] == '{' && (x->end - p < 3 || p[2] != '{')) {
			push(w, '-', 2);
			lu_buf_append(&w->expanded, p, 2);
			x->p += 2;
			return;
		}
		lu_buf_putc(&w->expanded, '-');
		break;
	default: break; /* a control character */
	}
	x->p++;
}

int lu_wiki_expand(struct lu_wikitext *w, struct lu_str markup, struct lu_err *err)
{
	struct expand x = { .w = w,
		.begin = markup.p,
		.p = markup.p,
		.end = markup.p + markup.n,
		.variants = lu_wiki_has_variants(w->site) };

	if (!lu_mul_size(markup.n, LU_WIKI_GROWTH, &x.budget) ||
			!lu_add_size(x.budget, 65536, &x.budget))
		return lu_err_set(err, "the page is too long");
	lu_buf_clear(&w->expanded);
	lu_buf_clear(&w->names);
	w->frames.n = w->parts.n = 0;
	w->count = (struct lu_wiki_counts){ 0 };
	while (x.p < x.end) {
		const char *from = x.p;

		while (x.p < x.end && !special[(unsigned char)*x.p])
			x.p++;
		lu_buf_append(&w->expanded, from, (size_t)(x.p - from));
		if (x.p < x.end)
			step(&x);
		/* What is not there cannot be pointed to. */
		if (w->expanded.failed)
			return lu_err_nomem(err);
	}
	if (lu_buf_check(&w->names, err) < 0 || lu_buf_check(&w->scratch, err) < 0)
		return -1;
	return 0;
}
