/* Charsets: every sequence of bytes beside the standard's tables, labels, declarations, and what
 * counts when several things are named. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/charset/charset.h"
#include "libcommon/hash/md5.h"

#include "tests/unit/unit.h"

/* --- the decoders, as tests/data/make-charset-digests says ------------------------------------- */

static void two_bytes(struct lu_buf *b)
{
	for (int i = 0; i < 256; i++) {
		for (int k = 0; k < 256; k++) {
			lu_buf_putc(b, (char)i);
			lu_buf_putc(b, (char)k);
			lu_buf_putc(b, '\n');
		}
	}
}

static void three_bytes(struct lu_buf *b)
{
	for (int i = 0; i < 256; i++) {
		for (int k = 0; k < 256; k++) {
			const char bytes[] = { (char)0x8F, (char)i, (char)k, '\n' };

			lu_buf_append(b, bytes, 4);
		}
	}
}

static void four_bytes(struct lu_buf *b)
{
	static const char last[] = "\x2F\x30\x35\x39\x3A";

	for (int i = 0x81; i < 0xFF; i++) {
		for (int k = 0x30; k < 0x3B; k++) {
			for (int m = 0x80; m < 0x100; m++) {
				for (int n = 0; n < 5; n++) {
					const char bytes[] = { (char)i, (char)k, (char)m, last[n] };

					lu_buf_append(b, bytes, 4);
				}
			}
		}
	}
}

static void escapes(struct lu_buf *b)
{
	static const char *const escape[] = { "\x1B$B", "\x1B(J", "\x1B(I" };

	for (int i = 0; i < 256; i++) {
		for (int k = 0; k < 256; k += 3) {
			for (int m = 0; m < 3; m++) {
				lu_buf_puts(b, escape[m]);
				lu_buf_putc(b, (char)i);
				lu_buf_putc(b, (char)k);
			}
			lu_buf_puts(b, "\x1B(B\n");
		}
	}
}

static void units(struct lu_buf *b)
{
	static const int first[] = { 0, 65, 255 };

	for (int i = 0; i < 3; i++) {
		for (int k = 0xD6; k < 0xE2; k++) {
			for (int m = 0; m < 256; m++) {
				const char bytes[] = { (char)first[i], (char)k, (char)m, 10, 0 };

				lu_buf_append(b, bytes, 5);
			}
		}
	}
}

static const struct {
	const char *name;
	void (*make)(struct lu_buf *b);
	uint64_t errors;
	const char *md5;
} digest[] = {
	{ "Shift_JIS", two_bytes, 19324, "33c9a76414460959d2fcda611b94297e" },
	{ "EUC-JP", two_bytes, 45849, "a1d5b6fe5309b026cf47076c74d41bb3" },
	{ "EUC-JP", three_bytes, 80205, "d22df290f4cb00fff7b8b7b996a6bad8" },
	{ "EUC-KR", two_bytes, 32360, "98ec8191ccbe06ea27ce32d4127de9aa" },
	{ "Big5", two_bytes, 30814, "688787300980f5c3b4a52f5b97609c61" },
	{ "gb18030", two_bytes, 25082, "6ca4ed6e1072876e363be112a9292caf" },
	{ "gb18030", four_bytes, 964471, "6b70535c50c922dd7ac4c05c27528da3" },
	{ "ISO-2022-JP", escapes, 89572, "7a3a2adc1defed9f5c253e2b64e2bc81" },
	{ "UTF-16LE", units, 3216, "ee91110bf4df636e604d2c87581bef1c" },
	{ "UTF-16BE", units, 3216, "2c318a3e5bfe6a1c25a195dbf4e1309e" },
	{ "IBM866", two_bytes, 0, "9eb257e6d418edcd53faba28ae44cf99" },
	{ "ISO-8859-2", two_bytes, 0, "c891bb27bce78c27b5781d9e5669c861" },
	{ "ISO-8859-3", two_bytes, 3584, "d73654904fb483a15f7ca4bee4294036" },
	{ "ISO-8859-4", two_bytes, 0, "9e6b09705af7e7d6add565229d3bdb34" },
	{ "ISO-8859-5", two_bytes, 0, "9e52281483de03cec750488b1e98f073" },
	{ "ISO-8859-6", two_bytes, 23040, "d9840ed3c724a555226c44539b7d0f9a" },
	{ "ISO-8859-7", two_bytes, 1536, "14fd3a4f4ad1389f382e1b8a514e0238" },
	{ "ISO-8859-8", two_bytes, 18432, "961cba028b04757b2d797b3c7b21ecae" },
	{ "ISO-8859-8-I", two_bytes, 18432, "961cba028b04757b2d797b3c7b21ecae" },
	{ "ISO-8859-10", two_bytes, 0, "53b0afb78ee0fda4da14b43efbace88c" },
	{ "ISO-8859-13", two_bytes, 0, "57bd88e0001830b839f2774befc78f5d" },
	{ "ISO-8859-14", two_bytes, 0, "5d203a64f2040527d4987261b653d83c" },
	{ "ISO-8859-15", two_bytes, 0, "0755a069b76141eb8ab88bb0d164e5bb" },
	{ "ISO-8859-16", two_bytes, 0, "3722dbd54f1867aec725411f28f0019d" },
	{ "KOI8-R", two_bytes, 0, "78ea8fe753df1d74759df0ebb74563e0" },
	{ "KOI8-U", two_bytes, 0, "4a91cc137dd4d2985f77626d8b4d6f2f" },
	{ "macintosh", two_bytes, 0, "f3e1190e52de1561c8dd7a8351a06a1c" },
	{ "windows-874", two_bytes, 4096, "0b9e71edc0e6a0d327c59c57889ad9be" },
	{ "windows-1250", two_bytes, 0, "2b4ceb0e001792f7adef866b2a691079" },
	{ "windows-1251", two_bytes, 0, "122deab3aebf05e0c25c42e9ade6773a" },
	{ "windows-1252", two_bytes, 0, "628d253bb7b356bc7befabed23ac6fe9" },
	{ "windows-1253", two_bytes, 1536, "3b9ebcac4b7609c05eeb3392f76f7bdb" },
	{ "windows-1254", two_bytes, 0, "d1c7817c95ded5e289ed8b9c87397187" },
	{ "windows-1255", two_bytes, 5120, "ba948f9b37ad150f73cc290d8ce3c461" },
	{ "windows-1256", two_bytes, 0, "57b182e670c877366c7ae6222349da07" },
	{ "windows-1257", two_bytes, 1024, "aec44a3f4b943b3cea8ea4520a2bcab0" },
	{ "windows-1258", two_bytes, 0, "dc33aee48695473d75875fc11f5b6b70" },
	{ "x-mac-cyrillic", two_bytes, 0, "9ca8b6bbdfed1599496cca04b9b17872" },
};

static void decoders(void **state)
{
	struct lu_charset_index ix = { 0 };
	struct lu_buf in = { 0 }, out = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(digest) / sizeof(digest[0]); i++) {
		enum lu_encoding e = lu_encoding_of_label(lu_str_of(digest[i].name));
		uint64_t errors = 0;
		struct lu_md5 h;
		char text[33];

		if (i == 0 || digest[i].make != digest[i - 1].make) {
			lu_buf_clear(&in);
			digest[i].make(&in);
		}
		lu_buf_clear(&out);
		if (lu_charset_decode(&ix, e, lu_buf_slice(&in), &out, &errors, &err) < 0)
			fail_msg("%s: %s", digest[i].name, err.msg);
		lu_md5_init(&h);
		lu_md5_add(&h, out.p, out.n);
		lu_md5_end(&h, text);
		if (errors != digest[i].errors || strcmp(text, digest[i].md5) != 0)
			fail_msg("%s: %lu errors, digest %s", digest[i].name, (unsigned long)errors,
					text);
	}
	lu_buf_release(&in);
	lu_buf_release(&out);
	lu_charset_index_release(&ix);
}

/* What is left at the end of the input is one error. */
static void cut_at_the_end(void **state)
{
	static const struct {
		const char *label, *in, *out;
	} cut[] = {
		{ "shift_jis", "a\x82", "a\xEF\xBF\xBD" },
		{ "euc-jp", "\x8F\xA2", "\xEF\xBF\xBD" },
		{ "euc-kr", "\xB0", "\xEF\xBF\xBD" },
		{ "big5", "\xA4\x40\xA4", "\xE4\xB8\x80\xEF\xBF\xBD" },
		{ "gb18030", "\x81\x30\x81", "\xEF\xBF\xBD" },
		{ "gb18030", "\x81\x30\x81\x30", "\xC2\x80" },
		{ "gb18030", "\x81\x30<p>",
				"\xEF\xBF\xBD"
				"0<p>" },
		{ "iso-2022-jp", "\x1B$B\x24", "\xEF\xBF\xBD" },
		{ "iso-2022-jp", "a\x1B(", "a\xEF\xBF\xBD(" },
		{ "utf-16le", "a", "\xEF\xBF\xBD" },
		{ "utf-8", "\xE2\x82", "\xEF\xBF\xBD" },
		{ "utf-8", "\xE2\x82<\xFF", "\xEF\xBF\xBD<\xEF\xBF\xBD" },
	};
	struct lu_charset_index ix = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		uint64_t errors = 0;

		lu_buf_clear(&out);
		if (lu_charset_decode(&ix, lu_encoding_of_label(lu_str_of(cut[i].label)),
				    lu_str_of(cut[i].in), &out, &errors, &err) < 0)
			fail_msg("%s", err.msg);
		if (!lu_str_is(lu_buf_slice(&out), cut[i].out))
			fail_msg("%s, case %zu: '%s'", cut[i].label, i, out.p);
	}
	lu_buf_release(&out);
	lu_charset_index_release(&ix);
}

static void labels(void **state)
{
	static const char *const label[][2] = {
		{ "x-cp1252", "windows-1252" },
		{ " \n\tISO_8859-1:1987\r\f ", "windows-1252" },
		{ "ascii", "windows-1252" },
		{ "l9", "ISO-8859-15" },
		{ "logical", "ISO-8859-8-I" },
		{ "koi", "KOI8-R" },
		{ "koi8-ru", "KOI8-U" },
		{ "x-mac-roman", "macintosh" },
		{ "x-mac-ukrainian", "x-mac-cyrillic" },
		{ "ks_c_5601-1989", "EUC-KR" },
		{ "x-gbk", "GBK" },
		{ "gb_2312", "GBK" },
		{ "x-euc-jp", "EUC-JP" },
		{ "csisolatin5", "windows-1254" },
		{ "x-cp1250", "windows-1250" },
		{ "x-cp1251", "windows-1251" },
		{ "tis-620", "windows-874" },
		{ "unicode", "UTF-16LE" },
		{ "x-unicode20utf8", "UTF-8" },
		{ "866", "IBM866" },
		{ "hz-gb-2312", "replacement" },
		{ "x-x-big5", "Big5" },
		{ "utf_8", NULL },
		{ "latin1\xC2\xA0", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(label) / sizeof(label[0]); i++) {
		enum lu_encoding e = lu_encoding_of_label(lu_str_of(label[i][0]));

		if (!label[i][1] ? e != LU_ENC_NONE
				 : e == LU_ENC_NONE ||
								strcmp(lu_encoding_name(e),
										label[i][1]) != 0)
			fail_msg("'%s'", label[i][0]);
	}
	assert_int_equal(lu_encoding_of_label((struct lu_str){ "utf-8\0", 6 }), LU_ENC_NONE);
}

/* --- declarations -------------------------------------------------------------------------------- */

static void declared(void **state)
{
	static const struct {
		const char *html;
		enum lu_encoding e;
	} page[] = {
		{ "<meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<META\n/ CharSet = 'KOI8-R' />", LU_ENC_KOI8_R },
		{ "<meta http-equiv=content-type content='text/html; charset=koi8-r'>",
				LU_ENC_KOI8_R },
		{ "<meta content='charset = \"koi8-r\"' http-equiv=Content-Type>", LU_ENC_KOI8_R },
		{ "<meta content='x;charset;charset=koi8-r;y' http-equiv=Content-Type>",
				LU_ENC_KOI8_R },
		/* The attribute counts before the content. */
		{ "<meta content='charset=big5' http-equiv=content-type charset=koi8-r>",
				LU_ENC_KOI8_R },
		{ "<meta charset=no-such><meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<!-- <meta charset=big5> --><meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<!--><meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<title>charset=big5 <meta charset=big5></title><meta charset=koi8-r>",
				LU_ENC_KOI8_R },
		{ "<script charset=big5>x = '<meta charset=big5>'</script><meta charset=koi8-r>",
				LU_ENC_KOI8_R },
		{ "<p title='<meta charset=big5>'><meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<title>never closed <meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<?xml version=\"1.0\" encoding='koi8-r'?><html>", LU_ENC_KOI8_R },
		{ "<?xml encoding='big5'?><meta charset=koi8-r>", LU_ENC_KOI8_R },
		{ "<meta charset=utf-16le>", LU_ENC_UTF_8 },
		{ "<meta charset=x-user-defined>", LU_ENC_WINDOWS_1252 },
		{ "<metacharset=koi8-r>", LU_ENC_NONE },
		{ "<meta content='text/html; charset=koi8-r'>", LU_ENC_NONE },
		{ "<meta charset=koi8-r", LU_ENC_NONE },
		{ "<meta charset='koi8-r>", LU_ENC_NONE },
		{ "<meta name='charset' value='koi8-r'>", LU_ENC_NONE },
		{ "<link charset=koi8-r><a href=?charset=koi8-r>", LU_ENC_NONE },
		{ "</ meta charset=koi8-r>", LU_ENC_NONE },
		{ "<title>charset=koi8-r</title>", LU_ENC_NONE },
		{ "<", LU_ENC_NONE },
		{ "<!--", LU_ENC_NONE },
		{ "", LU_ENC_NONE },
	};
	struct lu_buf late = { 0 };
	struct lu_str label;

	(void)state;
	for (size_t i = 0; i < sizeof(page) / sizeof(page[0]); i++) {
		if (lu_prescan_html(lu_str_of(page[i].html), &label) != page[i].e)
			fail_msg("%s", page[i].html);
	}
	/* Behind the first 1024 bytes: in the head, not in the body. */
	lu_buf_puts(&late, "<head><style>");
	for (int i = 0; i < 2000; i++)
		lu_buf_putc(&late, 'x');
	lu_buf_puts(&late, "</style><meta charset=koi8-r>");
	assert_int_equal(lu_prescan_html(lu_buf_slice(&late), &label), LU_ENC_KOI8_R);
	late.n -= strlen("<meta charset=koi8-r>");
	lu_buf_puts(&late, "</head><meta charset=koi8-r>");
	assert_int_equal(lu_prescan_html(lu_buf_slice(&late), &label), LU_ENC_NONE);
	lu_buf_release(&late);
	label = lu_charset_of_media_type(LU_STR("text/html; Charset=\"utf-8\"; x=y"));
	assert_true(lu_str_is(label, "utf-8"));
	assert_null(lu_charset_of_media_type(LU_STR("text/html")).p);
	label = lu_charset_of_man(LU_STR(".\\\" -*- coding: koi8-r -*-\n"));
	assert_true(lu_str_is(label, "koi8-r"));
}

/* --- what counts ----------------------------------------------------------------------------------- */

#define MANY                                                                                \
	"\xC3\xA9t\xC3\xA9 \xC3\xA0 \xC3\xA9t\xC3\xA9 \xC3\xA0 \xC3\xA9t\xC3\xA9 \xC3\xA0 " \
	"\xC3\xA9"

struct order {
	const char *in, *transport, *declared;
	struct lu_charset how;
	const char *out; /* NULL: refused */
	const char *name_or_reason;
	uint64_t errors;
};

static void check_order(const struct order *o, size_t n, struct lu_charset_work *w)
{
	struct lu_charset_in in = { .bytes = { o->in, n ? n : strlen(o->in) } };
	struct lu_charset_result r;
	struct lu_err err;
	int rc;

	if (o->transport)
		in.transport = lu_str_of(o->transport);
	if (o->declared)
		in.declared = lu_str_of(o->declared);
	rc = lu_charset_convert(&o->how, w, &in, &r, &err);
	if (rc < 0)
		fail_msg("%s", err.msg);
	if (rc != (o->out != NULL))
		fail_msg("'%s': %s", o->in, rc ? r.text.p : r.reason);
	if (strcmp(rc ? r.name : r.reason, o->name_or_reason) != 0 ||
			(rc && (!lu_str_is(r.text, o->out) || r.errors != o->errors)))
		fail_msg("'%s': '%.*s', %s, %lu errors", o->in, (int)r.text.n, r.text.p,
				rc ? r.name : r.reason, (unsigned long)r.errors);
}

static void what_counts(void **state)
{
	static const struct lu_charset latin = { .fallback = "latin1" };
	static const struct lu_charset strict = { .strict = true };
	const struct order order[] = {
		{ "caf\xC3\xA9", NULL, NULL, latin, "caf\xC3\xA9", "UTF-8", 0 },
		{ "caf\xE9", NULL, NULL, latin, "caf\xC3\xA9", "windows-1252", 0 },
		{ "caf\xE9", NULL, NULL, { 0 }, NULL, "not valid in its charset", 0 },
		{ "caf\xE9", "koi8-r", "latin1", latin, "caf\xD0\x98", "KOI8-R", 0 },
		{ "caf\xE9", NULL, "koi8-r", latin, "caf\xD0\x98", "KOI8-R", 0 },
		{ "caf\xE9", "no-such", "koi8-r", latin, "caf\xD0\x98", "KOI8-R", 0 },
		/* A fallback is for what is not named. */
		{ "caf\xE9 \xC3\xA9", "utf-8", NULL, latin, "caf\xEF\xBF\xBD \xC3\xA9", "UTF-8",
				1 },
		{ "caf\xE9", "utf-8", NULL, strict, NULL, "ill-formed in its charset", 0 },
		/* Valid UTF-8 under the name of single bytes, or long enough. */
		{ "caf\xC3\xA9", "latin1", NULL, { 0 }, "caf\xC3\xA9", "UTF-8", 0 },
		{ "\xC3\xA9", "gbk", NULL, { 0 }, "\xE8\x8C\x85", "GBK", 0 },
		{ MANY, "gbk", NULL, { 0 }, MANY, "UTF-8", 0 },
		{ MANY "\xFF", NULL, NULL, latin, MANY "\xEF\xBF\xBD", "UTF-8", 1 },
		{ "\xEF\xBB\xBF"
		  "caf\xE9",
				"koi8-r", NULL, { 0 }, "caf\xEF\xBF\xBD", "UTF-8", 1 },
		{ "\x1B$B$\"\x1B(B", "iso-2022-jp", NULL, { 0 }, "\xE3\x81\x82", "ISO-2022-JP", 0 },
		{ "plain", "hz-gb-2312", NULL, latin, NULL, "charset not decoded", 0 },
		{ "\x82", NULL, "cp850", { 0 }, "\xC3\xA9", "cp850", 0 },
		{ "caf\x82", NULL, NULL, { .fallback = "cp437" }, "caf\xC3\xA9", "cp437", 0 },
		{ "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
				"utf-8", NULL, { 0 }, NULL, "ill-formed in its charset", 0 },
	};
	static const struct {
		struct order o;
		size_t n;
	} wide[] = {
		{ { "\xFF\xFE"
		    "a\0\xE9\0",
				  "utf-8", NULL, { 0 }, "a\xC3\xA9", "UTF-16LE", 0 },
				6 },
		{ { "\xFE\xFF\0a\0\xE9", NULL, NULL, { 0 }, "a\xC3\xA9", "UTF-16BE", 0 }, 6 },
		{ { "\xFF\xFE\0\0a\0\0\0b\0\0\0", NULL, NULL, { 0 }, NULL, "not text", 0 }, 12 },
		{ { "a\0b\0c\0d\0", NULL, NULL, { 0 }, NULL, "not text", 0 }, 8 },
		{ { "a\0b\0c\0d\0", "utf-8", NULL, { 0 }, NULL, "not text", 0 }, 8 },
		{ { "a\0b\0c\0d\0", "utf-16", NULL, { 0 }, "abcd", "UTF-16LE", 0 }, 8 },
		{ { "a\0b\0c\0d\0", NULL, NULL, { .fallback = "utf-16" }, "abcd", "UTF-16LE", 0 },
				8 },
		{ { "a\0\0\0b\0\0\0", NULL, NULL, { .fallback = "utf-32le" }, "ab", "utf-32le", 0 },
				8 },
		{ { "a\0\0\0b\0\0\0", NULL, NULL, { .fallback = "utf-16" }, NULL, "not text", 0 },
				8 },
	};
	struct lu_charset_work w = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		check_order(&order[i], 0, &w);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		check_order(&wide[i].o, wide[i].n, &w);
	lu_charset_work_release(&w);
	assert_true(lu_charset_known("x-cp1252"));
	assert_true(lu_charset_known("utf-32"));
	assert_true(lu_charset_known("CP437"));
	assert_false(lu_charset_known("latin1//TRANSLIT"));
	assert_false(lu_charset_known("iso-2022-kr"));
	assert_false(lu_charset_known(""));
}

/* A few of each kind; tests by thousands are told of in the manual. */
static void guesses(void **state)
{
	static const struct lu_charset guess = { .guess = true };
	static const struct {
		const char *in, *name; /* NULL: refused */
		size_t n;
	} sample[] = {
		{ "d\xE9j\xE0 vu, l\x92\xE9t\xE9 \xE0 la plage", "windows-1252", 0 },
		{ "d\x8Ej\x88 vu, l\xD5\x8Et\x8E \x88 la plage", "macintosh", 0 },
		{ "d\x82j\x85 vu, l'\x82t\x82 \x85 la plage", "CP850", 0 },
		{ "c\xBDur, \xE9t\xE9, b\xBDuf", "ISO-8859-15", 0 },
		{ "\xBFQu\xE9? El ni\xF1o est\xE1 aqu\xED", "windows-1252", 0 },
		{ "Gr\xFC\xDF"
		  "e aus K\xF6ln, \x84"
		  "sch\xF6n\x93",
				"windows-1252", 0 },
		{ "\xBF"
		  "e \xB6"
		  "ci\xEAga si\xEA w\xB1"
		  "ski",
				"ISO-8859-2", 0 },
		{ "\xBF"
		  "e \x9C"
		  "ci\xEAga si\xEA w\xB9"
		  "ski",
				"windows-1250", 0 },
		{ "\xEF\xF0\xE8\xE2\xE5\xF2, \xEA\xE0\xEA \xE4\xE5\xEB\xE0", "windows-1251", 0 },
		{ "\xD0\xD2\xC9\xD7\xC5\xD4, \xCB\xC1\xCB \xC4\xC5\xCC\xC1", "KOI8-R", 0 },
		{ "\xAF\xE0\xA8\xA2\xA5\xE2, \xAA\xA0\xAA \xA4\xA5\xAB\xA0", "IBM866", 0 },
		{ "\xEA\xE1\xEB\xE7\xEC\xDD\xF1\xE1, \xF4\xE9 \xEA\xDC\xED\xE5\xE9\xF2",
				"windows-1253", 0 },
		{ "\xFE\xF6yle bir \xFE"
		  "ey, g\xFCn\xFD ge\xE7ti",
				"windows-1254", 0 },
		{ "\x93\xFA\x96{\x8C\xEA\x82\xCC\x95\xB6\x8F\xCD\x82\xC5\x82\xB7", "Shift_JIS", 0 },
		{ "\xC6\xFC\xCB\xDC\xB8\xEC\xA4\xCE\xCA\xB8\xBE\xCF\xA4\xC7\xA4\xB9", "EUC-JP", 0 },
		{ "\xD5\xE2\xCA\xC7\xD6\xD0\xB9\xFA\xB5\xC4\xCE\xC4\xD7\xD6", "GBK", 0 },
		{ "\xB3o\xACO\xA4\xA4\xB0\xEA\xAA\xBA\xA4\xE5\xA6r", "Big5", 0 },
		{ "\xC7\xD1\xB1\xB9\xBE\xEE\xB7\xCE \xC0\xFB\xC0\xBA \xB1\xDB\xC0\xCC\xB4\xD9",
				"EUC-KR", 0 },
		{ "\x1B$BF|K\\8l$NJ8\x1B(B", "ISO-2022-JP", 0 },
		{ "a\0 \0b\0\n\0", "UTF-16LE", 8 },
		{ "\0a\0 \0b\0\n", "UTF-16BE", 8 },
		/* Too little, or no text. */
		{ "x \xF8 y", NULL, 0 },
		{ "a\0\0\0b\0\0\0", NULL, 8 },
		{ "\x81\x8D\x8F\x90\x9D\xFF\xFE\x81\x8D\x01\x02", NULL, 0 },
	};
	struct lu_charset_work w = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(sample) / sizeof(sample[0]); i++) {
		struct lu_charset_in in = {
			.bytes = { sample[i].in, sample[i].n ? sample[i].n : strlen(sample[i].in) }
		};
		struct lu_charset_result r;
		int rc = lu_charset_convert(&guess, &w, &in, &r, &err);

		if (rc < 0)
			fail_msg("%s", err.msg);
		if (rc != (sample[i].name != NULL) || (rc && strcmp(r.name, sample[i].name) != 0))
			fail_msg("sample %zu: %s", i, rc ? r.name : r.reason);
	}
	lu_charset_work_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders),
		cmocka_unit_test(cut_at_the_end),
		cmocka_unit_test(labels),
		cmocka_unit_test(declared),
		cmocka_unit_test(what_counts),
		cmocka_unit_test(guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
