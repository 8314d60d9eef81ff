#include "libcommon/order/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"
#include "libcommon/order/order.h"

/* Permuted numbers are made so many at a time. */
#define RUN 256

const struct lu_enum lu_rows_modes[] = {
	{ "stream", LU_ROWS_STREAM },
	{ "packed", LU_ROWS_PACKED },
	{ "document", LU_ROWS_DOCUMENT },
	LU_ENUM_END,
};

struct lu_rows {
	struct lu_rows_options o;
	struct LU_VEC(struct lu_section) section;
};

/* --- what the documents of a section come to ---------------------------------------------- */

/* The labels of a document of `length` tokens. */
static uint64_t targets_of(const struct lu_rows_options *o, uint64_t length)
{
	uint64_t n = length ? length - 1 : 0;

	return n < o->context ? n : o->context;
}

static void count_documents(const struct lu_rows_options *o, struct lu_section *s)
{
	struct lu_rows_account *a = &s->account;

	a->documents = s->documents.n;
	for (uint64_t i = 0; i < s->documents.n; i++) {
		uint64_t length = s->documents.length[i], targets = targets_of(o, length);

		a->left_out += length < 2;
		a->targets += targets;
		if (length > o->context + 1) {
			a->cut++;
			a->cut_off += length - 1 - targets;
		}
	}
}

/* --- packing ------------------------------------------------------------------------------ */

/* The document that is the j-th to be packed. */
static uint64_t packed_document(const struct lu_rows_options *o, uint64_t documents, uint64_t j)
{
	return o->shuffle ? lu_rand_permute(o->seed, lu_rand_stream("documents", 0), j, documents)
			  : j;
}

struct packing {
	const struct lu_rows_options *o;
	struct lu_section *s;
	size_t cap;
	uint64_t used; /* of the row that is being filled */
};

static int pack_document(struct packing *p, uint64_t j, uint64_t document, struct lu_err *err)
{
	struct lu_section *s = p->s;
	uint64_t n = targets_of(p->o, s->documents.length[document]);

	if (n == 0)
		return 0;
	if (s->samples == 0 || n > p->o->context - p->used) {
		/* Room for the end as well. */
		if (!lu_vec_grow(&s->start, &p->cap, (size_t)s->samples, 2, sizeof(*s->start)))
			return lu_err_nomem(err);
		s->start[s->samples++] = (uint32_t)j;
		p->used = 0;
	}
	p->used += n;
	return 0;
}

static int pack(const struct lu_rows_options *o, struct lu_section *s, struct lu_err *err)
{
	uint64_t n = s->documents.n, stream = lu_rand_stream("documents", 0), document[RUN];
	struct packing p = { .o = o, .s = s };

	if (n > UINT32_MAX)
		return lu_err_set(err,
				"%s: %" PRIu64 " documents are more than data.rows = packed takes, "
				"2^32",
				s->names, n);
	for (uint64_t first = 0; first < n; first += RUN) {
		size_t some = n - first < RUN ? (size_t)(n - first) : RUN;

		if (o->shuffle)
			lu_rand_permute_run(o->seed, stream, first, some, n, document);
		for (size_t k = 0; k < some; k++) {
			uint64_t j = first + k;

			if (pack_document(&p, j, o->shuffle ? document[k] : j, err) < 0)
				return -1;
		}
	}
	if (s->start)
		s->start[s->samples] = (uint32_t)n;
	return 0;
}

/* --- pairs -------------------------------------------------------------------------------- */

static bool is_preference(const struct lu_shard *shard)
{
	const struct lu_manifest *m = lu_shard_manifest(shard);

	return m && m->kind && strcmp(m->kind, "preference") == 0;
}

static int check_pairs(const struct lu_section *s, struct lu_err *err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < lu_stream_parts(s->stream); i++) {
		struct lu_stream_part part = lu_stream_part(s->stream, i);
		uint64_t n = lu_shard_documents(part.shard[0]);

		if (n % 2)
			return lu_err_set(err, "%s: %" PRIu64 " documents are no pairs", part.name,
					n);
		for (uint64_t k = 0; k < n; k++) {
			if (s->documents.length[at + k] < 2)
				return lu_err_set(err,
						"%s: document %" PRIu64 ", the %s of pair %" PRIu64
						", has fewer than two tokens",
						part.name, k, k % 2 ? "rejected" : "chosen", k / 2);
		}
		at += n;
	}
	return 0;
}

/* Find out whether the shards of a section hold pairs; all of them do or none. */
static int find_pairs(enum lu_rows_mode mode, struct lu_section *s, struct lu_err *err)
{
	const char *with = NULL, *without = NULL;

	for (size_t i = 0; i < lu_stream_parts(s->stream); i++) {
		struct lu_stream_part part = lu_stream_part(s->stream, i);
		bool pairs = false;

		for (size_t k = 0; k < part.shards; k++)
			pairs = pairs || is_preference(part.shard[k]);
		if (pairs && part.is_plan)
			return lu_err_set(err,
					"%s: takes documents of preferences one by one; name the "
					"shards instead of the plan",
					part.name);
		*(pairs ? &with : &without) = part.name;
	}
	if (with && without)
		return lu_err_set(err,
				"%s holds preferences and %s does not; they are not read together",
				with, without);
	if (with && mode != LU_ROWS_DOCUMENT)
		return lu_err_set(err,
				"%s: holds preferences, which are read with data.rows = document "
				"only",
				with);
	s->pairs = with;
	return 0;
}

/* --- opening ------------------------------------------------------------------------------ */

static int open_section(const struct lu_rows_options *o, struct lu_section *s, struct lu_err *err)
{
	if (lu_stream_open(&s->stream, s->names, o->trust, err) < 0 ||
			find_pairs(o->mode, s, err) < 0)
		return -1;
	if (o->mode == LU_ROWS_STREAM) {
		s->samples = lu_order_samples(lu_stream_tokens(s->stream), o->context);
		return 0;
	}
	if (lu_documents_read(&s->documents, s->stream, err) < 0)
		return -1;
	count_documents(o, s);
	s->samples = s->documents.usable;
	if (s->pairs && check_pairs(s, err) < 0)
		return -1;
	if (o->mode == LU_ROWS_PACKED) {
		s->samples = 0;
		if (pack(o, s, err) < 0)
			return -1;
	}
	s->account.rows = s->samples;
	return 0;
}

static int add_section(
		struct lu_rows *r, const char *names, size_t n, uint64_t first, struct lu_err *err)
{
	struct lu_section s = { .first = first, .names = strndup(names, n) }, *added;

	if (!s.names || !lu_vec_push(&r->section, s)) {
		free(s.names);
		return lu_err_nomem(err);
	}
	added = &r->section.p[r->section.n - 1];
	if (open_section(&r->o, added, err) < 0)
		return -1;
	if (r->section.n > 1 && added[-1].pairs != added->pairs)
		return lu_err_set(err, "preferences and other documents in one phase");
	if (added->pairs && first % 2)
		return lu_err_set(err, "'@ %" PRIu64 "' is in the middle of a pair", first);
	return 0;
}

static const char blanks[] = " \t";

/* The word at p: its length. */
static size_t word(const char *p)
{
	return strcspn(p, blanks);
}

/* Find the end of a list: the '@' that follows it, or the end of the text. */
static const char *find_at(const char *p)
{
	for (p += strspn(p, blanks); *p; p += word(p), p += strspn(p, blanks)) {
		if (word(p) == 1 && *p == '@')
			break;
	}
	return p;
}

/* Read the number behind '@'; *p is then behind it. */
static int read_switch(const char **p, uint64_t last, uint64_t *first, struct lu_err *err)
{
	char number[24] = "";
	struct lu_err why;
	size_t n;

	*p += 1;
	*p += strspn(*p, blanks);
	n = word(*p);
	if (n < sizeof(number))
		memcpy(number, *p, n);
	if (lu_num_u64(number, first, &why) < 0)
		return lu_err_set(err,
				"'@' is followed by '%.*s', not by the sample from which on the "
				"next shards are read",
				(int)(n < 60 ? n : 60), *p);
	if (*first <= last)
		return lu_err_set(err, "'@ %" PRIu64 "' does not come after sample %" PRIu64,
				*first, last);
	*p += n;
	return 0;
}

static int open_sections(struct lu_rows *r, const char *names, struct lu_err *err)
{
	const char *p = names;
	uint64_t first = 0;

	for (;;) {
		const char *end = find_at(p);

		if (p + strspn(p, blanks) == end && (*end || first))
			return lu_err_set(err, "there is no shard %s '@'",
					first ? "behind the last" : "before");
		if (add_section(r, p, (size_t)(end - p), first, err) < 0)
			return -1;
		p = end;
		if (!*p)
			return 0;
		if (read_switch(&p, first, &first, err) < 0)
			return -1;
	}
}

int lu_rows_open(struct lu_rows **out, const char *names, const struct lu_rows_options *o,
		struct lu_err *err)
{
	struct lu_rows *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r)
		return lu_err_nomem(err);
	r->o = *o;
	if (open_sections(r, names, err) < 0) {
		lu_rows_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void lu_rows_close(struct lu_rows *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->section.n; i++) {
		struct lu_section *s = &r->section.p[i];

		lu_stream_close(s->stream);
		lu_documents_release(&s->documents);
		free(s->start);
		free(s->names);
	}
	lu_vec_release(&r->section);
	free(r);
}

size_t lu_rows_sections(const struct lu_rows *r)
{
	return r->section.n;
}

const struct lu_section *lu_rows_section(const struct lu_rows *r, size_t i)
{
	LU_ASSERT(i < r->section.n);
	return &r->section.p[i];
}

const struct lu_rows_options *lu_rows_options(const struct lu_rows *r)
{
	return &r->o;
}

/* --- samples ------------------------------------------------------------------------------ */

void lu_rows_row(
		const struct lu_rows *r, const struct lu_section *s, uint64_t k, struct lu_row *row)
{
	*row = (struct lu_row){ .section = s, .row = k, .next = k, .end = k + 1 };
	if (r->o.mode == LU_ROWS_DOCUMENT && !s->pairs) {
		row->next = lu_documents_usable(&s->documents, k);
		row->end = row->next + 1;
	} else if (r->o.mode == LU_ROWS_PACKED) {
		row->next = s->start[k];
		row->end = s->start[k + 1];
	}
}

void lu_rows_at(const struct lu_rows *r, uint64_t i, struct lu_row *row)
{
	size_t at = lu_search_range(
			&r->section.p[0].first, r->section.n, sizeof(r->section.p[0]), i);
	const struct lu_section *s = &r->section.p[at];
	uint64_t k = i - s->first, each = s->pairs ? 2 : 1;
	struct lu_order_position p =
			lu_order_pick(r->o.seed, r->o.shuffle, s->samples / each, k / each);

	lu_rows_row(r, s, p.sample * each + k % each, row);
	row->epoch = p.epoch;
}

/* The next document of a packed row that has a label. */
static bool next_packed(const struct lu_rows *r, struct lu_row *row, struct lu_row_span *span)
{
	const struct lu_documents *d = &row->section->documents;

	while (row->next < row->end) {
		*span = lu_documents_get(d, packed_document(&r->o, d->n, row->next++));
		if (span->n > 1)
			return true;
	}
	return false;
}

bool lu_rows_next(const struct lu_rows *r, struct lu_row *row, struct lu_row_span *span)
{
	uint64_t most = r->o.context + 1;

	if (r->o.mode == LU_ROWS_PACKED) {
		if (!next_packed(r, row, span))
			return false;
	} else if (row->next == row->end) {
		return false;
	} else if (r->o.mode == LU_ROWS_DOCUMENT) {
		*span = lu_documents_get(&row->section->documents, row->next++);
	} else {
		*span = (struct lu_row_span){ row->next++ * r->o.context, most };
	}
	if (span->n > most)
		span->n = most;
	return true;
}

uint64_t lu_rows_targets(const struct lu_rows *r, uint64_t i)
{
	struct lu_row_span span;
	struct lu_row row;
	uint64_t n = 0;

	if (r->o.mode == LU_ROWS_STREAM)
		return r->o.context;
	lu_rows_at(r, i, &row);
	while (lu_rows_next(r, &row, &span))
		n += span.n - 1;
	return n;
}
