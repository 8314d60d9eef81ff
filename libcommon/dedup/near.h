#ifndef LUCIE_DEDUP_NEAR_H
#define LUCIE_DEDUP_NEAR_H
/*
 * Documents that wait for the join: their records in a temporary file, their places and signatures
 * in memory.
 *
 *	struct lu_near near;
 *	lu_near_open(&near, mh, tmpdir, &err);
 *	lu_near_add(&near, record, &place, signature, length, &err);	in input order
 *	lu_near_solve(&near, &how, &err);
 *	for (i = 0; i < near.join.docs; i++)
 *		lu_near_record(&near, i, &record, &err) ...	near.join.kept[i], near.place[i]
 *	lu_near_close(&near);
 *
 * place->file must live as long as near; the id is copied.
 */
#include "libcommon/dedup/join.h"
#include "libcommon/dedup/removed.h"
#include "libcommon/io/spool.h"

struct lu_near {
	struct lu_join join;
	struct lu_spool spool;
	struct lu_arena ids;
	struct lu_place *place;
	uint64_t *at; /* offset of each record; its end is the next one's offset */
	uint32_t cap;
};

int lu_near_open(struct lu_near *n, const struct lu_minhash *mh, const char *tmpdir,
	struct lu_err *err) LU_CHECKED;
int lu_near_add(struct lu_near *n, struct lu_str record, const struct lu_place *place,
	const void *signature, uint64_t length, struct lu_err *err) LU_CHECKED;
int lu_near_solve(struct lu_near *n, const struct lu_join_how *how, struct lu_err *err) LU_CHECKED;
/* The record of document i, valid until the next call. Cheap in ascending order. */
int lu_near_record(
	struct lu_near *n, uint32_t i, struct lu_str *record, struct lu_err *err) LU_CHECKED;
void lu_near_close(struct lu_near *n);

#endif
