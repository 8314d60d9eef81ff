#!/usr/bin/env bats
# The EXAMPLES of the manual pages run as they stand: each literal block is a shell script, run in
# a scratch folder that holds the fixtures (tests/cli/fixtures.bash) under the names pages use.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir fixtures && cd fixtures || return 1
	fixtures a.jsonl b.jsonl recipe.ini pages tokenizer.json shards run train.ini
}

# blocks PAGE FOLDER: the literal blocks of EXAMPLES as FOLDER/1.sh, 2.sh, ... with mdoc's escapes
# and the few macros that may stand in a literal block undone.
blocks() {
	awk -v folder="$2" '
	/^\.Sh / { examples = $2 == "EXAMPLES"; next }
	!examples { next }
	/^\.Bd -literal/ { inside = 1; n++; next }
	/^\.Ed/ { inside = 0; next }
	inside {
		gsub(/\\e/, "\\")
		gsub(/\\\(aq/, "\047")
		gsub(/\\\(dq/, "\"")
		gsub(/\\\(ti/, "~")
		gsub(/\\\(ha/, "^")
		gsub(/\\-/, "-")
		gsub(/\\&/, "")
		print > (folder "/" n ".sh")
	}' "$1"
}

run_page() {
	local page=$1 name dir script status
	name=${page##*/}
	dir=$BATS_FILE_TMPDIR/$name
	mkdir "$dir"
	blocks "$page" "$dir"
	for script in "$dir"/*.sh; do
		[ -e "$script" ] || { echo "$name: no literal block in EXAMPLES"; return 1; }
		tried=$((tried + 1))
		rm -rf "$dir/work"
		cp -R "$BATS_FILE_TMPDIR/fixtures" "$dir/work"
		status=0
		(cd "$dir/work" && timeout 120 bash -euo pipefail "$script") >"$dir/log" 2>&1 </dev/null ||
			status=$?
		[ $status = 0 ] || {
			echo "$name: example ${script##*/} exits $status:"
			sed 's/^/	/' "$script"
			tail -5 "$dir/log"
			bad=1
		}
	done
}

@test "the examples of every program's page run" {
	local page bad=0 tried=0
	for page in "$LUCIE_SRC"/man/man1/*.1; do run_page "$page" || bad=1; done
	[ "$bad" = 0 ] && [ "$tried" -gt 0 ]
}

@test "the examples of the other pages that have some run" {
	local page bad=0 tried=0
	for page in "$LUCIE_SRC"/man/man[57]/*.[57]; do
		! sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" | grep -q '^\.Bd -literal' || run_page "$page" || bad=1
	done
	[ "$bad" = 0 ]
}
