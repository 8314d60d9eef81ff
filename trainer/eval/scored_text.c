#include "trainer/eval/scored_text.h"

#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/sys/file.h"
#include "trainer/data/languages_report.h"

static const char no_source[] = "none";

/* --- documents ------------------------------------------------------------------------------- */

/* The state of a thread is a pointer to its encoder context. */
static int state_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_tok_state **state = local;

	*state = lu_tok_state_new(((const struct lt_text *)ctx)->tok);
	return *state ? 0 : lu_err_nomem(err);
}

static void state_free(void *local)
{
	lu_tok_state_free(*(struct lu_tok_state **)local);
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lt_text *t = ctx;
	struct lu_ids ids = { 0 }, *kept;
	int rc = lu_tok_encode(t->tok, *(struct lu_tok_state **)local, doc->text,
			LU_TOK_SPECIAL_TEXT, &ids, err);

	kept = rc < 0 ? NULL : lu_arena_alloc(doc->arena, sizeof(*kept) + ids.n * sizeof(*ids.p));
	if (rc == 0 && !kept)
		rc = lu_err_nomem(err);
	if (rc == 0 && ids.n == 0) {
		/* lucie-shard leaves it out, too. */
		lu_doc_drop(doc, doc->text.n ? "no tokens" : "empty text", NULL);
	} else if (rc == 0) {
		*kept = (struct lu_ids){ .p = (uint32_t *)(void *)(kept + 1), .n = ids.n };
		if (ids.n)
			memcpy(kept->p, ids.p, ids.n * sizeof(*ids.p));
		doc->user = kept;
	}
	lu_ids_release(&ids);
	return rc;
}

/* Add a document to the languages and the sources. */
static int add_document(struct lt_text *t, struct lu_str lang, struct lu_str source,
		uint64_t tokens, uint64_t bytes, struct lu_err *err)
{
	if (lt_languages_add(&t->languages, lang, tokens, bytes, err) < 0)
		return -1;
	return lt_languages_add(&t->sources, source, tokens, bytes, err);
}

static int collect(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lt_text *t = ctx;
	const struct lu_ids *ids = doc->user;
	struct lu_str lang = { "", 0 }, source = { "", 0 };
	size_t before = t->ids.n;

	if (doc->verdict != LU_KEEP)
		return 0;
	lu_doc_string(doc, "lang", &lang);
	lu_doc_string(doc, "source", &source);
	if (lu_ids_reserve(&t->ids, ids->n + 2, err) < 0)
		return -1;
	if (t->has_bos)
		t->ids.p[t->ids.n++] = t->bos;
	for (size_t i = 0; i < ids->n; i++)
		t->ids.p[t->ids.n++] = ids->p[i];
	if (t->has_eos)
		t->ids.p[t->ids.n++] = t->eos;
	return add_document(t, lang, source, t->ids.n - before, doc->text.n, err);
}

int lt_text_documents(struct lt_text *t, const struct lu_std *std, const struct lu_args *args,
		const struct lu_tok *tok, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = t,
		.map = encode,
		.decide = collect,
		.flags = LU_DOCSTREAM_SILENT,
		.local_size = sizeof(struct lu_tok_state *),
		.local_init = state_init,
		.local_free = state_free };

	t->tok = tok;
	t->sources.unnamed = no_source;
	t->has_bos = lu_tok_role(tok, LU_TOK_BOS, &t->bos);
	t->has_eos = lu_tok_role(tok, LU_TOK_EOS, &t->eos);
	return lu_docstream_run(&ds, std, args, err);
}

/* --- shards ---------------------------------------------------------------------------------- */

static bool has_file(const char *prefix, const char *suffix)
{
	char *path = lu_concat(prefix, suffix, NULL);
	bool has = path && access(path, F_OK) == 0;

	free(path);
	return has;
}

int lt_text_are_shards(char *const *file, size_t n, bool *shards, struct lu_err *err)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += has_file(file[i], ".idx") || has_file(file[i], "-00000.idx");
	if (found && found < n)
		return lu_err_set(err, "shards and documents cannot be scored together");
	*shards = found > 0;
	return 0;
}

/* Decode a string of the ledger; anything else is no name. */
static int decode(struct lu_str raw, struct lu_arena *arena, struct lu_str *out, struct lu_err *err)
{
	*out = LU_STR("");
	if (raw.n == 0 || raw.p[0] != '"')
		return 0;
	return lu_json_decode(raw, arena, out) < 0 ? lu_err_nomem(err) : 0;
}

/* Add the documents of a shard from its ledger. */
static int add_ledger(struct lt_text *t, const struct lu_shard *shard, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_ledger *ledger;
	struct lu_ledger_doc doc;
	int rc = lu_ledger_open(&ledger, shard, err);

	if (rc < 0)
		return -1;
	while (rc == 0 && (rc = lu_ledger_next(ledger, &doc, err)) > 0) {
		struct lu_str lang, source;

		rc = decode(doc.lang, &arena, &lang, err);
		if (rc == 0)
			rc = decode(doc.source, &arena, &source, err);
		if (rc == 0)
			rc = add_document(t, lang, source, doc.tokens, doc.bytes, err);
		lu_arena_reset(&arena);
	}
	lu_ledger_close(ledger);
	lu_arena_release(&arena);
	return rc;
}

int lt_text_shards(struct lt_text *t, char *const *prefix, size_t n,
		int (*check)(void *ctx, const struct lu_shard *s, struct lu_err *err), void *ctx,
		struct lu_err *err)
{
	struct lu_buf names = { 0 };
	int rc = lu_shards_distinct(prefix, n, err);

	t->sources.unnamed = no_source;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct lu_shard *shard;

		lu_buf_printf(&names, "%s%s", i ? " " : "", prefix[i]);
		rc = lu_shard_open(&shard, prefix[i], err);
		if (rc < 0)
			break;
		rc = check(ctx, shard, err);
		if (rc == 0 && lu_shard_manifest(shard)) {
			rc = add_ledger(t, shard, err);
		} else if (rc == 0) {
			lu_detail("%s: no ledger, bytes, languages and sources of its documents "
				  "are unknown",
					prefix[i]);
			t->unknown = prefix[i];
			rc = add_document(
					t, LU_STR(""), LU_STR(""), lu_shard_tokens(shard), 0, err);
		}
		lu_shard_close(shard);
	}
	if (rc == 0)
		rc = lu_buf_check(&names, err);
	t->names = names.p;
	return rc;
}

/* --- scoring --------------------------------------------------------------------------------- */

int lt_text_open(struct lt_text *t, size_t context, struct lu_err *err)
{
	t->positions.context = context;
	if (!t->names)
		return lt_corpus_memory(&t->corpus, t->ids.p, t->ids.n, context, err);
	if (lt_corpus_open(&t->corpus, t->names, context, 0, 0, err) < 0)
		return -1;
	if (lt_corpus_masked(t->corpus)) {
		lt_languages_forget_bytes(&t->languages);
		lt_languages_forget_bytes(&t->sources);
	}
	return 0;
}

void lt_text_release(struct lt_text *t)
{
	lt_corpus_close(t->corpus);
	lt_languages_release(&t->languages);
	lt_languages_release(&t->sources);
	lt_positions_release(&t->positions);
	lu_ids_release(&t->ids);
	free(t->names);
	*t = (struct lt_text){ 0 };
}

int lt_text_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err)
{
	struct lt_text *t = ctx;
	int rc = lt_languages_score(&t->languages, offset, n, label, loss, err);

	if (rc == 0)
		rc = lt_languages_score(&t->sources, offset, n, label, loss, err);
	return rc == 0 ? lt_positions_score(&t->positions, offset, n, label, loss, err) : rc;
}

/* --- reports --------------------------------------------------------------------------------- */

/* A token's piece, or what is there without one. */
static void put_mark(struct lu_buf *out, const struct lt_text *t, bool has, uint32_t id,
		const char *without)
{
	if (has)
		lu_buf_str(out, lu_tok_piece(t->tok, id));
	else
		lu_buf_puts(out, without);
}

void lt_text_rule(const struct lt_text *t, size_t context, struct lu_buf *out)
{
	lu_buf_printf(out, "text: windows of %zu tokens without overlap, nothing put before them; ",
			context);
	if (t->names) {
		lu_buf_puts(out, "documents with the tokens of their shards");
		if (lt_corpus_masked(t->corpus))
			lu_buf_puts(out, ", of which the targets of the masks are scored");
		return;
	}
	put_mark(out, t, t->has_bos, t->bos, "no token");
	lu_buf_puts(out, " before each document, ");
	put_mark(out, t, t->has_eos, t->eos, "no token");
	lu_buf_puts(out, " behind it");
}

static bool has_sources(const struct lt_text *t)
{
	return t->sources.language.n > 1 ||
			(t->sources.language.n &&
					!lu_str_is(t->sources.language.p[0].name, no_source));
}

int lt_text_table(struct lt_text *t, struct lu_buf *b, struct lu_err *err)
{
	lt_languages_finish(&t->languages);
	lt_languages_finish(&t->sources);
	if (lt_languages_table(&t->languages, "language", b, err) < 0)
		return -1;
	lu_buf_putc(b, '\n');
	if (has_sources(t)) {
		if (lt_languages_table(&t->sources, "source", b, err) < 0)
			return -1;
		lu_buf_putc(b, '\n');
	}
	return lt_positions_table(&t->positions, b, err);
}

void lt_text_json(struct lt_text *t, struct lu_buf *b)
{
	lt_languages_finish(&t->languages);
	lt_languages_finish(&t->sources);
	lt_languages_json(&t->languages, "languages", b);
	lt_languages_json(&t->sources, "sources", b);
	lt_positions_json(&t->positions, b);
	lt_languages_json_all(&t->languages, b);
}
