#include "libcommon/filter/classifier.h"

#include <stdlib.h>

#include "libcommon/base/suggest.h"
#include "libcommon/langid/fasttext_shim.h"
#include "libcommon/sys/readset.h"

#define LABEL 256
static const char prefix[] = "__label__";

struct lu_classifier {
	struct lu_fasttext *model;
	int label;
	char name[LU_SUGGEST_MAX + 1];
};

/* The beginning of "NAME=..." if it may be a name: letters, digits and '_', no digit first. */
static size_t name_length(const char *given)
{
	size_t n = strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return given[n] == '=' && n > 0 && n <= LU_SUGGEST_MAX && (given[0] < '0' || given[0] > '9')
			? n
			: 0;
}

static int find_label(
		struct lu_classifier *c, const char *file, const char *label, struct lu_err *err)
{
	struct lu_buf all = { 0 };
	char have[LABEL];

	if (strncmp(label, prefix, sizeof(prefix) - 1) == 0)
		label += sizeof(prefix) - 1;
	for (c->label = 0; lu_fasttext_label(c->model, c->label, have, sizeof(have)); c->label++) {
		if (strcmp(have, label) == 0) {
			lu_buf_release(&all);
			return 0;
		}
		if (c->label < 10)
			lu_buf_printf(&all, "%s%s", all.n ? ", " : "", have);
	}
	lu_err_set(err, "%s: no label '%s'; the labels are " LU_STR_FMT "%s", file, label,
			LU_STR_ARG(lu_buf_slice(&all)), c->label > 10 ? ", ..." : "");
	lu_buf_release(&all);
	return -1;
}

static int open_model(
		struct lu_classifier *c, const char *file, const char *label, struct lu_err *err)
{
	char why[256];

	if (lu_readset_add(file, err) < 0)
		return -1;
	c->model = lu_fasttext_open(file, why);
	if (!c->model)
		return lu_err_set(err, "%s: %s", file, why);
	return find_label(c, file, label, err);
}

struct lu_classifier *lu_classifier_new(const char *given, struct lu_err *err)
{
	size_t n = name_length(given);
	const char *rest = n ? given + n + 1 : given, *colon = strrchr(rest, ':');
	struct lu_classifier *c;
	char *file;
	int rc;

	if (!colon || colon == rest || !colon[1]) {
		lu_err_set(err, "'%s' is not FILE:LABEL", given);
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	file = strndup(rest, (size_t)(colon - rest));
	if (!c || !file) {
		free(c);
		free(file);
		lu_err_nomem(err);
		return NULL;
	}
	memcpy(c->name, n ? given : "classifier", n ? n : sizeof("classifier"));
	rc = open_model(c, file, colon + 1, err);
	free(file);
	if (rc == 0)
		return c;
	lu_classifier_free(c);
	return NULL;
}

const char *lu_classifier_name(const struct lu_classifier *c)
{
	return c->name;
}

void lu_classifier_free(struct lu_classifier *c)
{
	if (!c)
		return;
	lu_fasttext_close(c->model);
	free(c);
}

int lu_classifier_score(const struct lu_classifier *c, struct lu_buf *line, struct lu_str text,
		double *score, struct lu_err *err)
{
	*score = 0;
	/* Even of nothing fastText knows the end. */
	if (lu_str_only(text, " \t\r\n"))
		return 0;
	lu_buf_clear(line);
	lu_buf_str(line, text);
	if (lu_buf_check(line, err) < 0)
		return -1;
	for (size_t i = 0; i < line->n; i++) {
		if (line->p[i] == '\n')
			line->p[i] = ' ';
	}
	lu_buf_putc(line, '\n');
	if (lu_buf_check(line, err) < 0)
		return -1;
	if (lu_fasttext_score(c->model, line->p, line->n, c->label, score) < 0)
		return lu_err_nomem(err);
	return 0;
}
