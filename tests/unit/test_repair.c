/* Repair of typesetting: what is changed, what is not, and that twice is once. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/text/repair.h"

#include "tests/unit/unit.h"

struct example {
	const char *in, *out; /* NULL: stays as it is */
	uint64_t n;
};

static uint64_t sum(const struct lu_repair_counts *n)
{
	return n->ligatures + n->accents + n->hyphens + n->soft_hyphens + n->page_numbers;
}

static void check(const struct lu_repair *how, const struct example *e)
{
	struct lu_repair_counts n = { 0 }, again = { 0 };
	struct lu_buf one = { 0 }, two = { 0 };
	struct lu_err err;

	if (lu_repair(how, lu_str_of(e->in), &one, &n, &err) < 0 ||
			lu_repair(how, lu_buf_slice(&one), &two, &again, &err) < 0)
		fail_msg("%s", err.msg);
	if (!lu_str_is(lu_buf_slice(&one), e->out ? e->out : e->in) || sum(&n) != e->n)
		fail_msg("'%s' becomes '%s', %lu changes", e->in, one.p ? one.p : "",
				(unsigned long)sum(&n));
	if (!lu_str_eq(lu_buf_slice(&one), lu_buf_slice(&two)) || sum(&again))
		fail_msg("'%s' is changed again: '%s'", e->in, two.p ? two.p : "");
	lu_buf_release(&one);
	lu_buf_release(&two);
}

#define CHECK(how, list)                                                    \
	do {                                                                \
		for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) \
			check(how, &(list)[i]);                             \
	} while (0)

static void ligatures(void **state)
{
	static const struct lu_repair how = { .ligatures = true };
	static const struct example e[] = {
		{ "oﬀ, eﬃcient ﬂow, ﬁﬆ", "off, efficient flow, fist", 5 },
		{ "to ﬁ nd the ﬂ oor", "to find the floor", 2 },
		{ "the deﬁ nition and a diﬃ cult eﬀ ect", "the definition and a difficult effect",
				3 },
		/* Seen elsewhere. */
		{ "a graﬁ sche grafische", "a grafische grafische", 1 },
		/* Words that end so. */
		{ "turn oﬀ the light, staﬀ members", "turn off the light, staff members", 2 },
		{ "i ﬁlosoﬁ greci e ﬁne", "i filosofi greci e fine", 3 },
		{ "ﬁ ", "fi ", 1 },
		{ "ﬁ nd\nﬁ\nnd ﬁ Nd", "find\nfi\nnd fi Nd", 3 },
		{ "plain ffi, ﻿\uFB20 \uFB13", NULL, 0 },
	};

	(void)state;
	CHECK(&how, e);
}

static void accents(void **state)
{
	static const struct lu_repair how = { .accents = true };
	static const struct example e[] = {
		{ "aoˆut", "août", 1 },
		{ "aouˆt, pre´leve´e, re´pe´te", "août, prélevée, répéte", 5 },
		{ "pr´elev´ee, fran¸cais, voil`a `a l'´ecole",
				"prélevée, français, voilà à l'école", 6 },
		{ "pr´ elev´ ee", "prélevée", 2 },
		{ "na¨ıve, Dvoˇr´ak, ˚angstr¨om", "naïve, Dvořák, ångström", 5 },
		/* Apostrophes, quotation marks, primes, code. */
		{ "c´est l´eau qu´il a, aujourd´hui don´t James´ Anna´s", NULL, 0 },
		{ "¨palabra¨ y ´otra´ a´ b´", NULL, 0 },
		{ "K´iche´, Q´anjob´al, gwich´in, würd´ ein", NULL, 0 },
		{ "`a` and `let x = 1` ˆ ¨", NULL, 0 },
		{ "déjà été, né d´une idée, c´était l´été", NULL, 0 },
		{ "x ˆ y, 20 ˚C, ``quoted''", NULL, 0 },
	};

	(void)state;
	CHECK(&how, e);
}

static void hyphens(void **state)
{
	static const struct lu_repair how = { .hyphens = true };
	static const struct example e[] = {
		{ "An example of an exam-\nple, and\nmore", "An example of an example,\nand\nmore",
				1 },
		{ "An example, an ex-\r\n  ample\nmore", "An example, an example\nmore", 1 },
		{ "informa-\ntion", "information", 1 },
		{ "l'enregistre\u2010\nments ici", "l'enregistrements\nici", 1 },
		{ "An example, exam-\n\fple of it", "An example, example\n\fof it", 1 },
		/* Compounds. */
		{ "well-\nknown", NULL, 0 },
		{ "peut-\nêtre, c'est-à-\ndire, celui-\nlà, vous-\nmêmes", NULL, 0 },
		{ "Jean-\nPaul, Vor-\nund Nachteile, 3-\nfold", NULL, 0 },
		{ "a request-host, a request-\nhost", "a request-host, a request-host", 1 },
		{ "resign, re-sign, re-sign: re-\nsign", "resign, re-sign, re-sign: re-sign", 1 },
		/* Not a broken word. */
		{ "exam-\n\nple example", NULL, 0 },
		{ "items:\n- example\nexample -\nple", NULL, 0 },
		{ "<jean@informa-\ntion.fr> /usr/ac-\ntion", NULL, 0 },
		{ "exam-", NULL, 0 },
		{ "-\n-\n", NULL, 0 },
	};

	(void)state;
	CHECK(&how, e);
}

static void soft_hyphens(void **state)
{
	static const struct lu_repair how = { .soft_hyphens = true };
	static const struct example e[] = {
		{ "ex\u00ADam\u00ADple", "example", 2 },
		{ "Wör\u00AD\n  ter, und\nmehr", "Wörter,\nund\nmehr", 1 },
		{ "\u00ADx 1\u00AD2 a\u00AD", NULL, 0 },
		{ "a\u00AD\n\nb", NULL, 0 },
	};

	(void)state;
	CHECK(&how, e);
}

static void put_filler(struct lu_buf *b, size_t n, char last)
{
	while (n--)
		lu_buf_puts(b, "some words of a page that go on\n");
	b->n--;
	lu_buf_putc(b, last);
	lu_buf_putc(b, '\n');
}

static void page_numbers(void **state)
{
	static const struct lu_repair how = { .page_numbers = true };
	static const struct example e[] = {
		{ "a\n1\n\fb\n- 2 -\n\fc\nPage 3 of 9\n", "a\n\fb\n\fc\n", 3 },
		{ "7\na\n\f8\nb\n\f 9\nc\n\fno\n\f11\nd", "a\n\fb\n\fc\n\fno\n\fd", 4 },
		{ "a\n1\n\fb\n2\n", NULL, 0 },			/* two are a chance */
		{ "a\n1\n\fb\n3\n\fc\n5\n", NULL, 0 },		/* every second one */
		{ "1\n2\n3\n4\n", NULL, 0 },			/* a list */
		{ "a\n1\nx\n\fb\n2\nx\n\fc\n3\nx\n", NULL, 0 }, /* within the page */
		{ "a\n12345\n\fb\n12346\n\fc\n12347\n", NULL, 0 },
	};
	struct lu_buf pages = { 0 }, chapters = { 0 }, want = { 0 };

	(void)state;
	CHECK(&how, e);
	/* Without form feeds: numbers that interrupt sentences, and chapters that do not. */
	for (int i = 4; i < 8; i++) {
		put_filler(&pages, 30, ' ');
		put_filler(&want, 30, ' ');
		lu_buf_printf(&pages, "%d\n", i);
		lu_buf_printf(&chapters, "%d\nIt begins.\n", i);
		put_filler(&chapters, 30, '.');
	}
	lu_buf_puts(&pages, "and on.\n");
	lu_buf_puts(&want, "and on.\n");
	check(&how, &(struct example){ pages.p, want.p, 4 });
	check(&how, &(struct example){ chapters.p, NULL, 0 });
	lu_buf_release(&pages);
	lu_buf_release(&chapters);
	lu_buf_release(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ligatures),
		cmocka_unit_test(accents),
		cmocka_unit_test(hyphens),
		cmocka_unit_test(soft_hyphens),
		cmocka_unit_test(page_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
