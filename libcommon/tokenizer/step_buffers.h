#ifndef LUCIE_TOKENIZER_STEP_BUFFERS_H
#define LUCIE_TOKENIZER_STEP_BUFFERS_H
/* Scratch memory of the steps of a normalizer and a pre-tokenizer: one per thread. */
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

/* A slice of a text, by offset and length. */
struct lu_span {
	size_t at, n;
};
struct lu_spans LU_VEC(struct lu_span);

struct lu_step_buffers {
	struct lu_buf a, b;		  /* the text: a step reads one and writes the other */
	struct lu_spans spans, new_spans; /* the words of the text: likewise */
};

/* The buffer, a or b, that `text` is not in, emptied. */
struct lu_buf *lu_step_buffers_other(struct lu_step_buffers *w, struct lu_str text);
void lu_step_buffers_release(struct lu_step_buffers *w);

#endif
