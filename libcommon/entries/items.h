#ifndef LUCIE_ENTRIES_ITEMS_H
#define LUCIE_ENTRIES_ITEMS_H
/*
 * Blocks of items of any bytes, each with its number and place: for formats whose entries are found by
 * the reading thread.
 *
 *	struct lu_items it = { .limit = limit };		the reading thread
 *	lu_items_begin(&it, number, line, block);
 *	lu_items_append(&it, bytes, block);			any number of times
 *	lu_items_end(&it, block);				or lu_items_cancel()
 *
 *	while (lu_items_next(&block, &entry, name))		any thread
 *		use(entry.bytes, entry.drop);
 *
 * An item longer than the limit leaves only its length, and is dropped as bad.
 */
#include "libcommon/entries/entries.h"

struct lu_item {
	uint64_t number, line, size;
	uint64_t skipped; /* not 0: longer than the limit, and not here */
	uint64_t n;	  /* bytes that follow */
};

struct lu_items {
	uint64_t limit;
	/* Private. */
	uint64_t size;
	size_t at; /* of the item's head in the block */
};

void lu_items_begin(struct lu_items *it, uint64_t number, uint64_t line, struct lu_buf *block);
void lu_items_append(struct lu_items *it, struct lu_str bytes, struct lu_buf *block);
void lu_items_end(struct lu_items *it, struct lu_buf *block);
/* Take the item back. */
void lu_items_cancel(const struct lu_items *it, struct lu_buf *block);

/* Take the next item off the block: its number as name, its bytes or why they are not there. */
bool lu_items_next(struct lu_str *block, struct lu_entry *entry, char name[24]);

#endif
