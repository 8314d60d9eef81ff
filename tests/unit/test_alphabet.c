/* Initial alphabets from files: lists and tables, and what is refused. */
#include "libcommon/bpetrain/alphabet.h"
#include "tests/unit/unit.h"

static struct lu_preset preset(enum lu_preset_kind kind)
{
	struct lu_preset p;

	lu_preset_defaults(&p, kind);
	return p;
}

#define TABLE(rows) "x\t32\tZs\t900\n" rows

static void reads_alphabets(void **state)
{
	static const struct {
		enum lu_preset_kind kind;
		uint32_t limit;
		const char *text;
		uint32_t want[6];
	} cases[] = {
		{ LU_PRESET_LUCIE_2024, 2, "b\nU+00e9\n\u8A9E\n \nb\nU+9",
				{ 'b', 0xE9, 0x8A9E, ' ', 9 } },
		{ LU_PRESET_LUCIE_2024, 2, "b\r\nc\r\n\r\n", { 'b', 'c', '\r' } },
		{ LU_PRESET_LUCIE_2024, 2, "\t\n\u212B\n", { 9, 0x212B } },
		{ LU_PRESET_LUCIE, 2, "b\n \n\u212B\nU+00A0\n", { 'b', 0xA0 } },
		/* A table: by count, ties in the order of the file; without seeds, characters that
		 * NFC changes, and the other categories. */
		{ LU_PRESET_LUCIE_2024, 3, TABLE("a\t97\tLl\t5\n?\t98\tLl\t7\nc\t99\tLl\t5\n"),
				{ ' ', 'b', 'a' } },
		{ LU_PRESET_LUCIE, 0, TABLE("a\t97\tLl\t5\n?\t98\tLl\t7\nc\t99\tLl\t5\n"),
				{ 'b', 'a', 'c' } },
		{ LU_PRESET_LUCIE_2024, 0,
				TABLE("\\n\t10\tCc\t9\n1\t49\tNd\t9\n\u2581\t9601\tSo\t9\n"
				      "?\t8491\tLu\t9\n?\t38593\tLo\t9\n?\t769\tMn\t9\n?"
				      "\t173\tCf\t9\n"
				      "?\t95\tPc\t8\n?\t36\tSc\t7\n?\t169\tSo\t6\n?\t178\tNo\t5\n"
				      "?\t57344\tCo\t4\n?\t8232\tZl\t1\n"),
				{ ' ', '_', '$', 169, 178, 8232 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_preset p = preset(cases[i].kind);
		struct lu_alphabet a;
		struct lu_err err;

		p.limit_alphabet = cases[i].limit;
		put_text("alphabet", cases[i].text);
		if (lu_alphabet_read(&a, "alphabet", &p, &err) < 0)
			fail_msg("%s", err.msg);
		for (size_t k = 0; k < a.n; k++) {
			if (k == 6 || a.c[k] != cases[i].want[k])
				fail_msg("case %zu, %zu: %u", i, k, a.c[k]);
		}
		assert_true(a.n == 6 || cases[i].want[a.n] == 0);
		lu_alphabet_release(&a);
	}
}

static void refuses_alphabets(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "alphabet: no character for the alphabet" },
		{ "a\nbc\n", "alphabet:2: not one character in UTF-8" },
		{ "a\n\n", "alphabet:2: not one character in UTF-8" },
		{ "\xC3\n", "alphabet:1: not one character in UTF-8" },
		{ "U+\n", "alphabet:1: not one character in UTF-8" },
		{ "U+D800\n", "alphabet:1: not the code point of a character" },
		{ "U+110000\n", "alphabet:1: not the code point of a character" },
		{ "U+99999999999999999999\n", "alphabet:1: not the code point of a character" },
		{ "U+4x\n", "alphabet:1: not the code point of a character" },
		{ TABLE("a\t97\tLl\n"), "alphabet:2: not four columns separated by tabs" },
		{ TABLE("a\t97\tLl\t1\t\n"), "alphabet:2: more than four columns" },
		{ TABLE("a\t0x61\tLl\t1\n"),
				"alphabet:2: the second column is not the code point of a "
				"character" },
		{ TABLE("a\t55296\tCs\t1\n"),
				"alphabet:2: the second column is not the code point of a "
				"character" },
		{ TABLE("a\t97\tL\t1\n"),
				"alphabet:2: the third column is not a general "
				"category of two letters" },
		{ TABLE("a\t97\tLl\t-1\n"), "alphabet:2: the fourth column is not a number" },
		{ "x\t768\tMn\t1\n", "alphabet: no character for the alphabet" },
	};
	struct lu_preset p = preset(LU_PRESET_LUCIE_2024);
	struct lu_alphabet a;
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_text("alphabet", cases[i].text);
		assert_int_equal(lu_alphabet_read(&a, "alphabet", &p, &err), -1);
		assert_string_equal(err.msg, cases[i].message);
	}
	assert_int_equal(lu_alphabet_read(&a, "nothing-there", &p, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_alphabets),
		cmocka_unit_test(refuses_alphabets),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
