#include "libcommon/entries/json_values.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/take_line.h"
#include "libcommon/entries/items.h"
#include "libcommon/entries/json_lines.h"
#include "libcommon/io/json.h"

/* RFC 7464 puts a record separator before each text. */
#define BLANKS " \t\r\n\x1E"

enum place { START, BEFORE, BEHIND, INSIDE, END };

struct values {
	struct lu_feed *feed;
	struct lu_buf in; /* bytes at .. n - 1 are unread */
	size_t at;
	bool ended;
	bool array;
	enum place place;
	uint64_t line, number;
	/* Of the value that is read. */
	struct lu_items items;
	uint64_t depth;
	bool string, escape, scalar;
	bool failed; /* what was read before the failure has been given */
	struct lu_err err;
};

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

/* The offset of the first byte behind a mark and blanks. */
static size_t first(struct lu_str s)
{
	size_t i = s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	while (i < s.n && is_blank(s.p[i]))
		i++;
	return i;
}

bool lu_json_values_look(struct lu_str head)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct lu_str line, next;
	size_t i = first(head);

	head = (struct lu_str){ head.p + i, head.n - i };
	if (head.n == 0)
		return false;
	if (head.p[0] == '[') {
		head = (struct lu_str){ head.p + 1, head.n - 1 };
		i = first(head);
		return i < head.n && (head.p[i] == '{' || head.p[i] == ']');
	}
	/* A first line that ends inside an object, unless the next line begins one: that is JSON Lines
	 * with a damaged line. */
	if (head.p[0] != '{' || !memchr(head.p, '\n', head.n))
		return false;
	lu_take_line(&head, &line);
	if (lu_json_check(line, &type, &fault) == 0 || fault.kind != LU_JSON_TRUNCATED)
		return false;
	do {
		if (!lu_take_line(&head, &next))
			return true;
	} while (lu_trim_line(next).n == 0);
	return next.p[0] != '{';
}

/* The first object at the beginning of s, or all of s. */
static struct lu_str first_object(struct lu_str s)
{
	bool string = false, escape = false;
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (escape)
			escape = false;
		else if (string) {
			escape = c == '\\';
			string = c != '"';
		} else if (c == '"')
			string = true;
		else if (c == '{')
			depth++;
		else if (c == '}' && --depth == 0)
			return (struct lu_str){ s.p, i + 1 };
	}
	return s;
}

bool lu_json_file_look(struct lu_str head)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	size_t i = first(head);

	if (!lu_json_values_look(head) && !lu_json_lines_look(head))
		return false;
	head = (struct lu_str){ head.p + i, head.n - i };
	if (head.p[0] == '{')
		head = first_object(head);
	return lu_json_check(head, &type, &fault) == 0 || fault.kind != LU_JSON_SYNTAX;
}

static int values_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct values *v = calloc(1, sizeof(*v));

	(void)file;
	(void)tmpdir;
	if (!v)
		return lu_err_nomem(err);
	v->feed = feed;
	v->items.limit = o->limit;
	v->line = 1;
	*state = v;
	return 0;
}

/* Read on. 1; 0 at the end; -1. */
static int more(struct values *v, struct lu_err *err)
{
	ssize_t got;

	lu_buf_clear(&v->in);
	v->at = 0;
	if (v->ended)
		return 0;
	if (!lu_buf_reserve(&v->in, LU_FEED_AHEAD))
		return lu_err_nomem(err);
	got = lu_feed_read(v->feed, v->in.p, LU_FEED_AHEAD, err);
	if (got < 0)
		return -1;
	v->in.n = (size_t)got;
	v->ended = (size_t)got < LU_FEED_AHEAD;
	return got > 0;
}

/* Remember what is wrong at the read position. Returns 0. */
static int wrong(struct values *v, const char *what)
{
	uint64_t behind = v->in.n - v->at;

	v->failed = true;
	lu_err_set(&v->err, "%s:%" PRIu64 ": byte %" PRIu64 ": %s", lu_feed_name(v->feed), v->line,
			v->feed->given - behind, what);
	return 0;
}

static void begin_value(struct values *v, struct lu_buf *block)
{
	lu_items_begin(&v->items, ++v->number, v->line, block);
	v->depth = 0;
	v->string = v->escape = false;
	v->scalar = v->in.p[v->at] != '{' && v->in.p[v->at] != '[';
	v->place = INSIDE;
}

/* Read the value on as far as it is in memory. */
static void read_value(struct values *v, struct lu_buf *block)
{
	const char *from = v->in.p + v->at, *end = v->in.p + v->in.n, *p = from;
	bool done = false;

	for (; p < end && !done; p++) {
		v->line += *p == '\n';
		if (v->escape) {
			v->escape = false;
		} else if (v->string) {
			v->escape = *p == '\\';
			v->string = *p != '"';
			done = !v->string && v->scalar;
		} else if (*p == '"') {
			v->string = true;
		} else if (v->scalar) {
			/* A number or a word ends before what follows it. */
			if (*p == ',' || *p == ']' || *p == '{' || is_blank(*p)) {
				v->line -= *p == '\n';
				done = true;
				p--;
			}
		} else if (*p == '{' || *p == '[') {
			v->depth++;
		} else if (*p == '}' || *p == ']') {
			done = --v->depth == 0;
		}
	}
	v->at += (size_t)(p - from);
	lu_items_append(&v->items, (struct lu_str){ from, (size_t)(p - from) }, block);
	if (done) {
		lu_items_end(&v->items, block);
		v->place = BEHIND;
	}
}

/* Take the next byte between values. */
static int between(struct values *v, struct lu_buf *block)
{
	char c = v->in.p[v->at];

	if (is_blank(c)) {
		v->line += c == '\n';
		v->at++;
	} else if (v->place == START && c == '[') {
		v->array = true;
		v->place = BEFORE;
		v->at++;
	} else if (v->place == END) {
		return wrong(v, "text behind the end of the JSON array");
	} else if (v->array && c == ']' && (v->place == BEHIND || v->number == 0)) {
		v->place = END;
		v->at++;
	} else if (v->array && c == ',' && v->place == BEHIND) {
		v->place = BEFORE;
		v->at++;
	} else if ((v->array && v->place == BEFORE && c != ',' && c != ']' && c != '}') ||
			(!v->array && c == '{')) {
		begin_value(v, block);
	} else {
		return wrong(v,
				v->array ? "no comma where one should be in a JSON array"
					 : "no JSON object where one should begin");
	}
	return 0;
}

/* The file ends: where it may, if it does. */
static void finish(struct values *v, struct lu_buf *block)
{
	if (v->place == INSIDE) {
		lu_items_cancel(&v->items, block);
		wrong(v,
				v->array ? "the JSON array is cut inside an element"
					 : "the file ends inside a JSON object");
	} else if (v->array && v->place != END) {
		wrong(v, "the JSON array has no end");
	}
}

static int skip_mark(struct values *v)
{
	if (v->in.n >= 3 && memcmp(v->in.p, "\xEF\xBB\xBF", 3) == 0)
		v->at = 3;
	return 1;
}

static int values_block(void *state, struct lu_buf *block, struct lu_err *err)
{
	struct values *v = state;
	bool begun = v->feed->given > 0;

	lu_buf_clear(block);
	/* A value is not divided: a block ends between two. */
	while (!v->failed && (v->place == INSIDE || block->n < LU_ENTRIES_BLOCK)) {
		if (v->at == v->in.n) {
			int rc = more(v, err);

			if (rc < 0)
				return -1;
			if (rc == 0) {
				finish(v, block);
				break;
			}
			if (!begun)
				skip_mark(v);
			begun = true;
			continue;
		}
		if (v->place == INSIDE)
			read_value(v, block);
		else
			between(v, block);
		if (lu_buf_check(block, err) < 0)
			return -1;
	}
	if (block->n)
		return 1;
	if (v->failed)
		*err = v->err;
	return v->failed ? -1 : 0;
}

static int values_convert(const struct lu_entries_options *o, struct lu_str block,
		lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	struct lu_entry e;
	char name[24];

	(void)o;
	while (lu_items_next(&block, &e, name)) {
		e.content = LU_ENTRY_RECORD;
		if (emit(ctx, &e, err) < 0)
			return -1;
	}
	return 0;
}

static void values_close(void *state)
{
	struct values *v = state;

	if (v)
		lu_buf_release(&v->in);
	free(v);
}

const struct lu_entries_type lu_json_values = {
	.name = "JSON",
	.distinct = true,
	.open = values_open,
	.block = values_block,
	.convert = values_convert,
	.close = values_close,
};
