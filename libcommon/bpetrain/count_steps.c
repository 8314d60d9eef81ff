#include "libcommon/bpetrain/count_steps.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

#define WRITE_BUFFER ((size_t)1 << 18)

/* A count file being written: one part after the other. */
struct writer {
	struct lu_out *out;
	struct lu_buf buf, footer;
	struct lu_hasher *hasher; /* of the part */
	uint64_t at, records, part_records;
};

static int flush(struct writer *w, struct lu_err *err)
{
	if (lu_out_buf(w->out, &w->buf, err) < 0)
		return -1;
	lu_hasher_add(w->hasher, w->buf.p, w->buf.n);
	w->at += w->buf.n;
	lu_buf_clear(&w->buf);
	return 0;
}

static int put_word(void *ctx, void *local, const struct lu_word *word, struct lu_err *err)
{
	struct writer *w = ctx;

	(void)local;
	lu_word_record_put(&w->buf, word);
	w->part_records++;
	return w->buf.n < WRITE_BUFFER ? 0 : flush(w, err);
}

static void put64(struct lu_buf *b, uint64_t v)
{
	unsigned char raw[8];

	lu_store64(raw, v);
	lu_buf_append(b, raw, sizeof(raw));
}

static void put_str(struct lu_buf *b, struct lu_str s)
{
	put64(b, s.n);
	lu_buf_str(b, s);
}

static void put_hash(struct lu_buf *b, struct lu_hash128 h)
{
	put64(b, h.lo);
	put64(b, h.hi);
}

/* The entry of a part in the footer. */
static int end_part(void *ctx, void *local, struct lu_err *err)
{
	struct writer *w = ctx;

	(void)local;
	if (flush(w, err) < 0)
		return -1;
	put64(&w->footer, w->at);
	put64(&w->footer, w->part_records);
	put_hash(&w->footer, lu_hasher_end(w->hasher));
	w->records += w->part_records;
	w->part_records = 0;
	lu_hasher_free(w->hasher);
	w->hasher = lu_hasher_new();
	return w->hasher ? lu_buf_check(&w->footer, err) : lu_err_nomem(err);
}

static int write_header(struct writer *w, struct lu_err *err)
{
	unsigned char head[LU_COUNT_HEADER] = LU_COUNT_MAGIC;

	lu_store32(head + 8, LU_COUNT_VERSION);
	lu_store32(head + 12, LU_WORD_PARTS);
	w->at = sizeof(head);
	return lu_out_write(w->out, head, sizeof(head), err);
}

static int write_end(struct writer *w, const struct lu_word_counts *c,
		const struct lu_count_info *info, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_hash128 h;
	int rc;

	put_str(&b, lu_str_of(info->settings));
	put64(&b, info->documents);
	put64(&b, info->bytes);
	put64(&b, w->records);
	put64(&b, c->lang.name.n);
	for (size_t i = 0; i < c->lang.name.n; i++) {
		put_str(&b, c->lang.name.p[i]);
		put64(&b, c->chars[i]);
	}
	lu_buf_str(&b, lu_buf_slice(&w->footer));
	rc = lu_buf_check(&b, err);
	if (rc == 0) {
		h = lu_hash128(b.p, b.n);
		put64(&b, w->at);
		put_hash(&b, h);
		lu_buf_puts(&b, LU_COUNT_END);
		rc = lu_out_buf(w->out, &b, err);
	}
	lu_buf_release(&b);
	return rc;
}

int lu_count_steps_write(struct lu_word_counts *c, const struct lu_count_info *info,
		struct lu_out *out, struct lu_err *err)
{
	struct writer w = { .out = out, .hasher = lu_hasher_new() };
	struct lu_word_counts_visitor v = { .ctx = &w, .by_language = put_word, .end = end_part };
	int rc = w.hasher ? write_header(&w, err) : lu_err_nomem(err);

	LU_ASSERT(c->by_language);
	c->threads = 1; /* so that put_word() is called in the order of the file */
	if (rc == 0)
		rc = lu_word_counts_visit(c, &v, err);
	if (rc == 0)
		rc = write_end(&w, c, info, err);
	lu_buf_release(&w.buf);
	lu_buf_release(&w.footer);
	lu_hasher_free(w.hasher);
	return rc;
}

/* --- the files of earlier steps ----------------------------------------------------------- */

int lu_count_set_open(struct lu_count_set *s, char *const *path, size_t n, const char *settings,
		struct lu_err *err)
{
	*s = (struct lu_count_set){ .file = malloc((n + 1) * sizeof(*s->file)) };
	if (!s->file)
		return lu_err_nomem(err);
	if (lu_files_distinct(path, n, "", err) < 0)
		goto fail;
	for (; s->n < n; s->n++) {
		struct lu_count_file *f = &s->file[s->n];

		if (lu_count_file_open(f, path[s->n], err) < 0)
			goto fail;
		if (strcmp(f->settings, settings) != 0) {
			lu_err_set(err, "%s: was counted with %s, not with %s", path[s->n],
					f->settings, settings);
			lu_count_file_close(f);
			goto fail;
		}
		s->documents += f->documents;
		s->bytes += f->bytes;
	}
	return 0;
fail:
	lu_count_set_close(s);
	return -1;
}

void lu_count_set_close(struct lu_count_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		lu_count_file_close(&s->file[i]);
	free(s->file);
	*s = (struct lu_count_set){ 0 };
}
