#ifndef LUCIE_LANGID_FASTTEXT_SHIM_H
#define LUCIE_LANGID_FASTTEXT_SHIM_H
/* fastText (C++) for langid.c. A model is constant after loading: any number of threads may ask
 * it at once. */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lu_fasttext;

/* NULL when the file is no complete fastText classifier; why[] then says what is wrong. */
struct lu_fasttext *lu_fasttext_open(const char *path, char why[256]);
void lu_fasttext_close(struct lu_fasttext *f);

/* The best label of one line (p[n-1] is the only newline), without "__label__", cut to fit, and
 * its probability. 1; 0 when the line has nothing that the model knows; -1: out of memory. */
int lu_fasttext_ask(const struct lu_fasttext *f, const char *p, size_t n, char *label, size_t room,
		double *score);

#ifdef __cplusplus
}
#endif

#endif
