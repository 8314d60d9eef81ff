#ifndef LUCIE_BASE_VEC_H
#define LUCIE_BASE_VEC_H
/*
 * Growable arrays.
 *
 * LU_VEC(T) is the body of a struct with elements p[0 .. n - 1]; it makes a named type or an
 * anonymous member:
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
 * The array owns its memory, not what its elements point to. Growing may move the elements, so a
 * pointer into p is valid until the next push or reserve. New elements are not cleared. When memory
 * is out the call returns false and the array is unchanged.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* clang-format off */
#define LU_VEC(T) { T *p; size_t n, cap; }
/* clang-format on */

/* Make room for `more` elements behind the n that are there. */
#define lu_vec_reserve(v, more) lu_vec_grow(&(v)->p, &(v)->cap, (v)->n, (more), sizeof(*(v)->p))

/* Append one element. The value is evaluated after the growth. */
#define lu_vec_push(v, ...) \
	(lu_vec_reserve((v), 1) ? ((v)->p[(v)->n++] = (__VA_ARGS__), true) : false)

/* Free the memory; the array is empty and usable again. */
#define lu_vec_release(v) (free((v)->p), (v)->p = NULL, (v)->n = (v)->cap = 0)

/* Slow path of lu_vec_grow(). */
bool lu_vec_realloc(void *array, size_t *cap, size_t n, size_t more, size_t size);

/*
 * The function under the macros, called directly for an array whose length is kept elsewhere.
 * `array` is the address of the pointer to the elements, of `size` bytes each; *cap becomes at
 * least n + more. Capacity grows by half, and to at least 64 bytes: appending is amortised O(1).
 *
 * Parallel arrays grow with a capacity each, or with copies of a common one:
 *
 *	size_t cap_a = t->cap, cap_b = t->cap;
 *
 *	if (!lu_vec_grow(&t->a, &cap_a, t->n, 1, sizeof(*t->a)) ||
 *			!lu_vec_grow(&t->b, &cap_b, t->n, 1, sizeof(*t->b)))
 *		return lu_err_nomem(err);
 *	t->cap = cap_a < cap_b ? cap_a : cap_b;
 */
static inline bool lu_vec_grow(void *array, size_t *cap, size_t n, size_t more, size_t size)
{
	return more <= *cap - n || lu_vec_realloc(array, cap, n, more, size);
}

#endif
