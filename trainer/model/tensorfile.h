#ifndef LUCIE_TRAINER_MODEL_TENSORFILE_H
#define LUCIE_TRAINER_MODEL_TENSORFILE_H
/*
 * Vectors of the weights in safetensors files, under the names of the table.
 */
#include "libcommon/io/safetensors.h"
#include "trainer/model/weights.h"

/* Size and hash of a file, as a manifest records them. */
struct lt_digest {
	uint64_t bytes;
	char hash[33]; /* XXH3-128 in hexadecimal; "" in the bare build */
};

/* The type that represents lk_real exactly. */
enum lu_st_type lt_real_type(void);

/* Write parameters first..first+n-1 of the table to a new file and fsync it. meta: see
 * lu_st_header(). The file must not exist; on failure it may be left incomplete. */
int lt_tensors_write(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *path, const char *meta, struct lt_digest *digest,
		struct lu_err *err) LU_CHECKED;

/* The same, with progress: `written` is called with the number of bytes of the file so far. */
typedef void lt_written_fn(void *ctx, uint64_t bytes);
int lt_tensors_write_shown(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *path, const char *meta, struct lt_digest *digest,
		lt_written_fn *written, void *ctx, struct lu_err *err) LU_CHECKED;

/* Read a vector from a file, which must have every parameter with its shape. */
int lt_tensors_read(struct lt_weights *w, enum lt_vector which, const char *path,
		struct lu_err *err) LU_CHECKED;

/* Read p from a directory and refresh: weights.safetensors (a checkpoint), model.safetensors, or the
 * files listed by model.safetensors.index.json (Hugging Face). F64, F32, F16 and BF16 are accepted.
 */
int lt_tensors_import(struct lt_weights *w, const char *dir, struct lu_err *err) LU_CHECKED;

/* Digest of a file as it is now. */
int lt_file_digest(const char *path, struct lt_digest *digest, struct lu_err *err) LU_CHECKED;

#endif
