#ifndef LUCIE_FILTER_DECONTAMINATE_JUDGE_H
#define LUCIE_FILTER_DECONTAMINATE_JUDGE_H
/* Decontamination as a judge of lucie-filter (judges.h); its context is a struct lu_decontaminate that
 * is ready. */
#include "libcommon/filter/decontaminate.h"
#include "libcommon/filter/judges.h"

/* Drops contaminated documents, as "contaminated" with the item. The accounting line gets a member
 * "decontaminate": items, those of the words of another, and those too short. */
extern const struct lu_judge lu_decontaminate_judge;

#endif
