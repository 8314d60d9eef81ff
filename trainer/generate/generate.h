#ifndef LUCIE_TRAINER_GENERATE_GENERATE_H
#define LUCIE_TRAINER_GENERATE_GENERATE_H
/*
 * Continuations of prompts, many at once.
 *
 *	struct lt_generation how = { .sampling = LT_GREEDY, .repetition = 1, .tokens = 256,
 *		.eos = &eos, .n_eos = 1, .stop = stops, .stops = 2, .batch = 8, .context = 4096 };
 *	struct lt_generator *g;
 *	struct lt_generate_calls calls = { .ctx = me, .done = take };
 *
 *	lt_generator_open(&g, weights, tok, &how, &err)
 *	lt_generate(g, prompt, prompts, &calls, &err)		calls take() for each, in their order
 *	lt_generator_close(g);
 *
 * Up to how.batch prompts are continued beside one another; a finished one makes room for the next.
 * On the CPU a continuation depends on its prompt, its stream of random numbers and `how`, not on
 * what is beside it (model/decoding.h). Prompts that are equal one after another, with different
 * streams, are several continuations of one: its tokens are computed once.
 *
 * Call lt_generate() with the threads of -j (lk_cpu_team()). The weights are packed
 * (lt_model_spec.generate) or it is slow.
 */
#include <signal.h>

#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/sampler.h"
#include "trainer/model/weights.h"

struct lu_schema;

struct lt_generation {
	struct lt_sampling sampling;
	double repetition; /* penalty of tokens that occurred in the prompt or after it; 1: none */
	uint64_t seed;
	uint64_t tokens; /* at most, for a continuation */
	/* Any of these tokens ends a continuation, and is not part of it. */
	const uint32_t *eos;
	size_t n_eos;
	/* As soon as the text contains one of these strings, which are not empty, the continuation
	 * ends, and its text ends before the string. The strings are the caller's. */
	const struct lu_str *stop;
	size_t stops;
	/* The text has to be a JSON value of this schema; NULL: any text. The caller's. */
	struct lu_schema *schema;
	bool log_p;   /* compute the log p of each token */
	bool special; /* text has special tokens as they are spelled; otherwise it leaves them out */
	size_t batch;	/* at most; at least 1 */
	size_t context; /* tokens of prompt and continuation, at most the model's context */
};

/* Why a continuation ends. */
enum lt_end {
	LT_END_EOS,	    /* the end token */
	LT_END_STOP,	    /* a stop string */
	LT_END_TOKENS,	    /* how.tokens */
	LT_END_CONTEXT,	    /* the context is full */
	LT_END_SCHEMA,	    /* the JSON value is complete, nothing can follow */
	LT_END_INTERRUPTED, /* lt_generate_calls.interrupted */
};
/* "eos", "stop", "tokens", "context", "schema", "interrupted" */
const char *lt_end_name(enum lt_end end);

struct lt_prompt {
	const uint32_t *ids; /* n > 0 of them, n <= how.context */
	size_t n;
	uint64_t stream; /* of random numbers: lu_rand_stream("generate", stream) */
};

/* Valid until the call that it is passed to returns. */
struct lt_continuation {
	const uint32_t *ids; /* without the end token; with those of a stop string */
	const double *log_p; /* with how.log_p: by the model's own distribution, before any change */
	size_t n;
	struct lu_str text; /* UTF-8; without the stop string */
	enum lt_end end;
	bool complete; /* with a schema: the text is a value of it */
};

/* Each may be NULL. Functions return 0, or -1 with an error that ends the run. */
struct lt_generate_calls {
	void *ctx;
	/* Continuation i is complete; called in the order of the prompts. */
	int (*done)(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err);
	/* More text of continuation i, as it comes: whole characters, and nothing that may turn out
	 * to be part of a stop string. All together it is the text of done(). */
	int (*text)(void *ctx, size_t i, struct lu_str text, struct lu_err *err);
	/* Once not 0, every continuation ends where it is. */
	const volatile sig_atomic_t *interrupted;
};

struct lt_generator;

/* Says under -v how large the cache is. */
int lt_generator_open(struct lt_generator **g, struct lt_weights *w, const struct lu_tok *tok,
		const struct lt_generation *how, struct lu_err *err) LU_CHECKED;
void lt_generator_close(struct lt_generator *g);

int lt_generate(struct lt_generator *g, const struct lt_prompt *prompt, size_t prompts,
		const struct lt_generate_calls *calls, struct lu_err *err) LU_CHECKED;

#endif
