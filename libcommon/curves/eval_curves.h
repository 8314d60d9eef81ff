#ifndef LUCIE_CURVES_EVAL_CURVES_H
#define LUCIE_CURVES_EVAL_CURVES_H
/*
 * The curves of evaluations during training, and the phases that they run through; part of
 * struct lu_metrics (report/metrics.h). A line {"step":N,"eval":NAME,...} has the measures of a task, or with
 * "lang" those of a shard's documents in that language.
 */
#include "libcommon/curves/curve.h"
#include "libcommon/io/json.h"

struct lu_eval {
	char *name; /* of the task or shard */
	char *what; /* the measure, such as "acc" or "log perplexity", or the language */
	bool language;
	struct lu_curve curve; /* of the measure; of bits per byte, or else the loss, in a language */
};

struct lu_evals {
	struct LU_VEC(struct lu_eval)
			eval; /* those of a name are together, in order of appearance */
};

/* Add a line whose "eval" is a string. */
int lu_evals_add(struct lu_evals *e, const struct lu_json_obj *obj, double step,
		struct lu_arena *arena, struct lu_err *err) LU_CHECKED;
/* Forget what was logged beyond a step. */
void lu_evals_cut(struct lu_evals *e, double step);
/* The best value: the highest share of right answers, the lowest perplexity or loss. */
double lu_eval_best(const struct lu_eval *e);
/* Index behind the last curve of the name of curve i. */
size_t lu_evals_end(const struct lu_evals *e, size_t i);
void lu_evals_release(struct lu_evals *e);

/* Where phases begin, in ascending order of x. */
struct lu_phase {
	char *name;
	double x; /* the step before its first one */
};
struct lu_phases {
	struct LU_VEC(struct lu_phase) phase;
};

/* Note the phase of a step. */
int lu_phases_add(struct lu_phases *p, struct lu_str name, double step,
		struct lu_err *err) LU_CHECKED;
void lu_phases_release(struct lu_phases *p);

#endif
