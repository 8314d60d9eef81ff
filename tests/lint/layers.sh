#!/usr/bin/env bash
# Who may include whom. A room may include what stands before it in a line below, and itself:
#
#   libcommon   base <- sys <- io <- parquet <- par, text, hash <- the families <- tools, trainer
#   families    tokenizer <- bpetrain, tokaudit; others may use one another, not in a circle
#   kernels     lk.h <- ref, cpu, cuda; nothing outside kernels
#   trainer     parallel <- comm <- model <- data <- generate <- eval <- run <- plan, export <- the programs; libcommon and kernels
. tests/lint/tap.bash

# "FROM TO FILE INCLUDED" for each include of ours. A room is a folder of libcommon, of trainer or
# of kernels; programs are in the rooms "tools" and "programs".
edges() {
	# The emulated GPU's header stands for CUDA's own.
	files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh' | grep -v '^tests/' |
		xargs grep -Hn '^[[:space:]]*#[[:space:]]*include "' |
		grep -v '^kernels/cuda/cuda\.h:.*"tests/kernels/emu/emu\.h"' |
		sed 's/^\([^:]*\):[0-9]*:[^"]*"\([^"]*\)".*/\1 \2/' |
		awk '
		function room(path,   part, n) {
			n = split(path, part, "/")
			if (part[1] == "libcommon") return part[2]
			if (part[1] == "trainer") return n == 2 ? "programs" : "trainer/" part[2]
			if (part[1] == "kernels") return n == 2 ? "kernels" : "kernels/" part[2]
			return part[1]
		}
		{ print room($1), room($2), $1, $2 }'
}

all=$(edges)
ok "paths start at the root of the tree" "$(awk '$4 !~ /\// { print $3 ": " $4 }' <<<"$all")"
ok "no program includes a program" "$(awk '$2 == "tools" || $2 == "programs" || $2 == "tests" {
	print $3 ": " $4
}' <<<"$all")"
ok "includes of libcommon go down" "$(awk '
BEGIN {
	rank["base"] = 1; rank["sys"] = 2; rank["io"] = 3; rank["parquet"] = 3.5
	rank["par"] = rank["text"] = rank["hash"] = 4
	family = 5
}
$3 !~ /^libcommon\// || $1 == $2 { next }
$4 !~ /^libcommon\// { print $3 ": " $4 ": the library stands alone"; next }
{
	from = $1 in rank ? rank[$1] : family
	to = $2 in rank ? rank[$2] : family
	if (from < family && to >= from) print $3 ": " $4 ": upwards"
	if ($1 == "tokenizer" && ($2 == "bpetrain" || $2 == "tokaudit")) print $3 ": " $4 ": upwards"
}' <<<"$all")"
ok "kernels stand alone" "$(awk '$3 ~ /^kernels\// {
	if ($4 !~ /^kernels\//) print $3 ": " $4
	else if ($1 != $2 && $2 != "kernels") print $3 ": " $4 ": only kernels/lk.h is shared"
}' <<<"$all")"
ok "includes of the trainer go down" "$(awk '
BEGIN {
	rank["trainer/parallel"] = 1; rank["trainer/comm"] = 2; rank["trainer/model"] = 3
	rank["trainer/data"] = 4; rank["trainer/generate"] = 4.5; rank["trainer/eval"] = 5
	rank["trainer/run"] = 6; rank["trainer/plan"] = rank["trainer/export"] = 7
	rank["programs"] = 8
}
$3 !~ /^trainer\// || $1 == $2 { next }
!($1 in rank) { print $3 ": no room of this name: " $1; next }
$4 ~ /^trainer\// && rank[$2] >= rank[$1] { print $3 ": " $4 ": upwards" }
$4 ~ /^kernels\// && $4 != "kernels/lk.h" { print $3 ": " $4 ": only kernels/lk.h is shared" }
$4 ~ /^tools\// { print $3 ": " $4 }' <<<"$all")"
ok "tools use the library only" "$(awk '$1 == "tools" && $4 !~ /^libcommon\// { print $3 ": " $4 }' <<<"$all")"
ok "no circle among rooms" "$(awk '$1 != $2 { print $1, $2 }' <<<"$all" | sort -u | tsort 2>&1 >/dev/null)"
ok "the library neither prints nor exits" "$(files 'libcommon/*.c' 'libcommon/*.cc' |
	grep -vxE 'libcommon/(sys/(tool|help|completion|version)|base/err)\.c' |
	xargs grep -nE '\b(printf|puts|putchar|perror|exit|_exit|abort|setlocale)\(|\b(stderr|stdout)\b' |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)' | grep -vE '"[^"]*(stderr|stdout)[^"]*"')"
done_testing
