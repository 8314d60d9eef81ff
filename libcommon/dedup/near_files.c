#include "libcommon/dedup/near_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW ((size_t)1 << 20)
/* In the settings, behind those of sign. */
#define VERIFY ", verify "

/* --- files that are read -------------------------------------------------------------------- */

int lu_near_damaged(const struct lu_stepfile *f, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged, make it again", f->path);
}

int lu_near_files_open(struct lu_near_files *f, char *const *path, size_t n, const char magic[8],
		bool same, bool parts, struct lu_err *err)
{
	*f = (struct lu_near_files){ calloc(n, sizeof(*f->file)), 0 };
	if (!f->file)
		return lu_err_nomem(err);
	for (; f->n < n; f->n++) {
		if (strcmp(path[f->n], "-") == 0)
			return lu_err_set(err,
					"%.8s files are read in parts: name them, standard "
					"input will not do",
					magic);
		f->file[f->n] = (struct lu_stepfile)LU_STEPFILE_NONE;
		if (lu_stepfile_open(&f->file[f->n], path[f->n], magic, err) < 0) {
			lu_stepfile_close(&f->file[f->n]);
			return -1;
		}
	}
	return lu_stepfile_agree(f->file, n, same, parts, err);
}

void lu_near_files_close(struct lu_near_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		lu_stepfile_close(&f->file[i]);
	free(f->file);
	*f = (struct lu_near_files){ 0 };
}

int lu_near_same_file(const struct lu_stepfile *sign, const struct lu_stepfile *other,
		size_t *number, struct lu_err *err)
{
	const struct lu_corpus_file *mine = sign->corpus.file.p, *theirs;
	size_t n = strlen(sign->settings);
	const char *added = other->settings + n; /* by later steps */

	if (strncmp(other->settings, sign->settings, n) != 0 ||
			(*added && strncmp(added, VERIFY, sizeof(VERIFY) - 1) != 0))
		return lu_err_set(err, "%s: made with '%s', %s with '%s'", sign->path,
				sign->settings, other->path, other->settings);
	*number = sign->corpus.file.n == 1 ? lu_corpus_find(&other->corpus, mine->name) : SIZE_MAX;
	if (*number == SIZE_MAX)
		return lu_err_set(err, "%s: not among the files that %s was made from", sign->path,
				other->path);
	theirs = &other->corpus.file.p[*number];
	if (mine->docs != theirs->docs || mine->hash != theirs->hash)
		return lu_err_set(err, "%s: made from other documents than %s", sign->path,
				other->path);
	return 0;
}

int lu_near_read(const struct lu_stepfile *f, size_t first, size_t end, size_t size,
		lu_near_record_fn *fn, void *ctx, struct lu_err *err)
{
	struct lu_stepcursor c = { 0 };
	struct lu_str bytes;
	int rc = lu_stepcursor_open(&c, f, first, end, WINDOW, err);

	while (rc >= 0 && (rc = lu_stepcursor_read(&c, size, &bytes, err)) > 0)
		/* The cursor has checked the bytes, and its window is ours until the next read. */
		rc = fn(ctx, (unsigned char *)c.window.p + (bytes.p - c.window.p), err);
	lu_stepcursor_close(&c);
	return rc;
}

/* --- the task ------------------------------------------------------------------------------- */

#define SETTINGS "near, bands %u, rows %u, hashes %" PRIx64

void lu_near_settings(const struct lu_near_task *t, struct lu_buf *out)
{
	const struct lu_dedup_options *o = t->o;

	lu_buf_printf(out, SETTINGS ", keep %s", lu_minhash_bands(t->mh), lu_minhash_rows(t->mh),
			lu_minhash_params(t->mh), o->keep_text ? o->keep_text : "first");
	if (o->by)
		lu_buf_printf(out, ", by %s", o->by);
}

static int make_minhash(struct lu_near_task *t, const char *settings, struct lu_err *err)
{
	unsigned bands = (unsigned)t->o->bands, rows = (unsigned)t->o->rows;
	uint64_t params = 0;

	if (settings &&
			(sscanf(settings, "near, bands %u, rows %u, hashes %" SCNx64, &bands, &rows,
					 &params) != 3 ||
					bands < 1 || rows < 1 ||
					(uint64_t)bands * rows > LU_MINHASH_MAX))
		return lu_err_set(err, "a file made with '%s', which is not near deduplication",
				settings);
	if (lu_minhash_new(&t->mh, bands, rows, LU_MINHASH_BEST, err) < 0)
		return -1;
	if (settings && params != lu_minhash_params(t->mh))
		return lu_err_set(err, "files of another version of the hashes; repeat step sign");
	return 0;
}

int lu_near_task_open(struct lu_near_task *t, const struct lu_dedup *d, const char *settings,
		const char magic[8], struct lu_err *err)
{
	const char *verify = settings ? strstr(settings, VERIFY) : NULL;

	*t = (struct lu_near_task){ .o = d->o, .w = LU_STEPFILE_WRITER_NONE };
	if (make_minhash(t, settings, err) < 0)
		return -1;
	t->how = (struct lu_near_how){ .mh = t->mh,
		.verify = verify ? strtod(verify + 9, NULL) : t->o->verify };
	return lu_stepfile_create(&t->w, t->o->std.output, magic, err);
}

void lu_near_task_close(struct lu_near_task *t)
{
	lu_stepfile_abort(&t->w);
	lu_corpus_release(&t->corpus);
	lu_minhash_free(t->mh);
	t->mh = NULL;
}

int lu_near_sorter(const struct lu_near_task *t, struct lu_sorter **s, size_t size, size_t key,
		struct lu_err *err)
{
	struct lu_sorter_options o = { size, key, t->o->std.memory / 2, t->o->std.tmpdir,
		t->o->std.threads };

	return lu_sorter_new(s, &o, err);
}

/* --- sections ------------------------------------------------------------------------------- */

/* Bits of the key that tell sections of a band apart: about a thousand sections in all. */
static unsigned key_bits(const struct lu_minhash *mh)
{
	unsigned bits = 0;

	while (bits < 8 && (lu_minhash_bands(mh) << (bits + 1)) <= 1024)
		bits++;
	return bits;
}

size_t lu_near_ranges(const struct lu_minhash *mh)
{
	return (size_t)lu_minhash_bands(mh) << key_bits(mh);
}

size_t lu_near_range_of(const struct lu_minhash *mh, const void *pair)
{
	/* The band in the upper 12 bits, then the key. */
	return (size_t)(lu_load64_be(pair) >> (52 - key_bits(mh)));
}

int lu_near_write(struct lu_near_task *t, struct lu_sorter *sorter, size_t size, size_t sections,
		lu_near_section_fn *fn, void *ctx, struct lu_err *err)
{
	unsigned char copy[LU_SORTER_SIZE_MAX];
	size_t section = 0;
	uint64_t records = 0;
	const void *record;
	int rc = lu_sorter_sort(sorter, err);

	while (rc >= 0 && (rc = lu_sorter_next(sorter, &record, err)) > 0) {
		size_t to;

		memcpy(copy, record, size);
		to = fn(ctx, copy);
		LU_ASSERT(to >= section && to < sections);
		for (; rc >= 0 && section < to; section++, records = 0)
			rc = lu_stepfile_end_section(&t->w, records, err);
		if (rc >= 0)
			rc = lu_stepfile_write(&t->w, copy, size, err);
		records++;
	}
	for (; rc >= 0 && section < sections; section++, records = 0)
		rc = lu_stepfile_end_section(&t->w, records, err);
	return rc;
}

size_t lu_near_by_file(void *by_file, unsigned char *record)
{
	struct lu_near_by_file *b = by_file;
	uint64_t doc = lu_load64_be(record);

	while (doc - b->corpus->file.p[b->file].base >= b->corpus->file.p[b->file].docs)
		b->file++;
	lu_store64_be(record, doc - b->corpus->file.p[b->file].base);
	return b->file;
}
