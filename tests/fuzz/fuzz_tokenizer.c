/* Loading a tokenizer.json: any input loads or is refused with a message. What loads must encode
 * and decode a text. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "ab  abc <s> l'\xC3\xA9t\xC3\xA9 1999\r\n\t(x) \xE2\x96\x81 "
				   "\xF0\x9F\x98\x80";
	struct lu_str s = { text, sizeof(text) - 1 };
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_ids ids = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err = { 0 };

	if (lu_tok_parse(&tok, "fuzz", (struct lu_str){ (const char *)data, size }, &err) < 0) {
		if (!err.msg[0] || tok)
			abort();
		return 0;
	}
	st = lu_tok_state_new(tok);
	if (!st || lu_tok_encode(tok, st, s, LU_TOK_SPECIAL_PARSE, &ids, &err) != 0 ||
			lu_tok_decode(tok, st, ids.p, ids.n, 0, &out, NULL, &err) < 0 ||
			lu_utf8_valid(out.p, out.n) != out.n)
		abort();
	lu_ids_release(&ids);
	lu_buf_release(&out);
	lu_tok_state_free(st);
	lu_tok_free(tok);
	return 0;
}
