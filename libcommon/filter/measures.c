#include "libcommon/filter/measures.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/measure_grams.h"
#include "libcommon/filter/measure_lines.h"
#include "libcommon/filter/measure_text.h"
#include "libcommon/filter/measurer.h"

/* Groups of measures that are computed together. */
enum { TOKENS = 1 << 0, LINES = 1 << 1, GRAMS = 1 << 2, TEXT = 1 << 3, CODE = 1 << 4 };

static const struct {
	const char *name;
	unsigned group;
} measures[LU_MEASURES] = {
	[LU_M_WORDS] = { "words", TOKENS },
	[LU_M_MEAN_WORD_LENGTH] = { "mean_word_length", TOKENS },
	[LU_M_HASH_RATIO] = { "hash_ratio", TOKENS },
	[LU_M_ELLIPSIS_RATIO] = { "ellipsis_ratio", TOKENS },
	[LU_M_ALPHA_WORDS] = { "alpha_words", TOKENS },
	[LU_M_STOP_WORDS] = { "stop_words", TOKENS },
	[LU_M_NEWLINE_RATIO] = { "newline_ratio", TOKENS },
	[LU_M_BULLET_LINES] = { "bullet_lines", LINES },
	[LU_M_ELLIPSIS_LINES] = { "ellipsis_lines", LINES },
	[LU_M_DUP_LINES] = { "dup_lines", LINES },
	[LU_M_DUP_LINE_CHARS] = { "dup_line_chars", LINES },
	[LU_M_DUP_PARAS] = { "dup_paras", LINES },
	[LU_M_DUP_PARA_CHARS] = { "dup_para_chars", LINES },
	[LU_M_LINE_PUNCT] = { "line_punct", LINES },
	[LU_M_SHORT_LINES] = { "short_lines", LINES },
	[LU_M_CHAR_DUP_RATIO] = { "char_dup_ratio", LINES },
	[LU_M_TOP_2GRAM] = { "top_2gram", TOKENS | GRAMS },
	[LU_M_TOP_3GRAM] = { "top_3gram", TOKENS | GRAMS },
	[LU_M_TOP_4GRAM] = { "top_4gram", TOKENS | GRAMS },
	[LU_M_DUP_5GRAM] = { "dup_5gram", TOKENS | GRAMS },
	[LU_M_DUP_6GRAM] = { "dup_6gram", TOKENS | GRAMS },
	[LU_M_DUP_7GRAM] = { "dup_7gram", TOKENS | GRAMS },
	[LU_M_DUP_8GRAM] = { "dup_8gram", TOKENS | GRAMS },
	[LU_M_DUP_9GRAM] = { "dup_9gram", TOKENS | GRAMS },
	[LU_M_DUP_10GRAM] = { "dup_10gram", TOKENS | GRAMS },
	[LU_M_SENTENCES] = { "sentences", TEXT },
	[LU_M_CURLY_RATIO] = { "curly_ratio", TEXT },
	[LU_M_LOREM_IPSUM] = { "lorem_ipsum", TEXT },
	[LU_M_MAX_LINE_LENGTH] = { "max_line_length", CODE },
	[LU_M_MEAN_LINE_LENGTH] = { "mean_line_length", CODE },
	[LU_M_ALPHA_RATIO] = { "alpha_ratio", CODE },
	[LU_M_ALNUM_RATIO] = { "alnum_ratio", CODE },
	[LU_M_GENERATED] = { "generated", CODE },
	[LU_M_CHARS] = { "chars", 0 },
	[LU_M_LINES] = { "lines", LINES },
};

const char *lu_measure_name(enum lu_measure m)
{
	return measures[m].name;
}

enum lu_measure lu_measure_find(struct lu_str name)
{
	enum lu_measure m = 0;

	while (m < LU_MEASURES && !lu_str_is(name, measures[m].name))
		m++;
	return m;
}

bool lu_measure_is_count(enum lu_measure m)
{
	static const bool counts[LU_MEASURES] = { [LU_M_WORDS] = true,
		[LU_M_STOP_WORDS] = true,
		[LU_M_SENTENCES] = true,
		[LU_M_LOREM_IPSUM] = true,
		[LU_M_MAX_LINE_LENGTH] = true,
		[LU_M_GENERATED] = true,
		[LU_M_CHARS] = true,
		[LU_M_LINES] = true };

	return counts[m];
}

enum lu_stop_list lu_stop_list(struct lu_str lang)
{
	return lu_str_is(lang, "en")		? LU_STOP_EN
			: lu_str_is(lang, "fr") ? LU_STOP_FR
						: LU_STOP_NONE;
}

struct lu_measurer *lu_measurer_new(struct lu_err *err)
{
	struct lu_measurer *m = calloc(1, sizeof(*m));

	if (m)
		m->class = calloc(0x110000, 1);
	if (!m || !m->class) {
		lu_measurer_free(m);
		lu_err_nomem(err);
		return NULL;
	}
	if (lu_unicode_classes(m->class, err) < 0) {
		lu_measurer_free(m);
		return NULL;
	}
	for (enum lu_stop_list list = 0; list < LU_STOP_LISTS; list++)
		lu_stops_start(&m->stops[list], list);
	return m;
}

void lu_measurer_free(struct lu_measurer *m)
{
	if (!m)
		return;
	free(m->class);
	free(m);
}

void lu_measures_start(const struct lu_measurer *m, struct lu_measures *w, struct lu_str text,
		enum lu_stop_list stop)
{
	w->measurer = m;
	w->text = text;
	w->stop = stop;
	w->chars = lu_utf8_count(text.p, text.n);
	w->done = 0;
	memset(w->value, 0, sizeof(w->value));
	w->value[LU_M_CHARS] = (double)w->chars;
	w->tokens.n = 0;
}

void lu_measures_release(struct lu_measures *w)
{
	lu_vec_release(&w->tokens);
	lu_buf_release(&w->seen);
	lu_buf_release(&w->grams);
}

int lu_measures_get(struct lu_measures *w, enum lu_measure which, double *value, struct lu_err *err)
{
	unsigned todo = measures[which].group & ~w->done;

	if ((todo & TOKENS && lu_measure_tokens(w, err) < 0) ||
			(todo & LINES && lu_measure_lines(w, err) < 0) ||
			(todo & GRAMS && lu_measure_grams(w, err) < 0))
		return -1;
	if (todo & TEXT)
		lu_measure_text(w);
	if (todo & CODE)
		lu_measure_code(w);
	w->done |= todo;
	*value = w->value[which];
	return 0;
}
