#!/usr/bin/env bats
# Every program with several threads, under the thread sanitizer: a race is exit 99.
bats_require_minimum_version 1.5.0

load ../cli/contract

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	contract_data
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	broken=() through=() tried=0
}

has_threads() { takes "$1" threads; }

@test "no race with -j 4" {
	check() {
		result "$1" "$(large_of "$1")" dir/out -j 4 || echo "exit $?: $(head -40 err)"
	}
	each check has_threads
}

@test "no race on the way out of a bad record" {
	check() {
		local status=0
		{ cat "$(large_of "$1")" && echo bad && cat big.jsonl; } >bad.jsonl
		result "$1" bad.jsonl dir/out -j 4 || status=$?
		[ $status = 2 ] || echo "exit $status: $(head -40 err)"
	}
	each check reads_documents has_threads
}

@test "no race in one large document" {
	local i
	{
		printf '{"id":"large","text":"'
		for ((i = 0; i < 60000; i++)); do printf "Le chat dort, et l'heure %d a sonné. " $i; done
		printf '"}\n{"id":"small","text":"Un mot."}\n'
	} >large.jsonl
	lucie-tok-encode -t tokenizer.json -j 4 large.jsonl >four
	lucie-tok-encode -t tokenizer.json -j 1 large.jsonl | cmp - four
}
