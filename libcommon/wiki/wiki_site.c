#include "libcommon/wiki/wiki_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/lang_code.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Names that a dump does not tell: the English ones, valid in every wiki, and older names of files
 * and categories by which pages still call them. Folded.
 */
static const struct {
	const char *name;
	int32_t key;
} known_spaces[] = {
	{ "", 0 },
	{ "talk", 1 },
	{ "user", 2 },
	{ "user talk", 3 },
	{ "project", 4 },
	{ "project talk", 5 },
	{ "file", LU_WIKI_FILE },
	{ "file talk", 7 },
	{ "image", LU_WIKI_FILE },
	{ "mediawiki", 8 },
	{ "mediawiki talk", 9 },
	{ "template", LU_WIKI_TEMPLATE },
	{ "template talk", 11 },
	{ "help", 12 },
	{ "help talk", 13 },
	{ "category", LU_WIKI_CATEGORY },
	{ "category talk", 15 },
	{ "media", LU_WIKI_MEDIA },
	{ "special", -1 },
	{ "module", 828 },
	{ "module talk", 829 },
	{ "fichier", LU_WIKI_FILE },
	{ "catégorie", LU_WIKI_CATEGORY },
	{ "bild", LU_WIKI_FILE },
	{ "datei", LU_WIKI_FILE },
	{ "kategorie", LU_WIKI_CATEGORY },
	{ "imagen", LU_WIKI_FILE },
	{ "archivo", LU_WIKI_FILE },
	{ "categoría", LU_WIKI_CATEGORY },
	{ "immagine", LU_WIKI_FILE },
	{ "categoria", LU_WIKI_CATEGORY },
	{ "imagem", LU_WIKI_FILE },
	{ "ficheiro", LU_WIKI_FILE },
	{ "arquivo", LU_WIKI_FILE },
	{ "afbeelding", LU_WIKI_FILE },
	{ "bestand", LU_WIKI_FILE },
	{ "categorie", LU_WIKI_CATEGORY },
	{ "plik", LU_WIKI_FILE },
	{ "grafika", LU_WIKI_FILE },
	{ "fitxer", LU_WIKI_FILE },
	{ "imatge", LU_WIKI_FILE },
	{ "fichièr", LU_WIKI_FILE },
	{ "imatge", LU_WIKI_FILE },
	{ "restr", LU_WIKI_FILE },
	{ "skeudenn", LU_WIKI_FILE },
	{ "fitxategi", LU_WIKI_FILE },
	{ "irudi", LU_WIKI_FILE },
	{ "файл", LU_WIKI_FILE },
	{ "изображение", LU_WIKI_FILE },
	{ "категория", LU_WIKI_CATEGORY },
	{ "αρχείο", LU_WIKI_FILE },
	{ "εικόνα", LU_WIKI_FILE },
	{ "κατηγορία", LU_WIKI_CATEGORY },
};

/*
 * Codes of wikis that are no two letters, as links to other languages have them; of two letters all
 * are taken for languages except the ones below, which are other wikis.
 */
static const char *const long_codes[] = { "ace", "als", "alt", "ami", "ang", "arc", "ary", "arz",
	"ast", "atj", "avk", "awa", "azb", "ban", "bar", "bat-smg", "bcl", "be-tarask", "be-x-old",
	"bjn", "bpy", "bug", "bxr", "cbk-zam", "cdo", "ceb", "cho", "chr", "chy", "ckb", "crh",
	"csb", "dag", "diq", "dsb", "dty", "eml", "ext", "fiu-vro", "frp", "frr", "fur", "gag",
	"gan", "gcr", "glk", "gom", "gor", "got", "guw", "hak", "haw", "hif", "hsb", "hyw", "ilo",
	"inh", "jam", "jbo", "kaa", "kab", "kbd", "kbp", "koi", "krc", "ksh", "lad", "lbe", "lez",
	"lfn", "lij", "lld", "lmo", "ltg", "mad", "mai", "map-bms", "mdf", "mhr", "min", "mni",
	"mnw", "mrj", "mwl", "myv", "mzn", "nah", "nap", "nds", "nds-nl", "new", "nov", "nqo",
	"nrm", "nso", "olo", "pag", "pam", "pap", "pcd", "pdc", "pfl", "pih", "pms", "pnb", "pnt",
	"roa-rup", "roa-tara", "rmy", "rue", "sah", "sat", "scn", "sco", "shi", "shn", "simple",
	"skr", "smn", "srn", "stq", "szl", "szy", "tay", "tcy", "tet", "tpi", "trv", "tum", "tyv",
	"udm", "vec", "vep", "vls", "vro", "war", "wuu", "xal", "xmf", "zea", "zh-classical",
	"zh-min-nan", "zh-yue" };
static const char *const not_languages[] = { "mw", "wm", "wp" };

/* Headings of sections without running text, folded. */
static const char *const apparatus[] = {
	/* French */
	"annexes",
	"articles connexes",
	"bibliographie",
	"liens externes",
	"lien externe",
	"notes",
	"notes et références",
	"références",
	"sources",
	"voir aussi",
	"notes et sources",
	"références et notes",
	"bibliographie et sources",
	"sources et bibliographie",
	"pour approfondir",
	"article connexe",
	"notes, sources et références",
	"galerie",
	"sources et références",
	"références et liens externes",
	"liens internes",
	"galeries",
	"liens et documents externes",
	/* English */
	"bibliography",
	"citations",
	"external link",
	"external links",
	"further reading",
	"footnotes",
	"gallery",
	"notes and references",
	"references",
	"references and notes",
	"see also",
	"sources and references",
	"works cited",
	"general references",
	"explanatory notes",
	/* German, Spanish, Italian, Portuguese, Dutch, Catalan */
	"anmerkungen",
	"einzelnachweise",
	"literatur",
	"siehe auch",
	"weblinks",
	"quellen",
	"bibliografía",
	"enlaces externos",
	"notas",
	"referencias",
	"véase también",
	"altri progetti",
	"bibliografia",
	"collegamenti esterni",
	"note",
	"voci correlate",
	"bibliografia",
	"ligações externas",
	"referências",
	"ver também",
	"bronnen",
	"externe links",
	"literatuur",
	"noten",
	"referenties",
	"zie ook",
	"enllaços externs",
	"referències",
	"vegeu també",
};

/* Lower case of the two-byte characters: Latin-1, Latin Extended-A, Greek and Cyrillic capitals. */
static uint32_t lower(uint32_t c)
{
	if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) ||
			(c >= 0x410 && c <= 0x42F))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40F)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	return c;
}

/* The folded form is at most as long as s: no character has a longer lower case here. Returns its length. */
static size_t fold(struct lu_str s, char *to)
{
	const char *p = s.p, *end = s.p + s.n;
	bool blank = false;
	size_t at = 0;

	while (p < end) {
		unsigned char c = (unsigned char)*p;
		size_t n = lu_utf8_seq(p, (size_t)(end - p));
		char utf8[4];

		if (c <= ' ' || c == '_' || c == 127 ||
				(c == 0xC2 && n == 2 && (unsigned char)p[1] == 0xA0)) {
			blank = at > 0;
			p += n ? n : 1;
			continue;
		}
		if (blank)
			to[at++] = ' ';
		blank = false;
		if (n == 2) {
			uint32_t l = lower(lu_utf8_next(&p));

			n = lu_utf8_put(l, utf8);
			memcpy(to + at, utf8, n);
		} else {
			n = n ? n : 1;
			memcpy(to + at, p, n);
			if (c >= 'A' && c <= 'Z')
				to[at] = (char)(c | 32);
			p += n;
		}
		at += n;
	}
	return at;
}

void lu_wiki_fold(struct lu_str s, struct lu_buf *out)
{
	if (s.n && lu_buf_reserve(out, s.n)) {
		out->n += fold(s, out->p + out->n);
		out->p[out->n] = '\0';
	}
}

/* The folded name in a small array; false if it is longer. */
static bool fold_short(struct lu_str s, char *to, size_t size)
{
	if (s.n >= size)
		return false;
	to[s.n ? fold(s, to) : 0] = '\0';
	return true;
}

int32_t lu_wiki_space_of(const struct lu_wiki_site *s, struct lu_str prefix)
{
	char name[64];

	if (!fold_short(prefix, name, sizeof(name)) || !*name)
		return LU_WIKI_NO_SPACE;
	for (size_t i = 0; i < s->spaces.n; i++) {
		const struct lu_wiki_space *space = &s->spaces.p[i];

		if (lu_str_is((struct lu_str){ s->store.p + space->at, space->n }, name))
			return space->key;
	}
	for (size_t i = 0; i < COUNT(known_spaces); i++) {
		if (strcmp(known_spaces[i].name, name) == 0)
			return known_spaces[i].key;
	}
	return LU_WIKI_NO_SPACE;
}

bool lu_wiki_is_language(struct lu_str p)
{
	if (p.n == 2) {
		for (size_t i = 0; i < COUNT(not_languages); i++) {
			if (lu_str_is(p, not_languages[i]))
				return false;
		}
		return p.p[0] >= 'a' && p.p[0] <= 'z' && p.p[1] >= 'a' && p.p[1] <= 'z';
	}
	for (size_t i = 0; i < COUNT(long_codes); i++) {
		if (lu_str_is(p, long_codes[i]))
			return true;
	}
	return false;
}

bool lu_wiki_is_apparatus(struct lu_str heading)
{
	char name[64];

	if (!fold_short(heading, name, sizeof(name)))
		return false;
	for (size_t i = 0; i < COUNT(apparatus); i++) {
		if (strcmp(apparatus[i], name) == 0)
			return true;
	}
	return false;
}

bool lu_wiki_has_variants(const struct lu_wiki_site *s)
{
	static const char *const langs[] = { "ban", "crh", "gan", "iu", "kk", "ku", "shi", "sh",
		"sr", "tg", "tly", "uz", "wuu", "zgh", "zh" };
	size_t n = strcspn(s->lang, "-");

	for (size_t i = 0; i < COUNT(langs); i++) {
		if (strlen(langs[i]) == n && strncmp(langs[i], s->lang, n) == 0)
			return true;
	}
	return false;
}

/* What wikis do not escape in addresses, besides letters and digits. */
#define PLAIN_IN_URL "-_.;@$!*(),/~:"

void lu_wiki_url(const struct lu_wiki_site *s, struct lu_str title, struct lu_buf *out)
{
	if (s->base.n == 0)
		return;
	lu_buf_str(out, lu_buf_slice(&s->base));
	for (size_t i = 0; i < title.n; i++) {
		unsigned char c = (unsigned char)title.p[i];

		if (c == ' ')
			lu_buf_putc(out, '_');
		else if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
				(c && strchr(PLAIN_IN_URL, c)))
			lu_buf_putc(out, (char)c);
		else
			lu_buf_printf(out, "%%%02X", c);
	}
}

static bool is_xml_character(uint32_t c)
{
	return c == '\t' || c == '\n' || (c >= 32 && c < 0xD800) || (c >= 0xE000 && c < 0xFFFE) ||
			(c >= 0x10000 && c <= 0x10FFFF);
}

/* A reference at p: its length, and its character; 0: none that XML knows. */
static size_t reference(const char *p, const char *end, uint32_t *c)
{
	static const struct {
		const char *name;
		char c;
	} named[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' },
		{ "&apos;", '\'' } };
	const char *q = p + 2;
	bool hex;
	uint32_t v = 0;

	for (size_t i = 0; i < COUNT(named); i++) {
		size_t n = strlen(named[i].name);

		if ((size_t)(end - p) >= n && memcmp(p, named[i].name, n) == 0) {
			*c = (unsigned char)named[i].c;
			return n;
		}
	}
	if (end - p < 4 || p[1] != '#')
		return 0;
	hex = *q == 'x';
	q += hex;
	for (; q < end && q - p < 12 && *q != ';'; q++) {
		unsigned d = *q >= '0' && *q <= '9' ? (unsigned)(*q - '0')
				: hex && (*q | 32) >= 'a' && (*q | 32) <= 'f'
				? (unsigned)((*q | 32) - 'a' + 10)
				: 99;

		if (d == 99)
			return 0;
		v = v * (hex ? 16 : 10) + d;
		if (v > 0x10FFFF)
			v = 0x110000;
	}
	*c = v;
	return q < end && *q == ';' && q > p + 2 + hex ? (size_t)(q + 1 - p) : 0;
}

int64_t lu_wiki_decode_xml(struct lu_str s, struct lu_buf *out)
{
	const char *p = s.n ? s.p : "", *end = p + s.n;
	int64_t bad = 0;

	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		size_t from = out->n, n = (size_t)((amp ? amp : end) - p);
		uint32_t c;
		char utf8[4];

		if (lu_utf8_valid(p, n) == n)
			lu_buf_append(out, p, n);
		else
			bad += (int64_t)lu_utf8_repair(out, (struct lu_str){ p, n });
		for (size_t i = from; i < out->n; i++) {
			unsigned char b = (unsigned char)out->p[i];

			/* XML has none; the converter passes over them. */
			bad += b < 32 && b != '\t' && b != '\n' && b != '\r';
		}
		if (!amp)
			break;
		n = reference(amp, end, &c);
		if (n == 0)
			return -1;
		if (!is_xml_character(c)) {
			c = 0xFFFD;
			bad++;
		}
		lu_buf_append(out, utf8, lu_utf8_put(c, utf8));
		p = amp + n;
	}
	return bad;
}

/* The content of the first <name ...>...</name>; .p NULL: there is none. */
static struct lu_str element(struct lu_str s, const char *open, const char *close)
{
	const char *end = s.p + s.n;
	const char *p = lu_str_find(s.p, end, lu_str_of(open)), *to;

	if (!p)
		return (struct lu_str){ NULL, 0 };
	p += strlen(open);
	to = lu_str_find(p, end, lu_str_of(close));
	return to ? (struct lu_str){ p, (size_t)(to - p) } : (struct lu_str){ NULL, 0 };
}

/* Append a decoded name to the store, and note it. */
static int add_space(struct lu_wiki_site *s, int32_t key, struct lu_str raw, struct lu_buf *scratch,
		struct lu_err *err)
{
	size_t from = s->store.n;

	lu_buf_clear(scratch);
	if (lu_wiki_decode_xml(raw, scratch) < 0)
		return 0;
	lu_wiki_fold(lu_buf_slice(scratch), &s->store);
	if (lu_buf_check(scratch, err) < 0 || lu_buf_check(&s->store, err) < 0)
		return -1;
	if (s->store.n == from)
		return 0;
	if (!lu_vec_push(&s->spaces, (struct lu_wiki_space){ key, from, s->store.n - from }))
		return lu_err_nomem(err);
	return 0;
}

/* <namespace key="6" case="first-letter">Fichier</namespace> */
static int read_spaces(struct lu_wiki_site *s, struct lu_str list, struct lu_err *err)
{
	struct lu_buf scratch = { 0 };
	const char *p = list.n ? list.p : "", *end = p + list.n;
	int rc = -1;

	while ((p = lu_str_find(p, end, LU_STR("<namespace "))) != NULL) {
		const char *gt = memchr(p, '>', (size_t)(end - p));
		const char *lt = gt ? memchr(gt, '<', (size_t)(end - gt)) : NULL;
		struct lu_str tag;
		const char *key;

		if (!lt)
			break;
		tag = (struct lu_str){ p, (size_t)(gt - p) };
		key = lu_str_find(p, gt, LU_STR("key=\""));
		p = lt;
		if (!key || gt - key > 200 || tag.p[tag.n - 1] == '/')
			continue;
		if (add_space(s, (int32_t)strtol(key + 5, NULL, 10),
				    (struct lu_str){ gt + 1, (size_t)(lt - gt - 1) }, &scratch,
				    err) < 0)
			goto out;
	}
	rc = 0;
out:
	lu_buf_release(&scratch);
	return rc;
}

static void copy_short(struct lu_str s, char *to, size_t size)
{
	if (s.p && s.n < size &&
			lu_str_only(s,
					"abcdefghijklmnopqrstuvwxyz0123456789-_"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
		memcpy(to, s.p, s.n);
		to[s.n] = '\0';
	}
}

/* "frwiki" and "be_x_oldwiki" by themselves say the language. */
static void lang_of_dbname(struct lu_wiki_site *s)
{
	static const char *const projects[] = { "wiki", "wikibooks", "wikinews", "wikiquote",
		"wikisource", "wikiversity", "wikivoyage", "wiktionary" };
	size_t n = strlen(s->dbname);

	for (size_t i = 0; i < COUNT(projects); i++) {
		size_t m = strlen(projects[i]);

		if (n > m && n - m < sizeof(s->lang) &&
				strcmp(s->dbname + n - m, projects[i]) == 0) {
			memcpy(s->lang, s->dbname, n - m);
			s->lang[n - m] = '\0';
			for (char *p = s->lang; *p; p++)
				*p = *p == '_' ? '-' : *p;
			return;
		}
	}
}

static int read_base(struct lu_wiki_site *s, struct lu_str base, struct lu_err *err)
{
	const char *title;
	struct lu_buf *b = &s->base;

	lu_buf_clear(b);
	if (!base.p || lu_wiki_decode_xml(base, b) < 0) {
		lu_buf_clear(b);
		return lu_buf_check(b, err);
	}
	if (lu_buf_check(b, err) < 0)
		return -1;
	title = b->n ? lu_str_find(b->p, b->p + b->n, LU_STR("title=")) : NULL;
	if (title) {
		b->n = (size_t)(title - b->p) + strlen("title=");
	} else {
		while (b->n && b->p[b->n - 1] != '/')
			b->n--;
	}
	if (!(b->n > 8 && memcmp(b->p, "http", 4) == 0))
		b->n = 0;
	return 0;
}

int lu_wiki_site_read(struct lu_wiki_site *s, struct lu_str head, struct lu_err *err)
{
	struct lu_str root = element(head, "<mediawiki", ">");
	struct lu_str info = element(head, "<siteinfo>", "</siteinfo>");
	struct lu_err unknown;

	s->lang[0] = s->dbname[0] = '\0';
	lu_buf_clear(&s->base);
	lu_buf_clear(&s->name);
	lu_buf_clear(&s->store);
	s->spaces.n = 0;
	if (root.p)
		copy_short(element(root, "xml:lang=\"", "\""), s->lang, sizeof(s->lang));
	if (!info.p)
		return 0;
	copy_short(element(info, "<dbname>", "</dbname>"), s->dbname, sizeof(s->dbname));
	if (!s->lang[0])
		lang_of_dbname(s);
	if (s->lang[0] && lu_lang_code_check(s->lang, &unknown) < 0)
		s->lang[0] = '\0';
	if (lu_wiki_decode_xml(element(info, "<sitename>", "</sitename>"), &s->name) < 0)
		lu_buf_clear(&s->name);
	if (read_base(s, element(info, "<base>", "</base>"), err) < 0)
		return -1;
	return read_spaces(s, element(info, "<namespaces>", "</namespaces>"), err);
}

void lu_wiki_site_release(struct lu_wiki_site *s)
{
	lu_buf_release(&s->base);
	lu_buf_release(&s->name);
	lu_buf_release(&s->store);
	lu_vec_release(&s->spaces);
}

int lu_wiki_spaces_parse(const char *list, struct lu_wiki_spaces *spaces, struct lu_err *err)
{
	static const struct lu_wiki_site none = { .lang = "" };
	const char *p = list;

	spaces->n = 0;
	for (;;) {
		size_t n = strcspn(p, ",");
		char word[32] = "";
		int64_t number;
		int32_t key;
		struct lu_err unused;

		if (n < sizeof(word)) {
			memcpy(word, p, n);
			word[n] = '\0';
		}
		if (*word && lu_num_i64(word, &number, &unused) == 0 && number >= -2 &&
				number < 100000)
			key = (int32_t)number;
		else
			key = lu_wiki_space_of(&none, lu_str_of(word));
		if (key == LU_WIKI_NO_SPACE)
			return lu_err_set(err,
					"'%.*s' is no namespace: give numbers, such as 0,14, or "
					"names in English",
					(int)(n > 100 ? 100 : n), p);
		if (!lu_vec_push(spaces, key))
			return lu_err_nomem(err);
		if (!p[n])
			return 0;
		p += n + 1;
	}
}
