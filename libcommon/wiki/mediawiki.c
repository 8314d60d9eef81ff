#include "libcommon/wiki/mediawiki.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/wiki/mediawiki_page.h"
#include "libcommon/wiki/wikitext.h"

/* What stands before the first page is some kilobytes. */
#define HEAD_MAX ((size_t)4 << 20)
#define READ_SIZE ((size_t)256 << 10)
/* So much of a page beyond the limit is kept, for its title. */
#define BEGIN_KEPT ((size_t)4096)
/* Names of templates in a record. */
#define NAMES_MAX 8

/* A block: number of the first page, length of the head, head; then records: a kind, a length, bytes. */
#define KIND_PAGE 'p'
#define KIND_NAMED 'n' /* a page whose number is above those of all before it: it is its name */
#define KIND_LONG 'l'  /* its size, and its beginning */
#define KIND_CUT 'c'   /* a page in which another begins: its beginning */

struct dump {
	struct lu_feed *feed;
	uint64_t limit;
	struct lu_buf head;
	struct lu_buf ahead; /* bytes from `at` on are not taken yet */
	size_t at;
	uint64_t pages;	  /* taken */
	uint64_t highest; /* number of a page in the wiki */
	bool begun, ended;
};

enum mark { MARK_OPEN, MARK_CLOSE, MARK_FAR, MARK_END };

/* A declaration and comments may stand before the root. */
bool lu_mediawiki_begins(struct lu_str head)
{
	const char *p = head.p, *end = head.p + head.n;

	if (head.n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	while (p && p < end) {
		bool declaration = end - p > 2 && p[0] == '<' && p[1] == '?';

		if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') {
			p++;
		} else if (declaration || (end - p > 4 && memcmp(p, "<!--", 4) == 0)) {
			p = lu_str_find(p, end, declaration ? LU_STR("?>") : LU_STR("-->"));
			p = p ? p + (declaration ? 2 : 3) : NULL;
		} else {
			return end - p > 10 && memcmp(p, "<mediawiki", 10) == 0;
		}
	}
	return false;
}

/* Read more behind what is there. 1, 0 at the end, -1. */
static int fill(struct dump *d, struct lu_err *err)
{
	ssize_t n;

	if (d->at > d->ahead.n / 2) {
		memmove(d->ahead.p, d->ahead.p + d->at, d->ahead.n - d->at);
		d->ahead.n -= d->at;
		d->at = 0;
	}
	if (!lu_buf_reserve(&d->ahead, READ_SIZE))
		return lu_err_nomem(err);
	n = lu_feed_read(d->feed, d->ahead.p + d->ahead.n, READ_SIZE, err);
	if (n < 0)
		return -1;
	d->ahead.n += (size_t)n;
	return n > 0;
}

/* The next <page> or </page> from d->at + *from on; *from becomes its offset from d->at, where it is behind
 * `max` bytes MARK_FAR. -1: error. */
static int find_mark(struct dump *d, size_t *from, uint64_t max, struct lu_err *err)
{
	for (;;) {
		const char *begin = d->ahead.p ? d->ahead.p + d->at : "";
		size_t n = d->ahead.n - d->at;
		const char *p = n > *from ? memmem(begin + *from, n - *from, "page>", 5) : NULL;
		int rc;

		if (p) {
			if (p > begin && p[-1] == '<') {
				*from = (size_t)(p - 1 - begin);
				return MARK_OPEN;
			}
			if (p > begin + 1 && p[-1] == '/' && p[-2] == '<') {
				*from = (size_t)(p - 2 - begin);
				return MARK_CLOSE;
			}
			*from = (size_t)(p - begin) + 5;
			continue;
		}
		/* The mark may begin in the last bytes. */
		if (n > *from + 6)
			*from = n - 6;
		if (n > max)
			return MARK_FAR;
		rc = fill(d, err);
		if (rc <= 0)
			return rc < 0 ? -1 : MARK_END;
	}
}

static int read_head(struct dump *d, struct lu_err *err)
{
	size_t from = 0;
	int mark = find_mark(d, &from, HEAD_MAX, err);
	struct lu_str head;

	if (mark < 0)
		return -1;
	head = (struct lu_str){ d->ahead.p ? d->ahead.p : "",
		mark == MARK_OPEN ? from : d->ahead.n };
	if (mark == MARK_FAR || !lu_mediawiki_begins(head))
		return lu_err_set(err, "%s: no export of MediaWiki: %s", lu_feed_name(d->feed),
				mark == MARK_FAR ? "no <page> in its first 4 MiB"
						 : "no <mediawiki>");
	lu_buf_str(&d->head, head);
	d->at = mark == MARK_OPEN ? from : 0;
	d->begun = true;
	return lu_buf_check(&d->head, err);
}

/* The title of a page that is not whole, for messages. */
static struct lu_str title_of(struct lu_str begin)
{
	const char *end = begin.p + begin.n;
	const char *p = lu_str_find(begin.p, end, LU_STR("<title>"));
	const char *to = p ? memchr(p + 7, '<', (size_t)(end - p - 7)) : NULL;

	return to ? (struct lu_str){ p + 7, (size_t)(to - p - 7) } : LU_STR("without a title");
}

/* The first number of a page, which is its own; .n 0: there is none. */
static struct lu_str first_id(struct lu_str page)
{
	const char *end = page.p + (page.n < BEGIN_KEPT ? page.n : BEGIN_KEPT);
	const char *p = lu_str_find(page.p, end, LU_STR("<id>")), *to;

	if (!p)
		return LU_STR("");
	p += strlen("<id>");
	for (to = p; to < end && to - p < 18 && *to >= '0' && *to <= '9'; to++)
		;
	return (struct lu_str){ p, to < end && *to == '<' ? (size_t)(to - p) : 0 };
}

/* True if the number of the page in its wiki rises, as in dumps: no two names are the same then. */
static bool is_named(struct dump *d, struct lu_str page)
{
	struct lu_str s = first_id(page);
	uint64_t id = 0;

	for (size_t i = 0; i < s.n; i++)
		id = id * 10 + (uint64_t)(s.p[i] - '0');
	if (id <= d->highest)
		return false;
	d->highest = id;
	return true;
}

static void put_record(struct lu_buf *block, char kind, uint64_t size, struct lu_str bytes)
{
	lu_buf_putc(block, kind);
	lu_buf_le64(block, size);
	lu_buf_le64(block, bytes.n);
	lu_buf_str(block, bytes);
}

/* Pass over a page beyond the limit; its beginning is kept. */
static int pass_over(struct dump *d, struct lu_buf *block, struct lu_err *err)
{
	char begin[BEGIN_KEPT];
	uint64_t size = 0;

	memcpy(begin, d->ahead.p + d->at, sizeof(begin));
	for (;;) {
		size_t from = size == 0 ? strlen("<page>") : 0;
		int mark = find_mark(d, &from, READ_SIZE, err);

		if (mark < 0)
			return -1;
		size += from;
		d->at += from;
		if (mark == MARK_END)
			return lu_err_set(err, "%s: the dump is cut: it ends inside page %" PRIu64,
					lu_feed_name(d->feed), d->pages + 1);
		if (mark == MARK_FAR)
			continue;
		if (mark == MARK_CLOSE) {
			d->at += 7;
			size += 7;
		}
		put_record(block, KIND_LONG, size, (struct lu_str){ begin, sizeof(begin) });
		d->pages++;
		return 1;
	}
}

/* What follows the last page. 0: as it must; -1. */
static int end_of_dump(struct dump *d, struct lu_err *err)
{
	const char *p = d->ahead.p ? d->ahead.p + d->at : "";

	if (!lu_str_find(p, p + (d->ahead.n - d->at), LU_STR("</mediawiki>")))
		return lu_err_set(err,
				"%s: the dump is cut: it ends behind page %" PRIu64
				" without </mediawiki>; compare its size with the original",
				lu_feed_name(d->feed), d->pages);
	d->ended = true;
	return 0;
}

/* Append the next page to the block. 1; 0 at the end of the dump; -1. */
static int take_page(struct dump *d, struct lu_buf *block, struct lu_err *err)
{
	size_t from = 0, begin;
	bool named;
	/* Between pages only blanks and log items stand. */
	int mark = find_mark(d, &from, HEAD_MAX, err);

	if (mark < 0)
		return -1;
	if (mark == MARK_END)
		return end_of_dump(d, err);
	if (mark == MARK_FAR)
		return lu_err_set(err, "%s: no <page> in 4 MiB behind page %" PRIu64,
				lu_feed_name(d->feed), d->pages);
	if (mark == MARK_CLOSE) {
		/* The rest of a page whose beginning is lost. */
		put_record(block, KIND_CUT, from, LU_STR(""));
		d->at += from + 7;
		d->pages++;
		return 1;
	}
	d->at += from;
	begin = 6;
	mark = find_mark(d, &begin, d->limit > HEAD_MAX ? d->limit : HEAD_MAX, err);
	if (mark < 0)
		return -1;
	if (mark == MARK_FAR)
		return pass_over(d, block, err);
	if (mark == MARK_END)
		return lu_err_set(err,
				"%s: the dump is cut: it ends inside page %" PRIu64 ", '" LU_STR_FMT
				"'",
				lu_feed_name(d->feed), d->pages + 1,
				LU_STR_ARG(title_of((struct lu_str){
						d->ahead.p + d->at, d->ahead.n - d->at })));
	begin += mark == MARK_CLOSE ? 7 : 0;
	named = mark == MARK_CLOSE && is_named(d, (struct lu_str){ d->ahead.p + d->at, begin });
	put_record(block,
			named				     ? KIND_NAMED
					: mark == MARK_CLOSE ? KIND_PAGE
							     : KIND_CUT,
			begin,
			(struct lu_str){ d->ahead.p + d->at,
					mark == MARK_CLOSE || begin < BEGIN_KEPT ? begin
										 : BEGIN_KEPT });
	d->at += begin;
	d->pages++;
	return 1;
}

static int open_dump(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct dump *d = calloc(1, sizeof(*d));

	(void)file, (void)tmpdir;
	*state = d;
	if (!d)
		return lu_err_nomem(err);
	d->feed = feed;
	d->limit = o->limit;
	return 0;
}

static int next_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct dump *d = state;
	size_t from;
	int rc;

	lu_buf_clear(block);
	if (d->ended || (!d->begun && read_head(d, err) < 0))
		return d->ended ? 0 : -1;
	lu_buf_le64(block, d->pages + 1);
	lu_buf_le64(block, d->head.n);
	lu_buf_str(block, lu_buf_slice(&d->head));
	from = block->n;
	/* What is whole is given before what follows is found to be cut: the cut is met again. */
	while ((rc = take_page(d, block, err)) > 0 && block->n < LU_ENTRIES_BLOCK)
		;
	if (lu_buf_check(block, err) < 0)
		return -1;
	return block->n > from ? 1 : rc;
}

static void close_dump(void *state)
{
	struct dump *d = state;

	if (!d)
		return;
	lu_buf_release(&d->head);
	lu_buf_release(&d->ahead);
	free(d);
}

/* What a block is converted with. */
struct work {
	const struct lu_entries_options *o;
	struct lu_wiki_site site;
	struct lu_wikitext text;
	struct lu_buf title, markup, name, url, more, detail;
	uint64_t number;
};

static bool is_wanted(const struct lu_wiki_options *o, int32_t space)
{
	for (size_t i = 0; i < o->spaces.n; i++) {
		if (o->spaces.p[i] == space)
			return true;
	}
	return o->spaces.n == 0 && space == 0;
}

static int32_t number_of(struct lu_str s)
{
	char digits[12] = "";

	if (!s.p || s.n >= sizeof(digits))
		return 0;
	memcpy(digits, s.p, s.n);
	return (int32_t)strtol(digits, NULL, 10);
}

static void put_id(struct lu_buf *more, const char *key, struct lu_str digits)
{
	if (digits.n && digits.n < 20 && lu_str_only(digits, "0123456789") &&
			(digits.p[0] != '0' || digits.n == 1))
		lu_json_put_raw(more, key, digits);
}

/* The names of templates that could not be expanded, each once, the first of them. */
static void put_names(struct lu_buf *more, const struct lu_buf *names)
{
	struct lu_str seen[NAMES_MAX];
	size_t n = 0;

	lu_json_open_array(more, "unexpanded_names");
	for (size_t i = 0; i < names->n && n < NAMES_MAX;) {
		const char *nl = memchr(names->p + i, '\n', names->n - i);
		struct lu_str s = { names->p + i, (size_t)(nl - names->p) - i };
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= lu_str_eq(seen[k], s);
		if (!known) {
			seen[n++] = s;
			lu_json_put_str(more, NULL, s);
		}
		i += s.n + 1;
	}
	lu_json_close_array(more);
}

static void put_more(struct work *k, const struct lu_mediawiki_page *page)
{
	const struct lu_wiki_counts *c = &k->text.count;
	struct lu_buf *more = &k->more;

	put_id(more, "pageid", page->id);
	put_id(more, "revid", page->revision);
	if (number_of(page->ns))
		lu_json_put_raw(more, "namespace", page->ns);
	if (c->references)
		lu_json_put_u64(more, "references", c->references);
	if (c->unexpanded) {
		lu_json_put_u64(more, "unexpanded", c->unexpanded);
		put_names(more, &k->text.names);
	}
	if (c->holes)
		lu_json_put_u64(more, "holes", c->holes);
}

static bool is_redirect(const struct work *k, const struct lu_mediawiki_page *page)
{
	static const char *const words[] = { "#REDIRECT", "#REDIRECTION", "#WEITERLEITUNG" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (k->markup.n > n && strncasecmp(k->markup.p, words[i], n) == 0)
			return true;
	}
	return page->redirect;
}

/* Why a page is not wanted; NULL: it is. */
static const char *unwanted(struct work *k, const struct lu_mediawiki_page *page)
{
	if (!is_wanted(k->text.options, number_of(page->ns)))
		return "namespace";
	if (is_redirect(k, page))
		return "redirect";
	if (page->model.p && !lu_str_is(page->model, "wikitext"))
		return "content model";
	return NULL;
}

static void damaged(struct work *k, struct lu_entry *e, const char *what, struct lu_str title)
{
	e->drop = "damaged";
	e->bad = true;
	lu_buf_clear(&k->detail);
	lu_buf_printf(&k->detail, "page %" PRIu64 " '", k->number);
	lu_buf_masked(&k->detail, title);
	lu_buf_printf(&k->detail, "': %s", what);
	e->detail = lu_buf_slice(&k->detail);
}

/* Fill the entry of a page. */
static int convert_page(struct work *k, struct lu_str bytes, bool named, struct lu_entry *e,
		struct lu_err *err)
{
	struct lu_mediawiki_page page;
	int64_t bad, more_bad;

	if (!lu_mediawiki_page(bytes, &page)) {
		damaged(k, e, "not well-formed", title_of(bytes));
		return 0;
	}
	lu_buf_clear(&k->title);
	lu_buf_clear(&k->markup);
	bad = lu_wiki_decode_xml(page.title, &k->title);
	more_bad = page.text.p ? lu_wiki_decode_xml(page.text, &k->markup) : 0;
	if (lu_buf_check(&k->title, err) < 0 || lu_buf_check(&k->markup, err) < 0)
		return -1;
	if (named)
		e->name = first_id(bytes);
	e->title = lu_buf_slice(&k->title);
	if (bad < 0 || more_bad < 0) {
		damaged(k, e, "a reference that XML does not know", e->title);
		return 0;
	}
	e->drop = unwanted(k, &page);
	if (!e->drop && k->markup.n > LU_WIKI_PAGE_MAX)
		e->drop = "markup out of bounds";
	if (e->drop)
		return 0;
	k->text.title = e->title;
	if (lu_wikitext(&k->text, lu_buf_slice(&k->markup), err) < 0)
		return -1;
	e->bytes = lu_buf_slice(&k->text.text);
	if (e->bytes.n == 0) {
		e->drop = "no text";
		return 0;
	}
	lu_buf_clear(&k->url);
	lu_buf_clear(&k->more);
	lu_wiki_url(&k->site, e->title, &k->url);
	put_more(k, &page);
	e->charset_errors = (uint64_t)(bad + more_bad);
	if (k->url.n)
		e->url = lu_buf_slice(&k->url);
	if (k->site.lang[0])
		e->lang = lu_str_of(k->site.lang);
	e->date = page.timestamp;
	e->more = lu_buf_slice(&k->more);
	e->missing = lu_buf_slice(&k->text.names);
	e->holes = k->text.count.holes;
	e->references = k->text.count.references;
	if (lu_buf_check(&k->url, err) < 0)
		return -1;
	return lu_buf_check(&k->more, err);
}

static int convert_record(struct work *k, char kind, uint64_t size, struct lu_str bytes,
		lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	struct lu_entry e = { .content = LU_ENTRY_TEXT, .size = size };

	/* A page of no number of its own has that of its place. */
	lu_buf_clear(&k->name);
	lu_buf_printf(&k->name, "page-%" PRIu64, k->number);
	e.name = lu_buf_slice(&k->name);
	if (size > k->o->limit)
		kind = KIND_LONG;
	if (kind == KIND_LONG)
		e.drop = "too large";
	else if (kind == KIND_CUT)
		damaged(k, &e,
				bytes.n ? "another page begins inside it"
					: "its beginning is missing",
				title_of(bytes));
	else if (convert_page(k, bytes, kind == KIND_NAMED, &e, err) < 0)
		return -1;
	if (lu_buf_check(&k->name, err) < 0 || lu_buf_check(&k->detail, err) < 0)
		return -1;
	k->number++;
	return emit(ctx, &e, err);
}

static int convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	static const struct lu_wiki_options articles = { .references = false };
	struct work k = { .o = o };
	size_t at = 16, head = (size_t)lu_load64(block.p + 8);
	int rc = -1;

	k.number = lu_load64(block.p);
	k.text.site = &k.site;
	k.text.options = o->wiki ? o->wiki : &articles;
	if (lu_wiki_site_read(&k.site, (struct lu_str){ block.p + at, head }, err) < 0)
		goto out;
	at += head;
	while (at < block.n) {
		char kind = block.p[at];
		uint64_t size = lu_load64(block.p + at + 1);
		size_t n = (size_t)lu_load64(block.p + at + 9);

		if (convert_record(&k, kind, size, (struct lu_str){ block.p + at + 17, n }, emit,
				    ctx, err) < 0)
			goto out;
		at += 17 + n;
	}
	rc = 0;
out:
	lu_wiki_site_release(&k.site);
	lu_wikitext_release(&k.text);
	lu_buf_release(&k.title);
	lu_buf_release(&k.markup);
	lu_buf_release(&k.name);
	lu_buf_release(&k.url);
	lu_buf_release(&k.more);
	lu_buf_release(&k.detail);
	return rc;
}

const struct lu_entries_type lu_mediawiki = {
	.name = "MediaWiki export",
	.distinct = true,
	.open = open_dump,
	.block = next_block,
	.convert = convert,
	.close = close_dump,
};
