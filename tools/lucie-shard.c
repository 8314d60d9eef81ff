/* lucie-shard: encodes documents into token shards, which libcommon/shard/writer.h writes. */
#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/encoded.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/from_doc.h"
#include "libcommon/shard/holdout.h"
#include "libcommon/shard/joined.h"
#include "libcommon/shard/sets.h"
#include "libcommon/sys/summary.h"

/* The ids around each document. */
enum add { ADD_NONE = 0, ADD_BOS = 1, ADD_EOS = 2, ADD_BOS_EOS = ADD_BOS | ADD_EOS };

struct options {
	struct lu_std std;
	const char *tokenizer, *chat_template, *chat_date, *holdout_by;
	bool ids, chat, preference, keep_empty, add_given, allow_doubled, by_file, merge, copy;
	enum add add;
	uint64_t vocab, max_tokens;
	struct lu_list holdout;
};

static const struct lu_enum add_names[] = {
	{ "bos", ADD_BOS },
	{ "eos", ADD_EOS },
	{ "bos,eos", ADD_BOS_EOS },
	{ "none", ADD_NONE },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_FLAG(0, "ids", struct options, ids, "read \"ids\" instead of text"),
	LU_OPT_FLAG(0, "chat", struct options, chat, "read conversations, train on the answers"),
	LU_OPT_FLAG(0, "preference", struct options, preference,
			"read pairs of a chosen and a rejected answer"),
	LU_OPT_STR(0, "chat-template", struct options, chat_template, "FILE",
			"template of conversations (the tokenizer's)"),
	LU_OPT_STR(0, "chat-date", struct options, chat_date, "YYYY-MM-DD",
			"date for templates that ask for one"),
	LU_OPT_U64(0, "vocab-size", struct options, vocab, "N", "number of ids (the tokenizer's)"),
	LU_OPT_ALIAS("vocab", "vocab-size"),
	LU_OPT_ENUM_GIVEN(0, "add", struct options, add, add_given, add_names,
			"add to each document (bos,eos)"),
	LU_OPT_FLAG(0, "allow-doubled", struct options, allow_doubled,
			"add them even where they are already"),
	LU_OPT_U64(0, "max-tokens", struct options, max_tokens, "N",
			"split after N tokens (never)"),
	LU_OPT_LIST(0, "holdout", struct options, holdout, "NAME=SHARE",
			"hold out a share in PREFIX-NAME"),
	LU_OPT_STR(0, "holdout-by", struct options, holdout_by, "FIELD",
			"select documents by FIELD"),
	LU_OPT_FLAG(0, "by-file", struct options, by_file, "begin a part with each input file"),
	LU_OPT_FLAG(0, "merge", struct options, merge, "join shards: the operands are PREFIXes"),
	LU_OPT_FLAG(0, "copy", struct options, copy, "copy the files of --merge, do not link them"),
	LU_OPT_FLAG(0, "keep-empty", struct options, keep_empty, "keep documents without tokens"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-shard", "encodes documents into token shards",
	"[FILE...]", opts,
	LU_STD_PREFIX | LU_STD_THREADS | LU_STD_TMPDIR | LU_STD_FIELDS | LU_STD_RECORDS |
			LU_STD_STATS | LU_STD_SEED | LU_STD_PROGRESS,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const struct lu_args *args;
	size_t file; /* with --by-file: number of the operand whose documents come */
	struct lu_encoded encoded;
	struct lu_shard_format format; /* of all sets; their options differ */
	struct lu_holdouts holdouts;
	uint64_t keyed; /* documents with the member of --holdout-by */
	struct lu_shard_sets sets;
};

/* Computed by map(), used by decide(). */
struct item {
	struct lu_encoded_item part[2]; /* of a preference two documents, else one */
	size_t parts;
	struct lu_str set; /* name of the shard; empty for the main one */
	size_t holdout;	   /* 1 + its index; 0 for the main shard */
	bool keyed;
};

/* --- one document ------------------------------------------------------------------------- */

static int choose_set(
		const struct run *r, struct lu_doc *doc, struct item *item, struct lu_err *err)
{
	struct lu_str lang = LU_STR("und"),
		      key = lu_from_doc_key(doc, r->o->holdout_by, &item->keyed);
	const struct lu_holdout *h = lu_holdout_choose(&r->holdouts, r->o->std.seed, key);
	int rc;

	item->set = LU_STR("");
	if (!h)
		return 0;
	item->holdout = (size_t)(h - r->holdouts.item.p) + 1;
	lu_doc_string(doc, "lang", &lang);
	rc = lu_holdout_name(h, lang, doc->arena, &item->set, err);
	return rc > 0 ? lu_doc_bad(doc, "\"lang\" cannot be part of a file name") : rc;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct item *item = lu_arena_alloc(doc->arena, sizeof(*item));

	if (!item)
		return lu_err_nomem(err);
	*item = (struct item){ .parts = 0 };
	doc->user = item;
	if (lu_encoded_doc(&r->encoded, local, doc, item->part, &item->parts, err) < 0)
		return -1;
	return doc->verdict == LU_KEEP ? choose_set(r, doc, item, err) : 0;
}

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	const struct run *r = ctx;

	return lu_encoded_state_init(&r->encoded, local, err);
}

static void worker_free(void *local)
{
	lu_encoded_state_release(local);
}

/* --- the shards --------------------------------------------------------------------------- */

/* The options that the manifest of a set notes. */
static void put_options(void *ctx, const char *suffix, struct lu_buf *b)
{
	const struct run *r = ctx;
	const struct options *o = r->o;
	char hash[33];

	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "add", lu_enum_name(add_names, r->encoded.how.add ? o->add : ADD_NONE));
	if (r->format.kind) {
		lu_encoded_template_hash(&r->encoded, hash);
		lu_json_put_cstr(b, "chat_template", hash);
		if (o->chat_date)
			lu_json_put_cstr(b, "chat_date", o->chat_date);
	}
	lu_json_put_bool(b, "ids", o->ids);
	lu_json_put_bool(b, "keep_empty", o->keep_empty);
	lu_json_put_u64(b, "max_tokens", o->max_tokens);
	lu_json_open_array(b, "holdout");
	for (size_t i = 0; i < o->holdout.n; i++)
		lu_json_put_cstr(b, NULL, o->holdout.item[i]);
	lu_json_close_array(b);
	lu_json_put_cstr(b, "holdout_by", o->holdout_by);
	lu_json_put_cstr(b, "set", suffix);
	lu_json_put_u64(b, "seed", o->std.seed);
	lu_json_close_object(b);
}

/* Fail if nothing has come to the main shard, or, with --by-file, to the part of a file. */
static int check_left(const struct run *r, const char *name, const struct lu_stats *stats,
		struct lu_err *err)
{
	struct lu_buf b = { 0 };
	size_t n;
	int rc;

	if (r->o->std.allow_empty || lu_holdouts_take_all(&r->holdouts) ||
			lu_shard_writer_since(r->sets.set.p[0].writer) > 0)
		return 0;
	if (r->o->by_file)
		return lu_err_set(err,
				"%s: none of its documents is left; --allow-empty accepts that",
				name);
	lu_buf_printf(&b, "%s: none of %" PRIu64 " documents is left for it", name, stats->in.docs);
	n = b.n;
	lu_summary_reasons(stats, SIZE_MAX, &b);
	rc = lu_buf_check(&b, err);
	if (rc == 0)
		rc = lu_err_set(err, "%s; --allow-empty accepts that%s", b.p,
				b.n > n ? ", and --rejects FILE then says more" : "");
	lu_buf_release(&b);
	return rc;
}

/* With --by-file: begin a part for each operand up to this one. */
static int go_to_file(struct run *r, size_t file, struct lu_err *err)
{
	for (; r->o->by_file && r->file < file; r->file++) {
		if (check_left(r, r->args->file[r->file], NULL, err) < 0 ||
				lu_shard_sets_next(&r->sets, err) < 0)
			return -1;
	}
	return 0;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct item *item = doc->user;
	struct lu_shard_writer *w;
	size_t file = r->file;

	while (r->o->by_file && r->args->file[file] != doc->file)
		file++;
	if (go_to_file(r, file, err) < 0)
		return -1;
	w = lu_shard_sets_get(&r->sets, item->set, err);
	r->keyed += item->keyed;
	if (item->holdout)
		r->holdouts.item.p[item->holdout - 1].documents++;
	for (size_t i = 0; w && i < item->parts; i++) {
		const struct lu_encoded_item *part = &item->part[i];

		if ((part->mask ? lu_shard_writer_add_masked(
						  w, &part->entry, part->packed, part->mask, err)
				: lu_shard_writer_add(w, &part->entry, part->packed, err)) < 0)
			return -1;
	}
	return w ? 0 : -1;
}

/* Settle all sets before the accounting line is written and the shards appear. */
static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	if (go_to_file(r, r->args->files - 1, err) < 0 ||
			check_left(r, r->o->by_file ? r->args->file[r->file] : r->o->std.output,
					stats, err) < 0)
		return -1;
	if (lu_shard_sets_settle(&r->sets, err) < 0)
		return -1;
	lu_shard_sets_put(&r->sets, &stats->extra);
	return lu_buf_check(&stats->extra, err);
}

/* --- the run ------------------------------------------------------------------------------ */

static int set_up(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	const struct lu_encoded_how how = { .tokenizer = o->tokenizer,
		.chat_template = o->chat_template,
		.chat_date = o->chat_date,
		.add = !o->tokenizer || o->add == ADD_NONE || o->chat || o->preference
				? NULL
				: lu_enum_name(add_names, o->add),
		.ids = o->ids,
		.chat = o->chat,
		.preference = o->preference,
		.keep_empty = o->keep_empty,
		.allow_doubled = o->allow_doubled };

	for (size_t i = 0; i < o->holdout.n; i++) {
		if (lu_holdout_add(&r->holdouts, o->holdout.item[i], err) < 0)
			lu_usage_fail(err, "--holdout");
	}
	r->format = (struct lu_shard_format){ .vocab = o->vocab,
		.max_tokens = o->max_tokens,
		.joined = o->by_file,
		.tmpdir = o->std.tmpdir };
	if (lu_encoded_open(&r->encoded, &how, &r->format, err) < 0)
		return -1;
	if (r->format.vocab > (uint64_t)INT32_MAX + 1)
		lu_usage_error("--vocab-size: ids are below 2147483648");
	return lu_shard_sets_open(&r->sets, o->std.output, &r->format, put_options, r, err);
}

/* Say what was written, and which options had no effect. */
static void describe(const struct run *r)
{
	uint64_t documents = 0;

	for (size_t i = r->sets.set.n; i-- > 0;) {
		const struct lu_shard_set *s = &r->sets.set.p[i];

		documents += lu_shard_writer_documents(s->writer);
		lu_detail("%s: %" PRIu64 " documents, %" PRIu64 " tokens", s->prefix,
				lu_shard_writer_documents(s->writer),
				lu_shard_writer_tokens(s->writer));
		if (r->format.kind)
			lu_detail("%s: %" PRIu64 " of them are trained", s->prefix,
					lu_shard_writer_targets(s->writer));
	}
	for (size_t i = 0; i < r->holdouts.item.n; i++) {
		if (r->holdouts.item.p[i].documents == 0)
			lu_note("--holdout %s: held out none of %" PRIu64 " documents",
					r->o->holdout.item[i], documents);
	}
	if (r->o->holdout.n && strcmp(r->o->holdout_by, "text") != 0 && documents && !r->keyed)
		lu_note("--holdout-by %s: no document has it, so all were selected by their text",
				r->o->holdout_by);
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o, .args = args };
	struct lu_docstream ds = { .ctx = &r,
		.map = map,
		.decide = decide,
		.local_size = sizeof(struct lu_encoded_state),
		.local_init = worker_init,
		.local_free = worker_free,
		.finish = finish,
		.flags = LU_DOCSTREAM_SILENT |
				(o->ids || o->chat || o->preference ? LU_DOCSTREAM_TEXTLESS : 0) };
	int rc = set_up(&r, err);

	if (rc == 0)
		rc = lu_docstream_run(&ds, &o->std, args, err);
	if (rc == 0)
		rc = lu_shard_sets_commit(&r.sets, err);
	if (rc == 0)
		describe(&r);
	lu_shard_sets_close(&r.sets);
	lu_holdouts_release(&r.holdouts);
	lu_encoded_close(&r.encoded);
	return rc;
}

static int merge(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lu_joined j = { .prefix = o->std.output, .copy = o->copy };
	struct lu_stats stats = { 0 };
	int rc = -1;

	if (strcmp(args->file[0], "-") == 0)
		lu_usage_error("--merge needs the PREFIX of each shard");
	if (lu_joined_make(&j, args->file, args->files, err) == 0) {
		stats.in = stats.out = (struct lu_count){ j.documents, j.bytes };
		lu_json_put_u64(&stats.extra, "tokens", j.tokens);
		rc = lu_stats_append(&stats, args, o->std.stats, err);
	}
	if (rc == 0 && (rc = lu_joined_commit(&j, err)) == 0)
		lu_summary(&stats, args, "documents", "joined");
	lu_joined_release(&j);
	lu_stats_release(&stats);
	return rc;
}

static void check_usage(const struct options *o)
{
	if (!o->std.output || !*o->std.output)
		lu_usage_error("-o PREFIX is needed");
	if (o->copy && !o->merge)
		lu_usage_error("--copy is for --merge");
	if (o->merge &&
			(o->tokenizer || o->ids || o->vocab || o->chat || o->preference ||
					o->chat_template || o->chat_date || o->add_given ||
					o->max_tokens || o->holdout.n || o->by_file ||
					o->keep_empty || lu_std_for_documents(&o->std)))
		lu_usage_error("--merge takes shards as they are: of the other options only -o, "
			       "--copy and --stats have an effect");
	if (o->merge)
		return;
	if (!o->tokenizer && (!o->ids || !o->vocab))
		lu_usage_error("-t tokenizer.json is needed, or --ids with --vocab-size N");
	if (o->chat && o->preference)
		lu_usage_error("--chat and --preference exclude each other");
	if ((o->chat_template || o->chat_date) && !o->chat && !o->preference)
		lu_usage_error("--chat-template and --chat-date are for --chat and --preference");
	if (o->chat_date && !lu_chat_date_is(lu_str_of(o->chat_date)))
		lu_usage_error("--chat-date: '%s' is no date such as 2026-11-30", o->chat_date);
	if ((o->chat || o->preference) &&
			(o->ids || o->add_given || o->allow_doubled || o->keep_empty))
		lu_usage_error("the template writes all tokens of a conversation: --ids, --add, "
			       "--allow-doubled and --keep-empty are not for it");
	if ((o->chat || o->preference) && o->std.text_field)
		lu_usage_error("a conversation has no text that --text-field could name: see "
			       "lucie-chat(7) for the members that are read");
	if (!o->tokenizer && o->add_given && o->add != ADD_NONE)
		lu_usage_error("--add needs -t");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .add = ADD_BOS_EOS, .holdout_by = "text" };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	rc = o.merge ? merge(&o, &args, &err) : run(&o, &args, &err);
	lu_list_release(&o.holdout);
	return lu_tool_finish(rc, &err);
}
