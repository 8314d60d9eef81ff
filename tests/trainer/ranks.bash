# Runs of several ranks on this host: plain processes with LUCIE_RANK and its like, as a shell loop
# starts them. For bats files that `load` it.

# sizes LAYERS: the [model] section of a model that trains in a moment and can be split over 2 ranks of
# each kind.
sizes() { printf '%s\n' '[model]' vocab=400 hidden=32 layers="$1" heads=4 kv_heads=2 ffn=64; }

# start N ARG...: start lucie-train as N ranks; their pids are in pid[], standard error in err.RANK. The
# words of with[RANK] are put before the command.
start() {
	local n=$1 r
	shift
	attempt=$((${attempt:-0} + 1))
	pid=()
	for ((r = 0; r < n; r++)); do
		# shellcheck disable=SC2086 # words
		LUCIE_RANK=$r LUCIE_SIZE=$n LUCIE_RENDEZVOUS=127.0.0.1 LUCIE_ATTEMPT=$$-$attempt \
			${with[r]-} lucie-train "$@" 2>"err.$r" &
		pid+=($!)
	done
}

# finish: wait for all; rc[] are their exit statuses. Fails unless all are 0. Whoever is left after a
# minute is killed.
finish() {
	local r bad=0
	# shellcheck disable=SC2016 # for the shell in there
	bash -c 'for ((i = 0; i < 600; i++)); do sleep 0.1 && kill -0 "$@" || exit; done
		kill -KILL "$@"' guard "${pid[@]}" >/dev/null 2>&1 3>&- &
	rc=()
	for r in "${!pid[@]}"; do
		rc[r]=0
		wait "${pid[r]}" 2>/dev/null || rc[r]=$?
		[ "${rc[r]}" = 0 ] || bad=1
	done
	pid=()
	return $bad
}

# said: what the ranks wrote to standard error.
said() { cat err.*; }

# ranks N ARG...: start and finish; shows what they said unless all succeed.
ranks() {
	rm -f err.*
	start "$@"
	finish || {
		echo "ranks $*: exit ${rc[*]}"
		grep -H . err.*
		return 1
	}
}

# kill_ranks: for teardown.
kill_ranks() {
	[ "${#pid[@]}" = 0 ] || { kill -KILL "${pid[@]}" && wait "${pid[@]}"; } 2>/dev/null || true
}

# steps RUN: its metrics. After a kill some steps are logged again, with the same bits.
steps() { grep -v '^{"set"' "$1/metrics.jsonl" | awk '!seen[$0]++'; }

# export_run RUN: its weights, all bits of them, to RUN.out
export_run() { rm -rf "$1.out" && lucie-export -q --dtype f32 -o "$1.out" "$1"; }

# same_run A B: both runs have the same steps and export the same files, but for the model card, which says
# how long training took.
same_run() {
	cmp <(steps "$1") <(steps "$2") && export_run "$1" && export_run "$2" &&
		diff -r -x README.md "$1.out" "$2.out"
}

# near A B TOLERANCE [MEDIAN]: losses differ relatively by no more, norms by a hundred times as much,
# since a spike of the norm shows a rounding of the weights; or with MEDIAN half of the norms by no
# more than that.
near() {
	python3 - "$@" <<-'END'
		import json, statistics, sys
		def steps(run):
		    lines = (json.loads(l) for l in open(run + "/metrics.jsonl"))
		    return {(x["step"], x.get("valid")): x for x in lines if "step" in x}
		a, b = (steps(run) for run in sys.argv[1:3])
		assert a.keys() == b.keys() and a
		off = {"loss": [], "norm": []}
		for at, x in a.items():
		    y = b[at]
		    for key in x.keys() | y.keys():
		        if key in off:
		            off[key].append(abs(x[key] - y[key]) / abs(x[key]))
		        elif key not in ("clip", "perplexity", "bits_per_byte"):
		            assert x[key] == y[key], (key, x, y)
		worst = {key: max(all) for key, all in off.items()}
		median = statistics.median(off["norm"])
		print("# worst relative differences", worst, "median of the norm", median)
		assert worst["loss"] <= float(sys.argv[3]), worst
		if len(sys.argv) > 4:
		    assert median <= float(sys.argv[4]), median
		else:
		    assert worst["norm"] <= 100 * float(sys.argv[3]), worst
	END
}

# near_weights A B TOLERANCE: relative L2 distance of the tensors of two exports.
near_weights() {
	python3 - "$@" <<-'END'
		import array, json, struct, sys
		def tensors(folder):
		    data = open(folder + "/model.safetensors", "rb").read()
		    n, = struct.unpack("<Q", data[:8])
		    for name, t in json.loads(data[8:8 + n]).items():
		        if name != "__metadata__":
		            assert t["dtype"] == "F32"
		            begin, end = t["data_offsets"]
		            yield name, array.array("f", data[8 + n + begin:8 + n + end])
		a, b = (dict(tensors(f)) for f in sys.argv[1:3])
		assert a.keys() == b.keys() and a
		worst = max((sum((x - y) ** 2 for x, y in zip(a[k], b[k])) / sum(x * x for x in a[k])) ** 0.5
		        for k in a)
		print("# worst relative distance", worst)
		assert worst <= float(sys.argv[3]), worst
	END
}
