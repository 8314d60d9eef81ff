#include "libcommon/office/opf.h"

#include "libcommon/base/num.h"

/* More items or chapters are hostile. */
#define MOST 100000

static bool is(const struct lu_xml_tag *tag, const char *name)
{
	return strcmp(tag->name, name) == 0;
}

/* True if the list of words has this one. */
static bool has_word(struct lu_str words, const char *word)
{
	size_t n = strlen(word), i = 0;

	while (i < words.n) {
		size_t from;

		while (i < words.n && words.p[i] == ' ')
			i++;
		for (from = i; i < words.n && words.p[i] != ' ';)
			i++;
		if (i - from == n && memcmp(words.p + from, word, n) == 0)
			return true;
	}
	return false;
}

/* The path in the archive of a reference from the file `base`: relative to its folder, without
 * fragment, escapes undone, "." and ".." resolved. malloc'd. */
static char *resolve(struct lu_str base, struct lu_str ref)
{
	struct lu_buf path = { 0 };
	size_t folder = base.n, i = 0;

	while (folder > 0 && base.p[folder - 1] != '/')
		folder--;
	lu_buf_append(&path, base.p, folder);
	while (i < ref.n && ref.p[i] != '#' && ref.p[i] != '?') {
		size_t from = i;

		while (i < ref.n && ref.p[i] != '/' && ref.p[i] != '#' && ref.p[i] != '?')
			i++;
		if (i - from == 2 && memcmp(ref.p + from, "..", 2) == 0) {
			path.n -= path.n > 0;
			while (path.n && path.p[path.n - 1] != '/')
				path.n--;
		} else if (!(i - from == 1 && ref.p[from] == '.')) {
			for (size_t k = from; k < i; k++) {
				int high = k + 2 < i + 0 && ref.p[k] == '%'
						? lu_hex_digit(ref.p[k + 1])
						: -1;
				int low = high >= 0 ? lu_hex_digit(ref.p[k + 2]) : -1;

				lu_buf_putc(&path, low >= 0 ? (char)(high * 16 + low) : ref.p[k]);
				k += low >= 0 ? 2 : 0;
			}
			if (i < ref.n && ref.p[i] == '/')
				lu_buf_putc(&path, '/');
		}
		i += i < ref.n && ref.p[i] == '/';
	}
	if (path.n == 0)
		lu_buf_putc(&path, '.');
	if (!lu_buf_ok(&path)) {
		lu_buf_release(&path);
		return NULL;
	}
	return path.p;
}

void lu_opf_container_start(void *opf, const struct lu_xml_tag *tag)
{
	struct lu_opf *o = opf;
	struct lu_str path = lu_xml_attribute(tag, "full-path");

	/* The first one counts; others are the same book in other forms. */
	if (is(tag, "rootfile") && path.p && o->package.n == 0 && path.n < 4096 &&
			lu_xml_has(tag, "media-type", "application/oebps-package+xml"))
		lu_buf_str(&o->package, path);
}

void lu_opf_encryption_start(void *opf, const struct lu_xml_tag *tag)
{
	struct lu_opf *o = opf;
	struct lu_str uri = lu_xml_attribute(tag, "URI");
	char *path;

	/* The two ways to scramble fonts: EPUB 3.3, 4.2.6.3.1, and Adobe's. */
	if (is(tag, "EncryptedData"))
		o->scrambled = false;
	else if (is(tag, "EncryptionMethod"))
		o->scrambled = lu_xml_has(tag, "Algorithm", "http://www.idpf.org/2008/embedding") ||
				lu_xml_has(tag, "Algorithm", "http://ns.adobe.com/pdf/enc#RC");
	if (!is(tag, "CipherReference") || !uri.p || o->scrambled || o->encrypted.n >= MOST)
		return;
	path = resolve((struct lu_str){ "", 0 }, uri);
	if (!path || !lu_vec_push(&o->encrypted, path)) {
		free(path);
		o->failed = true;
	}
}

static void add_item(struct lu_opf *o, const struct lu_xml_tag *tag)
{
	struct lu_str id = lu_xml_attribute(tag, "id"), href = lu_xml_attribute(tag, "href");
	struct lu_opf_item item = { 0 };

	if (!id.p || !href.p || o->items.n >= MOST || id.n > 4096 || href.n > 4096)
		return;
	item.page = lu_xml_has(tag, "media-type", "application/xhtml+xml") ||
			lu_xml_has(tag, "media-type", "text/html");
	item.contents = has_word(lu_xml_attribute(tag, "properties"), "nav");
	item.id = strndup(id.p, id.n);
	item.path = resolve(lu_buf_slice(&o->package), href);
	if (!item.id || !item.path || !lu_vec_push(&o->items, item)) {
		free(item.id);
		free(item.path);
		o->failed = true;
	}
}

static void add_chapter(struct lu_opf *o, const struct lu_xml_tag *tag)
{
	struct lu_str id = lu_xml_attribute(tag, "idref");
	struct lu_opf_chapter chapter = { .item = SIZE_MAX };

	if (!id.p || o->chapters.n >= MOST || id.n > 4096)
		return;
	chapter.linear = !lu_xml_has(tag, "linear", "no");
	chapter.id = strndup(id.p, id.n);
	if (!chapter.id || !lu_vec_push(&o->chapters, chapter)) {
		free(chapter.id);
		o->failed = true;
	}
}

void lu_opf_start(void *opf, const struct lu_xml_tag *tag)
{
	struct lu_opf *o = opf;
	struct lu_str href = lu_xml_attribute(tag, "href");

	if (is(tag, "metadata"))
		o->in_metadata = true;
	else if (o->in_metadata && strcmp(tag->uri, "http://purl.org/dc/elements/1.1/") == 0)
		lu_doc_meta_start(&o->meta, tag->name);
	else if (is(tag, "item"))
		add_item(o, tag);
	else if (is(tag, "itemref"))
		add_chapter(o, tag);
	else if (is(tag, "reference") && lu_xml_has(tag, "type", "toc") && href.p &&
			href.n <= 4096 && o->toc.n == 0) {
		char *path = resolve(lu_buf_slice(&o->package), href);

		if (path)
			lu_buf_puts(&o->toc, path);
		o->failed = o->failed || !path;
		free(path);
	}
}

void lu_opf_text(void *opf, struct lu_str s)
{
	struct lu_opf *o = opf;

	lu_doc_meta_text(&o->meta, s);
}

void lu_opf_end(void *opf, const char *name, const char *uri)
{
	struct lu_opf *o = opf;

	(void)uri;
	if (strcmp(name, "metadata") == 0)
		o->in_metadata = false;
	lu_doc_meta_end(&o->meta);
}

/* --- order ----------------------------------------------------------------------------------- */

static int by_item_id(const void *a, const void *b)
{
	return strcmp(((const struct lu_opf_item *)a)->id, ((const struct lu_opf_item *)b)->id);
}

static int by_linear(const void *a, const void *b)
{
	const struct lu_opf_chapter *ca = a, *cb = b;

	if (ca->linear != cb->linear)
		return ca->linear ? -1 : 1;
	return (ca->from > cb->from) - (ca->from < cb->from);
}

/* By path, then by order, so that the first of a path is found first. */
static int by_path(const void *a, const void *b)
{
	const char *const *pa = a, *const *pb = b;

	return strcmp(*pa, *pb);
}

static bool is_encrypted(const struct lu_opf *o, const char *path)
{
	return o->encrypted.n &&
			bsearch(&path, o->encrypted.p, o->encrypted.n, sizeof(*o->encrypted.p),
					by_path);
}

/* Remove the chapters that are no pages, the table of contents, and pages that came before. */
static void choose_chapters(struct lu_opf *o, bool whole, bool *taken)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->chapters.n; i++) {
		struct lu_opf_chapter c = o->chapters.p[i];
		struct lu_opf_item key = { .id = c.id }, *item;

		item = o->items.n ? bsearch(&key, o->items.p, o->items.n, sizeof(key), by_item_id)
				  : NULL;
		c.item = item ? (size_t)(item - o->items.p) : SIZE_MAX;
		if (!item || !item->page || taken[c.item] ||
				(!whole &&
						(item->contents ||
								lu_str_is(lu_buf_slice(&o->toc),
										item->path)))) {
			free(c.id);
			continue;
		}
		taken[c.item] = true;
		c.from = kept;
		o->chapters.p[kept++] = c;
	}
	o->chapters.n = kept;
	if (kept)
		qsort(o->chapters.p, kept, sizeof(*o->chapters.p), by_linear);
}

int lu_opf_ready(struct lu_opf *o, bool whole, struct lu_err *err)
{
	bool *taken = calloc(o->items.n + 1, sizeof(*taken));

	if (!taken || o->failed || !lu_buf_ok(&o->package) || !lu_buf_ok(&o->toc)) {
		free(taken);
		return lu_err_nomem(err);
	}
	if (o->items.n)
		qsort(o->items.p, o->items.n, sizeof(*o->items.p), by_item_id);
	if (o->encrypted.n)
		qsort(o->encrypted.p, o->encrypted.n, sizeof(*o->encrypted.p), by_path);
	choose_chapters(o, whole, taken);
	free(taken);
	for (size_t i = 0; i < o->chapters.n; i++) {
		if (is_encrypted(o, o->items.p[o->chapters.p[i].item].path))
			return LU_PARTS_ENCRYPTED;
	}
	return o->chapters.n ? 0 : LU_PARTS_DAMAGED;
}

struct lu_opf_chapter *lu_opf_find(struct lu_opf *o, struct lu_str path)
{
	for (size_t i = 0; i < o->chapters.n; i++) {
		struct lu_opf_chapter *c = &o->chapters.p[i];

		if (!c->found && lu_str_is(path, o->items.p[c->item].path))
			return c;
	}
	return NULL;
}

void lu_opf_release(struct lu_opf *o)
{
	for (size_t i = 0; i < o->items.n; i++) {
		free(o->items.p[i].id);
		free(o->items.p[i].path);
	}
	for (size_t i = 0; i < o->chapters.n; i++)
		free(o->chapters.p[i].id);
	for (size_t i = 0; i < o->encrypted.n; i++)
		free(o->encrypted.p[i]);
	lu_vec_release(&o->items);
	lu_vec_release(&o->chapters);
	lu_vec_release(&o->encrypted);
	lu_buf_release(&o->package);
	lu_buf_release(&o->toc);
	lu_doc_meta_release(&o->meta);
}
