#include "libcommon/parquet/parquet_column.h"

/* Take a page from the front of s. */
static bool take_page(struct lu_str *s, struct lu_pq_page *page, struct lu_str *bytes)
{
	if (s->n < sizeof(*page))
		return false;
	memcpy(page, s->p, sizeof(*page));
	if (page->packed > s->n - sizeof(*page))
		return false;
	*bytes = (struct lu_str){ s->p + sizeof(*page), page->packed };
	*s = (struct lu_str){ bytes->p + bytes->n, s->n - sizeof(*page) - bytes->n };
	return true;
}

int lu_pq_column_begin(struct lu_pq_column *c, const struct lu_pq_node *node, struct lu_str *rest,
		uint64_t limit, struct lu_err *err)
{
	const char *from;
	struct lu_pq_page page;
	struct lu_str bytes;

	c->node = node;
	c->limit = limit;
	c->have = false;
	if (rest->n < sizeof(c->left))
		return lu_err_set(err, "a block of rows that is cut");
	memcpy(&c->left, rest->p, sizeof(c->left));
	*rest = (struct lu_str){ rest->p + sizeof(c->left), rest->n - sizeof(c->left) };
	from = rest->p;
	for (uint32_t i = 0; i < c->left; i++) {
		if (!take_page(rest, &page, &bytes))
			return lu_err_set(err, "a block of rows that is cut");
	}
	c->pages = (struct lu_str){ from, (size_t)(rest->p - from) };
	return 0;
}

static int next_page(struct lu_pq_column *c, struct lu_err *err)
{
	struct lu_pq_page page;
	struct lu_str bytes;

	if (c->left == 0 || !take_page(&c->pages, &page, &bytes))
		return lu_err_set(err, "fewer values than rows");
	c->left--;
	if (page.form == LU_PQ_DICTIONARY)
		return lu_pq_page_dictionary(&c->dictionary, c->node, &page, bytes, err);
	return lu_pq_page_open(&c->page, c->node, &page, bytes, &c->dictionary, c->limit, err);
}

int lu_pq_column_read(struct lu_pq_column *c, struct lu_err *err)
{
	while (c->page.left == 0) {
		if (next_page(c, err) < 0)
			return -1;
	}
	if (lu_pq_page_levels(&c->page, err) < 0)
		return -1;
	if (c->page.def == c->node->def && lu_pq_values_next(&c->page.values, &c->value, err) < 0)
		return -1;
	c->have = true;
	return 0;
}

void lu_pq_column_release(struct lu_pq_column *c)
{
	lu_pq_page_release(&c->page);
	lu_pq_dictionary_release(&c->dictionary);
}
