#ifndef LUCIE_PARQUET_FOOTER_H
#define LUCIE_PARQUET_FOOTER_H
/*
 * A Parquet file and its footer. The footer stays as it is in the file, and row groups are read out of
 * it one by one: memory does not grow with what it says.
 *
 *	lu_pq_file_open(&f, fd, &err);			takes the descriptor
 *	while ((rc = lu_pq_file_group(&f, chunks, &rows, &err)) > 0) ...
 *	lu_pq_file_close(&f);
 */
#include "libcommon/parquet/parquet_pages.h"

#define LU_PQ_MAGIC "PAR1"
/* The longest footer that is read. */
#define LU_PQ_FOOTER ((size_t)64 << 20)
/* Rows a byte of the file at most, beyond a million: a byte of runs holds eight groups of eight values,
 * and 2,000 is what import/members.h allows of expansion. */
#define LU_PQ_ROWS_A_BYTE 16000

/* A column of a row group: where its pages are. */
struct lu_pq_chunk {
	uint64_t at, end;
	uint64_t values, packed, size;
	uint32_t codec;
};

struct lu_pq_file {
	int fd;
	uint64_t size, rows;
	struct lu_buf footer;
	struct lu_str list; /* the elements of the schema */
	struct lu_pq_schema schema;
	struct lu_thrift groups; /* at the next row group */
	size_t left;		 /* row groups */
	uint64_t packed;	 /* bytes of the columns of the groups read */
	bool records;		 /* written by parquet_writer.h */
};

int lu_pq_file_open(struct lu_pq_file *f, int fd, struct lu_err *err) LU_CHECKED;
/* Read the next row group: a chunk for each leaf that is wanted (lu_pq_schema_want()). 1; 0: there is none; -1. */
int lu_pq_file_group(struct lu_pq_file *f, struct lu_pq_chunk *chunk, uint64_t *rows,
		struct lu_err *err) LU_CHECKED;
void lu_pq_file_close(struct lu_pq_file *f);

#endif
