/*
 * Files of Hugging Face folders: any bytes give a model that can be computed, a list of files in the
 * folder, a template, or an error that names the folder. The first byte says which file they are.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer/model/tensor_import.h"
#include "trainer/run/hugging_face.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz-hugging-face-XXXXXX";

static void remove_folder(void)
{
	rmdir(folder);
}

/* "FOLDER/name", written with the bytes. */
static char *write_file(const char *name, const uint8_t *data, size_t size)
{
	char *path;
	FILE *f;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
	return path;
}

static void check_error(const struct lu_err *err)
{
	if (!strstr(err->msg, folder) || strchr(err->msg, '\n'))
		abort();
}

static void read_config(const char *path)
{
	struct lu_arena arena = { 0 };
	struct lt_hf_about about;
	struct lt_hf_ids ids;
	struct lt_shape s;
	struct lt_table t;
	struct lu_err err = { 0 };

	if (lt_hf_read_config(path, &s, &about, &ids, &arena, &err) < 0)
		check_error(&err);
	else if (s.heads == 0 || s.heads % s.kv_heads || s.dim == 0 || s.dim % 2 || s.vocab == 0 ||
			about.context == 0 || !(s.rope_theta >= 1) || !(s.norm_eps >= 0))
		abort();
	/* Sizes of which the table could not be made would be the next to fail. */
	else if (s.layers < 1000 && lt_table_build(&t, &s, NULL, &err) == 0)
		lt_table_release(&t);
	lu_arena_release(&arena);
}

static void read_index(void)
{
	const struct lt_shape s = {
		.vocab = 8, .hidden = 4, .layers = 1, .heads = 2, .kv_heads = 1, .dim = 2, .ffn = 4
	};
	struct lu_err err = { 0 };

	/* There is no file that it could list. */
	if (lt_import_check(&s, folder, NULL, &err) == 0)
		abort();
	check_error(&err);
}

static void read_tokenizer(void)
{
	struct lu_buf chat = { 0 }, note = { 0 };
	struct lu_err err = { 0 };

	if (lt_hf_chat_template(folder, &chat, &err) < 0)
		check_error(&err);
	if (lt_hf_tokenizer_class(folder, &note, &err) < 0)
		check_error(&err);
	lu_buf_release(&chat);
	lu_buf_release(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "config.json", "model.safetensors.index.json",
		"tokenizer_config.json" };
	static bool made;
	int which = size ? data[0] % 3 : 0;
	char *path;

	if (!made && (!mkdtemp(folder) || atexit(remove_folder) != 0))
		abort();
	made = true;
	path = write_file(names[which], size ? data + 1 : data, size ? size - 1 : 0);
	if (which == 0)
		read_config(path);
	else if (which == 1)
		read_index();
	else
		read_tokenizer();
	unlink(path);
	free(path);
	return 0;
}
