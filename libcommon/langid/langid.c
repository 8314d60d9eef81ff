#include "libcommon/langid/langid.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/langid/cld2_shim.h"
#include "libcommon/langid/fasttext_shim.h"
#include "libcommon/langid/langid_clean.h"
#include "libcommon/langid/langid_spans.h"
#include "libcommon/langid/word_votes.h"
#include "libcommon/sys/readset.h"
#include "libcommon/text/lang_code.h"
#include "libcommon/text/unicode.h"

#define PART_PERCENT 5
#define FEW_LETTERS 8	/* no answer below */
#define MANY_LETTERS 20 /* only sure answers below */
#define GUESS_DENSITY 100
#define GUESS_RIGHT 0.6
#define MODEL_SURE 0.5
#define MODEL_NEAR 0.95
#define MODEL_CERTAIN 0.95 /* a part of the sample is enough */
#define MOSTLY_CODE 3
#define FEW_WORDS 0.03 /* share of common words below which there is no part in their languages */
#define ONE_SHARE 0.95
#define STRONG_POINTS 6	  /* three words */
#define SHORT_SENTENCE 30 /* bytes; CLD2 seldom tells anything of less */
#define REST_PERCENT 30	  /* a smaller rest without a language is not looked into */
#define CLEAR_SHARE 0.67
#define ENGLISH 2 /* how much more of it there must be than of another language */
#define GROWTH 4  /* of the sample where that leaves doubt */
#define LARGEST 16
#define WORDLESS 20 /* words of which one is common in each of the seven languages */

struct lu_langid {
	struct lu_fasttext *model;
	struct lu_lang_cleaning cleaning;
	struct lu_common_words *words; /* NULL: the classifier is always asked */
	struct lu_word_votes *votes;
	struct lu_langid_options o;
};

/* NULL with the reason in *err. */
static struct lu_fasttext *open_model(const char *file, struct lu_err *err)
{
	struct lu_fasttext *model;
	char why[256];

	if (lu_readset_add(file, err) < 0)
		return NULL;
	model = lu_fasttext_open(file, why);
	if (!model)
		lu_err_set(err, "%s: %s", file, why);
	return model;
}

struct lu_langid *lu_langid_new(
		const char *model, const struct lu_langid_options *o, struct lu_err *err)
{
	struct lu_langid *id = calloc(1, sizeof(*id));

	if (!id)
		goto no_memory;
	id->o = *o;
	id->votes = lu_word_votes_new();
	if (!id->votes)
		goto no_memory;
	if (model) {
		id->model = open_model(model, err);
		if (!id->model) {
			lu_langid_free(id);
			return NULL;
		}
		id->cleaning = lu_lang_cleaning_of(id->model);
		return id;
	}
	if (o->min_bytes < o->max_bytes) {
		id->words = lu_common_words_new();
		if (!id->words)
			goto no_memory;
	}
	return id;
no_memory:
	lu_langid_free(id);
	lu_err_nomem(err);
	return NULL;
}

void lu_langid_free(struct lu_langid *id)
{
	if (!id)
		return;
	lu_fasttext_close(id->model);
	lu_common_words_free(id->words);
	lu_word_votes_free(id->votes);
	free(id);
}

void lu_langid_work_release(struct lu_langid_work *w)
{
	lu_lang_sampler_release(&w->sample);
	lu_buf_release(&w->line);
	lu_buf_release(&w->clean);
	lu_common_scan_release(&w->words);
	lu_vec_release(&w->sentences);
	lu_vec_release(&w->stretches);
	lu_vec_release(&w->spans);
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

/* Latn of fra_Latn. */
static void script_of_label(const char *label, char script[5])
{
	const char *mark = strpbrk(label, "_-");

	if (mark && strlen(mark) == 5 && mark[1] >= 'A' && mark[1] <= 'Z')
		memcpy(script, mark + 1, 5);
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

static void detect(struct lu_str s, const char *hint, bool guess, struct lu_cld2 *r)
{
	lu_cld2_detect(s.p, s.n > INT_MAX ? INT_MAX : (int)s.n, hint, guess, r);
}

static bool is_sure(const struct lu_cld2 *r)
{
	return strcmp(r->best, "un") != 0;
}

/* The number of a language in common_words.h; LU_COMMON_LANGS if it is not there. */
static unsigned common_lang(const char *name)
{
	const char *words;
	unsigned i = 0;

	while (i < LU_COMMON_LANGS && strcmp(lu_common_words_list(i, &words), name) != 0)
		i++;
	return i;
}

/* Whether a guess of CLD2 is to be believed. */
static bool is_supported(const struct lu_cld2 *r, const struct lu_vote *vote)
{
	char name[LU_LANG_CODE];

	code_of_cld2(r->code[0], name);
	if (r->density[0] < GUESS_DENSITY)
		return false;
	if (vote->code && vote->points > vote->next && strcmp(vote->code, name) == 0)
		return true;
	return common_lang(name) == LU_COMMON_LANGS;
}

/* A language with common words, and a text without any: a list of names, say. */
static bool lacks_words(const struct lu_lang *l, const struct lu_vote *vote)
{
	unsigned i = l->parts ? common_lang(l->part[0].lang) : LU_COMMON_LANGS;

	return i < LU_COMMON_LANGS && !(vote->seen >> i & 1);
}

static void set_parts(const struct lu_cld2 *r, struct lu_lang *out)
{
	char name[LU_LANG_CODE];
	int rest = 100;

	out->parts = 0;
	for (int i = 0; i < 3; i++) {
		code_of_cld2(r->code[i], name);
		if (r->percent[i] < PART_PERCENT || strcmp(name, "und") == 0)
			continue;
		add_part(out, name, r->percent[i]);
		rest -= r->percent[i];
	}
	if (rest >= PART_PERCENT)
		add_part(out, "und", rest);
}

static bool is_part(const struct lu_lang *l, const char *lang)
{
	for (size_t i = 0; i < l->parts; i++) {
		if (strcmp(l->part[i].lang, lang) == 0)
			return strcmp(lang, "und") != 0;
	}
	return false;
}

/* The language of parts, of which the first is und only if it is the only one. English beside
 * another language is mostly names, menus, terms and code, so it must have twice as much. */
static void set_answer(struct lu_lang *out, double right)
{
	const struct lu_lang_part *a = &out->part[0], *b = &out->part[1];

	if (!out->parts || strcmp(a->lang, "und") == 0)
		return;
	out->score = a->share * right;
	if (out->parts > 1 && strcmp(b->lang, "und") != 0) {
		if (strcmp(a->lang, "en") == 0 && b->share * ENGLISH >= a->share) {
			out->score = b->share * right;
			a = b;
		} else if (strcmp(b->lang, "en") != 0 && lu_lang_is_near(a->share, b->share)) {
			return;
		}
	}
	memcpy(out->lang, a->lang, LU_LANG_CODE);
}

/* The languages of a text, as far as its sentences may choose among them. */
struct choice {
	const struct lu_lang *whole;
	const char *hint; /* what its words say; NULL: nothing */
	bool votes;	  /* words tell all of them apart */
};

static struct choice choice_of(const struct lu_lang *whole, const char *hint)
{
	struct choice c = { whole, hint, true };

	for (size_t i = 0; i < whole->parts; i++) {
		if (strcmp(whole->part[i].lang, "und") != 0 &&
				!lu_word_votes_has(whole->part[i].lang))
			return (struct choice){ whole, NULL, false };
	}
	return c;
}

static void judge_sentence(const struct lu_langid *id, struct lu_str s, const struct choice *c,
		struct lu_lang_span *span)
{
	struct lu_vote vote = { 0 };
	char name[LU_LANG_CODE];
	struct lu_cld2 r;

	if (c->votes)
		vote = lu_word_votes_count(id->votes, s);
	if (lu_vote_is_clear(&vote)) {
		memcpy(name, vote.code, strlen(vote.code) + 1);
	} else if (s.n < SHORT_SENTENCE) {
		memcpy(name, "und", 4);
	} else {
		detect(s, NULL, false, &r);
		code_of_cld2(r.best, name);
	}
	span->open = !is_part(c->whole, name) && !(c->hint && strcmp(name, c->hint) == 0);
	memcpy(span->lang, span->open ? "und" : name, span->open ? 4 : LU_LANG_CODE);
}

/* Whether a letter is of a script other than Latin, by its first bytes; see Scripts.txt. */
static bool is_foreign(const char *p)
{
	unsigned char b = (unsigned char)p[0], next = (unsigned char)p[b >= 0x80];

	return b >= 0xCD && !(b == 0xE1 && next >= 0xB8 && next < 0xBC) && b != 0xE2;
}

/* The end of a sentence: a line feed, or a word in another script, Latin or not, than the first. */
static size_t sentence_end(struct lu_str s, size_t at)
{
	bool foreign = is_foreign(s.p + at);

	for (size_t i = at; i < s.n; i++) {
		if (s.p[i] == '\n' ||
				(s.p[i] == ' ' && i + 1 < s.n &&
						is_foreign(s.p + i + 1) != foreign))
			return i + 1;
	}
	return s.n;
}

/* Two languages, or one and much that has none. */
static bool is_mixed(const struct lu_lang *l)
{
	const struct lu_lang_part *last = &l->part[l->parts - 1];

	return l->parts > 2 ||
			(l->parts == 2 &&
					(strcmp(last->lang, "und") != 0 ||
							last->share * 100 >= REST_PERCENT));
}

/* Replace the shares of CLD2 by those of the sentences, if there are several and most of them tell. */
static int share_by_sentences(const struct lu_langid *id, struct lu_langid_work *work,
		const char *hint, struct lu_lang *out, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&work->sample.out);
	struct choice choice = choice_of(out, hint);
	size_t open = 0;

	work->sentences.n = 0;
	for (size_t at = 0, next; at < s.n; at = next) {
		struct lu_lang_span span = { .at = at };

		next = sentence_end(s, at);
		span.n = next - at;
		judge_sentence(id, (struct lu_str){ s.p + at, span.n }, &choice, &span);
		open += span.open ? span.n : 0;
		if (!lu_vec_push(&work->sentences, span))
			return lu_err_nomem(err);
	}
	if (work->sentences.n < 2 || open * 2 > s.n) {
		set_answer(out, 1);
		return 0;
	}
	lu_lang_spans_fill(&work->sentences);
	if (lu_lang_spans_share(&work->sentences, out, err) < 0)
		return -1;
	set_answer(out, 1);
	return 0;
}

/* A language other than that of the whole, which the words of sentences with a tenth of the text or more
 * clearly say; NULL: there is none. CLD2 takes sentences of two languages in turn for one. */
static const char *other_language(const struct lu_langid *id, struct lu_str s, const char *lang)
{
	const char *other = NULL;
	size_t bytes = 0;

	if (!lu_word_votes_has(lang))
		return NULL;
	for (size_t at = 0, next; at < s.n; at = next) {
		struct lu_vote v;

		next = sentence_end(s, at);
		v = lu_word_votes_count(id->votes, (struct lu_str){ s.p + at, next - at });
		if (v.points < STRONG_POINTS || v.next * 2 > v.points || strcmp(v.code, lang) == 0)
			continue;
		other = other ? other : v.code;
		bytes += strcmp(v.code, other) == 0 ? next - at : 0;
	}
	return bytes * 10 >= s.n ? other : NULL;
}

static int use_cld2(const struct lu_langid *id, struct lu_langid_work *work, struct lu_lang *out,
		struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&work->sample.out);
	struct lu_vote vote = lu_word_votes_count(id->votes, s);
	const char *hint = lu_vote_is_clear(&vote) ? vote.code : NULL, *other;
	struct lu_cld2 r;

	detect(s, hint, false, &r);
	if (is_sure(&r)) {
		set_parts(&r, out);
		if (work->sample.words >= WORDLESS && lacks_words(out, &vote))
			return 0;
		if (is_mixed(out))
			return share_by_sentences(id, work, hint, out, err);
		other = out->parts ? other_language(id, s, out->part[0].lang) : NULL;
		if (other)
			return share_by_sentences(id, work, other, out, err);
		set_answer(out, 1);
		return 0;
	}
	if (work->sample.letters < MANY_LETTERS)
		return 0;
	set_parts(&r, out);
	if (is_mixed(out) && strcmp(out->part[1].lang, "und") != 0)
		return share_by_sentences(id, work, hint, out, err);
	detect(s, hint, true, &r);
	if (is_supported(&r, &vote)) {
		set_parts(&r, out);
		set_answer(out, GUESS_RIGHT);
	}
	return 0;
}

static int use_fasttext(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_lang *out, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&work->sample.out);
	char label[64];
	double next = 0;
	int rc;

	if (lu_lang_clean(&id->cleaning, s, &work->line, &work->clean, err) < 0)
		return -1;
	/* fastText adds its end-of-line token only at a newline, and the score depends on it. */
	lu_buf_putc(&work->clean, '\n');
	if (lu_buf_check(&work->clean, err) < 0)
		return -1;
	rc = lu_fasttext_predict(id->model, work->clean.p, work->clean.n, label, sizeof(label),
			&out->score, &next);
	if (rc < 0)
		return lu_err_nomem(err);
	/* Rounding makes some probabilities slightly larger than 1. */
	out->score = out->score > 1 ? 1 : out->score;
	if (rc == 0 || next > MODEL_NEAR * out->score ||
			(work->sample.letters < MANY_LETTERS && out->score < MODEL_SURE))
		return 0;
	code_of_label(label, out->lang);
	script_of_label(label, out->script);
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

/* Whether the words of the sample say that it is in this language. */
static bool is_prose(const struct lu_langid *id, const struct lu_lang_sampler *s, const char *lang)
{
	struct lu_vote vote = lu_word_votes_count(id->votes, lu_buf_slice(&s->out));

	return lu_vote_is_clear(&vote) && strcmp(vote.code, lang) == 0;
}

/* Ask the classifier about a sample of at most `bytes`. *open: there was too little in it. */
static int ask_classifier(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str text, size_t bytes, struct lu_lang *out, bool *open,
		struct lu_err *err)
{
	struct lu_lang_sampler *s = &work->sample;

	*out = (struct lu_lang){ .lang = "und" };
	lu_lang_sample(s, text, bytes, id->model != NULL);
	if (lu_buf_check(&s->out, err) < 0)
		return -1;
	*open = s->letters < MANY_LETTERS && s->left_out <= s->words;
	if (s->letters < FEW_LETTERS || s->left_out > MOSTLY_CODE * s->words)
		return 0;
	if ((id->model ? use_fasttext(id, work, out, err) : use_cld2(id, work, out, err)) < 0)
		return -1;
	/* What program code leaves looks like English, or like anything. */
	if (s->left_out > s->words && (strcmp(out->lang, "en") == 0 || !is_prose(id, s, out->lang)))
		memcpy(out->lang, "und", 4);
	return 0;
}

/* No language, or one of several with less than two thirds of the text. */
static bool is_doubtful(const struct lu_lang *l)
{
	return strcmp(l->lang, "und") == 0 || (l->parts > 1 && l->score < CLEAR_SHARE);
}

/* Ask CLD2 about a part of what the words were counted in, where these are few or of one language
 * only. *sure: it finds one language, which is the one that the words are of. */
static int ask_little(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, bool *sure, struct lu_err *err)
{
	double any;
	const char *only = lu_common_words_only(&work->words, &any);
	bool open;

	if (!only && any > FEW_WORDS)
		return 0;
	if (ask_classifier(id, work, text, id->o.max_bytes / GROWTH, out, &open, err) < 0)
		return -1;
	*sure = out->parts == 1 && out->score >= ONE_SHARE &&
			(!only || strcmp(out->lang, only) == 0);
	return 0;
}

/* Add what the classifier says about a stretch of text: a span for each part. */
static int judge_stretch(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str text, struct lu_lang_spans *spans, struct lu_err *err)
{
	struct lu_lang l;
	bool open;

	if (ask_classifier(id, work, text, id->o.max_bytes, &l, &open, err) < 0)
		return -1;
	if (l.parts == 0)
		l.part[l.parts++] = (struct lu_lang_part){ "und", 1 };
	for (size_t i = 0; i < l.parts; i++) {
		struct lu_lang_span span = { .n = (size_t)((double)text.n * l.part[i].share),
			.open = strcmp(l.part[i].lang, "und") == 0 };

		memcpy(span.lang, l.part[i].lang, LU_LANG_CODE);
		if (!lu_vec_push(spans, span))
			return lu_err_nomem(err);
	}
	return 0;
}

/* Cut a window at the stretches in it, of which `first` words came before. */
static int judge_window(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str window, const char *lang, size_t *first,
		const struct lu_common_stretch *stretch, size_t n, struct lu_err *err)
{
	size_t words, at = 0;

	(void)lu_common_words_offset(window, SIZE_MAX, &words);
	for (size_t i = 0; i < n; i++) {
		size_t from = stretch[i].from < *first ? 0 : stretch[i].from - *first;
		size_t to = stretch[i].to < *first ? 0 : stretch[i].to - *first, ignored;
		struct lu_lang_span own = { .at = at };

		if (to == 0 || from >= words)
			continue;
		from = lu_common_words_offset(window, from, &ignored);
		to = lu_common_words_offset(window, to, &ignored);
		own.n = from - at;
		memcpy(own.lang, lang, strlen(lang) + 1);
		if (!lu_vec_push(&work->stretches, own))
			return lu_err_nomem(err);
		if (judge_stretch(id, work, (struct lu_str){ window.p + from, to - from },
				    &work->stretches, err) < 0)
			return -1;
		at = to;
	}
	if (!lu_vec_push(&work->stretches, (struct lu_lang_span){ .at = at, .n = window.n - at }))
		return lu_err_nomem(err);
	memcpy(work->stretches.p[work->stretches.n - 1].lang, lang, strlen(lang) + 1);
	*first += words;
	return 0;
}

/* Ask the classifier only about the stretches that are not in the language of the common words. */
static int ask_stretches(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str text, struct lu_lang *out, bool *sure, struct lu_err *err)
{
	struct lu_common_stretch stretch[LU_COMMON_STRETCHES];
	struct lu_str window[LU_LANG_WINDOWS];
	size_t n, windows, first = 0;
	const char *lang = lu_common_words_stretches(&work->words, stretch, &n);

	*sure = lang != NULL;
	if (!lang)
		return 0;
	work->stretches.n = 0;
	windows = lu_lang_windows(text, id->o.max_bytes, window);
	for (size_t i = 0; i < windows; i++) {
		if (judge_window(id, work, window[i], lang, &first, stretch, n, err) < 0)
			return -1;
	}
	lu_lang_spans_fill(&work->stretches);
	if (lu_lang_spans_share(&work->stretches, out, err) < 0)
		return -1;
	set_answer(out, 1);
	return 0;
}

static int judge(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, bool *open, struct lu_err *err)
{
	size_t most = id->o.max_bytes;
	bool sure = false;

	*out = (struct lu_lang){ .lang = "und" };
	*open = false;
	if (id->words && text.n >= id->o.min_bytes &&
			ask_words(id, work, text, out, &sure, err) < 0)
		return -1;
	if (sure)
		return 0;
	if (id->words && text.n >= id->o.min_bytes &&
			ask_stretches(id, work, text, out, &sure, err) < 0)
		return -1;
	if (!sure && id->words && text.n >= id->o.min_bytes && text.n > most / GROWTH) {
		if (ask_little(id, work, text, out, &sure, err) < 0)
			return -1;
	}
	if (id->model && text.n > most / GROWTH) {
		if (ask_classifier(id, work, text, most / GROWTH, out, open, err) < 0)
			return -1;
		sure = strcmp(out->lang, "und") != 0 && out->score >= MODEL_CERTAIN;
	}
	for (size_t bytes = most; !sure; bytes *= GROWTH) {
		if (ask_classifier(id, work, text, bytes, out, open, err) < 0)
			return -1;
		sure = text.n <= bytes || bytes >= most * LARGEST || !is_doubtful(out);
	}
	if (out->score < id->o.min_score)
		memcpy(out->lang, "und", 4);
	return 0;
}

int lu_langid_text(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, struct lu_err *err)
{
	bool open;

	return judge(id, work, text, out, &open, err);
}

int lu_langid_paragraphs(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str text, struct lu_lang *out, struct lu_err *err)
{
	if (!lu_lang_spans_cut(&work->spans, text))
		return lu_err_nomem(err);
	for (size_t i = 0; i < work->spans.n; i++) {
		struct lu_lang_span *span = &work->spans.p[i];
		struct lu_str s = { text.p + span->at, span->n };

		if (judge(id, work, s, out, &span->open, err) < 0)
			return -1;
		span->open = span->open && strcmp(out->lang, "und") == 0;
		memcpy(span->lang, out->lang, LU_LANG_CODE);
	}
	lu_lang_spans_fill(&work->spans);
	if (lu_lang_spans_share(&work->spans, out, err) < 0)
		return -1;
	set_answer(out, 1);
	lu_lang_spans_join(&work->spans);
	if (out->score < id->o.min_score)
		memcpy(out->lang, "und", 4);
	return 0;
}
