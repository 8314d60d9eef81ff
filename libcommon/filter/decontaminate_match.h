#ifndef LUCIE_FILTER_DECONTAMINATE_MATCH_H
#define LUCIE_FILTER_DECONTAMINATE_MATCH_H
/* One document against the items of decontaminate.h. */
#include "libcommon/filter/decontaminate.h"

/* What one document has of one item. */
struct lu_bench_match {
	uint32_t item;
	uint32_t words; /* of it in common */
	uint32_t gram;	/* the first of the item */
	double share;
};
struct lu_bench_matches LU_VEC(struct lu_bench_match);

/* A thread's memory, from { 0 }. */
struct lu_bench_work {
	struct lu_folded_words words;
	struct lu_buf scratch;
	struct LU_VEC(uint64_t) hash;  /* of words */
	struct LU_VEC(uint32_t) grams; /* found, each once, by number */
	struct LU_VEC(struct lu_bench_use) uses;
	struct lu_bench_matches matches; /* by item */
};
int lu_decontaminate_match(const struct lu_decontaminate *d, struct lu_str text,
		struct lu_bench_work *w, struct lu_err *err) LU_CHECKED;
void lu_bench_work_release(struct lu_bench_work *w);

#endif
