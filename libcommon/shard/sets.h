#ifndef LUCIE_SHARD_SETS_H
#define LUCIE_SHARD_SETS_H
/*
 * Shards that are written together: PREFIX, and PREFIX-NAME for each held-out set.
 *
 *	struct lu_shard_sets s;
 *	lu_shard_sets_open(&s, "out/fr", &format, put_options, ctx, &err);	opens PREFIX
 *	w = lu_shard_sets_get(&s, name, &err);		opened when first asked for; "" is PREFIX
 *	lu_shard_sets_next(&s, &err);			with format.joined: at the end of a file
 *	lu_shard_sets_settle(&s, &err);			all are complete and on the disk
 *	lu_shard_sets_put(&s, &stats->extra);
 *	lu_shard_sets_commit(&s, &err);			all appear, PREFIX last
 *	lu_shard_sets_close(&s);			in any case; { 0 } is fine
 */
#include "libcommon/base/vec.h"
#include "libcommon/shard/writer.h"

/* Append the raw JSON object that the manifest of a set notes; `suffix` is "" or "-NAME". */
typedef void lu_shard_options_fn(void *ctx, const char *suffix, struct lu_buf *out);

struct lu_shard_set {
	char *prefix;
	struct lu_shard_writer *writer;
	uint64_t file; /* whose documents it is being given */
};

struct lu_shard_sets {
	const char *prefix;
	struct lu_shard_format format;
	lu_shard_options_fn *put_options;
	void *ctx;
	uint64_t file;				/* number of the input file */
	struct LU_VEC(struct lu_shard_set) set; /* in the order of opening; 0 is PREFIX */
};

/* `prefix` must outlive the sets; format->options is set by put_options(). */
int lu_shard_sets_open(struct lu_shard_sets *s, const char *prefix,
		const struct lu_shard_format *format, lu_shard_options_fn *put_options, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* NULL on failure. */
struct lu_shard_writer *lu_shard_sets_get(
		struct lu_shard_sets *s, struct lu_str name, struct lu_err *err) LU_CHECKED;
/* Begin another shard within PREFIX for the next input file, even if that has no document; and within
 * the other sets, once the file has one. */
int lu_shard_sets_next(struct lu_shard_sets *s, struct lu_err *err) LU_CHECKED;
int lu_shard_sets_settle(struct lu_shard_sets *s, struct lu_err *err) LU_CHECKED;
/* Append the members of the accounting line: "tokens" and "shards". */
void lu_shard_sets_put(const struct lu_shard_sets *s, struct lu_buf *b);
int lu_shard_sets_commit(struct lu_shard_sets *s, struct lu_err *err) LU_CHECKED;
void lu_shard_sets_close(struct lu_shard_sets *s);

#endif
