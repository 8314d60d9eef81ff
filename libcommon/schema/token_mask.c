#include "libcommon/schema/token_mask.h"

#include <stdlib.h>

#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"

/* Masks that are kept: 8 MiB at 65,536 tokens. When they are all taken they are dropped together. */
#define MASKS 1024

/* A node of the trie in depth-first order. Its tokens are order[token] to the next node's: none where it
 * only leads on, since the next one then begins with the same token. */
struct node {
	uint32_t skip;	/* the node behind all that begins with this one */
	uint32_t token; /* in `order` */
	uint16_t depth; /* of the root's children: 1 */
	unsigned char byte;
};

struct known {
	uint32_t state;
	bool any;
};

struct lu_token_mask {
	struct lu_schema *schema;
	size_t tokens, words;
	struct LU_VEC(struct node) node; /* and one behind the last */
	uint32_t *order;		 /* tokens by their bytes */
	struct lu_str *bytes;		 /* by token */
	struct lu_buf pool;
	size_t deepest;
	uint32_t *stack; /* states, by depth */
	struct lu_map map;
	struct LU_VEC(struct known) known;
	uint64_t *bits; /* [MASKS][words] */
};

/* Longest token that is used. */
enum { LONGEST = 4096 };

static int by_bytes(const void *a, const void *b, void *bytes)
{
	const struct lu_str *all = bytes;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = lu_str_cmp(all[x], all[y]);

	return c ? c : x < y ? -1 : x > y;
}

static size_t common(struct lu_str a, struct lu_str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

/* Lay out the trie of the n tokens in `order`. */
static int lay_out(struct lu_token_mask *m, size_t n, struct lu_err *err)
{
	uint32_t open[LONGEST + 1] = { 0 }; /* the node at each depth of the last token */
	struct lu_str last = { "", 0 };

	for (size_t i = 0; i < n; i++) {
		struct lu_str s = m->bytes[m->order[i]];
		size_t same = common(last, s);

		for (size_t d = last.n; d > same; d--)
			m->node.p[open[d]].skip = (uint32_t)m->node.n;
		for (size_t d = same; d < s.n; d++) {
			open[d + 1] = (uint32_t)m->node.n;
			if (!lu_vec_push(&m->node,
					    (struct node){ .token = (uint32_t)i,
							    .depth = (uint16_t)(d + 1),
							    .byte = (unsigned char)s.p[d] }))
				return lu_err_nomem(err);
		}
		m->deepest = s.n > m->deepest ? s.n : m->deepest;
		last = s;
	}
	for (size_t d = last.n; d > 0; d--)
		m->node.p[open[d]].skip = (uint32_t)m->node.n;
	if (!lu_vec_push(&m->node, (struct node){ .token = (uint32_t)n }))
		return lu_err_nomem(err);
	return 0;
}

int lu_token_mask_new(struct lu_token_mask **out, struct lu_schema *schema,
		const struct lu_str *bytes, size_t tokens, struct lu_err *err)
{
	struct lu_token_mask *m = calloc(1, sizeof(*m));
	size_t n = 0, at = 0;

	*out = NULL;
	if (!m)
		return lu_err_nomem(err);
	m->schema = schema;
	m->tokens = tokens;
	m->words = (tokens + 63) / 64;
	m->order = calloc(tokens + 1, sizeof(*m->order));
	m->bytes = calloc(tokens + 1, sizeof(*m->bytes));
	m->bits = calloc(MASKS, m->words * sizeof(*m->bits));
	for (size_t i = 0; i < tokens; i++)
		lu_buf_str(&m->pool, bytes[i]);
	if (!m->order || !m->bytes || !m->bits || !lu_buf_ok(&m->pool))
		goto fail;
	for (size_t i = 0; i < tokens; i++) {
		m->bytes[i] = (struct lu_str){ m->pool.p + at, bytes[i].n };
		at += bytes[i].n;
		if (bytes[i].n && bytes[i].n <= LONGEST)
			m->order[n++] = (uint32_t)i;
	}
	qsort_r(m->order, n, sizeof(*m->order), by_bytes, m->bytes);
	if (lay_out(m, n, err) < 0)
		goto fail;
	m->stack = calloc(m->deepest + 1, sizeof(*m->stack));
	if (!m->stack)
		goto fail;
	*out = m;
	return 0;
fail:
	lu_token_mask_free(m);
	return lu_err_nomem(err);
}

void lu_token_mask_free(struct lu_token_mask *m)
{
	if (!m)
		return;
	lu_vec_release(&m->node);
	lu_vec_release(&m->known);
	lu_map_release(&m->map);
	lu_buf_release(&m->pool);
	free(m->order);
	free(m->bytes);
	free(m->stack);
	free(m->bits);
	free(m);
}

size_t lu_token_mask_tokens(const struct lu_token_mask *m)
{
	return m->tokens;
}

/* Try every token from a state. */
static int try_all(struct lu_token_mask *m, uint32_t state, uint64_t *bits, bool *any,
		struct lu_err *err)
{
	size_t nodes = m->node.n - 1;

	memset(bits, 0, m->words * sizeof(*bits));
	m->stack[0] = state;
	for (size_t i = 0; i < nodes;) {
		const struct node *x = &m->node.p[i];
		int rc = lu_schema_next(m->schema, m->stack[x->depth - 1], x->byte,
				&m->stack[x->depth], err);

		if (rc < 0)
			return -1;
		if (rc == 0) {
			i = x->skip;
			continue;
		}
		for (uint32_t t = x->token; t < x[1].token; t++) {
			uint32_t id = m->order[t];

			bits[id / 64] |= (uint64_t)1 << (id % 64);
			*any = true;
		}
		i++;
	}
	return 0;
}

static uint64_t state_hash(const void *items, uint32_t i)
{
	const struct known *k = items;

	return lu_hash64(&k[i].state, sizeof(k[i].state), 0);
}

static bool state_is(const void *items, uint32_t i, const void *key)
{
	const struct known *k = items;

	return k[i].state == *(const uint32_t *)key;
}

int lu_token_mask_of(
		struct lu_token_mask *m, uint32_t state, const uint64_t **bits, struct lu_err *err)
{
	uint64_t hash = lu_hash64(&state, sizeof(state), 0);
	uint32_t i = lu_map_find(&m->map, hash, m->known.p, state_is, &state);
	struct known k = { .state = state };

	if (i == LU_MAP_NONE) {
		if (m->known.n == MASKS) {
			lu_map_release(&m->map);
			m->known.n = 0;
		}
		if (try_all(m, state, m->bits + m->known.n * m->words, &k.any, err) < 0)
			return -1;
		if (!lu_map_reserve(&m->map, m->known.p, state_hash) || !lu_vec_push(&m->known, k))
			return lu_err_nomem(err);
		i = lu_map_add(&m->map, hash);
	}
	*bits = m->bits + i * m->words;
	return m->known.p[i].any;
}

int lu_token_mask_advance(struct lu_token_mask *m, uint32_t *state, uint32_t id, struct lu_err *err)
{
	struct lu_str s = m->bytes[id];

	for (size_t i = 0; i < s.n; i++) {
		int rc = lu_schema_next(m->schema, *state, (unsigned char)s.p[i], state, err);

		if (rc < 0)
			return -1;
		LU_ASSERT(rc > 0);
	}
	return 0;
}
