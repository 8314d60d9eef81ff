#ifndef LUCIE_PAR_INPUTS_H
#define LUCIE_PAR_INPUTS_H
/*
 * The operands of a program that reads documents: each holds at least one, so that a wrong or empty
 * file is not taken for a small one.
 *
 *	struct lu_inputs in;
 *
 *	if (lu_inputs_open(&in, args->file, args->files, std->allow_empty, err) < 0)
 *		return -1;
 *	for each slab:			before it is split: lu_inputs_look(&slab, err)
 *	for each slab, in order:	lu_inputs_count(&in, slab.file, documents, err)
 *	at the end of the input:	lu_inputs_end(&in, err)
 *
 * Standard input may be empty: a stage of a pipe cannot choose what comes. A file in another format
 * (io/magic.h) is refused whatever --max-bad and --rejects say: it is no file of bad records.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/io/lines.h"

struct lu_inputs {
	char **file;
	size_t files, at; /* the operand being counted */
	uint64_t docs;	  /* of that operand */
	bool lines;	  /* it has lines */
	bool allow_empty;
};

/* Fail if one is an empty regular file. `file` must outlive `in`. */
int lu_inputs_open(struct lu_inputs *in, char **file, size_t n, bool allow_empty,
		struct lu_err *err) LU_CHECKED;
/* Fail if the slab begins a file of a format that is recognised. */
int lu_inputs_look(const struct lu_slab *slab, struct lu_err *err) LU_CHECKED;
/* Count the documents of a slab; `file` is its pointer. Fail if an operand before it held none. */
int lu_inputs_count(struct lu_inputs *in, const char *file, uint64_t docs,
		struct lu_err *err) LU_CHECKED;
int lu_inputs_end(struct lu_inputs *in, struct lu_err *err) LU_CHECKED;

#endif
