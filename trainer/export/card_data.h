#ifndef LUCIE_TRAINER_EXPORT_CARD_DATA_H
#define LUCIE_TRAINER_EXPORT_CARD_DATA_H
/*
 * The part of a model card about the data: what each phase of a configuration read, and the languages
 * and licences of the shards, as their manifests have counted them.
 *
 *	struct lt_card_data d = { 0 };
 *	lt_card_data_collect(&d, &config, &err)
 *	lt_card_data_languages(&d, &out)	for the head of the card
 *	lt_card_data_put(&d, &out)
 *	lt_card_data_release(&d);
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "trainer/run/config.h"

/* Totals of a language or licence over all shards. */
struct lt_card_total {
	struct lu_str value; /* raw JSON of the manifest */
	uint64_t documents, tokens;
};

/* A group of a plan, or a shard that is read whole. */
struct lt_card_part {
	const char *phase, *name;
	bool known;   /* else the file could not be read */
	bool of_plan; /* tokens are those planned, else those of the shard */
	uint64_t documents, tokens;
};

struct lt_card_data {
	struct LU_VEC(struct lt_card_total) lang, license;
	struct LU_VEC(struct lt_card_part) part;
	struct LU_VEC(const char *) shard, missing; /* prefixes: read, and not readable here */
	struct lu_arena arena;
};

int lt_card_data_collect(
		struct lt_card_data *d, const struct lt_config *c, struct lu_err *err) LU_CHECKED;
void lt_card_data_languages(const struct lt_card_data *d, struct lu_buf *out);
void lt_card_data_put(const struct lt_card_data *d, struct lu_buf *out);
void lt_card_data_release(struct lt_card_data *d);

/* Append text for a cell of a table: control characters and bars are masked. */
void lt_card_cell(struct lu_buf *out, struct lu_str text);

#endif
