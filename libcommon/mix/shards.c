#include "libcommon/mix/shards.h"

#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/sys/file.h"

struct reader {
	const struct lu_recipe *recipe;
	struct lu_allow *allow;
	struct lu_pool *pool;
	struct lu_plan *plan;
	struct lu_mix_found *found;
	struct lu_arena arena; /* of one document */
	/* The first shard whose manifest names a tokenizer, and the first that names none. */
	const char *named, *unnamed, *tokenizer;
};

/* Decode a member of the ledger; .p is NULL where it is no string. */
static int decode(struct lu_str raw, struct lu_arena *arena, struct lu_str *out, struct lu_err *err)
{
	*out = (struct lu_str){ NULL, 0 };
	if (raw.n > 0 && raw.p[0] == '"' && lu_json_decode(raw, arena, out) < 0)
		return lu_err_nomem(err);
	return 0;
}

static int add_document(struct reader *r, const struct lu_ledger_doc *d, const char *prefix,
		struct lu_err *err)
{
	struct lu_str value[LU_SELECTORS] = { 0 };
	uint32_t group;

	lu_arena_reset(&r->arena);
	if (decode(d->source, &r->arena, &value[LU_BY_SOURCE], err) < 0 ||
			decode(d->lang, &r->arena, &value[LU_BY_LANG], err) < 0 ||
			decode(d->license, &r->arena, &value[LU_BY_LICENSE], err) < 0)
		return -1;
	value[LU_BY_FILE] = lu_str_of(prefix);
	group = lu_recipe_match(r->recipe, value);
	if (!lu_allow_match(r->allow, value[LU_BY_LICENSE])) {
		group = LU_RECIPE_NONE;
		if (lu_allow_refuse(r->allow, value[LU_BY_LICENSE], err) < 0)
			return -1;
	}
	r->found->bytes += d->bytes;
	return lu_pool_add(r->pool, group, d->tokens, value[LU_BY_LANG], err);
}

static int add_documents(struct reader *r, const struct lu_shard *shard, struct lu_err *err)
{
	struct lu_ledger *ledger;
	struct lu_ledger_doc d;
	int rc = lu_ledger_open(&ledger, shard, err);

	if (rc == 0)
		rc = lu_pool_shard(r->pool, err);
	while (rc == 0 && (rc = lu_ledger_next(ledger, &d, err)) > 0)
		rc = add_document(r, &d, lu_shard_prefix(shard), err);
	lu_ledger_close(ledger);
	return rc;
}

static int describe_shard(struct reader *r, const struct lu_shard *shard, struct lu_plan_shard *out,
		struct lu_err *err)
{
	struct lu_arena *arena = &r->plan->arena;
	char hash[33];

	if (lu_manifest_hash(lu_shard_prefix(shard), hash, err) < 0)
		return -1;
	out->prefix = lu_arena_str(arena, lu_str_of(lu_shard_prefix(shard))).p;
	out->manifest = lu_arena_str(arena, lu_str_of(hash)).p;
	out->documents = lu_shard_documents(shard);
	if (out->documents == 0)
		r->found->empty = out->prefix;
	out->tokens = lu_shard_tokens(shard);
	return out->prefix && out->manifest ? 0 : lu_err_nomem(err);
}

static int check_tokenizer(struct reader *r, const struct lu_shard *shard, const char *prefix,
		struct lu_err *err)
{
	const struct lu_manifest *m = lu_shard_manifest(shard);

	if (!m || !m->tokenizer) {
		r->unnamed = r->unnamed ? r->unnamed : prefix;
		return 0;
	}
	if (!r->named) {
		r->named = prefix;
		r->tokenizer = lu_arena_str(&r->plan->arena, lu_str_of(m->tokenizer)).p;
		return r->tokenizer ? 0 : lu_err_nomem(err);
	}
	if (strcmp(r->tokenizer, m->tokenizer) == 0)
		return 0;
	return lu_err_set(err, "%s: has the tokens of another tokenizer than %s", prefix, r->named);
}

/* A plan takes document after document, and would part the two of a pair. */
static int check_kind(const struct lu_shard *shard, const char *prefix, struct lu_err *err)
{
	const struct lu_manifest *m = lu_shard_manifest(shard);

	if (!m || !m->kind || strcmp(m->kind, "preference") != 0)
		return 0;
	return lu_err_set(err,
			"%s: is a shard of preferences, the pairs of which a plan would part; "
			"lucie-train takes it as it is",
			prefix);
}

int lu_mix_shards(char **prefix, size_t n, const struct lu_recipe *recipe, struct lu_allow *allow,
		struct lu_pool *pool, struct lu_plan *plan, struct lu_mix_found *found,
		struct lu_err *err)
{
	struct reader r = {
		.recipe = recipe, .allow = allow, .pool = pool, .plan = plan, .found = found
	};
	int rc;

	*found = (struct lu_mix_found){ 0 };
	plan->shard = lu_arena_alloc(&plan->arena, n * sizeof(*plan->shard));
	if (!plan->shard)
		return lu_err_nomem(err);
	plan->shards = n;
	rc = lu_shards_distinct(prefix, n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct lu_shard *shard = NULL;

		rc = lu_shard_open(&shard, prefix[i], err);
		if (rc == 0)
			rc = check_kind(shard, prefix[i], err);
		if (rc == 0)
			rc = check_tokenizer(&r, shard, prefix[i], err);
		if (rc == 0)
			rc = describe_shard(&r, shard, &plan->shard[i], err);
		if (rc == 0)
			rc = add_documents(&r, shard, err);
		lu_shard_close(shard);
	}
	found->unnamed = r.named ? r.unnamed : NULL;
	lu_arena_release(&r.arena);
	return rc;
}
