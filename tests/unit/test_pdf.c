/* The layout of pages: lines with places, as pdftotext gives them, to paragraphs. Files of real
 * programs are in tests/cases/lucie-import. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "libcommon/office/pdf_bidi.h"
#include "libcommon/office/pdf_columns.h"
#include "libcommon/office/pdf_heads.h"
#include "libcommon/office/pdf_layout.h"
#include "libcommon/office/pdf_reflow.h"
#include "libcommon/office/pdf_tables.h"

/* Pages as text: a line is "x y block word word ...", letters are 6 wide and 10 high, an empty line ends
 * the page. A word "a_b" has a gap of 1 in it, as where the font changes. */
static struct lu_buf output(const char *pages)
{
	struct lu_buf out = { 0 };
	int block = -1;

	lu_buf_puts(&out,
			"<html><head><title>A &amp; B</title>\n<meta name=\"Author\" "
			"content=\"&quot;C\"/>"
			"<meta name=\"CreationDate\" "
			"content=\"2020-01-02T03:04:05Z\"/></head><doc>\n"
			"<page width=\"600.0\" height=\"800.0\">\n");
	for (const char *p = pages; *p; p = strchr(p, '\n') + 1) {
		int x, y, b, n;
		float at;

		if (*p == '\n') {
			lu_buf_puts(&out, "</page><page width=\"600.0\" height=\"800.0\">\n");
			continue;
		}
		assert_int_equal(sscanf(p, "%d %d %d %n", &x, &y, &b, &n), 3);
		if (b != block)
			lu_buf_puts(&out, "<flow><block xMin=\"0\">\n");
		block = b;
		p += n;
		n = (int)strcspn(p, "\n");
		lu_buf_printf(&out, "<line xMin=\"%d\" yMin=\"%d\" xMax=\"%d\" yMax=\"%d\">\n", x,
				y, x + 6 * n, y + 10);
		at = (float)x;
		for (int i = 0; i < n;) {
			int from = i;

			while (i < n && p[i] != ' ' && p[i] != '_')
				i++;
			/* Letters of different widths: no program. */
			lu_buf_printf(&out,
					"<word xMin=\"%.1f\" yMin=\"%d\" xMax=\"%.1f\" "
					"yMax=\"%d\">%.*s</word>\n",
					(double)at, y,
					(double)(at + 6 * (float)(i - from) - (float)(i % 3)),
					y + 10, i - from, p + from);
			at += 6 * (float)(i - from) +
					(i < n && p[i] == '_' ? -(float)(i % 3) + 0.5f : 6);
			i++;
		}
		lu_buf_puts(&out, "</line>\n");
	}
	lu_buf_puts(&out, "</page></doc></html>\n");
	return out;
}

/* The text of the pages; pieces of `piece` bytes. */
static struct lu_buf text_of(struct lu_str out, size_t piece, struct lu_pdf_offsets *pages)
{
	struct lu_pdf_layout l = { .limit = 1 << 20 };
	struct lu_buf marked = { 0 }, text = { 0 };
	struct lu_err err;

	for (size_t i = 0; i < out.n; i += piece)
		assert_int_equal(lu_pdf_layout_take(&l, out.p + i,
						 out.n - i < piece ? out.n - i : piece, &err),
				0);
	assert_int_equal(lu_pdf_layout_end(&l, &err), 0);
	assert_true(l.complete);
	assert_string_equal(l.title.p, "A & B");
	assert_string_equal(l.author.p, "\"C");
	assert_int_equal(lu_pdf_mark_heads(&l, &err), 0);
	assert_int_equal(lu_pdf_order_columns(&l, &err), 0);
	assert_int_equal(lu_pdf_find_tables(&l, &err), 0);
	assert_int_equal(lu_pdf_reflow(&l, &marked, &err), 0);
	assert_int_equal(lu_pdf_join(lu_buf_slice(&marked), l.pages.n, &text, pages, &err), 0);
	assert_int_equal(pages->n, l.pages.n);
	lu_buf_release(&marked);
	lu_pdf_layout_release(&l);
	return text;
}

static void check(const char *pages, const char *want, const uint64_t *offsets)
{
	struct lu_buf out = output(pages);

	for (size_t piece = 1; piece < 400; piece += 133) {
		struct lu_pdf_offsets begin = { 0 };
		struct lu_buf text = text_of(lu_buf_slice(&out), piece, &begin);

		assert_string_equal(text.p ? text.p : "", want);
		for (size_t i = 0; offsets && i < begin.n; i++)
			assert_int_equal(begin.p[i], offsets[i]);
		lu_buf_release(&text);
		lu_vec_release(&begin);
	}
	lu_buf_release(&out);
}

#define LONG "This line is as long as the others of its block are"

static void test_paragraphs(void **state)
{
	(void)state;
	check("", "", NULL);
	/* The next word would not have fitted, or would: the end of a paragraph. */
	check("50 100 1 " LONG "\n50 112 1 and goes on here.\n50 124 1 Another paragraph that is "
	      "just as long begins\n"
	      "50 136 1 now.\n",
			LONG " and goes on here.\n\nAnother paragraph that is just as long begins "
			     "now.\n",
			NULL);
	/* Lines of a poem are lines. */
	check("50 100 1 Roses are red and violets\n50 112 1 blue\n50 124 1 and so on\n50 136 1 "
	      "they say\n",
			"Roses are red and violets\nblue\nand so on\nthey say\n", NULL);
	/* Over blocks and pages, unless a sentence ends. */
	check("50 100 1 " LONG "\n50 112 1 " LONG "\n\n50 100 2 of which the last words are here.\n"
	      "50 160 3 A heading\n50 200 4 Text\n",
			LONG " " LONG " of which the last words are here.\n\nA heading\n\nText\n",
			(const uint64_t[]){ 0, sizeof(LONG) * 2 });
	/* Words that a change of the font cuts are one. */
	check("50 100 1 H_2_O and more\n", "H2O and more\n", NULL);
	/* Bullets by themselves belong to the line beside. */
	check("50 100 1 \xE2\x80\xA2\n50 120 1 \xE2\x80\xA2\n70 100 2 one\n70 120 3 two\n50 160 4 "
	      "3.\n70 160 5 three\n",
			"- one\n- two\n3. three\n", NULL);
}

static void test_heads(void **state)
{
	(void)state;
	check("50 20 1 A book of things\n50 100 2 Text.\n300 780 3 - 7 -\n\n"
	      "50 20 1 A book of things\n50 100 2 More text.\n300 780 3 - 8 -\n\n"
	      "50 20 1 A book of things\n50 100 2 Even more.\n300 780 3 - 9 -\n",
			"Text.\n\nMore text.\n\nEven more.\n", (const uint64_t[]){ 0, 7, 19 });
	/* Numbers that do not count along, and notes that do, are text. */
	check("50 100 2 Text.\n50 780 3 1999\n\n50 100 2 More.\n50 780 3 1998\n",
			"Text.\n\n1999\n\nMore.\n\n1998\n", NULL);
	check("50 100 2 Text.\n50 780 3 1 A note\n\n50 100 2 More.\n50 780 3 2 Another\n\n"
	      "50 100 2 End.\n50 780 3 3 Last note\n",
			"Text.\n\n1 A note\n\nMore.\n\n2 Another\n\nEnd.\n\n3 Last note\n", NULL);
	/* Heads that differ, with page numbers apart. */
	check("50 20 1 One\n500 20 4 11\n50 100 2 Text.\n\n50 20 1 Two\n500 20 4 12\n50 100 2 "
	      "More.\n\n"
	      "50 20 1 Three\n500 20 4 13\n50 100 2 End.\n",
			"Text.\n\nMore.\n\nEnd.\n", NULL);
	check("50 100 1 Contents\n50 120 2 1 First . . . . . . 7\n50 140 3 Text.\n",
			"Contents\n\nText.\n", NULL);
}

static void test_columns_and_tables(void **state)
{
	(void)state;
	/* The right column, which begins higher, comes after the left one. */
	check("320 90 1 right column is as wide as this\n320 102 1 right column is as wide as "
	      "this\n"
	      "320 114 1 right column is as wide as this\n320 126 1 end.\n"
	      "50 60 2 A title over both of the columns of this page\n"
	      "50 100 3 left column is as wide as this is\n50 112 3 left column is as wide as this "
	      "is\n"
	      "50 124 3 left column is as wide as this is\n50 136 3 end.\n",
			"A title over both of the columns of this page\n\n"
			"left column is as wide as this is left column is as wide as this is "
			"left column is as wide as this is end.\n\n"
			"right column is as wide as this right column is as wide as this "
			"right column is as wide as this end.\n",
			NULL);
	/* A table given by columns, with an empty cell and a cell of two lines. */
	check("50 100 1 Name\n50 114 1 bread\n50 140 1 milk\n50 154 1 salt\n200 100 2 Note\n200 "
	      "114 2 white\n"
	      "200 126 2 and grey\n200 154 2 coarse\n300 100 3 Price\n300 114 3 2.10\n300 140 3 "
	      "1.05\n300 154 3 9\n",
			"Name | Note | Price\nbread | white and grey | 2.10\nmilk |  | 1.05\nsalt "
			"| coarse | 9\n",
			NULL);
}

static void test_bidi(void **state)
{
	static const char *const pairs[][2] = {
		{ "plain", "plain" },
		{ "םולע םולש", "שלום עלום" },
		{ "abc de 12, םולש םולש", "שלום שלום ,abc de 12" },
		{ "see םולש םע here", "see עם שלום here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct lu_buf out = { 0 };

		lu_pdf_reading_order(lu_str_of(pairs[i][0]), &out);
		assert_string_equal(out.p, pairs[i][1]);
		lu_buf_release(&out);
	}
}

static void test_limit(void **state)
{
	struct lu_pdf_layout l = { .limit = 5000 };
	struct lu_buf out = output("50 100 1 word\n");
	struct lu_err err;
	int rc = 0;

	(void)state;
	for (int i = 0; i < 1000 && rc == 0; i++)
		rc = lu_pdf_layout_take(&l, out.p, out.n, &err);
	assert_int_equal(rc, 1);
	assert_true(l.text.n + l.pending.n < 6000);
	lu_pdf_layout_release(&l);
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_columns_and_tables),
		cmocka_unit_test(test_bidi),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
