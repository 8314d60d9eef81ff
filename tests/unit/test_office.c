/* Documents of office programs, made here part by part; those of real programs are in
 * tests/cases/lucie-import. */
#include "tests/unit/unit.h"

#include <archive.h>
#include <archive_entry.h>

#include "libcommon/office/docx.h"
#include "libcommon/office/epub.h"
#include "libcommon/office/odt.h"
#include "libcommon/office/office_magic.h"
#include "libcommon/office/xhtml.h"

#define LIMIT ((uint64_t)1 << 20)

#define TYPES(part, type)                                                              \
	"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>" \
	"<Override PartName='/" part "' ContentType='application/" type "'/>"          \
	"<Override PartName='/word/footnotes.xml' ContentType='application/vnd."       \
	"openxmlformats-officedocument.wordprocessingml.footnotes+xml'/></Types>"
#define WORD_TYPE "vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
#define W                                                                        \
	"xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'" \
	" xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"
#define P(runs) "<w:p>" runs "</w:p>"
#define T(text) "<w:r><w:t xml:space='preserve'>" text "</w:t></w:r>"

struct part {
	const char *name, *content;
};

/* A zip archive of the parts, up to one without a name. */
static struct lu_buf zip(const struct part *parts)
{
	struct lu_buf out = { 0 };
	struct archive *a = archive_write_new();
	const size_t room = (size_t)1 << 20;
	size_t used = 0;

	assert_true(lu_buf_reserve(&out, room));
	assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, out.p, room, &used), ARCHIVE_OK);
	for (; parts->name; parts++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, parts->name);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_size(e, (la_int64_t)strlen(parts->content));
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, parts->content, strlen(parts->content)),
				(int)strlen(parts->content));
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	out.n = used;
	return out;
}

typedef int reader(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err);

/* Read; the text, or the reason between exclamation marks. */
static void check(reader *read, struct lu_str bytes, bool whole, const char *want)
{
	struct lu_office o = { 0 };
	const char *reason = "?";
	struct lu_buf got = { 0 };
	struct lu_err err;
	int rc = read(bytes, whole, LIMIT, &o, &reason, &err);

	assert_true(rc >= 0);
	if (rc > 0)
		lu_buf_printf(&got, "!%s!", reason);
	else
		lu_buf_str(&got, lu_buf_slice(&o.text));
	assert_string_equal(got.p ? got.p : "", want);
	if (rc > 0)
		assert_int_equal(o.text.n + o.title.n + o.more.n, 0);
	lu_buf_release(&got);
	lu_office_release(&o);
}

static void check_word(const char *document, const char *notes, const char *want)
{
	struct lu_buf z = zip((struct part[]){
			{ "[Content_Types].xml", TYPES("word/document2.xml", WORD_TYPE) },
			{ "word/document2.xml", document }, { "word/footnotes.xml", notes },
			{ NULL, NULL } });

	assert_true(lu_is_docx(lu_buf_slice(&z)));
	check(lu_docx_text, lu_buf_slice(&z), false, want);
	lu_buf_release(&z);
}

static void test_word(void **state)
{
	const char *notes = "<w:footnotes " W "><w:footnote w:id='-1' w:type='separator'>" P(T(
			"---")) "</w:footnote>"
				"<w:footnote w:id='4'>" P(T(
						"four")) "</w:footnote>"
							 "<w:footnote w:id='2'>" P(T("two")) P(T(
									 "more")) "</"
										  "w:"
										  "footnote><"
										  "w:"
										  "footnote "
										  "w:id='7'"
										  ">" P(T("un"
											  "us"
											  "e"
											  "d")) "</"
												"w:"
												"fo"
												"ot"
												"no"
												"te"
												">"
												"</"
												"w:"
												"fo"
												"ot"
												"no"
												"te"
												"s"
												">";

	(void)state;
	check_word("<w:document " W "/>", notes, "");
	/* Notes are numbered by their references, and the same note has one number. */
	check_word("<w:document " W
		   "><w:body>" P(T("a") "<w:r><w:footnoteReference w:id='4'/></w:r>" T(
				   "b") "<w:r><w:footnoteReference w:id='2'/>"
					"<w:footnoteReference w:id='4'/>"
					"<w:footnoteReference w:id='9'/></w:r>") "</w:body></"
										 "w:document>",
			notes, "a[1]b[2][1]\n\n[1] four\n\n[2] two\n\nmore\n");
	/* Elements that are left out end where they end. */
	check_word("<w:document " W
		   ">" P("<w:del><w:r><w:p><w:t>x</w:t></w:p></w:r></w:del>" T("kept"))
					P("<w:r><w:rPr><w:vanish/></w:rPr><w:t>x</w:t></w:r>")
							P(T("&amp;&#x3b1;")) "</w:document>",
			notes, "kept\n\n&α\n");
	check_word("<w:document " W
		   ">" P("<m:oMath><m:f><m:num><m:r><m:t>a+1</m:t></m:r></m:num>"
			 "<m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
			 "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>n-1</m:t>"
			 "</m:r></m:sup></m:sSup></m:oMath>") "</w:document>",
			notes, "(a+1)/2x^(n-1)\n");
}

static void test_refused(void **state)
{
	struct lu_buf deep = { 0 }, z, long_text = { 0 };
	const char *notes = "<w:footnotes " W "/>";

	(void)state;
	check_word("<!DOCTYPE w:document [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
		   "<w:document " W ">" P(T("&b;")) "</w:document>",
			notes, "!markup out of bounds!");
	check_word("<!DOCTYPE w:document SYSTEM 'file:///etc/passwd'><w:document " W
		   ">" P(T("a&x;b")) "</w:document>",
			notes, "ab\n");
	check_word("<w:document " W ">" P(T("a")), notes, "!damaged!");
	for (int i = 0; i < 300; i++)
		lu_buf_puts(&deep, i ? "<w:tbl><w:tr>" : "<w:document " W ">");
	check_word(deep.p, notes, "!markup out of bounds!");
	lu_buf_puts(&long_text, "<w:document " W "><w:p><w:r><w:t>");
	for (size_t i = 0; i < LIMIT / 2; i++)
		lu_buf_puts(&long_text, "é ");
	z = zip((struct part[]){ { "[Content_Types].xml", TYPES("word/document2.xml", WORD_TYPE) },
			{ "word/document2.xml", long_text.p }, { NULL, NULL } });
	check(lu_docx_text, lu_buf_slice(&z), false, "!too large!");
	/* Cut anywhere, or with any byte changed in the data, never a success with another text. */
	for (size_t i = 0; i < z.n; i += 97)
		check(lu_docx_text, (struct lu_str){ z.p, i }, false, "!damaged!");
	lu_buf_release(&z);
	z = zip((struct part[]){
			{ "[Content_Types].xml",
					TYPES("xl/workbook.xml",
							"x.spreadsheetml.sheet.main+xml") },
			{ "xl/workbook.xml", "<a/>" }, { NULL, NULL } });
	check(lu_docx_text, lu_buf_slice(&z), false, "!not text!");
	check(lu_odt_text, lu_buf_slice(&z), false, "!not text!");
	check(lu_epub_text, lu_buf_slice(&z), false, "!damaged!");
	lu_buf_release(&z);
	check(lu_docx_text, LU_STR(""), false, "!damaged!");
	lu_buf_release(&deep);
	lu_buf_release(&long_text);
}

#define ODF                                                                \
	"xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' " \
	"xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' "     \
	"xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0' "   \
	"xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' "   \
	"xmlns:draw='urn:oasis:names:tc:opendocument:xmlns:drawing:1.0' "  \
	"office:mimetype='application/vnd.oasis.opendocument.text'"

static const char flat[] =
		"<office:document " ODF ">"
		"<office:automatic-styles><style:style style:name='H'><style:text-properties "
		"text:display='none'/>"
		"</style:style><text:list-style style:name='L'>"
		"<text:list-level-style-number text:level='1' style:num-format='1' "
		"style:num-suffix=')' "
		"text:start-value='3'/>"
		"<text:list-level-style-number text:level='2' style:num-format='a' "
		"style:num-suffix='.' "
		"text:display-levels='2'/></text:list-style></office:automatic-styles>"
		"<office:body><office:text>"
		"<text:tracked-changes><text:changed-region><text:deletion><text:p>GONE</text:p></"
		"text:deletion>"
		"</text:changed-region></text:tracked-changes>"
		"<text:p> a  b<text:s text:c='2'/>c<text:tab/>d<text:line-break/>e"
		"<office:annotation><text:p>GONE</text:p></office:annotation>"
		"<text:span text:style-name='H'>GONE</text:span></text:p>"
		"<text:list "
		"text:style-name='L'><text:list-item><text:p>x</text:p><text:list><text:list-item>"
		"<text:p>y</text:p><text:p>z</text:p></text:list-item></text:list></text:list-item>"
		"<text:list-item><text:p>w</text:p></text:list-item></text:list>"
		"<text:table-of-content><text:index-body><text:p>CONTENTS</text:p></"
		"text:index-body>"
		"</text:table-of-content>"
		"<text:p>note<text:note><text:note-citation>GONE</"
		"text:note-citation><text:note-body>"
		"<text:p>of the foot</text:p></text:note-body></text:note> here"
		"<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>.</"
		"text:p>"
		"<table:table><table:table-row><table:table-cell><text:p>1</text:p></"
		"table:table-cell>"
		"<table:table-cell/><table:table-cell><text:p>3</text:p></table:table-cell></"
		"table:table-row>"
		"</table:table></office:text></office:body></office:document>";

static void test_odt(void **state)
{
	struct lu_buf z;

	(void)state;
	assert_true(lu_is_fodt(lu_str_of(flat)));
	check(lu_odt_text, lu_str_of(flat), false,
			"a b  c\td\ne\n\n3) x\n  3.a. y\n\n    z\n\n4) w\n\nnote[1] "
			"here.\n\nbox\n\n1 "
			"|  | 3\n\n"
			"[1] of the foot\n");
	z = zip((struct part[]){ { "mimetype", "application/vnd.oasis.opendocument.text" },
			{ "content.xml", flat },
			{ "META-INF/manifest.xml",
					"<m><file-entry><encryption-data/></file-entry></m>" },
			{ NULL, NULL } });
	check(lu_odt_text, lu_buf_slice(&z), false, "!encrypted!");
	lu_buf_release(&z);
}

#define OPF                                                                                        \
	"<package "                                                                                \
	"xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata><dc:title>T</dc:title></metadata>"  \
	"<manifest><item id='a' href='a%20b.xhtml' media-type='application/xhtml+xml'/>"           \
	"<item id='n' href='../nav.xhtml' properties='nav scripted' "                              \
	"media-type='application/xhtml+xml'/>"                                                     \
	"<item id='b' href='./x/../b.xhtml#f' media-type='application/xhtml+xml'/>"                \
	"<item id='c' href='c.xhtml' media-type='application/xhtml+xml'/>"                         \
	"<item id='i' href='i.png' media-type='image/png'/></manifest>"                            \
	"<spine><itemref idref='n'/><itemref idref='a' linear='no'/><itemref idref='b'/><itemref " \
	"idref='b'/>"                                                                              \
	"<itemref idref='i'/><itemref idref='absent'/>"

static struct lu_buf book(const char *opf, const char *encryption)
{
	return zip((struct part[]){ { "mimetype", "application/epub+zip" },
			{ "META-INF/encryption.xml", encryption },
			{ "O/a b.xhtml",
					"<html><head><title/></head><body><p>A</p></body></html>" },
			{ "O/b.xhtml", "<html><nav>B</nav></html>" },
			{ "nav.xhtml", "<html>NAV</html>" }, { "O/p.opf", opf },
			{ "META-INF/container.xml",
					"<container><rootfile full-path='O/p.opf' "
					"media-type='application/oebps-package+xml'/></"
					"container>" },
			{ NULL, NULL } });
}

static void test_epub(void **state)
{
	static const char *const method[] = { "http://www.idpf.org/2008/embedding",
		"http://x/aes" };
	struct lu_office o = { 0 };
	struct lu_buf z, e = { 0 };
	const char *reason;
	struct lu_err err;

	(void)state;
	z = book(OPF "</spine></package>", "<encryption/>");
	check(lu_epub_text, lu_buf_slice(&z), false, "B\n\nA\n");
	check(lu_epub_text, lu_buf_slice(&z), true, "NAV\n\nB\n\nA\n");
	lu_buf_release(&z);
	/* A page that is missing is told. */
	z = book(OPF "<itemref idref='c'/></spine></package>", "<encryption/>");
	assert_int_equal(lu_epub_text(lu_buf_slice(&z), false, LIMIT, &o, &reason, &err), 0);
	assert_true(o.cut);
	assert_string_equal(o.more.p, "\"chapters\":[0,3]");
	lu_office_release(&o);
	lu_buf_release(&z);
	for (int i = 0; i < 2; i++) {
		lu_buf_clear(&e);
		lu_buf_printf(&e,
				"<encryption><EncryptedData><EncryptionMethod "
				"Algorithm='%s'/><CipherData>"
				"<CipherReference "
				"URI='O/b.xhtml'/></CipherData></EncryptedData></encryption>",
				method[i]);
		z = book(OPF "</spine></package>", e.p);
		check(lu_epub_text, lu_buf_slice(&z), false, i ? "!encrypted!" : "B\n\nA\n");
		lu_buf_release(&z);
	}
	lu_buf_release(&e);
}

static void test_xhtml(void **state)
{
	static const char *const pairs[][2] = {
		{ "<a id=\"x>/\"/>b<br/>", "<a id=\"x>/\"></a>b<br/>" },
		{ "<![CDATA[a<b&]]>c", "a&lt;b&amp;c" },
		{ "<![CDATA[a", "a" },
		{ "<!-- <p/> --><?xml x?>1 < 2", "1 < 2" },
		{ "<svg:path d='/'/ ><p/", "<svg:path d='/'/ ><p/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct lu_buf out = { 0 };

		lu_xhtml_to_html(lu_str_of(pairs[i][0]), &out);
		assert_string_equal(out.p, pairs[i][1]);
		lu_buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_odt),
		cmocka_unit_test(test_epub),
		cmocka_unit_test(test_xhtml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
