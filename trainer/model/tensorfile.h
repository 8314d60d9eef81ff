#ifndef LUCIE_TRAINER_MODEL_TENSORFILE_H
#define LUCIE_TRAINER_MODEL_TENSORFILE_H
/*
 * Vectors of the weights in safetensors files, under the names of the table. Files hold whole tensors;
 * a rank that holds a part of the model reads its slices of them, and nothing else.
 */
#include "libcommon/io/safetensors.h"
#include "trainer/model/filedigest.h"
#include "trainer/model/weights.h"

/* The type that represents lk_real exactly. */
enum lu_st_type lt_real_type(void);

/* A file of a vector of the whole model, in the type of lk_real: the same on every rank, whatever it
 * holds. */
struct lt_tensors_layout {
	struct lu_buf header; /* the bytes in front of the data */
	uint64_t *at;	      /* [table.n] where the data of each parameter begin in the file */
	uint64_t bytes;	      /* of the file */
};

int lt_tensors_layout_open(struct lt_tensors_layout *l, const struct lt_table *t,
		struct lu_err *err) LU_CHECKED;
void lt_tensors_layout_close(struct lt_tensors_layout *l); /* a zeroed struct is fine */

/* The part of a parameter's slice of which this rank owns m and v: elements *begin .. *end - 1 of the
 * slice, which may be none. */
void lt_tensors_owned(const struct lt_weights *w, size_t param, size_t *begin, size_t *end);

/*
 * Write parameters first..first+n-1 of the table to a new file and fsync it; the rank must hold the
 * whole of them. meta: see lu_st_header(). The file must not exist; on failure it may be left
 * incomplete. `written`, unless NULL, is called with the number of bytes of the file so far.
 */
typedef void lt_written_fn(void *ctx, uint64_t bytes);
int lt_tensors_write(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *path, const char *meta, struct lt_digest *digest,
		lt_written_fn *written, void *ctx, struct lu_err *err) LU_CHECKED;

/* Convert n >= 1 reals to F64, F32, F16 or BF16; returns the number of bytes, or 0 if a value is too
 * large for F16. */
size_t lt_reals_to_bytes(const lk_real *in, size_t n, enum lu_st_type type, unsigned char *out);
int lt_too_large_for_f16(const char *name, struct lu_err *err); /* says so; returns -1 */

/* Read what this rank holds of p, or owns of m or v, from a file, which must have every parameter of
 * the rank with its whole shape. */
int lt_tensors_read(struct lt_weights *w, enum lt_vector which, const char *path,
		struct lu_err *err) LU_CHECKED;

/* --- for readers of several files (tensor_import.h) -------------------------------------------- */

/* Rows of the embedding and the head that files do not have, and that get the initial values of a seed:
 * tokens that are new. */
struct lt_pad {
	size_t rows; /* in the files, fewer than in the model */
	uint64_t seed;
};

/* Fail unless the tensor is there (t not NULL), of F64, F32, F16 or BF16, and of the parameter's shape,
 * with pad->rows rows unless pad is NULL. */
int lt_tensor_check(const struct lu_st *st, const struct lu_st_tensor *t, const struct lt_param *p,
		const struct lt_pad *pad, struct lu_err *err) LU_CHECKED;

struct lt_tensor_reader {
	bool finite;		  /* refuse infinities and values that are no number */
	const struct lt_pad *pad; /* of the parameters that are read; NULL: they are whole */
	lk_real *host;		  /* buffers, set by open */
	unsigned char *bytes;
};

int lt_tensor_reader_open(struct lt_tensor_reader *r, struct lu_err *err) LU_CHECKED;
void lt_tensor_reader_close(struct lt_tensor_reader *r);
/* Read this rank's slice of a parameter that it holds. */
int lt_tensor_read(struct lt_weights *w, enum lt_vector which, const struct lu_st *st, size_t param,
		struct lt_tensor_reader *r, struct lu_err *err) LU_CHECKED;

#endif
