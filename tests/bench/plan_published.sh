#!/usr/bin/env bash
# The predictions of lucie-plan beside published speeds, tests/bench/published.tsv, with the error of
# each. Fails if a row with a limit, to which no constant was fitted, is off by more percent than that.
# PyTorch's trainers are slower than their operations by a factor that was fitted to what they reach on
# one node. The argument is a file of constants in place of the installed one.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[data]\ntrain = unread\n[train]\ndtype = bf16\nsteps = 1\nlanes = 0\n' >"$work/row.ini"

constants=${1:-pipelines/clusters/constants.ini}
cp "$constants" "$work/compiled.ini"
sed 's/^software = .*/software = 1.41/' "$constants" >"$work/pytorch.ini"

# predict COLUMN ARGUMENT...: a number of the first line of the answer.
predict() {
	local column=$1
	shift
	lucie-plan -c "$work/row.ini" --tsv -n1 "$@" | awk -F'\t' -v name="$column" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		NR == 2 { print $at }'
}

printf '%-40s %-6s %9s %9s %7s  %s\n' row source published predicted error 'fitted, remarks'
bad=0
while IFS=$'\t' read -r row source fitted software cluster gpus context batch layout hidden layers heads kv \
	ffn vocab tied unit published limit remark; do
	[ -e "tests/bench/clusters/$cluster.ini" ] && cluster=tests/bench/clusters/$cluster.ini
	args=(--constants "$work/$software.ini" --cluster "$cluster" --gpus "$gpus")
	for set in hidden="$hidden" layers="$layers" heads="$heads" kv_heads="$kv" ffn="$ffn" \
		vocab="$vocab" tied="$tied"; do args+=(--set "model.$set"); done
	args+=(--set "train.context=$context" --set "train.global_batch=$batch" --set train.micro_batch=1)
	if [ "$layout" != best ]; then args+=(--layout "$layout"); fi
	column=tokens_per_s_gpu scale=1
	if [ "$unit" = mfu ]; then column=mfu scale=100; fi
	got=$(predict $column "${args[@]}")
	awk -v row="$row" -v source="$source" -v fitted="$fitted" -v published="$published" \
		-v got="$got" -v scale=$scale -v limit="$limit" -v remark="$remark" 'BEGIN {
		got *= scale
		error = 100 * (got / published - 1)
		size = error < 0 ? -error : error
		over = limit != "-" && fitted == "no" && size > limit
		why = (fitted == "yes" ? "fitted" : "") (remark == "-" ? "" : (fitted == "yes" ? "; " : "") remark)
		printf "%-40s %-6s %9.5g %9.5g %+6.1f%%  %s\n", row, source, published, got, error,
			over ? "MORE THAN " limit " %" : why
		exit over
	}' || bad=1
done < <(sed 1d tests/bench/published.tsv)
exit $bad
