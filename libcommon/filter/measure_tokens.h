#ifndef LUCIE_FILTER_MEASURE_TOKENS_H
#define LUCIE_FILTER_MEASURE_TOKENS_H
/* Tokens, the measures that count them, and stop words. */
#include "libcommon/filter/measures.h"

/* A list of stop words by the hashes of their tokens: each has a slot of its own, so that looking one
 * up takes no branch. */
#define LU_STOP_LISTS 3
#define LU_STOP_SLOTS 256
struct lu_stops {
	uint64_t hash[LU_STOP_SLOTS];
	uint32_t bit[LU_STOP_SLOTS]; /* of the word in the list; 0: free */
	unsigned shift;		     /* of a hash, to its slot */
};
void lu_stops_start(struct lu_stops *s, enum lu_stop_list list);

/* Fill w->tokens and the values of the group. */
int lu_measure_tokens(struct lu_measures *w, struct lu_err *err) LU_CHECKED;

#endif
