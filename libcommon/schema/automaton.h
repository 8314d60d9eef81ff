#ifndef LUCIE_SCHEMA_AUTOMATON_H
#define LUCIE_SCHEMA_AUTOMATON_H
/*
 * A finite automaton over bytes: built with choices (nondeterministic), read without them. The
 * deterministic states are computed when they are first reached (the subset construction of Rabin and
 * Scott 1959, done lazily), so that what is never read costs nothing.
 *
 *	lu_automaton_new(&a, &err)
 *	uint32_t x = lu_automaton_state(a), y = ...
 *	lu_automaton_edge(a, x, '0', '9', y)		a digit leads from x to y
 *	lu_automaton_empty(a, y, z)			nothing does
 *	lu_automaton_finish(a, x, z, &err)		from x to z; what failed before is said here
 *
 *	uint32_t state = LU_AUTOMATON_START;
 *	lu_automaton_next(a, state, byte, &state, &err)	1: allowed; 0: not; -1: error
 *	lu_automaton_complete(a, state)			the bytes so far are a whole text
 *
 * Numbers of read states stay valid until lu_automaton_free(). Not for several threads at once. Memory
 * of a read state: 4 bytes for each class of bytes that no edge tells apart, and 4 for each state that
 * it stands for.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/err.h"

/* Most states and edges that can be built, and most read states. */
#define LU_AUTOMATON_STATES ((size_t)1 << 18)
#define LU_AUTOMATON_EDGES ((size_t)1 << 22)
#define LU_AUTOMATON_READ ((size_t)1 << 19)

#define LU_AUTOMATON_START 0

struct lu_automaton;

int lu_automaton_new(struct lu_automaton **a, struct lu_err *err) LU_CHECKED;
void lu_automaton_free(struct lu_automaton *a);

/* Building cannot fail: lu_automaton_finish() tells. True once it will. */
uint32_t lu_automaton_state(struct lu_automaton *a);
void lu_automaton_edge(struct lu_automaton *a, uint32_t from, unsigned char low, unsigned char high,
		uint32_t to);
void lu_automaton_empty(struct lu_automaton *a, uint32_t from, uint32_t to);
bool lu_automaton_failed(const struct lu_automaton *a);
int lu_automaton_finish(struct lu_automaton *a, uint32_t start, uint32_t end,
		struct lu_err *err) LU_CHECKED;

int lu_automaton_next(struct lu_automaton *a, uint32_t state, unsigned char byte, uint32_t *next,
		struct lu_err *err) LU_CHECKED;
bool lu_automaton_complete(const struct lu_automaton *a, uint32_t state);
/* 1 if no byte is allowed, 0 or -1. */
int lu_automaton_closed(struct lu_automaton *a, uint32_t state, struct lu_err *err) LU_CHECKED;

#endif
