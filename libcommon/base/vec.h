#ifndef LUCIE_BASE_VEC_H
#define LUCIE_BASE_VEC_H
/*
 * Growable arrays: the one rule of growth of the library.
 *
 * LU_VEC(T) is the body of a struct with the elements p[0 .. n - 1]. It makes a named type, or a
 * member in place:
 *
 *	struct lu_ids LU_VEC(uint32_t);
 *	struct LU_VEC(struct lu_doc) docs;
 *
 *	struct lu_ids ids = { 0 };
 *	if (!lu_vec_push(&ids, 7))
 *		return lu_err_nomem(err);
 *	for (size_t i = 0; i < ids.n; i++)
 *		use(ids.p[i]);
 *	lu_vec_release(&ids);
 *
 * The array owns its memory, not what its elements point to. Growing moves the elements, so a
 * pointer into p is valid only until the next push or reserve. New elements are not cleared.
 * When memory is out the call returns false and the array is as it was.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* clang-format off */
#define LU_VEC(T) { T *p; size_t n, cap; }
/* clang-format on */

/* Makes room for `more` elements behind the n that there are. */
#define lu_vec_reserve(v, more) lu_vec_grow(&(v)->p, &(v)->cap, (v)->n, (more), sizeof(*(v)->p))

/* Appends one element. */
#define lu_vec_push(v, ...) \
	(lu_vec_reserve((v), 1) ? ((v)->p[(v)->n++] = (__VA_ARGS__), true) : false)

/* Frees the memory; the array is empty and usable again. */
#define lu_vec_release(v) (free((v)->p), (v)->p = NULL, (v)->n = (v)->cap = 0)

/* Out of line half of lu_vec_grow(). */
bool lu_vec_realloc(void *array, size_t *cap, size_t n, size_t more, size_t size);

/*
 * The function under the macros, for parallel arrays that share one capacity. `array` is the
 * address of the pointer to the elements, of `size` bytes each; *cap becomes at least n + more.
 * Capacity grows by half, to at least 64 bytes, so that appending N elements costs O(N).
 */
static inline bool lu_vec_grow(void *array, size_t *cap, size_t n, size_t more, size_t size)
{
	return more <= *cap - n || lu_vec_realloc(array, cap, n, more, size);
}

#endif
