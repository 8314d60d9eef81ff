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

/* Read what this rank holds of p, or owns of m or v, from a file, which must have every parameter of
 * the rank with its whole shape. */
int lt_tensors_read(struct lt_weights *w, enum lt_vector which, const char *path,
		struct lu_err *err) LU_CHECKED;

/* Read p from a directory and refresh: weights.safetensors (a checkpoint), model.safetensors, or the
 * files listed by model.safetensors.index.json (Hugging Face). F64, F32, F16 and BF16 are accepted.
 */
int lt_tensors_import(struct lt_weights *w, const char *dir, struct lu_err *err) LU_CHECKED;

#endif
