#ifndef LUCIE_PARQUET_SCHEMA_H
#define LUCIE_PARQUET_SCHEMA_H
/*
 * The schema of a Parquet file: a tree whose leaves are the columns.
 *
 *	struct lu_pq_schema s = { 0 };
 *	lu_pq_schema_read(&s, list, &err);	`list`: the schema elements, as the footer has them
 *	lu_pq_schema_want(&s, "text", ...);
 *	lu_pq_schema_release(&s);
 *
 * Nodes stand in the order of the file, a parent before its children: the first child of node i is
 * i + 1, the next sibling of node k is node[k].end. Names are slices of `list`.
 *
 * Levels are those of Dremel: an entry of a column has a definition level, how many of the optional
 * and repeated nodes on its path are there, and a repetition level, the number of the repeated node
 * that it continues; 0 begins a row.
 * (https://github.com/apache/parquet-format: parquet.thrift, LogicalTypes.md)
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/parquet/thrift.h"

#define LU_PQ_NODES 20000 /* in a schema */
#define LU_PQ_DEPTH 32	  /* of nesting */

enum lu_pq_type {
	LU_PQ_BOOLEAN,
	LU_PQ_INT32,
	LU_PQ_INT64,
	LU_PQ_INT96,
	LU_PQ_FLOAT,
	LU_PQ_DOUBLE,
	LU_PQ_BYTE_ARRAY,
	LU_PQ_FIXED,
};

enum lu_pq_repetition { LU_PQ_REQUIRED, LU_PQ_OPTIONAL, LU_PQ_REPEATED };

/* What the values mean, where the type does not say it. */
enum lu_pq_meaning {
	LU_PQ_PLAIN_VALUE,
	LU_PQ_STRING, /* UTF-8, enumerations too */
	LU_PQ_JSON,
	LU_PQ_INTEGER, /* of `bits` bits */
	LU_PQ_DECIMAL,
	LU_PQ_DATE,
	LU_PQ_TIME,
	LU_PQ_TIMESTAMP,
	LU_PQ_UUID,
	LU_PQ_FLOAT16,
	LU_PQ_NULL,
	LU_PQ_OTHER, /* an interval, BSON, a geometry: not converted */
};

enum lu_pq_kind { LU_PQ_LEAF, LU_PQ_STRUCT, LU_PQ_LIST, LU_PQ_MAP };

struct lu_pq_node {
	struct lu_str name;
	enum lu_pq_kind kind;
	enum lu_pq_repetition repetition;
	enum lu_pq_type type;
	uint32_t length; /* of LU_PQ_FIXED */
	enum lu_pq_meaning meaning;
	unsigned bits;
	bool is_signed, utc;
	unsigned digits; /* of a fraction of a second: 3, 6, 9 */
	int32_t scale;
	uint8_t def, rep;	   /* levels at which it is there */
	uint32_t end;		   /* the node behind its subtree */
	uint32_t parent, children; /* the root is its own parent */
	uint32_t leaf;		   /* number of its first column; after want() the first wanted */
	/* Of a list: the node of an element. It is `repeated` itself in the old two-level layout. Of a
	 * map: the repeated group of key and value. */
	uint32_t element;
	/* Some column below is wanted; it is written. */
	bool wanted;
};

struct lu_pq_schema {
	struct LU_VEC(struct lu_pq_node) nodes;
	struct LU_VEC(uint32_t) leaves; /* nodes */
};

/* Read the elements of the list that begins at `list`, the value of field 2 of the footer. */
int lu_pq_schema_read(struct lu_pq_schema *s, struct lu_str list, struct lu_err *err) LU_CHECKED;
void lu_pq_schema_release(struct lu_pq_schema *s);

/* The column of this name at the top, or by a path with dots through structures ("meta.text"); 0:
 * there is none (0 is the root). */
uint32_t lu_pq_schema_find(const struct lu_pq_schema *s, struct lu_str name);

/* Mark what is converted: all but columns of bytes without a meaning (images) and those of meanings
 * that are not converted. A column of bytes at the top is wanted if named(ctx, name) is true, as old
 * writers do not mark text. */
void lu_pq_schema_want(
		struct lu_pq_schema *s, bool (*named)(void *ctx, struct lu_str name), void *ctx);

/* Append the path of a node, "image.bytes". */
void lu_pq_schema_path(const struct lu_pq_schema *s, uint32_t node, struct lu_buf *out);

#endif
