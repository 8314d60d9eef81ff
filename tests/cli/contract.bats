#!/usr/bin/env bats
# The command-line contract of lucie(7). Each test runs on every program that it applies to and
# fails with the list of violations.
bats_require_minimum_version 1.5.0

load contract

here() { find . -maxdepth 1 | sort; }

@test "every program has a row in the table" {
	local p missing=
	for p in $(programs); do [ -n "${how[$p]-}" ] || missing+="$p "; done
	echo "not in tests/cli/contract.bash: $missing"
	[ -z "$missing" ]
}

@test "--help and -h print at most 24 lines on standard output" {
	check() {
		"$1" --help >out 2>err || echo "exit $?"
		[ -s out ] && [ ! -s err ] || echo "not on standard output alone"
		[ "$(wc -l <out)" -le 24 ] || echo "$(wc -l <out) lines"
		"$1" -h | cmp -s - out || echo "-h differs"
		head -1 out | grep -q "^usage: $1 " || echo "no usage line"
	}
	each check
}

@test "--version names the program, the libraries, CUDA, NCCL and MPI" {
	check() {
		"$1" --version >out 2>err || echo "exit $?"
		[ ! -s err ] || echo "something on standard error"
		head -1 out | grep -qxE "$1 \(lucie\) [0-9]+\.[0-9]+\.[0-9]+" || echo "first line: $(head -1 out)"
		grep -q "CUDA .*NCCL .*MPI " out || echo "CUDA, NCCL, MPI not named"
	}
	each check
}

@test "wrong usage prints two lines and exits 2" {
	wrong() {
		local status=0
		"$@" >out 2>err </dev/null || status=$?
		[ "$status" = 2 ] || echo "${*:2}: exit $status"
		[ ! -s out ] || echo "${*:2}: something on standard output"
		[ "$(wc -l <err)" = 2 ] && grep -q "^$1: " err && tail -1 err | grep -q -e "--help" ||
			echo "${*:2}: $(cat err)"
	}
	check() {
		wrong "$1" --no-such-option
		wrong "$1" -Y
		! takes "$1" output || wrong "$1" --output
		! takes "$1" threads || wrong "$1" -j 0
		! takes "$1" threads || wrong "$1" -j 2x
		wrong "$1" --print-completion fish
	}
	each check
}

@test "--help on a full disk exits 2" {
	check() {
		local status=0
		"$1" --help >/dev/full 2>err || status=$?
		trouble $status dir "standard output"
	}
	each check
}

@test "two runs give the same bytes, are silent with -q and leave no other file" {
	check() {
		local in before
		in=$(fixture_of "$1")
		before=$(here)
		result "$1" "$in" dir/a || echo "exit $?: $(cat err)"
		result "$1" "$in" dir/b -q || echo "exit $? with -q"
		[ ! -s err ] || echo "with -q: $(cat err)"
		same dir/a dir/b "the second run"
		diff <(echo "$before") <(here)
		[ -z "$(find dir -name '.*.lu-tmp')" ] || echo "a temporary file is left"
	}
	each check
}

@test "standard input, -, -- and a file name give the same bytes" {
	check() {
		local in
		in=$(fixture_of "$1")
		result "$1" "$in" dir/file
		result "$1" "-- $in" dir/dashes || echo "--: exit $?"
		result "$1" "" dir/stdin <"$in" || echo "stdin: exit $?"
		result "$1" "-" dir/dash <"$in" || echo "-: exit $?"
		cat "$in" | result "$1" "" dir/pipe || echo "pipe: exit $?"
		local d
		for d in dashes stdin dash pipe; do same dir/file dir/$d $d; done
	}
	# File names are part of the output of lucie-import.
	takes_stdin() { [ "$1" != lucie-import ]; }
	each check reads_files takes_stdin
}

@test "two files give the same bytes as their concatenation" {
	check() {
		cat a.jsonl b.jsonl >ab.jsonl
		result "$1" "a.jsonl b.jsonl" dir/two || echo "exit $?: $(cat err)"
		result "$1" ab.jsonl dir/one
		same dir/two dir/one "one file instead of two"
	}
	each check reads_documents
}

@test "-o FILE gives the bytes of standard output; /dev/null and pipes are written directly" {
	check() {
		local in cmd
		in=$(fixture_of "$1")
		result "$1" "$in" dir/a
		mkdir dir/b
		result "$1" "$in" dir/empty -o dir/b/out || echo "exit $?: $(cat err)"
		[ ! -s dir/empty/out ] || echo "-o writes to standard output too"
		same dir/a dir/b "-o"
		result "$1" "$in" dir/c -o /dev/null || echo "-o /dev/null: exit $?"
		[ -c /dev/null ] || echo "/dev/null was replaced"
		mkfifo dir/fifo
		cat dir/fifo >dir/got &
		result "$1" "$in" dir/d -o dir/fifo || echo "-o pipe: exit $?"
		wait $!
		cmp -s dir/got dir/a/out || echo "-o pipe gives other bytes"
	}
	has_output() { takes "$1" output; }
	each check writes_stdout has_output
}

@test "-j does not change the bytes" {
	check() {
		local j in
		in=$(large_of "$1")
		result "$1" $in dir/1 -j 1 || echo "exit $?: $(cat err)"
		for j in 2 5; do
			result "$1" $in dir/$j -j $j || echo "-j $j: exit $?: $(cat err)"
			same dir/1 dir/$j "-j $j"
		done
	}
	has_threads() { takes "$1" threads; }
	each check has_threads
}

@test "locale, time zone and OMP_NUM_THREADS do not change the bytes" {
	check() {
		local in
		in=$(fixture_of "$1")
		result "$1" "$in" dir/1
		through=(env OMP_NUM_THREADS=3 LC_ALL=fr_FR.UTF-8 LANG=fr_FR.UTF-8 TZ=Asia/Tokyo)
		result "$1" "$in" dir/2 || echo "exit $?: $(cat err)"
		through=()
		same dir/1 dir/2 "another environment"
	}
	each check
}

@test "gzip, zstd, xz and bzip2 input is decompressed, also in members and on standard input" {
	check() {
		local in z
		in=$(fixture_of "$1")
		result "$1" "$in" dir/plain
		head -c 1000 "$in" >part1
		tail -c +1001 "$in" >part2
		for z in gzip zstd xz; do
			# The names do not tell the format.
			$z -c "$in" >one
			{ $z -c part1 && $z -c part2 && $z -c </dev/null; } >many
			result "$1" one dir/$z-1 || echo "$z: exit $?: $(cat err)"
			result "$1" many dir/$z-2 || echo "$z, three members: exit $?: $(cat err)"
			result "$1" "-" dir/$z-3 <many || echo "$z on standard input: exit $?: $(cat err)"
			for n in 1 2 3; do same dir/plain dir/$z-$n $z; done
		done
		{ bzip2 -c part1 && bzip2 -c part2; } >many
		result "$1" many dir/bzip2 || echo "bzip2: exit $?: $(cat err)"
		same dir/plain dir/bzip2 bzip2
	}
	not_container() { [ "$1" != lucie-import ]; }
	each check reads_documents
}

@test "a truncated compressed stream exits 2 and leaves no file" {
	check() {
		local in z status
		in=$(fixture_of "$1")
		for z in gzip zstd xz; do
			$z -c "$in" | head -c -5 >cut
			rm -rf dir && mkdir dir
			status=0
			to_file "$1" cut || status=$?
			trouble $status dir cut
		done
	}
	each check reads_documents
}

@test "a full disk exits 2" {
	check() {
		local status=0 cmd
		command_of "$1" "$(fixture_of "$1")" /dev/full -q
		"${cmd[@]}" >/dev/full 2>err || status=$?
		trouble $status dir "No space left"
	}
	each check writes_stdout
}

@test "a closed output pipe ends the program silently" {
	check() {
		local cmd
		command_of "$1" "$(large_of "$1")" dir/out -q
		set +e
		"${cmd[@]}" 2>err | head -c 1 >/dev/null
		local status=("${PIPESTATUS[@]}")
		set -e
		[ ! -s err ] || echo "says: $(cat err)"
		[ "${status[0]}" = 141 ] || [ "${status[0]}" = 0 ] || echo "exit ${status[0]}"
	}
	each check writes_stdout
}

@test "a missing input file, or a folder, exits 2 with one line" {
	check() {
		local status=0
		to_file "$1" no-such-file || status=$?
		trouble $status dir "no-such-file: No such file"
		status=0
		to_file "$1" pages || status=$?
		trouble $status dir "pages: Is a directory"
	}
	not_import() { [ "$1" != lucie-import ]; }
	each check reads_files not_import
}

@test "an output that cannot be created exits 2" {
	check() {
		local status=0 cmd
		command_of "$1" "$(fixture_of "$1")" no/such/folder/out
		! writes_stdout "$1" || cmd=("$1" -o no/such/folder/out "${cmd[@]:1}")
		"${cmd[@]}" >/dev/null 2>err || status=$?
		trouble $status dir "no/such/folder"
	}
	has_output() { takes "$1" output && [ "$1" != lucie-train ] && [ "$1" != lucie-export ]; }
	each check has_output
}

@test "a bad record stops the run and is reported with file and line" {
	check() {
		local status=0 i=0 line
		for line in 'no JSON' '{"text":1}' '{"id":"x"}' '["text"]' '{"text":"a","text":"b"}' \
			'{"text":"\ud800"}' $'{"text":"\xff"}' $'{"text":"\xc0\x80"}' '{"text":"a"' \
			'{"text":"a",}' $'{"text":"\x01"}' '{"text":"a"}}'; do
			{ head -3 a.jsonl && printf '%s\n' "$line" && tail -n +4 a.jsonl; } >bad.jsonl
			rm -rf dir && mkdir dir
			status=0
			to_file "$1" bad.jsonl || status=$?
			trouble $status dir "^$1: bad.jsonl:4: "
			status=0
			to_file "$1" bad.jsonl -j 3 || status=$?
			trouble $status dir "^$1: bad.jsonl:4: "
		done
	}
	each check reads_documents
}

@test "--max-bad limits the bad records and --rejects keeps them" {
	check() {
		local status=0
		{ echo no && head -3 a.jsonl && echo '{"id":"x"}' && tail -n +4 a.jsonl && printf '{"text":"\xff"}'; } >bad.jsonl
		result "$1" a.jsonl dir/good
		result "$1" bad.jsonl dir/3 --max-bad 3 || echo "--max-bad 3: exit $?: $(cat err)"
		same dir/good dir/3 "--max-bad 3"
		to_file "$1" bad.jsonl --max-bad 2 || status=$?
		rm -rf dir/good dir/3
		trouble $status dir "bad.jsonl:15: "
		status=0
		to_file "$1" bad.jsonl --max-bad 2 --rejects dir/r || status=$?
		trouble $status dir "bad.jsonl:15: "
		result "$1" a.jsonl dir/good --rejects r0
		result "$1" bad.jsonl dir/r --rejects r || echo "--rejects: exit $?: $(cat err)"
		same dir/good dir/r "--rejects"
		python3 - r0 r <<-'END'
		import base64, json, sys
		good = [json.loads(l) for l in open(sys.argv[1])]
		new = [json.loads(l) for l in open(sys.argv[2])]
		bad = [r for r in new if r["line"] in (1, 5, 15)]
		for r in new:
		    if set(r) - {"record", "raw_base64"} != {"file", "line", "reason", "value"} or len(r) != 5:
		        print("members of a reject:", sorted(r))
		    if r["file"] != "bad.jsonl":
		        print("file of a reject:", r["file"])
		if len(new) != len(good) + 3 or len(bad) != 3:
		    print(len(new), "rejects with three bad records,", len(good), "without")
		if bad and base64.b64decode(bad[0].get("raw_base64", "")) != b"no":
		    print("the first bad line is not kept:", bad[0])
		if len(bad) > 1 and bad[1].get("record") != {"id": "x"}:
		    print("the second bad record is not kept:", bad[1])
		END
	}
	each check reads_documents
}

@test "--stats adds up, in + repeated = out + dropped, and does not depend on -j" {
	check() {
		rm -f s
		{ cat "$(large_of "$1")" && echo bad; } >bad.jsonl
		result "$1" bad.jsonl dir/s -j 1 --stats s --max-bad 9 || echo "exit $?: $(cat err)"
		result "$1" bad.jsonl dir/s -j 4 --stats s --max-bad 9 || echo "exit $?: $(cat err)"
		python3 - "$1" s "$(wc -l <bad.jsonl)" <<-'END'
		import json, sys
		lines = [json.loads(l) for l in open(sys.argv[2])]
		if len(lines) != 2:
		    print(len(lines), "lines after two runs")
		for s in lines:
		    if s["tool"] != sys.argv[1]:
		        print("tool is", s["tool"])
		    if s["in"]["docs"] != int(sys.argv[3]):
		        print("in.docs is", s["in"]["docs"])
		    if s["in"]["docs"] + s["repeated"] != s["out"]["docs"] + sum(s["dropped"].values()):
		        print("does not add up:", s)
		    if s["dropped"].get("not JSON") != 1:
		        print("the bad record is not counted:", s["dropped"])
		    if set(s["time"]) != {"wall_s", "cpu_s", "rss_bytes", "date", "machine"}:
		        print("time:", s["time"])
		    del s["time"], s["args"]
		if len(lines) == 2 and lines[0] != lines[1]:
		    print("-j changes the line:", lines)
		END
	}
	has_stats() { takes "$1" stats && takes "$1" threads; }
	each check reads_documents has_stats
}

@test "--stats to an unwritable path fails before the work" {
	check() {
		local status=0
		to_file "$1" "$(fixture_of "$1")" --stats no/such/folder/s || status=$?
		trouble $status dir "no/such/folder/s"
	}
	has_stats() { takes "$1" stats && reads_files "$1"; }
	each check has_stats
}

@test "blank lines, a byte order mark, CRLF and a missing last newline are accepted" {
	check() {
		{ printf '\xef\xbb\xbf' && sed 's/$/\r/; 3s/$/\n\n \t\r/' a.jsonl | head -c -2; } >odd.jsonl
		rm -f s
		result "$1" odd.jsonl dir/odd --stats s || echo "exit $?: $(cat err)"
		grep -q '"in":{"docs":12,' s || echo "counts $(cat s)"
	}
	has_stats() { takes "$1" stats; }
	each check reads_documents has_stats
}

@test "a record longer than --max-line is bad, anywhere in the file" {
	check() {
		local status=0
		to_file "$1" a.jsonl --max-line 300 || status=$?
		trouble $status dir "a.jsonl:1: longer than --max-line"
		{ cat a.jsonl && printf '{"text":"' && head -c 3000000 /dev/zero | tr '\0' x && echo '"}'; } >long.jsonl
		result "$1" a.jsonl dir/a
		result "$1" long.jsonl dir/b --max-line 10K --max-bad 1 || echo "exit $?: $(cat err)"
		same dir/a dir/b "a skipped long line"
	}
	each check reads_documents
}

@test "an output file that is also an input is refused and kept" {
	check() {
		local status=0 cmd
		cp a.jsonl dir/out
		command_of "$1" dir/out dir/out
		! writes_stdout "$1" || cmd=("$1" -o dir/out "${cmd[@]:1}")
		"${cmd[@]}" >/dev/null 2>err || status=$?
		cmp -s a.jsonl dir/out || echo "the input was changed"
		rm -f dir/out
		trouble $status dir "input file is output file"
		! writes_stdout "$1" || {
			cp a.jsonl dir/out
			status=0
			command_of "$1" dir/out ""
			"${cmd[@]}" >>dir/out 2>err || status=$?
			cmp -s a.jsonl dir/out || echo "the input was changed"
			rm dir/out
			trouble $status dir "input file is output file"
		}
	}
	one_file() { takes "$1" output && takes "$1" compress; }
	each check reads_documents one_file
}

@test "--allow-empty accepts empty files, plain and compressed" {
	check() {
		: >empty
		result "$1" empty dir/a --allow-empty || echo "exit $?: $(cat err)"
		gzip -c empty >empty.gz
		result "$1" empty.gz dir/b --allow-empty || echo "compressed: exit $?: $(cat err)"
		same dir/a dir/b "compressed nothing"
	}
	may_be_empty() { [[ "$needs_input" != *" $1 "* ]]; }
	each check reads_documents may_be_empty
}

@test "threads that cannot start exit 2 with one sentence" {
	[ "$LUCIE_CONFIG" = release ] || skip "sanitizers need a larger address space"
	check() {
		local status=0
		(ulimit -v 1500000 && to_file "$1" "$(fixture_of "$1")" -j 1000) >said 2>&1 || status=$?
		cat said
		trouble $status dir "cannot start 1000 threads"
	}
	threaded() { takes "$1" threads && reads_files "$1"; }
	each check threaded
}

@test "more threads in the environment than -j takes are as many as -j takes" {
	check() {
		OMP_NUM_THREADS=99999 result "$1" "$(fixture_of "$1")" dir/many || echo "exit $?: $(cat err)"
	}
	threaded() { takes "$1" threads && reads_documents "$1"; }
	each check threaded
}

# The temporary files of dir/out.
unfinished() { find dir -name '.out.*.lu-tmp'; }

# started PROGRAM: run it on a pipe that stays open, with -o dir/out, and wait for its temporary
# file. Sets pid.
started() {
	local cmd i
	mkfifo dir/in
	exec 8<>dir/in
	command_of "$1" dir/in dir/out
	! writes_stdout "$1" || cmd=("$1" -o dir/out "${cmd[@]:1}")
	"${cmd[@]}" >/dev/null 2>err 8>&- &
	pid=$!
	cat a.jsonl >&8
	for ((i = 0; i < 200; i++)); do
		[ -n "$(unfinished)" ] && return
		kill -0 $pid 2>/dev/null || { echo "ended early: $(cat err)"; return 1; }
		sleep 0.05
	done
	echo "no temporary file after 10 seconds"
	kill -9 $pid
	return 1
}
one_file() { takes "$1" output && takes "$1" compress; }

@test "SIGTERM ends the program and removes its unfinished output" {
	check() {
		local status=0 pid
		started "$1" || return 0
		kill -TERM $pid
		wait $pid || status=$?
		exec 8>&-
		[ $status = 143 ] || echo "exit $status instead of 143"
		rm dir/in
		nothing_in dir
	}
	each check reads_documents one_file
}

@test "two attempts at one output do not meet; after kill -9 the next run removes what is left" {
	check() {
		local pid
		started "$1" || return 0
		result "$1" a.jsonl dir/second -o dir/out || echo "second run: exit $?: $(cat err)"
		result "$1" a.jsonl dir/fresh
		cmp -s dir/out dir/fresh/out || echo "other bytes beside an attempt that goes on"
		rm -rf dir/second dir/fresh
		[ -n "$(unfinished)" ] || echo "the second run removed the file of the first"
		kill -9 $pid
		wait $pid || true
		exec 8>&-
		[ -n "$(unfinished)" ] || echo "kill -9 left no temporary file to test with"
		result "$1" a.jsonl dir/third -o dir/out || echo "after kill -9: exit $?: $(cat err)"
		[ -z "$(unfinished)" ] || echo "the temporary file is still there"
		result "$1" a.jsonl dir/fresh
		rm dir/in
		cmp -s dir/out dir/fresh/out || echo "other bytes after kill -9"
	}
	each check reads_documents one_file writes_stdout
}

@test "closed standard descriptors do not harm the output" {
	check() {
		local status=0 cmd
		{ head -2 a.jsonl && echo bad; } >bad.jsonl
		command_of "$1" bad.jsonl dir/unused -o dir/out
		"${cmd[@]}" 2>&- >&- <&- || status=$?
		[ $status = 2 ] || echo "exit $status"
		nothing_in dir
		command_of "$1" a.jsonl dir/unused -o dir/out
		"${cmd[@]}" 2>&- >&- <&- || echo "exit $?"
		result "$1" a.jsonl dir/fresh
		cmp -s dir/out dir/fresh/out || echo "other bytes"
	}
	each check reads_documents one_file writes_stdout
}
