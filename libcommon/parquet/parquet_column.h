#ifndef LUCIE_PARQUET_COLUMN_H
#define LUCIE_PARQUET_COLUMN_H
/*
 * A column of a block, entry by entry, over its pages.
 *
 *	lu_pq_column_begin(&c, node, &rest, limit, &err);	takes its part of the block from rest
 *	lu_pq_column_peek(&c, &err);	c.page.rep, c.page.def; c.value where def is the node's
 *	lu_pq_column_take(&c);		goes on
 *	lu_pq_column_release(&c);
 */
#include "libcommon/parquet/parquet_pages.h"

struct lu_pq_column {
	const struct lu_pq_node *node;
	struct lu_str pages; /* unread */
	uint32_t left;	     /* pages unread */
	uint64_t limit;
	bool have; /* an entry was read */
	struct lu_pq_page_reader page;
	struct lu_pq_value value;
	struct lu_pq_dictionary dictionary;
};

int lu_pq_column_begin(struct lu_pq_column *c, const struct lu_pq_node *node, struct lu_str *rest,
		uint64_t limit, struct lu_err *err) LU_CHECKED;
int lu_pq_column_read(struct lu_pq_column *c, struct lu_err *err) LU_CHECKED;
void lu_pq_column_release(struct lu_pq_column *c);

static inline int lu_pq_column_peek(struct lu_pq_column *c, struct lu_err *err)
{
	return c->have ? 0 : lu_pq_column_read(c, err);
}

static inline void lu_pq_column_take(struct lu_pq_column *c)
{
	c->have = false;
}

#endif
