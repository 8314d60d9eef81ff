#ifndef LUCIE_ORDER_ROWS_H
#define LUCIE_ORDER_ROWS_H
/*
 * What a phase of training reads, sample by sample (data.train, data.rows and data.shuffle of
 * lucie-config(5)). lucie-train reads its samples by it and lucie-trace finds them again.
 *
 *	struct lu_rows *r;
 *	lu_rows_open(&r, "shards/fr mix.plan @ 100000 annealing.plan", &options, &err)
 *	lu_rows_at(r, i, &row)					sample i of the phase
 *	while (lu_rows_next(r, &row, &span))			its tokens
 *		... tokens span.begin .. span.begin + span.n - 1 of row.section->stream ...
 *	lu_rows_close(r);
 *
 * SAMPLES. A sample is one row of T = `context` ids, each with the label that follows it. A span of n
 * tokens gives the ids of the first n - 1 of them and the labels of the last n - 1, so a label is never
 * of another span than its id. The spans of a row follow one another; what they leave of the row is
 * padding, whose labels have weight 0.
 *
 *	stream		the stream is cut every T tokens (order.h): one span of T + 1 tokens, the
 *			last of which is the first of the next sample. Documents go on from one row to
 *			the next. There is no padding.
 *	document	one document a row: its first T + 1 tokens.
 *	packed		whole documents, of each at most its first T + 1 tokens: a row takes the next
 *			documents until one does not fit, which begins the next row. The documents are
 *			taken in the order of the stream or, with `shuffle`, in that of
 *			lu_rand_permute(seed, lu_rand_stream("documents", 0), j, documents). All epochs
 *			have the same rows.
 *
 * In the last two, documents of fewer than two tokens, which have no label, are left out.
 *
 * PAIRS. Where the shards are of preferences (their manifests say so), documents 2k and 2k + 1 are the
 * chosen and the rejected conversation of pair k, and so are samples 2j and 2j + 1: pairs are shuffled.
 * They are read by `document` only, no document is left out, and plans are refused, for they take
 * documents one by one.
 *
 * ORDER. Sample i is of epoch e = i / R, where R is the number of rows: the row
 *	lu_rand_permute(seed, lu_rand_stream("samples", e), i % R, R),
 * or i % R without `shuffle`; of pairs likewise. So each epoch has its own order and reads each row
 * once, and i alone is the position of a run.
 *
 * SECTIONS. "A B @ 100000 C": from sample 100000 of the phase on C is read, from its beginning, with
 * an order of its own, in which the samples are counted from there.
 *
 * Pure functions of the indexes of the shards and the options. Memory: of document and packed 4.25 bytes
 * a document, of packed 4 more a row. Any number of threads may share open rows. Part of the bare build.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/mix/stream.h"
#include "libcommon/order/documents.h"
#include "libcommon/sys/opt.h"

enum lu_rows_mode { LU_ROWS_STREAM, LU_ROWS_PACKED, LU_ROWS_DOCUMENT };
/* "stream", "packed", "document". */
extern const struct lu_enum lu_rows_modes[];

struct lu_rows_options {
	enum lu_rows_mode mode;
	uint64_t context; /* at least 1 */
	uint64_t seed;
	bool shuffle;
	bool trust; /* of lu_stream_open() */
};

/* What the rows of a section make of its documents; zeros for stream. */
struct lu_rows_account {
	uint64_t documents;
	uint64_t left_out;	/* of fewer than two tokens */
	uint64_t cut, cut_off;	/* documents longer than a row, and the tokens of them beyond it */
	uint64_t rows, targets; /* of an epoch; labels, which is ids that are not padding */
};

struct lu_section {
	uint64_t first; /* sample of the phase from which on it is read */
	char *names;
	struct lu_stream *stream;
	bool pairs;
	uint64_t samples; /* of an epoch; for stream that may be 0 */
	struct lu_rows_account account;
	struct lu_documents documents; /* of document and packed */
	uint32_t *start;	       /* packed: [samples + 1], the first document of each row */
};

struct lu_rows;

/* Names are separated by blanks. A list that is empty, or a switch that does not come after the one
 * before it, is an error; a section may have no sample, which the caller must check. That a name is
 * there twice is the caller's to check as well. */
int lu_rows_open(struct lu_rows **r, const char *names, const struct lu_rows_options *o,
		struct lu_err *err) LU_CHECKED;
void lu_rows_close(struct lu_rows *r); /* NULL is fine */

size_t lu_rows_sections(const struct lu_rows *r);
const struct lu_section *lu_rows_section(const struct lu_rows *r, size_t i);
const struct lu_rows_options *lu_rows_options(const struct lu_rows *r);

/* A sample. The members behind `row` are for lu_rows_next(). */
struct lu_row {
	const struct lu_section *section;
	uint64_t epoch, row; /* of the section; for pairs the row is the number of the document */
	uint64_t next, end;
};

void lu_rows_at(const struct lu_rows *r, uint64_t i, struct lu_row *row);
/* The next span of the row; false at its end. */
bool lu_rows_next(const struct lu_rows *r, struct lu_row *row, struct lu_row_span *span);
/* Row k of the section, in the order of the stream, or of the packing. */
void lu_rows_row(const struct lu_rows *r, const struct lu_section *s, uint64_t k,
		struct lu_row *row);

/* Labels of sample i: ids that are not padding. */
uint64_t lu_rows_targets(const struct lu_rows *r, uint64_t i);

#endif
