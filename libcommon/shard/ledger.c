#include "libcommon/shard/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/sys/file.h"

/* A line holds an id, a source and a licence: a longer one is damage. */
#define MAX_LINE ((uint64_t)1 << 30)

struct lu_ledger {
	const struct lu_shard *shard;
	size_t part; /* whose file is open */
	bool open;   /* false at the end */
	char *path;
	struct lu_lines lines;
	struct lu_slab slab;
	bool in_slab;	   /* the slab may have more lines */
	uint64_t document; /* the next one */
	struct lu_arena arena;
};

static void close_part(struct lu_ledger *l)
{
	if (l->open)
		lu_lines_close(&l->lines);
	l->open = l->in_slab = false;
}

static int open_part(struct lu_ledger *l, size_t part, struct lu_err *err)
{
	close_part(l);
	free(l->path);
	l->part = part;
	l->path = lu_concat(lu_shard_prefix(l->shard), lu_shard_part_suffix(l->shard, part),
			".docs.jsonl.zst");
	if (!l->path)
		return lu_err_nomem(err);
	if (lu_lines_open(&l->lines, &l->path, 1, MAX_LINE, err) < 0)
		return -1;
	l->open = true;
	l->document = lu_shard_part_document(l->shard, part);
	return 0;
}

int lu_ledger_open(struct lu_ledger **out, const struct lu_shard *s, struct lu_err *err)
{
	struct lu_ledger *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (!l)
		return lu_err_nomem(err);
	l->shard = s;
	if (open_part(l, 0, err) < 0) {
		lu_ledger_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

void lu_ledger_close(struct lu_ledger *l)
{
	if (!l)
		return;
	close_part(l);
	lu_buf_release(&l->slab.bytes);
	lu_arena_release(&l->arena);
	free(l->path);
	free(l);
}

/* The next line of the part's file: 1, 0 at its end, -1. */
static int next_line(struct lu_ledger *l, struct lu_str *line, struct lu_err *err)
{
	for (;;) {
		int rc;

		if (l->in_slab && lu_slab_next(&l->slab, line)) {
			if (!l->slab.too_long)
				return 1;
			return lu_err_set(err, "%s:%" PRIu64 ": line too long", l->path,
					l->slab.line);
		}
		l->in_slab = false;
		rc = lu_lines_read(&l->lines, &l->slab, err);
		if (rc <= 0)
			return rc;
		l->in_slab = true;
	}
}

/* At the end of a part's file: check that it had a line for each document. */
static int check_end(const struct lu_ledger *l, struct lu_err *err)
{
	uint64_t first = lu_shard_part_document(l->shard, l->part);
	uint64_t end = lu_shard_part_document(l->shard, l->part + 1);

	if (l->document == end)
		return 0;
	return lu_err_set(err, "%s: has %" PRIu64 " lines, the index has %" PRIu64 " documents",
			l->path, l->document - first, end - first);
}

static int parse(struct lu_ledger *l, struct lu_str line, struct lu_ledger_doc *d,
		struct lu_err *err)
{
	const struct lu_json_member *id, *source, *license, *lang, *first, *tokens, *bytes;
	struct lu_json_obj o;
	struct lu_json_fault fault;

	lu_arena_reset(&l->arena);
	if (lu_json_object(line, &l->arena, &o, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s:%" PRIu64, l->path, l->slab.line);
	}
	id = lu_json_get(&o, "id");
	source = lu_json_get(&o, "source");
	license = lu_json_get(&o, "license");
	lang = lu_json_get(&o, "lang");
	first = lu_json_get(&o, "first");
	tokens = lu_json_get(&o, "tokens");
	bytes = lu_json_get(&o, "bytes");
	if (!id || !source || !license || !lang || !first || !lu_json_u64(first, &d->first) ||
			!tokens || !lu_json_u64(tokens, &d->tokens) || !bytes ||
			!lu_json_u64(bytes, &d->bytes))
		return lu_err_set(err, "%s:%" PRIu64 ": not a line of a ledger", l->path,
				l->slab.line);
	d->first += lu_shard_ledger_token(l->shard, l->part);
	d->document = l->document;
	d->id = id->value;
	d->source = source->value;
	d->license = license->value;
	d->lang = lang->value;
	return 0;
}

/* Check a document against the index. */
static int check_document(
		const struct lu_ledger *l, const struct lu_ledger_doc *d, struct lu_err *err)
{
	uint64_t first, tokens;

	if (d->document >= lu_shard_part_document(l->shard, l->part + 1))
		return lu_err_set(err, "%s:%" PRIu64 ": the index has no document for it", l->path,
				l->slab.line);
	if (lu_shard_document(l->shard, d->document, &first, &tokens, err) < 0)
		return -1;
	if (d->first != first || d->tokens != tokens)
		return lu_err_set(err,
				"%s:%" PRIu64 ": says %" PRIu64 " tokens from %" PRIu64
				" on, the index %" PRIu64 " from %" PRIu64 " on",
				l->path, l->slab.line, d->tokens, d->first, tokens, first);
	return 0;
}

int lu_ledger_next(struct lu_ledger *l, struct lu_ledger_doc *d, struct lu_err *err)
{
	struct lu_str line;
	int rc;

	while ((rc = l->open ? next_line(l, &line, err) : 0) == 0) {
		if (l->open && check_end(l, err) < 0)
			return -1;
		if (!l->open || l->part + 1 == lu_shard_parts(l->shard)) {
			close_part(l);
			return 0;
		}
		if (open_part(l, l->part + 1, err) < 0)
			return -1;
	}
	if (rc < 0 || parse(l, line, d, err) < 0 || check_document(l, d, err) < 0)
		return -1;
	l->document++;
	return 1;
}

int lu_ledger_seek(struct lu_ledger *l, uint64_t document, struct lu_err *err)
{
	size_t parts = lu_shard_parts(l->shard), part = 0;

	LU_ASSERT(document <= lu_shard_documents(l->shard));
	while (part + 1 < parts && lu_shard_part_document(l->shard, part + 1) <= document)
		part++;
	if ((!l->open || part != l->part || document < l->document) && open_part(l, part, err) < 0)
		return -1;
	while (l->document < document) {
		struct lu_str line;
		int rc = next_line(l, &line, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			return check_end(l, err);
		l->document++;
	}
	return 0;
}

void lu_ledger_put_members(const struct lu_ledger_doc *d, struct lu_buf *out)
{
	lu_json_put_raw(out, "id", d->id);
	lu_json_put_raw(out, "source", d->source);
	lu_json_put_raw(out, "license", d->license);
	lu_json_put_raw(out, "lang", d->lang);
	lu_json_put_u64(out, "first", d->first);
	lu_json_put_u64(out, "tokens", d->tokens);
}

void lu_ledger_write(const struct lu_ledger_doc *d, struct lu_buf *out)
{
	lu_json_open_object(out, NULL);
	lu_ledger_put_members(d, out);
	lu_json_put_u64(out, "bytes", d->bytes);
	lu_json_close_object(out);
	lu_buf_putc(out, '\n');
}
