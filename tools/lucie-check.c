/* lucie-check: verifies token shards and files of documents. What a shard must be is
 * libcommon/shard/verify.h's; what a document must be is checked here. */
#include <sys/stat.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/dedup/keyset.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/shard/verify.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"

struct config {
	struct lu_std std;
	const char *tokenizer;
	uint64_t vocab;

	struct lu_tok *tok;
	struct lu_hash128 hash;
	uint64_t faults;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE",
			"the tokenizer.json that shards must be made by"),
	LU_OPT_U64(0, "vocab", struct config, vocab, "N", "ids must be below N as well"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-check", "verifies token shards and documents",
	"[PREFIX | FILE]...", opts, 0, offsetof(struct config, std) };

/* Control characters, which may stand in file names, do not reach a terminal. */
static void say(void *ctx, const char *sentence)
{
	(void)ctx;
	for (const char *s = sentence; *s; s++)
		putchar((unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
	putchar('\n');
}

/* --- documents ---------------------------------------------------------------------------- */

struct documents {
	struct lu_keyset seen; /* keys of (source, id) */
	struct lu_arena arena;
	struct lu_buf key;
	const struct lu_slab *at;
	uint64_t documents, bytes, bad;
};

static void bad(struct documents *d, const char *reason)
{
	struct lu_err e = { 0 };

	lu_err_set(&e, "%s:%llu: %s", d->at->file, (unsigned long long)d->at->line, reason);
	say(NULL, e.msg);
	d->bad++;
}

/* Members known by name have one type; null is as good as absent. */
static const char *check_members(const struct lu_json_obj *o)
{
	static const struct {
		const char *key, *wrong;
		enum lu_json_type type;
	} known[] = {
		{ "source", "\"source\" is not a string", LU_JSON_STRING },
		{ "lang", "\"lang\" is not a string", LU_JSON_STRING },
		{ "lang_score", "\"lang_score\" is not a number", LU_JSON_NUMBER },
		{ "license", "\"license\" is not a string", LU_JSON_STRING },
		{ "url", "\"url\" is not a string", LU_JSON_STRING },
		{ "date", "\"date\" is not a string", LU_JSON_STRING },
		{ "category", "\"category\" is not a string", LU_JSON_STRING },
	};
	const struct lu_json_member *m = lu_json_get(o, "text");

	if (!m || m->type != LU_JSON_STRING)
		return m ? "\"text\" is not a string" : "no \"text\"";
	m = lu_json_get(o, "id");
	if (m && m->type != LU_JSON_STRING && m->type != LU_JSON_NUMBER && m->type != LU_JSON_NULL)
		return "\"id\" is neither a string nor a number";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		m = lu_json_get(o, known[i].key);
		if (m && m->type != known[i].type && m->type != LU_JSON_NULL)
			return known[i].wrong;
	}
	return NULL;
}

/* An id is unique within its source. 1 when it was met before. */
static int check_id(struct documents *d, const struct lu_json_obj *o, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(o, "id"), *source = lu_json_get(o, "source");
	struct lu_str s;
	uint32_t number;
	int rc;

	if (!id || id->type == LU_JSON_NULL)
		return 0;
	lu_buf_clear(&d->key);
	for (int i = 0; i < 2; i++) {
		const struct lu_json_member *m = i ? id : source;

		s = m ? m->value : LU_STR("null");
		if (m && m->type == LU_JSON_STRING) {
			if (lu_json_decode_known(m->value, m->escaped, &d->arena, &s) < 0)
				return lu_err_nomem(err);
			lu_json_quote(&d->key, s);
		} else {
			lu_buf_str(&d->key, s);
		}
		lu_buf_putc(&d->key, '\n');
	}
	if (lu_buf_check(&d->key, err) < 0)
		return -1;
	rc = lu_keyset_add(&d->seen, lu_hash128(d->key.p, d->key.n), &number, err);
	return rc < 0 ? -1 : rc == 0;
}

static int check_line(struct documents *d, struct lu_str line, struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;
	const char *wrong;
	int rc;

	lu_arena_reset(&d->arena);
	d->documents++;
	d->bytes += line.n + 1;
	if (d->at->too_long) {
		bad(d, "longer than 2 GiB");
	} else if (lu_json_object(line, &d->arena, &o, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		bad(d, lu_json_fault_text(fault.kind));
	} else if ((wrong = check_members(&o))) {
		bad(d, wrong);
	} else {
		rc = check_id(d, &o, err);
		if (rc > 0)
			bad(d, "a document of this source and \"id\" came before");
		return rc < 0 ? -1 : 0;
	}
	return 0;
}

static bool only_blanks(struct lu_str line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return false;
	}
	return true;
}

static int check_documents(struct config *c, struct documents *d, char *path, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int rc = lu_lines_open(&lines, &path, 1, (uint64_t)2 << 30, err);

	if (rc < 0)
		return -1;
	d->at = &slab;
	d->documents = d->bytes = d->bad = 0;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (!only_blanks(line) || slab.too_long)
				rc = check_line(d, line, err);
		}
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	if (rc == 0 && c->std.verbose)
		printf("%s: %llu documents, %llu bytes, %llu bad\n", path,
				(unsigned long long)d->documents, (unsigned long long)d->bytes,
				(unsigned long long)d->bad);
	c->faults += d->bad;
	return rc;
}

/* --- shards ------------------------------------------------------------------------------- */

static int check_shard(struct config *c, const char *prefix, struct lu_err *err)
{
	struct lu_verify v = {
		.fault = say, .tokenizer = c->tok ? &c->hash : NULL, .vocab = c->vocab
	};

	if (lu_shard_verify(&v, prefix, err) < 0)
		return -1;
	c->faults += v.faults;
	if (c->std.verbose)
		printf("%s: %llu documents, %llu tokens of %u bytes, %llu bytes of text, %llu "
		       "parts, "
		       "%s, %llu faults\n",
				prefix, (unsigned long long)v.documents,
				(unsigned long long)v.tokens, v.width, (unsigned long long)v.bytes,
				(unsigned long long)(v.parts ? v.parts : 1),
				v.has_manifest ? "manifest" : "no manifest",
				(unsigned long long)v.faults);
	return 0;
}

/* A regular file or a pipe under just this name is documents; else the name is a prefix. */
static bool is_file(const char *name)
{
	struct stat st;

	return strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct documents d = { 0 };
	int rc = 0;

	if (c->tokenizer) {
		rc = lu_tok_load(&c->tok, c->tokenizer, err);
		if (rc == 0)
			c->hash = lu_tok_hash(c->tok);
	}
	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		rc = is_file(args->file[i]) ? check_documents(c, &d, args->file[i], err)
					    : check_shard(c, args->file[i], err);
	}
	lu_keyset_release(&d.seen);
	lu_arena_release(&d.arena);
	lu_buf_release(&d.key);
	lu_tok_free(c->tok);
	return rc < 0 ? -1 : c->faults > 0;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	return lu_tool_finish(run(&c, &args, &err), &err);
}
