#!/usr/bin/env bats
# Every program with several threads, under the thread sanitizer, which exits with 99 at a race. The
# set-up is that of the contract.
bats_require_minimum_version 1.5.0

load ../cli/contract

has_threads() { takes "$1" threads; }

@test "programs have no race with -j 4" {
	check() {
		result "$1" "$(large_of "$1")" dir/out -j 4 || echo "exit $?: $(head -40 err)"
	}
	each check has_threads
}

@test "programs have no race when a bad record ends them" {
	check() {
		local status=0
		{ cat "$(large_of "$1")" && echo bad && cat big.jsonl; } >bad.jsonl
		result "$1" bad.jsonl dir/out -j 4 || status=$?
		[ $status = 2 ] || echo "exit $status: $(head -40 err)"
	}
	each check reads_documents has_threads
}

@test "lucie-tok-encode has no race within one large document" {
	local i
	{
		printf '{"id":"large","text":"'
		for ((i = 0; i < 60000; i++)); do printf "Le chat dort, et l'heure %d a sonné. " $i; done
		printf '"}\n{"id":"small","text":"Un mot."}\n'
	} >large.jsonl
	lucie-tok-encode -t tokenizer.json -j 4 large.jsonl >four
	lucie-tok-encode -t tokenizer.json -j 1 large.jsonl | cmp - four
}
