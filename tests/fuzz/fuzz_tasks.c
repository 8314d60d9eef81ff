/* Any bytes read as a task file: an error, or items that can be put to a model. */
#include "tests/fuzz/fuzz.h"

#include "trainer/eval/evaluate.h"

/* A tokenizer of some characters, with byte tokens for a few others. */
static const char json[] =
		"{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{"
		"\"id\":0,"
		"\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
		"\"normalized\":false,\"special\":true}],\"normalizer\":null,\"pre_tokenizer\":"
		"null,"
		"\"post_processor\":null,\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":"
		"\"BPE\","
		"\"dropout\":null,\"unk_token\":\"?\",\"continuing_subword_prefix\":null,"
		"\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,"
		"\"ignore_merges\":false,\"vocab\":{\"<s>\":0,\"?\":1,\"a\":2,\" "
		"\":3,\"b\":4,\"ab\":5},"
		"\"merges\":[[\"a\",\"b\"]]}}";

static void check(const struct lt_quiz *q, size_t context)
{
	for (size_t i = 0; i < q->requests; i++) {
		const struct lt_request *r = &q->request[i];

		if (r->n < 2 || r->n > context + 1 || r->scored == 0 || r->scored >= r->n)
			abort();
		for (size_t k = 0; k < r->n; k++) {
			if (r->ids[k] > 5)
				abort();
		}
	}
	for (size_t i = 0; q->prompt && i < q->task->item.n; i++) {
		if (q->prompt[2 * i] >= q->prompt[2 * i + 1])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_tok *tok;
	struct fuzz_file f = fuzz_file_open(data, size);
	size_t context = size % 97 + 1;
	struct lt_tasks t = { 0 };
	struct lt_quiz q;
	struct lu_err err;
	bool matches;

	if (!tok && lu_tok_parse(&tok, "fuzz.json", LU_STR(json), &err) < 0)
		abort();
	if (lt_tasks_read(&t, f.path, &err) == 0 && t.task.n == 0)
		abort();
	for (size_t i = 0; i < t.task.n; i++) {
		const struct lt_task *task = &t.task.p[i];

		if (task->item.n == 0 ||
				lt_answer_matches(&task->item.p[0], task->item.p[0].choice[0],
						&matches, &err) < 0 ||
				!matches)
			abort();
		if (lt_quiz_init(&q, task, tok, context, &err) < 0)
			continue;
		check(&q, context);
		lt_quiz_release(&q);
	}
	lt_tasks_release(&t);
	fuzz_file_close(&f);
	return 0;
}
