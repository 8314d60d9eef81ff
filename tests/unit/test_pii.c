/* Personal data: tables of what is masked and what is not, and what must hold of any text. */
#include "libcommon/base/utf8.h"
#include "libcommon/pii/pii.h"

#include "tests/unit/unit.h"

static void mask(struct lu_str text, struct lu_pii_spans *s, struct lu_buf *out)
{
	struct lu_err err;

	assert_int_equal(lu_pii_find(text, s, &err), 0);
	lu_buf_clear(out);
	lu_pii_mask(text, s, out);
	assert_true(lu_buf_ok(out));
}

/* Lines "text\n" in, the same with masks out. */
static void check(const char *const (*line)[2], size_t n)
{
	struct lu_pii_spans s = { 0 };
	struct lu_buf got = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *want = line[i][1] ? line[i][1] : line[i][0];

		mask(lu_str_of(line[i][0]), &s, &got);
		if (!lu_str_is(lu_buf_slice(&got), want))
			fail_msg("'%s' becomes '%s', not '%s'", line[i][0], got.p, want);
	}
	lu_pii_spans_release(&s);
	lu_buf_release(&got);
}
#define CHECK(table) check(table, sizeof(table) / sizeof(table[0]))

/* NULL: stays as it is. */
static void emails(void **state)
{
	static const char *const line[][2] = {
		{ "jean.dupont@wanadoo.fr", "<email>" },
		{ "Écrivez à jean-luc_3+tri@poste.ville-lyon.fr, merci",
				"Écrivez à <email>, merci" },
		{ "l'info@mairie.fr.", "l'<email>." },
		{ "Mail: <MAX.MUSTERMANN@T-Online.DE>", "Mail: <<email>>" },
		{ "correo:jose@correo.es;ana@correo.es", "correo:<email>;<email>" },
		{ "scrivi a info@comune.milano.it!", "scrivi a <email>!" },
		{ "mailto:x@y.org?subject=a", "mailto:<email>?subject=a" },
		{ "andré@exemple.fr, info@müller.de", "<email>, <email>" },
		{ "почта@пример.рф", "<email>" },
		{ "联系foo@bar.cn或电话", "联系<email>或电话" },
		{ "voir..toto@a.fr et -x@b.fr", "voir..<email> et -<email>" },
		{ "a@b.fr.Merci a@b.FR.Merci A@B.Fr", "<email>.Merci <email> <email>" },
		{ "a@x.xn--p1ai, a@b.museum", "<email>, <email>" },
		{ "a@b.fr\nc@d.fr\n", "<email>\n<email>\n" },
		{ "{a,b}@univ.fr", NULL },
		{ "@decorator.name a@b foo@ @bar.com", NULL },
		{ "logo@2x.png lodash@4.17.21 icon@x.SVG", NULL },
		{ "git@github.com:a/b.git ssh://git@host.org/x", NULL },
		{ "https://user:secret@host.org/", NULL },
		{ "user@example.com me@host.invalid x@www.example.org", NULL },
		{ "y = f@pkg.method(3)", NULL },
		{ "a.@b.fr a@-b.fr a@b..fr a@b.f a@.b.fr", NULL },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg@a.fr", NULL },
		{ "x@1.2.3.4 x@ab.cd-.fr", NULL },
		{ "x@ab.fr- y", "<email>- y" },
	};

	(void)state;
	CHECK(line);
}

static void addresses(void **state)
{
	static const char *const line[][2] = {
		{ "connexion de 91.198.174.192.", "connexion de <ip>." },
		{ "http://91.198.174.192:8080/x 91.198.174.0/24", "http://<ip>:8080/x <ip>/24" },
		{ "[91.198.174.192] 91.198.174.192, 195.83.24.2", "[<ip>] <ip>, <ip>" },
		{ "IP-Adresse: 8.8.8.8", "IP-Adresse: <ip>" },
		{ "ping 8.8.8.8; //1.1.1.1/ 9.9.9.9:53", "ping <ip>; //<ip>/ <ip>:53" },
		{ "::ffff:91.198.174.192", "::ffff:<ip>" },
		{ "10.0.0.1 192.168.1.1 172.16.0.9 172.31.99.100 127.0.0.1 169.254.1.1 100.64.0.1",
				NULL },
		{ "192.0.2.44 198.51.100.1 203.0.113.9 224.0.0.251 255.255.255.0 0.12.13.14",
				NULL },
		{ "version 91.198.174.192, Versión: 12.14.16.18, v. 11.12.13.14", NULL },
		{ "Chrome/99.0.48.51 foo-11.12.13.14.tar.gz 11.12.13.14-1ubuntu2", NULL },
		{ "v91.1.1.11 91.1.1.11a 91.1.1.11_b 1.91.1.1.11 91.1.1.11.12", NULL },
		{ "section 3.12.14.1, Kapitel 3.12.14.1", NULL },
		{ "1.2.3.4 Allgemeines, 5.14.2.4 et 27.4.30.1", NULL },
		{ "12.2.43.1. Audit\n  49.6.4.5.\xC2\xA0"
		  "Callback",
				NULL },
		{ "as 3:6::12:24", NULL },
		{ "256.1.1.1 91.198.174.1921 91.198.174.019 91.198.174", NULL },
		{ "2001:4860:4860::8888", "<ip>" },
		{ "2001:4860::8.8.4.4, 2001:4860::8.8.4 ", "<ip>, 2001:4860::8.8.4 " },
		{ "[2a00:1450:4007:80e::200e]:443", "[<ip>]:443" },
		{ "2001:41d0:0001:0002:0003:0004:0005:0006 a", "<ip> a" },
		{ "2a01:e0a::/32, 2003::1%eth0", "<ip>/32, <ip>%eth0" },
		{ "2001:db8::1 fe80::1 ::1 fd00::12 3fff:0:1::2 ff02::1", NULL },
		{ "std::vector dead::beef Face::add 2000:1:2:3 10:20:30", NULL },
		{ "2001:1:2:3:4:5:6:7:8 2001::1::2 x2001::1 2001:12345::1", NULL },
	};

	(void)state;
	CHECK(line);
}

/* Examples of the registry, and of banks. */
static void accounts(void **state)
{
	static const char *const line[][2] = {
		{ "IBAN : FR14 2004 1010 0505 0001 3M02 606.", "IBAN : <iban>." },
		{ "DE89370400440532013000", "<iban>" },
		{ "GB29 NWBK 6016 1331 9268 19", "<iban>" },
		{ "ES91 2100 0418 4502 0005 1332, IT60X0542811101000000123456", "<iban>, <iban>" },
		{ "NO9386011117947 BE68 5390 0754 7034", "<iban> <iban>" },
		{ "MT84MALT011000012345MTLCAST001S", "<iban>" },
		{ "ch9300762011623852957", "<iban>" },
		{ "CH93-0076-2011-6238-5295-7", "<iban>" },
		{ "FR14\xC2\xA0"
		  "2004\xC2\xA0"
		  "1010\xC2\xA0"
		  "0505\xC2\xA0"
		  "0001\xC2\xA0"
		  "3M02\xC2\xA0"
		  "606",
				"<iban>" },
		{ "FR14 2004 1010 0505 0001 3M02 607", NULL },
		{ "be87fed0691d3e88", NULL },
		{ "DE8937040044053201300 DE893704004405320130000", NULL },
		{ "XDE89370400440532013000 DE89370400440532013000x", NULL },
		{ "DE89  3704 0044 0532 0130 00", NULL },
		{ "De89370400440532013000 QQ89370400440532013000", NULL },
	};

	(void)state;
	CHECK(line);
}

static void french_phones(void **state)
{
	static const char *const line[][2] = {
		{ "01 42 34 56 78", "<phone>" },
		{ "06.12.34.56.78, 06-12-34-56-78", "<phone>, <phone>" },
		{ "Tél. : 01\xC2\xA0"
		  "42\xC2\xA0"
		  "34\xC2\xA0"
		  "56\xC2\xA0"
		  "78.",
				"Tél. : <phone>." },
		{ "{\"phone\": \"0612345678\"}", "{\"phone\": \"<phone>\"}" },
		{ "appelez le 0612345678 ou", "appelez le <phone> ou" },
		{ "+33 6 12 34 56 78", "<phone>" },
		{ "+33 (0)1 42 34 56 78 / +33(0)142345678", "<phone> / <phone>" },
		{ "+33612345678, 0033 6 12 34 56 78", "<phone>, <phone>" },
		{ "+33 06 12 34 56 78", "<phone>" },
		{ "0 800 123 456; 0825 123 456; 0612 34 56 78", "<phone>; <phone>; <phone>" },
		{ "06 12 34 56 78 2e étage", "<phone> 2e étage" },
		{ "(01 42 34 56 78) (+33 1 42 34 56 78)", "(<phone>) (<phone>)" },
		{ "01 02 03 04 05", NULL },
		{ "01 42 34 56 78 90", NULL },
		{ "12 01 42 34 56 78", NULL },
		{ "01 42.34 56 78", NULL },
		{ "00 42 34 56 78", NULL },
		{ "72 ff 01 00 01 00 00 0a 00, \"0403010203\"", NULL },
		{ "x0612345678 0612345678x 0612345678@ /0612345678/ id=0612345678", NULL },
		{ "ISBN 0306406153, SIRET 01 42 34 56 78", NULL },
		{ "0812345678", NULL },
		{ "0306406152 0123456789", NULL },
		{ "1 042 345 678 € 06 12 34 56 78 €", NULL },
		{ "0,0612345678 3.0612345678", NULL },
		{ "+33 6 12 34 56 7 +33 6 12 34 56 78 9", NULL },
	};

	(void)state;
	CHECK(line);
}

static void other_phones(void **state)
{
	static const char *const line[][2] = {
		{ "+1 (415) 555-2671, +14155552671", "<phone>, <phone>" },
		{ "(415) 555-2671 or 415-555-2671 or 415.555.2671",
				"<phone> or <phone> or <phone>" },
		{ "1-800-555-2671", "<phone>" },
		{ "020 7946 0958; 01632 960123; 0161 496 0123", "<phone>; <phone>; <phone>" },
		{ "+44 (0)20 7946 0958", "<phone>" },
		{ "Phone number is 555 2671", "Phone number is <phone>" },
		{ "(030) 1234567, 030/1234567, 089/12 34 56 78", "<phone>, <phone>, <phone>" },
		{ "Telefon: 089 123456, Handy 0176 12345678", "Telefon: <phone>, Handy <phone>" },
		{ "+49 (0) 30 123456, +49-30-1234567", "<phone>, <phone>" },
		{ "612 34 56 78, 91 123 45 67", "<phone>, <phone>" },
		{ "teléfono 912 345 678, móvil: 612345678", "teléfono <phone>, móvil: <phone>" },
		{ "+34 912 345 678", "<phone>" },
		{ "tel. 02 12345678, cellulare 347 1234567", "tel. <phone>, cellulare <phone>" },
		{ "+39 02 12345678, 055/123456", "<phone>, <phone>" },
		{ "044 668 18 00; 0475/12.34.56; 020-1234567", "<phone>; <phone>; <phone>" },
		{ "☎ 12 34 56 78, 📞 1234567", "☎ <phone>, 📞 <phone>" },
		{ "+33.142345678", "<phone>" },
		{ "02/11/1989, 09/12/2013 17:21, 03/01/2001, IEEE standard 854-1987", NULL },
		{ "+62346.700854 +2606540360.4 1e\\+646456992 +553990.656904", NULL },
		{ "[0.0643 0.2267 0.1488], {0.0 2.0 6.0 8.0 200.0}", NULL },
		{ "0032 2044 0035 |0121212121|", NULL },
		{ "2023-12-25 25.12.2023 12/25/2023 20231225", NULL },
		{ "tel 25.12.2023, fax 2023-12-25", NULL },
		{ "978-2-07-036822-8 0-306-40615-2 2049-3630", NULL },
		{ "1 234 567 890, 12.345.678, 1,234,567", NULL },
		{ "pp. 123-130, 1914-1918, 12-34-5678", NULL },
		{ "552 100 554, 552 100 554 00013, 123-45-6789", NULL },
		{ "+40 000 000 000 +1 234 567 890 +1 115 555 2671", NULL },
		{ "115-555-2671 415-155-2671", NULL },
		{ "3.1415926535 2.718281828459045 6.02214076e23", NULL },
		{ "10.1000/182 doi:10.1038/171737", NULL },
		{ "bug 1234567 RFC 2822-1234 ref 415-555-2671", NULL },
		{ "+210 12345678 +999 123456789", NULL },
		{ "$415-555-2671 x+14155552671", NULL },
	};

	(void)state;
	CHECK(line);
}

static void kinds(void **state)
{
	unsigned k;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_pii_read_kinds("iban,email", &k, &err), 0);
	assert_int_equal(k, 1u << LU_PII_IBAN | 1u << LU_PII_EMAIL);
	assert_int_equal(lu_pii_read_kinds("emial", &k, &err), -1);
	assert_string_equal(err.msg, "unknown kind 'emial', did you mean 'email'");
	assert_int_equal(lu_pii_read_kinds("", &k, &err), -1);
	assert_int_equal(lu_pii_read_kinds("ip,", &k, &err), -1);
}

/* An account's digits are no telephone number, though only those are asked for. */
static void selected(void **state)
{
	struct lu_str text = LU_STR("a@b.fr 01 42 34 56 78 FR14 2004 1010 0505 0001 3M02 606");
	struct lu_pii_spans s = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_pii_find(text, &s, &err), 0);
	assert_int_equal(s.n, 3);
	lu_pii_select(&s, 1u << LU_PII_PHONE);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.p[0].start, 7);
	assert_int_equal(s.p[0].end, 21);
	lu_pii_spans_release(&s);
}

/* --- any text ------------------------------------------------------------------------------ */

/* Pieces that are, begin, end or adjoin what is looked for. */
static const char *const piece[] = { "a@b.fr", "@", "x", ".fr", "@c.de", "91.198.174.192",
	"8.8.8.8", "1.", "2001:4860::88", "::", ":", "a:", "DE89370400440532013000", "DE89 3704",
	" 0044 0532 0130 00", "01 42 34 56 78", "0612345678", "+33", " 6 12 34 56 78", "(0)", "(",
	")", "(415) 555-2671", " ", " ", "\n", "-", "/", "tel ", "Tél. ", "version ", "ip ",
	"isbn ", "é", "中", "\xC2\xA0", "12", "34 ", "56.", "+", "<email>", "<phone>", ">", "<",
	"$", "€", "_", ",", "//", "user:", "0", "00", "1-", "2" };
#define PIECES (sizeof(piece) / sizeof(piece[0]))

static void random_text(struct lu_buf *b, uint64_t *seed)
{
	size_t n = unit_random(seed) % 12;

	lu_buf_clear(b);
	for (size_t i = 0; i <= n; i++)
		lu_buf_puts(b, piece[unit_random(seed) % PIECES]);
}

/* The spans are in order, apart, inside the text and cut no character; the rest is as it was. */
static void check_spans(struct lu_str text, const struct lu_pii_spans *s, struct lu_str masked)
{
	uint64_t from = 0;
	const char *m = masked.p;

	for (size_t i = 0; i <= s->n; i++) {
		uint64_t to = i < s->n ? s->p[i].start : text.n;

		assert_true(from <= to && to <= text.n);
		assert_int_equal(lu_utf8_valid(text.p + from, to - from), to - from);
		assert_memory_equal(m, text.p + from, to - from);
		m += to - from;
		if (i == s->n)
			break;
		assert_true(s->p[i].start < s->p[i].end && s->p[i].end <= text.n);
		m += strlen(lu_pii_placeholder(s->p[i].kind));
		from = s->p[i].end;
	}
	assert_ptr_equal(m, masked.p + masked.n);
}

static void masked_once(void **state)
{
	struct lu_pii_spans s = { 0 };
	struct lu_buf text = { 0 }, once = { 0 }, twice = { 0 };
	uint64_t seed = 5, found = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		random_text(&text, &seed);
		mask(lu_buf_slice(&text), &s, &once);
		check_spans(lu_buf_slice(&text), &s, lu_buf_slice(&once));
		found += s.n;
		mask(lu_buf_slice(&once), &s, &twice);
		if (s.n)
			fail_msg("'%s' becomes '%s', then '%s'", text.p, once.p, twice.p);
	}
	assert_true(found > 10000);
	lu_pii_spans_release(&s);
	lu_buf_release(&text);
	lu_buf_release(&once);
	lu_buf_release(&twice);
}

/* Where a find stands in a text of any length does not matter, for the scan by 16 bytes. */
static void any_offset(void **state)
{
	struct lu_pii_spans s = { 0 };
	struct lu_buf text = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t before = 0; before < 40; before++) {
		for (size_t after = 0; after < 40; after += 3) {
			lu_buf_clear(&text);
			for (size_t i = 0; i < before; i++)
				lu_buf_putc(&text, '\n');
			lu_buf_puts(&text, "a@b.fr");
			for (size_t i = 0; i < after; i++)
				lu_buf_putc(&text, ' ');
			assert_int_equal(lu_pii_find(lu_buf_slice(&text), &s, &err), 0);
			assert_int_equal(s.n, 1);
			assert_int_equal(s.p[0].start, before);
			assert_int_equal(s.p[0].end, before + 6);
		}
	}
	lu_pii_spans_release(&s);
	lu_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emails),
		cmocka_unit_test(addresses),
		cmocka_unit_test(accounts),
		cmocka_unit_test(french_phones),
		cmocka_unit_test(other_phones),
		cmocka_unit_test(kinds),
		cmocka_unit_test(selected),
		cmocka_unit_test(masked_once),
		cmocka_unit_test(any_offset),
	};

	return cmocka_run_group_tests_name("pii", tests, NULL, NULL);
}
