#include "libcommon/langid/langid.h"

#include <limits.h>
#include <stdlib.h>

#include "libcommon/langid/cld2_shim.h"
#include "libcommon/langid/fasttext_shim.h"
#include "libcommon/langid/langid_sample.h"
#include "libcommon/sys/readset.h"
#include "libcommon/text/lang_code.h"
#include "libcommon/text/unicode.h"

#define PART_PERCENT 5
struct lu_langid {
	struct lu_fasttext *model;
	struct lu_common_words *words; /* NULL: the classifier is always asked */
	struct lu_langid_options o;
};

struct lu_langid *lu_langid_new(
		const char *model, const struct lu_langid_options *o, struct lu_err *err)
{
	struct lu_langid *id = calloc(1, sizeof(*id));
	char why[256];

	if (!id) {
		lu_err_nomem(err);
		return NULL;
	}
	id->o = *o;
	if (!model && o->min_bytes < o->max_bytes) {
		id->words = lu_common_words_new();
		if (!id->words) {
			free(id);
			lu_err_nomem(err);
			return NULL;
		}
	}
	if (model) {
		bool input = lu_readset_add(model, err) == 0;

		id->model = input ? lu_fasttext_open(model, why) : NULL;
		if (input && !id->model)
			lu_err_set(err, "%s: %s", model, why);
		if (!id->model) {
			free(id);
			return NULL;
		}
	}
	return id;
}

void lu_langid_free(struct lu_langid *id)
{
	if (!id)
		return;
	lu_fasttext_close(id->model);
	lu_common_words_free(id->words);
	free(id);
}

void lu_langid_work_release(struct lu_langid_work *w)
{
	lu_buf_release(&w->sample);
	lu_buf_release(&w->lower);
	lu_common_scan_release(&w->words);
}

/* CLD2 returns "xx-Latn" and the like for a script without a known language. */
static void code_of_cld2(const char *code, char out[LU_LANG_CODE])
{
	if (strcmp(code, "un") == 0 || strncmp(code, "xx", 2) == 0 ||
			!lu_unicode_language(code, out, LU_LANG_CODE))
		memcpy(out, "und", 4);
}

static void code_of_label(const char *label, char out[LU_LANG_CODE])
{
	if (!lu_unicode_language(label, out, LU_LANG_CODE))
		memcpy(out, "und", 4);
}

static void add_part(struct lu_lang *out, const char *lang, int percent)
{
	for (size_t i = 0; i < out->parts; i++) {
		if (strcmp(out->part[i].lang, lang) == 0) {
			out->part[i].share += percent / 100.0;
			return;
		}
	}
	memcpy(out->part[out->parts].lang, lang, strlen(lang) + 1);
	out->part[out->parts++].share = percent / 100.0;
}

static void use_cld2(struct lu_str s, struct lu_lang *out)
{
	struct lu_cld2 r;
	char name[LU_LANG_CODE];
	int rest = 100;

	lu_cld2_detect(s.p, s.n > INT_MAX ? INT_MAX : (int)s.n, &r);
	for (int i = 0; i < 3; i++) {
		code_of_cld2(r.code[i], name);
		if (r.percent[i] < PART_PERCENT || strcmp(name, "und") == 0)
			continue;
		add_part(out, name, r.percent[i]);
		rest -= r.percent[i];
	}
	if (out->parts && r.reliable) {
		memcpy(out->lang, out->part[0].lang, LU_LANG_CODE);
		out->score = out->part[0].share;
	}
	if (rest >= PART_PERCENT)
		add_part(out, "und", rest);
}

static int use_fasttext(const struct lu_langid *id, struct lu_buf *lower, struct lu_lang *out,
		struct lu_err *err)
{
	char label[64];
	int rc;

	/* fastText adds its end-of-line token only at a newline, and the score depends on it. */
	lu_buf_putc(lower, '\n');
	if (lu_buf_check(lower, err) < 0)
		return -1;
	rc = lu_fasttext_predict(id->model, lower->p, lower->n, label, sizeof(label), &out->score);
	if (rc < 0)
		return lu_err_nomem(err);
	if (rc == 0)
		return 0;
	/* Rounding makes some probabilities slightly larger than 1. */
	out->score = out->score > 1 ? 1 : out->score;
	code_of_label(label, out->lang);
	return 0;
}

/* Answer i of the classifier; false past the last. */
static bool answer(const struct lu_langid *id, int i, char code[LU_LANG_CODE])
{
	char label[64];
	const char *own;

	if (id->model) {
		if (!lu_fasttext_label(id->model, i, label, sizeof(label)))
			return false;
		code_of_label(label, code);
		return true;
	}
	own = lu_cld2_code(i);
	if (own)
		code_of_cld2(own, code);
	return own != NULL;
}

static bool can_answer(const struct lu_langid *id, struct lu_str code)
{
	char name[LU_LANG_CODE];

	if (lu_str_is(code, "und"))
		return true;
	for (int i = 0; answer(id, i, name); i++) {
		if (lu_str_is(code, name))
			return true;
	}
	return false;
}

int lu_langid_check(const struct lu_langid *id, struct lu_str code, struct lu_err *err)
{
	char meant[LU_LANG_CODE_MAX];

	if (can_answer(id, code))
		return 0;
	lu_lang_code_meant(code, meant);
	if (*meant && can_answer(id, lu_str_of(meant)))
		return lu_err_set(err, "unknown language '" LU_STR_FMT "', did you mean '%s'",
				LU_STR_ARG(code), meant);
	return lu_err_set(err, "unknown language '" LU_STR_FMT "': %s", LU_STR_ARG(code),
			id->model ? "the model has no such label"
				  : "CLD2 does not tell it; codes are those of ISO 639 such as fr");
}

/* A sample of at most `bytes` in work->sample, in lower case in work->lower. */
static int sample(struct lu_langid_work *work, struct lu_str text, size_t bytes,
		struct lu_lang_sample *s, struct lu_err *err)
{
	lu_buf_clear(&work->sample);
	lu_buf_clear(&work->lower);
	lu_lang_sample(text, bytes, &work->sample, s);
	return lu_buf_check(&work->sample, err);
}

/* Let the common words answer where they leave no doubt; *sure says whether they do. */
static int ask_words(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, bool *sure, struct lu_err *err)
{
	const char *code;
	double share;

	if (lu_lang_sample_words(id->words, text, id->o.max_bytes, &work->words, err) < 0)
		return -1;
	code = lu_common_words_judge(&work->words, &share);
	*sure = code && share >= id->o.min_score;
	if (!*sure)
		return 0;
	memcpy(out->lang, code, strlen(code) + 1);
	out->score = share;
	add_part(out, code, 100);
	out->part[0].share = share;
	return 0;
}

int lu_langid_text(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, struct lu_err *err)
{
	struct lu_lang_sample s;
	bool sure = false;

	*out = (struct lu_lang){ .lang = "und" };
	if (id->words && text.n >= id->o.min_bytes &&
			ask_words(id, work, text, out, &sure, err) < 0)
		return -1;
	if (sure)
		return 0;
	if (sample(work, text, id->o.max_bytes, &s, err) < 0)
		return -1;
	if (s.letters < LU_LANG_MIN_LETTERS || s.left_out > s.words)
		return 0;
	if (lu_unicode_lower(lu_buf_slice(&work->sample), &work->lower, err) < 0)
		return -1;
	if (!id->model)
		use_cld2(lu_buf_slice(&work->lower), out);
	else if (use_fasttext(id, &work->lower, out, err) < 0)
		return -1;
	if (out->score < id->o.min_score)
		memcpy(out->lang, "und", 4);
	return 0;
}
