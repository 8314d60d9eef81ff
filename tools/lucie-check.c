/* lucie-check: verifies token shards and files of documents. libcommon/shard/verify.h checks
 * shards; documents are checked here. */
#include <inttypes.h>
#include <sys/stat.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/dedup/keyset.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/verify.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"

#define MAX_LINE ((uint64_t)2 << 30)

struct options {
	struct lu_std std;
	const char *tokenizer;
	uint64_t vocab;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"require shards made with this tokenizer"),
	LU_OPT_U64(0, "vocab", struct options, vocab, "N", "require ids below N"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-check", "verifies token shards and documents",
	"[PREFIX | FILE]...", opts, 0, offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lu_tok *tok;
	struct lu_hash128 tokenizer; /* hash of its file */
	uint64_t faults;
	struct lu_keyset ids; /* keys of (source, id), over all files */
	struct lu_arena arena;
	struct lu_buf key;
};

/* Print a fault. File names may contain control characters. */
static void print_fault(void *ctx, const char *sentence)
{
	struct lu_err e;

	(void)ctx;
	snprintf(e.msg, sizeof(e.msg), "%s", sentence);
	lu_mask_controls(e.msg);
	puts(e.msg);
}

/* --- documents ---------------------------------------------------------------------------- */

/* One file of documents. */
struct file {
	const struct lu_slab *slab;
	uint64_t documents, bytes, bad;
};

static void bad_line(struct file *f, const char *reason)
{
	struct lu_err e;

	lu_err_set(&e, "%s:%" PRIu64 ": %s", f->slab->file, f->slab->line, reason);
	print_fault(NULL, e.msg);
	f->bad++;
}

/* Return the fault of a member that is known by name, or NULL. A null member counts as absent. */
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

/* Append a member to the key, strings in one spelling. */
static int add_to_key(struct run *r, const struct lu_json_member *m, struct lu_err *err)
{
	struct lu_str s = m ? m->value : LU_STR("null");

	if (m && m->type == LU_JSON_STRING) {
		if (lu_json_decode_known(m->value, m->escaped, &r->arena, &s) < 0)
			return lu_err_nomem(err);
		lu_json_quote(&r->key, s);
	} else {
		lu_buf_str(&r->key, s);
	}
	lu_buf_putc(&r->key, '\n');
	return lu_buf_check(&r->key, err);
}

/* 1 if an earlier document has the same source and id. */
static int check_id(struct run *r, const struct lu_json_obj *o, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(o, "id");
	uint32_t number;
	int rc;

	if (!id || id->type == LU_JSON_NULL)
		return 0;
	lu_buf_clear(&r->key);
	if (add_to_key(r, lu_json_get(o, "source"), err) < 0 || add_to_key(r, id, err) < 0)
		return -1;
	rc = lu_keyset_add(&r->ids, lu_hash128(r->key.p, r->key.n), &number, err);
	return rc < 0 ? -1 : rc == 0;
}

static int check_line(struct run *r, struct file *f, struct lu_str line, struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;
	const char *wrong;
	int rc;

	lu_arena_reset(&r->arena);
	f->documents++;
	f->bytes += line.n + 1;
	if (f->slab->too_long) {
		bad_line(f, "longer than 2 GiB");
		return 0;
	}
	if (lu_json_object(line, &r->arena, &o, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		bad_line(f, lu_json_fault_text(fault.kind));
		return 0;
	}
	wrong = check_members(&o);
	if (wrong) {
		bad_line(f, wrong);
		return 0;
	}
	rc = check_id(r, &o, err);
	if (rc > 0)
		bad_line(f, "a document of this source and \"id\" came before");
	return rc < 0 ? -1 : 0;
}

static int check_documents(struct run *r, char *path, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct file f = { .slab = &slab };
	struct lu_str line;
	int rc = lu_lines_open(&lines, &path, 1, MAX_LINE, err);

	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (slab.too_long || !lu_doc_blank_line(line))
				rc = check_line(r, &f, line, err);
		}
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	if (rc == 0 && r->o->std.verbose)
		printf("%s: %" PRIu64 " documents, %" PRIu64 " bytes, %" PRIu64 " bad\n", path,
				f.documents, f.bytes, f.bad);
	r->faults += f.bad;
	return rc;
}

/* --- shards ------------------------------------------------------------------------------- */

static int check_shard(struct run *r, const char *prefix, struct lu_err *err)
{
	struct lu_verify v = { .fault = print_fault,
		.tokenizer = r->tok ? &r->tokenizer : NULL,
		.vocab = r->o->vocab };

	if (lu_shard_verify(&v, prefix, err) < 0)
		return -1;
	r->faults += v.faults;
	if (!r->o->std.verbose)
		return 0;
	printf("%s: %" PRIu64 " documents, %" PRIu64 " tokens of %u bytes, %" PRIu64
	       " bytes of text, ",
			prefix, v.documents, v.tokens, v.width, v.bytes);
	printf("%" PRIu64 " parts, %s, %" PRIu64 " faults\n", v.parts ? v.parts : 1,
			v.has_manifest ? "manifest" : "no manifest", v.faults);
	return 0;
}

/* An existing file or pipe has documents; any other name is the prefix of a shard. */
static bool is_file(const char *name)
{
	struct stat st;

	return strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o };
	int rc = 0;

	if (o->tokenizer) {
		rc = lu_tok_load(&r.tok, o->tokenizer, err);
		if (rc == 0)
			r.tokenizer = lu_tok_hash(r.tok);
	}
	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		rc = is_file(args->file[i]) ? check_documents(&r, args->file[i], err)
					    : check_shard(&r, args->file[i], err);
	}
	lu_keyset_release(&r.ids);
	lu_arena_release(&r.arena);
	lu_buf_release(&r.key);
	lu_tok_free(r.tok);
	return rc < 0 ? -1 : r.faults > 0;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	return lu_tool_finish(run(&o, &args, &err), &err);
}
