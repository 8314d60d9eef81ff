#include "libcommon/order/step_lookup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

#define TOKENIZER_MAX ((size_t)1 << 30)

/* --- the samples -------------------------------------------------------------------------- */

/* A span of a sample. */
struct place {
	const struct lu_section *section;
	uint64_t sample;
	struct lu_stream_range range; /* the tag is its number */
};

struct places {
	struct LU_VEC(struct place) v;
};

static int add_sample(
		struct places *p, const struct lu_rows *rows, uint64_t sample, struct lu_err *err)
{
	struct lu_row_span span;
	struct lu_row row;

	lu_rows_at(rows, sample, &row);
	while (lu_rows_next(rows, &row, &span)) {
		struct place place = { row.section, sample, { span.begin, span.n, p->v.n } };

		if (!lu_vec_push(&p->v, place))
			return lu_err_nomem(err);
	}
	return 0;
}

static int add_samples(struct places *p, const struct lu_step *step, const struct lu_rows *rows,
		struct lu_err *err)
{
	for (size_t i = 0; i < lu_rows_sections(rows); i++) {
		const struct lu_section *s = lu_rows_section(rows, i);

		if (s->samples == 0)
			return lu_err_set(err, "%s: has no sample of %" PRIu64 " tokens", s->names,
					step->rows.context);
	}
	for (uint64_t i = 0; i < step->samples; i++) {
		uint64_t sample = lu_skips_sample(&step->skips, 0, step->first + i);

		if (add_sample(p, rows, sample, err) < 0)
			return -1;
	}
	return 0;
}

/* --- looking them up ---------------------------------------------------------------------- */

static int by_section(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->section != y->section)
		return x->section->first < y->section->first ? -1 : 1;
	if (x->range.first != y->range.first)
		return x->range.first < y->range.first ? -1 : 1;
	return (x->range.tag > y->range.tag) - (x->range.tag < y->range.tag);
}

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->range.tag > y->range.tag) - (x->range.tag < y->range.tag);
}

static int add_lookup(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err)
{
	return lu_lookup_add(ctx, shard, pos, n, tag, err);
}

/* Locate the places, which are sorted by section: in ascending order it is fastest. */
static int locate(const struct places *p, struct lu_lookup *found, struct lu_err *err)
{
	struct lu_stream_range *range = calloc(p->v.n + 1, sizeof(*range));
	int rc = range ? 0 : lu_err_nomem(err);

	for (size_t i = 0, n; rc == 0 && i < p->v.n; i += n) {
		const struct lu_section *s = p->v.p[i].section;

		for (n = 0; i + n < p->v.n && p->v.p[i + n].section == s; n++)
			range[n] = p->v.p[i + n].range;
		rc = lu_stream_locate(s->stream, range, n, add_lookup, found, err);
	}
	free(range);
	return rc < 0 ? -1 : 0;
}

int lu_step_lookup(const struct lu_step *step, const struct lu_rows *rows, struct lu_lookup *found,
		struct lu_err *err)
{
	struct places p = { 0 };
	int rc = add_samples(&p, step, rows, err);

	if (rc == 0 && p.v.n) {
		qsort(p.v.p, p.v.n, sizeof(*p.v.p), by_section);
		rc = locate(&p, found, err);
	}
	if (rc == 0)
		rc = lu_lookup_resolve(found, err);
	if (rc == 0 && p.v.n)
		qsort(p.v.p, p.v.n, sizeof(*p.v.p), by_number);
	for (size_t i = 0; rc == 0 && i < found->item.n; i++)
		found->item.p[i].tag = p.v.p[found->item.p[i].tag].sample;
	lu_vec_release(&p.v);
	return rc;
}

uint64_t lu_step_first_label(const struct lu_step *step, const struct lu_lookup *found, size_t i)
{
	const struct lu_lookup_item *it = &found->item.p[i];
	bool first = i == 0 || it->tag != it[-1].tag;

	/* A span of a row of documents begins where its document does. */
	if (step->rows.mode != LU_ROWS_STREAM)
		first = it->from == it->doc.first;
	return it->from + first;
}

/* --- the tokenizer ------------------------------------------------------------------------ */

static int check_shards(const struct lu_stream *stream, const char *path, const char *hash,
		struct lu_err *err)
{
	for (size_t i = 0; i < lu_stream_parts(stream); i++) {
		struct lu_stream_part part = lu_stream_part(stream, i);

		for (size_t k = 0; k < part.shards; k++) {
			const struct lu_manifest *m = lu_shard_manifest(part.shard[k]);

			if (m && m->tokenizer && strcmp(m->tokenizer, hash) != 0)
				return lu_err_set(err,
						"%s: was made with another tokenizer than %s "
						"(XXH3-128 %s, not %s)",
						lu_shard_prefix(part.shard[k]), path, m->tokenizer,
						hash);
		}
	}
	return 0;
}

int lu_step_check_tokenizer(const char *run, const struct lu_rows *rows, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "tokenizer.json"), *text = NULL, hash[33];
	size_t n;
	int rc = path ? 0 : lu_err_nomem(err);

	if (rc == 0 && access(path, F_OK) == 0) {
		rc = lu_read_file(path, TOKENIZER_MAX, &text, &n, err);
		if (rc == 0)
			lu_hash128_text(lu_hash128(text, n), hash);
		for (size_t i = 0; rc == 0 && i < lu_rows_sections(rows); i++)
			rc = check_shards(lu_rows_section(rows, i)->stream, path, hash, err);
	}
	free(text);
	free(path);
	return rc;
}
