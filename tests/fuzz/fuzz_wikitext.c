/* Wikis: from any bytes, as a page, as a dump or as HTML, comes valid UTF-8 without control
 * characters, not much longer than they are, and every sentence names the file. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/wiki/enterprise.h"
#include "libcommon/wiki/mediawiki.h"
#include "libcommon/wiki/wikitext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct lu_str s)
{
	if (lu_utf8_valid(s.p, s.n) != s.n)
		abort();
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 32 && c != '\n' && c != '\t') || c == 127)
			abort();
	}
}

static void page(struct lu_str s, const char *lang, bool keep)
{
	struct lu_buf markup = { 0 };
	struct lu_wiki_site site = { 0 };
	struct lu_wiki_options options = { .references = keep, .sections = keep };
	struct lu_wikitext w = { .site = &site, .options = &options, .title = LU_STR("X") };
	struct lu_err err;

	memcpy(site.lang, lang, 3);
	lu_utf8_repair(&markup, s);
	if (lu_wikitext(&w, lu_buf_slice(&markup), &err) < 0)
		abort();
	check(lu_buf_slice(&w.text));
	check(lu_buf_slice(&w.names));
	if (w.text.n > (LU_WIKI_GROWTH + 2) * markup.n + (1 << 17))
		abort();
	if (w.text.n && (w.text.p[0] == '\n' || w.text.p[w.text.n - 1] != '\n'))
		abort();
	lu_wikitext_release(&w);
	lu_buf_release(&markup);
}

static int take(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	(void)ctx, (void)err;
	if (!e->name.n || (e->bad && !e->drop))
		abort();
	if (!e->drop && e->content == LU_ENTRY_TEXT)
		check(e->bytes);
	return 0;
}

static void dump(const struct lu_entries_type *type, struct lu_str s)
{
	struct lu_entries_options o = { .limit = 1 << 12 };
	struct lu_str left = s;
	struct lu_buf block = { 0 };
	struct lu_err err;
	struct lu_feed *f;
	void *state;
	int rc;

	if (lu_feed_open_str(&f, "fuzz", &left, &err) < 0)
		return;
	if (type->open(&state, f, NULL, "/tmp", &o, &err) < 0)
		abort();
	while ((rc = type->block(state, &block, &err)) > 0) {
		if (type->convert(&o, lu_buf_slice(&block), take, NULL, &err) < 0)
			abort();
	}
	if (rc < 0 && strncmp(err.msg, "fuzz: ", 6) != 0)
		abort();
	type->close(state);
	lu_feed_close(f);
	lu_buf_release(&block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str s = { (const char *)data + 1, size - 1 };
	struct lu_buf out = { 0 };

	if (size == 0)
		return 0;
	switch (data[0] % 8) {
	case 0: dump(&lu_mediawiki, s); break;
	case 1: dump(&lu_enterprise, s); break;
	case 2: lu_parsoid_strip(s, NULL, &out); break;
	case 3: page(s, "en", data[0] & 8); break;
	case 4: page(s, "zh", data[0] & 8); break;
	default: page(s, "fr", data[0] & 8); break;
	}
	if (out.n > 2 * size)
		abort();
	lu_buf_release(&out);
	return 0;
}
