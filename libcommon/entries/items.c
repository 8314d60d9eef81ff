#include "libcommon/entries/items.h"

#include <inttypes.h>
#include <stdio.h>

void lu_items_begin(struct lu_items *it, uint64_t number, uint64_t line, struct lu_buf *block)
{
	struct lu_item item = { .number = number, .line = line };

	it->at = block->n;
	it->size = 0;
	lu_buf_append(block, &item, sizeof(item));
}

void lu_items_append(struct lu_items *it, struct lu_str bytes, struct lu_buf *block)
{
	it->size += bytes.n;
	if (it->size <= it->limit)
		lu_buf_str(block, bytes);
	else if (lu_buf_ok(block))
		block->n = it->at + sizeof(struct lu_item);
}

void lu_items_end(struct lu_items *it, struct lu_buf *block)
{
	struct lu_item item;

	if (!lu_buf_ok(block))
		return;
	memcpy(&item, block->p + it->at, sizeof(item));
	item.size = it->size;
	item.skipped = it->size > it->limit ? it->size : 0;
	item.n = block->n - it->at - sizeof(item);
	memcpy(block->p + it->at, &item, sizeof(item));
}

void lu_items_cancel(const struct lu_items *it, struct lu_buf *block)
{
	if (lu_buf_ok(block))
		block->n = it->at;
}

bool lu_items_next(struct lu_str *block, struct lu_entry *e, char name[24])
{
	struct lu_item item;

	*e = (struct lu_entry){ 0 };
	if (block->n == 0)
		return false;
	LU_ASSERT(block->n >= sizeof(item));
	memcpy(&item, block->p, sizeof(item));
	snprintf(name, 24, "%" PRIu64, item.number);
	e->name = lu_str_of(name);
	e->line = item.line;
	e->size = item.size;
	e->bytes = (struct lu_str){ block->p + sizeof(item), (size_t)item.n };
	e->bad = item.skipped > 0;
	e->drop = e->bad ? "longer than --max-line" : NULL;
	block->p += sizeof(item) + e->bytes.n;
	block->n -= sizeof(item) + e->bytes.n;
	return true;
}
