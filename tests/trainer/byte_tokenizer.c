#include "tests/trainer/byte_tokenizer.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "tests/trainer/tiny.h"

struct lu_tok *byte_tokenizer(void)
{
	struct lu_tok *tok;
	static const char *const pairs[][2] = { { "a", "b" }, { "ab", "c" }, { "\"", ":" },
		{ "1", "2" } };
	struct lu_buf b = { 0 };
	struct lu_err err;

	lu_buf_puts(&b, "{\"version\":\"1.0\",\"model\":{\"type\":\"BPE\",\"vocab\":{");
	for (unsigned i = 0; i < 256; i++) {
		char c[8];

		if (i)
			lu_buf_putc(&b, ',');
		lu_json_quote(&b, (struct lu_str){ c, lu_utf8_put(lu_byte_level_char(i), c) });
		lu_buf_printf(&b, ":%u", i);
	}
	lu_buf_puts(&b, ",\"</s>\":256");
	for (size_t i = 0; i < 4; i++) {
		char pair[8];

		snprintf(pair, sizeof(pair), "%s%s", pairs[i][0], pairs[i][1]);
		lu_buf_putc(&b, ',');
		lu_json_quote(&b, lu_str_of(pair));
		lu_buf_printf(&b, ":%zu", 257 + i);
	}
	lu_buf_puts(&b, "},\"merges\":[");
	for (size_t i = 0; i < 4; i++) {
		char pair[8];

		snprintf(pair, sizeof(pair), "%s %s", pairs[i][0], pairs[i][1]);
		if (i)
			lu_buf_putc(&b, ',');
		lu_json_quote(&b, lu_str_of(pair));
	}
	lu_buf_puts(&b,
			"]},\"added_tokens\":[{\"id\":256,\"content\":\"</"
			"s>\",\"single_word\":false,"
			"\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],"
			"\"normalizer\":null,\"post_processor\":null,"
			"\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
			"\"trim_offsets\":true,\"use_regex\":false},"
			"\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
			"\"trim_offsets\":true,\"use_regex\":true}}");
	ok(lu_tok_parse(&tok, "test.json", lu_buf_slice(&b), &err), &err);
	assert_int_equal(lu_tok_size(tok), 261);
	lu_buf_release(&b);
	return tok;
}
