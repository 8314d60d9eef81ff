#ifndef LUCIE_SCHEMA_SCHEMA_H
#define LUCIE_SCHEMA_SCHEMA_H
/*
 * JSON Schema as an automaton over bytes: after each byte of a JSON text it says which bytes can
 * follow, so that what is written by it is always JSON and valid by the schema.
 *
 *	struct lu_schema *s;
 *	lu_schema_compile(&s, "answer.json", json, &err)	names the first thing that it refuses
 *	uint32_t state = LU_SCHEMA_START;
 *	lu_schema_next(s, state, byte, &state, &err)		1: allowed; 0: not; -1: error
 *	lu_schema_complete(s, state)				the value may end here
 *	lu_schema_free(s);
 *
 * lucie-schema(7) states the subset and the form of the text: members in the order of `properties`, no
 * white space but at most one blank after a comma or colon, numbers within a double. Every allowed
 * beginning can be completed: there are no dead ends, as long as every single byte can be written.
 *
 * Limits against hostile schemas: LU_SCHEMA_DEPTH levels, a bounded number of states (automaton.h) and
 * bounded work, each with a message. One thread at a time.
 */
#include "libcommon/base/buf.h"
#include "libcommon/schema/automaton.h"

#define LU_SCHEMA_START LU_AUTOMATON_START
#define LU_SCHEMA_DEPTH 64

struct lu_schema {
	struct lu_automaton *automaton;
};

/* `name` is the file in messages. `json` is not kept. */
int lu_schema_compile(struct lu_schema **s, const char *name, struct lu_str json,
		struct lu_err *err) LU_CHECKED;
void lu_schema_free(struct lu_schema *s); /* NULL is fine */

static inline int lu_schema_next(struct lu_schema *s, uint32_t state, unsigned char byte,
		uint32_t *next, struct lu_err *err)
{
	return lu_automaton_next(s->automaton, state, byte, next, err);
}

static inline bool lu_schema_complete(const struct lu_schema *s, uint32_t state)
{
	return lu_automaton_complete(s->automaton, state);
}

/* 1 if no byte can follow, 0 or -1. */
static inline int lu_schema_closed(struct lu_schema *s, uint32_t state, struct lu_err *err)
{
	return lu_automaton_closed(s->automaton, state, err);
}

#endif
