#include "libcommon/mix/shards.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"
#include "libcommon/io/json.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/sys/file.h"

#define LARGEST_MANIFEST ((size_t)1 << 30)

/* A raw member of the ledger as a slice; none when it is null. */
static int value_of(
		struct lu_str raw, struct lu_arena *arena, struct lu_str *out, struct lu_err *err)
{
	*out = (struct lu_str){ NULL, 0 };
	if (raw.n > 0 && raw.p[0] == '"' && lu_json_decode(raw, arena, out) < 0)
		return lu_err_nomem(err);
	return 0;
}

static int add_document(const struct lu_ledger_doc *d, const char *prefix,
		const struct lu_recipe *r, struct lu_pool *pool, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_str value[LU_SELECTORS] = { 0 };

	lu_arena_reset(arena);
	if (value_of(d->source, arena, &value[LU_BY_SOURCE], err) < 0 ||
			value_of(d->lang, arena, &value[LU_BY_LANG], err) < 0 ||
			value_of(d->license, arena, &value[LU_BY_LICENSE], err) < 0)
		return -1;
	value[LU_BY_FILE] = lu_str_of(prefix);
	return lu_pool_add(pool, lu_recipe_match(r, value), d->tokens, value[LU_BY_LANG], err);
}

static int hash_manifest(
		const char *prefix, struct lu_arena *arena, const char **out, struct lu_err *err)
{
	struct lu_buf path = { 0 };
	char *text = NULL, digits[33];
	struct lu_str kept;
	size_t n;
	int rc;

	lu_buf_puts(&path, prefix);
	lu_buf_puts(&path, ".json");
	rc = lu_buf_check(&path, err);
	if (rc == 0)
		rc = lu_read_file(path.p, LARGEST_MANIFEST, &text, &n, err);
	if (rc == 0) {
		lu_hash128_text(lu_hash128(text, n), digits);
		kept = lu_arena_str(arena, lu_str_of(digits));
		*out = kept.p;
		rc = kept.p ? 0 : lu_err_nomem(err);
	}
	free(text);
	lu_buf_release(&path);
	return rc;
}

static int add_shard(const char *prefix, struct lu_plan_shard *out, const struct lu_recipe *r,
		struct lu_pool *pool, struct lu_plan *plan, uint64_t *bytes, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_shard *shard = NULL;
	struct lu_ledger *ledger = NULL;
	struct lu_ledger_doc d;
	struct lu_str name = lu_arena_str(&plan->arena, lu_str_of(prefix));
	int rc = -1;

	if (!name.p) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_shard_open(&shard, prefix, err) < 0 ||
			hash_manifest(prefix, &plan->arena, &out->manifest, err) < 0 ||
			lu_ledger_open(&ledger, shard, err) < 0 || lu_pool_shard(pool, err) < 0)
		goto out;
	out->prefix = name.p;
	out->documents = lu_shard_documents(shard);
	out->tokens = lu_shard_tokens(shard);
	while ((rc = lu_ledger_next(ledger, &d, err)) > 0) {
		*bytes += d.bytes;
		if (add_document(&d, prefix, r, pool, &arena, err) < 0) {
			rc = -1;
			goto out;
		}
	}
out:
	lu_ledger_close(ledger);
	lu_shard_close(shard);
	lu_arena_release(&arena);
	return rc;
}

int lu_mix_shards(char **prefix, size_t n, const struct lu_recipe *r, struct lu_pool *pool,
		struct lu_plan *plan, uint64_t *bytes, struct lu_err *err)
{
	*bytes = 0;
	plan->shard = lu_arena_alloc(&plan->arena, n * sizeof(*plan->shard));
	if (!plan->shard)
		return lu_err_nomem(err);
	plan->shards = n;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(prefix[k], prefix[i]) == 0)
				return lu_err_set(err, "%s: given twice", prefix[i]);
		}
		if (add_shard(prefix[i], &plan->shard[i], r, pool, plan, bytes, err) < 0)
			return -1;
	}
	return 0;
}
