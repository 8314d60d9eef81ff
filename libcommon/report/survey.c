#include "libcommon/report/survey.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/report/domain.h"
#include "libcommon/shard/ledger.h"

int lu_survey_begin(struct lu_survey_stage *s, const char *name, size_t top,
		const struct lu_std *std, struct lu_err *err)
{
	struct lu_census_room room = {
		.memory = std->memory / LU_CENSUS_WHATS, .tmpdir = std->tmpdir, .top = top
	};

	*s = (struct lu_survey_stage){ .name = strdup(name) };
	for (int i = 0; i < LU_CENSUS_WHATS; i++)
		lu_census_init(&s->census[i], (enum lu_census_what)i, &room);
	return s->name ? 0 : lu_err_nomem(err);
}

/* --- one document ------------------------------------------------------------------------- */

/* What is counted of a document. */
struct found {
	struct lu_census_size size;
	struct lu_sample sample;
	struct lu_str domain;
};

static int find_domain(struct lu_doc *doc, struct lu_str *out, struct lu_err *err)
{
	struct lu_str url;
	char *room;

	*out = LU_STR("");
	if (!lu_doc_string(doc, "url", &url) || url.n == 0)
		return 0;
	room = lu_arena_alloc(doc->arena, LU_DOMAIN_ROOM);
	if (!room)
		return lu_err_nomem(err);
	*out = lu_domain(url, room);
	return 0;
}

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
	return find_domain(doc, &f->domain, err);
}

static int add_names(struct lu_survey_stage *s, const struct lu_sample *sample,
		struct lu_str domain, const struct lu_census_size *size, struct lu_err *err)
{
	const struct lu_str name[LU_CENSUS_WHATS] = { [LU_CENSUS_LANG] = sample->lang,
		[LU_CENSUS_SOURCE] = sample->source,
		[LU_CENSUS_LICENSE] = sample->license,
		[LU_CENSUS_DOMAIN] = domain };

	for (int i = 0; i < LU_CENSUS_WHATS; i++) {
		if (lu_census_add(&s->census[i], name[i], size, err) < 0)
			return -1;
	}
	return 0;
}

static int add(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_survey_stage *s = ctx;
	const struct found *f = doc->user;

	if (add_names(s, &f->sample, f->domain, &f->size, err) < 0)
		return -1;
	return lu_samples_add(&s->kept, f->sample.lang.n ? f->sample.lang : LU_STR("none"),
			&f->sample, err);
}

int lu_survey_count(struct lu_survey_stage *stage, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = {
		.ctx = stage, .map = measure, .decide = add, .flags = LU_DOCSTREAM_SILENT
	};

	return lu_docstream_run(&ds, std, args, err);
}

/* --- shards ------------------------------------------------------------------------------- */

/* The string of raw JSON; of null nothing, of another value its text. */
static int decode(struct lu_str *s, struct lu_arena *arena, struct lu_err *err)
{
	if (lu_str_is(*s, "null"))
		*s = LU_STR("");
	else if (s->n && *s->p == '"' && lu_json_decode(*s, arena, s) < 0)
		return lu_err_nomem(err);
	return 0;
}

static int count_ledger(struct lu_survey_stage *s, const struct lu_shard *shard, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_ledger *l = NULL;
	struct lu_ledger_doc d;
	int rc = lu_ledger_open(&l, shard, err);

	while (rc == 0 && (rc = lu_ledger_next(l, &d, err)) > 0) {
		struct lu_sample names = {
			.lang = d.lang, .source = d.source, .license = d.license
		};
		struct lu_census_size size = { .bytes = d.bytes, .characters = d.tokens };

		lu_arena_reset(&arena);
		rc = decode(&names.lang, &arena, err) < 0 ||
						decode(&names.source, &arena, err) < 0 ||
						decode(&names.license, &arena, err) < 0 ||
						add_names(s, &names, LU_STR(""), &size, err) < 0
				? -1
				: 0;
	}
	lu_ledger_close(l);
	lu_arena_release(&arena);
	return rc;
}

int lu_survey_shards(struct lu_survey_stage *s, const struct lu_list *prefix, struct lu_err *err)
{
	char **copy = calloc(prefix->n + 1, sizeof(*copy));
	struct lu_shard *shard;
	int rc = copy ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < prefix->n; i++) {
		copy[i] = strdup(prefix->item[i]);
		rc = copy[i] ? 0 : lu_err_nomem(err);
	}
	if (rc == 0)
		rc = lu_shards_distinct(copy, prefix->n, err);
	for (int i = 0; i < LU_CENSUS_WHATS; i++)
		s->census[i].in_tokens = true;
	for (size_t i = 0; rc == 0 && i < prefix->n; i++) {
		rc = lu_shard_open(&shard, copy[i], err);
		if (rc < 0)
			break;
		if (!lu_shard_manifest(shard))
			rc = lu_err_set(err,
					"%s: no manifest and no ledger, which lucie-shard writes",
					prefix->item[i]);
		else
			rc = count_ledger(s, shard, err);
		lu_shard_close(shard);
	}
	for (size_t i = 0; copy && i < prefix->n; i++)
		free(copy[i]);
	free(copy);
	return rc;
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

int lu_survey_finish(struct lu_survey_stage *s, struct lu_err *err)
{
	for (int i = 0; i < LU_CENSUS_WHATS; i++) {
		if (lu_census_finish(&s->census[i], err) < 0)
			return -1;
	}
	lu_samples_sort(&s->kept);
	return 0;
}

/* Begin a stage, unless it is there already. */
static int begin_named(struct lu_survey *s, struct lu_str name, const struct lu_std *std,
		struct lu_err *err)
{
	struct lu_survey_stage new;
	char *copy;
	int rc;

	for (size_t i = 0; i < s->stage.n; i++) {
		if (lu_str_is(name, s->stage.p[i].name))
			return 0;
	}
	copy = strndup(name.p, name.n);
	if (!copy)
		return lu_err_nomem(err);
	rc = lu_survey_begin(&new, copy, LU_SURVEY_TOP, std, err);
	free(copy);
	if (rc < 0)
		return -1;
	if (lu_vec_push(&s->stage, new))
		return 0;
	lu_survey_stage_release(&new);
	return lu_err_nomem(err);
}

int lu_survey_read(struct lu_survey *s, const struct lu_list *list, size_t samples,
		const struct lu_std *std, const struct lu_args *args, struct lu_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->item[i], *equals = strchr(item, '=');

		if (!equals || equals == item || !equals[1])
			return lu_err_set(err, "'%s' is not STAGE=FILE", item);
		if (begin_named(s, (struct lu_str){ item, (size_t)(equals - item) }, std, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->stage.n; i++) {
		s->stage.p[i].kept.each = i + 1 == s->stage.n ? samples : 0;
		if (count_stage(&s->stage.p[i], list, std, args, err) < 0 ||
				lu_survey_finish(&s->stage.p[i], err) < 0)
			return -1;
	}
	return 0;
}

void lu_survey_stage_release(struct lu_survey_stage *s)
{
	free(s->name);
	for (int i = 0; i < LU_CENSUS_WHATS; i++)
		lu_census_release(&s->census[i]);
	lu_samples_release(&s->kept);
}

void lu_survey_release(struct lu_survey *s)
{
	for (size_t i = 0; i < s->stage.n; i++)
		lu_survey_stage_release(&s->stage.p[i]);
	lu_vec_release(&s->stage);
}
