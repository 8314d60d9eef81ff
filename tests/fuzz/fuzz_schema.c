/* Schemas: any bytes are refused with a message that names the file, or give an automaton whose texts
 * are valid by a plain reading of the schema. */
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/rng.h"
#include "libcommon/schema/schema.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/plain_schema.h"

/* Write a value of at most this many bytes; false if it is not complete by then. */
enum { LONGEST = 400 };

static bool write_value(struct lu_schema *s, uint64_t seed, struct lu_buf *out)
{
	uint32_t at = LU_SCHEMA_START;
	uint64_t drawn = 0;
	struct lu_err err;

	while (out->n < LONGEST) {
		int closed = lu_schema_closed(s, at, &err), rc = 0;
		unsigned char byte = 0;

		if (closed < 0)
			return false;
		if (lu_schema_complete(s, at) &&
				(closed || lu_rand_below(seed, 0, drawn++, 4) == 0))
			return true;
		if (closed)
			abort();
		while (rc == 0) {
			byte = (unsigned char)lu_rand_u64(seed, 0, drawn++);
			rc = lu_schema_next(s, at, byte, &at, &err);
		}
		if (rc < 0)
			return false;
		lu_buf_putc(out, (char)byte);
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lu_str json = { (const char *)data, size };
	struct lu_schema *s;
	struct lu_err err = { 0 };

	if (lu_schema_compile(&s, "schema", json, &err) < 0) {
		if (strncmp(err.msg, "schema: ", 8) != 0)
			abort();
		return 0;
	}
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct lu_buf value = { 0 };

		/* plain_valid() reads $ref of the form "#/$defs/NAME" only. */
		if (write_value(s, seed, &value) && !memmem(data, size, "$ref", 4) &&
				!memchr(data, '\\', size) &&
				!plain_valid(json, lu_buf_slice(&value)))
			abort();
		lu_buf_release(&value);
	}
	lu_schema_free(s);
	return 0;
}
