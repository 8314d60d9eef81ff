#ifndef LUCIE_BPETRAIN_PRESET_JSON_H
#define LUCIE_BPETRAIN_PRESET_JSON_H
/*
 * Inside the presets: the tokenizer.json that comes out of training, and its components by
 * themselves, since training runs the normalizer and the pre-tokenizer too. preset.h is the
 * manual of the whole; lucie-tokenizer(5) has the format.
 */
#include "libcommon/bpetrain/preset.h"

#define LU_PRESET_MARK "\xE2\x96\x81" /* U+2581, for the space */
/* What a U+2581 of the text is while U+2581 stands for spaces: U+FDD0, which Unicode keeps free
 * for such uses inside a program and which no text should hold. */
#define LU_PRESET_SPENT "\xEF\xB7\x90"

/* The special tokens of every preset, in order of their ids. */
#define LU_PRESET_BASE 4
extern const char *const lu_preset_base[LU_PRESET_BASE];
/* What runs are made of. */
extern const char *const lu_preset_blank[LU_PRESET_RUNS];

/* lucie or lucie-2024? */
bool lu_preset_is_lucie(const struct lu_preset *p);
/* n times the blank, n at most LU_PRESET_RUN_MAX; in `out`. */
struct lu_str lu_preset_run(char out[3 * LU_PRESET_RUN_MAX], const char *blank, uint32_t n);

/* Append a component as JSON, "null" where there is none. `training`: the one that training runs,
 * where it is another than the file's (lucie-2024 trains on spaces and turns them into markers
 * later, as the original did). Failures show in b. */
void lu_preset_normalizer(struct lu_buf *b, const struct lu_preset *p, bool training);
void lu_preset_pre_tokenizer(struct lu_buf *b, const struct lu_preset *p, bool training);

/* Appends the whole file as Hugging Face writes it; *merges: how many it has, those of runs
 * included. */
int lu_preset_write(struct lu_buf *json, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges, struct lu_err *err) LU_CHECKED;

#endif
