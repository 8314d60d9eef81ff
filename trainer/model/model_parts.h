#ifndef LUCIE_TRAINER_MODEL_MODEL_PARTS_H
#define LUCIE_TRAINER_MODEL_MODEL_PARTS_H
/*
 * Internals of the model that model.c (opening, calls), layer.c (a layer) and ends.c (embedding and
 * head) share. Functions return 0, or -1 with the reason in m->err if that has a message, otherwise in
 * the queue.
 */
#include <stdio.h>

#include "trainer/model/model.h"
#include "trainer/model/staging.h"

/* Activations of one layer. share and rows: see struct lt_model. */
struct lt_acts {
	lk_act *x, *n1, *x2, *n2;     /* [share][hidden] */
	lk_act *qkv, *o, *gate_up;    /* [rows][...] */
	lk_real *rstd1, *rstd2, *lse; /* [share], [share], [rows][heads] */
	lk_act *kv;		      /* DECODE: [batch][context][2 kv_heads dim] */
};

struct lt_slot {
	struct lt_acts *acts; /* by layer of the chunk; acts[0].x is the input */
	lk_act *out;
	uint32_t *ids, *places; /* [rows]; ids where the embedding is */
	bool documents;		/* places are those of this micro-batch */
	struct lk_ids sorted;	/* likewise */
};

struct lt_decode; /* of kv_cache.h */

struct lt_model {
	struct lt_weights *w; /* caller-owned */
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_model_plan plan;
	struct lt_model_hooks hooks;
	struct lt_shape s;     /* of this rank's slices */
	size_t rows;	       /* batch * context; DECODE: tokens at once */
	size_t share;	       /* rows of norms and residuals: rows, or a part with `sequence` */
	size_t share_at;       /* the first of them */
	size_t tp, tp_rank;    /* ranks of tensor parallelism */
	size_t *bound;	       /* [tp + 1]: elements of the shares in [rows][hidden] */
	size_t qkv_width;      /* (heads + 2 kv_heads) dim */
	struct lt_slot **slot; /* [chunk][slot] */
	/* Used by one call at a time. */
	lk_real *rope;
	lk_act *t;    /* [rows][hidden]: parts of a sum */
	lk_act *full; /* [rows][hidden]: gathered; with `sequence` */
	lk_act *y, *dqkv, *dout;
	lk_act *gradient[LT_MODEL_GRADIENTS]; /* [share][hidden] */
	lk_act *n;			      /* [share][hidden]: the final norm */
	lk_act *dlogits;		      /* logits if the types are equal */
	lk_real *rstd, *logits, *log_p, *weight;
	/* Of all ranks' parts of the vocabulary, [tp][rows][3 or 3 + top]; of the whole. */
	lk_real *stats, *merged;
	size_t *stats_bound;	/* [tp + 1] */
	uint32_t *labels, *top; /* [rows], [rows][objective.top] */
	lk_real *top_logp;
	double *reference; /* [batch] */
	size_t top_n;	   /* of the micro-batch */
	struct lt_decode *decode;
	struct lt_staging
			staging; /* of what is uploaded: host memory, of which nothing is counted */
	void **owned;		 /* all allocations */
	size_t n_owned, max_owned;
	uint64_t bytes; /* their sum */
	bool count_only, failed, measuring;
	struct lu_err err;
};

/* Of model.c: upload the ids and places of rows; compute the layers of a chunk over them; turn a failure
 * of the queue or of communication into an error, returns -1. */
struct lt_span;
int lt_upload_inputs(struct lt_model *m, struct lt_slot *slot, const struct lt_batch *b, bool embed,
		size_t rows);
int lt_chunk_forward(
		struct lt_model *m, size_t chunk, struct lt_slot *slot, const struct lt_span *at);
int lt_model_failed(struct lt_model *m, struct lu_err *err);

static inline lk_act *lt_act_at(const struct lt_model *m, const lk_act *p, size_t elements)
{
	return (char *)(uintptr_t)p + elements * m->ops->act_size;
}

/* Name the work of a layer for profilers; lk_ops.range_end() ends it. */
static inline void lt_range_begin(const struct lt_model *m, const char *what, size_t layer)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%s of layer %zu", what, layer);
	m->ops->range_begin(m->q, text);
}

#endif
