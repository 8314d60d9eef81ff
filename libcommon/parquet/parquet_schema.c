#include "libcommon/parquet/parquet_schema.h"

#include <inttypes.h>

/* Converted types of parquet.thrift, by which files say what newer ones say by a logical type. */
enum {
	C_UTF8,
	C_MAP,
	C_MAP_KEY_VALUE,
	C_LIST,
	C_ENUM,
	C_DECIMAL,
	C_DATE,
	C_TIME_MILLIS,
	C_TIME_MICROS,
	C_TIMESTAMP_MILLIS,
	C_TIMESTAMP_MICROS,
	C_UINT_8,
	C_INT_64 = 18,
	C_JSON,
	C_BSON,
	C_INTERVAL,
};

struct element {
	struct lu_pq_node node;
	bool has_type, is_list, is_map, logical;
	int64_t converted, children;
};

static unsigned read_unit(struct lu_thrift *t, const struct lu_thrift_field *of)
{
	struct lu_thrift_field f = { 0 };
	unsigned digits = 3;

	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f); lu_thrift_skip(t, &f))
		digits = f.id == 3 ? 9 : f.id == 2 ? 6 : 3;
	return digits;
}

/* The fields of a logical type, whatever it is: a scale, a unit, a width. */
static void read_parameters(
		struct lu_thrift *t, const struct lu_thrift_field *of, struct element *e)
{
	struct lu_thrift_field f = { 0 };
	int which = of->id;

	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f);) {
		if (which == 5 && f.id == 1)
			e->node.scale = (int32_t)lu_thrift_i64(t, &f);
		else if ((which == 7 || which == 8) && f.id == 1)
			e->node.utc = lu_thrift_bool(t, &f);
		else if ((which == 7 || which == 8) && f.id == 2)
			e->node.digits = read_unit(t, &f);
		else if (which == 10 && f.id == 1)
			e->node.bits = (unsigned)lu_thrift_i64(t, &f);
		else if (which == 10 && f.id == 2)
			e->node.is_signed = lu_thrift_bool(t, &f);
		else
			lu_thrift_skip(t, &f);
	}
}

static void read_logical(struct lu_thrift *t, const struct lu_thrift_field *of, struct element *e)
{
	static const enum lu_pq_meaning meaning[] = { [1] = LU_PQ_STRING,
		[4] = LU_PQ_STRING,
		[5] = LU_PQ_DECIMAL,
		[6] = LU_PQ_DATE,
		[7] = LU_PQ_TIME,
		[8] = LU_PQ_TIMESTAMP,
		[10] = LU_PQ_INTEGER,
		[11] = LU_PQ_NULL,
		[12] = LU_PQ_JSON,
		[13] = LU_PQ_OTHER,
		[14] = LU_PQ_UUID,
		[15] = LU_PQ_FLOAT16 };
	struct lu_thrift_field f = { 0 };

	for (lu_thrift_struct(t, of); lu_thrift_next(t, &f);) {
		size_t known = sizeof(meaning) / sizeof(*meaning);

		e->logical = true;
		e->is_map |= f.id == 2;
		e->is_list |= f.id == 3;
		e->node.meaning = (size_t)f.id < known ? meaning[f.id] : LU_PQ_OTHER;
		read_parameters(t, &f, e);
	}
}

static void read_converted(struct element *e)
{
	struct lu_pq_node *n = &e->node;
	int64_t c = e->converted;

	e->is_list = c == C_LIST;
	e->is_map = c == C_MAP || c == C_MAP_KEY_VALUE;
	if (c == C_UTF8 || c == C_ENUM)
		n->meaning = LU_PQ_STRING;
	else if (c == C_DECIMAL)
		n->meaning = LU_PQ_DECIMAL;
	else if (c == C_DATE)
		n->meaning = LU_PQ_DATE;
	else if (c == C_TIME_MILLIS || c == C_TIME_MICROS)
		n->meaning = LU_PQ_TIME;
	else if (c == C_TIMESTAMP_MILLIS || c == C_TIMESTAMP_MICROS)
		n->meaning = LU_PQ_TIMESTAMP;
	else if (c == C_JSON)
		n->meaning = LU_PQ_JSON;
	else if (c == C_BSON || c == C_INTERVAL)
		n->meaning = LU_PQ_OTHER;
	n->utc = true;
	n->digits = c == C_TIME_MILLIS || c == C_TIMESTAMP_MILLIS ? 3 : 6;
	if (c >= C_UINT_8 && c <= C_INT_64) {
		n->meaning = LU_PQ_INTEGER;
		n->bits = 8u << ((c - C_UINT_8) & 3);
		n->is_signed = c >= C_UINT_8 + 4;
	}
}

static void read_element(struct lu_thrift *t, struct element *e)
{
	struct lu_thrift_field f = { 0 };

	*e = (struct element){ .converted = -1 };
	while (lu_thrift_next(t, &f)) {
		switch (f.id) {
		case 1:
			e->node.type = (enum lu_pq_type)lu_thrift_i64(t, &f);
			e->has_type = true;
			break;
		case 2: e->node.length = (uint32_t)lu_thrift_i64(t, &f); break;
		case 3: e->node.repetition = (enum lu_pq_repetition)lu_thrift_i64(t, &f); break;
		case 4: e->node.name = lu_thrift_str(t, &f); break;
		case 5: e->children = lu_thrift_i64(t, &f); break;
		case 6: e->converted = lu_thrift_i64(t, &f); break;
		case 7: e->node.scale = (int32_t)lu_thrift_i64(t, &f); break;
		case 10: read_logical(t, &f, e); break;
		default: lu_thrift_skip(t, &f);
		}
	}
	if (!e->logical && e->converted >= 0)
		read_converted(e);
}

/* Does the meaning fit the type? Bytes with a meaning of numbers are not converted. */
static bool fits(const struct lu_pq_node *n)
{
	bool whole = n->type == LU_PQ_INT32 || n->type == LU_PQ_INT64;
	bool bytes = n->type == LU_PQ_BYTE_ARRAY || n->type == LU_PQ_FIXED;

	switch (n->meaning) {
	case LU_PQ_STRING:
	case LU_PQ_JSON: return bytes;
	case LU_PQ_INTEGER:
		return whole && (n->bits == 8 || n->bits == 16 || n->bits == 32 || n->bits == 64);
	case LU_PQ_DECIMAL:
		return n->scale >= 0 && n->scale <= 76 &&
				(whole || n->type == LU_PQ_BYTE_ARRAY ||
						(n->type == LU_PQ_FIXED && n->length <= 32));
	case LU_PQ_DATE: return n->type == LU_PQ_INT32;
	case LU_PQ_TIME:
	case LU_PQ_TIMESTAMP: return whole;
	case LU_PQ_UUID: return n->type == LU_PQ_FIXED && n->length == 16;
	case LU_PQ_FLOAT16: return n->type == LU_PQ_FIXED && n->length == 2;
	case LU_PQ_PLAIN_VALUE:
	case LU_PQ_NULL:
	case LU_PQ_OTHER: break;
	}
	return true;
}

static int check_element(const struct element *e, bool root, struct lu_err *err)
{
	const struct lu_pq_node *n = &e->node;

	if (e->children < 0 || e->children > LU_PQ_NODES || (unsigned)n->repetition > 2)
		return lu_err_set(err, "damaged schema");
	if (e->children == 0 && !root) {
		if (!e->has_type || (unsigned)n->type > LU_PQ_FIXED)
			return lu_err_set(err, "column '" LU_STR_FMT "' has no type that is known",
					LU_STR_ARG(n->name));
		if (n->type == LU_PQ_FIXED && (n->length == 0 || n->length > 1u << 20))
			return lu_err_set(err,
					"column '" LU_STR_FMT "': values of %" PRIu32 " bytes",
					LU_STR_ARG(n->name), n->length);
	}
	return 0;
}

/* Give a node its levels and its kind; `e` is its element. */
static void place(struct lu_pq_schema *s, const struct element *e, uint32_t parent)
{
	uint32_t i = (uint32_t)s->nodes.n - 1;
	struct lu_pq_node *n = &s->nodes.p[i];
	const struct lu_pq_node *p = &s->nodes.p[parent];

	n->parent = parent;
	n->children = (uint32_t)e->children;
	n->def = (uint8_t)(p->def + (i && n->repetition != LU_PQ_REQUIRED));
	n->rep = (uint8_t)(p->rep + (i && n->repetition == LU_PQ_REPEATED));
	if (i == 0)
		n->def = n->rep = 0;
	n->leaf = (uint32_t)s->leaves.n;
	n->end = i + 1;
	n->kind = e->children == 0 && i ? LU_PQ_LEAF
			: e->is_list	? LU_PQ_LIST
			: e->is_map	? LU_PQ_MAP
					: LU_PQ_STRUCT;
	if (n->kind == LU_PQ_LEAF) {
		if (!fits(n))
			n->meaning = LU_PQ_OTHER;
		if (n->meaning == LU_PQ_INTEGER && n->bits == 64 && n->type == LU_PQ_INT32)
			n->bits = 32;
	}
}

static bool has_end(struct lu_str s, struct lu_str front, const char *back)
{
	size_t n = strlen(back);

	return s.n == front.n + n && memcmp(s.p, front.p, front.n) == 0 &&
			memcmp(s.p + front.n, back, n) == 0;
}

/*
 * Find the elements of lists and maps, by the rules for old layouts of LogicalTypes.md: the repeated
 * node is the element itself if it is a column, has several members, or is called "array" or
 * LIST_tuple. What is marked as a list and has not the form of one is a structure.
 */
static void find_elements(struct lu_pq_schema *s)
{
	for (uint32_t i = 0; i < s->nodes.n; i++) {
		struct lu_pq_node *n = &s->nodes.p[i], *r = n + 1;
		bool repeated = n->children == 1 && r->repetition == LU_PQ_REPEATED &&
				n->repetition != LU_PQ_REPEATED;

		if (n->kind == LU_PQ_LIST && repeated) {
			bool itself = r->children != 1 || lu_str_is(r->name, "array") ||
					has_end(r->name, n->name, "_tuple") ||
					r[1].repetition == LU_PQ_REPEATED;

			n->element = i + (itself ? 1 : 2);
		} else if (n->kind == LU_PQ_MAP && repeated && r->children == 2 &&
				r[1].kind == LU_PQ_LEAF && r[1].repetition != LU_PQ_REPEATED) {
			n->element = i + 1;
			r->kind = LU_PQ_STRUCT;
		} else if (n->kind != LU_PQ_LEAF) {
			n->kind = LU_PQ_STRUCT;
		}
	}
}

int lu_pq_schema_read(struct lu_pq_schema *s, struct lu_str list, struct lu_err *err)
{
	struct lu_thrift t = lu_thrift_of(list);
	struct lu_thrift_field f = { 0, LU_THRIFT_LIST };
	size_t n = lu_thrift_list(&t, &f, LU_THRIFT_STRUCT);
	/* Open groups, and how many children each still has. */
	uint32_t open[LU_PQ_DEPTH + 1];
	int64_t left[LU_PQ_DEPTH + 1];
	size_t depth = 0;

	if (n > LU_PQ_NODES)
		return lu_err_set(
				err, "a schema of %zu nodes; at most %d are read", n, LU_PQ_NODES);
	for (size_t i = 0; i < n; i++) {
		struct element e;

		read_element(&t, &e);
		if (t.failed || (i && depth == 0))
			return lu_err_set(err, "damaged schema");
		if (check_element(&e, i == 0, err) < 0)
			return -1;
		if (!lu_vec_push(&s->nodes, e.node))
			return lu_err_nomem(err);
		place(s, &e, depth ? open[depth - 1] : 0);
		if (s->nodes.p[i].kind == LU_PQ_LEAF && !lu_vec_push(&s->leaves, (uint32_t)i))
			return lu_err_nomem(err);
		if (depth)
			left[depth - 1]--;
		if (e.children) {
			if (depth > LU_PQ_DEPTH)
				return lu_err_set(err, "a schema nested more than %d deep",
						LU_PQ_DEPTH);
			open[depth] = (uint32_t)i;
			left[depth++] = e.children;
		}
		while (depth && left[depth - 1] == 0)
			s->nodes.p[open[--depth]].end = (uint32_t)i + 1;
	}
	if (n == 0 || depth || s->leaves.n == 0)
		return lu_err_set(err, "damaged schema");
	find_elements(s);
	return 0;
}

void lu_pq_schema_release(struct lu_pq_schema *s)
{
	lu_vec_release(&s->nodes);
	lu_vec_release(&s->leaves);
}

static uint32_t find_child(const struct lu_pq_schema *s, uint32_t of, struct lu_str name)
{
	for (uint32_t i = of + 1; i < s->nodes.p[of].end; i = s->nodes.p[i].end) {
		if (lu_str_eq(s->nodes.p[i].name, name))
			return i;
	}
	return 0;
}

uint32_t lu_pq_schema_find(const struct lu_pq_schema *s, struct lu_str name)
{
	uint32_t node = find_child(s, 0, name);

	for (uint32_t at = 0; !node;) {
		const char *dot = memchr(name.p, '.', name.n);

		at = find_child(s, at,
				(struct lu_str){ name.p, dot ? (size_t)(dot - name.p) : name.n });
		if (!at || !dot)
			return at;
		if (s->nodes.p[at].kind != LU_PQ_STRUCT ||
				s->nodes.p[at].repetition == LU_PQ_REPEATED)
			return 0;
		name = (struct lu_str){ dot + 1, name.n - (size_t)(dot + 1 - name.p) };
	}
	return node;
}

void lu_pq_schema_want(
		struct lu_pq_schema *s, bool (*named)(void *ctx, struct lu_str name), void *ctx)
{
	for (size_t k = 0; k < s->leaves.n; k++) {
		uint32_t i = s->leaves.p[k];
		struct lu_pq_node *n = &s->nodes.p[i];
		bool bytes = n->type == LU_PQ_BYTE_ARRAY || n->type == LU_PQ_FIXED;

		n->wanted = n->meaning != LU_PQ_OTHER;
		if (bytes && n->meaning == LU_PQ_PLAIN_VALUE)
			n->wanted = n->parent == 0 && named(ctx, n->name);
		for (uint32_t up = n->parent; n->wanted && !s->nodes.p[up].wanted;
				up = s->nodes.p[up].parent) {
			s->nodes.p[up].wanted = true;
			s->nodes.p[up].leaf = (uint32_t)k;
		}
	}
}

void lu_pq_schema_path(const struct lu_pq_schema *s, uint32_t node, struct lu_buf *out)
{
	uint32_t up[LU_PQ_DEPTH + 2];
	size_t n = 0;

	for (; node && n < LU_PQ_DEPTH + 2; node = s->nodes.p[node].parent)
		up[n++] = node;
	while (n) {
		lu_buf_str(out, s->nodes.p[up[--n]].name);
		if (n)
			lu_buf_putc(out, '.');
	}
}
