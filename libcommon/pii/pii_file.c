#include "libcommon/pii/pii_file.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/lines.h"

#define FORMAT "lucie-spans"
#define VERSION 1
/* A line of the file: an id of any length, and a name of a file. */
#define LINE_MAX_BYTES ((uint64_t)1 << 26)

/* --- writing ------------------------------------------------------------------------------- */

static int put_line(struct lu_pii_writer *w, struct lu_err *err)
{
	lu_buf_putc(&w->line, '\n');
	if (lu_out_buf(w->out, &w->line, err) < 0)
		return -1;
	lu_hasher_add(w->hash, w->line.p, w->line.n);
	lu_buf_clear(&w->line);
	return 0;
}

int lu_pii_writer_open(struct lu_pii_writer *w, const char *path, int threads, struct lu_err *err)
{
	*w = (struct lu_pii_writer){ .hash = lu_hasher_new() };
	if (!w->hash)
		return lu_err_nomem(err);
	if (lu_out_open(&w->out, path, NULL, threads, err) < 0)
		return -1;
	lu_json_open_object(&w->line, NULL);
	lu_json_put_cstr(&w->line, "format", FORMAT);
	lu_json_put_u64(&w->line, "version", VERSION);
	lu_json_put_cstr(&w->line, "unit", "byte");
	lu_json_close_object(&w->line);
	return put_line(w, err);
}

int lu_pii_writer_add(struct lu_pii_writer *w, const struct lu_doc *doc, struct lu_hash128 text,
		const struct lu_pii_spans *spans, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(&doc->obj, "id");
	char hash[33];

	lu_hash128_text(text, hash);
	for (size_t i = 0; i < spans->n; i++) {
		const struct lu_pii_span *s = &spans->p[i];

		lu_json_open_object(&w->line, NULL);
		lu_json_put_raw(&w->line, "id", id ? id->value : LU_STR("null"));
		lu_json_put_cstr(&w->line, "file", doc->file);
		lu_json_put_u64(&w->line, "line", doc->line);
		lu_json_put_cstr(&w->line, "kind", lu_pii_kinds[s->kind].name);
		lu_json_put_u64(&w->line, "start", s->start);
		lu_json_put_u64(&w->line, "end", s->end);
		lu_json_put_cstr(&w->line, "text_hash", hash);
		lu_json_close_object(&w->line);
		if (put_line(w, err) < 0)
			return -1;
	}
	w->spans += spans->n;
	w->documents += spans->n > 0;
	return 0;
}

int lu_pii_writer_settle(struct lu_pii_writer *w, struct lu_err *err)
{
	char hash[33];

	lu_hash128_text(lu_hasher_end(w->hash), hash);
	lu_json_open_object(&w->line, NULL);
	lu_json_put_u64(&w->line, "spans", w->spans);
	lu_json_put_u64(&w->line, "documents", w->documents);
	lu_json_put_cstr(&w->line, "checksum", hash);
	lu_json_close_object(&w->line);
	return put_line(w, err) < 0 ? -1 : lu_out_settle(w->out, err);
}

int lu_pii_writer_commit(struct lu_pii_writer *w, struct lu_err *err)
{
	struct lu_out *out = w->out;

	w->out = NULL;
	return out ? lu_out_commit(out, err) : 0;
}

void lu_pii_writer_abort(struct lu_pii_writer *w)
{
	lu_out_abort(w->out);
	lu_hasher_free(w->hash);
	lu_buf_release(&w->line);
	*w = (struct lu_pii_writer){ 0 };
}

/* --- reading ------------------------------------------------------------------------------- */

static uint64_t text_hash(const void *items, uint32_t i)
{
	return ((const struct lu_pii_text *)items)[i].hash.lo;
}

static bool text_is(const void *items, uint32_t i, const void *key)
{
	return lu_hash128_eq(((const struct lu_pii_text *)items)[i].hash,
			*(const struct lu_hash128 *)key);
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	struct lu_str s = ((const struct lu_pii_key *)items)[i].key;

	return lu_hash64(s.p, s.n, 0);
}

static bool key_is(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(((const struct lu_pii_key *)items)[i].key, *(const struct lu_str *)key);
}

/* What tells a document from others: its id, else its place. */
static void put_key(struct lu_buf *b, struct lu_str id, struct lu_str file, uint64_t line)
{
	lu_buf_clear(b);
	if (!lu_str_is(id, "null")) {
		lu_buf_putc(b, 'i');
		lu_buf_str(b, id);
		return;
	}
	lu_buf_putc(b, 'f');
	lu_buf_str(b, file);
	lu_buf_putc(b, ':');
	lu_buf_u64(b, line);
}

/* A line of the file while it is read. */
struct loading {
	struct lu_pii_reader *r;
	struct lu_arena arena; /* of one line */
	struct lu_hasher *hash;
	struct lu_buf key;
	struct lu_buf place; /* of the span before */
	uint64_t lines, documents, spans;
	bool repeated; /* the text of this document is that of one before */
	bool complete;
};

static int wrong(const struct loading *l, const char *what, struct lu_err *err)
{
	return lu_err_set(err, "%s:%" PRIu64 ": %s: it is no span file of this version, or damaged",
			l->r->path, l->lines, what);
}

static bool get_string(struct loading *l, const struct lu_json_obj *o, const char *name,
		struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(o, name);

	return m && m->type == LU_JSON_STRING &&
			lu_json_decode_known(m->value, m->escaped, &l->arena, out) == 0;
}

static bool get_number(const struct lu_json_obj *o, const char *name, uint64_t *out)
{
	const struct lu_json_member *m = lu_json_get(o, name);

	return m && lu_json_u64(m, out);
}

static bool read_hash(struct lu_str s, struct lu_hash128 *h)
{
	uint64_t v[2] = { 0 };

	if (s.n != 32)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, s.p[i]);

		if (!s.p[i] || !d)
			return false;
		v[i / 16] = v[i / 16] << 4 | (uint64_t)(d - digits);
	}
	*h = (struct lu_hash128){ .hi = v[0], .lo = v[1] };
	return true;
}

static int read_header(struct loading *l, const struct lu_json_obj *o, struct lu_err *err)
{
	struct lu_str s;
	uint64_t version;

	if (!get_string(l, o, "format", &s) || !lu_str_is(s, FORMAT))
		return wrong(l, "no header", err);
	if (!get_number(o, "version", &version) || version != VERSION ||
			!get_string(l, o, "unit", &s) || !lu_str_is(s, "byte"))
		return wrong(l, "unknown version or unit", err);
	return 0;
}

static int read_trailer(struct loading *l, const struct lu_json_obj *o, struct lu_err *err)
{
	uint64_t spans, documents;
	struct lu_str sum;
	struct lu_hash128 have = lu_hasher_end(l->hash), want;

	if (!get_number(o, "spans", &spans) || !get_number(o, "documents", &documents) ||
			!get_string(l, o, "checksum", &sum) || !read_hash(sum, &want))
		return wrong(l, "malformed trailer", err);
	if (spans != l->spans || documents != l->documents ||
			(lu_hash_available() && !lu_hash128_eq(have, want)))
		return wrong(l, "count or checksum differ", err);
	l->complete = true;
	return 0;
}

/* Begin the next document. Of several with one text the spans are the same: those of the first are
 * kept. */
static int begin_document(
		struct loading *l, struct lu_hash128 hash, bool has_id, struct lu_err *err)
{
	struct lu_pii_reader *r = l->r;
	struct lu_str key = lu_arena_str(&r->arena, lu_buf_slice(&l->key));
	struct lu_pii_text t = { hash, r->spans.n, 0, key, has_id, 0 };
	uint64_t h = lu_hash64(key.p, key.n, 0);

	if (!key.p)
		return lu_err_nomem(err);
	l->documents++;
	l->repeated = lu_map_find(&r->by_hash, hash.lo, r->texts.p, text_is, &hash) != LU_MAP_NONE;
	if (!l->repeated) {
		if (!lu_map_reserve(&r->by_hash, r->texts.p, text_hash) ||
				!lu_vec_push(&r->texts, t))
			return lu_err_nomem(err);
		lu_map_add(&r->by_hash, hash.lo);
	}
	if (lu_map_find(&r->by_key, h, r->keys.p, key_is, &key) != LU_MAP_NONE)
		return 0;
	if (!lu_map_reserve(&r->by_key, r->keys.p, key_hash) ||
			!lu_vec_push(&r->keys, (struct lu_pii_key){ key }))
		return lu_err_nomem(err);
	lu_map_add(&r->by_key, h);
	return 0;
}

static int add_span(struct loading *l, struct lu_pii_span s, struct lu_err *err)
{
	struct lu_pii_reader *r = l->r;
	struct lu_pii_text *t = &r->texts.p[r->texts.n - 1];

	l->spans++;
	if (l->repeated)
		return 0;
	if (s.start >= s.end || (t->n && r->spans.p[r->spans.n - 1].end > s.start))
		return wrong(l, "spans that overlap", err);
	t->n++;
	return lu_vec_push(&r->spans, s) ? 0 : lu_err_nomem(err);
}

static int read_span(struct loading *l, const struct lu_json_obj *o, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(o, "id");
	const struct lu_enum *kind;
	struct lu_str file, name, sum, place;
	struct lu_hash128 hash;
	struct lu_pii_span s = { 0 };
	uint64_t line;

	if (!id || !get_string(l, o, "file", &file) || !get_number(o, "line", &line) ||
			!get_string(l, o, "kind", &name) || !get_number(o, "start", &s.start) ||
			!get_number(o, "end", &s.end) || !get_string(l, o, "text_hash", &sum) ||
			!read_hash(sum, &hash) || !(kind = lu_enum_find(lu_pii_kinds, name)))
		return wrong(l, "malformed span", err);
	s.kind = (enum lu_pii_kind)kind->value;
	/* The spans of a document are lines that agree up to the kind. */
	place = (struct lu_str){ o->line.p, (size_t)(lu_json_get(o, "kind")->value.p - o->line.p) };
	if (!lu_str_eq(place, lu_buf_slice(&l->place))) {
		lu_buf_clear(&l->place);
		lu_buf_str(&l->place, place);
		put_key(&l->key, id->value, file, line);
		if (lu_buf_check(&l->place, err) < 0 || lu_buf_check(&l->key, err) < 0 ||
				begin_document(l, hash, !lu_str_is(id->value, "null"), err) < 0)
			return -1;
	}
	return add_span(l, s, err);
}

static int read_line(struct loading *l, struct lu_str line, struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;

	lu_arena_reset(&l->arena);
	l->lines++;
	if (l->complete)
		return wrong(l, "more lines behind the trailer", err);
	if (lu_json_object(line, &l->arena, &o, &fault) < 0)
		return wrong(l, lu_json_fault_text(fault.kind), err);
	if (l->lines == 1 ? read_header(l, &o, err) < 0
			  : (lu_json_get(&o, "kind") ? read_span(l, &o, err)
						     : read_trailer(l, &o, err)) < 0)
		return -1;
	lu_hasher_add(l->hash, line.p, line.n);
	lu_hasher_add(l->hash, "\n", 1);
	return 0;
}

static int load(struct loading *l, struct lu_err *err)
{
	char *path = (char *)(uintptr_t)l->r->path;
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int rc, done = -1;

	if (lu_lines_open(&lines, &path, 1, LINE_MAX_BYTES, err) < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (lu_slab_next(&slab, &line)) {
			if (read_line(l, line, err) < 0)
				goto out;
		}
	}
	if (rc < 0)
		goto out;
	if (!l->complete)
		lu_err_set(err, "%s: no trailer: the span file is not complete, write it again",
				l->r->path);
	else
		done = 0;
out:
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	return done;
}

int lu_pii_reader_open(struct lu_pii_reader *r, const char *path, struct lu_err *err)
{
	struct loading l = { .r = r, .hash = lu_hasher_new() };
	int rc;

	*r = (struct lu_pii_reader){ .path = path };
	rc = l.hash ? load(&l, err) : lu_err_nomem(err);
	lu_hasher_free(l.hash);
	lu_arena_release(&l.arena);
	lu_buf_release(&l.key);
	lu_buf_release(&l.place);
	return rc;
}

/* The text is not in the file: so must the document be. */
static int refuse_other_text(
		const struct lu_pii_reader *r, const struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(&doc->obj, "id");
	struct lu_buf b = { 0 };
	struct lu_str key;
	uint32_t i;
	int rc;

	put_key(&b, id ? id->value : LU_STR("null"), lu_str_of(doc->file), doc->line);
	rc = lu_buf_check(&b, err);
	if (rc == 0) {
		key = lu_buf_slice(&b);
		i = lu_map_find(&r->by_key, lu_hash64(key.p, key.n, 0), r->keys.p, key_is, &key);
		if (i != LU_MAP_NONE)
			rc = lu_err_set(err,
					"the spans of %s for " LU_STR_FMT " are of another text: "
					"apply them to the documents they were found in, with an "
					"id of its own for each",
					r->path,
					LU_STR_ARG(((struct lu_str){ key.p + 1, key.n - 1 })));
	}
	lu_buf_release(&b);
	return rc;
}

int lu_pii_reader_find(struct lu_pii_reader *r, const struct lu_doc *doc,
		struct lu_pii_spans *spans, struct lu_err *err)
{
	struct lu_hash128 hash = lu_hash128(doc->text.p, doc->text.n);
	uint32_t i = lu_map_find(&r->by_hash, hash.lo, r->texts.p, text_is, &hash);
	struct lu_pii_text *t;

	spans->n = 0;
	if (i == LU_MAP_NONE)
		return refuse_other_text(r, doc, err);
	t = &r->texts.p[i];
	__atomic_store_n(&t->used, 1, __ATOMIC_RELAXED);
	if (r->spans.p[t->first + t->n - 1].end > doc->text.n)
		return lu_err_set(err, "%s: a span ends behind its text: the file is damaged",
				r->path);
	if (!lu_vec_reserve(spans, t->n))
		return lu_err_nomem(err);
	memcpy(spans->p, r->spans.p + t->first, t->n * sizeof(*spans->p));
	spans->n = t->n;
	return 0;
}

int lu_pii_reader_end(const struct lu_pii_reader *r, uint64_t *unused, struct lu_err *err)
{
	*unused = 0;
	for (size_t i = 0; i < r->texts.n; i++) {
		const struct lu_pii_text *t = &r->texts.p[i];

		if (t->used)
			continue;
		if (!t->has_id)
			return lu_err_set(err,
					"%s: no document had the text of " LU_STR_FMT
					": its spans were not applied, and without an id nothing "
					"tells whether it was left out or changed",
					r->path,
					LU_STR_ARG(((struct lu_str){
							t->key.p + 1, t->key.n - 1 })));
		++*unused;
	}
	return 0;
}

void lu_pii_reader_close(struct lu_pii_reader *r)
{
	lu_vec_release(&r->spans);
	lu_vec_release(&r->texts);
	lu_vec_release(&r->keys);
	lu_map_release(&r->by_hash);
	lu_map_release(&r->by_key);
	lu_arena_release(&r->arena);
}
