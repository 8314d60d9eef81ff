#ifndef LUCIE_LANGID_FASTTEXT_SHIM_H
#define LUCIE_LANGID_FASTTEXT_SHIM_H
/* A C interface to fastText, which is C++. A model is constant once loaded, and thread-safe. */
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lu_fasttext;

/* NULL if the file is not a complete fastText classifier; why[] is the reason. */
struct lu_fasttext *lu_fasttext_open(const char *path, char why[256]);
void lu_fasttext_close(struct lu_fasttext *f);

/* The best label of a line (p[n - 1] is the only newline), without "__label__" and truncated to fit,
 * its probability and that of the next label. 1; 0: the model knows nothing in the line; -1: out of
 * memory. */
int lu_fasttext_predict(const struct lu_fasttext *f, const char *p, size_t n, char *label,
		size_t room, double *score, double *next);

/* The probability of label i for a line; 0 where the model knows nothing in it. -1: out of memory. */
int lu_fasttext_score(const struct lu_fasttext *f, const char *p, size_t n, int i, double *score);

/* Label i of the model, without "__label__" and truncated to fit. False past the last. */
bool lu_fasttext_label(const struct lu_fasttext *f, int i, char *label, size_t room);

/* What the words that a model knows are made of, which tells how its training text was cleaned: a
 * kind of character counts if more than one word in a thousand has one. */
struct lu_fasttext_words {
	bool capitals, digits, punctuation; /* of ASCII */
};
struct lu_fasttext_words lu_fasttext_look(const struct lu_fasttext *f);

#ifdef __cplusplus
}
#endif

#endif
