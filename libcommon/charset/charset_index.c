#include "libcommon/charset/charset_index.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"

#define JIS_0208_SIZE 11280 /* (0x3C + 60) * 188: also the rows that only Shift_JIS reaches */
#define JIS_0212_SIZE 8836  /* 94 * 94 */
#define GB18030_SIZE 23940  /* 126 * 190 */
#define GB18030_FOUR_SIZE 39420
#define EUC_KR_SIZE 23940
#define BIG5_SIZE 19782 /* 126 * 157 */
/* Shift_JIS has private characters here, which the decoder computes. */
#define EUDC_FROM 8836
#define EUDC_TO 10716

struct correction {
	uint32_t pointer, c;
};

/* clang-format off */
static const struct correction gb18030_corrections[] = {
	{ 6555, 0x3000 }, { 23767, 0xE816 }, { 23768, 0xE817 }, { 23769, 0xE818 },
	{ 23794, 0xE831 }, { 23804, 0xE83B }, { 23830, 0xE855 },
};
static const struct correction big5_corrections[] = {
	{ 1133, 0x0 }, { 1135, 0x0 }, { 1164, 0x0 }, { 1166, 0x0 }, { 2082, 0x7BB8 },
	{ 2088, 0x7C06 }, { 2103, 0x7CCE }, { 2114, 0x7DD2 }, { 2123, 0x7E1D }, { 2148, 0x8005 },
	{ 2151, 0x8028 }, { 2221, 0x83C1 }, { 2239, 0x84A8 }, { 2244, 0x840F }, { 2303, 0x89A6 },
	{ 2304, 0x89A9 }, { 2354, 0x8D77 }, { 2400, 0x90FD }, { 2413, 0x92B9 }, { 2477, 0x975C },
	{ 2498, 0x97FF }, { 2605, 0x9F16 }, { 2673, 0x8503 }, { 2746, 0x5159 }, { 2747, 0x515B },
	{ 2748, 0x515D }, { 2749, 0x515E }, { 2771, 0x936E }, { 2780, 0x7479 }, { 2990, 0x6D67 },
	{ 3087, 0x799B }, { 3259, 0x9097 }, { 3301, 0x975D }, { 3436, 0x701E }, { 3451, 0x5B28 },
	{ 4136, 0x7201 }, { 4138, 0x77D7 }, { 4141, 0x7E87 }, { 4182, 0x99D6 }, { 4206, 0x91D4 },
	{ 4220, 0x60DE }, { 4230, 0x6FB6 }, { 4241, 0x8F36 }, { 4258, 0x4FBB }, { 4273, 0x71DF },
	{ 4279, 0x9104 }, { 4282, 0x9DF0 }, { 4294, 0x83CF }, { 4329, 0x5C10 }, { 4330, 0x79E3 },
	{ 4349, 0x5A67 }, { 4419, 0x8F0B }, { 4422, 0x7B51 }, { 4494, 0x62D0 }, { 4624, 0x6062 },
	{ 4694, 0x75F9 }, { 4708, 0x6C4A }, { 4742, 0x9B2E }, { 4748, 0x9F17 }, { 4815, 0x50ED },
	{ 4828, 0x5F0C }, { 4902, 0x880F }, { 4922, 0x62CE }, { 4982, 0x7468 }, { 4992, 0x7162 },
	{ 4997, 0x7250 }, { 5029, 0x2027 }, { 5038, 0xFE51 }, { 5050, 0x2574 }, { 5120, 0xAF },
	{ 5121, 0xFFE3 }, { 5123, 0x2CD }, { 5153, 0xFF5E }, { 5168, 0x2295 }, { 5169, 0x2299 },
	{ 5180, 0xFF0F }, { 5181, 0xFF3C }, { 5182, 0x2215 }, { 5183, 0xFE68 }, { 5185, 0xFFE5 },
	{ 5187, 0xFFE0 }, { 5188, 0xFFE1 }, { 5287, 0x5341 }, { 5289, 0x5345 }, { 5432, 0x2400 },
	{ 5433, 0x2401 }, { 5434, 0x2402 }, { 5435, 0x2403 }, { 5436, 0x2404 }, { 5437, 0x2405 },
	{ 5438, 0x2406 }, { 5439, 0x2407 }, { 5440, 0x2408 }, { 5441, 0x2409 }, { 5442, 0x240A },
	{ 5443, 0x240B }, { 5444, 0x240C }, { 5445, 0x240D }, { 5446, 0x240E }, { 5447, 0x240F },
	{ 5448, 0x2410 }, { 5449, 0x2411 }, { 5450, 0x2412 }, { 5451, 0x2413 }, { 5452, 0x2414 },
	{ 5453, 0x2415 }, { 5454, 0x2416 }, { 5455, 0x2417 }, { 5456, 0x2418 }, { 5457, 0x2419 },
	{ 5458, 0x241A }, { 5459, 0x241B }, { 5460, 0x241C }, { 5461, 0x241D }, { 5462, 0x241E },
	{ 5463, 0x241F }, { 5464, 0x2421 }, { 5465, 0x20AC }, { 10942, 0x5EF4 }, { 10946, 0x65E0 },
	{ 10948, 0x7676 }, { 10950, 0x96B6 }, { 10957, 0x3003 }, { 10958, 0x4EDD },
	{ 19028, 0x5029 }, { 19035, 0x507D }, { 19088, 0x5305 }, { 19096, 0x5344 },
	{ 19112, 0x537F }, { 19162, 0x5605 }, { 19240, 0x5A77 }, { 19299, 0x5E75 },
	{ 19305, 0x5ED0 }, { 19326, 0x5F58 }, { 19355, 0x60A4 }, { 19398, 0x6490 },
	{ 19439, 0x6674 }, { 19454, 0x675E }, { 19553, 0x6C9C }, { 19554, 0x6E1D },
	{ 19557, 0x6E2F }, { 19611, 0x716E }, { 19643, 0x732A }, { 19672, 0x745C },
	{ 19697, 0x74E9 }, { 19748, 0x7809 },
};
static const struct correction gb18030_four_corrections[] = {
	{ 19057, 0x9FB4 }, { 19058, 0x9FB5 }, { 19059, 0x9FB6 }, { 19060, 0x9FB7 },
	{ 19061, 0x9FB8 }, { 19062, 0x9FB9 }, { 19063, 0x9FBA }, { 19064, 0x9FBB },
	{ 39076, 0xFE10 }, { 39077, 0xFE11 }, { 39078, 0xFE12 }, { 39079, 0xFE13 },
	{ 39080, 0xFE14 }, { 39081, 0xFE15 }, { 39082, 0xFE16 }, { 39083, 0xFE17 },
	{ 39084, 0xFE18 }, { 39085, 0xFE19 },
};
/* clang-format on */

/* The bytes of a pointer, by the decoders of the standard. Returns their number. */
static size_t jis0208_bytes(uint32_t p, unsigned char *b)
{
	uint32_t lead = p / 188, trail = p % 188;

	if (p >= EUDC_FROM && p < EUDC_TO)
		return 0;
	b[0] = (unsigned char)(lead + (lead < 0x1F ? 0x81 : 0xC1));
	b[1] = (unsigned char)(trail + (trail < 0x3F ? 0x40 : 0x41));
	return 2;
}

static size_t jis0212_bytes(uint32_t p, unsigned char *b)
{
	b[0] = 0x8F;
	b[1] = (unsigned char)(p / 94 + 0xA1);
	b[2] = (unsigned char)(p % 94 + 0xA1);
	return 3;
}

static size_t gb18030_bytes(uint32_t p, unsigned char *b)
{
	uint32_t trail = p % 190;

	b[0] = (unsigned char)(p / 190 + 0x81);
	b[1] = (unsigned char)(trail + (trail < 0x3F ? 0x40 : 0x41));
	return 2;
}

static size_t gb18030_four_bytes(uint32_t p, unsigned char *b)
{
	b[0] = (unsigned char)(p / 12600 + 0x81);
	b[1] = (unsigned char)(p / 1260 % 10 + 0x30);
	b[2] = (unsigned char)(p / 10 % 126 + 0x81);
	b[3] = (unsigned char)(p % 10 + 0x30);
	return 4;
}

static size_t euc_kr_bytes(uint32_t p, unsigned char *b)
{
	b[0] = (unsigned char)(p / 190 + 0x81);
	b[1] = (unsigned char)(p % 190 + 0x41);
	return 2;
}

static size_t big5_bytes(uint32_t p, unsigned char *b)
{
	uint32_t trail = p % 157;

	b[0] = (unsigned char)(p / 157 + 0x81);
	b[1] = (unsigned char)(trail + (trail < 0x3F ? 0x40 : 0x62));
	return 2;
}

#define CORRECTIONS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct {
	const char *iconv;
	uint32_t size;
	size_t (*bytes)(uint32_t pointer, unsigned char *b);
	const struct correction *correction;
	size_t corrections;
} indexes[LU_INDEXES] = {
	[LU_INDEX_JIS0208] = { "CP932", JIS_0208_SIZE, jis0208_bytes, NULL, 0 },
	[LU_INDEX_JIS0212] = { "EUC-JP", JIS_0212_SIZE, jis0212_bytes, NULL, 0 },
	[LU_INDEX_GB18030] = { "GB18030", GB18030_SIZE, gb18030_bytes,
			CORRECTIONS(gb18030_corrections) },
	[LU_INDEX_GB18030_FOUR] = { "GB18030", GB18030_FOUR_SIZE, gb18030_four_bytes,
			CORRECTIONS(gb18030_four_corrections) },
	[LU_INDEX_EUC_KR] = { "CP949", EUC_KR_SIZE, euc_kr_bytes, NULL, 0 },
	[LU_INDEX_BIG5] = { "BIG5-HKSCS", BIG5_SIZE, big5_bytes, CORRECTIONS(big5_corrections) },
};

size_t lu_charset_index_size(enum lu_index which)
{
	return indexes[which].size;
}

/* The only character that the bytes b[0..n) stand for, or 0. */
static uint32_t convert_one(iconv_t cd, const unsigned char *b, size_t n)
{
	unsigned char in[4];
	uint32_t out[4] = { 0 };
	char *from = (char *)in, *to = (char *)out;
	size_t left = n, room = sizeof(out);

	memcpy(in, b, n);
	iconv(cd, NULL, NULL, NULL, NULL);
	/* The second call gives what waits for a combining character. */
	if (iconv(cd, &from, &left, &to, &room) != 0 ||
			iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		return 0;
	return room == sizeof(out) - sizeof(out[0]) ? out[0] : 0;
}

static iconv_t open_iconv(const char *name, struct lu_err *err)
{
	/* Of this machine's byte order. */
	const uint16_t order = 1;
	bool little = *(const unsigned char *)&order == 1;
	iconv_t cd = iconv_open(little ? "UTF-32LE" : "UTF-32BE", name);

	if (cd == (iconv_t)-1)
		lu_err_set(err, "iconv lacks the charset '%s'; install all its modules", name);
	return cd;
}

const uint32_t *lu_charset_index(
		struct lu_charset_index *ix, enum lu_index which, struct lu_err *err)
{
	uint32_t size = indexes[which].size, *table;
	iconv_t cd;

	if (ix->two[which])
		return ix->two[which];
	cd = open_iconv(indexes[which].iconv, err);
	if (cd == (iconv_t)-1)
		return NULL;
	table = calloc(size, sizeof(*table));
	for (uint32_t p = 0; table && p < size; p++) {
		unsigned char b[4];
		size_t n = indexes[which].bytes(p, b);

		table[p] = n ? convert_one(cd, b, n) : 0;
	}
	iconv_close(cd);
	if (!table) {
		lu_err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < indexes[which].corrections; i++)
		table[indexes[which].correction[i].pointer] = indexes[which].correction[i].c;
	ix->two[which] = table;
	return table;
}

static void put_byte(struct lu_charset_byte *to, uint32_t c)
{
	char bytes[4];

	to->n = (unsigned char)(c ? lu_utf8_put(c, bytes) : 0);
	memcpy(to->bytes, bytes, to->n);
}

/* Where iconv has something else than the standard, or nothing. */
static uint32_t single_of_standard(enum lu_encoding e, unsigned byte, uint32_t c)
{
	static const struct {
		enum lu_encoding e;
		unsigned byte;
		uint32_t c;
	} differences[] = {
		{ LU_ENC_KOI8_U, 0xAE, 0x045E },
		{ LU_ENC_KOI8_U, 0xBE, 0x040E },
		{ LU_ENC_MACINTOSH, 0xC6, 0x2206 },
		{ LU_ENC_MACINTOSH, 0xF0, 0xF8FF },
		{ LU_ENC_WINDOWS_1255, 0xCA, 0x05BA },
		{ LU_ENC_X_MAC_CYRILLIC, 0xFF, 0x20AC },
	};

	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		if (differences[i].e == e && differences[i].byte == byte)
			return differences[i].c;
	}
	/* What a code page of Windows leaves free below 0xA0 is a control character. */
	if (!c && byte < 0xA0 && strncmp(lu_encoding_name(e), "windows-", 8) == 0)
		return byte;
	return c;
}

const struct lu_charset_byte *lu_charset_single(
		struct lu_charset_index *ix, enum lu_encoding e, struct lu_err *err)
{
	struct lu_charset_byte *table;
	iconv_t cd;

	if (ix->one[e])
		return ix->one[e];
	cd = open_iconv(lu_encoding_iconv_name(e), err);
	if (cd == (iconv_t)-1)
		return NULL;
	table = calloc(128, sizeof(*table));
	for (unsigned i = 0; table && i < 128; i++) {
		unsigned char byte = (unsigned char)(0x80 + i);

		put_byte(&table[i], single_of_standard(e, byte, convert_one(cd, &byte, 1)));
	}
	iconv_close(cd);
	if (!table)
		lu_err_nomem(err);
	ix->one[e] = table;
	return table;
}

/* 1: filled in; 0: not single bytes that extend ASCII. */
static int fill_named(iconv_t cd, struct lu_charset_byte *table)
{
	size_t known = 0;

	for (unsigned i = 1; i < 256; i++) {
		unsigned char byte = (unsigned char)i;
		uint32_t c = convert_one(cd, &byte, 1);

		if (i < 0x80 && c != i)
			return 0;
		if (i >= 0x80) {
			put_byte(&table[i - 0x80], c);
			known += c != 0;
		}
	}
	/* A charset of several bytes has some single ones besides. */
	return known >= 64;
}

int lu_charset_single_named(struct lu_charset_index *ix, const char *name,
		const struct lu_charset_byte **out, struct lu_err *err)
{
	struct lu_charset_byte *table;
	iconv_t cd;
	int rc;

	if (ix->name && strcmp(ix->name, name) == 0) {
		*out = ix->other;
		return ix->other != NULL;
	}
	free(ix->name);
	free(ix->other);
	ix->other = NULL;
	ix->name = strdup(name);
	table = calloc(128, sizeof(*table));
	if (!ix->name || !table) {
		free(table);
		return lu_err_nomem(err);
	}
	cd = open_iconv(name, err);
	if (cd == (iconv_t)-1) {
		free(table);
		return -1;
	}
	rc = fill_named(cd, table);
	iconv_close(cd);
	if (rc == 0)
		free(table);
	else
		ix->other = table;
	*out = ix->other;
	return rc;
}

void lu_charset_index_release(struct lu_charset_index *ix)
{
	for (int i = 0; i < LU_INDEXES; i++)
		free(ix->two[i]);
	for (int i = 0; i < LU_ENCODINGS; i++)
		free(ix->one[i]);
	free(ix->name);
	free(ix->other);
	*ix = (struct lu_charset_index){ 0 };
}
