/*
 * bench_lang.c: how fast and how well the language of documents is found, beside CLD2 and fastText
 * by themselves.
 *
 *	bench_lang [-s BYTES] [-m MODEL] DOCUMENTS.jsonl...
 *
 * With -s the texts of each language (member "lang_true", else "lang") are put behind each other and
 * cut to documents of that size. One thread, the best of three rounds. A line for each identifier: MB of
 * text a second of processor time, and the percentage of documents with the right language.
 *	lucie		lu_langid_text() with CLD2
 *	cld2		CLD2 on the whole text, and the first of its languages
 *	lucie+model	lu_langid_text() with the model
 *	fasttext	the model on the whole text in lower case
 * tests/bench/lang.sh runs it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/langid/cld2_shim.h"
#include "libcommon/langid/fasttext_shim.h"
#include "libcommon/langid/langid.h"
#include "libcommon/text/unicode.h"

#define ROUNDS 3

struct sample {
	size_t at, n;
	char lang[LU_LANG_CODE];
};

struct bench {
	struct lu_buf text;
	struct LU_VEC(struct sample) docs;
	struct lu_langid *own, *with_model;
	struct lu_fasttext *model;
	struct lu_langid_work work;
	struct lu_buf lower;
};

static void stop(const char *why)
{
	fprintf(stderr, "bench_lang: %s\n", why);
	exit(2);
}

static struct lu_str member(const struct lu_json_obj *obj, const char *name, struct lu_arena *a)
{
	const struct lu_json_member *m = lu_json_get(obj, name);
	struct lu_str s = { "", 0 };

	if (m && m->type == LU_JSON_STRING && lu_json_decode_known(m->value, m->escaped, a, &s) < 0)
		stop("out of memory");
	return s;
}

/* Begin a document, or go on with one that is still too small. */
static void add(struct bench *b, struct lu_str text, struct lu_str lang, size_t size)
{
	struct sample *last = b->docs.n ? &b->docs.p[b->docs.n - 1] : NULL;

	if (!last || !lu_str_is(lang, last->lang) || last->n >= size) {
		if (lang.n == 0 || lang.n >= LU_LANG_CODE)
			return;
		if (!lu_vec_push(&b->docs, (struct sample){ .at = b->text.n }))
			stop("out of memory");
		last = &b->docs.p[b->docs.n - 1];
		memcpy(last->lang, lang.p, lang.n);
	}
	if (size && last->n + text.n > size) {
		text.n = size - last->n;
		while (text.n && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
			text.n--;
	}
	lu_buf_str(&b->text, text);
	lu_buf_putc(&b->text, '\n');
	last->n = size && b->text.n - last->at >= size ? size : b->text.n - last->at;
	while (((unsigned char)b->text.p[last->at + last->n - 1] & 0xC0) == 0x80 && last->n < size)
		last->n++;
}

static void read_documents(struct bench *b, char **files, size_t n, size_t size)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_str line;
	struct lu_err err;
	int rc;

	if (lu_lines_open(&lines, files, n, UINT64_MAX, &err) < 0)
		stop(err.msg);
	while ((rc = lu_lines_read(&lines, &slab, &err)) > 0) {
		for (; lu_slab_next(&slab, &line); lu_arena_reset(&arena)) {
			struct lu_str lang;

			if (lu_json_object(line, &arena, &obj, &fault) < 0)
				stop("not JSON");
			lang = member(&obj, "lang_true", &arena);
			add(b, member(&obj, "text", &arena),
					lang.n ? lang : member(&obj, "lang", &arena), size);
		}
	}
	if (rc < 0 || lu_buf_check(&b->text, &err) < 0)
		stop(err.msg);
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&arena);
}

typedef void (*identify)(struct bench *b, struct lu_str text, char lang[64]);

static void by(struct bench *b, const struct lu_langid *id, struct lu_str text, char lang[64])
{
	struct lu_lang l;
	struct lu_err err;

	if (lu_langid_text(id, &b->work, text, &l, &err) < 0)
		stop(err.msg);
	memcpy(lang, l.lang, LU_LANG_CODE);
}

static void lucie(struct bench *b, struct lu_str text, char lang[64])
{
	by(b, b->own, text, lang);
}

static void lucie_model(struct bench *b, struct lu_str text, char lang[64])
{
	by(b, b->with_model, text, lang);
}

static void cld2(struct bench *b, struct lu_str text, char lang[64])
{
	struct lu_cld2 r;

	(void)b;
	lu_cld2_detect(text.p, (int)text.n, NULL, false, &r);
	(void)snprintf(lang, 64, "%s", strcmp(r.best, "un") == 0 ? "und" : r.best);
}

static void fasttext(struct bench *b, struct lu_str text, char lang[64])
{
	double score, next;
	struct lu_err err;

	lu_buf_clear(&b->lower);
	if (lu_unicode_lower(text, &b->lower, &err) < 0)
		stop(err.msg);
	for (size_t i = 0; i < b->lower.n; i++)
		b->lower.p[i] = b->lower.p[i] == '\n' ? ' ' : b->lower.p[i];
	lu_buf_putc(&b->lower, '\n');
	if (lu_fasttext_predict(b->model, b->lower.p, b->lower.n, lang, 64, &score, &next) < 1)
		memcpy(lang, "und", 4);
}

static bool is_right(const char *lang, const char *said)
{
	char code[LU_LANG_CODE];

	return lu_unicode_language(said, code, sizeof(code)) && strcmp(code, lang) == 0;
}

static void measure(struct bench *b, const char *name, identify f)
{
	double best = 1e30;
	uint64_t right = 0;
	size_t bytes = 0;

	for (int round = 0; round < ROUNDS; round++) {
		clock_t from = clock();
		double t;

		right = bytes = 0;
		for (size_t i = 0; i < b->docs.n; i++) {
			const struct sample *d = &b->docs.p[i];
			char lang[64];

			f(b, (struct lu_str){ b->text.p + d->at, d->n }, lang);
			right += is_right(d->lang, lang);
			bytes += d->n;
		}
		t = (double)(clock() - from) / CLOCKS_PER_SEC;
		best = t < best ? t : best;
	}
	printf("%-12s %8.1f MB/s  %6.2f %% of %zu documents, %.0f bytes each\n", name,
			(double)bytes / best / 1e6, 100.0 * (double)right / (double)b->docs.n,
			b->docs.n, (double)bytes / (double)b->docs.n);
}

int main(int argc, char **argv)
{
	static const struct lu_langid_options o = { 256, 4096, 0.1 };
	struct bench b = { .docs = { 0 } };
	const char *model = NULL;
	size_t size = 0;
	char why[256];
	struct lu_err err;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (argv[i][1] == 'm')
			model = argv[i + 1];
		else
			size = strtoul(argv[i + 1], NULL, 10);
	}
	if (i == argc) {
		puts("run by lang.sh");
		return 0;
	}
	read_documents(&b, argv + i, (size_t)(argc - i), size);
	if (b.docs.n == 0)
		stop("no documents");
	b.own = lu_langid_new(NULL, &o, &err);
	if (!b.own)
		stop(err.msg);
	measure(&b, "lucie", lucie);
	measure(&b, "cld2", cld2);
	if (model) {
		b.model = lu_fasttext_open(model, why);
		b.with_model = b.model ? lu_langid_new(model, &o, &err) : NULL;
		if (!b.with_model)
			stop(b.model ? err.msg : why);
		measure(&b, "lucie+model", lucie_model);
		measure(&b, "fasttext", fasttext);
	}
	lu_langid_free(b.own);
	lu_langid_free(b.with_model);
	lu_fasttext_close(b.model);
	lu_langid_work_release(&b.work);
	lu_buf_release(&b.lower);
	lu_buf_release(&b.text);
	lu_vec_release(&b.docs);
	return 0;
}
