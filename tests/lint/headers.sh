#!/usr/bin/env bash
# Headers: each compiles alone, all compile together, and each .c file of the library, the kernels
# and the trainer has its own, except where one header speaks for a family.
. tests/lint/tap.bash

# compiles FILE: what the compiler says against a header or source, with the flags of the build.
compiles() {
	# shellcheck disable=SC2086 # the flags are words
	$CC $CFLAGS -Werror -fsyntax-only -x c "$1" 2>&1 | grep -v -e 'pragma once in main' | head -20
}

mapfile -t headers < <(files '*.h' | grep -v -e '^kernels/cuda/' -e '^tests/')
for h in "${headers[@]}"; do
	ok "$h" "$(compiles "$h")"
done

# In both orders: a macro or an enumeration of one header must not change the meaning of another.
together=$(mktemp) || exit 1
trap 'rm -f "$together"' EXIT
printf '#include "%s"\n' "${headers[@]}" >"$together"
ok "all headers together" "$(compiles "$together")"
printf '#include "%s"\n' "${headers[@]}" | tac >"$together"
ok "all headers together, in reverse" "$(compiles "$together")"

# Families: the .c file implements a part of the header behind it.
family='
libcommon/chat/chat_args libcommon/chat/chat_ast.h
libcommon/chat/chat_cursor libcommon/chat/chat_ast.h
libcommon/chat/chat_eval libcommon/chat/chat_ast.h
libcommon/chat/chat_expr libcommon/chat/chat_ast.h
libcommon/chat/chat_filters libcommon/chat/chat_ast.h
libcommon/chat/chat_lex libcommon/chat/chat_ast.h
libcommon/chat/chat_methods libcommon/chat/chat_ast.h
libcommon/chat/chat_operators libcommon/chat/chat_ast.h
libcommon/chat/chat_parse libcommon/chat/chat_ast.h
libcommon/chat/chat_render libcommon/chat/chat.h
libcommon/chat/chat_value_text libcommon/chat/chat_value.h
libcommon/dedup/dedup_run libcommon/dedup/steps.h
libcommon/dedup/drop_step libcommon/dedup/steps.h
libcommon/dedup/exact_steps libcommon/dedup/steps.h
libcommon/dedup/near_pair_steps libcommon/dedup/steps.h
libcommon/dedup/near_set_steps libcommon/dedup/steps.h
libcommon/dedup/near_sign_step libcommon/dedup/steps.h
libcommon/io/json_edit libcommon/io/json.h
libcommon/io/json_value libcommon/io/json.h
libcommon/text/repair_accents libcommon/text/repair_steps.h
libcommon/text/repair_pages libcommon/text/repair_steps.h
libcommon/tokenizer/load libcommon/tokenizer/tokenizer.h
libcommon/tokenizer/encode libcommon/tokenizer/tokenizer.h
libcommon/tokenizer/decode libcommon/tokenizer/tokenizer.h
libcommon/wiki/parsoid libcommon/wiki/enterprise.h
libcommon/wiki/wiki_arg libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_flow libcommon/wiki/wiki_layout.h
libcommon/wiki/wiki_function libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_inline libcommon/wiki/wiki_layout.h
libcommon/wiki/wiki_link libcommon/wiki/wiki_expand.h
libcommon/wiki/wiki_parser_function libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_rows_common libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_rows_en libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_rows_en_out libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_rows_fr libcommon/wiki/wiki_template.h
libcommon/wiki/wiki_rows_fr_out libcommon/wiki/wiki_template.h
trainer/data/corpus_read trainer/data/corpus.h
trainer/comm/comm_no_mpi trainer/comm/comm_mpi.h
trainer/comm/comm_no_nccl trainer/comm/comm_nccl.h
trainer/run/evaluations_none trainer/run/evaluations.h
trainer/comm/comm_single trainer/comm/comm.h
trainer/comm/control_thread trainer/comm/control.h
trainer/comm/failure trainer/comm/control.h
trainer/comm/group trainer/comm/comm.h
trainer/comm/spoke trainer/comm/control.h
kernels/cpu/bf16_amx kernels/cpu/cpu.h
kernels/cpu/bf16_avx2 kernels/cpu/cpu.h
kernels/cpu/bf16_avx512 kernels/cpu/cpu.h
kernels/cpu/bf16_avx512bf16 kernels/cpu/cpu.h
kernels/cpu/bf16_base kernels/cpu/cpu.h
kernels/cuda/attention_choice kernels/cuda/cuda.h
kernels/cuda/cuda_version libcommon/sys/version.h
kernels/cuda/gemm_lt kernels/cuda/cuda.h
kernels/cuda/no_cuda kernels/lk.h
kernels/cuda/no_cudnn kernels/cuda/attention_cudnn.h
kernels/cpu/isa_avx2 kernels/cpu/cpu.h
kernels/cpu/isa_avx512 kernels/cpu/cpu.h
kernels/cpu/isa_base kernels/cpu/cpu.h
kernels/cpu/device kernels/cpu/cpu.h
kernels/cpu/scalar kernels/cpu/cpu.h
kernels/cpu/lk_cpu kernels/lk.h
kernels/cpu/sort_ids kernels/lk.h
kernels/ref/adamw kernels/ref/ref.h
kernels/ref/attention kernels/ref/ref.h
kernels/ref/cross_entropy kernels/ref/ref.h
kernels/ref/embed kernels/ref/ref.h
kernels/ref/gemm kernels/ref/ref.h
kernels/ref/low kernels/ref/ref.h
kernels/ref/rmsnorm kernels/ref/ref.h
kernels/ref/rope kernels/ref/ref.h
kernels/ref/round kernels/ref/ref.h
kernels/ref/sums kernels/ref/ref.h
kernels/ref/swiglu kernels/ref/ref.h
trainer/run/settings_check trainer/run/settings.h
trainer/run/train_loop trainer/run/trainer.h
trainer/run/train_phase trainer/run/trainer.h'
without=
while read -r c; do
	stem=${c%.c*}
	header=$(sed -n "s,^$stem ,,p" <<<"$family")
	[ -e "${header:-$stem.h}" ] || without+="$c: no ${header:-${stem##*/}.h}"$'\n'
done < <(files 'libcommon/*.c' 'libcommon/*.cc' 'kernels/*.c' 'trainer/*.c' | grep -v '/lucie-')
ok "each .c file has its header" "$without"
done_testing
