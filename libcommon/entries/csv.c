#include "libcommon/entries/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/map.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/charset/charset.h"
#include "libcommon/entries/csv_row.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/json.h"

#define GUESS_HEAD ((size_t)16 << 10)

/* What a block begins with; the row of names and rows follow. */
struct head {
	uint64_t rows, lines; /* before it */
	const char *bad;      /* NULL, or the reason why its one row is not taken */
	uint64_t skipped;     /* length of a row that is not here */
	const char *charset;  /* of what is not UTF-8; NULL: not known */
	size_t names;	      /* bytes of the row of names */
	struct lu_csv_form form;
};

struct csv {
	struct lu_feed *feed;
	const struct lu_entries_options *o;
	bool begun, ended;
	struct lu_buf in; /* bytes at .. n - 1 are unread */
	size_t at;
	struct lu_csv_scan scan; /* of the row at `at` */
	struct lu_buf names;
	struct head head; /* of the next block */
	unsigned unclosed;
};

/* --- the reading thread -------------------------------------------------------------------- */

static int csv_start(void **state, struct lu_feed *feed, const struct lu_entries_options *o,
		char delimiter, struct lu_err *err)
{
	struct csv *c = calloc(1, sizeof(*c));

	if (!c)
		return lu_err_nomem(err);
	c->feed = feed;
	c->o = o;
	c->head.form = (struct lu_csv_form){ o->delimiter ? o->delimiter : delimiter,
		!o->no_quotes };
	c->head.charset = o->charset;
	*state = c;
	return 0;
}

static int csv_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	(void)file;
	(void)tmpdir;
	return csv_start(state, feed, o, 0, err);
}

static int tsv_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	(void)file;
	(void)tmpdir;
	return csv_start(state, feed, o, '\t', err);
}

/* Read on behind the unread bytes, which may move. */
static int read_more(struct csv *c, size_t n, struct lu_err *err)
{
	ssize_t got;

	if (c->at)
		memmove(c->in.p, c->in.p + c->at, c->in.n - c->at);
	c->in.n -= c->at;
	c->at = 0;
	if (!lu_buf_reserve(&c->in, n))
		return lu_err_nomem(err);
	got = lu_feed_read(c->feed, c->in.p + c->in.n, n, err);
	if (got < 0)
		return -1;
	c->in.n += (size_t)got;
	c->ended = (size_t)got < n;
	return 0;
}

/* The end of the row at the read position, or NULL: it is not in memory. */
static const char *row_end(struct csv *c)
{
	const char *p, *end, *next;

	if (c->at == c->in.n)
		return NULL;
	p = c->in.p + c->at;
	end = c->in.p + c->in.n;
	next = lu_csv_row_end(&c->head.form, p, end, &c->scan);

	/* The last row may have no line end; its last byte may be the quote that closes a field. */
	if (!next && c->ended &&
			(!c->scan.quoted ||
					(c->scan.at + 1 == c->in.n - c->at && end[-1] == '"' &&
							end - p > 1)))
		next = end;
	return next;
}

static uint64_t count_lines(const char *p, const char *end)
{
	uint64_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

static bool is_blank_row(const char *p, const char *end)
{
	return end - p <= 2 && lu_csv_trim((struct lu_str){ p, (size_t)(end - p) }).n == 0;
}

static void pass_row(struct csv *c, const char *end)
{
	c->at = (size_t)(end - c->in.p);
	c->scan = (struct lu_csv_scan){ 0 };
}

/* Read the row of names. 1; 0: the file is empty; -1. */
static int begin(struct csv *c, struct lu_err *err)
{
	struct lu_str head, names;
	const char *end;

	if (lu_feed_peek(c->feed, GUESS_HEAD, &head, err) < 0)
		return -1;
	if (head.n >= 3 && memcmp(head.p, "\xEF\xBB\xBF", 3) == 0) {
		lu_feed_skip(c->feed, 3);
		head = (struct lu_str){ head.p + 3, head.n - 3 };
	}
	if (!c->head.form.delimiter)
		c->head.form.delimiter = lu_csv_guess(head);
	for (;;) {
		end = row_end(c);
		if (end && is_blank_row(c->in.p + c->at, end)) {
			c->head.lines++;
			pass_row(c, end);
			continue;
		}
		if (end || c->ended || c->in.n - c->at > LU_CSV_HEADER_MAX)
			break;
		if (read_more(c, LU_FEED_AHEAD, err) < 0)
			return -1;
	}
	if (!end && c->at == c->in.n)
		return 0;
	if (!end || (size_t)(end - c->in.p) - c->at > LU_CSV_HEADER_MAX)
		return lu_err_set(err, "%s: no row of names in its first %zu KiB; is it CSV?",
				lu_feed_name(c->feed), LU_CSV_HEADER_MAX >> 10);
	names = (struct lu_str){ c->in.p + c->at, (size_t)(end - c->in.p) - c->at };
	lu_buf_str(&c->names, lu_csv_trim(names));
	if (!c->o->no_header) {
		c->head.lines += count_lines(names.p, end);
		pass_row(c, end);
	}
	c->head.names = c->names.n;
	return lu_buf_check(&c->names, err) < 0 ? -1 : 1;
}

static int put_block(struct csv *c, struct lu_str rows, struct lu_buf *block, struct lu_err *err)
{
	const size_t n = sizeof(c->head);

	lu_buf_clear(block);
	lu_buf_append(block, &c->head, n);
	lu_buf_str(block, lu_buf_slice(&c->names));
	lu_buf_str(block, rows);
	if (lu_buf_check(block, err) < 0)
		return -1;
	if (c->o->guess_charset && !c->head.charset &&
			lu_charset_of_rows((struct lu_str){ block->p + n, block->n - n },
					&c->head.charset, err) < 0)
		return -1;
	memcpy(block->p, &c->head, n);
	if (!c->head.charset && lu_utf8_valid(c->names.p, c->names.n) != c->names.n)
		return lu_err_set(err,
				"%s: its row of names is not UTF-8%s; --charset names its charset",
				lu_feed_name(c->feed),
				c->o->guess_charset ? ", and no guess of its charset is sure" : "");
	return 1;
}

/* The row at the read position has no end in the bounds: give the line it begins on. */
static int give_bad(struct csv *c, struct lu_buf *block, struct lu_err *err)
{
	const char *p = c->in.p + c->at;
	const char *nl = memchr(p, '\n', c->in.n - c->at);
	struct lu_str line = { p, nl ? (size_t)(nl + 1 - p) : c->in.n - c->at };
	int rc;

	c->head.bad = !c->scan.quoted ? "longer than --max-line"
			: c->ended    ? "quote that is not closed"
				      : "quote that is not closed within --max-line";
	if (c->scan.quoted && ++c->unclosed > LU_CSV_UNCLOSED)
		return lu_err_set(err,
				"%s:%" PRIu64 ": more than %d quotes are not closed; with "
				"--no-quotes they are ordinary characters",
				lu_feed_name(c->feed), c->head.lines + 1, LU_CSV_UNCLOSED);
	c->head.skipped = 0;
	if (line.n > c->o->limit) {
		c->head.skipped = line.n;
		line.n = 0;
		/* Pass over the rest of the line without holding it. */
		while (!nl && !c->ended) {
			c->at = c->in.n;
			if (read_more(c, LU_FEED_AHEAD, err) < 0)
				return -1;
			nl = memchr(c->in.p, '\n', c->in.n);
			c->head.skipped += nl ? (size_t)(nl + 1 - c->in.p) : c->in.n;
		}
		c->at = nl ? (size_t)(nl + 1 - c->in.p) : c->in.n;
	} else {
		c->at += line.n;
	}
	c->scan = (struct lu_csv_scan){ 0 };
	rc = put_block(c, line, block, err);
	c->head.bad = NULL;
	c->head.skipped = 0;
	c->head.rows++;
	c->head.lines += nl != NULL;
	return rc;
}

/* Go on to the next row; *from is where the block begins. 1: its end is in memory; 0: it has none, or
 * there is no row; -1. */
static int next_row(struct csv *c, size_t *from, const char **end, struct lu_err *err)
{
	while ((*end = row_end(c)) == NULL && !c->ended) {
		size_t row = c->at - *from;

		if (c->in.n - c->at > c->o->limit)
			return 0;
		/* What belongs to the block stays before the row. */
		c->at = *from;
		if (read_more(c, LU_ENTRIES_BLOCK, err) < 0)
			return -1;
		*from = 0;
		c->at = row;
	}
	return *end != NULL;
}

static int csv_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct csv *c = state;
	uint64_t rows = 0;
	size_t from;
	const char *end;
	int rc;

	if (!c->begun) {
		rc = begin(c, err);
		if (rc <= 0)
			return rc;
		c->begun = true;
	}
	from = c->at;
	do {
		rc = next_row(c, &from, &end, err);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			rows += !is_blank_row(c->in.p + c->at, end);
			pass_row(c, end);
		}
	} while (rc > 0 && c->at - from < LU_ENTRIES_BLOCK);
	if (c->at == from)
		return c->at == c->in.n ? 0 : give_bad(c, block, err);
	rc = put_block(c, (struct lu_str){ c->in.p + from, c->at - from }, block, err);
	c->head.rows += rows;
	c->head.lines += count_lines(c->in.p + from, c->in.p + c->at);
	return rc;
}

static void csv_close(void *state)
{
	struct csv *c = state;

	if (c) {
		lu_buf_release(&c->in);
		lu_buf_release(&c->names);
	}
	free(c);
}

/* --- any thread ---------------------------------------------------------------------------- */

struct row {
	const struct lu_entries_options *o;
	struct head head;
	struct LU_VEC(size_t) key_ends; /* of `"name":` in key_bytes */
	struct lu_buf key_bytes;
	struct lu_map map; /* of the keys */
	size_t score;	   /* the column of lang_score, or SIZE_MAX */
	struct lu_buf store, json;
	struct lu_charset_work charset;
};

/* The name of column i, quoted and with its colon. */
static struct lu_str key_of(const struct row *r, uint32_t i)
{
	size_t from = i ? r->key_ends.p[i - 1] : 0;

	return (struct lu_str){ r->key_bytes.p + from, r->key_ends.p[i] - from };
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	struct lu_str key = key_of(items, i);

	return lu_hash64(key.p, key.n, 0);
}

static bool key_same(const void *items, uint32_t i, const void *key)
{
	return lu_str_eq(key_of(items, i), *(const struct lu_str *)key);
}

/* Append the name of a column as a key. An empty name is the column's number; one that repeats gets that,
 * and an underscore more for each time that this is taken too. */
static int add_name(struct row *r, struct lu_str name, struct lu_err *err)
{
	struct lu_buf alone = { 0 };
	size_t from = r->key_bytes.n, column = r->key_ends.n + 1;
	struct lu_str key;
	uint64_t hash;
	int rc = -1;

	if (r->o->no_header || name.n == 0)
		lu_buf_u64(&alone, column);
	else
		lu_buf_str(&alone, name);
	for (int n = 0;; n++) {
		if (n == 1)
			lu_buf_printf(&alone, "_%zu", column);
		else if (n > 1)
			lu_buf_putc(&alone, '_');
		r->key_bytes.n = from;
		lu_json_quote(&r->key_bytes, lu_buf_slice(&alone));
		lu_buf_putc(&r->key_bytes, ':');
		if (lu_buf_check(&alone, err) < 0 || lu_buf_check(&r->key_bytes, err) < 0)
			goto out;
		key = (struct lu_str){ r->key_bytes.p + from, r->key_bytes.n - from };
		hash = lu_hash64(key.p, key.n, 0);
		if (lu_map_find(&r->map, hash, r, key_same, &key) == LU_MAP_NONE)
			break;
	}
	if (lu_str_is(lu_buf_slice(&alone), "lang_score"))
		r->score = r->key_ends.n;
	if (!lu_map_reserve(&r->map, r, key_hash) || !lu_vec_push(&r->key_ends, r->key_bytes.n)) {
		lu_err_nomem(err);
		goto out;
	}
	lu_map_add(&r->map, hash);
	rc = 0;
out:
	lu_buf_release(&alone);
	return rc;
}

/* Convert to UTF-8. 1; 0: not valid, as e->drop says; -1. */
static int to_utf8(struct row *r, struct lu_str *s, struct lu_entry *e, struct lu_err *err)
{
	const struct lu_charset how = { .fallback = r->head.charset,
		.strict = r->o->strict_charset };
	const struct lu_charset_in in = { .bytes = *s };
	struct lu_charset_result utf8;
	int rc;

	if (lu_utf8_valid(s->p, s->n) == s->n)
		return 1;
	rc = lu_charset_convert(&how, &r->charset, &in, &utf8, err);
	if (rc < 0)
		return -1;
	e->drop = rc ? NULL : utf8.reason;
	e->recoded = rc > 0 && utf8.how != LU_CHARSET_UTF8;
	e->charset_errors = rc > 0 ? utf8.errors : 0;
	*s = rc > 0 ? utf8.text : *s;
	return rc;
}

static int read_names(struct row *r, struct lu_str names, struct lu_err *err)
{
	struct lu_csv_fields fields = { .done = false };
	struct lu_entry unused;
	struct lu_str field;
	bool quoted;
	int rc;

	r->score = SIZE_MAX;
	rc = to_utf8(r, &names, &unused, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		lu_utf8_repair(&r->json, names);
		names = lu_buf_slice(&r->json);
	}
	fields.rest = names;
	while (lu_csv_field(&r->head.form, &fields, &r->store, &field, &quoted)) {
		if (add_name(r, field, err) < 0)
			return -1;
	}
	return lu_buf_check(&r->json, err) < 0 ? -1 : lu_buf_check(&r->store, err);
}

static bool is_number(struct lu_str s)
{
	struct lu_json_fault fault;
	enum lu_json_type type;

	return lu_json_check(s, &type, &fault) == 0 && type == LU_JSON_NUMBER;
}

/* Make a record of a row: r->json. Returns the number of its fields. */
static size_t make_record(struct row *r, struct lu_str row)
{
	struct lu_csv_fields fields = { .rest = row };
	struct lu_str field;
	bool quoted;
	size_t n = 0, from = 0;

	lu_buf_clear(&r->json);
	while (lu_csv_field(&r->head.form, &fields, &r->store, &field, &quoted)) {
		if (n < r->key_ends.n) {
			lu_buf_putc(&r->json, n ? ',' : '{');
			lu_buf_append(&r->json, r->key_bytes.p + from, r->key_ends.p[n] - from);
			from = r->key_ends.p[n];
			if (field.n == 0 && !quoted)
				lu_buf_puts(&r->json, "null");
			else if (n == r->score && is_number(field))
				lu_buf_str(&r->json, field);
			else
				lu_json_quote(&r->json, field);
		}
		n++;
	}
	lu_buf_putc(&r->json, '}');
	return n;
}

/* The sentence about a row with another number of fields. */
static void describe_ragged(const struct row *r, size_t n, struct lu_err *message)
{
	lu_err_set(message, "row of %zu field%s where the first has %zu", n, n == 1 ? "" : "s",
			r->key_ends.n);
}

static int convert_row(struct row *r, struct lu_str row, struct lu_entry *e, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_err message;
	struct lu_str text = lu_csv_trim(row);
	size_t n;

	e->content = LU_ENTRY_RECORD;
	e->bytes = text;
	e->size = r->head.skipped ? r->head.skipped : row.n;
	e->bad = r->head.bad != NULL;
	e->drop = r->head.bad;
	if (!e->drop && text.n > r->o->limit) {
		e->bad = true;
		e->drop = "longer than --max-line";
	}
	if (!e->drop) {
		if (to_utf8(r, &text, e, err) < 0)
			return -1;
	}
	if (!e->drop) {
		n = make_record(r, text);
		if (lu_buf_check(&r->json, err) < 0 || lu_buf_check(&r->store, err) < 0)
			return -1;
		if (n == r->key_ends.n) {
			e->bytes = lu_buf_slice(&r->json);
		} else {
			describe_ragged(r, n, &message);
			e->bad = true;
			e->drop = "wrong number of fields";
			e->detail = lu_str_of(message.msg);
		}
	}
	return emit(ctx, e, err);
}

static int convert_rows(
		struct row *r, struct lu_str rows, lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	const char *p = rows.p, *stop = rows.p + rows.n;
	uint64_t number = r->head.rows, line = r->head.lines + 1;
	char name[24];

	do {
		struct lu_csv_scan scan = { 0 };
		const char *end =
				r->head.bad ? stop : lu_csv_row_end(&r->head.form, p, stop, &scan);
		struct lu_entry e = { .line = line };

		end = end ? end : stop;
		if (r->head.bad || !is_blank_row(p, end)) {
			snprintf(name, sizeof(name), "%" PRIu64, ++number);
			e.name = lu_str_of(name);
			if (convert_row(r, (struct lu_str){ p, (size_t)(end - p) }, &e, emit, ctx,
					    err) < 0)
				return -1;
		}
		line += count_lines(p, end);
		p = end;
	} while (p < stop);
	return 0;
}

static int csv_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct row r = { .o = o };
	struct lu_str names, rows;
	int rc;

	LU_ASSERT(block.n >= sizeof(r.head));
	memcpy(&r.head, block.p, sizeof(r.head));
	names = (struct lu_str){ block.p + sizeof(r.head), r.head.names };
	rows.p = names.p + names.n;
	rows.n = block.n - sizeof(r.head) - names.n;
	rc = read_names(&r, names, err);
	if (rc == 0)
		rc = convert_rows(&r, rows, emit, ctx, err);
	lu_vec_release(&r.key_ends);
	lu_map_release(&r.map);
	lu_buf_release(&r.key_bytes);
	lu_buf_release(&r.store);
	lu_charset_work_release(&r.charset);
	lu_buf_release(&r.json);
	return rc;
}

const struct lu_entries_type lu_csv = { "CSV", true, csv_open, csv_block, csv_convert, csv_close };
const struct lu_entries_type lu_tsv = { "TSV", true, tsv_open, csv_block, csv_convert, csv_close };
