#ifndef LUCIE_BPETRAIN_PRESET_OPTIONS_H
#define LUCIE_BPETRAIN_PRESET_OPTIONS_H
/*
 * The settings of a preset as options of lucie-tok-train: the words for their values, and the line
 * by which a count file (lucie-counts(5)) says how its text was split.
 */
#include "libcommon/bpetrain/preset.h"
#include "libcommon/sys/opt.h"

extern const struct lu_enum lu_preset_kinds[], lu_preset_digits[], lu_preset_punctuation[],
		lu_preset_forms[];

/* Append the options on which the words of a text depend, all of them: "--preset lucie --form nfc
 * --digits single --punctuation split". */
void lu_preset_put_splitting(const struct lu_preset *p, struct lu_buf *out);

#endif
