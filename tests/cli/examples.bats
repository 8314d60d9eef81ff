#!/usr/bin/env bats
# Runs what the documents tell people to type. Each literal block in the EXAMPLES of a manual page is
# a shell script, run in a scratch folder that has the fixtures (tests/cli/fixtures.bash) under the
# names that the pages use. The sh blocks of README.md run one after another on a folder of texts.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir fixtures && cd fixtures || return 1
	fixtures a.jsonl b.jsonl recipe.ini pages tokenizer.json shards run train.ini plan.ini chat tuned
	# What lucie-import.1 reads: files of tests/data under the names of the page, and a small dump.
	local data=$LUCIE_SRC/tests/data
	cp "$data/coded/bodies.warc.gz" crawl.warc.gz && cp "$data/tables/mail.mbox" .
	echo '{"text":"-","content":"A row.","doc_id":"7"}' | lucie-normalize -o rows.parquet
	mkdir reports && cp "$data"/office/*.pdf reports
	python3 -c 'import bz2, sys; sys.stdout.buffer.write(bz2.compress(sys.stdin.buffer.read()))' \
		>pages-articles.xml.bz2 <<-'END'
	<mediawiki xml:lang="en"><siteinfo><base>https://en.example/wiki/Main</base></siteinfo>
	<page><title>Oak</title><ns>0</ns><id>3</id><revision><id>5</id><model>wikitext</model>
	<text>An oak is a [[tree]].</text></revision></page></mediawiki>
	END
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
		(cd "$dir/work" && timeout 600 bash -euo pipefail "$script") >"$dir/log" 2>&1 </dev/null ||
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
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	local page bad=0 tried=0
	for page in "$LUCIE_SRC"/man/man[57]/*.[57]; do
		! sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" | grep -q '^\.Bd -literal' || run_page "$page" || bad=1
	done
	[ "$bad" = 0 ]
}

# texts: a folder of text and HTML files, from the fixtures' documents.
make_texts() {
	mkdir texts && cp "$LUCIE_SRC"/tests/data/pages/* texts && python3 - texts \
		"$LUCIE_SRC/tests/data/a.jsonl" "$LUCIE_SRC/tests/data/b.jsonl" <<-'END'
	import json, sys
	for name in sys.argv[2:]:
	    for line in open(name, encoding="utf-8"):
	        doc = json.loads(line)
	        with open(f"{sys.argv[1]}/{doc['id']}.txt", "w", encoding="utf-8") as f:
	            f.write(doc["text"] + "\n")
	END
}

@test "the commands of README.md lead from a folder of texts to a trained model" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	mkdir "$BATS_TEST_TMPDIR/readme" && cd "$BATS_TEST_TMPDIR/readme" || return 1
	make_texts
	awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$LUCIE_SRC/README.md" >commands
	[ "$(grep -c '^lucie-' commands)" -ge 6 ]
	timeout 900 bash -eux commands >log 2>&1 </dev/null || {
		tail -20 log
		return 1
	}
	lucie-check shard shard-valid
	[ -e run/latest/weights.safetensors ]
	[ -s model/model.safetensors ]
}

@test "the program of CONTRIBUTING.md compiles" {
	awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' \
		"$LUCIE_SRC/.github/CONTRIBUTING.md" >"$BATS_TEST_TMPDIR/shout.c"
	[ -s "$BATS_TEST_TMPDIR/shout.c" ]
	gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$LUCIE_SRC" -fsyntax-only \
		"$BATS_TEST_TMPDIR/shout.c"
}

# block PAGE SECTION N: the N-th literal block of a section.
block() {
	awk -v section="$2" -v n="$3" '
	/^\.S[hs] / { here = substr($0, 5) == section }
	here && /^\.Bd -literal/ { inside = ++seen == n; next }
	/^\.Ed/ { inside = 0 }
	inside' "$LUCIE_SRC/man/$1" | sed 's/\\\[u00E8]/è/g'
}

@test "the records, accounting lines and recipes that pages show are valid" {
	cd "$BATS_TEST_TMPDIR" || return 1
	block man5/lucie-records.5 DESCRIPTION 1 | tr -d '\n' >record.jsonl
	[ -s record.jsonl ]
	lucie-check record.jsonl
	block man5/lucie-stats-line.5 DESCRIPTION 1 | tr -d '\n' >line.jsonl
	lucie-stats line.jsonl | grep -q '^lucie-filter '
	local i lang
	for i in {1..30}; do
		for lang in fr en de es it; do
			printf '{"id":"%s%d","lang":"%s","category":"%s","text":"text %d"}\n' $lang $i $lang \
				"$([ $((i % 3)) = 0 ] && echo wiki || echo web)" $i
		done
		printf '{"id":"c%d","lang":"code:c","category":"programming","text":"int x%d;"}\n' $i $i
	done >docs.jsonl
	# Its total and its limit of epochs are those of a large corpus.
	block man5/lucie-recipe.5 Example 1 | sed 's/^total = .*/measure = documents/' >first.ini
	lucie-mix -q -c first.ini docs.jsonl >/dev/null
	block man5/lucie-recipe.5 Example 2 | sed '1i [mix]\nmeasure = documents' >second.ini
	lucie-mix -q -c second.ini docs.jsonl >/dev/null
}
