/* config.json of Hugging Face models: what it says is read, and every value that asks for another
 * computation, or that no computation can follow, is refused by name. */
#include "tests/trainer/tiny.h"

#include <unistd.h>

#include "trainer/run/hugging_face.h"

/* A member that replaces, removes (NULL) or adds one of the file. */
struct change {
	const char *key, *value;
};

static const struct change base[] = {
	{ "architectures", "[\"LlamaForCausalLM\"]" },
	{ "model_type", "\"llama\"" },
	{ "hidden_act", "\"silu\"" },
	{ "hidden_size", "48" },
	{ "intermediate_size", "96" },
	{ "max_position_embeddings", "64" },
	{ "num_attention_heads", "4" },
	{ "num_hidden_layers", "3" },
	{ "num_key_value_heads", "2" },
	{ "rms_norm_eps", "1e-05" },
	{ "rope_theta", "500000.0" },
	{ "tie_word_embeddings", "false" },
	{ "vocab_size", "100" },
	{ "bos_token_id", "0" },
	{ "eos_token_id", "[1, 7]" },
};
#define BASE (sizeof(base) / sizeof(base[0]))
#define CHANGES 2

/* What was read last. */
static struct lt_shape shape;
static struct lt_hf_about about;
static struct lt_hf_ids ids;
static char folder[] = "/tmp/hf-config-XXXXXX";

static void put(FILE *f, int *n, const char *key, const char *value)
{
	if (value)
		fprintf(f, "%s\"%s\": %s", (*n)++ ? ",\n" : "{", key, value);
}

/* Read the file with the changes. */
static int read_with(const struct change *c, size_t n, struct lu_arena *arena, struct lu_err *err)
{
	char *path = path_in(folder, "config.json");
	FILE *f = fopen(path, "w");
	int members = 0, rc;

	assert_non_null(f);
	for (size_t i = 0; i < BASE; i++) {
		const char *value = base[i].value;

		for (size_t k = 0; k < n; k++) {
			if (c[k].key && strcmp(c[k].key, base[i].key) == 0)
				value = c[k].value;
		}
		put(f, &members, base[i].key, value);
	}
	for (size_t k = 0; k < n; k++) {
		bool of_base = false;

		for (size_t i = 0; i < BASE; i++)
			of_base |= c[k].key && strcmp(c[k].key, base[i].key) == 0;
		if (c[k].key && !of_base)
			put(f, &members, c[k].key, c[k].value);
	}
	fputs("}\n", f);
	fclose(f);
	rc = lt_hf_read_config(path, &shape, &about, &ids, arena, err);
	unlink(path);
	free(path);
	return rc;
}

static void accept(const struct change *c, size_t n)
{
	struct lu_arena arena = { 0 };
	struct lu_err err;

	ok(read_with(c, n, &arena, &err), &err);
	lu_arena_release(&arena);
}

static void test_read(void **state)
{
	struct lu_arena arena = { 0 };
	struct lu_err err;

	(void)state;
	ok(read_with(NULL, 0, &arena, &err), &err);
	assert_int_equal(shape.hidden, 48);
	assert_int_equal(shape.ffn, 96);
	assert_int_equal(shape.layers, 3);
	assert_int_equal(shape.heads, 4);
	assert_int_equal(shape.kv_heads, 2);
	assert_int_equal(shape.dim, 12);
	assert_int_equal(shape.vocab, 100);
	assert_true(shape.rope_theta == 500000 && shape.norm_eps == 1e-5 && !shape.tied);
	assert_int_equal(shape.rope_scaling, LT_ROPE_NONE);
	assert_int_equal(about.context, 64);
	assert_true(lu_str_is(ids.bos, "0") && lu_str_is(ids.eos, "[1, 7]") && ids.pad.n == 0);
	lu_arena_release(&arena);
}

static void test_defaults(void **state)
{
	static const struct change less[] = { { "num_key_value_heads", "null" },
		{ "rope_theta", NULL } };
	static const struct change window[] = { { "model_type", "\"mistral\"" },
		{ "sliding_window", "null" } };
	static const struct change wide[] = { { "model_type", "\"mistral\"" },
		{ "sliding_window", "64" } };
	static const struct change head[] = { { "head_dim", "16" },
		{ "tie_word_embeddings", "true" } };

	(void)state;
	accept(less, 2);
	assert_int_equal(shape.kv_heads, 4);
	assert_true(shape.rope_theta == 10000);
	accept(window, 2);
	accept(wide, 2);
	accept(head, 2);
	assert_int_equal(shape.dim, 16);
	assert_true(shape.tied);
}

static void test_rope(void **state)
{
	static const char llama3[] =
			"{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, "
			"\"high_freq_factor\": 4, "
			"\"original_max_position_embeddings\": 32, "
			"\"rope_theta\": 500000}";
	static const struct change four[] = { { "rope_scaling",
			"{\"type\": \"linear\", \"factor\": 2}" } };
	const struct change five[] = { { "rope_parameters", llama3 }, { "rope_theta", NULL } };
	const struct change both[] = { { "rope_parameters", llama3 }, { "rope_scaling", llama3 } };

	(void)state;
	accept(four, 1);
	assert_int_equal(shape.rope_scaling, LT_ROPE_LINEAR);
	assert_true(shape.rope_factor == 2);
	for (int i = 0; i < 2; i++) {
		accept(i ? both : five, 2);
		assert_int_equal(shape.rope_scaling, LT_ROPE_LLAMA3);
		assert_true(shape.rope_theta == 500000 && shape.rope_factor == 8);
		assert_true(shape.rope_low == 1 && shape.rope_high == 4);
		assert_int_equal(shape.rope_original, 32);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct change change[CHANGES];
		const char *says;
	} cases[] = {
		{ { { "model_type", "\"qwen2\"" } }, "model_type is \"qwen2\": this program" },
		{ { { "model_type", NULL } }, "model_type is missing" },
		{ { { "architectures", "[\"LlamaForSequenceClassification\"]" } },
				"architectures is [" },
		{ { { "architectures", "7" } }, "architectures is 7: not a list" },
		{ { { "attention_bias", "true" } }, "attention_bias is true: biases" },
		{ { { "mlp_bias", "true" } }, "mlp_bias is true: biases" },
		{ { { "mlp_bias", "\"no\"" } }, "mlp_bias is \"no\": neither" },
		{ { { "hidden_act", "\"gelu\"" } }, "hidden_act is \"gelu\"" },
		{ { { "sliding_window", "8" } }, "sliding_window is 8: attention" },
		{ { { "model_type", "\"mistral\"" } }, "sliding_window is missing" },
		{ { { "partial_rotary_factor", "0.5" } }, "partial_rotary_factor is 0.5" },
		{ { { "quantization_config", "{\"bits\": 4}" } }, "quantization_config is {" },
		{ { { "rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 2}" } },
				"rope_type is \"yarn\"" },
		{ { { "rope_scaling", "{\"rope_type\": \"linear\"}" } },
				"rope_scaling has no factor" },
		{ { { "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 0.5}" } },
				"factor is 0.5" },
		{ { { "rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 2}" } },
				"\"llama3\" needs low_freq_factor" },
		{ { { "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 2}" },
				  { "rope_parameters", "{\"rope_type\": \"default\"}" } },
				"rope_scaling and rope_parameters" },
		{ { { "rope_parameters", "{\"rope_theta\": 7}" } },
				"rope_theta is 500000, and 7 in rope_parameters" },
		{ { { "rope_parameters", "5" } }, "rope_parameters is 5: not an object" },
		{ { { "rope_theta", "-1" } }, "rope_theta is -1: not a number in range" },
		{ { { "head_dim", "7" } }, "head_dim is 7, not an even number" },
		{ { { "head_dim", "0" } }, "head_dim is 0: not a whole number" },
		{ { { "head_dim", "258" } }, "head_dim is 258, not an even number up to 256" },
		{ { { "num_key_value_heads", "3" } }, "num_key_value_heads is 3, which does not" },
		{ { { "hidden_size", "\"48\"" } }, "hidden_size is \"48\": not a whole number" },
		{ { { "hidden_size", "-1" } }, "hidden_size is -1: not a whole number" },
		{ { { "hidden_size", "4.5" } }, "hidden_size is 4.5: not a whole number" },
		{ { { "vocab_size", "1e300" } }, "vocab_size is 1e300" },
		{ { { "num_hidden_layers", "1000000000000000000" } }, "num_hidden_layers is 1000" },
		{ { { "num_attention_heads", "[]" } }, "num_attention_heads is []" },
		{ { { "num_attention_heads", "0" } }, "num_attention_heads is 0" },
		{ { { "intermediate_size", NULL } }, "intermediate_size is missing" },
		{ { { "rms_norm_eps", "{}" } }, "rms_norm_eps is {}" },
		{ { { "rms_norm_eps", "NaN" } }, "not JSON" },
		{ { { "rms_norm_eps", "1e999" } }, "rms_norm_eps is 1e999" },
		{ { { "tie_word_embeddings", "\"no\"" } }, "tie_word_embeddings is \"no\"" },
		{ { { "model_type",
				  "[\"llama\", \"llama\", \"llama\", \"llama\", \"llama\", "
				  "\"llama\", \"llama\"]" } },
				"\"llam...: this program" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_arena arena = { 0 };
		struct lu_err err = { 0 };
		char *path = path_in(folder, "config.json");

		if (read_with(cases[i].change, CHANGES, &arena, &err) == 0)
			fail_msg("not refused: %s", cases[i].says);
		if (strncmp(err.msg, path, strlen(path)) != 0 || !strstr(err.msg, cases[i].says))
			fail_msg("'%s' does not say '%s'", err.msg, cases[i].says);
		lu_arena_release(&arena);
		free(path);
	}
}

/* Write a file of the folder. */
static void write_file(const char *name, const char *text)
{
	char *path = path_in(folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void remove_file(const char *name)
{
	char *path = path_in(folder, name);

	unlink(path);
	free(path);
}

static void test_chat_template(void **state)
{
	static const struct {
		const char *text, *template; /* NULL: refused; "": none */
	} cases[] = {
		{ "{\"chat_template\": \"a\\n\\u00e9\"}", "a\n\xc3\xa9" },
		{ "{\"chat_template\": null}", "" },
		{ "{}", "" },
		{ "{\"chat_template\": [{\"name\": \"x\", \"template\": \"no\"}, "
		  "{\"name\": \"default\", \"template\": \"yes\"}]}",
				"yes" },
		{ "{\"chat_template\": [{\"name\": \"x\", \"template\": \"no\"}]}", NULL },
		{ "{\"chat_template\": 7}", NULL },
		{ "{\"chat_template\": [7]}", NULL },
		{ "[]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].template;
		struct lu_buf b = { 0 };
		struct lu_err err;
		int rc;

		write_file("tokenizer_config.json", cases[i].text);
		rc = lt_hf_chat_template(folder, &b, &err);
		assert_int_equal(rc, !want ? -1 : *want ? 1 : 0);
		assert_true(!want || lu_str_is(lu_buf_slice(&b), want));
		lu_buf_release(&b);
	}
	/* The file of its own comes first. */
	write_file("chat_template.jinja", "mine");
	{
		struct lu_buf b = { 0 };
		struct lu_err err;

		assert_int_equal(lt_hf_chat_template(folder, &b, &err), 1);
		assert_true(lu_str_is(lu_buf_slice(&b), "mine"));
		lu_buf_release(&b);
	}
	remove_file("chat_template.jinja");
	remove_file("tokenizer_config.json");
}

static void test_class(void **state)
{
	static const struct {
		const char *class, *normalizer;
		int broken;
	} cases[] = {
		{ "\"LlamaTokenizer\"", "{\"type\": \"NFC\"}", 1 },
		{ "\"LlamaTokenizerFast\"",
				"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, "
				"{\"type\": \"Prepend\", \"prepend\": \" \"}]}",
				1 },
		{ "\"PreTrainedTokenizerFast\"", "{\"type\": \"NFC\"}", 0 },
		/* As Llama 2 has it, which is what the class builds. */
		{ "\"LlamaTokenizer\"",
				"{\"type\": \"Sequence\", \"normalizers\": [{\"type\": "
				"\"Prepend\", "
				"\"prepend\": \"_\"}, {\"type\": \"Replace\", \"pattern\": "
				"{\"String\": \" \"}, \"content\": \"_\"}]}",
				0 },
		{ "\"LlamaTokenizer\"", "null", 0 },
		{ "null", "{\"type\": \"NFC\"}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_buf note = { 0 };
		struct lu_err err;
		char text[300];

		snprintf(text, sizeof(text), "{\"tokenizer_class\": %s}", cases[i].class);
		write_file("tokenizer_config.json", text);
		snprintf(text, sizeof(text), "{\"normalizer\": %s}", cases[i].normalizer);
		write_file("tokenizer.json", text);
		assert_int_equal(lt_hf_tokenizer_class(folder, &note, &err), cases[i].broken);
		assert_true((note.n > 0) == (cases[i].broken == 1));
		lu_buf_release(&note);
	}
	remove_file("tokenizer_config.json");
	remove_file("tokenizer.json");
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_rope),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_chat_template),
		cmocka_unit_test(test_class),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
