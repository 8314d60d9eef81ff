#ifndef LUCIE_TOKENIZER_COMPONENT_JSON_H
#define LUCIE_TOKENIZER_COMPONENT_JSON_H
/*
 * Reading the JSON of tokenizer components, with errors that name the file and the component:
 * "x.json: normalizer: Replace: no \"content\"".
 *
 * All functions return 0, or -1 with the error set. Values are decoded into the reader's arena or
 * are slices of the JSON, so both must live as long as what is read.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/io/json.h"

struct lu_component_reader {
	const char *file;
	const char *part; /* of the file: "normalizer" */
	struct lu_arena *arena;
	struct lu_err *err;
};

/* Set the error "file: part: sentence"; -1. Text quoted from the file may be any bytes. */
int lu_component_fail(const struct lu_component_reader *r, const char *fmt, ...) LU_PRINTF(2, 3);

/* Scan an object and decode its "type" ("" when absent). */
int lu_component_object(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_json_obj *obj, struct lu_str *type);
/* Refuse members other than "type" and those of the list "a|b|c". */
int lu_component_check_keys(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *known);

/* Required members. */
int lu_component_str(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_str *out);
int lu_component_u64(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, uint64_t max, uint64_t *out);
int lu_component_array(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_json_iter *out);

/* Optional members: *out keeps its value when the member is absent or null. */
int lu_component_bool(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, bool *out);
int lu_component_opt_str(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		const char *key, struct lu_str *out);

#endif
