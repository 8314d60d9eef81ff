/* lu_langid_text() and lu_langid_paragraphs(): the first byte selects sizes, the rest is the text. Samples
 * are valid UTF-8 and no longer than their windows, shares add up, paragraphs cover the text, and the
 * answer is the same a second time. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/langid/langid.h"
#include "libcommon/text/lang_label.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_answer(const struct lu_lang *l)
{
	double sum = 0;

	for (size_t i = 0; i < l->parts; i++)
		sum += l->part[i].share;
	check(l->parts <= 4 && sum < 1.03 && l->score >= 0 && l->score <= 1);
}

static void check_samples(struct lu_str text, size_t max_bytes)
{
	struct lu_lang_sampler s = { 0 };
	struct lu_str window[LU_LANG_WINDOWS];
	size_t most = 0, words, n = lu_lang_windows(text, max_bytes, window);

	for (size_t i = 0; i < n; i++) {
		most += window[i].n;
		check(lu_common_words_offset(window[i], SIZE_MAX, &words) == window[i].n);
	}
	for (int raw = 0; raw < 2; raw++) {
		lu_lang_sample(&s, text, max_bytes, raw);
		check(s.out.n <= 2 * most + 8 && lu_utf8_valid(s.out.p, s.out.n) == s.out.n);
	}
	lu_lang_sampler_release(&s);
}

static void check_paragraphs(const struct lu_lang_spans *spans, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < spans->n; i++) {
		check(spans->p[i].at == at && spans->p[i].n > 0);
		at += spans->p[i].n;
	}
	check(at == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_langid_options o = { .min_bytes = 256, .max_bytes = 4096, .min_score = 0.1 };
	struct lu_langid_work work = { 0 };
	struct lu_scripts scripts = { 0 };
	struct lu_langid *id;
	struct lu_lang one, two;
	char label[LU_LANG_LABEL];
	struct lu_str text;
	struct lu_err err;

	if (size < 1)
		return 0;
	o.max_bytes = data[0] & 1 ? 256 : 4096;
	o.min_bytes = data[0] & 2 ? 4096 : 256;
	text = (struct lu_str){ (const char *)data + 1, size - 1 };
	text.n = lu_utf8_valid(text.p, text.n);
	id = lu_langid_new(NULL, &o, &err);
	check(id && lu_langid_text(id, &work, text, &one, &err) == 0);
	check_answer(&one);
	check_samples(text, o.max_bytes);
	check(lu_langid_paragraphs(id, &work, text, &two, &err) == 0);
	check_answer(&two);
	check_paragraphs(&work.spans, text.n);
	check(lu_langid_text(id, &work, text, &two, &err) == 0);
	check(strcmp(one.lang, two.lang) == 0 && one.score == two.score && one.parts == two.parts);
	lu_scripts_count(&scripts, text);
	lu_lang_label(one.lang, &scripts, label);
	lu_langid_work_release(&work);
	lu_langid_free(id);
	return 0;
}
