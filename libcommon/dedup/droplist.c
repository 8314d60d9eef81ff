#include "libcommon/dedup/droplist.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"

#define HEAD 41
/* Of each list: all parts are open at once. */
#define WINDOW ((size_t)64 << 10)

int lu_drop_put(struct lu_stepfile_writer *w, const struct lu_drop *d, struct lu_err *err)
{
	char head[HEAD];

	lu_store64(head, d->number);
	lu_store64(head + 8, d->kept);
	lu_store64(head + 16, d->kept_line);
	lu_store64(head + 24, d->size);
	lu_store32(head + 32, d->similarity);
	head[36] = (char)d->kind;
	lu_store32(head + 37, (uint32_t)d->kept_id.n);
	if (lu_stepfile_write(w, head, sizeof(head), err) < 0)
		return -1;
	return lu_stepfile_write(w, d->kept_id.p, d->kept_id.n, err);
}

static int damaged(const struct lu_drop_source *s, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged, make it again", s->file.path);
}

/* Read the next record of a list. The numbers ascend, and those in the file are below its count. */
static int advance(struct lu_drop_source *s, size_t file, bool first, struct lu_err *err)
{
	const struct lu_corpus *corpus = &s->file.corpus;
	uint64_t before = s->head.number;
	struct lu_str head, id;
	int rc = lu_stepcursor_read(&s->cursor, HEAD, &head, err);
	unsigned char kind;
	uint32_t n;

	s->ended = rc == 0;
	if (rc <= 0)
		return rc;
	s->head = (struct lu_drop){ .number = lu_load64(head.p),
		.kept = lu_load64(head.p + 8),
		.kept_line = lu_load64(head.p + 16),
		.size = lu_load64(head.p + 24),
		.similarity = lu_load32(head.p + 32) };
	kind = (unsigned char)head.p[36];
	n = lu_load32(head.p + 37);
	lu_buf_clear(&s->id);
	if (n) {
		rc = lu_stepcursor_read(&s->cursor, n, &id, err);
		if (rc <= 0)
			return rc < 0 ? -1 : damaged(s, err);
		lu_buf_str(&s->id, id);
		if (lu_buf_check(&s->id, err) < 0)
			return -1;
	}
	s->head.kept_id = lu_buf_slice(&s->id);
	if ((!first && s->head.number <= before) || s->head.number >= corpus->file.p[file].docs ||
			s->head.kept >= corpus->docs || kind > LU_DROP_NEAR ||
			s->head.similarity > LU_DROP_ONE)
		return damaged(s, err);
	s->head.kind = (enum lu_drop_kind)kind;
	return 1;
}

static int check_lists(struct lu_drops *d, const char *name, struct lu_err *err)
{
	struct lu_stepfile *all = malloc(d->sources * sizeof(*all));
	int rc;

	if (!all)
		return lu_err_nomem(err);
	for (size_t i = 0; i < d->sources; i++)
		all[i] = d->source[i].file;
	rc = lu_stepfile_agree(all, d->sources, true, true, err);
	free(all);
	if (rc < 0)
		return -1;
	d->file = lu_corpus_find(lu_drops_corpus(d), name);
	if (d->file == SIZE_MAX)
		return lu_err_set(err, "%s: not among the files of %s, which were named '%s'%s",
				name, d->source[0].file.path,
				lu_drops_corpus(d)->file.n ? lu_drops_corpus(d)->file.p[0].name
							   : "",
				lu_drops_corpus(d)->file.n > 1 ? " and so on" : "");
	return 0;
}

int lu_drops_open(struct lu_drops *d, const char *const *path, size_t n, const char *name,
		struct lu_err *err)
{
	*d = (struct lu_drops){ .last = SIZE_MAX };
	d->source = calloc(n, sizeof(*d->source));
	if (!d->source)
		return lu_err_nomem(err);
	for (; d->sources < n; d->sources++)
		d->source[d->sources].file = (struct lu_stepfile)LU_STEPFILE_NONE;
	for (size_t i = 0; i < n; i++) {
		struct lu_stepfile *f = &d->source[i].file;

		if (lu_stepfile_open(f, path[i], LU_DROP_MAGIC, err) < 0)
			return -1;
		if (f->section.n != f->corpus.file.n)
			return damaged(&d->source[i], err);
	}
	if (check_lists(d, name, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct lu_drop_source *s = &d->source[i];

		if (lu_stepcursor_open(&s->cursor, &s->file, d->file, d->file + 1, WINDOW, err) <
						0 ||
				advance(s, d->file, true, err) < 0)
			return -1;
	}
	return 0;
}

int lu_drops_next(struct lu_drops *d, struct lu_drop *drop, struct lu_err *err)
{
	const struct lu_drop_source *least = NULL;

	if (d->last != SIZE_MAX && advance(&d->source[d->last], d->file, false, err) < 0)
		return -1;
	d->last = SIZE_MAX;
	for (size_t i = 0; i < d->sources; i++) {
		const struct lu_drop_source *s = &d->source[i];

		if (s->ended)
			continue;
		if (least && least->head.number == s->head.number)
			return lu_err_set(err, "%s and %s: both have document %" PRIu64,
					least->file.path, s->file.path, s->head.number);
		if (!least || s->head.number < least->head.number) {
			least = s;
			d->last = i;
		}
	}
	if (!least)
		return 0;
	*drop = least->head;
	return 1;
}

const struct lu_corpus *lu_drops_corpus(const struct lu_drops *d)
{
	return &d->source[0].file.corpus;
}

void lu_drops_close(struct lu_drops *d)
{
	for (size_t i = 0; i < d->sources; i++) {
		lu_stepcursor_close(&d->source[i].cursor);
		lu_stepfile_close(&d->source[i].file);
		lu_buf_release(&d->source[i].id);
	}
	free(d->source);
	*d = (struct lu_drops){ 0 };
}
