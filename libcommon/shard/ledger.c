#include "libcommon/shard/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"

/* A line holds an id, a source and a licence: more than this is no ledger. */
#define MAX_LINE ((uint64_t)1 << 30)

struct lu_ledger {
	const struct lu_shard *shard;
	size_t part; /* whose file is open; lu_shard_parts() at the end */
	bool open;
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
	const char *prefix = lu_shard_prefix(l->shard), *suffix;
	size_t n;

	close_part(l);
	free(l->path);
	l->part = part;
	suffix = lu_shard_part_suffix(l->shard, part);
	n = strlen(prefix) + strlen(suffix) + sizeof(".docs.jsonl.zst");
	l->path = malloc(n);
	if (!l->path)
		return lu_err_nomem(err);
	snprintf(l->path, n, "%s%s.docs.jsonl.zst", prefix, suffix);
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
			return lu_err_set(err, "%s:%llu: line too long", l->path,
					(unsigned long long)l->slab.line);
		}
		l->in_slab = false;
		rc = lu_lines_read(&l->lines, &l->slab, err);
		if (rc <= 0)
			return rc;
		l->in_slab = true;
	}
}

/* At the end of a part's file: it must have had a line for each document. */
static int end_part(struct lu_ledger *l, struct lu_err *err)
{
	uint64_t end = lu_shard_part_document(l->shard, l->part + 1);

	if (l->document == end)
		return 0;
	return lu_err_set(err, "%s: has %llu lines, the index has %llu documents", l->path,
			(unsigned long long)(l->document -
					lu_shard_part_document(l->shard, l->part)),
			(unsigned long long)(end - lu_shard_part_document(l->shard, l->part)));
}

static int parse(struct lu_ledger *l, struct lu_str line, struct lu_ledger_doc *d,
		struct lu_err *err)
{
	unsigned long long at = l->slab.line;
	const struct lu_json_member *id, *source, *license, *lang, *first, *tokens, *bytes;
	struct lu_json_obj o;
	struct lu_json_fault fault;
	uint64_t want_first, want_tokens;

	lu_arena_reset(&l->arena);
	if (lu_json_object(line, &l->arena, &o, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		return lu_err_set(err, "%s:%llu: %s", l->path, at, lu_json_fault_text(fault.kind));
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
		return lu_err_set(err, "%s:%llu: not a line of a ledger", l->path, at);
	d->document = l->document;
	d->id = id->value;
	d->source = source->value;
	d->license = license->value;
	d->lang = lang->value;
	if (l->document >= lu_shard_part_document(l->shard, l->part + 1))
		return lu_err_set(err, "%s:%llu: the index has no document for it", l->path, at);
	lu_shard_document(l->shard, l->document, &want_first, &want_tokens);
	if (d->first != want_first || d->tokens != want_tokens)
		return lu_err_set(err,
				"%s:%llu: says %llu tokens from %llu on, the index %llu from %llu "
				"on",
				l->path, at, (unsigned long long)d->tokens,
				(unsigned long long)d->first, (unsigned long long)want_tokens,
				(unsigned long long)want_first);
	return 0;
}

int lu_ledger_next(struct lu_ledger *l, struct lu_ledger_doc *d, struct lu_err *err)
{
	struct lu_str line;
	int rc;

	while ((rc = l->open ? next_line(l, &line, err) : 0) == 0) {
		if (l->open && end_part(l, err) < 0)
			return -1;
		if (!l->open || l->part + 1 == lu_shard_parts(l->shard)) {
			close_part(l);
			return 0;
		}
		if (open_part(l, l->part + 1, err) < 0)
			return -1;
	}
	if (rc < 0 || parse(l, line, d, err) < 0)
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
			return end_part(l, err);
		l->document++;
	}
	return 0;
}

void lu_ledger_write(const struct lu_ledger_doc *d, struct lu_buf *out)
{
	lu_buf_puts(out, "{\"id\":");
	lu_buf_str(out, d->id);
	lu_buf_puts(out, ",\"source\":");
	lu_buf_str(out, d->source);
	lu_buf_puts(out, ",\"license\":");
	lu_buf_str(out, d->license);
	lu_buf_puts(out, ",\"lang\":");
	lu_buf_str(out, d->lang);
	lu_buf_puts(out, ",\"first\":");
	lu_buf_u64(out, d->first);
	lu_buf_puts(out, ",\"tokens\":");
	lu_buf_u64(out, d->tokens);
	lu_buf_puts(out, ",\"bytes\":");
	lu_buf_u64(out, d->bytes);
	lu_buf_puts(out, "}\n");
}
