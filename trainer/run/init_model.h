#ifndef LUCIE_TRAINER_RUN_INIT_MODEL_H
#define LUCIE_TRAINER_RUN_INIT_MODEL_H
/*
 * train.init: the model that a run begins with, in place of random weights. It is a folder in the form
 * of Hugging Face, a checkpoint, or a run, whose latest checkpoint counts.
 *
 *	lt_init_settings(&settings, init, given, &err)	when the configuration is checked
 *	lt_init_check(&settings, init, &err)		before memory is allocated
 *	lt_init_load(&settings, w, &err)
 *
 * The folder says what the model is (config.json, or the manifest of a checkpoint), so the sizes may be
 * left out of [model]; what is said there must agree. model.vocab alone may be larger, for new tokens.
 * A folder without either file has weights only, and the sizes must be given. Once a run has begun it
 * no longer needs the folder.
 */
#include "trainer/model/weights.h"
#include "trainer/run/settings.h"

/* `init` is train.init of the first phase, the settings those before phases. Fill in the keys of [model]
 * that neither `given`, by index of lt_settings_key(), nor a preset sets, and compare the rest. Call it
 * between reading and lt_settings_preset(). Where all keys are given, as in the config.ini of a run, the
 * folder is not looked at. */
int lt_init_settings(struct lt_settings *s, const char *init, const bool *given,
		struct lu_err *err) LU_CHECKED;

/* Compare all keys, and the names, types and shapes of the tensors, with the model. `speak`: say what is
 * wrong with the class of its tokenizer (lt_hf_tokenizer_class()). */
int lt_init_check(const struct lt_settings *s, const char *init, bool speak,
		struct lu_err *err) LU_CHECKED;

/* Read what this rank holds. *context: the longest on which the folder's model was trained, with the
 * rotary positions of the weights; 0 if they differ or nothing says so. */
int lt_init_load(const struct lt_settings *s, struct lt_weights *w, uint64_t *context,
		struct lu_err *err) LU_CHECKED;

/* The tokenizer.json of the folder or, for a checkpoint, of its run: the path, malloc'd, or NULL if there
 * is none. */
int lt_init_tokenizer(const char *init, char **path, struct lu_err *err) LU_CHECKED;
/* Append the chat template of the folder, if it has one: lt_hf_chat_template(). */
int lt_init_chat(const char *init, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
