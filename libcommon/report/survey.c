#include "libcommon/report/survey.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"

int lu_survey_stage(struct lu_survey *s, const char *name, size_t *stage, struct lu_err *err)
{
	struct lu_survey_stage new = { .name = NULL };

	for (*stage = 0; *stage < s->stage.n; ++*stage) {
		if (strcmp(s->stage.p[*stage].name, name) == 0)
			return 0;
	}
	new.name = strdup(name);
	if (new.name && lu_vec_push(&s->stage, new))
		return 0;
	free(new.name);
	return lu_err_nomem(err);
}

/* --- one document ------------------------------------------------------------------------- */

/* What is counted of a document. */
struct found {
	struct lu_census_size size;
	struct lu_sample sample;
};

static int measure(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct found *f = lu_arena_alloc(doc->arena, sizeof(*f));
	const struct lu_json_member *m = lu_json_get(&doc->obj, "tokens");

	(void)ctx, (void)local;
	if (!f)
		return lu_err_nomem(err);
	*f = (struct found){ .size.bytes = doc->text.n,
		.size.characters = lu_utf8_count(doc->text.p, doc->text.n) };
	f->size.has_tokens = m && lu_json_u64(m, &f->size.tokens);
	lu_doc_string(doc, "lang", &f->sample.lang);
	lu_doc_string(doc, "id", &f->sample.id);
	lu_doc_string(doc, "source", &f->sample.source);
	lu_doc_string(doc, "license", &f->sample.license);
	f->sample.text = doc->text;
	f->sample.characters = f->size.characters;
	f->sample.hash = lu_sample_hash(f->sample.id, doc->text);
	doc->user = f;
	return 0;
}

static int add(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_survey_stage *s = ctx;
	const struct found *f = doc->user;
	uint64_t n = f->size.characters;
	struct lu_str lang = f->sample.lang.n ? f->sample.lang : LU_STR("none");

	if (lu_census_add(&s->census, lang, &f->size, err) < 0 ||
			lu_by_name_add(&s->lang, lang, 1, n, err) < 0 ||
			lu_by_name_add(&s->source, f->sample.source, 1, n, err) < 0 ||
			lu_by_name_add(&s->license, f->sample.license, 1, n, err) < 0)
		return -1;
	return lu_samples_add(&s->kept, lang, &f->sample, err);
}

int lu_survey_count(struct lu_survey_stage *stage, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = {
		.ctx = stage, .map = measure, .decide = add, .flags = LU_DOCSTREAM_SILENT
	};

	return lu_docstream_run(&ds, std, args, err);
}

/* --- lists -------------------------------------------------------------------------------- */

/* Count the files of the list that belong to one stage. */
static int count_stage(struct lu_survey_stage *s, const struct lu_list *list,
		const struct lu_std *std, const struct lu_args *all, struct lu_err *err)
{
	struct lu_args args = *all;
	size_t n = strlen(s->name);
	int rc = -1;

	args.files = 0;
	args.file = calloc(list->n, sizeof(*args.file));
	if (!args.file)
		return lu_err_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->item[i];

		if (strncmp(item, s->name, n) != 0 || item[n] != '=')
			continue;
		args.file[args.files] = strdup(item + n + 1);
		if (!args.file[args.files++]) {
			lu_err_nomem(err);
			goto out;
		}
	}
	rc = lu_survey_count(s, std, &args, err);
out:
	for (size_t i = 0; i < args.files; i++)
		free(args.file[i]);
	free(args.file);
	return rc;
}

static void sort(struct lu_survey_stage *s)
{
	lu_census_sort(&s->census);
	lu_by_name_sort(&s->lang);
	lu_by_name_sort(&s->source);
	lu_by_name_sort(&s->license);
	lu_samples_sort(&s->kept);
}

int lu_survey_read(struct lu_survey *s, const struct lu_list *list, size_t samples,
		const struct lu_std *std, const struct lu_args *args, struct lu_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->item[i], *equals = strchr(item, '=');
		char *name;
		size_t stage;
		int rc;

		if (!equals || equals == item || !equals[1])
			return lu_err_set(err, "'%s' is not STAGE=FILE", item);
		name = strndup(item, (size_t)(equals - item));
		rc = name ? lu_survey_stage(s, name, &stage, err) : lu_err_nomem(err);
		free(name);
		if (rc < 0)
			return -1;
	}
	for (size_t i = 0; i < s->stage.n; i++) {
		s->stage.p[i].kept.each = i + 1 == s->stage.n ? samples : 0;
		if (count_stage(&s->stage.p[i], list, std, args, err) < 0)
			return -1;
		sort(&s->stage.p[i]);
	}
	return 0;
}

void lu_survey_release(struct lu_survey *s)
{
	for (size_t i = 0; i < s->stage.n; i++) {
		struct lu_survey_stage *p = &s->stage.p[i];

		free(p->name);
		lu_census_release(&p->census);
		lu_by_name_release(&p->lang);
		lu_by_name_release(&p->source);
		lu_by_name_release(&p->license);
		lu_samples_release(&p->kept);
	}
	lu_vec_release(&s->stage);
}
