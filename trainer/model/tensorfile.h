#ifndef LUCIE_TRAINER_MODEL_TENSORFILE_H
#define LUCIE_TRAINER_MODEL_TENSORFILE_H
/*
 * Vectors of the weights to and from safetensors files, under the names of the table.
 */
#include "libcommon/io/safetensors.h"
#include "trainer/model/weights.h"

/* What was written, for a manifest. */
struct lt_written {
	uint64_t bytes;
	char hash[33]; /* XXH3-128 in hexadecimal; "" in the bare build */
};

/* The type that loses nothing of a lk_real. */
enum lu_st_type lt_real_type(void);

/* Writes parameters first..first+n-1 of the table to a new file, and fsyncs it. meta: see
 * lu_st_header(). An existing file is an error; on failure the file may be left incomplete. */
int lt_tensors_write(struct lt_weights *w, enum lt_vector which, size_t first, size_t n,
		enum lu_st_type type, const char *path, const char *meta, struct lt_written *out,
		struct lu_err *err) LU_CHECKED;

/* Fills a vector from the file: every parameter must be there with its shape. */
int lt_tensors_read(struct lt_weights *w, enum lt_vector which, const char *path,
		struct lu_err *err) LU_CHECKED;

/* Fills p from a folder: weights.safetensors (a checkpoint), model.safetensors, or the files that
 * model.safetensors.index.json lists (Hugging Face). Any of F64, F32, F16 and BF16 is taken. */
int lt_tensors_import(struct lt_weights *w, const char *dir, struct lu_err *err) LU_CHECKED;

/* Size and hash of a file as it is now. */
int lt_file_hash(const char *path, struct lt_written *out, struct lu_err *err) LU_CHECKED;

#endif
