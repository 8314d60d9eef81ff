#include "tests/unit/unit_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/sys/file.h"

char *tokenizer_data(const char *name)
{
	const char *src = getenv("LUCIE_SRC");
	struct lu_err err;
	char path[4096], *text;
	size_t n;

	snprintf(path, sizeof(path), "%s/tests/data/tokenizer/%s", src ? src : ".", name);
	if (lu_read_file(path, 1 << 20, &text, &n, &err) < 0)
		fail_msg("%s", err.msg);
	return text;
}

struct lu_tok *parse_tokenizer(struct lu_str json)
{
	struct lu_tok *tok;
	struct lu_err err;

	if (lu_tok_parse(&tok, "x.json", json, &err) < 0)
		fail_msg("%s\n%.*s", err.msg, (int)json.n, json.p);
	return tok;
}

struct lu_tok *load_tokenizer(const char *name)
{
	char *json = tokenizer_data(name);
	struct lu_tok *tok = parse_tokenizer(lu_str_of(json));

	free(json);
	return tok;
}

void assert_same_ids(const struct lu_ids *got, const struct lu_ids *want)
{
	assert_int_equal(got->n, want->n);
	if (want->n)
		assert_memory_equal(got->p, want->p, want->n * sizeof(*want->p));
}
