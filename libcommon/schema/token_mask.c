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

struct trie {
	struct LU_VEC(struct node) node; /* and one behind the last */
	uint32_t *order;		 /* tokens by their bytes */
	size_t n;
};

struct known {
	uint64_t place; /* state and whether a blank is dropped */
	bool any;
};

struct lu_token_mask {
	struct lu_schema *schema;
	const struct lu_token_bytes *bytes;
	size_t words;
	struct trie trie[2];	       /* [1]: where a blank in front is dropped */
	struct LU_VEC(uint32_t) blank; /* tokens that are the blank alone */
	uint32_t *stack;	       /* states, by depth */
	size_t deepest;
	struct lu_map map;
	struct LU_VEC(struct known) known;
	uint64_t *bits; /* [MASKS][words] */
};

/* Longest token that is used. */
enum { LONGEST = 4096 };

/* The bytes of a token, without a blank in front that is dropped. */
static struct lu_str bytes_of(const struct lu_token_bytes *b, uint32_t id, bool awaits)
{
	struct lu_str s = b->bytes[id];
	size_t n = b->dropped.n;

	if (awaits && n && s.n >= n && memcmp(s.p, b->dropped.p, n) == 0)
		return (struct lu_str){ s.p + n, s.n - n };
	return s;
}

/* What a trie is sorted by. */
struct sorting {
	const struct lu_token_bytes *bytes;
	bool awaits;
};

static int by_bytes(const void *a, const void *b, void *ctx)
{
	const struct sorting *s = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = lu_str_cmp(bytes_of(s->bytes, x, s->awaits), bytes_of(s->bytes, y, s->awaits));

	return c ? c : x < y ? -1 : x > y;
}

static size_t common(struct lu_str a, struct lu_str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

/* Lay out the trie of the tokens in t->order. */
static bool lay_out(struct lu_token_mask *m, struct trie *t, bool awaits)
{
	uint32_t open[LONGEST + 1] = { 0 }; /* the node at each depth of the last token */
	struct lu_str last = { "", 0 };

	for (size_t i = 0; i < t->n; i++) {
		struct lu_str s = bytes_of(m->bytes, t->order[i], awaits);
		size_t same = common(last, s);

		for (size_t d = last.n; d > same; d--)
			t->node.p[open[d]].skip = (uint32_t)t->node.n;
		for (size_t d = same; d < s.n; d++) {
			open[d + 1] = (uint32_t)t->node.n;
			if (!lu_vec_push(&t->node,
					    (struct node){ .token = (uint32_t)i,
							    .depth = (uint16_t)(d + 1),
							    .byte = (unsigned char)s.p[d] }))
				return false;
		}
		m->deepest = s.n > m->deepest ? s.n : m->deepest;
		last = s;
	}
	for (size_t d = last.n; d > 0; d--)
		t->node.p[open[d]].skip = (uint32_t)t->node.n;
	return lu_vec_push(&t->node, (struct node){ .token = (uint32_t)t->n });
}

static bool open_trie(struct lu_token_mask *m, bool awaits)
{
	struct sorting sorting = { m->bytes, awaits };
	struct trie *t = &m->trie[awaits];

	t->order = calloc(m->bytes->tokens + 1, sizeof(*t->order));
	if (!t->order)
		return false;
	for (uint32_t id = 0; id < m->bytes->tokens; id++) {
		struct lu_str s = bytes_of(m->bytes, id, awaits);

		if (s.n && s.n <= LONGEST)
			t->order[t->n++] = id;
		else if (awaits && m->bytes->bytes[id].n && !lu_vec_push(&m->blank, id))
			return false;
	}
	qsort_r(t->order, t->n, sizeof(*t->order), by_bytes, &sorting);
	return lay_out(m, t, awaits);
}

int lu_token_mask_new(struct lu_token_mask **out, struct lu_schema *schema,
		const struct lu_token_bytes *bytes, struct lu_err *err)
{
	struct lu_token_mask *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return lu_err_nomem(err);
	m->schema = schema;
	m->bytes = bytes;
	m->words = (bytes->tokens + 63) / 64;
	m->bits = calloc(MASKS, (m->words + 1) * sizeof(*m->bits));
	if (!m->bits || !open_trie(m, false) || (bytes->dropped.n && !open_trie(m, true)) ||
			!(m->stack = calloc(m->deepest + 1, sizeof(*m->stack)))) {
		lu_token_mask_free(m);
		return lu_err_nomem(err);
	}
	*out = m;
	return 0;
}

void lu_token_mask_free(struct lu_token_mask *m)
{
	if (!m)
		return;
	for (int i = 0; i < 2; i++) {
		lu_vec_release(&m->trie[i].node);
		free(m->trie[i].order);
	}
	lu_vec_release(&m->blank);
	lu_vec_release(&m->known);
	lu_map_release(&m->map);
	free(m->stack);
	free(m->bits);
	free(m);
}

size_t lu_token_mask_tokens(const struct lu_token_mask *m)
{
	return m->bytes->tokens;
}

/* Try every token of a trie from a state. */
static int try_all(struct lu_token_mask *m, const struct trie *t, uint32_t state, uint64_t *bits,
		bool *any, struct lu_err *err)
{
	size_t nodes = t->node.n - 1;

	memset(bits, 0, m->words * sizeof(*bits));
	m->stack[0] = state;
	for (size_t i = 0; i < nodes;) {
		const struct node *x = &t->node.p[i];
		int rc = lu_schema_next(m->schema, m->stack[x->depth - 1], x->byte,
				&m->stack[x->depth], err);

		if (rc < 0)
			return -1;
		if (rc == 0) {
			i = x->skip;
			continue;
		}
		for (uint32_t k = x->token; k < x[1].token; k++) {
			uint32_t id = t->order[k];

			bits[id / 64] |= (uint64_t)1 << (id % 64);
			*any = true;
		}
		i++;
	}
	return 0;
}

/* A blank that is dropped lets the next one stand: it may come where one can follow. */
static int add_blank(struct lu_token_mask *m, uint32_t state, uint64_t *bits, bool *any,
		struct lu_err *err)
{
	struct lu_str s = m->bytes->dropped;

	for (size_t i = 0; i < s.n; i++) {
		int rc = lu_schema_next(m->schema, state, (unsigned char)s.p[i], &state, err);

		if (rc <= 0)
			return rc;
	}
	for (size_t i = 0; i < m->blank.n; i++) {
		bits[m->blank.p[i] / 64] |= (uint64_t)1 << (m->blank.p[i] % 64);
		*any = true;
	}
	return 0;
}

static uint64_t place_hash(const void *items, uint32_t i)
{
	const struct known *k = items;

	return lu_hash64(&k[i].place, sizeof(k[i].place), 0);
}

static bool place_is(const void *items, uint32_t i, const void *key)
{
	const struct known *k = items;

	return k[i].place == *(const uint64_t *)key;
}

int lu_token_mask_of(struct lu_token_mask *m, const struct lu_token_place *at,
		const uint64_t **bits, struct lu_err *err)
{
	bool awaits = at->awaits && m->bytes->dropped.n;
	struct known k = { .place = (uint64_t)at->state << 1 | awaits };
	uint64_t hash = lu_hash64(&k.place, sizeof(k.place), 0);
	uint32_t i = lu_map_find(&m->map, hash, m->known.p, place_is, &k.place);

	if (i == LU_MAP_NONE) {
		uint64_t *to;

		if (m->known.n == MASKS) {
			lu_map_release(&m->map);
			m->known.n = 0;
		}
		to = m->bits + m->known.n * m->words;
		if (try_all(m, &m->trie[awaits], at->state, to, &k.any, err) < 0 ||
				(awaits && add_blank(m, at->state, to, &k.any, err) < 0))
			return -1;
		if (!lu_map_reserve(&m->map, m->known.p, place_hash) || !lu_vec_push(&m->known, k))
			return lu_err_nomem(err);
		i = lu_map_add(&m->map, hash);
	}
	*bits = m->bits + i * m->words;
	return m->known.p[i].any;
}

/* Append to the last bytes of the text. */
static void add_tail(struct lu_token_place *at, struct lu_str s)
{
	for (size_t i = s.n > 4 ? s.n - 4 : 0; i < s.n; i++) {
		if (at->tail_n == 4)
			memmove(at->tail, at->tail + 1, 3);
		else
			at->tail_n++;
		at->tail[at->tail_n - 1] = s.p[i];
	}
}

int lu_token_mask_advance(
		struct lu_token_mask *m, struct lu_token_place *at, uint32_t id, struct lu_err *err)
{
	struct lu_str s = bytes_of(m->bytes, id, at->awaits);

	if (s.n == 0) {
		at->awaits = false;
		return 0;
	}
	for (size_t i = 0; i < s.n; i++) {
		int rc = lu_schema_next(
				m->schema, at->state, (unsigned char)s.p[i], &at->state, err);

		if (rc < 0)
			return -1;
		LU_ASSERT(rc > 0);
	}
	add_tail(at, s);
	at->awaits = lu_token_bytes_ends_after(m->bytes, (struct lu_str){ at->tail, at->tail_n });
	return 0;
}
