#ifndef LUCIE_FILTER_CLASSIFIER_H
#define LUCIE_FILTER_CLASSIFIER_H
/*
 * Quality classifiers: the probability that a fastText model gives to one of its labels, as a score
 * for expressions.
 *
 *	struct lu_classifier *c = lu_classifier_new("edu=edu-fr.bin:__label__hq", &err);
 *	lu_classifier_score(c, &line, text, &score, &err);	line: scratch of this thread
 *	lu_classifier_free(c);
 *
 * The text is given to the model as one line, with line feeds as blanks, and otherwise as it is:
 * lower case and the like belong before the filter if the model was trained so. The score is 0 if
 * the model knows nothing in the text. A loaded classifier is shared by threads.
 */
#include "libcommon/base/buf.h"

struct lu_classifier;

/* "[NAME=]FILE:LABEL", LABEL with or without "__label__"; the name is "classifier" if none is given.
 * NULL: an error. */
struct lu_classifier *lu_classifier_new(const char *given, struct lu_err *err) LU_CHECKED;
const char *lu_classifier_name(const struct lu_classifier *c);
void lu_classifier_free(struct lu_classifier *c);

int lu_classifier_score(const struct lu_classifier *c, struct lu_buf *line, struct lu_str text,
		double *score, struct lu_err *err) LU_CHECKED;

#endif
