#ifndef LUCIE_TESTS_GOLDEN_H
#define LUCIE_TESTS_GOLDEN_H
/*
 * Results of other programs, in files of safetensors beside the model that they are of: tests/data/llama.
 * make_llama_golden.py and make_objective_golden.py write them and describe what is in them. Every
 * function fails the test on error.
 */
#include "libcommon/io/safetensors.h"
#include "tests/trainer/tiny.h"

/* A model with one file of results. */
struct golden {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;
	struct lu_st st;
	size_t sequences, context, micros; /* per micro-batch, sequence, and step */
	uint32_t *ids, *labels, *places;   /* places NULL: one document a sequence */
	lk_real *weight;
};

/* Open tests/data/llama/MODEL/NAME, with the model. */
void golden_open(struct golden *g, const char *model, const char *name);
void golden_close(struct golden *g);

/* The values of a tensor, n of them; malloc'd. The same of bytes, as numbers. */
void *golden_values(const struct golden *g, const char *name, enum lu_st_type type, size_t *n);
uint32_t *golden_small(const struct golden *g, const char *name);
/* The only value of a tensor. */
size_t golden_count(const struct golden *g, const char *name);

/* Micro-batch i. */
struct lt_batch golden_batch(const struct golden *g, size_t i);
struct lt_model *golden_model(struct golden *g, enum lt_model_mode mode);

/* The limit of this build and type of activations. */
double golden_limit(double in64, double in32, double bf16);
/* Fail if `off` is more than `most`, or not a number. */
void golden_within(const char *what, double off, double most);
/* Relative L2 distance of a tensor's gradient, divided by `tokens`, over the elements in the file. */
double golden_gradient_off(
		struct golden *g, const struct lt_param *p, size_t stride, double tokens);

#endif
