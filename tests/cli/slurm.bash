# shellcheck shell=bash
# A private Slurm (tests/with-slurm) for the tests of a file: setup_file calls slurm_start, setup
# slurm_or_skip, and teardown_file slurm_stop.

# slurm_start [OPTION OF with-slurm...]: exports SLURM_CONF and LUCIE_SLURM. 77 where Slurm is not
# installed, 1 under CI=true. It ends with this shell, too.
slurm_start() {
	local folder=$BATS_FILE_TMPDIR/slurm pid rc=0
	mkdir "$folder"
	# shellcheck disable=SC2016 # for the shell in there
	"$LUCIE_SRC/tests/with-slurm" "$@" sh -c 'echo "$LUCIE_SLURM" >"$1/new" && mv "$1/new" "$1/on"
		while kill -0 "$2" 2>/dev/null; do sleep 1; done' sh "$folder" $$ \
		>"$folder/log" 2>&1 3>&- &
	pid=$!
	echo $pid >"$folder/pid"
	while [ ! -e "$folder/on" ]; do
		kill -0 $pid 2>/dev/null || {
			wait $pid || rc=$?
			cat "$folder/log"
			[ $rc != 77 ] || [ "${CI-}" = true ] || return 77
			return 1
		}
		sleep 0.05
	done
	LUCIE_SLURM=$(cat "$folder/on")
	export LUCIE_SLURM SLURM_CONF=$LUCIE_SLURM/slurm.conf LUCIE_RENDEZVOUS_HOST=127.0.0.1
	PATH=$PATH:/usr/sbin:/sbin
}

slurm_or_skip() {
	[ -n "${LUCIE_SLURM-}" ] || [ "${CI-}" = true ] || skip "no Slurm"
}

slurm_stop() {
	local pid
	if [ -e "$BATS_FILE_TMPDIR/slurm/pid" ]; then
		pid=$(cat "$BATS_FILE_TMPDIR/slurm/pid")
		kill -TERM "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
}

# slurm_drain JOB: wait until the job has left the queue.
slurm_drain() {
	local state
	for _ in {1..3000}; do
		state=$(squeue -h -j "$1" -o %T)
		[ -n "$state" ] || return 0
		sleep 0.1
	done
	squeue
	scontrol show job "$1"
	return 1
}

# slurm_until FILE PATTERN: wait until a line of the file matches.
slurm_until() {
	for _ in {1..3000}; do
		grep -qs -- "$2" "$1" && return 0
		sleep 0.1
	done
	echo "no '$2' in $1:"
	cat "$1"
	squeue
	return 1
}

# slurm_dataset NAME: a copy of Makefile, recipe.ini and src in a folder of its own, with the same paths.
slurm_dataset() { mkdir "$1" && cp -R Makefile recipe.ini src "$1"; }

# slurm_drained NAME: wait until no job of the dataset in the folder NAME is in the queue.
slurm_drained() {
	for _ in {1..3000}; do
		squeue -h -o %j | grep -q "^$1-" || return 0
		sleep 0.1
	done
	squeue
	return 1
}

# slurm_program FOLDER NAME: a stand-in for a program, from standard input; `really` runs the program.
slurm_program() {
	mkdir -p "$1"
	{
		printf '#!/bin/bash\nreally() { exec "%s/bin/%s" "$@"; }\n' "$LUCIE_BUILD" "$2"
		cat
	} >"$1/$2" && chmod +x "$1/$2"
}

# slurm_kill_node FILE: kill the slurmd of the node whose name is in the file, when it is there.
slurm_kill_node() {
	slurm_until "$1" n || return 1
	kill -KILL "$(cat "$LUCIE_SLURM/pid/$(cat "$1")")"
}

# sums NAME: all that a build is judged by: every file of documents, shards and the plan; of the
# accounting lines all but the times and the number of threads.
sums() {
	(cd "$1/work" && find . -type f ! -path './flags/*' ! -path './slurm/*' ! -path './stats/*' ! -path './lists/*' | sort | xargs sha256sum &&
		for f in stats/*; do sed -E 's/"time":.*//; s/"-j[0-9]+",//' "$f"; done)
}

# same NAME: nothing is missing, nothing left over, and each target has one line of accounting.
same() {
	sums "$1" | diff one.sums - || return 1
	[ -z "$(find "$1" -name '*.lu-tmp' -o -name '*.new')" ] || return 1
	[ "$(cat "$1"/work/stats/* | wc -l)" = "$(find "$1"/work/stats -type f | wc -l)" ]
}
