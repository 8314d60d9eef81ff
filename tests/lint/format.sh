#!/usr/bin/env bash
# C and C++ are as clang-format writes them (.clang-format).
. tests/lint/tap.bash

for f in $(files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh'); do
	ok "$f" "$(clang-format --dry-run -Werror "$f" 2>&1 | grep -c 'error:' | grep -v '^0$' |
		sed 's/$/ places; run clang-format -i/')"
done
done_testing
