#ifndef LUCIE_TRAINER_GENERATE_CALL_SCHEMA_H
#define LUCIE_TRAINER_GENERATE_CALL_SCHEMA_H
/*
 * Tools that a model can call, as chat templates take them: a JSON array of
 *
 *	{"type":"function","function":{"name":"...","description":"...","parameters":{schema}}}
 *
 * or of the inner objects alone.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

/* Check tools, of the file `name`: each has a name. */
int lt_tools_check(const char *name, struct lu_str tools, struct lu_err *err) LU_CHECKED;
/* Append the schema of a call of one of them, {"name":"...","arguments":{...}}. A tool without
 * parameters has empty arguments. */
int lt_call_schema(struct lu_str tools, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
