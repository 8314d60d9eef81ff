#ifndef LUCIE_FILTER_MEASURE_GROUPS_H
#define LUCIE_FILTER_MEASURE_GROUPS_H
/*
 * The measures of measures.h, in the groups that are computed together. Each function fills the
 * values of its group. Only measures.c calls them, in this order: n-grams need the tokens.
 */
#include "libcommon/filter/measures.h"
#include "libcommon/text/unicode.h"

#define LU_STOPS 18 /* most words of a list */
#define LU_STOP_LISTS 3
extern const char *const lu_stop_words[LU_STOP_LISTS][LU_STOPS];

/* A list of stop words by the hashes of their tokens, in open addressing. */
#define LU_STOP_SLOTS 256
struct lu_stops {
	uint64_t hash[LU_STOP_SLOTS];
	uint32_t bit[LU_STOP_SLOTS]; /* of the word in the list; 0: free */
};
void lu_stops_start(struct lu_stops *s, enum lu_stop_list list);

struct lu_measurer {
	uint8_t *class; /* of every character: LU_CLASS_... (text/unicode.h) */
	struct lu_stops stops[LU_STOP_LISTS];
};

int lu_measure_tokens(struct lu_measures *w, struct lu_err *err) LU_CHECKED;
int lu_measure_grams(struct lu_measures *w, struct lu_err *err) LU_CHECKED;
int lu_measure_lines(struct lu_measures *w, struct lu_err *err) LU_CHECKED;
void lu_measure_text(struct lu_measures *w);
void lu_measure_code(struct lu_measures *w);

static inline double lu_ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

/* Number of characters of a piece of the text. */
uint64_t lu_measures_count(const struct lu_measures *w, const char *p, size_t n);

#endif
