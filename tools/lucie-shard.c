/* lucie-shard: turns documents into token shards. The shard's files are libcommon/shard/writer.h's;
 * here is what one document becomes and which shard it goes to. */
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/holdout.h"
#include "libcommon/shard/writer.h"
#include "libcommon/tokenizer/tokenizer.h"

/* One shard that is being written. */
struct set {
	char *prefix;
	struct lu_shard_writer *writer;
};

struct config {
	struct lu_std std;
	const char *tokenizer, *add, *holdout_by;
	bool ids, keep_empty;
	uint64_t vocab, max_tokens;
	struct lu_list holdout_arg;

	struct lu_tok *tok;
	struct lu_shard_format format;
	unsigned width;
	struct lu_holdouts holdouts;
	struct set *set; /* 0 is PREFIX itself */
	size_t sets;
};

/* From map() to decide(). */
struct item {
	void *packed;
	uint64_t tokens, bytes;
	struct lu_str id, source, license, lang;
	struct lu_str set; /* name of the holdout; n is 0 for none */
};

struct local {
	struct lu_tok_state *state;
	struct lu_ids ids;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE",
			"encode by this tokenizer.json"),
	LU_OPT_FLAG(0, "ids", struct config, ids,
			"take the records' \"ids\" instead of their text"),
	LU_OPT_U64(0, "vocab", struct config, vocab, "N",
			"ids are below N; default the tokenizer's"),
	LU_OPT_STR(0, "add", struct config, add, "WHAT", "bos, eos, bos,eos (default) or none"),
	LU_OPT_U64(0, "max-tokens", struct config, max_tokens, "N", "split into parts of N tokens"),
	LU_OPT_LIST(0, "holdout", struct config, holdout_arg, "NAME=SHARE",
			"a share to PREFIX-NAME"),
	LU_OPT_STR(0, "holdout-by", struct config, holdout_by, "FIELD",
			"chosen by this; default text"),
	LU_OPT_FLAG(0, "keep-empty", struct config, keep_empty, "keep documents without tokens"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-shard", "turns documents into token shards",
	"[FILE...]", opts,
	LU_STD_OUTNAME | LU_STD_THREADS | LU_STD_TMPDIR | LU_STD_RECORDS | LU_STD_STATS |
			LU_STD_SEED | LU_STD_PROGRESS,
	offsetof(struct config, std) };

/* --- one document ------------------------------------------------------------------------- */

/* Reads the "ids" array; 1 when it is not one. */
static int read_ids(
		const struct config *c, struct lu_doc *doc, struct lu_ids *ids, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "ids");
	struct lu_json_iter it;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"") + 1;
	/* Two bytes an id at least. */
	if (lu_ids_reserve(ids, m->value.n / 2 + 1, err) < 0)
		return -1;
	for (it = lu_json_iter(m->value); lu_json_next(&it);) {
		struct lu_json_member number = { .value = it.value, .type = it.type };
		uint64_t id;

		if (!lu_json_u64(&number, &id))
			return lu_doc_bad(doc, "\"ids\" holds something that is no id") + 1;
		if (id >= c->format.vocab)
			return lu_doc_bad(doc, "\"ids\" holds an id outside the vocabulary") + 1;
		ids->p[ids->n++] = (uint32_t)id;
	}
	return 0;
}

/* The member as raw JSON, null where there is none; a string in our own spelling, so that equal
 * strings are equal bytes. */
static int raw_member(struct lu_doc *doc, const char *key, struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, key);
	struct lu_buf quoted = { 0 };
	struct lu_str s;

	*out = m ? m->value : LU_STR("null");
	if (!m || m->type != LU_JSON_STRING || !m->escaped)
		return 0;
	if (lu_json_decode_known(m->value, true, doc->arena, &s) < 0)
		return lu_err_nomem(err);
	lu_json_quote(&quoted, s);
	*out = lu_buf_ok(&quoted) ? lu_arena_str(doc->arena, lu_buf_slice(&quoted))
				  : (struct lu_str){ NULL, 0 };
	lu_buf_release(&quoted);
	return out->p ? 0 : lu_err_nomem(err);
}

/* What the share is chosen by: the field, else the text, else the ids. */
static struct lu_str holdout_key(const struct config *c, struct lu_doc *doc)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, c->holdout_by);
	struct lu_str s;

	if (m && m->type == LU_JSON_STRING && lu_doc_string(doc, c->holdout_by, &s))
		return s;
	if (m)
		return m->value;
	m = lu_json_get(&doc->obj, "ids");
	return doc->text.n || !m ? doc->text : m->value;
}

static int choose_set(struct config *c, struct lu_doc *doc, struct item *item, struct lu_err *err)
{
	const struct lu_holdout *o =
			lu_holdout_choose(&c->holdouts, c->std.seed, holdout_key(c, doc));
	struct lu_str lang = LU_STR("und");
	int rc;

	item->set = (struct lu_str){ NULL, 0 };
	if (!o)
		return 0;
	lu_doc_string(doc, "lang", &lang);
	rc = lu_holdout_name(o, lang, doc->arena, &item->set, err);
	return rc > 0 ? lu_doc_bad(doc, "\"lang\" cannot be part of a file name") : rc;
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	struct local *l = local;
	struct item *item = lu_arena_alloc(doc->arena, sizeof(*item));
	size_t added;
	int rc;

	if (!item || lu_ids_reserve(&l->ids, 2, err) < 0)
		return lu_err_nomem(err);
	l->ids.n = 0;
	if (c->format.has_bos)
		l->ids.p[l->ids.n++] = c->format.bos;
	added = l->ids.n + c->format.has_eos;
	rc = c->ids ? read_ids(c, doc, &l->ids, err)
		    : lu_tok_encode(c->tok, l->state, doc->text, LU_TOK_SPECIAL_TEXT, &l->ids, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (lu_ids_reserve(&l->ids, 1, err) < 0)
		return -1;
	if (c->format.has_eos)
		l->ids.p[l->ids.n++] = c->format.eos;
	if (l->ids.n == added && !c->keep_empty)
		return lu_doc_drop(doc, doc->text.n || c->ids ? "no tokens" : "empty text", NULL);
	if (l->ids.n > LU_IDX_MAX_LENGTH)
		return lu_doc_bad(doc, "more than 2147483647 tokens");
	item->tokens = l->ids.n;
	item->bytes = doc->text.n;
	item->packed = lu_arena_alloc(doc->arena, l->ids.n * c->width);
	if (!item->packed)
		return lu_err_nomem(err);
	lu_shard_pack(c->width, l->ids.p, l->ids.n, item->packed);
	doc->user = item;
	if (raw_member(doc, "id", &item->id, err) < 0 ||
			raw_member(doc, "source", &item->source, err) < 0 ||
			raw_member(doc, "license", &item->license, err) < 0 ||
			raw_member(doc, "lang", &item->lang, err) < 0)
		return -1;
	return choose_set(c, doc, item, err);
}

/* --- the shards --------------------------------------------------------------------------- */

static void put_options(const struct config *c, const char *prefix, struct lu_buf *b)
{
	lu_buf_puts(b, "{\"add\":\"");
	lu_buf_puts(b,
			c->format.has_bos		    ? c->format.has_eos ? "bos,eos" : "bos"
					: c->format.has_eos ? "eos"
							    : "none");
	lu_buf_printf(b, "\",\"ids\":%s,\"keep_empty\":%s,\"max_tokens\":%llu,\"holdout\":[",
			c->ids ? "true" : "false", c->keep_empty ? "true" : "false",
			(unsigned long long)c->max_tokens);
	for (size_t i = 0; i < c->holdout_arg.n; i++) {
		lu_buf_puts(b, i ? "," : "");
		lu_json_quote(b, lu_str_of(c->holdout_arg.item[i]));
	}
	lu_buf_puts(b, "],\"holdout_by\":");
	lu_json_quote(b, lu_str_of(c->holdout_by));
	/* Which of the sets this one is: what follows PREFIX. */
	lu_buf_puts(b, ",\"set\":");
	lu_json_quote(b, lu_str_of(prefix + strlen(c->std.output)));
	lu_buf_printf(b, ",\"seed\":%llu}", (unsigned long long)c->std.seed);
}

/* Opens PREFIX, or PREFIX-NAME. */
static int open_set(struct config *c, struct lu_str name, struct lu_err *err)
{
	struct set *bigger = realloc(c->set, (c->sets + 1) * sizeof(*bigger)), *s;
	struct lu_buf prefix = { 0 }, options = { 0 };
	int rc = -1;

	if (!bigger)
		return lu_err_nomem(err);
	c->set = bigger;
	s = &c->set[c->sets];
	*s = (struct set){ NULL, NULL };
	lu_buf_puts(&prefix, c->std.output);
	if (name.n) {
		lu_buf_putc(&prefix, '-');
		lu_buf_str(&prefix, name);
	}
	if (lu_buf_check(&prefix, err) < 0)
		goto out;
	put_options(c, prefix.p, &options);
	if (lu_buf_check(&options, err) < 0)
		goto out;
	c->format.options = lu_buf_slice(&options);
	if (lu_shard_writer_open(&s->writer, prefix.p, &c->format, err) < 0)
		goto out;
	s->prefix = prefix.p;
	prefix = (struct lu_buf){ 0 };
	c->sets++;
	rc = 0;
out:
	lu_buf_release(&prefix);
	lu_buf_release(&options);
	return rc;
}

static struct set *find_set(struct config *c, struct lu_str name)
{
	size_t at = strlen(c->std.output) + 1;

	for (size_t i = 1; i < c->sets && name.n; i++) {
		if (lu_str_is(name, c->set[i].prefix + at))
			return &c->set[i];
	}
	return name.n ? NULL : &c->set[0];
}

static int add(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	const struct item *item = doc->user;
	struct set *s = find_set(c, item->set);
	struct lu_ledger_doc d = { .tokens = item->tokens,
		.bytes = item->bytes,
		.id = item->id,
		.source = item->source,
		.license = item->license,
		.lang = item->lang };

	if (!s) {
		if (open_set(c, item->set, err) < 0)
			return -1;
		s = &c->set[c->sets - 1];
	}
	return lu_shard_writer_add(s->writer, &d, item->packed, err);
}

/* All is brought to the disk before the accounting line is written and the shards appear. */
static int settle(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;
	uint64_t tokens = 0;

	for (size_t i = 0; i < c->sets; i++) {
		if (lu_shard_writer_settle(c->set[i].writer, err) < 0)
			return -1;
		tokens += lu_shard_writer_tokens(c->set[i].writer);
	}
	lu_buf_printf(&stats->extra, ",\"tokens\":%llu,\"shards\":[", (unsigned long long)tokens);
	for (size_t i = 0; i < c->sets; i++) {
		const struct set *s = &c->set[i];

		lu_buf_puts(&stats->extra, i ? ",{\"prefix\":" : "{\"prefix\":");
		lu_json_quote(&stats->extra, lu_str_of(s->prefix));
		lu_buf_printf(&stats->extra, ",\"documents\":%llu,\"tokens\":%llu}",
				(unsigned long long)lu_shard_writer_documents(s->writer),
				(unsigned long long)lu_shard_writer_tokens(s->writer));
	}
	lu_buf_putc(&stats->extra, ']');
	return lu_buf_check(&stats->extra, err);
}

/* PREFIX last: where it is, the shards held out are there too. */
static int commit(struct config *c, struct lu_err *err)
{
	for (size_t i = c->sets; i-- > 0;) {
		const struct set *s = &c->set[i];

		if (lu_shard_writer_commit(s->writer, err) < 0)
			return -1;
		lu_detail("%s: %llu documents, %llu tokens", s->prefix,
				(unsigned long long)lu_shard_writer_documents(s->writer),
				(unsigned long long)lu_shard_writer_tokens(s->writer));
	}
	return 0;
}

/* --- the command line --------------------------------------------------------------------- */

/* Which of the two ids each document gets. */
static int parse_add(struct config *c, struct lu_err *err)
{
	bool bos = strcmp(c->add, "bos") == 0, eos = strcmp(c->add, "eos") == 0;

	if (strcmp(c->add, "bos,eos") == 0)
		bos = eos = true;
	else if (!bos && !eos && strcmp(c->add, "none") != 0)
		lu_usage_error("--add '%s' is none of bos, eos, bos,eos, none", c->add);
	if (bos && !lu_tok_role(c->tok, LU_TOK_BOS, &c->format.bos))
		return lu_err_set(err, "%s: has no token that begins a document; see --add",
				c->tokenizer);
	if (eos && !lu_tok_role(c->tok, LU_TOK_EOS, &c->format.eos))
		return lu_err_set(err, "%s: has no token that ends a document; see --add",
				c->tokenizer);
	c->format.has_bos = bos;
	c->format.has_eos = eos;
	return 0;
}

static int set_up(struct config *c, struct lu_err *err)
{
	if (!c->std.output || !*c->std.output)
		lu_usage_error("-o PREFIX is needed");
	if (!c->tokenizer && (!c->ids || !c->vocab))
		lu_usage_error("-t tokenizer.json is needed, or --ids with --vocab N");
	if (!c->tokenizer && c->add && strcmp(c->add, "none") != 0)
		lu_usage_error("--add needs -t");
	for (size_t i = 0; i < c->holdout_arg.n; i++) {
		struct lu_err why = { 0 };

		if (lu_holdout_add(&c->holdouts, c->holdout_arg.item[i], &why) < 0) {
			if (!why.errnum)
				lu_usage_error("--holdout %s", why.msg);
			*err = why;
			return -1;
		}
	}
	c->format.vocab = c->vocab;
	if (c->tokenizer) {
		if (lu_tok_load(&c->tok, c->tokenizer, err) < 0)
			return -1;
		if (!c->vocab)
			c->format.vocab = lu_tok_size(c->tok);
		if (c->format.vocab < lu_tok_size(c->tok))
			return lu_err_set(err, "%s: has %u ids, more than --vocab", c->tokenizer,
					lu_tok_size(c->tok));
		c->format.has_tokenizer = true;
		c->format.tokenizer = lu_tok_hash(c->tok);
		c->add = c->add ? c->add : "bos,eos";
		if (parse_add(c, err) < 0)
			return -1;
	}
	if (c->format.vocab > (uint64_t)INT32_MAX + 1)
		lu_usage_error("--vocab: ids are below 2147483648");
	c->format.max_tokens = c->max_tokens;
	c->format.tmpdir = c->std.tmpdir;
	c->width = lu_idx_width_for(c->format.vocab);
	return open_set(c, (struct lu_str){ NULL, 0 }, err);
}

static int local_init(void *ctx, void *local, struct lu_err *err)
{
	const struct config *c = ctx;
	struct local *l = local;

	if (!c->tok || c->ids)
		return 0;
	l->state = lu_tok_state_new(c->tok);
	return l->state ? 0 : lu_err_nomem(err);
}

static void local_free(void *local)
{
	struct local *l = local;

	lu_tok_state_free(l->state);
	lu_ids_release(&l->ids);
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = encode,
		.decide = add,
		.local_size = sizeof(struct local),
		.local_init = local_init,
		.local_free = local_free,
		.finish = settle,
		.flags = LU_DOCSTREAM_SILENT | (c->ids ? LU_DOCSTREAM_TEXTLESS : 0) };
	int rc = set_up(c, err);

	if (rc == 0)
		rc = lu_docstream_run(&ds, &c->std, args, err);
	if (rc == 0)
		rc = commit(c, err);
	for (size_t i = 0; i < c->sets; i++) {
		lu_shard_writer_free(c->set[i].writer);
		free(c->set[i].prefix);
	}
	free(c->set);
	lu_holdouts_release(&c->holdouts);
	lu_list_release(&c->holdout_arg);
	lu_tok_free(c->tok);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .holdout_by = "text" };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	return lu_tool_finish(run(&c, &args, &err), &err);
}
